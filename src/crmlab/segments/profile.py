"""What the segments are like: size, value, means, and how far each stands from the rest.

Who asks: whoever must describe a segment to people who will serve it. A mean alone says little;
set beside the customers outside the segment, in units of the spread within, it says what is
special about the segment, and eta squared says how much of the differences between customers
the whole segmentation accounts for.

Source of the effect sizes: J. Cohen (1988), Statistical Power Analysis for the Behavioral
Sciences, 2nd edition, Erlbaum.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["eta_squared", "profile_segments", "summarize_segments"]


def summarize_segments(segment, value):
    """Return the size of each segment and the part of the value it holds.

    Parameters
    ----------
    segment : pandas.Series
        Segment of each customer, no missing values.
    value : pandas.Series
        Money per customer, with the index of `segment`, no missing values.

    Returns
    -------
    pandas.DataFrame
        One row per segment, in their order: `segment`, `n_customers`, `customer_share`,
        `total_value` (money), `value_share` (NaN where the total is not above 0),
        `value_per_customer` and `value_index`, the value share over the customer share (1 is
        the average customer).

    Raises
    ------
    ValueError
        If the indices differ or values are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> table = summarize_segments(pd.Series([1, 2, 2, 2]), pd.Series([70.0, 10.0, 10.0, 10.0]))
    >>> table[["segment", "customer_share", "value_share", "value_index"]].round(2)
       segment  customer_share  value_share  value_index
    0        1            0.25          0.7          2.8
    1        2            0.75          0.3          0.4
    """
    _check_segment(segment, value, what="value")
    if value.isna().any():
        raise ValueError(
            f"value: missing for {int(value.isna().sum())} customers; leave them out before, and "
            "count them"
        )
    held = value.astype("float64").groupby(segment, observed=True)
    total = float(value.sum())
    table = pd.DataFrame({"n_customers": held.size(), "total_value": held.sum()})
    table.insert(1, "customer_share", table["n_customers"] / len(segment))
    table["value_share"] = table["total_value"] / total if total > 0 else np.nan
    table["value_per_customer"] = table["total_value"] / table["n_customers"]
    table["value_index"] = table["value_share"] / table["customer_share"]
    return table.rename_axis("segment").reset_index()


def profile_segments(frame, segment):
    r"""Return size, means and effect sizes of each variable in each segment.

    The standardised difference compares a segment with all other customers,

    .. math:: d = \frac{\bar x_{in} - \bar x_{out}}{s_{pooled}}

    with the pooled standard deviation within the two (divisor n - 2).

    Parameters
    ----------
    frame : pandas.DataFrame
        Numeric columns to describe, one row per customer. Missing values are left out, column
        by column, and `n_known` counts what is left.
    segment : pandas.Series
        Segment of each customer, with the index of `frame`, no missing values.

    Returns
    -------
    pandas.DataFrame
        One row per segment and variable, both in their order: `segment`, `variable`,
        `n_customers`, `share` (of the customers), `n_known`, `mean`, `rest_mean`,
        `standardized_difference` (NaN without spread or without others) and `eta_squared`,
        which belongs to the variable and is the same in all segments.

    Raises
    ------
    ValueError
        If the indices differ, a segment is missing, a column is no number, or a value is
        infinite.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"n_orders": [8.0, 10.0, 1.0, 3.0]})
    >>> profile = profile_segments(frame, pd.Series([1, 1, 2, 2]))
    >>> profile[["segment", "variable", "mean", "standardized_difference"]].round(2)
       segment  variable  mean  standardized_difference
    0        1  n_orders   9.0                     4.95
    1        2  n_orders   2.0                    -4.95
    """
    _check_segment(segment, frame, what="frame")
    known = {name: _known(frame[name], segment, name=name) for name in frame.columns}
    eta = {name: eta_squared(*pair) for name, pair in known.items()}
    rows = []
    for name, size in segment.groupby(segment, observed=True).size().items():
        for variable, (value, group) in known.items():
            inside, outside = value[group == name], value[group != name]
            rows.append(
                {
                    "segment": name,
                    "variable": variable,
                    "n_customers": size,
                    "share": size / len(segment),
                    "n_known": len(inside),
                    "mean": inside.mean(),
                    "rest_mean": outside.mean(),
                    "standardized_difference": _standardized_difference(inside, outside),
                    "eta_squared": eta[variable],
                }
            )
    columns = ["segment", "variable", "n_customers", "share", "n_known", "mean", "rest_mean"]
    columns += ["standardized_difference", "eta_squared"]
    return pd.DataFrame(rows, columns=columns)


def eta_squared(value, group):
    r"""Return the share of a variable's variance that lies between the groups.

    .. math:: \eta^2 = \frac{\sum_g n_g (\bar x_g - \bar x)^2}{\sum_i (x_i - \bar x)^2}

    Without any association it is (k - 1)/(n - 1) on average, not 0.

    Parameters
    ----------
    value : pandas.Series
        A number per customer. Missing values are left out.
    group : pandas.Series
        Group of each customer, with the index of `value`.

    Returns
    -------
    float
        From 0 (all groups have one mean) to 1 (no differences within); NaN for a constant.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences.

    Examples
    --------
    >>> import pandas as pd
    >>> eta_squared(pd.Series([8.0, 10.0, 1.0, 3.0]), pd.Series(["a", "a", "b", "b"]))
    0.9245283018867925
    """
    _check_segment(group, value, what="value")
    known, group = _known(value, group, name=value.name or "value")
    if len(known) == 0:
        return float("nan")
    mean = known.mean()
    total = float(((known - mean) ** 2).sum())
    # A constant leaves rounding errors of the order of the machine's precision.
    if total <= 1e-24 * len(known) * float((known**2).max()):
        return float("nan")
    groups = known.groupby(group, observed=True)
    between = float((groups.size() * (groups.mean() - mean) ** 2).sum())
    return between / total


def _standardized_difference(inside, outside):
    n = len(inside) + len(outside)
    if len(inside) == 0 or len(outside) == 0 or n < 3:
        return np.nan
    squares = sum(((part - part.mean()) ** 2).sum() for part in (inside, outside))
    pooled = np.sqrt(squares / (n - 2))
    return (inside.mean() - outside.mean()) / pooled if pooled > 0 else np.nan


def _known(value, group, *, name):
    """Return the values that are known as floats, with their groups."""
    try:
        known = value.astype("float64").dropna()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: stored as {value.dtype}; expected numbers") from error
    if np.isinf(known.to_numpy()).any():
        raise ValueError(f"{name}: infinite values; expected finite numbers")
    return known, group.loc[known.index]


def _check_segment(segment, values, *, what):
    """Refuse segments with gaps or another index than the values."""
    if not segment.index.equals(values.index):
        raise ValueError(
            f"segment and {what} have different indices; expected one segment per customer, in "
            "the same order"
        )
    if not segment.index.is_unique:
        raise ValueError(f"{what}: the index names a customer twice; expected one row per customer")
    if len(segment) == 0 or segment.isna().any():
        raise ValueError(
            f"segment: missing for {int(segment.isna().sum())} of {len(segment)} customers; "
            "expected a segment for each of at least one"
        )
