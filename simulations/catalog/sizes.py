"""The sizes at which the catalog is run: the papers' own, cut small, and ample."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.study import Study
from simulations.catalog.ample import ample
from simulations.catalog.cuts import MINIMUMS, Cut, cuts
from simulations.study_run import INVENTED


@dataclass(frozen=True)
class Size:
    """``columns`` are those of the table; ``minimums`` the invented hospitals' own, where they are not a real one's."""

    title: str
    cuts: Callable[[Study], list[Cut]]
    columns: tuple[str, ...]
    invented: Path  # where invented hospitals are kept
    minimums: Mapping[str, int] = field(default_factory=dict)
    resumes: bool = True  # studies that an earlier call finished are not run again
    tells: bool = True  # a main figure must be told; a paper's own size can be too small for the hospitals' minimums
    tidies: bool = False  # invented hospitals are removed once their study is finished


def unchanged(study: Study) -> list[Cut]:
    """The papers' size cuts nothing."""
    return []


ARMS = ("study", "figure", "oracle", "pooled", "federated", "private", "alone", "published", "s")
GAPS = ("study", "figure", "oracle", "pooled", "federated", "below oracle", "below pooled", "within .03", "s")
SIZES: dict[str, Size] = {
    "catalog": Size("The catalog of studies", unchanged, ARMS, INVENTED, tells=False),
    "quick": Size("The catalog of studies, cut small", cuts, ARMS, INVENTED / "quick", MINIMUMS, resumes=False),
    "ample": Size("The catalog of studies, ample", ample, GAPS, INVENTED / "ample", tidies=True),
}
