"""Months and cohorts, with the unfinished ones marked as such."""

import numpy as np
import pandas as pd
import pytest

from crmlab.value.trend import repeat_rate_by_cohort, summarize_months


def order_book():
    return pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "b", "c", "d", "a"],
            "ordered_on": pd.to_datetime(
                [
                    "2024-01-05",
                    "2024-01-20",
                    "2024-01-10",
                    "2024-03-30",
                    "2024-03-01",
                    "2024-03-20",
                    "2024-03-02",
                ]
            ),
            "amount": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, -5.0],
            "margin": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -0.5],
        }
    )


def random_book(seed=4, n=600):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:03d}" for i in rng.integers(0, 150, n)],
            "ordered_on": pd.Timestamp("2023-11-10")
            + pd.to_timedelta(rng.integers(0, 240, n), unit="D"),
            "amount": np.round(rng.normal(20, 15, n), 2) + 0.001,
        }
    )


def test_months_are_what_paper_and_pencil_give():
    months = summarize_months(order_book(), observed_to="2024-04-10", observed_from="2024-01-01")
    assert months["n_orders"].tolist() == [3, 0, 3, 0]
    assert months["n_customers"].tolist() == [2, 0, 3, 0]
    assert months["n_new_customers"].tolist() == [2, 0, 2, 0]
    assert months["total_value"].tolist() == [60.0, 0.0, 145.0, 0.0]
    assert months["total_margin"].tolist() == [6.0, 0.0, 14.5, 0.0]
    np.testing.assert_allclose(months["value_per_order"], [20.0, np.nan, 145 / 3, np.nan])
    assert months["is_complete"].tolist() == [True, True, True, False]


def test_the_first_month_is_incomplete_unless_observed_from_its_first_day():
    months = summarize_months(order_book(), observed_to="2024-03-31")
    assert months["is_complete"].tolist() == [False, True, True]


def test_months_add_up_to_the_order_book():
    orders = random_book()
    months = summarize_months(orders, observed_to="2024-07-31")
    assert months["n_orders"].sum() == (orders["amount"] > 0).sum()
    assert months["total_value"].sum() == pytest.approx(orders["amount"].sum())
    bought = orders[orders["amount"] > 0]
    assert months["n_new_customers"].sum() == bought["customer_id"].nunique()
    expected = bought.groupby(bought["ordered_on"].dt.strftime("%Y-%m"))["customer_id"].nunique()
    assert months["n_customers"].tolist() == expected.tolist()


def test_orders_before_the_window_are_refused():
    with pytest.raises(ValueError, match="before observed_from 2024-02-01"):
        summarize_months(order_book(), observed_to="2024-04-10", observed_from="2024-02-01")


def test_an_empty_order_book_is_refused():
    with pytest.raises(ValueError, match="no order at all"):
        summarize_months(order_book().head(0), observed_to="2024-04-10")


def test_cohorts_are_what_paper_and_pencil_give():
    cohorts = repeat_rate_by_cohort(order_book(), observed_to="2024-04-10", horizon_days=30)
    # January: a came back after 15 days, b after 80. March: c seen 40 days, d only 21.
    assert cohorts["n_customers"].tolist() == [2, 2]
    assert cohorts["n_repeat_customers"].tolist() == [1, 0]
    assert cohorts["is_complete"].tolist() == [True, False]
    np.testing.assert_allclose(cohorts["repeat_rate"], [0.5, np.nan])


def test_a_return_on_the_last_day_of_the_horizon_counts():
    for horizon, rate in [(15, 0.5), (14, 0.0), (80, 1.0), (79, 0.5)]:
        cohorts = repeat_rate_by_cohort(
            order_book(), observed_to="2024-06-30", horizon_days=horizon
        )
        assert cohorts["repeat_rate"][0] == rate


def test_cohorts_agree_with_plain_loops():
    orders = random_book()
    cohorts = repeat_rate_by_cohort(orders, observed_to="2024-07-31", horizon_days=45)
    counted = {}
    for _, rows in orders[orders["amount"] > 0].groupby("customer_id"):
        days = sorted(set(rows["ordered_on"]))
        has_repeated = len(days) > 1 and (days[1] - days[0]).days <= 45
        counted.setdefault(days[0].strftime("%Y-%m"), []).append(has_repeated)
    assert cohorts["n_customers"].tolist() == [len(counted[m]) for m in sorted(counted)]
    assert cohorts["n_repeat_customers"].tolist() == [sum(counted[m]) for m in sorted(counted)]


def test_repeat_rate_recovers_the_rate_of_a_simulated_shop():
    """Each new customer comes back after an exponential time of mean 60 days (seed 8)."""
    rng = np.random.default_rng(8)
    n, horizon = 6000, 90
    first = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 360, n), unit="D")
    # A gap counts as within the horizon when its whole days do.
    gap = np.ceil(rng.exponential(60, n))
    ids = [f"c{i}" for i in range(n)]
    orders = pd.DataFrame(
        {
            "customer_id": ids * 2,
            "ordered_on": [*first, *(first + pd.to_timedelta(gap, unit="D"))],
            "amount": 10.0,
        }
    )
    orders = orders[orders["ordered_on"] <= "2023-12-31"]
    cohorts = repeat_rate_by_cohort(orders, observed_to="2023-12-31", horizon_days=horizon)
    truth = 1 - np.exp(-horizon / 60)
    error = np.sqrt(truth * (1 - truth) / n)
    rate = cohorts["n_repeat_customers"].sum() / cohorts["n_customers"].sum()
    assert abs(rate - truth) < 4 * error


@pytest.mark.parametrize("horizon", [0, -3, 1.5, True])
def test_impossible_horizons_are_refused(horizon):
    with pytest.raises(ValueError, match="horizon_days is"):
        repeat_rate_by_cohort(order_book(), observed_to="2024-04-10", horizon_days=horizon)


def test_orders_are_left_unchanged():
    orders = order_book()
    before = orders.copy(deep=True)
    summarize_months(orders, observed_to="2024-04-10")
    repeat_rate_by_cohort(orders, observed_to="2024-04-10")
    pd.testing.assert_frame_equal(orders, before)
