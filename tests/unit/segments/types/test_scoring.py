"""Scores of an assignment: by hand, by brute force, against scikit-learn, and at the limits."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score

from crmlab.segments.types.rules import CANNOT_TELL, place_in_population
from crmlab.segments.types.scoring import (
    compare_with_majority,
    confusion,
    observe_value_types,
    score_types,
    true_types,
)

TRUTH = pd.Series(list("aaaabbbccc"))
LABEL = pd.Series(list("aabcbbaccb"))


def test_scores_of_ten_customers_are_those_of_the_paper():
    found = score_types(LABEL, TRUTH)
    # Right: 2 of 4 a, 2 of 3 b, 2 of 3 c. By chance: (4·3 + 3·4 + 3·3)/100 = 0.33.
    assert found["accuracy"] == pytest.approx(0.6)
    assert found["balanced_accuracy"] == pytest.approx((2 / 4 + 2 / 3 + 2 / 3) / 3)
    assert found["majority_accuracy"] == pytest.approx(0.4)
    assert found["lead"] == pytest.approx(0.2)
    assert found["kappa"] == pytest.approx((0.6 - 0.33) / 0.67)


def test_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(3)
    truth = pd.Series(rng.choice(list("abcd"), 300, p=[0.5, 0.3, 0.15, 0.05]))
    label = truth.where(rng.random(300) < 0.5, rng.choice(list("abcd"), 300))
    found = score_types(label, truth)
    assert found["kappa"] == pytest.approx(cohen_kappa_score(truth, label))
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, label))


@pytest.mark.parametrize("groups", [None, [0, 0, 0, 1, 1, 1, 1]])
def test_chance_is_that_of_every_way_to_deal_the_labels_out(groups):
    truth, label = pd.Series(list("aabbbca")), np.array(list("abbacab"))
    given = None if groups is None else pd.Series(groups)
    group = np.zeros(7) if groups is None else np.array(groups)
    dealt = np.array(list(permutations(range(7))))
    dealt = dealt[(group[dealt] == group).all(axis=1)]
    is_right = label[dealt] == truth.to_numpy()
    hits = is_right.mean(axis=1)
    recalls = [is_right[:, (truth == kind).to_numpy()].mean(axis=1) for kind in "abc"]
    shares = np.mean(recalls, axis=0)
    found = score_types(pd.Series(label), truth, given=given)
    assert found["chance_balanced_accuracy"] == pytest.approx(np.mean(shares))
    assert found["chance_error"] == pytest.approx(np.std(shares))
    p_e = np.mean(hits)
    assert found["kappa"] == pytest.approx((found["accuracy"] - p_e) / (1 - p_e))
    assert found["kappa_chance_error"] == pytest.approx(np.std(hits) / (1 - p_e))


def test_a_rival_that_knows_the_group_leaves_nothing_to_labels_that_only_name_it():
    truth = pd.Series(["high_a"] * 6 + ["high_b"] * 2 + ["low"] * 12)
    label = truth.replace("high_b", "high_a")
    is_high = truth != "low"
    assert score_types(label, truth)["kappa"] > 0.7
    known = score_types(label, truth, given=is_high)
    assert known["kappa"] == pytest.approx(0)
    assert known["lead"] == 0


def test_perfect_labels_reach_one_and_silence_has_no_score():
    found = score_types(TRUTH, TRUTH)
    reached = found[["accuracy", "balanced_accuracy", "kappa", "coverage"]].tolist()
    assert reached == pytest.approx([1, 1, 1, 1])
    silent = score_types(pd.Series([CANNOT_TELL] * 10), TRUTH)
    assert silent["coverage"] == 0
    assert silent.drop(["n_customers", "coverage"]).isna().all()
    one = score_types(pd.Series(["a", "a"]), pd.Series(["a", "a"]))
    assert one["accuracy"] == 1
    assert np.isnan(one["kappa"])


def test_confusion_counts_each_customer_with_a_truth_once():
    label = LABEL.where(LABEL != "c", CANNOT_TELL)
    counts = confusion(label, TRUTH.where(TRUTH.index > 0))
    assert counts.to_numpy().sum() == 9
    assert counts.columns.tolist() == ["a", "b", "c", CANNOT_TELL]
    assert counts[CANNOT_TELL].sum() == 3


def test_indices_that_differ_are_refused():
    with pytest.raises(ValueError, match="label, truth and given: different indices"):
        score_types(LABEL, TRUTH.iloc[::-1])


def test_value_types_that_came_true_follow_from_now_and_later():
    now = pd.Series([100.0, 90.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    later = pd.Series([0.0, 50.0, 60.0, 70.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    found = observe_value_types(now, later).str.removeprefix("type_").tolist()
    assert found[:4] == ["about_to_be_lost", "most_valuable", "most_growable", "most_growable"]
    assert set(found[4:]) == {"none_of_the_three"}
    with pytest.raises(ValueError, match="high_share is 1; expected a share"):
        observe_value_types(now, later, high_share=1)


def test_customers_called_high_are_those_whom_the_rules_call_high():
    rng = np.random.default_rng(3)
    for n in range(2, 12):
        now = pd.Series(rng.integers(0, 4, n).astype("float64"))
        found = observe_value_types(now, pd.Series(1.0, index=now.index))
        is_high = place_in_population(now) >= 0.8
        assert (found == "type_most_valuable").tolist() == is_high.tolist()


def test_true_types_speak_the_words_of_the_rules_and_leave_strangers_out():
    truth = pd.DataFrame(
        {
            "customer_id": ["a"],
            "is_relational": [True],
            "consumption_type": ["deal seeking"],
            "response_policy": ["caring"],
        }
    )
    found = true_types(truth, pd.Index(["a", "b"]))
    assert found.loc["a"].tolist() == ["type_relational", "type_deal_seeking", "type_caring"]
    assert found.loc["b"].isna().all()
    assert true_types(truth[["customer_id"]], pd.Index(["a"])).shape == (1, 0)


def test_an_assignment_stands_apart_from_the_majority_only_beyond_its_error():
    scores = pd.DataFrame(
        {"lead": [0.05, 0.05, -0.05, np.nan], "lead_error": [0.024, 0.026, 0.024, np.nan]},
        index=list("abcd"),
    )
    assert compare_with_majority(scores).tolist() == [
        "is_ahead",
        "is_level",
        "is_behind",
        "no_answer",
    ]
    assert compare_with_majority(scores, n_errors=3).tolist() == ["is_level"] * 3 + ["no_answer"]
