import json
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from crmlab.report.sweep_page import write_sweep
from crmlab.study import sweep_workers
from crmlab.study.configuration import StudyError
from crmlab.study.manifest import hash_files, read_manifest
from crmlab.study.runner import lock_folder, run_study
from crmlab.study.sweep import run_sweep
from crmlab.study.sweep_table import (
    check_results,
    choose_results,
    gather_numbers,
    list_points,
    measure_ranges,
    write_tables,
)

pytestmark = pytest.mark.xdist_group("sweep")

PAIR = "parameters: {20_count: {factor: [2, 3]}}\n"
GRID = "seed: [1, 2]\nparameters: {20_count: {factor: [2, 3]}}\n"
LIMIT = "limit: int = 1  # limit / 上限; ; 1..9"
VARY = """
from crmlab.study import open_study
study = open_study("25_vary")
if limit == 2:
    raise RuntimeError("no such market")
study.publish(results={"n_segments": limit}, headline=["n_segments"])
"""


@pytest.fixture(autouse=True)
def one_server(kernels, monkeypatch):
    """Let every sweep of these tests take its kernels from one server."""
    shared = SimpleNamespace(start=kernels.start, run=kernels.run, close=lambda: None)
    monkeypatch.setattr(sweep_workers, "Kernels", lambda: shared)


@pytest.fixture
def shop(project):
    return project / "studies" / "shop.yaml"


@pytest.fixture
def sweep(shop):
    """Sweep the shop over a grid given as text."""

    def run(text=GRID, *, name="grid", **options):
        path = shop.parents[1] / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return run_sweep(shop, path, jobs=2, **options)

    return run


def draw(panels, result, *, words, x_unit):
    """Draw what a page needs to be given, and remember it."""
    import matplotlib.pyplot as plt

    draw.seen.append((result, panels, words, x_unit))
    return plt.figure()


draw.seen = []


def counts(found):
    return {name: (o.state, o.n_run, o.n_unchanged) for name, o in found.outcomes.items()}


def test_every_point_is_a_report_of_its_own_and_its_numbers_stand_in_one_table(sweep, shop):
    told = []
    found = sweep(on_progress=lambda *words: told.append(words))
    assert found.folder == shop.parents[1] / "reports" / "shop" / "sweeps" / "grid"
    assert set(counts(found).values()) == {("done", 2, 0)}
    assert read_manifest(found.folder / "factor=3,seed=2")["study"]["seed"] == 2
    table = gather_numbers(found)
    columns = ["point", "factor", "seed", "notebook", "result", "value", "unit"]
    assert list(table.columns) == columns
    assert len(table) == 4 * 2
    assert (table["value"] == 2 * table["factor"]).all()  # two customers times the factor
    assert [words[1] for words in told].count("done") == 4
    assert ("factor=2,seed=1", "running", "2/2") in told


def test_points_run_once_what_they_have_in_common(sweep, add_notebook):
    add_notebook("25_vary", VARY, needs=["counts"], parameters=LIMIT)
    found = sweep("parameters: {25_vary: {limit: [1, 3, 4]}}\n")
    assert counts(found) == {
        "limit=1": ("done", 3, 0),
        "limit=3": ("done", 1, 2),
        "limit=4": ("done", 1, 2),
    }
    assert found.affected() == ["25_vary"]


def test_point_with_the_studys_own_values_takes_over_its_report_and_leaves_it(sweep, shop, kernels):
    report = run_study(shop, kernels=kernels).folder
    before = hash_files(report)
    found = sweep("parameters: {20_count: {factor: [1, 2]}}\n")
    assert counts(found) == {"factor=1": ("done", 0, 2), "factor=2": ("done", 2, 0)}
    after = hash_files(report)
    assert {name: after[name] for name in before} == before
    assert all(name.startswith("sweeps/") for name in after.keys() - before.keys())
    again = run_study(shop, kernels=kernels)
    assert set(again.states.values()) == {"unchanged", "left out"}
    assert (found.folder / "factor=2" / "manifest.json").exists()


def test_point_is_the_run_of_the_study_with_its_values(sweep, shop, kernels, tmp_path):
    point = sweep().folder / "factor=2,seed=2"
    alone = run_study(
        shop, parameters={"20_count": {"factor": 2}}, seed=2, folder=tmp_path / "x", kernels=kernels
    )
    left = {name: sha for name, sha in hash_files(alone.folder).items() if "/" in name}
    assert left
    assert {name: sha for name, sha in hash_files(point).items() if "/" in name} == left


def test_failed_point_is_recorded_and_the_others_go_on(sweep, add_notebook):
    add_notebook("25_vary", VARY, needs=["counts"], parameters=LIMIT)
    found = sweep("parameters: {25_vary: {limit: [1, 2, 3]}}\n")
    assert [outcome.state for outcome in found.outcomes.values()] == ["done", "failed", "done"]
    error = found.outcomes["limit=2"].error
    assert error == "25_vary stopped at cell 5: RuntimeError: no such market"
    table = gather_numbers(found)
    points = list_points(found, table).set_index("point")
    assert points.loc["limit=2", "error"] == error
    assert points.loc["limit=2", "20_count.n_customers"] == 2
    assert points["25_vary.n_segments"].to_list()[::2] == [1, 3]
    assert points["25_vary.n_segments"].isna().to_list() == [False, True, False]
    add_notebook("25_vary", VARY.replace("== 2", "== 9"), needs=["counts"], parameters=LIMIT)
    assert set(counts(sweep("parameters: {25_vary: {limit: [1, 2, 3]}}\n")).values()) == {
        ("done", 1, 2)
    }


def test_interrupted_sweep_goes_on_from_what_was_finished(sweep):
    def interrupt(_, state, __):
        if state == "done":
            raise KeyboardInterrupt

    found = sweep("parameters: {20_count: {factor: [2, 3, 4, 5]}}\n", on_progress=interrupt)
    assert found.is_interrupted
    states = [outcome.state for outcome in found.outcomes.values()]
    assert "done" in states
    assert "not reached" in states
    assert set(gather_numbers(found)["point"]) == {
        name for name, outcome in found.outcomes.items() if outcome.state == "done"
    }
    again = sweep("parameters: {20_count: {factor: [2, 3, 4, 5]}}\n")
    assert {outcome.state for outcome in again.outcomes.values()} == {"done"}
    first = states.index("done")
    assert list(counts(again).values())[first] == ("done", 0, 2)


def test_grid_may_grow_and_keeps_its_points(sweep):
    sweep("parameters: {20_count: {factor: [2]}}\n")
    found = sweep("parameters: {20_count: {factor: [1, 2]}}\n")
    assert counts(found) == {"factor=1": ("done", 2, 0), "factor=2": ("done", 0, 2)}


def test_changed_notebook_is_run_once_for_all_points_that_share_it(sweep, add_notebook):
    text = "parameters: {25_vary: {limit: [1, 3]}}\n"
    add_notebook("25_vary", VARY, needs=["counts"], parameters=LIMIT)
    sweep(text)
    shared = 'study.publish(results={"n_customers": 5})'
    opened = 'from crmlab.study import open_study\nstudy = open_study("30_share")\n'
    add_notebook("30_share", opened + shared, needs=["counts", "20_count"])
    assert counts(sweep(text)) == {"limit=1": ("done", 1, 2), "limit=3": ("done", 0, 3)}


def test_parameter_of_a_notebook_that_the_study_leaves_out_is_refused(sweep, shop, add_notebook):
    add_notebook("40_ask", "pass", needs=["survey"], parameters=LIMIT)
    with pytest.raises(StudyError, match=r"varies limit of 40_ask.*has no table “survey”"):
        sweep("parameters: {40_ask: {limit: [1, 2]}}\n")
    assert not (shop.parents[1] / "reports").exists()


def test_two_sweeps_of_one_grid_at_once_are_refused(sweep, shop):
    folder = shop.parents[1] / "reports" / "shop" / "sweeps" / "grid"
    folder.mkdir(parents=True)
    with lock_folder(folder), pytest.raises(StudyError, match="another run is at work in"):
        sweep()


def test_tables_are_tidy_and_wide_and_ranges_say_the_smallest_the_largest_and_where(sweep):
    found = sweep(PAIR)
    table = gather_numbers(found)
    write_tables(found, table)
    pd.testing.assert_frame_equal(pd.read_parquet(found.folder / "sweep.parquet"), table)
    assert len(pd.read_csv(found.folder / "sweep.csv")) == 4
    points = pd.read_csv(found.folder / "points.csv")
    assert points["20_count.n_customers"].to_list() == [4, 6]
    assert points["state"].to_list() == ["done"] * 2
    row = measure_ranges(table).set_index("notebook").loc["20_count"]
    assert (row["smallest"], row["at_smallest"]) == (4, "factor=2")
    assert (row["largest"], row["at_largest"]) == (6, "factor=3")
    assert row["relative_range"] == pytest.approx(2 / 5)


def test_headline_numbers_that_moved_are_drawn_unless_others_are_asked_for(sweep, add_notebook):
    add_notebook("25_vary", VARY, needs=["counts"], parameters=LIMIT)
    found = sweep("parameters: {25_vary: {limit: [1, 3]}}\n")
    table = gather_numbers(found)
    assert choose_results(found, table) == [("25_vary", "n_segments")]
    still = table.assign(value=table["value"].where(table["notebook"] != "25_vary", 1))
    assert choose_results(found, still) == []
    other = still.assign(value=[*still["value"][:-1], 7])  # of 30_share, at the last point
    assert choose_results(found, other) == [("30_share", "n_customers")]
    both = [("20_count", "n_customers"), ("30_share", "n_customers")]
    assert choose_results(found, table, ["n_customers"]) == both
    assert choose_results(found, table, ["30_share.n_customers"]) == both[1:]
    with pytest.raises(StudyError, match="no point of this sweep has published 'gini'"):
        choose_results(found, table, ["gini"])


def test_unknown_result_is_refused_before_anything_runs():
    check_results(["gini", "20_customer_value.gini"])
    with pytest.raises(StudyError, match="no result is called 'ginni'; did you mean 'gini'"):
        check_results(["ginni"])


def test_page_shows_what_moved_in_either_language(sweep):
    found = sweep()
    table = gather_numbers(found)
    (found.folder / "figures").mkdir()
    (found.folder / "figures" / "old.svg").write_text("<svg/>")
    for language, axis in (("zh", "倍数（factor）"), ("en", "Factor (factor)")):
        draw.seen.clear()
        html = write_sweep(found, table, draw=draw, language=language).read_text("utf-8")
        assert axis in html
        assert draw.seen[0][2]["x"] == axis
        assert not re.search(r'(src|href)="(?!data:|#|sweep\.|points\.)', html)
    result, panels, _, _ = draw.seen[0]
    assert result == "n_customers"
    assert panels[""][["x", "seed", "value"]].to_numpy().tolist() == [
        [2, 1, 4],
        [2, 2, 4],
        [3, 1, 6],
        [3, 2, 6],
    ]
    names = {path.name for path in (found.folder / "figures").iterdir()}
    assert names == {
        f"{notebook}-n_customers.{kind}"
        for notebook in ("20_count", "30_share")
        for kind in ("svg", "png")
    }


def test_seeds_alone_are_drawn_one_by_one(sweep):
    found = sweep("seed: [1, 2]\n")
    draw.seen.clear()
    names = ["20_count.n_customers"]
    write_sweep(found, gather_numbers(found), draw=draw, language="en", names=names)
    _, panels, words, _ = draw.seen[0]
    assert words["x"] == "Seed"
    assert panels[""]["x"].to_list() == [1, 2]
    assert set(panels[""]["seed"]) == {0}


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A Dask scheduler on loopback, and what starts a worker: real processes, both."""
    monkeypatch.chdir(tmp_path)
    file, started = tmp_path / "scheduler.json", []
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    alone = ["--nthreads", "1", "--no-nanny"]

    def start(module, *options):
        command = [sys.executable, "-m", f"distributed.cli.{module}", *local, *options]
        said = (tmp_path / f"{module}{len(started)}.log").open("wb")
        with said:
            started.append(subprocess.Popen(command, stdout=said, stderr=said))

    def wait_for_address():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if file.exists() and (text := file.read_text()):
                return json.loads(text)["address"]
            time.sleep(0.1)
        raise TimeoutError

    start("dask_scheduler", "--port", "0", "--scheduler-file", str(file))
    try:
        address = wait_for_address()
        yield SimpleNamespace(
            address=address,
            add_worker=lambda: start("dask_worker", address, *alone),
        )
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait(timeout=30)


def wait_for_workers(address, n):
    from distributed import Client

    with Client(address) as client:
        client.wait_for_workers(n, timeout=90)


def test_cluster_of_two_workers_finds_the_same_numbers(cluster, sweep, monkeypatch):
    pytest.importorskip("distributed")
    here = sweep(PAIR, name="here")
    with pytest.raises(StudyError, match=r"has no workers: start one with `dask worker tcp"):
        sweep(PAIR, cluster=cluster.address)
    for _ in range(2):
        cluster.add_worker()
    wait_for_workers(cluster.address, 2)
    there = sweep(PAIR, name="there", cluster=cluster.address)
    assert {outcome.state for outcome in there.outcomes.values()} == {"done"}
    pd.testing.assert_frame_equal(gather_numbers(there), gather_numbers(here))
    for point in here.grid.points():
        results = [
            (found.folder / point.name / "results" / "20_count.json").read_bytes()
            for found in (here, there)
        ]
        assert results[0] == results[1]
    with monkeypatch.context() as patch:
        patch.setattr(sweep_workers, "__version__", "9.9")
        with pytest.raises(StudyError, match=r"has crmlab .*; install crmlab 9.9 where it runs"):
            sweep(PAIR, cluster=cluster.address)
    with pytest.raises(StudyError, match="does not see /nowhere/notebooks"):
        sweep_workers.ClusterWorkers(cluster.address, Path("/nowhere")).__enter__()


def test_scheduler_that_does_not_answer_is_told(sweep, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(sweep_workers, "SECONDS_TO_ANSWER", 0.5)
    with pytest.raises(StudyError, match=r"no Dask scheduler answers at tcp://127.0.0.1:1"):
        sweep(cluster="tcp://127.0.0.1:1")
