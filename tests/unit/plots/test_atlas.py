"""The figure of the atlas."""

import matplotlib as mpl
import pandas as pd
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt

from crmlab.atlas import concept_coverage, load_concepts, load_terms
from crmlab.plots import set_style
from crmlab.plots.atlas import plot_coverage

STAGES = pd.DataFrame(
    {"stage": list("0123456789"), "n_concepts_at_home": range(10), "n_concepts_to_come": 5}
)


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")
    set_style("en")


@pytest.mark.parametrize(
    ("language", "first", "axis"), [("en", "Start here", "Concepts"), ("zh", "导览", "概念数")]
)
def test_coverage_figure_draws_in_both_languages(language, first, axis):
    set_style(language)
    ax = plot_coverage(STAGES)
    ax.figure.canvas.draw()
    assert ax.get_yticklabels()[0].get_text() == first
    assert ax.get_xlabel() == axis


def test_bars_are_as_long_as_the_counts_and_lie_end_to_end():
    ax = plot_coverage(STAGES)
    assert [bar.get_width() for bar in ax.patches] == [*range(10), *[5] * 10]
    assert [bar.get_x() for bar in ax.patches] == [*[0] * 10, *range(10)]


def test_a_count_of_nothing_is_not_written():
    written = [text.get_text() for text in plot_coverage(STAGES).texts]
    assert written == ["", *map(str, range(1, 10)), *["5"] * 10]


def test_coverage_figure_takes_what_the_atlas_counts(tmp_path):
    counts = [
        {"stage": stage, "n_concepts_at_home": n, "n_concepts_to_come": of - n}
        for stage, n, of in concept_coverage(tmp_path).by("stage")
    ]
    ax = plot_coverage(pd.DataFrame(counts))
    assert sum(bar.get_width() for bar in ax.patches) == len(load_concepts())


def test_every_stage_has_a_name():
    assert {f"stage_{concept.stage}" for concept in load_concepts()} <= set(load_terms())


def test_coverage_figure_draws_into_the_axes_given_and_leaves_the_counts_as_they_were():
    before = STAGES.copy(deep=True)
    _, ax = plt.subplots()
    assert plot_coverage(STAGES, ax=ax) is ax
    pd.testing.assert_frame_equal(STAGES, before)
