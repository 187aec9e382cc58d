"""The folder you are in tells you what you may see: imports one-way, no cycles, small files, light entry points."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "shared": {"shared"},
    "client": {"client", "shared"},
    "server": {"server", "shared"},
    "simulations": {"simulations", "client", "server", "shared"},
    "tests": {"tests", "simulations", "client", "server", "shared"},
}
OURS = set(MAY_IMPORT)
READERS_OF_FILES = {"nibabel", "monai", "PIL", "pydicom", "wfdb"}
BAD_FOLDERS = {"data", "models", "lib", "build", "env"}  # swallowed by common ignore rules, Flower's among them
FILES = sorted(path.relative_to(ROOT) for folder in MAY_IMPORT for path in (ROOT / folder).rglob("*.py"))
PRODUCT = [path for path in FILES if path.parts[0] != "tests"]


def named(path: Path) -> str:
    """A file's module: client/agent/__init__.py -> client.agent."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {named(path) for path in FILES}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            assert node.module
            assert all(alias.name != "*" for alias in node.names), f"{path}:{node.lineno}: a wildcard import"
            for alias in node.names:
                longer = f"{node.module}.{alias.name}"
                yield longer if longer in MODULES else node.module


def test_there_is_something_to_check() -> None:
    assert {path.parts[0] for path in FILES} == OURS
    assert "client.agent.agent" in MODULES
    assert "shared.study" in set(imports(Path("shared/model.py")))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_go_one_way(path: Path) -> None:
    ours = {name.split(".")[0] for name in imports(path)} & OURS
    assert ours <= MAY_IMPORT[path.parts[0]]


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_modules_have_no_cycles() -> None:
    assert cycle_in({named(path): set(imports(path)) & MODULES for path in FILES}) == []


def test_folders_have_no_cycles() -> None:
    """A folder inside a part is one node, and so is each file that lies in the part directly."""
    graph: dict[str, set[str]] = {}
    for path in FILES:
        node = ".".join(named(path).split(".")[:2])
        used = {".".join(name.split(".")[:2]) for name in set(imports(path)) & MODULES}
        graph.setdefault(node, set()).update(used - {node})
    assert cycle_in(graph) == []


@pytest.mark.parametrize("path", [path for path in PRODUCT if path.parts[0] in ("shared", "server")], ids=str)
def test_only_hospitals_open_patient_files(path: Path) -> None:
    found = {name for name in imports(path) if name.split(".")[0] in READERS_OF_FILES}
    allowed = "monai.networks" if path == Path("shared/encoders/networks.py") else "nothing"
    assert not [name for name in found if not name.startswith(allowed)]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_files_and_functions_are_small_and_files_say_what_they_are_for(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    assert not path.name.endswith("_test.py")
    assert not BAD_FOLDERS & set(path.parts[:-1])
    assert not text or ast.get_docstring(tree(path)), f"{path}: no docstring"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno
            assert node.end_lineno - node.lineno < 50, f"{path}:{node.lineno}: {node.name} is longer than 50 lines"


@pytest.mark.parametrize("app", ["client.app", "server.app"])
def test_importing_an_app_imports_neither_torch_nor_pandas(app: str) -> None:
    program = f"import sys, {app}; print(*({{'torch', 'pandas', 'monai', 'opacus', 'nibabel'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
