import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from crmlab.performance import complete_quarters
from crmlab.performance.quarters import quarter_book, quarter_contacts, quarter_of


def test_quarters_of_one_year_are_all_complete():
    table = complete_quarters("2024-01-01", "2024-12-31")
    assert table["quarter"].tolist() == ["2024Q1", "2024Q2", "2024Q3", "2024Q4"]
    assert table["is_complete"].all()
    assert table["n_days_observed"].tolist() == [91, 91, 92, 92]


def test_quarters_one_day_short_are_not_complete():
    table = complete_quarters("2023-01-02", "2023-06-29")
    assert not table["is_complete"].any()
    assert table["n_days_observed"].tolist() == [89, 90]
    assert complete_quarters("2024-05-05", "2024-05-05")["n_days_observed"].tolist() == [1]


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [("2024-02-01", "2024-01-01", "before it begins"), (None, "2024-01-01", "expected two days")],
)
def test_quarters_refuse_a_window_that_is_none(start, end, message):
    with pytest.raises(ValueError, match=message):
        complete_quarters(start, end)


@pytest.fixture
def orders():
    rng = np.random.default_rng(3)
    amount = rng.normal(30, 25, 300)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, 40, 300).astype(str),
            "ordered_on": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 400, 300), unit="D"),
            "amount": amount,
            "margin": amount * 0.3,
        }
    )


def test_book_counts_what_a_plain_group_by_counts(orders):
    book = quarter_book(orders)
    key = [orders["customer_id"], orders["ordered_on"].dt.to_period("Q").dt.start_time]
    expected = orders["amount"].clip(lower=0).groupby(key).sum()
    assert len(book) == len(expected)
    np.testing.assert_allclose(
        book.set_index(["customer_id", "quarter"])["sold"], expected, atol=1e-9
    )
    assert book["n_purchases"].sum() == (orders["amount"] > 0).sum()
    assert (book["sold"] - book["returned"]).sum() == pytest.approx(orders["amount"].sum())
    assert book["margin"].sum() == pytest.approx(orders["margin"].sum())


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(pl.from_pandas, id="polars"),
        pytest.param(lambda frame: pl.from_pandas(frame).lazy(), id="polars lazy"),
        pytest.param(pa.Table.from_pandas, id="pyarrow"),
    ],
)
def test_book_is_the_same_whichever_engine_holds_the_orders(orders, engine):
    pd.testing.assert_frame_equal(
        quarter_book(engine(orders)), quarter_book(orders), check_dtype=False
    )


def test_contacts_are_summed_by_quarter_and_arm():
    contacts = pd.DataFrame(
        {
            "contacted_on": pd.to_datetime(
                ["2024-01-05", "2024-03-31", "2024-03-31", "2024-04-01"]
            ),
            "cost": [1.0, 2, 0, 4],
            "is_treated": [True, True, False, True],
            "has_responded": [True, False, True, False],
        }
    )
    table = quarter_contacts(contacts).sort_values(["quarter", "is_treated"])
    assert table["n_contacts"].tolist() == [1, 2, 1]
    assert table["n_responses"].tolist() == [1, 1, 0]
    assert table["cost"].tolist() == [0, 3, 4]


@pytest.mark.parametrize("engine", [pd.DataFrame, pl.from_pandas])
def test_contacts_of_unknown_cost_are_not_summed_as_free(engine):
    contacts = pd.DataFrame(
        {
            "contacted_on": pd.to_datetime(["2024-01-05", "2024-03-31", "2024-04-01"]),
            "cost": [1.0, np.nan, 4],
            "is_treated": True,
            "has_responded": True,
        }
    )
    table = quarter_contacts(engine(contacts)).sort_values("quarter")
    assert table["cost"].isna().tolist() == [True, False]
    assert table["cost"].iloc[1] == 4


def test_book_refuses_what_is_no_order_table(orders):
    with pytest.raises(ValueError, match="orders: expected a table"):
        quarter_book([1, 2])
    with pytest.raises(ValueError, match="orders: column 'amount' is missing"):
        quarter_book(orders.drop(columns="amount"))


def test_quarter_of_a_missing_time_is_missing():
    assert quarter_of(pd.Series(pd.to_datetime(["2024-05-17", None]))).isna().tolist() == [
        False,
        True,
    ]
