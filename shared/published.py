"""What a study file tells of the paper that it follows: figures as printed, what it does not say, public data."""

import json
from typing import Annotated

from pydantic import BeforeValidator

from shared.sections import Section

REPLACED = "as published: what below stands for an encoder, a fusion or training is replaced where an override names it"


def _printed(value: object) -> object:
    """A number alone has no interval, and neither has one whose ends are the same."""
    if isinstance(value, list | tuple) and len(value) == 3:
        return tuple(value) if value[1] != value[2] else (value[0], None, None)
    return (value, None, None) if isinstance(value, int | float) else value


Printed = Annotated[tuple[float, float | None, float | None], BeforeValidator(_printed)]  # with its interval's ends


def published_place(name: str) -> tuple[str, str, str]:
    """Metric, cohort and model of a published figure's name; the model is empty for that of the study's primary."""
    metric, _, rest = name.partition(".")
    cohort, _, model = rest.partition(".")
    return metric, cohort, model


class Source(Section):
    """Where a published study's patients can be had, and sentences on what it does not tell and this file assumes.

    ``as_published`` are overrides ("section.key=value") that put the paper's own encoders, fusion and training in the
    place of what stands for them here; privacy, which the papers have none of, is switched off among them, in sight.
    """

    public_data: str = ""
    inferred: tuple[str, ...] = ()
    as_published: tuple[str, ...] = ()

    @property
    def own(self) -> tuple[str, ...]:
        """The overrides of a run as published: its report says first that some of what it infers does not hold."""
        told = json.dumps([REPLACED, *self.inferred], ensure_ascii=False)
        return (*self.as_published, f"source.inferred={told}") if self.as_published else ()
