"""A ranking is judged by what the customers it picks buy later."""

import itertools

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.value.holdout import (
    captured_difference,
    captured_share,
    compare_classes,
    compare_rankings,
    gains_curve,
    split_orders,
    summarize_holdout,
)
from crmlab.value.rfm import summarize_orders


def order_book():
    return pd.DataFrame(
        {
            "customer_id": ["a", "b", "a", "z", "b"],
            "ordered_on": pd.to_datetime(
                ["2024-01-01", "2024-01-31", "2024-02-01", "2024-02-05", "2024-02-09"]
            ),
            "amount": [10.0, 20.0, 30.0, 40.0, -5.0],
        }
    )


def test_split_keeps_every_order_once_and_the_day_itself_in_the_first_part():
    before, after = split_orders(order_book(), calibrated_to="2024-01-31")
    assert before["amount"].tolist() == [10.0, 20.0]
    assert after["amount"].tolist() == [30.0, 40.0, -5.0]


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime])
def test_split_works_alike_on_polars(lazy, kind):
    frame = pl.from_pandas(order_book()).with_columns(pl.col("ordered_on").cast(kind))
    parts = split_orders(frame.lazy() if lazy else frame, calibrated_to="2024-01-31")
    collected = [part.collect() if lazy else part for part in parts]
    assert [part["amount"].to_list() for part in collected] == [[10.0, 20.0], [30.0, 40.0, -5.0]]


def test_split_refuses_a_table_without_dates():
    with pytest.raises(ValueError, match="'ordered_on' is missing"):
        split_orders(order_book().drop(columns="ordered_on"), calibrated_to="2024-01-31")


def test_holdout_counts_later_orders_of_known_customers_alone():
    before, after = split_orders(order_book(), calibrated_to="2024-01-31")
    summary = summarize_orders(before, observed_to="2024-01-31")
    later = summarize_holdout(summary, after, observed_to="2024-02-28")
    assert later.to_dict("list") == {
        "customer_id": ["a", "b"],
        "n_holdout_orders": [1, 0],
        "holdout_value": [30.0, -5.0],
    }


def test_holdout_of_cdnow_has_the_published_mean_per_number_of_repeat_orders(mirror):
    """Fader, Hardie & Lee 2005, Marketing Science 24(2): mean later orders, 1 to 6 and 7+ repeats.

    Purchase days of the 39 weeks after September 1997, as the BTYD walkthrough prints them.
    """
    columns = ["master_id", "customer_id", "day", "n_cds", "amount"]
    lines = pd.read_csv(
        mirror / "cdnow" / "CDNOW_sample.txt", sep=r"\s+", header=None, names=columns, dtype=str
    )
    orders = lines[["customer_id"]].assign(
        ordered_on=pd.to_datetime(lines["day"]), amount=lines["amount"].astype(float)
    )
    # One order a day, and a token cent where CDNOW gave the music away: the paper counts days.
    days = orders.groupby(["customer_id", "ordered_on"], as_index=False)["amount"].sum()
    days["amount"] = days["amount"].clip(lower=0.01)
    before, after = split_orders(days, calibrated_to="1997-09-30")
    summary = summarize_orders(before, observed_to="1997-09-30")
    later = summarize_holdout(summary, after, observed_to="1998-06-30")
    means = later["n_holdout_orders"].groupby(summary["n_repeat_orders"].clip(upper=7)).mean()
    published = [0.2367116, 0.6970387, 1.392523, 1.56, 2.532258, 2.947368, 3.862069, 6.359375]
    np.testing.assert_allclose(means, published, atol=5e-7)


def test_gains_curve_of_a_perfect_ranking_lies_above_every_other():
    value = [5.0, 1.0, 3.0, 0.0]
    best = gains_curve(value, by=value)["value_share"]
    for order in itertools.permutations(range(4)):
        assert (best >= gains_curve(value, by=order)["value_share"] - 1e-12).all()


@settings(max_examples=50)
@given(
    rows=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), min_size=2, max_size=7).filter(
        lambda rows: sum(value for value, _ in rows) > 0
    ),
    share=st.floats(0.05, 0.95),
)
def test_captured_share_is_the_mean_over_all_ways_to_break_ties(rows, share):
    value, rank = np.array(rows, dtype=float).T
    n = len(value)
    captured = []
    for order in itertools.permutations(range(n)):
        if all(rank[a] >= rank[b] for a, b in itertools.pairwise(order)):
            curve = np.concatenate([[0], value[list(order)].cumsum()]) / value.sum()
            captured.append(np.interp(share * n, np.arange(n + 1), curve))
    assert captured_share(value, by=rank, share=share) == pytest.approx(np.mean(captured))


def test_captured_share_of_the_same_value_is_the_eighty_twenty_figure():
    value = [80.0, 5.0, 5.0, 5.0, 5.0]
    assert captured_share(value, by=value, share=0.2) == pytest.approx(0.8)


def test_a_ranking_that_knows_nothing_captures_the_share_it_picks():
    assert captured_share([9.0, 1.0, 4.0], by=[1, 1, 1], share=0.3) == pytest.approx(0.3)


def test_chance_error_is_the_spread_of_random_picks():
    rng = np.random.default_rng(9)
    value = rng.exponential(10, 60)
    rankings = pd.DataFrame({"score": rng.random(60)})
    table = compare_rankings(value, rankings, share=0.25)
    picks = [captured_share(value, by=rng.random(60), share=0.25) for _ in range(4000)]
    # The spread of 4,000 picks is known to about 1.1 %; four times that is allowed.
    assert table["chance_error"][0] == pytest.approx(np.std(picks), rel=0.045)
    assert np.mean(picks) == pytest.approx(0.25, abs=4 * np.std(picks) / 4000**0.5)


def test_comparison_adds_lift_and_distance_from_chance():
    rankings = pd.DataFrame({"best": [4, 3, 2, 1], "worst": [1, 2, 3, 4]})
    table = compare_rankings([4.0, 3.0, 2.0, 1.0], rankings, share=0.5)
    np.testing.assert_allclose(table["captured_share"], [0.7, 0.3])
    np.testing.assert_allclose(table["lift"], [1.4, 0.6])
    np.testing.assert_allclose(table["z"], -table["z"][::-1])


def test_comparison_is_undefined_without_later_value():
    table = compare_rankings([0.0, 0.0], pd.DataFrame({"score": [1, 2]}))
    assert table[["captured_share", "lift", "z", "chance_error"]].isna().all(axis=None)


def test_comparison_of_equal_values_has_no_distance_from_chance():
    table = compare_rankings([2.0, 2.0, 2.0], pd.DataFrame({"score": [1, 2, 3]}))
    assert table["captured_share"][0] == pytest.approx(0.2)
    assert np.isnan(table["z"][0])


def test_difference_is_that_of_the_captured_shares_and_turns_with_the_rankings():
    rng = np.random.default_rng(3)
    value, by, baseline = rng.exponential(1, 50), rng.random(50), rng.random(50)
    difference, error = captured_difference(value, by=by, baseline=baseline, seed=4)
    expected = captured_share(value, by=by) - captured_share(value, by=baseline)
    assert difference == pytest.approx(expected)
    turned = captured_difference(value, by=baseline, baseline=by, seed=4)
    assert turned == pytest.approx((-difference, error))


def test_difference_of_a_ranking_with_itself_is_nothing_without_error():
    value = [5.0, 1.0, 0.0, 2.0] * 6
    assert captured_difference(value, by=value, baseline=value, seed=4) == (0.0, 0.0)


def test_error_of_the_difference_is_its_spread_over_new_shops():
    """100 shops of 300 customers (seed 5): the mean bootstrap error is the spread found."""
    rng = np.random.default_rng(5)
    differences, errors = [], []
    for shop in range(100):
        past = rng.exponential(1, 300)
        value = past * rng.exponential(1, 300)
        difference, error = captured_difference(
            value, by=past, baseline=rng.random(300), seed=shop, n_resamples=30
        )
        differences.append(difference)
        errors.append(error)
    # The spread of 100 differences is known to about 7 %; four times that is allowed.
    assert np.mean(errors) == pytest.approx(np.std(differences), rel=0.28)


def test_difference_without_later_value_is_undefined():
    assert np.isnan(captured_difference([0.0] * 5, by=range(5), baseline=range(5), seed=1)).all()


def test_too_few_resamples_are_refused():
    with pytest.raises(ValueError, match="n_resamples is 5"):
        captured_difference([1.0], by=[1], baseline=[1], seed=1, n_resamples=5)


def test_class_means_come_with_the_error_of_a_mean():
    table = compare_classes([10.0, 20.0, 30.0, 5.0], ["A", "A", "A", "B"])
    assert table["n_customers"].tolist() == [3, 1]
    assert table["mean_value"].tolist() == [20.0, 5.0]
    np.testing.assert_allclose(table["standard_error"], [10 / 3**0.5, np.nan])


def test_classes_without_customers_are_left_out_and_the_order_is_kept():
    group = pd.Categorical(["C", "A"], categories=["C", "B", "A"], ordered=True)
    assert compare_classes([1.0, 2.0], group)["group"].tolist() == ["C", "A"]


def test_class_means_refuse_gaps_and_other_customers():
    with pytest.raises(ValueError, match="value has 2 customers and group 1"):
        compare_classes([1.0, 2.0], ["A"])
    with pytest.raises(ValueError, match="missing or infinite"):
        compare_classes([1.0, np.nan], ["A", "A"])


@pytest.mark.parametrize("share", [0, 1, 20])
def test_impossible_shares_are_refused(share):
    with pytest.raises(ValueError, match="share is"):
        captured_share([1.0], by=[1.0], share=share)


def test_gaps_and_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="missing or infinite"):
        gains_curve([1.0, np.nan], by=[1, 2])
    with pytest.raises(ValueError, match="expected one of each per customer"):
        gains_curve([1.0, 2.0], by=[1])


def test_inputs_are_left_unchanged():
    orders, rankings = order_book(), pd.DataFrame({"score": [2.0, 1.0]})
    before = orders.copy(deep=True), rankings.copy(deep=True)
    first, later = split_orders(orders, calibrated_to="2024-01-31")
    summary = summarize_orders(first, observed_to="2024-01-31")
    kept = summary.copy(deep=True)
    holdout = summarize_holdout(summary, later, observed_to="2024-02-28")
    compare_rankings(holdout["holdout_value"], rankings)
    pd.testing.assert_frame_equal(orders, before[0])
    pd.testing.assert_frame_equal(rankings, before[1])
    pd.testing.assert_frame_equal(summary, kept)


@pytest.mark.parametrize("value", [0.1, 0.3, 1 / 3, 2.7])
@pytest.mark.parametrize("n", [7, 10, 13])
def test_equal_values_have_no_z_for_rounding_alone(n, value):
    table = compare_rankings([value] * n, pd.DataFrame({"by_row": range(n)}))
    assert table["chance_error"][0] == 0
    assert np.isnan(table["z"][0])


def test_gains_end_at_exactly_all_the_value():
    rng = np.random.default_rng(0)
    curve = gains_curve(rng.random(1001), by=rng.random(1001))
    assert curve["value_share"].iloc[-1] == 1


@pytest.mark.parametrize(
    "days", [["2024-01-01"], pd.to_datetime(["2024-01-01"]).tz_localize("UTC")]
)
def test_dates_that_cannot_be_split_are_refused(days):
    with pytest.raises(ValueError, match="expected dates without a time zone"):
        split_orders(pd.DataFrame({"ordered_on": days}), calibrated_to="2024-01-05")


def test_identifiers_of_another_kind_are_refused_for_nobody_would_match():
    summary = pd.DataFrame({"customer_id": [1, 2]})
    with pytest.raises(ValueError, match="stored as int64 in summary and as str in orders"):
        summarize_holdout(summary, order_book(), observed_to="2024-02-28")
