import pytest

from crmlab.study.parameters import check_parameters, read_parameters

CELL = """# What you may change.
share: float = 0.7  # class A's share / A 类占比; share; 0.05..0.95
k: int = 4  # segments / 群; customers; 2..12
basis: str = "margin"  # what value is / 价值口径; ; margin|revenue
weights: list[float] = [0.5, 0.5]  # weights / 权重; 1; 0..1
is_strict: bool = False  # refuse gaps / 拒绝缺失
"""


def test_parameters_cell_gives_type_default_meaning_unit_and_range():
    share = read_parameters(CELL)["share"]
    assert (share.type, share.default, share.unit) == ("float", 0.7, "share")
    assert (share.en, share.zh) == ("class A's share", "A 类占比")
    assert (share.low, share.high) == (0.05, 0.95)


def test_parameters_keep_the_order_of_the_cell():
    assert list(read_parameters(CELL)) == ["share", "k", "basis", "weights", "is_strict"]


def test_comment_of_a_folded_line_is_read():
    cell = "k: int = (\n    4  # segments / 群; customers; 2..12\n)\nm: int = 1  # other / 其他"
    parameters = read_parameters(cell)
    assert (parameters["k"].high, parameters["m"].en) == (12, "other")


def test_values_of_the_declared_type_and_range_are_taken():
    values = {"share": 0.5, "k": 3, "basis": "revenue", "weights": [0.2, 0.8], "is_strict": True}
    assert check_parameters(values, read_parameters(CELL)) == (values, [])


def test_whole_number_is_taken_for_a_float():
    assert read_parameters("x: float = 1.5  # x / x").get("x").check(2) == 2.0


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("shar", 0.5, "unknown parameter; did you mean 'share'?"),
        ("share", 0.96, "0.96 is outside 0.05..0.95"),
        ("share", "0.5", "'0.5' is not of type float"),
        ("k", 3.5, "3.5 is not of type int"),
        ("k", True, "True is not of type int"),
        ("k", 13, "13 is outside 2..12"),
        ("basis", "margins", "'margins' is not one of margin, revenue; did you mean 'margin'?"),
        ("weights", [0.5, 1.5], "1.5 is outside 0..1"),
        ("weights", [0.5, "a"], "is not of type list[float]"),
        ("is_strict", 1, "1 is not of type bool"),
    ],
)
def test_value_that_does_not_fit_is_refused_in_words(name, value, complaint):
    checked, complaints = check_parameters({name: value}, read_parameters(CELL))
    assert checked == {}
    assert complaints[0][0] == name
    assert complaint in complaints[0][1]


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("k = 4", "line 1 of the parameters cell is not `name: type = literal`"),
        ("x: int = 1\ny: dict = {}", "line 2 of the parameters cell: y has type dict"),
        ("x: int = 1\nk: int = = 3", "line 2 of the parameters cell: invalid syntax"),
        ("k: int = (3", "line 1 of the parameters cell: '(' was never closed"),
        ("k: int = 3\nk: int = 4", "line 2 of the parameters cell: k is given twice"),
        ("k: int = 40  # segments / 群; ; 2..12", "40 is outside 2..12"),
    ],
)
def test_bad_declaration_is_refused_with_its_line(cell, complaint):
    with pytest.raises(ValueError, match=r"parameters cell|outside") as error:
        read_parameters(cell)
    assert complaint in str(error.value)
