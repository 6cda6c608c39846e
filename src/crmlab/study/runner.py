"""The runner: notebooks in the order of their contracts, side by side, into a report folder.

Who asks: `crmlab run`, `sweep` and `verify`. A notebook whose sources are what they were is not
run again. Each works in a folder of its own and is moved into the report when it has finished;
`manifest.json` is rewritten after every notebook and says what the folder holds. At whatever
moment a run is killed, what stands there agrees with its hash or is made again by the next.

A table is handed on as soon as it is saved: who needs it does not wait for its maker's figures. A
notebook that began so early has its place in the report only once its makers have theirs.
"""

import json
import os
import pickle
import queue
import shutil
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from crmlab.atlas.sentences import say
from crmlab.study.artefacts import LEFT_OUT, RunContext
from crmlab.study.cache import compare_origins, find_damage
from crmlab.study.code import hash_file
from crmlab.study.configuration import StudyError
from crmlab.study.manifest import hash_files, read_manifest, say_now, write_manifest
from crmlab.study.notebooks import find_maker, say_lack
from crmlab.study.plan import Plan

if TYPE_CHECKING:
    from crmlab.study.execution import CellFailure

__all__ = ["Kernels", "Outcome", "explain_study", "lock_folder", "run_study"]

KEPT = ("notebooks", "results", "tables", "figures")


@dataclass
class Outcome:
    """What a run came to: the report folder, the state of each notebook, what cut it short.

    States are "done", "unchanged" (done by an earlier run), "left out", "failed" and
    "not reached".
    """

    folder: Path
    states: dict[str, str] = field(default_factory=dict)
    failures: "list[CellFailure]" = field(default_factory=list)
    is_interrupted: bool = False


def run_study(
    path,
    *,
    language=None,
    until=None,
    only=None,
    parameters=None,
    seed=None,
    fresh=False,
    cold=False,
    jobs=None,
    folder=None,
    kernels=None,
    on_progress=None,
):
    """Run a study and leave its report folder.

    Parameters
    ----------
    path : path-like
        A study file.
    language : {"en", "zh"} or None
        Language of the report; None takes the study's own.
    until : str or None
        Run only this notebook and what it needs.
    only : str or None
        Run this notebook and no other; what it needs must be there.
    parameters : dict of str to dict, list of str, or None
        Laid over the study's own: values by notebook and name, or texts such as
        "30.n_segments=5" and "n_segments=5".
    seed : int or None
        In place of the study's own.
    fresh : bool
        Run every notebook, whether anything changed or not.
    cold : bool
        Start an ordinary kernel for each notebook instead of forking a prepared one.
    jobs : int or None
        Notebooks side by side; None takes the number of processor cores.
    folder : path-like or None
        Report folder; None takes `reports/<study>` of the project.
    kernels : Kernels or None
        Shared with other runs of this process; None has the run start its own.
    on_progress : callable(str, str, str) or None
        Told notebook, state (those of `Outcome`, and "running") and a detail; from any thread.

    Returns
    -------
    Outcome
        What depends on a failed notebook is not run; everything else is. After an interruption
        (Ctrl-C) nothing more is run. What was finished is kept.

    Raises
    ------
    StudyError
        If the study is refused, or another run works in the folder; nothing has run then.
    """
    plan = Plan(path, language=language, until=until, only=only, parameters=parameters, seed=seed)
    folder = _folder_of(plan, folder)
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder), ExitStack() as stack:
        kernels = kernels or stack.enter_context(Kernels(cold=cold))
        earlier = _read_earlier(folder)
        if fresh or not earlier:
            kernels.start()  # they will be needed, and take longest to be ready
        plan.resolve(earlier, before_loading=kernels.start)
        run = _Run(plan, folder, earlier, kernels, fresh=fresh, jobs=jobs, tell=on_progress)
        return run.run()


def explain_study(path, *, folder=None, **options):
    """Return for each notebook of a study whether a run would run it, and why.

    Parameters
    ----------
    path : path-like
        A study file.
    folder : path-like or None
        Report folder; None takes the study's own.
    **options
        `language`, `until`, `only`, `parameters`, `seed` as for `run_study`.

    Returns
    -------
    list of (str, str, list of str)
        Notebook, verdict ("run", "perhaps", "unchanged" or "left out") and the reasons for it.
        "Perhaps" says that it depends on what a notebook that runs before it makes.
    """
    plan = Plan(path, **options)
    folder = _folder_of(plan, folder)
    earlier = _read_earlier(folder)
    plan.resolve(earlier)
    return [(name, *verdict) for name, verdict in _judge(plan, earlier, folder).items()]


def _judge(plan, earlier, folder):
    """Return verdict and reasons for each notebook of a plan, as far as they show beforehand."""
    outputs, found = {}, {}
    for step in plan.steps:
        name = step.notebook.name
        entry = earlier.get("notebooks", {}).get(name, {})
        outputs[name] = entry.get("outputs", {})
        if step.reason:
            found[name] = ("left out", [step.reason[plan.language]])
            continue
        reasons = _reasons(entry, plan.origin(name, outputs), folder)
        waits = [m for m in plan.makers(name) if found[m][0] in ("run", "perhaps")]
        if reasons or not waits:
            found[name] = ("run" if reasons else "unchanged", reasons)
        else:
            found[name] = ("perhaps", [say("reason_waits", name=maker) for maker in waits])
    return found


class _Run:
    """One run: decides, hands notebooks to threads, takes them in, keeps the manifest true."""

    def __init__(self, plan, folder, earlier, kernels, *, fresh, jobs, tell):
        self.plan, self.folder, self.kernels = plan, folder, kernels
        self.fresh, self.jobs = fresh, jobs or os.cpu_count() or 1
        self.tell = tell or (lambda *_: None)
        self.earlier = earlier
        self.outcome = Outcome(folder)
        self.manifest = plan.new_manifest()
        self.entries = self.manifest["notebooks"]
        self.origins, self.settled = {}, set()
        self.running, self.events = {}, queue.SimpleQueue()
        self.finished = {}  # notebooks that have ended and are not taken in yet: how, and seconds
        self.handed = {}  # by notebook that is not taken in yet: hashes of the tables handed on
        self.work = folder / ".work" / f"{os.getpid()}-{time.monotonic_ns()}"
        self.has_begun = False
        for step in plan.steps:
            before = earlier.get("notebooks", {}).get(step.notebook.name, {})
            kept = {key: before[key] for key in ("outputs", "made_from") if key in before}
            self.entries[step.notebook.name] = plan.new_entry(step) | kept

    def run(self):
        """Run what has to be run, and return what it came to."""
        if self.plan.only:
            self._refuse_missing_needs()
        try:
            self._schedule()
        except KeyboardInterrupt:
            self.outcome.is_interrupted = True
        finally:
            self._stop()
        self._finish()
        return self.outcome

    def _refuse_missing_needs(self):
        only = self.plan.only
        for name, (verdict, reasons) in _judge(self.plan, self.earlier, self.folder).items():
            if verdict in ("run", "perhaps") and self.plan.is_needed(name):
                raise StudyError(say("only_needs", only=only, name=name, why=reasons[0]))

    def _schedule(self):
        steps = {step.notebook.name: step for step in self.plan.steps}
        # Those that hold up the longest row of others go first.
        rank = {name: (-self.plan.depth(name), name) for name in steps}
        undecided, ready = list(steps), []
        while True:
            # Plan order puts makers first, so that one pass settles all that can be settled.
            for name in list(undecided):
                must_run = self._must_run(steps[name])
                if must_run is not None:
                    undecided.remove(name)
                if must_run:
                    ready.append(name)
            ready.sort(key=rank.get)
            while ready and len(self.running) < self.jobs:
                self._begin(ready.pop(0))
            if not self.running:
                return
            while not self._listen():
                pass

    def _must_run(self, step):
        """Return whether a notebook has to be run, None while that is open; settle it if not."""
        name = step.notebook.name
        makers = self.plan.makers(name)
        handed = {Path(table).stem for tables in self.handed.values() for table in tables}
        if not self.settled.issuperset(self.plan.makers(name, without=handed)):
            return None
        reason = step.reason or self._find_lack(step.notebook)
        if reason:
            self._leave_out(name, reason)
            return False
        if any(self.outcome.states.get(maker) in ("failed", "not reached") for maker in makers):
            self._settle(name, "not reached")
            return False
        before = self.earlier.get("notebooks", {}).get(name, {})
        outputs = {maker: self.entries[maker]["outputs"] for maker in self.entries} | self.handed
        origin = self.plan.origin(name, outputs)
        is_asked = name in self.plan.asked
        must_run = bool(_reasons(before, origin, self.folder)) or (self.fresh and is_asked)
        if not (must_run and is_asked) and not self.settled.issuperset(makers):
            return None  # how its makers end decides what becomes of it
        if not must_run:
            self.entries[name] |= {"state": "done", "seconds": before["seconds"]}
            self._settle(name, "unchanged")
        elif is_asked:
            self.origins[name] = origin
            return True
        else:
            # The report shows one study: what was made otherwise has no place in it.
            self._forget(name)
            del self.entries[name]
            self.settled.add(name)
        return False

    def _begin(self, name):
        from crmlab.study.execution import Execution

        if not self.has_begun:
            self.has_begun = True
            self._prepare()
        plan, notebook = self.plan, self.plan.notebooks[name]
        work = self.work / name
        context = RunContext(
            root=str(plan.root),
            data=plan.study.data,
            language=plan.language,
            seed=plan.seed,
            report=str(self.folder),
            output=str(work),
            command=f"crmlab run {os.path.relpath(plan.path)}",
            dataset=str(self.work / "dataset.pickle"),
            handed=str(self.work / "handed"),
            engine=plan.study.engine,
            master=plan.study.master,
            # Readers of scanned tables add up exactly, whatever the number of threads.
            n_threads=(os.cpu_count() or 1) if plan.load().scanned else 1,
        )
        execution = Execution(
            notebook,
            plan.given_parameters(name),
            context,
            timeout=plan.study.timeout,
            on_cell=partial(self._begin_cell, name),
        )
        self.running[name] = execution
        threading.Thread(target=self._execute, args=(name, execution), daemon=True).start()
        self.tell(name, "running", "")

    def _prepare(self):
        """Have kernels made ready, and meanwhile load the data once for all notebooks."""
        from crmlab.study.execution import import_papermill

        shutil.rmtree(self.work.parent, ignore_errors=True)
        self.work.mkdir(parents=True)
        for printed in ("report.pdf", "report.docx"):
            (self.folder / printed).unlink(missing_ok=True)  # they tell of the run before
        self.kernels.start()
        import_papermill()
        dataset = pickle.dumps(self.plan.load(), protocol=pickle.HIGHEST_PROTOCOL)
        (self.work / "dataset.pickle").write_bytes(dataset)
        self._write_manifest()

    def _execute(self, name, execution):
        began = time.perf_counter()
        try:
            result = self.kernels.run(execution)
        except BaseException as error:
            result = error  # for the thread that waits
        _close_event_loop()
        self.events.put((name, result, round(time.perf_counter() - began, 2)))

    def _begin_cell(self, name, cell, n_cells):
        self.tell(name, "running", f"{cell}/{n_cells}")
        self.events.put((name,))

    def _listen(self):
        """Wait until a notebook comes to its next cell or ends; return whether others may begin."""
        name, *ended = self.events.get()
        if not ended:
            return self._hand_on(name)
        result, _ = ended
        del self.running[name]
        if isinstance(result, BaseException):
            raise result
        self.finished[name] = ended
        for step in self.plan.steps:
            name = step.notebook.name
            if name in self.finished and self.settled.issuperset(self.plan.makers(name)):
                self._take_in(name, *self.finished.pop(name))
        return True

    def _hand_on(self, name):
        """Hand on the tables that a running notebook has saved; return whether there are new."""
        handed = self.handed.setdefault(name, {})
        n_before = len(handed)
        for artefact in self.plan.notebooks[name].makes:
            table = f"tables/{artefact}.parquet"
            saved = self.work / name / table
            if table not in handed and saved.exists():
                copy = self.work / "handed" / table
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(saved, copy)
                handed[table] = hash_file(copy)
        return len(handed) > n_before

    def _take_in(self, name, result, seconds):
        """Move what a notebook made into the report, and settle it."""
        entry, work = self.entries[name], self.work / name
        self.handed.pop(name, None)
        makers = self.plan.makers(name)
        if any(self.outcome.states.get(maker) in ("failed", "not reached") for maker in makers):
            self._settle(name, "not reached")
            return
        if (work / LEFT_OUT).exists():
            self._leave_out(name, json.loads((work / LEFT_OUT).read_text(encoding="utf-8")))
            self._write_manifest()
            return
        if result is not None:
            self.outcome.failures.append(result)
            for part in ("results", "tables", "figures"):
                shutil.rmtree(work / part, ignore_errors=True)
        state = "done" if result is None else "failed"
        outputs = _move_in(work, self.folder)
        origin = self.origins[name] if result is None else None
        entry |= {"state": state, "seconds": seconds, "outputs": outputs, "made_from": origin}
        self._settle(name, state, say("sweep_seconds", n=f"{seconds:.1f}"))
        self._write_manifest()

    def _settle(self, name, state, detail=""):
        self.outcome.states[name] = state
        self.settled.add(name)
        if state != "not reached" or name in self.origins:  # else nobody heard of it
            self.tell(name, state, detail)

    def _leave_out(self, name, reason):
        self._forget(name)
        self.entries[name] |= {"state": "left out", "reason": reason}
        self._settle(name, "left out", reason[self.plan.language])

    def _find_lack(self, notebook):
        """Return why a notebook cannot run whose need was left out in this run; else None."""
        for need in notebook.needs:
            maker = find_maker(need, self.plan.notebooks)
            if maker is not None and self.outcome.states.get(maker.name) == "left out":
                return say_lack(need, maker)
        return None

    def _forget(self, name):
        """Remove what a notebook made earlier, so that no other finds it."""
        for output in self.entries[name]["outputs"]:
            (self.folder / output).unlink(missing_ok=True)
        self.entries[name] |= {"outputs": {}, "made_from": None}

    def _stop(self):
        """End what still runs, after an interruption or an error."""
        # Their threads notice within a second, and then write nothing more: no need to wait.
        for execution in self.running.values():
            execution.kill()
        self.running.clear()
        shutil.rmtree(self.work.parent, ignore_errors=True)

    def _finish(self):
        """Leave nothing in the folder that the manifest does not name."""
        for name in self.entries:
            self.outcome.states.setdefault(name, "not reached")
        _remove_unnamed(self.folder, self.entries)
        has_changed = _without_times(self.manifest) != _without_times(self.earlier)
        if self.has_begun or has_changed or not self.earlier.get("finished"):
            self.manifest["finished"] = say_now()
            self._write_manifest()

    def _write_manifest(self):
        write_manifest(self.folder, self.manifest)


class Kernels:
    """Kernels forked from a server, which starts when the first is needed; any thread may ask."""

    def __init__(self, *, cold=False):
        self.is_cold = cold
        self.server = None
        self._starting = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        """Have the server begin its imports; nothing waits for it yet."""
        from crmlab.study.kernels import KernelServer, can_fork

        with self._starting:
            self.is_cold = self.is_cold or not can_fork()
            if not self.is_cold and self.server is None:
                self.server = KernelServer()
                self.server.start()

    def close(self):
        """End the server and every kernel it has."""
        if self.server is not None:
            self.server.close()

    def run(self, execution):
        """Run a notebook in a warm kernel; in an ordinary one where that is not to be had."""
        from crmlab.study.kernels import KernelServerError

        if not self.is_cold:
            try:
                return execution.run(self.server.manager_class)
            except KernelServerError:
                if execution.is_killed:
                    raise
                self.is_cold = True
        return execution.run()


def _reasons(entry, origin, folder):
    """Return in words why a notebook would be run again; empty when it need not be."""
    if not entry.get("made_from"):
        return [say("reason_not_run" if entry.get("state") != "failed" else "reason_failed")]
    reasons = compare_origins(entry["made_from"], origin)
    damaged = None if reasons else find_damage(folder, entry["outputs"])
    return reasons if damaged is None else [say("reason_damaged", path=damaged)]


def _folder_of(plan, folder):
    return Path(folder).resolve() if folder else plan.root / "reports" / plan.name


def _read_earlier(folder):
    """Return the manifest of an earlier run; an empty one where it is not there or damaged."""
    try:
        return read_manifest(folder)
    except ValueError:
        return {}


@contextmanager
def lock_folder(folder):
    """Hold the folder for one run; the system lets go of it when the process ends in any way."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StudyError(say("run_at_work", folder=folder)) from None
    try:
        yield
    finally:
        lock.release()


def _close_event_loop():
    """Close the event loop that jupyter_core has made for this thread, and would leave open."""
    from jupyter_core.utils import ensure_event_loop

    ensure_event_loop().close()


def _move_in(work, folder):
    """Move a finished notebook's files into the report and return their hashes."""
    hashes = hash_files(work)
    for name in hashes:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (work / name).replace(target)
    return hashes


def _remove_unnamed(folder, entries):
    """Remove what notebooks of an earlier run left and the manifest no longer names."""
    named = {name for entry in entries.values() for name in entry["outputs"]}
    for part in KEPT:
        for path in sorted((folder / part).rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(folder).as_posix() not in named:
                path.unlink()


def _without_times(manifest):
    return {key: part for key, part in manifest.items() if key not in ("started", "finished")}
