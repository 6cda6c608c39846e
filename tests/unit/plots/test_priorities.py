import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from crmlab.plots import set_style
from crmlab.plots.priorities import (
    plot_importance_compared,
    plot_importance_performance,
    plot_ranked_features,
    plot_service_gaps,
)
from crmlab.satisfaction import dimension_gaps, driver_shares, place_features


@pytest.fixture(scope="module")
def means():
    names = ["delivery_speed", "fair_prices", "surprise_gifts"]
    return pd.Series([8.0, 7.0, 3.0], names), pd.Series([5.0, 8.0, 6.0], names)


@pytest.fixture(scope="module")
def drivers(means):
    rng = np.random.default_rng(1)
    x = pd.DataFrame(rng.normal(size=(60, 3)), columns=means[0].index)
    return driver_shares(x, x.sum(axis=1) + rng.normal(size=60), n_resamples=100, rng=rng)


@pytest.fixture(params=["en", "zh"])
def language(request):
    set_style(request.param)
    yield request.param
    plt.close("all")
    set_style("en")


def point_offsets(ax):
    """Return where the points stand; those drawn for the legend alone have no place."""
    scatters = [c for c in ax.collections if isinstance(c, PathCollection)]
    return [c.get_offsets()[0].tolist() for c in scatters if len(c.get_offsets())]


@pytest.mark.parametrize("crosshair", ["data", "gap"])
def test_map_draws_each_feature_and_the_crosshair_where_they_are(means, crosshair, language):
    placed = place_features(*means, crosshair=crosshair)
    ax = plot_importance_performance(placed, crosshair=crosshair)
    points = point_offsets(ax)
    np.testing.assert_allclose(points, placed[["performance", "importance"]])
    across, other = ax.lines[0], ax.lines[1]
    assert set(across.get_ydata()) == {6.0}
    if crosshair == "data":
        assert set(other.get_xdata()) == {placed["performance_cut"].iloc[0]}
    else:
        np.testing.assert_array_equal(other.get_xdata(), other.get_ydata())
    texts = [text.get_text() for text in ax.texts]
    assert ("集中改进" if language == "zh" else "Concentrate here") in texts


def test_derived_importance_stands_over_the_stated(means, drivers, language):
    ax = plot_importance_compared(means[0], drivers)
    points = point_offsets(ax)
    np.testing.assert_allclose(points, np.column_stack([means[0], drivers["r_squared_share"]]))
    assert ax.get_xlabel() == (
        "自述重要性（分）" if language == "zh" else "Stated importance (points)"
    )


def test_bars_have_the_lengths_and_the_intervals_of_the_table(drivers, language):
    ax = plot_ranked_features(drivers, "r_squared_share")
    np.testing.assert_allclose(
        [bar.get_width() for bar in ax.containers[0]], drivers["r_squared_share"]
    )
    ends = [segment[:, 0] for segment in ax.collections[-1].get_segments()]
    np.testing.assert_allclose(ends, drivers[["lower", "upper"]])
    assert language in ("en", "zh")


def test_service_gaps_run_from_perceived_to_expected(language):
    columns = pd.MultiIndex.from_product([["empathy", "parking"], [1, 2]])
    rng = np.random.default_rng(3)
    expected, perceived = (
        pd.DataFrame(rng.integers(1, 8, (30, 4)), columns=columns, dtype=float) for _ in range(2)
    )
    gaps = dimension_gaps(expected, perceived)
    ax = plot_service_gaps(gaps)
    ends = [segment[:, 0] for segment in ax.collections[0].get_segments()]
    np.testing.assert_allclose(ends, gaps[["perceived", "expected"]])
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["移情性" if language == "zh" else "Empathy", "parking"]
