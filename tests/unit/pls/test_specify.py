"""A path model is checked when it is built, and refuses in words that name the cure."""

import dataclasses

import pandas as pd
import pytest

from crmlab.pls import (
    PathModel,
    composite,
    higher_order,
    interaction,
    reflective,
    single_item,
)
from crmlab.pls.graph import chains, path_pairs

X, Y, Z = reflective("X", ["x1", "x2"]), composite("Y", ["y1"], mode="B"), single_item("Z", "z")


def test_model_reads_like_the_path_diagram():
    model = PathModel([X, Y, Z], ["X -> Y, Z", "Y -> Z"])
    assert model.pairs == (("X", "Y"), ("X", "Z"), ("Y", "Z"))
    assert model.items == ("x1", "x2", "y1", "z")
    assert str(model) == (
        "X (reflective: x1, x2)\nY (composite, mode B: y1)\nZ (single item: z)\nX -> Y, Z\nY -> Z"
    )


def test_structure_for_a_drawing_needs_no_data():
    model = PathModel([X, Y, Z], ["X -> Y -> Z", "X -> Z"])
    assert model.nodes["layer"].tolist() == [0, 1, 2]
    assert model.nodes["kind"].tolist() == ["reflective", "composite", "single_item"]
    assert list(model.edges.itertuples(index=False, name=None)) == list(model.pairs)
    assert model.measures["item"].tolist() == ["x1", "x2", "y1", "z"]


def test_parts_of_a_whole_have_no_layer():
    parts = [reflective("P", ["p"]), reflective("Q", ["q"]), higher_order("W", ["P", "Q"])]
    nodes = PathModel([*parts, Z], ["W -> Z"]).nodes.set_index("construct")
    assert nodes.loc[["P", "Q"], "layer"].isna().all()
    assert nodes.loc["Z", "layer"] == 1


def test_model_is_frozen():
    model = PathModel([X, Z], ["X -> Z"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.paths = ()
    assert hash(model) == hash(PathModel([X, Z], ["X -> Z"]))


def test_every_way_over_two_paths_and_more_is_found():
    pairs = path_pairs(["A -> B, C, D", "B -> C -> D"])
    assert sorted(chains(pairs)) == [
        ("A", "B", "C"),
        ("A", "B", "C", "D"),
        ("A", "C", "D"),
        ("B", "C", "D"),
    ]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: reflective("X", []), "construct 'X' has no items: name at least one"),
        (lambda: reflective("X", "x1"), r"items are a list, as in \['x1'\]"),
        (lambda: reflective("X", ["a", "a"]), "names 'a' twice"),
        (lambda: reflective("X", [1]), "items are a list of column names"),
        (lambda: reflective("", ["a"]), "a construct needs a name"),
        (lambda: reflective("A -> B", ["a"]), "a name holds no '->'"),
        (lambda: composite("X", ["a"], mode="C"), "mode is 'A' or 'B', not 'C'"),
        (lambda: interaction("X", "X"), "two different constructs"),
        (lambda: interaction("X", "Y", method="magic"), "method is one of two_stage"),
    ],
)
def test_refuses_a_construct_that_is_none(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("constructs", "paths", "message"),
    [
        ([X], ["X -> X"], "at least two constructs"),
        ([X, X], ["X -> X"], "two constructs are named 'X'"),
        ([X, Z], [], "at least one path"),
        ([X, Z], ["X Z"], "a path is a text like 'A -> B'"),
        ([X, Z], ["X -> "], "a name is missing"),
        ([X, Z], "X -> Z", "paths is a list, not the text"),
        ([X, Z], ["X -> Zz"], r"no construct is named 'Zz': did you mean 'Z'\?"),
        ([X, Z], ["X -> Z", "X -> Z"], "stands twice"),
        ([X, Z], ["X -> Z", "Z -> Z"], "leads to itself"),
        ([X, Y, Z], ["X -> Y -> Z -> X"], "form a cycle, X -> Y -> Z -> X: such a model is not"),
        ([X, Y, Z], ["X -> Z"], "construct 'Y' is in no path: add one"),
        ([X, "Z"], ["X -> Z"], "constructs are built by reflective"),
        (
            [X, reflective("V", ["x1", "v"])],
            ["X -> V"],
            "item 'x1' stands in two constructs, 'X' and 'V': .*shared_items",
        ),
    ],
)
def test_refuses_a_diagram_that_cannot_be(constructs, paths, message):
    with pytest.raises(ValueError, match=message):
        PathModel(constructs, paths)


def test_item_in_two_constructs_is_taken_when_said():
    model = PathModel([X, reflective("V", ["x1", "v"])], ["X -> V"], shared_items=["x1"])
    assert model.items == ("x1", "x2", "v")
    with pytest.raises(ValueError, match=r"no item is named 'x9': did you mean .*shared_items"):
        PathModel([X, Z], ["X -> Z"], shared_items=["x9"])


P, Q = reflective("P", ["p1", "p2"]), reflective("Q", ["q1"])


@pytest.mark.parametrize(
    ("constructs", "paths", "message"),
    [
        ([P, Q, higher_order("W", ["P", "Q"]), Z], ["W -> Z", "P -> Z"], "'P' is part of 'W' and"),
        ([P, higher_order("W", ["P"]), Z], ["W -> Z"], "needs at least two parts"),
        ([P, higher_order("W", ["P", "R"]), Z], ["W -> Z"], "no construct is named 'R'"),
        ([P, Z, interaction("P", "Z")], ["P -> Z", "P -> P * Z"], "nothing can point to the inter"),
        ([P, Q, Z, interaction("P", "Q")], ["P, P * Q -> Z", "P -> Q"], "needs the path Q -> Z"),
        ([P, Q, Z, interaction("P", "V")], ["P, Q, P * V -> Z"], "no construct is named 'V'"),
    ],
)
def test_refuses_wholes_and_products_without_their_parts(constructs, paths, message):
    with pytest.raises(ValueError, match=message):
        PathModel(constructs, paths)


def test_inputs_are_left_alone():
    items, paths = ["x1", "x2"], ["X -> Z"]
    model = PathModel([reflective("X", items), Z], paths)
    items.append("x3")
    paths.append("Z -> X")
    assert model.items == ("x1", "x2", "z")
    assert model.pairs == (("X", "Z"),)
    assert isinstance(model.nodes, pd.DataFrame)
