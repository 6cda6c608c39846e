"""`crmlab verify`, `compare` and `sweep`: what they say, and how they end."""

from functools import partial
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from crmlab.cli import app
from crmlab.study import sweep_workers, verify
from crmlab.study.runner import run_study

pytestmark = pytest.mark.xdist_group("sweep")


@pytest.fixture
def crmlab(project, kernels, monkeypatch):
    """The command line inside the project, with the kernels that the tests share."""
    shared = SimpleNamespace(start=kernels.start, run=kernels.run, close=lambda: None)
    monkeypatch.setattr(sweep_workers, "Kernels", lambda: shared)
    monkeypatch.setattr(verify, "run_study", partial(run_study, kernels=kernels))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(project)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture
def report(project, kernels):
    return run_study(project / "studies" / "shop.yaml", kernels=kernels).folder


@pytest.mark.usefixtures("report")
@pytest.mark.parametrize("named", ["shop", "studies/shop.yaml", "reports/shop"])
def test_verify_takes_a_name_a_file_or_a_folder(crmlab, named):
    result = crmlab("verify", named)
    assert result.exit_code == 0
    assert "✓ 5 files equal: 2 results, 1 table, 2 notebooks." in result.output


@pytest.mark.usefixtures("report")
def test_verify_ends_with_1_and_names_difference_and_reason(crmlab, project):
    orders = project / "shop" / "orders.csv"
    orders.write_text(orders.read_text("utf-8").replace("3,b", "3,a"), "utf-8")
    result = crmlab("verify", "shop")
    assert result.exit_code == 1
    assert "Not the same: results/20_count.json: n_customers: 2 in the report, 1 now" in (
        result.output
    )
    assert "Files: 3 not the same, 2 equal (2 notebooks)." in result.output
    assert "  data file orders.csv changed" in result.output


def test_verify_names_a_file_altered_by_hand(crmlab, report):
    (report / "results" / "20_count.json").write_text("{}")
    result = crmlab("verify", "shop")
    assert result.exit_code == 1
    assert "results/20_count.json is not what the run left" in result.output


def test_study_that_is_not_there_is_told_with_the_nearest_name(crmlab):
    for words in (("verify", "shpo"), ("compare", "shpo", "shop")):
        result = crmlab(*words)
        assert result.exit_code == 2
        assert "shpo.yaml; did you mean 'shop'?" in result.output


def test_compare_shows_changes_and_numbers_within_80_columns(crmlab, report, project, kernels):
    values = {"20_count": {"factor": 3}}
    run_study(
        project / "studies" / "shop.yaml",
        parameters=values,
        folder=project / "other",
        kernels=kernels,
    )
    for language, word in (("en", "Customers"), ("zh", "客户数")):
        result = crmlab("compare", str(report), "other", "--lang", language)
        assert result.exit_code == 0
        lines = result.output.splitlines()
        assert all(len(line) <= 80 for line in lines)
        moved = next(line for line in lines if word in line and "+200.0%" in line)
        assert moved.split()[:2] == ["20", word]
        assert any("factor" in line and line.split()[-2:] == ["1", "3"] for line in lines)


def test_compare_writes_a_page_or_a_table_and_nothing_else(crmlab, report, project):
    for name in ("c.html", "c.csv"):
        result = crmlab("compare", "shop", str(report), "--to", name)
        assert result.exit_code == 0
        assert (project / name).exists()
        assert "Nothing: settings, data, program and versions are the same." in result.output
        assert "2 numbers are equal in both runs" in result.output
    result = crmlab("compare", "shop", "shop", "--to", "c.pdf")
    assert result.exit_code == 2
    assert "neither .csv nor .html" in result.output


def test_sweep_says_each_point_and_where_table_and_page_are(crmlab, project):
    (project / "grid.yaml").write_text("parameters: {20_count: {factor: [1, 2]}}\n")
    result = crmlab("sweep", "shop", "--grid", "grid.yaml", "--result", "n_customers")
    assert result.exit_code == 0
    assert "✓ factor=1" in result.output
    assert "2 points: 2 done." in result.output
    folder = project / "reports" / "shop" / "sweeps" / "grid"
    assert (folder / "index.html").as_uri() in result.output
    assert (folder / "figures" / "30_share-n_customers.png").stat().st_size > 10_000
    again = crmlab("sweep", "shop", "--grid", "grid.yaml", "--lang", "zh")
    assert again.output.count("运行 0 个、未变 2 个") == 2
    assert "倍数（factor）" in (folder / "index.html").read_text("utf-8")


def test_sweep_with_a_failed_point_ends_with_1(crmlab, project, add_notebook):
    limit = "limit: int = 1  # limit / 上限; ; 1..9"
    add_notebook("25_more", "assert limit < 2, '[no] [/such]'", needs=["counts"], parameters=limit)
    (project / "grid.yaml").write_text("parameters: {25_more: {limit: [1, 2]}}\n")
    result = crmlab("sweep", "shop", "--grid", "grid.yaml")
    assert result.exit_code == 1
    assert "25_more stopped at cell 5: AssertionError: [no] [/such]" in result.output
    assert "2 points: 1 done, 1 failed." in result.output


def test_sweep_is_refused_before_anything_runs(crmlab, project):
    result = crmlab("sweep", "shop", "--grid", "grid.yaml")
    assert result.exit_code == 2
    assert "no grid file grid.yaml" in result.output
    (project / "grid.yaml").write_text("seed: [1]\n")
    result = crmlab("sweep", "shop", "--grid", "grid.yaml", "--result", "n_custmers")
    assert result.exit_code == 2
    assert "no result is called 'n_custmers'; did you mean 'n_customers'?" in result.output
    assert not (project / "reports").exists()
