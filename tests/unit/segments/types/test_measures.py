"""All measures of a population: what is planted is found, and what is not there stays missing."""

import numpy as np
import pandas as pd
import pytest

from crmlab.data.simulate import simulate_population
from crmlab.segments.types.measures import gather_measures
from crmlab.segments.types.orientation import read_evidence, weigh_evidence
from crmlab.segments.types.questions import judge_score
from crmlab.segments.types.rules import TYPOLOGIES, assign_types, read_rules
from crmlab.segments.types.scoring import score_types, true_types

SPAN = {"observed_from": pd.Timestamp("2024-01-01"), "observed_to": pd.Timestamp("2025-12-31")}


@pytest.fixture(scope="module")
def tables():
    return simulate_population(1000, seed=7)


@pytest.fixture(scope="module")
def measures(tables):
    return gather_measures(tables, **SPAN)


@pytest.fixture(scope="module")
def truth(tables, measures):
    return true_types(tables["truth"], measures.index)


def test_every_measure_that_a_rule_asks_for_is_gathered(measures):
    asked = {name for typology in TYPOLOGIES for name in read_rules(typology)["measure"]}
    assert asked | set(read_evidence()["measure"]) <= {*measures.columns, ""}


@pytest.mark.parametrize(("typology", "least"), [("consumption", 0.25), ("response", 0.6)])
def test_planted_types_are_found_well_beyond_chance(measures, truth, typology, least):
    found = assign_types(measures, read_rules(typology))
    scores = score_types(found.label, truth[typology])
    assert scores["kappa"] > least
    assert scores["kappa"] > 10 * scores["kappa_chance_error"]
    assert scores["lead"] > 3 * scores["lead_error"]


def test_planted_orientation_is_found_beyond_chance_and_not_beyond_belief(measures, truth):
    weighed = weigh_evidence(measures, read_evidence())
    is_relational = (truth["orientation"] == "type_relational").astype("bool")
    found = judge_score(weighed["relational_probability"], is_relational)
    assert found["auc"] > 0.5 + 4 * found["auc_standard_error"]
    assert found["auc"] < 0.9
    scores = score_types(weighed["type"], truth["orientation"])
    assert scores["kappa"] > 3 * scores["kappa_chance_error"]


def test_labels_dealt_to_the_wrong_customers_are_worth_nothing(measures, truth):
    found = assign_types(measures, read_rules("consumption"))
    rng = np.random.default_rng(3)
    label = pd.Series(rng.permutation(found.label.to_numpy()), index=found.label.index)
    scores = score_types(label, truth["consumption"])
    assert abs(scores["kappa"]) < 4 * scores["kappa_chance_error"]


def test_orders_alone_leave_the_rest_missing(tables):
    orders = tables["orders"][["customer_id", "ordered_on", "amount"]].head(2000)
    measures = gather_measures({"orders": orders}, **SPAN)
    assert measures.index.is_unique
    assert measures["n_orders"].notna().any()
    for name in ("contribution", "deal_share", "is_business", "n_employees", "is_local"):
        assert measures[name].isna().all()
    needs = assign_types(measures, read_rules("consumption")).needs
    assert {"deal_share", "adoption_place", "n_linked"} <= set(needs)
    told = {name: assign_types(measures, read_rules(name)).label for name in TYPOLOGIES}
    assert (told["response"] == "cannot_tell").all()
    assert (told["value"] != "cannot_tell").any()


def test_a_customer_known_and_never_seen_to_buy_is_potential_only_if_new(tables):
    orders = tables["orders"].iloc[:50]
    joined = pd.to_datetime(["2023-01-01", "2025-11-01"])
    customers = pd.DataFrame({"customer_id": ["old", "new"], "joined_on": joined})
    found = gather_measures({"orders": orders, "customers": customers}, **SPAN)
    assert np.isnan(found.loc["old", "n_orders_ever"])
    assert found.loc["new", "n_orders_ever"] == 0
    label = assign_types(found, read_rules("tenure")).label
    assert label[["old", "new"]].tolist() == ["cannot_tell", "type_potential"]


def test_fitted_values_are_preferred_to_rules_of_thumb(tables):
    some = tables["orders"]["customer_id"].iloc[0]
    fitted = pd.DataFrame(
        {
            "customer_id": [some],
            "current_value": [1.0],
            "potential_value": [2.0],
            "probability_alive": [0.25],
        }
    )
    classes = pd.DataFrame({"customer_id": [some], "contribution": [-5.0]})
    small = {"orders": tables["orders"].head(500), "lifetime": fitted, "value_classes": classes}
    found = gather_measures(small, **SPAN).loc[some]
    names = ["current_value", "potential_value", "churn_probability", "contribution"]
    assert found[names].tolist() == [1, 2, 0.75, -5]


def test_tables_are_left_unchanged_and_orders_are_needed(tables):
    before = {name: frame.copy(deep=True) for name, frame in tables.items()}
    gather_measures(tables, **SPAN)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(tables[name], frame)
    with pytest.raises(ValueError, match="there are no orders"):
        gather_measures({"customers": tables["customers"]}, **SPAN)
    returns = tables["orders"].assign(amount=-1.0)
    with pytest.raises(ValueError, match="no purchase"):
        gather_measures({"orders": returns}, **SPAN)


def test_orders_of_nobody_are_passed_over_and_a_fit_in_which_nobody_leaves_is_not_believed():
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", None],
            "ordered_on": pd.to_datetime(["2024-01-01", "2024-02-01", "2025-11-30", "2025-01-01"]),
            "amount": 10.0,
        }
    )
    by_silence = gather_measures({"orders": orders}, **SPAN)
    assert by_silence.index.tolist() == ["a", "b"]
    lifetime = pd.DataFrame({"customer_id": ["a", "b"], "probability_alive": [1.0, 1.0]})
    found = gather_measures({"orders": orders, "lifetime": lifetime}, **SPAN)
    assert found["churn_probability"].equals(by_silence["churn_probability"])
    told = lifetime.assign(probability_alive=[0.1, 0.9])
    found = gather_measures({"orders": orders, "lifetime": told}, **SPAN)
    assert found["churn_probability"].tolist() == pytest.approx([0.9, 0.1])
