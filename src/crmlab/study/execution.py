"""Execution: one notebook through papermill, in a kernel of its own.

Who asks: the runner, from a thread for each notebook that runs. What comes back is the executed
notebook without clock times, so that the same study leaves the same bytes.
"""

import logging
import os
import signal
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crmlab.imports import hidden
from crmlab.study.artefacts import CONTEXT_VARIABLE, write_whole
from crmlab.study.kernels import KERNEL_ENVIRONMENT, KernelServerError

__all__ = ["KERNEL_ENVIRONMENT", "CellFailure", "Execution", "import_papermill"]

DEAD_KERNEL = (
    "the kernel died while it ran this cell. Most often the machine ran out of memory: try the "
    "study on fewer rows, close other programs, or look at the system's log."
)
TIMEOUT = (
    "this cell ran longer than {timeout} s, the limit of the study. If it needs longer, write a "
    "larger `timeout:` (in seconds) into the study file; else look for what it waits for."
)
IMPORTING = threading.Lock()
# What a kernel's end makes nbclient complain of is told by the runner, in words.
SILENT = logging.getLogger("crmlab.execution")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False


@dataclass(frozen=True)
class CellFailure:
    """The cell a notebook stopped at: its number (from 1), source, error and where it is kept."""

    notebook: str
    cell: int
    source: str
    error: str


class Execution:
    """One notebook being executed; `run` does it, `kill` ends it from another thread.

    Parameters
    ----------
    notebook : Notebook
    parameters : dict
        Values that differ from the notebook's defaults.
    context : RunContext
    timeout : int
        Seconds a cell may take.
    on_cell : callable(int, int) or None
        Told the number of the cell that begins, and of how many.
    """

    def __init__(self, notebook, parameters, context, *, timeout, on_cell=None):
        self.notebook = notebook
        self.parameters = parameters
        self.context = context
        self.timeout = timeout
        self.on_cell = on_cell
        self._client = None
        self._cell = 0
        self._document = None
        self.is_killed = False

    def run(self, manager=None):
        """Execute the notebook and keep it, whole, in the context's output folder.

        Parameters
        ----------
        manager : type or None
            Class of kernel manager; None takes papermill's own, an ordinary kernel.

        Returns
        -------
        CellFailure or None
            None when every cell ran.

        Raises
        ------
        KernelServerError
            If warm kernels are not to be had.
        """
        papermill = import_papermill()
        from nbclient.exceptions import CellTimeoutError, DeadKernelError
        from papermill.exceptions import PapermillExecutionError

        failure = None
        try:
            papermill.execute_notebook(
                str(self.notebook.path),
                None,
                parameters=self.parameters,
                engine_name="crmlab",
                kernel_name="python3",
                progress_bar=False,
                request_save_on_cell_execute=False,
                execution=self,
                manager=manager,
            )
        except PapermillExecutionError as error:
            text = f"{error.ename}: {error.evalue}"
            failure = CellFailure(self.notebook.name, error.cell_index + 1, error.source, text)
        except CellTimeoutError:
            failure = self._fail_at_cell(TIMEOUT.format(timeout=self.timeout))
        except KernelServerError:
            raise
        except (DeadKernelError, RuntimeError):
            # A kernel that dies before it has answered at all is a RuntimeError.
            failure = self._fail_at_cell(DEAD_KERNEL)
        self._keep()
        return failure

    def execute(self, nb_man, manager):
        """Run the cells; papermill's engine calls this once the parameters are in place."""
        from papermill.clientwrap import PapermillNotebookClient
        from traitlets.config import Config

        self._document = nb_man.nb
        environment = os.environ | KERNEL_ENVIRONMENT | {CONTEXT_VARIABLE: self.context.to_json()}
        environment["POLARS_MAX_THREADS"] = str(self.context.n_threads)
        # Sockets of an ordinary kernel lie beside its connection file, whose path must be short.
        with tempfile.TemporaryDirectory(prefix="crmlab-") as sockets:
            ordinary = {
                "transport": "ipc" if os.name == "posix" else "tcp",
                "connection_file": str(Path(sockets, "kernel.json")),
            }
            self._client = PapermillNotebookClient(
                nb_man,
                kernel_name="python3",
                log=SILENT,
                timeout=self.timeout,
                startup_timeout=120,
                record_timing=False,
                coalesce_streams=True,
                # A finished kernel is ended at once: everything it leaves is a file already, and
                # asking it to stop costs time and now and then a complaint on the terminal.
                shutdown_kernel="immediate",
                on_cell_start=self._begin_cell,
                **(
                    {"kernel_manager_class": manager}
                    if manager
                    else {"config": Config({"KernelManager": ordinary})}
                ),
            )
            self._client.execute(env=environment, cwd=str(self.notebook.path.parent))

    def kill(self):
        """End the kernel at once, from another thread; `run` then returns."""
        self.is_killed = True
        provisioner = getattr(getattr(self._client, "km", None), "provisioner", None)
        kernel = getattr(provisioner, "kernel", None)
        if kernel is not None:  # a warm one, whose server also ends what the kernel started
            provisioner.parent.server.signal_kernel(kernel, signal.SIGKILL)
        elif pid := getattr(provisioner, "pid", None):
            with suppress(ProcessLookupError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def _begin_cell(self, cell, cell_index):  # noqa: ARG002 - names are nbclient's
        self._cell = cell_index + 1
        if self.is_killed:
            raise RuntimeError("the run was stopped")
        if self.on_cell is not None:
            self.on_cell(self._cell, len(self._document.cells))

    def _fail_at_cell(self, error):
        """Mark the cell that was running, as an error of its own would."""
        if self._document is None or not self._cell:
            return CellFailure(self.notebook.name, 1, "", error)
        from nbformat.v4 import new_output

        cell = self._document.cells[self._cell - 1]
        cell.outputs.append(new_output("error", ename="Stopped", evalue=error, traceback=[]))
        return CellFailure(self.notebook.name, self._cell, cell.source, error)

    def _keep(self):
        if self._document is None or self.is_killed:
            return  # of a run that was stopped nothing half done is kept
        import nbformat

        text = nbformat.writes(_without_clock(self._document))
        path = Path(self.context.output, "notebooks", self.notebook.path.name)
        write_whole(path, lambda p: p.write_text(text + "\n", encoding="utf-8", newline="\n"))


@cache
def import_papermill():
    """Import papermill, with the engine that lets an `Execution` run the cells.

    To be called before threads begin: Python 3.11 fails now and then where two of them look into
    source at once, as libraries do while they are imported.

    papermill checks notebooks by JSON schema, whose library builds a grammar of addresses (one
    second) where it finds one. No notebook has an address to check, so it is not to be found.
    """
    with IMPORTING, hidden("rfc3987_syntax"):
        import papermill
    from papermill.engines import Engine, papermill_engines

    class StudyEngine(Engine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, *, execution, manager, **_):  # noqa: ARG003
            execution.execute(nb_man, manager)

    papermill_engines.register("crmlab", StudyEngine)
    return papermill


def _without_clock(document):
    """Return an executed notebook without times, random names and places of this machine."""
    document.metadata.pop("papermill", None)
    for i, cell in enumerate(document.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        tags = cell.metadata.get("tags", ())
        if "injected-parameters" in tags or "papermill-error-cell-tag" in tags:
            cell.id = f"added-{i}"
    return document
