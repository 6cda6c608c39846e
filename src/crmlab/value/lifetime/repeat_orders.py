"""What the models of repeat buying read of a customer: x, t_x and T.

Who asks: `fit_repeat_model` and what is computed from the models. The columns are those of
`crmlab.value.rfm.summarize_orders`: `n_repeat_orders` (x), `last_order_age_weeks` (t_x) and
`age_weeks` (T).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.value.lifetime.likelihood import FitError

__all__ = [
    "COLUMNS",
    "Levels",
    "as_weeks",
    "count_alike",
    "each_row",
    "find_levels",
    "read_repeat_orders",
    "refuse_hopeless",
]

COLUMNS = ("n_repeat_orders", "last_order_age_weeks", "age_weeks")
_FEWEST_CUSTOMERS = 20
_FEWEST_REPEATERS = 5


def read_repeat_orders(summary):
    """Return x, t_x and T of each customer, checked.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer with `n_repeat_orders` (repeat purchases, 0 or more),
        `last_order_age_weeks` (first to last purchase, weeks) and `age_weeks` (first purchase
        to the end of observation, weeks).

    Returns
    -------
    tuple of three numpy.ndarray of float, shape (n_customers,)

    Raises
    ------
    ValueError
        If a column is missing, has gaps, or the values contradict each other; the message names
        the first customer.
    """
    absent = [column for column in COLUMNS if column not in summary.columns]
    if absent:
        raise ValueError(
            f"summary: column {absent[0]!r} is missing; expected {', '.join(COLUMNS)}, as "
            "summarize_orders returns them"
        )
    x, t_x, age = (summary[column].to_numpy(dtype="float64", na_value=np.nan) for column in COLUMNS)
    wrong = {
        "a value is missing or infinite; expected finite numbers": ~np.isfinite(x + t_x + age),
        "n_repeat_orders is no whole number from 0": (x < 0) | (x != np.floor(x)),
        "expected 0 <= last_order_age_weeks <= age_weeks": (t_x < 0) | (t_x > age),
        "repeat purchases and no time between the first purchase and the last, or the other way "
        "round": (x > 0) != (t_x > 0),
    }
    for complaint, is_wrong in wrong.items():
        if is_wrong.any():
            row = int(is_wrong.argmax())
            raise ValueError(
                f"summary, row {row + 1} (and {is_wrong.sum() - 1} more): {complaint}; got "
                f"n_repeat_orders={x[row]:g}, last_order_age_weeks={t_x[row]:g}, "
                f"age_weeks={age[row]:g}"
            )
    return x, t_x, age


@dataclass(frozen=True)
class Levels:
    """A column as its distinct values and where each row finds its own.

    Logarithms and gamma functions are computed once for each value: with days as the unit of time
    half a million customers share a few hundred.
    """

    values: np.ndarray
    of_row: np.ndarray | slice

    def of(self, results):
        """Return for each row what was computed for its value."""
        return results[self.of_row]

    @property
    def rows(self):
        """The column itself."""
        return self.of(self.values)

    def take(self, rows):
        """Return some of the rows."""
        return Levels(self.values, self.of_row[rows])


def find_levels(*columns):
    """Return each column as `Levels`.

    Examples
    --------
    >>> import numpy as np
    >>> (levels,) = find_levels(np.array([2.0, 0.0, 2.0]))
    >>> levels.of(np.sqrt(levels.values)).round(1).tolist()
    [1.4, 0.0, 1.4]
    """
    found = (pd.factorize(column, sort=True) for column in columns)
    return tuple(Levels(values, of_row) for of_row, values in found)


def each_row(*columns):
    """Return each column as `Levels` in which every row is a value of its own.

    Parameters that differ between customers then stand beside the customer they belong to.

    Examples
    --------
    >>> import numpy as np
    >>> (levels,) = each_row(np.array([2.0, 0.0, 2.0]))
    >>> levels.of(levels.values).tolist()
    [2.0, 0.0, 2.0]
    """
    return tuple(Levels(column, slice(None)) for column in columns)


def count_alike(*columns, weights=None):
    """Return the distinct customers and how many there are of each.

    The likelihood of a customer depends on a few numbers alone, and with days as the unit of time
    many customers share them: a few million come down to a few hundred thousand.

    Parameters
    ----------
    *columns : numpy.ndarray of float, shape (n_customers,)
        What tells customers apart.
    weights : array_like of float, shape (n_customers,), optional
        How often each counts; once unless given.

    Returns
    -------
    levels : list of Levels
        The columns of the distinct customers, who are sorted.
    n : numpy.ndarray of float
        The customers behind each, or the sum of their weights.

    Examples
    --------
    >>> import numpy as np
    >>> levels, n = count_alike(np.array([0.0, 2, 0]), np.array([9.0, 9, 9]))
    >>> levels[0].rows, n
    (array([0., 2.]), array([2., 1.]))
    """
    levels = find_levels(*columns)
    key = np.zeros(len(columns[0]), dtype="int64")
    for column in levels:
        key = key * len(column.values) + column.of_row
    if weights is None:  # sorting alone is several times faster than sorting with the places kept
        key, n = np.unique(key, return_counts=True)
    else:
        key, of_row = np.unique(key, return_inverse=True)
        n = np.bincount(of_row, weights, minlength=len(key))
    distinct = []
    for column in reversed(levels):
        key, of_row = np.divmod(key, len(column.values))
        distinct.insert(0, Levels(column.values, of_row))
    return distinct, n.astype("float64")


def refuse_hopeless(x, age, *, model):
    """Refuse data from which no model of repeat buying can be estimated, before trying."""
    if len(x) < _FEWEST_CUSTOMERS:
        raise FitError.of(model, say("value_few_customers", n=len(x), least=_FEWEST_CUSTOMERS))
    if not (age > 0).any():
        raise FitError.of(model, say("value_no_time"))
    n_repeaters = int((x > 0).sum())
    if n_repeaters < _FEWEST_REPEATERS:
        raise FitError.of(model, say("value_few_repeaters", n=n_repeaters, n_all=len(x)))


def as_weeks(weeks):
    """Return lengths of time as an array, refusing what is none.

    Examples
    --------
    >>> as_weeks(52)
    array(52.)
    """
    weeks = np.asarray(weeks, dtype="float64")
    if not (np.isfinite(weeks).all() and (weeks >= 0).all()):
        raise ValueError(f"weeks is {weeks!r}; expected finite numbers, 0 or more")
    return weeks
