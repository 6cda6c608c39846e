"""Rules sort customers into types, and say when they cannot tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.atlas import load_terms
from crmlab.segments.types.rules import (
    CANNOT_TELL,
    TYPOLOGIES,
    assign_types,
    place_in_population,
    read_rules,
)


def table(*rows):
    columns = ["type", "case", "measure", "scale", "comparison", "cut_point"]
    return pd.DataFrame(rows, columns=columns)


VALUE = read_rules("value")


def test_value_and_risk_of_six_customers_is_that_of_the_paper():
    # Ten customers of rising value: the places of the last two are 0.85 and 0.95.
    measures = pd.DataFrame(
        {
            "current_value": np.arange(10.0),
            "potential_value": [1, 2, 9, 3, 4, 5, 6, 7, 8, 0.0],
            "churn_probability": [0.1] * 8 + [0.9, 0.1],
        }
    )
    label = assign_types(measures, VALUE).label.str.removeprefix("type_")
    assert label.tolist() == [
        *["none_of_the_three"] * 2,
        "most_growable",  # of place 0.95 in potential
        *["none_of_the_three"] * 4,
        "most_growable",  # of place 0.75
        "about_to_be_lost",
        "most_valuable",
    ]


def name_types(measures, typology):
    found = assign_types(measures, read_rules(typology))
    return found.label.str.removeprefix("type_").tolist()


def test_profit_use_and_spending_of_ten_customers_are_those_of_the_paper():
    measures = pd.DataFrame(
        {
            "contribution": [-9, -8, -1, 0, 1, 2, 3, 4, 5, 6.0],
            "n_uses": [0, 1, 0, 0, 2, 0, 0, 0, 0, np.nan],
            "total_value": np.arange(10.0),
            "potential_value": [9, 8, 7, 6, 0, 1, 2, 3, 4, 5.0],
        }
    )
    # Places are 0.05, 0.15 ... 0.95: below 0.5 is low, from 0.8 on high.
    between = ["cannot_tell"] * 3
    assert name_types(measures, "profit") == ["low_profit"] * 5 + between + ["high_profit"] * 2
    assert name_types(measures, "usefulness") == [
        *("useless_unprofitable", "useful_unprofitable"),
        *["useless_unprofitable"] * 2,
        "useful_profitable",
        *["useless_profitable"] * 4,
        "cannot_tell",
    ]
    assert name_types(measures, "spending") == [
        *["potential_consumption"] * 4,
        "low_consumption",
        *between,
        *["high_consumption"] * 2,
    ]


def test_high_profit_is_above_zero_even_among_the_best():
    measures = pd.DataFrame({"contribution": [-3.0, -2.0, -1.0]})
    assert name_types(measures, "profit") == ["low_profit"] * 3


@pytest.mark.parametrize("typology", TYPOLOGIES)
def test_rules_as_shipped_are_sound_and_named_in_both_languages(typology):
    rules = read_rules(typology)
    found = assign_types(pd.DataFrame(index=["a", "b"]), rules)
    # Nothing is known: nobody is given a type that asks for something.
    assert set(found.label) == {CANNOT_TELL}
    assert set(found.reason) == {"missing_measure"}
    assert set(found.needs) == set(rules["measure"]) - {""}
    named = {*rules["type"], f"typology_{typology}", *rules["measure"]} - {""}
    assert named <= load_terms().keys()


def test_a_missing_measure_blocks_later_types_and_a_false_condition_does_not():
    rules = table(
        ("first", 1, "a", "value", ">=", "1"),
        ("first", 1, "b", "value", ">=", "1"),
        ("second", 1, "c", "value", ">=", "1"),
    )
    measures = pd.DataFrame(
        {"a": [1.0, 1.0, 0.0, 0.0], "b": [1.0, np.nan, np.nan, 0.0], "c": [1.0, 1.0, 1.0, 0.0]}
    )
    found = assign_types(measures, rules)
    assert found.label.tolist() == ["first", CANNOT_TELL, "second", CANNOT_TELL]
    assert found.reason.tolist() == ["", "missing_measure", "", "between_cut_points"]


def test_one_case_of_several_is_enough_even_where_another_is_unknown():
    rules = table(("only", 1, "a", "value", ">", "1"), ("only", 2, "b", "value", "is", "x"))
    measures = pd.DataFrame({"a": [np.nan, 2.0, 1.0], "b": ["x", None, "y"]})
    assert assign_types(measures, rules).label.tolist() == ["only", "only", CANNOT_TELL]


def test_a_changed_cut_point_may_be_a_number_and_moves_the_label():
    rules = read_rules("size").astype({"cut_point": object})
    measures = pd.DataFrame({"n_employees": [300.0]})
    assert assign_types(measures, rules).label[0] == "type_large"
    rules.loc[rules["type"] == "type_large", "cut_point"] = 1000
    assert assign_types(measures, rules).label[0] == "type_medium"


def test_shares_add_up_and_end_with_those_who_cannot_be_told():
    measures = pd.DataFrame({"n_employees": [10.0, 60.0, 500.0, np.nan]})
    shares = assign_types(measures, read_rules("size")).shares()
    assert shares.index.tolist() == ["type_large", "type_medium", "type_small", CANNOT_TELL]
    assert shares["n_customers"].tolist() == [1, 1, 1, 1]
    assert shares["customer_share"].sum() == pytest.approx(1)


@settings(max_examples=25)
@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=12))
def test_places_are_even_ties_share_them_and_units_do_not_matter(values):
    series = pd.Series(values, dtype="float64")
    place = place_in_population(series)
    assert place.isna().tolist() == series.isna().tolist()
    assert place.dropna().between(0, 1, inclusive="neither").all()
    if place.notna().any():
        assert place.mean() == pytest.approx(0.5)
    pd.testing.assert_series_equal(place, place_in_population(np.exp(series)))


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_more_knowledge_never_turns_one_type_into_another(seed):
    rng = np.random.default_rng(seed)
    rules = read_rules("consumption")
    names = sorted(set(rules.loc[rules["scale"] == "value", "measure"]))
    measures = pd.DataFrame(rng.integers(0, 4, (20, len(names))) / 2, columns=names)
    measures["n_linked"] = 5.0
    gaps = rng.random(measures[names].shape) < 0.3
    less = measures.copy()
    less[names] = measures[names].mask(gaps)
    known, unknown = (assign_types(table, rules).label for table in (measures, less))
    told = unknown != CANNOT_TELL
    assert (known[told] == unknown[told]).all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("t", 1, "a", "value", "=>", "1"), "row 1: comparison '=>'; expected one of >=, >"),
        (("t", 1, "a", "rank", ">=", "1"), "row 1: scale 'rank'; expected value or place"),
        (("t", 1, "a", "place", ">=", "1.2"), "cut_point of a is '1.2'; expected a place from 0"),
        (("t", 1, "a", "value", ">=", "many"), "cut_point of a is 'many'; expected a number"),
    ],
)
def test_rules_that_cannot_be_read_are_refused_with_their_row(row, message):
    with pytest.raises(ValueError, match=message):
        assign_types(pd.DataFrame({"a": [1.0]}), table(row))


def test_rules_and_measures_that_are_none_are_refused():
    good = table(("t", 1, "a", "value", ">=", "1"))
    with pytest.raises(ValueError, match="no rules for the typology 'mood'; expected one of prof"):
        read_rules("mood")
    with pytest.raises(ValueError, match="the column 'scale' is missing"):
        assign_types(pd.DataFrame({"a": [1.0]}), good.drop(columns="scale"))
    with pytest.raises(ValueError, match="no condition in the table"):
        assign_types(pd.DataFrame({"a": [1.0]}), good.iloc[:0])
    with pytest.raises(ValueError, match="names a customer twice"):
        assign_types(pd.DataFrame({"a": [1.0, 2.0]}, index=["x", "x"]), good)
    with pytest.raises(ValueError, match=r"measures: a holds .*; expected numbers"):
        assign_types(pd.DataFrame({"a": ["many"]}), good)


def test_measures_and_rules_are_left_unchanged():
    measures = pd.DataFrame({"current_value": [1.0, 2.0]})
    before, rules = measures.copy(deep=True), VALUE.copy(deep=True)
    assign_types(measures, VALUE)
    pd.testing.assert_frame_equal(measures, before)
    pd.testing.assert_frame_equal(VALUE, rules)
