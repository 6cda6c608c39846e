"""Movements between states and what states are worth."""

import numpy as np
import pandas as pd
import pytest

from crmlab.relationship.chain import (
    estimate_transitions,
    markov_value,
    recency_chain,
    transition_table,
)
from crmlab.relationship.ladder import (
    RUNGS,
    assign_rungs,
    climb_ladder,
    foretell_value,
    judge_values,
)

# The mail-order example of Pfeifer & Carraway (2000): purchase probabilities by recency 0.30, 0.20,
# 0.15, 0.05, net contribution 40, marketing 4, 20 % a period. The paper's printed table was not at
# hand: the values below were computed from these inputs by another program.
CHAIN = recency_chain([0.30, 0.20, 0.15, 0.05])
REWARDS = pd.Series([36.0, -4.0, -4.0, -4.0, 0.0], index=CHAIN.index)


def test_value_of_a_customer_who_stays_with_a_probability_is_the_annuity():
    # One state and its end: r/(1 - p/(1 + d)).
    chain = pd.DataFrame([[0.8, 0.2], [0, 1]], index=["in", "out"], columns=["in", "out"])
    value = markov_value(chain, pd.Series({"in": 10.0, "out": 0.0}), period_discount_rate=0.1)
    assert value["in"] == pytest.approx(10 / (1 - 0.8 / 1.1), rel=1e-12)


def test_example_of_pfeifer_and_carraway():
    endless = markov_value(CHAIN, REWARDS, period_discount_rate=0.2)
    np.testing.assert_allclose(endless, [52.320, 5.554, 1.251, -1.820, 0], atol=5e-4)
    four = markov_value(CHAIN, REWARDS, period_discount_rate=0.2, n_periods=4)
    np.testing.assert_allclose(four, [50.115, 4.220, 0.592, -1.980, 0], atol=5e-4)


def test_inverse_and_long_sum_agree():
    endless = markov_value(CHAIN, REWARDS, period_discount_rate=0.01)
    step, ahead, total = CHAIN.to_numpy() / 1.01, REWARDS.to_numpy(), np.zeros(5)
    for _ in range(3000):
        total, ahead = total + ahead, step @ ahead
    np.testing.assert_allclose(endless, total, rtol=1e-9)


def test_value_agrees_with_customers_drawn_from_the_chain():
    rng = np.random.default_rng(7)
    n, steps = 20_000, CHAIN.to_numpy().cumsum(axis=1)
    state, total = np.zeros(n, dtype=int), np.zeros(n)
    for period in range(30):
        total += REWARDS.to_numpy()[state] / 1.2**period
        state = (rng.random(n)[:, np.newaxis] > steps[state]).sum(axis=1)
    value = markov_value(CHAIN, REWARDS, period_discount_rate=0.2)["1"]
    assert abs(total.mean() - value) < 4 * total.std() / np.sqrt(n)


def test_more_discount_is_less_value_and_no_time_is_this_period():
    high, low = (
        markov_value(CHAIN, REWARDS.clip(lower=0), period_discount_rate=d) for d in (0.5, 0.1)
    )
    assert (high <= low).all()
    now = markov_value(CHAIN, REWARDS, period_discount_rate=0.0, n_periods=0)
    pd.testing.assert_series_equal(now, REWARDS)


def test_bad_chains_are_refused():
    with pytest.raises(ValueError, match="each row must hold probabilities"):
        markov_value(CHAIN * 2, REWARDS, period_discount_rate=0.1)
    with pytest.raises(ValueError, match="different states"):
        markov_value(CHAIN, REWARDS.drop("1"), period_discount_rate=0.1)
    with pytest.raises(ValueError, match="above 0 where the value has no horizon"):
        markov_value(CHAIN, REWARDS, period_discount_rate=0.0)
    with pytest.raises(ValueError, match="expected probabilities"):
        recency_chain([0.3, 1.2])


def drawn_panel(n_customers, n_months, chain, seed):
    rng = np.random.default_rng(seed)
    states = np.zeros((n_customers, n_months), dtype=int)
    for month in range(1, n_months):
        draw = rng.random(n_customers)[:, np.newaxis]
        states[:, month] = (draw > chain.cumsum(axis=1)[states[:, month - 1]]).sum(axis=1)
    months = np.tile(pd.date_range("2023-01-01", periods=n_months, freq="MS"), n_customers)
    panel = pd.DataFrame(
        {"customer_id": np.repeat(np.arange(n_customers), n_months), "month_on": months}
    )
    return panel, pd.Series(pd.Categorical.from_codes(states.ravel(), list("xyz")))


def test_transitions_drawn_come_out_within_their_intervals():
    chain = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.05, 0.05, 0.9]])
    panel, state = drawn_panel(400, 12, chain, seed=3)
    table = estimate_transitions(panel, state, level=0.999)
    inside = (table["lower"] <= chain.ravel()) & (chain.ravel() <= table["upper"])
    assert inside.all()
    counted = transition_table(table).to_numpy()
    codes = state.cat.codes.to_numpy().reshape(400, 12)
    by_hand = np.zeros((3, 3))
    np.add.at(by_hand, (codes[:, :-1].ravel(), codes[:, 1:].ravel()), 1)
    np.testing.assert_allclose(counted, by_hand / by_hand.sum(axis=1, keepdims=True))


def test_intervals_widen_where_a_customers_months_are_alike():
    panel, mixed = drawn_panel(60, 20, np.full((3, 3), 1 / 3), seed=4)
    # Half of the customers always stay in x, half change between x and y every month.
    month = panel.groupby("customer_id").cumcount()
    stays = panel["customer_id"] % 2 == 0
    alike = pd.Series(pd.Categorical(np.where(stays | (month % 2 == 0), "x", "y"), list("xyz")))
    width = [
        estimate_transitions(panel, state).eval("upper - lower").iloc[0] for state in (mixed, alike)
    ]
    n_of_x = [(state == "x").sum() for state in (mixed, alike)]
    assert n_of_x[1] > n_of_x[0]
    assert width[1] > 1.5 * width[0]
    lone = estimate_transitions(panel.iloc[:20], mixed.iloc[:20])
    assert lone.eval("upper - lower").min() > 0.5


def test_a_state_without_anybody_keeps_its_customers():
    panel, state = drawn_panel(5, 4, np.eye(3), seed=1)
    assert (
        transition_table(estimate_transitions(panel, state)).to_numpy().tolist()
        == np.eye(3).tolist()
    )


def test_transitions_need_two_months_and_known_states():
    panel, state = drawn_panel(5, 1, np.eye(3), seed=1)
    with pytest.raises(ValueError, match="no customer has two months"):
        estimate_transitions(panel, state)
    with pytest.raises(ValueError, match="none missing"):
        estimate_transitions(panel, state.where(state == "y"))


def test_rungs_of_a_history_read_by_hand(panel_of):
    panel = panel_of([[0, 1, 0, 0, 1, 0, 0, 0, 1]], "n_orders")
    rungs = assign_rungs(panel, active_months=3, lifetime_months=4).tolist()
    wanted = [
        "prospect",
        "new",
        "new",
        "new",
        "regular",
        "lifetime",
        "lifetime",
        "lapsed",
        "lifetime",
    ]
    assert rungs == wanted
    assert set(wanted) <= set(RUNGS)


def test_who_joined_before_has_come_back_with_the_first_purchase_seen(panel_of):
    panel = panel_of([[1, 0, 0]], "n_orders")
    assert assign_rungs(panel, tenure_months=[5, 6, 7])[0] == "regular"
    assert assign_rungs(panel, lifetime_months=6, tenure_months=[5, 6, 7])[1] == "lifetime"
    assert assign_rungs(panel, tenure_months=[0, 1, 2])[0] == "new"


def test_ladder_counts_who_reached_each_rung(panel_of):
    panel = panel_of([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1]], "n_orders")
    rungs = assign_rungs(panel, lifetime_months=3)
    table = climb_ladder(panel, rungs).set_index("rung")
    assert table["n_customers"].tolist() == [4, 2, 2]
    assert table["share_of_previous"]["regular"] == 0.5
    assert table["lower"]["regular"] < 0.5 < table["upper"]["regular"]


def test_lifetime_customers_are_a_share_of_those_who_had_the_time(panel_of):
    # The second came back two months before the end, too late to become one in three months.
    panel = panel_of([[1, 1, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], "n_orders")
    rungs = assign_rungs(panel, lifetime_months=3, active_months=2)
    share = climb_ladder(panel, rungs, lifetime_months=3).set_index("rung")["share_of_previous"]
    assert share["regular"] == 3 / 4
    assert share["lifetime"] == 1 / 2
    nobody = climb_ladder(panel, rungs, lifetime_months=9).set_index("rung")
    assert nobody.loc["lifetime", ["share_of_previous", "lower", "upper"]].isna().all()


@pytest.mark.parametrize(
    ("chain", "mean", "error", "verdict"),
    [(9.0, 5.0, 0.4, 1), (2.0, 8.0, 0.4, -1), (9.0, 5.0, 4.0, 0), (2.0, 8.0, np.nan, 0)],
)
def test_chain_is_judged_beside_the_plain_mean(chain, mean, error, verdict):
    foretold = pd.DataFrame(
        {
            "n_customers": [50, 50],
            "predicted_value": [chain, 4.0],
            "naive_value": [mean, 4.0],
            "mean_value": [8.0, 4.0],
            "standard_error": [error, error],
        }
    )
    judged = judge_values(foretold)
    assert judged["chain_error"] == pytest.approx(abs(chain - 8) / 12)
    assert judged["mean_error"] == pytest.approx(abs(mean - 8) / 12)
    assert judged["verdict"] == verdict
    with pytest.raises(ValueError, match="nobody brought anything in the months foretold"):
        judge_values(foretold.assign(mean_value=0.0))


def test_chain_foretells_customers_who_do_as_it_says():
    chain = np.array([[0.9, 0.1], [0.0, 1.0]])
    rng = np.random.default_rng(2)
    n, n_months = 3000, 16
    buys = np.cumprod(
        np.column_stack([np.ones(n), rng.random((n, n_months - 1)) < chain[0, 0]]), axis=1
    )
    months = np.tile(pd.date_range("2023-01-01", periods=n_months, freq="MS"), n)
    panel = pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n), n_months),
            "month_on": months,
            "n_orders": buys.ravel().astype(int),
            "total_value": 10 * buys.ravel(),
        }
    )
    rungs = assign_rungs(panel, active_months=1, lifetime_months=99)
    table = foretell_value(panel, rungs, holdout_months=6).set_index("rung")
    regular = table.loc["regular"]
    assert abs(regular["predicted_value"] - regular["mean_value"]) < 4 * regular["standard_error"]
    assert table.loc["lapsed", "predicted_value"] == 0
    with pytest.raises(ValueError, match="holdout_months is 15 of 16 months"):
        foretell_value(panel, rungs, holdout_months=15)
