"""Orders of any engine become the same one row per customer."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from crmlab.value.aggregate import aggregate_orders, count_daily_repeats, value_between
from crmlab.value.orders import as_day, describe_orders

END = pd.Timestamp("2024-12-31")


def order_book(n=2000, seed=11):
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    amount = np.round(rng.normal(30, 25, n), 2)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(rng.integers(0, 250, n)).map("{:04d}".format).astype("str"),
            "ordered_on": days.astype("datetime64[us]"),
            "amount": np.where(amount == 0, 1.0, amount),
            "margin": np.round(amount * 0.3, 2),
        }
    )


def as_duckdb(orders):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    return duckdb.from_df(orders)


ENGINES = {
    "polars": pl.from_pandas,
    "polars lazy": lambda orders: pl.from_pandas(orders).lazy(),
    "polars dates": lambda orders: pl.from_pandas(orders).with_columns(
        pl.col("ordered_on").cast(pl.Date)
    ),
    "pyarrow": pa.Table.from_pandas,
    "duckdb": as_duckdb,
}


def test_aggregate_counts_purchases_and_returns_apart():
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "a"],
            "ordered_on": pd.to_datetime(["2024-01-02", "2024-01-02", "2024-01-09", "2024-02-01"]),
            "amount": [10.0, 20.0, 40.0, -15.0],
        }
    )
    row = aggregate_orders(orders, observed_to=END).iloc[0]
    assert (row.n_orders, row.n_returns, row.n_purchase_days) == (3, 1, 2)
    assert (row.total_value, row.purchase_value, row.first_day_value) == (55.0, 70.0, 30.0)
    assert (row.first_ordered_on, row.last_ordered_on) == (
        pd.Timestamp("2024-01-02"),
        pd.Timestamp("2024-01-09"),
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_table_of_pandas(engine):
    orders = order_book()
    pd.testing.assert_frame_equal(
        aggregate_orders(ENGINES[engine](orders), observed_to=END),
        aggregate_orders(orders, observed_to=END),
        check_exact=True,
    )


def test_aggregate_agrees_with_plain_loops():
    orders = order_book(n=300)
    table = aggregate_orders(orders, observed_to=END).set_index("customer_id")
    for customer, rows in orders.groupby("customer_id"):
        bought = rows[rows["amount"] > 0]
        got = table.loc[customer]
        assert got.n_orders == len(bought)
        assert got.n_purchase_days == bought["ordered_on"].nunique()
        assert got.total_value == pytest.approx(sum(rows["amount"]))
        first_day = bought[bought["ordered_on"] == bought["ordered_on"].min()]
        expected = sum(first_day["amount"]) if len(bought) else np.nan
        assert got.first_day_value == pytest.approx(expected, nan_ok=True)


def test_aggregate_is_sorted_and_blind_to_the_order_of_rows():
    orders = order_book()
    shuffled = orders.sample(frac=1, random_state=3)
    table = aggregate_orders(orders, observed_to=END)
    assert table["customer_id"].is_monotonic_increasing
    pd.testing.assert_frame_equal(
        aggregate_orders(shuffled, observed_to=END), table, check_exact=True
    )


def test_an_order_of_nothing_is_neither_purchase_nor_return():
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "b", "b"],
            "ordered_on": pd.to_datetime(["2024-01-02", "2024-01-02", "2024-01-03"]),
            "amount": [0.0, 20.0, 0.0],
        }
    )
    table = aggregate_orders(orders, observed_to=END)
    assert table["n_orders"].tolist() == [0, 1]
    assert table["n_returns"].tolist() == [0, 0]
    assert table["n_purchase_days"].tolist() == [0, 1]


def test_time_of_day_does_not_make_a_second_purchase_day():
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a"],
            "ordered_on": pd.to_datetime(["2024-01-02 09:00", "2024-01-02 18:30"]),
            "amount": [10.0, 20.0],
        }
    )
    assert aggregate_orders(orders, observed_to=END)["n_purchase_days"].tolist() == [1]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("amount", np.nan, "1 rows have a missing"),
        ("customer_id", None, "1 rows have a missing"),
        ("ordered_on", pd.NaT, "1 rows have a missing"),
        ("amount", np.inf, "not a finite number"),
        ("margin", np.nan, "1 rows have a missing"),
    ],
)
def test_missing_and_infinite_values_are_refused(column, value, message):
    orders = order_book(n=20)
    orders.loc[4, column] = value
    with pytest.raises(ValueError, match=message):
        aggregate_orders(orders, observed_to=END)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # pandas, of inf - inf
@pytest.mark.parametrize("convert", [lambda frame: frame, pl.from_pandas])
def test_infinite_amounts_that_cancel_out_are_refused(convert):
    orders = order_book(n=2).assign(
        customer_id="a", ordered_on=pd.Timestamp("2024-01-02"), amount=[np.inf, -np.inf]
    )
    with pytest.raises(ValueError, match=r"2 rows have a missing .* not a finite number"):
        aggregate_orders(convert(orders), observed_to=END)


def test_polars_nan_is_refused_too():
    orders = pl.from_pandas(order_book(n=20)).with_columns(amount=pl.lit(float("nan")))
    with pytest.raises(ValueError, match="not a finite number"):
        aggregate_orders(orders, observed_to=END)


def test_orders_after_the_end_of_observation_are_refused():
    orders = order_book(n=50)
    with pytest.raises(ValueError, match="after the end of observation 2024-01-05"):
        aggregate_orders(orders, observed_to=pd.Timestamp("2024-01-05"))


def test_a_missing_column_is_refused():
    with pytest.raises(ValueError, match="'amount' is missing"):
        aggregate_orders(order_book(n=5).drop(columns="amount"), observed_to=END)


def test_dates_stored_as_text_are_refused():
    orders = order_book(n=5)
    orders["ordered_on"] = orders["ordered_on"].astype("str")
    with pytest.raises(ValueError, match="expected dates"):
        aggregate_orders(orders, observed_to=END)


def test_dates_with_a_time_zone_are_refused():
    orders = order_book(n=5)
    orders["ordered_on"] = orders["ordered_on"].dt.tz_localize("UTC")
    with pytest.raises(ValueError, match="without a time zone"):
        aggregate_orders(orders, observed_to=END)


def test_amounts_stored_as_text_are_refused():
    orders = order_book(n=5)
    orders["amount"] = orders["amount"].astype("str")
    with pytest.raises(ValueError, match="amount is stored as String; expected numbers"):
        aggregate_orders(orders, observed_to=END)


def test_what_is_no_table_is_refused():
    with pytest.raises(ValueError, match="expected a table"):
        aggregate_orders([1, 2, 3], observed_to=END)


@pytest.mark.parametrize("value", ["2024-03-01", datetime.date(2024, 3, 1), "2024-03-01 17:00"])
def test_as_day_is_midnight_of_that_day(value):
    assert as_day(value, name="observed_to") == pd.Timestamp("2024-03-01")


@pytest.mark.parametrize("value", ["soon", None, 20240301, pd.Timestamp("2024-03-01", tz="UTC")])
def test_as_day_refuses_what_is_no_day(value):
    with pytest.raises(ValueError, match="observed_to is"):
        as_day(value, name="observed_to")


def test_orders_are_left_unchanged():
    orders = order_book(n=100)
    before = orders.copy(deep=True)
    aggregate_orders(orders, observed_to=END)
    pd.testing.assert_frame_equal(orders, before)


def test_value_between_two_days_holds_both_and_what_lies_between():
    orders = order_book()
    for first, last in [("2024-02-01", "2024-02-29"), ("2024-05-05", "2024-05-05")]:
        rows = orders[orders["ordered_on"].between(first, last)]
        found = value_between(orders, first, last)
        pd.testing.assert_series_equal(
            found, rows.groupby("customer_id")["amount"].sum().rename("total_value")
        )
    assert value_between(orders, "2030-01-01", "2030-12-31").empty
    whole = value_between(orders, "2024-01-01", END)
    everything = aggregate_orders(orders, observed_to=END).set_index("customer_id")
    pd.testing.assert_series_equal(whole, everything["total_value"], check_exact=True)


def test_value_between_refuses_what_it_would_not_count():
    orders = order_book(30)
    orders.loc[3, "amount"] = np.nan
    with pytest.raises(ValueError, match="1 rows have a missing customer_id or ordered_on"):
        value_between(orders, "2024-01-01", "2024-12-31")
    with pytest.raises(ValueError, match="last is 20240131; expected a day"):
        value_between(order_book(30), "2024-01-01", 20240131)


def test_daily_repeats_are_those_counted_customer_by_customer():
    orders, won_to = order_book(), pd.Timestamp("2024-01-20")
    bought = orders[orders["amount"] > 0].drop_duplicates(["customer_id", "ordered_on"])
    seen = {}
    for _, days in bought.groupby("customer_id")["ordered_on"]:
        if days.min() <= won_to:
            for day in days[days > days.min()]:
                seen[day] = seen.get(day, 0) + 1
    found = count_daily_repeats(orders, won_to=won_to, observed_to=END)
    assert found.set_index("day")["n_repeat_orders"].to_dict() == seen
    assert found["day"].is_monotonic_increasing
    assert count_daily_repeats(orders.iloc[:0], won_to=won_to, observed_to=END).empty


def test_purchases_and_returns_make_the_net_sales():
    orders = order_book()
    facts = describe_orders(orders, observed_to=END)
    amount = orders["amount"]
    # The facts are exact; it is pandas' plain sum beside them that is off in its last bits.
    assert facts["purchase_value"] == pytest.approx(amount[amount > 0].sum(), rel=1e-12)
    assert facts["net_sales"] == pytest.approx(amount.sum(), rel=1e-12)
    nothing = describe_orders(orders.iloc[:0], observed_to=END)
    assert (nothing["purchase_value"], nothing["net_sales"]) == (0.0, 0.0)
