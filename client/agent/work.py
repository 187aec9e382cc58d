"""The agent's work for each kind of task: an answer, and what it would spend; releasing it is the agent's."""

from datetime import UTC, datetime

from client.agent.books import Books
from client.agent.desk import Desk
from client.decisions import with_joint
from client.evaluation import (
    ONE_CLASS,
    TOO_FEW,
    Ward,
    model_figures,
    recalibrated,
    scores_of,
    threshold_tallies,
)
from client.noised import NOISED_ONLY, exact_tallies, noised_figures
from client.portrait import Sitting, portrait
from client.pretraining import pretrain
from client.probe import require_sound
from client.risks import with_risks
from client.same_order import one_table_an_order
from client.training import Round, train_round
from shared.cohorts import describing_arm, portrayed
from shared.errors import PrivacyRefusal
from shared.metrics.delong import Floats
from shared.metrics.threshold import gathered
from shared.parameters import group_of, in_stage
from shared.portrait import Portrait
from shared.privacy.mechanism import StagePlan, tally_deviation
from shared.privacy.noise import gaussian
from shared.privacy.records import Spend, spent
from shared.tensors import weights_digest
from shared.wire import (
    Arrays,
    CohortCount,
    Described,
    Envelope,
    Evaluate,
    Evaluated,
    SiteFigures,
    Tallied,
    Train,
    Trained,
)

NO_EVENT = "the outcome is no event"
PROTECTED = "training patients: not released under privacy"
Answer = tuple[Envelope, Spend | None]


def describe(desk: Desk, books: Books, task: Envelope) -> Answer:
    """How many patients there are in each role, under the hospital's minimums."""
    limits, counts = desk.site.limits, []
    for role in desk.roles:
        ward = Ward.of(desk.study.outcome, role, desk.patients(role), limits)
        n, had = ward.size, ward.outcome.events(ward.truth)
        # How many of them had the event is a release of its own.
        hidden = desk.study.private if role == "train" else desk.study.validation_noise is not None
        events = None if had is None or hidden else ward.patients(had)
        told = () if events is None else (events, n - events)
        enough = n >= limits.min_patients and all(c == 0 or c >= limits.min_cell for c in told)
        first = role == desk.roles[0]  # rows are left out before there are roles
        excluded = {rule: n if n >= limits.min_cell else None for rule, n in desk.excluded.items()} if first else {}
        withheld = PROTECTED if role == "train" else NOISED_ONLY
        reason = TOO_FEW if not enough else withheld if hidden else ONE_CLASS if events in (0, n) else ""
        reason = reason or (NO_EVENT if events is None else "")
        counts.append(
            CohortCount(
                role=role,
                n=n if enough else None,
                events=events if enough else None,
                excluded=excluded,
                reason=reason,
            )
        )
    limit = limits.max_epsilon if desk.study.private else None
    return Envelope(Described(cohorts=tuple(counts), epsilon_limit=limit, split=desk.split)), None


def train(desk: Desk, books: Books, task: Envelope) -> Answer:
    """One round: the update of the groups held here."""
    header = task.header
    assert isinstance(header, Train)
    desk.require_training()
    plan = desk.plan.stages[header.stage] if desk.plan else None
    groups = desk.groups(header.stage)
    if plan and (kept := books.released(desk.run, (header.stage, header.round), task.digest)):
        return kept, None
    books.commitments.refuse_training(desk.run)
    if header.round > desk.study.training.rounds:
        raise PrivacyRefusal("no-such-round", "the study has fewer rounds")
    books.refuse_out_of_order(desk.run, (header.stage, header.round), task.digest)
    if plan:
        require_sound(desk.study, header.stage, desk.patients("train"))
    spend = _planned(desk, books, plan, header.round, task) if plan and groups else None
    desk.load(task.arrays)
    todo = Round(desk.study, header.stage, groups, desk.denominator, plan, header.round)
    before = {name: value.detach().numpy().copy() for name, value in desk.model.named_parameters()}
    if header.stage != "fusion" and header.round == 1:
        pretrain(desk.model, desk.patients("train"), desk.study, groups)
    releases = train_round(desk.model, desk.learned(), todo)
    if spend and releases != spend.steps:
        raise PrivacyRefusal("accounting", "the steps made are not the steps planned; nothing is released")
    update: Arrays = {
        name: value.detach().numpy() - before[name]
        for name, value in desk.model.named_parameters()
        if in_stage(name, header.stage) and group_of(name) in groups
    }
    epsilon = _epsilon_with(desk, books, spend)
    return Envelope(Trained(stage=header.stage, round=header.round, epsilon=epsilon, releases=releases), update), spend


def tally_threshold(desk: Desk, books: Books, task: Envelope) -> Answer:
    """Counts of training patients' scores by class: noised under privacy, otherwise no small cell."""
    desk.require_training()
    plan = desk.plan.stages["threshold"] if desk.plan else None
    if plan and (kept := books.released(desk.run, ("threshold", 1), task.digest)):
        return kept, None
    books.commitments.refuse_training(desk.run)
    books.refuse_out_of_order(desk.run, ("threshold", 1), task.digest)
    spend = _planned(desk, books, plan, 1, task) if plan else None
    desk.load(task.arrays)
    tallies: Arrays = {}
    for model, counts in threshold_tallies(desk.model, desk.patients("train"), desk.learners).items():
        if plan:
            tallies[model] = counts + gaussian(counts.shape, tally_deviation(desk.study, model, plan))
        else:
            tallies[model] = gathered(counts, desk.site.limits.min_cell)
    epsilon = _epsilon_with(desk, books, spend)
    return Envelope(Tallied(epsilon=epsilon, releases=1 if plan else 0), tallies), spend


def evaluate(desk: Desk, books: Books, task: Envelope) -> Answer:
    """Figures of every model on every cohort here; of validation patients with a budget, noised tallies alone."""
    header = task.header
    assert isinstance(header, Evaluate)
    if weights_digest(task.arrays) != header.models:
        raise PrivacyRefusal("wrong-models", "these are not the models that the server committed to")
    plan = desk.plan.validation if desk.plan else None
    if plan and (kept := books.released(desk.run, ("validation", 1), task.digest)):
        return kept, None
    spend = _planned(desk, books, plan, 1, task) if plan and _validates(desk) else None
    desk.load(task.arrays)
    books.commitments.hold(desk.run, task.digest)
    figures: list[SiteFigures] = []
    portraits: list[Portrait] = []
    for role in desk.roles:
        batch = desk.patients(role)
        ward = Ward.of(desk.study.outcome, role, batch, desk.site.limits)
        scores = recalibrated(scores_of(desk.model, batch, desk.learners), header.recalibration)
        scores |= desk.nomograms(role)
        if role == "train" and desk.plan:
            nothing = {"role": role, "n": None, "events": None, "reasons": {"all": PROTECTED}}
            figures += [SiteFigures.model_validate({"model": model, **nothing}) for model in scores]
            continue
        if plan:
            figures += noised_figures(desk.study, ward, exact_tallies(batch, scores, header.thresholds), plan)
            continue
        told = [own for name, s in scores.items() for own in model_figures(name, ward, s, header.thresholds.get(name))]
        told = one_table_an_order(told, ward, scores, desk.study.primary)
        told = with_risks(told, ward, scores, desk.study.primary)
        figures += with_joint(told, ward, scores, header.thresholds, desk.study)
        if role in portrayed(desk.study) and desk.run.arm == describing_arm(desk.study, desk.fold):
            portraits.append(portrait(_sitting(desk, ward, scores, (told, header.thresholds))))
    answer = Evaluated(
        models=header.models,
        figures=tuple(figures),
        portraits=tuple(portraits),
        epsilon=_epsilon_with(desk, books, spend) if spend else None,
        releases=spend.steps if spend else 0,
    )
    return Envelope(answer), spend


def _validates(desk: Desk) -> bool:
    """Whether there are patients here of whom a noised tally is told; how many there are is public."""
    of_role = {role: desk.patients(role).patients for role in desk.roles if role != "train"}
    return any(n >= desk.site.limits.min_patients for n in of_role.values())


def _sitting(
    desk: Desk, ward: Ward, scores: dict[str, Floats], of_models: tuple[list[SiteFigures], dict[str, float | None]]
) -> Sitting:
    """What the portrait of a cohort is made of; ``of_models`` are what is told of them, and their thresholds."""
    (told, thresholds), primary = of_models, desk.study.primary
    return Sitting(
        study=desk.study,
        model=desk.model,
        batch=desk.patients(ward.role),
        ward=ward,
        scores=scores[primary],
        told=next((own for own in told if (own.model, own.target) == (primary, "")), None),
        threshold=thresholds.get(primary),
        follow_up=desk.follow_up(ward.role),
    )


def _planned(desk: Desk, books: Books, plan: StagePlan, number: int, task: Envelope) -> Spend:
    """What the release will cost; refused before any work if it would pass a budget."""
    epsilon, delta = _budget(desk, plan)
    spend = Spend(
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        study_name=desk.study.name,
        run=desk.run,
        stage=plan.stage,
        round=number,
        noise_multiplier=plan.noise_multiplier,
        steps=plan.steps,
        sample_rate=plan.sample_rate,
        delta=delta,
        budget=epsilon,
        digest="",  # known when it is released
        question=task.digest,
    )
    books.ledger.refuse_beyond(spend, desk.site.limits.max_epsilon)
    return spend


def _epsilon_with(desk: Desk, books: Books, spend: Spend | None) -> float | None:
    """Epsilon of the run's patients so far, who train or who validate, this release included; None without privacy."""
    if desk.plan is None:
        return None
    validates = spend is not None and spend.validates
    before = [own for own in books.ledger.of_run(desk.run) if own.validates == validates]
    return spent([*before, *([spend] if spend else [])], spend.delta if spend else desk.plan.delta)


def _budget(desk: Desk, plan: StagePlan) -> tuple[float, float]:
    """(epsilon, delta) that the patients of a mechanism may spend in the run."""
    assert desk.plan is not None
    noise = desk.study.validation_noise
    if plan.stage == "validation" and noise is not None:
        return noise.epsilon, noise.delta
    return desk.plan.epsilon, desk.plan.delta
