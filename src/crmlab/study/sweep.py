"""Sweep: a study over a grid of seeds and parameters, each point a run in a folder of its own.

Who asks: the researcher who must know whether a finding hangs on a choice. What two points have in
common is run once: a point begins with the notebooks that an earlier one has run with the same
values, and the runner's own check decides whether they hold. A point that fails is recorded and the
others go on; after an interruption the same command goes on from what was finished.
"""

import os
import shutil
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from crmlab.atlas.sentences import say
from crmlab.study.artefacts import write_whole
from crmlab.study.configuration import StudyError
from crmlab.study.grid import Grid, load_grid
from crmlab.study.manifest import read_manifest, write_manifest
from crmlab.study.plan import Plan
from crmlab.study.runner import lock_folder
from crmlab.study.sweep_workers import ClusterWorkers, LocalWorkers

__all__ = ["PointOutcome", "Sweep", "run_sweep"]


class PointOutcome(NamedTuple):
    """What a point came to: "done", "failed", "interrupted" or "not reached", and why it failed."""

    state: str
    error: str = ""
    seconds: float | None = None
    n_run: int = 0
    n_unchanged: int = 0


@dataclass
class Sweep:
    """What a sweep came to.

    Attributes
    ----------
    folder : pathlib.Path
        `reports/<study>/sweeps/<grid>`; every point has its report folder in it.
    plan : Plan
        The study, without what varies.
    grid : Grid
    reach : dict of str to set of str
        By notebook that runs, in order: itself and all those its outputs depend on.
    outcomes : dict of str to PointOutcome
        By the point's name, in the grid's order.
    is_interrupted : bool
    """

    folder: Path
    plan: Plan
    grid: Grid
    reach: dict[str, set[str]]
    outcomes: dict[str, PointOutcome] = field(default_factory=dict)
    is_interrupted: bool = False

    def affected(self):
        """Return the notebooks that a varied parameter reaches; all where only the seed varies."""
        varied = {axis.notebook for axis in self.grid.parameter_axes}
        return [name for name, reach in self.reach.items() if not varied or varied & reach]


def run_sweep(path, grid, *, jobs=None, cluster=None, on_progress=None):
    """Run a study at every point of a grid.

    Parameters
    ----------
    path : path-like
        A study file.
    grid : path-like
        A grid file; see `crmlab.study.grid`.
    jobs : int or None
        Kernels side by side on this machine; None takes the number of processor cores.
    cluster : str or None
        Address of the scheduler of a Dask cluster that runs the points in place of this machine.
        Its workers need crmlab and must see the project's folder under the same path.
    on_progress : callable(str, str, str) or None
        Told a point's name, its state ("running", "done" or "failed") and a detail; from any
        thread.

    Returns
    -------
    Sweep

    Raises
    ------
    StudyError
        If the study, the grid or the cluster is refused, or a sweep of the same grid is at work;
        nothing has run then.
    """
    plan = Plan(path)
    grid = load_grid(grid, plan.notebooks)
    report = plan.root / "reports" / plan.name
    plan.resolve(_read_manifest(report))
    _refuse_idle_axes(plan, grid)
    folder = report / "sweeps" / grid.name
    sweep = Sweep(folder, plan, grid, reach=_find_reach(plan))
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder), _open_workers(plan, jobs, cluster) as workers:
        schedule = _Schedule(sweep, workers, on_progress or (lambda *_: None))
        schedule.take_over(report)
        schedule.run()
    return sweep


def _open_workers(plan, jobs, cluster):
    if cluster is None:
        return LocalWorkers(jobs or os.cpu_count() or 1)
    return ClusterWorkers(cluster, plan.root)


def _refuse_idle_axes(plan, grid):
    """Refuse to vary a parameter of a notebook that the study does not run."""
    steps = {step.notebook.name: step for step in plan.steps}
    for axis in grid.parameter_axes:
        step = steps.get(axis.notebook)
        if step is None or step.reason:
            why = say("sweep_unnamed") if step is None else step.reason
            told = {"parameter": axis.parameter.name, "notebook": axis.notebook, "why": why}
            raise StudyError(say("grid_left_out", **told))


def _find_reach(plan):
    reach = {}
    for step in plan.steps:  # makers come first
        if not step.reason:
            name = step.notebook.name
            makers = (reach[maker] for maker in plan.makers(name) if maker in reach)
            reach[name] = {name}.union(*makers)
    return reach


class _Schedule:
    """Which point runs when, and what it begins with.

    Of points that share a notebook nobody has run yet, one goes ahead and the others wait for it.
    """

    def __init__(self, sweep, workers, tell):
        self.sweep, self.workers, self.tell = sweep, workers, tell
        self.waiting = sweep.grid.points()
        self.running = {}  # future: point
        self.settled = set()  # (notebook, its values) that a point has run or found unchanged
        self.offers = {}  # (notebook, its values): the report of an earlier run that may have it
        self.sources = {}  # the same: a report of this sweep that has it
        for point in self.waiting:
            sweep.outcomes[point.name] = PointOutcome("not reached")

    def run(self):
        try:
            while self.waiting or self.running:
                self._begin_what_can()
                done, _ = wait(self.running, return_when=FIRST_COMPLETED)
                for future in done:
                    self._end(self.running.pop(future), future)
        except KeyboardInterrupt:
            self.sweep.is_interrupted = True
            self.workers.stop(list(self.running))
            for future, point in self.running.items():
                if future.done() and not future.cancelled():
                    with suppress(KeyboardInterrupt):  # impatience changes nothing now
                        self._end(point, future)

    def take_over(self, report):
        """Offer the notebooks of the study's own report to every point that has its values."""
        manifest = _read_manifest(report)
        entries = manifest.get("notebooks", {})
        values = {
            axis.name: entries.get(axis.notebook, {}).get("parameters", {}).get(axis.parameter.name)
            for axis in self.sweep.grid.parameter_axes
        }
        values["seed"] = manifest.get("study", {}).get("seed")
        for name in entries:
            if name in self.sweep.reach:
                self.offers[self._key(name, values)] = report

    def _begin_what_can(self):
        ready = []
        for point in self.waiting:
            others = [*self.running.values(), *ready]
            if len(others) < self.workers.slots and not self._shares_unfinished(point, others):
                ready.append(point)
        jobs = self.workers.share(len(ready) + len(self.running))
        for point in ready:
            self.waiting.remove(point)
            folder = self.sweep.folder / point.name
            self._prepare(point, folder)
            parameters, seed = self.sweep.grid.overlay(point)
            task = {
                "study": str(self.sweep.plan.path.resolve()),
                "folder": str(folder.resolve()),
                "parameters": parameters,
                "seed": seed,
                "jobs": jobs,
            }
            self.running[self.workers.submit(task, self._watch(point))] = point
            self.tell(point.name, "running", "")

    def _watch(self, point):
        """Return what tells of a point, while it runs, how many of its notebooks are settled."""
        settled = set()

        def watch(notebook, state, _):
            if notebook in self.sweep.reach and state != "running":
                settled.add(notebook)
                self.tell(point.name, "running", f"{len(settled)}/{len(self.sweep.reach)}")

        return watch

    def _shares_unfinished(self, point, others):
        mine = set(self._keys(point)) - self.settled
        return any(not mine.isdisjoint(self._keys(other)) for other in others)

    def _prepare(self, point, folder):
        """Give a point's folder the notebooks that another report has with the same values."""
        keys = dict(zip(self._keys(point), self.sweep.reach, strict=True))
        for places, replace in ((self.sources, True), (self.offers, False)):
            for source in dict.fromkeys(places[key] for key in keys if key in places):
                names = [name for key, name in keys.items() if places.get(key) == source]
                _bring_over(source, folder, names, replace=replace)

    def _end(self, point, future):
        error = future.exception()
        if error is None:
            outcome = PointOutcome(**future.result())
        else:
            outcome = PointOutcome("failed", f"{type(error).__name__}: {error}")
        self.sweep.outcomes[point.name] = outcome
        folder = self.sweep.folder / point.name
        entries = _read_manifest(folder).get("notebooks", {})
        for name, key in zip(self.sweep.reach, self._keys(point), strict=True):
            self.settled.add(key)
            if entries.get(name, {}).get("state") == "done":
                self.sources[key] = folder
        if outcome.state != "interrupted":
            self.tell(point.name, outcome.state, self._say_end(outcome))

    def _say_end(self, outcome):
        said = [say("sweep_ran", n=outcome.n_run), say("sweep_unchanged", n=outcome.n_unchanged)]
        if outcome.seconds is not None:
            said.insert(0, say("sweep_seconds", n=f"{outcome.seconds:.1f}"))
        if self.waiting or self.running:
            said.append(say("sweep_to_go", n=len(self.waiting) + len(self.running)))
        told = say("several", parts=tuple(said))
        return say("placed", place=told, said=outcome.error) if outcome.error else told

    def _keys(self, point):
        return [self._key(name, point.settings) for name in self.sweep.reach]

    def _key(self, name, values):
        """Return a notebook with the values of the axes that its outputs depend on."""
        reach = self.sweep.reach[name]
        axes = [a for a in self.sweep.grid.axes if a.notebook is None or a.notebook in reach]
        return name, *(repr(values.get(axis.name)) for axis in axes)


def _bring_over(source, folder, names, *, replace):
    """Copy what notebooks of one report made into another's folder, with their entries.

    With `replace`, in place of what the other has; else only what it lacks.

    Files are linked where the file system can: a run never writes into a file, it puts another in
    its place.
    """
    offered, manifest = _read_manifest(source), _read_manifest(folder)
    if not manifest:
        manifest = {key: offered[key] for key in ("study", "dataset", "versions", "started")}
        manifest |= {"notebooks": {}, "finished": None}
    for name in names:
        entry = offered.get("notebooks", {}).get(name, {})
        mine = manifest["notebooks"].get(name, {})
        is_had = mine.get("made_from") and (not replace or _is_same(mine, entry))
        if is_had or not entry.get("made_from"):
            continue
        try:
            for output in entry["outputs"]:
                write_whole(folder / output, lambda draft, o=output: _link(source / o, draft))
        except FileNotFoundError:  # it is being made again at this moment
            continue
        manifest["notebooks"][name] = entry
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder, manifest)


def _is_same(mine, other):
    return all(mine.get(part) == other.get(part) for part in ("made_from", "outputs"))


def _link(source, target):
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def _read_manifest(folder):
    try:
        return read_manifest(folder)
    except ValueError:
        return {}
