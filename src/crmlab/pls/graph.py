"""Paths as a graph: reading them from text, cycles, layers, and the ways from one to another.

Who asks: the model when it is built, and everything that follows an effect along its ways.
"""

from __future__ import annotations

from itertools import pairwise

__all__ = ["chains", "depths", "find_cycle", "path_pairs", "topological_order"]


def path_pairs(texts):
    """Return the (source, target) pairs of paths written as text.

    Parameters
    ----------
    texts : iterable of str
        Such as `"A, B -> C -> D"`.

    Returns
    -------
    tuple of (str, str)
        In the order written.

    Raises
    ------
    ValueError
        If a text holds no arrow or a name is missing beside one.

    Examples
    --------
    >>> path_pairs(["A, B -> C", "C -> D"])
    (('A', 'C'), ('B', 'C'), ('C', 'D'))
    """
    pairs = []
    for text in texts:
        if not isinstance(text, str) or "->" not in text:
            raise ValueError(f"a path is a text like 'A -> B', not {text!r}")
        sides = [[name.strip() for name in side.split(",")] for side in text.split("->")]
        if any(not name for side in sides for name in side):
            raise ValueError(f"path {text!r}: a name is missing beside an arrow or a comma")
        for sources, targets in pairwise(sides):
            pairs += [(source, target) for source in sources for target in targets]
    return tuple(pairs)


def topological_order(names, pairs):
    """Return the names so that every source stands before its targets, ties as given."""
    order, left = [], list(names)
    while left:
        ready = [n for n in left if not any(t == n and s in left for s, t in pairs)]
        if not ready:
            return None
        order += ready
        left = [n for n in left if n not in ready]
    return order


def find_cycle(names, pairs):
    """Return the names along one cycle, the first repeated at the end; empty when none."""
    left = set(names)
    while True:
        ends = {n for n in left if not any(s == n and t in left for s, t in pairs)}
        if not ends:
            break
        left -= ends
    if not left:
        return []
    walk = [next(n for n in names if n in left)]
    while walk[-1] not in walk[:-1]:
        walk.append(next(t for s, t in pairs if s == walk[-1] and t in left))
    return walk[walk.index(walk[-1]) :]


def depths(names, pairs):
    """Return how long the longest way to each construct is, 0 where nothing points to it."""
    depth = {}
    for name in topological_order(names, pairs):
        depth[name] = max((depth[s] + 1 for s, t in pairs if t == name), default=0)
    return depth


def chains(pairs):
    """Return every way over at least two paths, as tuples of names.

    Examples
    --------
    >>> chains([("A", "B"), ("B", "C"), ("A", "C")])
    [('A', 'B', 'C')]
    """
    ways, found = [list(pair) for pair in pairs], []
    while ways:
        ways = [[*way, target] for way in ways for source, target in pairs if source == way[-1]]
        found += [tuple(way) for way in ways]
    return found
