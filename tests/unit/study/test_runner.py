import json

import pytest

from crmlab.study.configuration import StudyError
from crmlab.study.manifest import hash_files, read_manifest
from crmlab.study.runner import run_study

pytestmark = pytest.mark.xdist_group("runner")


@pytest.fixture
def shop(project):
    return project / "studies" / "shop.yaml"


def test_run_leaves_results_tables_notebooks_and_a_true_manifest(shop):
    told = []
    outcome = run_study(shop, on_progress=lambda *words: told.append(words[:2]))
    assert outcome.states == {"20_count": "done", "30_share": "done", "40_ask": "left out"}
    assert told[0] == ("20_count", "running")
    manifest = read_manifest(outcome.folder)
    entry = manifest["notebooks"]["20_count"]
    assert entry["parameters"] == {"factor": 1}
    files = hash_files(outcome.folder)
    assert all(files[name] == sha256 for name, sha256 in entry["outputs"].items())
    assert {"results/20_count.json", "tables/counts.parquet", "notebooks/20_count.ipynb"} <= set(
        entry["outputs"]
    )
    assert manifest["notebooks"]["40_ask"]["reason"]["en"] == "the data set has no table “survey”"
    assert manifest["dataset"]["tables"]["orders"]["n_rows"] == 3
    assert manifest["versions"]["pandas"]


def test_study_parameter_reaches_the_notebook(shop):
    shop.write_text(shop.read_text("utf-8") + "parameters: {20_count: {factor: 3}}\n", "utf-8")
    folder = run_study(shop, until="20_count").folder
    result = json.loads((folder / "results" / "20_count.json").read_text("utf-8"))
    assert result["results"]["n_customers"]["value"] == 6
    assert read_manifest(folder)["notebooks"]["20_count"]["parameters"] == {"factor": 3}


def test_failing_cell_is_shown_the_rest_is_not_run_and_what_was_done_is_kept(shop, add_notebook):
    add_notebook("25_break", "x = 1\nraise RuntimeError('no such market')", needs=["counts"])
    outcome = run_study(shop)
    assert outcome.states["20_count"] == "done"
    assert outcome.states["25_break"] == "failed"
    assert outcome.states["30_share"] == "not reached"
    assert outcome.failure.cell == 3
    assert "raise RuntimeError" in outcome.failure.source
    assert "no such market" in outcome.failure.error
    assert "\x1b" not in outcome.failure.error
    assert (outcome.folder / "results" / "20_count.json").exists()
    assert (outcome.folder / "notebooks" / "25_break.ipynb").exists()
    assert not (outcome.folder / ".work").exists()


def test_dead_kernel_is_told_with_its_cell(shop, add_notebook):
    add_notebook("25_die", "import os\nos._exit(1)", needs=["counts"])
    outcome = run_study(shop)
    assert outcome.states["25_die"] == "failed"
    assert outcome.failure.cell == 3
    assert "os._exit(1)" in outcome.failure.source
    assert "the kernel died while it ran this cell" in outcome.failure.error


def test_interrupted_run_keeps_what_was_done(shop, monkeypatch):
    import papermill

    execute = papermill.execute_notebook

    def interrupt_second(path, *args, **kwargs):
        if "30_share" in path:
            raise KeyboardInterrupt
        return execute(path, *args, **kwargs)

    monkeypatch.setattr(papermill, "execute_notebook", interrupt_second)
    outcome = run_study(shop)
    assert outcome.is_interrupted
    assert outcome.states["20_count"] == "done"
    assert outcome.states["30_share"] == "not reached"
    assert read_manifest(outcome.folder)["finished"]
    assert not (outcome.folder / ".work").exists()


def test_misspelt_parameter_is_refused_before_a_kernel_starts(shop, monkeypatch):
    import papermill

    started = []
    monkeypatch.setattr(papermill, "execute_notebook", lambda *a, **_: started.append(a))
    shop.write_text(shop.read_text("utf-8") + "parameters: {20_count: {factr: 3}}\n", "utf-8")
    with pytest.raises(StudyError, match="unknown parameter; did you mean 'factor'"):
        run_study(shop)
    assert started == []
    assert not (shop.parents[1] / "reports").exists()


def test_unknown_notebook_to_stop_at_is_refused(shop):
    with pytest.raises(StudyError, match="no notebook '20_cuont'; there are: 20_count"):
        run_study(shop, until="20_cuont")


def test_second_run_shows_nothing_of_the_first(shop):
    folder = run_study(shop).folder
    assert (folder / "results" / "30_share.json").exists()
    run_study(shop, until="20")
    assert not (folder / "results" / "30_share.json").exists()


def test_damaged_manifest_is_refused_in_words(tmp_path):
    with pytest.raises(ValueError, match="holds no report: run the study"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("{", "utf-8")
    with pytest.raises(ValueError, match=r"is damaged .*: run the study again"):
        read_manifest(tmp_path)
