"""Membership inference on the released model: were these patients in its training, or others of the same hospitals?

Half of each hospital's patients train a federation of its own, through the apps that hospitals run; the other half are
the fresh ones. The attack is LiRA's offline form with one variance (Carlini et al. 2022): how much more confident is
the released model in a patient's outcome than models that were trained without him?
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from shared.cohorts import Fold, folds
from shared.learners import ArmName
from shared.metrics.delong import auc_with_variance, logit_interval
from shared.model import MultimodalModel
from shared.privacy.accounting import gaussian_mu
from shared.privacy.records import RunKey
from shared.schemes import SiteHoldout
from shared.study import Arms, DpSgd, Study
from simulations.arms import Consortium, Hooks, run_arms, variants
from simulations.audit.bounds import CONFIDENCE, auc_limit, clopper_pearson, true_positive_limit
from simulations.audit.findings import Finding
from simulations.audit.release import Floats
from simulations.audit.shadows import confidence, train_shadows
from simulations.pool import Pool

ATTACK = "membership"
FALSE_POSITIVES = 0.01
HOW = "confidence of the released model against that of models trained without the patient"
WORDS = {True: "better than chance", False: "chance explains it"}


@dataclass(frozen=True)
class Guesses:
    """Suspicion (higher: rather a member) of members and of fresh patients."""

    members: Floats
    fresh: Floats


def membership(study: Study, consortium: Consortium, folder: Path, seed: int) -> list[Finding]:
    """AUC and true positives at 1 % false positives, of the released model of each variant; runs go to ``folder``."""
    halves = half_study(study)
    run_arms(halves, consortium, folder, Hooks())
    findings: list[Finding] = []
    for variant in variants(halves, consortium):
        guesses = _guesses(variant, consortium, folder, np.random.default_rng(seed))
        findings += [_auc(variant, guesses), _true_positives(variant, guesses)]
    return findings


def half_study(study: Study) -> Study:
    """The study's first fold with half of each training hospital's patients kept aside, and one arm."""
    fold = folds(study)[0]
    enough = len(fold.train) >= study.training.min_contributors
    arm: ArmName = "federated" if enough else "pooled"
    cohorts = SiteHoldout(scheme="site-holdout", train=fold.train, internal=0.5, external=fold.external)
    return study.model_copy(update={"cohorts": cohorts, "arms": Arms(run=(arm,))})


def _guesses(variant: Study, consortium: Consortium, folder: Path, rng: np.random.Generator) -> Guesses:
    fold: Fold = folds(variant)[0]
    run = RunKey(study=variant.digest, fold=fold.name, arm=variant.arms.run[0])
    model = MultimodalModel(variant)
    released = load_file(next((folder / "models").glob(f"{run.name}*.safetensors")))  # its ending may say "no-privacy"
    model.load_state_dict({name: torch.from_numpy(values) for name, values in released.items()})
    pool = Pool({name: consortium.archives[name] for name in fold.train})
    patients, member = pool.batch(variant), np.array(pool.roles(variant, fold)) == "train"
    usual = train_shadows(variant, fold, patients, rng).without_him()
    suspicion = confidence(variant, model, patients) - usual
    return Guesses(suspicion[member], suspicion[~member])


def _auc(variant: Study, guesses: Guesses) -> Finding:
    outcome = np.repeat([1, 0], [len(guesses.members), len(guesses.fresh)])
    auc, variance = auc_with_variance(outcome, np.concatenate([guesses.members, guesses.fresh]))
    low, high = logit_interval(auc, variance, CONFIDENCE) or (auc, auc)
    told, mu = low > 0.5, _mu(variant)
    return Finding(
        attack=ATTACK,
        setting="released model",
        private=variant.private,
        measure="auc",
        value=auc,
        trials=len(outcome),
        verdict="leaks" if told else "nothing found",
        words=WORDS[told],
        how=HOW,
        declared=_declared(variant),
        ceiling=auc_limit(mu) if mu else None,
        low=low,
        high=high,
        curve=_curve(guesses),
    )


def _true_positives(variant: Study, guesses: Guesses) -> Finding:
    """At the threshold that 1 % of the fresh patients pass at most; fewer than 100 of them give no finer rate."""
    allowed = math.floor(FALSE_POSITIVES * len(guesses.fresh))
    threshold = np.sort(guesses.fresh)[::-1][allowed]
    found = int(np.sum(guesses.members > threshold))
    low, high = clopper_pearson(found, len(guesses.members), (1 - CONFIDENCE) / 2)
    _, alarms = clopper_pearson(
        allowed, len(guesses.fresh), (1 - CONFIDENCE) / 2
    )  # few fresh patients set the threshold
    told, mu = low > alarms, _mu(variant)
    return Finding(
        attack=ATTACK,
        setting="released model",
        private=variant.private,
        measure="tpr",
        value=found / len(guesses.members),
        trials=len(guesses.members) + len(guesses.fresh),
        verdict="leaks" if told else "nothing found",
        words=WORDS[told],
        how=f"{HOW}: {found} of {len(guesses.members)} members at {allowed} false alarms",
        declared=_declared(variant),
        ceiling=true_positive_limit(FALSE_POSITIVES, mu) if mu else None,
        low=low,
        high=high,
    )


def _curve(guesses: Guesses) -> tuple[tuple[float, float], ...]:
    """Corners of the ROC curve from (0, 0) to (1, 1)."""
    cuts = np.unique(np.concatenate([guesses.members, guesses.fresh]))[::-1]
    rates = [(float(np.mean(guesses.fresh >= cut)), float(np.mean(guesses.members >= cut))) for cut in cuts]
    return ((0.0, 0.0), *rates)


def _mu(variant: Study) -> float | None:
    privacy = variant.privacy
    return gaussian_mu(privacy.epsilon, privacy.delta) if isinstance(privacy, DpSgd) else None


def _declared(variant: Study) -> float | None:
    return variant.privacy.epsilon if isinstance(variant.privacy, DpSgd) else None
