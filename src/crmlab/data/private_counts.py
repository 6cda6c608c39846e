r"""Counts that do not tell on anybody: noise of a stated size, and a budget that can run out.

Who asks: whoever publishes how many customers there are of each kind. A mechanism is
:math:`\varepsilon`-*differentially private* if adding or taking away one customer changes the
probability of any answer by a factor of at most :math:`e^\varepsilon`. Adding one customer changes
a count by 1, so noise with a scale of :math:`1/\varepsilon` is enough:

.. math:: P(X = x) = \tfrac{\varepsilon}{2} e^{-\varepsilon |x|} \quad\text{(Laplace)} \qquad
          P(X = x) = \frac{1 - \alpha}{1 + \alpha} \alpha^{|x|}, \; \alpha = e^{-\varepsilon}
          \quad\text{(geometric)}

Answers add up: two questions about the same customers cost the sum of their epsilons (sequential
composition); counts of customers who are each in one cell only cost no more than the largest of
theirs (parallel composition).

Sources: Dwork, C. (2006). Differential privacy. ICALP 2006, LNCS 4052, 1-12.
doi:10.1007/11787006_1; Ghosh, A., Roughgarden, T. & Sundararajan, M. (2012). Universally
utility-maximizing privacy mechanisms. SIAM Journal on Computing 41(6), 1673-1693.
"""

import numpy as np
import pandas as pd

__all__ = ["PrivacyBudget", "count_privately", "expected_error"]

_MECHANISMS = ("geometric", "laplace")


class PrivacyBudget:
    """How much epsilon may be spent on a set of customers, and on what it went.

    Parameters
    ----------
    total : float
        Epsilon allowed in all, above 0.

    Attributes
    ----------
    spent : float
    ledger : list of tuple of (str, float)
        What was asked, and its epsilon.

    Examples
    --------
    >>> budget = PrivacyBudget(1.0)
    >>> budget.spend(0.6, "customers by region")
    >>> budget.spend(0.6, "customers by age")
    Traceback (most recent call last):
        ...
    ValueError: 'customers by age' costs epsilon 0.6, and 0.4 of 1 is left; ask less, or ...
    """

    def __init__(self, total):
        self.total = _epsilon(total)
        self.ledger = []

    @property
    def spent(self):
        """Epsilon spent so far."""
        return float(sum(epsilon for _, epsilon in self.ledger))

    def spend(self, epsilon, question):
        """Take epsilon for a question, or refuse where too little is left."""
        epsilon = _epsilon(epsilon)
        left = self.total - self.spent
        if epsilon > left * (1 + 1e-12):
            raise ValueError(
                f"{question!r} costs epsilon {epsilon:g}, and {left:g} of {self.total:g} is left; "
                "ask less, or with more noise. A budget that is topped up protects nobody"
            )
        self.ledger.append((question, epsilon))


def count_privately(counts, epsilon, rng, *, mechanism="geometric", budget=None, question="count"):
    """Return counts with the noise that makes them differentially private.

    Parameters
    ----------
    counts : pandas.Series of int
        Customers by cell, each customer in one cell; give cells without customers too, or their
        absence tells.
    epsilon : float
        Above 0; the smaller, the more private and the noisier.
    rng : numpy.random.Generator
        Draws the noise. Keep its seed secret where the counts are really published: with the seed
        the noise can be taken off again.
    mechanism : {"geometric", "laplace"}
        Whole numbers, or real ones.
    budget : PrivacyBudget, optional
        Is charged `epsilon` under the name `question` before anything is drawn.

    Returns
    -------
    pandas.Series
        Not cut off at 0: that would bend the mean of small cells upwards.

    Raises
    ------
    ValueError
        If epsilon, a count or the mechanism cannot be used, or the budget has run out.

    Notes
    -----
    For study and teaching. Laplace noise in floating point can leak its count (Mironov, I. 2012,
    doi:10.1145/2382196.2382264); publish the geometric kind.

    Examples
    --------
    >>> counts = pd.Series({"east": 500, "west": 40})
    >>> noisy = count_privately(counts, 1.0, np.random.default_rng(1))
    >>> bool((noisy - counts).abs().max() < 20)
    True
    """
    epsilon = _epsilon(epsilon)
    counts = pd.Series(counts)
    values = counts.to_numpy(dtype=float)
    if not (values >= 0).all() or (values != np.floor(values)).any():
        raise ValueError(
            "counts holds values that are no counts; expected whole numbers, 0 or more"
        )
    if mechanism not in _MECHANISMS:
        raise ValueError(f"mechanism is {mechanism!r}; expected one of {', '.join(_MECHANISMS)}")
    if budget is not None:
        budget.spend(epsilon, question)
    if mechanism == "laplace":
        return counts + rng.laplace(scale=1 / epsilon, size=len(counts))
    # The difference of two geometric numbers is the two-sided geometric distribution.
    chance = -np.expm1(-epsilon)
    noise = rng.geometric(chance, len(counts)) - rng.geometric(chance, len(counts))
    return counts.astype("int64") + noise


def expected_error(epsilon, *, mechanism="geometric"):
    r"""Return how far a private count is off, on average and as a standard deviation.

    Parameters
    ----------
    epsilon : array_like of float
        Above 0.
    mechanism : {"geometric", "laplace"}

    Returns
    -------
    pandas.DataFrame, one row per epsilon
        `epsilon`, `mean_absolute_error` (1/ε, or 2α/(1−α²)), `error_standard_deviation`
        (√2/ε, or √(2α)/(1−α)), both in customers, and `error_95`, which 19 of 20 counts keep
        within (ln 20 / ε for Laplace; the smallest whole number that does for the geometric kind).

    Examples
    --------
    >>> expected_error([0.1, 1.0], mechanism="laplace")["mean_absolute_error"].tolist()
    [10.0, 1.0]
    """
    epsilon = np.array([_epsilon(value) for value in np.atleast_1d(epsilon)])
    if mechanism not in _MECHANISMS:
        raise ValueError(f"mechanism is {mechanism!r}; expected one of {', '.join(_MECHANISMS)}")
    if mechanism == "laplace":
        mean, deviation, most = 1 / epsilon, np.sqrt(2) / epsilon, np.log(20) / epsilon
    else:
        alpha = np.exp(-epsilon)
        mean = 2 * alpha / (1 - alpha**2)
        deviation = np.sqrt(2 * alpha) / (1 - alpha)
        # P(|X| > t) = 2 alpha^(t+1) / (1 + alpha).
        most = np.maximum(np.ceil(np.log(0.05 * (1 + alpha) / 2) / np.log(alpha) - 1), 0)
    return pd.DataFrame(
        {
            "epsilon": epsilon,
            "mean_absolute_error": mean,
            "error_standard_deviation": deviation,
            "error_95": most,
        }
    )


def _epsilon(value):
    value = float(value)
    if not 0 < value < np.inf:
        raise ValueError(f"epsilon is {value}; expected a number above 0")
    return value
