from crmlab.atlas import load_terms
from crmlab.performance import DEPARTMENTS, VIEWS, indicator_catalogue


def test_catalogue_holds_every_view_and_department_and_nothing_else():
    catalogue = indicator_catalogue()
    assert set(catalogue["view"]) == set(VIEWS)
    assert set(catalogue["department"]) == set(DEPARTMENTS)
    assert set(catalogue["direction"]) == {"higher", "lower"}
    assert catalogue["indicator"].is_unique


def test_catalogue_defines_every_indicator_in_both_languages():
    catalogue = indicator_catalogue()
    assert (catalogue[["definition_en", "definition_zh"]] != "").all(axis=None)
    repeats = catalogue.loc[catalogue["repeats"] != "", "repeats"]
    assert set(repeats) <= set(catalogue["indicator"])


def test_catalogue_speaks_the_words_and_units_of_the_terms_table():
    terms = load_terms()
    for row in indicator_catalogue().itertuples():
        assert row.indicator in terms, row.indicator
        assert terms[row.indicator].unit == row.unit, row.indicator
        assert terms[row.unit].kind == "unit"
    assert all(terms[view].kind == "view" for view in VIEWS)
    assert all(department in terms for department in DEPARTMENTS)
