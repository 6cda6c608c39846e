"""Path diagrams and the figures of the satisfaction index."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Ellipse, FancyArrowPatch
from matplotlib.transforms import Bbox

from crmlab.plots import set_style
from crmlab.plots.index import plot_improvement, plot_index, plot_recovery
from crmlab.plots.path_layout import (
    HEIGHT,
    ITEM_GAP,
    ITEM_HEIGHT,
    ITEM_WIDTH,
    WIDTH,
    bezier,
    lay_out_paths,
)
from crmlab.plots.paths import plot_paths
from crmlab.pls import PathModel, higher_order, interaction, reflective, single_item
from crmlab.satisfaction import INDEX_MODELS, specify_index

ASKED = {asked for model in INDEX_MODELS.values() for _, asked in model.constructs}
ITEMS = pd.DataFrame(
    [(f"{name}_item_{k}", name) for name in sorted(ASKED) for k in range(3 + (len(name) > 10))],
    columns=["item", "construct"],
)
MODELS = {name: specify_index(model, ITEMS) for name, model in INDEX_MODELS.items()}


@pytest.fixture(params=["en", "zh"])
def language(request):
    set_style(request.param)
    yield request.param
    plt.close("all")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def fit(model):
    """Made-up coefficients: every third is not sure, the last is negative."""
    table = model.edges.assign(estimate=np.linspace(0.1, 0.6, len(model.edges)))
    table.loc[table.index[-1], "estimate"] = -0.3
    table["low"], table["high"] = table["estimate"] - 0.05, table["estimate"] + 0.05
    table.loc[table.index[::3], "low"] = -0.2
    return table


def lay_out(model, *, has_items=False):
    nodes = model.nodes
    return lay_out_paths(
        list(nodes["construct"]),
        nodes["layer"],
        list(model.pairs),
        nodes["n_items"] if has_items else None,
    )


def texts(ax):
    return [text.get_text() for text in ax.texts]


def arcs(model, diagram):
    """Each arrow with the points it runs along."""
    for (source, target), bend in zip(model.pairs, diagram.bends, strict=True):
        start, end = diagram.places[source], diagram.places[target]
        yield source, target, bezier(start, end, bend, np.linspace(0, 1, 200))


def frames(model, diagram, *, has_items):
    """Frames of the constructs, and of the items at each."""
    counts = dict(zip(model.nodes["construct"], model.nodes["n_items"], strict=True))
    for name, (x, y) in diagram.places.items():
        yield name, "construct", (x - WIDTH / 2, x + WIDTH / 2, y - HEIGHT / 2, y + HEIGHT / 2)
        if has_items:
            near = y + diagram.sides[name] * HEIGHT / 2
            far = near + diagram.sides[name] * (ITEM_GAP + counts[name] * ITEM_HEIGHT)
            half = ITEM_WIDTH / 2
            yield name, "items", (x - half, x + half, min(near, far), max(near, far))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("has_items", [False, True])
def test_no_arrow_runs_through_a_construct_or_its_items(name, has_items):
    model = MODELS[name]
    diagram = lay_out(model, has_items=has_items)
    for source, target, points in arcs(model, diagram):
        x, y = points.T
        for owner, what, (left, right, low, high) in frames(model, diagram, has_items=has_items):
            if what == "items" or owner not in (source, target):
                inside = (x > left) & (x < right) & (y > low) & (y < high)
                assert not inside.any(), (source, target, owner, what)


def test_constructs_that_nothing_joins_stand_apart():
    single = [single_item(name, name.lower()) for name in "ABCD"]
    diagram = lay_out(PathModel(single, ["A -> C", "B -> D"]))
    for one, other in (("A", "B"), ("C", "D")):
        assert abs(diagram.places[one][1] - diagram.places[other][1]) > HEIGHT


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("has_items", [False, True])
def test_no_construct_stands_on_another_and_arrows_point_to_the_right(name, has_items):
    diagram = lay_out(MODELS[name], has_items=has_items)
    apart = [ITEM_WIDTH if has_items else WIDTH, HEIGHT]
    for one, other in combinations(diagram.places.values(), 2):
        assert (np.abs(np.subtract(one, other)) >= apart).any()
    for source, target in MODELS[name].pairs:
        assert diagram.places[source][0] < diagram.places[target][0]


@pytest.mark.parametrize("name", MODELS)
def test_numbers_keep_off_one_another_and_off_the_constructs(name):
    model = MODELS[name]
    ax = plot_paths(model, paths=fit(model))
    ax.figure.draw_without_rendering()
    renderer = ax.figure.canvas.get_renderer()
    numbers = [t.get_window_extent(renderer) for t in ax.texts if t.get_text()[-3:-2] == "."]
    shapes = [p.get_window_extent(renderer) for p in ax.patches if isinstance(p, Ellipse)]
    assert len(numbers) == len(model.pairs)
    for one, other in combinations(numbers, 2):
        assert Bbox.intersection(one, other) is None
    for number in numbers:
        # An ellipse leaves the corners of its frame free.
        for shape in shapes:
            assert Bbox.intersection(number, shape.expanded(0.85, 0.85)) is None


def test_specification_alone_is_drawn_without_numbers(language):
    ax = plot_paths(MODELS["ccsi"])
    arrows = [p for p in ax.patches if isinstance(p, FancyArrowPatch)]
    assert len(arrows) == 11
    word = {"en": "Expected\nquality", "zh": "预期质量"}[language]
    assert word in texts(ax)
    assert ax.get_legend() is None


def test_fit_shows_numbers_width_and_certainty():
    model = MODELS["ccsi"]
    paths = fit(model)
    ax = plot_paths(model, paths=paths, r_squared=pd.Series({"loyalty": 0.4321}))
    arrows = [p for p in ax.patches if isinstance(p, FancyArrowPatch)]
    widths = [arrow.get_linewidth() for arrow in arrows]
    assert np.argsort(widths).tolist() == np.argsort(paths["estimate"].abs()).tolist()
    unsure = [arrow.get_linestyle() not in ("solid", "-") for arrow in arrows]
    assert unsure == ((paths["low"] <= 0) & (paths["high"] >= 0)).tolist()
    assert {"0.10", "\N{MINUS SIGN}0.30", "$R^2$ = 0.43"} <= set(texts(ax))
    assert len(ax.get_legend().get_texts()) == 3


def test_items_stand_with_their_loadings():
    model = MODELS["acsi"]
    loadings = pd.DataFrame(0.0, list(model.items), list(model.names))
    for construct in model.constructs:
        loadings.loc[list(construct.items), construct.name] = 0.876
    ax = plot_paths(model, paths=fit(model), loadings=loadings, has_items=True)
    assert set(model.items) <= set(texts(ax))
    assert texts(ax).count("0.88") == len(model.items)


def test_names_that_the_terms_table_does_not_know_are_drawn_as_they_are():
    model = PathModel([reflective("Grit", ["g1", "g2"]), single_item("Pay", "p")], ["Grit -> Pay"])
    assert {"Grit", "Pay"} <= set(texts(plot_paths(model)))


def test_parts_of_a_higher_order_construct_stand_as_its_items():
    constructs = [reflective("A", ["a1", "a2"]), reflective("B", ["b1", "b2"])]
    whole = [higher_order("Q", ["A", "B"]), single_item("V", "v"), single_item("S", "s")]
    paths = ["Q -> S", "V -> S", "Q * V -> S"]
    model = PathModel([*constructs, *whole, interaction("Q", "V")], paths)
    loadings = pd.DataFrame({"Q": [0.91, 0.92]}, ["A", "B"])
    found = texts(plot_paths(model, loadings=loadings, has_items=True))
    assert {"A", "B", "0.91", "0.92", "Q * V"} <= set(found)
    assert "a1" not in found


def test_the_same_model_is_drawn_the_same():
    first = lay_out(MODELS["acsi"])
    from crmlab.plots import path_layout

    path_layout._search.cache_clear()
    assert lay_out(MODELS["acsi"]) == first


def test_improvement_matrix_names_constructs_and_areas(language):
    matrix = pd.DataFrame(
        {
            "importance": [0.6, 0.3],
            "importance_lower": [0.5, 0.2],
            "importance_upper": [0.7, 0.4],
            "performance": [60.0, 75.0],
            "performance_lower": [58.0, 73.0],
            "performance_upper": [62.0, 77.0],
        },
        pd.Index(["image", "perceived_quality"], name="construct"),
    )
    ax = plot_improvement(matrix)
    words = {"en": {"Image", "Improve first"}, "zh": {"品牌形象", "优先改进"}}[language]
    assert words <= set(texts(ax))


def test_index_is_drawn_at_its_value_with_its_interval(language):
    table = pd.DataFrame(
        {"index": [62.0, 70.0], "lower": [60.0, 69.0], "upper": [64.0, 71.0]},
        pd.Index(["north", "elsewhere"], name="region"),
    )
    ax = plot_index(table, overall=66.0)
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names == [{"en": "north", "zh": "北区"}[language], "elsewhere"]
    assert ax.lines[0].get_xdata() == [66.0, 66.0]
    assert {"62.0", "70.0"} <= set(texts(ax))


def test_recovery_sets_methods_beside_the_truth(language):
    table = pd.DataFrame(
        {
            "source": "image",
            "target": ["satisfaction", "loyalty"] * 2,
            "method": ["mode_a", "mode_a", "consistent_pls", "consistent_pls"],
            "estimate": [0.2, 0.3, 0.25, 0.35],
            "low": 0.1,
            "high": 0.5,
            "truth": [0.24, 0.36] * 2,
        }
    )
    ax = plot_recovery(table)
    arrow = {"en": "Image → Loyalty", "zh": "品牌形象 → 忠诚度"}[language]
    assert arrow in [tick.get_text() for tick in ax.get_yticklabels()]
    truths = [c.get_offsets().tolist() for c in ax.collections if len(c.get_offsets()) == 2]
    assert [[0.24, 0], [0.36, 1]] in truths
