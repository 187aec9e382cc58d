"""How the primary model does where modalities are missing: on patients who lack them, and with each taken from all."""

from collections.abc import Iterator

from server.record import RunRecord
from server.report.results import PatternFigure
from server.validation.rows import by_cohort
from server.validation.summary import Estimate, site_auc, within_hospital_auc
from shared.cohorts import ROLES, Role
from shared.portrait import Portrait
from shared.study import Study
from shared.wire import SiteFigures

Key = tuple[str, bool]  # modalities that are there, and whether the others were taken away


def pattern_figures(study: Study, record: RunRecord) -> Iterator[PatternFigure]:
    """Rows of every hospital and of all, for each cohort whose patients are described; none of joined parts.

    A part's few patients who lack a modality are told of in no part, so that nothing is left to join.
    """
    if record.folds:
        return
    for role in ROLES:
        told = dict(by_cohort(record, study.primary, role))
        found: dict[Key, dict[str, SiteFigures]] = {}
        for site, portraits in sorted(record.portraits.items()):
            own = next((own for own in portraits if own.role == role), None)
            if own is not None and site in told:
                for key, figures in _of_site(study, own, told[site]):
                    found.setdefault(key, {})[site] = figures
        for key, by_site in found.items():
            yield _row(study, record, (role, None, key), within_hospital_auc(list(by_site.values())), by_site)
            for site, figures in by_site.items():
                yield _row(study, record, (role, site, key), site_auc(figures), {site: figures})


def _of_site(study: Study, own: Portrait, whole: SiteFigures) -> Iterator[tuple[Key, SiteFigures]]:
    """(what is there, figures); the first is the whole cohort with all that its patients have."""
    names = study.primary.split("+")
    if own.removed and whole.auc is not None:
        yield (study.primary, True), whole
    for removed in own.removed:
        rest = "+".join(name for name in names if name != removed.modality)
        if rest and removed.modality in names:
            change = {"auc": removed.auc, "auc_variance": removed.variance}
            yield (rest, True), whole.model_copy(update=change)
    for pattern in own.patterns:
        if pattern.area and pattern.present:
            area = pattern.area
            change = {"n": area.n, "events": area.events, "auc": area.auc, "auc_variance": area.variance}
            yield ("+".join(pattern.present), False), whole.model_copy(update=change)


def _row(
    study: Study,
    record: RunRecord,
    place: tuple[Role, str | None, Key],
    estimate: Estimate,
    figures: dict[str, SiteFigures],
) -> PatternFigure:
    role, site, (present, removed) = place
    return PatternFigure(
        model=study.primary,
        arm=record.run.arm,
        private=record.private,
        fold=record.run.fold,
        cohort=role,
        site=site,
        present=present,
        removed=removed,
        metric="auc",
        estimate=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=sum(own.n or 0 for own in figures.values()),
        events=sum(own.events or 0 for own in figures.values()),
        reason=estimate.reason or None,
    )
