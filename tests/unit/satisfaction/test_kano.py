import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmlab.satisfaction import (
    classify_answers,
    count_classes,
    kano_coefficients,
    pair_answers,
)
from crmlab.satisfaction.kano import EVALUATION_TABLES, KANO_CLASSES


def every_pair():
    f, d = (values.ravel().astype(float) for values in np.mgrid[1:6, 1:6])
    return pd.DataFrame({"x": f}), pd.DataFrame({"x": d})


def table_of(*counts):
    return pd.DataFrame([counts], columns=list(KANO_CLASSES), index=["x"])


ITEMS = pd.DataFrame(
    {
        "item": ["a1", "a2", "b2", "b1", "c"],
        "construct": [
            "kano_functional",
            "kano_dysfunctional",
            "kano_dysfunctional",
            "kano_functional",
            "importance",
        ],
        "feature": ["a", "a", "b", "b", "a"],
    }
)


@pytest.mark.parametrize("table", EVALUATION_TABLES)
def test_every_pair_has_the_letter_of_the_table(table):
    letters = classify_answers(*every_pair(), table=table)["x"].tolist()
    assert "".join(letters) == "".join(EVALUATION_TABLES[table])


def test_pouliots_table_differs_in_two_indifferent_cells_alone():
    both = [classify_answers(*every_pair(), table=t)["x"].astype(str) for t in EVALUATION_TABLES]
    pairs = list(zip(*both, strict=True))
    assert [pair for pair in pairs if pair[0] != pair[1]] == [("I", "Q")] * 2


def test_class_is_that_of_berger_by_a_rule_without_a_table():
    # Like and dislike decide: the middle three answers are alike on either side.
    def rule(f, d):
        if f in (1, 5) and f == d:
            return "Q"
        if f == 5 or d == 1:
            return "R"
        return {(True, True): "O", (True, False): "A", (False, True): "M", (False, False): "I"}[
            f == 1, d == 5
        ]

    functional, dysfunctional = every_pair()
    expected = [rule(f, d) for f, d in zip(functional["x"], dysfunctional["x"], strict=True)]
    assert classify_answers(functional, dysfunctional)["x"].tolist() == expected


def test_half_a_pair_has_no_class_and_is_counted():
    classes = classify_answers(
        pd.DataFrame({"x": [1.0, np.nan, 1.0]}), pd.DataFrame({"x": [5.0, 5.0, np.nan]})
    )
    assert classes["x"].isna().tolist() == [False, True, True]
    counted = count_classes(classes).loc["x"]
    assert (counted["O"], counted["n_pairs"], counted["n_missing"]) == (1, 1, 2)


def test_pairs_find_each_other_whatever_their_order():
    survey = pd.DataFrame({"a1": [1], "a2": [2], "b1": [3], "b2": [4], "c": [9]})
    functional, dysfunctional = pair_answers(survey, ITEMS)
    assert functional.iloc[0].to_dict() == {"a": 1.0, "b": 3.0}
    assert dysfunctional.iloc[0].to_dict() == {"a": 2.0, "b": 4.0}


def test_better_and_worse_are_shares_of_the_four_classes():
    found = kano_coefficients(table_of(20, 30, 10, 40, 50, 7)).loc["x"]
    assert found["better"] == pytest.approx(0.4)
    assert found["worse"] == pytest.approx(-0.5)
    assert found["total_strength"] == pytest.approx(60 / 157)
    assert found["category_strength"] == pytest.approx(10 / 157)


def test_intervals_of_better_are_statsmodels_wilson():
    from statsmodels.stats.proportion import proportion_confint

    found = kano_coefficients(table_of(20, 30, 10, 40, 0, 0)).loc["x"]
    lower, upper = proportion_confint(40, 100, method="wilson")
    assert found[["better_lower", "better_upper"]].tolist() == pytest.approx([lower, upper])
    lower, upper = proportion_confint(50, 100, method="wilson")
    assert found[["worse_lower", "worse_upper"]].tolist() == pytest.approx([-upper, -lower])


def test_coefficients_without_any_of_the_four_classes_are_undefined():
    found = kano_coefficients(table_of(0, 0, 0, 0, 5, 1)).loc["x"]
    assert np.isnan([found["better"], found["worse_lower"]]).all()
    assert found["total_strength"] == 0
    assert kano_coefficients(table_of(0, 0, 0, 0, 0, 0)).isna().all(axis=None)


@settings(max_examples=25)
@example([1, 15, 0, 0, 0, 0])  # rounding alone takes the ends of these two past 1
@example([0, 0, 16, 0, 0, 0])
@given(st.lists(st.integers(0, 40), min_size=6, max_size=6))
def test_coefficients_lie_within_their_intervals_and_bounds(counts):
    found = kano_coefficients(table_of(*counts)).loc["x"]
    if sum(counts[:4]):
        assert 0 <= found["better_lower"] <= found["better"] <= found["better_upper"] <= 1
        assert -1 <= found["worse_lower"] <= found["worse"] <= found["worse_upper"] <= 0


def test_one_half_alone_is_refused_by_name():
    survey = pd.DataFrame({"a1": [1.0], "a2": [2.0], "b1": [3.0]})
    with pytest.raises(ValueError, match="'b' has 1 functional and 0 dysfunctional"):
        pair_answers(survey, ITEMS[ITEMS["item"] != "b2"])


def test_survey_without_kano_questions_is_refused():
    with pytest.raises(ValueError, match="no Kano question"):
        pair_answers(pd.DataFrame({"c": [1.0]}), ITEMS[ITEMS["item"] == "c"])


def test_question_without_a_feature_is_refused_by_name():
    with pytest.raises(ValueError, match="'b2' has no feature"):
        pair_answers(pd.DataFrame(), ITEMS.assign(feature=ITEMS["feature"].mask(ITEMS.index == 2)))


@pytest.mark.parametrize("answer", [0, 6, 2.5, np.inf])
def test_answer_outside_the_five_codes_is_refused_by_row_and_item(answer):
    survey = pd.DataFrame({"a1": [1.0, 1.0], "a2": [2.0, answer], "b1": [3.0, 1], "b2": [4.0, 1]})
    with pytest.raises(ValueError, match=r"a2, row 2: the answer .* none of the five codes"):
        pair_answers(survey, ITEMS)


def test_halves_of_other_respondents_and_unknown_tables_are_refused():
    functional, dysfunctional = every_pair()
    with pytest.raises(ValueError, match="differ in rows or columns"):
        classify_answers(functional, dysfunctional.iloc[1:])
    with pytest.raises(ValueError, match="expected one of standard, pouliot"):
        classify_answers(functional, dysfunctional, table="kano")


def test_counts_that_are_none_are_refused():
    with pytest.raises(ValueError, match="lack the class 'Q'"):
        kano_coefficients(pd.DataFrame({name: [1] for name in "MOAIR"}))
    with pytest.raises(ValueError, match="no count"):
        kano_coefficients(table_of(1, 1, -1, 1, 1, 1))


def test_inputs_are_left_as_they_were():
    functional, dysfunctional = every_pair()
    before = functional.copy(), dysfunctional.copy()
    classify_answers(functional, dysfunctional)
    pd.testing.assert_frame_equal(functional, before[0])
    pd.testing.assert_frame_equal(dysfunctional, before[1])
