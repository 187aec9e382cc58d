"""What one run (a fold of an arm) left behind at the server: everything that the results are made from."""

from pathlib import Path

from server.disk import write_whole
from shared.portrait import Portrait
from shared.privacy.records import RunKey
from shared.sections import Section
from shared.wire import CohortCount, Line, SiteFigures


class Failure(Section):
    """A hospital that did not answer, refused, or was rejected; the others went on."""

    site: str
    task: str  # "train encoders 3", "evaluate", …
    sentence: str


class RoundTime(Section):
    """Who answered a round, and how long it took."""

    stage: str
    round: int
    answered: tuple[str, ...]
    seconds: float


class Release(Section):
    """One private release of a hospital, as it reported it; ``epsilon`` is the run's, this release included."""

    site: str
    stage: str
    round: int
    releases: int
    epsilon: float


class RunRecord(Section):
    """One run from its first question to its last figure."""

    run: RunKey
    private: bool
    trainers: tuple[str, ...]
    cohorts: dict[str, tuple[CohortCount, ...]]  # by hospital
    ledger: tuple[Release, ...]  # in the order of arrival; empty without privacy
    models: str  # digest of the frozen weights
    thresholds: dict[str, float | None]
    committed: str = ""  # when models and thresholds were frozen, UTC, ISO 8601
    recalibration: dict[str, Line] = {}  # intercept and slope that the log odds of these models went through
    figures: dict[str, tuple[SiteFigures, ...]]  # by hospital
    portraits: dict[str, tuple[Portrait, ...]] = {}  # by hospital
    splits: dict[str, str] = {}  # by hospital: its commitment to who is in which cohort
    folds: int = 0  # whose held-out parts the figures join, of a cross-validation's summary; 0: a run of its own
    failures: tuple[Failure, ...]
    unpublished: tuple[str, ...]  # parameter groups that fewer than min_contributors hospitals trained
    rounds: tuple[RoundTime, ...]
    notes: tuple[str, ...] = ()  # of the server's own: a damaged checkpoint, updates that point against all others
    seconds: float

    def spent(self, validates: bool = False) -> dict[str, tuple[float, int]]:
        """(epsilon, releases) of the whole run by hospital: of those who train, or of those who validate."""
        lines = [line for line in self.ledger if (line.stage == "validation") == validates]
        return {
            site: (
                max(line.epsilon for line in lines if line.site == site),
                sum(line.releases for line in lines if line.site == site),
            )
            for site in sorted({line.site for line in lines})
        }

    def save(self, folder: Path) -> None:
        """Write into a results folder."""
        write_whole(record_file(folder, self.run), self.model_dump_json(indent=2).encode())


def record_file(folder: Path, run: RunKey) -> Path:
    """Where the record of a finished run lies in a results folder."""
    return folder / "runs" / f"{run.name}.json"


def load_records(folder: Path) -> list[RunRecord]:
    """All runs of a results folder, in the order of their names."""
    return [
        RunRecord.model_validate_json(path.read_text(encoding="utf-8"))
        for path in sorted((folder / "runs").glob("*.json"))
    ]
