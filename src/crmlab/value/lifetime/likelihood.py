"""Maximum likelihood for the models of this package: several starts, errors, failures in words.

Who asks: every `fit_…` of `crmlab.value.lifetime`. The parameters of these models are above 0 and
are sought on a logarithmic scale, but for the coefficients of covariates, which may have any sign;
each model brings its log-likelihood with the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import chi2, norm

from crmlab.atlas.sentences import say

__all__ = ["FAR", "Estimates", "FitError", "likelihood_ratio", "maximize_likelihood"]

# On the logarithmic scale: where no search goes, and where a parameter that the data do not hold
# counts as running away (about 1,000, and a thousandth).
_EDGE = 15.0
FAR = 7.0
_STEP = 1e-4
_LARGEST_GRADIENT = 1e-6
_CLOSE = 1e-8  # a last step this short: the estimates are right to as many digits
_MOST_STEPS = 25
_NOWHERE = 1e10
_SYMBOLS = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ"}  # as tables show them


class FitError(ValueError):
    """A model cannot be fitted to these data; the message says why and what to do."""

    @classmethod
    def of(cls, model, why):
        """Return the refusal of a model, by its name, for a reason."""
        return cls(say("value_of_model", model=model, why=why))


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
    signed : tuple of str
        The parameters that may have any sign; the others are above 0.
    information : numpy.ndarray, shape (n_parameters, n_parameters)
        Observed information for each customer, on the scale on which the search went.
    """

    values: dict[str, float]
    standard_errors: dict[str, float]
    log_likelihood: float
    n_customers: int
    signed: tuple[str, ...] = ()
    information: np.ndarray | None = field(default=None, repr=False)

    def table(self, *, level=0.95):
        """Return one row per parameter: estimate, standard error, interval.

        Parameters
        ----------
        level : float
            Of the interval, above 0 and below 1. It is symmetric on the logarithmic scale, so
            that it never reaches 0; for a parameter of any sign, on its own.

        Returns
        -------
        pandas.DataFrame
            `parameter`, `estimate`, `standard_error`, `lower`, `upper`.
        """
        value = np.array(list(self.values.values()))
        error = np.array([self.standard_errors[name] for name in self.values])
        reach = norm.ppf(0.5 + level / 2) * error
        is_signed = np.isin(list(self.values), self.signed)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.exp(reach / np.where(is_signed, 1.0, value))
        return pd.DataFrame(
            {
                "parameter": list(self.values),
                "estimate": value,
                "standard_error": error,
                "lower": np.where(is_signed, value - reach, value / factor),
                "upper": np.where(is_signed, value + reach, value * factor),
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
    hints: dict[tuple, str],
    signed: Collection[str] = (),
    near: Estimates | None = None,
) -> Estimates:
    """Return the estimates from the best of several starts.

    Parameters
    ----------
    log_likelihood : callable
        Takes the parameters (1-d array); returns the log-likelihood of all customers and its
        gradient.
    names : sequence of str
        Of the parameters.
    starts : sequence of sequence of float
        Where to begin.
    n_customers : int
    model : str
        Its name, for messages.
    hints : dict of (str, str), or of several such pairs, to str
        What it means that a parameter runs off to "0" or "infinity", or that several do
        together, and what to do.
    signed : collection of str
        Parameters that may have any sign; the others are above 0.
    near : Estimates, optional
        The estimates from a part of the customers. Newton's steps begin there, with its
        information, and the starts are turned to only where those steps do not arrive.

    Returns
    -------
    Estimates

    Raises
    ------
    FitError
        If a parameter runs away or no start leads to a maximum.
    """
    is_signed = np.isin(names, list(signed))

    def of_place(place):
        """Return the parameters at a place of the search, and their slopes by it."""
        with np.errstate(over="ignore"):
            above = np.exp(np.where(is_signed, 0.0, place))
        return np.where(is_signed, place, above), above

    def loss(place):
        point, slope = of_place(place)
        with np.errstate(all="ignore"):  # a step too far is noticed by its value
            value, gradient = log_likelihood(point)
            gradient = gradient * slope
        is_sound = np.isfinite(value) and np.isfinite(gradient).all()
        if not is_sound or np.abs(place).max() > _EDGE:
            return _NOWHERE, np.zeros(len(names))
        return -value / n_customers, -gradient / n_customers

    def place_of(point):
        point = np.asarray(point, dtype="float64")
        return np.where(is_signed, point, np.log(np.where(is_signed, 1.0, point)))

    place = gradient = None
    if near is not None:
        place, information = _polish(
            loss, place_of(list(dict(near.values).values())), near.information
        )
        gradient = loss(place)[1]
    if gradient is None or np.abs(gradient).max() > _LARGEST_GRADIENT:
        place, information = _polish(loss, _search(loss, map(place_of, starts), model))
    errors = _standard_errors(information * n_customers)
    _refuse_runaway(place, errors, names, model, hints, signed)
    value, gradient = loss(place)
    if np.abs(gradient).max() > _LARGEST_GRADIENT:
        slopes = [
            say("value_slope", name=name, slope=slope)
            for name, slope in zip(names, gradient, strict=True)
        ]
        raise FitError.of(model, say("value_no_maximum", n=len(starts), slopes=slopes))
    estimate, scale = of_place(place)
    return Estimates(
        values=dict(zip(names, estimate.tolist(), strict=True)),
        standard_errors=dict(zip(names, (errors * scale).tolist(), strict=True)),
        log_likelihood=float(-value * n_customers),
        n_customers=n_customers,
        signed=tuple(signed),
        information=information,
    )


def likelihood_ratio(larger, smaller):
    """Return whether a model with more parameters fits better than chance alone would let it.

    Parameters
    ----------
    larger, smaller : Estimates
        Of two models fitted to the same customers, the second a special case of the first.

    Returns
    -------
    dict of str to float
        `statistic` (twice the difference of the log-likelihoods), `degrees_of_freedom` and
        `p_value`: how often chance would make the statistic as large where the smaller model
        holds, by the chi-square distribution, which is right for many customers.

    Raises
    ------
    ValueError
        If the customers differ in number, or the first model has no more parameters.

    Examples
    --------
    >>> small = Estimates({"r": 1.0}, {"r": 0.1}, -104.0, 50)
    >>> large = Estimates({"r": 1.0, "s": 2.0}, {"r": 0.1, "s": 0.3}, -100.0, 50)
    >>> {name: round(value, 4) for name, value in likelihood_ratio(large, small).items()}
    {'statistic': 8.0, 'degrees_of_freedom': 1, 'p_value': 0.0047}
    """
    further = len(larger.values) - len(smaller.values)
    if larger.n_customers != smaller.n_customers or further < 1:
        raise ValueError(
            f"{larger.n_customers} customers and {len(larger.values)} parameters against "
            f"{smaller.n_customers} and {len(smaller.values)}; expected the same customers, and "
            "more parameters in the first model"
        )
    statistic = 2 * (larger.log_likelihood - smaller.log_likelihood)
    return {
        "statistic": statistic,
        "degrees_of_freedom": further,
        "p_value": float(chi2.sf(max(statistic, 0.0), further)),
    }


def _search(loss, places, model):
    """Return the best end of a search from each place; it need only come near the maximum."""
    options = {"gtol": 1e-4}
    ends = [minimize(loss, place, jac=True, method="BFGS", options=options) for place in places]
    ends = [end for end in ends if end.fun < _NOWHERE]
    if not ends:
        raise FitError.of(model, say("value_no_start"))
    return min(ends, key=lambda end: end.fun).x


def _refuse_runaway(point, errors, names, model, hints, signed):
    """Refuse a fit that would be better still with a parameter at 0 or infinity."""
    runs = []
    for name, place, error in zip(names, point, errors, strict=True):
        if not (abs(place) < FAR or error < 1):
            below = "value_minus_infinity" if name in signed else "value_zero"
            runs.append((name, say("value_infinity" if place > 0 else below)))
    if runs:
        name, where = runs[0]
        # Two parameters may mean together what neither means alone.
        hint = hints.get(tuple((n, str(w)) for n, w in runs)) or hints.get((name, str(where)))
        why = say(hint or "value_undetermined")
        name = _SYMBOLS.get(name, name)
        raise FitError.of(model, say("value_runs_off", name=name, where=where, why=why))


def _polish(loss, place, hessian=None):
    """Take Newton's steps from near the minimum; return the end and the Hessian there.

    A Hessian is dear, and one from nearby leads nearly as straight, so that it is kept for as
    long as each step takes away nine tenths of the slope.
    """
    value, gradient = loss(place)
    for _ in range(_MOST_STEPS):
        is_fresh = hessian is None
        hessian = _hessian(loss, place) if is_fresh else hessian
        try:
            step = np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            break
        after, slope = loss(place - step)
        # At the bottom the value no longer tells a step up from rounding.
        is_descent = after <= value + 1e-12 * abs(value) and np.abs(step).max() < 1
        if not is_descent:
            if is_fresh:
                break
            hessian = None
            continue
        is_slow = np.abs(slope).max() > 0.1 * np.abs(gradient).max()
        place, value, gradient = place - step, after, slope
        if np.abs(step).max() < _CLOSE:
            break
        if is_slow:
            hessian = None
    return place, _hessian(loss, place)


def _hessian(loss, place):
    """Return the Hessian from differences of the gradient either side."""
    units = np.eye(len(place)) * _STEP
    slopes = np.array([loss(place + unit)[1] - loss(place - unit)[1] for unit in units])
    return (slopes + slopes.T) / (4 * _STEP)


def _standard_errors(information):
    """Return the standard errors on the logarithmic scale; NaN where they are not defined."""
    roots = np.linalg.eigvalsh(information)
    if not np.isfinite(roots).all() or roots[0] <= 1e-12 * roots[-1]:
        return np.full(len(information), np.nan)
    return np.sqrt(np.diag(np.linalg.inv(information)))
