"""Figures of moves, effects and targets draw what they are given, in either language."""

import itertools

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.text import Text

from crmlab.plots import set_style
from crmlab.plots import targeting as draw


def moves():
    return pd.DataFrame(
        {
            "before": ["1", "1", "2", "2"],
            "after": ["1", "no_purchase"] * 2,
            "n_customers": [6, 4, 1, 9],
            "share": [0.6, 0.4, 0.1, 0.9],
            "lower": [0.3, 0.2, 0.0, 0.6],
            "upper": [0.8, 0.7, 0.4, 1.0],
        }
    )


def effects(value="uplift"):
    return pd.DataFrame(
        {"segment": [1, 2], value: [0.1, -0.05], "lower": [0.0, -0.2], "upper": [0.2, 0.1]}
    )


def targets():
    index = pd.Index([1, 2, 3], name="segment")
    scores = pd.DataFrame({"attractiveness": [1.0, 0.2, None], "fit": [0.4, 0.9, 0.5]}, index=index)
    return scores, pd.DataFrame({"chosen_share": [0.75, 0.25, 0.0]}, index=index)


@pytest.fixture(autouse=True)
def _style():
    set_style("en", currency="EUR")
    yield
    set_style("en")
    plt.close("all")


PLOTS = {
    "transitions": lambda: draw.plot_transitions(moves()),
    "uplift": lambda: draw.plot_effects(effects(), "uplift", pooled=0.03, truth=[0.1, 0.0]),
    "satisfaction": lambda: draw.plot_effects(
        effects("satisfaction_difference"), "satisfaction_difference"
    ),
    "targets": lambda: draw.plot_targets(*targets()),
}


@pytest.mark.parametrize("name", sorted(PLOTS))
def test_figure_names_its_axes_in_english_and_in_chinese(name):
    for language, is_chinese in (("en", False), ("zh", True)):
        set_style(language, currency="EUR")
        ax = PLOTS[name]()
        ax.figure.canvas.draw()
        for text in (ax.get_xlabel(), ax.get_ylabel()):
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text) == is_chinese


def test_transitions_name_segments_by_number_and_write_each_share_with_its_interval():
    ax = draw.plot_transitions(moves())
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "no purchase"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["1 (n = 10)", "2 (n = 10)"]
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written[(1, 0)] == "40%\n(20%–70%)"
    assert written[(0, 1)] == "10%\n(0%–40%)"


def test_effects_draw_estimate_truth_and_the_line_of_all():
    ax = draw.plot_effects(effects(), "uplift", pooled=0.03, truth=[0.1, 0.0])
    nothing, pooled, estimate, truth = ax.lines
    assert set(nothing.get_xdata()) == {0}
    assert set(pooled.get_xdata()) == {0.03}
    assert list(estimate.get_xdata()) == [0.1, -0.05]
    assert list(truth.get_xdata()) == [0.1, 0.0]
    assert len(draw.plot_effects(effects(), "uplift", pooled=float("nan")).lines) == 2


def test_targets_are_drawn_where_both_scores_are_known_and_larger_where_chosen():
    ax = draw.plot_targets(*targets())
    (points,) = ax.collections
    assert points.get_offsets().tolist() == [[0.4, 1.0], [0.9, 0.2]]
    assert points.get_sizes()[0] > points.get_sizes()[1]
    written = {text.get_text() for text in ax.texts}
    assert {"1 (75%)", "2 (25%)", "serve first", "leave aside"} <= written


def test_names_of_segments_that_are_nearly_alike_cover_neither_each_other_nor_a_point():
    scores = pd.DataFrame(
        {"attractiveness": [1, 0.18, 0.12, 0.14, 0.15], "fit": [1, 0.94, 0.89, 0.91, 0.9]},
        index=range(1, 6),
    )
    shares = pd.DataFrame({"chosen_share": [1.0, 0, 0, 0, 0]}, index=scores.index)
    ax = draw.plot_targets(scores, shares)
    ax.figure.canvas.draw()
    names = [text for text in ax.texts if "%" in text.get_text()]
    boxes = [Text.get_window_extent(text) for text in names]
    assert len(boxes) == 5
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    points = ax.transData.transform(scores[["fit", "attractiveness"]].to_numpy())
    assert not any(box.contains(*point) for box in boxes for point in points)


def test_figure_is_drawn_on_the_axes_given():
    _, ax = plt.subplots()
    assert draw.plot_transitions(moves(), ax=ax) is ax
