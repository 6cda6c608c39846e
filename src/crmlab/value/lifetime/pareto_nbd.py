r"""Pareto/NBD: as the BG/NBD, but a customer may leave at any moment, not only after a purchase.

Who asks: whoever wants the classic model beside the BG/NBD. Purchase rates λ differ as a gamma
distribution (r, α), drop-out rates μ as a gamma distribution (s, β); a lifetime is exponential.

The likelihood is computed as the chance of living to T plus the integral over the moment of
leaving between t_x and T. After a substitution thirty-two points give that integral to ten digits
or more, and its gradient with it; the usual difference of two hypergeometric functions loses
digits and has no gradient that one could write down.

Sources: D. C. Schmittlein, D. G. Morrison & R. Colombo (1987), Counting your customers: who are
they and what will they do next?, Management Science 33(1), 1-24, doi:10.1287/mnsc.33.1.1;
P. S. Fader & B. G. S. Hardie (2005), A note on deriving the Pareto/NBD model and related
expressions, http://brucehardie.com/notes/009/.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import digamma, gammaln

from crmlab.value.lifetime.likelihood import Estimates
from crmlab.value.lifetime.repeat_model import ALL_ALIKE, LEAVE_ALIKE, NOBODY_LEAVES, RepeatModel
from crmlab.value.lifetime.repeat_orders import as_weeks

__all__ = ["ParetoNbd"]

_POINTS = 32
_NODES, _WEIGHTS = (
    np.array(np.polynomial.legendre.leggauss(_POINTS)) + np.array([[1.0], [0.0]])
) / 2
_HINTS = {
    ("s", "0"): NOBODY_LEAVES,
    ("beta", "infinity"): NOBODY_LEAVES,
    ("s", "infinity"): LEAVE_ALIKE,
    ("r", "infinity"): ALL_ALIKE,
    ("alpha", "infinity"): ALL_ALIKE,
    ("beta", "0"): "value_some_leave",
    (("s", "0"), ("beta", "0")): "value_leave_first_or_never",
}


@dataclass(frozen=True)
class ParetoNbd(RepeatModel):
    """The Pareto/NBD model with its parameters.

    Attributes
    ----------
    r, alpha : float
        Shape and rate (weeks) of the gamma distribution of purchase rates, above 0.
    s, beta : float
        Shape and rate (weeks) of the gamma distribution of drop-out rates, above 0; the mean
        drop-out rate is s / β a week.
    estimates : Estimates or None
        Standard errors and likelihood, where the model was fitted.

    Examples
    --------
    The parameters published for CDNOW:

    >>> model = ParetoNbd(r=0.553, alpha=10.578, s=0.606, beta=11.669)
    >>> round(float(model.expected_orders(52)), 3)
    1.473
    """

    r: float
    alpha: float
    s: float
    beta: float
    estimates: Estimates | None = field(default=None, repr=False)

    name: ClassVar[str] = "Pareto/NBD"
    parameters: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    starts: ClassVar = ((0.8, 10.0, 0.8, 10.0), (0.5, 5.0, 0.5, 30.0), (3.0, 30.0, 1.5, 50.0))
    hints: ClassVar = _HINTS

    def expected_orders(self, weeks):
        """Return the repeat purchases expected of a new customer, E[X(t)].

        Parameters
        ----------
        weeks : array_like of float
            Time since the first purchase, 0 or more.

        Returns
        -------
        numpy.ndarray of float, shape of `weeks`
        """
        lived = _expected_life(as_weeks(weeks), self.s, self.beta)
        return self.r / self.alpha * lived

    def _alive(self, x, t_x, age):
        stayed, left, *_ = _ways(self.point, x, t_x, age)
        return stayed / (stayed + left)

    def _ahead(self, x, age, weeks):
        lived = _expected_life(weeks, self.s, self.beta + age)
        return (self.r + x) / (self.alpha + age) * lived

    @classmethod
    def _contributions(cls, point, x, t_x, age):
        return _log_likelihood(point, x, t_x.rows, age.rows)


def _ways(point, x, t_x, age):
    r"""Return the two ways to be seen like this, and what the gradient needs of the second.

    Both are divided by :math:`(\alpha+t_x)^{-(r+x)} (\beta+t_x)^{-s}`, which keeps them within
    range: having stayed to T, and having left at a moment u between t_x and T,

    .. math:: s \int_{t_x}^T (\alpha+u)^{-(r+x)} (\beta+u)^{-(s+1)} du.

    Moments are spaced as a geometric series from the time in which the integrand first halves or
    so, which is densely where it is steep.
    """
    r, alpha, s, beta = point
    u_alpha, u_beta = (alpha + t_x)[:, None], (beta + t_x)[:, None]
    log_stay = -(r + x) * np.log((alpha + age) / (alpha + t_x))
    log_stay -= s * np.log((beta + age) / (beta + t_x))
    scale = 1 / ((r + x)[:, None] / u_alpha + (s + 1) / u_beta)
    spread = np.log1p((age - t_x)[:, None] / scale)
    growth = scale * np.exp(spread * _NODES)
    later_alpha, later_beta = u_alpha + (growth - scale), u_beta + (growth - scale)
    log_fall = -(r + x)[:, None] * np.log(later_alpha / u_alpha) - s * np.log(later_beta / u_beta)
    pieces = s * spread * _WEIGHTS * growth / later_beta * np.exp(log_fall)
    return np.exp(log_stay), pieces.sum(axis=1), pieces, later_alpha, later_beta


def _log_likelihood(point, x, t_x, age):
    """Return the log-likelihood of each customer, and its gradient, shape (4, n_customers)."""
    r, alpha, s, beta = point
    stayed, left, pieces, u_alpha, u_beta = _ways(point, x.rows, t_x, age)
    each, n_rates = x.values, x.of(r + x.values)
    gammas = x.of(gammaln(r + each) - gammaln(r))
    log_last = np.log(alpha + t_x)
    total = stayed + left
    value = (
        gammas
        + r * np.log(alpha)
        + s * np.log(beta)
        - n_rates * log_last
        - s * np.log(beta + t_x)
        + np.log(total)
    )

    def mean(of_stayed, of_left):
        """Average over the ways, the moments of leaving included."""
        return (stayed * of_stayed + (pieces * of_left).sum(axis=1)) / total

    by_r = x.of(digamma(r + each) - digamma(r)) + np.log(alpha)
    by_r -= mean(np.log(alpha + age), np.log(u_alpha))
    by_alpha = r / alpha - n_rates * mean(1 / (alpha + age), 1 / u_alpha)
    by_s = np.log(beta) - mean(np.log(beta + age), np.log(u_beta) - 1 / s)
    by_beta = s / beta - mean(s / (beta + age), (s + 1) / u_beta)
    return value, np.stack([by_r, by_alpha, by_s, by_beta])


def _expected_life(weeks, s, beta):
    """Return how many of the weeks ahead a customer who is alive is expected to live."""
    log_stay = np.log(beta / (beta + weeks))
    if abs(s - 1) < 1e-9:
        return -beta * log_stay
    return beta * np.expm1((s - 1) * log_stay) / (1 - s)
