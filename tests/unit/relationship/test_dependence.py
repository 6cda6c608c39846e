"""Dependence of two firms and the costs of changing."""

import numpy as np
import pandas as pd
import pytest

from crmlab.relationship.dependence import (
    TERMS_OF_CONTRACT,
    dependence_asymmetry,
    switching_cost_from_terms,
    switching_cost_index,
)


def test_asymmetry_changes_sign_when_the_sides_change_places():
    rng = np.random.default_rng(1)
    a, b = (pd.Series(rng.integers(1, 8, 50).astype(float)) for _ in range(2))
    one, other = dependence_asymmetry(a, b), dependence_asymmetry(b, a)
    np.testing.assert_allclose(one["asymmetry"], -other["asymmetry"])
    np.testing.assert_allclose(one["interdependence"], other["interdependence"])


def test_one_step_of_the_scale_is_balance_and_two_are_not():
    both = dependence_asymmetry(pd.Series([4.0, 4, 4, 4]), pd.Series([5.0, 6, 2, np.nan]))
    assert both["position"].tolist() == [
        "balanced",
        "supplier depends more",
        "buyer depends more",
        "cannot tell",
    ]


def test_index_is_the_mean_of_its_facets_and_missing_where_one_is():
    answers = pd.DataFrame({"a": [1.0, 10, 5.5], "b": [10.0, 10, np.nan]})
    index = switching_cost_index(
        answers, {"procedural": "a", "relational": "b"}, minimum=1, maximum=10
    )
    assert index["switching_cost_index"].iloc[:2].tolist() == [50.0, 100.0]
    assert np.isnan(index["switching_cost_index"].iloc[2])
    assert list(index) == ["switching_procedural", "switching_relational", "switching_cost_index"]


def test_index_of_the_survey_follows_the_true_costs(population):
    survey = population["survey"].dropna(subset="customer_id")
    facets = {name: f"switching_{name}" for name in ("procedural", "financial", "relational")}
    index = switching_cost_index(survey, facets, minimum=1, maximum=10)["switching_cost_index"]
    true = survey["customer_id"].map(population["truth"].set_index("customer_id")["switching_cost"])
    # Three items of loadings .70, .75 and .65: the mean correlates by .84 at most.
    assert 0.6 < index.corr(true) < 0.95


def test_terms_rank_accounts_and_order_of_rows_changes_nothing():
    rng = np.random.default_rng(2)
    columns = [name for names in TERMS_OF_CONTRACT.values() for name in names]
    accounts = pd.DataFrame(rng.random((30, len(columns))), columns=columns)
    index = switching_cost_from_terms(accounts)["switching_cost_index"]
    assert index.mean() == pytest.approx(50)
    shuffled = switching_cost_from_terms(accounts.sample(frac=1, random_state=1))
    pd.testing.assert_series_equal(shuffled["switching_cost_index"].sort_index(), index)
    money = accounts.assign(specific_investment=accounts["specific_investment"] * 1e6)
    pd.testing.assert_series_equal(switching_cost_from_terms(money)["switching_cost_index"], index)


def test_refusals():
    with pytest.raises(ValueError, match="buyer_dependence lies outside its scale, 1 to 7"):
        dependence_asymmetry(pd.Series([8.0]), pd.Series([1.0]))
    with pytest.raises(ValueError, match="different indices"):
        dependence_asymmetry(pd.Series([1.0]), pd.Series([1.0], index=[3]))
    with pytest.raises(ValueError, match="no_column"):
        switching_cost_index(pd.DataFrame(), {"financial": "no_column"}, minimum=1, maximum=7)
    with pytest.raises(ValueError, match="accounts: no column adaptation"):
        switching_cost_from_terms(pd.DataFrame({"integration": [1.0]}))
