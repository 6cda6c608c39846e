"""Making a table k-anonymous: saying less of everybody until nobody stands alone.

Who asks: whoever may hand out a table only if no customer can be singled out in it. Each
quasi-identifier has a *ladder*: from the value itself through coarser ones (a year, a span of ten
years) to nothing at all. Every combination of rungs is tried, and of those that leave few enough
rows in small classes the one that says most is taken; the rows still in small classes are left out
and counted.

Source: Sweeney, L. (2002). Achieving k-anonymity privacy protection using generalization and
suppression. International Journal of Uncertainty, Fuzziness and Knowledge-Based Systems 10(5),
571-588. doi:10.1142/S021848850200165X.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

__all__ = ["Generalised", "generalise", "prefixes", "spans", "whole_or_nothing"]

_NOTHING = "*"


@dataclass(frozen=True, eq=False)
class Generalised:
    """A table made k-anonymous, and what that cost.

    Attributes
    ----------
    table : pandas.DataFrame
        The rows kept, with the quasi-identifiers said more coarsely.
    tried : pandas.DataFrame, one row per combination of rungs, the least loss first
        The rung of each quasi-identifier, `information_loss` (0 nothing lost, 1 everything),
        `share_suppressed` (rows that would have to go) and `is_enough`.
    rungs : dict of str to int
        The rung taken, 0 for the value itself.
    information_loss, share_suppressed : float
    """

    table: pd.DataFrame
    tried: pd.DataFrame
    rungs: dict
    information_loss: float
    share_suppressed: float


def spans(values, widths):
    """Return a ladder of numbers: the number, spans of each width, nothing.

    Examples
    --------
    >>> [rung.tolist() for rung in spans(pd.Series([1984, 1991]), [10])]
    [['1984', '1991'], ['1980-1989', '1990-1999'], ['*', '*']]
    """
    values = pd.to_numeric(values)
    ladder = [_say(values)]
    for width in widths:
        low = (values // width) * width
        ladder.append(_say(low).str.cat(_say(low + width - 1), sep="-").where(values.notna(), "?"))
    return [*ladder, _nothing(values)]


def prefixes(values, lengths):
    """Return a ladder of texts: the text, its first signs, nothing.

    Examples
    --------
    >>> [rung.tolist() for rung in prefixes(pd.Series(["02138", "02141"]), [4, 3])]
    [['02138', '02141'], ['0213*', '0214*'], ['021*', '021*'], ['*', '*']]
    """
    text = values.astype("str")
    cut = [(text.str[:length] + _NOTHING).fillna("?") for length in lengths]
    return [text.fillna("?"), *cut, _nothing(values)]


def whole_or_nothing(values):
    """Return a ladder of two rungs: the value, or nothing.

    Examples
    --------
    >>> [rung.tolist() for rung in whole_or_nothing(pd.Series(["east", None]))]
    [['east', '?'], ['*', '*']]
    """
    return [values.astype("str").fillna("?"), _nothing(values)]


def generalise(frame, ladders, k, *, most_suppressed=0.01):
    r"""Return a table in which every class has at least k rows, at the least loss.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per customer; left unchanged.
    ladders : mapping of str to list of pandas.Series
        For each quasi-identifier the rungs, the value itself first, each a column as long as
        `frame`; see `spans`, `prefixes` and `whole_or_nothing`.
    k : int
        2 or more.
    most_suppressed : float
        Largest share of rows that may be left out instead of being said more coarsely; 0..1.

    Returns
    -------
    Generalised

    Raises
    ------
    ValueError
        If k, the share or a ladder cannot be used, or even a table that says nothing has fewer
        than k rows.

    Notes
    -----
    The loss is one minus Sweeney's precision: the mean over the quasi-identifiers of the rung
    taken over the highest rung. Every row is said at the same rungs (full-domain generalisation).
    Of equal losses the one with fewer rows left out is taken. Choosing the rungs by looking at the
    data tells a little of the data; k-anonymity does not count that.

    Examples
    --------
    >>> frame = pd.DataFrame({"year": [1981, 1984, 1991, 1993], "spent": [5, 6, 7, 8]})
    >>> done = generalise(frame, {"year": spans(frame["year"], [10])}, k=2)
    >>> done.table["year"].tolist(), done.information_loss
    (['1980-1989', '1980-1989', '1990-1999', '1990-1999'], 0.5)
    """
    _refuse_unusable(frame, ladders, k, most_suppressed)
    names = list(ladders)
    codes = {name: [pd.factorize(rung)[0] for rung in ladders[name]] for name in names}
    rows = []
    for rungs in product(*(range(len(ladders[name])) for name in names)):
        size = _sizes([codes[name][rung] for name, rung in zip(names, rungs, strict=True)])
        heights = [r / (len(ladders[n]) - 1) for n, r in zip(names, rungs, strict=True)]
        rows.append((*rungs, float(np.mean(heights)), float((size < k).mean())))
    tried = pd.DataFrame(rows, columns=[*names, "information_loss", "share_suppressed"])
    tried["is_enough"] = tried["share_suppressed"] <= most_suppressed
    tried = tried.sort_values(
        ["information_loss", "share_suppressed"], kind="stable", ignore_index=True
    )
    best = tried[tried["is_enough"]].iloc[0]
    rungs = {name: int(best[name]) for name in names}
    table = frame.assign(**{name: ladders[name][rung].array for name, rung in rungs.items()})
    kept = _sizes([codes[name][rung] for name, rung in rungs.items()]) >= k
    return Generalised(
        table[kept].reset_index(drop=True),
        tried,
        rungs,
        float(best["information_loss"]),
        float(best["share_suppressed"]),
    )


def _refuse_unusable(frame, ladders, k, most_suppressed):
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 2:
        raise ValueError(f"k is {k!r}; expected a whole number, 2 or more")
    if not 0 <= most_suppressed <= 1:
        raise ValueError(f"most_suppressed is {most_suppressed!r}; expected a share from 0 to 1")
    for name, rungs in ladders.items():
        if name not in frame or len(rungs) < 2 or any(len(rung) != len(frame) for rung in rungs):
            raise ValueError(
                f"the ladder of {name!r} has {len(rungs)} rungs; expected a column of the table, "
                f"two rungs or more, and each as long as the table ({len(frame)} rows)"
            )
    if not ladders or len(frame) < k:
        raise ValueError(
            f"{len(frame)} rows and {len(ladders)} quasi-identifiers cannot be made {k}-anonymous; "
            "expected a quasi-identifier and at least k rows"
        )


def _sizes(columns):
    """Return the size of each row's class, given its quasi-identifiers as codes."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        key = np.unique(key * (column.max() + 1) + column, return_inverse=True)[1].ravel()
    return np.bincount(key)[key]


def _say(numbers):
    return numbers.astype("Int64").astype("str").fillna("?")


def _nothing(values):
    return pd.Series(_NOTHING, index=values.index, dtype="str")
