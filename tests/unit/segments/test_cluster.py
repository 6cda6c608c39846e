"""Features, the k-means fit and its labels."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from crmlab.segments.cluster import assign_segments, fit_segments, standardize_features


def three_clouds(n=60, seed=3, distance=10.0):
    """Three round clouds of n customers and standard deviation 1, and who belongs to which."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 1, 2], n)
    points = np.array([[0.0, 0.0], [distance, 0.0], [0.0, distance]])[truth]
    frame = pd.DataFrame(points + rng.normal(size=points.shape), columns=["x", "y"])
    frame.index = [f"c{i:04d}" for i in range(len(frame))]
    return frame, pd.Series(truth, index=frame.index)


def test_features_have_mean_zero_and_deviation_one():
    frame, _ = three_clouds()
    features = standardize_features(frame, ["x", "y"])
    np.testing.assert_allclose(features.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(features.std(ddof=0), 1)
    assert features.index.equals(frame.index)


def test_logarithm_is_taken_of_the_columns_named_and_is_odd():
    frame = pd.DataFrame({"v": [-np.expm1(2.0), 0.0, np.expm1(2.0)]})
    features = standardize_features(frame, ["v"], log=["v"])
    np.testing.assert_allclose(features["v"], np.array([-2.0, 0.0, 2.0]) / np.std([-2, 0, 2]))


@settings(max_examples=50)
@given(scale=st.floats(0.01, 1e4), shift=st.floats(-1e3, 1e3))
def test_features_do_not_depend_on_the_unit(scale, shift):
    frame = pd.DataFrame({"x": [1.0, 2.0, 4.0, 9.0]})
    other = standardize_features(frame * scale + shift, ["x"])
    np.testing.assert_allclose(other, standardize_features(frame, ["x"]), atol=1e-5)


@pytest.mark.parametrize(
    ("frame", "columns", "message"),
    [
        ({"x": [1.0, 2.0]}, ["y"], "column 'y' is missing"),
        ({"x": [1.0, np.nan]}, ["x"], "x has 1 missing or infinite values, the first in row 2"),
        ({"x": [np.inf, 1.0]}, ["x"], "missing or infinite"),
        ({"x": ["a", "b"]}, ["x"], "expected numbers"),
        ({"x": [0.1, 0.1, 0.1]}, ["x"], "x is the same for all 3 customers"),
        ({"x": []}, ["x"], "no customer at all"),
        ({"x": [1.0, 2.0]}, [], "no column given"),
    ],
)
def test_features_that_separate_nobody_or_have_gaps_are_refused(frame, columns, message):
    with pytest.raises(ValueError, match=message):
        standardize_features(pd.DataFrame(frame), columns)


def test_logarithm_of_a_column_not_used_is_refused():
    with pytest.raises(ValueError, match="'y' is not among the columns used"):
        standardize_features(pd.DataFrame({"x": [1.0, 2.0]}), ["x"], log=["y"])


def test_fit_is_the_best_of_all_partitions():
    points = np.random.default_rng(5).normal(size=(8, 2))
    features = pd.DataFrame(points, columns=["x", "y"])
    best = np.inf
    for label in itertools.product(range(3), repeat=8):
        member = np.equal.outer(range(3), label).astype(float)
        size = member.sum(axis=1, keepdims=True)
        if size.all():
            centers = member @ points / size
            best = min(best, ((points - centers[list(label)]) ** 2).sum())
    fit = fit_segments(features, n_segments=3, seed=1, n_starts=50)
    assert fit.inertia == pytest.approx(best)


def test_fit_recovers_clouds_that_do_not_touch():
    features, truth = three_clouds()
    fit = fit_segments(features, n_segments=3, seed=1)
    assert adjusted_rand_score(truth, fit.segment) == 1.0


def test_centers_are_the_means_and_inertia_the_squared_distance():
    features, _ = three_clouds()
    fit = fit_segments(features, n_segments=4, seed=1)
    pd.testing.assert_frame_equal(fit.centers, features.groupby(fit.segment).mean())
    own_centers = fit.centers.loc[fit.segment].to_numpy()
    assert fit.inertia == pytest.approx(((features - own_centers) ** 2).to_numpy().sum())


def test_every_customer_is_in_the_segment_of_the_nearest_center():
    features, _ = three_clouds(distance=2.0)
    fit = fit_segments(features, n_segments=4, seed=1)
    pd.testing.assert_series_equal(assign_segments(features, fit.centers), fit.segment)


def test_segments_are_numbered_by_falling_value():
    features, truth = three_clouds()
    value = truth.map({0: 5.0, 1: 50.0, 2: 500.0})
    fit = fit_segments(features, n_segments=3, seed=1, order_by=value)
    assert value.groupby(fit.segment).mean().tolist() == [500.0, 50.0, 5.0]


def test_segments_are_numbered_by_falling_size_otherwise():
    features, _ = three_clouds()
    fit = fit_segments(features.head(150), n_segments=3, seed=1)
    assert fit.segment.value_counts().sort_index().tolist() == [60, 60, 30]


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_labels_depend_neither_on_the_seed_nor_on_the_order_of_customers(seed):
    features, truth = three_clouds()
    value = truth.map({0: 5.0, 1: 50.0, 2: 500.0})
    expected = fit_segments(features, n_segments=3, seed=0, order_by=value).segment
    shuffled = features.sample(frac=1, random_state=seed % 1000)
    fit = fit_segments(shuffled, n_segments=3, seed=seed, order_by=value[shuffled.index])
    pd.testing.assert_series_equal(fit.segment.loc[features.index], expected)


def test_one_segment_holds_everybody():
    features, _ = three_clouds()
    fit = fit_segments(features, n_segments=1, seed=1)
    assert set(fit.segment) == {1}
    assert fit.inertia == pytest.approx(((features - features.mean()) ** 2).to_numpy().sum())


def test_fewer_distinct_customers_than_segments_are_refused():
    features = pd.DataFrame({"x": [1.0, 1.0, 2.0]})
    with pytest.raises(ValueError, match="3 customers with 2 distinct rows cannot make 3 segments"):
        fit_segments(features, n_segments=3, seed=1)


@pytest.mark.parametrize("n_segments", [0, -1, 2.5])
def test_impossible_numbers_of_segments_are_refused(n_segments):
    features, _ = three_clouds()
    with pytest.raises(ValueError, match="n_segments is"):
        fit_segments(features, n_segments=n_segments, seed=1)


def test_features_with_gaps_are_refused_by_the_fit():
    features, _ = three_clouds()
    features.iloc[4, 1] = np.nan
    with pytest.raises(ValueError, match="y has 1 missing or infinite values, the first in row 5"):
        fit_segments(features, n_segments=2, seed=1)


def test_an_order_of_other_customers_is_refused():
    features, truth = three_clouds()
    with pytest.raises(ValueError, match="order_by: its index differs"):
        fit_segments(features, n_segments=2, seed=1, order_by=truth.iloc[::-1])


def test_assignment_without_a_column_of_the_centers_is_refused():
    features, _ = three_clouds()
    centers = fit_segments(features, n_segments=2, seed=1).centers
    with pytest.raises(ValueError, match="column 'y' of the centers is missing"):
        assign_segments(features[["x"]], centers)


def test_inputs_are_left_unchanged():
    frame, truth = three_clouds()
    before = frame.copy(deep=True)
    features = standardize_features(frame, ["x", "y"], log=["x"])
    kept = features.copy(deep=True)
    fit = fit_segments(features, n_segments=2, seed=1, order_by=truth)
    assign_segments(features, fit.centers)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(features, kept)
