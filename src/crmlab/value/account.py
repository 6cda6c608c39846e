r"""An account for every customer: what he brought, what serving him cost, what he may still bring.

Who asks: whoever must say of each customer whether he pays, and why. Sales less cost of goods is
the margin; the cost to serve is traced to what the customer made the firm do (keep an account,
handle orders and returns, answer tickets) at a rate for each activity; what is left is profit.
What the books charge above these rates says who is dearer to serve than his activities explain.
Beside the profit stands the potential, by the plainest rule there is: the yearly margin goes on,
times the share of customers like him who stay, later money counted for less.

Where the rates are not on the books they are found from the customers' booked costs: each
customer's cost is a sum of activities times rates, no rate is below 0, and costs scatter in
proportion to their size.

Sources: R. Cooper & R. S. Kaplan (1991), Profit priorities from activity-based costing, Harvard
Business Review 69(3), 130-135; P. D. Berger & N. I. Nasr (1998), Customer lifetime value:
marketing models and applications, Journal of Interactive Marketing 12(1), 17-30 (case 1).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from crmlab.atlas.sentences import say
from crmlab.value.aggregate import aggregate_orders
from crmlab.value.holdout import split_orders
from crmlab.value.orders import as_day

__all__ = [
    "constant_margin_value",
    "count_activities",
    "estimate_activity_rates",
    "profit_account",
    "retention_by_orders",
    "yearly_margins",
]

_CROWD = 20  # customers of whom none should hold half of all costs
_MOST_ORDERS = 5  # in a year, from which retention is told for all together


def count_activities(orders, customers, tickets=None, *, observed_to):
    """Return how often each customer made the firm do something.

    Parameters
    ----------
    orders : pandas, Polars, DuckDB, PyArrow or PySpark table
        Columns `customer_id`, `ordered_on`, `amount`.
    customers : pandas.DataFrame
        `customer_id`, one row per customer.
    tickets : pandas.DataFrame, optional
        `customer_id`, one row per ticket.
    observed_to : str, date or Timestamp
        Last day under observation, inclusive.

    Returns
    -------
    pandas.DataFrame
        Index `customer_id` in the order of `customers`: `account` (1 for everybody), `order`,
        `return` and, where tickets are known, `ticket`; numbers within the window.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a"], "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-08"]),
    ...     "amount": [100.0, -40.0],
    ... })
    >>> customers = pd.DataFrame({"customer_id": ["a", "b"]})
    >>> count_activities(orders, customers, observed_to="2024-01-31").to_numpy().tolist()
    [[1, 1, 1], [1, 0, 0]]
    """
    end = as_day(observed_to, name="observed_to")
    bought = aggregate_orders(orders, observed_to=end).set_index("customer_id")
    index = pd.Index(customers["customer_id"], name="customer_id")
    table = pd.DataFrame({"account": 1}, index=index)
    for name, column in [("order", "n_orders"), ("return", "n_returns")]:
        table[name] = bought[column].reindex(index).fillna(0).astype("int64")
    if tickets is not None:
        counted = tickets["customer_id"].value_counts()
        table["ticket"] = counted.reindex(index).fillna(0).astype("int64")
    return table


def estimate_activity_rates(cost, activities):
    """Return what one of each activity costs, found from what customers are booked to have cost.

    Parameters
    ----------
    cost : pandas.Series of float
        Booked cost to serve of each customer (money), not negative.
    activities : pandas.DataFrame of int
        How often each customer caused each activity, the same index; see `count_activities`.

    Returns
    -------
    pandas.DataFrame
        One row per activity: `activity`, `n_units`, `rate` (money for one, 0 or more),
        `activity_cost` (rate times units) and `cost_share`. The total is that of the books.

    Raises
    ------
    ValueError
        If the indices differ, there are gaps, a number is below 0, an activity never happens,
        there are not more customers than activities, or one of 20 customers or more holds over
        half of the costs: its error would be spread over all the others.

    Notes
    -----
    Least squares with rates from 0 up, each customer weighed by one over the square of the cost
    fitted to him, repeated until the rates stand still. The rates are then brought to the books'
    total by one factor.

    Examples
    --------
    >>> activities = pd.DataFrame({"account": 1, "order": [1, 2, 3, 5]}, index=list("abcd"))
    >>> cost = pd.Series([13.0, 16.0, 19.0, 25.0], index=list("abcd"))
    >>> estimate_activity_rates(cost, activities)[["activity", "rate"]].round(6).values.tolist()
    [['account', 10.0], ['order', 3.0]]
    """
    units, booked = _check_activities(cost, activities)
    rates = nnls(units, booked)[0]
    for _ in range(100):
        fitted = np.maximum(units @ rates, 1e-6 * booked.mean())
        before, rates = rates, nnls(units / fitted[:, None], booked / fitted)[0]
        if np.abs(rates - before).max() <= 1e-10 * rates.max():
            break
    total = (units @ rates).sum()
    rates = rates * booked.sum() / total if total > 0 else rates
    n_units = units.sum(axis=0)
    return pd.DataFrame(
        {
            "activity": list(activities.columns),
            "n_units": n_units.astype("int64"),
            "rate": rates,
            "activity_cost": rates * n_units,
            "cost_share": rates * n_units / booked.sum(),
        }
    )


def profit_account(contribution, activities, rates):
    """Return the account of each customer: sales, goods, margin, activities, profit.

    Parameters
    ----------
    contribution : pandas.DataFrame
        Result of `crmlab.value.contribution.customer_contribution`.
    activities : pandas.DataFrame
        Result of `count_activities`.
    rates : pandas.DataFrame
        `activity` and `rate`, as from `estimate_activity_rates` or from the books.

    Returns
    -------
    pandas.DataFrame
        Index `customer_id`, for those whose cost is known and whose activities were counted:
        `total_value`, `cost_of_goods`, `total_margin`, ``cost_of_`` each activity, `other_cost`
        (booked cost above what the activities explain; may be negative), `cost_to_serve` and
        `contribution`. Sales less goods less all costs is the contribution, customer by customer.

    Raises
    ------
    ValueError
        If a rate is missing for an activity, or nobody is in both tables.

    Examples
    --------
    >>> activities = pd.DataFrame({"order": [2]}, index=["a"])
    >>> rates = pd.DataFrame({"activity": ["order"], "rate": [3.0]})
    >>> contribution = pd.DataFrame({
    ...     "customer_id": ["a"], "total_value": [100.0], "total_margin": [30.0],
    ...     "cost_to_serve": [8.0], "contribution": [22.0],
    ... })
    >>> profit_account(contribution, activities, rates).loc["a", "other_cost"]
    np.float64(2.0)
    """
    price = rates.set_index("activity")["rate"]
    absent = [name for name in activities.columns if name not in price.index]
    if absent:
        raise ValueError(f"rates: none for the activity {absent[0]!r}; expected one for each")
    known = contribution.dropna(subset=["contribution"]).set_index("customer_id")
    known = known[known.index.isin(activities.index)]
    if known.empty:
        raise ValueError(say("value_no_activity_known"))
    table = known[["total_value"]].copy()
    table["cost_of_goods"] = known["total_value"] - known["total_margin"]
    table["total_margin"] = known["total_margin"]
    there = activities.loc[known.index]
    for name in activities.columns:
        table[f"cost_of_{name}"] = there[name] * price[name]
    explained = table.filter(like="cost_of_").drop(columns="cost_of_goods").sum(axis=1)
    table["other_cost"] = known["cost_to_serve"] - explained
    return table.join(known[["cost_to_serve", "contribution"]])


def retention_by_orders(orders, *, observed_to, days=365):
    """Return how many customers of one year bought again in the next, by how often they had.

    Parameters
    ----------
    orders : pandas, Polars, DuckDB, PyArrow or PySpark table
        Columns `customer_id`, `ordered_on`, `amount`.
    observed_to : str, date or Timestamp
        Last day under observation, inclusive.
    days : int
        Length of the last year, and of the one before it.

    Returns
    -------
    pandas.DataFrame
        One row for 1, 2, 3, 4 and 5 or more orders in the year before the last: `n_orders`,
        `n_customers` and `retention_rate`, the share of them who ordered in the last year (NaN
        where there are none). Empty where the orders do not reach back over both years.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "b", "a"],
    ...     "ordered_on": pd.to_datetime(["2023-01-01", "2023-05-01", "2024-05-01"]),
    ...     "amount": 10.0,
    ... })
    >>> table = retention_by_orders(orders, observed_to="2024-12-30")
    >>> table.loc[0, ["n_customers", "retention_rate"]].tolist()
    [2.0, 0.5]
    """
    end = as_day(observed_to, name="observed_to")
    year = pd.Timedelta(days=days)
    upto, last = split_orders(orders, calibrated_to=end - year)
    ago, before = split_orders(upto, calibrated_to=end - 2 * year)
    columns = ["n_orders", "n_customers", "retention_rate"]
    earlier = aggregate_orders(before, observed_to=end - year)
    earlier = earlier[earlier["n_orders"] > 0]
    is_reached = len(earlier) and (
        earlier["first_ordered_on"].min() <= end - 2 * year + year / 12
        or (aggregate_orders(ago, observed_to=end - 2 * year)["n_orders"] > 0).any()
    )
    if not is_reached:
        return pd.DataFrame(columns=columns)
    later = aggregate_orders(last, observed_to=end)
    stayed = earlier["customer_id"].isin(later.loc[later["n_orders"] > 0, "customer_id"])
    groups = stayed.groupby(earlier["n_orders"].clip(upper=_MOST_ORDERS))
    table = pd.DataFrame({"n_customers": groups.size(), "retention_rate": groups.mean()})
    table = table.reindex(range(1, _MOST_ORDERS + 1)).rename_axis("n_orders").reset_index()
    table["n_customers"] = table["n_customers"].fillna(0).astype("int64")
    return table[columns]


def yearly_margins(orders, retention, *, observed_to, days=365):
    """Return the last year's margin of each customer who bought in it, and how likely he stays.

    Parameters
    ----------
    orders : pandas, Polars, DuckDB, PyArrow or PySpark table
        Columns `customer_id`, `ordered_on`, `amount`, `margin`.
    retention : pandas.DataFrame
        Result of `retention_by_orders`.
    observed_to, days
        As there.

    Returns
    -------
    pandas.DataFrame
        Index `customer_id`: `yearly_margin` (money) and `retention_rate`, that of customers with
        as many orders, or of all where there were none such. Whoever did not buy in the last year
        is not there: by this rule he is gone.
    """
    end = as_day(observed_to, name="observed_to")
    last = split_orders(orders, calibrated_to=end - pd.Timedelta(days=days))[1]
    bought = aggregate_orders(last, observed_to=end)
    if "total_margin" not in bought:
        raise ValueError("orders: column 'margin' is missing; a yearly margin needs it")
    bought = bought[bought["n_orders"] > 0].set_index("customer_id")
    rate = retention.set_index("n_orders")["retention_rate"]
    seen = retention.dropna()
    overall = np.average(seen["retention_rate"], weights=seen["n_customers"])
    stays = bought["n_orders"].clip(upper=_MOST_ORDERS).map(rate).fillna(overall)
    return pd.DataFrame(
        {"yearly_margin": bought["total_margin"], "retention_rate": stays.astype("float64")}
    )


def constant_margin_value(margin, yearly_cost, retention_rate, *, annual_discount_rate, n_years):
    r"""Return the lifetime value of a customer whose margin and chance of staying do not change.

    .. math:: \sum_{i=0}^n \frac{G r^i}{(1+d)^i} - \sum_{i=1}^n \frac{M r^{i-1}}{(1+d)^{i-1/2}}

    The first margin comes at once; money spent to keep the customer is spent in mid-year.

    Parameters
    ----------
    margin : array_like of float
        G, margin of a year (money).
    yearly_cost : array_like of float
        M, spent on keeping the customer in a year (money, 0 or more).
    retention_rate : array_like of float
        r, probability of staying from one year to the next, 0 to 1; who left does not return.
    annual_discount_rate : float
        d, 0 or more.
    n_years : int
        n, 1 or more.

    Returns
    -------
    numpy.ndarray of float
        Money of today; NaN where an input is NaN. Less the margin, it is the potential beyond
        this year.

    Raises
    ------
    ValueError
        If a retention rate, the discount rate or the number of years is out of range.

    References
    ----------
    Berger & Nasr (1998), Journal of Interactive Marketing 12(1), 17-30, case 1.

    Examples
    --------
    A margin of 260, 50 spent a year, three in four stay, money at 20 per cent, ten years:

    >>> float(constant_margin_value(
    ...     260.0, 50.0, 0.75, annual_discount_rate=0.2, n_years=10).round(2))
    568.78
    """
    gain, cost, stays = (
        np.asarray(one, dtype="float64") for one in (margin, yearly_cost, retention_rate)
    )
    if ((stays < 0) | (stays > 1)).any():
        raise ValueError("retention_rate: expected probabilities from 0 to 1")
    if not (0 <= annual_discount_rate < np.inf and n_years >= 1):
        raise ValueError(
            f"annual_discount_rate={annual_discount_rate!r}, n_years={n_years!r}; expected 0 or "
            "more, and at least 1"
        )
    discount = 1 / (1 + annual_discount_rate)
    value = gain * np.ones_like(stays)
    for year in range(1, int(n_years) + 1):
        value = value + gain * (stays * discount) ** year
        value = value - cost * stays ** (year - 1) * discount ** (year - 0.5)
    return value


def _check_activities(cost, activities):
    """Return activities and costs as arrays, or say what is wrong with them."""
    if not cost.index.equals(activities.index):
        raise ValueError(say("value_costs_differ"))
    booked, units = cost.to_numpy(dtype="float64"), activities.to_numpy(dtype="float64")
    if not (np.isfinite(booked).all() and np.isfinite(units).all()):
        raise ValueError(say("value_costs_gaps"))
    if (booked < 0).any() or (units < 0).any() or not booked.sum() > 0:
        raise ValueError(say("value_costs_negative"))
    idle = [name for name, n in zip(activities, units.sum(axis=0), strict=True) if n == 0]
    if idle:
        raise ValueError(say("value_activity_idle", name=idle[0]))
    if len(booked) <= units.shape[1]:
        n, n_activities = units.shape
        raise ValueError(say("value_few_accounts", n=n, n_activities=n_activities))
    share = booked.max() / booked.sum()
    if len(booked) >= _CROWD and share > 0.5:
        raise ValueError(say("value_cost_of_one", n=len(booked), share=float(share)))
    return units, booked
