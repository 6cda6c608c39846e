"""Stability: whether communities come out again, and whether a graph without any has them too.

Who asks: whoever must defend communities. Modularity is high on graphs without any as well, and
many divisions, unlike each other, come close to the highest. So each resolution is run from several
seeds, and beside it stands the same on graphs rewired at random that keep every customer's degree.

Sources: R. Guimerà, M. Sales-Pardo & L. A. N. Amaral (2004), Modularity from fluctuations in random
graphs and complex networks, Physical Review E 70, 025101, doi:10.1103/PhysRevE.70.025101; M. Meila
(2007), Comparing clusterings: an information based distance, Journal of Multivariate Analysis
98(5), 873-895, doi:10.1016/j.jmva.2006.11.013; S. Fortunato & M. Barthelemy (2007), Resolution
limit in community detection, Proceedings of the National Academy of Sciences 104(1), 36-41,
doi:10.1073/pnas.0605965104.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from crmlab.segments.network.communities import find_communities
from crmlab.segments.network.graph import build_graph, modularity, rewire_graph

__all__ = [
    "choose_resolution",
    "compare_resolutions",
    "predict_hidden_pairs",
    "variation_of_information",
]

_SEED_RANGE = 2**31 - 1


def compare_resolutions(
    graph, *, seed, resolutions=(0.5, 1.0, 2.0, 3.0, 5.0), n_runs=4, n_references=2
):
    """Return how stable the communities are at each resolution, beside rewired graphs.

    Parameters
    ----------
    graph : crmlab.segments.network.graph.CustomerGraph
    seed : int
        Seed of the runs and of the rewired graphs.
    resolutions : sequence of float
        Each above 0.
    n_runs : int
        Runs of Leiden from different seeds, at least 2; on each rewired graph as well.
    n_references : int
        Rewired graphs, at least 2.

    Returns
    -------
    pandas.DataFrame, one row per resolution, ascending
        `resolution`; `n_communities`, the (lower) median over the runs; `modularity` (resolution
        1) of the best run; `stability`, the mean adjusted Rand index of two runs (1 the same, 0
        chance); `variation_of_information` of two runs, on the average; `reference_modularity`
        and `reference_modularity_error`, mean and standard deviation of the best over the rewired
        graphs; `reference_stability`, mean over them.

    Raises
    ------
    ValueError
        If a setting is out of range.

    Examples
    --------
    >>> import networkx as nx
    >>> ends = np.array(nx.ring_of_cliques(6, 5).edges())
    >>> pairs = pd.DataFrame({"customer_id": ends[:, 0], "other_id": ends[:, 1],
    ...     "n_calls": 1, "n_referrals": 0})
    >>> table = compare_resolutions(build_graph(pairs), seed=1, resolutions=[1.0], n_runs=2)
    >>> int(table["n_communities"][0]), float(table["stability"][0])
    (6, 1.0)
    """
    resolutions = sorted(set(resolutions))
    for name, value, lowest in (
        ("n_runs", n_runs, 2),
        ("n_references", n_references, 2),
        ("number of resolutions", len(resolutions), 1),
    ):
        if value < lowest:
            raise ValueError(f"{name} is {value!r}; expected at least {lowest}")
    rng = np.random.default_rng(seed)
    references = [rewire_graph(graph, rng=rng) for _ in range(n_references)]
    rows = []
    for resolution in resolutions:
        found = _run(graph, resolution, n_runs, rng)
        by_chance = pd.DataFrame([_run(one, resolution, n_runs, rng) for one in references])
        rows.append(
            {"resolution": float(resolution)}
            | found
            | {
                "reference_modularity": by_chance["modularity"].mean(),
                "reference_modularity_error": by_chance["modularity"].std(),
                "reference_stability": by_chance["stability"].mean(),
            }
        )
    return pd.DataFrame(rows)


def choose_resolution(table):
    r"""Return the resolution whose communities come out again best, corrected for chance.

    .. math:: \frac{S - S_0}{1 - S_0}

    with the stability S and that of the rewired graphs S0. Where the rewired graphs' communities
    come out again every time, as a single one of all customers does, stability says nothing, and
    the resolution is not chosen while there is another. Of equally good ones the lowest is taken.

    Parameters
    ----------
    table : pandas.DataFrame
        As returned by `compare_resolutions`.

    Returns
    -------
    float

    Examples
    --------
    >>> choose_resolution(pd.DataFrame({"resolution": [0.1, 1.0, 2.0],
    ...     "stability": [1.0, 0.9, 0.8], "reference_stability": [1.0, 0.2, 0.1]}))
    1.0
    """
    stability, reference = table["stability"], table["reference_stability"]
    room = 1 - reference
    corrected = (stability - reference) / room.where(room > 1e-9)
    return float(table["resolution"][corrected.fillna(-np.inf).idxmax()])


def variation_of_information(first, second):
    r"""Return how much two divisions of the same customers tell that the other does not.

    .. math:: V = \frac{H(X \mid Y) + H(Y \mid X)}{\log n}

    Parameters
    ----------
    first, second : array_like, shape (n_customers,)
        Group of each customer in each division, no missing values.

    Returns
    -------
    float
        0 where the divisions are the same; 1 where one is all customers together and the other
        each by themselves. Symmetric. NaN for fewer than two customers.

    References
    ----------
    Meila (2007), doi:10.1016/j.jmva.2006.11.013

    Examples
    --------
    >>> round(variation_of_information([1, 1, 2, 2], [5, 6, 5, 6]), 6)
    1.0
    """
    left, right = pd.factorize(np.asarray(first))[0], pd.factorize(np.asarray(second))[0]
    if len(left) != len(right) or min(left.min(initial=0), right.min(initial=0)) < 0:
        raise ValueError("first and second: expected a group for each of the same customers")
    n = len(left)
    if n < 2:
        return float("nan")
    both = np.unique(left * (right.max() + 1) + right, return_counts=True)[1]
    entropies = [_entropy(counts, n) for counts in (both, np.bincount(left), np.bincount(right))]
    return float(max(2 * entropies[0] - entropies[1] - entropies[2], 0.0) / np.log(n))


def predict_hidden_pairs(pairs, *, rng, share=0.1, resolution=1.0, weight="strength"):
    """Return how well communities found without some pairs tell where those pairs are.

    Parameters
    ----------
    pairs : pandas.DataFrame
        `pairs` of a `crmlab.segments.network.links.LinkBook`.
    rng : numpy.random.Generator
        Draws the pairs that are hidden.
    share : float
        Of the pairs, the share hidden; between 0 and 1, and one pair at least.
    resolution, weight
        As for `find_communities` and `build_graph`.

    Returns
    -------
    dict of str to float
        `n_hidden` pairs between customers who still have a link; `hidden_inside`, the share of
        them within a community; `inside_by_chance`, the share if each customer kept their degree
        and chose partners without regard to communities; and `inside_error`, its standard error.
        Shares are NaN where no hidden pair can be placed.

    Raises
    ------
    ValueError
        If the share is out of range or leaves no pair to see.
    """
    n_hidden = max(1, round(share * len(pairs)))
    if not 0 < share < 1 or not n_hidden < len(pairs):
        raise ValueError(
            f"share is {share!r} of {len(pairs)} pairs; expected one that hides some and not all"
        )
    is_hidden = np.zeros(len(pairs), dtype=bool)
    is_hidden[rng.choice(len(pairs), n_hidden, replace=False)] = True
    graph = build_graph(pairs[~is_hidden], weight=weight)
    community = find_communities(graph, seed=_draw_seed(rng), resolution=resolution)
    hidden = pairs[is_hidden]
    ends = [community.reindex(hidden[name]).to_numpy() for name in ("customer_id", "other_id")]
    can_place = ~np.isnan(ends[0]) & ~np.isnan(ends[1])
    n = int(can_place.sum())
    held = np.bincount(community, weights=graph.degree) / graph.degree.sum()
    chance = float((held**2).sum())
    return {
        "n_hidden": n,
        "hidden_inside": float((ends[0] == ends[1])[can_place].mean()) if n else float("nan"),
        "inside_by_chance": chance if n else float("nan"),
        "inside_error": float(np.sqrt(chance * (1 - chance) / n)) if n else float("nan"),
    }


def _run(graph, resolution, n_runs, rng):
    from sklearn.metrics import adjusted_rand_score

    runs = [
        find_communities(graph, seed=_draw_seed(rng), resolution=resolution) for _ in range(n_runs)
    ]
    two = [(a.to_numpy(), b.to_numpy()) for a, b in combinations(runs, 2)]
    return {
        "n_communities": int(np.sort([run.max() for run in runs])[(n_runs - 1) // 2]),
        "modularity": max(modularity(graph, run) for run in runs),
        "stability": float(np.mean([adjusted_rand_score(*pair) for pair in two])),
        "variation_of_information": float(
            np.mean([variation_of_information(*pair) for pair in two])
        ),
    }


def _entropy(counts, n):
    share = counts[counts > 0] / n
    return float(-(share * np.log(share)).sum())


def _draw_seed(rng):
    return int(rng.integers(_SEED_RANGE))
