"""How fast the suite runs on the sample when nothing has changed, against the run before."""

import statistics
import tempfile
from pathlib import Path

from benchmarks.suite import copy_project, run_suite

RUNS = 5
TARGET = 0.05


def measure():
    """Return the ratio of a run with nothing to do to a full run, and its target."""
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder))
        full = run_suite(project)
        again = statistics.median(run_suite(project) for _ in range(RUNS))
    print(f"full run          {full:.2f} s")
    print(f"nothing changed   {again:.2f} s, median of {RUNS}")
    return again / full, TARGET
