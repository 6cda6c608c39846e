import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.patches import Ellipse

from crmlab.plots import set_style
from crmlab.plots.kano import (
    feature_name,
    number_points,
    plot_better_worse,
    plot_coefficient_by_segment,
    plot_kano_map,
    plot_kano_shares,
)
from crmlab.satisfaction import (
    assign_classes,
    classify_answers,
    count_classes,
    count_classes_by_segment,
    kano_coefficients,
    locate_features,
    score_answers,
)


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(2)
    names = ["delivery_speed", "something_else", "easy_returns"]
    return tuple(
        pd.DataFrame(rng.integers(1, 6, (50, 3)), columns=names, dtype=float) for _ in range(2)
    )


@pytest.fixture(scope="module")
def counts(pair):
    return count_classes(classify_answers(*pair))


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


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_feature_without_a_term_bears_its_own_name(language):
    assert feature_name("something_else") == "something else"
    assert feature_name("delivery_speed") == ("送货速度" if language == "zh" else "Delivery speed")


def test_bars_of_a_feature_add_up_to_all_its_pairs(counts, language):
    ax = plot_kano_shares(counts)
    widths = np.array([[bar.get_width() for bar in bars] for bars in ax.containers])
    np.testing.assert_allclose(widths.sum(axis=0), 1)
    np.testing.assert_allclose(widths[0], counts["M"] / counts["n_pairs"])
    assert ("必备（M）" if language == "zh" else "Must-be (M)") in legend_texts(ax)


def test_numbers_of_points_that_nearly_coincide_stand_apart():
    figure, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    number_points(ax, [0.5, 0.501, 0.501, 0.9], [0.5, 0.5, 0.5, 0.9], list("abcd"))
    np.testing.assert_allclose(point_offsets(ax)[:2], [[0.5, 0.5], [0.501, 0.5]])
    scale = figure.dpi / 72
    at = ax.transData.transform([note.xy for note in ax.texts])
    at = at + scale * np.array([note.xyann for note in ax.texts])
    gaps = np.hypot(*(at[:, None] - at[None]).T)[np.triu_indices(4, 1)]
    assert gaps.min() > 12 * scale  # the disc is 14 points wide
    assert ax.texts[3].xyann == pytest.approx((0, 0))
    plt.close(figure)


def test_points_stand_at_better_and_minus_worse_and_are_named_beside(counts, language):
    coefficients = kano_coefficients(counts)
    ax = plot_better_worse(coefficients, assign_classes(counts)["kano_class"])
    points = point_offsets(ax)
    expected = np.column_stack([-coefficients["worse"], coefficients["better"]])
    np.testing.assert_allclose(points, expected)
    assert legend_texts(ax)[1] == "2  something else"
    assert language in ("en", "zh")


def test_map_has_an_ellipse_of_the_stated_size_for_every_feature(pair, language):
    points = locate_features(*score_answers(*pair))
    ax = plot_kano_map(points)
    ellipses = [patch for patch in ax.patches if isinstance(patch, Ellipse)]
    np.testing.assert_allclose([e.width for e in ellipses], 2 * points["semi_major"])
    np.testing.assert_allclose([e.center[1] for e in ellipses], points["presence"])
    low, high = ax.get_xlim()
    assert low < points["absence"].min()
    assert high == 4
    assert language in ("en", "zh")


def test_segments_stand_side_by_side_at_their_coefficients(pair, language):
    segment = pd.Series(["orientation_relational", "odd"] * 25)
    split = kano_coefficients(count_classes_by_segment(classify_answers(*pair), segment))
    ax = plot_coefficient_by_segment(split, "worse")
    drawn = np.asarray(ax.containers[0].lines[0].get_xdata(), dtype=float)
    np.testing.assert_allclose(drawn, split.xs("odd", level="segment")["worse"].to_numpy())
    named = "关系型" if language == "zh" else "Relational"
    assert legend_texts(ax) == ["odd", named]
