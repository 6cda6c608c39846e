"""Does a model of repeat buying foretell what comes? Its forecasts beside what was then seen.

Who asks: whoever is about to act on a forecast. A model is fitted to the first part of the order
book and held against the second: week by week over all customers, and customer by customer
grouped by how often they had bought. The run rate stands beside it throughout.

Source: P. S. Fader, B. G. S. Hardie & K. L. Lee (2005), "Counting your customers" the easy way,
Marketing Science 24(2), 275-284, doi:10.1287/mksc.1040.0098 (both figures).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.value.aggregate import aggregate_orders, count_daily_repeats
from crmlab.value.holdout import split_orders
from crmlab.value.lifetime.value import run_rate_orders
from crmlab.value.orders import as_day

__all__ = [
    "compare_forecasts",
    "error_lead",
    "expectations_by_frequency",
    "repeat_days_after",
    "track_orders",
]


def repeat_days_after(summary, orders, *, observed_to):
    """Return the days on which each customer of a summary bought later: what the models count.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer with `customer_id`, made from the earlier orders.
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        The later orders (`crmlab.value.holdout.split_orders`).
    observed_to : str, date or Timestamp
        Last day under observation, inclusive.

    Returns
    -------
    numpy.ndarray of int, shape (n_customers,)
        In the order of `summary`.

    Examples
    --------
    >>> import pandas as pd
    >>> later = pd.DataFrame({
    ...     "customer_id": ["b", "b", "z"],
    ...     "ordered_on": pd.to_datetime(["2024-02-01", "2024-02-01", "2024-02-04"]),
    ...     "amount": [20.0, 5.0, 99.0],
    ... })
    >>> summary = pd.DataFrame({"customer_id": ["a", "b"]})
    >>> repeat_days_after(summary, later, observed_to="2024-02-29").tolist()
    [0, 1]
    """
    later = aggregate_orders(orders, observed_to=as_day(observed_to, name="observed_to"))
    n_days = later.set_index("customer_id")["n_purchase_days"]
    return summary["customer_id"].map(n_days).fillna(0).astype("int64").to_numpy()


def track_orders(model, orders, *, calibrated_to, observed_to):
    """Return the repeat orders of each week, seen and expected, with the running totals.

    Parameters
    ----------
    model : BgNbd, MbgNbd or ParetoNbd
        Fitted to the orders up to `calibrated_to`.
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        All orders, calibration and hold-out.
    calibrated_to, observed_to : str, date or Timestamp
        Last day of the calibration and of the whole, inclusive.

    Returns
    -------
    pandas.DataFrame
        One row per whole week from the first purchase: `week` (1, 2, …), `ends_on`,
        `is_holdout`, `n_repeat_orders` (purchase days after the first, of the customers won up to
        `calibrated_to`), `expected_orders`, `run_rate_orders` (hold-out only: each customer goes
        on as up to `calibrated_to`), and `total_repeat_orders` and `total_expected_orders`, each
        from the beginning.

    Raises
    ------
    ValueError
        If the days are not in order, or the orders cannot be read.
    """
    end, last = as_day(calibrated_to, name="calibrated_to"), as_day(observed_to, name="observed_to")
    if end > last:
        raise ValueError(f"calibrated_to {end:%Y-%m-%d} is after observed_to {last:%Y-%m-%d}")
    repeats = count_daily_repeats(orders, won_to=end, observed_to=last)
    won = aggregate_orders(split_orders(orders, calibrated_to=end)[0], observed_to=end)
    won = won[won["n_orders"] > 0]
    if won.empty:
        raise ValueError(f"nobody bought up to {end:%Y-%m-%d}; expected a later calibrated_to")
    first = won["first_ordered_on"]
    begin = first.min()
    n_weeks = (last - begin).days // 7
    week = np.maximum(np.ceil((repeats["day"] - begin).dt.days / 7).astype("int64"), 1)
    seen = np.bincount(week, repeats["n_repeat_orders"], n_weeks + 1)[1 : n_weeks + 1]
    seen = seen.astype("int64")
    weeks = np.arange(1, n_weeks + 1)
    starts = first.value_counts()  # customers who came on one day share their expectation
    since = weeks[:, None] - ((starts.index - begin).days / 7).to_numpy()
    total = model.expected_orders(np.maximum(since, 0.0)) @ starts.to_numpy()
    ends_on = begin + pd.to_timedelta(weeks * 7, unit="D")
    is_holdout = ends_on > end
    # Each customer at his own rate, as `run_rate_orders` has it: not all of them at the mean one.
    lived = (end - first).dt.days / 7
    rate = ((won["n_purchase_days"] - 1) / lived.where(lived > 0)).sum()
    return pd.DataFrame(
        {
            "week": weeks,
            "ends_on": ends_on,
            "is_holdout": is_holdout,
            "n_repeat_orders": seen,
            "expected_orders": np.diff(total, prepend=0.0),
            "run_rate_orders": np.where(is_holdout, rate, np.nan),
            "total_repeat_orders": seen.cumsum(),
            "total_expected_orders": total,
        }
    )


def expectations_by_frequency(model, summary, n_later, *, weeks, most=7):
    """Return the mean orders in the hold-out by repeat orders before: seen, expected, run rate.

    Parameters
    ----------
    model : BgNbd, MbgNbd or ParetoNbd
    summary : pandas.DataFrame
        See `crmlab.value.lifetime.repeat_orders`.
    n_later : array_like of int, shape (n_customers,)
        Purchase days in the hold-out (`repeat_days_after`).
    weeks : float
        Length of the hold-out.
    most : int
        Customers with as many repeat orders or more form the last group.

    Returns
    -------
    pandas.DataFrame
        One row per group with customers: `n_repeat_orders` (the last one stands for `most` and
        more), `n_customers`, `mean_later_orders`, `mean_expected_orders`, `mean_run_rate_orders`.
    """
    table = pd.DataFrame(
        {
            "n_repeat_orders": np.minimum(summary["n_repeat_orders"].to_numpy(), most),
            "mean_later_orders": np.asarray(n_later, dtype="float64"),
            "mean_expected_orders": model.expected_future_orders(summary, weeks=weeks),
            "mean_run_rate_orders": run_rate_orders(summary, weeks=weeks),
        }
    )
    groups = table.groupby("n_repeat_orders")
    means = groups.mean()
    means.insert(0, "n_customers", groups.size())
    return means.reset_index()


def compare_forecasts(n_later, forecasts):
    """Return how near each forecast of the customers' orders came.

    Parameters
    ----------
    n_later : array_like of float, shape (n_customers,)
        What was seen.
    forecasts : dict of str to array_like of float
        By name, one number per customer.

    Returns
    -------
    pandas.DataFrame
        One row per forecast: `forecast`, `mean_absolute_error`, `root_mean_square_error` (orders
        per customer), `total_error` (forecast total over the one seen, less 1; NaN where nothing
        was seen) and `rank_correlation` (Spearman's; NaN where either is constant).

    Examples
    --------
    >>> table = compare_forecasts([0, 2, 4], {"half": [0, 1, 2], "same": [2, 2, 2]})
    >>> table.round(2).values.tolist()
    [['half', 1.0, 1.29, -0.5, 1.0], ['same', 1.33, 1.63, 0.0, nan]]
    """
    seen = np.asarray(n_later, dtype="float64")
    rows = []
    for name, forecast in forecasts.items():
        forecast = np.asarray(forecast, dtype="float64")
        if forecast.shape != seen.shape or not np.isfinite(forecast).all():
            raise ValueError(f"forecast {name!r}: expected {len(seen)} finite numbers")
        error = forecast - seen
        ranks = pd.Series(forecast).rank(), pd.Series(seen).rank()
        rows.append(
            {
                "forecast": name,
                "mean_absolute_error": np.abs(error).mean(),
                "root_mean_square_error": np.sqrt((error**2).mean()),
                "total_error": forecast.sum() / seen.sum() - 1 if seen.sum() else np.nan,
                "rank_correlation": ranks[0].corr(ranks[1])
                if np.ptp(forecast) and np.ptp(seen)
                else np.nan,
            }
        )
    return pd.DataFrame(rows)


def error_lead(n_later, forecast, baseline, *, seed, n_resamples=200, level=0.95):
    """Return by how much one forecast's error is smaller than another's, and how sure that is.

    Both are judged on the same customers, so their errors go together; drawing the customers anew
    with replacement shows how far the lead would vary. Where a few customers make up most of an
    error that is skew, and a standard error would not do.

    Parameters
    ----------
    n_later, forecast, baseline : array_like of float, shape (n_customers,)
        What was seen, and what the two forecasts said.
    seed : int
    n_resamples : int
        At least 20.
    level : float
        Of the interval, above 0 and below 1.

    Returns
    -------
    tuple of float
        Root mean square error of the baseline less that of the forecast (orders per customer;
        above 0, the forecast is the better one), and the ends of its interval.

    Examples
    --------
    >>> lead, lower, upper = error_lead(
    ...     [0, 2, 4, 1] * 25, [0, 1, 3, 1] * 25, [3, 2, 2, 1] * 25, seed=1)
    >>> round(lead, 3), lower < lead < upper
    (1.096, True)
    """
    seen, *told = (np.asarray(one, dtype="float64") for one in (n_later, baseline, forecast))
    if any(one.shape != seen.shape or not np.isfinite(one).all() for one in told):
        raise ValueError(f"forecast and baseline: expected {len(seen)} finite numbers each")
    if n_resamples < 20:
        raise ValueError(f"n_resamples is {n_resamples!r}; expected at least 20")
    rng, n = np.random.default_rng(seed), len(seen)
    squares = np.array([(one - seen) ** 2 for one in told])
    leads = np.empty(n_resamples)
    for resample in range(n_resamples):
        times = np.bincount(rng.integers(0, n, n), minlength=n)
        leads[resample] = -np.diff(np.sqrt((squares * times).mean(axis=1)))[0]
    lower, upper = np.quantile(leads, [0.5 - level / 2, 0.5 + level / 2])
    return float(-np.diff(np.sqrt(squares.mean(axis=1)))[0]), float(lower), float(upper)
