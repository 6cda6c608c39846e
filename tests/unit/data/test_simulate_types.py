"""Discounts, the spread of a novelty, and requests: drawn as stated, and leaving the rest alone."""

import numpy as np
import pandas as pd
import pytest

from crmlab.data.simulate import SimulationParameters, simulate_population
from crmlab.data.simulate.consumption import (
    CONSUMPTION_TYPES,
    IMITATION,
    INNOVATION,
    assign_consumption,
    simulate_adoption,
)
from crmlab.data.simulate.discounts import DISCOUNTS, draw_discounts
from crmlab.data.simulate.requests import ANSWER_SHARES, RESPONSE_POLICIES

SE = 4  # standard errors allowed
DEFAULTS = SimulationParameters()


@pytest.fixture(scope="module")
def tables():
    return simulate_population(6000, seed=21)


@pytest.fixture(scope="module")
def truth(tables):
    return tables["truth"].set_index("customer_id")


def assert_share(flags, expected):
    error = np.sqrt(expected * (1 - expected) / len(flags))
    assert abs(np.mean(flags) - expected) <= SE * error


def test_discounts_are_as_frequent_as_price_sensitivity_says():
    n, sensitivity = 60_000, np.array([0.0, 0.5, 1.0])
    customer = np.repeat([0, 1, 2], n // 3)
    found = draw_discounts(
        customer, np.zeros(n, dtype=bool), sensitivity, np.random.default_rng(1), DEFAULTS
    )
    for position, value in enumerate(sensitivity):
        share = DEFAULTS.discount_base + DEFAULTS.discount_price * value
        assert_share(found[customer == position] > 0, share)
    given = found[found > 0]
    assert set(given) == set(DISCOUNTS)
    for depth in DISCOUNTS:
        assert_share(given == depth, 1 / len(DISCOUNTS))


def test_campaign_orders_have_the_discount_of_the_campaign_at_least():
    found = draw_discounts(
        np.zeros(500, dtype=int),
        np.ones(500, dtype=bool),
        np.ones(1),
        np.random.default_rng(1),
        SimulationParameters(campaign_discount=0.12),
    )
    assert set(found) == {12, 15, 20, 30}


def test_returns_carry_the_discount_of_their_order(tables):
    orders = tables["orders"]
    assert set(orders["discount_share"]) <= {d / 100 for d in (0, *DISCOUNTS)}
    back = orders[orders["amount"] < 0]
    assert len(back) > 50
    bought = orders[orders["amount"] > 0].groupby("customer_id")["discount_share"].agg(set)
    known = zip(back["customer_id"], back["discount_share"], strict=True)
    # An order before the window may come back within it.
    assert np.mean([share in bought.get(one, set()) for one, share in known]) > 0.95


def test_discounts_change_no_other_column_of_orders():
    plain = simulate_population(300, seed=5)
    changed = simulate_population(
        300, seed=5, parameters=SimulationParameters(discount_base=0.4, discount_price=0.6)
    )
    one, two = plain["orders"], changed["orders"]
    pd.testing.assert_frame_equal(
        one.drop(columns="discount_share"), two.drop(columns="discount_share")
    )
    assert two["discount_share"].mean() > one["discount_share"].mean()
    for name in ("customers", "requests", "contacts", "truth", "survey"):
        pd.testing.assert_frame_equal(plain[name], changed[name])


def test_novelty_and_requests_leave_the_other_tables_alone():
    plain = simulate_population(300, seed=5)
    changed = simulate_population(
        300, seed=5, parameters=SimulationParameters(adoption_pace=3.0, requests_per_year=5.0)
    )
    for name in ("orders", "contacts", "links", "survey", "records", "accounts"):
        pd.testing.assert_frame_equal(plain[name], changed[name])
    own = ["adopted_on"]
    pd.testing.assert_frame_equal(
        plain["customers"].drop(columns=own), changed["customers"].drop(columns=own)
    )
    assert len(changed["requests"]) > 2 * len(plain["requests"])
    assert changed["customers"]["adopted_on"].count() > plain["customers"]["adopted_on"].count()


def test_types_of_consumption_follow_price_and_links():
    rng = np.random.default_rng(1)
    price, degree = rng.random(20_000), rng.poisson(6, 20_000)
    kind = assign_consumption(price, degree, rng)
    assert_share(kind == 3, 0.20)
    assert price[kind == 3].mean() > price[kind != 3].mean() + 0.2
    assert degree[kind == 0].mean() > degree[kind == 1].mean() + 1


def adopt(kind, links, *, months, pace=1.0):
    n = len(kind)
    links = pd.DataFrame(links, columns=["customer", "other"], dtype="int64")
    parameters = SimulationParameters(launch_position=0.0, adoption_pace=pace)
    joined, left = np.full(n, -1.0), np.full(n, np.inf)
    return simulate_adoption(
        kind, joined, left, links, 30 * months - 1, np.random.default_rng(2), parameters
    )


@pytest.mark.parametrize("kind", range(4))
def test_without_links_adoption_is_geometric_in_the_own_impulse(kind):
    n, months = 20_000, 6
    found = adopt(np.full(n, kind), np.empty((0, 2)), months=months)
    assert_share(np.isfinite(found["adopted"]), 1 - (1 - INNOVATION[kind]) ** months)
    assert found.loc[np.isfinite(found["adopted"]), "is_innovation"].all()
    assert found["adopted"][np.isfinite(found["adopted"])].between(0, 30 * months - 1).all()


def test_followers_imitate_those_they_are_linked_to():
    # Pairs of a lighthouse customer and a follower, who know nobody else.
    n, pace = 40_000, 2.0
    kind = np.tile([0, 1], n // 2)
    found = adopt(kind, np.arange(n).reshape(-1, 2), months=2, pace=pace)
    lead, follow = (found["adopted"].to_numpy()[kind == one] for one in (0, 1))
    lead_first, waits = lead < 30, follow >= 30
    own, led = pace * INNOVATION[1], pace * IMITATION[1]
    assert_share(~waits, own)  # in the first month nobody is there to imitate
    second = np.isfinite(follow)
    assert_share(second[waits & ~lead_first], own)
    assert_share(second[waits & lead_first], own + (1 - own) * led)
    is_own = found["is_innovation"].to_numpy()[kind == 1]
    assert_share(is_own[waits & lead_first & second], own / (own + (1 - own) * led))


def test_who_is_not_a_customer_takes_up_nothing(tables, truth):
    customers = tables["customers"].set_index("customer_id")
    took = customers["adopted_on"].notna()
    assert (customers["adopted_on"] >= customers["joined_on"])[took].all()
    left = truth["dropped_out_on"].notna() & took
    assert (customers["adopted_on"] <= truth["dropped_out_on"])[left].all()
    assert truth["adopted_by"].notna().equals(took)
    launch = customers["adopted_on"].min() - pd.Timestamp("2024-01-01")
    assert launch.days >= int(DEFAULTS.launch_position * 730)


def test_requests_are_answered_as_the_policy_has_it(tables, truth):
    requests = tables["requests"]
    policy = requests["customer_id"].map(truth["response_policy"])
    # Leave out what may still be open at the end.
    is_old = requests["asked_on"] < pd.Timestamp("2025-10-01")
    for place, name in enumerate(RESPONSE_POLICIES):
        answers = requests.loc[(policy == name) & is_old, "answer"]
        for answer, shares in ANSWER_SHARES.items():
            flags = answers.isna() if answer == "ignored" else answers == answer
            assert_share(flags, shares[place])


def test_requests_lie_within_the_window_and_answers_after_them(tables, truth):
    requests = tables["requests"]
    assert requests["asked_on"].between("2024-01-01", "2025-12-31").all()
    assert (requests["answered_on"] > requests["asked_on"])[requests["answered_on"].notna()].all()
    assert requests["answered_on"].isna().equals(requests["answer"].isna())
    joined = tables["customers"].set_index("customer_id")["joined_on"]
    assert (requests["asked_on"] >= requests["customer_id"].map(joined)).all()
    kind = requests["customer_id"].map(truth["consumption_type"])
    compares = (requests["kind"] == "comparison").groupby(kind).mean()
    haggles = (requests["kind"] == "price").groupby(kind).mean()
    assert compares.idxmax() == "rational"
    assert haggles.idxmax() == "deal seeking"
    assert set(kind) == set(CONSUMPTION_TYPES)


def test_discount_probabilities_beyond_one_are_refused():
    with pytest.raises(ValueError, match=r"discount_base \+ discount_price is 1\.1"):
        SimulationParameters(discount_base=0.6, discount_price=0.5)
