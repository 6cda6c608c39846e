import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.satisfaction import (
    LEVELS,
    disconfirmation,
    level_shares,
    ratio_disagreement,
    satisfaction_ratio,
    shift_scale,
    tolerance_sensitivity,
)

scores = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40).map(
    lambda pairs: np.array(pairs, dtype=float).T
)


def test_ratio_four_levels_match_the_formula_solved_on_paper():
    # C = 0, 2/3, 1 and 3/2.
    result = satisfaction_ratio([0, 6, 9, 9], [9, 9, 9, 6])
    assert result["ratio"].tolist() == [0, 6 / 9, 1, 1.5]
    assert result["level"].tolist() == list(LEVELS)
    assert result["level"].cat.ordered


@pytest.mark.parametrize("tolerance", [0.0, 0.05, 0.1, 0.3])
def test_ratio_ends_of_the_band_count_as_satisfied(tolerance):
    # 1 − 0.95 is a bit more than 0.05 in floating point; both ends belong to the band all the same.
    a = np.array([1.0, 1.0])
    b = np.array([1 - tolerance, 1 + tolerance])
    assert satisfaction_ratio(b, a, tolerance=tolerance)["level"].tolist() == ["satisfied"] * 2
    beyond = satisfaction_ratio(b + np.array([-1e-9, 1e-9]), a, tolerance=tolerance)[
        "level"
    ].tolist()
    assert beyond == ["dissatisfied", "delighted"]


def test_ratio_levels_equal_a_second_route_by_cutting_the_number_line():
    rng = np.random.default_rng(7)
    a = rng.uniform(0.1, 9, 500)
    b = np.where(rng.random(500) < 0.1, 0, rng.uniform(0, 9, 500))
    result = satisfaction_ratio(b, a, tolerance=0.07)
    # No division: every comparison is made in points of the scale.
    expected = np.select(
        [b == 0, b < 0.93 * a, b <= 1.07 * a], np.array(LEVELS[:3], dtype=object), LEVELS[3]
    )
    assert result["level"].tolist() == expected.tolist()


def test_ratio_is_missing_where_nothing_was_expected_or_answered():
    result = satisfaction_ratio([5, 0, np.nan, 3], [0, 0, 4, np.nan])
    assert result["ratio"].isna().all()
    assert result["level"].isna().all()


def test_ratio_tolerance_zero_leaves_only_exact_confirmation_satisfied():
    result = satisfaction_ratio([4.001, 4, 3.999], [4, 4, 4], tolerance=0)
    assert result["level"].tolist() == ["delighted", "satisfied", "dissatisfied"]


@given(scores, st.floats(0.1, 50))
def test_ratio_is_unchanged_by_the_unit_of_the_scale(pair, factor):
    b, a = pair
    one, two = satisfaction_ratio(b, a), satisfaction_ratio(b * factor, a * factor)
    np.testing.assert_allclose(one["ratio"], two["ratio"], rtol=1e-12)
    assert one["level"].astype(object).equals(two["level"].astype(object))


@given(scores)
def test_ratio_agrees_with_the_sign_of_disconfirmation_at_tolerance_zero(pair):
    b, a = pair
    result = satisfaction_ratio(b, a, tolerance=0)
    gap = disconfirmation(b, a)
    known = result["ratio"].notna()
    assert ((result["level"] == "delighted") == (gap > 0))[known].all()
    assert ((result["level"] == "satisfied") == (gap == 0))[known].all()


def test_ratio_keeps_the_index_of_the_customers():
    index = pd.Index(["x", "y"], name="customer_id")
    result = satisfaction_ratio(pd.Series([1.0, 2.0], index), pd.Series([2.0, 2.0], index))
    assert result.index.equals(index)
    assert disconfirmation(pd.Series([1.0, 2.0], index), [2.0, 2.0]).index.equals(index)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([-1], [1]), {}, "perceived is -1.0 at position 0, below 0"),
        (([1, 1], [1, -2]), {}, "expected is -2.0 at position 1, below 0"),
        (([1], [1, 2]), {}, "perceived has 1 scores and expected 2"),
        (([np.inf], [1]), {}, "perceived is infinite at position 0"),
        (([[1]], [[1]]), {}, "2 dimensions"),
        (([1], [1]), {"tolerance": 1.0}, "tolerance is 1.0"),
        (([1], [1]), {"tolerance": -0.1}, "tolerance is -0.1"),
        (([1], [1]), {"tolerance": np.nan}, "tolerance is nan"),
        (([1], [1]), {"minimum": 1}, r"starts at 1, where C = 0 cannot happen.*shift_scale"),
    ],
)
def test_ratio_refuses_what_has_no_meaning(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        satisfaction_ratio(*arguments, **options)


def test_ratio_refuses_two_columns_that_are_not_of_the_same_customers():
    with pytest.raises(ValueError, match="different indexes"):
        satisfaction_ratio(pd.Series([1.0], index=[1]), pd.Series([1.0], index=[2]))


def test_ratio_leaves_its_inputs_unchanged():
    b, a = np.array([0.0, 5, np.nan]), np.array([2.0, 0, 1])
    copies = b.copy(), a.copy()
    satisfaction_ratio(b, a)
    ratio_disagreement(b, a, midpoint=4.5)
    np.testing.assert_array_equal(b, copies[0])
    np.testing.assert_array_equal(a, copies[1])


def test_shifted_scale_starts_at_zero_and_keeps_differences():
    np.testing.assert_array_equal(shift_scale([1, 4, 10], 1, 10), [0, 3, 9])
    frame = pd.DataFrame({"a": [1, 5]}, index=["p", "q"])
    shifted = shift_scale(frame, 1, 5)
    assert shifted["a"].tolist() == [0, 4]
    assert frame["a"].tolist() == [1, 5]


def test_shifting_changes_the_ratio_and_lets_it_reach_zero():
    # The trap the scale sets: 1 of 10 perceived, 2 of 10 expected.
    raw = satisfaction_ratio([1], [2])["ratio"].iloc[0]
    shifted = satisfaction_ratio(shift_scale([1], 1, 10), shift_scale([2], 1, 10))
    assert raw == 0.5
    assert shifted["level"].tolist() == ["very dissatisfied"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 5], 1, 10), "score 0.0 at position 0 lies outside the scale 1–10"),
        (([5, 11], 1, 10), "score 11.0 at position 1"),
        (([[5, 11]], 1, 10), r"score 11.0 at position \(0, 1\)"),
        (([5], 10, 1), "the lower one first"),
    ],
)
def test_shifted_scale_refuses_scores_outside_of_it(arguments, message):
    with pytest.raises(ValueError, match=message):
        shift_scale(*arguments)


def test_level_shares_sum_to_one_over_those_who_have_a_level():
    levels = satisfaction_ratio([0, 6, 9, 9, 5], [9, 9, 9, 6, np.nan])["level"]
    table = level_shares(levels)
    assert table["level"].tolist() == list(LEVELS)
    assert table["share"].tolist() == [0.25] * 4
    assert level_shares(levels[4:])["share"].isna().all()
    with pytest.raises(ValueError, match="column 'level' of satisfaction_ratio"):
        level_shares(pd.Series(["satisfied"]))


def test_tolerance_sensitivity_widens_the_middle_level_only():
    rng = np.random.default_rng(3)
    b, a = rng.integers(0, 10, 300), rng.integers(0, 10, 300)
    table = tolerance_sensitivity(b, a, tolerances=[0.0, 0.1, 0.4]).pivot_table(
        index="tolerance", columns="level", values="n_customers", observed=False
    )
    assert table["satisfied"].is_monotonic_increasing
    assert (table["very dissatisfied"] == (b == 0)[a > 0].sum()).all()
    assert (table.sum(axis=1) == (a > 0).sum()).all()
    with pytest.raises(ValueError, match="tolerances is empty"):
        tolerance_sensitivity(b, a, tolerances=[])


def test_disagreement_finds_the_two_cases_where_ratio_and_perception_part():
    table = ratio_disagreement([1, 8, 8, 2, 5], [1, 9, 8, 5, 0], midpoint=4.5).set_index("case")
    assert table["n_customers"].tolist() == [1, 1, 1, 1]
    assert table["share"].tolist() == [0.25] * 4
    assert table.loc["satisfied with little", ["mean_expected", "mean_perceived"]].tolist() == [
        1,
        1,
    ]
    assert table.loc["dissatisfied with much", "mean_perceived"] == 8
    assert table["has_agreement"].tolist() == [True, True, False, False]


def test_disagreement_counts_a_perception_at_the_midpoint_as_good():
    table = ratio_disagreement([4.5], [4.5], midpoint=4.5).set_index("case")
    assert table.loc["both satisfied", "n_customers"] == 1


@given(scores)
def test_disagreement_puts_every_customer_with_a_ratio_into_one_case(pair):
    b, a = pair
    table = ratio_disagreement(b, a, midpoint=4.5)
    assert table["n_customers"].sum() == (a > 0).sum()
    if (a > 0).any():
        assert table["share"].sum() == pytest.approx(1, abs=1e-12)


def test_disagreement_refuses_a_midpoint_that_nobody_can_miss():
    with pytest.raises(ValueError, match="midpoint is 0"):
        ratio_disagreement([1], [1], midpoint=0)


def test_disconfirmation_does_not_mind_where_the_scale_starts():
    b, a = np.array([1.0, 7, 10]), np.array([10.0, 7, 2])
    np.testing.assert_array_equal(
        disconfirmation(b, a), disconfirmation(shift_scale(b, 1, 10), shift_scale(a, 1, 10))
    )
