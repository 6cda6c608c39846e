"""Types of relationship between firms, which one fits, and how their value is divided."""

import numpy as np
import pandas as pd
import pytest

from crmlab.relationship.dependence import switching_cost_from_terms
from crmlab.relationship.fit import compare_fit, recommend_types
from crmlab.relationship.score import score_labels
from crmlab.relationship.types import (
    CANNOT_TELL,
    TYPES,
    assign_types,
    load_type_indicators,
    split_value,
)


@pytest.fixture(scope="module")
def business():
    """Accounts of another population than the bundled one, all of them firms."""
    from crmlab.data.simulate.accounts import RELATIONSHIP_TYPES, simulate_accounts
    from crmlab.data.simulate.bonds import simulate_bonds
    from crmlab.data.simulate.latents import simulate_latents
    from crmlab.data.simulate.parameters import SimulationParameters

    rng, parameters = np.random.default_rng(77), SimulationParameters()
    latents = simulate_latents(1000, rng, parameters)
    bonds = simulate_bonds(latents, rng, parameters)
    accounts = simulate_accounts(np.ones(1000, dtype=bool), latents, bonds, rng)
    assert RELATIONSHIP_TYPES == TYPES
    return accounts, accounts["type"].map(dict(enumerate(TYPES)))


def extreme(name):
    """Return an account at one end of every indicator."""
    table = load_type_indicators().set_index("indicator")
    low = {indicator: table["cut_1"][indicator] - 0.01 for indicator in table.index}
    high = {indicator: table["cut_3"][indicator] + 0.01 for indicator in table.index}
    row = low if name == "transactional" else high
    row["highest_contact"] = "clerk" if name == "transactional" else "board"
    row |= {"relationship_cost": 1.0, "specific_investment": row.pop("investment_years")}
    return pd.DataFrame([row | {"has_equity_tie": name == "alliance"}])


@pytest.mark.parametrize("name", ["transactional", "alliance"])
def test_evidence_at_one_end_is_all_for_one_type(name):
    found = assign_types(extreme(name))
    assert found[name][0] == 1.0
    assert found["relationship_type"][0] == name
    assert found["closeness"][0] == {"transactional": 0.0, "alliance": 3.0}[name]


def test_each_dimension_has_one_vote():
    # Three signs of contact against two other dimensions: a third each.
    account = pd.DataFrame(
        {"n_contact_persons": [1], "n_meetings": [0], "adaptation": [7.0], "goal_congruence": [7.0]}
    )
    found = assign_types(account, least_dimensions=3)
    assert found["transactional"][0] == pytest.approx(1 / 3)
    assert found["alliance"][0] == pytest.approx(2 / 3)
    assert found["n_dimensions"][0] == 3


def test_a_value_at_a_cut_off_points_at_the_closer_type():
    found = assign_types(pd.DataFrame({"n_joint_projects": [0, 1, 2, 4]}))
    assert np.diag(found[list(TYPES)]).tolist() == [1.0] * 4


def test_missing_evidence_abstains_and_too_little_cannot_tell():
    accounts = pd.DataFrame(
        {"adaptation": [7.0, np.nan], "goal_congruence": [7.0, np.nan], "integration": [np.nan] * 2}
    )
    found = assign_types(accounts, least_dimensions=2)
    assert found["relationship_type"].tolist() == ["alliance", CANNOT_TELL]
    assert found[list(TYPES)].iloc[1].isna().all()
    assert assign_types(accounts)["relationship_type"].tolist() == [CANNOT_TELL] * 2


def test_types_of_the_simulator_come_out(business):
    accounts, truth = business
    found = assign_types(accounts)
    assert np.allclose(found[list(TYPES)].sum(axis=1), 1)
    told = (found["relationship_type"] != CANNOT_TELL).to_numpy()
    assert told.mean() > 0.8
    scores = score_labels(
        truth[told], found["relationship_type"][told], TYPES, seed=1, n_permutations=19
    )
    assert scores["balanced_accuracy"] > 0.85
    everybody = score_labels(truth, found["relationship_type"], TYPES, seed=1, n_permutations=19)
    assert everybody["chance_bound"] < 0.35 < everybody["balanced_accuracy"]


def test_recommendation_follows_the_three_conditions():
    accounts = pd.DataFrame(
        {
            "buyer_dependence": [2.0, 5, 7, 5, 5, np.nan],
            "supplier_dependence": [2.0, 5, 4, 5, 5, 5],
            "goal_congruence": [7.0, 5, 5, 7, 7, 5],
        }
    )
    advice = recommend_types(accounts, pd.Series([90.0, 90, 90, 90, 10, 90]))
    assert advice["recommended_type"].tolist() == [
        "transactional",
        "partnership",
        "preferred supplier",
        "alliance",
        "preferred supplier",
        CANNOT_TELL,
    ]


def test_returns_decide_no_recommendation(business):
    accounts, _ = business
    bound = switching_cost_from_terms(accounts)["switching_cost_index"]
    poorer = accounts.assign(joint_value=0.0, relationship_cost=1e9)
    pd.testing.assert_frame_equal(recommend_types(accounts, bound), recommend_types(poorer, bound))


def test_fit_that_pays_is_found_and_fit_that_does_not_is_not():
    rng = np.random.default_rng(3)
    actual = pd.Series(np.repeat(["transactional", "partnership"], 100))
    is_fit = rng.random(200) < 0.5
    fitting = actual.where(is_fit, "preferred supplier")
    scale = np.where(actual == "partnership", 1e5, 1e2)
    paid = pd.Series(scale * (rng.random(200) + is_fit))
    table, test = compare_fit(actual, fitting, paid, seed=1, n_permutations=99)
    assert test["difference"] > 0.3
    assert test["p_value"] == 0.01
    assert table["n_accounts"].sum() == 200
    chance = [
        compare_fit(actual, fitting, pd.Series(rng.random(200)), seed=1, n_permutations=19)[1]
        for _ in range(20)
    ]
    assert sum(one["p_value"] <= 0.05 for one in chance) <= 5


def test_accounts_that_fit_and_return_less_are_as_far_from_chance():
    actual = pd.Series(["partnership"] * 20)
    fitting = pd.Series(["partnership"] * 10 + ["transactional"] * 10)
    low, high = (
        compare_fit(actual, fitting, sign * pd.Series(range(20)), seed=1)[1] for sign in (1, -1)
    )
    assert low["difference"] < 0 < high["difference"]
    assert low["p_value"] == high["p_value"] == 1 / 500


def test_fit_is_undefined_where_all_accounts_fit():
    actual = pd.Series(["partnership"] * 3)
    _, test = compare_fit(actual, actual, pd.Series([1.0, 2, 3]), seed=1)
    assert np.isnan(test["difference"])
    assert np.isnan(test["p_value"])


def test_value_is_divided_without_a_rest():
    accounts = pd.DataFrame(
        {
            "joint_value": [100.0, np.nan],
            "relationship_cost": [30.0, 1.0],
            "supplier_value_share": [0.4, 0.5],
        }
    )
    table = split_value(accounts, pd.Series(["a", "a"])).iloc[0]
    assert table["n_accounts"] == 1
    assert table["supplier_value"] + table["buyer_value"] == 100
    assert table["net_return"] == 10


def test_refusals():
    with pytest.raises(ValueError, match="no indicator of the type"):
        assign_types(pd.DataFrame({"industry": ["trade"]}))
    with pytest.raises(ValueError, match="least_distance is 1"):
        assign_types(pd.DataFrame({"adaptation": [1.0]}), least_distance=1)
    with pytest.raises(ValueError, match="no column supplier_dependence"):
        recommend_types(
            pd.DataFrame({"buyer_dependence": [1.0], "goal_congruence": [1.0]}), pd.Series([1.0])
        )
