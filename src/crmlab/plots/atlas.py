"""Figures of the atlas: how many of the field's concepts have a home."""

from crmlab.plots.style import PALE, PALETTE, label, legend_above, new_axes, rows_from_top

__all__ = ["plot_coverage"]


def plot_coverage(counts, ax=None):
    """Draw the concepts of each stage of the study: at home, and to come.

    Parameters
    ----------
    counts : pandas.DataFrame, one row per stage, drawn from the top
        `stage` ("0" to "9"), `n_concepts_at_home` and `n_concepts_to_come`.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"stage": ["0", "1"], "n_concepts_at_home": [3, 0],
    ...                        "n_concepts_to_come": [1, 5]})
    >>> [text.get_text() for text in plot_coverage(counts).get_yticklabels()]
    ['Start here', 'Collecting data']
    >>> plt.close()
    """
    ax = new_axes(ax)
    at_home, to_come = counts["n_concepts_at_home"], counts["n_concepts_to_come"]
    rows = range(len(counts))
    done = ax.barh(rows, at_home, color=PALETTE[0], label=label("n_concepts_at_home"))
    rest = ax.barh(rows, to_come, left=at_home, color=PALE, label=label("n_concepts_to_come"))
    for bars, numbers, color in ((done, at_home, "white"), (rest, to_come, "#333333")):
        texts = [str(number) if number else "" for number in numbers]
        ax.bar_label(bars, texts, label_type="center", color=color, fontsize="small")
    rows_from_top(ax, [label(f"stage_{stage}") for stage in counts["stage"]])
    ax.set_xlabel(label("n_concepts"))
    legend_above(ax)
    return ax
