"""BG/NBD with covariates: the model customer by customer, its fit, what it refuses."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from crmlab.atlas import text_in
from crmlab.value.lifetime import (
    BgNbd,
    CovariateBgNbd,
    FitError,
    code_profile,
    fit_bg_nbd_with_covariates,
    fit_repeat_model,
    lifetime_value,
    likelihood_ratio,
    simulate_bg_nbd,
    tell_profiles,
    try_profiles,
)
from crmlab.value.lifetime.gamma_gamma import GammaGamma

NAMES = ("is_referred", "income")
MODEL = CovariateBgNbd(
    *(0.8, 6.0, 1.2, 6.0),
    covariates=NAMES,
    centres=(0.5, 30_000.0),
    purchase_rate=(0.6, 2e-5),
    leaving=(-0.5, 0.0),
    staying=(0.2, 1e-5),
)
PLAIN = BgNbd(0.8, 6.0, 1.2, 6.0)


def draw(model, n, seed, weeks=78.0):
    rng = np.random.default_rng(seed)
    z = pd.DataFrame(
        {"is_referred": rng.random(n) < 0.4, "income": rng.normal(30_000, 10_000, n).round()}
    )
    each = model.parameters_of(z)
    rates = SimpleNamespace(**{name: each[name].to_numpy() for name in each}, early_exits=0)
    rates.r = model.r
    return pd.concat([simulate_bg_nbd(rates, np.full(n, weeks), seed=seed), z], axis=1)


@pytest.fixture(scope="module")
def drawn():
    return draw(MODEL, 3000, seed=4)


@pytest.fixture(scope="module")
def fitted(drawn):
    return fit_bg_nbd_with_covariates(drawn, NAMES)


def test_parameters_of_a_customer_by_hand():
    one = pd.DataFrame({"is_referred": [True], "income": [40_000]}, index=["c1"])
    found = MODEL.parameters_of(one).loc["c1"]
    assert found["alpha"] == pytest.approx(6 * np.exp(-0.6 * 0.5 - 2e-5 * 10_000))
    assert found["a"] == pytest.approx(1.2 * np.exp(-0.5 * 0.5))
    assert found["b"] == pytest.approx(6 * np.exp(0.2 * 0.5 + 1e-5 * 10_000))
    assert found["r"] == 0.8


def test_each_customer_has_a_bg_nbd_of_his_own(drawn):
    some = drawn.head(12)
    models = [BgNbd(*row) for row in MODEL.parameters_of(some).to_numpy()]
    rows = [some.iloc[[i]] for i in range(len(some))]
    pairs = list(zip(models, rows, strict=True))
    for whole, single in [
        (MODEL.log_likelihood(some), [m.log_likelihood(row)[0] for m, row in pairs]),
        (MODEL.probability_alive(some), [m.probability_alive(row)[0] for m, row in pairs]),
        (
            MODEL.expected_future_orders(some, weeks=26.0),
            [m.expected_future_orders(row, weeks=26.0)[0] for m, row in pairs],
        ),
    ]:
        np.testing.assert_allclose(whole, single, rtol=1e-12)


def test_without_effects_it_is_the_bg_nbd(drawn):
    none = CovariateBgNbd(*PLAIN.point, NAMES, (0.4, 3e4), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))
    np.testing.assert_allclose(
        none.log_likelihood(drawn), PLAIN.log_likelihood(drawn), rtol=1e-13, atol=1e-13
    )
    np.testing.assert_allclose(none.probability_alive(drawn), PLAIN.probability_alive(drawn))
    np.testing.assert_allclose(
        none.expected_future_orders(drawn, weeks=52), PLAIN.expected_future_orders(drawn, weeks=52)
    )


def test_effects_put_in_are_found(fitted):
    assert [f"purchase_rate: {name}" for name in NAMES] == list(fitted.estimates.values)[4:6]
    for effect in ("purchase_rate", "leaving", "staying"):
        for name, true, found in zip(
            NAMES, getattr(MODEL, effect), getattr(fitted, effect), strict=True
        ):
            error = fitted.estimates.standard_errors[f"{effect}: {name}"]
            assert abs(found - true) < 3.5 * error, (effect, name)
            assert error < 0.5 * (1 if name == "is_referred" else 1e-4)


def test_errors_are_those_of_repeated_samples():
    # Twelve samples give a standard deviation to within a fifth or so of itself.
    models = [fit_bg_nbd_with_covariates(draw(MODEL, 800, seed=s), NAMES[:1]) for s in range(12)]
    found = np.array([m.purchase_rate[0] for m in models])
    told = np.mean([m.estimates.standard_errors["purchase_rate: is_referred"] for m in models])
    assert 0.55 < found.std(ddof=1) / told < 1.6


def test_fit_is_the_best_there_is_and_no_worse_than_without_covariates(drawn, fitted):
    best = fitted.estimates.log_likelihood
    assert best == pytest.approx(fitted.log_likelihood(drawn).sum())
    plain = fit_repeat_model(BgNbd, drawn).estimates
    assert best > plain.log_likelihood
    for effect in ("purchase_rate", "leaving", "staying"):
        for away in (0.97, 1.03):
            shifted = tuple(away * one for one in getattr(fitted, effect))
            other = CovariateBgNbd(**{**_fields(fitted), effect: shifted})
            assert other.log_likelihood(drawn).sum() < best
    ratio = likelihood_ratio(fitted.estimates, plain)
    assert ratio["degrees_of_freedom"] == 6
    assert ratio["statistic"] == pytest.approx(2 * (best - plain.log_likelihood))
    assert ratio["p_value"] < 1e-10


def test_noise_is_no_covariate(drawn):
    # Of a covariate that has nothing to do with anything the ratio is a chi-square variable.
    noise = np.random.default_rng(6).normal(size=(3000, 3))
    plain = fit_repeat_model(BgNbd, drawn).estimates
    found = [
        likelihood_ratio(
            fit_bg_nbd_with_covariates(drawn.assign(noise=column), ["noise"]).estimates, plain
        )["statistic"]
        for column in noise.T
    ]
    assert min(found) >= 0
    assert max(found) < chi2.ppf(0.999, 3)


def test_unit_and_zero_of_a_covariate_do_not_matter(drawn, fitted):
    other = drawn.assign(income=drawn["income"] / 1000 + 7)
    again = fit_bg_nbd_with_covariates(other, NAMES)
    assert again.estimates.log_likelihood == pytest.approx(
        fitted.estimates.log_likelihood, abs=1e-6
    )
    assert again.purchase_rate[1] == pytest.approx(1000 * fitted.purchase_rate[1], rel=1e-5)
    np.testing.assert_allclose(again.probability_alive(other), fitted.probability_alive(drawn))


def test_effects_are_told_as_ratios(fitted):
    table = fitted.effects().set_index("covariate")
    assert table.loc["is_referred", "rate_ratio"] == pytest.approx(np.exp(fitted.purchase_rate[0]))
    assert (table["lower"] < table["rate_ratio"]).all()
    assert (table["rate_ratio"] < table["upper"]).all()
    a, b = fitted.a * np.exp(fitted.leaving[0]), fitted.b * np.exp(fitted.staying[0])
    assert table.loc["is_referred", "leaving_probability"] == pytest.approx(a / (a + b))
    with pytest.raises(ValueError, match="was not fitted"):
        MODEL.effects()


def test_values_of_customers_follow_from_it(drawn, fitted):
    summary = drawn.assign(customer_id=range(len(drawn)), mean_repeat_value=20.0)
    terms = {"weeks": 52, "annual_discount_rate": 0.1}
    table = lifetime_value(fitted, GammaGamma(6.25, 3.74, 15.44), summary, **terms)
    assert np.isfinite(table["lifetime_value"]).all()


@pytest.mark.parametrize(
    ("change", "names", "complaint"),
    [
        ({"region": "north"}, ["region"], "'region' holds str, such as 'north'.*get_dummies"),
        ({"age": np.nan}, ["age"], "'age' is missing or infinite for 3000 of 3000.*row 1"),
        ({"age": 40}, ["age"], "'age' is 40 for all 3000 customers.*Leave it out"),
        ({}, ["age"], "'age' is no column"),
        ({}, [], "expected one or more"),
        ({}, ["income", "income"], "each named once"),
        ({}, ["n_repeat_orders"], "what the model explains"),
    ],
)
def test_useless_covariates_are_refused_by_name(drawn, change, names, complaint):
    with pytest.raises(ValueError, match=complaint):
        fit_bg_nbd_with_covariates(drawn.assign(**change), names)


def test_a_covariate_that_follows_from_others_is_refused_by_name(drawn):
    both = drawn.assign(is_other=~drawn["is_referred"])
    with pytest.raises(FitError, match="'is_other' follows from 'is_referred', 'income'"):
        fit_bg_nbd_with_covariates(both, [*NAMES, "is_other"])


def test_hopeless_customers_and_wrong_comparisons_are_refused(drawn, fitted):
    once = drawn.assign(n_repeat_orders=0, last_order_age_weeks=0.0)
    with pytest.raises(FitError, match="only 0 of 3000 customers bought again"):
        fit_bg_nbd_with_covariates(once, NAMES)
    with pytest.raises(ValueError, match="expected the same customers, and more parameters"):
        likelihood_ratio(fitted.estimates, fitted.estimates)
    with pytest.raises(ValueError, match="leaving has 1 numbers; expected one for each of 2"):
        CovariateBgNbd(*PLAIN.point, NAMES, (0, 0), (0, 0), (0,), (0, 0))


def test_a_kind_of_customers_that_never_leaves_is_refused_in_words():
    rng = np.random.default_rng(1)
    stays = np.arange(600) % 2
    truth = SimpleNamespace(
        r=0.8, alpha=6.0, a=np.where(stays, 1e-9, 2.0), b=np.where(stays, 1.0, 3.0), early_exits=0
    )
    drawn = simulate_bg_nbd(truth, rng.uniform(40, 80, 600), seed=7).assign(stays=stays)
    with pytest.raises(FitError, match=r"do not determine .*leaving.* of 600 customers|runs off"):
        fit_bg_nbd_with_covariates(drawn, ["stays"])


def test_input_is_left_alone(drawn):
    before = drawn.copy(deep=True)
    fit_bg_nbd_with_covariates(drawn, NAMES[:1])
    pd.testing.assert_frame_equal(drawn, before)


def _fields(model):
    names = ("r", "alpha", "a", "b", "covariates", "centres", "purchase_rate", "leaving", "staying")
    return {name: getattr(model, name) for name in names}


def test_profiles_are_coded_against_the_most_frequent_value():
    coded = code_profile(pd.Series(["b", "a", "b", None, "c", True]))
    assert coded.columns.tolist() == ["True", "a", "c", "unknown"]
    assert coded.sum().tolist() == [1, 1, 1, 1]
    assert (coded.sum(axis=1) == [0, 1, 0, 1, 1, 1]).all()


def test_a_profile_that_matters_is_told_from_one_that_does_not(drawn):
    rng = np.random.default_rng(2)
    profiles = pd.DataFrame(
        {
            "channel": np.where(drawn["is_referred"], "referral", "shop"),
            "sign": rng.choice(["leo", "virgo", "libra"], len(drawn)),
            "planet": "earth",
        }
    )
    # What the true model expects stands in for later orders without their noise.
    later = MODEL.expected_future_orders(drawn, weeks=26.0)
    tests, effects, refusals = try_profiles(drawn, profiles, n_later=later, weeks=26.0)
    tests = tests.set_index("profile")
    assert tests.loc["channel", "p_value"] < 1e-6 < 1e-3 < tests.loc["sign", "p_value"]
    assert tests.loc["channel", "degrees_of_freedom"] == 3
    assert tests.loc["channel", "forecast_error"] < tests.loc["channel", "plain_forecast_error"]
    assert list(refusals) == ["planet"]
    one = effects.set_index("profile").loc["channel"]
    assert one["profile_value"] == "referral"
    assert one["compared_with"] == "shop"
    assert one["lower"] < np.exp(0.6) < one["upper"]
    assert one["n_customers"] == drawn["is_referred"].sum()
    with pytest.raises(ValueError, match="expected the same customers"):
        try_profiles(drawn, profiles.head(3), n_later=later, weeks=26.0)


def test_that_no_profile_lowers_the_error_is_said_in_words():
    tests = pd.DataFrame(
        {"forecast_error": [2.2, 2.1], "plain_forecast_error": 2.0, "p_value": 0.3}
    )
    assert text_in(tell_profiles(tests), "en").startswith("No profile of the 2 tried lowers")
    assert "2 项资料都没有降低" in text_in(tell_profiles(tests), "zh")
    tests.loc[0, "forecast_error"] = 1.9
    assert "2 项资料中有 1 项降低了" in text_in(tell_profiles(tests), "zh")
