"""A run that is killed at any moment, and started again, ends as one that never was."""

import multiprocessing
import os
import random
import runpy
import subprocess
import sys
import time

import pytest

from crmlab.study.manifest import hash_files
from crmlab.study.runner import run_study

pytestmark = [
    pytest.mark.xdist_group("killed"),
    pytest.mark.skipif(os.name != "posix", reason="kill -9 is not to be had on this system"),
]

# Each in a part of its own of the run's time: as dense as twice as many that fall where they will.
N_KILLS = 10
QUICK_RUN = """
from crmlab.study import kernels, runner
kernels.PROGRAM = {server!r}
runner.run_study({study!r}, fresh=True)
"""
# Done once for all runs: a kill while Python imports tells nothing.
IMPORTS = [
    "papermill",
    "pandera.pandas",
    "pyarrow.parquet",
    "crmlab.data.adapters",
    "crmlab.data.catalog",
    "crmlab.data.loaders",
    "crmlab.study.execution",
    "crmlab.study.provisioner",
    "crmlab.study.runner",
]
RUN = """
import sys
from crmlab.study.runner import run_study
run_study(sys.argv[1], fresh=True)
"""


def made(folder):
    """Return the hashes of all that a report folder shows, its clock apart."""
    apart = ("manifest.json", ".lock")
    return {name: sha256 for name, sha256 in hash_files(folder).items() if name not in apart}


def test_run_killed_at_random_moments_ends_in_the_same_bytes(project, quick_server):
    study = project / "studies" / "shop.yaml"
    folder = project / "reports" / "shop"
    script = project / "run.py"
    script.write_text(QUICK_RUN.format(server=quick_server, study=str(study)), encoding="utf-8")
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(IMPORTS)

    def run(seconds=None):
        process = forks.Process(target=runpy.run_path, args=[str(script)])
        process.start()
        process.join(timeout=seconds)
        process.kill()
        process.join()
        return process.exitcode

    assert run() == 0
    expected = made(folder)
    began = time.monotonic()
    assert run() == 0
    whole = time.monotonic() - began
    moments = random.Random(3)  # noqa: S311 - any moments will do, the same ones each time
    for part in range(N_KILLS):
        moment = 0.15 + 0.85 * (part + moments.random()) / N_KILLS
        while run(whole * moment) == 0:  # it was quicker this time
            moment *= 0.9
    run_study(study)
    assert made(folder) == expected


def test_killed_run_leaves_no_process(project):
    study = project / "studies" / "shop.yaml"
    process = subprocess.Popen([sys.executable, "-c", RUN, str(study)])
    for _ in range(600):
        if list((project / "reports").glob("shop/.work/*/20_count")):
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    place = str(project).encode()
    for _ in range(100):
        left = [pid for pid in os.listdir("/proc") if pid.isdigit() and _belongs(pid, place)]
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(f"still running: {left}")


def _belongs(pid, place):
    """Return whether a process works for a run in a folder: it is there, or was told of it."""
    try:
        where = os.readlink(f"/proc/{pid}/cwd").encode()
        with open(f"/proc/{pid}/environ", "rb") as environment:
            return pid != str(os.getpid()) and place in where + environment.read()
    except OSError:
        return False
