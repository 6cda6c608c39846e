"""Fellegi and Sunter's model: known on paper, found by another route, and in the limits."""

import itertools

import numpy as np
import pytest

from crmlab.data.fellegi_sunter import FellegiSunter, choose_threshold, expected_rates

FIELDS = ("name", "phone", "year")
M = np.array([[0.08, 0.12, 0.80], [0.05, 0.05, 0.90], [0.10, 0.30, 0.60]])
U = np.array([[0.90, 0.09, 0.01], [0.97, 0.02, 0.01], [0.75, 0.20, 0.05]])
SHARE = 0.02


def all_patterns(levels=(0, 1, 2)):
    return np.array(list(itertools.product(levels, repeat=3)))


def exact_counts(patterns, m=M, u=U, share=SHARE, n=1e6):
    """Return how many pairs of each pattern there are to be expected, by the formula itself."""
    among, others = np.ones(len(patterns)), np.ones(len(patterns))
    for field in range(3):
        for row, level in enumerate(patterns[:, field]):
            if level >= 0:
                among[row] *= m[field, level]
                others[row] *= u[field, level]
    return n * (share * among + (1 - share) * others)


@pytest.fixture(scope="module")
def model():
    patterns = all_patterns()
    return FellegiSunter().fit(patterns, FIELDS, exact_counts(patterns))


def test_em_finds_the_model_that_made_the_counts(model):
    # Without noise the maximum is the model itself; the rest is where EM stops.
    np.testing.assert_allclose(model.m_, M, atol=2e-3)
    np.testing.assert_allclose(model.u_, U, atol=2e-4)
    assert model.match_share_ == pytest.approx(SHARE, rel=2e-2)


def test_weight_of_a_pair_adds_up_on_paper(model):
    model.m_, model.u_, model.match_share_ = M, U, 0.2
    # log2(0.2/0.8) = -2; log2(0.80/0.01) = 6.3219; log2(0.90/0.01) = 6.4919; year missing.
    assert model.weight([[2, 2, -1]])[0] == pytest.approx(-2 + 6.321928 + 6.491853, abs=1e-6)
    # Odds of 1/4 times 80 times 90.
    assert model.probability([[2, 2, -1]])[0] == pytest.approx(1800 / 1801, rel=1e-12)
    assert model.field_weights([[0, -1, 1]])[0, 1] == 0


def test_closed_form_of_three_yes_no_fields_agrees_with_em():
    """Lazarsfeld's latent class solution for three fields, from moments alone."""
    m, u, share = np.array([0.9, 0.8, 0.7]), np.array([0.1, 0.2, 0.05]), 0.3
    patterns = all_patterns((0, 2))
    is_equal = patterns == 2
    among = np.where(is_equal, m, 1 - m).prod(axis=1)
    others = np.where(is_equal, u, 1 - u).prod(axis=1)
    weight = share * among + (1 - share) * others
    mean = weight @ is_equal
    centred = is_equal - mean
    pair = {(i, j): weight @ (centred[:, i] * centred[:, j]) for i, j in ((0, 1), (0, 2), (1, 2))}
    triple = weight @ centred.prod(axis=1)
    # cov_ij = s(1-s) d_i d_j and the third moment is s(1-s)(1-2s) d_1 d_2 d_3, with d = m - u.
    product = np.sqrt(pair[0, 1] * pair[0, 2] * pair[1, 2])
    ratio = triple / product  # (1-2s) / sqrt(s(1-s))
    s = (1 - ratio / np.sqrt(4 + ratio**2)) / 2
    spread = np.sqrt(s * (1 - s))
    d = [
        np.sqrt(pair[0, 1] * pair[0, 2] / pair[1, 2]) / spread,
        np.sqrt(pair[0, 1] * pair[1, 2] / pair[0, 2]) / spread,
        np.sqrt(pair[0, 2] * pair[1, 2] / pair[0, 1]) / spread,
    ]
    assert s == pytest.approx(share, rel=1e-9)
    model = FellegiSunter().fit(patterns, FIELDS, 1e6 * weight)
    assert model.match_share_ == pytest.approx(s, abs=2e-3)
    np.testing.assert_allclose(model.m_[:, 2] - model.u_[:, 2], d, atol=5e-3)


def test_parameters_are_recovered_from_simulated_pairs_with_gaps():
    rng = np.random.default_rng(7)
    n = 300_000
    is_match = rng.random(n) < SHARE
    levels = np.empty((n, 3), dtype=np.int8)
    for field in range(3):
        edges = np.where(is_match[:, None], np.cumsum(M[field]), np.cumsum(U[field]))[:, :2]
        levels[:, field] = (rng.random((n, 1)) > edges).sum(axis=1)
    levels[rng.random((n, 3)) < 0.2] = -1
    model = FellegiSunter().fit(levels, FIELDS)
    # 6,000 matches, 4,800 with the field: 4 standard errors of m are at most 0.029; EM knows the
    # matches only in part, which adds to it.
    np.testing.assert_allclose(model.m_, M, atol=0.04)
    np.testing.assert_allclose(model.u_, U, atol=0.005)
    found = model.probability(levels)
    # Calibration: of the pairs called 0.2..0.8, as many match as the model says.
    between = (found > 0.2) & (found < 0.8)
    error = np.sqrt((found * (1 - found))[between].sum()) / between.sum()
    assert is_match[between].mean() == pytest.approx(found[between].mean(), abs=4 * error + 0.03)


def test_order_of_pairs_and_adding_equal_ones_up_make_no_difference():
    patterns = all_patterns()
    counts = exact_counts(patterns, n=2000).round().astype(int) + 1
    rows = np.repeat(patterns, counts, axis=0)
    shuffled = np.random.default_rng(1).permutation(len(rows))
    first = FellegiSunter().fit(patterns, FIELDS, counts)
    second = FellegiSunter().fit(rows[shuffled], FIELDS)
    np.testing.assert_allclose(first.m_, second.m_, rtol=1e-9)


def test_log_likelihood_never_falls():
    patterns = all_patterns()
    counts = exact_counts(patterns)
    model = FellegiSunter().fit(patterns, FIELDS, counts)
    others = FellegiSunter()
    others.fields_, others.m_, others.u_ = FIELDS, M * 0.9 + 0.1 / 3, U
    others.match_share_ = SHARE

    def likelihood(fitted):
        is_level = np.stack([patterns == level for level in range(3)], axis=2).astype(float)
        return counts @ np.log(sum(fitted._likelihoods(is_level)))

    assert likelihood(model) > likelihood(others)


def test_parameters_are_listed_by_field_and_level(model):
    table = model.parameters()
    assert len(table) == 9
    assert table.groupby("field")["m_probability"].sum().to_numpy() == pytest.approx(1)


def test_expected_rates_are_means_and_sums():
    rates = expected_rates([1.0, 0.9, 0.5, 0.1], thresholds=[0.0, 0.5, 0.95, 1.0])
    assert rates["n_links"].tolist() == [4, 3, 1, 1]
    assert rates["precision"].tolist() == pytest.approx([0.625, 0.8, 1.0, 1.0])
    assert rates["recall"].tolist() == pytest.approx([1, 2.4 / 2.5, 1 / 2.5, 1 / 2.5])
    assert np.isnan(expected_rates([0.5], thresholds=[0.9])["precision"].item())


@pytest.mark.parametrize(
    ("levels", "fields", "counts", "message"),
    [
        ([[2, 2]], ("a", "b"), None, "three fields or more"),
        ([[2, 2, 3]], FIELDS, None, r"none of -1, 0, 1, 2"),
        (np.empty((0, 3)), FIELDS, None, "holds no pairs"),
        ([[2, 2, 2]], FIELDS, [0], "not all 0"),
        ([[2, 2, 2]], FIELDS, [1, 2], "2 values for 1 patterns"),
    ],
)
def test_patterns_that_cannot_be_fitted_are_refused(levels, fields, counts, message):
    with pytest.raises(ValueError, match=message):
        FellegiSunter().fit(levels, fields, counts)


@pytest.mark.parametrize("bad", [[], [1.2], [np.nan]])
def test_rates_of_what_is_no_probability_are_refused(bad):
    with pytest.raises(ValueError, match="expected one a pair"):
        expected_rates(bad)


@pytest.mark.parametrize("precision", [0.8, 0.95, 0.999])
def test_threshold_is_the_lowest_that_is_precise_enough(precision):
    # Rounded, so that many are equal: equal pairs are linked together.
    probability = np.random.default_rng(3).beta(0.1, 0.1, 500).round(2)
    threshold = choose_threshold(probability, precision)
    assert probability[probability >= threshold].mean() >= precision
    below = probability[probability < threshold].max()
    assert probability[probability >= below].mean() < precision


def test_threshold_falls_back_on_the_surest_pair_and_refuses_nonsense():
    assert choose_threshold([0.5, 0.4], 0.9) == 0.5
    with pytest.raises(ValueError, match=r"precision is 1\.5 for 1 pairs"):
        choose_threshold([0.5], 1.5)
