"""Scores of labels and forecasts beside chance and naive guesses."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson
from sklearn.metrics import balanced_accuracy_score

from crmlab.relationship.score import (
    compare_forecasts,
    confusion_table,
    forecast_naively,
    score_labels,
)

LABELS = ("a", "b", "c")


def test_balanced_accuracy_is_that_of_scikit_learn_and_chance_is_one_in_three():
    rng = np.random.default_rng(1)
    truth, guess = rng.choice(LABELS, 600, p=[0.7, 0.2, 0.1]), rng.choice(LABELS, 600)
    found = score_labels(truth, guess, LABELS, seed=1)
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, guess))
    assert 1 / 3 < found["chance_bound"] < 1 / 3 + 0.1
    assert found["balanced_accuracy"] < found["chance_bound"] + 0.05


def test_cannot_tell_counts_as_missed_and_has_a_column():
    found = score_labels(list("abab"), ["a", "b", "cannot tell", "b"], ["a", "b"], seed=1)
    assert found["balanced_accuracy"] == 0.75
    table = confusion_table(list("abab"), ["a", "b", "cannot tell", "b"], ["a", "b"])
    assert table.columns.tolist() == ["a", "b", "cannot tell"]
    assert table.loc["a"].tolist() == [0.5, 0.0, 0.5]


def test_a_label_that_never_is_true_counts_for_nothing():
    found = score_labels(["a", "a", "b"], ["a", "c", "b"], LABELS, seed=1)
    assert found["balanced_accuracy"] == 0.75


def test_log_score_is_the_poisson_probability():
    table = compare_forecasts([3, 0], {"own": [2.0, 1.0], "other": [3.0, 0.0]})
    wanted = np.log(poisson.pmf([3, 0], [2.0, 1.0])).mean()
    assert table["log_score"][0] == pytest.approx(wanted)
    assert table["log_score_lead"][0] == 0
    lead = np.log(poisson.pmf([3, 0], [3.0, 0.01])) - np.log(poisson.pmf([3, 0], [2.0, 1.0]))
    assert table["log_score_lead"][1] == pytest.approx(lead.mean())
    assert table["log_score_lead_error"][1] == pytest.approx(lead.std(ddof=1) / np.sqrt(2))


def test_the_true_mean_beats_another_one():
    rng = np.random.default_rng(2)
    mean = rng.gamma(2, 2, 3000)
    table = compare_forecasts(rng.poisson(mean), {"flat": np.full(3000, 4.0), "true": mean})
    assert table["log_score_lead"][1] > 10 * table["log_score_lead_error"][1]


def test_naive_forecasts_look_at_the_past_alone(panel_of):
    panel = panel_of([[3, 1, 2, 6], [4, 0]])
    found = forecast_naively(panel.sample(frac=1, random_state=1), "n_visits").sort_index()
    np.testing.assert_allclose(found["own_mean"], [np.nan, 3, 2, 2, np.nan, 4])
    np.testing.assert_allclose(found["last_month"], [np.nan, 3, 1, 2, np.nan, 4])


def test_months_of_one_customer_count_as_one_in_the_error_of_the_lead():
    actual, naive = np.array([0, 2, 1, 4]), np.array([1.0, 1, 2, 3])
    once = compare_forecasts(actual, {"naive": naive, "own": naive + 0.5})
    # Each case five times over, of the same customer: no more is known than before.
    again = {"naive": np.tile(naive, 5), "own": np.tile(naive + 0.5, 5)}
    whose = np.tile(list("abcd"), 5)
    by_customer = compare_forecasts(np.tile(actual, 5), again, customers=whose)
    column = "log_score_lead_error"
    # The same number, added up in another order.
    assert by_customer[column][1] == pytest.approx(once[column][1], rel=1e-12)
    alike = compare_forecasts(np.tile(actual, 5), again)
    assert alike[column][1] < once[column][1] / 2
    one = compare_forecasts(actual, {"naive": naive, "own": naive + 1}, customers=["a"] * 4)
    assert np.isnan(one[column][1])


def test_refusals():
    with pytest.raises(ValueError, match="true labels: z; expected"):
        score_labels(["z"], ["a"], LABELS, seed=1)
    with pytest.raises(ValueError, match="2 true labels and 1 assigned"):
        score_labels(["a", "a"], ["a"], LABELS, seed=1)
    with pytest.raises(ValueError, match="at least 19"):
        score_labels(["a"], ["a"], LABELS, seed=1, n_permutations=5)
    with pytest.raises(ValueError, match="no month has all forecasts"):
        compare_forecasts([1, 2], {"own": pd.Series([np.nan, 1.0])})
    with pytest.raises(ValueError, match="'own' expects a count below 0"):
        compare_forecasts([1, 2], {"own": [1.0, -1.0]})
