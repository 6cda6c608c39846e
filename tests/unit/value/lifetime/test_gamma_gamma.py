import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from crmlab.value.lifetime import FitError, GammaGamma, fit_gamma_gamma, frequency_correlation


def spending(x, value):
    return pd.DataFrame({"n_repeat_orders": x, "mean_repeat_value": value})


def simulate(model, n, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 9, n)
    rate = rng.gamma(model.q, 1 / model.gamma, n)
    many = np.maximum(x, 1)
    return spending(x, np.where(x > 0, rng.gamma(model.p * many) / rate / many, np.nan))


TRUTH = GammaGamma(p=5.0, q=4.0, gamma=20.0)


def test_expected_value_is_the_posterior_mean_over_customers_rates():
    x, value = 3, 11.0

    # Orders of a customer with rate v add up to a gamma variable of shape p x.
    def density(v):
        total = gamma.pdf(x * value, TRUTH.p * x, scale=1 / v)
        return total * gamma.pdf(v, TRUTH.q, scale=1 / TRUTH.gamma)

    mean = quad(lambda v: TRUTH.p / v * density(v), 0, np.inf)[0] / quad(density, 0, np.inf)[0]
    found = TRUTH.expected_order_value(spending([x], [value]))[0]
    assert found == pytest.approx(mean, rel=1e-6)


def test_few_orders_are_drawn_to_the_mean_of_all_and_many_are_not():
    one, many = TRUTH.expected_order_value(spending([1, 1000], [80.0, 80.0]))
    assert TRUTH.mean_order_value < one < many < 80
    assert many == pytest.approx(80, rel=0.01)


def test_customer_without_repeat_order_gets_the_mean_of_all():
    found = TRUTH.expected_order_value(spending([0], [np.nan]))
    assert found.tolist() == [pytest.approx(5 * 20 / 3)]


def test_parameters_of_simulated_customers_are_recovered():
    drawn = simulate(TRUTH, 8000, seed=1)
    fitted = fit_gamma_gamma(drawn)
    for name in ("p", "q", "gamma"):
        error = fitted.estimates.standard_errors[name]
        assert abs(getattr(fitted, name) - getattr(TRUTH, name)) < 4 * error


def test_currency_scales_gamma_alone():
    drawn = simulate(TRUTH, 1500, seed=2)
    cents = drawn.assign(mean_repeat_value=drawn["mean_repeat_value"] * 100)
    one, other = fit_gamma_gamma(drawn), fit_gamma_gamma(cents)
    expected = [one.p, one.q, 100 * one.gamma]
    assert [other.p, other.q, other.gamma] == pytest.approx(expected, rel=1e-5)


def test_customers_counted_twice_weigh_double():
    drawn = simulate(TRUTH, 600, seed=3)
    weights = np.ones(600)
    weights[:200] = 2
    weighted = fit_gamma_gamma(drawn, weights=weights)
    doubled = fit_gamma_gamma(pd.concat([drawn, drawn.head(200)]))
    assert [weighted.p, weighted.q] == pytest.approx([doubled.p, doubled.q], rel=1e-6)


def test_frequency_correlation_sees_an_order_and_none():
    drawn = simulate(TRUTH, 4000, seed=4)
    assert abs(frequency_correlation(drawn)["correlation"]) < 0.06
    rising = drawn.assign(mean_repeat_value=drawn["mean_repeat_value"] * drawn["n_repeat_orders"])
    assert frequency_correlation(rising)["correlation"] > 0.5
    assert np.isnan(frequency_correlation(spending([1, 1, 1], [5.0, 6.0, 7.0]))["correlation"])


@pytest.mark.parametrize(
    ("summary", "complaint"),
    [
        (spending([2] * 30, [9.9] * 30), "every customer's repeat orders are worth 9.9"),
        (spending([1] * 30, np.arange(1.0, 31)), "every customer has one repeat order"),
        (spending([3, 2, 0], [5.0, 6.0, np.nan]), "only 2 customers have a repeat order"),
    ],
    ids=["constant spend", "one each", "too few"],
)
def test_hopeless_data_are_refused_in_words(summary, complaint):
    with pytest.raises(FitError, match=complaint):
        fit_gamma_gamma(summary)


def test_customers_who_differ_no_more_than_their_orders_are_refused():
    rng = np.random.default_rng(0)
    x = rng.integers(1, 9, 800)
    with pytest.raises(FitError, match=r"runs off to infinity.*Use the mean order value of all"):
        fit_gamma_gamma(spending(x, rng.gamma(2.0 * x) / x))


def test_missing_and_negative_values_are_refused_with_their_row():
    with pytest.raises(ValueError, match=r"summary, row 2 .*mean_repeat_value=-1"):
        TRUTH.expected_order_value(spending([1, 1], [5.0, -1.0]))
    with pytest.raises(ValueError, match="column 'mean_repeat_value' is missing"):
        fit_gamma_gamma(pd.DataFrame({"n_repeat_orders": [1]}))
