"""What the models of repeat buying have in common: checks, likelihood, fitting, refitting.

Who asks: `BgNbd`, `MbgNbd` and `ParetoNbd`, which add their own formulas.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from crmlab.value.lifetime.likelihood import maximize_likelihood
from crmlab.value.lifetime.repeat_orders import (
    as_weeks,
    count_alike,
    find_levels,
    read_repeat_orders,
    refuse_hopeless,
)

__all__ = ["RepeatModel", "fit_repeat_model"]

# Of more customers, a part spread over all of them leads close to the maximum in less time.
_ENOUGH_TO_BEGIN = 20_000


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
        return self._contributions(self.point, *find_levels(*read_repeat_orders(summary)))[0]


def fit_repeat_model(kind, summary, *, weights=None, start=None):
    """Return a model fitted by maximum likelihood.

    Parameters
    ----------
    kind : type
        `BgNbd`, `MbgNbd` or `ParetoNbd`.
    summary : pandas.DataFrame
        One row per customer, see `crmlab.value.lifetime.repeat_orders`.
    weights : array_like of float, shape (n_customers,), optional
        How often each customer counts, as in a bootstrap; once unless given.
    start : RepeatModel, optional
        Where to begin; several places unless given.

    Returns
    -------
    RepeatModel
        Of that kind, with `estimates`.

    Raises
    ------
    ValueError
        If the summary cannot be read, or (as `FitError`) the model cannot be fitted to it.
    """
    x, t_x, age = read_repeat_orders(summary)
    refuse_hopeless(x, age, model=kind.name)
    *alike, n = count_alike(x, t_x, age, weights)
    alike = find_levels(*alike)

    def fit(rows, starts):
        part, weight = [levels.take(rows) for levels in alike], n[rows]

        def log_likelihood(point):
            value, gradient = kind._contributions(point, *part)
            # Not by matrix product: its sums depend on the number of cores.
            return np.einsum("i,i", value, weight), np.einsum("ij,j", gradient, weight)

        return maximize_likelihood(
            log_likelihood,
            kind.parameters,
            starts,
            n_customers=round(weight.sum()),
            model=kind.name,
            hints=kind.hints,
        )

    starts = kind.starts if start is None else [start.point]
    if len(n) > _ENOUGH_TO_BEGIN and start is None:
        some = fit(slice(None, None, len(n) // _ENOUGH_TO_BEGIN), starts)
        starts = [list(some.values.values())]
    estimates = fit(slice(None), starts)
    return kind(**estimates.values, estimates=estimates)
