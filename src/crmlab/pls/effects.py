"""Direct, indirect and total effects along the paths, for one sample or a stack of them.

Who asks: whoever asks how image moves loyalty in the end, and by which way.

An indirect effect along a way is the product of its path coefficients; the total effect is the
direct one plus all ways. Source: J.-B. Lohmöller (1989), doi:10.1007/978-3-642-52512-4.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from crmlab.pls.graph import chains

__all__ = [
    "indirect_effects",
    "reached_pairs",
    "specific_indirect_effects",
    "total_effects",
    "total_effects_of",
    "ways",
]


def total_effects_of(paths):
    """Return total effects of a stack of path matrices [sample, source, target]."""
    total, step = paths.copy(), paths
    for _ in range(paths.shape[1] - 2):
        step = step @ paths
        if not step.any():
            break
        total += step
    return total


def reached_pairs(layout):
    """Return the positions (source, target) that some way joins, in reading order."""
    direct = np.zeros((1, len(layout.names), len(layout.names)))
    for source, target in layout.pairs:
        direct[0, source, target] = 1.0
    return [tuple(map(int, pair)) for pair in np.argwhere(total_effects_of(direct)[0])]


def ways(layout):
    """Return every way over at least two paths, as tuples of positions."""
    return chains(list(layout.pairs))


def total_effects(estimate):
    """Return the total effects of an estimate, source by target; 0 where no way leads.

    Parameters
    ----------
    estimate : Estimate

    Returns
    -------
    pandas.DataFrame, construct by construct
    """
    values = total_effects_of(estimate.solution.paths)[0]
    return pd.DataFrame(values, estimate.names, estimate.names)


def indirect_effects(estimate):
    """Return the total indirect effects, source by target: the total less the direct effect."""
    return total_effects(estimate) - estimate.path_coefficients


def specific_indirect_effects(estimate):
    """Return the effect along every single way over at least two paths.

    Returns
    -------
    pandas.DataFrame
        `source`, `target`, `way` (names joined by arrows), `effect`.
    """
    paths, names = estimate.solution.paths[0], estimate.names
    rows = [
        (
            names[way[0]],
            names[way[-1]],
            " -> ".join(names[k] for k in way),
            float(np.prod([paths[s, t] for s, t in pairwise(way)])),
        )
        for way in ways(estimate.layout)
    ]
    return pd.DataFrame(rows, columns=["source", "target", "way", "effect"])
