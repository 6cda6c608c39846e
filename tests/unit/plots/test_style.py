import io

import matplotlib.pyplot as plt
import pytest

from crmlab.atlas import LANGUAGES, load_terms
from crmlab.plots import label, set_style


@pytest.fixture(autouse=True)
def english_again():
    yield
    set_style("en")
    plt.close("all")


def test_label_carries_the_unit_only_when_asked():
    set_style("en")
    assert label("total_value") == "Total value"
    assert label("total_value", unit=True) == "Total value (money)"


def test_unit_that_opens_the_label_is_not_said_twice():
    set_style("en")
    assert label("recency_days", unit=True) == "Days since last order"
    assert label("n_orders", unit=True) == "Orders"


def test_label_of_a_dimensionless_term_has_no_brackets():
    assert label("customer_id", unit=True) == "Customer"


def test_money_axis_names_the_currency():
    set_style("zh", currency="CNY")
    assert label("total_value", unit=True) == "累计购买金额（CNY）"
    set_style("zh")
    assert label("total_value", unit=True) == "累计购买金额（金额）"


def test_language_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="language is 'fr'; expected one of en, zh"):
        set_style("fr")


def test_unknown_label_is_refused_with_the_nearest():
    with pytest.raises(KeyError, match="no term 'recency_day' in the atlas; did you mean"):
        label("recency_day")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_is_drawn_without_a_missing_glyph(language):
    # A missing glyph is a warning of matplotlib's, and a warning fails a test.
    set_style(language)
    figure = plt.figure()
    text = "".join(sorted({c for term in load_terms().values() for c in term.text(language)}))
    figure.text(0, 0.5, text + "−0123456789.,%≥≤±×χ²αβρλ")
    figure.savefig(io.BytesIO(), format="svg")
