"""Warm kernels: kernels forked from one process in which the imports are already done.

Who asks: the runner. An ordinary kernel spends seconds on its start and its notebook's imports,
where the work itself takes one. A `KernelServer` is the runner's side of the process that forks
(`crmlab.study.kernel_server`); its `manager_class` is what papermill and nbclient are given
(`crmlab.study.provisioner`).
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

__all__ = ["KERNEL_ENVIRONMENT", "KernelServer", "KernelServerError", "WarmKernel", "can_fork"]

# One thread in the numerical libraries: sums taken in another order differ in the last digit,
# and a study promises the same bytes whatever the number of cores.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
PROGRAM = ("-m", "crmlab.study.kernel_server")
SERVER_ENVIRONMENT = {
    **KERNEL_ENVIRONMENT,
    # Arrow's allocator would start a thread of its own, and a process that forks has only one.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # As a kernel's streams have it; pandas looks at it when it is imported.
    "PYTHONIOENCODING": "UTF-8",
    # Else the debugger of ipykernel remarks on Python's own modules.
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
# What ipykernel sets before a notebook imports matplotlib.
INLINE = "module://matplotlib_inline.backend_inline"


class KernelServerError(RuntimeError):
    """Warm kernels are not to be had: the server did not start, may not fork, or has ended."""


def can_fork():
    """Return whether warm kernels can be had on this system.

    On Linux only: Windows has no fork, and on macOS the system's own libraries (Accelerate, which
    NumPy calls, is one) may fail in a process forked after their first use.
    """
    return sys.platform == "linux"


def _new_future():
    """Return a future that no waiter can cancel: the answer comes all the same."""
    future = Future()
    future.set_running_or_notify_cancel()
    return future


@dataclass(frozen=True)
class WarmKernel:
    """A forked kernel: its process id, and a future of its exit code, -n if signal n ended it."""

    pid: int
    ended: Future = field(default_factory=_new_future)


class KernelServer:
    """The process that forks kernels, seen from the runner.

    Use it as a context manager. Starting takes no time: the imports go on beside the runner, and
    the first kernel waits for their end. Any thread may ask for kernels.

    Attributes
    ----------
    ready : concurrent.futures.Future of str
        Done when kernels can be forked: the folder of their sockets. A KernelServerError if the
        server did not start, or may not fork because a library has started threads in it; asking
        for a kernel then ends in the same error.

    Notes
    -----
    A kernel has its own environment, but what Python and the libraries read when they start
    (PYTHONPATH, PYTHONHASHSEED, OMP_NUM_THREADS, MPLBACKEND) is as it was for the server: that of
    the process that started it, with KERNEL_ENVIRONMENT.

    Examples
    --------
    >>> with KernelServer() as server:  # doctest: +SKIP
    ...     papermill.execute_notebook(source, target, kernel_manager_class=server.manager_class)
    """

    def __init__(self):
        self.ready = _new_future()
        self._process = None
        self._error = None
        self._kernels = {}
        self._asked = {}
        self._numbers = count(1)
        self._lock = threading.Lock()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    @cached_property
    def manager_class(self):
        """A kernel manager for papermill and nbclient, whose kernels are forked here."""
        from crmlab.study.provisioner import WarmKernelManager

        return type("WarmKernelManager", (WarmKernelManager,), {"server": self})

    def start(self):
        """Start the process and return at once; whoever asks for a kernel hears of a failure."""
        backend = os.environ.get("MPLBACKEND") or INLINE
        self._channel, theirs = socket.socketpair()
        try:
            # What it and its kernels say to no notebook; open as long as it runs.
            self._said = tempfile.TemporaryFile()  # noqa: SIM115
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, *PROGRAM, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=[theirs.fileno()],
                cwd=os.sep,  # no file of the runner's folder hides a library
                env={**os.environ, "MPLBACKEND": backend, **SERVER_ENVIRONMENT},
                start_new_session=True,  # a Ctrl-C at the terminal is the runner's alone
            )
        except OSError as error:
            self._channel.close()
            self._fail(f"their server did not start: {error}")
            return
        finally:
            theirs.close()
        self._listener = threading.Thread(target=self._listen, name="kernel server", daemon=True)
        self._listener.start()

    def close(self):
        """End the server, and its kernels with it."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)
        if not self.ready.done():
            process.terminate()  # it would look up from its imports only now and then
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._listener.join()
        self._channel.close()
        self._said.close()
        if self.ready.exception() is None:  # the server removes it, unless it was killed
            shutil.rmtree(self.ready.result(), ignore_errors=True)

    def fork_kernel(self, argv, *, env, cwd):
        """Ask for a kernel.

        Parameters
        ----------
        argv : list of str
            Its `sys.argv`.
        env : dict of str to str
            Its whole environment.
        cwd : str
            Its working folder, from the root.

        Returns
        -------
        concurrent.futures.Future of WarmKernel
            A KernelServerError if the server cannot, or has ended.
        """
        asked = _new_future()
        with self._lock:
            if self._error is not None:
                asked.set_exception(self._error)
                return asked
            number = next(self._numbers)
            self._asked[number] = asked
            kernel = {"argv": argv, "env": env, "cwd": cwd}
            self._send(id=number, do="fork", kernel=kernel)
        return asked

    def signal_kernel(self, kernel, number):
        """Send a signal to a kernel and to what it started; one that has ended gets none.

        The server sends it, which knows whether the process id is still the kernel's.
        """
        with self._lock:
            self._send(do="signal", pid=kernel.pid, signal=int(number))

    def _send(self, **request):
        with contextlib.suppress(OSError):  # the listener tells of a server that has ended
            self._channel.sendall(json.dumps(request).encode() + b"\n")

    def _listen(self):
        try:
            # A server that is killed may leave half a line.
            with self._channel.makefile("rb") as lines, contextlib.suppress(OSError, ValueError):
                for line in lines:
                    self._hear(json.loads(line))
        finally:
            self._mourn()

    def _hear(self, message):
        match message:
            case {"folder": folder}:
                self.ready.set_result(folder)
            case {"id": number, "pid": pid}:
                self._kernels[pid] = kernel = WarmKernel(pid)
                self._asked.pop(number).set_result(kernel)
            case {"id": number, "error": error}:
                self._asked.pop(number).set_exception(KernelServerError(error))
            case {"ended": pid, "exit_code": code}:
                self._kernels.pop(pid).ended.set_result(code)

    def _mourn(self):
        """Tell all who wait that the server has ended, and its kernels with it."""
        self._fail(self._say_why())
        for kernel in self._kernels.values():
            kernel.ended.set_result(-signal.SIGKILL)

    def _fail(self, why):
        with self._lock:
            self._error = KernelServerError(f"no more warm kernels: {why}")
            left = [*self._asked.values(), *([] if self.ready.done() else [self.ready])]
        for future in left:
            future.set_exception(self._error)

    def _say_why(self):
        if self._process is None:
            return "their server was closed"
        if self.ready.done():
            return "their server has died"
        size = os.fstat(self._said.fileno()).st_size
        said = os.pread(self._said.fileno(), 2000, max(0, size - 2000))
        lines = [line for line in said.decode(errors="replace").split("\n") if line.strip()]
        return f"their server did not start: {lines[-1] if lines else 'it was killed'}"
