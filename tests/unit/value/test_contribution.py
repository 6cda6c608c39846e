"""ABC classes, concentration, contribution, tiers and the whale curve."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.value.contribution import (
    assign_value_tiers,
    classify_abc,
    customer_contribution,
    gini,
    lorenz_curve,
    return_on_cost,
    whale_curve,
)

money = st.integers(-50, 200).map(lambda cents: cents / 4)
positive_money = st.integers(1, 400).map(lambda cents: cents / 4)


def mean_difference_gini(value):
    """Gini by its other definition: the mean of |x_i - x_j| over twice the mean of |x|."""
    x = np.asarray(value, dtype=float)
    return np.abs(x[:, None] - x[None, :]).mean() / (2 * np.abs(x).mean())


def area_gini(value):
    """Gini by the area between the Lorenz curve and the diagonal (trapezium rule)."""
    curve = lorenz_curve(value)
    return 1 - 2 * np.trapezoid(curve["value_share"], curve["customer_share"])


# ABC ------------------------------------------------------------------------------------------


def test_abc_takes_the_customer_who_crosses_the_line_into_the_better_class():
    # 40 % and 75 % cumulated: the second starts below 70 % and is A, the third below 90 % and B.
    table = classify_abc([40.0, 35.0, 20.0, 5.0])
    assert table["abc_class"].tolist() == ["A", "A", "B", "C"]


def test_abc_starts_the_next_class_exactly_on_the_line():
    assert classify_abc([70.0, 20.0, 10.0])["abc_class"].tolist() == ["A", "B", "C"]
    shares = {"class_a_share": 0.1, "class_b_share": 0.2}
    assert classify_abc([1.0, 2.0, 7.0], **shares)["abc_class"].tolist() == ["C", "C", "A"]
    # 0.1 + 0.2 is a little more than 0.3 in binary; the line is still met.
    value = [10.0, 9.9, 10.1, 7.0, 6.5, 6.0, *[50.5 / 10] * 10]
    held = classify_abc(value, class_a_share=0.1, class_b_share=0.2)
    assert held["abc_class"].tolist()[:4] == ["B", "B", "A", "C"]


@settings(max_examples=50)
@given(value=st.lists(money, min_size=1, max_size=40))
def test_abc_agrees_with_walking_down_the_list(value):
    table = classify_abc(value)
    total = sum(v for v in value if v > 0)
    for own, letter in zip(value, table["abc_class"], strict=True):
        above = sum(v for v in value if v > own and v > 0)
        expected = "C"
        if own > 0 and above < 0.9 * total - 1e-9:
            expected = "A" if above < 0.7 * total - 1e-9 else "B"
        assert letter == expected


@settings(max_examples=50)
@given(value=st.lists(money, min_size=1, max_size=40))
def test_abc_class_never_falls_as_value_rises(value):
    table = classify_abc(value).sort_values("value")
    assert table["abc_class"].cat.codes.is_monotonic_increasing
    classes = table["abc_class"].cat.codes.groupby(table["value"])
    assert (classes.min() == classes.max()).all()


def test_abc_of_equal_customers_puts_all_of_them_in_a():
    assert set(classify_abc([5.0] * 8)["abc_class"]) == {"A"}


def test_abc_without_positive_value_is_c_with_undefined_shares():
    table = classify_abc([0.0, -3.0])
    assert table["abc_class"].tolist() == ["C", "C"]
    assert table["cumulative_share"].isna().all()


def test_abc_keeps_the_index_and_ranks_equal_values_alike():
    table = classify_abc(pd.Series([5.0, 9.0, 5.0], index=["x", "y", "z"]))
    assert table.index.tolist() == ["x", "y", "z"]
    assert table["value_rank"].tolist() == [2, 1, 2]


@pytest.mark.parametrize("shares", [(np.nan, 0.2), (0, 0.2), (0.7, 0), (0.8, 0.3), (-0.1, 0.5)])
def test_abc_refuses_impossible_shares(shares):
    with pytest.raises(ValueError, match="expected both above 0 and their sum at most 1"):
        classify_abc([1.0], class_a_share=shares[0], class_b_share=shares[1])


# Lorenz and Gini ------------------------------------------------------------------------------


def test_gini_of_one_to_n_is_the_closed_form():
    for n in (2, 5, 100):
        assert gini(np.arange(1, n + 1)) == pytest.approx((n - 1) / (3 * n), abs=1e-14)


@settings(max_examples=50)
@given(value=st.lists(money, min_size=1, max_size=30).filter(any))
def test_gini_agrees_with_the_mean_difference(value):
    assert gini(value) == pytest.approx(mean_difference_gini(value), abs=1e-12)
    assert 0 <= gini(value) < 1


@settings(max_examples=50)
@given(value=st.lists(positive_money, min_size=1, max_size=30))
def test_gini_of_positive_values_is_twice_the_area_over_the_lorenz_curve(value):
    assert gini(value) == pytest.approx(area_gini(value), abs=1e-12)


def test_gini_of_a_large_pareto_sample_nears_the_law():
    """Pareto with exponent 3 has G = 1/(2 * 3 - 1) = 0.2."""
    rng = np.random.default_rng(20)
    draws = [gini(1 + rng.pareto(3, 4000)) for _ in range(30)]
    error = np.std(draws) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - 0.2) < 4 * error
    assert 4 * error < 0.02


def test_gini_of_an_exponential_sample_nears_one_half():
    rng = np.random.default_rng(21)
    draws = [gini(rng.exponential(3.0, 2000)) for _ in range(30)]
    assert abs(np.mean(draws) - 0.5) < 4 * np.std(draws) / np.sqrt(30)


@settings(max_examples=50)
@given(
    value=st.lists(positive_money, min_size=2, max_size=20),
    factor=st.floats(0.1, 1e6),
)
def test_gini_does_not_depend_on_the_currency_or_on_copies(value, factor):
    assert gini(np.asarray(value) * factor) == pytest.approx(gini(value), abs=1e-12)
    assert gini(value * 3) == pytest.approx(gini(value), abs=1e-12)


@settings(max_examples=50)
@given(value=st.lists(positive_money, min_size=2, max_size=20))
def test_gini_falls_when_the_richest_gives_to_the_poorest(value):
    fairer = np.sort(value)
    gift = (fairer[-1] - fairer[0]) / 4
    fairer[0], fairer[-1] = fairer[0] + gift, fairer[-1] - gift
    assert gini(fairer) <= gini(value) + 1e-12


def test_gini_ends_of_the_scale():
    assert gini([7.1] * 9) == 0.0
    assert gini([-7.1] * 9) == 0.0
    assert gini([0.0] * 99 + [5.0]) == pytest.approx(0.99)
    assert np.isnan(gini([0.0, 0.0]))


def test_gini_with_negative_values_stays_below_one_where_the_classical_one_does_not():
    value = [-40.0, 10.0, 41.0]
    weights = np.array([-2, 0, 2])
    assert (weights * np.sort(value)).sum() / (3 * np.sum(value)) > 1
    assert gini(value) == pytest.approx((weights * np.sort(value)).sum() / (3 * 91))


def test_lorenz_curve_of_two_customers():
    curve = lorenz_curve([3.0, 1.0])
    assert curve["value_share"].tolist() == [0.0, 0.25, 1.0]


@settings(max_examples=50)
@given(value=st.lists(positive_money, min_size=1, max_size=30))
def test_lorenz_curve_rises_from_corner_to_corner_below_the_diagonal(value):
    curve = lorenz_curve(value)
    assert curve.iloc[0].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(curve.iloc[-1], [1.0, 1.0])
    assert (curve["value_share"] <= curve["customer_share"] + 1e-12).all()
    assert (np.diff(curve["value_share"], 2) >= -1e-12).all()


def test_lorenz_and_whale_curves_are_undefined_without_a_positive_total():
    assert lorenz_curve([0.0, 0.0])["value_share"].isna().all()
    assert whale_curve([-2.0, 1.0])["profit_share"].isna().all()


# Contribution ---------------------------------------------------------------------------------


def shop():
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "d"],
            "ordered_on": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-01-08", "2024-01-09"]),
            "amount": [100.0, -20.0, 40.0, 10.0],
            "margin": [30.0, -6.0, 10.0, 2.0],
        }
    )
    customers = pd.DataFrame({"customer_id": ["c", "b", "a"], "cost_to_serve": [3.0, 12.0, 5.0]})
    return orders, customers


def test_contribution_is_margin_less_cost_with_zero_margin_for_who_never_bought():
    orders, customers = shop()
    table = customer_contribution(orders, customers, observed_to="2024-03-01")
    assert table["customer_id"].tolist() == ["a", "b", "c", "d"]
    np.testing.assert_allclose(table["contribution"], [19.0, -2.0, -3.0, np.nan])
    np.testing.assert_allclose(table["margin_rate"], [0.3, 0.25, np.nan, 0.2])
    assert table["total_value"].tolist() == [80.0, 40.0, 0.0, 10.0]


def test_contribution_adds_up_to_the_firms_margin_less_its_cost():
    orders, customers = shop()
    orders = orders[orders["customer_id"] != "d"]
    table = customer_contribution(orders, customers, observed_to="2024-03-01")
    expected = orders["margin"].sum() - customers["cost_to_serve"].sum()
    assert table["contribution"].sum() == pytest.approx(expected)


def test_contribution_is_refused_without_margin_or_cost():
    orders, customers = shop()
    with pytest.raises(ValueError, match="'margin' is missing"):
        customer_contribution(orders.drop(columns="margin"), customers, observed_to="2024-03-01")
    with pytest.raises(ValueError, match="'cost_to_serve' is missing"):
        customer_contribution(orders, customers[["customer_id"]], observed_to="2024-03-01")


def test_contribution_refuses_a_customer_with_two_rows():
    orders, customers = shop()
    twice = pd.concat([customers, customers.head(1)])
    with pytest.raises(ValueError, match="customer 'c' has two rows"):
        customer_contribution(orders, twice, observed_to="2024-03-01")


def test_return_on_cost_is_the_ratio_of_the_sums():
    assert return_on_cost([30.0, -5.0], [10.0, 2.5]) == pytest.approx(2.0)
    assert np.isnan(return_on_cost([30.0], [0.0]))


def test_return_on_cost_refuses_negative_costs_and_unequal_lengths():
    with pytest.raises(ValueError, match="expected costs of 0 or more"):
        return_on_cost([1.0], [-1.0])
    with pytest.raises(ValueError, match="expected the same"):
        return_on_cost([1.0], [1.0, 2.0])


# Whale curve and tiers ------------------------------------------------------------------------


@settings(max_examples=50)
@given(profit=st.lists(money, min_size=1, max_size=30).filter(lambda values: sum(values) > 0))
def test_whale_curve_peaks_at_the_sum_of_the_gains_and_ends_at_one(profit):
    curve = whale_curve(profit)
    gains = sum(p for p in profit if p > 0)
    assert curve["cumulative_profit"].max() == pytest.approx(gains)
    assert curve["profit_share"].iloc[-1] == pytest.approx(1.0)
    assert (np.diff(curve["profit_share"], 2) <= 1e-9).all()


@settings(max_examples=50)
@given(profit=st.lists(positive_money, min_size=1, max_size=30))
def test_whale_curve_of_gains_is_the_lorenz_curve_read_from_the_top(profit):
    whale, lorenz = whale_curve(profit), lorenz_curve(profit)
    np.testing.assert_allclose(whale["profit_share"], 1 - lorenz["value_share"][::-1], atol=1e-12)


def test_tiers_part_the_best_fifth_the_rest_and_the_losses():
    tiers = assign_value_tiers([50, 40, 30, 20, 10, 5, 4, 3, 0, -1])
    assert tiers.tolist() == ["high_value"] * 2 + ["low_value"] * 7 + ["negative_value"]


@settings(max_examples=50)
@given(value=st.lists(money, min_size=1, max_size=40), share=st.floats(0.05, 0.95))
def test_tiers_follow_the_count_of_better_customers(value, share):
    for own, tier in zip(value, assign_value_tiers(value, high_share=share), strict=True):
        n_above = sum(other > own for other in value)
        if own < 0:
            assert tier == "negative_value"
        elif own > 0 and n_above < share * len(value) - 1e-9:
            assert tier == "high_value"
        elif own == 0 or n_above > share * len(value) + 1e-9:
            assert tier == "low_value"


@pytest.mark.parametrize("share", [0, 1, -0.2, 20])
def test_tiers_refuse_an_impossible_share(share):
    with pytest.raises(ValueError, match="high_share is"):
        assign_value_tiers([1.0], high_share=share)


# Refusals and inputs --------------------------------------------------------------------------

FUNCTIONS = [classify_abc, lorenz_curve, gini, whale_curve, assign_value_tiers]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "at least one customer"),
        ([1.0, np.nan, 2.0], "1 of 3 entries are missing or infinite, the first in row 2"),
        ([1.0, np.inf], "missing or infinite"),
        (["a lot"], "expected numbers"),
    ],
)
def test_money_that_is_none_is_refused(function, value, message):
    with pytest.raises(ValueError, match=message):
        function(value)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_values_are_left_unchanged(function):
    value = pd.Series([3.0, -1.0, 8.0, 8.0], index=list("dcba"))
    before = value.copy(deep=True)
    function(value)
    pd.testing.assert_series_equal(value, before)


def test_tables_are_left_unchanged():
    orders, customers = shop()
    before = orders.copy(deep=True), customers.copy(deep=True)
    customer_contribution(orders, customers, observed_to="2024-03-01")
    pd.testing.assert_frame_equal(orders, before[0])
    pd.testing.assert_frame_equal(customers, before[1])
