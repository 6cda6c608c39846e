import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.study import wording
from crmlab.study.wording import (
    load_words,
    name_term,
    say_day,
    say_duration,
    say_moment,
    say_number,
    text_in,
)


@pytest.mark.parametrize(
    ("value", "unit", "en", "zh"),
    [
        (0.7123, "share", "71.2%", "71.2%"),
        (0.00423, "share", "0.42%", "0.42%"),
        (0, "share", "0%", "0%"),
        (1.0, "share", "100%", "100%"),
        (-0.05, "share", "−5.0%", "−5.0%"),
        (2357, "customers", "2,357 customers", "2,357 位客户"),
        (1, "customers", "1 customer", "1 位客户"),
        (2357.0, "customers", "2,357 customers", "2,357 位客户"),
        (35.2, "currency", "CNY 35.20", "35.20 元"),
        (1234567.8, "currency", "CNY 1,234,568", "1,234,568 元"),
        (35.2, "currency_per_order", "CNY 35.20 per order", "35.20 元/单"),
        (0.61234, "1", "0.612", "0.612"),
        (0.61234, "", "0.612", "0.612"),
        (12.346, "days", "12.35 days", "12.35 天"),
        (123.456, "days", "123.5 days", "123.5 天"),
        (12345.6, "days", "12,346 days", "12,346 天"),
        (0.00001234, "1", "1.23 × 10⁻⁵", "1.23 × 10⁻⁵"),
        (None, "days", "–", "–"),
        (float("nan"), "days", "–", "–"),
    ],
)
def test_number_is_said_with_its_unit_in_both_languages(value, unit, en, zh):
    for language, wanted in (("en", en), ("zh", zh)):
        said = say_number(value, unit, language=language, currency="CNY")
        assert said.replace("\xa0", " ") == wanted


def test_p_value_is_said_no_smaller_than_the_field_says_it():
    for name in ("uplift_p_value", "satisfaction_heterogeneity_p"):
        assert say_number(2.48e-9, "1", language="en", name=name) == "<0.001"
        assert say_number(0.0, "1", language="zh", name=name) == "<0.001"
        assert say_number(0.001, "1", language="en", name=name) == "0.001"
        assert say_number(0.02, "1", language="en", name=name) == "0.020"
    assert say_number(2.48e-9, "1", language="en", name="relative_gap") == "2.48 × 10⁻⁹"


def test_money_without_a_known_currency_is_a_bare_sum():
    assert say_number(35.2, "currency", language="en") == "35.20"
    assert say_number(35.2, "currency", language="zh", currency="SEK") == "35.20\xa0SEK"


@given(st.floats(-1e12, 1e12).filter(lambda x: x == 0 or abs(x) > 1e-3))
def test_said_number_reads_back_within_its_third_digit(value):
    said = say_number(value, "1", language="en")
    read = float(said.replace(",", "").replace("−", "-"))
    assert abs(read - value) <= 0.005 * abs(value)


def test_day_moment_and_duration_are_said_in_both_languages():
    assert say_day("2024-02-29", "en") == "29 February 2024"
    assert say_day("2024-02-29", "zh") == "2024年2月29日"
    assert say_moment("2024-02-29T07:05:00+00:00", "zh") == "2024年2月29日 07:05 UTC"
    assert say_duration(119.94, "en") == "119.9\xa0s"
    assert say_duration(125, "en") == "2\xa0min\xa05\xa0s"


def test_text_in_one_language_stands_for_both():
    assert text_in("CDNOW", "zh") == text_in("CDNOW", "en") == "CDNOW"
    assert text_in(None, "en") is None


def test_unknown_term_is_called_by_its_key():
    assert name_term("no_such_key", "zh") == "no_such_key"


def test_every_word_of_the_report_is_used_and_said_in_both_languages():
    english, chinese = load_words("en"), load_words("zh")
    assert all(english.values())
    assert all(chinese.values())
    package = wording.WORDS.parents[1]
    sources = [*package.glob("report/**/*.j2"), *package.glob("report/*.py")]
    sources += package.glob("study/*.py")
    used = "".join(path.read_text("utf-8") for path in sources)
    families = re.compile(r"(state|stage|table|file|fact)_")
    idle = [
        key
        for key in english
        if not families.match(key) and not re.search(rf"\bw\.{key}\b|\"{key}\"", used)
    ]
    assert idle == []


def test_blanks_of_a_sentence_are_the_same_in_both_languages():
    english, chinese = load_words("en"), load_words("zh")
    for key, sentence in english.items():
        assert set(re.findall(r"{\w+}", sentence)) == set(re.findall(r"{\w+}", chinese[key])), key
