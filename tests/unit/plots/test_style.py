import io

import matplotlib.pyplot as plt
import pytest

from crmlab.atlas import LANGUAGES, load_terms
from crmlab.drawing import draw_figure
from crmlab.plots import label, set_style
from crmlab.plots.style import new_axes, number_axis, rows_from_top, share_axis


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
    set_style("en", currency="CNY")
    assert label("total_value", unit=True) == "Total value (CNY)"
    set_style("zh", currency="CNY")
    assert label("total_value", unit=True) == "累计购买金额（元）"
    set_style("zh", currency="SEK")
    assert label("total_value", unit=True) == "累计购买金额（SEK）"
    set_style("zh")
    assert label("marketing_cost", unit=True) == "营销成本（金额）"
    assert label("total_value", unit=True) == "累计购买金额"


def test_language_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="language is 'fr'; expected one of en, zh"):
        set_style("fr")


def test_unknown_label_is_refused_with_the_nearest():
    with pytest.raises(KeyError, match="no term 'recency_day' in the atlas; did you mean"):
        label("recency_day")


def ticks(values, write):
    _, ax = plt.subplots()
    write(ax.yaxis)
    return ax.yaxis.get_major_formatter().format_ticks(values)


def test_ticks_have_decimals_enough_to_tell_them_apart_and_no_more():
    assert ticks([0, 0.5, 1], share_axis) == ["0%", "50%", "100%"]
    assert ticks([0, 0.025, 0.05], share_axis) == ["0.0%", "2.5%", "5.0%"]
    assert ticks([0.972, 0.973], share_axis) == ["97.2%", "97.3%"]
    assert ticks([-1000, 0, 1000], number_axis) == ["−1,000", "0", "1,000"]
    assert ticks([0.25, 0.5], number_axis) == ["0.25", "0.50"]


def test_rows_stand_from_the_top_in_their_order():
    _, ax = plt.subplots()
    ax.barh([0, 1], [1, 2])
    rows_from_top(ax, ["first", "second"])
    low, high = ax.get_ylim()
    assert low > high
    assert [text.get_text() for text in ax.get_yticklabels()] == ["first", "second"]


def test_new_axes_are_as_high_as_their_bars_need():
    _, given = plt.subplots()
    assert new_axes(given, n_bars=3) is given
    few, many = (new_axes(None, n_bars=n).figure.get_figheight() for n in (2, 12))
    assert many - few == pytest.approx(4.2)


def test_glyph_that_is_in_no_font_is_warned_of():
    set_style("zh")
    plt.figure().text(0, 0.5, "\ue123")
    with pytest.warns(UserWarning, match="Glyph 57635 .* missing from font"):
        draw_figure(plt.gcf(), ["svg"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_is_drawn_without_a_missing_glyph(language):
    # A missing glyph is a warning of matplotlib's, and a warning fails a test.
    set_style(language)
    figure = plt.figure()
    text = "".join(sorted({c for term in load_terms().values() for c in term.text(language)}))
    figure.text(0, 0.5, text + "−0123456789.,%≥≤±×χ²αβρλ")
    figure.savefig(io.BytesIO(), format="svg")
