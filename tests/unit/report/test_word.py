"""Formulas and tables as Word needs them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.report import word_parts
from crmlab.report.word import pair_delimiters, say_plainly
from crmlab.report.word_tables import CAPACITY, GAP, choose_layout


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


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        (r"\Big(a\Big)", "(a)"),
        (r"\bigl|a\bigr|", "|a|"),
        (r"\bigcup_i A_i", r"\bigcup_i A_i"),
        ("d^+ + e^{-1} - f^{-}", "d^{\\text{+}} + e^{-1} - f^{\\text{\N{MINUS SIGN}}}"),
        (r"a \quad b \qquad c", "a \\text{\u2003} b \\text{\u2003\u2003} c"),
    ],
)
def test_formula_is_said_without_what_only_tex_sets(source, plain):
    assert say_plainly(source) == plain


def make_table(head, *rows):
    heads = "".join(f"<th>{text}</th>" for text in head)
    body = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def test_long_definitions_are_given_room_and_keep_the_ordinary_type():
    head = ["View", "Indicator", "Unit", "Definition", "Department"]
    definition = "customers active in the quarter before who do not purchase in this one " * 2
    row = ["Customer interaction", "Complaints resolved", "%", definition, "Customer information"]
    size, widths = choose_layout(make_table(head, row, row))
    assert size == 0
    assert max(widths) == widths[3] > 35


@pytest.mark.parametrize("n_columns", [3, 7, 9, 10])
def test_no_number_and_no_word_of_a_head_is_broken(n_columns):
    head = ["Communities", *["Customers of the most common region"] * (n_columns - 1)]
    size, widths = choose_layout(make_table(head, ["1", *["1,234.5%"] * (n_columns - 1)]))
    assert sum(widths) <= 100 + 0.1 * n_columns
    room = [width / 100 * CAPACITY[size] - GAP[size] for width in widths]
    assert room[0] >= len("Communities") * 1.05
    assert min(room[1:]) >= max(len("Customers") * 1.05, len("1,234.5%"))


def test_rows_at_either_end_of_a_long_table_stay_together():
    row = '<w:tr><w:tc><w:p><w:pPr><w:pStyle w:val="Compact" /></w:pPr></w:p></w:tc></w:tr>'
    kind = {"size": 0, "is_short": False, "is_layout": False}
    table = word_parts._set_table(f"<w:tbl>{row * 15}</w:tbl>", kind)
    kept = [i for i, row in enumerate(table.split("<w:tr>")[1:]) if "<w:keepNext />" in row]
    assert kept == [0, 1, 12, 13]


def test_text_before_a_caption_stays_with_it_and_so_with_its_table():
    text = '<w:p><w:pPr><w:pStyle w:val="BodyText" /></w:pPr></w:p>'
    caption = '<w:p><w:pPr><w:pStyle w:val="TableCaption" /></w:pPr></w:p>'
    led = word_parts.lead_to_tables(f"{text}{text}{caption}<w:tbl></w:tbl>")
    kept = text.replace(" /></w:pPr>", " /><w:keepNext /></w:pPr>")
    assert led == f"{text}{kept}{caption}<w:tbl></w:tbl>"
