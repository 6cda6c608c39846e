"""The concept table and the search over it."""

import csv
import re
from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.atlas import find_concepts, load_concepts, suggest_concepts
from crmlab.atlas.concepts import CONCEPT_KINDS

# The notebooks of the design, by their numbers.
NOTEBOOKS = {
    "00_start_here",
    "10_collect_customer_data",
    "11_data_quality_and_privacy",
    "20_customer_value",
    "21_lifetime_value",
    "30_segmentation",
    "31_customer_types",
    "32_relationship_dynamics",
    "33_network_communities",
    "40_satisfaction_and_delivered_value",
    "41_kano_and_priorities",
    "42_satisfaction_index",
    "50_loyalty",
    "51_churn_and_win_back",
    "60_complaints_and_service",
    "61_channels_and_campaigns",
    "70_relationship_strategy",
    "71_one_to_one",
    "72_push_and_pull",
    "80_performance_indicators",
    "81_performance_evaluation",
    "82_crm_maturity",
    "90_case_bank",
    "91_case_telecom",
}
# Concepts in each part of the field's textbook, by the letter of their ids.
PARTS = {
    "A": 22,
    "B": 28,
    "C": 25,
    "D": 42,
    "E": 20,
    "F": 27,
    "G": 12,
    "H": 27,
    "I": 18,
    "J": 19,
    "K": 15,
    "L": 14,
    "M": 15,
    "N": 28,
}


def ids(query):
    return [concept.id for concept in find_concepts(query)]


def test_atlas_holds_312_concepts_with_ids_of_their_own():
    concepts = load_concepts()
    assert len(concepts) == 312
    assert len({concept.id for concept in concepts}) == 312


def test_atlas_numbers_each_part_from_one_without_gaps():
    expected = [f"{letter}{n + 1}" for letter, count in PARTS.items() for n in range(count)]
    assert [concept.id for concept in load_concepts()] == expected


def test_each_letter_stands_for_one_part():
    pairs = {(concept.id[0], concept.part) for concept in load_concepts()}
    assert len(pairs) == len(PARTS) == len({part for _, part in pairs})


def test_concepts_are_of_known_kinds():
    assert Counter(concept.kind for concept in load_concepts()) == {
        "computed": 281,
        "narrated": 31,
    }
    assert set(CONCEPT_KINDS) == {"computed", "narrated"}


def test_concepts_are_spread_over_exactly_the_notebooks_of_the_design():
    assert {concept.notebook for concept in load_concepts()} == NOTEBOOKS


def test_concepts_have_a_term_in_each_language():
    for concept in load_concepts():
        assert re.search(r"[A-Za-z]", concept.text("en")), concept.id
        assert re.search(r"[\u4e00-\u9fffA-Z]", concept.text("zh")), concept.id


def test_fields_of_the_table_have_no_stray_space_and_no_missing_column():
    path = files("crmlab.atlas").joinpath("concepts.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            assert None not in (*row, *row.values()), row["id"]
            assert all(value == " ".join(value.split()) for value in row.values()), row["id"]


def test_homes_are_written_as_dotted_names_and_node_ids():
    for concept in load_concepts():
        for name in concept.functions:
            assert re.fullmatch(r"crmlab(\.\w+){2,}", name), f"{concept.id}: {name}"
        for node in concept.tests:
            assert re.fullmatch(r"tests/[\w/]+\.py::\w+(::\w+)?", node), f"{concept.id}: {node}"


def test_stage_is_the_first_digit_of_the_notebook():
    assert {concept.stage for concept in load_concepts()} == set("0123456789")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("H13", "H13"),
        ("h13", "H13"),
        ("Kano model", "H18"),
        ("kano", "H18"),
        ("卡诺模型", "H18"),
        ("卡诺", "H18"),
        ("switching costs", "B9"),
        ("转移成本", "B9"),
        ("Customer lifetime value", "G8"),
        ("客户终身价值", "G8"),
        ("让渡价值", "H9"),
        ("churn", "I17"),
        ("客户关系管理", "A1"),
        ("customer relationship management", "A1"),
        ("ＲＦＭ", "F10"),
        ("  rfm ", "F10"),
        ("life cycle tracking", "B27"),
        ("CCSI", "H20"),
    ],
)
def test_search_puts_the_concept_meant_first(query, first):
    assert ids(query)[0] == first


def test_search_ranks_whole_term_then_beginning_then_word_then_part_then_mention():
    # 客户流失 is I17's term; it begins the terms of I18 and M7; J15's (降低客户流失率) holds it.
    found = ids("客户流失")
    assert found[0] == "I17"
    assert max(found.index("I18"), found.index("M7")) < found.index("J15")
    # "Loyalty" begins A14's term and is a word of I14's; only F4's Chinese row mentions loyalty
    # elsewhere in English: F17 not at all.
    found = ids("loyalty")
    assert found.index("A14") < found.index("I14") < found.index("A18")
    assert "F17" not in found


def test_search_sees_a_word_before_a_part_of_a_word():
    # "cost" is a word of H5 (Monetary cost) and a part of "costs" in B9 (Switching costs).
    found = ids("cost")
    assert found.index("H5") < found.index("B9")


def test_search_takes_the_words_of_a_query_in_any_order():
    assert ids("value delivered customer") == ["H9"]


def test_search_finds_authors_and_notebooks_after_the_terms():
    # I14 has the two names in its term, A3 in its model.
    assert ids("Dick & Basu") == ["I14", "A3"]
    assert set(ids("72_push_and_pull")) == {"D36", "D37", "D38"}


@pytest.mark.parametrize("query", ["pivot table", "区块链"])
def test_search_without_a_match_returns_nothing(query):
    assert find_concepts(query) == []


@pytest.mark.parametrize("query", ["", "  ", "—", "()"])
def test_search_refuses_a_query_without_a_letter(query):
    with pytest.raises(ValueError, match="expected a word, a phrase or an id"):
        find_concepts(query)


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("loyality", "Loyalty"),
        ("recensy", "recency"),
        ("卡若模型", "卡诺模型"),
        ("客户终生价值", "客户终身价值"),
        ("Kanno model", "Kano model"),
    ],
)
def test_suggestions_name_the_nearest_spelling_first(query, near):
    assert find_concepts(query) == []
    assert suggest_concepts(query)[0] == near


def test_suggestions_for_nonsense_are_empty():
    assert suggest_concepts("xyzzy") == []


def test_each_suggestion_is_found_by_the_search():
    for query in ("loyality", "satisfacton", "满意渡", "客户细粉"):
        for suggestion in suggest_concepts(query):
            assert find_concepts(suggestion), suggestion


@given(st.sampled_from(load_concepts()), st.sampled_from(["en", "zh"]))
def test_search_finds_each_concept_by_its_own_term_among_the_exact_matches(concept, language):
    # Two concepts share a term ("Partnership"), so the concept need not be the very first.
    term = concept.text(language)
    found = find_concepts(term)
    same = [other for other in load_concepts() if other.text(language) == term]
    assert concept in found[: len(same) + 1]


@given(st.text(max_size=12).map(lambda text: f"{text}1"))
def test_search_takes_any_text_with_a_digit_and_names_no_concept_twice(query):
    found = find_concepts(query)
    assert len(found) == len(set(found))
