"""The README keeps its promises: every key of the study file and of site.toml is in it, and its commands exist."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from client.connection import ConnectionFile
from client.site import Limits, SiteFile
from shared import evaluation_section, simulated
from shared import study as sections
from shared.modalities import MODALITIES
from shared.sections import Section

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def keys_of(section: type[BaseModel]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield field.alias or name


def all_sections() -> list[type[Section]]:
    modules = (sections, evaluation_section, simulated)
    own = [v for module in modules for v in vars(module).values() if isinstance(v, type) and issubclass(v, Section)]
    return [*own, *MODALITIES.values(), SiteFile, Limits, ConnectionFile]


@pytest.mark.parametrize("section", all_sections(), ids=lambda section: section.__name__)
def test_every_key_is_in_the_readme(section):
    missing = [key for key in keys_of(section) if not re.search(rf"\b{key}\b", README)]
    assert missing in ([], ["overrides"])  # overrides are written by --set, which the README names


def test_its_commands_exist_and_answer_at_once():
    commands = set(re.findall(r"python -m (\w+) (\w+)", README))
    assert commands == {
        ("simulations", "run"),
        ("simulations", "list"),
        ("simulations", "all"),
        ("simulations", "price"),
        ("simulations", "audit"),
        ("simulations", "bench"),
        ("simulations", "show"),
        ("simulations", "sheets"),
        ("simulations", "import"),
        ("server", "provision"),
        ("server", "start"),
        ("server", "run"),
        ("server", "status"),
        ("server", "resume"),
        ("server", "report"),
        ("server", "compare"),
        ("client", "check"),
        ("client", "show"),
        ("client", "ledger"),
        ("client", "egress"),
        ("client", "approve"),
        ("client", "revoke"),
        ("client", "approvals"),
        ("client", "keys"),
        ("client", "join"),
        ("client", "agent"),
        ("client", "supernode"),
        ("client", "leave"),
        ("client", "status"),
    }
    for package, command in commands:
        call = [sys.executable, "-X", "importtime", "-m", package, command, "--help"]
        answer = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, check=False)
        assert answer.returncode == 0
        assert "torch" not in answer.stderr, "help must not wait for torch"


def test_its_table_was_printed_by_a_run():
    assert "Training ε = 7.99" in README
    assert re.search(r"\d+ s\. Report: results/lscc-staging-\d{8}-\d{6}/report\.html", README)
