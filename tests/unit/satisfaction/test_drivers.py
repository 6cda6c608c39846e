from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.outliers_influence import variance_inflation_factor

from crmlab.satisfaction import driver_shares
from crmlab.satisfaction.drivers import MOST_ATTRIBUTES, shapley_r_squared


def r_squared(x, y):
    """Return the R² of a least squares line, fitted to the data themselves."""
    if x.shape[1] == 0:
        return 0.0
    design = np.column_stack([np.ones(len(y)), x])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - residual @ residual / ((y - y.mean()) ** 2).sum()


@pytest.fixture(scope="module")
def rated():
    rng = np.random.default_rng(9)
    common = rng.normal(size=(150, 1))
    x = pd.DataFrame(rng.normal(size=(150, 4)) + common, columns=list("abcd"))
    y = x @ np.array([1.0, 0.5, 0.2, 0.0]) + rng.normal(size=150)
    return x, y


def test_uncorrelated_attributes_get_their_squared_correlations():
    correlation = np.array([[1, 0.6, 0.5, 0], [0.6, 1, 0, 0], [0.5, 0, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(shapley_r_squared(correlation), [0.36, 0.25, 0], atol=1e-15)


def test_two_attributes_share_by_the_formula_solved_on_paper():
    # φ1 = ½ (r1² + R² − r2²) with R² = (r1² + r2² − 2 r1 r2 r12) / (1 − r12²).
    r1, r2, r12 = 0.5, 0.4, 0.3
    total = (r1**2 + r2**2 - 2 * r1 * r2 * r12) / (1 - r12**2)
    found = shapley_r_squared(np.array([[1, r1, r2], [r1, 1, r12], [r2, r12, 1]]))
    np.testing.assert_allclose(
        found, [(total + r1**2 - r2**2) / 2, (total - r1**2 + r2**2) / 2], rtol=1e-12
    )


def test_shares_are_mean_gains_over_all_orders_of_least_squares(rated):
    """The definition by brute force: 24 orders, 4 regressions each, on the data."""
    x, y = rated
    gains = np.zeros(4)
    for order in permutations(range(4)):
        for place, j in enumerate(order):
            before, after = list(order[:place]), list(order[: place + 1])
            gains[j] += r_squared(x.iloc[:, after].to_numpy(), y) - r_squared(
                x.iloc[:, before].to_numpy(), y
            )
    found = driver_shares(x, y, n_resamples=0, rng=None)
    np.testing.assert_allclose(found["r_squared_share"], gains / 24, rtol=1e-10)
    assert found.attrs["r_squared"] == pytest.approx(r_squared(x.to_numpy(), y), rel=1e-12)


def test_beta_correlation_and_vif_are_those_of_other_programs(rated):
    x, y = rated
    found = driver_shares(x, y, n_resamples=0, rng=None)
    scaled = (x - x.mean()) / x.std()
    beta = np.linalg.lstsq(scaled.to_numpy(), ((y - y.mean()) / y.std()).to_numpy(), rcond=None)[0]
    np.testing.assert_allclose(found["beta"], beta, rtol=1e-9)
    np.testing.assert_allclose(found["correlation"], x.corrwith(y), rtol=1e-12)
    design = np.column_stack([np.ones(150), x])
    vif = [variance_inflation_factor(design, k) for k in range(1, 5)]
    np.testing.assert_allclose(found["vif"], vif, rtol=1e-9)


def test_stack_of_matrices_gives_each_its_own_shares(rated):
    x, y = rated
    one = np.corrcoef(np.column_stack([y, x]).T)
    two = np.corrcoef(np.column_stack([x["d"], x[["a", "b", "c"]], y]).T)
    stacked = shapley_r_squared(np.stack([one, two]))
    np.testing.assert_allclose(stacked[0], shapley_r_squared(one), rtol=1e-12)
    np.testing.assert_allclose(stacked[1], shapley_r_squared(two), rtol=1e-12)


def test_shares_do_not_change_with_order_or_unit(rated):
    x, y = rated
    found = driver_shares(x, y, n_resamples=0, rng=None)["r_squared_share"]
    other = driver_shares(7 - 3 * x[list("dbca")], y / 2, n_resamples=0, rng=None)
    np.testing.assert_allclose(found, other["r_squared_share"].loc[list("abcd")], rtol=1e-9)


def test_interval_covers_the_share_of_the_population():
    """Samples of known correlations: the intervals cover about as often as they say."""
    rng = np.random.default_rng(12)
    truth = np.array([[1, 0.5, 0.4], [0.5, 1, 0.3], [0.4, 0.3, 1]])
    expected, root = shapley_r_squared(truth), np.linalg.cholesky(truth)
    hits = 0
    for _ in range(60):
        data = rng.normal(size=(200, 3)) @ root.T
        x = pd.DataFrame(data[:, 1:], columns=["a", "b"])
        found = driver_shares(x, data[:, 0], n_resamples=100, rng=rng)
        hits += ((found["lower"] <= expected) & (expected <= found["upper"])).sum()
    assert hits / 120 > 0.95 - 4 * np.sqrt(0.05 * 0.95 / 120)


def test_respondents_with_a_gap_are_left_out_and_counted(rated):
    x, y = rated
    gappy = x.mask((x.index < 10)[:, None] & (x.columns == "b"))
    found = driver_shares(gappy, y, n_resamples=0, rng=None)
    assert found.attrs["n_respondents"] == 140
    kept = driver_shares(x.iloc[10:], y.iloc[10:], n_resamples=0, rng=None)
    pd.testing.assert_frame_equal(found, kept)


def test_constant_attribute_or_outcome_is_refused_by_name(rated):
    x, y = rated
    with pytest.raises(ValueError, match="'c' is 5 for every respondent"):
        driver_shares(x.assign(c=5.0), y, rng=None)
    with pytest.raises(ValueError, match="the outcome is 0 for every"):
        driver_shares(x, np.zeros(150), rng=None)


def test_attribute_that_follows_from_others_is_refused_by_name(rated):
    x, y = rated
    with pytest.raises(ValueError, match=r"'d' follows from the others \(nearest: 'a'"):
        driver_shares(x.assign(d=2 * x["a"] + 1), y, rng=None)
    with pytest.raises(ValueError, match="'d' follows from the others"):
        driver_shares(x.assign(d=x["a"] - x["b"] + x["c"]), y, rng=None)


def test_more_attributes_than_respondents_and_too_many_are_refused(rated):
    x, y = rated
    with pytest.raises(ValueError, match="5 respondents answered all 4"):
        driver_shares(x.head(5), y.head(5), rng=None)
    with pytest.raises(ValueError, match="3 respondents"):
        driver_shares(x.head(3), y.head(3), rng=None)
    with pytest.raises(ValueError, match="0 respondents"):
        driver_shares(x * np.nan, y, rng=None)
    many = pd.DataFrame(np.zeros((60, MOST_ATTRIBUTES + 1)))
    with pytest.raises(ValueError, match="there are 16 attributes; expected 1 to 15"):
        driver_shares(many, np.zeros(60), rng=None)


def test_shapes_and_resamples_out_of_range_are_refused(rated):
    x, y = rated
    with pytest.raises(ValueError, match="outcome has shape"):
        driver_shares(x, y.head(9), rng=None)
    with pytest.raises(ValueError, match="expected 0, or at least 100"):
        driver_shares(x, y, n_resamples=5, rng=None)
    with pytest.raises(ValueError, match="expected a square matrix"):
        shapley_r_squared(np.ones((2, 3)))


def test_few_alike_answers_are_drawn_until_they_vary():
    x = pd.DataFrame({"a": [1.0, 1, 1, 1, 2, 3], "b": [1.0, 2, 1, 2, 1, 2]})
    found = driver_shares(x, [1, 2, 2, 3, 3, 5], n_resamples=100, rng=np.random.default_rng(0))
    assert np.isfinite(found[["lower", "upper"]]).all(axis=None)


def test_inputs_are_left_as_they_were(rated):
    x, y = rated
    before = x.copy(), y.copy()
    driver_shares(x, y, n_resamples=100, rng=np.random.default_rng(0))
    pd.testing.assert_frame_equal(x, before[0])
    pd.testing.assert_series_equal(y, before[1])
