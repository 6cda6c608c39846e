"""What several test files share: the project's folder, real data, small projects to run."""

import gc
import json
import os
import shutil
from functools import partial
from pathlib import Path

# Before NumPy is imported: on a busy machine two threads wait for each other longer than they work.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import matplotlib  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from crmlab.imports import hidden  # noqa: E402

with hidden("rfc3987_syntax"):  # of which jsonschema would build a grammar, for two seconds
    import nbformat  # noqa: F401

matplotlib.use("agg")
# A deadline measures the machine's load, not the code.
settings.register_profile("crmlab", deadline=None, max_examples=25)
settings.load_profile("crmlab")

ROOT = Path(__file__).resolve().parents[1]


gc.disable()  # while modules are imported and tests gathered: all of that stays to the end


def pytest_collection_finish():
    """Have the garbage collector pass over what stays to the end: half a second each time."""
    gc.freeze()
    gc.enable()


def pytest_sessionfinish():
    """Let it see everything again: some libraries count at the end what they have not got back."""
    gc.unfreeze()


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


# That a notebook runs and says what it finds takes no precise intervals.
FEW_RESAMPLES = {
    "30_segmentation": {"n_resamples": 5},
    "31_customer_types": {"n_permutations": 99},
    "32_relationship_dynamics": {"n_starts": 2},
    "33_network_communities": {"n_runs": 2, "n_permutations": 99},
    "40_satisfaction_and_delivered_value": {"n_resamples": 100},
    "41_kano_and_priorities": {"n_resamples": 100},
    "42_satisfaction_index": {"n_resamples": 100, "n_permutations": 20, "n_folds": 2},
    "81_performance_evaluation": {"n_draws": 200},
}


@pytest.fixture(scope="session")
def tiny_project(tmp_path_factory):
    """A project whose study `tiny` has 300 simulated customers."""
    from crmlab.data.simulate import simulate_population

    folder = copy_project(tmp_path_factory.mktemp("tiny"))
    (folder / "population").mkdir()
    for name, table in simulate_population(300, seed=5).items():
        table.to_parquet(folder / "population" / f"{name}.parquet", index=False)
    study = {"title": {"en": "A tiny shop", "zh": "一家小店"}, "data": "../population", "seed": 5}
    text = json.dumps(study | {"parameters": FEW_RESAMPLES})
    (folder / "studies" / "tiny.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_outcome(tiny_project, kernels):
    """The outcome of running every notebook on 300 customers, once for all tests."""
    from crmlab.study.runner import run_study

    return run_study(tiny_project / "studies" / "tiny.yaml", kernels=kernels)


@pytest.fixture(scope="session")
def tiny_chinese(tiny_project, kernels, tmp_path_factory):
    """The folder of the tiny study run once more, in Chinese."""
    from crmlab.study.runner import run_study

    folder = tmp_path_factory.mktemp("zh") / "report"
    study = tiny_project / "studies" / "tiny.yaml"
    assert not run_study(study, language="zh", folder=folder, kernels=kernels).failures
    return folder


@pytest.fixture(scope="session")
def tiny_report(tiny_outcome):
    """The report folder of the tiny study."""
    from crmlab.report.pages import write_report

    write_report(tiny_outcome.folder)
    return tiny_outcome.folder


@pytest.fixture(scope="session")
def real_study(tmp_path_factory, kernels):
    """Run a study that ships, with few resamples, in a copy of the project."""
    from crmlab.study.runner import run_study

    folder = copy_project(tmp_path_factory.mktemp("real")) / "studies"
    options = {"parameters": FEW_RESAMPLES, "kernels": kernels}
    return lambda name, **more: run_study(folder / f"{name}.yaml", **options, **more)


# A project of a few cells: notebooks that run in a second, on three orders.

ORDERS = """order_id,customer_id,ordered_on,amount
1,a,2024-01-02,10
2,a,2024-02-03,20
3,b,2024-02-04,5
"""


def write_notebook(folder, name, code, *, needs=(), makes=(), optional=(), reads=(), parameters=""):
    """Write a notebook of a title in two languages, a parameters cell and one or more of code."""

    def cell(kind, source, *tags):
        body = {"cell_type": kind, "id": f"{kind}-{len(cells)}", "source": source}
        body["metadata"] = {"tags": list(tags)}
        cells.append(body | ({"outputs": [], "execution_count": None} if kind == "code" else {}))

    cells = []
    cell("markdown", f"# Title of {name}", "en")
    cell("markdown", f"# {name} 的标题", "zh")
    if parameters:
        cell("code", parameters, "parameters")
    for source in [code] if isinstance(code, str) else code:
        cell("code", source)
    contract = {"needs": list(needs), "makes": list(makes), "optional": list(optional)}
    contract["reads"] = list(reads)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    document = {
        "cells": cells,
        "metadata": {"crmlab": contract, "kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = folder / "notebooks" / f"{name}.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


COUNT = """
from crmlab.study import open_study
study = open_study("20_count")
orders = study.load("orders")
counts = orders.groupby("customer_id").size().rename("n").reset_index()
study.save("counts", counts)
study.say(en=f"{len(counts)} customers", zh=f"{len(counts)} 位客户")
study.publish(results={"n_customers": len(counts) * factor})
"""
SHARE = """
from crmlab.study import open_study
study = open_study("30_share")
counts = study.load("counts")
numbers = study.load("20_count")
study.publish(results={"n_customers": numbers["n_customers"]})
"""


@pytest.fixture(scope="session")
def kernels():
    """One server of warm kernels for the tests of a process."""
    from crmlab.study.runner import Kernels

    with Kernels() as kernels:
        yield kernels


# A server that imports no more than kernels do for the notebooks of `project`.
QUICK_SERVER = '''
from crmlab.study import kernel_server
modules = """
    IPython.core.completerlib IPython.core.debugger IPython.extensions.storemagic
    ipykernel.debugger ipykernel.ipkernel ipykernel.kernelapp matplotlib_inline.backend_inline
    sqlite3 tornado.platform.asyncio pyarrow.parquet crmlab.data.catalog crmlab.study
"""
kernel_server.list_modules = modules.split
kernel_server._rehearse = lambda: None
kernel_server.main()
'''


@pytest.fixture
def quick_server(monkeypatch):
    """What a server that is soon ready is started with; runs of this process start such servers."""
    program = ("-c", QUICK_SERVER)
    monkeypatch.setattr("crmlab.study.kernels.PROGRAM", program)
    return program


@pytest.fixture
def add_notebook(project):
    """Write one more notebook into the project."""
    return partial(write_notebook, project)


@pytest.fixture
def project(tmp_path):
    """A project with notebooks 20_count → 30_share and 40_ask, which needs a survey."""
    for name in ("notebooks", "studies", "shop"):
        (tmp_path / name).mkdir()
    (tmp_path / "shop" / "orders.csv").write_text(ORDERS, encoding="utf-8")
    (tmp_path / "studies" / "shop.yaml").write_text("title: A shop\ndata: ../shop\n", "utf-8")
    factor = "factor: int = 1  # factor / 倍数; ; 1..9"
    write_notebook(
        tmp_path, "20_count", COUNT, needs=["orders"], makes=["counts"], parameters=factor
    )
    write_notebook(tmp_path, "30_share", SHARE, needs=["counts", "20_count"])
    write_notebook(tmp_path, "40_ask", "pass", needs=["survey"])
    return tmp_path
