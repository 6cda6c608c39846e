import json
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from crmlab.study.configuration import StudyError
from crmlab.study.manifest import hash_files, read_manifest
from crmlab.study.runner import explain_study, run_study

pytestmark = pytest.mark.xdist_group("runner")


@pytest.fixture
def run(kernels):
    """Run a study with the kernels that the tests share."""
    return partial(run_study, kernels=kernels)


@pytest.fixture
def shop(project):
    return project / "studies" / "shop.yaml"


@pytest.fixture
def add_to_study(shop):
    """Add a line to the study file."""

    def add(line):
        shop.write_text(shop.read_text("utf-8") + line + "\n", "utf-8")

    return add


def made(folder):
    """Return the hashes of all that notebooks left in a report folder."""
    kept = ("tables/", "results/", "figures/", "notebooks/")
    return {name: sha256 for name, sha256 in hash_files(folder).items() if name.startswith(kept)}


def n_customers(folder, notebook):
    document = json.loads((folder / "results" / f"{notebook}.json").read_text("utf-8"))
    return document["results"]["n_customers"]["value"]


def test_run_leaves_results_tables_notebooks_and_a_true_manifest(shop, run):
    told = []
    outcome = run(shop, on_progress=lambda *words: told.append(words))
    assert outcome.states == {"20_count": "done", "30_share": "done", "40_ask": "left out"}
    assert ("20_count", "running", "") in told
    assert ("20_count", "running", "4/4") in told
    manifest = read_manifest(outcome.folder)
    entry = manifest["notebooks"]["20_count"]
    assert entry["parameters"] == {"factor": 1}
    files = hash_files(outcome.folder)
    assert all(files[name] == sha256 for name, sha256 in entry["outputs"].items())
    assert {"results/20_count.json", "tables/counts.parquet", "notebooks/20_count.ipynb"} == set(
        entry["outputs"]
    )
    assert manifest["notebooks"]["40_ask"]["reason"]["en"] == "the data set has no table “survey”"
    assert manifest["dataset"]["tables"]["orders"]["n_rows"] == 3
    assert manifest["versions"]["pandas"]
    assert manifest["finished"]


def test_executed_notebook_holds_no_time_and_no_place(shop, run):
    folder = run(shop, parameters=["factor=2"]).folder
    text = (folder / "notebooks" / "20_count.ipynb").read_text("utf-8")
    assert "start_time" not in text
    assert str(shop.parents[1]) not in text
    assert "factor = 2" in text


def test_study_parameter_reaches_the_notebook(shop, add_to_study, run):
    add_to_study("parameters: {20_count: {factor: 3}}")
    folder = run(shop, until="20_count").folder
    assert n_customers(folder, "20_count") == 6
    assert read_manifest(folder)["notebooks"]["20_count"]["parameters"] == {"factor": 3}


def test_nothing_is_run_again_and_no_byte_is_written_when_nothing_changed(shop, run):
    folder = run(shop).folder
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    outcome = run(shop)
    assert outcome.states == {
        "20_count": "unchanged",
        "30_share": "unchanged",
        "40_ask": "left out",
    }
    del before[folder / ".lock"]
    assert before == {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.name != ".lock"}


def test_fresh_runs_what_has_not_changed(shop, run):
    run(shop)
    assert run(shop, fresh=True, until="20").states["20_count"] == "done"


def test_changed_parameter_runs_its_notebook_and_what_uses_other_numbers(shop, run):
    run(shop)
    outcome = run(shop, parameters={"20_count": {"factor": 4}})
    assert outcome.states["20_count"] == "done"
    assert outcome.states["30_share"] == "done"
    assert n_customers(outcome.folder, "30_share") == 8
    assert read_manifest(outcome.folder)["study"]["parameters"] == {"20_count": {"factor": 4}}


def test_notebook_whose_inputs_are_made_again_as_they_were_is_not_run(shop, project, run):
    run(shop)
    path = project / "notebooks" / "20_count.ipynb"
    path.write_text(path.read_text("utf-8").replace("Title of", "Heading of"), "utf-8")
    outcome = run(shop)
    assert outcome.states["20_count"] == "done"
    assert outcome.states["30_share"] == "unchanged"


def test_changed_data_and_a_changed_helper_beside_the_notebook_run_it_again(shop, project, run):
    helper = project / "notebooks" / "shop_helper.py"
    helper.write_text("n = 1\n", "utf-8")
    path = project / "notebooks" / "20_count.ipynb"
    path.write_text(
        path.read_text("utf-8").replace("from crmlab", "import shop_helper\\nfrom crmlab")
    )
    run(shop, until="20")
    helper.write_text("n = 2\n", "utf-8")
    reasons = {name: reasons for name, _, reasons in explain_study(shop)}
    assert reasons["20_count"] == ["code ./shop_helper.py changed"]
    run(shop, until="20")
    with (project / "shop" / "orders.csv").open("a", encoding="utf-8") as orders:
        orders.write("4,c,2024-03-01,7\n")
    assert dict(zip(("n", "verdict", "why"), explain_study(shop)[0], strict=True))["why"] == [
        "data file orders.csv changed"
    ]
    assert n_customers(run(shop).folder, "30_share") == 3


def test_notebook_that_reads_the_project_runs_again_when_that_changes(shop, run, add_notebook):
    add_notebook("50_look", "pass", reads=["studies"])
    run(shop)
    (shop.parent / "other.yaml").write_text("title: x\ndata: sample\n", "utf-8")
    reasons = {name: reasons for name, _, reasons in explain_study(shop)}
    assert reasons["50_look"] == ["file studies/other.yaml is new"]
    assert reasons["20_count"] == []


def test_printed_report_goes_when_a_run_changes_what_it_tells(shop, run):
    folder = run(shop).folder
    (folder / "report.pdf").write_bytes(b"%PDF")
    run(shop)
    assert (folder / "report.pdf").exists()
    run(shop, parameters=["factor=3"])
    assert not (folder / "report.pdf").exists()


def test_altered_or_missing_output_is_made_again(shop, run):
    folder = run(shop).folder
    before = made(folder)
    (folder / "tables" / "counts.parquet").write_bytes(b"junk")
    assert explain_study(shop)[0][2] == ["tables/counts.parquet is missing or was altered"]
    (folder / "results" / "30_share.json").unlink()
    outcome = run(shop)
    assert outcome.states["20_count"] == "done"
    assert outcome.states["30_share"] == "done"
    assert made(folder) == before


def test_damaged_manifest_costs_a_run_and_nothing_else(shop, run):
    folder = run(shop).folder
    before = made(folder)
    for damage in ("{", "[1, 2]", '{"notebooks": {"20_count": 7}}'):
        (folder / "manifest.json").write_text(damage, "utf-8")
        assert run(shop).states["20_count"] == "done"
        assert made(folder) == before


def test_explain_says_what_would_happen_and_runs_nothing(shop, run):
    assert [verdict for _, verdict, _ in explain_study(shop)] == ["run", "run", "left out"]
    run(shop)
    assert [verdict for _, verdict, _ in explain_study(shop)] == [
        "unchanged",
        "unchanged",
        "left out",
    ]
    changed = explain_study(shop, parameters=["20.factor=5"])
    assert changed[0][1:] == ("run", ["parameter factor: 1 → 5"])
    assert changed[1][1:] == ("perhaps", ["if 20_count makes something else"])


def test_only_runs_one_notebook_or_says_what_must_run_first(shop, run):
    with pytest.raises(StudyError, match=r"30_share needs 20_count, .* use --until 30_share"):
        run(shop, only="30")
    run(shop, until="20")
    outcome = run(shop, only="30")
    assert outcome.states["20_count"] == "unchanged"
    assert outcome.states["30_share"] == "done"


def test_only_does_not_ask_for_the_maker_of_what_is_optional(shop, add_notebook, run):
    add_notebook("50_later", "pass", optional=["counts"])
    assert run(shop, only="50").states["50_later"] == "done"


def test_failing_cell_is_shown_what_needs_it_is_not_run_and_the_rest_is(shop, add_notebook, run):
    breaks = "x = 1\nraise RuntimeError('no such market')"
    add_notebook("25_break", breaks, needs=["counts"], makes=["broken"])
    add_notebook("50_later", "pass", optional=["broken"])
    outcome = run(shop)
    assert outcome.states["20_count"] == "done"
    assert outcome.states["25_break"] == "failed"
    assert outcome.states["50_later"] == "not reached"
    assert outcome.states["30_share"] == "done"
    failure = outcome.failures[0]
    assert failure.cell == 3
    assert "raise RuntimeError" in failure.source
    assert "no such market" in failure.error
    assert "\x1b" not in failure.error
    assert (outcome.folder / "results" / "20_count.json").exists()
    assert (outcome.folder / "notebooks" / "25_break.ipynb").exists()
    assert not (outcome.folder / ".work").exists()


def test_failed_notebook_is_run_again_and_leaves_only_its_page(shop, add_notebook, run):
    add_notebook("25_break", "raise RuntimeError('no such market')", needs=["counts"])
    folder = run(shop).folder
    outputs = read_manifest(folder)["notebooks"]["25_break"]["outputs"]
    assert list(outputs) == ["notebooks/25_break.ipynb"]
    outcome = run(shop)
    assert outcome.states["25_break"] == "failed"
    assert outcome.states["20_count"] == "unchanged"


SAVE = """
from crmlab.study import open_study
study = open_study("21_early")
counts = study.load("orders").groupby("customer_id").size().rename("n").reset_index()
study.save("early", counts)
"""
# The first of the two ends only once the second has seen its table.
WAIT = """
import time
from pathlib import Path
waited = 0
while not Path("seen").exists():
    time.sleep(0.02)
    waited += 0.02
    assert waited < 20, "nobody came for the table"
"""
SEE = """
from pathlib import Path
from crmlab.study import open_study
study = open_study("31_user")
study.publish(results={"n_customers": len(study.load("early"))})
Path("seen").touch()
"""


def test_table_is_handed_on_before_its_maker_ends(shop, add_notebook, run):
    add_notebook("21_early", [SAVE, WAIT], needs=["orders"], makes=["early"])
    add_notebook("31_user", SEE, needs=["early"])
    outcome = run(shop, jobs=3)
    assert outcome.states["21_early"] == outcome.states["31_user"] == "done"
    assert set(run(shop).states.values()) == {"unchanged", "left out"}


def test_what_began_on_a_table_of_a_notebook_that_then_fails_is_not_kept(shop, add_notebook, run):
    add_notebook("21_early", [SAVE, WAIT, "1 / 0"], needs=["orders"], makes=["early"])
    add_notebook("31_user", SEE, needs=["early"])
    outcome = run(shop, jobs=3)
    assert outcome.states["21_early"] == "failed"
    assert outcome.states["31_user"] == "not reached"
    assert not (outcome.folder / "results" / "31_user.json").exists()
    assert not (outcome.folder / "tables" / "early.parquet").exists()
    add_notebook("21_early", [SAVE, WAIT], needs=["orders"], makes=["early"])
    assert run(shop, jobs=3).states["31_user"] == "done"


def test_unchanged_notebook_waits_for_how_its_maker_ends(shop, add_notebook, run):
    add_notebook("21_early", SAVE, needs=["orders"], makes=["early"])
    add_notebook("31_user", SEE, needs=["early"])
    run(shop)
    add_notebook("21_early", [SAVE, "1 / 0"], needs=["orders"], makes=["early"])
    assert run(shop, jobs=3).states["31_user"] == "not reached"


def test_table_saved_twice_is_refused(shop, add_notebook, run):
    again = 'study.save("early", counts.head(1))'
    add_notebook("21_early", [SAVE, again], needs=["orders"], makes=["early"])
    outcome = run(shop)
    assert "early has been saved before in this run" in outcome.failures[0].error


LEAVE = """
from crmlab.study import open_study
study = open_study("25_picky")
study.leave_out(en="nobody came back", zh="无人再次购买")
"""


def test_notebook_that_its_data_do_not_allow_is_left_out_with_what_needs_it(
    shop, add_notebook, run
):
    add_notebook("25_picky", LEAVE, needs=["counts"], makes=["picked"])
    add_notebook("26_needy", "1 / 0", needs=["picked"])
    add_notebook("27_content", "pass", optional=["picked"])
    outcome = run(shop)
    assert outcome.failures == []
    states = {name[:2]: state for name, state in outcome.states.items()}
    assert [states[n] for n in ("25", "26", "27")] == ["left out", "left out", "done"]
    entries = read_manifest(outcome.folder)["notebooks"]
    assert entries["25_picky"]["reason"] == {"en": "nobody came back", "zh": "无人再次购买"}
    assert "it needs “picked” from 25_picky" in entries["26_needy"]["reason"]["en"]
    assert not (outcome.folder / "notebooks" / "25_picky.ipynb").exists()
    assert run(shop).states == outcome.states | {
        name: "unchanged" for name, state in outcome.states.items() if state == "done"
    }


def test_dead_kernel_is_told_with_its_cell(shop, add_notebook, run):
    add_notebook("25_die", "import os\nos._exit(1)", needs=["counts"])
    outcome = run(shop)
    assert outcome.states["25_die"] == "failed"
    assert outcome.failures[0].cell == 3
    assert "os._exit(1)" in outcome.failures[0].source
    assert "the kernel died while it ran this cell" in outcome.failures[0].error
    page = (outcome.folder / "notebooks" / "25_die.ipynb").read_text("utf-8")
    assert "the kernel died while it ran this cell" in page


def test_cell_that_never_ends_is_stopped_at_the_limit_of_the_study(
    shop, add_to_study, add_notebook, run
):
    add_to_study("timeout: 1")
    add_notebook("25_wait", "import time\ntime.sleep(60)", needs=["counts"])
    outcome = run(shop)
    assert outcome.states["25_wait"] == "failed"
    assert "ran longer than 1 s, the limit of the study" in outcome.failures[0].error
    assert outcome.states["30_share"] == "done"


def test_cold_kernels_give_the_same_bytes(shop, run):
    folder = run(shop).folder
    before = made(folder)
    run(shop, fresh=True, cold=True)
    assert made(folder) == before


RUN = """
import sys
from crmlab.study import kernels
from crmlab.study.runner import run_study
kernels.PROGRAM = tuple(sys.argv[2:])
outcome = run_study(sys.argv[1], jobs=2)
sys.exit(130 if outcome.is_interrupted else 0)
"""


@pytest.fixture
def start_run(quick_server):
    """Start a run of a study as a process of its own."""

    def start(study):
        command = [sys.executable, "-c", RUN, str(study), *quick_server]
        return subprocess.Popen(command, start_new_session=True)

    return start


def wait_for(folder, state="running"):
    """Wait until a run has begun to work in its folder."""
    for _ in range(400):
        if list(folder.glob(".work/*/*")):
            return
        time.sleep(0.05)
    raise AssertionError(f"the run never came to be {state}")


def test_interrupted_run_stops_at_once_and_the_next_goes_on(shop, add_notebook, run, start_run):
    add_notebook("31_slow", "import time\ntime.sleep(30)", needs=["counts"])
    folder = shop.parents[1] / "reports" / "shop"
    process = start_run(shop)
    for _ in range(400):
        if (folder / ".work").exists() and list(folder.glob(".work/*/31_slow")):
            break
        if (folder / "tables" / "counts.parquet").exists():
            time.sleep(0.5)
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert process.wait(timeout=20) == 130
    assert time.monotonic() - began < 5
    manifest = read_manifest(folder)
    assert manifest["finished"]
    assert manifest["notebooks"]["20_count"]["state"] == "done"
    assert manifest["notebooks"]["31_slow"]["state"] == "not reached"
    assert not (folder / ".work").exists()
    (shop.parents[1] / "notebooks" / "31_slow.ipynb").unlink()
    assert run(shop).states["20_count"] == "unchanged"


def test_two_runs_of_one_study_at_once_are_refused_and_a_killed_one_leaves_no_lock(
    shop, run, start_run
):
    folder = shop.parents[1] / "reports" / "shop"
    process = start_run(shop)
    wait_for(folder)
    with pytest.raises(StudyError, match=r"another run is at work in .*shop: wait until"):
        run(shop)
    process.kill()
    process.wait()
    assert run(shop).states["30_share"] == "done"


def test_misspelt_parameter_is_refused_before_a_kernel_starts(shop, monkeypatch, run):
    import papermill

    started = []
    monkeypatch.setattr(papermill, "execute_notebook", lambda *a, **_: started.append(a))
    shop.write_text(shop.read_text("utf-8") + "parameters: {20_count: {factr: 3}}\n", "utf-8")
    with pytest.raises(StudyError, match="unknown parameter; did you mean 'factor'"):
        run(shop)
    assert started == []
    assert not (shop.parents[1] / "reports").exists()


def test_unknown_notebook_to_stop_at_is_refused(shop, run):
    with pytest.raises(StudyError, match="no notebook '20_cuont'; there are: 20_count"):
        run(shop, until="20_cuont")


def test_report_shows_nothing_that_was_made_otherwise(shop, add_to_study, run):
    folder = run(shop).folder
    add_to_study("parameters: {20_count: {factor: 3}}")
    outcome = run(shop, until="20")
    assert outcome.states == {"20_count": "done", "40_ask": "left out"}
    assert not (folder / "results" / "30_share.json").exists()


def test_notebook_not_asked_for_stays_where_it_still_holds(shop, run):
    folder = run(shop).folder
    assert run(shop, until="20").states["30_share"] == "unchanged"
    assert (folder / "results" / "30_share.json").exists()


def test_damaged_manifest_is_refused_in_words(tmp_path):
    with pytest.raises(ValueError, match="holds no report: run the study"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("{", "utf-8")
    with pytest.raises(ValueError, match=r"is damaged .*: run the study again"):
        read_manifest(tmp_path)
