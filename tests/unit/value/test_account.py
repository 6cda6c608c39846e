"""Accounts of customers: activities, their rates, profit, potential of a constant margin."""

import numpy as np
import pandas as pd
import pytest

from crmlab.value.account import (
    constant_margin_value,
    count_activities,
    estimate_activity_rates,
    profit_account,
    retention_by_orders,
    yearly_margins,
)
from crmlab.value.contribution import customer_contribution

END = "2024-12-30"  # two years of 365 days reach back to the last day of 2022


def book(*rows):
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_on", "amount"])
    orders["ordered_on"] = pd.to_datetime(orders["ordered_on"])
    return orders.assign(margin=0.4 * orders["amount"])


ORDERS = book(
    ("a", "2023-01-01", 100.0),
    ("a", "2023-06-01", 50.0),
    ("a", "2024-03-01", 80.0),
    ("b", "2023-02-01", 40.0),
    ("b", "2023-02-08", -40.0),
    ("c", "2023-07-01", 60.0),
    ("c", "2024-12-30", 60.0),
    ("d", "2024-05-01", 20.0),
)
CUSTOMERS = pd.DataFrame({"customer_id": list("abcde"), "cost_to_serve": [40.0, 30, 22, 15, 9]})
TICKETS = pd.DataFrame({"customer_id": ["b", "b", "e"]})


def simulated(n=2000, seed=3, spread=0.6):
    """Customers whose cost is the sum of rates times activities, times a factor of their own."""
    rng = np.random.default_rng(seed)
    activities = pd.DataFrame(
        {"account": 1, "order": rng.poisson(rng.gamma(1.0, 6.0, n)), "ticket": rng.poisson(0.4, n)}
    )
    factor = rng.lognormal(-(spread**2) / 2, spread, n)
    return activities, pd.Series((activities @ [20.0, 24.0, 60.0]) * factor), factor


def test_activities_are_counted_for_everybody():
    table = count_activities(ORDERS, CUSTOMERS, TICKETS, observed_to=END)
    assert table.loc["b"].to_dict() == {"account": 1, "order": 1, "return": 1, "ticket": 2}
    assert table.loc["e"].to_dict() == {"account": 1, "order": 0, "return": 0, "ticket": 1}
    without = count_activities(ORDERS, CUSTOMERS, observed_to=END)
    assert list(without) == ["account", "order", "return"]


def test_rates_of_costs_without_scatter_are_exact():
    activities, _, _ = simulated(n=50)
    found = estimate_activity_rates(activities @ [20.0, 24.0, 60.0], activities)
    np.testing.assert_allclose(found["rate"], [20.0, 24.0, 60.0], rtol=1e-9)
    assert found["cost_share"].sum() == pytest.approx(1)
    assert found["activity_cost"].sum() == pytest.approx((activities @ [20.0, 24.0, 60.0]).sum())


def test_rates_are_recovered_from_scattered_costs_better_than_by_plain_least_squares():
    true = np.array([20.0, 24.0, 60.0])
    wrong, plainly = [], []
    for seed in range(8):
        activities, cost, _ = simulated(seed=seed)
        found = estimate_activity_rates(cost, activities)
        assert found["activity_cost"].sum() == pytest.approx(cost.sum())
        wrong.append(found["rate"].to_numpy() / true - 1)
        plainly.append(np.linalg.lstsq(activities, cost, rcond=None)[0] / true - 1)
    assert np.abs(np.mean(wrong, axis=0)).max() < 0.03  # no bias: 8 samples of 2,000
    assert (np.std(wrong, axis=0) < np.std(plainly, axis=0)).all()


def test_no_rate_is_below_zero():
    activities = pd.DataFrame({"order": [1, 2, 3, 4], "ticket": [9, 5, 2, 1]})
    found = estimate_activity_rates(pd.Series([10.0, 20.0, 30.0, 40.0]), activities)
    assert found["rate"].tolist() == pytest.approx([10.0, 0.0])


def test_account_of_each_customer_adds_up_to_the_contribution():
    contribution = customer_contribution(ORDERS, CUSTOMERS, observed_to=END)
    activities = count_activities(ORDERS, CUSTOMERS, TICKETS, observed_to=END)
    rates = pd.DataFrame(
        {"activity": ["account", "order", "return", "ticket"], "rate": [5.0, 3.0, 2.0, 10.0]}
    )
    table = profit_account(contribution, activities, rates)
    a = table.loc["a"]
    assert a["total_value"] == 230
    assert a["cost_of_goods"] == pytest.approx(0.6 * 230)
    assert a["cost_of_order"] == 9
    assert a["other_cost"] == pytest.approx(40 - 5 - 9)
    costs = [name for name in table if name.startswith("cost_of_") or name == "other_cost"]
    np.testing.assert_allclose(
        table["total_value"] - table[costs].sum(axis=1), table["contribution"]
    )


def test_retention_by_hand():
    table = retention_by_orders(ORDERS, observed_to=END).set_index("n_orders")
    # In the year before the last a bought twice, b and c once; a and c came back.
    assert table["n_customers"].to_dict() == {1: 2, 2: 1, 3: 0, 4: 0, 5: 0}
    assert table["retention_rate"].tolist()[:2] == [0.5, 1.0]
    assert table["retention_rate"].isna().tolist() == [False, False, True, True, True]


def test_retention_is_unknown_where_the_orders_do_not_reach_back():
    late = ORDERS[ORDERS["ordered_on"] >= "2023-06-01"]
    assert retention_by_orders(late, observed_to=END).empty


def test_yearly_margins_are_those_of_the_last_year():
    retention = retention_by_orders(ORDERS, observed_to=END)
    table = yearly_margins(ORDERS, retention, observed_to=END)
    assert table.index.tolist() == ["a", "c", "d"]
    assert table.loc["a", "yearly_margin"] == pytest.approx(32)
    assert table["retention_rate"].tolist() == [0.5, 0.5, 0.5]
    # Nobody ordered four times in the year before: such a customer stays as often as all of them.
    more = pd.concat([ORDERS, *[book(("f", f"2024-0{m}-01", 9.0)) for m in (2, 3, 4, 5)]])
    margins = yearly_margins(more, retention, observed_to=END)
    assert margins.loc["f", "retention_rate"] == pytest.approx(2 / 3)


def test_constant_margin_value_of_the_paper():
    # Berger & Nasr (1998), case 1: margin 260, 50 spent a year, r = 0.75, d = 0.2, ten years.
    terms = {"annual_discount_rate": 0.2, "n_years": 10}
    assert constant_margin_value(260.0, 50.0, 0.75, **terms) == pytest.approx(568.78, abs=0.005)


def test_constant_margin_value_at_its_limits():
    terms = {"annual_discount_rate": 0.1, "n_years": 400}
    # Everybody stays and costs nothing: an annuity for ever; nobody stays: this year's margin
    # less what is spent in vain on keeping him.
    assert constant_margin_value(100.0, 0.0, 1.0, **terms) == pytest.approx(100 * 1.1 / 0.1)
    assert constant_margin_value(100.0, 20.0, 0.0, **terms) == pytest.approx(100 - 20 / 1.1**0.5)
    ratio = 0.6 / 1.1
    assert constant_margin_value(1.0, 0.0, 0.6, **terms) == pytest.approx(1 / (1 - ratio))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"cost": pd.Series([1.0, 2.0], index=[5, 6])}, "different indices"),
        ({"cost": pd.Series([1.0, np.nan, 2.0, 3.0])}, "have gaps"),
        ({"cost": pd.Series([1.0, -1.0, 2.0, 3.0])}, "numbers from 0 up"),
        ({"activities": pd.DataFrame({"order": [0, 0, 0, 0]})}, "'order' never happens"),
        (
            {"activities": pd.DataFrame(np.eye(4), columns=list("pqrs"))},
            r"too few customers \(4\) to tell the rates of 4 activities apart",
        ),
    ],
)
def test_rates_of_impossible_data_are_refused(change, complaint):
    given = {"cost": pd.Series([1.0, 2, 3, 4]), "activities": pd.DataFrame({"order": [1, 2, 3, 4]})}
    with pytest.raises(ValueError, match=complaint):
        estimate_activity_rates(**{**given, **change})


def test_other_refusals():
    contribution = customer_contribution(ORDERS, CUSTOMERS, observed_to=END)
    activities = count_activities(ORDERS, CUSTOMERS, observed_to=END)
    rates = pd.DataFrame({"activity": ["account"], "rate": [5.0]})
    with pytest.raises(ValueError, match="rates: none for the activity 'order'"):
        profit_account(contribution, activities, rates)
    with pytest.raises(ValueError, match="no customer has both"):
        profit_account(contribution, activities.iloc[:0][["account"]], rates)
    with pytest.raises(ValueError, match="probabilities from 0 to 1"):
        constant_margin_value(1.0, 0.0, 1.2, annual_discount_rate=0.1, n_years=3)
    with pytest.raises(ValueError, match="n_years=0"):
        constant_margin_value(1.0, 0.0, 0.2, annual_discount_rate=0.1, n_years=0)
    retention = retention_by_orders(ORDERS, observed_to=END)
    with pytest.raises(ValueError, match="'margin' is missing"):
        yearly_margins(ORDERS.drop(columns="margin"), retention, observed_to=END)


def test_one_customer_with_most_of_the_costs_is_named_instead_of_spread_over_the_others():
    activities = pd.DataFrame({"account": 1, "order": np.arange(30) % 5})
    cost = 10.0 + 3.0 * activities["order"]
    found = estimate_activity_rates(cost, activities).set_index("activity")["rate"]
    np.testing.assert_allclose(found, [10.0, 3.0])
    cost.iloc[4] = 1e6
    with pytest.raises(ValueError, match="one of 30 customers holds 100% of all booked costs"):
        estimate_activity_rates(cost, activities)
