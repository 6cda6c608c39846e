"""Figures of who calls whom: communities, their stability, leaving along the links."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from crmlab.plots.style import (
    GREY,
    PALE,
    PALETTE,
    label,
    legend_above,
    new_axes,
    number_axis,
    share_axis,
)

__all__ = ["plot_communities", "plot_contagion", "plot_resolutions"]

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # share of red, green and blue in lightness


def plot_communities(nodes, edges, colour=None, ax=None):
    """Draw each community as a disc, as large as it has customers, with the links between them.

    Parameters
    ----------
    nodes, edges : pandas.DataFrame
        Results of `crmlab.segments.network.communities.lay_out_communities`.
    colour : pandas.Series, optional
        A share for each community, indexed by it, whose name is a key of the terms table: shown
        as the colour of the discs.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    place = nodes.set_index("community")[["x", "y"]]
    widest = edges["share"].max() if len(edges) else 1.0
    for link in edges.itertuples():
        ends = place.loc[[link.community, link.other]]
        ax.plot(
            ends["x"],
            ends["y"],
            color=GREY,
            linewidth=0.3 + 3 * link.share / widest,
            alpha=0.45,
            solid_capstyle="round",
            zorder=1,
        )
    values = None if colour is None else colour.reindex(nodes["community"]).to_numpy()
    discs = ax.scatter(
        nodes["x"],
        nodes["y"],
        s=700 * nodes["n_customers"] / nodes["n_customers"].max(),
        c=PALETTE[4] if values is None else values,
        cmap=None if values is None else "YlOrBr",
        edgecolor="white",
        linewidth=1.2,
        zorder=2,
    )
    if values is not None:
        bar = ax.figure.colorbar(discs, ax=ax, shrink=0.8)
        bar.set_label(label(colour.name), fontsize="small")
        share_axis(bar.ax.yaxis)
    colours = discs.to_rgba(values) if values is not None else None
    for i, node in enumerate(nodes.itertuples()):
        is_coloured = colours is not None and np.isfinite(values[i])
        is_dark = is_coloured and colours[i, :3] @ _LUMINANCE < 0.5
        ax.text(
            node.x,
            node.y,
            str(node.community),
            ha="center",
            va="center",
            fontsize=9,
            color="white" if is_dark else "#333333",
            zorder=3,
        )
    ax.set(xticks=[], yticks=[], xlabel=label("communities_and_links"))
    ax.margins(0.08)
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def plot_resolutions(table, index="stability", chosen=None, ax=None):
    """Draw an index over the resolution, beside the same on rewired graphs.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.segments.network.stability.compare_resolutions`.
    index : {"stability", "modularity"}
        Column to draw.
    chosen : float, optional
        Resolution to mark.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x, reference = table["resolution"], table[f"reference_{index}"]
    if f"reference_{index}_error" in table:
        error = 2 * table[f"reference_{index}_error"]
        ax.fill_between(x, reference - error, reference + error, color=GREY, alpha=0.2, linewidth=0)
    ax.plot(x, reference, "s--", color=GREY, markersize=5, label=label("rewired_graph"))
    ax.plot(x, table[index], "o-", color=PALETTE[0], label=label("this_graph"))
    if chosen is not None:
        ax.axvline(chosen, color=PALETTE[1], linewidth=1.2, linestyle=":", zorder=1)
    ax.set(xlabel=label("resolution"), ylabel=label(index), ylim=(0, 1.04))
    number_axis(ax.xaxis, ax.yaxis)
    legend_above(ax, ncols=2, fontsize="small")
    return ax


def plot_contagion(contagion, question="when_they_leave", ax=None):
    """Draw the pairs that left together beside how many do by chance.

    Parameters
    ----------
    contagion : crmlab.segments.network.contagion.Contagion
    question : {"when_they_leave", "who_leaves"}
        The question to draw.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    permuted = contagion.permuted[question]
    found = contagion.table.loc[question, "n_pairs"]
    width = max(1, round((permuted.max() - permuted.min()) / 25))  # pairs: whole numbers
    bins = np.arange(permuted.min() - 0.5, permuted.max() + width, width)
    ax.hist(permuted, bins=bins, color=PALE, edgecolor="white", label=label("by_chance"))
    ax.axvline(found, color=PALETTE[1], linewidth=2, label=label("found_pairs"))
    low, high = min(permuted.min(), found), max(permuted.max(), found)
    room = 0.06 * max(high - low, 1)
    ax.set(
        xlim=(low - room, high + room),
        xlabel=label(question),
        ylabel=label("n_permutations"),
    )
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    number_axis(ax.xaxis, ax.yaxis)
    legend_above(ax)
    return ax
