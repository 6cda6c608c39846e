"""Who runs the points of a sweep: threads of this process, or the workers of a Dask cluster.

Both run `run_point`. All runs of one sweep in one process share one set of warm kernels.
"""

import os
import threading
import time
from concurrent.futures import Future, wait
from importlib import metadata

from crmlab import __version__
from crmlab.study.configuration import StudyError
from crmlab.study.runner import Kernels, run_study

__all__ = ["ClusterWorkers", "LocalWorkers", "run_point"]

SECONDS_TO_STOP = 5
SECONDS_TO_ANSWER = 10


def run_point(task, *, kernels, on_progress=None):
    """Run a study at one point and say what it came to, as plain values.

    Parameters
    ----------
    task : dict
        `study`, `folder`, `parameters`, `seed` and `jobs`, as `run_study` takes them.
    kernels : Kernels
        Shared with other runs of this process.
    on_progress : callable or None
        As for `run_study`.

    Returns
    -------
    dict
        The fields of a `PointOutcome`.
    """
    began = time.perf_counter()
    try:
        outcome = run_study(
            task["study"],
            parameters=task["parameters"],
            seed=task["seed"],
            jobs=task["jobs"],
            folder=task["folder"],
            kernels=kernels,
            on_progress=on_progress,
        )
    except (ValueError, OSError) as error:
        return {"state": "failed", "error": str(error)}
    states = list(outcome.states.values())
    errors = [f"{f.notebook} stopped at cell {f.cell}: {f.error}" for f in outcome.failures]
    state = "interrupted" if outcome.is_interrupted else "failed" if errors else "done"
    return {
        "state": state,
        "error": "; ".join(errors),
        "seconds": round(time.perf_counter() - began, 2),
        "n_run": states.count("done"),
        "n_unchanged": states.count("unchanged"),
    }


class LocalWorkers:
    """Threads of this process, one for each point that runs, over one server of warm kernels."""

    def __init__(self, n_kernels):
        self.slots = n_kernels
        self._stop = threading.Event()
        self._kernels = Kernels()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._kernels.close()

    def share(self, n_points):
        """Return how many kernels a point may have when so many run."""
        return max(1, self.slots // max(1, n_points))

    def submit(self, task, watch):
        """Begin a point in a thread, and return its future; `watch` is told of its notebooks."""
        future = Future()
        future.set_running_or_notify_cancel()
        threading.Thread(target=self._run, args=(task, watch, future), daemon=True).start()
        return future

    def stop(self, futures):
        """End the points that run, and wait for it a moment."""
        self._stop.set()
        self._kernels.close()
        wait(futures, timeout=SECONDS_TO_STOP)

    def _run(self, task, watch, future):
        def heed(*words):
            if self._stop.is_set():
                raise KeyboardInterrupt  # to the run it is as if it came from the terminal
            watch(*words)

        try:
            done = run_point(task, kernels=self._kernels, on_progress=heed)
        except BaseException as error:  # handed to the thread that waits
            future.set_exception(error)
        else:
            future.set_result(done)


class ClusterWorkers:
    """The workers of an existing Dask cluster, reached through `distributed`'s executor."""

    def __init__(self, address, root):
        self._address, self._root = address, root
        self._client = None

    def __enter__(self):
        self._client = _connect(self._address)
        try:
            self._examine()
        except BaseException:
            self._client.close()
            raise
        self._executor = self._client.get_executor(pure=False)
        self._sweep = f"{os.getpid()}-{time.monotonic_ns()}"
        return self

    def __exit__(self, *_):
        self._client.run(_end_sweep, self._sweep, on_error="ignore")
        self._client.close()

    @property
    def slots(self):
        """How many points the cluster runs at once: the threads of its workers."""
        return max(1, sum(self._client.nthreads().values()))

    def share(self, n_points):  # noqa: ARG002 - as LocalWorkers
        """Return 1: a worker has as many threads as it wants kernels."""
        return 1

    def submit(self, task, watch):  # noqa: ARG002 - a worker tells nothing on the way
        """Hand a point to the cluster, and return its future."""
        return self._executor.submit(_run_on_worker, task, self._sweep)

    def stop(self, futures):
        """Take back the points that no worker has begun; the others end on their own."""
        for future in futures:
            future.cancel()

    def _examine(self):
        """Refuse a cluster whose workers lack crmlab, have another, or do not see the project."""
        if not self._client.nthreads():
            raise StudyError(
                f"the Dask cluster at {self._address} has no workers: start one with "
                f"`dask worker {self._address}`"
            )
        found = self._client.run(metadata.version, "crmlab", on_error="return")
        for worker, version in found.items():
            if version != __version__:
                said = "no crmlab" if isinstance(version, Exception) else f"crmlab {version}"
                raise StudyError(
                    f"the Dask worker {worker} has {said}; install crmlab {__version__} "
                    "where it runs"
                )
        folder = str(self._root / "notebooks")
        for worker, is_there in self._client.run(os.path.isdir, folder).items():
            if not is_there:
                raise StudyError(
                    f"the Dask worker {worker} does not see {folder}: the project must lie in a "
                    "folder that every worker shares, under the same path"
                )


def _connect(address):
    try:
        from distributed import Client
    except ImportError as error:
        raise StudyError(
            "a sweep on a Dask cluster needs the package distributed: `pip install 'crmlab[dask]'`"
        ) from error
    try:
        return Client(address, timeout=SECONDS_TO_ANSWER)
    except (OSError, ValueError) as error:
        raise StudyError(
            f"no Dask scheduler answers at {address} ({error}); it is started with "
            "`dask scheduler`, which prints the address to give here"
        ) from error


# What runs in a worker's process. A server of kernels holds the program as it was at its start, so
# that each sweep has its own, which ends when no point uses it and another sweep comes or this one
# is over.
_shared = {}  # sweep: [its kernels, the points that use them]
_sharing = threading.Lock()


def _run_on_worker(task, sweep):
    with _sharing:
        _close_unused(lambda other: other != sweep)
        share = _shared.setdefault(sweep, [Kernels(), 0])
        share[1] += 1
    try:
        return run_point(task, kernels=share[0])
    finally:
        with _sharing:
            share[1] -= 1


def _end_sweep(sweep):
    with _sharing:
        _close_unused(lambda other: other == sweep)


def _close_unused(is_over):
    for sweep, (kernels, n_points) in list(_shared.items()):
        if not n_points and is_over(sweep):
            kernels.close()
            del _shared[sweep]
