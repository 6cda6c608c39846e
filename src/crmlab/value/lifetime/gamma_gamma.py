r"""Gamma-Gamma: what a customer's orders are worth on average, when only a few have been seen.

Who asks: whoever multiplies expected orders by an order value. The mean of a few orders says
little about the customer; the model shrinks it towards the mean of all, the more so the fewer
the orders. Values of one customer's orders vary as a gamma distribution with shape p and his own
rate; the rates differ between customers as a gamma distribution with shape q and rate γ (v in
some papers).

The model takes for granted that how much customers spend does not go with how often they buy;
`frequency_correlation` says how far that is so.

Sources: P. S. Fader & B. G. S. Hardie (2013), The gamma-gamma model of monetary value,
http://brucehardie.com/notes/025/; P. S. Fader, B. G. S. Hardie & K. L. Lee (2005), RFM and CLV:
using iso-value curves for customer base analysis, Journal of Marketing Research 42(4), 415-430,
doi:10.1509/jmkr.2005.42.4.415.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import digamma, gammaln
from scipy.stats import spearmanr

from crmlab.atlas.sentences import say
from crmlab.value.lifetime.likelihood import Estimates, FitError, maximize_likelihood

__all__ = ["GammaGamma", "fit_gamma_gamma", "frequency_correlation"]

_FEWEST_REPEATERS = 10
_ALIKE, _STEADY = "value_orders_differ", "value_orders_steady"


@dataclass(frozen=True)
class GammaGamma:
    """The Gamma-Gamma model with its parameters.

    Attributes
    ----------
    p : float
        Shape of the values of one customer's orders, above 0.
    q : float
        Shape of the distribution of customers, above 1 where a mean exists.
    gamma : float
        Its rate γ, money, above 0.
    estimates : Estimates or None
        Standard errors and likelihood, where the model was fitted.

    Examples
    --------
    The parameters published for CDNOW, and a customer with 2 repeat orders of $22.35 on average:

    >>> import pandas as pd
    >>> model = GammaGamma(p=6.25, q=3.74, gamma=15.44)
    >>> one = pd.DataFrame({"n_repeat_orders": [2], "mean_repeat_value": [22.35]})
    >>> model.expected_order_value(one).round(2).tolist()
    [24.66]
    """

    p: float
    q: float
    gamma: float
    estimates: Estimates | None = field(default=None, repr=False)

    name: ClassVar[str] = "Gamma-Gamma"

    def __post_init__(self):
        for name in ("p", "q", "gamma"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{self.name}: {name} is {value!r}; expected a number above 0")

    @property
    def mean_order_value(self):
        """Mean order value over all customers, p γ / (q - 1); NaN where q is 1 or less."""
        return self.p * self.gamma / (self.q - 1) if self.q > 1 else np.nan

    def expected_order_value(self, summary):
        """Return what each customer's orders are expected to be worth on average.

        Parameters
        ----------
        summary : pandas.DataFrame
            `n_repeat_orders` (x) and `mean_repeat_value` (money, of the repeat orders, above 0;
            not read where x is 0), as `crmlab.value.rfm.summarize_orders` returns them.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
            Money; `mean_order_value` for a customer without a repeat order.
        """
        x, value = _read(summary)
        weight = self.p * x / (self.p * x + self.q - 1)
        mean = self.mean_order_value if (weight < 1).any() else 0.0
        return np.where(x > 0, weight * value + (1 - weight) * mean, mean)


def fit_gamma_gamma(summary, *, weights=None):
    """Return the Gamma-Gamma model fitted by maximum likelihood to those who bought again.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer with `n_repeat_orders` and `mean_repeat_value`; customers without a
        repeat order, or whose repeat orders came to nothing, are passed over.
    weights : array_like of float, shape (n_customers,), optional
        How often each customer counts, as in a bootstrap; once unless given.

    Returns
    -------
    GammaGamma
        With `estimates`.

    Raises
    ------
    ValueError
        If the summary cannot be read, or (as `FitError`) the model cannot be fitted to it.

    References
    ----------
    Fader & Hardie (2013), http://brucehardie.com/notes/025/

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> x = rng.integers(1, 9, 3000)
    >>> rate = rng.gamma(4.0, 1 / 20.0, 3000)
    >>> value = rng.gamma(5.0 * x) / rate / x
    >>> model = fit_gamma_gamma(pd.DataFrame({"n_repeat_orders": x, "mean_repeat_value": value}))
    >>> bool(abs(model.mean_order_value - 100 / 3) < 2)
    True
    """
    x, value = _read(summary)
    kept = (x > 0) & (value > 0)
    n = np.ones(kept.sum()) if weights is None else np.asarray(weights, dtype="float64")[kept]
    x, value = x[kept], value[kept]
    _refuse_hopeless(x, value)
    scale = value.mean()  # money of any currency comes near 1

    def log_likelihood(point):
        return _log_likelihood(point, x, value / scale, n)

    estimates = maximize_likelihood(
        log_likelihood,
        ("p", "q", "gamma"),
        ((6.0, 4.0, 0.5), (1.5, 2.0, 1.0), (20.0, 10.0, 0.5)),
        n_customers=len(x),
        model=GammaGamma.name,
        hints={
            ("q", "infinity"): _ALIKE,
            ("gamma", "infinity"): _ALIKE,
            ("p", "infinity"): _STEADY,
            ("gamma", "0"): _STEADY,
        },
    )
    values, errors = dict(estimates.values), dict(estimates.standard_errors)
    values["gamma"] *= float(scale)
    errors["gamma"] *= float(scale)
    estimates = Estimates(
        values, errors, estimates.log_likelihood - n.sum() * np.log(scale), len(x)
    )
    return GammaGamma(**values, estimates=estimates)


def frequency_correlation(summary):
    """Return how the mean order value goes with the number of orders, over those who returned.

    Parameters
    ----------
    summary : pandas.DataFrame
        As for `fit_gamma_gamma`.

    Returns
    -------
    dict of str to float
        `correlation` (Spearman's, -1 to 1, NaN where either is constant), `p_value` and
        `n_customers`.

    Notes
    -----
    Near 0 the Gamma-Gamma model may be multiplied with expected orders. Clearly above 0, those
    who buy often are undervalued by it, and clearly below 0 overvalued.

    Examples
    --------
    >>> import pandas as pd
    >>> summary = pd.DataFrame(
    ...     {"n_repeat_orders": [0, 1, 2, 3], "mean_repeat_value": [None, 9.0, 8.0, 7.0]}
    ... )
    >>> frequency_correlation(summary)["correlation"]
    -1.0
    """
    x, value = _read(summary)
    kept = (x > 0) & (value > 0)
    x, value = x[kept], value[kept]
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(value) == 0:
        return {"correlation": np.nan, "p_value": np.nan, "n_customers": len(x)}
    found = spearmanr(x, value)
    return {
        "correlation": round(float(found.statistic), 12),
        "p_value": float(found.pvalue),
        "n_customers": len(x),
    }


def _read(summary):
    """Return x and the mean value of the repeat orders (0 where there is none), checked."""
    for column in ("n_repeat_orders", "mean_repeat_value"):
        if column not in summary.columns:
            raise ValueError(
                f"summary: column {column!r} is missing; expected n_repeat_orders and "
                "mean_repeat_value, as summarize_orders returns them"
            )
    x = summary["n_repeat_orders"].to_numpy(dtype="float64", na_value=np.nan)
    value = summary["mean_repeat_value"].to_numpy(dtype="float64", na_value=np.nan)
    is_wrong = ~(x >= 0) | ((x > 0) & ~(np.isfinite(value) & (value >= 0)))
    if is_wrong.any():
        row = int(is_wrong.argmax())
        raise ValueError(
            f"summary, row {row + 1} (and {is_wrong.sum() - 1} more): n_repeat_orders={x[row]:g} "
            f"and mean_repeat_value={value[row]:g}; expected whole numbers from 0, and a value of "
            "0 or more wherever there are repeat orders"
        )
    return x, np.where(x > 0, value, 0.0)


def _refuse_hopeless(x, value):
    model = GammaGamma.name
    if len(x) < _FEWEST_REPEATERS:
        raise FitError.of(model, say("value_few_spenders", n=len(x), least=_FEWEST_REPEATERS))
    if np.ptp(value) <= 1e-9 * value.max():
        raise FitError.of(model, say("value_one_worth", value=float(value[0])))
    if (x == 1).all():
        raise FitError.of(model, say("value_one_repeat"))


def _log_likelihood(point, x, value, n):
    """Return the log-likelihood of all customers and its gradient."""
    p, q, gamma = point
    total = gamma + x * value
    log_share = np.log(x * value / total)
    log_rest = np.log(gamma / total)
    log_density = (
        gammaln(p * x + q)
        - gammaln(p * x)
        - gammaln(q)
        + q * log_rest
        + p * x * log_share
        - np.log(value)
    )
    both = digamma(p * x + q)
    gradient = [
        (n * x * (both - digamma(p * x) + log_share)).sum(),
        (n * (both - digamma(q) + log_rest)).sum(),
        (n * (q / gamma - (p * x + q) / total)).sum(),
    ]
    return (n * log_density).sum(), np.array(gradient)
