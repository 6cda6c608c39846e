"""BG/BB and the shifted beta-geometric: models of occasions and terms."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from crmlab.value.lifetime import (
    BgBb,
    FitError,
    ShiftedBetaGeometric,
    fit_bg_bb,
    fit_shifted_beta_geometric,
)

MODEL = BgBb(1.204, 0.750, 0.657, 2.783)


def donors(rows):
    return pd.DataFrame(rows, columns=["n_repeat_orders", "last_occasion", "n_occasions"])


def every_history(n):
    """Return each string of occasions taken and passed, as x, t_x, n."""
    rows = []
    for taken in product([0, 1], repeat=n):
        last = max((i + 1 for i, one in enumerate(taken) if one), default=0)
        rows.append((sum(taken), last, n))
    return donors(rows)


def simulate(model, n_customers, n, seed):
    rng = np.random.default_rng(seed)
    buys = rng.beta(model.alpha, model.beta, n_customers)
    leaves = rng.beta(model.gamma, model.delta, n_customers)
    alive = np.ones(n_customers, dtype=bool)
    x, t_x = np.zeros(n_customers, dtype=int), np.zeros(n_customers, dtype=int)
    later = np.zeros(n_customers, dtype=int)
    for occasion in range(1, 2 * n + 1):
        alive &= rng.random(n_customers) >= leaves
        takes = alive & (rng.random(n_customers) < buys)
        if occasion <= n:
            x += takes
            t_x[takes] = occasion
        else:
            later += takes
    seen = pd.DataFrame({"n_repeat_orders": x, "last_occasion": t_x, "later": later})
    return seen.assign(n_occasions=n)


def test_probabilities_of_all_histories_add_up_to_one():
    assert np.exp(MODEL.log_likelihood(every_history(5))).sum() == pytest.approx(1, abs=1e-12)


def test_expected_orders_are_the_mean_over_all_histories():
    histories = every_history(5)
    chance = np.exp(MODEL.log_likelihood(histories))
    assert float(MODEL.expected_orders(5)) == pytest.approx(chance @ histories["n_repeat_orders"])


def test_next_occasion_is_alive_times_the_chance_to_buy():
    # P(buys at n + 1) by two routes: from the forecast, and from the histories one longer.
    history = donors([(2, 2, 3)])
    longer = donors([(3, 4, 4)])
    chance = np.exp(MODEL.log_likelihood(longer) - MODEL.log_likelihood(history))
    ahead = MODEL.expected_future_orders(history, occasions=1)
    assert ahead[0] == pytest.approx(chance[0])
    assert ahead[0] < MODEL.probability_alive(history)[0] < 1


def test_where_the_formula_divides_by_zero():
    at, near = (BgBb(1.2, 0.75, g, 2.8).expected_orders(10) for g in (1.0, 1 + 1e-4))
    assert at == pytest.approx(near, rel=1e-4)


def test_gradient_leads_to_the_parameters_of_simulated_donors_and_their_future():
    truth = BgBb(1.2, 0.8, 1.5, 8.0)
    drawn = simulate(truth, 20_000, 6, seed=2)
    fitted = fit_bg_bb(drawn)
    for name, error in fitted.estimates.standard_errors.items():
        assert abs(getattr(fitted, name) - getattr(truth, name)) < 4 * error
    ahead = truth.expected_future_orders(drawn, occasions=6)
    assert abs(ahead.mean() - drawn["later"].mean()) < 4 * drawn["later"].sem()


def test_counted_rows_are_as_good_as_repeated_ones():
    drawn = simulate(BgBb(1.2, 0.8, 1.5, 8.0), 3000, 5, seed=3).drop(columns="later")
    counted = drawn.value_counts().reset_index(name="n")
    one, other = fit_bg_bb(drawn), fit_bg_bb(counted, n_customers=counted["n"])
    assert one.estimates.values == pytest.approx(other.estimates.values, rel=1e-6)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([(0, 0, 5)] * 30, "nobody bought again"),
        ([(1, 2, 2)] * 30, "fewer than 3"),
    ],
)
def test_hopeless_donors_are_refused_in_words(rows, complaint):
    with pytest.raises(FitError, match=complaint):
        fit_bg_bb(donors(rows))


def test_impossible_donor_is_refused_with_his_row():
    with pytest.raises(ValueError, match="summary, row 2: n_repeat_orders=4, last_occasion=3"):
        MODEL.probability_alive(donors([(1, 1, 5), (4, 3, 5)]))


# Fader & Hardie (2007), tables of the two segments: 1,000 customers, seven renewals.
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]


@pytest.mark.parametrize(
    ("remaining", "alpha", "beta", "log_likelihood"),
    [(HIGH_END, 0.668, 3.806, -1611.2), (REGULAR, 0.704, 1.182, -1680.3)],
)
def test_shifted_beta_geometric_of_fader_and_hardie(remaining, alpha, beta, log_likelihood):
    fitted = fit_shifted_beta_geometric(remaining)
    assert fitted.alpha == pytest.approx(alpha, abs=5e-4)
    assert fitted.beta == pytest.approx(beta, abs=5e-4)
    assert fitted.estimates.log_likelihood == pytest.approx(log_likelihood, abs=0.05)


def test_survival_is_the_product_of_retention_rates():
    model = ShiftedBetaGeometric(0.7, 1.2)
    rates = model.retention_rate(np.arange(1, 30))
    np.testing.assert_allclose(np.cumprod(rates), model.survival(np.arange(1, 30)))
    assert (np.diff(rates) > 0).all()


@pytest.mark.parametrize("renewals", [0, 3])
def test_discounted_terms_are_the_sum_over_a_long_time(renewals):
    model, rate = ShiftedBetaGeometric(0.7, 1.2), 0.1
    term = np.arange(1, 3000)
    there = model.survival(renewals + term) / model.survival(renewals)
    by_hand = (there / (1 + rate) ** (term - 1)).sum()
    found = model.discounted_terms(renewals, discount_rate=rate)
    assert float(found) == pytest.approx(by_hand, rel=1e-9)


def test_contract_cohorts_without_information_are_refused_in_words():
    with pytest.raises(FitError, match="nobody left"):
        fit_shifted_beta_geometric([100, 100, 100, 100])
    with pytest.raises(FitError, match="everybody left"):
        fit_shifted_beta_geometric([100, 0, 0, 0])
    with pytest.raises(FitError, match="2 renewals are too few"):
        fit_shifted_beta_geometric([100, 90, 80])
    with pytest.raises(FitError, match="the share that leaves is the same at every term"):
        fit_shifted_beta_geometric(1000 * 0.8 ** np.arange(8))
    with pytest.raises(FitError, match="leave seem to leave at once, and the others never"):
        fit_shifted_beta_geometric([100, 50, 50, 50])
    with pytest.raises(ValueError, match="somebody at the beginning"):
        fit_shifted_beta_geometric([0, 0, 0, 0])
    with pytest.raises(ValueError, match="rises at renewal 2, from 80 to 90"):
        fit_shifted_beta_geometric([100, 80, 90, 70])
