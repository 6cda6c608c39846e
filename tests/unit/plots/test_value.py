"""Figures of customer value draw what they are given, in either language."""

import functools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.plots import set_style
from crmlab.plots import value as draw
from crmlab.value import contribution, holdout, rfm, trend

VALUE = [70.0, 20.0, 6.0, 4.0, 0.0]
PROFIT = [50.0, 20.0, 5.0, -10.0]


@functools.cache
def order_book():
    rng = np.random.default_rng(1)
    n = 400
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:02d}" for i in rng.integers(0, 80, n)],
            "ordered_on": pd.Timestamp("2023-01-10")
            + pd.to_timedelta(rng.integers(0, 480, n), unit="D"),
            "amount": np.round(rng.gamma(2, 20, n) + 0.01, 2),
        }
    )


@functools.cache
def summary():
    return rfm.summarize_orders(order_book(), observed_to="2024-05-31")


@pytest.fixture(autouse=True)
def _style():
    set_style("en", currency="EUR")
    yield
    set_style("en")
    plt.close("all")


ACCOUNT = pd.Series(
    {"total_value": 100.0, "cost_of_goods": 60.0, "other_cost": -5.0, "contribution": 45.0}
)


@functools.cache
def every_plot():
    table = summary()
    scores = rfm.score_rfm(table)
    grid = rfm.rfm_grid(scores, table["total_value"])
    curves = {"rfm_score": holdout.gains_curve(VALUE, by=VALUE)}
    months = trend.summarize_months(order_book(), observed_to="2024-05-31")
    cohorts = trend.repeat_rate_by_cohort(order_book(), observed_to="2024-05-31")
    return {
        "lorenz": lambda: draw.plot_lorenz(contribution.lorenz_curve(VALUE), 0.6),
        "abc": lambda: draw.plot_abc(contribution.classify_abc(VALUE)),
        "whale": lambda: draw.plot_whale(contribution.whale_curve(PROFIT)),
        "account": lambda: draw.plot_account(ACCOUNT),
        "grid of value": lambda: draw.plot_rfm_grid(grid),
        "grid of counts": lambda: draw.plot_rfm_grid(grid, "n_customers"),
        "gains": lambda: draw.plot_gains(curves, 0.2),
        "classes": lambda: draw.plot_class_means(
            holdout.compare_classes(VALUE, list("aabbb")), "abc_class"
        ),
        "months": lambda: draw.plot_months(months),
        "repeat rate": lambda: draw.plot_repeat_rate(cohorts),
    }


PLOTS = sorted(every_plot())


def texts(ax):
    ax.figure.canvas.draw()
    found = [ax.get_xlabel(), ax.get_ylabel(), *(t.get_text() for t in ax.texts)]
    legend = ax.get_legend()
    return found + [t.get_text() for t in legend.get_texts()] if legend else found


@pytest.mark.parametrize("name", PLOTS)
def test_figure_names_both_axes_in_english_and_in_chinese(name):
    ax = every_plot()[name]()
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert "".join(texts(ax)).isascii()
    set_style("zh", currency="EUR")
    chinese = every_plot()[name]()
    for text in (chinese.get_xlabel(), chinese.get_ylabel()):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text)


@pytest.mark.parametrize("name", PLOTS)
def test_figure_is_drawn_on_new_axes(name):
    assert every_plot()[name]().figure is not every_plot()[name]().figure


def test_figure_is_drawn_on_the_axes_given():
    _, ax = plt.subplots()
    assert draw.plot_lorenz(contribution.lorenz_curve(VALUE), ax=ax) is ax


def test_lorenz_draws_the_curve_and_writes_its_gini():
    curve = contribution.lorenz_curve(VALUE)
    ax = draw.plot_lorenz(curve, 0.618)
    np.testing.assert_allclose(ax.lines[-1].get_xydata(), curve.to_numpy())
    assert "0.62" in ax.get_legend().get_title().get_text()


def test_lorenz_with_negative_values_shows_the_part_below_zero():
    ax = draw.plot_lorenz(contribution.lorenz_curve([-5.0, 2.0, 10.0]))
    assert ax.get_ylim()[0] == pytest.approx(-5 / 7)


def test_abc_draws_the_cumulative_shares_and_the_share_of_each_class():
    ax = draw.plot_abc(contribution.classify_abc([70.0, 20.0, 6.0, 4.0]))
    assert ax.lines[0].get_ydata().tolist() == [0.0, 0.7, 0.9, 0.96, 1.0]
    assert [text.get_text() for text in ax.texts] == ["A: 25%", "B: 25%", "C: 50%"]


def test_abc_without_a_class_draws_the_others():
    ax = draw.plot_abc(contribution.classify_abc([5.0, 5.0]))
    assert [text.get_text() for text in ax.texts] == ["A: 100%"]


def test_whale_marks_a_peak_above_the_total_alone():
    ax = draw.plot_whale(contribution.whale_curve(PROFIT))
    assert "115%" in texts(ax)
    assert not draw.plot_whale(contribution.whale_curve([5.0, 1.0])).texts


def test_whale_without_a_total_draws_an_empty_curve():
    ax = draw.plot_whale(contribution.whale_curve([-5.0, 1.0]))
    assert np.isnan(ax.lines[-1].get_ydata()).all()


def test_grid_writes_the_number_of_customers_into_cells_that_have_any():
    table = summary()
    grid = rfm.rfm_grid(rfm.score_rfm(table), table["total_value"])
    ax = draw.plot_rfm_grid(grid)
    written = {text.get_position(): text.get_text() for text in ax.texts}
    filled = grid[grid["n_customers"] > 0]
    assert written == {
        (row.r_score, row.f_score): str(row.n_customers) for row in filled.itertuples()
    }


def test_gains_has_a_line_for_each_ranking_and_one_for_chance():
    curves = {name: holdout.gains_curve(VALUE, by=VALUE) for name in ("rfm_score", "past_value")}
    ax = draw.plot_gains(curves)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "RFM score",
        "Past spending",
        "By chance",
    ]


def test_class_means_are_the_heights_and_two_errors_the_bars():
    table = holdout.compare_classes([10.0, 20.0, 1.0, 3.0], list("aabb"))
    ax = draw.plot_class_means(table, "abc_class")
    assert [bar.get_height() for bar in ax.patches] == [15.0, 2.0]
    low, high = ax.collections[0].get_segments()[0][:, 1]
    assert (high - low) / 2 == pytest.approx(2 * table["standard_error"][0])


def test_months_paint_the_incomplete_ones_pale():
    months = trend.summarize_months(order_book(), observed_to="2024-05-31")
    ax = draw.plot_months(months)
    assert len(ax.patches) == len(months)
    assert len({bar.get_facecolor() for bar in ax.patches}) == 2


def test_repeat_rate_leaves_out_incomplete_cohorts():
    cohorts = trend.repeat_rate_by_cohort(order_book(), observed_to="2024-05-31", horizon_days=400)
    ax = draw.plot_repeat_rate(cohorts)
    assert len(ax.lines[0].get_ydata()) == cohorts["is_complete"].sum() < len(cohorts)


def test_repeat_rate_keeps_every_mark_inside_the_axes():
    cohorts = pd.DataFrame(
        {
            "month": pd.to_datetime(["1997-01-01", "1997-02-01", "1997-03-01"]),
            "n_customers": [780, 820, 740],
            "repeat_rate": [0.30, 0.31, 0.27],
            "is_complete": True,
        }
    )
    ax = draw.plot_repeat_rate(cohorts)
    ax.figure.canvas.draw()
    marks = ax.collections[0]
    radius = np.sqrt(marks.get_sizes().max() / np.pi) * ax.figure.dpi / 72
    places = ax.transData.transform(marks.get_offsets())
    box = ax.get_window_extent()
    assert (places.max(axis=0) + radius < box.max).all()
    assert (places.min(axis=0) - radius > box.min).all()


def test_results_are_left_unchanged():
    table = contribution.classify_abc(VALUE)
    before = table.copy(deep=True)
    draw.plot_abc(table)
    pd.testing.assert_frame_equal(table, before)


def test_costs_of_the_account_lead_from_sales_to_contribution():
    bars = draw.plot_account(ACCOUNT).patches
    ends = sorted((bar.get_y(), bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars)
    assert [end[1:] for end in ends] == [(0, 100), (40, 100), (45, 40), (0, 45)]


def test_account_leaves_a_small_cost_visible():
    small = pd.Series({"total_value": 1e6, "cost_of_return": 1e3, "contribution": 999e3})
    cost = draw.plot_account(small).patches[-1]
    assert cost.get_edgecolor() == cost.get_facecolor()


def test_months_are_called_sales_and_not_the_value_of_a_customer():
    months = trend.summarize_months(order_book(), observed_to="2024-05-31")
    assert draw.plot_months(months).get_ylabel() == "Sales less returns (EUR)"
