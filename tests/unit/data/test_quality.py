"""Rules of data quality: each check by hand, scores recounted, fakes found as stated."""

import numpy as np
import pandas as pd
import pytest

from crmlab.data.quality import (
    AUTHENTICITY,
    DIMENSIONS,
    VALIDITY,
    check_rows,
    count_signals,
    gather_item_rules,
    list_item_rules,
    load_rules,
    score_detection,
    score_quality,
    summarise_rules,
)
from crmlab.data.simulate import simulate_population
from crmlab.data.tables import TABLES

AS_OF = pd.Timestamp("2025-12-31")


@pytest.fixture(scope="module")
def tables():
    return simulate_population(1000, seed=8)


def rule(check, argument="", column="x", dimension="accuracy"):
    return pd.DataFrame(
        [
            {
                "rule": "it",
                "table": "t",
                "column": column,
                "dimension": dimension,
                "check": check,
                "argument": argument,
                "en": "",
                "zh": "",
            }
        ]
    )


def days(*texts):
    return pd.to_datetime(list(texts)).as_unit("us")


@pytest.mark.parametrize(
    ("frame", "check", "argument", "expected"),
    [
        ({"x": ["a", None]}, "filled", "", [True, False]),
        ({"x": [None, None]}, "filled", "", [None, None]),
        ({"x": ["200000", "2000", None]}, "pattern", r"\d{6}", [True, False, None]),
        ({"x": ["qwerty", "澄星和", "ooo", None]}, "not_like", r"qwer|(.)\1{2,}", [0, 1, 0, None]),
        ({"x": [2011, 2012, 1925, 1924, None]}, "age", "14..100", [1, 0, 1, 0, None]),
        ({"x": [0.9, 1, 10, 11, None]}, "between", "1..10", [0, 1, 1, 0, None]),
        ({"x": ["1900", "1980"]}, "not_among", "1900 | 1901", [False, True]),
        (
            {
                "x": days("2024-01-02", "2024-01-01", None),
                "y": days("2024-01-01", "2024-01-02", "2024-01-01"),
            },
            "not_before",
            "y",
            [1, 0, None],
        ),
        ({"x": days("2025-12-31", "2026-01-01")}, "not_after", "", [True, False]),
        ({"x": days("2025-12-31", "2025-12-30", None)}, "not_past", "", [1, 0, None]),
        ({"x": days("2024-12-31", "2024-12-30")}, "within_days", "365", [True, False]),
        (
            {"x": ["2001", "5001", None, "9"], "r": ["east", "east", "east", "moon"]},
            "prefix_of",
            "r: east 2 | south 5",
            [1, 0, None, None],
        ),
        (
            {"x": ["1", "1", "2", None], "n": ["a", "b", "c", "d"]},
            "shared_by",
            "n 1",
            [0, 0, 1, None],
        ),
        ({"x": ["a01@b", "a02@b", "a03@b", "c1@b"]}, "stem_shared_by", "2", [0, 0, 0, 1]),
        ({"x": [3.0, -3.0, None], "y": [2.0, -4.0, 1.0]}, "size_at_most", "y", [0, 1, None]),
        ({"x": [1.0, 1.0, 5.0]}, "not_extreme", "4", [True, True, False]),
        ({"x": ["a", "a", "a"], "y": [1, 1, 2]}, "row_once", "x y", [True, False, True]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_check_answers_as_counted_by_hand(frame, check, argument, expected):
    frame = pd.DataFrame(frame)
    before = frame.copy()
    found = check_rows(frame, rule(check, argument), as_of=AS_OF)["it"]
    assert [None if pd.isna(value) else bool(value) for value in found] == [
        None if value is None else bool(value) for value in expected
    ]
    pd.testing.assert_frame_equal(frame, before)


def test_every_rule_names_a_column_of_its_table_and_says_so_in_both_languages():
    rules = load_rules()
    assert rules["rule"].is_unique
    for row in rules.itertuples():
        assert row.column in {column.name for column in TABLES[row.table].columns}
        assert row.dimension in DIMENSIONS
        assert row.en
        assert row.zh
    assert set(AUTHENTICITY) | set(VALIDITY) == set(DIMENSIONS)


@pytest.mark.parametrize("table", ["records", "customers", "orders", "tickets", "survey"])
def test_simulated_tables_are_checked_by_every_rule(tables, table):
    rules = load_rules(table)
    passed = check_rows(tables[table], rules, as_of=AS_OF)
    assert list(passed.columns) == rules["rule"].tolist()
    if table != "records":  # only the raw records were given faults other than gaps
        others = rules.loc[rules["dimension"] != "completeness", "rule"]
        assert passed[others].fillna(True).to_numpy().all()


def test_score_recounts_the_rules(tables):
    rules = load_rules("records")
    passed = check_rows(tables["records"], rules, as_of=AS_OF)
    summary = summarise_rules(passed, rules)
    scores = score_quality(passed, rules).loc["all"]
    for dimension, of_it in summary.groupby("dimension"):
        by_hand = 1 - of_it["n_failed"].sum() / of_it["n_checked"].sum()
        assert scores[dimension] == pytest.approx(by_hand, rel=1e-12)
    assert scores["validity_score"] == pytest.approx(scores[list(VALIDITY)].mean(), rel=1e-12)


def test_scores_by_system_average_to_the_score_of_all(tables):
    rules, records = load_rules("records"), tables["records"]
    passed = check_rows(records, rules, as_of=AS_OF)
    by_system = score_quality(passed, rules, by=records["system"])
    rows = records["system"].value_counts().reindex(by_system.index)
    everything = score_quality(passed, rules).loc["all", "completeness"]
    assert np.average(by_system["completeness"], weights=rows) == pytest.approx(everything)
    # E-mail lists hold the least.
    assert by_system["completeness"].idxmin() == "email_list"


def test_dimension_without_a_check_has_no_score(tables):
    rules = load_rules("survey")
    scores = score_quality(check_rows(tables["survey"], rules, as_of=AS_OF), rules).loc["all"]
    assert np.isnan(scores["timeliness"])
    assert scores["validity_score"] == scores["completeness"]


def test_planted_fakes_are_found_as_far_as_they_show(tables):
    rules, is_fake = load_rules("records"), tables["record_truth"]["is_fake"]
    signals = count_signals(check_rows(tables["records"], rules, as_of=AS_OF), rules)
    one, two = (score_detection(signals >= n, is_fake) for n in (1, 2))
    # Four in five are typed or made in a batch and show it; a fifth is made with care.
    assert 0.6 < one["recall"] < 0.95
    assert two["precision"] > 0.95
    assert one["precision"] > 5 * one["precision_all"]
    assert two["recall"] <= one["recall"]


def test_questions_of_a_survey_set_their_own_rules(tables):
    survey, items = tables["survey"], tables["items"]
    rules = list_item_rules(items)
    passed = check_rows(survey, rules, as_of=None)
    assert passed.shape == (len(survey), 2 * len(items))
    found = summarise_rules(passed, rules).set_index("rule")["n_failed"]
    for item in items["item"]:
        assert found[f"{item}_filled"] == survey[item].isna().sum()
        assert found[f"{item}_on_scale"] == 0


def test_rules_of_questions_are_gathered_without_losing_a_row(tables):
    survey, items = tables["survey"], tables["items"]
    rules = pd.concat([load_rules("survey"), list_item_rules(items)])
    summary = summarise_rules(check_rows(survey, rules, as_of=None), rules)
    gathered = gather_item_rules(summary, items)
    counts = ["n_checked", "n_failed"]
    assert gathered[counts].sum().tolist() == summary[counts].sum().tolist()
    assert len(gathered) == len(load_rules("survey")) + 2 * items["construct"].nunique()
    filled = gathered.query("column == 'trust' and dimension == 'completeness'").iloc[0]
    asked = items.query("construct == 'trust'")["item"]
    assert filled["n_failed"] == survey[asked].isna().sum().sum()
    worst = survey[asked].isna().sum().idxmax()
    assert f"fewest passed: {worst}, " in filled["en"]
    assert f"最差：{worst}，" in filled["zh"]
    # No survey, no change.
    other = summarise_rules(
        check_rows(tables["records"], load_rules("records"), as_of=AS_OF), load_rules("records")
    )
    pd.testing.assert_frame_equal(gather_item_rules(other, items), other)


def test_detection_by_hand_and_in_the_limits():
    found = score_detection([1, 1, 0, 0], [1, 0, 0, 0])
    assert found[["precision", "recall", "precision_all"]].tolist() == [0.5, 1.0, 0.25]
    assert np.isnan(score_detection([0, 0], [1, 0])["precision"])
    assert np.isnan(score_detection([1], [0])["recall"])


def test_rules_that_cannot_be_used_are_refused_or_left_out():
    frame = pd.DataFrame({"x": ["a"]})
    with pytest.raises(ValueError, match="has the check 'guess'"):
        check_rows(frame, rule("guess"), as_of=AS_OF)
    with pytest.raises(ValueError, match="cannot use the argument 'many'"):
        check_rows(
            pd.DataFrame({"x": days("2024-01-01")}), rule("within_days", "many"), as_of=AS_OF
        )
    assert check_rows(frame, rule("age", "1..2"), as_of=None).shape == (1, 0)
    assert check_rows(frame, rule("filled", column="y"), as_of=AS_OF).shape == (1, 0)
    with pytest.raises(ValueError, match="expected the same rows"):
        score_detection([1], [1, 0])


def test_table_without_rows_has_no_scores():
    rules = load_rules("records")
    frame = pd.DataFrame({"email": pd.array([], dtype="str")})
    summary = summarise_rules(check_rows(frame, rules, as_of=AS_OF), rules)
    assert summary["share_passed"].isna().all()
