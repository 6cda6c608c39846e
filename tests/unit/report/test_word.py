"""Formulas for Word: brackets and bars that belong together are told so."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.report.word import pair_delimiters


@pytest.mark.parametrize(
    ("source", "paired"),
    [
        (r"\frac{|A \cap B|}{|A|}", r"\frac{\left|A \cap B\right|}{\left|A\right|}"),
        ("(a)^2", r"\left(a\right)^2"),
        ("f(g(x))", r"f\left(g\left(x\right)\right)"),
        (r"\left(a\right)", r"\left(a\right)"),
        (r"\bigl(a\bigr)", r"\bigl(a\bigr)"),
        ("[0, 1)", "[0, 1)"),
        ("P(a | b)", r"P\left(a | b\right)"),
        (r"\|a\|", r"\|a\|"),
        ("(a_{b)}", "(a_{b)}"),
        (r"(a & b)", r"(a & b)"),
        (r"(a \\ b)", r"(a \\ b)"),
    ],
)
def test_pairs_are_told_and_nothing_else(source, paired):
    assert pair_delimiters(source) == paired


@given(st.text(alphabet="ab(){}|&\\_^ ", max_size=30))
def test_formula_is_changed_by_pair_marks_alone(source):
    paired = pair_delimiters(source)
    added = re.sub(r"\\(left|right)(?=[(|)])", "", paired)
    assert added == source
    assert paired.count("\\left") == paired.count("\\right")
