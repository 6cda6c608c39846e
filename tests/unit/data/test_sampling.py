"""Sample size and margin of error of a survey."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom, norm
from statsmodels.stats.proportion import proportion_confint

from crmlab.data.sampling import (
    adjust_p_values,
    margin_of_error,
    sample_size,
    trace_margins,
    wilson_interval,
)

# Krejcie and Morgan (1970), Educational and Psychological Measurement 30(3), 607-610,
# doi:10.1177/001316447003000308, table 1: population -> sample, for a margin of 0.05, 95 per cent
# confidence and p = 0.5. Printed as whole numbers, rounded to the nearest.
KREJCIE_MORGAN = {
    10: 10,
    20: 19,
    50: 44,
    100: 80,
    220: 140,
    250: 152,
    1200: 291,
    1500: 306,
}
# The confidence whose z is exactly 2, as Cochran computes.
Z_IS_2 = norm.cdf(2) - norm.cdf(-2)


def test_sample_size_solves_the_equation_on_paper():
    # z = 2, p = 1/2, e = 1/10: n0 = 4 (1/4) / (1/100) = 100; of N = 100: 100 / (1 + 99/100).
    assert sample_size(0.1, confidence=Z_IS_2) == pytest.approx(100, rel=1e-12)
    assert sample_size(0.1, confidence=Z_IS_2, population=100) == pytest.approx(
        100 / 1.99, rel=1e-12
    )


def test_sample_size_agrees_with_cochrans_island():
    # Cochran (1977), Sampling Techniques, sections 4.1 and 4.4: blood groups to within 5 points,
    # t = 2, gives 400; on an island of 3,200 people, 356.
    assert sample_size(0.05, confidence=Z_IS_2) == pytest.approx(400, rel=1e-12)
    on_island = sample_size(0.05, confidence=Z_IS_2, population=3200)
    assert on_island == pytest.approx(356, abs=0.5)


@pytest.mark.parametrize(("population", "printed"), KREJCIE_MORGAN.items())
def test_sample_size_agrees_with_krejcie_and_morgans_table(population, printed):
    assert sample_size(0.05, population=population) == pytest.approx(printed, abs=0.5)


def test_printed_tables_would_tell_a_doubled_sample_from_the_right_one():
    assert abs(2 * sample_size(0.05, population=1500) - KREJCIE_MORGAN[1500]) > 0.5
    assert abs(sample_size(0.05) / 2 - KREJCIE_MORGAN[1500]) > 0.5


def test_margin_is_z_times_the_hypergeometric_standard_deviation():
    # Drawing n of N customers, K of them satisfied, without replacement: the number satisfied in
    # the sample is hypergeometric. Same quantity, other route.
    size, satisfied, n = 500, 350, 80
    spread = hypergeom.std(size, satisfied, n) / n
    found = margin_of_error(n, population=size, proportion=satisfied / size, confidence=0.9)
    assert found == pytest.approx(norm.ppf(0.95) * spread, rel=1e-12)


def test_margin_vanishes_when_everyone_is_asked():
    assert margin_of_error([1, 40], population=[1, 40]).tolist() == [0, 0]


def test_margin_of_a_large_population_comes_near_that_of_an_infinite_one():
    near = margin_of_error(400, population=1e9)
    assert near == pytest.approx(margin_of_error(400), rel=1e-6)
    assert near < margin_of_error(400)


def test_four_times_the_sample_halves_the_margin():
    assert margin_of_error(1000) == pytest.approx(2 * margin_of_error(4000), rel=1e-12)


def test_interval_covers_the_true_share_as_often_as_it_says():
    # 4,000 samples of 200 out of 1,000 customers, 620 of them satisfied, seed 7.
    rng = np.random.default_rng(7)
    shares = rng.hypergeometric(620, 380, 200, size=4000) / 200
    margin = margin_of_error(200, population=1000, proportion=0.62)
    covered = np.mean(np.abs(shares - 0.62) <= margin)
    # Chance error of a share of 0.95 in 4,000 samples, and one half step of 1/200 in the share:
    # the hypergeometric is discrete. Half or double the margin covers 0.67 or 1.00.
    discreteness = hypergeom(1000, 620, 200).pmf(124)
    assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 4000) + discreteness / 2)
    assert np.mean(np.abs(shares - 0.62) <= margin / 2) < 0.75
    assert np.mean(np.abs(shares - 0.62) <= margin * 2) > 0.99


@given(
    st.floats(0.005, 0.3),
    st.one_of(st.just(np.inf), st.integers(2, 10**9).map(float)),
    st.floats(0.5, 0.999),
    st.floats(0.01, 0.99),
)
def test_the_sample_size_found_has_the_margin_asked_for(margin, population, confidence, share):
    same = {"population": population, "confidence": confidence, "proportion": share}
    n = sample_size(margin, **same)
    assert 0 < n <= population
    assert margin_of_error(n, **same) == pytest.approx(margin, rel=1e-6)


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.01, 0.99))
def test_margin_never_grows_with_the_sample(n, more, share):
    population = 10_000
    larger = margin_of_error(n + more, population=population, proportion=share)
    assert larger < margin_of_error(n, population=population, proportion=share)


def test_one_half_is_the_share_that_asks_for_most():
    shares = np.linspace(0.01, 0.99, 99)
    assert shares[np.argmax(sample_size(0.05, proportion=shares))] == pytest.approx(0.5)


def test_functions_broadcast_and_return_a_float_for_single_numbers():
    assert isinstance(sample_size(0.05), float)
    assert isinstance(margin_of_error(250, population=900), float)
    assert sample_size(0.05, population=[100, 1000]).shape == (2,)
    assert margin_of_error(np.array([[100], [200]]), population=[300, 400]).shape == (2, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_size(0), "margin is 0.0; expected a number above 0 and below 1"),
        (lambda: sample_size(5), "margin is 5.0"),
        (lambda: sample_size(np.nan), "margin is nan"),
        (lambda: sample_size(0.05, confidence=95), "confidence is 95.0"),
        (lambda: sample_size(0.05, proportion=1), "proportion is 1.0"),
        (lambda: sample_size(0.05, population=0), "population is 0.0; expected 1 customer"),
        (lambda: margin_of_error(0), "n_respondents is 0.0; expected a number above 0$"),
        (
            lambda: margin_of_error([10, 300], population=250),
            "n_respondents is 300 of a population of 250; expected at most everyone",
        ),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_arrays_are_left_as_they_were():
    n, population = np.array([10.0, 20.0]), np.array([100.0, np.inf])
    margin_of_error(n, population=population)
    assert n.tolist() == [10, 20]
    assert population.tolist() == [100, np.inf]


def test_wilson_interval_is_statsmodels_and_ends_at_the_share_itself():
    hits, n = np.array([0, 3, 50, 9]), np.array([9, 10, 90, 9])
    share, lower, upper = wilson_interval(hits, n, confidence=0.9)
    expected = proportion_confint(hits, n, alpha=0.1, method="wilson")
    # An end that is 0 may miss it by a rounding, of which no relative share can be allowed.
    np.testing.assert_allclose([lower, upper], expected, atol=1e-12)
    assert (lower[0], share[0], upper[3]) == (0, 0, 1)
    assert np.isnan(wilson_interval(0, 0)).all()


def test_interval_of_nobody_and_of_everybody_ends_where_shares_end():
    _, lower, upper = wilson_interval([0, 425, 0], [425, 425, 0])
    assert (lower[0], upper[1]) == (0.0, 1.0)
    assert 0 < upper[0] < 0.01 < 0.99 < lower[1] < 1
    assert np.isnan([lower[2], upper[2]]).all()


def test_wilson_interval_covers_the_true_share_as_often_as_it_says():
    rng = np.random.default_rng(5)
    hits = rng.binomial(40, 0.3, 4000)
    _, lower, upper = wilson_interval(hits, np.full(4000, 40))
    covered = ((lower <= 0.3) & (upper >= 0.3)).mean()
    # Wilson's interval covers 0.95 on average over shares; at this one within a point and a half.
    assert covered == pytest.approx(0.95, abs=0.02)


def test_interval_of_more_hits_than_trials_is_refused():
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson_interval(3, 2)
    with pytest.raises(ValueError, match="confidence is 1"):
        wilson_interval(1, 2, confidence=1)


def test_holms_p_values_reject_as_the_steps_do():
    """By the steps: the smallest against α/m, the next against α/(m - 1), until one is kept."""
    for p in itertools.product([0.001, 0.012, 0.02, 0.04, 0.3], repeat=3):
        rejected = np.zeros(3, dtype=bool)
        for step, place in enumerate(np.argsort(p, kind="stable")):
            if p[place] > 0.05 / (3 - step):
                break
            rejected[place] = True
        assert ((adjust_p_values(p) <= 0.05) == rejected).all()
    assert np.isnan(adjust_p_values([0.01, np.nan])[1])
    assert adjust_p_values([0.01, np.nan])[0] == 0.01


def test_curve_meets_the_margin_of_each_survey_and_ends_where_everybody_is_asked():
    curves = trace_margins(30, 500, population=500)
    at = curves.set_index(["population", "n_respondents"])["margin_of_error"]
    assert at["population_finite", 500] == 0
    assert at["population_infinite", 500] == margin_of_error(500)
    assert at["population_finite", 30] == margin_of_error(30, population=500)
    assert set(trace_margins(30, 500)["population"]) == {"population_infinite"}
