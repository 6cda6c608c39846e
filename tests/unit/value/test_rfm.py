"""One row per customer, scores that respect ties, and segments that cover the cube."""

import dataclasses
from collections import Counter
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.value.rfm import (
    RFM_SEGMENTS,
    RfmRule,
    check_rfm_rules,
    find_customers_without_purchase,
    find_rfm_cut_points,
    name_rfm_segments,
    rfm_grid,
    score_rfm,
    summarize_orders,
)


def three_customers():
    return pd.DataFrame(
        {
            "customer_id": ["b", "a", "a", "a", "a", "c"],
            "ordered_on": pd.to_datetime(
                ["2024-01-08", "2024-01-01", "2024-01-15", "2024-01-15", "2024-02-05", "2024-01-03"]
            ),
            "amount": [50.0, 30.0, 10.0, 14.0, -4.0, -9.0],
            "margin": [20.0, 9.0, 3.0, 4.0, -1.0, -3.0],
        }
    )


def summaries(min_size=1):
    """Small summaries full of ties."""
    row = st.tuples(st.integers(0, 6), st.integers(1, 4), st.integers(-3, 9).map(float))
    return st.lists(row, min_size=min_size, max_size=40).map(
        lambda rows: pd.DataFrame(rows, columns=["recency_days", "n_orders", "total_value"]).assign(
            customer_id=[f"c{i:03d}" for i in range(len(rows))]
        )
    )


def test_summary_is_what_paper_and_pencil_give():
    summary = summarize_orders(three_customers(), observed_to="2024-02-12")
    a, b = (row for _, row in summary.iterrows())
    assert (a.customer_id, b.customer_id) == ("a", "b")
    assert (a.n_orders, a.total_value, a.total_margin) == (3, 50.0, 15.0)
    assert (a.recency_days, a.last_order_age_weeks, a.age_weeks) == (28, 2.0, 6.0)
    assert (a.n_repeat_orders, a.mean_repeat_value) == (1, 24.0)
    assert (b.n_orders, b.n_repeat_orders, b.last_order_age_weeks) == (1, 0, 0.0)
    assert np.isnan(b.mean_repeat_value)


def test_the_two_recencies_and_the_age_add_up():
    summary = summarize_orders(three_customers(), observed_to="2024-12-31")
    np.testing.assert_allclose(
        summary["last_order_age_weeks"] + summary["recency_days"] / 7, summary["age_weeks"]
    )


def test_summary_without_margin_has_no_margin():
    orders = three_customers().drop(columns="margin")
    assert "total_margin" not in summarize_orders(orders, observed_to="2024-02-12")


def test_customers_who_only_returned_are_left_out_and_listed():
    orders = three_customers()
    summary = summarize_orders(orders, observed_to="2024-02-12")
    without = find_customers_without_purchase(orders, observed_to="2024-02-12")
    assert without.to_dict("records") == [{"customer_id": "c", "n_returns": 1, "total_value": -9.0}]
    everyone = sorted([*summary["customer_id"], *without["customer_id"]])
    assert everyone == sorted(orders["customer_id"].unique())


def test_summary_of_cdnow_has_the_published_number_of_repeat_orders(mirror):
    """Fader, Hardie & Lee 2005, Marketing Science 24(2), 275-284 (39 weeks, 2,357 customers).

    Customers with 0, 1, ..., 6 and 7 or more repeat transactions: 1411, 439, 214, 100, 62, 38,
    29, 64. Eight of the 1,411 placed one order of 0 dollars, which is no purchase here.
    """
    columns = ["master_id", "customer_id", "day", "n_cds", "amount"]
    lines = pd.read_csv(
        mirror / "cdnow" / "CDNOW_sample.txt", sep=r"\s+", header=None, names=columns, dtype=str
    )
    orders = lines[["customer_id"]].assign(
        ordered_on=pd.to_datetime(lines["day"]), amount=lines["amount"].astype(float)
    )
    orders = orders[orders["ordered_on"] <= "1997-09-30"]
    summary = summarize_orders(orders, observed_to="1997-09-30")
    without = find_customers_without_purchase(orders, observed_to="1997-09-30")
    counts = summary["n_repeat_orders"].clip(upper=7).value_counts().sort_index()
    assert counts.tolist() == [1411 - 8, 439, 214, 100, 62, 38, 29, 64]
    assert (len(without), without["n_returns"].sum()) == (8, 0)
    assert len(summary) + len(without) == 2357


@pytest.mark.parametrize("n_classes", [2, 3, 5, 9])
def test_scores_without_ties_make_classes_of_equal_size(n_classes):
    n = 9 * n_classes
    rng = np.random.default_rng(7)
    summary = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "recency_days": rng.permutation(n),
            "n_orders": rng.permutation(n) + 1,
            "total_value": rng.permutation(n) + 0.5,
        }
    )
    scores = score_rfm(summary, n_classes=n_classes)
    for name in ("r_score", "f_score", "m_score"):
        assert Counter(scores[name]) == dict.fromkeys(range(1, n_classes + 1), 9)


@settings(max_examples=50)
@given(summary=summaries(), n_classes=st.integers(2, 9))
def test_score_is_one_plus_the_classes_that_stand_below(summary, n_classes):
    """The definition, by counting: class k is reached by (k - 1)/n standing strictly worse."""
    scores = score_rfm(summary, n_classes=n_classes)
    n = len(summary)
    for name, column, sign in [
        ("r_score", "recency_days", -1),
        ("f_score", "n_orders", 1),
        ("m_score", "total_value", 1),
    ]:
        standing = sign * summary[column]
        n_worse = [(standing < own).sum() for own in standing]
        assert scores[name].tolist() == [1 + (n_classes * w) // n for w in n_worse]


@settings(max_examples=50)
@given(summary=summaries())
def test_equal_values_get_equal_scores_and_better_values_no_worse_ones(summary):
    scores = score_rfm(summary)
    for name, column, sign in [
        ("r_score", "recency_days", -1),
        ("f_score", "n_orders", 1),
        ("m_score", "total_value", 1),
    ]:
        by_value = scores[name].groupby(sign * summary[column])
        assert (by_value.min() == by_value.max()).all()
        assert by_value.first().is_monotonic_increasing


@settings(max_examples=50)
@given(summary=summaries(min_size=2))
def test_scores_are_blind_to_the_order_of_customers(summary):
    shuffled = summary.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(score_rfm(shuffled).sort_index(), score_rfm(summary))


@settings(max_examples=50)
@given(summary=summaries())
def test_cut_points_of_a_summary_give_its_scores_again(summary):
    cuts = find_rfm_cut_points(summary)
    pd.testing.assert_frame_equal(score_rfm(summary, cut_points=cuts), score_rfm(summary))


def test_fixed_cut_points_read_as_a_manager_would_say_them():
    summary = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "recency_days": [30, 31, 91],
            "n_orders": [2, 1, 5],
            "total_value": [100.0, 99.9, 500.0],
        }
    )
    cuts = {"recency_days": [30, 90], "n_orders": [2, 5], "total_value": [100, 500]}
    assert score_rfm(summary, cut_points=cuts)["rfm_cell"].tolist() == ["322", "211", "133"]


def test_customers_all_alike_are_in_the_lowest_class():
    summary = pd.DataFrame(
        {"customer_id": ["a", "b"], "recency_days": 5, "n_orders": 2, "total_value": 8.0}
    )
    assert score_rfm(summary)["rfm_cell"].tolist() == ["111", "111"]


def test_cell_and_sum_agree_with_the_scores():
    summary = summarize_orders(three_customers(), observed_to="2024-02-12")
    scores = score_rfm(summary)
    digits = scores["rfm_cell"].map(lambda cell: sum(map(int, cell)))
    assert scores["rfm_score"].tolist() == digits.tolist()


@pytest.mark.parametrize("n_classes", [1, 10, 2.5, None])
def test_impossible_numbers_of_classes_are_refused(n_classes):
    summary = summarize_orders(three_customers(), observed_to="2024-02-12")
    with pytest.raises(ValueError, match="n_classes is"):
        score_rfm(summary, n_classes=n_classes)


@pytest.mark.parametrize(
    ("cut_points", "message"),
    [
        ([1, 2], "expected a mapping with the keys"),
        ({"n_orders": [2]}, "expected a mapping with the keys"),
        ({"recency_days": [30], "n_orders": [2, 3], "total_value": [9]}, "equally many"),
        ({"recency_days": [30, 10], "n_orders": [2, 3], "total_value": [1, 9]}, "ascending"),
        ({"recency_days": [np.nan], "n_orders": [2], "total_value": [1]}, "ascending"),
        ({"recency_days": 30, "n_orders": [2], "total_value": [1]}, "expected a list"),
    ],
)
def test_broken_cut_points_are_refused(cut_points, message):
    summary = summarize_orders(three_customers(), observed_to="2024-02-12")
    with pytest.raises(ValueError, match=message):
        score_rfm(summary, cut_points=cut_points)


def test_a_summary_with_gaps_twins_or_nobody_is_refused():
    summary = summarize_orders(three_customers(), observed_to="2024-02-12")
    with pytest.raises(ValueError, match="'n_orders' is missing"):
        score_rfm(summary.drop(columns="n_orders"))
    with pytest.raises(ValueError, match="total_value is missing in row 2"):
        score_rfm(summary.assign(total_value=[1.0, np.nan]))
    with pytest.raises(ValueError, match="customer 'a' has two rows"):
        score_rfm(pd.concat([summary, summary.head(1)]))
    with pytest.raises(ValueError, match="no customer to divide"):
        score_rfm(summary.head(0))


@settings(max_examples=50)
@given(summary=summaries())
def test_grid_counts_every_customer_once_and_keeps_the_total(summary):
    scores = score_rfm(summary)
    grid = rfm_grid(scores, summary["total_value"])
    assert grid["n_customers"].sum() == len(summary)
    total = (grid["n_customers"] * grid["mean_value"].fillna(0)).sum()
    assert total == pytest.approx(summary["total_value"].sum(), abs=1e-9)
    assert not grid.duplicated(["r_score", "f_score"]).any()
    assert (grid["mean_value"].isna() == (grid["n_customers"] == 0)).all()


def test_grid_without_value_has_counts_alone():
    scores = score_rfm(summarize_orders(three_customers(), observed_to="2024-02-12"))
    assert list(rfm_grid(scores)) == ["r_score", "f_score", "n_customers"]


def test_grid_refuses_the_value_of_other_customers():
    scores = score_rfm(summarize_orders(three_customers(), observed_to="2024-02-12"))
    with pytest.raises(ValueError, match="value has 3 customers and scores 2"):
        rfm_grid(scores, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="'f_score' is missing"):
        rfm_grid(scores.drop(columns="f_score"))


def test_rules_hold_each_cell_of_the_cube_exactly_once():
    for cell in product(range(1, 6), repeat=3):
        assert sum(rule.holds(*cell) for rule in RFM_SEGMENTS) == 1
    check_rfm_rules(RFM_SEGMENTS)


def test_rules_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RFM_SEGMENTS[0].segment = "others"


def test_rules_that_overlap_or_leave_a_gap_are_refused():
    with pytest.raises(ValueError, match="belongs to no rule"):
        check_rfm_rules(RFM_SEGMENTS[:-1])
    double = (*RFM_SEGMENTS, RfmRule("others", (1, 1), (1, 1), (1, 1)))
    with pytest.raises(ValueError, match=r"belongs to 2 rules \(lost, others\)"):
        check_rfm_rules(double)


def test_every_cell_gets_the_name_of_its_rule():
    cells = pd.DataFrame(
        list(product(range(1, 6), repeat=3)), columns=["r_score", "f_score", "m_score"]
    )
    expected = [
        next(rule.segment for rule in RFM_SEGMENTS if rule.holds(*cell))
        for cell in cells.itertuples(index=False)
    ]
    assert name_rfm_segments(cells).tolist() == expected
    assert name_rfm_segments(cells).cat.categories.tolist() == list(
        dict.fromkeys(rule.segment for rule in RFM_SEGMENTS)
    )


def test_segments_have_a_term_in_both_languages():
    from crmlab.atlas import term

    for rule in RFM_SEGMENTS:
        assert term(rule.segment).en
        assert term(rule.segment).zh


def test_scores_outside_one_to_five_are_refused():
    scores = pd.DataFrame({"r_score": [1, 6], "f_score": [1, 1], "m_score": [1, 1]})
    with pytest.raises(ValueError, match="r_score holds 6 in row 2"):
        name_rfm_segments(scores)


def test_inputs_are_left_unchanged():
    orders = three_customers()
    before = orders.copy(deep=True)
    summary = summarize_orders(orders, observed_to="2024-02-12")
    pd.testing.assert_frame_equal(orders, before)
    kept = summary.copy(deep=True)
    scores = score_rfm(summary)
    pd.testing.assert_frame_equal(summary, kept)
    kept = scores.copy(deep=True)
    name_rfm_segments(scores)
    pd.testing.assert_frame_equal(scores, kept)


def test_scores_of_nobody_are_an_empty_table():
    cuts = {"recency_days": [9.0], "n_orders": [2.0], "total_value": [5.0]}
    nobody = pd.DataFrame({"customer_id": pd.Series(dtype="str")} | dict.fromkeys(cuts, 1.0))
    assert score_rfm(nobody, cut_points=cuts).shape == (0, 6)
