"""Rules of a study's section on invented hospitals against its other sections."""

from collections.abc import Iterator

from shared.modalities.tabular import Tabular
from shared.simulated import LOOKS, Simulation
from shared.study import Study

Fault = tuple[str, str, str]  # place, rule, remedy


def simulation_faults(study: Study) -> Iterator[Fault]:
    """Every name of [simulation] that the study does not have, and every kind of sketch that a modality cannot be."""
    simulation, names = study.simulation, set(study.modalities)
    if simulation is None:
        return
    for name in sorted(names ^ set(simulation.separation)):
        yield "simulation.separation", f'"{name}" stands on one side only', "one entry for each modality"
    for name in sorted(set(simulation.missing) - names):
        yield f"simulation.missing.{name}", "is not under [modalities]", "correct the name"
    for name in sorted(set(simulation.prevalence_at) - set(study.sites)):
        yield f"simulation.prevalence_at.{name}", "is not under [sites]", "correct the name"
    yield from _look_faults(study, simulation)
    yield from _column_faults(study, simulation)


def _look_faults(study: Study, simulation: Simulation) -> Iterator[Fault]:
    for name, look in simulation.look.items():
        kind = study.modalities[name].kind if name in study.modalities else ""
        if look not in LOOKS.get(kind, ()):
            known = ", ".join(LOOKS.get(kind, ())) or "none for this name"
            yield f"simulation.look.{name}", f"must be one of {known}, got {look}", ""


def _column_faults(study: Study, simulation: Simulation) -> Iterator[Fault]:
    tables = [spec for spec in study.modalities.values() if isinstance(spec, Tabular)]
    columns = {column for spec in tables for column in spec.columns}
    measured = {column for spec in study.modalities.values() for column in getattr(spec, "variables", {})}
    words = {column: entry.values for spec in tables for column, entry in spec.categorical.items()}
    for name, marginal in simulation.columns.items():
        if name not in columns | measured:
            yield (
                f"simulation.columns.{name}",
                "is no column of a table and no variable of a series",
                "correct the name",
            )
        elif marginal.shares and len(marginal.shares) != len(words.get(name, ())):
            yield f"simulation.columns.{name}.shares", "needs one share for each of its words", "correct their number"
    texts = {name for name, spec in study.modalities.items() if str(spec.kind) == "text"}
    for name in sorted(set(simulation.leak) - columns - texts):
        yield f"simulation.leak.{name}", "is neither a text nor a column of a table", "correct the name"
