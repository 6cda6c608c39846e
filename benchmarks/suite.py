"""How fast the whole suite runs on the sample, against plain papermill, notebook after notebook.

Both run in a fresh copy of the project, from nothing; ours also writes the report. The peer starts
once and executes all notebooks in order, so that it pays for papermill's own import only once.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from crmlab.study.manifest import hash_files

ROOT = Path(__file__).resolve().parents[1]
PLAIN = """
import sys
from pathlib import Path
import papermill
for notebook in sys.argv[1:]:
    papermill.execute_notebook(
        notebook, f"plain/{Path(notebook).name}", cwd="notebooks", progress_bar=False
    )
"""
TARGET = 0.3


def copy_project(folder):
    """Copy what a run needs into an empty folder."""
    for name in ("notebooks", "studies", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".*"))
    (folder / "plain").mkdir()
    return folder


def run_suite(folder):
    """Return the seconds that `crmlab run` takes in a project's folder."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "crmlab", "run"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure():
    """Return the ratio of `crmlab run` to plain papermill, and its target."""
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        folder = copy_project(Path(ours))
        seconds = run_suite(folder)
        plain = copy_project(Path(theirs))
        # Two-digit numbers are in an order that respects what each notebook needs.
        notebooks = sorted(str(path) for path in Path(plain, "notebooks").glob("*.ipynb"))
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", PLAIN, *notebooks], cwd=plain, check=True)
        peer = time.perf_counter() - began
        made = hash_files(folder / "reports" / "sample" / "results")
        if made != hash_files(plain / "reports" / "sample-by-hand" / "results"):
            raise AssertionError("the two runs do not agree")
    print(f"crmlab run        {seconds:.1f} s, with the report")
    print(f"plain papermill   {peer:.1f} s, {len(notebooks)} notebooks")
    return seconds / peer, TARGET
