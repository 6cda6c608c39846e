"""Maximum likelihood for the models of this package: several starts, errors, failures in words.

Who asks: every `fit_…` of `crmlab.value.lifetime`. The parameters of these models are all above 0
and are sought on a logarithmic scale; each model brings its log-likelihood with the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import norm

__all__ = ["Estimates", "FitError", "maximize_likelihood"]

# On the logarithmic scale: where no search goes, and where a parameter that the data do not hold
# counts as running away (about 1,000, and a thousandth).
_EDGE = 15.0
_FAR = 7.0
_STEP = 1e-4
_LARGEST_GRADIENT = 1e-6
_NOWHERE = 1e10


class FitError(ValueError):
    """A model cannot be fitted to these data; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """What maximum likelihood found.

    Attributes
    ----------
    values : dict of str to float
        Estimate of each parameter.
    standard_errors : dict of str to float
        From the observed information, by the delta method; NaN where the likelihood is so flat
        that the information cannot be inverted.
    log_likelihood : float
        Its natural logarithm at the maximum.
    n_customers : int
    """

    values: dict[str, float]
    standard_errors: dict[str, float]
    log_likelihood: float
    n_customers: int

    def table(self, *, level=0.95):
        """Return one row per parameter: estimate, standard error, interval.

        Parameters
        ----------
        level : float
            Of the interval, above 0 and below 1. It is symmetric on the logarithmic scale, so
            that it never reaches 0.

        Returns
        -------
        pandas.DataFrame
            `parameter`, `estimate`, `standard_error`, `lower`, `upper`.
        """
        value = np.array(list(self.values.values()))
        error = np.array([self.standard_errors[name] for name in self.values])
        reach = np.exp(norm.ppf(0.5 + level / 2) * error / value)
        return pd.DataFrame(
            {
                "parameter": list(self.values),
                "estimate": value,
                "standard_error": error,
                "lower": value / reach,
                "upper": value * reach,
            }
        )

    @property
    def aic(self):
        """Akaike's information criterion, twice the parameters less twice the log-likelihood."""
        return 2 * len(self.values) - 2 * self.log_likelihood

    @property
    def bic(self):
        """Schwarz's information criterion."""
        return len(self.values) * np.log(self.n_customers) - 2 * self.log_likelihood


def maximize_likelihood(
    log_likelihood: Callable,
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    *,
    n_customers: int,
    model: str,
    hints: dict[tuple[str, str], str],
) -> Estimates:
    """Return the estimates from the best of several starts.

    Parameters
    ----------
    log_likelihood : callable
        Takes the parameters (1-d array, above 0); returns the log-likelihood of all customers
        and its gradient.
    names : sequence of str
        Of the parameters.
    starts : sequence of sequence of float
        Where to begin.
    n_customers : int
    model : str
        Its name, for messages.
    hints : dict of (str, str) to str
        What it means that a parameter runs off to "0" or "infinity", and what to do.

    Returns
    -------
    Estimates

    Raises
    ------
    FitError
        If a parameter runs away or no start leads to a maximum.
    """

    def loss(logarithm):
        with np.errstate(all="ignore"):  # a step too far is noticed by its value
            value, gradient = log_likelihood(np.exp(logarithm))
        gradient = gradient * np.exp(logarithm)
        is_sound = np.isfinite(value) and np.isfinite(gradient).all()
        if not is_sound or np.abs(logarithm).max() > _EDGE:
            return _NOWHERE, np.zeros(len(names))
        return -value / n_customers, -gradient / n_customers

    # Each search need only come near; Newton's steps do the rest, from the best end.
    options = {"gtol": 1e-4}
    ends = [
        minimize(loss, np.log(start), jac=True, method="BFGS", options=options) for start in starts
    ]
    ends = [end for end in ends if end.fun < _NOWHERE]
    if not ends:
        raise FitError(
            f"{model}: the likelihood cannot be computed at any start; look at the data for "
            "values out of any proportion."
        )
    best = min(ends, key=lambda end: end.fun)
    point, information = _polish(loss, best.x)
    errors = _standard_errors(information * n_customers)
    _refuse_runaway(point, errors, names, model, hints)
    value, gradient = loss(point)
    if np.abs(gradient).max() > _LARGEST_GRADIENT:
        slope = ", ".join(f"{n} {g:.1e}" for n, g in zip(names, gradient, strict=True))
        raise FitError(
            f"{model}: no maximum of the likelihood was found from {len(starts)} starts (slopes "
            f"per customer: {slope}). The data hold too little to tell the parameters apart: "
            "take more customers or a longer window."
        )
    estimate = np.exp(point)
    return Estimates(
        values=dict(zip(names, estimate.tolist(), strict=True)),
        standard_errors=dict(zip(names, (errors * estimate).tolist(), strict=True)),
        log_likelihood=-value * n_customers,
        n_customers=n_customers,
    )


def _refuse_runaway(point, errors, names, model, hints):
    """Refuse a fit that would be better still with a parameter at 0 or infinity."""
    for name, place, error in zip(names, point, errors, strict=True):
        if abs(place) < _FAR or error < 1:
            continue
        where = "infinity" if place > 0 else "0"
        why = hints.get((name, where), "The data do not determine it.")
        raise FitError(
            f"{model}: the estimate of {name} runs off to {where}, so that the model has no best "
            f"fit to these data. {why}"
        )


def _polish(loss, point):
    """Take Newton steps with the Hessian, and return the end and the Hessian there."""
    value, gradient = loss(point)
    for _ in range(10):
        # One-sided differences will do for the direction of a step.
        slopes = [loss(point + unit)[1] - gradient for unit in np.eye(len(point)) * _STEP]
        try:
            step = np.linalg.solve(_symmetric(slopes) / _STEP, gradient)
        except np.linalg.LinAlgError:
            break
        further = point - step
        after, slope = loss(further)
        if not np.abs(step).max() < 1 or after > value:
            break
        point, value, gradient = further, after, slope
        if np.abs(step).max() < 1e-6:
            break
    slopes = [loss(point + unit)[1] - loss(point - unit)[1] for unit in np.eye(len(point)) * _STEP]
    return point, _symmetric(slopes) / (2 * _STEP)


def _symmetric(slopes):
    matrix = np.array(slopes)
    return (matrix + matrix.T) / 2


def _standard_errors(information):
    """Return the standard errors on the logarithmic scale; NaN where they are not defined."""
    roots = np.linalg.eigvalsh(information)
    if not np.isfinite(roots).all() or roots[0] <= 1e-12 * roots[-1]:
        return np.full(len(information), np.nan)
    return np.sqrt(np.diag(np.linalg.inv(information)))
