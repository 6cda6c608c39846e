import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from crmlab.plots.style import PALETTE, set_style
from crmlab.plots.sweep import draw_sweep, plot_sweep

WORDS = {"x": "segments", "line": "share of A", "mean": "mean", "range": "range over seeds"}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")
    set_style("en")


@pytest.fixture
def table():
    """Three values of x, two lines, three seeds; the value tells all of them."""
    rows = [
        {"x": x, "line": line, "seed": seed, "value": x + 10 * i + seed / 10}
        for x in (5, 3, 4)
        for i, line in enumerate(("60%", "70%"))
        for seed in (1, 2, 3)
    ]
    return pd.DataFrame(rows)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_line_is_the_mean_over_seeds_and_the_band_their_range(table):
    ax = plot_sweep(table, "gini", words=WORDS)
    first, second = ax.lines
    assert first.get_xdata().tolist() == [3, 4, 5]
    assert first.get_ydata().tolist() == pytest.approx([3.2, 4.2, 5.2])
    assert second.get_ydata().tolist() == pytest.approx([13.2, 14.2, 15.2])
    band = ax.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((3.1, 5.3))
    assert legend(ax) == ["60%", "70%", "mean", "range over seeds"]
    assert ax.get_legend().get_title().get_text() == "share of A"
    assert [to_hex(line.get_color()).upper() for line in ax.lines] == list(PALETTE[:2])
    assert ax.get_xticks().tolist() == [3, 4, 5]


def test_without_seeds_and_lines_there_is_nothing_to_explain(table):
    part = table[(table["line"] == "60%") & (table["seed"] == 1)]
    ax = plot_sweep(part, "gini", words=WORDS)
    assert ax.get_legend() is None
    assert len(ax.collections) == 0
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("segments", "Gini coefficient")


def test_words_stand_side_by_side_and_are_not_joined(table):
    words = table.assign(x=table["x"].map({3: "normal", 4: "uniform", 5: "none"}))
    ax = plot_sweep(words, "gini", words=WORDS)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["none", "normal", "uniform"]
    assert {line.get_linestyle() for line in ax.lines} == {"None"}


def test_undefined_value_leaves_a_gap(table):
    table.loc[table["x"] == 4, "value"] = np.nan
    ax = plot_sweep(table, "gini", words=WORDS)
    assert ax.lines[0].get_xdata().tolist() == [3, 5]


def test_shares_are_written_in_per_cent_and_whole_numbers_whole(table):
    shares = table.assign(x=table["x"] / 10, value=table["value"] / 100)
    ax = plot_sweep(shares, "top_fifth_share", words=WORDS, x_unit="share")
    assert ax.xaxis.get_major_formatter().format_ticks([0.3, 0.4]) == ["30%", "40%"]
    assert ax.yaxis.get_major_formatter().format_ticks([0.05, 0.1]) == ["5%", "10%"]
    counts = table.assign(value=table["value"].round())
    ax = plot_sweep(counts, "n_customers", words=WORDS, ax=plt.subplots()[1])
    assert all(float(tick).is_integer() for tick in ax.get_yticks())


def test_panels_share_axes_and_one_legend(table):
    figure = draw_sweep({"a = 1": table, "a = 2": table, "a = 3": table}, "gini", words=WORDS)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title(loc="left") for ax in shown] == ["a = 1", "a = 2", "a = 3"]
    assert all(ax.get_legend() is None for ax in shown)
    assert len(figure.legends) == 1
    assert len({ax.get_ylim() for ax in shown}) == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_glyph_is_there_in_both_languages(table, language, tmp_path):
    # A missing glyph is a warning, and a warning is an error here.
    set_style(language, currency="CNY")
    words = WORDS | {"x": "客户群数，小于 2 则按规则选择（n_segments）", "mean": "各种子的均值"}
    draw_sweep({"": table}, "total_value", words=words).savefig(tmp_path / "x.svg")
