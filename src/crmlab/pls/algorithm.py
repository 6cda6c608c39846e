r"""The PLS algorithm on stacks of correlation matrices, many samples at once.

Who asks: the estimate (a stack of one), the bootstrap, permutations and jackknife (stacks of
hundreds). Nothing here sees data: scores, their covariances and the outer weights are all
functions of the items' correlation matrix `R`, so that one iteration over a thousand resamples is
a handful of stacked matrix products.

One iteration (Lohmöller 1989, chapter 2). With outer weights W, scaled so that every score has
variance 1, the scores' correlations are C = W'RW. Inner weights E join each construct to its
neighbours in the diagram: the sign of the correlation (*centroid*), the correlation (*factorial*),
or the regression coefficient for what points to it and the correlation for what it points to
(*path*). The items' covariances with the inner proxies are RWE. In mode A they are the new weights
of a construct's own items, in mode B the coefficients of a regression on them. Weights start at 1;
they have converged when none changes by more than the tolerance.

Sign convention: a construct points where the sum of its items' loadings is positive, ties to its
first item.

Source: J.-B. Lohmöller (1989), doi:10.1007/978-3-642-52512-4; H. Wold (1982).
"""

from __future__ import annotations

import numpy as np

__all__ = ["SCHEMES", "iterate_weights", "regress", "solve_definite"]

#: Inner weighting schemes.
SCHEMES = ("path", "factorial", "centroid")
#: A share of variance below which a variable counts as explained by others: 1 - R² = 1 / VIF.
SMALLEST_OWN_VARIANCE = 1e-9


def iterate_weights(correlations, stage, *, scheme, tolerance, max_iterations):
    """Return outer weights and what became of each sample.

    Parameters
    ----------
    correlations : ndarray, shape (n_samples, n_slots, n_slots)
        Correlations of the slots' items.
    stage : Stage
    scheme : {"path", "factorial", "centroid"}
    tolerance : float
        Largest change of a weight at which an iteration is the last.
    max_iterations : int

    Returns
    -------
    weights : ndarray, shape (n_samples, n_slots)
        Scores have variance 1; signs by the convention of this module.
    n_iterations : ndarray of int, shape (n_samples,)
    collinear, converged : ndarray of bool, shape (n_samples,)
    """
    n_samples, n_slots, _ = correlations.shape
    member = np.zeros((n_slots, len(stage.names)))
    member[np.arange(n_slots), stage.owner] = 1.0
    single = stage.sizes[stage.owner] == 1
    inverses, collinear = _block_inverses(correlations, stage)
    result = np.full((n_samples, n_slots), np.nan)
    n_iterations = np.zeros(n_samples, dtype=int)
    converged = np.zeros(n_samples, dtype=bool)

    active = np.flatnonzero(~collinear)
    matrices = correlations if active.size == n_samples else correlations[active]
    inverses = {k: v[active] for k, v in inverses.items()}
    weights, projected = _scaled(np.ones((active.size, n_slots)), matrices, member, stage)
    for iteration in range(1, max_iterations + 1):
        if not active.size:
            break
        scores = np.swapaxes(weights[:, :, None] * member, 1, 2) @ projected
        inner, flat = _inner_weights(scores, stage, scheme)
        proxies = ((projected @ inner) * member).sum(axis=2)
        for construct, inverse in inverses.items():
            block = stage.block(construct)
            proxies[:, block] = (inverse @ proxies[:, block, None])[:, :, 0]
        proxies[:, single] = 1.0  # whatever it correlates with, a single item is its construct
        updated, projected = _scaled(proxies, matrices, member, stage)
        change = np.abs(updated - weights).max(axis=1)
        # Weights that are no numbers: a construct without any correlation with its neighbours.
        flat |= ~np.isfinite(change)
        moving = change > tolerance
        weights = updated
        done = ~moving | flat
        if done.any():
            rows = active[done]
            result[rows] = weights[done]
            n_iterations[rows] = iteration
            converged[rows] = ~flat[done]
            collinear[rows] |= flat[done]
            keep = ~done
            active, matrices = active[keep], matrices[keep]
            weights, projected = weights[keep], projected[keep]
            inverses = {k: v[keep] for k, v in inverses.items()}
    result[active] = weights
    n_iterations[active] = max_iterations
    loadings = (_project(result, correlations, member) * member).sum(axis=2)
    leaning = np.add.reduceat(loadings, stage.starts, axis=1)
    first = loadings[:, stage.starts]
    sign = np.where(np.abs(leaning) > 1e-12, np.sign(leaning), np.sign(first))
    return result * sign[:, stage.owner], n_iterations, collinear, converged


def _project(weights, correlations, member):
    return correlations @ (weights[:, :, None] * member)


def _scaled(weights, correlations, member, stage):
    """Scale weights to scores of variance 1; return them and the items' covariances with scores."""
    projected = _project(weights, correlations, member)
    own = (projected * member).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1.0 / np.sqrt(np.add.reduceat(weights * own, stage.starts, axis=1))
        return weights * scale[:, stage.owner], projected * scale[:, None, :]


def _inner_weights(scores, stage, scheme):
    """Inner weights, column by column the proxy of a construct; and where a regression failed."""
    n = len(stage.names)
    joined = np.zeros((n, n))
    for source, target in stage.pairs:
        joined[source, target] = joined[target, source] = 1.0
    failed = np.zeros(len(scores), dtype=bool)
    if scheme == "centroid":
        return np.sign(scores) * joined, failed
    inner = scores * joined
    if scheme == "factorial":
        return inner, failed
    for target in range(n):
        before = stage.predecessors(target)
        if len(before) > 1:
            coefficients, _, flat = regress(scores, before, target)
            inner[:, before, target] = coefficients
            failed |= flat
    return inner, failed


def regress(correlations, predictors, target):
    """Return standardised coefficients and R² of one regression in every sample.

    Parameters
    ----------
    correlations : ndarray, shape (n_samples, n, n)
    predictors : list of int
    target : int

    Returns
    -------
    coefficients : ndarray, shape (n_samples, n_predictors)
    r_squared : ndarray, shape (n_samples,)
    collinear : ndarray of bool, shape (n_samples,)
        Where a predictor is explained by the others; coefficients there mean nothing.
    """
    covariances = correlations[:, predictors, target]
    if len(predictors) == 1:
        none = np.zeros(len(covariances), dtype=bool)
        return covariances, covariances[:, 0] ** 2, none
    among = correlations[:, np.array(predictors)[:, None], predictors]
    solved, own = solve_definite(among, covariances[:, :, None])
    coefficients = solved[:, :, 0]
    return coefficients, (coefficients * covariances).sum(axis=1), own < SMALLEST_OWN_VARIANCE


def solve_definite(matrices, right):
    """Solve stacks of small positive definite systems, and say how far they are from singular.

    Elimination without exchange of rows, which positive definite matrices never need; unlike the
    library's solver it goes on with the other samples where one is singular, and its smallest
    pivot has a meaning: the share of a variable's variance that the ones before it leave.

    Parameters
    ----------
    matrices : ndarray, shape (n_samples, k, k)
        Correlation matrices.
    right : ndarray, shape (n_samples, k, m)

    Returns
    -------
    solutions : ndarray, shape (n_samples, k, m)
    smallest_pivot : ndarray, shape (n_samples,)
        1 for uncorrelated variables, 0 or below for collinear ones.
    """
    size = matrices.shape[1]
    # Samples last: every step below is then one pass over contiguous memory.
    table = np.concatenate([matrices, right], axis=2).transpose(1, 2, 0).copy()
    smallest = np.ones(len(matrices))
    for k in range(size):
        pivot = table[k, k].copy()
        np.minimum(smallest, pivot, out=smallest)
        table[k, k:] /= np.where(np.abs(pivot) > 1e-14, pivot, 1e-14)
        for row in range(size):
            if row != k:
                table[row, k + 1 :] -= table[row, k] * table[k, k + 1 :]
    return table[:, size:].transpose(2, 0, 1), smallest


def _block_inverses(correlations, stage):
    """Inverses of the blocks in mode B, by construct; and where one is singular."""
    inverses, collinear = {}, np.zeros(len(correlations), dtype=bool)
    for construct, is_b in enumerate(stage.mode_b):
        block = stage.block(construct)
        size = int(stage.sizes[construct])
        if is_b and size > 1:
            unit = np.broadcast_to(np.eye(size), (len(correlations), size, size))
            inverses[construct], own = solve_definite(correlations[:, block, block], unit)
            collinear |= own < SMALLEST_OWN_VARIANCE
    return inverses, collinear
