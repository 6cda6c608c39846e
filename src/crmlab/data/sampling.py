r"""How many respondents a survey needs, and how far its answer may be off.

Who asks: whoever plans a customer survey ("do 250 answers say anything about 3,000 customers?")
and whoever reads one. Vocabulary: the *population* is every customer the answer is meant for, the
*margin of error* half the width of the confidence interval of a share found in a simple random
sample drawn without replacement. The first two functions are the two sides of one equation,

.. math:: e = z \sqrt{\frac{p(1-p)}{n} \cdot \frac{N-n}{N-1}}

which speaks of chance alone: who was not reached or did not answer is no part of it.

Source: Cochran, W. G. (1977). Sampling Techniques, 3rd ed. New York: Wiley, sections 3.2 and 4.4.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtri

__all__ = [
    "adjust_p_values",
    "margin_of_error",
    "sample_size",
    "trace_margins",
    "wilson_interval",
]


def sample_size(margin, *, population=np.inf, confidence=0.95, proportion=0.5):
    r"""Return the number of respondents that brings a share within a margin of error.

    Parameters
    ----------
    margin : array_like of float
        Margin of error e wanted, a share above 0 and below 1 (0.05: five points of per cent).
    population : array_like of float
        Number of customers N the answer is meant for, 1 or more; infinity for a population so
        large that drawing from it does not change it.
    confidence : float
        Share of all possible samples whose interval holds the true share; between 0 and 1.
    proportion : array_like of float
        Share p expected, above 0 and below 1. One half asks for the largest sample and is safe
        when nothing is known.

    Returns
    -------
    float or numpy.ndarray of float, in the shape the arguments broadcast to
        Respondents n, not rounded; draw the next whole number. Never above `population`.

    Raises
    ------
    ValueError
        If an argument is outside its range or missing.

    Notes
    -----
    With :math:`n_0 = z^2 p (1-p) / e^2` for an infinite population,
    :math:`n = n_0 / (1 + (n_0 - 1) / N)`.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed. New York: Wiley, section 4.4.

    Examples
    --------
    >>> round(sample_size(0.05), 2)
    384.15
    >>> round(sample_size(0.05, population=1000), 2)
    277.73
    """
    margin = _between(margin, "margin", 0, 1)
    population = _population(population)
    n_infinite = _score(confidence) ** 2 * _variance(proportion) / margin**2
    return _plain(n_infinite / (1 + (n_infinite - 1) / population))


def margin_of_error(n_respondents, *, population=np.inf, confidence=0.95, proportion=0.5):
    r"""Return how far the share found in a sample may be from the population's, by chance.

    Parameters
    ----------
    n_respondents : array_like of float
        Respondents n, above 0 and at most `population`.
    population, confidence, proportion
        As in `sample_size`.

    Returns
    -------
    float or numpy.ndarray of float, in the shape the arguments broadcast to
        Margin of error e, a share; 0 where everyone was asked.

    Raises
    ------
    ValueError
        If an argument is outside its range or missing, or more people answered than there are.

    Notes
    -----
    The normal approximation; poor for a handful of respondents or a share near 0 or 1. The
    factor :math:`(N-n)/(N-1)` is the correction for a finite population.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed. New York: Wiley, section 3.2.

    Examples
    --------
    >>> round(margin_of_error(250), 4)
    0.062
    >>> margin_of_error([250, 3000], population=3000).round(4)
    array([0.0594, 0.    ])
    """
    n_respondents = _between(n_respondents, "n_respondents", 0, np.inf)
    population = _population(population)
    n, size = np.broadcast_arrays(n_respondents, population)
    if np.any(n > size):
        at = np.flatnonzero((n > size).ravel())[0]
        raise ValueError(
            f"n_respondents is {n.ravel()[at]:g} of a population of {size.ravel()[at]:g}; expected "
            "at most everyone. Count each customer once, or correct the population."
        )
    # An infinite population leaves nothing to correct; one customer asked is everyone asked.
    is_finite = np.isfinite(size)
    others = np.where(is_finite & (size > 1), size - 1, 1.0)
    correction = np.where(is_finite, (np.where(is_finite, size, 0) - n) / others, 1.0)
    return _plain(_score(confidence) * np.sqrt(_variance(proportion) / n * correction))


def trace_margins(fewest, most, *, population=np.inf, confidence=0.95, proportion=0.5):
    """Return the margin of error of surveys of every size, of this population and of any size.

    Parameters
    ----------
    fewest, most : float
        Respondents of the smallest and of the largest survey; `most` at most `population`.
    population, confidence, proportion
        As in `sample_size`.

    Returns
    -------
    pandas.DataFrame
        `n_respondents` (up to 120 sizes, whole numbers), `population` ("population_finite", only
        where `population` is finite, and "population_infinite") and `margin_of_error`.

    Raises
    ------
    ValueError
        As `margin_of_error`.

    Examples
    --------
    >>> found = trace_margins(100, 400, population=400)
    >>> found.groupby("population")["margin_of_error"].min().round(3).to_dict()
    {'population_finite': 0.0, 'population_infinite': 0.049}
    """
    sizes = np.unique(np.linspace(fewest, most, 120).round())
    limits = {"population_finite": population, "population_infinite": np.inf}
    chance = {"confidence": confidence, "proportion": proportion}
    curves = [
        pd.DataFrame({"n_respondents": sizes, "population": name}).assign(
            margin_of_error=margin_of_error(sizes, population=size, **chance)
        )
        for name, size in limits.items()
        if name == "population_infinite" or np.isfinite(size)
    ]
    return pd.concat(curves, ignore_index=True)


def wilson_interval(n_hits, n, *, confidence=0.95):
    r"""Return shares with the ends of their Wilson intervals, which stay within 0 and 1.

    .. math:: \frac{\hat p + z^2/2n \pm z\sqrt{\hat p(1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}

    Parameters
    ----------
    n_hits, n : array_like of float
        How many of how many; `n_hits` from 0 to `n`.
    confidence : float
        Probability that the interval is to cover, between 0 and 1.

    Returns
    -------
    share, lower, upper : numpy.ndarray of float, 0 to 1
        NaN where `n` is 0.

    Raises
    ------
    ValueError
        If a count is negative or above `n`, or the confidence is no probability.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association, 22(158), 209–212.
    doi:10.1080/01621459.1927.10502953

    Examples
    --------
    >>> [round(float(end), 4) for end in wilson_interval(5, 10)]
    [0.5, 0.2366, 0.7634]
    """
    hits, n = np.broadcast_arrays(np.asarray(n_hits, dtype=float), np.asarray(n, dtype=float))
    if (hits < 0).any() or (hits > n).any():
        raise ValueError("n_hits must lie between 0 and n in every place")
    z = _score(confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At a share of 0 or 1 the end is that share exactly; rounding may miss it by one bit.
    lower = np.clip(np.minimum(centre - half, share), 0.0, 1.0)
    return share, lower, np.clip(np.maximum(centre + half, share), 0.0, 1.0)


def adjust_p_values(p_values):
    """Return Holm's adjusted p values: reject below 5 % and at most 5 % of families err at all.

    Parameters
    ----------
    p_values : array_like of float
        NaN stays NaN and does not count.

    Returns
    -------
    numpy.ndarray of float

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal
    of Statistics, 6(2), 65–70.

    Examples
    --------
    >>> adjust_p_values([0.01, np.nan, 0.04, 0.03]).tolist()
    [0.03, nan, 0.06, 0.06]
    """
    adjusted = np.array(p_values, dtype=float)
    # statsmodels' function collects garbage at each call: half a second where much is loaded.
    order = np.argsort(adjusted)[: np.count_nonzero(~np.isnan(adjusted))]  # NaN stands last
    steps = np.arange(order.size, 0, -1) * adjusted[order]
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def _score(confidence):
    return ndtri(0.5 + float(_between(confidence, "confidence", 0, 1)) / 2)


def _variance(proportion):
    proportion = _between(proportion, "proportion", 0, 1)
    return proportion * (1 - proportion)


def _population(population):
    population = np.asarray(population, dtype=float)
    if not np.all(population >= 1):
        raise ValueError(
            f"population is {population}; expected 1 customer or more, or infinity (numpy.inf) "
            "where the population is too large to matter"
        )
    return population


def _between(value, name, low, high):
    value = np.asarray(value, dtype=float)
    if not np.all((value > low) & (value < high)):
        until = "" if np.isinf(high) else f" and below {high}"
        raise ValueError(f"{name} is {value}; expected a number above {low}{until}")
    return value


def _plain(result):
    """Return a float for a single number and the array otherwise."""
    return float(result) if np.ndim(result) == 0 else result
