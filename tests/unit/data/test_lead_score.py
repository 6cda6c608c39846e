"""Lead scores: what was known before, what is learnt, and how well it is judged."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from crmlab.data.lead_score import auc_standard_error, describe_leads, score_leads
from crmlab.data.simulate import simulate_population


@pytest.fixture(scope="module")
def tables():
    return simulate_population(1200, seed=12)


@pytest.fixture(scope="module")
def leads(tables):
    return describe_leads(tables["contacts"], tables["orders"], tables["customers"])


def made_up(n=6000, strength=1.0, seed=1):
    rng = np.random.default_rng(seed)
    known = rng.standard_normal(n)
    chance = 1 / (1 + np.exp(2 - strength * known))
    return pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "contacted_on": pd.to_datetime("2024-01-01")
            + pd.to_timedelta(100 * (np.arange(n) % 3), unit="D"),
            "has_responded": rng.random(n) < chance,
            "known": known,
        }
    )


def test_only_what_came_before_the_contact_is_known(tables, leads):
    orders = tables["orders"]
    for row in leads.sample(25, random_state=1).itertuples():
        own = orders[(orders["customer_id"] == row.customer_id) & (orders["amount"] > 0)]
        before = own[own["ordered_on"] < row.contacted_on]
        assert row.n_orders_before == len(before)
        assert row.value_before == pytest.approx(before["amount"].sum())
        if len(before):
            assert row.days_since_order == (row.contacted_on - before["ordered_on"].max()).days
        assert row.has_ordered == (len(before) > 0)


def test_order_on_the_day_of_contact_is_not_known_yet():
    days = pd.to_datetime(["2024-03-01"])
    contacts = pd.DataFrame({"customer_id": ["a"], "contacted_on": days, "is_treated": True})
    orders = pd.DataFrame({"customer_id": ["a"], "ordered_on": days, "amount": [5.0]})
    found = describe_leads(contacts.assign(has_responded=True), orders)
    assert found["n_orders_before"].tolist() == [0]
    assert not found["has_ordered"].any()


def test_held_out_customers_are_no_leads(tables, leads):
    assert len(leads) == tables["contacts"]["is_treated"].sum()


def test_score_reaches_the_area_that_the_true_chances_have():
    leads = made_up()
    found = score_leads(leads)
    last = leads["contacted_on"] == leads["contacted_on"].max()
    truth = roc_auc_score(leads.loc[last, "has_responded"], leads.loc[last, "known"])
    assert found.quality["auc"] == pytest.approx(truth, abs=1e-9)  # one number known: same order
    assert found.quality["n_test"] == last.sum()
    mean = found.scores["lead_score"].mean()
    error = np.sqrt(mean * (1 - mean) / last.sum())
    assert mean == pytest.approx(found.scores["has_responded"].mean(), abs=4 * error)


def test_where_nothing_is_known_the_area_is_one_half():
    quality = score_leads(made_up(strength=0.0)).quality
    assert quality["auc"] == pytest.approx(0.5, abs=4 * quality["auc_standard_error"])
    assert np.isnan(quality["auc_rule_of_thumb"])


def test_scores_come_highest_first_and_lift_is_that_of_the_top_tenth():
    found = score_leads(made_up())
    scores = found.scores
    assert scores["lead_score"].is_monotonic_decreasing
    top = scores["has_responded"].head(len(scores) // 10).mean()
    assert found.quality["lift_top_tenth"] == pytest.approx(top / scores["has_responded"].mean())


def test_standard_error_without_skill_is_that_of_mann_and_whitney():
    # The variance of their statistic where nothing differs is (m + n + 1) / (12 m n).
    assert auc_standard_error(0.5, 40, 60) == pytest.approx(np.sqrt(101 / (12 * 40 * 60)), rel=1e-2)
    assert auc_standard_error(1.0, 40, 60) == pytest.approx(0, abs=1e-7)


def test_spread_of_the_area_over_samples_is_its_standard_error():
    # Exponential scores, for which Hanley and McNeil's formula is exact: A = 1 / (1 + 1/3).
    rng = np.random.default_rng(1)
    answer = np.repeat([True, False], [30, 90])
    areas = [roc_auc_score(answer, rng.exponential(np.where(answer, 3.0, 1.0))) for _ in range(400)]
    expected = auc_standard_error(0.75, 30, 90)
    assert np.mean(areas) == pytest.approx(0.75, abs=4 * expected / 20)
    assert np.std(areas) == pytest.approx(expected, rel=4 / np.sqrt(2 * 400))


def test_leads_that_cannot_be_scored_are_refused():
    leads = made_up(300)
    with pytest.raises(ValueError, match="contacts are of one day"):
        score_leads(leads.assign(contacted_on=leads["contacted_on"].min()))
    late = leads["contacted_on"] == leads["contacted_on"].max()
    silent = leads.assign(has_responded=leads["has_responded"] & late)
    with pytest.raises(ValueError, match="answers to the earlier campaigns: 0 of"):
        score_leads(silent)


def test_inputs_are_left_unchanged(tables, leads):
    before = leads.copy(), tables["contacts"].copy()
    score_leads(leads)
    describe_leads(tables["contacts"])
    pd.testing.assert_frame_equal(leads, before[0])
    pd.testing.assert_frame_equal(tables["contacts"], before[1])
