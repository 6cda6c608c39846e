"""Path diagrams: constructs, arrows, items; from a specification alone or from a fit.

Who asks: whoever must show a model before there are data, and its coefficients afterwards, in one
and the same picture. What is drawn follows the custom of path diagrams: an ellipse for a construct
that causes its items, a rectangle for a single item or a composite; the arrow is as wide as its
effect is large, broken and grey where the interval does not leave 0 out.
"""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch

from crmlab.atlas import load_terms
from crmlab.plots.path_layout import (
    HEIGHT,
    ITEM_GAP,
    ITEM_HEIGHT,
    ITEM_WIDTH,
    WIDTH,
    lay_out_paths,
)
from crmlab.plots.style import GREY, PALETTE, label, new_axes

__all__ = ["plot_paths", "say_name"]

_NODE, _EDGE = "#EAF2F8", "#2B4A63"
_INCH = 0.62  # of a unit of the drawing


def plot_paths(model, *, paths=None, r_squared=None, loadings=None, has_items=False, ax=None):
    """Draw a path diagram.

    Parameters
    ----------
    model : crmlab.pls.PathModel
        Its `nodes`, `edges` and `measures` are drawn; names are said by the terms table where it
        knows them.
    paths : pandas.DataFrame or None
        One row per path: `source`, `target`, `estimate`, `low`, `high`, as from
        `crmlab.pls.intervals`; None draws the specification alone.
    r_squared : pandas.Series or None
        Share of variance explained, by construct; written under its name.
    loadings : pandas.DataFrame or None
        Items by constructs; written beside the items.
    has_items : bool
        Whether items are drawn.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones of the size that the diagram needs.

    Returns
    -------
    matplotlib.axes.Axes
    """
    measures = model.measures
    nodes = model.nodes.dropna(subset="layer")  # parts stand as the items of their whole
    names, layers = list(nodes["construct"]), nodes["layer"]
    pairs = list(model.edges.itertuples(index=False, name=None))
    diagram = lay_out_paths(names, layers, pairs, nodes["n_items"] if has_items else None)
    ax = _canvas(ax, diagram, nodes, has_items)
    kinds = dict(zip(names, nodes["kind"], strict=True))
    boxes = {name: _draw_construct(ax, diagram.places[name], kinds[name]) for name in names}
    for name in names:
        _write_construct(ax, diagram.places[name], name, r_squared)
    fitted = {} if paths is None else paths.set_index(["source", "target"]).T.to_dict()
    for pair, bend, place in zip(pairs, diagram.bends, diagram.labels, strict=True):
        _draw_path(ax, diagram, boxes, pair, bend, place, fitted.get(pair))
    if has_items:
        for name in names:
            members = measures.loc[measures["construct"] == name, "item"]
            _draw_items(ax, diagram, name, list(members), loadings)
    if fitted:
        _draw_key(ax, fitted.values())
    return ax


def _canvas(ax, diagram, nodes, has_items):
    places = np.array(list(diagram.places.values()))
    low, high = places.min(axis=0), places.max(axis=0)
    if has_items:
        for name, count in zip(nodes["construct"], nodes["n_items"], strict=True):
            y, side = diagram.places[name][1], diagram.sides[name]
            end = y + side * (HEIGHT / 2 + ITEM_GAP + count * ITEM_HEIGHT - HEIGHT / 2)
            low[1], high[1] = min(low[1], end), max(high[1], end)
    margin = np.array([(ITEM_WIDTH if has_items else WIDTH) / 2 + 0.1, HEIGHT / 2 + 0.1])
    low, high = low - margin, high + margin
    if ax is None:
        ax = new_axes(None)
        ax.figure.set_size_inches(*(high - low) * _INCH + [0, 0.25])
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    ax.axis("off")
    return ax


def _draw_construct(ax, place, kind):
    look = {"facecolor": _NODE, "edgecolor": _EDGE, "linewidth": 1.3, "zorder": 3}
    if kind in ("reflective", "higher_order"):
        patch = Ellipse(place, WIDTH, HEIGHT, **look)
    else:
        corner = (place[0] - WIDTH / 2 + 0.08, place[1] - HEIGHT / 2 + 0.08)
        style = "round,pad=0.08,rounding_size=0.06"
        patch = FancyBboxPatch(corner, WIDTH - 0.16, HEIGHT - 0.16, boxstyle=style, **look)
    return ax.add_patch(patch)


def say_name(key, of=None):
    """Return the word for a construct or, `of` a column, a group; its name where there is none."""
    known = [word for word in (f"{of}_{key}", key) if word in load_terms()]
    return label(known[0]) if known else str(key)


def _write_construct(ax, place, name, r_squared):
    word = say_name(name)
    lines = _two_lines(word)
    known = r_squared is not None and name in r_squared.index
    text = {"ha": "center", "va": "center", "zorder": 4, "color": "#1B2A38", "linespacing": 1.0}
    lift = 0.13 if known else 0.0
    size = 10 if max(map(len, lines)) <= 13 else 9
    ax.text(place[0], place[1] + lift, "\n".join(lines), fontsize=size, **text)
    if known:
        below = place[1] - (0.28 if len(lines) > 1 else 0.18)
        share = f"$R^2$ = {r_squared[name]:.2f}"
        ax.text(place[0], below, share, fontsize=9, **text | {"color": "#4A5A68"})


def _two_lines(word):
    """Break a long name at the space nearest its middle."""
    spaces = [k for k, sign in enumerate(word) if sign == " "]
    if len(word) <= 10 or not spaces:
        return [word]
    at = min(spaces, key=lambda k: abs(k - len(word) / 2))
    return [word[:at], word[at + 1 :]]


def _draw_path(ax, diagram, boxes, pair, bend, place, fit):
    source, target = pair
    style, text = _look(fit)
    arrow = FancyArrowPatch(
        diagram.places[source],
        diagram.places[target],
        connectionstyle=f"arc3,rad={bend}",
        patchA=boxes[source],
        patchB=boxes[target],
        arrowstyle="-|>,head_length=5,head_width=2.6",
        mutation_scale=1.0,
        shrinkA=0,
        shrinkB=1,
        zorder=2,
        joinstyle="miter",
        **style,
    )
    ax.add_patch(arrow)
    if text:
        ax.text(
            *place,
            text,
            fontsize=9,
            ha="center",
            va="center",
            color="#555555" if style["color"] == GREY else style["color"],
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
        )


def _look(fit):
    """Return how an arrow is drawn, and its number."""
    if fit is None:
        return {"color": _EDGE, "linewidth": 1.2}, ""
    value = fit["estimate"]
    width = 0.9 + 5.0 * min(abs(value), 1.0)
    text = f"{value:z.2f}".replace("-", "\N{MINUS SIGN}")
    if fit["low"] <= 0 <= fit["high"]:
        return {"color": GREY, "linewidth": width, "linestyle": (0, (3.0, 1.6))}, text
    return {"color": PALETTE[0] if value > 0 else PALETTE[1], "linewidth": width}, text


def _draw_items(ax, diagram, name, members, loadings):
    """Draw a construct's items as a stack on its outer side, joined by a spine."""
    x, y = diagram.places[name]
    side = diagram.sides[name]
    first = y + side * (HEIGHT / 2 + ITEM_GAP + ITEM_HEIGHT / 2)
    spine = x - ITEM_WIDTH / 2
    left = spine + 0.12
    line = {"color": _EDGE, "linewidth": 0.8, "zorder": 2}
    last = first + side * (len(members) - 1) * ITEM_HEIGHT
    ax.plot([x, x], [y, first - side * (ITEM_HEIGHT / 2 + 0.08)], **line)
    bar = first - side * (ITEM_HEIGHT / 2 + 0.08)
    ax.plot([x, spine, spine], [bar, bar, last], **line)
    for k, item in enumerate(members):
        level = first + side * k * ITEM_HEIGHT
        ax.annotate(
            "",
            (left, level),
            (spine, level),
            arrowprops={"arrowstyle": "-|>,head_length=0.25,head_width=0.12", "shrinkA": 0}
            | {"shrinkB": 0, "color": _EDGE, "linewidth": 0.8},
        )
        corner = (left, level - ITEM_HEIGHT / 2 + 0.025)
        ax.add_patch(
            FancyBboxPatch(
                corner,
                ITEM_WIDTH - 0.12,
                ITEM_HEIGHT - 0.05,
                boxstyle="square,pad=0",
                facecolor="white",
                edgecolor="#8FA3B3",
                linewidth=0.7,
                zorder=3,
            )
        )
        text = {"va": "center_baseline", "fontsize": 8.5, "zorder": 4, "color": "#1B2A38"}
        ax.text(left + 0.04, level, item, ha="left", **text)
        if loadings is not None and name in loadings and item in loadings.index:
            value = f"{loadings.loc[item, name]:z.2f}".replace("-", "\N{MINUS SIGN}")
            ax.text(x + ITEM_WIDTH / 2 - 0.04, level, value, ha="right", **text)


def _draw_key(ax, fits):
    fits = list(fits)
    sure = [f for f in fits if not f["low"] <= 0 <= f["high"]]
    lines = []
    if any(f["estimate"] > 0 for f in sure):
        lines.append(Line2D([], [], color=PALETTE[0], linewidth=2.4, label=label("path_positive")))
    if any(f["estimate"] < 0 for f in sure):
        lines.append(Line2D([], [], color=PALETTE[1], linewidth=2.4, label=label("path_negative")))
    if len(sure) < len(fits):
        dashes = {"color": GREY, "linewidth": 2.0, "linestyle": (0, (3.0, 1.6))}
        lines.append(Line2D([], [], **dashes, label=label("path_unsure")))
    ax.legend(
        handles=lines,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(lines),
        fontsize=9,
        handlelength=2.6,
        borderaxespad=0.1,
    )
