"""How many segments the data support, and whether they support any."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_samples

from crmlab.segments.cluster import fit_segments
from crmlab.segments.stability import (
    REFERENCES,
    choose_n_segments,
    compare_n_segments,
    compare_partitions,
    segment_stability,
    simulate_reference,
)


def clouds(n_clouds, n=50, seed=3, distance=9.0):
    """Round clouds on a circle, `distance` standard deviations from its middle."""
    rng = np.random.default_rng(seed)
    angle = np.repeat(2 * np.pi * np.arange(n_clouds) / n_clouds, n)
    points = distance * np.column_stack([np.cos(angle), np.sin(angle)])
    return pd.DataFrame(points + rng.normal(size=points.shape), columns=["x", "y"])


def one_cloud(n=200, seed=3):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, 2)), columns=["x", "y"])


@pytest.mark.parametrize("n_clouds", [3, 4])
def test_comparison_finds_the_number_of_clouds_that_do_not_touch(n_clouds):
    table = compare_n_segments(clouds(n_clouds), n_segments=range(2, 7), seed=1)
    choice = choose_n_segments(table)
    assert (choice.n_segments, choice.structure) == (n_clouds, "natural_segments")
    row = table.set_index("n_segments").loc[n_clouds]
    assert row.stability == pytest.approx(1.0)
    assert row.silhouette == table["silhouette"].max()
    assert row.davies_bouldin == table["davies_bouldin"].min()
    assert row.calinski_harabasz == table["calinski_harabasz"].max()
    # The rule of Tibshirani, Walther & Hastie: the gap stops rising at the true number.
    after = table.set_index("n_segments").loc[n_clouds + 1]
    assert row.gap >= after.gap - after.gap_error


def test_one_cloud_is_never_taken_for_natural_segments():
    """Eight normal clouds (seeds 0-7): 'natural' is a false alarm; none is to be raised."""
    found = [
        choose_n_segments(
            compare_n_segments(
                one_cloud(seed=seed), n_segments=range(2, 5), seed=seed, n_resamples=5, n_starts=3
            )
        ).structure
        for seed in range(8)
    ]
    assert "natural_segments" not in found


def test_indices_agree_with_their_definitions():
    features = clouds(3, n=20, distance=3.0)
    table = compare_n_segments(features, n_segments=[3], seed=1, n_starts=20).iloc[0]
    fit = fit_segments(features, n_segments=3, seed=1)
    n, k = len(features), 3
    within = fit.inertia
    total = ((features - features.mean()) ** 2).to_numpy().sum()
    assert table.inertia == pytest.approx(within)
    assert table.calinski_harabasz == pytest.approx(
        ((total - within) / (k - 1)) / (within / (n - k))
    )
    assert table.silhouette == pytest.approx(silhouette_by_hand(features.to_numpy(), fit.segment))
    assert table.davies_bouldin == pytest.approx(davies_bouldin_by_hand(features, fit))


def silhouette_by_hand(points, segment):
    distance = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    label = segment.to_numpy()
    widths = []
    for i, own in enumerate(label):
        same = (label == own) & (np.arange(len(label)) != i)
        a = distance[i, same].mean()
        b = min(distance[i, label == other].mean() for other in set(label) - {own})
        widths.append((b - a) / max(a, b))
    np.testing.assert_allclose(widths, silhouette_samples(points, label))
    return np.mean(widths)


def davies_bouldin_by_hand(features, fit):
    centers = fit.centers.to_numpy()
    spread = [
        np.linalg.norm(features[fit.segment == s] - center, axis=1).mean()
        for s, center in zip(fit.centers.index, centers, strict=True)
    ]
    worst = [
        max(
            (spread[i] + spread[j]) / np.linalg.norm(centers[i] - centers[j])
            for j in range(len(centers))
            if j != i
        )
        for i in range(len(centers))
    ]
    return np.mean(worst)


def test_the_same_seed_gives_the_same_table_and_another_seed_a_like_one():
    features = clouds(3)
    first = compare_n_segments(features, n_segments=[2, 3], seed=7)
    pd.testing.assert_frame_equal(first, compare_n_segments(features, n_segments=[2, 3], seed=7))
    other = compare_n_segments(features, n_segments=[2, 3], seed=8)
    np.testing.assert_allclose(first["silhouette"], other["silhouette"], atol=0.02)


def test_large_data_is_compared_on_a_part_and_says_so():
    table = compare_n_segments(clouds(3, n=100), n_segments=[3], seed=1, max_customers=90)
    assert table["n_customers"].tolist() == [90]
    whole = compare_n_segments(clouds(3, n=100), n_segments=[3], seed=1)
    assert table["silhouette"][0] == pytest.approx(whole["silhouette"][0], abs=0.03)


def test_customers_who_are_nearly_all_alike_make_no_trouble():
    features = pd.DataFrame({"x": [0.0] * 40 + [1.0] * 3 + [2.0, 3.0], "y": [0.0] * 44 + [5.0]})
    table = compare_n_segments(features, n_segments=[2, 3], seed=1)
    assert table.notna().all(axis=None)


def test_stability_is_one_for_clouds_and_lower_without_any():
    clear = segment_stability(clouds(3), n_segments=3, seed=1)
    shapeless = segment_stability(one_cloud(), n_segments=5, seed=1)
    assert clear.shape == (20,)
    assert clear.mean() == pytest.approx(1.0)
    assert shapeless.mean() < 0.9


def test_stability_of_one_segment_is_refused():
    with pytest.raises(ValueError, match="one segment is always stable"):
        segment_stability(one_cloud(), n_segments=1, seed=1)


def test_partitions_are_compared_by_their_members_not_their_names():
    first = pd.Series(list("aabbcc") * 5)
    other_names = first.map({"a": 3, "b": 1, "c": 2})
    found = compare_partitions(first, other_names, seed=1)
    assert found["adjusted_rand"] == 1.0
    assert found["p_value"] == pytest.approx(1 / 200)
    assert found["chance_bound"] < 0.3


def test_adjusted_rand_agrees_with_counting_pairs():
    rng = np.random.default_rng(2)
    first, second = (pd.Series(rng.integers(0, 3, 25)) for _ in range(2))
    pairs = [(i, j) for i in range(25) for j in range(i)]
    in_first = np.array([first[i] == first[j] for i, j in pairs])
    in_second = np.array([second[i] == second[j] for i, j in pairs])
    both, expected = (in_first & in_second).sum(), in_first.sum() * in_second.sum() / len(pairs)
    most = (in_first.sum() + in_second.sum()) / 2
    found = compare_partitions(first, second, seed=1)["adjusted_rand"]
    assert found == pytest.approx((both - expected) / (most - expected))


def test_random_partitions_exceed_the_chance_bound_one_time_in_twenty():
    rng = np.random.default_rng(3)
    beyond = 0
    for seed in range(60):
        first, second = (pd.Series(rng.integers(0, 3, 60)) for _ in range(2))
        found = compare_partitions(first, second, seed=seed, n_permutations=19)
        beyond += found["adjusted_rand"] > found["chance_bound"]
    # Binomial with p = 0.05: mean 3, standard deviation 1.7.
    assert abs(beyond - 3) < 4 * 1.7


def test_partitions_of_other_customers_gaps_and_few_permutations_are_refused():
    first = pd.Series([1, 2, 2])
    with pytest.raises(ValueError, match="different indices"):
        compare_partitions(first, first.iloc[::-1], seed=1)
    with pytest.raises(ValueError, match="missing groups"):
        compare_partitions(first, pd.Series(["a", None, "b"], dtype="str"), seed=1)
    with pytest.raises(ValueError, match="n_permutations is 5"):
        compare_partitions(first, first, seed=1, n_permutations=5)


@pytest.mark.parametrize("kind", REFERENCES)
def test_reference_has_the_size_of_the_data_and_no_clouds(kind):
    points = clouds(3).to_numpy()
    drawn = simulate_reference(points, kind=kind, rng=np.random.default_rng(1))
    assert drawn.shape == points.shape
    assert not np.allclose(drawn, points)


def test_normal_reference_has_the_means_and_covariances_of_the_data():
    rng = np.random.default_rng(12)
    points = rng.exponential(1, (4000, 2)) @ np.array([[1.0, 0.8], [0.0, 0.5]])
    drawn = simulate_reference(points, kind="normal", rng=rng)
    # Four standard errors of a mean and, roughly, of a covariance of 4,000 customers.
    np.testing.assert_allclose(drawn.mean(axis=0), points.mean(axis=0), atol=4 / 4000**0.5)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(points.T), atol=8 / 4000**0.5)


def test_permuted_reference_keeps_each_column_and_breaks_the_association():
    rng = np.random.default_rng(12)
    x = rng.normal(size=500)
    points = np.column_stack([x, x])
    drawn = simulate_reference(points, kind="permuted", rng=rng)
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(points, axis=0))
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 4 / 500**0.5


def test_uniform_reference_stays_in_the_box_along_the_principal_axes():
    points = clouds(3).to_numpy()
    drawn = simulate_reference(points, kind="uniform", rng=np.random.default_rng(1))
    _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    own, other = (points - points.mean(axis=0)) @ axes.T, (drawn - points.mean(axis=0)) @ axes.T
    assert (other.min(axis=0) >= own.min(axis=0) - 1e-9).all()
    assert (other.max(axis=0) <= own.max(axis=0) + 1e-9).all()


def test_unknown_reference_is_refused():
    with pytest.raises(ValueError, match="expected one of normal, permuted, uniform"):
        compare_n_segments(one_cloud(), seed=1, reference="chaos")


def indices(**changes):
    table = {
        "n_segments": [2, 3, 4],
        "stability": [0.95, 0.90, 0.85],
        "silhouette": [0.45, 0.42, 0.40],
        "reference_silhouette": [0.40, 0.35, 0.33],
        "reference_silhouette_error": [0.01, 0.01, 0.01],
    }
    return pd.DataFrame(table | changes)


@pytest.mark.parametrize(
    ("changes", "n_segments", "structure"),
    [
        ({}, 4, "reproducible_segments"),
        ({"stability": [0.95, 0.90, 0.79]}, 3, "reproducible_segments"),
        ({"stability": [0.5, 0.7, 0.6]}, 3, "constructive_segments"),
        ({"stability": [0.7, 0.7, 0.6]}, 2, "constructive_segments"),
        ({"silhouette": [0.50, 0.55, 0.40]}, 3, "natural_segments"),
        ({"silhouette": [0.55, 0.55, 0.40]}, 2, "natural_segments"),
        ({"silhouette": [0.50, 0.75, 0.40], "stability": [0.9, 0.5, 0.9]}, 2, "natural_segments"),
        (
            {"silhouette": [0.50, 0.49, 0.40], "reference_silhouette": [0.49] * 3},
            4,
            "reproducible_segments",
        ),
    ],
)
def test_rule_chooses_as_it_is_written(changes, n_segments, structure):
    choice = choose_n_segments(indices(**changes))
    assert (choice.n_segments, choice.structure) == (n_segments, structure)


def test_rule_is_blind_to_the_order_of_rows():
    table = indices(silhouette=[0.50, 0.55, 0.40])
    assert choose_n_segments(table.iloc[::-1]) == choose_n_segments(table)


def test_structures_have_a_term_in_both_languages():
    from crmlab.atlas import term

    for structure in ("natural_segments", "reproducible_segments", "constructive_segments"):
        assert term(structure).en
        assert term(structure).zh


def test_rule_refuses_tables_and_settings_it_cannot_read():
    with pytest.raises(ValueError, match="expected the rows of compare_n_segments"):
        choose_n_segments(indices().drop(columns="stability"))
    with pytest.raises(ValueError, match="expected the rows of compare_n_segments"):
        choose_n_segments(indices().head(0))
    with pytest.raises(ValueError, match=r"min_stability=1\.2"):
        choose_n_segments(indices(), min_stability=1.2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_segments": [0, 2]}, "expected numbers of segments from 1 upward"),
        ({"n_segments": [1]}, "more than 1 alone"),
        ({"n_segments": []}, "expected numbers of segments from 1 upward"),
        ({"n_starts": 0}, "n_starts is 0"),
        ({"n_resamples": 0}, "n_resamples is 0"),
        ({"n_references": 1}, "n_references is 1"),
        ({"max_customers": 5}, "max_customers is 5"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        compare_n_segments(one_cloud(), seed=1, **settings)


def test_fewer_customers_than_segments_and_gaps_are_refused():
    with pytest.raises(ValueError, match="3 customers with 3 distinct rows cannot make 7 segments"):
        compare_n_segments(one_cloud(3), seed=1)
    with pytest.raises(ValueError, match="missing or infinite"):
        compare_n_segments(one_cloud(30).mask(one_cloud(30) > 1), seed=1)


@pytest.mark.parametrize("values", [[0.0, 1.0, 2.0], [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]])
def test_a_segment_for_every_distinct_customer_is_refused(values):
    with pytest.raises(ValueError, match="up to 3, as many as there are distinct customers"):
        compare_n_segments(pd.DataFrame({"x": values}), n_segments=[2, 3], seed=1)


def test_features_are_left_unchanged():
    features = clouds(2, n=15)
    before = features.copy(deep=True)
    compare_n_segments(features, n_segments=[2], seed=1, n_resamples=2)
    segment_stability(features, n_segments=2, seed=1, n_resamples=2)
    pd.testing.assert_frame_equal(features, before)


def test_adjusted_rand_index_is_scikit_learns_to_the_last_bit():
    from sklearn.metrics import adjusted_rand_score

    from crmlab.segments.stability import _adjusted_rand

    rng = np.random.default_rng(3)
    for n, k, m in [(2000, 4, 5), (50, 3, 3), (10, 1, 2), (10, 1, 1), (7, 7, 7), (300, 12, 2)]:
        left, right = rng.integers(0, k, n), rng.integers(0, m, n)
        assert _adjusted_rand(left, right) == adjusted_rand_score(left, right)
        assert _adjusted_rand(left, left) == adjusted_rand_score(left, left)


def test_one_segment_has_a_gap_and_no_other_index_and_changes_no_other_row():
    features = clouds(3, n=20)
    few = {"seed": 1, "n_resamples": 2}
    with_one = compare_n_segments(features, n_segments=[1, 2, 3], **few)
    without = compare_n_segments(features, n_segments=[2, 3], **few)
    pd.testing.assert_frame_equal(with_one.iloc[1:].reset_index(drop=True), without)
    first = with_one.iloc[0]
    total = ((features - features.mean()) ** 2).to_numpy().sum()
    assert first["inertia"] == pytest.approx(total)
    assert first[["silhouette", "stability", "reference_stability"]].isna().all()
    assert np.isfinite(first[["gap", "gap_error"]].astype(float)).all()
    assert choose_n_segments(with_one) == choose_n_segments(without)
    with pytest.raises(ValueError, match="one segment alone"):
        choose_n_segments(with_one.head(1))
