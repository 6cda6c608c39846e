"""What several test files share: the project's folder, real data, one small executed study."""

import os
import shutil
from pathlib import Path

import matplotlib
import pytest
from hypothesis import settings

matplotlib.use("agg")
# A deadline measures the machine's load, not the code.
settings.register_profile("crmlab", deadline=None)
settings.load_profile("crmlab")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def mirror():
    folder = os.environ.get("CRMLAB_MIRROR")
    if not folder:
        pytest.skip("CRMLAB_MIRROR names no folder of real data sets")
    return Path(folder)


def copy_project(folder):
    """Copy the project's notebooks and studies, so that a test's reports stay out of it."""
    for name in ("notebooks", "studies"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".*"))
    (folder / "data").symlink_to(ROOT / "data")
    return folder


@pytest.fixture(scope="session")
def tiny_project(tmp_path_factory):
    """A project whose study `tiny` has 300 simulated customers."""
    from crmlab.data.simulate import simulate_population

    folder = copy_project(tmp_path_factory.mktemp("tiny"))
    (folder / "population").mkdir()
    for name, table in simulate_population(300, seed=5).items():
        table.to_parquet(folder / "population" / f"{name}.parquet", index=False)
    study = "title: {en: A tiny shop, zh: 一家小店}\ndata: ../population\nseed: 5\n"
    (folder / "studies" / "tiny.yaml").write_text(study, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_outcome(tiny_project):
    """The outcome of running every notebook on 300 customers, once for all tests."""
    from crmlab.study.runner import run_study

    return run_study(tiny_project / "studies" / "tiny.yaml")


@pytest.fixture(scope="session")
def tiny_report(tiny_outcome):
    """The report folder of the tiny study."""
    from crmlab.study.report import write_report

    write_report(tiny_outcome.folder)
    return tiny_outcome.folder


@pytest.fixture(scope="session")
def real_project(tmp_path_factory):
    """A copy of the project for studies of real data."""
    return copy_project(tmp_path_factory.mktemp("real"))
