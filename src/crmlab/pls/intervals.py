"""Standard errors and confidence intervals from a bootstrap: percentile, BCa, studentised.

Who asks: whoever reports a path with its uncertainty. *Percentile* intervals are the quantiles of
the draws; *BCa* moves the quantiles for bias and for a standard error that changes with the value
(its acceleration comes from leaving out each respondent in turn); *studentised* intervals divide
each draw by its own standard error, which needs resamples of resamples.

Sources: B. Efron (1987), Better bootstrap confidence intervals, Journal of the American
Statistical Association 82(397), 171-185, doi:10.1080/01621459.1987.10478410; B. Efron &
R. J. Tibshirani (1993), doi:10.1201/9780429246593.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from crmlab.pls.bootstrap import QUANTITIES, is_finite, quantities
from crmlab.pls.moments import sample_moments
from crmlab.pls.solve import solve_samples

__all__ = ["INTERVALS", "intervals"]

INTERVALS = ("percentile", "bca", "studentised")
_CHUNK = 500
_STILL = 1e-10  # a standard error below this is that of a constant, such as a single item's weight


def intervals(bootstrap, quantity, *, method="percentile", level=0.95):
    """Return estimates with standard error, t, p and confidence interval.

    Parameters
    ----------
    bootstrap : Bootstrap
    quantity : str
        One of `QUANTITIES`.
    method : {"percentile", "bca", "studentised"}
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        What the row is (`source`, `target` and the like), `estimate`, `mean` of the draws,
        `standard_error` (their standard deviation), `t_value` (estimate over standard error),
        `p_value` (two-sided, normal), `low`, `high`. Where a number cannot move (the weight of a
        single item) the standard error is 0, the interval a point, and t and p are NaN.

    Raises
    ------
    ValueError
        If the quantity, method or level is not known, or a studentised interval is asked of a
        bootstrap without inner resamples.

    References
    ----------
    Efron (1987), doi:10.1080/01621459.1987.10478410
    """
    if quantity not in QUANTITIES:
        raise ValueError(f"quantity is one of {', '.join(QUANTITIES)}, not {quantity!r}")
    if method not in INTERVALS:
        raise ValueError(f"method is one of {', '.join(INTERVALS)}, not {method!r}")
    if not 0 < level < 1:
        raise ValueError(f"level is a share between 0 and 1, such as 0.95, not {level!r}")
    draws, value = bootstrap.draws[quantity], bootstrap.values[quantity]
    error = draws.std(axis=0, ddof=1)
    still = ~(error > _STILL)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "percentile":
        low, high = np.quantile(draws, tails, axis=0)
    elif method == "bca":
        low, high = _bca(bootstrap, quantity, tails, still)
    else:
        low, high = _studentised(bootstrap, quantity, tails, still)
    moving = np.where(still, np.nan, error)
    t_value = value / moving
    return bootstrap.labels[quantity].assign(
        estimate=value,
        mean=draws.mean(axis=0),
        standard_error=np.where(still, 0.0, error),
        t_value=t_value,
        p_value=2 * ndtr(-np.abs(t_value)),
        low=np.where(still, value, low),
        high=np.where(still, value, high),
    )


def _bca(bootstrap, quantity, tails, still):
    draws, value = bootstrap.draws[quantity], bootstrap.values[quantity]
    below = (draws < value).mean(axis=0) + (draws == value).mean(axis=0) / 2
    # Kept off 0 and 1, where the estimate lies outside its own draws and no quantile would do.
    edge = 0.5 / len(draws)
    bias = ndtri(np.clip(below, edge, 1 - edge))
    left_out = _leave_one_out(bootstrap, quantity)
    away = left_out.mean(axis=0) - left_out
    with np.errstate(invalid="ignore", divide="ignore"):
        acceleration = (away**3).sum(axis=0) / (6 * (away**2).sum(axis=0) ** 1.5)
    acceleration = np.where(still, 0.0, acceleration)
    z = bias + ndtri(tails)[:, None]
    shares = ndtr(bias + z / (1 - acceleration * z))
    ordered = np.sort(draws, axis=0)
    place = shares * (len(draws) - 1)
    lower = np.floor(place).astype(int)
    upper = np.minimum(lower + 1, len(draws) - 1)
    columns = np.arange(draws.shape[1])
    part = place - lower
    return ordered[lower, columns] * (1 - part) + ordered[upper, columns] * part


def _leave_one_out(bootstrap, quantity):
    """Return the quantity with each respondent left out in turn, where that can be estimated."""
    estimate = bootstrap.estimate
    columns = estimate.respondents.columns
    n, pieces = len(columns), []
    means, covariances = sample_moments(columns)
    for start in range(0, n, _CHUNK):
        away = columns[start : start + _CHUNK] - means
        # Moments of all but one follow from those of all.
        others = covariances * (n - 1) - n / (n - 1) * away[:, :, None] * away[:, None, :]
        solution = solve_samples(
            means - away / (n - 1), others / (n - 2), estimate.layout, estimate.settings
        )
        kept = quantities(estimate, solution, bootstrap.signs, is_finite(solution))
        pieces.append(kept[quantity])
    return np.concatenate(pieces)


def _studentised(bootstrap, quantity, tails, still):
    if bootstrap.inner_errors is None:
        raise ValueError(
            "a studentised interval needs the standard error of every resample: draw the "
            "bootstrap with n_inner=50 or so"
        )
    draws, value = bootstrap.draws[quantity], bootstrap.values[quantity]
    inner = bootstrap.inner_errors[quantity]
    ratio = (draws - value) / np.where(inner > _STILL, inner, np.nan)
    ratio[:, still] = 0.0
    early, late = np.nanquantile(ratio, tails, axis=0)
    error = draws.std(axis=0, ddof=1)
    return value - late * error, value - early * error
