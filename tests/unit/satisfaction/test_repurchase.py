"""Purchases after an answer: windows by hand, against a loop, and what cannot be known."""

import numpy as np
import pandas as pd
import pytest

from crmlab.satisfaction import count_later_purchases


def test_the_window_opens_the_day_after_and_holds_its_last_day():
    day = pd.Timestamp("2025-06-01")
    survey = pd.DataFrame({"customer_id": ["a"], "answered_on": [day]})
    for after, n in {-1: 0.0, 0: 0.0, 1: 1.0, 30: 1.0, 31: 0.0}.items():
        orders = {"customer_id": ["a"], "ordered_on": [day + pd.Timedelta(days=after)]}
        orders = pd.DataFrame(orders | {"amount": 5.0})
        assert count_later_purchases(orders, survey, days=30).tolist() == [n]
        returns = orders.assign(amount=-5.0)
        assert count_later_purchases(returns, survey, days=30).tolist() == [0.0]


def test_every_answer_is_counted_as_a_loop_counts_it():
    rng = np.random.default_rng(1)
    start = pd.Timestamp("2025-01-01")
    orders = pd.DataFrame({"customer_id": rng.choice(list("abcdef"), 300)})
    orders["ordered_on"] = start + pd.to_timedelta(rng.integers(0, 200, 300), "D")
    orders["amount"] = rng.choice([-1.0, 0.0, 2.0], 300)
    survey = pd.DataFrame({"customer_id": ["b", "a", "b", None, "z", "c"]}, index=range(5, 11))
    survey["answered_on"] = start + pd.to_timedelta([50, 60, 90, 60, 60, np.nan], "D")
    before = survey.copy()
    found = count_later_purchases(orders, survey, days=45)
    expected = []
    for customer, day in survey.itertuples(index=False):
        own = orders[(orders["customer_id"] == customer) & (orders["amount"] > 0)]
        waited = (own["ordered_on"] - day).dt.days
        is_known = pd.notna(customer) and pd.notna(day)
        expected.append(((waited > 0) & (waited <= 45)).sum() if is_known else np.nan)
    pd.testing.assert_series_equal(found, pd.Series(expected, index=survey.index, dtype=float))
    assert found.iloc[:3].min() > 0  # the one who answered twice has two windows
    pd.testing.assert_frame_equal(survey, before)


def test_customers_who_are_numbers_are_found_beside_a_gap():
    day = pd.Timestamp("2025-06-01")
    survey = pd.DataFrame({"customer_id": [7, None], "answered_on": day})
    orders = pd.DataFrame({"customer_id": [7], "amount": 5.0, "ordered_on": "2025-06-02"})
    orders["ordered_on"] = pd.to_datetime(orders["ordered_on"])
    found = count_later_purchases(orders, survey, days=30)
    assert found.dropna().tolist() == [1.0]


def test_what_cannot_be_counted_is_refused():
    survey = pd.DataFrame({"customer_id": ["a"], "answered_on": [pd.Timestamp("2025-06-01")]})
    orders = pd.DataFrame({"customer_id": ["a"], "ordered_on": [pd.NaT], "amount": [1.0]})
    with pytest.raises(ValueError, match="survey: column 'answered_on' is missing"):
        count_later_purchases(orders, survey[["customer_id"]], days=30)
    with pytest.raises(ValueError, match="orders: column 'amount' is missing"):
        count_later_purchases(orders.drop(columns="amount"), survey, days=30)
    with pytest.raises(ValueError, match="days is 0; expected at least 1"):
        count_later_purchases(orders, survey, days=0)
