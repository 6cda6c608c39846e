"""sBG: how long customers under contract stay, where each renews or leaves at every term.

Who asks: whoever sells subscriptions and sees retention rise with tenure. It rises even though
nobody becomes more loyal: those who leave easily have left, and the others remain. Each customer
leaves at every term with his own constant probability θ; these differ as a beta distribution with
α and β (the shifted-beta-geometric model).

Sources: P. S. Fader & B. G. S. Hardie (2007), How to project customer retention, Journal of
Interactive Marketing 21(1), 76-90, doi:10.1002/dir.20074; P. S. Fader & B. G. S. Hardie (2010),
Customer-base valuation in a contractual setting: the perils of ignoring heterogeneity, Marketing
Science 29(1), 85-93, doi:10.1287/mksc.1080.0482.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import betaln, digamma, hyp2f1

from crmlab.atlas.sentences import say
from crmlab.value.lifetime.likelihood import Estimates, FitError, maximize_likelihood

__all__ = ["ShiftedBetaGeometric", "fit_shifted_beta_geometric"]

_HINTS = {
    ("alpha", "infinity"): "value_one_retention",
    ("beta", "infinity"): "value_nobody_leaves_terms",
    ("alpha", "0"): "value_nobody_leaves_terms",
    ("beta", "0"): "value_leave_or_never",
    (("alpha", "0"), ("beta", "0")): "value_leave_or_never",
}


@dataclass(frozen=True)
class ShiftedBetaGeometric:
    """The shifted-beta-geometric model of retention with its parameters.

    Attributes
    ----------
    alpha, beta : float
        Of the beta distribution of the probability of leaving at a term, above 0; its mean is
        α / (α + β).
    estimates : Estimates or None
        Standard errors and likelihood, where the model was fitted.

    Examples
    --------
    >>> model = ShiftedBetaGeometric(alpha=0.668, beta=3.806)
    >>> model.survival([0, 1, 7]).round(3).tolist()
    [1.0, 0.851, 0.489]
    """

    alpha: float
    beta: float
    estimates: Estimates | None = field(default=None, repr=False)

    name: ClassVar[str] = "sBG"

    def __post_init__(self):
        for name in ("alpha", "beta"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{self.name}: {name} is {value!r}; expected a number above 0")

    def survival(self, terms):
        """Return the share of customers still there after a number of renewals, S(t).

        Parameters
        ----------
        terms : array_like of int
            Renewals due since the beginning, 0 or more.

        Returns
        -------
        numpy.ndarray of float, shape of `terms`
        """
        terms = np.asarray(terms, dtype="float64")
        return np.exp(betaln(self.alpha, self.beta + terms) - betaln(self.alpha, self.beta))

    def retention_rate(self, terms):
        """Return the share of those who came to a renewal that renewed, r(t) = S(t) / S(t-1).

        Parameters
        ----------
        terms : array_like of int
            Number of the renewal, 1 or more.

        Returns
        -------
        numpy.ndarray of float, shape of `terms`
        """
        terms = np.asarray(terms, dtype="float64")
        return (self.beta + terms - 1) / (self.alpha + self.beta + terms - 1)

    def discounted_terms(self, renewals, *, discount_rate):
        """Return the terms still to be paid for, discounted to the next renewal (DERL).

        Parameters
        ----------
        renewals : array_like of int
            Times the customer has renewed, 0 or more; the next renewal is still to come and its
            term counts in full.
        discount_rate : float
            For one term, above 0.

        Returns
        -------
        numpy.ndarray of float, shape of `renewals`
            Terms; times the margin of a term it is the value of the customer from now on.

        References
        ----------
        Fader & Hardie (2010), doi:10.1287/mksc.1080.0482
        """
        if not discount_rate > 0:
            raise ValueError(f"discount_rate is {discount_rate!r}; expected a rate above 0")
        tenure = self.beta + np.asarray(renewals, dtype="float64")
        rate = tenure / (self.alpha + tenure)
        return rate * hyp2f1(1, tenure + 1, self.alpha + tenure + 1, 1 / (1 + discount_rate))


def fit_shifted_beta_geometric(remaining):
    """Return the shifted-beta-geometric model fitted by maximum likelihood to one cohort.

    Parameters
    ----------
    remaining : array_like of float, shape (n_terms + 1,)
        Customers there at the beginning and after each renewal; never rising.

    Returns
    -------
    ShiftedBetaGeometric
        With `estimates`.

    Raises
    ------
    ValueError
        If the numbers rise or are negative, or (as `FitError`) the model cannot be fitted.

    References
    ----------
    Fader & Hardie (2007), doi:10.1002/dir.20074

    Examples
    --------
    Seven renewals of the segment called "High End" by Fader & Hardie (2007), of 1,000 customers:

    >>> fit = fit_shifted_beta_geometric([1000, 869, 743, 653, 593, 551, 517, 491])
    >>> round(fit.alpha, 2), round(fit.beta, 2)
    (0.67, 3.81)
    """
    there = np.asarray(remaining, dtype="float64")
    is_count = there.ndim == 1 and len(there) > 1 and np.isfinite(there).all()
    if not is_count or there.min() < 0 or not there[0] > 0:
        raise ValueError(
            f"remaining is {remaining!r}; expected the customers there at the beginning and after "
            "each renewal, 0 or more, and somebody at the beginning"
        )
    left = -np.diff(there)
    if (left < 0).any():
        term = int((left < 0).argmax()) + 1
        raise ValueError(
            f"remaining rises at renewal {term}, from {there[term - 1]:g} to {there[term]:g}; a "
            "cohort wins nobody. Follow those of the beginning only."
        )
    model = ShiftedBetaGeometric.name
    if len(left) < 3:
        raise FitError.of(model, say("value_few_renewals", n=len(left)))
    if left.sum() == 0 or there[1] == 0:
        who = "value_nobody_left" if left.sum() == 0 else "value_everybody_left"
        raise FitError.of(model, say(who))
    term = np.arange(1, len(there))

    def log_likelihood(point):
        alpha, beta = point
        both = digamma(alpha + beta)
        leaving = betaln(alpha + 1, beta + term - 1) - betaln(alpha, beta)
        staying = betaln(alpha, beta + term[-1]) - betaln(alpha, beta)
        by_alpha = 1 / alpha + both - digamma(alpha + beta + term)
        by_beta = digamma(beta + term - 1) - digamma(beta) + both - digamma(alpha + beta + term)
        stay_alpha = both - digamma(alpha + beta + term[-1])
        stay_beta = digamma(beta + term[-1]) - digamma(beta) + stay_alpha
        return left @ leaving + there[-1] * staying, np.array(
            [left @ by_alpha + there[-1] * stay_alpha, left @ by_beta + there[-1] * stay_beta]
        )

    estimates = maximize_likelihood(
        log_likelihood,
        ("alpha", "beta"),
        ((0.7, 2.0), (2.0, 10.0)),
        n_customers=max(1, int(there[0])),
        model=model,
        hints=_HINTS,
    )
    return ShiftedBetaGeometric(**estimates.values, estimates=estimates)
