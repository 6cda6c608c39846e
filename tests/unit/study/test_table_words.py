"""Numbers under one head have the same decimals, in enough digits to compare them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.study.table_words import say_column


@pytest.mark.parametrize(
    ("values", "unit", "wanted"),
    [
        ([0.5, 0.25, 1], "share", ["50%", "25%", "100%"]),
        ([0.5, 0.251], "share", ["50.0%", "25.1%"]),
        ([0.0012, 0.0034], "share", ["0.12%", "0.34%"]),
        ([0.0002, 0.251], "share", ["<0.1%", "25.1%"]),
        ([140.0961, -0.062], "share", ["14,010%", "−6%"]),
        ([1.5, 20.0], "currency", ["1.50", "20.00"]),
        ([1.5, 20_000.0], "currency", ["2", "20,000"]),
        ([3, 1200], "orders", ["3", "1,200"]),
        ([0.04, 12.5], "days", ["0.04", "12.50"]),
        ([0.123, 0.4567], "1", ["0.123", "0.457"]),
        ([-0.0, 0.25], "1", ["0.000", "0.250"]),
        ([2.2e-16, 0.0], "1", ["2.20 × 10⁻¹⁶", "0"]),
        ([math.nan, math.inf, 2.0], "1", ["–", "∞", "2"]),
        ([], "1", []),
    ],
)
def test_column_has_decimals_enough_for_its_largest_number(values, unit, wanted):
    assert say_column(values, unit, language="en") == wanted


def test_numbers_beside_the_column_set_its_decimals():
    assert say_column([0.001], "1", language="en", beside=[2.54]) == ["<0.01"]
    assert say_column([-0.001], "1", language="en", beside=[2.54]) == [">−0.01"]


def test_narrow_column_says_a_million_in_full_beside_less():
    options = {"language": "en", "is_narrow": True}
    assert say_column([3_285_945.0], "currency", beside=[486_133.0], **options) == ["3,285,945"]
    assert say_column([3_285_945.0], "currency", beside=[4e6, 0], **options) == ["3.29M"]


def test_narrow_column_says_millions_in_three_digits():
    options = {"language": "zh", "is_narrow": True}
    assert say_column([123_456_789.0, 1.2e6, 999.5], "currency", **options) == [
        "1.23亿",
        "120万",
        "1,000",
    ]
    assert say_column([-2.5e9], "currency", language="en", is_narrow=True) == ["−2.50bn"]


@given(st.lists(st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-3), min_size=1))
def test_said_numbers_read_back_within_the_third_digit_of_the_largest(values):
    said = say_column(values, "1", language="en")
    largest = max(map(abs, values))
    for value, text in zip(values, said, strict=True):
        if text[0] not in "<>" and "×" not in text:
            read = float(text.replace(",", "").replace("−", "-"))
            assert abs(read - value) <= 0.005 * largest


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_column_has_one_number_of_decimals(values):
    said = [text for text in say_column(values, "share", language="en") if text[0] != "<"]
    assert len({len(text.partition(".")[2]) for text in said}) <= 1
