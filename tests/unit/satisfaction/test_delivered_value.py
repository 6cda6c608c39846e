import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crmlab.satisfaction import BENEFITS, COSTS, delivered_value, normalise_weights, value_map


@pytest.fixture
def one_customer():
    benefits = pd.DataFrame([[8.0, 6, 5, 1]], columns=BENEFITS, index=["c1"])
    costs = pd.DataFrame([[4.0, 2, 1, 1]], columns=COSTS, index=["c1"])
    return benefits, costs


def test_delivered_value_matches_the_sums_on_paper(one_customer):
    row = delivered_value(*one_customer).loc["c1"]
    assert row["total_benefit"] == 5
    assert row["total_cost"] == 2
    assert row["net_value"] == 3
    assert row["value_ratio"] == 2.5
    assert row["product_value"] == 2
    assert row["monetary_cost"] == -1


def test_delivered_value_weights_move_the_totals_as_the_dot_product_does(one_customer):
    benefits, costs = one_customer
    w = dict(zip(BENEFITS, [0.4, 0.3, 0.2, 0.1], strict=True))
    v = dict(zip(COSTS, [0.7, 0.1, 0.1, 0.1], strict=True))
    row = delivered_value(benefits, costs, benefit_weights=w, cost_weights=v).loc["c1"]
    assert row["total_benefit"] == pytest.approx(np.dot([8, 6, 5, 1], [0.4, 0.3, 0.2, 0.1]))
    assert row["total_cost"] == pytest.approx(np.dot([4, 2, 1, 1], [0.7, 0.1, 0.1, 0.1]))


scores = arrays(float, (6, 8), elements=st.floats(0, 9))


@given(scores)
def test_delivered_value_contributions_add_up_to_net_value(values):
    benefits = pd.DataFrame(values[:, :4], columns=BENEFITS)
    costs = pd.DataFrame(values[:, 4:], columns=COSTS)
    result = delivered_value(benefits, costs)
    parts = result[[*BENEFITS, *COSTS]].sum(axis=1)
    np.testing.assert_allclose(parts, result["net_value"], atol=1e-12)
    assert (result[list(COSTS)] <= 0).all(axis=None)


def test_delivered_value_is_all_benefit_when_nothing_is_given_up(one_customer):
    benefits, costs = one_customer
    row = delivered_value(benefits, costs * 0).loc["c1"]
    assert row["net_value"] == row["total_benefit"]
    assert np.isnan(row["value_ratio"])


def test_delivered_value_is_missing_throughout_when_one_answer_is(one_customer):
    benefits, costs = one_customer
    costs = costs.assign(time_cost=np.nan)
    assert delivered_value(benefits, costs).isna().all(axis=None)


def test_delivered_value_recovers_weights_that_made_it():
    # Net value made with known weights: regression on the scores gives them back, costs negative.
    rng = np.random.default_rng(11)
    benefits = pd.DataFrame(rng.uniform(0, 9, (200, 4)), columns=BENEFITS)
    costs = pd.DataFrame(rng.uniform(0, 9, (200, 4)), columns=COSTS)
    w = np.array([0.4, 0.3, 0.2, 0.1])
    result = delivered_value(benefits, costs, benefit_weights=dict(zip(BENEFITS, w, strict=True)))
    x = np.column_stack([benefits, costs])
    found, *_ = np.linalg.lstsq(x, result["net_value"], rcond=None)
    np.testing.assert_allclose(found, [*w, *[-0.25] * 4], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b, c: (b.drop(columns="image_value"), c), r"benefits lacks \['image_value'\]"),
        (lambda b, c: (b.assign(other=1.0), c), r"unknown \['other'\]"),
        (lambda b, c: (b, c.assign(time_cost=-1.0)), "'time_cost' is -1.0"),
        (lambda b, c: (b, c.set_axis(["c2"])), "different indexes"),
        (lambda b, c: (b.to_numpy(), c), "expected a pandas.DataFrame"),
    ],
)
def test_delivered_value_refuses_scores_it_cannot_add(one_customer, change, message):
    with pytest.raises(ValueError, match=message):
        delivered_value(*change(*one_customer))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (dict.fromkeys(BENEFITS, 1), "benefit_weights sum to 4.0; expected 1.*normalise_weights"),
        (dict.fromkeys(BENEFITS[:3], 1 / 3), r"weights lack \['image_value'\]"),
        (dict(zip(BENEFITS, [2, -1, 0, 0], strict=True)), "'service_value' is -1.0"),
        (dict.fromkeys(BENEFITS, 0), "all weights are 0"),
        ([0.25] * 4, "expected a mapping"),
    ],
)
def test_delivered_value_refuses_weights_that_are_none(one_customer, weights, message):
    with pytest.raises(ValueError, match=message):
        delivered_value(*one_customer, benefit_weights=weights)


def test_normalised_weights_keep_their_proportions():
    weights = normalise_weights({"b": 1, "a": 3}, ["a", "b"])
    assert weights.to_dict() == {"a": 0.75, "b": 0.25}


def test_delivered_value_leaves_its_inputs_unchanged(one_customer):
    copies = [frame.copy() for frame in one_customer]
    delivered_value(*one_customer)
    for frame, copy in zip(one_customer, copies, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_value_map_puts_the_average_customer_on_the_fair_line():
    totals = pd.DataFrame({"total_benefit": [6.0, 5, 4, np.nan], "total_cost": [2.0, 4, 6, np.nan]})
    result = value_map(totals)
    assert result["position"].tolist()[:3] == ["superior value", "fair value", "inferior value"]
    assert result["position"].isna().tolist() == [False, False, False, True]
    assert result["relative_benefit"].mean() == pytest.approx(1)
    assert result["relative_cost"].mean() == pytest.approx(1)


def test_value_map_refuses_totals_that_nothing_is_relative_to():
    totals = pd.DataFrame({"total_benefit": [0.0, 0], "total_cost": [1.0, 2]})
    with pytest.raises(ValueError, match="mean of total_benefit is 0"):
        value_map(totals)
    with pytest.raises(ValueError, match="no column 'total_cost'"):
        value_map(totals[["total_benefit"]])
    with pytest.raises(ValueError, match="tolerance is 2"):
        value_map(totals, tolerance=2)


def test_delivered_value_of_a_customer_asked_twice_has_two_rows(one_customer):
    benefits, costs = (pd.concat([frame, frame + 1]) for frame in one_customer)
    result = delivered_value(benefits, costs)
    assert result.index.tolist() == ["c1", "c1"]
    assert result["net_value"].tolist() == [3, 3]
