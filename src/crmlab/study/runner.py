"""The runner: notebooks in the order of their contracts, through papermill, into a report folder.

Each notebook works in a folder of its own and is moved into the report when it has finished, so
that the report never shows half a notebook; `manifest.json` is rewritten after every notebook and
says what the folder holds.
"""

import json
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from crmlab.data import load_dataset
from crmlab.study.artefacts import CONTEXT_VARIABLE, RunContext
from crmlab.study.configuration import StudyError, find_study_root, load_study
from crmlab.study.manifest import describe_dataset, describe_versions, hash_files, write_manifest
from crmlab.study.notebooks import plan_steps, read_notebooks

__all__ = ["CellFailure", "Outcome", "run_study"]

# One thread in the numerical libraries: sums taken in another order differ in the last digit,
# and a study promises the same bytes whatever the number of cores.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "PYTHONHASHSEED": "0",
}

DEAD_KERNEL = (
    "the kernel died while it ran this cell. Most often the machine ran out of memory: try the "
    "study on fewer rows, close other programs, or look at the system's log."
)


@dataclass(frozen=True)
class CellFailure:
    """The cell a notebook stopped at: its number (from 1), source, error and where it is kept."""

    notebook: str
    cell: int
    source: str
    error: str


@dataclass
class Outcome:
    """What a run came to: the report folder, the state of each notebook, what cut it short."""

    folder: Path
    states: dict[str, str] = field(default_factory=dict)
    failure: CellFailure | None = None
    is_interrupted: bool = False


def run_study(path, *, language=None, until=None, on_progress=None):
    """Run a study and leave its report folder.

    Parameters
    ----------
    path : path-like
        A study file.
    language : {"en", "zh"} or None
        Language of the report; None takes the study's own.
    until : str or None
        Run only this notebook and what it needs.
    on_progress : callable(str, str, str) or None
        Told notebook, state ("running", "done", "left out", "failed") and a detail.

    Returns
    -------
    Outcome
        After a failure or an interruption (Ctrl-C) the rest is not run; what was finished is kept.

    Raises
    ------
    StudyError
        If the study is refused; nothing has run then.
    """
    path = Path(path)
    study = load_study(path)
    root = find_study_root(path)
    language = language or study.language
    notebooks = read_notebooks(root / "notebooks")
    if until is not None:
        until = next((name for name in notebooks if until in (name, name[:2])), until)
        if until not in notebooks:
            raise StudyError(f"no notebook {until!r}; there are: {', '.join(notebooks)}")
    wanted = study.notebooks if until is None else [until]
    dataset = load_dataset(study.data, root=root)
    steps = plan_steps(notebooks, dataset.tables, wanted=wanted)

    folder = root / "reports" / path.stem
    outcome = Outcome(folder)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "study": {
            "name": path.stem,
            "file": path.name,
            "title": study.title.model_dump(),
            "question": study.question and study.question.model_dump(),
            "language": language,
            "seed": study.seed,
            "data": dataset.name,
        },
        "dataset": describe_dataset(dataset),
        "versions": describe_versions(),
        "notebooks": {step.notebook.name: _describe_step(step, study) for step in steps},
        "started": _now(),
        "finished": None,
    }
    _remove_earlier_run(folder)
    write_manifest(folder, manifest)
    for step in steps:
        name, entry = step.notebook.name, manifest["notebooks"][step.notebook.name]
        if step.reason:
            _tell(on_progress, name, "left out", step.reason[language])
        elif outcome.failure is None and not outcome.is_interrupted:
            _tell(on_progress, name, "running", "")
            work = folder / ".work" / name
            context = RunContext(
                root=str(root),
                data=study.data,
                language=language,
                seed=study.seed,
                report=str(folder),
                output=str(work),
                command=f"uv run crmlab run {os.path.relpath(path)}",
            )
            began = time.perf_counter()
            values = study.parameters.get(name, {})
            try:
                outcome.failure = _run_notebook(step.notebook, values, context)
            except KeyboardInterrupt:
                outcome.is_interrupted = True
                outcome.states[name] = entry["state"]
                continue
            entry["seconds"] = round(time.perf_counter() - began, 2)
            entry["outputs"] = _move_in(work, folder)
            entry["state"] = "failed" if outcome.failure else "done"
            _tell(on_progress, name, entry["state"], f"{entry['seconds']:.1f} s")
            write_manifest(folder, manifest)
        outcome.states[name] = entry["state"]
    shutil.rmtree(folder / ".work", ignore_errors=True)
    manifest["finished"] = _now()
    write_manifest(folder, manifest)
    return outcome


def _describe_step(step, study):
    notebook = step.notebook
    return {
        "state": "left out" if step.reason else "not reached",
        "reason": step.reason,
        "title": notebook.title,
        "parameters": {
            name: study.parameters.get(notebook.name, {}).get(name, parameter.default)
            for name, parameter in notebook.parameters.items()
        },
        "needs": list(notebook.needs),
        "makes": list(notebook.makes),
        "sha256": notebook.sha256,
        "seconds": None,
        "outputs": {},
    }


def _run_notebook(notebook, parameters, context):
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    work = Path(context.output)
    shutil.rmtree(work, ignore_errors=True)
    (work / "notebooks").mkdir(parents=True)
    with _environment({CONTEXT_VARIABLE: context.to_json(), **KERNEL_ENVIRONMENT}):
        try:
            papermill.execute_notebook(
                str(notebook.path),
                str(work / "notebooks" / notebook.path.name),
                parameters=parameters,
                kernel_name="python3",
                progress_bar=False,
                cwd=str(notebook.path.parent),
                config=_kernel_config(),
            )
        except PapermillExecutionError as error:
            shutil.rmtree(work / "tables", ignore_errors=True)
            text = f"{error.ename}: {error.evalue}"
            return CellFailure(notebook.name, error.cell_index + 1, error.source, text)
        except DeadKernelError:
            shutil.rmtree(work / "tables", ignore_errors=True)
            return CellFailure(notebook.name, *_last_cell(work / "notebooks"), DEAD_KERNEL)
    return None


def _last_cell(folder):
    """Return number and source of the cell a notebook had come to when its kernel died."""
    document = json.loads(next(folder.iterdir()).read_text(encoding="utf-8"))
    begun = [
        (number, "".join(cell["source"]))
        for number, cell in enumerate(document["cells"], start=1)
        if cell["metadata"].get("papermill", {}).get("start_time")
    ]
    return begun[-1] if begun else (1, "")


def _kernel_config():
    """Return the settings of a kernel: sockets in the file system where there are such.

    A finished kernel is ended at once: everything it leaves is a file already, and asking it to
    stop costs time and now and then a complaint on the terminal.
    """
    from traitlets.config import Config

    transport = "ipc" if os.name == "posix" else "tcp"
    return Config(
        {
            "KernelManager": {"transport": transport},
            "NotebookClient": {"shutdown_kernel": "immediate"},
        }
    )


def _move_in(work, folder):
    """Move a finished notebook's files into the report and return their hashes."""
    hashes = hash_files(work)
    for name in hashes:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (work / name).replace(target)
    return hashes


def _remove_earlier_run(folder):
    """Remove what an earlier run of the study left: a report shows one run only."""
    for name in ("notebooks", "results", "tables", "figures", "pages", ".work"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "index.html").unlink(missing_ok=True)


@contextmanager
def _environment(variables):
    """Set environment variables for the kernels started inside the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _tell(on_progress, *words):
    if on_progress is not None:
        on_progress(*words)


def _now():
    return datetime.now(UTC).isoformat(timespec="seconds")
