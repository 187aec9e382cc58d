"""The ways to make the same steps: without privacy, as Medley does, with Opacus' hooks, and by the other mode."""

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from opacus.grad_sample import GradSampleModule
from opacus.optimizers import DPOptimizer
from torch import Tensor, nn

from client.training import Fused, Round, Singles, gradient_mode, stage_loss, summed_loss, train_round
from shared.batch import Batch
from shared.model import MultimodalModel
from shared.parameters import in_stage
from shared.privacy.mechanism import StagePlan, plan_privacy
from simulations.bench.cases import Case

Step = Callable[[], object]  # one round: as many steps as the study's round has
TOLERANCE = 1e-3  # relative, for sums in float32
LOOSE, BINDING = 1e9, 1e-3  # clips that no patient's gradient exceeds, and that each does
HOOKS_WARN = "Full backward hook is firing"  # no input needs a gradient: as it should be for data


def planned(case: Case) -> StagePlan:
    """The study's own clip and noise."""
    plan = plan_privacy(case.study)
    assert plan is not None
    return plan.stages[case.stage]


def plain(case: Case, model: MultimodalModel, _: StagePlan) -> Step:
    """An ordinary step on the batch's mean loss."""
    batch, task = case.batch(), task_of(case, None)
    module, arguments = _forward(case, model, stage_loss(model, batch, task)[1])
    optimizer = _descent(case, model)

    def run() -> None:
        for _ in range(case.study.training.steps):
            (_loss(case, module(*arguments), batch) / case.patients).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    return run


def private(case: Case, model: MultimodalModel, plan: StagePlan) -> Step:
    """What a hospital runs."""
    batch, task = case.batch(), task_of(case, plan)
    return lambda: train_round(model, batch, task)


def hooks(case: Case, model: MultimodalModel, plan: StagePlan) -> Step:
    """Opacus' per-sample gradients by hooks on each layer, and its optimizer with its own noise."""
    batch, task = case.batch(), task_of(case, plan)
    module, arguments = _forward(case, model, stage_loss(model, batch, task)[1])
    hooked = GradSampleModule(module, loss_reduction="sum")
    optimizer = DPOptimizer(
        _descent(case, model),
        noise_multiplier=plan.noise_multiplier,
        max_grad_norm=plan.clip,
        expected_batch_size=case.patients,
        loss_reduction="mean",
    )

    def run() -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", HOOKS_WARN)
            for _ in range(case.study.training.steps):
                _loss(case, hooked(*arguments), batch).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)

    return run


def other(case: Case, model: MultimodalModel, plan: StagePlan) -> Step:
    """As a hospital runs it, with the mode that the encoders do not ask for."""
    batch, task, mode = case.batch(), task_of(case, plan), other_mode(case)
    return lambda: train_round(model, batch, task, mode)


VARIANTS: dict[str, Callable[[Case, MultimodalModel, StagePlan], Step]] = {
    "plain": plain,
    "private": private,
    "hooks": hooks,
    "other": other,
}


def other_mode(case: Case) -> str:
    """The mode that the encoders do not ask for."""
    return {"vmap": "loop", "loop": "vmap"}[gradient_mode(case.study, case.stage)]


def task_of(case: Case, plan: StagePlan | None) -> Round:
    """The round of the case."""
    return Round(case.study, case.stage, case.groups, float(case.patients), plan)


def faults(case: Case) -> dict[str, str]:
    """Why a variant does not compute the case's sum, empty where it does; all without noise.

    With a clip that never binds each must move the weights as plain gradient descent does; with one that always binds,
    as the private step does.
    """
    found = dict.fromkeys(VARIANTS, "")
    for clip, rate, truth in ((LOOSE, 1.0, "plain"), (BINDING, 1 / BINDING, "private")):
        quiet, scaled = replace(planned(case), clip=clip, noise_multiplier=0.0), at_rate(case, rate * case.patients)
        expected = moved(scaled, truth, quiet)
        for name in [name for name in VARIANTS if not found[name] and (name != "plain" or truth == "plain")]:
            try:
                off = float((moved(scaled, name, quiet) - expected).norm() / expected.norm())
            except (RuntimeError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
                found[name] = f"fails: {type(error).__name__}"
            else:
                found[name] = "" if off < TOLERANCE else f"wrong by {off:.1%}"
    return found


def at_rate(case: Case, rate: float) -> Case:
    """The case with one step a round, and one clip for the whole gradient, as hooks know it."""
    training = case.study.training.model_copy(update={"steps": 1, "learning_rate": rate, "momentum": 0.0})
    fusion = case.study.fusion.model_copy(update={"clip_share": 1.0})
    return replace(case, study=case.study.model_copy(update={"training": training, "fusion": fusion}))


def moved(case: Case, variant: str, plan: StagePlan) -> Tensor:
    """By how much a round moves all weights."""
    model = fresh(case)
    before = copy.deepcopy(model.state_dict())
    VARIANTS[variant](case, model, plan)()
    after = model.state_dict()
    return torch.cat([(before[name] - after[name]).flatten() for name in before])


def fresh(case: Case) -> MultimodalModel:
    """The study's model moved off its start, with gradients for the stage's weights only."""
    model, chance = MultimodalModel(case.study), torch.Generator().manual_seed(1)
    model.stand_in()
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.add_(0.1 * torch.randn(value.shape, generator=chance))
            value.requires_grad_(in_stage(name, case.stage))
    return model


def _forward(
    case: Case, model: MultimodalModel, inputs: Mapping[str, Tensor]
) -> tuple[nn.Module, tuple[Mapping[str, Tensor], ...]]:
    """The stage's forward pass and its arguments."""
    return (Singles(model), (inputs,)) if case.stage == "encoders" else (Fused(model), (inputs, case.batch().present))


def _descent(case: Case, model: MultimodalModel) -> torch.optim.SGD:
    chosen = [value for value in model.parameters() if value.requires_grad]
    training = case.study.training
    return torch.optim.SGD(chosen, lr=training.learning_rate, momentum=training.momentum)


def _loss(case: Case, found: dict[str, Tensor] | tuple[dict[str, Tensor], Tensor], batch: Batch) -> Tensor:
    """The summed loss of what a module gives: scores by model, and with fusions what they add."""
    scores, added = found if isinstance(found, tuple) else (found, torch.zeros(()))
    return summed_loss(case.study, scores, batch.present, batch.outcome) + added
