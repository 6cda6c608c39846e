import json
import math
import re

import pandas as pd
import pytest

from crmlab.report.compare_page import (
    describe_runs,
    say_changes,
    say_numbers,
    say_only,
    tabulate,
    write_comparison,
)
from crmlab.study.compare import compare_runs


@pytest.fixture
def leave_report(tmp_path):
    """Write a report folder of one notebook: its manifest, numbers and one table."""

    def leave(
        folder, results, *, undefined=(), parameters=None, n_rows=2, study=None, dataset=None
    ):
        folder = tmp_path / folder
        for part in ("results", "tables"):
            (folder / part).mkdir(parents=True)
        said = {
            "finding": {"en": f"We found {results}", "zh": f"我们发现 {results}"},
            "results": {n: {"value": v, "unit": u} for n, (v, u) in results.items()},
            "undefined": list(undefined),
            "main_figure": None,
        }
        (folder / "results" / "20_value.json").write_text(json.dumps(said), "utf-8")
        table = pd.DataFrame({"x": range(n_rows)})
        table.to_parquet(folder / "tables" / "rows.parquet", index=False)
        outputs = {"results/20_value.json": repr(said), "tables/rows.parquet": str(n_rows)}
        entry = {
            "state": "done",
            "title": {"en": "Value?", "zh": "价值？"},
            "parameters": parameters or {"k": 4},
            "sha256": "a" * 64,
            "outputs": outputs,
        }
        manifest = {
            "study": {
                "title": {"en": "A shop", "zh": "一家商店"},
                "question": None,
                "language": "en",
                "seed": 1,
                "data": "shop",
            }
            | (study or {}),
            "dataset": {
                "title": {"en": "Shop", "zh": "商店"},
                "observed_from": "2024-01-01",
                "observed_to": "2024-12-31",
                "currency": "CNY",
                "tables": {"orders": {"n_rows": 3}},
                "left_out": [],
                "files": {"orders.csv": "b" * 64},
            }
            | (dataset or {}),
            "versions": {"crmlab": "0.1.0", "python": "3.11.7", "pandas": "3.0.0"},
            "notebooks": {"20_value": entry},
            "started": "2026-01-02T03:04:05+00:00",
        }
        (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        return folder

    return leave


def edit(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), "utf-8")


def test_differences_and_relative_changes_are_those_of_paper_biggest_first(leave_report):
    a = leave_report("a", {"gini": (0.5, "1"), "top_fifth_share": (0.4, "share"), "n": (7, "1")})
    b = leave_report("b", {"gini": (0.6, "1"), "top_fifth_share": (0.1, "share"), "n": (7, "1")})
    found = compare_runs(a, b)
    assert list(found.numbers["result"]) == ["top_fifth_share", "gini", "n"]
    assert list(found.numbers["difference"]) == pytest.approx([-0.3, 0.1, 0])
    assert list(found.numbers["relative_change"]) == pytest.approx([-0.75, 0.2, 0])
    assert list(found.is_changed) == [True, True, False]
    assert say_numbers(found, "en")[0][2:] == ("40.0%", "10.0%", "−30.0\xa0pp", "−75.0%")
    assert say_numbers(found, "zh")[1][4:] == ("+0.100", "+20.0%")


def test_change_from_nought_is_infinite_and_stands_first(leave_report):
    found = compare_runs(
        leave_report("a", {"x": (1, "1"), "y": (0, "1"), "z": (0, "1")}),
        leave_report("b", {"x": (9, "1"), "y": (-2, "1"), "z": (0, "1")}),
    )
    assert list(found.numbers["result"]) == ["y", "x", "z"]
    assert list(found.numbers["relative_change"]) == [-math.inf, 8.0, 0.0]
    assert say_numbers(found, "en")[0][-1] == "from 0"


def test_undefined_numbers_and_other_units_have_no_difference(leave_report):
    found = compare_runs(
        leave_report("a", {"x": (1, "days"), "y": (1, "1")}, undefined=["z"]),
        leave_report("b", {"x": (2, "weeks")}, undefined=["y", "z"]),
    ).numbers.set_index("result")
    assert found["difference"].isna().all()
    assert found.loc["y", "a"] == 1
    assert math.isnan(found.loc["y", "b"])


def test_number_undefined_in_both_has_not_changed(leave_report):
    found = compare_runs(
        leave_report("a", {}, undefined=["z"]), leave_report("b", {}, undefined=["z"])
    )
    assert not found.is_changed.any()


def test_sums_in_two_currencies_are_shown_and_not_subtracted(leave_report):
    found = compare_runs(
        leave_report("a", {"x": (10, "currency"), "n": (1, "1")}),
        leave_report("b", {"x": (12, "currency"), "n": (2, "1")}, dataset={"currency": "EUR"}),
    )
    assert math.isnan(found.numbers.set_index("result").loc["x", "difference"])
    said = {row[1]: row[2:] for row in say_numbers(found, "en")}
    assert said["x"] == ("CNY\xa010.00", "EUR\xa012.00", "–", "–")
    assert said["n"][2] == "+1"


def test_numbers_of_one_run_alone_are_named_apart(leave_report):
    found = compare_runs(leave_report("a", {"x": (1, "1")}), leave_report("b", {"y": (2, "1")}))
    assert found.numbers.empty
    assert say_only(found, "en") == [("20", "x", "1", "–"), ("20", "y", "–", "2")]


def test_every_kind_of_change_is_named_with_both_values(leave_report):
    a = leave_report("a", {})
    b = leave_report(
        "b",
        {},
        parameters={"k": 5},
        n_rows=3,
        study={"seed": 2},
        dataset={
            "observed_to": "2025-06-30",
            "tables": {"orders": {"n_rows": 4}},
            "left_out": [{"table": "orders", "reason": "r", "n_rows": 2}],
            "files": {"orders.csv": "c" * 64},
        },
    )

    def change(manifest):
        manifest["versions"]["pandas"] = "3.1.0"
        manifest["notebooks"]["20_value"]["sha256"] = "d" * 64
        manifest["notebooks"]["30_new"] = {"state": "failed", "outputs": {}}

    edit(b, change)
    found = compare_runs(a, b)
    assert say_changes(found, "en") == [
        ("Study", "", "Seed", "1", "2"),
        ("Parameter", "20", "k", "4", "5"),
        ("The data", "", "observed to", "31 December 2024", "30 June 2025"),
        ("Rows", "", "Orders", "3", "4"),
        ("Rows left out", "", "Orders", "–", "2"),
        ("Data file", "", "orders.csv", "b" * 12, "c" * 12),
        ("State", "30", "State", "–", "failed"),
        ("Notebook's source", "20", "20_value.ipynb", "a" * 12, "d" * 12),
        ("Version", "", "pandas", "3.0.0", "3.1.0"),
    ]
    assert list(found.tables.itertuples(index=False, name=None)) == [
        ("20_value", "rows", 2, 3, False)
    ]
    assert len(say_changes(found, "zh")) == 9


def test_code_that_changed_is_named_once_for_all_notebooks(leave_report):
    folders = [leave_report(name, {}) for name in "ab"]
    for folder, sha in zip(folders, "12", strict=True):

        def change(manifest, sha=sha):
            for name in ("20_value", "30_more"):
                entry = manifest["notebooks"].setdefault(name, {"state": "done", "outputs": {}})
                entry["made_from"] = {"code": {"crmlab/value/rfm.py": sha, f"{sha}.py": sha}}

        edit(folder, change)
    found = compare_runs(*folders)
    assert [tuple(change) for change in found.changes] == [
        ("code_file", None, "crmlab/value/rfm.py", "1", "2")
    ]


def test_a_run_does_not_differ_from_itself(leave_report):
    folder = leave_report("a", {"x": (1, "1")}, undefined=["y"])
    found = compare_runs(folder, folder)
    assert found.changes == []
    assert not found.is_changed.any()
    assert found.tables["is_equal"].all()


def test_unchanged_counts_as_done(leave_report):
    folders = [leave_report(name, {"x": (1, "1")}) for name in "ab"]
    edit(folders[1], lambda m: m["notebooks"]["20_value"].update(state="unchanged"))
    found = compare_runs(*folders)
    assert found.changes == []
    assert len(found.numbers) == 1


@pytest.mark.parametrize("file", ["results/20_value.json", "tables/rows.parquet"])
def test_damaged_file_is_named_with_the_cure(leave_report, file):
    folder = leave_report("a", {})
    (folder / file).write_text("{")
    with pytest.raises(ValueError, match=rf"{file} cannot be read .*: run the study again"):
        compare_runs(folder, folder)


def test_table_has_every_digit_and_equal_numbers_too(leave_report, tmp_path):
    third = 1 / 3
    found = compare_runs(
        leave_report("a", {"gini": (third, "1"), "x": (1, "1")}),
        leave_report("b", {"gini": (2 * third, "1"), "x": (1, "1")}, parameters={"k": [1, 2]}),
    )
    write_comparison(found, tmp_path / "c.csv", language="en")
    table = pd.read_csv(tmp_path / "c.csv").set_index("name")
    assert float(table.loc["gini", "a"]) == third
    assert table.loc["gini", "relative_change"] == 1
    assert table.loc["x", "difference"] == 0
    assert table.loc["k", "b"] == "[1, 2]"
    assert list(tabulate(found, "zh")["kind"]) == ["parameter", "number", "number"]


def test_page_stands_alone_and_speaks_either_language(leave_report, tmp_path):
    found = compare_runs(
        leave_report("a", {"gini": (0.5, "1"), "x": (1, "1")}),
        leave_report("b", {"gini": (0.6, "1"), "x": (1, "1")}),
    )
    for language, words in (("en", "Numbers that moved"), ("zh", "发生变化的指标")):
        path = tmp_path / f"{language}.html"
        write_comparison(found, path, language=language)
        html = path.read_text("utf-8")
        assert words in html
        assert "+20.0%" in html
        assert "font/woff;base64" in html
        assert not re.search(r'(src|href)="(?!data:|#)', html)


def test_runs_are_described_side_by_side(leave_report):
    a, b = leave_report("a", {}), leave_report("b", {}, study={"seed": 7})
    assert ("Seed", "1", "7") in describe_runs(compare_runs(a, b), "en")


def test_another_kind_of_file_is_refused(leave_report, tmp_path):
    folder = leave_report("a", {})
    with pytest.raises(ValueError, match=r"c.pdf is neither .csv nor .html"):
        write_comparison(compare_runs(folder, folder), tmp_path / "c.pdf", language="en")
