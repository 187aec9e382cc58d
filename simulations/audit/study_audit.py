"""All attacks on one study, from the hospitals' folders to the findings."""

from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress

from server.run_folder import fresh_folder
from shared.cohorts import folds
from shared.errors import Problem, RunError, StudyError
from shared.privacy.mechanism import PrivacyPlan, plan_privacy
from shared.study import Study
from simulations.arms import Consortium
from simulations.audit.bounds import CONFIDENCE
from simulations.audit.figure import write_figure
from simulations.audit.findings import Finding, write_findings
from simulations.audit.inversion import inversion
from simulations.audit.membership import membership
from simulations.audit.one_run import one_run
from simulations.audit.plans import plans_of_a_stage, plans_of_a_step
from simulations.audit.release import Target, target_of
from simulations.audit.single_step import Stakes, single_step, worst_pair
from simulations.study_run import bars, invented_folder, opened

CERTAIN = 200  # trials without privacy: every one says the same


def run_audit(
    study: Study, data: Path | None, results: Path, size: tuple[int, int], console: Console
) -> tuple[Path, list[Finding]]:
    """Attack a study's training over the hospitals in ``data`` (None: invent them); the new folder and the findings.

    ``size`` is the number of canaries of the audit in one run, and of trials of each audit of one step.
    """
    plan = plan_privacy(study)
    if plan is None:
        rule, remedy = "there is no guarantee to audit", 'set it to "dp-sgd"'
        raise StudyError([Problem(study.name, "privacy.mechanism", rule, remedy)])
    with bars(console) as progress:
        hospitals = invented_folder(study, progress) if data is None else data
        folder = fresh_folder(results, f"audit-{study.name}")
        consortium = opened(study, hospitals, folder, progress)
        findings = _attacks(study, plan, consortium, size, progress)
        task = progress.add_task("membership inference", total=1)
        try:
            findings += membership(study, consortium, folder / "membership", study.seed)
        except RunError as refused:  # hospitals refuse to train with a program that fails their own probes
            console.print(f"membership is not tested: {refused}", highlight=False)
        progress.update(task, completed=1)
    write_findings(study, findings, folder)
    write_figure(findings, folder)
    return folder, findings


def _attacks(
    study: Study, plan: PrivacyPlan, consortium: Consortium, size: tuple[int, int], progress: Progress
) -> list[Finding]:
    """Canaries and inversion at the first training hospital; bounds of epsilon hold together, not only each alone."""
    targets = _targets(study, plan, consortium)
    stakes = Stakes(plan.delta, (1 - CONFIDENCE) / (2 * len(targets) + 2))
    task = progress.add_task("canaries", total=3 * len(targets) + 4)
    rng, findings = np.random.default_rng(study.seed), []
    for target in targets:
        own = plan.stages[target.stage]  # type: ignore[index]
        pair = worst_pair(target, own, rng)
        for tried in plans_of_a_step(own, plan.delta):
            trials = size[1] if tried else min(CERTAIN, size[1])
            findings.append(single_step(target, pair, tried, trials, stakes, rng))
            progress.advance(task)
    first = next(iter(plan.stages.values()))
    for tried in plans_of_a_stage(first, plan.delta):
        findings.append(one_run(targets[0], tried, size[0], stakes, rng))
        progress.advance(task)
    for tried in (first, None):
        findings += inversion(targets[0], tried, rng)
    progress.advance(task)
    return findings


def _targets(study: Study, plan: PrivacyPlan, consortium: Consortium) -> list[Target]:
    fold = folds(study)[0]
    site = fold.train[0]
    archive = consortium.archives[site]
    training = torch.from_numpy(np.array(archive.roles(study, fold)) == "train")
    patients = archive.batch(study).pick(training)
    return [target_of(study, stage, site, patients) for stage in plan.stages if stage != "threshold"]
