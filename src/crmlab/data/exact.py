"""Sums of money that come out the same to the last bit, in whatever order they are taken.

Who asks: every reader of the large tables. A sum of floats depends on the order of its terms, and
an engine that works on several cores, or on several machines, takes them in another order each
time. So each amount is split into its whole units and its billionths, both integers; integers add
up exactly, in any order, in any engine; and the two sums are joined at the end. An amount is thus
taken to nine decimals, half a billionth at most from where it was, which no currency can tell.
"""

from __future__ import annotations

import narwhals as nw
import numpy as np

__all__ = ["LARGEST", "join_money", "split_money", "sum_money"]

#: Amounts must be smaller than this in size: a group may hold 900,000 of them at the least.
LARGEST = 1e13
_BILLION = 1_000_000_000


def split_money(frame, columns):
    """Return a frame with two integer columns more for each money column.

    Parameters
    ----------
    frame : narwhals.DataFrame or narwhals.LazyFrame
    columns : sequence of str
        Float columns, finite and below `LARGEST` in size.

    Returns
    -------
    narwhals.DataFrame or narwhals.LazyFrame
        With `<column>_whole` and `<column>_parts`, the latter in billionths from 0 up.
    """
    whole = {f"{name}_whole": nw.col(name).floor().cast(nw.Int64) for name in columns}
    # Adding a half and rounding down means the same everywhere; engines round halves differently.
    parts = {
        f"{name}_parts": (
            (nw.col(name) - nw.col(f"{name}_whole").cast(nw.Float64)) * float(_BILLION) + 0.5
        )
        .floor()
        .cast(nw.Int64)
        for name in columns
    }
    return frame.with_columns(**whole).with_columns(**parts)


def sum_money(sums):
    """Return the aggregations that add up money columns split by `split_money`.

    Parameters
    ----------
    sums : mapping of str to str
        Name of the sum, and the column it adds up.

    Returns
    -------
    list of narwhals.Expr
        They make `<sum>_whole` and `<sum>_parts`.
    """
    return [
        nw.col(f"{column}_{half}").sum().alias(f"{name}_{half}")
        for name, column in sums.items()
        for half in ("whole", "parts")
    ]


def join_money(whole, parts):
    """Return sums of money from the sums of their whole units and billionths.

    Parameters
    ----------
    whole, parts : array_like of int, shape (n,)

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        The float nearest to the exact sum, give or take one step of the last bit.

    Examples
    --------
    >>> join_money([0, -1], [300_000_000, 900_000_000]).tolist()  # 0.1 + 0.2, and -0.1
    [0.3, -0.1]
    """
    whole, parts = np.asarray(whole, dtype="int64"), np.asarray(parts, dtype="int64")
    whole, parts = whole + parts // _BILLION, parts % _BILLION
    # Both of one sign, or -1 + 0.9 would be off in the last digits of -0.1.
    is_debt = (whole < 0) & (parts > 0)
    whole, parts = whole + is_debt, parts - _BILLION * is_debt
    return whole + parts / _BILLION
