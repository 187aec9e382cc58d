"""The coordinator's Prometheus metrics: how a run is, and which hospitals are connected."""

from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.diary import read_journal
from server.progress import views


class OfRun(Collector):
    """What the journals of a run's folder tell, read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """By run, and by hospital: rounds, answers, their bytes and seconds, failures, epsilon."""
        by = ["run", "hospital"]
        answers = CounterMetricFamily("medley_answers", "Answers that were accepted.", labels=by)
        size = CounterMetricFamily("medley_answer_bytes", "Bytes of their arrays.", labels=by)
        seconds = GaugeMetricFamily("medley_answer_seconds", "Seconds of the last answer.", labels=by)
        epsilon = GaugeMetricFamily("medley_epsilon_spent", "Epsilon of a patient in this run.", labels=by)
        for view in views(self._folder):
            for name, hospital in view.hospitals.items():
                place = [view.label, name]
                answers.add_metric(place, hospital.answers)
                size.add_metric(place, hospital.bytes)
                if hospital.seconds is not None:
                    seconds.add_metric(place, hospital.seconds)
                if hospital.epsilon is not None:
                    epsilon.add_metric(place, hospital.epsilon)
        yield from (answers, size, seconds, epsilon, *self._counted())

    def _counted(self) -> Iterator[Metric]:
        rounds = CounterMetricFamily("medley_rounds", "Rounds that are done.", labels=["run", "stage"])
        told = "Questions that a hospital did not answer, refused, or answered wrongly."
        failures = CounterMetricFamily("medley_failures", told, labels=["run", "hospital"])
        for path in sorted((self._folder / "journal").glob("*.jsonl")):
            lines = read_journal(path)
            for family, event, key in ((rounds, "round", "stage"), (failures, "failed", "site")):
                found = [str(line[key]) for line in lines if line["event"] == event]
                for name in sorted(set(found)):
                    family.add_metric([path.stem, name], found.count(name))
        yield from (rounds, failures)


class OfHospitals(Collector):
    """Which hospitals are connected, asked of Flower when it is asked for."""

    def __init__(self, nodes: Callable[[], dict[str, str]]) -> None:
        self._nodes = nodes

    def collect(self) -> Iterator[Metric]:
        """1 for each registered hospital that is connected, else 0."""
        online = GaugeMetricFamily("medley_hospital_online", "Whether a hospital is connected.", labels=["hospital"])
        for name, status in sorted(self._nodes().items()):
            online.add_metric([name], status == "online")
        yield online
