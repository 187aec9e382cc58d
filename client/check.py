"""Checks a hospital's folder against a study: reads it as training would, stores nothing, gathers what was found."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from client.archive import Archive, Survey
from client.cohort import Cohort, dividing, named
from client.evaluation import Ward, model_figures
from client.gatekeeper import check_study
from client.site import Site, load_site
from client.splits import planned_roles
from shared.cohorts import ROLES, Role, folds
from shared.errors import FileError, PrivacyRefusal, Problem
from shared.schemes import ColumnSplit
from shared.study import Study
from shared.study_file import load_study

Lines = Mapping[str, tuple[int, ...]]  # lines of patients.csv by rule
Progress = Callable[[str, int, int], None]  # modality, patients done, patients in all
REMEDIES = {
    "hospital-limit": "ask for a smaller epsilon, or raise limits.max_epsilon",
    "hospital-delta": "ask for a smaller delta, or raise limits.max_delta",
    "privacy-required": "ask for a study under dp-sgd, or set limits.allow_without_privacy where patients are not real",
}


@dataclass(frozen=True)
class ModalityFinding:
    """One modality over all eligible patients."""

    name: str
    shape: tuple[int, ...]  # of a patient, as the reader gives it
    survey: Survey

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Who has the modality: (patients,)."""
        return self.survey.present.numpy()

    @property
    def faults(self) -> Lines:
        """Lines by the rule that they break."""
        return self.survey.faults


@dataclass(frozen=True)
class RoleFinding:
    """Patients of one role; ``withheld`` says why no figure of them may leave, empty if they may."""

    role: Role
    n: int
    events: int | None  # None where the outcome is no event
    withheld: str


@dataclass(frozen=True)
class Findings:
    """Everything that a check found in a folder that can be used."""

    site: Site
    study: Study
    cohort: Cohort
    modalities: tuple[ModalityFinding, ...]
    roles: tuple[RoleFinding, ...]

    @property
    def unread(self) -> list[str]:
        """Columns of the table that the study does not read."""
        read = {name for _, name in named_columns(self.study)} | {*named(self.study), *self.study.outcome.columns}
        read |= set(dividing(self.study))
        if isinstance(self.study.cohorts, ColumnSplit):
            read.add(self.study.cohorts.column)
        return [name or "(no name)" for name in self.cohort.columns if name not in read]


def open_files(site: Path, study: str, overrides: Sequence[str]) -> tuple[Site, Study]:
    """Both files; FileError with the problems of both."""
    problems: list[Problem] = []
    hospital = parsed = None
    try:
        hospital = load_site(site)
    except FileError as error:
        problems += error.problems
    try:
        parsed = load_study(study, overrides)
    except FileError as error:
        problems += error.problems
    if hospital is None or parsed is None:
        raise FileError(problems)
    return hospital, parsed


def check(site: Site, study: Study, progress: Progress) -> tuple[Findings | None, list[Problem]]:
    """Read the whole folder; what was found, and every problem for which this hospital would not train."""
    problems, findings = list(refusals(site, study)), None
    try:
        archive = Archive(site)
        archive.cohort(study)
        if site.name in study.sites:
            findings = findings_of(archive, study, progress)
    except FileError as error:
        problems += error.problems
    return findings, problems


def findings_of(archive: Archive, study: Study, progress: Progress = lambda *_: None) -> Findings:
    """What an archive has for a study; FileError where it cannot be read."""
    modalities = tuple(_modality(archive, study, name, progress) for name in study.modalities)
    cohort = archive.cohort(study)
    return Findings(archive.site, study, cohort, modalities, tuple(_roles(archive.site, study, cohort)))


def refusals(site: Site, study: Study) -> Iterator[Problem]:
    """Why the hospital's own file rules the study out, before its folder is read."""
    if site.name not in study.sites:
        rule = f'"{site.name}" is not a site of {study.name}'
        yield Problem("site.toml", "name", rule, f"its sites are {', '.join(study.sites)}")
        return
    try:
        check_study(site, (site.name,), study)
    except PrivacyRefusal as refusal:
        yield Problem("site.toml", "limits", refusal.sentence, REMEDIES.get(refusal.code, ""))


def named_columns(study: Study) -> Iterator[tuple[str, str]]:
    """(modality, column of ``patients.csv``) for every column that the study's inputs name."""
    for name, modality in study.modalities.items():
        yield from ((name, column) for column in modality.cells)


def _modality(archive: Archive, study: Study, name: str, progress: Progress) -> ModalityFinding:
    survey = archive.survey(study, name, lambda done, total: progress(name, done, total))
    return ModalityFinding(name, study.modalities[name].shape, survey)


def _roles(site: Site, study: Study, cohort: Cohort) -> Iterator[RoleFinding]:
    """One finding a role: its patients are the same in every fold, or else those of the fold with the fewest."""
    here: dict[Role, npt.NDArray[np.bool_]] = {}
    for fold in (fold for fold in folds(study) if site.name in fold.sites):
        given = np.array(planned_roles(cohort, study, fold, site.name, site.state))
        for role in ROLES:
            own = given == role
            if own.any() and (role not in here or own.sum() < here[role].sum()):
                here[role] = own
    for role in ROLES:
        if role in here:
            truth, owner = cohort.outcome[here[role]].astype(np.float64), cohort.owner[here[role]]
            ward = Ward(study.outcome, role, truth, owner, site.limits)
            had = study.outcome.events(truth)
            events = None if had is None else ward.patients(had)
            yield RoleFinding(role, ward.size, events, _reason(study, ward))


def _reason(study: Study, ward: Ward) -> str:
    """Why a model's figures on these patients may not leave; empty if they may."""
    if ward.role == "train" and study.private:
        return "training patients are not reported under privacy"
    figures = model_figures("", ward, np.zeros((len(ward.truth), study.outcome.outputs)), 0.0)
    return ", ".join(sorted({own.reasons["all"] for own in figures if "all" in own.reasons}))
