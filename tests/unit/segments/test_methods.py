"""Prototypes, mixtures, Ward's tree: each by an unlike route, on clouds, and on hopeless data."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.cluster import hierarchy

from crmlab.segments.cluster import fit_segments
from crmlab.segments.methods import METHODS, compare_methods, fit_ward, segment_customers
from crmlab.segments.mixture import compare_mixtures, fit_latent_classes, fit_mixture
from crmlab.segments.prototypes import fit_prototypes


def clouds(n=30, seed=2, distance=8.0, noise=0.1):
    """Three clouds, and a word that goes with each but for some noise."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 1, 2], n)
    points = distance * np.array([[0, 0], [1, 0], [0, 1]])[truth] + rng.normal(size=(3 * n, 2))
    word = np.where(rng.random(3 * n) < noise, rng.integers(0, 3, 3 * n), truth)
    index = [f"c{i:03d}" for i in range(3 * n)]
    features = pd.DataFrame(points, columns=["x", "y"], index=index)
    words = pd.DataFrame({"channel": np.array(["web", "app", "store"])[word]}, index=index)
    return features, words, truth


def cost(features, words, label, gamma):
    """The cost of a division by the definition, segment by segment."""
    total = 0.0
    for name in set(label):
        own = np.array(label) == name
        points = features.to_numpy()[own]
        total += ((points - points.mean(axis=0)) ** 2).sum()
        for column in words:
            counts = words[column].to_numpy()[own]
            total += gamma * (own.sum() - max(np.sum(counts == w) for w in set(counts)))
    return total


def test_prototypes_are_the_best_of_all_divisions():
    rng = np.random.default_rng(4)
    features = pd.DataFrame({"x": rng.normal(size=8)})
    words = pd.DataFrame({"w": rng.choice(["a", "b"], 8), "v": rng.choice(["c", "d", "e"], 8)})
    best = min(
        cost(features, words, label, 0.7)
        for label in itertools.product([0, 1], repeat=8)
        if len(set(label)) == 2
    )
    fit = fit_prototypes(features, words, n_segments=2, seed=1, gamma=0.7, n_starts=30)
    assert fit.cost == pytest.approx(best)
    assert cost(features, words, fit.segment.tolist(), 0.7) == pytest.approx(best)


def test_prototypes_with_words_that_weigh_nothing_are_k_means():
    features, words, _ = clouds(distance=3.0)
    fit = fit_prototypes(features, words, n_segments=3, seed=1, gamma=1e-9, n_starts=20)
    other = fit_segments(features, n_segments=3, seed=1)
    pd.testing.assert_series_equal(fit.segment, other.segment)
    assert fit.cost == pytest.approx(other.inertia, abs=1e-6)


def test_prototypes_with_words_that_weigh_all_divide_by_the_words():
    features, words, _ = clouds(noise=0.0)
    fit = fit_prototypes(features * 1e-6, words, n_segments=3, seed=1, gamma=1.0)
    assert pd.crosstab(fit.segment, words["channel"]).gt(0).sum(axis=1).tolist() == [1, 1, 1]
    assert (
        fit.centers["channel"].tolist()
        == fit.segment.groupby(fit.segment)
        .apply(lambda own: words.loc[own.index, "channel"].iloc[0])
        .tolist()
    )


def test_words_help_where_numbers_overlap():
    features, words, truth = clouds(n=60, distance=1.5, noise=0.1)
    agreement = {}
    for method in ("k_means", "k_prototypes", "latent_classes"):
        found = segment_customers(method, features, words, n_segments=3, seed=1)
        table = pd.crosstab(found, truth)
        agreement[method] = table.max(axis=1).sum() / len(truth)
    assert agreement["latent_classes"] > agreement["k_means"]
    assert agreement["latent_classes"] > 0.8


def test_mixture_of_one_class_is_the_normal_distribution():
    features, _, _ = clouds()
    fit = fit_mixture(features, n_segments=1, seed=1)
    exact = stats.multivariate_normal(features.mean(), np.cov(features.T, ddof=0))
    log_likelihood = exact.logpdf(features.to_numpy()).sum()
    assert fit.log_likelihood == pytest.approx(log_likelihood, rel=1e-5)
    assert fit.n_parameters == 5
    assert fit.bic == pytest.approx(-2 * log_likelihood + 5 * np.log(90), rel=1e-5)
    assert fit.icl == pytest.approx(fit.bic)


def test_bic_and_icl_find_the_clouds_and_icl_charges_for_overlap():
    features, _, truth = clouds()
    table = compare_mixtures(features, n_segments=[1, 2, 3, 4], seed=1)
    assert table.loc[table["bic"].idxmin(), "n_segments"] == 3
    assert table.loc[table["icl"].idxmin(), "n_segments"] == 3
    assert (table["icl"] >= table["bic"] - 1e-9).all()
    fit = fit_mixture(features, n_segments=3, seed=1)
    assert pd.crosstab(fit.segment, truth).max(axis=1).sum() == len(truth)
    np.testing.assert_allclose(fit.membership.sum(axis=1), 1)
    assert (fit.membership.idxmax(axis=1) == fit.segment).all()


def test_latent_classes_have_the_likelihood_of_their_formula():
    """Rebuilt from the memberships: π, means, variances and word shares of each class."""
    features, words, _ = clouds(n=60, distance=2.5)
    fit = fit_latent_classes(features, words, n_segments=2, seed=1)
    member = fit.membership.to_numpy()
    density = np.zeros_like(member)
    for s in range(2):
        w = member[:, s] / member[:, s].sum()
        mean = w @ features.to_numpy()
        spread = np.sqrt(w @ (features.to_numpy() - mean) ** 2)
        share = pd.Series(w).groupby(words["channel"].to_numpy()).sum()
        density[:, s] = (
            member[:, s].mean()
            * stats.norm.pdf(features.to_numpy(), mean, spread).prod(axis=1)
            * words["channel"].map(share).to_numpy()
        )
    assert fit.log_likelihood == pytest.approx(np.log(density.sum(axis=1)).sum(), abs=0.01)
    assert fit.n_parameters == 2 * (2 * 2 + 2) + 1


def test_ward_joins_what_is_nearest_first():
    # By hand: {0, 1} and {6, 7} join at 0.5 each, then 20 stays alone.
    features = pd.DataFrame({"x": [0.0, 1.0, 6.0, 7.0, 20.0]})
    assert fit_ward(features, n_segments=2, seed=1).tolist() == [1, 1, 1, 1, 2]
    found = fit_ward(features, n_segments=3, seed=1)
    assert found.tolist() in ([2, 2, 1, 1, 3], [1, 1, 2, 2, 3])


@pytest.mark.parametrize("n_segments", [2, 3, 5, 8])
def test_ward_makes_as_many_segments_as_asked_for_where_distances_are_equal(n_segments):
    # On a grid many joins have one height. The check makes them one by one, from below.
    grid = pd.DataFrame(list(itertools.product(range(4), range(3))), columns=["x", "y"])
    groups = {leaf: {leaf} for leaf in range(12)}
    for join, row in enumerate(hierarchy.ward(grid.to_numpy())[: 12 - n_segments]):
        groups[12 + join] = groups.pop(int(row[0])) | groups.pop(int(row[1]))
    found = fit_ward(grid, n_segments=n_segments, seed=1)
    as_sets = {frozenset(members) for members in found.groupby(found).groups.values()}
    assert as_sets == {frozenset(group) for group in groups.values()}


def test_prototypes_of_customers_alike_in_numbers_go_by_their_words():
    features = pd.DataFrame({"x": [0.1] * 6})
    words = pd.DataFrame({"channel": list("aabbcc")})
    fit = fit_prototypes(features, words, n_segments=3, seed=1)
    # Nothing differs within a segment but a rounding of 0.1.
    assert fit.cost == pytest.approx(0, abs=1e-12)
    assert pd.crosstab(fit.segment, words["channel"]).gt(0).to_numpy().sum() == 3
    # What a refusal of words without numbers advises.
    assert fit_prototypes(features * 0, words, n_segments=3, seed=1).cost == fit.cost
    for method in (fit_prototypes, fit_latent_classes):
        with pytest.raises(ValueError, match="a column that is 0 for all"):
            method(features[[]], words, n_segments=3, seed=1)
    with pytest.raises(ValueError, match="1 customer has no spread"):
        fit_mixture(features.head(1), n_segments=1, seed=1)


def test_ward_on_a_part_of_many_customers_places_the_others_nearest():
    features, _, truth = clouds()
    whole = fit_ward(features, n_segments=3, seed=1)
    part = fit_ward(features, n_segments=3, seed=1, max_customers=40)
    assert pd.crosstab(part, truth).max(axis=1).sum() == len(truth)
    assert pd.crosstab(part, whole).gt(0).sum().sum() == 3


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_clouds_that_do_not_touch_and_numbers_them_by_value(method):
    features, words, truth = clouds()
    value = pd.Series(10.0 * truth, index=features.index)
    before = features.copy()
    found = segment_customers(method, features, words, n_segments=3, seed=1, order_by=value)
    assert found.to_numpy().tolist() == (3 - truth).tolist()
    assert found.index.equals(features.index)
    pd.testing.assert_frame_equal(features, before)


def test_agreement_of_methods_is_listed_pair_by_pair():
    one = pd.Series([1, 1, 2, 2, 3, 3] * 5)
    table = compare_methods({"k_means": one, "ward": 4 - one, "x": one // 2}, seed=1)
    assert table[["first", "second"]].to_numpy().tolist() == [
        ["k_means", "ward"],
        ["k_means", "x"],
        ["ward", "x"],
    ]
    assert table["adjusted_rand"].tolist()[0] == 1.0
    assert (table["chance_bound"] < 0.5).all()


def test_one_heavy_outlier_leaves_every_method_an_answer():
    features, words, _ = clouds(n=10)
    features.iloc[0] = 1e6
    for method in METHODS:
        found = segment_customers(method, features, words, n_segments=3, seed=1)
        assert found.notna().all()


@pytest.mark.parametrize(
    ("method", "change", "message"),
    [
        ("k_medians", lambda f, w: (f, w), "method is 'k_medians'; expected one of k_means"),
        ("k_prototypes", lambda f, _: (f, None), "needs words beside the numbers"),
        ("k_prototypes", lambda f, w: (f, w.iloc[::-1]), "different indices"),
        (
            "latent_classes",
            lambda f, w: (f, w.assign(channel=w["channel"].where(w.index != "c003"))),
            "channel is missing for 1",
        ),
        ("k_prototypes", lambda f, w: (f.head(2), w.head(2)), "the 2 distinct customers"),
        ("gaussian_mixture", lambda f, w: (f.head(2), w.head(2)), "2 distinct rows"),
        ("ward", lambda f, w: (f * np.nan, w), "missing or infinite"),
    ],
)
def test_what_a_method_cannot_divide_is_refused(method, change, message):
    features, words, _ = clouds(n=4)
    features, words = change(features, words)
    with pytest.raises(ValueError, match=message):
        segment_customers(method, features, words, n_segments=3, seed=1)


def test_prototypes_refuse_a_weight_of_nothing():
    features, words, _ = clouds(n=4)
    with pytest.raises(ValueError, match="gamma is 0"):
        fit_prototypes(features, words, n_segments=2, seed=1, gamma=0)
