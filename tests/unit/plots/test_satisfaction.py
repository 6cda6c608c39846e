import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.plots import set_style
from crmlab.plots.satisfaction import (
    plot_contributions,
    plot_correlations,
    plot_expectation_perception,
    plot_level_shares,
    plot_value_map,
    plot_wave_chart,
    tabulate_correlations,
)
from crmlab.satisfaction import (
    BENEFITS,
    COSTS,
    criterion_correlations,
    delivered_value,
    tolerance_sensitivity,
    value_map,
    wave_chart,
)


@pytest.fixture
def answers():
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "expected": rng.integers(0, 10, 120).astype(float),
            "perceived": rng.integers(0, 10, 120).astype(float),
        }
    )


@pytest.fixture
def delivered():
    rng = np.random.default_rng(4)
    benefits = pd.DataFrame(rng.integers(0, 10, (60, 4)), columns=BENEFITS)
    costs = pd.DataFrame(rng.integers(0, 10, (60, 4)), columns=COSTS)
    return delivered_value(benefits, costs)


@pytest.fixture(params=["en", "zh"])
def language(request):
    set_style(request.param)
    yield request.param
    plt.close("all")
    set_style("en")


def words(ax):
    legend = ax.get_legend()
    texts = [ax.get_xlabel(), ax.get_ylabel(), *[t.get_text() for t in ax.get_yticklabels()]]
    return texts + ([t.get_text() for t in legend.get_texts()] if legend else [])


def test_level_shares_bars_have_the_heights_of_the_table(answers, language):
    table = tolerance_sensitivity(answers["perceived"], answers["expected"], tolerances=[0, 0.2])
    ax = plot_level_shares(table)
    heights = sorted(bar.get_height() for bars in ax.containers for bar in bars)
    np.testing.assert_allclose(heights, sorted(table["share"]))
    assert ("满意" if language == "zh" else "Satisfied") in words(ax)


def test_expectation_perception_draws_one_point_per_pair_of_scores(answers, language):
    ax = plot_expectation_perception(answers, 0.05)
    pairs = answers.value_counts()
    assert len(ax.collections[0].get_offsets()) == len(pairs)
    assert ("感知水平（分）" if language == "zh" else "Perceived level (points)") in words(ax)


def test_value_map_draws_every_customer_once(delivered, language):
    positions = value_map(delivered)
    ax = plot_value_map(positions)
    n_points = sum(len(points.get_offsets()) for points in ax.collections)
    assert n_points == len(positions)
    assert ("公平价值线" if language == "zh" else "Fair-value line") in words(ax)


def test_contributions_point_right_for_benefits_and_left_for_costs(delivered, language):
    means = delivered[[*BENEFITS, *COSTS]].mean()
    ax = plot_contributions(means)
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], means)
    assert ("时间成本" if language == "zh" else "Time cost") in words(ax)


def test_correlations_stand_at_their_values(answers, language):
    rng = np.random.default_rng(0)
    measures = answers.rename(columns={"expected": "net_value", "perceived": "performance_only"})
    table = criterion_correlations(measures, rng.normal(size=120), rng=rng)
    ax = plot_correlations(table)
    drawn = ax.containers[0].lines[0].get_xdata()
    np.testing.assert_allclose(np.asarray(drawn, dtype=float), table["correlation"])
    assert ("让渡价值" if language == "zh" else "Net delivered value") in words(ax)


def test_correlations_are_tabulated_with_no_lead_of_the_baseline_over_itself(answers):
    rng = np.random.default_rng(0)
    measures = answers.rename(columns={"expected": "net_value", "perceived": "performance_only"})
    options = {"baseline": "performance_only", "rng": rng}
    table = criterion_correlations(measures, rng.normal(size=120), **options)
    shown = tabulate_correlations(table)
    assert shown.index.tolist() == ["net_value", "performance_only"]
    assert shown["advantage"].isna().tolist() == [False, True]
    assert shown["advantage_interval"].isna().tolist() == [False, True]
    first = table.iloc[0]
    assert shown["interval"].iloc[0] == (first["lower"], first["upper"])
    assert shown["chance_bound"].iloc[0] == (-first["chance_bound"], first["chance_bound"])


def test_wave_chart_rings_the_waves_that_alert(language):
    rng = np.random.default_rng(2)
    scores, waves = (
        rng.normal(7, 1, 300),
        np.repeat(["2024-01-01", "2024-02-01", "2024-03-01"], 100),
    )
    scores[200:] -= 2
    chart = wave_chart(scores, waves)
    ax = plot_wave_chart(chart)
    assert chart["is_alert"].any()
    assert ("报警" if language == "zh" else "Alert") in words(ax)


def test_satisfaction_plots_draw_on_the_axes_they_are_given(delivered):
    _, ax = plt.subplots()
    assert plot_value_map(value_map(delivered), ax) is ax
    plt.close("all")
