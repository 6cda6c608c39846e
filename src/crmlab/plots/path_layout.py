"""Where the boxes, arrows and numbers of a path diagram stand: geometry, no statistics.

Constructs stand in columns by the longest way that leads to them, so that every arrow points to the
right. Their rows are searched for: few arrows that cross, none through a box, none upon another.
An arrow that would run through a box is bent. The search begins at fixed places and leaves nothing
to chance: the same diagram is drawn the same.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

__all__ = ["Diagram", "bezier", "lay_out_paths"]

WIDTH, HEIGHT = 1.65, 0.98  # of a construct, in units of the drawing
STEP = 2.3  # between columns
ITEM_WIDTH, ITEM_HEIGHT, ITEM_GAP = 2.5, 0.33, 0.22
_ROWS = np.arange(-5, 6) * 0.6
_BENDS = np.array([0.0, 0.10, -0.10, 0.2, -0.2, 0.3, -0.3, 0.42, -0.42])
_ALONG = np.linspace(0.06, 0.94, 20)
_LABEL = (0.31, 0.17)  # half the width and the height of a number on an arrow


@dataclass(frozen=True)
class Diagram:
    """Places in units of the drawing.

    `places` (x, y) by construct; `sides` 1 where items stand above a construct, -1 below; `bends`
    and `labels` (x, y) by arrow, in the order of the pairs.
    """

    places: dict
    sides: dict
    bends: tuple
    labels: tuple


def lay_out_paths(names, layers, pairs, n_items=None):
    """Return the `Diagram` of constructs and arrows.

    Parameters
    ----------
    names : sequence of str
    layers : sequence of float
        Column of each construct.
    pairs : sequence of (str, str)
        Source and target of each arrow.
    n_items : sequence of int or None
        Items drawn at each construct; None draws none.

    Returns
    -------
    Diagram

    Examples
    --------
    >>> diagram = lay_out_paths(["a", "b"], [0, 1], [("a", "b")])
    >>> diagram.places["b"][0] > diagram.places["a"][0]
    True
    """
    counts = tuple(n_items) if n_items is not None else (0,) * len(names)
    edges = tuple((names.index(s), names.index(t)) for s, t in pairs)
    columns = list(map(float, layers))
    for node in {s for s, _ in edges} - {t for _, t in edges}:
        # What nothing explains stands beside what it explains first, not far off at the left.
        columns[node] = min(columns[t] for s, t in edges if s == node) - 1
    return _search(tuple(names), tuple(columns), edges, counts)


@cache
def _search(names, layers, edges, counts):
    x = np.array(layers) * STEP
    ends = np.array(edges)
    rows = _best_rows(x, ends, counts)
    y = rows - (rows.max() + rows.min()) / 2
    boxes = _boxes(x, y[None], counts)
    points = np.column_stack([x, y])
    bends = _BENDS[_bend_costs(points[None], ends, boxes)[0].argmin(axis=1)]
    labels = _place_labels(points, ends, bends, boxes[0])
    return Diagram(
        places={name: tuple(map(float, p)) for name, p in zip(names, points, strict=True)},
        sides=dict(zip(names, np.where(y >= 0, 1, -1).tolist(), strict=True)),
        bends=tuple(map(float, bends)),
        labels=tuple(tuple(map(float, p)) for p in labels),
    )


def _best_rows(x, ends, counts):
    """Return the row of each construct: from several starts, one construct is moved at a time."""
    best, least = None, np.inf
    for rows in _starts(len(x)):
        cost, moved = np.inf, True
        while moved:
            moved = False
            for node in range(len(x)):
                tried = np.repeat(rows[None], len(_ROWS), axis=0)
                tried[:, node] = _ROWS
                costs = _costs(x, tried, ends, counts)
                if costs.min() < cost - 1e-9:
                    rows, cost, moved = tried[costs.argmin()], costs.min(), True
        if cost < least - 1e-9:
            best, least = rows, cost
    return best


def _starts(n):
    """Return rows to begin from: a zigzag, and rows dealt by fixed numbers."""
    zigzag = np.where(np.arange(n) % 2, -1, 1) * _ROWS[-3]
    rng = np.random.default_rng(42)
    return [zigzag, *rng.choice(_ROWS, (5, n))]


def _boxes(x, y, counts):
    """Return left, right, bottom, top of each construct, then of its items (NaN without any)."""
    wide = np.broadcast_to(x, y.shape)
    body = np.stack([wide - WIDTH / 2, wide + WIDTH / 2, y - HEIGHT / 2, y + HEIGHT / 2], axis=2)
    more = np.where(np.array(counts) > 0, ITEM_GAP + np.array(counts) * ITEM_HEIGHT, np.nan)
    near = y + np.where(y >= 0, 1, -1) * HEIGHT / 2
    far = near + np.where(y >= 0, 1, -1) * more
    half = np.where(np.isnan(more), np.nan, ITEM_WIDTH / 2)
    low, high = np.minimum(near, far), np.maximum(near, far)
    return np.concatenate([body, np.stack([wide - half, wide + half, low, high], axis=2)], axis=1)


def bezier(start, end, bend, along):
    """Return points of the arc that `arc3` draws between two points, shape (n, 2)."""
    start, end = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    dx, dy = end - start
    middle = (start + end) / 2 + bend * np.array([dy, -dx])
    t = np.asarray(along)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end


def _arcs(points, ends):
    """Return points of every arrow at every bend, by layout, arrow, bend, point and axis."""
    start, end = points[:, ends[:, 0]], points[:, ends[:, 1]]
    away = end - start
    normal = np.stack([away[..., 1], -away[..., 0]], axis=-1)
    middle = ((start + end) / 2)[:, :, None] + _BENDS[:, None] * normal[:, :, None]
    t = _ALONG[:, None]
    ahead = ((1 - t) ** 2) * start[:, :, None] + t**2 * end[:, :, None]
    return ahead[:, :, None] + (2 * t * (1 - t)) * middle[:, :, :, None]


def _inside(points, boxes, pad):
    """Return whether points lie in boxes, with a margin; the boxes' axis comes last."""
    x, y = points[..., 0, None], points[..., 1, None]
    left, right, bottom, top = np.moveaxis(boxes, -1, 0)
    return (x > left - pad) & (x < right + pad) & (y > bottom - pad) & (y < top + pad)


def _bend_costs(points, ends, boxes):
    """Return the cost of every arrow at every bend: bending, and running through a construct."""
    inside = _inside(_arcs(points, ends), boxes[:, None, None, None], 0.12)
    foreign = np.ones((len(ends), boxes.shape[1]), dtype=bool)
    np.put_along_axis(foreign, ends, values=False, axis=1)
    hits = (inside & foreign[:, None, None]).sum(axis=(3, 4))
    return hits * 8 + np.abs(_BENDS) * 9


def _costs(x, rows, ends, counts):
    """Return how ill each layout (a row of rows) reads."""
    y = rows - (rows.max(axis=1) + rows.min(axis=1))[:, None] / 2
    boxes = _boxes(x, y, counts)
    points = np.stack([np.broadcast_to(x, y.shape), y], axis=2)
    away = points[:, ends[:, 1]] - points[:, ends[:, 0]]
    seen = np.hypot(away[..., 0], away[..., 1]) - np.where(
        np.abs(away[..., 1]) * WIDTH > np.abs(away[..., 0]) * HEIGHT, HEIGHT, WIDTH
    )
    return (
        _bend_costs(points, ends, boxes).min(axis=2).sum(axis=1)
        + 1000 * _overlaps(boxes)
        + 2.5 * _crossings(points, ends)
        + _fans(ends, away)
        + 6 * np.clip(1.2 - seen, 0, None).sum(axis=1)  # too short for its number
        + 0.25 * np.abs(away[..., 1]).sum(axis=1)
        + 0.9 * np.ptp(y, axis=1)
    )


def _overlaps(boxes):
    """Count pairs of constructs that stand upon each other."""
    one, other = np.triu_indices(boxes.shape[1], 1)
    # A construct touches its own items.
    kept = other - one != boxes.shape[1] // 2
    one, other = one[kept], other[kept]
    a, b = np.moveaxis(boxes[:, one], -1, 0), np.moveaxis(boxes[:, other], -1, 0)
    apart = np.max([a[0] - b[1], b[0] - a[1], a[2] - b[3], b[2] - a[3]], axis=0)
    return (apart < 0.15).sum(axis=1)


def _crossings(points, ends):
    """Count pairs of arrows, drawn straight, that cross."""
    one, other = np.triu_indices(len(ends), 1)
    apart = (ends[one][:, :, None] != ends[other][:, None, :]).all(axis=(1, 2))
    one, other = one[apart], other[apart]
    a, b = points[:, ends[one, 0]], points[:, ends[one, 1]]
    c, d = points[:, ends[other, 0]], points[:, ends[other, 1]]

    def turn(p, q, r):
        u, v = q - p, r - p
        return np.sign(u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0])

    opposite = (turn(a, b, c) * turn(a, b, d) < 0) & (turn(c, d, a) * turn(c, d, b) < 0)
    return opposite.sum(axis=1)


def _fans(ends, away):
    """Return a penalty of arrows that leave or reach a construct in nearly one direction."""
    angle = np.arctan2(away[..., 1], away[..., 0])
    one, other = np.triu_indices(len(ends), 1)
    together = (ends[one] == ends[other]).any(axis=1)
    gap = np.abs(angle[:, one] - angle[:, other])[:, together]
    return 4 * np.clip(1 - gap / 0.3, 0, None).sum(axis=1)


def _place_labels(points, ends, bends, boxes):
    """Return a place on each arrow, off boxes, other arrows and numbers placed before."""
    along = np.linspace(0.22, 0.78, 29)
    fine = np.linspace(0.0, 1.0, 60)
    curves = [
        bezier(points[s], points[t], bend, fine) for (s, t), bend in zip(ends, bends, strict=True)
    ]
    lengths = np.array([np.hypot(*(points[t] - points[s])) for s, t in ends])
    places = [None] * len(ends)
    for k in np.argsort(lengths, kind="stable"):
        source, target = ends[k]
        spots = bezier(points[source], points[target], bends[k], along)
        cost = 0.8 * np.abs(along - 0.5)
        cost = cost + 40 * _inside(spots, boxes, 0.16).sum(axis=1)
        for j, curve in enumerate(curves):
            if j != k:
                near = np.abs(spots[:, None] - curve) < np.array(_LABEL) * 0.9
                cost = cost + 3 * near.all(axis=2).any(axis=1)
        for other in places:
            if other is not None:
                near = np.abs(spots - other) < 2.1 * np.array(_LABEL)
                cost = cost + 20 * near.all(axis=1)
        places[k] = spots[cost.argmin()]
    return places
