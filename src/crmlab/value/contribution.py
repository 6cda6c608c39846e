"""Who brings the value: ABC classes, concentration, contribution and the whale curve.

Who asks: whoever shares out attention, service levels or sales time among customers and needs
to know how few of them carry the firm, and which of them cost more than they bring.

Vocabulary. *Value* is any money per customer over one window (sales, margin or contribution).
*Contribution* is gross margin less the cost to serve the customer; it may be negative, where
sales hide it. *Share* is a part of a whole, between 0 and 1.

Sources: H. F. Dickie (1951), ABC inventory analysis shoots for dollars, not pennies, Factory
Management and Maintenance 109(7), 92-94; M. O. Lorenz (1905), Methods of measuring the
concentration of wealth, Publications of the American Statistical Association 9(70), 209-219,
doi:10.2307/2276207; C. Gini (1912), Variabilita e mutabilita, Bologna; E. Raffinetti, E. Siletti
& A. Vernizzi (2015), On the Gini coefficient normalization when attributes with negative values
are considered, Statistical Methods & Applications 24(3), 507-521,
doi:10.1007/s10260-014-0293-4; R. Cooper & R. S. Kaplan (1991), Profit priorities from
activity-based costing, Harvard Business Review 69(3), 130-135; V. A. Zeithaml, R. T. Rust &
K. N. Lemon (2001), The customer pyramid, California Management Review 43(4), 118-142.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.value.aggregate import aggregate_orders
from crmlab.value.orders import as_day

__all__ = [
    "assign_value_tiers",
    "classify_abc",
    "customer_contribution",
    "gini",
    "lorenz_curve",
    "return_on_cost",
    "whale_curve",
]

# Cumulative shares are sums of rounded numbers: closer than this counts as equal.
_SHARE_TOLERANCE = 1e-12


def classify_abc(value, *, class_a_share=0.70, class_b_share=0.20):
    """Return the ABC class of each customer: the few that bring most of the value come first.

    Customers are lined up by falling value. Class A takes customers until they hold
    `class_a_share` of the value, the one who crosses the line included; class B the customers
    of the next `class_b_share`; class C the rest.

    Parameters
    ----------
    value : pandas.Series or array_like of float, shape (n_customers,)
        Money per customer. May be negative; no missing values.
    class_a_share, class_b_share : float
        Shares of the total value, above 0; their sum is at most 1.

    Returns
    -------
    pandas.DataFrame
        In the order and with the index of `value`: `value`; `value_rank` (1 the highest, equal
        values share the best rank); `cumulative_share`, the share of all positive value held by
        customers of at least this value; and `abc_class`, an ordered categorical C < B < A.
        Equal values always share a class. A customer without positive value is in class C;
        where nobody has positive value the shares are NaN.

    Raises
    ------
    ValueError
        If `value` is empty or has missing or infinite entries, or the shares are out of range.

    References
    ----------
    Dickie (1951), Factory Management and Maintenance 109(7), 92-94.

    Examples
    --------
    >>> classify_abc([70.0, 20.0, 6.0, 4.0])
       value  value_rank  cumulative_share abc_class
    0   70.0           1              0.70         A
    1   20.0           2              0.90         B
    2    6.0           3              0.96         C
    3    4.0           4              1.00         C
    """
    series = _as_money(value, name="value")
    if not (class_a_share > 0 and class_b_share > 0 and class_a_share + class_b_share <= 1):
        raise ValueError(
            f"class_a_share={class_a_share!r} and class_b_share={class_b_share!r}; expected both "
            "above 0 and their sum at most 1"
        )
    amount = series.to_numpy()
    positive = np.where(amount > 0, amount, 0.0)
    distinct, position, count = np.unique(amount, return_inverse=True, return_counts=True)
    held = np.bincount(position, weights=positive, minlength=len(distinct))
    total = held.sum()
    # From the richest block of equal values down: value held by it and above it, and above it.
    upto = held[::-1].cumsum()[::-1]
    above = upto - held
    n_above = count[::-1].cumsum()[::-1] - count
    with np.errstate(invalid="ignore", divide="ignore"):
        share_upto, share_above = upto / total, above / total
    letter = np.full(len(distinct), "C", dtype=object)
    has_value = distinct > 0
    limit = class_a_share + class_b_share - _SHARE_TOLERANCE
    letter[has_value & (share_above < limit)] = "B"
    letter[has_value & (share_above < class_a_share - _SHARE_TOLERANCE)] = "A"
    return pd.DataFrame(
        {
            "value": amount,
            "value_rank": (1 + n_above)[position],
            "cumulative_share": share_upto[position],
            "abc_class": pd.Categorical(
                letter[position], categories=pd.Index(["C", "B", "A"], dtype="str"), ordered=True
            ),
        },
        index=series.index,
    )


def lorenz_curve(value):
    """Return the Lorenz curve: the share of value held by the poorest share of customers.

    Parameters
    ----------
    value : pandas.Series or array_like of float, shape (n_customers,)
        Money per customer, no missing values.

    Returns
    -------
    pandas.DataFrame
        n_customers + 1 rows from (0, 0) to (1, 1): `customer_share`, customers lined up by
        rising value, and `value_share`. With negative values the curve first runs below 0.
        NaN throughout `value_share` where the total is not above 0.

    References
    ----------
    Lorenz (1905), doi:10.2307/2276207

    Examples
    --------
    >>> lorenz_curve([1.0, 3.0])
       customer_share  value_share
    0             0.0         0.00
    1             0.5         0.25
    2             1.0         1.00
    """
    amount = np.sort(_as_money(value, name="value").to_numpy())
    cumulated = np.concatenate([[0.0], amount.cumsum()])
    total = cumulated[-1]
    return pd.DataFrame(
        {
            "customer_share": np.arange(len(cumulated)) / len(amount),
            "value_share": cumulated / total if total > 0 else np.nan,
        }
    )


def gini(value):
    r"""Return the Gini coefficient of a value: 0 when all are equal, near 1 when one has all.

    With customers ordered so that :math:`x_1 \le \dots \le x_n`,

    .. math:: G = \frac{\sum_i (2i - n - 1)\, x_i}{n \sum_i |x_i|}

    which is half the mean difference of two customers drawn at random, as a share of the mean.
    Without negative values it is twice the area between the Lorenz curve and the diagonal. With
    negative values the classical denominator, the sum, would let G exceed 1; the sum of absolute
    values keeps it below 1. Raffinetti, Siletti & Vernizzi (2015) divide by that sum as well, but
    by n - 1 in place of n, so that theirs reaches 1.

    Parameters
    ----------
    value : pandas.Series or array_like of float, shape (n_customers,)
        Money per customer, no missing values.

    Returns
    -------
    float
        From 0 up to 1 - 1/n without negative values, below 1 in any case (dimensionless).
        0 when all values are equal; NaN when all are zero.

    References
    ----------
    Gini (1912); Raffinetti, Siletti & Vernizzi (2015), doi:10.1007/s10260-014-0293-4

    Examples
    --------
    >>> gini([1.0, 3.0])
    0.25
    >>> gini([0.0, 0.0, 0.0, 8.0])
    0.75
    """
    amount = np.sort(_as_money(value, name="value").to_numpy())
    size = np.abs(amount).sum()
    if size == 0:
        return float("nan")
    if amount[0] == amount[-1]:
        return 0.0
    n = len(amount)
    weight = 2 * np.arange(1, n + 1) - n - 1
    return float((weight * (amount / size)).sum() / n)


def whale_curve(profit):
    """Return the whale curve: profit added up from the most to the least profitable customer.

    The hump above 100 % is what unprofitable customers give back.

    Parameters
    ----------
    profit : pandas.Series or array_like of float, shape (n_customers,)
        Contribution per customer, no missing values.

    Returns
    -------
    pandas.DataFrame
        n_customers + 1 rows from 0: `customer_share`, `cumulative_profit` (money) and
        `profit_share`, its share of the total (NaN where the total is not above 0).

    References
    ----------
    Cooper & Kaplan (1991), Harvard Business Review 69(3), 130-135.

    Examples
    --------
    >>> whale_curve([10.0, -5.0, 15.0])
       customer_share  cumulative_profit  profit_share
    0        0.000000                0.0          0.00
    1        0.333333               15.0          0.75
    2        0.666667               25.0          1.25
    3        1.000000               20.0          1.00
    """
    amount = np.sort(_as_money(profit, name="profit").to_numpy())[::-1]
    cumulated = np.concatenate([[0.0], amount.cumsum()])
    total = cumulated[-1]
    return pd.DataFrame(
        {
            "customer_share": np.arange(len(cumulated)) / len(amount),
            "cumulative_profit": cumulated,
            "profit_share": cumulated / total if total > 0 else np.nan,
        }
    )


def customer_contribution(orders, customers, *, observed_to):
    """Return what each customer contributed over the window: gross margin less cost to serve.

    Parameters
    ----------
    orders : pandas, Polars, DuckDB, PyArrow or PySpark table
        Columns `customer_id`, `ordered_on`, `amount`, `margin`.
    customers : pandas.DataFrame
        One row per customer: `customer_id`, `cost_to_serve` (money over the same window).
    observed_to : str, date or Timestamp
        Last day under observation, inclusive.

    Returns
    -------
    pandas.DataFrame
        One row per customer of either table, sorted by `customer_id`: `total_value`,
        `total_margin` (0 for a customer without orders), `margin_rate` (margin over value, NaN
        unless the value is above 0), `cost_to_serve` and `contribution`. The last two are NaN
        where the cost is not known.

    Raises
    ------
    ValueError
        If `orders` has no margin, `customers` has no cost to serve or a customer twice.

    References
    ----------
    Cooper & Kaplan (1991); F. J. Mulhern (1999), Customer profitability analysis, Journal of
    Interactive Marketing 13(1), 25-40.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "b"], "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-08"]),
    ...     "amount": [100.0, 40.0], "margin": [30.0, 10.0],
    ... })
    >>> customers = pd.DataFrame({
    ...     "customer_id": ["a", "b", "c"], "cost_to_serve": [5.0, 12.0, 3.0],
    ... })
    >>> table = customer_contribution(orders, customers, observed_to="2024-01-31")
    >>> table[["customer_id", "total_margin", "cost_to_serve", "contribution"]]
      customer_id  total_margin  cost_to_serve  contribution
    0           a          30.0            5.0          25.0
    1           b          10.0           12.0          -2.0
    2           c           0.0            3.0          -3.0
    """
    for column in ("customer_id", "cost_to_serve"):
        if column not in customers.columns:
            raise ValueError(
                f"customers: column {column!r} is missing; contribution is margin less cost to "
                "serve and cannot be had without it. Use total_value, and call it sales."
            )
    repeated = customers["customer_id"].duplicated()
    if repeated.any():
        raise ValueError(
            f"customers: customer {customers.loc[repeated, 'customer_id'].iloc[0]!r} has two "
            "rows; expected one row per customer"
        )
    bought = aggregate_orders(orders, observed_to=as_day(observed_to, name="observed_to"))
    if "total_margin" not in bought:
        raise ValueError(
            "orders: column 'margin' is missing; contribution is margin less cost to serve and "
            "cannot be had without it. Use total_value, and call it sales."
        )
    money = ["total_value", "total_margin"]
    table = bought[["customer_id", *money]].merge(
        customers[["customer_id", "cost_to_serve"]],
        on="customer_id",
        how="outer",
        validate="one_to_one",
    )
    table[money] = table[money].fillna(0.0)
    value = table["total_value"]
    table.insert(3, "margin_rate", table["total_margin"] / value.where(value > 0))
    table["contribution"] = table["total_margin"] - table["cost_to_serve"]
    return table.sort_values("customer_id", ignore_index=True)


def return_on_cost(contribution, cost):
    """Return the money contributed per unit of money spent on customers.

    Parameters
    ----------
    contribution : pandas.Series or array_like of float
        Contribution per customer, the cost already deducted.
    cost : pandas.Series or array_like of float
        Cost per customer, the same customers in the same order; not negative.

    Returns
    -------
    float
        Sum of the contributions over the sum of the costs (dimensionless): 1.5 means that each
        unit of money spent came back with 1.5 on top. NaN when nothing was spent.

    Examples
    --------
    >>> return_on_cost([25.0, -2.0, -3.0], [5.0, 12.0, 3.0])
    1.0
    """
    gained, spent = _as_money(contribution, name="contribution"), _as_money(cost, name="cost")
    if len(gained) != len(spent):
        raise ValueError(
            f"contribution has {len(gained)} customers and cost {len(spent)}; expected the same"
        )
    if (spent < 0).any():
        raise ValueError(f"cost: lowest value is {spent.min()}; expected costs of 0 or more")
    total = float(spent.sum())
    return float(gained.sum()) / total if total > 0 else float("nan")


def assign_value_tiers(contribution, *, high_share=0.20):
    """Return each customer's value tier: high, low or negative.

    Parameters
    ----------
    contribution : pandas.Series or array_like of float, shape (n_customers,)
        Money per customer: contribution where it is known. No missing values.
    high_share : float
        Share of customers, best first, in the high tier; between 0 and 1.

    Returns
    -------
    pandas.Series
        Named `value_tier`, with the index of `contribution`; an ordered categorical
        negative_value < low_value < high_value. Negative is below 0. High is a customer above 0
        with fewer than `high_share` of all customers strictly above; equal values share a tier.

    References
    ----------
    Zeithaml, Rust & Lemon (2001), California Management Review 43(4), 118-142.

    Examples
    --------
    >>> list(assign_value_tiers([90.0, 10.0, 5.0, 0.0, -4.0]))
    ['high_value', 'low_value', 'low_value', 'low_value', 'negative_value']
    """
    series = _as_money(contribution, name="contribution")
    if not 0 < high_share < 1:
        raise ValueError(f"high_share is {high_share!r}; expected a share between 0 and 1")
    amount = series.to_numpy()
    n_above = len(amount) - np.searchsorted(np.sort(amount), amount, side="right")
    is_high = (amount > 0) & (n_above < high_share * len(amount) - _SHARE_TOLERANCE * len(amount))
    tier = np.where(amount < 0, "negative_value", np.where(is_high, "high_value", "low_value"))
    tiers = pd.Index(["negative_value", "low_value", "high_value"], dtype="str")
    return pd.Series(
        pd.Categorical(tier, categories=tiers, ordered=True), index=series.index, name="value_tier"
    )


def _as_money(value, *, name):
    """Return the values as a float Series, refusing empty, missing and infinite ones."""
    series = value if isinstance(value, pd.Series) else pd.Series(np.asarray(value))
    if series.ndim != 1 or len(series) == 0:
        raise ValueError(f"{name}: expected the money of at least one customer, got none")
    try:
        amount = series.astype("float64")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: stored as {series.dtype}; expected numbers") from error
    bad = ~np.isfinite(amount.to_numpy())
    if bad.any():
        raise ValueError(
            f"{name}: {int(bad.sum())} of {len(series)} entries are missing or infinite, the first "
            f"in row {int(bad.argmax()) + 1}; leave those customers out before, and count them"
        )
    return amount
