r"""The graph of customers: who is linked to whom, how strongly, and the graph without communities.

Who asks: whoever looks for communities. A division into communities is judged by its *modularity*,
the share of the links' weight that lies inside communities less the share that would lie there if
every customer kept their strength and chose partners without regard to communities,

.. math:: Q_\gamma = \sum_c \left[ \frac{W_c}{W} - \gamma \left(\frac{K_c}{2W}\right)^2 \right]

with :math:`W` the weight of all pairs, :math:`W_c` of those inside community c, :math:`K_c` the
strengths of its customers added up, and the resolution :math:`\gamma`: the higher, the more and
the smaller communities pay.

Sources: M. E. J. Newman & M. Girvan (2004), Finding and evaluating community structure in networks,
Physical Review E 69, 026113, doi:10.1103/PhysRevE.69.026113; J. Reichardt & S. Bornholdt (2006),
Statistical mechanics of community detection, Physical Review E 74, 016110,
doi:10.1103/PhysRevE.74.016110 (the resolution); S. Maslov & K. Sneppen (2002), Specificity and
stability in topology of protein networks, Science 296, 910-913, doi:10.1126/science.1065103 (the
rewired graph).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

__all__ = [
    "WEIGHTS",
    "CustomerGraph",
    "build_graph",
    "modularity",
    "rewire_graph",
]

#: What a pair weighs: its calls and referrals, one plus their logarithm, or one.
WEIGHTS = ("strength", "log_strength", "one")


@dataclass(frozen=True, eq=False)
class CustomerGraph:
    """Customers and the weighted pairs between them.

    Attributes
    ----------
    customer_id : pandas.Index
        Customers with at least one link, sorted.
    one, other : numpy.ndarray of int
        Positions of the two customers of each pair; each pair once, nobody with themselves.
    weight : numpy.ndarray of float
        Weight of each pair, above 0.
    """

    customer_id: pd.Index
    one: np.ndarray
    other: np.ndarray
    weight: np.ndarray

    @cached_property
    def edges(self):
        """The pairs as positions in text and weight, as compiled programs ask for them."""
        ends = (map(str, self.one.tolist()), map(str, self.other.tolist()))
        return list(zip(*ends, self.weight.tolist(), strict=True))

    @property
    def n_customers(self):
        """Customers with at least one link."""
        return len(self.customer_id)

    @property
    def degree(self):
        """Number of neighbours of each customer."""
        ends = np.concatenate([self.one, self.other])
        return np.bincount(ends, minlength=self.n_customers)

    @property
    def strength(self):
        """Weight of all pairs of each customer."""
        ends = np.concatenate([self.one, self.other])
        weight = np.concatenate([self.weight, self.weight])
        return np.bincount(ends, weights=weight, minlength=self.n_customers)

    def parts(self, is_kept=None):
        """Return the connected part of each customer, over the pairs kept (all unless given)."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        kept = slice(None) if is_kept is None else is_kept
        shape = (self.n_customers, self.n_customers)
        ends = self.one[kept], self.other[kept]
        matrix = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=shape)
        return connected_components(matrix, directed=False)[1]


def build_graph(pairs, *, weight="strength"):
    """Return the graph of the pairs.

    Parameters
    ----------
    pairs : pandas.DataFrame
        `pairs` of a `crmlab.segments.network.links.LinkBook`.
    weight : {"strength", "log_strength", "one"}
        What a pair weighs: its calls and referrals, 1 plus their natural logarithm, or 1.

    Returns
    -------
    CustomerGraph

    Raises
    ------
    ValueError
        If the weight is none of the three, there is no pair, a pair has no calls or referrals (or
        fewer than none), links somebody to themselves, or stands there twice.

    Examples
    --------
    >>> pairs = pd.DataFrame({"customer_id": ["a", "a"], "other_id": ["b", "c"],
    ...     "n_calls": [5, 0], "n_referrals": [0, 1]})
    >>> graph = build_graph(pairs)
    >>> graph.degree.tolist(), graph.strength.tolist()
    ([2, 1, 1], [6.0, 5.0, 1.0])
    """
    if weight not in WEIGHTS:
        raise ValueError(f"weight is {weight!r}; expected one of {', '.join(WEIGHTS)}")
    if not len(pairs):
        raise ValueError("pairs: there is none; a graph needs at least two customers with a link")
    ends = pd.concat([pairs["customer_id"], pairs["other_id"]], ignore_index=True)
    position, customer_id = pd.factorize(ends, sort=True)
    strength = (pairs["n_calls"] + pairs["n_referrals"]).to_numpy(dtype=float)
    one, other = position[: len(pairs)], position[len(pairs) :]
    faults = {
        "have calls and referrals that are missing, 0 or below": ~(strength > 0),
        "link a customer to themselves": one == other,
        "stand there twice": pd.Series(_keys(one, other, len(customer_id))).duplicated(),
    }
    for fault, is_bad in faults.items():
        if is_bad.any():
            raise ValueError(
                f"pairs: {int(is_bad.sum())} of {len(pairs)} {fault}; expected each pair once, of "
                "two customers, with one call or referral at least, as `open_links` gives them"
            )
    weights = {"strength": strength, "log_strength": 1 + np.log(strength)}
    return CustomerGraph(
        customer_id=pd.Index(customer_id, name="customer_id"),
        one=one,
        other=other,
        weight=weights.get(weight, np.ones(len(pairs))),
    )


def modularity(graph, community, *, resolution=1.0):
    r"""Return the modularity of a division into communities.

    Parameters
    ----------
    graph : CustomerGraph
    community : pandas.Series
        Community of each customer, indexed by the graph's `customer_id`.
    resolution : float
        :math:`\gamma`, above 0; 1 in the original definition.

    Returns
    -------
    float
        Below 1; 0 when all customers are one community at resolution 1.

    Raises
    ------
    ValueError
        If the index is another, a community is missing, or the resolution is not above 0.

    References
    ----------
    Newman & Girvan (2004), doi:10.1103/PhysRevE.69.026113

    Examples
    --------
    >>> pairs = pd.DataFrame({"customer_id": list("abde"), "other_id": list("bcef"),
    ...     "n_calls": 1, "n_referrals": 0})
    >>> graph = build_graph(pairs)
    >>> modularity(graph, pd.Series([1, 1, 1, 2, 2, 2], index=graph.customer_id))
    0.5
    """
    label = label_communities(graph, community)
    check_resolution(resolution)
    total = graph.weight.sum()
    inside = graph.weight[label[graph.one] == label[graph.other]].sum()
    held = np.bincount(label, weights=graph.strength) / (2 * total)
    return float(inside / total - resolution * (held**2).sum())


def rewire_graph(graph, *, rng, n_rounds=20):
    """Return the graph with its links laid anew at random, each customer keeping their degree.

    Two pairs at a time exchange partners, where that links nobody to themselves and no two twice.
    Weights go along with the first of their two customers; strengths are kept on the average only.

    Parameters
    ----------
    graph : CustomerGraph
    rng : numpy.random.Generator
    n_rounds : int
        Times that every pair is offered an exchange.

    Returns
    -------
    CustomerGraph
        With the same customers, degrees and weights: what is left when communities are taken out.

    References
    ----------
    Maslov & Sneppen (2002), doi:10.1126/science.1065103

    Examples
    --------
    >>> pairs = pd.DataFrame({"customer_id": list("abde"), "other_id": list("bcef"),
    ...     "n_calls": 1, "n_referrals": 0})
    >>> graph = build_graph(pairs)
    >>> rewired = rewire_graph(graph, rng=np.random.default_rng(1))
    >>> bool((rewired.degree == graph.degree).all())
    True
    """
    one, other = graph.one.astype(np.int64), graph.other.astype(np.int64)
    n = graph.n_customers
    key = _keys(one, other, n)
    for _ in range(n_rounds):
        # Which end of a pair is exchanged is left to chance as well.
        is_turned = rng.random(len(one)) < 0.5
        one, other = np.where(is_turned, other, one), np.where(is_turned, one, other)
        first, second = np.array_split(rng.permutation(len(one))[: len(one) // 2 * 2], 2)
        new = other[second], other[first]
        keys = _keys(one[first], new[0], n), _keys(one[second], new[1], n)
        proposed, times = np.unique(np.concatenate(keys), return_counts=True)
        there, twice = np.sort(key), proposed[times > 1]
        may = ~np.any([_is_in(k, known) for k in keys for known in (there, twice)], axis=0)
        may &= (one[first] != new[0]) & (one[second] != new[1])
        other[first[may]], other[second[may]] = new[0][may], new[1][may]
        key[first[may]], key[second[may]] = keys[0][may], keys[1][may]
    return CustomerGraph(graph.customer_id, one, other, graph.weight)


def label_communities(graph, community):
    """Return the communities as whole numbers from 0, refusing what does not fit the graph."""
    if not community.index.equals(graph.customer_id):
        raise ValueError(
            "community: its index is not the graph's customers; expected a community for each of "
            f"the {graph.n_customers} customers with a link, indexed by customer_id"
        )
    if community.isna().any():
        raise ValueError(
            f"community: missing for {int(community.isna().sum())} of {len(community)} customers; "
            "expected one for each"
        )
    return pd.factorize(community)[0]


def check_resolution(resolution):
    """Refuse a resolution that is not above 0."""
    if not 0 < resolution < np.inf:
        raise ValueError(f"resolution is {resolution!r}; expected a number above 0, such as 1")


def _is_in(wanted, known):
    """Return which of the wanted numbers are among those known, which are sorted."""
    if not len(known):
        return np.zeros(len(wanted), dtype=bool)
    return known[np.minimum(np.searchsorted(known, wanted), len(known) - 1)] == wanted


def _keys(one, other, n):
    """Return a number for each pair, the same whichever customer comes first."""
    return np.minimum(one, other) * n + np.maximum(one, other)
