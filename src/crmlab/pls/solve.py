"""From moments of the data to everything estimated, for a stack of samples.

Who asks: `estimate_model` with one sample, and everything that resamples with thousands. The
moments are means and covariances of the model's items and, where the model has an interaction, of
products of items: with them a resample's standardised products are linear in columns that never
change, and no resample touches the data again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crmlab.pls.algorithm import iterate_weights, regress, solve_definite

__all__ = ["OUTCOMES", "ROUNDING", "Solution", "solve_samples"]

#: What can become of a sample, by code; 0 is well.
OUTCOMES = ("solved", "no_variance", "collinear", "not_converged", "inadmissible")
_NO_VARIANCE = 1e-10
#: How far beyond 1 a reliability, loading or R² may lie by rounding alone.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Solution:
    """Arrays with one row per sample; NaN where a sample was not solved.

    `weights`, `loadings` by slot of the last stage; `item_correlations` of those slots;
    `cross_loadings` slot by construct of the stage; `score_correlations` and `correlations`
    (corrected for attenuation when asked) by construct; `rho_a` by construct; `paths`
    [source, target]; `r_squared` by construct (NaN where nothing points to it); `product_spread`
    the standard deviation of each two-stage product of scores; `combine` columns to scores;
    `part_weights` and `part_correlations` those of the first stage, None where there is but one.
    """

    outcome: np.ndarray
    n_iterations: np.ndarray
    weights: np.ndarray
    loadings: np.ndarray
    item_correlations: np.ndarray
    cross_loadings: np.ndarray
    score_correlations: np.ndarray
    correlations: np.ndarray
    rho_a: np.ndarray
    paths: np.ndarray
    r_squared: np.ndarray
    product_spread: np.ndarray
    combine: np.ndarray
    part_weights: np.ndarray | None
    part_correlations: np.ndarray | None


def solve_samples(means, covariances, layout, settings):
    """Return the `Solution` of a stack of samples.

    Parameters
    ----------
    means : ndarray, shape (n_samples, n_columns)
        Of the items and then the products of a `Layout`.
    covariances : ndarray, shape (n_samples, n_columns, n_columns)
    layout : Layout
    settings : Settings
        Scheme, tolerance, iterations, consistent or not.
    """
    n_items = len(layout.items)
    variances = np.einsum("bii->bi", covariances)[:, :n_items]
    flat = (variances < _NO_VARIANCE).any(axis=1)
    if flat.any():
        rows = np.flatnonzero(~flat)
        inner = _solve(means[rows], covariances[rows], layout, settings)
        return _spread_out(inner, rows, len(flat))
    return _solve(means, covariances, layout, settings)


def _solve(means, covariances, layout, settings):
    weighed = _weigh(means, covariances, layout, settings)
    columns, correlations, weights, n_iterations, collinear, converged, first = weighed
    dense = _dense(weights, layout.last)
    cross = correlations @ dense
    scores = np.swapaxes(dense, 1, 2) @ cross
    combine, spread = columns @ dense, np.empty((len(weights), 0))
    if layout.two_stage:
        combine, spread = _with_products(combine, means, covariances, layout)
        scores = np.swapaxes(combine, 1, 2) @ covariances @ combine
    rho_a, loadings = _rho_a(weights, layout), (cross * (dense != 0)).sum(axis=2)
    consistent = scores
    if settings.consistent:
        consistent = _disattenuated(scores, rho_a, layout)
        loadings = _consistent_loadings(weights, loadings, rho_a, layout)
    paths, r_squared, flat = _structure(consistent, layout)
    flat |= ~np.isfinite(paths).all(axis=(1, 2))  # as where a product of scores is constant
    outcome = np.zeros(len(weights), dtype=int)
    if settings.consistent:
        outcome[~_admissible(consistent, rho_a, loadings, layout)] = 4
    outcome[~converged] = 3
    # A corrected matrix that is not positive definite is inadmissible, not collinear.
    outcome[collinear | (flat & (outcome != 4))] = 2
    return Solution(
        outcome=outcome,
        n_iterations=n_iterations,
        weights=weights,
        loadings=loadings,
        item_correlations=correlations,
        cross_loadings=cross,
        score_correlations=scores,
        correlations=consistent,
        rho_a=rho_a,
        paths=paths,
        r_squared=r_squared,
        product_spread=spread,
        combine=combine,
        part_weights=first[0],
        part_correlations=first[1],
    )


def _weigh(means, covariances, layout, settings):
    """Iterate the stages; return the last one's columns, correlations and weights, and how it went.

    The last of what is returned are weights and correlations of the first stage, where there are
    two.
    """
    how = {
        "scheme": settings.scheme,
        "tolerance": settings.tolerance,
        "max_iterations": settings.max_iterations,
    }
    columns, correlations = _first_slots(means, covariances, layout)
    weights, n_iterations, collinear, converged = iterate_weights(correlations, layout.first, **how)
    if layout.second is None:
        return columns, correlations, weights, n_iterations, collinear, converged, (None, None)
    first = weights, correlations
    carry = _carry(weights, layout)
    correlations = np.swapaxes(carry, 1, 2) @ correlations @ carry
    # What failed in the first stage has failed; the second needs numbers all the same.
    correlations[~converged] = np.eye(correlations.shape[1])
    weights, more, again, settled = iterate_weights(correlations, layout.second, **how)
    n_iterations, collinear, converged = n_iterations + more, collinear | again, converged & settled
    return columns @ carry, correlations, weights, n_iterations, collinear, converged, first


def _disattenuated(scores, rho_a, layout):
    """Correct the correlations of scores for attenuation where constructs are reflective."""
    with np.errstate(invalid="ignore"):
        root = np.sqrt(np.where(layout.corrected, rho_a, 1.0))
    corrected = scores / (root[:, :, None] * root[:, None, :])
    np.einsum("bii->bi", corrected)[...] = 1.0
    return corrected


def _spread_out(solution, rows, n_samples):
    """Put the solved samples back among those whose items do not vary."""
    fields = {}
    for name, value in vars(solution).items():
        if value is None:
            fields[name] = None
            continue
        empty = 1 if name == "outcome" else 0 if name == "n_iterations" else np.nan
        whole = np.full((n_samples, *value.shape[1:]), empty, dtype=value.dtype)
        whole[rows] = value
        fields[name] = whole
    return Solution(**fields)


def _first_slots(means, covariances, layout):
    """Slots of the first stage as multiples or combinations of columns, and their correlations."""
    n_items = len(layout.items)
    sources = np.array(layout.sources)
    scale = 1.0 / np.sqrt(np.einsum("bii->bi", covariances)[:, :n_items])
    columns = np.zeros((len(means), covariances.shape[1], len(sources)))
    if (sources < n_items).all():
        chosen = scale[:, sources]
        columns[:, sources, np.arange(len(sources))] = chosen
        correlations = covariances[:, sources[:, None], sources]
        return columns, correlations * chosen[:, :, None] * chosen[:, None, :]
    for slot, source in enumerate(sources):
        if source < n_items:
            columns[:, source, slot] = scale[:, source]
            continue
        i, j = layout.products[source - n_items]
        columns[:, source, slot] = 1.0
        columns[:, i, slot] -= means[:, j]
        columns[:, j, slot] -= means[:, i]
        if slot in layout.orthogonal:
            _take_out(columns[:, :, slot], covariances, layout.orthogonal[slot], scale)
    correlations = np.swapaxes(columns, 1, 2) @ covariances @ columns
    with np.errstate(divide="ignore", invalid="ignore"):
        own = 1.0 / np.sqrt(np.einsum("bii->bi", correlations))  # a product may be constant
        return columns * own[:, None, :], correlations * own[:, :, None] * own[:, None, :]


def _take_out(column, covariances, items, scale):
    """Subtract from a column (in place) its regression on items."""
    items = np.array(items)
    with_items = np.einsum("bp,bpi->bi", column, covariances[:, :, items])
    unit = scale[:, items]
    among = covariances[:, items[:, None], items] * unit[:, :, None] * unit[:, None, :]
    solved, _ = solve_definite(among, (with_items * unit)[:, :, None])
    column[:, items] -= solved[:, :, 0] * unit


def _carry(weights, layout):
    """Slots of the second stage as combinations of the slots of the first."""
    first, second = layout.first, layout.second
    carry = np.zeros((len(weights), len(first.slots), len(second.slots)))
    for slot, (kind, position) in enumerate(layout.carried):
        if kind == "slot":
            carry[:, position, slot] = 1.0
        else:
            block = first.block(position)
            carry[:, block, slot] = weights[:, block]
    return carry


def _dense(weights, stage):
    dense = np.zeros((*weights.shape, len(stage.names)))
    dense[:, np.arange(weights.shape[1]), stage.owner] = weights
    return dense


def _with_products(combine, means, covariances, layout):
    """Append the products of two constructs' scores, scaled to variance 1, as combinations."""
    n_items = len(layout.items)
    place = {pair: n_items + k for k, pair in enumerate(layout.products)}
    products, spreads = [], []
    for one, other in layout.two_stage:
        u, v = combine[:, :n_items, one], combine[:, :n_items, other]
        column = np.zeros(combine.shape[:2])
        for i in layout.score_items[layout.names[one]]:
            for j in layout.score_items[layout.names[other]]:
                column[:, place[i, j]] += u[:, i] * v[:, j]
        column[:, :n_items] -= u * (v * means[:, :n_items]).sum(axis=1, keepdims=True)
        column[:, :n_items] -= v * (u * means[:, :n_items]).sum(axis=1, keepdims=True)
        variance = np.einsum("bi,bij,bj->b", column, covariances, column, optimize=True)
        spread = np.sqrt(np.where(variance > _NO_VARIANCE, variance, np.nan))
        products.append(column / spread[:, None])
        spreads.append(spread)
    return np.concatenate([combine, np.stack(products, axis=2)], axis=2), np.stack(spreads, axis=1)


def _rho_a(weights, layout):
    """Dijkstra & Henseler's reliability of scores in mode A; 1 for one item, NaN in mode B."""
    stage = layout.last
    squares = np.add.reduceat(weights**2, stage.starts, axis=1)
    fourth = np.add.reduceat(weights**4, stage.starts, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = squares**2 * (1 - squares) / (squares**2 - fourth)
    rho = np.where(stage.sizes == 1, 1.0, np.where(stage.mode_b, np.nan, rho))
    late = np.ones((len(weights), len(layout.two_stage)))
    return np.concatenate([rho, late], axis=1)


def _consistent_loadings(weights, loadings, rho_a, layout):
    stage = layout.last
    squares = np.add.reduceat(weights**2, stage.starts, axis=1)
    corrected = layout.corrected[: len(stage.names)][stage.owner]
    with np.errstate(invalid="ignore"):
        factor = np.sqrt(rho_a[:, : len(stage.names)]) / squares
    return np.where(corrected, weights * factor[:, stage.owner], loadings)


def _structure(correlations, layout):
    """Path coefficients and R² of every construct that something points to."""
    n = len(layout.names)
    paths = np.zeros((len(correlations), n, n))
    r_squared = np.full((len(correlations), n), np.nan)
    collinear = np.zeros(len(correlations), dtype=bool)
    for target in range(n):
        before = [s for s, t in layout.pairs if t == target]
        if before:
            coefficients, r_squared[:, target], flat = regress(correlations, before, target)
            paths[:, before, target] = coefficients
            collinear |= flat
    return paths, r_squared, collinear


def _admissible(correlations, rho_a, loadings, layout):
    """Reliabilities in (0, 1], loadings at most 1, correlations positive definite.

    The last keeps R² below 1 too.
    """
    rho = rho_a[:, layout.corrected]
    corrected = layout.corrected[: len(layout.last.names)][layout.last.owner]
    sizes = np.abs(loadings[:, corrected])
    most = 1 + ROUNDING
    with np.errstate(invalid="ignore"):
        well = ((rho > 0) & (rho <= most)).all(axis=1) & (sizes <= most).all(axis=1)
    complete = np.where(np.isfinite(correlations), correlations, 0.0)
    nothing = np.zeros((len(correlations), correlations.shape[1], 1))
    return well & (solve_definite(complete, nothing)[1] > 0)
