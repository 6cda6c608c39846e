"""Communities of customers: found, described, and laid out for a picture.

Who asks: whoever wants to address groups that talk to each other, in the manner of a telephone
company that divides its subscribers by who calls whom.

Two methods, both looking for the division of highest modularity
(`crmlab.segments.network.graph.modularity`). *Louvain* moves customers one by one to the community
where they add most, makes each community one customer, and starts again. *Leiden* adds a step in
between that takes communities apart again where their parts hang together too little, so that no
community it returns falls into unconnected parts, which Louvain's may.

Sources: V. D. Blondel, J.-L. Guillaume, R. Lambiotte & E. Lefebvre (2008), Fast unfolding of
communities in large networks, Journal of Statistical Mechanics, P10008,
doi:10.1088/1742-5468/2008/10/P10008 (tried on 2.6 million customers of a telephone company); V. A.
Traag, L. Waltman & N. J. van Eck (2019), From Louvain to Leiden: guaranteeing well-connected
communities, Scientific Reports 9, 5233, doi:10.1038/s41598-019-41695-z.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.segments.network.graph import check_resolution, label_communities

__all__ = ["METHODS", "describe_communities", "find_communities", "lay_out_communities"]

METHODS = ("leiden", "louvain")
_ITERATIONS = 2  # times that Leiden goes on from what it has found


def find_communities(graph, *, seed, method="leiden", resolution=1.0):
    r"""Return the community of each customer.

    Parameters
    ----------
    graph : crmlab.segments.network.graph.CustomerGraph
    seed : int
        Seed of the order in which customers are visited: the same seed, the same communities.
    method : {"leiden", "louvain"}
    resolution : float
        :math:`\gamma` of the modularity, above 0: the higher, the more communities.

    Returns
    -------
    pandas.Series of int, named `community`, indexed by the graph's `customer_id`
        Numbered from 1, the largest first; of equally large ones, that of the first customer.

    Raises
    ------
    ValueError
        If the method is neither, or the resolution is not above 0.

    References
    ----------
    Traag, Waltman & van Eck (2019), doi:10.1038/s41598-019-41695-z; Blondel et al. (2008),
    doi:10.1088/1742-5468/2008/10/P10008

    Examples
    --------
    >>> from crmlab.segments.network.graph import build_graph
    >>> pairs = pd.DataFrame({"customer_id": list("aabdde"), "other_id": list("bccefg"),
    ...     "n_calls": 1, "n_referrals": 0})
    >>> find_communities(build_graph(pairs), seed=1).to_dict()
    {'a': 2, 'b': 2, 'c': 2, 'd': 1, 'e': 1, 'f': 1, 'g': 1}
    """
    check_resolution(resolution)
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    find = _find_by_leiden if method == "leiden" else _find_by_louvain
    return _number(find(graph, float(resolution), int(seed)), graph)


def describe_communities(graph, community):
    """Return size and shape of each community.

    Parameters
    ----------
    graph : crmlab.segments.network.graph.CustomerGraph
    community : pandas.Series
        Community of each customer, indexed by the graph's `customer_id`.

    Returns
    -------
    pandas.DataFrame, one row per community, in their order
        `community`, `n_customers`, `customer_share` (of the customers with a link), `n_pairs`
        inside, `density` (of all pairs that could be, the share that is; NaN for one customer),
        `mean_degree`, `inside_share` (of its customers' strength, what stays inside) and
        `is_connected`.

    Raises
    ------
    ValueError
        If the communities do not fit the graph.

    Examples
    --------
    >>> from crmlab.segments.network.graph import build_graph
    >>> pairs = pd.DataFrame({"customer_id": list("aabc"), "other_id": list("bccd"),
    ...     "n_calls": 1, "n_referrals": 0})
    >>> graph = build_graph(pairs)
    >>> community = pd.Series([1, 1, 1, 2], index=graph.customer_id)
    >>> shown = ["community", "n_pairs", "density", "inside_share"]
    >>> describe_communities(graph, community)[shown].round(2)
       community  n_pairs  density  inside_share
    0          1        3      1.0          0.86
    1          2        0      NaN          0.00
    """
    label = label_communities(graph, community)
    is_inside = label[graph.one] == label[graph.other]
    n = np.bincount(label)
    inside = label[graph.one[is_inside]]
    n_pairs = np.bincount(inside, minlength=len(n))
    weight = np.bincount(inside, weights=graph.weight[is_inside], minlength=len(n))
    possible = n * (n - 1) / 2
    part = graph.parts(is_inside)
    n_parts = np.bincount(label[np.unique(part, return_index=True)[1]], minlength=len(n))
    table = pd.DataFrame(
        {
            "community": pd.unique(community),
            "n_customers": n,
            "customer_share": n / n.sum(),
            "n_pairs": n_pairs,
            "density": n_pairs / np.where(possible > 0, possible, np.nan),
            "mean_degree": np.bincount(label, weights=graph.degree) / n,
            "inside_share": 2 * weight / np.bincount(label, weights=graph.strength),
            "is_connected": n_parts == 1,
        }
    )
    return table.sort_values("community", ignore_index=True)


def lay_out_communities(graph, community, *, seed, n_shown=40, least_share=0.015):
    """Return where to draw each community, and the links between them.

    Thousands of customers make a ball of wool; communities drawn as one dot each can be read.

    Parameters
    ----------
    graph : crmlab.segments.network.graph.CustomerGraph
    community : pandas.Series
        Community of each customer, indexed by the graph's `customer_id`.
    seed : int
        Seed of the places to start from.
    n_shown : int
        Communities shown at most, the largest.
    least_share : float
        Of the strength of the smaller of the two communities, the share that a link must hold to
        be shown; 0 to 1.

    Returns
    -------
    nodes : pandas.DataFrame
        `community`, `n_customers`, `x`, `y`: communities with many links lie close.
    edges : pandas.DataFrame
        `community`, `other`, `weight` (of all pairs between the two) and `share` of the smaller
        one's strength.
    """
    import networkx as nx

    label = label_communities(graph, community)
    names = pd.unique(community)
    sizes = pd.Series(np.bincount(label)).sort_values(ascending=False, kind="stable")
    shown = sizes.index[:n_shown].sort_values()
    one, other = label[graph.one], label[graph.other]
    low, high = np.minimum(one, other), np.maximum(one, other)
    edges = pd.DataFrame({"community": low, "other": high, "weight": graph.weight})
    edges = edges[(low != high) & np.isin(low, shown) & np.isin(high, shown)]
    edges = edges.groupby(["community", "other"], as_index=False)["weight"].sum()
    strength = np.bincount(label, weights=graph.strength)
    smaller = np.minimum(strength[edges["community"]], strength[edges["other"]])
    edges["share"] = edges["weight"] / smaller
    drawn = nx.Graph()
    drawn.add_nodes_from(int(c) for c in shown)
    drawn.add_weighted_edges_from(
        (int(a), int(b), float(s))
        for a, b, s in edges[["community", "other", "share"]].itertuples(index=False)
    )
    places = nx.spring_layout(drawn, seed=int(seed), k=4 / np.sqrt(len(shown)), iterations=200)
    xy = np.array([places[int(c)] for c in shown]).reshape(-1, 2)
    nodes = pd.DataFrame({"community": names[shown], "n_customers": sizes[shown].to_numpy()})
    nodes = nodes.assign(x=xy[:, 0], y=xy[:, 1])
    edges = edges[edges["share"] >= least_share]
    named = {name: names[edges[name]] for name in ("community", "other")}
    return nodes, edges.assign(**named).reset_index(drop=True)


def _find_by_leiden(graph, resolution, seed):
    import graspologic_native

    found = graspologic_native.leiden(
        graph.edges, resolution=resolution, iterations=_ITERATIONS, seed=seed
    )[1]
    label = np.empty(graph.n_customers, dtype=np.int64)
    label[np.fromiter(map(int, found), np.int64, len(found))] = list(found.values())
    return label


def _find_by_louvain(graph, resolution, seed):
    import networkx as nx

    drawn = nx.Graph()
    drawn.add_nodes_from(range(graph.n_customers))
    drawn.add_weighted_edges_from(
        zip(graph.one.tolist(), graph.other.tolist(), graph.weight.tolist(), strict=True)
    )
    label = np.empty(graph.n_customers, dtype=np.int64)
    parts = nx.community.louvain_communities(drawn, resolution=resolution, seed=seed)
    for number, part in enumerate(parts):
        label[list(part)] = number
    return label


def _number(label, graph):
    """Return the communities numbered from 1 by size; equally large ones by first customer."""
    code = pd.factorize(label)[0]  # in the order of first customers
    rank = np.argsort(np.argsort(-np.bincount(code), kind="stable"))
    return pd.Series(rank[code] + 1, index=graph.customer_id, name="community")
