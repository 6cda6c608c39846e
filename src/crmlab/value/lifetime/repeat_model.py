"""What the models of repeat buying have in common: checks, likelihood, fitting, refitting.

Who asks: `BgNbd`, `MbgNbd`, `ParetoNbd` and `Nbd`, which add their own formulas; they are all
fitted by the one function here.
"""

from __future__ import annotations

import contextlib
from typing import ClassVar

import numpy as np

from crmlab.value.lifetime.likelihood import FitError, maximize_likelihood
from crmlab.value.lifetime.repeat_orders import (
    as_weeks,
    count_alike,
    each_row,
    read_repeat_orders,
    refuse_hopeless,
)

__all__ = ["ALL_ALIKE", "LEAVE_ALIKE", "NOBODY_LEAVES", "RepeatModel", "fit_repeat_model"]

#: Messages: what it means that the parameters of leaving, or of differences, run away.
NOBODY_LEAVES = "value_nobody_leaves"
ALL_ALIKE = "value_all_alike"
LEAVE_ALIKE = "value_leave_alike"

# Of more customers, a part spread over all of them leads close to the maximum in less time.
_ENOUGH_TO_BEGIN = 5_000
# Customers whose intermediate results stay in the processor's cache.
_AT_A_TIME = 32_768


class RepeatModel:
    """A model of repeat buying; its parameters are attributes, all above 0."""

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    starts: ClassVar[tuple[tuple[float, ...], ...]]
    hints: ClassVar[dict[tuple[str, str], str]]

    def __post_init__(self):
        for name in self.parameters:
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{self.name}: {name} is {value!r}; expected a number above 0")

    @property
    def point(self):
        """The parameters as an array, in the order of `parameters`."""
        return np.array([getattr(self, name) for name in self.parameters])

    def probability_alive(self, summary):
        """Return the probability that each customer has not left, P(alive | x, t_x, T).

        Parameters
        ----------
        summary : pandas.DataFrame
            See `crmlab.value.lifetime.repeat_orders`.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            From 0 to 1. In the BG/NBD it is 1 for whoever bought once.
        """
        return self._alive(*read_repeat_orders(summary))

    def expected_future_orders(self, summary, *, weeks):
        """Return the purchases expected of each customer after the end of observation.

        Parameters
        ----------
        summary : pandas.DataFrame
            See `crmlab.value.lifetime.repeat_orders`.
        weeks : float or array_like of float
            Length t of the time ahead, 0 or more; a scalar or one per customer.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            E[Y(t) | x, t_x, T].
        """
        seen = read_repeat_orders(summary)
        return self._alive(*seen) * self._ahead(seen[0], seen[2], as_weeks(weeks))

    def log_likelihood(self, summary):
        """Return the log-likelihood of each customer.

        Parameters
        ----------
        summary : pandas.DataFrame
            See `crmlab.value.lifetime.repeat_orders`.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
        """
        return self._contributions(self.point, *each_row(*read_repeat_orders(summary)))[0]


def fit_repeat_model(kind, summary, *, weights=None, start=None):
    """Return a model fitted by maximum likelihood.

    Parameters
    ----------
    kind : type
        `BgNbd`, `MbgNbd`, `ParetoNbd` or `Nbd`; each names its source.
    summary : pandas.DataFrame
        One row per customer, see `crmlab.value.lifetime.repeat_orders`.
    weights : array_like of float, shape (n_customers,), optional
        How often each customer counts, as in a bootstrap; once unless given.
    start : RepeatModel, optional
        A model fitted to like customers, where to begin.

    Returns
    -------
    RepeatModel
        Of that kind, with `estimates`.

    Raises
    ------
    ValueError
        If the summary cannot be read, or (as `FitError`) the model cannot be fitted to it.

    Examples
    --------
    >>> from crmlab.value.lifetime import BgNbd, MbgNbd, simulate_bg_nbd
    >>> summary = simulate_bg_nbd(BgNbd(0.8, 6, 1.2, 6), np.full(4000, 52.0), seed=1)
    >>> model = fit_repeat_model(BgNbd, summary)
    >>> abs(model.r - 0.8) < 3 * model.estimates.standard_errors["r"]
    True
    >>> other = fit_repeat_model(MbgNbd, summary)  # not the model that made the customers
    >>> other.estimates.log_likelihood < model.estimates.log_likelihood
    True
    """
    x, t_x, age = read_repeat_orders(summary)
    refuse_hopeless(x, age, model=kind.name)
    alike, n = count_alike(x, t_x, age, weights=weights)

    def fit(rows, **begin):
        part, weight = [levels.take(rows) for levels in alike], n[rows]
        cuts = range(0, len(weight), _AT_A_TIME)
        blocks = [slice(cut, cut + _AT_A_TIME) for cut in cuts]
        blocks = [([levels.take(rows) for levels in part], weight[rows]) for rows in blocks]

        def log_likelihood(point):
            total, slope = 0.0, np.zeros(len(kind.parameters))
            for seen, many in blocks:
                value, gradient = kind._contributions(point, *seen)
                # Not by matrix product: its sums depend on the number of cores.
                total += np.einsum("i,i", value, many)
                slope += np.einsum("ij,j", gradient, many)
            return total, slope

        return maximize_likelihood(
            log_likelihood,
            kind.parameters,
            kind.starts,
            n_customers=round(weight.sum()),
            model=kind.name,
            hints=kind.hints,
            **begin,
        )

    near = None if start is None else start.estimates
    if near is None and len(n) > _ENOUGH_TO_BEGIN:
        with contextlib.suppress(FitError):  # a part may be too few where all of them are not
            near = fit(slice(None, None, len(n) // _ENOUGH_TO_BEGIN))
    estimates = fit(slice(None), near=near)
    return kind(**estimates.values, estimates=estimates)
