"""NBD: the model of repeat buying in which nobody leaves.

Who asks: whoever needs the plainest model with differences between customers, and whoever learned
that the models of drop-out find nobody who leaves: a firm watched for a short time, or one whose
customers stay. Purchase rates differ as a gamma distribution (r, α), and so the number of
purchases in a time of one length is a negative binomial variable.

Source: A. S. C. Ehrenberg (1959), The pattern of consumer purchases, Applied Statistics 8(1),
26-41, doi:10.2307/2985810.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import digamma, gammaln

from crmlab.value.lifetime.likelihood import Estimates
from crmlab.value.lifetime.repeat_model import ALL_ALIKE, RepeatModel
from crmlab.value.lifetime.repeat_orders import as_weeks

__all__ = ["Nbd"]


@dataclass(frozen=True)
class Nbd(RepeatModel):
    """The NBD model with its parameters.

    Attributes
    ----------
    r, alpha : float
        Shape (above 0) and rate (weeks, above 0) of the gamma distribution of purchase rates.
    estimates : Estimates or None
        Standard errors and likelihood, where the model was fitted.

    Examples
    --------
    >>> float(Nbd(r=0.5, alpha=10.0).expected_orders(52))
    2.6
    """

    r: float
    alpha: float
    estimates: Estimates | None = field(default=None, repr=False)

    name: ClassVar[str] = "NBD"
    parameters: ClassVar[tuple[str, ...]] = ("r", "alpha")
    starts: ClassVar = ((1.0, 10.0), (0.3, 3.0))
    hints: ClassVar = {("r", "infinity"): ALL_ALIKE, ("alpha", "infinity"): ALL_ALIKE}

    def expected_orders(self, weeks):
        """Return the repeat purchases expected of a new customer, E[X(t)] = r t / α.

        Parameters
        ----------
        weeks : array_like of float
            Time since the first purchase, 0 or more.

        Returns
        -------
        numpy.ndarray of float, shape of `weeks`
        """
        return self.r / self.alpha * as_weeks(weeks)

    def _alive(self, x, t_x, age):  # noqa: ARG002 - nobody leaves
        return np.ones(len(x))

    def _ahead(self, x, age, weeks):
        return (self.r + x) / (self.alpha + age) * weeks

    @classmethod
    def _contributions(cls, point, x, t_x, age):  # noqa: ARG003 - when the last was says nothing
        r, alpha = point
        n_rates, log_end = x.of(r + x.values), age.of(np.log(alpha + age.values))
        value = x.of(gammaln(r + x.values) - gammaln(r)) + r * np.log(alpha) - n_rates * log_end
        by_r = x.of(digamma(r + x.values) - digamma(r)) + np.log(alpha) - log_end
        by_alpha = r / alpha - n_rates * age.of(1 / (alpha + age.values))
        return value, np.stack([by_r, by_alpha])
