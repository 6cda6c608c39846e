"""The process that forks warm kernels: it imports what notebooks import, once, and then waits.

Started by `crmlab.study.kernels.KernelServer` as `python -m crmlab.study.kernel_server FD`; FD is
one end of a socket pair. Both sides write one JSON object a line: the runner asks for forks and
signals; the server tells when it is ready, each kernel's process id, and each kernel's exit code.

Three rules hold throughout. The server has one thread when it forks: a fork copies only the thread
that calls it, and what another one had locked would stay locked. It reads no data and keeps no
random numbers for kernels to inherit. It ends when the runner does, however that ended, and its
kernels with it.
"""

import builtins
import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

__all__ = ["LIBRARIES", "list_modules", "main"]

# What notebooks import, and what these import in turn when a notebook first calls them. Polars
# stays out: it starts a thread when it is imported.
LIBRARIES = (
    "numpy",
    "pandas",
    "pandas.io.formats.style",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.metrics",
    "sklearn.mixture",
    "sklearn.preprocessing",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "seaborn",
    "yaml",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "sqlite3",
    "tornado.platform.asyncio",
    "crmlab.study.notebooks",
)
# Areas for the runner, the report and the command line.
NOT_FOR_NOTEBOOKS = ("crmlab.cli", "crmlab.report", "crmlab.study", "crmlab.teaching")
SIGNALS = (signal.SIGCHLD, signal.SIGTERM)
SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux


def main():
    """Import, tell the runner, and fork kernels until the runner's end of the socket closes."""
    if not sys.flags.safe_path:
        del sys.path[0]  # the working folder, which each kernel puts there for itself
    server = _Server(socket.socket(fileno=int(sys.argv[1])))
    given = set(os.environ)
    gc.disable()  # a sixth of the time: what is imported stays
    with _as_in_a_kernel():
        for name in list_modules():
            with contextlib.suppress(Exception):  # the notebook that needs it will say so
                importlib.import_module(name)
            if server.is_deserted():
                return
    with contextlib.suppress(Exception):
        _rehearse()
    threads = _list_threads()
    if len(threads) > 1:
        words = f"forking is not safe while a library runs threads: {', '.join(threads)}"
        print(words, file=sys.stderr, flush=True)
        os._exit(1)  # an ordinary end would wait for them
    gc.collect()
    gc.freeze()  # kernels share these pages until one of them writes there
    gc.enable()
    pid = os.getpid()
    kernel = server.serve()
    if kernel is not None:
        # Variables that libraries set when they are imported belong to a kernel's environment too.
        imported = {name: value for name, value in os.environ.items() if name not in given}
        _run_kernel(pid, **kernel | {"env": imported | kernel["env"]})


def list_modules():
    """Return the names of the modules to import: the libraries', then those of every area."""
    import crmlab

    root = Path(crmlab.__file__).parent
    files = (path.relative_to(root.parent).with_suffix("") for path in sorted(root.rglob("*.py")))
    names = (
        ".".join(file.parts).removesuffix(".__init__") for file in files if file.name != "__main__"
    )
    return [*LIBRARIES, *(name for name in names if not name.startswith(NOT_FOR_NOTEBOOKS))]


@contextlib.contextmanager
def _as_in_a_kernel():
    """Show libraries a shell that has a kernel: by it pandas chooses how wide it prints."""
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)
    try:
        yield
    finally:
        del builtins.get_ipython


def _rehearse():
    """Do once what is slow the first time: draw a figure.

    Measured: 0.1 s of each kernel that draws. A first fit would save 0.03 s, and leave the
    numerical libraries' state for kernels to inherit.
    """
    import pandas as pd
    import seaborn as sns
    from matplotlib.figure import Figure

    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [2.0, 1.0]})
    # Without pyplot, which would choose its backend here, where no shell shows figures.
    figure = Figure(layout="constrained")
    axes = sns.lineplot(frame, x="x", y="y", label="y", ax=figure.subplots())
    axes.set_title("A title")
    for kind in ("svg", "png"):
        figure.savefig(io.BytesIO(), format=kind)


class _Server:
    """The runner's requests, and the kernels forked for them."""

    def __init__(self, channel):
        self._pid = os.getpid()
        self._channel = channel
        self._unread = b""
        self._kernels = set()

    def is_deserted(self):
        """Return whether the runner has gone."""
        readable, _, _ = select.select([self._channel], [], [], 0)
        return bool(readable) and not self._channel.recv(1, socket.MSG_PEEK)

    def serve(self):
        """Serve until the runner goes, then return None; in a fork, return what kernel to be."""
        self._listen_to_signals()
        folder = tempfile.mkdtemp(prefix="crmlab-")
        try:
            self._tell(folder=folder)
            for request in self._requests():
                if request["do"] == "signal":
                    self._signal(request["pid"], request["signal"])
                elif self._fork(request["id"]) == 0:
                    return request["kernel"]
        except (BrokenPipeError, ConnectionResetError):
            pass  # the runner has gone
        finally:
            if os.getpid() == self._pid:
                self._end()
                shutil.rmtree(folder, ignore_errors=True)
        return None

    def _listen_to_signals(self):
        """Have signals arrive as bytes: a kernel has ended, or the server shall."""
        self._alarm, self._bell = socket.socketpair()
        for end in (self._alarm, self._bell):
            end.setblocking(False)
        signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)

    def _requests(self):
        poller = select.poll()
        poller.register(self._channel, select.POLLIN)
        poller.register(self._alarm, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poller.poll()}
            if self._alarm.fileno() in ready:
                signals = self._alarm.recv(4096)
                self._reap()
                if signal.SIGTERM in signals:
                    return
            if self._channel.fileno() in ready:
                data = self._channel.recv(1 << 16)
                if not data:
                    return
                *lines, self._unread = (self._unread + data).split(b"\n")
                yield from map(json.loads, lines)

    def _fork(self, number):
        # Else a signal for a kernel just forked would ring the server's bell, open in both.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            pid = os.fork()
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            self._tell(id=number, error=f"the system forks no more kernels: {error}")
            return None
        if pid == 0:
            self._leave()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        if pid:
            self._kernels.add(pid)
            self._tell(id=number, pid=pid)
        return pid

    def _leave(self):
        """Make the forked process its own, with nothing of the server's open or in force."""
        os.setsid()
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != self._pid:  # it died before that
            os._exit(1)
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for end in (self._channel, self._alarm, self._bell):
            end.close()

    def _signal(self, pid, number):
        """Signal a kernel and what it started, as an ordinary kernel's manager does."""
        if pid in self._kernels:
            try:
                os.killpg(pid, number)
            except ProcessLookupError:  # not a group of its own yet
                os.kill(pid, number)

    def _reap(self):
        for pid in list(self._kernels):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._kernels.remove(pid)
                self._tell(ended=pid, exit_code=os.waitstatus_to_exitcode(status))

    def _tell(self, **message):
        self._channel.sendall(json.dumps(message).encode() + b"\n")

    def _end(self):
        for pid in self._kernels:
            self._signal(pid, signal.SIGKILL)
        for pid in self._kernels:
            os.waitpid(pid, 0)


def _list_threads():
    """Return the names of this process's threads, those unknown to Python included."""
    tasks = "/proc/self/task"
    names = []
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/comm", encoding="utf-8") as file:
            names.append(file.read().strip())
    return names


def _run_kernel(server, argv, env, cwd):
    """Be a kernel, as `python -m ipykernel_launcher` would in a process of its own."""
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp
    from matplotlib_inline import backend_inline

    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    sys.argv = argv
    np.random.seed()  # noqa: NPY002 - else the forks would share it; Python's own is seeded anew
    # The kernel watches the parent it is told of, and says nothing of Ctrl-C.
    app = IPKernelApp.instance(parent_handle=server)
    app.initialize()
    # Its import tells the shell to show figures, and in the server there was no shell.
    importlib.reload(backend_inline)
    app.start()


if __name__ == "__main__":
    main()
