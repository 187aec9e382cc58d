"""What a check tells the hospital although the folder can be used: to be mended, or known before training."""

from collections.abc import Iterator

from client.check import Findings, named_columns
from client.cohort import near
from client.evaluation import TOO_FEW
from client.site import Site
from client.splits import divided
from client.suspicion import suspicious
from shared.cohorts import folds
from shared.modalities.tabular import Tabular
from shared.privacy.accounting import composed_epsilon
from shared.privacy.mechanism import plan_privacy
from shared.study import Study
from shared.study_rules import warnings

UNDER = 'under [harmonization."patients.csv"] in site.toml'
TOLERATED = 0.1  # of the declared number of patients


def notes(found: Findings) -> Iterator[str]:
    """What is allowed but should be mended or known before training."""
    yield from folder_notes(found)
    yield from suspicious(found)
    yield from _budget_notes(found.site, found.study)
    yield from warnings(found.study)


def folder_notes(found: Findings) -> Iterator[str]:
    """What is odd about the folder itself."""
    site, study, cohort = found.site, found.study, found.cohort
    declared, n = study.sites[site.name].patients, cohort.patients
    if abs(n - declared) > TOLERATED * declared:
        yield (
            f"the study declares {declared} patients here and {n} are eligible: tell the coordinator, "
            "since weights and noise follow the declared number"
        )
    yield from _column_notes(found)
    yield from _word_notes(found)
    yield from _modality_notes(found)
    yield from _size_notes(found)


def runs_here(study: Study, site: str) -> int:
    """Runs of a real federation for which this hospital trains; each has the study's epsilon."""
    arms = [arm for arm in study.arms.run if arm != "pooled"]
    return len(arms) * sum(site in fold.train for fold in folds(study))


def validates_here(study: Study, site: str) -> int:
    """Runs of a real federation in which patients here are evaluated; "alone" is one of each hospital that trains."""
    kept = divided(study)
    own = [fold for fold in folds(study) if site in fold.external or (site in fold.train and kept)]
    return sum(len(fold.train) if arm == "alone" else 1 for fold in own for arm in study.arms.run if arm != "pooled")


def _column_notes(found: Findings) -> Iterator[str]:
    for modality, column in named_columns(found.study):
        if column not in found.cohort.columns:
            meant = near(column, found.unread)
            hint = (
                f'; the table has "{meant}"? Then write columns = {{ "{meant}" = "{column}" }} {UNDER}' if meant else ""
            )
            yield f'{modality}: whole column "{column}" missing, read as missing for all{hint}'


def _word_notes(found: Findings) -> Iterator[str]:
    """Words that are the study's but for capitals, with the rule that would recode them."""
    for name, modality in found.study.modalities.items():
        if not isinstance(modality, Tabular) or modality.table:
            continue
        for column, spec in modality.categorical.items():
            known = {value.lower(): value for value in spec.values}
            given = {unit.row.get(column, "").strip() for unit in found.cohort.units} - set(spec.values)
            recoded = [f'"{word}" = "{known[word.lower()]}"' for word in sorted(given) if word.lower() in known]
            if recoded:
                yield f"{name}: write values.{column} = {{ {', '.join(recoded)} }} {UNDER}"


def _modality_notes(found: Findings) -> Iterator[str]:
    lacks = found.study.sites[found.site.name].lacks
    for modality in found.modalities:
        if not modality.present.any() and modality.name not in lacks:
            yield (
                f"{modality.name}: no patient has it, so this hospital's part in its models would be noise; "
                "ask the coordinator to declare that it is lacking"
            )
        if modality.present.any() and modality.name in lacks:
            yield f"{modality.name}: the study says that this hospital lacks it, and patients have it"


def _size_notes(found: Findings) -> Iterator[str]:
    limits = found.site.limits
    for role in found.roles:
        smaller = role.n if role.events is None else min(role.events, role.n - role.events)
        if smaller == 0:
            yield f"{role.role}: one class only; these patients take part, but no AUC can be computed"
        if role.n < limits.min_patients or 0 < smaller < limits.min_class:
            yield (
                f"{role.role}: below {limits.min_patients} patients or {limits.min_class} of each class; "
                f'these patients take part, but their figures stay here ("{TOO_FEW}")'
            )


def _budget_notes(site: Site, study: Study) -> Iterator[str]:
    """All runs for real come out of one budget of the hospital: would it last?"""
    plan = plan_privacy(study)
    if plan is None:
        return
    runs, validated = runs_here(study, site.name), validates_here(study, site.name) if plan.validation else 0
    if runs + validated < 2:
        return
    releases = [stage.whole for stage in plan.stages.values()] * runs
    releases += [plan.validation.whole] * validated if plan.validation else []
    total = composed_epsilon(releases, plan.delta)
    if total > site.limits.max_epsilon:
        made = f"{runs} runs that train here" + f" and {validated} that validate here" * bool(validated)
        yield (
            f"if all {made} are made for real, a patient spends epsilon {total:.3g} together, "
            f"above limits.max_epsilon = {site.limits.max_epsilon:g}: this hospital would refuse part of them"
        )
