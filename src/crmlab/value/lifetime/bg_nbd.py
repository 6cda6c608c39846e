r"""BG/NBD and MBG/NBD: who still buys, and how often, where nobody says good-bye.

Who asks: whoever has an order book without contracts and must tell the customers who are merely
waiting from those who have left. While alive a customer buys at random with rate λ; after a
purchase he leaves for good with probability p. Rates differ between customers as a gamma
distribution with shape r and rate α, drop-out probabilities as a beta distribution with a and b.

In the BG/NBD a customer cannot leave before a repeat purchase, so that whoever bought once is
alive by definition. The MBG/NBD lets the first purchase be the last.

Sources: P. S. Fader, B. G. S. Hardie & K. L. Lee (2005), "Counting your customers" the easy way:
an alternative to the Pareto/NBD model, Marketing Science 24(2), 275-284,
doi:10.1287/mksc.1040.0098; E. P. Batislam, M. Denizel & A. Filiztekin (2007), Empirical
validation and comparison of models for customer base analysis, International Journal of Research
in Marketing 24(3), 201-209, doi:10.1016/j.ijresmar.2006.12.005.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import digamma, expit, gammaln, hyp2f1

from crmlab.value.lifetime.likelihood import Estimates
from crmlab.value.lifetime.repeat_model import ALL_ALIKE, LEAVE_ALIKE, NOBODY_LEAVES, RepeatModel
from crmlab.value.lifetime.repeat_orders import as_weeks, each_row

__all__ = [
    "BgNbd",
    "MbgNbd",
    "log_likelihood_of_each",
    "log_odds_left",
    "orders_while_alive",
]

_HINTS = {
    ("a", "0"): NOBODY_LEAVES,
    ("b", "infinity"): NOBODY_LEAVES,
    ("a", "infinity"): LEAVE_ALIKE,
    ("r", "infinity"): ALL_ALIKE,
    ("alpha", "infinity"): ALL_ALIKE,
    ("b", "0"): "value_all_leave",
    (("a", "0"), ("b", "0")): "value_leave_first_or_never",
}


@dataclass(frozen=True)
class BgNbd(RepeatModel):
    """The BG/NBD model with its parameters.

    Attributes
    ----------
    r, alpha : float
        Shape (above 0) and rate (weeks, above 0) of the gamma distribution of purchase rates;
        the mean rate is r / α purchases a week.
    a, b : float
        Of the beta distribution of the probability of leaving after a purchase, above 0; its
        mean is a / (a + b).
    estimates : Estimates or None
        Standard errors and likelihood, where the model was fitted.

    Examples
    --------
    The parameters of Fader, Hardie & Lee (2005) for CDNOW:

    >>> model = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
    >>> round(float(model.expected_orders(52)), 3)
    1.446
    """

    r: float
    alpha: float
    a: float
    b: float
    estimates: Estimates | None = field(default=None, repr=False)

    name: ClassVar[str] = "BG/NBD"
    parameters: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    starts: ClassVar = ((1.0, 10.0, 0.8, 2.5), (0.3, 3.0, 0.5, 5.0), (3.0, 30.0, 2.0, 20.0))
    hints: ClassVar = _HINTS
    # Chances to leave before the first repeat purchase: none here, one in the MBG/NBD.
    early_exits: ClassVar[int] = 0

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
        early = self.early_exits
        stays = self.b / (self.a + self.b) if early else 1.0
        return stays * orders_while_alive(
            as_weeks(weeks), self.r, self.alpha, self.a, self.b + early
        )

    def _alive(self, x, t_x, age):
        return expit(-log_odds_left(self.point, *each_row(x, t_x, age), self.early_exits))

    def _ahead(self, x, age, weeks):
        b = self.b + x + self.early_exits
        return orders_while_alive(weeks, self.r + x, self.alpha + age, self.a, b)

    @classmethod
    def _contributions(cls, point, x, t_x, age):
        return log_likelihood_of_each(point, x, t_x, age, cls.early_exits)


@dataclass(frozen=True)
class MbgNbd(BgNbd):
    """The MBG/NBD model: as `BgNbd`, but the first purchase may be the last.

    Examples
    --------
    >>> import pandas as pd
    >>> once = pd.DataFrame(
    ...     {"n_repeat_orders": [0], "last_order_age_weeks": [0.0], "age_weeks": [39.0]}
    ... )
    >>> MbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614).probability_alive(once).round(2).tolist()
    [0.39]
    """

    name: ClassVar[str] = "MBG/NBD"
    early_exits: ClassVar[int] = 1


def log_odds_left(point, x, t_x, age, early):
    """Return the logarithm of the odds of having left after the last purchase.

    The parameters are numbers or, with columns from `each_row`, one number for each customer.
    """
    r, alpha, a, b = point
    chances = x.values + early - 1  # to leave before the last purchase
    with np.errstate(divide="ignore", invalid="ignore"):
        exits = np.where(chances >= 0, np.log(a) - np.log(b + chances), -np.inf)
    silence = age.of(np.log(alpha + age.values)) - t_x.of(np.log(alpha + t_x.values))
    return x.of(exits) + x.of(r + x.values) * silence


def log_likelihood_of_each(point, x, t_x, age, early):
    """Return the log-likelihood of each customer, and its gradient, shape (4, n_customers).

    Parameters as in `log_odds_left`. The likelihood of x purchases, the last at t_x, up to T is
    that of staying throughout plus that of leaving right after the last: A + B, where B / A are
    the odds of having left.
    """
    r, alpha, a, b = point
    odds = log_odds_left(point, x, t_x, age, early)
    # log(1 + odds), minus the logarithm of the probability of being alive, and that of having
    # left: from one exponential, several times as fast as SciPy's two functions.
    small = np.exp(-np.abs(odds))
    log_alive = -(np.maximum(odds, 0) + np.log1p(small))
    left = np.where(odds > 0, 1.0, small) / (1 + small)
    each = x.values
    y = each + early  # chances to leave, the one at the end not counted
    log_stay = gammaln(a + b) + gammaln(b + y) - gammaln(b) - gammaln(a + b + y)
    log_stay += gammaln(r + each) - gammaln(r) + r * np.log(alpha)
    log_end, end = np.log(alpha + age.values), 1 / (alpha + age.values)
    log_last, last = np.log(alpha + t_x.values), 1 / (alpha + t_x.values)
    n_rates = x.of(r + each)
    value = x.of(log_stay) - n_rates * age.of(log_end) - log_alive
    by_r = x.of(digamma(r + each) - digamma(r) + np.log(alpha))
    by_r -= (1 - left) * age.of(log_end) + left * t_x.of(log_last)
    by_alpha = r / alpha - n_rates * ((1 - left) * age.of(end) + left * t_x.of(last))
    stayed = digamma(a + b) - digamma(a + b + y)
    by_a = x.of(stayed) + left / a
    with np.errstate(divide="ignore"):
        exit_ = np.where(y > 0, 1 / np.maximum(b + y - 1, 0.0), 0.0)
    by_b = x.of(stayed + digamma(b + y) - digamma(b)) - left * x.of(exit_)
    return value, np.stack([by_r, by_alpha, by_a, by_b])


def orders_while_alive(weeks, r, alpha, a, b):
    """Return the purchases in a time ahead of a customer who is alive at its beginning.

    This is E[X(t)] of the BG/NBD. Fader, Hardie & Lee (2005, eq. 9) print it with another form of
    the hypergeometric function, which overflows at hundreds of purchases; and at an argument of
    -t/α, where it is shortest, SciPy's loses all digits at tens of them. Here the argument lies
    between 0 and 1 and no parameter grows with the purchases but the third (Pfaff's and Euler's
    transformations), so that the terms of the series do not cancel.
    """
    # At a = 1 the formula is 0 / 0: there the mean of two values close by is taken.
    is_there = np.abs(np.asarray(a) - 1) < 1e-5
    near = [np.where(is_there, 1 + away, a) for away in ([-1e-5, 1e-5] if is_there.any() else [0])]
    share = weeks / (alpha + weeks)
    orders = [
        (c + b - 1)
        / (c - 1)
        * (1 - (1 - share) ** (c - 1) * hyp2f1(c + b - 1 - r, c - 1, c + b - 1, share))
        for c in near
    ]
    return sum(orders) / len(orders)
