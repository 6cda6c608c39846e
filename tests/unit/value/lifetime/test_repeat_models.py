"""BG/NBD, MBG/NBD and Pareto/NBD: what holds of each, and what tells them apart."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import beta as beta_function
from scipy.special import betaln, gammaln
from scipy.stats import nbinom

from crmlab.atlas import text_in
from crmlab.value.lifetime import (
    BgNbd,
    FitError,
    MbgNbd,
    Nbd,
    ParetoNbd,
    fit_repeat_model,
    fit_repeat_models,
    group_reasons,
    simulate_bg_nbd,
    simulate_pareto_nbd,
    tell_reasons,
)
from crmlab.value.lifetime.bg_nbd import orders_while_alive
from crmlab.value.lifetime.repeat_orders import each_row

BG = BgNbd(0.243, 4.414, 0.793, 2.426)
MBG = MbgNbd(0.525, 6.183, 0.891, 1.614)
PARETO = ParetoNbd(0.553, 10.578, 0.606, 11.669)
MODELS = [BG, MBG, PARETO]
KINDS = [BgNbd, MbgNbd, ParetoNbd]


def customers(*rows):
    columns = ["n_repeat_orders", "last_order_age_weeks", "age_weeks"]
    return pd.DataFrame(rows, columns=columns)


SEVERAL = customers((0, 0.0, 39.0), (1, 3.5, 30.0), (4, 28.0, 38.0), (26, 30.86, 31.0))


def simulate(model, n=4000, seed=3, weeks=52.0):
    draw = simulate_pareto_nbd if isinstance(model, ParetoNbd) else simulate_bg_nbd
    return draw(model, np.full(n, weeks), seed=seed)


def both_rates(model, likelihood, x, t_x, age):
    """Average an individual likelihood over λ and the drop-out parameter, by quadrature."""
    if isinstance(model, ParetoNbd):
        second = lambda m: np.exp(  # noqa: E731
            model.s * np.log(model.beta * m) - gammaln(model.s) - np.log(m) - m * model.beta
        )
        ends = (0, np.inf)
    else:
        second = lambda p: (  # noqa: E731
            p ** (model.a - 1) * (1 - p) ** (model.b - 1) / beta_function(model.a, model.b)
        )
        ends = (0, 1)

    def first(rate):
        log = model.r * np.log(model.alpha) - gammaln(model.r)
        return np.exp(log + (model.r - 1) * np.log(rate) - rate * model.alpha)

    def over_rates(d):
        return quad(lambda rate: likelihood(rate, d, x, t_x, age) * first(rate), 0, np.inf)[0]

    return quad(lambda d: over_rates(d) * second(d), *ends, limit=200)[0]


def of_one_customer(model):
    """Return the likelihood of a customer whose rates are known, as the papers tell the story."""
    early = getattr(model, "early_exits", 0)
    if isinstance(model, ParetoNbd):
        return lambda rate, m, x, t_x, age: (
            rate**x * m / (rate + m) * np.exp(-(rate + m) * t_x)
            + rate ** (x + 1) / (rate + m) * np.exp(-(rate + m) * age)
        )
    return lambda rate, p, x, t_x, age: (
        rate**x
        * (
            (1 - p) ** (x + early) * np.exp(-rate * age)
            + (p * (1 - p) ** (x + early - 1) * np.exp(-rate * t_x) if x + early else 0.0)
        )
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
@pytest.mark.parametrize("one", [(0, 0.0, 39.0), (2, 20.0, 39.0)])
def test_likelihood_is_that_of_one_customer_averaged_over_all(model, one):
    by_hand = both_rates(model, of_one_customer(model), *one)
    found = model.log_likelihood(customers(one))[0]
    assert found == pytest.approx(np.log(by_hand), abs=1e-5)  # quad's own precision


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_gradient_is_the_slope_of_the_likelihood(model):
    seen = each_row(*(SEVERAL[c].to_numpy(float) for c in SEVERAL))
    _, gradient = model._contributions(model.point, *seen)
    for i, step in enumerate(np.eye(4) * 1e-6):
        above, below = (model._contributions(model.point + s, *seen)[0] for s in (step, -step))
        np.testing.assert_allclose(gradient[i], (above - below) / 2e-6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_expected_orders_and_survivors_are_those_of_simulated_customers(model):
    drawn = simulate(model, n=40_000)
    mean, error = drawn["n_repeat_orders"].mean(), drawn["n_repeat_orders"].sem()
    assert abs(float(model.expected_orders(52.0)) - mean) < 4 * error
    alive = model.probability_alive(drawn)
    # Among customers given a probability, that share is alive.
    for part in np.array_split(np.argsort(alive, kind="stable"), 4):
        share, found = alive[part].mean(), drawn["is_alive"].to_numpy()[part].mean()
        assert abs(share - found) < 4 * np.sqrt(max(share * (1 - share), 1e-4) / len(part)) + 1e-3


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_forecasts_of_new_customers_add_up_over_time(model):
    # What is expected up to week 80 is what was up to 52, and then what each is expected to do.
    drawn = simulate(model, n=40_000, seed=8)
    ahead = model.expected_future_orders(drawn, weeks=28.0)
    whole = drawn["n_repeat_orders"] + ahead
    expected = float(model.expected_orders(80.0))
    assert abs(whole.mean() - expected) < 4 * whole.std() / np.sqrt(len(whole))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_limits_in_time(model):
    assert model.expected_orders([0.0])[0] == 0
    np.testing.assert_allclose(model.expected_future_orders(SEVERAL, weeks=0), 0, atol=1e-12)
    rising = model.expected_orders(np.arange(0.0, 500, 20))
    assert (np.diff(rising) > 0).all()
    # A short time ahead an alive customer buys at the mean of the rates left to him.
    rate = (model.r + SEVERAL["n_repeat_orders"]) / (model.alpha + SEVERAL["age_weeks"])
    soon = model.expected_future_orders(SEVERAL, weeks=1e-4) / 1e-4
    np.testing.assert_allclose(soon, model.probability_alive(SEVERAL) * rate, rtol=1e-4)


def test_who_bought_once_is_alive_to_the_bg_nbd_alone():
    once = customers((0, 0.0, 39.0))
    assert BG.probability_alive(once)[0] == 1
    assert MBG.probability_alive(once)[0] < 1
    assert PARETO.probability_alive(once)[0] < 1


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_longer_silence_makes_survival_less_likely(model):
    silent = customers(*[(4, 30.0 - gap, 30.0) for gap in (1.0, 5.0, 10.0, 20.0)])
    alive = model.probability_alive(silent)
    assert (np.diff(alive) < 0).all()


def test_bg_nbd_where_its_formula_divides_by_zero():
    at, near = (BgNbd(0.243, 4.414, a, 2.426).expected_orders(52.0) for a in (1.0, 1.0 + 1e-4))
    assert at == pytest.approx(near, rel=1e-4)


def test_pareto_where_its_formula_divides_by_zero():
    at, near = (ParetoNbd(0.5, 10, s, 11).expected_orders(52.0) for s in (1.0, 1.0 + 1e-7))
    assert at == pytest.approx(near, rel=1e-6)


def test_expected_orders_are_the_integral_over_drop_out_probabilities():
    # An alive customer with rate λ and drop-out p is expected to buy (1 - exp(-λpt)) / p times;
    # λ averages to 1 - (α / (α + pt))^r, and p is averaged here, by its logarithm.
    def by_quadrature(weeks, r, alpha, a, b):
        def part(log_p):
            p = np.exp(log_p)
            bought = -np.expm1(-r * np.log1p(p * weeks / alpha))
            return bought * np.exp((a - 1) * log_p + (b - 1) * np.log1p(-p) - betaln(a, b))

        cuts = np.log([1e-12, 1e-6, 1e-3, 0.03, 0.2, 0.6, 1 - 1e-12])
        pieces = [quad(part, *pair, epsabs=0, epsrel=1e-9)[0] for pair in pairwise(cuts)]
        # Below the first cut he stays, and buys at the mean rate r / α.
        stays = np.exp(a * cuts[0] - betaln(a, b)) / a
        return stays * r * weeks / alpha + sum(pieces)

    rng = np.random.default_rng(3)
    for n_orders in (0, 1, 5, 15, 50, 100):
        for _ in range(4):
            a, b = np.exp(rng.uniform([-4, -1], [2, 4]))
            r, alpha = np.exp(rng.uniform([-2, 0], [1.5, 4]))
            case = (rng.choice([1.0, 52.0, 260.0]), r + n_orders, alpha + 18.0, a, b + n_orders)
            found = orders_while_alive(*case)
            assert found == pytest.approx(by_quadrature(*case), rel=1e-6), case


@pytest.mark.parametrize("n_orders", [300, 1000])
def test_hundreds_of_orders_do_not_overflow(n_orders):
    heavy = customers((n_orders, 38.99, 39.0))
    for model in MODELS:
        ahead = model.expected_future_orders(heavy, weeks=39.0)
        assert np.isfinite(model.log_likelihood(heavy)).all()
        assert 0.5 * n_orders < ahead[0] < 1.05 * n_orders


@pytest.mark.parametrize(
    "truth",
    [BgNbd(0.8, 6.0, 1.2, 6.0), MbgNbd(0.8, 6.0, 1.2, 6.0), ParetoNbd(0.8, 6.0, 0.9, 20.0)],
    ids=lambda m: m.name,
)
def test_parameters_of_simulated_customers_are_recovered(truth):
    fitted = fit_repeat_model(type(truth), simulate(truth, n=6000))
    errors = fitted.estimates.standard_errors
    for name, value in zip(truth.parameters, truth.point, strict=True):
        assert abs(getattr(fitted, name) - value) < 4 * errors[name], name
    table = fitted.estimates.table()
    assert (table["lower"] < table["estimate"]).all()
    assert (table["estimate"] < table["upper"]).all()


def test_fit_is_the_best_there_is():
    drawn = simulate(BgNbd(0.8, 6.0, 1.2, 6.0), n=1000)
    fitted = fit_repeat_model(BgNbd, drawn)
    assert fitted.estimates.log_likelihood == pytest.approx(fitted.log_likelihood(drawn).sum())
    rng = np.random.default_rng(4)
    for _ in range(20):
        other = BgNbd(*(fitted.point * np.exp(rng.normal(0, 0.05, 4))))
        assert other.log_likelihood(drawn).sum() < fitted.estimates.log_likelihood


def test_a_search_that_begins_near_ends_at_the_same_place():
    # So many customers with times of their own are begun with on a part of them.
    ages = np.random.default_rng(1).uniform(30, 70, 12_000)
    drawn = simulate_bg_nbd(BG, ages, seed=3)
    part = fit_repeat_model(BgNbd, drawn.head(9000))
    for kind in (BgNbd, MbgNbd):
        fitted = fit_repeat_model(kind, drawn)
        seen = each_row(*(drawn[c].to_numpy(float) for c in list(drawn)[:3]))
        slope = kind._contributions(fitted.point, *seen)[1].mean(axis=1) * fitted.point
        assert np.abs(slope).max() < 1e-10
    again = fit_repeat_model(BgNbd, drawn, start=part)
    np.testing.assert_allclose(again.point, fit_repeat_model(BgNbd, drawn).point, rtol=1e-8)


def test_customers_counted_twice_weigh_double():
    drawn = simulate(BG, n=400)
    twice = pd.concat([drawn, drawn.head(100)])
    weights = np.ones(400)
    weights[:100] = 2
    weighted = fit_repeat_model(BgNbd, drawn, weights=weights)
    np.testing.assert_allclose(weighted.point, fit_repeat_model(BgNbd, twice).point, rtol=1e-6)


def test_order_of_customers_does_not_matter_and_input_is_left_alone():
    drawn = simulate(BG, n=500)
    before = drawn.copy(deep=True)
    assert (
        fit_repeat_model(BgNbd, drawn).point.tolist()
        == fit_repeat_model(BgNbd, drawn[::-1]).point.tolist()
    )
    pd.testing.assert_frame_equal(drawn, before)


def test_unit_of_time_scales_alpha_alone():
    drawn = simulate(BG, n=1000)
    days = drawn.assign(
        last_order_age_weeks=drawn["last_order_age_weeks"] * 7, age_weeks=drawn["age_weeks"] * 7
    )
    weekly, daily = fit_repeat_model(BgNbd, drawn), fit_repeat_model(BgNbd, days)
    np.testing.assert_allclose(daily.point, weekly.point * [1, 7, 1, 1], rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
@pytest.mark.parametrize(
    ("summary", "complaint"),
    [
        (customers(*[(0, 0.0, 39.0)] * 50), "only 0 of 50 customers bought again"),
        (customers((1, 2.0, 39.0), (0, 0.0, 39.0), (2, 3.0, 9.0)), r"too few customers \(3\)"),
        (customers(*[(0, 0.0, 0.0)] * 30), "nobody had time to come back"),
    ],
    ids=["one-time buyers", "three customers", "no time"],
)
def test_hopeless_data_are_refused_in_words(kind, summary, complaint):
    with pytest.raises(FitError, match=complaint):
        fit_repeat_model(kind, summary)


def test_customers_who_never_leave_are_refused_in_words():
    rng = np.random.default_rng(2)
    steady = np.full(300, 52.0)
    orders = rng.poisson(rng.gamma(2.0, 10.0, 300))
    last = np.where(orders > 0, 52.0 * rng.random(300) ** (1 / np.maximum(orders, 1)), 0.0)
    with pytest.raises(
        FitError, match=r"runs off to .*Nobody seems to leave within the window"
    ) as refusal:
        fit_repeat_model(BgNbd, customers(*zip(orders, last, steady, strict=True)))
    assert "观察期内似乎无人离开。请用没有流失的模型" in text_in(refusal.value, "zh")


def test_customers_all_alike_are_refused_in_words():
    rng = np.random.default_rng(5)
    orders = rng.poisson(5.0, 400)
    last = np.where(orders > 0, 52.0 * rng.random(400) ** (1 / np.maximum(orders, 1)), 0.0)
    with pytest.raises(FitError, match="runs off to"):
        fit_repeat_model(BgNbd, customers(*zip(orders, last, np.full(400, 52.0), strict=True)))


def test_one_heavy_customer_does_not_break_the_fit():
    drawn = simulate(BG, n=1000)
    heavy = pd.concat([drawn, customers((5000, 51.9, 52.0))])
    for kind in KINDS:
        assert np.isfinite(fit_repeat_model(kind, heavy).point).all()


def test_nbd_is_negative_binomial_and_nobody_leaves():
    model = Nbd(0.9, 7.0)
    n = np.arange(4)
    # P(X = n) is the likelihood of one history times the room for its days, T^n / n!.
    rows = customers(*[(k, 20.0 if k else 0.0, 39.0) for k in n])
    chance = np.exp(model.log_likelihood(rows) + n * np.log(39.0) - gammaln(n + 1))
    np.testing.assert_allclose(chance, nbinom.pmf(n, 0.9, 7.0 / (7.0 + 39.0)))
    assert (model.probability_alive(rows) == 1).all()
    drawn = simulate_bg_nbd(BgNbd(0.9, 7.0, 1e-9, 1.0), np.full(4000, 52.0), seed=2)
    models, refusals = fit_repeat_models(drawn)
    for name, error in models["nbd"].estimates.standard_errors.items():
        assert abs(getattr(models["nbd"], name) - getattr(model, name)) < 4 * error
    assert "Nobody seems to leave within the window" in refusals["bg_nbd"]
    (told,) = group_reasons(refusals)
    assert told.startswith("BG/NBD, MBG/NBD, Pareto/NBD: the estimates run off (")
    assert told.count("a to 0") == told.count("Nobody seems to leave") == 1
    assert "、a 趋向 0、" in text_in(told, "zh")


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ((1, 50.0, 39.0), "expected 0 <= last_order_age_weeks <= age_weeks"),
        ((1.5, 5.0, 39.0), "n_repeat_orders is no whole number from 0"),
        ((0, 5.0, 39.0), "no time between the first purchase and the last, or the other way"),
        ((1, np.nan, 39.0), "a value is missing or infinite"),
    ],
)
def test_contradictions_are_refused_with_their_row(row, complaint):
    with pytest.raises(ValueError, match=rf"summary, row 2 .*{complaint}"):
        BG.probability_alive(customers((0, 0.0, 39.0), row))


def test_missing_column_and_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="column 'age_weeks' is missing"):
        fit_repeat_model(BgNbd, SEVERAL.drop(columns="age_weeks"))
    with pytest.raises(ValueError, match="BG/NBD: alpha is 0; expected a number above 0"):
        BgNbd(1, 0, 1, 1)
    with pytest.raises(ValueError, match="weeks is"):
        BG.expected_orders(-1.0)


def test_refusals_are_told_in_both_languages_and_each_reason_once():
    once = pd.DataFrame(
        {"n_repeat_orders": [0] * 1200, "last_order_age_weeks": 0.0, "age_weeks": 39.0}
    )
    models, refusals = fit_repeat_models(once)
    assert not models
    assert text_in(refusals["nbd"], "zh") == (
        "NBD：1200 位客户中只有 0 位再次购买，从没有再来的人看不出客户多久来一次。"
        "请延长观察期，或按一次性购买的生意处理。"
    )
    assert tell_reasons(refusals, "zh") == text_in(refusals["nbd"], "zh").removeprefix("NBD：")
    assert tell_reasons(refusals, "en").startswith("Only 0 of 1200 customers bought again, and")
    assert tell_reasons(refusals, "en").count("Only") == 1
