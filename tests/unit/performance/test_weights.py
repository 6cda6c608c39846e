import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.performance import ahp_weights, entropy_weights, hierarchy_weights
from crmlab.performance.weights import RANDOM_INDEX


def judge(weights):
    """Return the consistent judgements that the weights imply."""
    return np.divide.outer(weights, weights)


def test_ahp_weights_match_a_consistent_matrix_solved_on_paper():
    # Every column is a multiple of (6, 1, 2), so that is the eigenvector.
    result = ahp_weights([[1, 6, 3], [1 / 6, 1, 1 / 2], [1 / 3, 2, 1]], names=["a", "b", "c"])
    np.testing.assert_allclose(result.weights, [6 / 9, 1 / 9, 2 / 9], atol=1e-12)
    np.testing.assert_allclose(result.geometric_weights, result.weights, atol=1e-12)
    assert result.lambda_max == pytest.approx(3, abs=1e-12)
    assert result.consistency_ratio == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(result.judgements["error"], 1, atol=1e-12)


@given(st.lists(st.floats(0.05, 20), min_size=1, max_size=8))
def test_ahp_recovers_any_weights_from_judgements_that_agree(weights):
    weights = np.array(weights) / np.sum(weights)
    result = ahp_weights(judge(weights))
    np.testing.assert_allclose(result.weights, weights, rtol=1e-6)
    np.testing.assert_allclose(result.geometric_weights, weights, rtol=1e-6)
    assert result.consistency_index < 1e-6


def test_ahp_eigenvector_equals_power_iteration():
    matrix = np.array([[1, 3, 5, 1], [1 / 3, 1, 2, 1 / 4], [1 / 5, 1 / 2, 1, 1 / 2], [1, 4, 2, 1]])
    vector = np.ones(4)
    for _ in range(200):
        vector = matrix @ vector / np.sum(matrix @ vector)
    result = ahp_weights(matrix)
    np.testing.assert_allclose(result.weights, vector, atol=1e-12)
    assert result.lambda_max == pytest.approx(np.mean(matrix @ vector / vector), abs=1e-9)


@pytest.mark.parametrize(("n", "n_draws"), [(3, 20_000), (4, 10_000), (7, 4_000)])
def test_random_index_is_the_mean_inconsistency_of_random_judgements(n, n_draws):
    # Saaty's figures come from samples of their own: 0.015 is three of their standard errors.
    rng = np.random.default_rng(20 + n)
    scale = np.array([1 / k for k in range(9, 1, -1)] + list(range(1, 10)))
    matrices = np.ones((n_draws, n, n))
    for i, j in itertools.combinations(range(n), 2):
        matrices[:, i, j] = rng.choice(scale, n_draws)
        matrices[:, j, i] = 1 / matrices[:, i, j]
    principal = np.linalg.eigvals(matrices).real.max(axis=1)
    assert ((principal - n) / (n - 1)).mean() == pytest.approx(RANDOM_INDEX[n], abs=0.015)


def test_ahp_names_the_judgement_that_disagrees_with_the_others():
    # All judgements agree but one: c against d is turned round.
    matrix = judge(np.array([0.5, 0.25, 0.15, 0.1]))
    matrix[2, 3], matrix[3, 2] = 1 / 4, 4
    result = ahp_weights(matrix, names=list("abcd"))
    worst = result.judgements.iloc[0]
    assert (worst["criterion"], worst["versus"]) == ("c", "d")
    assert worst["error"] == pytest.approx(
        max(worst["judgement"] / worst["implied"], worst["implied"] / worst["judgement"])
    )
    assert (result.judgements["error"] >= 1).all()
    assert result.judgements["error"].is_monotonic_decreasing
    assert len(result.judgements) == 6


def test_ahp_reports_contradictions_and_does_not_refuse_them():
    # a over b over c over a: a circle.
    result = ahp_weights([[1, 9, 1 / 9], [1 / 9, 1, 9], [9, 1 / 9, 1]])
    np.testing.assert_allclose(result.weights, 1 / 3)
    assert result.consistency_ratio > 1
    assert not result.is_consistent


@pytest.mark.parametrize("matrix", [[[1]], [[1, 7], [1 / 7, 1]]])
def test_ahp_of_one_or_two_criteria_cannot_contradict_itself(matrix):
    result = ahp_weights(matrix)
    assert result.consistency_ratio == 0
    assert result.consistency_index == 0
    assert result.lambda_max == len(matrix)
    assert result.is_consistent


def test_ahp_ratio_is_undefined_above_ten_criteria():
    result = ahp_weights(np.ones((11, 11)))
    assert np.isnan(result.consistency_ratio)
    assert not result.is_consistent


def test_ahp_takes_names_from_a_frame_and_thirds_as_they_are_typed():
    frame = pd.DataFrame([[1, 0.333], [3, 1]], index=["x", "y"], columns=["x", "y"])
    assert ahp_weights(frame).weights.round(2).to_dict() == {"x": 0.25, "y": 0.75}


@pytest.mark.parametrize(
    ("matrix", "names", "message"),
    [
        ([[1, 2], [2, 1]], ["a", "b"], "'a' against 'b' is 2.0.*it is 2.0; expected 0.5"),
        ([[1, 0], [1, 1]], ["a", "b"], "judgement of 'a' against 'b' is 0.0"),
        ([[1, -2], [-0.5, 1]], None, "judgement of '1' against '2' is -2.0"),
        ([[1, np.nan], [1, 1]], None, "is nan"),
        ([[2, 2], [0.5, 1]], ["a", "b"], "'a' against itself is 2.0"),
        ([[1, 2, 3]], None, r"shape \(1, 3\)"),
        ([[1, 2], [0.5, 1]], ["a"], "expected 2 different ones"),
        ([[1, 2], [0.5, 1]], ["a", "a"], "expected 2 different ones"),
    ],
)
def test_ahp_refuses_what_is_no_set_of_judgements(matrix, names, message):
    with pytest.raises(ValueError, match=message):
        ahp_weights(matrix, names=names)


def test_ahp_leaves_the_judgements_unchanged():
    matrix = judge(np.array([0.6, 0.4]))
    copy = matrix.copy()
    ahp_weights(matrix)
    np.testing.assert_array_equal(matrix, copy)


def test_entropy_weights_match_the_ones_on_paper():
    # p = (1/4, 3/4) and (1/2, 1/2): e = 0.8113 and 1, so all the weight is on the first.
    table = entropy_weights(pd.DataFrame({"a": [1, 3], "b": [5, 5]}))
    e = -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))
    assert table.loc["a", "entropy"] == pytest.approx(e, abs=1e-12)
    assert table["weight"].to_dict() == {"a": 1, "b": 0}


def test_entropy_weights_by_sum_equal_scipys_entropy():
    from scipy.stats import entropy

    x = np.random.default_rng(6).uniform(1, 9, (7, 4))
    table = entropy_weights(x)
    np.testing.assert_allclose(table["entropy"], entropy(x, axis=0) / np.log(7), atol=1e-12)
    assert table["weight"].sum() == pytest.approx(1)


@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_entropy_weights_are_unchanged_by_the_unit_of_a_criterion(seed, factor):
    x = np.random.default_rng(seed).uniform(1, 9, (5, 3))
    scaled = x * [factor, 1, 1]
    for scaling in ("sum", "range"):
        np.testing.assert_allclose(
            entropy_weights(x, scaling=scaling), entropy_weights(scaled, scaling=scaling), atol=1e-9
        )


def test_entropy_weights_by_range_are_unchanged_by_direction_of_a_mirrored_criterion():
    x = np.random.default_rng(8).uniform(-5, 5, (6, 2))
    mirrored = np.column_stack([x[:, 0], -x[:, 1]])
    np.testing.assert_allclose(
        entropy_weights(x, scaling="range"),
        entropy_weights(mirrored, ["higher", "lower"], scaling="range"),
    )


def test_entropy_weights_by_sum_take_reciprocals_where_lower_is_better():
    one = entropy_weights([[1, 2], [4, 3], [5, 9]], ["lower", "higher"])
    two = entropy_weights([[1, 2], [1 / 4, 3], [1 / 5, 9]])
    np.testing.assert_allclose(one, two)
    assert not np.allclose(one, entropy_weights([[1, 2], [4, 3], [5, 9]]))


def test_entropy_weight_of_a_criterion_of_zeros_is_zero():
    table = entropy_weights(pd.DataFrame({"zero": [0, 0], "a": [1, 3]}))
    assert table["weight"].to_dict() == {"zero": 0, "a": 1}


@pytest.mark.parametrize(
    ("matrix", "options", "message"),
    [
        ([[1, 2]], {}, "1 alternatives; expected at least 2"),
        ([[1, 2], [1, 2]], {}, "no criterion differs"),
        ([[1, -2], [1, 2]], {}, "criterion 1 has the value -2.0.*scaling='range'"),
        ([[0, 2], [1, 3]], {"directions": ["lower", "higher"]}, "needs values above 0"),
        ([[1, np.nan], [1, 2]], {}, "alternative 0, criterion 1 is nan"),
        ([[1, 2], [2, 1]], {"directions": ["up", "higher"]}, "'up'; expected 'higher' or 'lower'"),
        ([[1, 2], [2, 1]], {"directions": ["higher"]}, "1 directions for 2 criteria"),
        ([[1, 2], [2, 1]], {"directions": {0: "lower"}}, r"directions lack \[1\]"),
        ([[1, 2], [2, 1]], {"scaling": "max"}, "scaling is 'max'"),
        (np.empty((0, 2)), {}, "matrix is empty"),
    ],
)
def test_entropy_weights_refuse_what_cannot_be_shared_out(matrix, options, message):
    with pytest.raises(ValueError, match=message):
        entropy_weights(matrix, **options)


def test_entropy_weights_leave_the_matrix_unchanged():
    x = np.array([[1.0, 2], [3, 4]])
    copy = x.copy()
    entropy_weights(x, ["lower", "higher"])
    entropy_weights(x, scaling="range")
    np.testing.assert_array_equal(x, copy)


def test_hierarchy_weights_share_a_views_weight_among_its_criteria():
    groups = pd.Series({"a": "g", "b": "g", "c": "h"})
    assert hierarchy_weights({"g": 0.5, "h": 0.5}, groups).to_dict() == {
        "a": 0.25,
        "b": 0.25,
        "c": 0.5,
    }
    # A view without criteria gives its weight to the others, in proportion.
    assert hierarchy_weights({"g": 0.2, "h": 0.2, "k": 0.6}, groups).sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="'c' belongs to 'h', which has no weight"):
        hierarchy_weights({"g": 1}, groups)
    with pytest.raises(ValueError, match="not all 0"):
        hierarchy_weights({"g": 0, "h": 0}, groups)


def test_entropy_weights_do_not_take_rounding_for_variation():
    sums = np.array([1.1, 2.7, 3.3, 9.9, 0.7, 123.4, 77.7])
    frame = pd.DataFrame({"rate": 0.3 + np.spacing(0.3) * np.arange(7), "sales": sums})
    for scaling in ("sum", "range"):
        weights = entropy_weights(frame, scaling=scaling)["weight"]
        assert weights.to_dict() == {"rate": 0, "sales": 1}


def test_entropy_weights_of_nearly_equal_values_are_never_negative():
    # Values that differ in the eighth digit: their entropy is 1 but for rounding.
    for seed in range(200):
        rng = np.random.default_rng(seed)
        table = entropy_weights(np.column_stack([1 + 1e-8 * rng.random(5), rng.random(5)]))
        assert (table["weight"] >= 0).all()
        assert (table["entropy"] <= 1).all()


@pytest.mark.parametrize("weight", [np.nan, np.inf, -1.0])
def test_hierarchy_weights_refuse_what_is_no_weight(weight):
    groups = pd.Series({"x": "a", "y": "b"})
    with pytest.raises(ValueError, match="expected finite weights of at least 0"):
        hierarchy_weights({"a": weight, "b": 1.0}, groups)
