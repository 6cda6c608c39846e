"""Figures of the graph of customers draw what they are given, in either language."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.plots import network as draw
from crmlab.plots import set_style
from crmlab.segments.network.contagion import Contagion

NODES = pd.DataFrame(
    {"community": [1, 2, 3], "n_customers": [40, 20, 10], "x": [0.0, 1.0, 0.5], "y": [0, 0, 1.0]}
)
EDGES = pd.DataFrame(
    {"community": [1, 2], "other": [2, 3], "weight": [8.0, 2.0], "share": [0.2, 0.1]}
)
TABLE = pd.DataFrame(
    {
        "resolution": [0.5, 1.0, 3.0],
        "stability": [0.7, 0.9, 0.95],
        "reference_stability": [0.1, 0.2, 0.6],
        "modularity": [0.7, 0.72, 0.71],
        "reference_modularity": [0.4, 0.42, 0.41],
        "reference_modularity_error": [0.01, 0.01, 0.02],
    }
)


def contagion():
    questions = ["who_leaves", "when_they_leave"]
    permuted = pd.DataFrame({name: np.arange(20) + 10 for name in questions})
    table = pd.DataFrame({"n_pairs": [25, 60]}, index=questions)
    return Contagion(table, permuted, 30)


def every_plot():
    share = pd.Series([0.2, 0.5, 0.9], index=[1, 2, 3], name="share_silent")
    return {
        "communities": lambda: draw.plot_communities(NODES, EDGES, share),
        "plain": lambda: draw.plot_communities(NODES, EDGES),
        "unlinked": lambda: draw.plot_communities(NODES, EDGES.iloc[:0], share),
        "stability": lambda: draw.plot_resolutions(TABLE, "stability", 1.0),
        "modularity": lambda: draw.plot_resolutions(TABLE, "modularity"),
        "who": lambda: draw.plot_contagion(contagion(), "who_leaves"),
        "when": lambda: draw.plot_contagion(contagion()),
    }


@pytest.fixture(autouse=True)
def _style():
    set_style("en")
    yield
    set_style("en")
    plt.close("all")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", every_plot())
def test_every_figure_names_its_axes_in_the_language(name, language):
    set_style(language)
    ax = every_plot()[name]()
    is_chinese = any("\u4e00" <= sign <= "\u9fff" for sign in ax.get_xlabel())
    assert is_chinese == (language == "zh")
    assert ax.get_xlabel()


def test_each_community_is_a_disc_with_its_number_as_large_as_it_has_customers():
    ax = draw.plot_communities(NODES, EDGES)
    discs = ax.collections[0]
    np.testing.assert_allclose(discs.get_offsets(), NODES[["x", "y"]])
    sizes = discs.get_sizes()
    np.testing.assert_allclose(sizes / sizes[0], [1, 0.5, 0.25])
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3"]
    wide, narrow = (line.get_linewidth() for line in ax.lines)
    assert wide > narrow


def test_resolutions_are_drawn_beside_rewired_graphs_with_the_chosen_one_marked():
    ax = draw.plot_resolutions(TABLE, "stability", 1.0)
    by_chance, found, chosen = ax.lines
    np.testing.assert_array_equal(found.get_ydata(), TABLE["stability"])
    np.testing.assert_array_equal(by_chance.get_ydata(), TABLE["reference_stability"])
    assert chosen.get_xdata()[0] == 1.0


def test_pairs_found_stand_beside_all_permutations():
    ax = draw.plot_contagion(contagion())
    assert sum(bar.get_height() for bar in ax.patches) == 20
    assert ax.lines[0].get_xdata()[0] == 60
    assert ax.get_xlim()[1] > 60


def test_numbers_are_white_on_dark_discs_only():
    share = pd.Series([0.2, 0.62, 0.9], index=[1, 2, 3], name="share_silent")
    ax = draw.plot_communities(NODES, EDGES, share)
    colours = {text.get_text(): text.get_color() for text in ax.texts}
    assert colours == {"1": "#333333", "2": "#333333", "3": "white"}


def test_the_number_of_a_disc_without_a_colour_can_be_read():
    share = pd.Series([0.2, np.nan, 0.9], index=[1, 2, 3], name="share_silent")
    ax = draw.plot_communities(NODES, EDGES, share)
    assert ax.texts[1].get_color() == "#333333"
