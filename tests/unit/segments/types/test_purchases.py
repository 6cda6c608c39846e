"""Purchases by customer: pauses, deals and sums on paper; hours and leap days; refusals."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crmlab.segments.types import purchases
from crmlab.segments.types.purchases import describe_purchases

END = pd.Timestamp("2024-12-31")


def orders(*rows, discount=None):
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_on", "amount"])
    frame["ordered_on"] = pd.to_datetime(frame["ordered_on"])
    return frame if discount is None else frame.assign(discount_share=discount)


BOOK = orders(
    ("a", "2024-01-01", 10.0),
    ("a", "2024-01-01", 5.0),
    ("a", "2024-07-01", 10.0),
    ("a", "2024-07-31", 10.0),
    ("a", "2024-08-02", -10.0),
    ("b", "2024-12-01", 10.0),
    ("c", "2024-05-01", -3.0),
    discount=[0.1, 0.0, 0.0, 0.3, 0.3, 0.0, 0.0],
)


def test_purchases_of_two_customers_are_counted_on_paper():
    found = describe_purchases(BOOK, observed_to=END)
    a = found.loc["a"]
    assert a["n_orders"] == 4
    assert a["n_repeat_orders"] == 2
    assert a["first_days"] == 365
    assert a["silence_days"] == 153
    assert a["longest_gap_days"] == 182
    assert a["days_since_return"] == 183
    assert a["n_deals"] == 2
    assert found.loc["b", "longest_gap_days"] == 0
    assert np.isnan(found.loc["b", "days_since_return"])
    # c only returned: what that took is known, and no purchase.
    assert found["total_value"].tolist() == [25.0, 10.0, -3.0]
    assert found["recent_value"].tolist() == [10.0, 10.0, -3.0]  # 1 January is 365 days ago
    assert found.drop(columns=["total_value", "recent_value"]).loc["c"].isna().all()


def test_the_latest_of_equal_pauses_counts():
    days = ["2024-01-01", "2024-01-31", "2024-03-01", "2024-03-01", "2024-03-02"]
    rows = [*(("a", day, 1.0) for day in days), ("b", "2023-01-01", 1.0)]
    book = orders(*rows).sample(frac=1, random_state=1)
    found = describe_purchases(book, observed_to=END)
    assert found["n_repeat_orders"]["b"] == 0  # the days of a are none of b's
    found = found.loc["a"]
    assert found["n_repeat_orders"] == 3
    assert found["longest_gap_days"] == 30
    assert found["days_since_return"] == 305  # since 1 March, not since 31 January


def test_without_discounts_deals_are_missing_and_not_zero():
    found = describe_purchases(BOOK.drop(columns="discount_share"), observed_to=END)
    assert found["n_deals"].isna().all()


def test_purchases_after_the_end_are_not_seen():
    found = describe_purchases(BOOK, observed_to=pd.Timestamp("2024-06-30"))
    assert found["n_orders"].dropna().to_dict() == {"a": 2}
    assert found["total_value"].to_dict() == {"a": 15, "c": -3}
    with pytest.raises(ValueError, match="no purchase"):
        describe_purchases(BOOK, observed_to=pd.Timestamp("2023-12-31"))


@pytest.mark.parametrize("n_rows", [1, 3, 10_000])
def test_some_customers_at_a_time_change_nothing(monkeypatch, n_rows):
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 200, 60), unit="D")
    ids = rng.choice(["a", "é", "客户", "Z", "b c"], 60)
    book = pd.DataFrame({"customer_id": ids, "ordered_on": days, "amount": rng.normal(9, 9, 60)})
    monkeypatch.setattr(purchases, "_ROWS_AT_A_TIME", n_rows)
    found = describe_purchases(pl.from_pandas(book).lazy(), observed_to=END)
    pd.testing.assert_frame_equal(found, describe_purchases(book, observed_to=END))


def test_hours_change_no_day_and_leap_days_are_days():
    book = orders(
        ("a", "1999-12-31 23:59", 1.0),
        ("a", "2000-03-01 00:01", 1.0),
        ("a", "2100-03-01 00:00", 1.0),
    )
    found = describe_purchases(book, observed_to=pd.Timestamp("2100-03-01")).loc["a"]
    whole = book.assign(ordered_on=book["ordered_on"].dt.normalize())
    assert found.equals(describe_purchases(whole, observed_to=pd.Timestamp("2100-03-01")).loc["a"])
    assert found["first_days"] == (pd.Timestamp("2100-03-01") - pd.Timestamp("1999-12-31")).days
    assert found["silence_days"] == 0
    assert found["longest_gap_days"] == 36_524  # a century with 24 leap days


@pytest.mark.parametrize("amount", [np.nan, np.inf, -1e13])
def test_amounts_that_cannot_be_added_up_are_refused(amount):
    book = orders(("a", "2024-01-01", 1.0), ("b", "2024-01-01", amount))
    with pytest.raises(ValueError, match=r"orders: 1 amounts are .* 1e[+]13 or more in size"):
        describe_purchases(book, observed_to=END)
    with pytest.raises(ValueError, match="'amount' is missing"):
        describe_purchases(book.drop(columns="amount"), observed_to=END)
