"""A hospital's Prometheus metrics: what `client status` knows, and what left; no patient's value is in them."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from client.chain import read_chain
from client.site import Site
from client.state import EGRESS
from client.status_page import findings


class OfHospital(Collector):
    """What ``client status`` knows, read when it is asked for."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """Health, epsilon over all studies and by study, room on the disk, messages that left by kind."""
        found = findings(self._site)
        budget = found["epsilon"]
        for name, words, value in (
            ("medley_healthy", "1 where nobody must look.", found["healthy"]),
            ("medley_epsilon_spent", "Epsilon of a patient over all studies.", budget["spent"]),
            ("medley_epsilon_left", "Epsilon that is left.", budget["left"]),
            ("medley_disk_free_bytes", "Bytes free on the disk of the state folder.", found["free_bytes"]),
        ):
            yield GaugeMetricFamily(name, words, value=float(value))
        told = "Epsilon of a patient in a study."
        studies = GaugeMetricFamily("medley_study_epsilon_spent", told, labels=["study", "state"])
        for study in found["studies"]:
            studies.add_metric([study["digest"][:12], study["state"]], study["epsilon"])
        left = CounterMetricFamily("medley_messages", "Messages that left, by kind.", labels=["kind"])
        kinds = [str(link.values["kind"]) for link in read_chain(self._site.state / EGRESS).links]
        for kind in sorted(set(kinds)):
            left.add_metric([kind], kinds.count(kind))
        yield from (studies, left)
