"""Evidence adds up to a probability: by hand, by Bayes, at the limits."""

import numpy as np
import pandas as pd
import pytest

from crmlab.atlas import load_terms
from crmlab.segments.types.orientation import construct_scores, read_evidence, weigh_evidence

EVIDENCE = pd.DataFrame(
    {
        "measure": ["trust", "deal_share"],
        "transactional_at": [0.0, 1.0],
        "relational_at": [1.0, 0.0],
        "weight": [np.log(2), np.log(3)],
    }
)


def test_two_full_measures_multiply_the_odds():
    measures = pd.DataFrame({"trust": [1.0, 1.0, 0.0], "deal_share": [0.0, 1.0, 1.0]})
    found = weigh_evidence(measures, EVIDENCE)
    # Odds 2·3, 2/3 and 1/6.
    assert found["relational_probability"].tolist() == pytest.approx([6 / 7, 2 / 5, 1 / 7])
    assert found["type"].tolist() == ["type_relational", "type_transactional", "type_transactional"]


def test_probability_is_that_of_bayes_where_weights_are_true_likelihood_ratios():
    # Of relational customers 2/3 trust, of others 1/3; 3/4 against 1/4 look at no discount.
    prior, trusts, frugal = 0.3, (2 / 3, 1 / 3), (3 / 4, 1 / 4)
    expected = prior * trusts[0] * frugal[0]
    expected /= expected + (1 - prior) * trusts[1] * frugal[1]
    found = weigh_evidence(
        pd.DataFrame({"trust": [1.0], "deal_share": [0.0]}), EVIDENCE, prior=prior
    )
    assert found["relational_probability"][0] == pytest.approx(expected)


def test_what_is_missing_or_half_way_adds_nothing():
    measures = pd.DataFrame({"trust": [0.5, np.nan, 1.0], "deal_share": [0.5, np.nan, np.nan]})
    found = weigh_evidence(measures, EVIDENCE)
    assert found["relational_probability"].round(9).tolist()[::2] == [0.5, round(2 / 3, 9)]
    assert np.isnan(found["relational_probability"][1])
    assert found["type"].tolist() == ["cannot_tell"] * 3
    assert found["reason"].tolist() == ["between_cut_points", "missing_measure", "missing_measure"]
    assert found["n_known"].tolist() == [2, 0, 1]


def test_beyond_its_ends_a_measure_says_no_more():
    measures = pd.DataFrame({"trust": [1.0, 5.0], "deal_share": [0.0, -2.0]})
    probability = weigh_evidence(measures, EVIDENCE)["relational_probability"]
    assert probability[0] == probability[1]


def test_evidence_as_shipped_is_sound_and_named():
    evidence = read_evidence()
    found = weigh_evidence(pd.DataFrame(index=["a"]), evidence)
    assert found["type"].tolist() == ["cannot_tell"]
    assert set(evidence["measure"]) <= load_terms().keys()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": 0.0}, "the weight of trust is 0.0; expected above 0"),
        ({"relational_at": 0.0}, "trust speaks for both from 0.0 on"),
    ],
)
def test_evidence_that_says_nothing_is_refused(change, message):
    evidence = EVIDENCE.assign(**{name: [value, 0.5] for name, value in change.items()})
    with pytest.raises(ValueError, match=message):
        weigh_evidence(pd.DataFrame({"trust": [1.0]}), evidence)


@pytest.mark.parametrize("options", [{"prior": 0.0}, {"prior": 1.0}, {"sure_from": 0.4}])
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*; expected"):
        weigh_evidence(pd.DataFrame({"trust": [1.0]}), EVIDENCE, **options)


def test_construct_scores_are_mean_places_on_the_scale_of_the_last_wave():
    items = pd.DataFrame(
        {"item": ["q1", "q2"], "construct": ["trust"] * 2, "minimum": [1, 0], "maximum": [10, 4]}
    )
    survey = pd.DataFrame(
        {
            "customer_id": ["a", "a", None, "b"],
            "wave": [1, 2, 1, 1],
            "q1": [1.0, 10.0, 5.0, np.nan],
            "q2": [0.0, 2.0, 1.0, 1.0],
        }
    )
    found = construct_scores(survey, items, ["trust", "commitment"], pd.Index(["a", "b", "c"]))
    assert found["trust"].tolist()[:2] == [0.75, 0.25]
    assert found["trust"].isna().tolist() == [False, False, True]
    assert found["commitment"].isna().all()


def test_inputs_are_left_unchanged():
    measures, evidence = pd.DataFrame({"trust": [1.0]}), EVIDENCE.copy(deep=True)
    before = measures.copy(deep=True)
    weigh_evidence(measures, evidence)
    pd.testing.assert_frame_equal(measures, before)
    pd.testing.assert_frame_equal(evidence, EVIDENCE)
