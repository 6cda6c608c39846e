"""BG/BB: the same question where customers buy at fixed occasions, such as a yearly appeal.

Who asks: whoever writes to donors, members or subscribers at regular occasions, each of which a
customer takes or lets pass. While alive he takes each with probability p, and before each he
leaves for good with probability θ; these differ between customers as beta distributions with
α, β and γ, δ.

Source: P. S. Fader, B. G. S. Hardie & J. Shang (2010), Customer-base analysis in a discrete-time
noncontractual setting, Marketing Science 29(6), 1086-1108, doi:10.1287/mksc.1100.0580.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import betaln, digamma, gammaln, logsumexp

from crmlab.atlas.sentences import say
from crmlab.value.lifetime.likelihood import Estimates, FitError, maximize_likelihood
from crmlab.value.lifetime.repeat_orders import count_alike

__all__ = ["BgBb", "fit_bg_bb"]

_COLUMNS = ("n_repeat_orders", "last_occasion", "n_occasions")
_FEWEST_CUSTOMERS = 20
_STARTS = ((1.0, 1.0, 0.5, 3.0), (0.5, 2.0, 1.0, 10.0), (3.0, 2.0, 0.3, 1.0))
_NOBODY_LEAVES = "value_nobody_leaves_occasions"
_BUY_ALIKE, _LEAVE_ALIKE = "value_one_buying", "value_one_leaving"
_HINTS = {
    ("gamma", "0"): _NOBODY_LEAVES,
    ("delta", "infinity"): _NOBODY_LEAVES,
    ("alpha", "infinity"): _BUY_ALIKE,
    ("beta", "infinity"): _BUY_ALIKE,
    ("gamma", "infinity"): _LEAVE_ALIKE,
}


@dataclass(frozen=True)
class BgBb:
    """The BG/BB model with its parameters.

    Attributes
    ----------
    alpha, beta : float
        Of the beta distribution of the probability of buying at an occasion, above 0.
    gamma, delta : float
        Of the beta distribution of the probability of leaving before an occasion, above 0.
    estimates : Estimates or None
        Standard errors and likelihood, where the model was fitted.

    Examples
    --------
    The parameters published for donors (Fader, Hardie & Shang 2010):

    >>> model = BgBb(alpha=1.204, beta=0.750, gamma=0.657, delta=2.783)
    >>> round(float(model.expected_orders(10)), 2)
    3.18
    """

    alpha: float
    beta: float
    gamma: float
    delta: float
    estimates: Estimates | None = field(default=None, repr=False)

    name: ClassVar[str] = "BG/BB"

    def __post_init__(self):
        for name in ("alpha", "beta", "gamma", "delta"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{self.name}: {name} is {value!r}; expected a number above 0")

    def expected_orders(self, occasions):
        """Return the repeat purchases expected of a new customer over n occasions, E[X(n)].

        Parameters
        ----------
        occasions : array_like of int
            0 or more.

        Returns
        -------
        numpy.ndarray of float, shape of `occasions`
        """
        n = np.asarray(occasions, dtype="float64")
        return (
            self.alpha / (self.alpha + self.beta) * _alive_occasions(0, n, self.gamma, self.delta)
        )

    def probability_alive(self, summary):
        """Return the probability that each customer is alive at the next occasion.

        Parameters
        ----------
        summary : pandas.DataFrame
            One row per customer, see `fit_bg_bb`.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
        """
        x, t_x, n = _read(summary)
        point = (self.alpha, self.beta, self.gamma, self.delta)
        staying = betaln(self.alpha + x, self.beta + n - x) - betaln(self.alpha, self.beta)
        staying += betaln(self.gamma, self.delta + n + 1) - betaln(self.gamma, self.delta)
        return np.exp(staying - _log_likelihood(point, x, t_x, n)[0])

    def expected_future_orders(self, summary, *, occasions):
        """Return the purchases expected of each customer over the next occasions.

        Parameters
        ----------
        summary : pandas.DataFrame
            One row per customer, see `fit_bg_bb`.
        occasions : int or array_like of int
            How many, 0 or more.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
        """
        x, t_x, n = _read(summary)
        point = (self.alpha, self.beta, self.gamma, self.delta)
        buying = betaln(self.alpha + x + 1, self.beta + n - x) - betaln(self.alpha, self.beta)
        ahead = _alive_occasions(n, np.asarray(occasions, dtype="float64"), self.gamma, self.delta)
        return np.exp(buying - _log_likelihood(point, x, t_x, n)[0]) * ahead

    def log_likelihood(self, summary):
        """Return the log-likelihood of each customer.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
        """
        point = (self.alpha, self.beta, self.gamma, self.delta)
        return _log_likelihood(point, *_read(summary))[0]


def fit_bg_bb(summary, *, n_customers=None):
    """Return the BG/BB model fitted by maximum likelihood.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer: `n_repeat_orders` (x, occasions taken), `last_occasion` (t_x,
        number of the last one taken, 0 for none) and `n_occasions` (n).
    n_customers : array_like of int, optional
        Customers behind each row, where the table counts those who are alike.

    Returns
    -------
    BgBb
        With `estimates`.

    Raises
    ------
    ValueError
        If the summary cannot be read, or (as `FitError`) the model cannot be fitted to it.

    References
    ----------
    Fader, Hardie & Shang (2010), doi:10.1287/mksc.1100.0580

    Examples
    --------
    >>> import pandas as pd
    >>> donors = pd.DataFrame({
    ...     "n_repeat_orders": [2, 1, 1, 0], "last_occasion": [2, 2, 1, 0], "n_occasions": 2,
    ... })
    >>> model = fit_bg_bb(donors, n_customers=[300, 150, 200, 350])
    Traceback (most recent call last):
        ...
    crmlab.value.lifetime.likelihood.FitError: BG/BB: n_occasions is at most 2; with fewer than...
    """
    x, t_x, n = _read(summary)
    count = np.ones(len(x)) if n_customers is None else np.asarray(n_customers, dtype="float64")
    if len(count) != len(x) or not (count >= 0).all():
        raise ValueError(f"n_customers: expected {len(x)} numbers, 0 or more, one for each row")
    if not count.sum() >= _FEWEST_CUSTOMERS:
        few = say("value_few_customers", n=int(count.sum()), least=_FEWEST_CUSTOMERS)
        raise FitError.of(BgBb.name, few)
    if n.max() < 3:
        raise FitError.of(BgBb.name, say("value_few_occasions", n=float(n.max())))
    if not (count[x > 0].sum() and count[t_x < n].sum()):
        raise FitError.of(BgBb.name, say("value_no_occasions"))

    # At few occasions there are few histories: each is computed once.
    levels, n_alike = count_alike(x, t_x, n, weights=count)
    alike = [column.rows for column in levels]

    def log_likelihood(point):
        value, gradient = _log_likelihood(point, *alike)
        return n_alike @ value, gradient @ n_alike

    estimates = maximize_likelihood(
        log_likelihood,
        ("alpha", "beta", "gamma", "delta"),
        _STARTS,
        n_customers=int(count.sum()),
        model=BgBb.name,
        hints=_HINTS,
    )
    return BgBb(**estimates.values, estimates=estimates)


def _read(summary):
    absent = [column for column in _COLUMNS if column not in summary.columns]
    if absent:
        raise ValueError(
            f"summary: column {absent[0]!r} is missing; expected {', '.join(_COLUMNS)}"
        )
    x, t_x, n = (summary[name].to_numpy(dtype="float64", na_value=np.nan) for name in _COLUMNS)
    with np.errstate(invalid="ignore"):
        is_whole = (x == np.floor(x)) & (t_x == np.floor(t_x)) & (n == np.floor(n))
        is_right = is_whole & (x >= 0) & (x <= t_x) & (t_x <= n) & ((x > 0) == (t_x > 0)) & (n >= 1)
    if not is_right.all():
        row = int((~is_right).argmax())
        raise ValueError(
            f"summary, row {row + 1}: n_repeat_orders={x[row]:g}, last_occasion={t_x[row]:g}, "
            f"n_occasions={n[row]:g}; expected whole numbers with 0 <= n_repeat_orders <= "
            "last_occasion <= n_occasions, the first two 0 together"
        )
    return x, t_x, n


def _log_likelihood(point, x, t_x, n):
    """Return the log-likelihood of each row, and its gradient, shape (4, n_rows).

    A customer left before occasion i + 1 (i from t_x to n - 1), or not up to n: one column for
    each of these ways, columns that are none for a row at minus infinity.
    """
    alpha, beta, gamma, delta = point
    alive = t_x[:, None] + np.arange(int((n - t_x).max()) + 1)  # occasions lived through
    is_way = alive <= n[:, None]
    alive = np.minimum(alive, n[:, None])
    has_left = (alive < n[:, None]).astype("float64")
    passed = alive - x[:, None]
    bought = x[:, None]
    log_way = betaln(alpha + bought, beta + passed) - betaln(alpha, beta)
    log_way += betaln(gamma + has_left, delta + alive) - betaln(gamma, delta)
    log_way = np.where(is_way, log_way, -np.inf)
    value = logsumexp(log_way, axis=1)
    weight = np.exp(log_way - value[:, None])
    taken = digamma(alpha + beta) - digamma(alpha + beta + alive)
    stayed = digamma(gamma + delta) - digamma(gamma + delta + alive + has_left)
    gradient = [
        digamma(alpha + bought) - digamma(alpha) + taken,
        digamma(beta + passed) - digamma(beta) + taken,
        digamma(gamma + has_left) - digamma(gamma) + stayed,
        digamma(delta + alive) - digamma(delta) + stayed,
    ]
    return value, np.stack([(weight * part).sum(axis=1) for part in gradient])


def _alive_occasions(seen, ahead, gamma, delta):
    """Return E[(1-θ)^(seen + 1) + … + (1-θ)^(seen + ahead)] over the distribution of θ.

    It is the number of occasions ahead that find a customer alive who was so from the beginning.
    The closed form divides by γ - 1; at γ = 1 the mean of two values close by is taken.
    """

    def tail(n, gamma):
        there = gammaln(1 + delta + n) - gammaln(gamma + delta + n)
        return np.exp(gammaln(gamma + delta) - gammaln(delta) + there)

    near = [1 - 1e-5, 1 + 1e-5] if abs(gamma - 1) < 1e-5 else [gamma]
    return sum((tail(seen, g) - tail(seen + ahead, g)) / (g - 1) for g in near) / len(near)
