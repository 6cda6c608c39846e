"""Does a ranking of customers foretell who brings value next? A test on held-out orders.

Who asks: whoever means to act on a score and should first see whether it picks the customers of
the next period better than chance, and better than the plainest ranking at hand.

The order book is split at a day. Scores are made from the orders up to that day and judged by
the value of the orders after it. A ranking is worth its trouble when the best fifth it picks
holds clearly more of the later value than a fifth picked at random, and than a fifth picked by
past spending alone. Fader, Hardie & Lee (2005, doi:10.1509/jmkr.2005.42.4.415) and Wubben & von
Wangenheim (2008, Instant customer base analysis, Journal of Marketing 72(3), 82-93,
doi:10.1509/jmkg.72.3.082) test customer scores in this way.
"""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.value.aggregate import aggregate_orders
from crmlab.value.orders import as_day, check_dates

__all__ = [
    "captured_difference",
    "captured_share",
    "compare_classes",
    "compare_rankings",
    "gains_curve",
    "split_orders",
    "summarize_holdout",
]


def split_orders(orders, *, calibrated_to):
    """Return the orders up to a day, and the orders after it.

    Parameters
    ----------
    orders : pandas, Polars, DuckDB, PyArrow or PySpark table
        Column `ordered_on`, a date.
    calibrated_to : str, date or Timestamp
        Last day of the first part, inclusive.

    Returns
    -------
    tuple of two tables
        Of the kind that came in.

    Raises
    ------
    ValueError
        If `ordered_on` is missing, or holds no dates or dates with a time zone.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({"ordered_on": pd.to_datetime(["2024-01-01", "2024-01-08"])})
    >>> before, after = split_orders(orders, calibrated_to="2024-01-05")
    >>> len(before), len(after)
    (1, 1)
    """
    day = as_day(calibrated_to, name="calibrated_to")
    frame = nw.from_native(orders)
    schema = frame.collect_schema()
    if "ordered_on" not in schema:
        raise ValueError("orders: column 'ordered_on' is missing; expected the date of each order")
    check_dates(schema)
    next_day = (day + pd.Timedelta(days=1)).to_pydatetime()
    limit = next_day.date() if schema["ordered_on"] == nw.Date else next_day
    is_later = nw.col("ordered_on") >= limit
    return frame.filter(~is_later).to_native(), frame.filter(is_later).to_native()


def summarize_holdout(summary, orders, *, observed_to):
    """Return what the customers of a summary bought later.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer with `customer_id`, made from the earlier orders.
    orders : pandas, Polars, DuckDB, PyArrow or PySpark table
        The later orders, as returned by `split_orders`. Customers who are not in `summary` are
        new and stay out.
    observed_to : str, date or Timestamp
        Last day under observation, inclusive.

    Returns
    -------
    pandas.DataFrame
        In the order of `summary`: `customer_id`, `n_holdout_orders` and `holdout_value` (money,
        returns deducted); both 0 for a customer who did nothing.

    Raises
    ------
    ValueError
        If `summary` has no `customer_id`, its identifiers are text and those of the orders
        numbers or the other way round, or the orders are not as in `aggregate_orders`.

    Examples
    --------
    >>> import pandas as pd
    >>> summary = pd.DataFrame({"customer_id": ["a", "b"]})
    >>> later = pd.DataFrame({
    ...     "customer_id": ["b", "b", "z"],
    ...     "ordered_on": pd.to_datetime(["2024-02-01", "2024-02-03", "2024-02-04"]),
    ...     "amount": [20.0, 5.0, 99.0],
    ... })
    >>> summarize_holdout(summary, later, observed_to="2024-02-29")
      customer_id  n_holdout_orders  holdout_value
    0           a                 0            0.0
    1           b                 2           25.0
    """
    if "customer_id" not in summary.columns:
        raise ValueError("summary: column 'customer_id' is missing; expected one row per customer")
    later = aggregate_orders(orders, observed_to=as_day(observed_to, name="observed_to"))
    kinds = [pd.api.types.is_numeric_dtype(t["customer_id"]) for t in (summary, later) if len(t)]
    if len(set(kinds)) > 1:
        raise ValueError(
            f"customer_id is stored as {summary['customer_id'].dtype} in summary and as "
            f"{later['customer_id'].dtype} in orders; expected the same, or nobody would match"
        )
    later = later.set_index("customer_id").reindex(summary["customer_id"])
    return pd.DataFrame(
        {
            "customer_id": summary["customer_id"],
            "n_holdout_orders": later["n_orders"].fillna(0).astype("int64").to_numpy(),
            "holdout_value": later["total_value"].fillna(0.0).to_numpy(),
        }
    )


def gains_curve(value, *, by):
    """Return the share of value held by the best share of customers, as a ranking sees them.

    Parameters
    ----------
    value : array_like of float, shape (n_customers,)
        Money per customer, for instance of the held-out period.
    by : array_like of float, shape (n_customers,)
        The ranking: higher comes first. Customers ranked alike form one straight piece, which
        is the mean over every order among them.

    Returns
    -------
    pandas.DataFrame
        From (0, 0) to (1, 1), one row per distinct rank: `customer_share`, `value_share` (NaN
        throughout where the total is not above 0).

    Raises
    ------
    ValueError
        If the two have different lengths, or hold missing values.

    Examples
    --------
    >>> gains_curve([8.0, 2.0, 0.0, 0.0], by=[3, 2, 2, 1])
       customer_share  value_share
    0            0.00          0.0
    1            0.25          0.8
    2            0.75          1.0
    3            1.00          1.0
    """
    money, rank = np.asarray(value, dtype=float), np.asarray(by, dtype=float)
    if money.shape != rank.shape or money.ndim != 1 or len(money) == 0:
        raise ValueError(
            f"value has shape {money.shape} and by {rank.shape}; expected one of each per customer"
        )
    if not (np.isfinite(money).all() and np.isfinite(rank).all()):
        raise ValueError("value and by: missing or infinite entries; expected a finite number each")
    _, position, count = np.unique(-rank, return_inverse=True, return_counts=True)
    held = np.concatenate([[0.0], np.bincount(position, weights=money).cumsum()])
    total = held[-1]
    return pd.DataFrame(
        {
            "customer_share": np.concatenate([[0], count.cumsum()]) / len(money),
            "value_share": held / total if total > 0 else np.nan,
        }
    )


def captured_share(value, *, by, share=0.20):
    """Return the share of value held by the best `share` of customers, as a ranking sees them.

    Parameters
    ----------
    value, by
        As in `gains_curve`. With `by=value` this is the "20 % of customers hold 80 %" figure.
    share : float
        Share of customers picked, between 0 and 1.

    Returns
    -------
    float
        Share of the total value; NaN where the total is not above 0. Where customers ranked
        alike lie across the limit, the expected share of a random pick among them.

    Examples
    --------
    >>> captured_share([8.0, 2.0, 0.0, 0.0], by=[3, 2, 2, 1], share=0.5)
    0.9
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share!r}; expected a share of customers between 0 and 1")
    curve = gains_curve(value, by=by)
    return float(np.interp(share, curve["customer_share"], curve["value_share"]))


def captured_difference(value, *, by, baseline, seed, share=0.20, n_resamples=200):
    """Return how much more of the value one ranking's best customers hold than another's.

    Both rankings are judged on the same customers, so their errors go together; drawing the
    customers anew with replacement shows how far the difference itself would vary.

    Parameters
    ----------
    value : array_like of float, shape (n_customers,)
        Later money per customer.
    by, baseline : array_like of float, shape (n_customers,)
        The two rankings; higher comes first.
    seed : int
        Seed of the resamples.
    share : float
        Share of customers picked, between 0 and 1.
    n_resamples : int
        Bootstrap resamples, at least 20.

    Returns
    -------
    tuple of float
        The difference of the captured shares, and its standard error: the standard deviation
        over the resamples, those without positive value left out (NaN if fewer than two are
        left).

    Examples
    --------
    >>> value, good, poor = [8.0, 2.0, 0.0, 0.0] * 9, [4, 3, 2, 1] * 9, [1, 2, 3, 4] * 9
    >>> difference, error = captured_difference(value, by=good, baseline=poor, seed=1, share=0.5)
    >>> difference, bool(0 < error < 0.2)
    (1.0, True)
    """
    if n_resamples < 20:
        raise ValueError(f"n_resamples is {n_resamples!r}; expected at least 20")
    difference = captured_share(value, by=by, share=share)
    difference -= captured_share(value, by=baseline, share=share)
    rng = np.random.default_rng(seed)
    money = np.asarray(value, dtype=float)
    n = len(money)
    # Ranks are found once: half a million customers need no sorting in each resample.
    ranks = [
        np.unique(-np.asarray(one, dtype=float), return_inverse=True)[1] for one in (by, baseline)
    ]
    differences = np.empty(n_resamples)
    for resample in range(n_resamples):
        times = np.bincount(rng.integers(0, n, n), minlength=n)
        one, other = (_captured(money, rank, times, share) for rank in ranks)
        differences[resample] = one - other
    known = differences[~np.isnan(differences)]
    return difference, float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def compare_classes(value, group):
    r"""Return the mean later value of each class of customers, with its error.

    Parameters
    ----------
    value : array_like of float, shape (n_customers,)
        Later money per customer, no missing values.
    group : array_like, shape (n_customers,)
        Class of each customer (a score, an ABC class, a named segment).

    Returns
    -------
    pandas.DataFrame
        One row per class that has customers, in the order of the classes: `group`,
        `n_customers`, `mean_value` (money per customer) and `standard_error`,
        :math:`s / \sqrt n` with divisor n - 1 in s (NaN for a single customer).

    Raises
    ------
    ValueError
        If the two have different lengths, or values are missing.

    Examples
    --------
    >>> compare_classes([10.0, 20.0, 0.0], ["A", "A", "B"])
      group  n_customers  mean_value  standard_error
    0     A            2        15.0             5.0
    1     B            1         0.0             NaN
    """
    money, groups = pd.Series(np.asarray(value, dtype=float)), pd.Series(group)
    if len(money) != len(groups):
        raise ValueError(
            f"value has {len(money)} customers and group {len(groups)}; expected the same"
        )
    if not np.isfinite(money).all() or groups.isna().any():
        raise ValueError("value and group: missing or infinite entries; expected one per customer")
    of_class = money.groupby(groups.reset_index(drop=True), observed=True)
    table = pd.DataFrame(
        {
            "n_customers": of_class.size(),
            "mean_value": of_class.mean(),
            "standard_error": of_class.sem(),
        }
    )
    return table.rename_axis("group").reset_index()


def compare_rankings(value, rankings, *, share=0.20):
    r"""Return how much of a later value each ranking's best customers hold, against chance.

    A pick of m of n customers at random holds the share m/n on average, with standard error
    :math:`\sqrt{m (n - m) / (n - 1)}\; \sigma / \sum_i v_i`, where :math:`\sigma` is the standard
    deviation of the values (divisor n): drawing without replacement.

    Parameters
    ----------
    value : array_like of float, shape (n_customers,)
        Later money per customer.
    rankings : pandas.DataFrame
        One column per ranking, one row per customer in the order of `value`; higher is better.
    share : float
        Share of customers picked, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per ranking: `ranking` (name of the column), `captured_share`, `chance_share`
        (what a random pick holds), `chance_error` (its standard error), `lift` (captured over
        chance) and `z` (captured less chance, in standard errors). NaN where the total is not
        above 0; `z` is NaN where all values are equal.

    Examples
    --------
    >>> import pandas as pd
    >>> rankings = pd.DataFrame({"by_score": [3, 2, 2, 1], "upside_down": [1, 2, 2, 3]})
    >>> table = compare_rankings([8.0, 2.0, 0.0, 0.0], rankings, share=0.5)
    >>> table[["ranking", "captured_share", "chance_share", "lift"]]
           ranking  captured_share  chance_share  lift
    0     by_score             0.9           0.5   1.8
    1  upside_down             0.1           0.5   0.2
    """
    money = np.asarray(value, dtype=float)
    n, total = len(money), float(money.sum())
    # Equal values leave rounding errors in their standard deviation.
    spread = money.std() if n and np.ptp(money) > 0 else 0.0
    rows = []
    for name in rankings.columns:
        captured = captured_share(money, by=rankings[name], share=share)
        error = np.nan
        if total > 0 and n > 1:
            picked = share * n
            error = float(np.sqrt(picked * (n - picked) / (n - 1)) * spread / total)
        rows.append(
            {
                "ranking": name,
                "captured_share": captured,
                "chance_share": share,
                "chance_error": error,
                "lift": captured / share,
                "z": (captured - share) / error if error > 0 else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _captured(money, rank, times, share):
    """Return the share of value held by the best, each customer drawn some times."""
    count, held = np.bincount(rank, times).cumsum(), np.bincount(rank, money * times).cumsum()
    if not held[-1] > 0:
        return np.nan
    return float(np.interp(share * len(money), np.append(0, count), np.append(0, held)) / held[-1])
