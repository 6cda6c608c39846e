"""Panels of customer-months: silence is a row, gaps are refused, orders of any engine."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crmlab.relationship.panel import arrange_months, count_monthly_orders


def orders():
    return pd.DataFrame(
        {
            "customer_id": ["b", "a", "a", "a", "c"],
            "ordered_on": pd.to_datetime(
                ["2024-02-01", "2024-01-31", "2024-03-01", "2024-03-15", "2024-04-02"]
            ),
            "amount": [5.0, 0.1, 0.2, -0.3, 9.0],
        }
    )


def test_each_month_from_the_first_purchase_on_has_a_row():
    table = count_monthly_orders(orders(), observed_to="2024-04-29")  # April is not over
    assert table["customer_id"].tolist() == ["a", "a", "a", "b", "b"]
    assert table["n_orders"].tolist() == [1, 0, 1, 1, 0]
    assert table["month_number"].tolist() == [0, 1, 2, 0, 1]
    np.testing.assert_allclose(table["total_value"], [0.1, 0, -0.1, 5, 0], atol=1e-12)


def test_an_unfinished_month_is_no_silence():
    early = orders().iloc[:4]
    table = count_monthly_orders(early, observed_to="2024-03-30")
    assert table["month_on"].max() == pd.Timestamp("2024-02-01")


def test_sums_are_those_of_pandas_and_of_another_engine():
    rng = np.random.default_rng(4)
    many = pd.DataFrame(
        {
            "customer_id": rng.choice(list("abcdef"), 300),
            "ordered_on": pd.Timestamp("2023-01-01")
            + pd.to_timedelta(rng.integers(0, 365, 300), "D"),
            "amount": rng.normal(20, 10, 300).round(2),
        }
    )
    table = count_monthly_orders(many, observed_to="2023-12-31")
    by_month = many.groupby(["customer_id", many["ordered_on"].dt.to_period("M")])["amount"].sum()
    at = pd.MultiIndex.from_frame(
        table[["customer_id"]].assign(month=table["month_on"].dt.to_period("M"))
    )
    np.testing.assert_allclose(table["total_value"], by_month.reindex(at).fillna(0), atol=1e-9)
    lazy = count_monthly_orders(pl.from_pandas(many).lazy(), observed_to="2023-12-31")
    pd.testing.assert_frame_equal(lazy.astype({"customer_id": "str"}), table)


def test_orders_after_the_window_or_none_in_it_are_refused():
    with pytest.raises(ValueError, match=r"2024-04-02, after observed_to 2024-03-01"):
        count_monthly_orders(orders().iloc[[0, 4]], observed_to="2024-03-01")
    with pytest.raises(ValueError, match="no purchase in a full month"):
        count_monthly_orders(orders().iloc[[0]], observed_to="2024-02-20")


def test_values_spread_by_customer_come_back_in_order(panel_of):
    panel = panel_of([[1, 2, 3], [4, 5]]).sample(frac=1, random_state=3)
    months = arrange_months(panel, ["n_visits"])
    table = months.spread(months.counts[:, 0])
    assert months.gather(table).tolist() == panel["n_visits"].tolist()
    assert np.isnan(table).sum() == 1
    assert sorted(months.is_new.tolist()) == [False, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.drop(index=1), "skips or repeats a month before 2024-03"),
        (lambda p: pd.concat([p, p.iloc[[1]]]), "skips or repeats a month before 2024-02"),
        (lambda p: p.assign(n_visits=[1, -1, 2]), "n_visits is -1 in row 1"),
        (lambda p: p.assign(n_visits=[1, 0.5, 2]), r"n_visits is 0\.5 in row 1"),
        (lambda p: p.assign(n_visits=[1, np.nan, 2]), "n_visits is nan in row 1"),
        (lambda p: p.drop(columns="month_on"), "no column month_on"),
        (lambda p: p.iloc[:0], "panel has no rows"),
    ],
)
def test_a_panel_that_is_none_is_refused(panel_of, change, message):
    with pytest.raises(ValueError, match=message):
        arrange_months(change(panel_of([[1, 2, 3]])), ["n_visits"])
