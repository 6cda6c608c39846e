"""The criteria of a useful segmentation, as far as data can answer them."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.bases import cramers_v
from crmlab.segments.criteria import CRITERIA_THRESHOLDS, check_criteria
from crmlab.segments.profile import eta_squared


def customers(n=200, seed=6):
    rng = np.random.default_rng(seed)
    segment = pd.Series(np.repeat([1, 2], [n // 20, n - n // 20]))
    variables = pd.DataFrame({"x": rng.normal(3.0 * segment, 1.0), "y": rng.normal(size=n)})
    descriptors = pd.DataFrame(
        {
            "region": np.where(segment == 1, "north", "south"),
            "gender": rng.choice(["female", "male"], n),
        }
    )
    return segment, variables, descriptors


def test_each_criterion_is_the_measure_it_is_said_to_be():
    segment, variables, descriptors = customers()
    table = check_criteria(
        segment, variables, stability=0.91, n_population=250, descriptors=descriptors
    ).set_index("criterion")
    assert table.loc["measurable", "value"] == pytest.approx(200 / 250)
    assert table.loc["substantial", "value"] == pytest.approx(0.05)
    assert table.loc["differentiable", "value"] == pytest.approx(
        np.mean([eta_squared(variables[v], segment) for v in "xy"])
    )
    assert table.loc["stable", "value"] == 0.91
    assert table.loc["accessible", "value"] == pytest.approx(
        max(cramers_v(segment, descriptors[d]) for d in descriptors)
    )


def test_a_criterion_is_met_on_its_threshold_and_missed_below():
    segment, variables, descriptors = customers()
    table = check_criteria(
        segment, variables, stability=0.79, n_population=250, descriptors=descriptors
    ).set_index("criterion")
    expected = {"measurable": False, "substantial": True, "stable": False, "accessible": True}
    assert table["is_met"].dropna().drop("differentiable").to_dict() == expected


def test_what_data_cannot_answer_is_missing_and_neither_met_nor_missed():
    segment, variables, _ = customers()
    table = check_criteria(segment, variables, stability=0.9).set_index("criterion")
    assert table.loc[["accessible", "actionable"], "is_met"].isna().all()
    assert table["is_met"].dtype == "boolean"


def test_own_thresholds_replace_the_conventions():
    segment, variables, _ = customers()
    table = check_criteria(
        segment, variables, stability=0.9, thresholds={"substantial": 0.10}
    ).set_index("criterion")
    assert not table.loc["substantial", "is_met"]
    assert table.loc["stable", "threshold"] == CRITERIA_THRESHOLDS["stable"]


def test_conventions_cannot_be_changed():
    with pytest.raises(TypeError, match="does not support item assignment"):
        CRITERIA_THRESHOLDS["stable"] = 0.1


def test_unknown_criteria_and_too_small_a_population_are_refused():
    segment, variables, _ = customers()
    with pytest.raises(ValueError, match="no criterion 'pretty'"):
        check_criteria(segment, variables, stability=0.9, thresholds={"pretty": 1})
    with pytest.raises(ValueError, match="n_population is 10"):
        check_criteria(segment, variables, stability=0.9, n_population=10)


def test_criteria_have_a_term_in_both_languages():
    from crmlab.atlas import term

    for criterion in [*CRITERIA_THRESHOLDS, "actionable"]:
        assert term(criterion).en
        assert term(criterion).zh


def test_inputs_are_left_unchanged():
    segment, variables, descriptors = customers()
    before = segment.copy(), variables.copy(deep=True), descriptors.copy(deep=True)
    check_criteria(segment, variables, stability=0.9, descriptors=descriptors)
    pd.testing.assert_series_equal(segment, before[0])
    pd.testing.assert_frame_equal(variables, before[1])
    pd.testing.assert_frame_equal(descriptors, before[2])


def test_a_named_segment_nobody_is_in_is_not_the_smallest():
    segment = pd.Series(pd.Categorical(list("aabbb"), categories=["a", "nobody", "b"]))
    variables = pd.DataFrame({"x": [1.0, 2.0, 5.0, 6.0, 7.0]})
    table = check_criteria(segment, variables, stability=0.9).set_index("criterion")
    assert table.loc["substantial", "value"] == pytest.approx(2 / 5)


def test_score_is_the_value_over_its_threshold_and_at_most_one():
    segment, variables, _ = customers()
    table = check_criteria(
        segment, variables, stability=0.425, thresholds={"substantial": 0.0}
    ).set_index("criterion")
    assert table.loc["stable", "score"] == pytest.approx(0.5)
    assert table.loc["measurable", "score"] == table.loc["substantial", "score"] == 1
    assert np.isnan(table.loc["actionable", "score"])


def test_actionable_is_the_share_of_customers_whose_segment_is_moved():
    segment, variables, _ = customers()
    effects = pd.DataFrame({"segment": [1, 2], "uplift": [0.1, 0.2]})
    for p_values, share in (([0.01, 0.2], 0.05), ([0.2, 0.01], 0.95), ([0.01, 0.01], 1.0)):
        found = check_criteria(
            segment, variables, stability=1, effects=effects.assign(adjusted_p_value=p_values)
        ).set_index("criterion")
        assert found.loc["actionable", "value"] == pytest.approx(share)
        assert found.loc["actionable", "is_met"] == (share >= 0.5)
    # Moved the wrong way is not moved; not tested is not known.
    worse = effects.assign(uplift=-0.1, adjusted_p_value=0.01)
    found = check_criteria(segment, variables, stability=1, effects=worse)
    assert found.set_index("criterion").loc["actionable", "value"] == 0
    untested = effects.assign(adjusted_p_value=np.nan)
    found = check_criteria(segment, variables, stability=1, effects=untested)
    assert np.isnan(found.set_index("criterion").loc["actionable", "value"])


def test_a_variable_that_does_not_vary_counts_for_nothing_and_nobody_placed_is_refused():
    segment = pd.Series([1, 1, 2, 2])
    variables = pd.DataFrame({"n_orders": [8.0, 10.0, 1.0, 3.0]})
    plain = check_criteria(segment, variables, stability=0.9)
    pd.testing.assert_frame_equal(
        check_criteria(segment, variables.assign(same=1.0), stability=0.9), plain
    )
    with pytest.raises(ValueError, match="no customer was placed"):
        check_criteria(segment.head(0), variables.head(0), stability=0.9)
