import json
import shutil
from functools import partial

import pytest

from crmlab.study import verify
from crmlab.study.configuration import StudyError
from crmlab.study.manifest import hash_files, read_manifest
from crmlab.study.runner import run_study
from crmlab.study.verify import verify_report

pytestmark = pytest.mark.xdist_group("sweep")

EQUAL = {"results": 2, "tables": 1, "figures": 0, "notebooks": 2}
OPEN = "from crmlab.study import open_study\nstudy = open_study('25_more')\n"


@pytest.fixture
def run(kernels, monkeypatch):
    """Run a study, and verify it, with the kernels that the tests share."""
    shared = partial(run_study, kernels=kernels)
    monkeypatch.setattr(verify, "run_study", shared)
    return shared


@pytest.fixture
def shop(project):
    return project / "studies" / "shop.yaml"


def edit_notebook(project, name, old, new):
    path = project / "notebooks" / f"{name}.ipynb"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def edit_orders(project, old, new):
    path = project / "shop" / "orders.csv"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_report_that_can_be_made_again_holds_and_is_not_touched(shop, run):
    # A value laid over is written into the notebook, even where it is the default.
    folder = run(shop, parameters={"20_count": {"factor": 1}}).folder
    before = hash_files(folder)
    found = verify_report(folder)
    assert found.holds
    assert found.equal == EQUAL
    assert found.not_compared == {}
    assert hash_files(folder) == before


def test_run_is_repeated_with_its_own_parameters_seed_and_language(shop, run):
    values = {"20_count": {"factor": 3}}
    folder = run(shop, parameters=values, seed=7, language="zh").folder
    shop.write_text(shop.read_text("utf-8") + "parameters: {20_count: {factor: 5}}\n", "utf-8")
    assert verify_report(folder).holds


def test_value_of_the_study_file_that_was_changed_since_is_laid_over(shop, run):
    plain = shop.read_text("utf-8")
    shop.write_text(plain + "parameters: {20_count: {factor: 5}}\n", "utf-8")
    folder = run(shop).folder
    shop.write_text(plain + "parameters: {20_count: {factor: 6}}\n", "utf-8")
    assert verify_report(folder).holds


def test_files_altered_missing_or_added_by_hand_are_named_and_nothing_is_run(shop, run):
    folder = run(shop).folder
    path = folder / "results" / "20_count.json"
    path.write_text(path.read_text("utf-8").replace('"value": 2', '"value": 3'), "utf-8")
    (folder / "tables" / "counts.parquet").unlink()
    (folder / "results" / "25_more.json").write_text("{}")
    told = []
    found = verify_report(folder, on_progress=lambda *words: told.append(words))
    assert not found.holds
    assert sorted(found.damage) == [
        "results/20_count.json is not what the run left: it was altered later",
        "results/25_more.json is not from the run: the manifest does not name it",
        "tables/counts.parquet is missing",
    ]
    assert told == []


def test_changed_number_is_named_with_both_values_and_the_data_as_reason(project, shop, run):
    folder = run(shop).folder
    edit_orders(project, "3,b,", "3,a,")
    found = verify_report(folder)
    assert found.difference == "results/20_count.json: n_customers: 2 in the report, 1 now"
    assert found.reasons == ["data file orders.csv changed"]
    # Both notebooks show nothing, and are the same.
    assert found.n_different == 3
    assert found.equal == {"results": 0, "tables": 0, "figures": 0, "notebooks": 2}


def test_changed_cell_of_a_table_is_named_with_column_and_row(project, shop, run):
    folder = run(shop).folder
    edit_orders(project, "3,b,", "3,c,")
    assert verify_report(folder).difference == (
        "tables/counts.parquet: column customer_id, row 2: 'b' in the report, 'c' now"
    )
    edit_orders(project, "3,c,2024-02-04,5", "3,b,2024-02-04,5\n4,b,2024-02-05,5")
    assert verify_report(folder).difference == (
        "tables/counts.parquet: column n, row 2 (customer_id 'b'): 1 in the report, 2 now"
    )
    edit_notebook(project, "20_count", 'rename(\\"n\\")', 'rename(\\"m\\")')
    found = verify_report(folder)
    assert found.difference == (
        "tables/counts.parquet: columns: ['customer_id', 'n'] in the report, "
        "['customer_id', 'm'] now"
    )
    assert found.reasons == ["the notebook's source changed", "data file orders.csv changed"]


def test_notebook_that_is_not_the_same_twice_is_told_without_a_reason(shop, run, add_notebook):
    draw = "import random\nprint('drawn:')\nprint(random.random())"
    add_notebook("25_more", draw, needs=["counts"])
    found = verify_report(run(shop).folder)
    assert found.difference.startswith("notebooks/25_more.ipynb: cell 3: its output: '0.")
    assert found.reasons == []


def test_notebook_that_now_fails_is_told_with_its_error(shop, run, add_notebook):
    add_notebook("25_more", f"{OPEN}study.publish(results={{}})", needs=["counts"])
    folder = run(shop).folder
    add_notebook("25_more", f"{OPEN}raise RuntimeError('no such market')", needs=["counts"])
    assert verify_report(folder).difference == (
        "25_more: done in the report, failed now, at cell 3: RuntimeError: no such market"
    )


def test_notebook_that_is_gone_is_told(shop, run, add_notebook):
    path = add_notebook("25_more", f"{OPEN}study.publish(results={{}})", needs=["counts"])
    folder = run(shop).folder
    path.unlink()
    assert verify_report(folder).difference == (
        "25_more: done in the report, no longer in the project now"
    )


def test_of_a_failed_run_what_was_finished_is_compared(shop, run, add_notebook):
    add_notebook("25_more", "raise RuntimeError('no')", needs=["counts"])
    found = verify_report(run(shop).folder)
    assert found.holds
    assert found.not_compared == {"25_more": "failed"}
    assert found.equal == EQUAL


def test_of_a_part_only_that_part_is_run(shop, run):
    folder = run(shop, until="20").folder
    told = []
    found = verify_report(folder, on_progress=lambda *words: told.append(words[0]))
    assert found.holds
    assert "30_share" not in told


def test_interrupted_verification_says_so(shop, run):
    def interrupt(*_):
        raise KeyboardInterrupt

    found = verify_report(run(shop).folder, on_progress=interrupt)
    assert found.is_interrupted
    assert not found.holds
    assert found.equal.total() == 0


def test_report_elsewhere_is_verified_with_the_project_of_the_current_folder(
    project, shop, run, tmp_path_factory, monkeypatch
):
    folder = tmp_path_factory.mktemp("handed_in") / "shop"
    shutil.copytree(run(shop).folder, folder)
    monkeypatch.chdir(project)
    assert verify_report(folder).holds
    shop.rename(shop.with_name("store.yaml"))
    with pytest.raises(StudyError, match=r"was made from shop.yaml, which is not in"):
        verify_report(folder)


def test_data_no_longer_at_hand_is_told(project, shop, run):
    folder = run(shop).folder
    shutil.rmtree(project / "shop")
    with pytest.raises(StudyError, match="neither a data set of the catalog"):
        verify_report(folder)


def test_folder_without_a_whole_manifest_is_refused(shop, run, tmp_path):
    with pytest.raises(ValueError, match="holds no report"):
        verify_report(tmp_path)
    folder = run(shop).folder
    manifest = read_manifest(folder)
    del manifest["notebooks"]["20_count"]["outputs"]
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(ValueError, match=r"is damaged .*20_count made\): run the study again"):
        verify_report(folder)


def test_report_in_which_nothing_finished_is_refused(shop, run, project):
    edit_notebook(project, "20_count", "counts = ", "raise RuntimeError\\ncounts = ")
    with pytest.raises(ValueError, match="nothing to verify: no notebook of the report"):
        verify_report(run(shop).folder)
