"""Figures of data quality show the numbers they were given, in both languages."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.atlas import load_terms
from crmlab.data.comparison import COMPARED
from crmlab.data.fellegi_sunter import LEVELS
from crmlab.data.quality import DIMENSIONS
from crmlab.data.release import PURPOSES
from crmlab.data.simulate.records import SYSTEMS
from crmlab.data.unicity import GRAINS
from crmlab.plots import set_style
from crmlab.plots.quality import (
    plot_anonymity_cost,
    plot_link_rates,
    plot_match_weights,
    plot_private_counts,
    plot_quality_scores,
    plot_unicity,
)

SCORES = pd.DataFrame(
    {name: [0.4, 0.97, np.nan] for name in DIMENSIONS}, index=["orders", "records", "own_table"]
)
WEIGHTS = pd.DataFrame(
    {
        "field": np.repeat(COMPARED, 3),
        "level": list(LEVELS) * 5,
        "match_weight": np.tile([-4.0, 5.0, 14.0], 5),
    }
)
RATES = pd.DataFrame({"threshold": [0.1, 0.9], "precision": [0.9, 1.0], "recall": [1.0, 0.8]})
COSTS = pd.DataFrame(
    {
        "k": [2, 10],
        "information_loss": [0.2, 0.5],
        "risk_mean": [0.1, 0.01],
        "share_suppressed": [0.0, 0.01],
    }
)
COUNTS = pd.DataFrame({"off_by": [0.01, -0.1], "range": [0.02, 0.3]}, index=["east", "?"])
UNICITY = pd.DataFrame(
    {
        "grain": np.repeat(list(GRAINS), 2),
        "n_known": [1, 2] * 5,
        "unicity": np.linspace(0, 1, 10),
        "standard_error": 0.01,
    }
)
CASES = [
    (plot_quality_scores, (SCORES, "table")),
    (plot_match_weights, (WEIGHTS,)),
    (plot_link_rates, (RATES,)),
    (plot_anonymity_cost, (COSTS,)),
    (plot_private_counts, (COUNTS, "region")),
    (plot_unicity, (UNICITY,)),
]


@pytest.fixture(autouse=True)
def style():
    set_style("en")
    yield
    plt.close("all")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("plot", "arguments"), CASES, ids=lambda value: getattr(value, "__name__", "")
)
def test_figure_is_drawn_in_both_languages_and_changes_nothing(plot, arguments, language):
    set_style(language)
    before = arguments[0].copy()
    plot(*arguments)
    pd.testing.assert_frame_equal(arguments[0], before)


@pytest.mark.parametrize(
    ("plot", "arguments"), CASES, ids=lambda value: getattr(value, "__name__", "")
)
def test_figure_goes_where_it_is_told(plot, arguments):
    _, ax = plt.subplots(figsize=(9, 5))
    assert plot(*arguments, ax=ax) is ax


def test_scores_are_written_and_a_users_own_table_keeps_its_name():
    ax = plot_quality_scores(SCORES, "table")
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["40.0%"] * 6 + ["97.0%"] * 6 + ["–"] * 6
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["Orders", "Raw records", "own_table"]


def test_truth_is_dashed_beside_what_was_expected():
    ax = plot_link_rates(RATES, RATES.assign(precision=[0.7, 0.8]), threshold=0.5)
    assert [line.get_linestyle() for line in ax.lines] == ["-", "-", "--", "--", ":"]
    assert ax.lines[2].get_ydata().tolist() == [0.7, 0.8]


def test_every_k_has_its_tick():
    ax = plot_anonymity_cost(COSTS, k=10)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2", "10"]


def test_range_reaches_as_far_to_either_side():
    ax = plot_private_counts(COUNTS, "region")
    assert [(bar.get_x(), bar.get_width()) for bar in ax.patches] == [(-0.02, 0.04), (-0.3, 0.6)]
    assert ax.lines[0].get_xdata().tolist() == [0.01, -0.1]


def test_every_word_the_figures_and_tables_can_need_is_a_term():
    needed = {f"field_{name}" for name in COMPARED} | {f"level_{name}" for name in LEVELS}
    needed |= {f"grain_{name}" for name in GRAINS} | {f"system_{name}" for name in SYSTEMS}
    needed |= {f"purpose_{name}" for name in PURPOSES} | set(DIMENSIONS)
    assert needed <= set(load_terms())
