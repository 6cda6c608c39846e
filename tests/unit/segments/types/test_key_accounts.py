"""Key accounts: scores by hand, ties, what is unknown, and other weights."""

import numpy as np
import pandas as pd
import pytest

from crmlab.atlas import load_terms
from crmlab.segments.types.key_accounts import (
    read_key_weights,
    score_key_accounts,
    weight_sensitivity,
)

MEASURES = pd.DataFrame(
    {"total_value": [40.0, 30.0, 20.0, 10.0], "n_linked": [1.0, 2.0, 3.0, 4.0]}, index=list("abcd")
)
WEIGHTS = pd.Series({"total_value": 3.0, "n_linked": 1.0})


def test_score_is_the_weighted_mean_of_places():
    found = score_key_accounts(MEASURES, WEIGHTS, n_key=1)
    # Places 7/8, 5/8, 3/8, 1/8 and the reverse, weighed 3 to 1.
    assert found["key_score"].tolist() == pytest.approx([22 / 32, 18 / 32, 14 / 32, 10 / 32])
    assert found["is_key"].tolist() == [True, False, False, False]


def test_money_in_other_units_changes_nothing():
    one = score_key_accounts(MEASURES, WEIGHTS, n_key=2)
    two = score_key_accounts(
        MEASURES.assign(total_value=MEASURES["total_value"] * 7.1), WEIGHTS, n_key=2
    )
    pd.testing.assert_frame_equal(one, two)


def test_equals_at_the_last_place_are_all_key_accounts():
    measures = pd.DataFrame({"total_value": [1.0, 2.0, 2.0]})
    found = score_key_accounts(measures, pd.Series({"total_value": 1.0}), n_key=1)
    assert found["is_key"].tolist() == [False, True, True]


def test_a_criterion_nobody_has_is_left_out_and_too_little_is_no_score():
    weights = pd.Series({"total_value": 0.4, "n_linked": 0.6, "n_referrals": 9.0})
    measures = MEASURES.copy()
    measures.loc["a", "n_linked"] = np.nan
    found = score_key_accounts(measures, weights, n_key=2)
    assert np.isnan(found.loc["a", "key_score"])  # 0.4 of the weight is known
    assert found["key_score"].notna().sum() == 3
    assert not found.loc["a", "is_key"]
    enough = score_key_accounts(measures, weights, n_key=2, least_weight=0.4)
    assert enough.loc["a", "key_score"] == pytest.approx(7 / 8)  # its place in value alone


def test_a_criterion_that_is_the_same_of_everybody_counts_for_nothing():
    measures = MEASURES.assign(staying_probability=1.0)
    weights = pd.concat([WEIGHTS, pd.Series({"staying_probability": 5.0})])
    pd.testing.assert_frame_equal(
        score_key_accounts(measures, weights, n_key=1),
        score_key_accounts(MEASURES, WEIGHTS, n_key=1),
    )
    alike = score_key_accounts(measures[["staying_probability"]], weights, n_key=1)
    assert alike["key_score"].tolist() == [0.5] * 4
    assert alike["is_key"].all()


def test_shaken_weights_leave_a_customer_who_is_best_in_all_and_part_the_others():
    measures = MEASURES.assign(n_linked=[4.0, 1.0, 2.0, 3.0])
    found = weight_sensitivity(
        measures, WEIGHTS, n_key=2, rng=np.random.default_rng(1), spread=1.0, n_draws=400
    )
    assert found.loc["a", "key_share"] == 1
    assert found.loc["a", "worst_rank"] == 1
    assert 0 < found.loc["b", "key_share"] < 1
    # b is among the two where its place in value outweighs that of c and of d in links.
    rng = np.random.default_rng(1)
    drawn = WEIGHTS.to_numpy() / 4 * np.exp(rng.standard_normal((400, 2)))
    value, links = (drawn / drawn.sum(axis=1, keepdims=True)).T
    beats = [(5 - p) * value + (1 - q) * links >= 0 for p, q in ((3, 3), (1, 5))]
    assert found.loc["b", "key_share"] == pytest.approx(np.mean(beats[0] & beats[1]))


def test_no_spread_keeps_the_choice():
    found = weight_sensitivity(
        MEASURES, WEIGHTS, n_key=1, rng=np.random.default_rng(1), spread=0, n_draws=3
    )
    assert found["key_share"].tolist() == [1, 0, 0, 0]
    assert (found["best_rank"] == found["worst_rank"]).all()


def test_weights_as_shipped_add_up_and_are_named():
    weights = read_key_weights()
    assert weights.sum() == pytest.approx(1)
    assert set(weights.index) <= load_terms().keys()


@pytest.mark.parametrize(
    ("weights", "n_key", "message"),
    [
        (WEIGHTS, 0, "n_key is 0; expected a whole number, 1 or more"),
        (pd.Series({"total_value": -1.0}), 1, "weights: total_value has -1.0; expected 0 or more"),
        (pd.Series({"n_referrals": 1.0}), 1, "no criterion with a weight above 0 is known"),
    ],
)
def test_what_cannot_be_weighed_is_refused(weights, n_key, message):
    with pytest.raises(ValueError, match=message):
        score_key_accounts(MEASURES, weights, n_key=n_key)
    with pytest.raises(ValueError, match="spread is -1 and n_draws 200; expected"):
        weight_sensitivity(MEASURES, WEIGHTS, n_key=1, rng=None, spread=-1)
