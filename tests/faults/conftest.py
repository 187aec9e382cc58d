"""One real federation for all rows of the table of faults: it takes a minute to start."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulations.real_federation import RealFederation
from tests.faults.processes import Place, disk
from tests.faults.proxy import Proxy
from tests.many import hospitals

DECLARED = 'evaluation.threshold={rule="declared", value=0.5}'  # no question of its own
STAGES = "privacy.stages={encoders=0.5, fusion=0.5, threshold=0.0}"
MOMENTS = Path(__file__).parent / "moments"  # what an agent imports that ends at a moment


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(MOMENTS))
        study = hospitals(folder, patch, 4, "training.rounds=1", DECLARED, STAGES)
        for name in study.sites:  # one ledger for all rows
            path = folder / "data" / name / "site.toml"
            path.write_text(path.read_text().replace("max_epsilon = 10.0", "max_epsilon = 10000.0"))
        files = {name: folder / "data" / name / "site.toml" for name in study.sites}
        federation = RealFederation(files, folder / "federation")
        wire = Proxy(federation.federation.file.listen)
        behind(federation.hospitals["h3"].home / "kit", wire.port)
        with disk(federation.hospitals["h2"].home / "state", kilobytes=16_000), federation as all_:
            all_.join(list(study.sites), [])
            yield Place(folder, all_, study, wire)
        wire.close()


def behind(kit: Path, port: int) -> None:
    """The kit of a hospital whose way to the server is another port."""
    given = kit.resolve()
    kit.unlink()
    shutil.copytree(given, kit)
    text = (kit / "kit.toml").read_text()
    (kit / "kit.toml").write_text(re.sub(r'superlink = ".*"', f'superlink = "127.0.0.1:{port}"', text))
