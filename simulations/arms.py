"""Runs every arm of a study over simulated hospitals, with and without privacy, through the apps that hospitals run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch
from flwr.app import Context, RecordDict

from client.agent.agent import Agent
from client.app import courier
from client.approvals import implied
from client.archive import Archive
from client.check import refusals
from client.site import Limits, Site, load_site
from client.state import CACHE
from server.app import app as server_app
from server.app import trainers_of
from shared.boosting import rounds_of
from shared.cohorts import Fold, fold_named, folds
from shared.errors import Problem, SiteError
from shared.privacy.mechanism import stages_of
from shared.study import Study
from shared.study_file import study_from_text
from shared.wire import Envelope, Task
from simulations.in_process import Crashes, Delays, InProcessGrid, Watch
from simulations.pool import Pool

T = TypeVar("T")
Answerer = Callable[[Envelope], Envelope]
Between = Callable[[str, Envelope, Answerer], Envelope]
Remote = Callable[[Path, str], None]  # runs an arm of a study file elsewhere
POOL_LIMITS = Limits(max_epsilon=1e6, max_delta=0.1, allow_without_privacy=True)


@dataclass(frozen=True)
class Consortium:
    """Simulated hospitals: their archives, and where the state of their agents is kept."""

    archives: Mapping[str, Archive]
    state: Path


def open_consortium(study: Study, data: Path, state: Path) -> Consortium:
    """The hospitals of ``data``, a folder with one folder a hospital; SiteError has the problems of all of them."""
    torch.set_num_threads(1)  # the same in every engine, so that sums are made in the same order; and faster here
    sites = of_each_hospital(study.sites, lambda name: _site_in(data, name, study))
    return Consortium(
        {
            name: Archive(site.model_copy(update={"state": state / name}), site.state / CACHE)
            for name, site in sites.items()
        },
        state,
    )


def of_each_hospital(names: Iterable[str], read: Callable[[str], T]) -> dict[str, T]:
    """What ``read`` gives for every hospital; SiteError with the problems of all, under their hospitals' names."""
    found: dict[str, T] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            found[name] = read(name)
        except SiteError as error:
            problems += [replace(problem, file=f"{name}/{problem.file}") for problem in error.problems]
    if problems:
        raise SiteError(problems)
    return found


def _site_in(data: Path, name: str, study: Study) -> Site:
    """A hospital's file; SiteError if it is not of this hospital, or rules the study out."""
    path = data / name / "site.toml"
    if not path.is_file():
        raise SiteError([Problem(path.name, "", "no such file in the data folder", "import or invent this hospital")])
    site = load_site(path)
    if site.name != name:
        rule = f'"{site.name}" is not the name of its folder, by which the study knows it'
        raise SiteError([Problem(path.name, "name", rule, f'write name = "{name}"')])
    if found := list(refusals(site, study)):
        raise SiteError(found)
    return site


def protected_only(consortium: Consortium) -> list[str]:
    """Hospitals that take part under differential privacy only."""
    return [name for name, archive in consortium.archives.items() if not archive.site.limits.allow_without_privacy]


@dataclass(frozen=True)
class Hooks:
    """What a caller of a simulation may see and disturb."""

    watch: Watch | None = None
    delay: Delays | None = None
    crash: Crashes | None = None
    between: Between | None = None
    deadline: float = 3600.0


def run_arms(
    study: Study, consortium: Consortium, folder: Path, hooks: Hooks, twins: bool = True, remote: Remote | None = None
) -> None:
    """Run all arms of the study, and with ``twins`` those of a private one once more without privacy.

    The runs' records go to ``folder``. ``remote`` runs arms over another engine, except for the pooled one, which no
    federation can have.
    """
    for path in study_files(study, consortium, folder, twins):
        for arm in study.arms.run:
            if remote and arm != "pooled":
                remote(path, arm)
            else:
                _run_here(path, arm, (study, consortium), folder, hooks)


def study_files(study: Study, consortium: Consortium, folder: Path, twins: bool) -> list[Path]:
    """The study as it travels, in a file of its own, and its twin's."""
    paths = []
    for variant in variants(study, consortium) if twins else [study]:
        paths.append(folder / "studies" / f"{variant.digest[:12]}.json")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        paths[-1].write_text(variant.text, encoding="utf-8")
    return paths


def _run_here(path: Path, arm: str, over: tuple[Study, Consortium], folder: Path, hooks: Hooks) -> None:
    study, consortium = over
    nodes = {name: {"site": name} for name in (*study.sites, *(["pooled"] if arm == "pooled" else []))}
    grid = InProcessGrid(courier(Reach(consortium, hooks)), nodes, hooks.watch, hooks.delay, hooks.crash)
    config = app_config(path, arm, folder, hooks.deadline)
    server_app(grid, Context(run_id=1, node_id=1, node_config={}, state=RecordDict(), run_config=config))


def app_config(path: Path, arm: str, folder: Path, deadline: float) -> dict[str, bool | float | int | str]:
    """The server app's configuration in a simulation: each run is a what-if, whose ledgers have heads of their own."""
    return {
        "study": str(path),
        "overrides": "",
        "arm": arm,
        "folder": str(folder),
        "heads": "",
        "deadline-seconds": deadline,
    }


def variants(study: Study, consortium: Consortium) -> list[Study]:
    """The study, and beside a private one the same without privacy, if all allow it: the price of privacy shows."""
    return [study, study.without_privacy()] if study.private and not protected_only(consortium) else [study]


def messages_expected(study: Study, consortium: Consortium) -> int:
    """Messages to hospitals in all arms, for the progress."""
    total = 0
    for arm in study.arms.run:
        for fold in folds(study):
            for trainers in trainers_of(study, fold, arm).values():
                rounds = sum(rounds for _, rounds, _ in stages_of(study)) + rounds_of(study, arm)
                total += rounds * len(trainers) + 2 * len(fold.sites)
    return total * len(variants(study, consortium))


class Reach:
    """Finds the agent for a message: one a hospital and run, as each run of a simulation is a what-if of its own."""

    def __init__(self, consortium: Consortium, hooks: Hooks) -> None:
        self._consortium, self._between = consortium, hooks.between
        self._agents: dict[tuple[str, str], Agent] = {}

    def __call__(self, context: Context, task: Envelope) -> Envelope:
        """The agent's answer, in this process."""
        assert isinstance(task.header, Task)
        site, run = str(context.node_config["site"]), task.header.run
        if (site, run.name) not in self._agents:
            state = self._consortium.state / site / run.name
            self._agents[site, run.name] = self._agent(site, state, task.header)
        answer = self._agents[site, run.name].answer
        return self._between(site, task, answer) if self._between else answer(task)

    def _agent(self, site: str, state: Path, task: Task) -> Agent:
        if site != "pooled":
            archive = self._consortium.archives[site]
            return Agent(archive, archive.site.model_copy(update={"state": state}), implied)
        fold: Fold = fold_named(study_from_text(task.study), task.run.fold)
        pool = Pool({name: self._consortium.archives[name] for name in fold.train})
        weights = {digest: path for name in fold.train for digest, path in self._weights(name).items()}
        place = Site(name=site, data=state, state=state, encoding="utf-8", weights=weights, limits=POOL_LIMITS)
        return Agent(pool, place, implied)

    def _weights(self, site: str) -> dict[str, Path]:
        return self._consortium.archives[site].site.weights
