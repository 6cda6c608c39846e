import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.performance import (
    ahp_weights,
    indicator_catalogue,
    indicators_by_quarter,
    indicators_in_total,
    obstacle_degree,
    principle_checklist,
    rank_sensitivity,
    scorecard,
    topsis,
)
from crmlab.plots import set_style
from crmlab.plots.performance import (
    plot_closeness,
    plot_indicator_panels,
    plot_obstacles,
    plot_principles,
    plot_rank_ranges,
    plot_weights,
    tabulate_indicators,
    tabulate_scorecard,
)


@pytest.fixture(params=["en", "zh"])
def language(request):
    set_style(request.param, currency="CNY")
    yield request.param
    plt.close("all")
    set_style("en")


@pytest.fixture
def matrix():
    values = np.random.default_rng(5).uniform(1, 9, (4, 3))
    columns = ["revenue", "retention_rate", "complaint_rate"]
    return pd.DataFrame(values, index=["2024Q1", "2024Q2", "2024Q3", "2024Q4"], columns=columns)


def names(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


@pytest.fixture
def shop():
    return pd.DataFrame(
        {
            "customer_id": ["a", "b", "a", "b"],
            "ordered_on": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-05-01", "2024-06-30"]),
            "amount": [30_000.0, 10_000, 20_000, -500],
        }
    )


def test_panels_show_every_indicator_with_its_unit_and_direction(language, shop):
    table = indicators_by_quarter({"orders": shop})
    axes = plot_indicator_panels(table)
    assert len(axes) == len(table["indicator"].unique())
    titles = [ax.get_title(loc="left") for ax in axes]
    assert ("销售收入（元） ↑" if language == "zh" else "Revenue (CNY) ↑") in titles
    assert ("客户流失率 ↓" if language == "zh" else "Churn rate ↓") in titles


def test_indicators_are_tabulated_with_their_direction_and_the_whole_window_last(shop):
    quarters, total = indicators_by_quarter({"orders": shop}), indicators_in_total({"orders": shop})
    table = tabulate_indicators(
        pd.concat([quarters, total]), ["revenue", "retention_rate", "order_frequency"]
    )
    assert table.index.tolist() == ["revenue", "retention_rate", "order_frequency"]
    assert table.columns.tolist() == ["direction", "2024Q1", "2024Q2", "whole_window"]
    assert table["direction"].tolist() == ["higher"] * 3
    np.testing.assert_array_equal(
        table.drop(columns="direction").to_numpy(dtype=float),
        [[40_000, 19_500, 59_500], [np.nan, 0.5, 0.5], [1, 1, 1.5]],
    )
    assert tabulate_indicators(quarters, ["net_promoter_score"]).empty


def test_scorecard_is_tabulated_by_department_where_it_is_known(shop):
    card = scorecard(indicators_by_quarter({"orders": shop}))
    table = tabulate_scorecard(card)
    assert len(table) == card["value"].notna().sum()
    assert table.index.is_monotonic_increasing
    row = table.xs("return_share", level="indicator").iloc[0]
    assert row["previous_quarter"] == 0
    assert row["this_quarter"] == row["change"] == pytest.approx(0.025)
    assert (row["direction"], row["trend"]) == ("lower", "worse")


def test_principles_stand_to_the_left_and_right_of_zero(language):
    checklist = principle_checklist(indicator_catalogue())
    ax = plot_principles(checklist)
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_array_equal(widths, [*(-checklist["one_side"]), *checklist["other_side"]])
    assert ("短期 / 长期" if language == "zh" else "Short / long term") in names(ax)


def test_weights_have_one_bar_per_view_and_weighting(language):
    result = ahp_weights([[1, 2], [0.5, 1]], names=["customer_value", "customer_satisfaction"])
    table = pd.DataFrame({"ahp_weight": result.weights, "equal_weight": 0.5})
    ax = plot_weights(table)
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], [2 / 3, 1 / 3, 0.5, 0.5])
    assert names(ax) == (["客户价值", "客户满意"] if language == "zh" else
                         ["Customer value", "Customer satisfaction"])  # fmt: skip


@pytest.mark.usefixtures("language")
def test_closeness_is_drawn_best_first(matrix):
    table = topsis(matrix, [1, 1, 1])
    ax = plot_closeness(table)
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == sorted(table["closeness"], reverse=True)
    assert names(ax)[0] == f"1. {table['closeness'].idxmax()}"


@pytest.mark.usefixtures("language")
def test_rank_ranges_have_the_best_rank_on_top(matrix):
    table = rank_sensitivity(matrix, [1, 1, 1], spread=0.8, rng=np.random.default_rng(0))
    ax = plot_rank_ranges(table)
    low, high = ax.get_ylim()
    assert low > high
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), table["rank"].astype(float))


@pytest.mark.usefixtures("language")
def test_obstacles_show_the_largest_first(matrix):
    table = obstacle_degree(matrix, [1, 2, 3], "2024Q4")
    ax = plot_obstacles(table, n_shown=2)
    assert [bar.get_width() for bar in ax.patches] == table["obstacle_degree"].tolist()[:2]


def test_performance_plots_draw_on_the_axes_they_are_given(matrix):
    _, ax = plt.subplots()
    assert plot_closeness(topsis(matrix, [1, 1, 1]), ax) is ax
    plt.close("all")
