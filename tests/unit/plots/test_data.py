"""Figures of the data collected."""

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt

from crmlab.atlas import load_terms
from crmlab.data.collection import DATA_CLASSES
from crmlab.data.profile import CHAIN, STATUSES
from crmlab.data.tables import TABLES
from crmlab.plots import set_style
from crmlab.plots.data import (
    plot_chain,
    plot_enrichment,
    plot_filled_fields,
    plot_filled_tables,
    plot_margin_of_error,
    plot_mode_effects,
)

OVERVIEW = pd.DataFrame(
    {
        "table": list(DATA_CLASSES),
        "data_class": list(DATA_CLASSES.values()),
        "n_rows": [5000, 12000, 61234, 0, *[900] * (len(DATA_CLASSES) - 4)],
        "share_filled": [0.93, 1.0, 0.99, np.nan, *[0.02] * (len(DATA_CLASSES) - 4)],
    }
)
FIELDS = pd.DataFrame(
    {"column": ["joined_on", "birth_year", "region"], "share_filled": [1.0, 0.81, np.nan]}
)
STEPS = pd.DataFrame(
    {"step": CHAIN, "n_customers": [5000, 3500, 0, 0], "share_of_known": [1, 0.7, 0, 0]}
)
CURVES = pd.DataFrame(
    {
        "n_respondents": [50, 400, 50, 400],
        "population": ["population_finite"] * 2 + ["population_infinite"] * 2,
        "margin_of_error": [0.13, 0.04, 0.14, 0.05],
    }
)
MODES = pd.DataFrame(
    {
        "mode": ["web", "telephone", "interview"],
        "raw_difference": [0, 0.9, 1.1],
        "mode_effect": [0, 0.2, 0.4],
        "lower": [0, -0.1, -0.3],
        "upper": [0, 0.5, 1.1],
    }
)
WORTH = SimpleNamespace(
    value_by_chance=1.0,
    value_own=3.0,
    value_enriched=3.5,
    value_perfect=5.0,
    gain_lower=-0.1,
    gain_upper=1.1,
    n_matched=10,
)
PLOTS = {
    "modes": (plot_mode_effects, MODES),
    "tables": (plot_filled_tables, OVERVIEW),
    "fields": (plot_filled_fields, FIELDS),
    "chain": (plot_chain, STEPS),
    "margin": (plot_margin_of_error, CURVES),
}


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")
    set_style("en")


def texts(ax):
    shown = [
        *ax.texts,
        ax.xaxis.label,
        ax.yaxis.label,
        *ax.get_xticklabels(),
        *ax.get_yticklabels(),
    ]
    legend = ax.get_legend()
    return [text.get_text() for text in shown + (list(legend.get_texts()) if legend else [])]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("plot", "result"), PLOTS.values(), ids=PLOTS)
def test_figure_draws_in_both_languages_without_a_missing_glyph(plot, result, language):
    # A glyph the font lacks is a warning, and warnings are errors here.
    set_style(language, currency="CNY")
    ax = plot(result)
    ax.figure.canvas.draw()
    chinese = any("\u4e00" <= character <= "\u9fff" for character in "".join(texts(ax)))
    assert chinese == (language == "zh")


@pytest.mark.parametrize(("plot", "result"), PLOTS.values(), ids=PLOTS)
def test_figure_draws_into_the_axes_given_and_leaves_the_result_as_it_was(plot, result):
    before = result.copy(deep=True)
    _, ax = plt.subplots()
    assert plot(result, ax=ax) is ax
    pd.testing.assert_frame_equal(result, before)


def test_filled_tables_show_every_table_with_its_rows():
    ax = plot_filled_tables(OVERVIEW)
    assert [text.get_text() for text in ax.texts] == [
        "93.0%   5,000 rows",
        "100.0%   12,000 rows",
        "99.0%   61,234 rows",
        "0.0%   0 rows",
        *["2.0%   900 rows"] * (len(DATA_CLASSES) - 4),
    ]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "Descriptive",
        "Promotional",
        "Transactional",
        "Attitudinal",
    ]


def test_one_table_alone_gets_a_legend_of_one_class():
    ax = plot_filled_tables(OVERVIEW.query("table == 'survey'"))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Attitudinal"]


def test_bars_are_as_long_as_the_numbers_say():
    ax = plot_filled_fields(FIELDS.iloc[:2])
    assert [bar.get_width() for bar in ax.patches] == [1.0, 0.81]
    ax = plot_chain(STEPS)
    assert [bar.get_height() for bar in ax.patches] == [5000, 3500, 0, 0]


def test_field_of_a_users_own_keeps_its_name():
    ax = plot_filled_fields(pd.DataFrame({"column": ["shoe_size"], "share_filled": [0.5]}))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["shoe_size"]


def test_axis_of_shares_writes_no_rounded_tick():
    # Ticks every 2.5 per cent would read 2, 5, 8 with no decimal.
    ax = plot_margin_of_error(CURVES.assign(margin_of_error=[0.18, 0.04, 0.18, 0.05]))
    ax.figure.canvas.draw()
    for tick, text in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True):
        assert float(text.get_text().rstrip("%")) == pytest.approx(100 * tick)


def test_margin_marks_the_survey_that_was_made():
    ax = plot_margin_of_error(CURVES, survey=(250, 0.06))
    finite, infinite, point = ax.lines
    assert finite.get_ydata().tolist() == [0.13, 0.04]
    assert infinite.get_ydata().tolist() == [0.14, 0.05]
    assert point.get_xydata().tolist() == [[250, 0.06]]


def test_modes_are_drawn_against_the_first_with_their_intervals():
    ax = plot_mode_effects(MODES)
    raw = next(line for line in ax.lines if line.get_label() == "Raw difference")
    assert raw.get_xdata().tolist() == [0.9, 1.1]
    ((bars, *_),) = [container.lines[2] for container in ax.containers]
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, [[-0.1, 0.5], [-0.3, 1.1]])
    assert ax.get_xlabel() == "Difference of mean answers (points; compared with: web)"
    set_style("zh")
    assert plot_mode_effects(MODES).get_xlabel() == "平均得分之差（分；参照方式：网络）"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_worth_of_bought_fields_is_drawn_and_left_out_where_nothing_matched(language):
    set_style(language, currency="CNY")
    ax = plot_enrichment(WORTH)
    ax.figure.canvas.draw()
    assert [bar.get_width() for bar in ax.patches] == [1, 3, 3.5, 5]
    ((bars, *_),) = [
        container.lines[2] for container in ax.containers if hasattr(container, "lines")
    ]
    assert bars.get_segments()[0][:, 0].tolist() == pytest.approx([2.9, 4.1])
    ax = plot_enrichment(SimpleNamespace(**vars(WORTH) | {"n_matched": 0}))
    assert len(ax.patches) == 3


def test_every_word_the_figures_can_need_is_a_term():
    fields = {column.name for column in TABLES["customers"].columns} - {"customer_id"}
    tables = {f"table_{name}" for name in DATA_CLASSES}
    needed = fields | tables | set(DATA_CLASSES.values()) | {*CHAIN, *STATUSES}
    assert needed <= set(load_terms())
