"""How well the model gives back the items' correlations: SRMR.

Who asks: whoever is asked for "the fit". The correlations of the items that a model implies are
set beside the observed ones. *Saturated*: constructs may correlate as they do, so that only the
measurement is judged. *Estimated*: constructs that no path joins correlate only through paths.

Within a reflective construct the implied correlation of two items is the product of their
loadings; within a composite it is the observed one, because a composite says nothing about it.

Source: J. Henseler, T. K. Dijkstra, M. Sarstedt et al. (2014), Common beliefs and reality about
PLS, Organizational Research Methods 17(2), 182-209, doi:10.1177/1094428114526928.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["implied_correlations", "srmr"]


def srmr(estimate):
    """Return the standardised root mean square residual of both models.

    Returns
    -------
    pandas.DataFrame
        One row, columns `saturated` and `estimated`: the root of the mean squared difference
        between observed and implied correlations, over all pairs of items and the diagonal.

    References
    ----------
    Henseler et al. (2014), doi:10.1177/1094428114526928
    """
    observed = estimate.solution.item_correlations[0]
    lower = np.tril_indices(len(observed))
    values = {}
    for kind in ("saturated", "estimated"):
        away = (observed - implied_correlations(estimate, kind))[lower]
        values[kind] = [float(np.sqrt((away**2).mean()))]
    return pd.DataFrame(values)


def implied_correlations(estimate, kind):
    """Return the items' correlations implied by the saturated or the estimated model.

    Parameters
    ----------
    estimate : Estimate
    kind : {"saturated", "estimated"}

    Returns
    -------
    ndarray, shape (n_slots, n_slots)
    """
    stage, solution = estimate.layout.last, estimate.solution
    among = solution.correlations[0]
    if kind == "estimated":
        among = _through_paths(estimate, among)
    elif kind != "saturated":
        raise ValueError(f"kind is saturated or estimated, not {kind!r}")
    loadings = solution.loadings[0]
    implied = loadings[:, None] * loadings * among[np.ix_(stage.owner, stage.owner)]
    for construct, name in enumerate(stage.names):
        block = stage.block(construct)
        if estimate.model.construct(name).kind != "reflective":
            implied[block, block] = solution.item_correlations[0][block, block]
    np.fill_diagonal(implied, 1.0)
    return implied


def _through_paths(estimate, correlations):
    """Correlations of constructs that the paths alone imply, exogenous ones as observed."""
    layout, paths = estimate.layout, estimate.solution.paths[0]
    names = range(len(layout.names))
    order = []
    while len(order) < len(layout.names):
        order += [
            k
            for k in names
            if k not in order and all(s in order for s, t in layout.pairs if t == k)
        ]
    explained = {t for _, t in layout.pairs}
    implied = correlations.copy()
    order.sort(key=lambda k: k in explained)  # stable: exogenous first, then as the paths run
    for place, k in enumerate(order):
        if k in explained:
            before = order[:place]
            implied[k, before] = implied[before, k] = (
                paths[:, k][before] @ implied[np.ix_(before, before)]
            )
    return implied
