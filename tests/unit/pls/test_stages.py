"""Higher-order constructs and interactions, against the same steps done on the respondents."""

import numpy as np
import pandas as pd
import pytest

from crmlab.pls import (
    PathModel,
    bootstrap_model,
    composite,
    estimate_model,
    f_squared,
    higher_order,
    interaction,
    reflective,
    simple_slopes,
    single_item,
    total_effects,
)
from crmlab.pls.bootstrap import draw_counts, solve_counts

TIGHT = {"tolerance": 1e-12}


@pytest.fixture(scope="module")
def moderated():
    """Y = .3 X + .3 M + .25 XM + rest, X and M correlated .4, three items each, 500 respondents."""
    rng = np.random.default_rng(21)
    x, m = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], size=500).T
    y = 0.3 * x + 0.3 * m + 0.25 * x * m + 0.8 * rng.normal(size=500)
    columns = {}
    for name, score in (("x", x), ("m", m), ("y", y)):
        for k in range(1, 4):
            columns[f"{name}{k}"] = score + 0.4 * rng.normal(size=500)
    return pd.DataFrame(columns) * 2 + 5


def model_of(method, mode="A"):
    blocks = [composite(n, [f"{n.lower()}{k}" for k in (1, 2, 3)], mode=mode) for n in "XMY"]
    return PathModel([*blocks, interaction("X", "M", method=method)], ["X, M, X * M -> Y"])


def standard(frame):
    return (frame - frame.mean()) / frame.std()


@pytest.mark.parametrize("mode", ["A", "B"])
def test_two_stages_are_a_regression_on_scores_and_their_product(moderated, mode):
    model = model_of("two_stage", mode)
    estimate = estimate_model(model, moderated, **TIGHT)
    plain = PathModel(model.constructs[:3], ["X, M -> Y"])
    scores = estimate_model(plain, moderated, **TIGHT).scores
    product = standard(scores["X"] * scores["M"])
    design = np.column_stack([scores["X"], scores["M"], product])
    found = np.linalg.lstsq(design, scores["Y"].to_numpy())[0]
    assert estimate.path_coefficients.loc[["X", "M", "X * M"], "Y"].to_numpy() == pytest.approx(
        found, abs=1e-10
    )
    assert estimate.scores["X * M"].to_numpy() == pytest.approx(product, abs=1e-9)
    slopes = simple_slopes(estimate, "X * M", "Y").set_index("moderator")["slope"]
    raw = np.column_stack([scores["X"], scores["M"], scores["X"] * scores["M"], np.ones(500)])
    main, _, moderation, _ = np.linalg.lstsq(raw, scores["Y"].to_numpy())[0]
    assert slopes[1] - slopes[0] == pytest.approx(moderation)
    assert slopes[0] == pytest.approx(main)
    # 500 respondents, reliable items: the true .25 within 4 standard errors of about .04.
    per_unit = estimate.path_coefficients.loc["X * M", "Y"] / estimate.solution.product_spread[0, 0]
    assert per_unit == pytest.approx(0.25, abs=0.16)


@pytest.mark.parametrize("method", ["product_indicator", "orthogonalising"])
def test_products_of_items_are_items_of_the_interaction(moderated, textbook, method):
    estimate = estimate_model(model_of(method), moderated, **TIGHT)
    items = standard(moderated)
    blocks = {n: [f"{n.lower()}{k}" for k in (1, 2, 3)] for n in "XMY"}
    products = {f"{a} * {b}": items[a] * items[b] for a in blocks["X"] for b in blocks["M"]}
    table = pd.DataFrame(products)
    if method == "orthogonalising":
        design = items[blocks["X"] + blocks["M"]].to_numpy()
        centred = table - table.mean()
        table = centred - design @ np.linalg.lstsq(design, centred.to_numpy())[0]
    blocks["X * M"] = list(table)
    pairs = [("X", "Y"), ("M", "Y"), ("X * M", "Y")]
    scores, weights, paths = textbook(pd.concat([items, table], axis=1), blocks, pairs)
    assert estimate.weights.loc[list(table), "X * M"].to_numpy() == pytest.approx(
        weights["X * M"], abs=1e-9
    )
    for (source, target), value in paths.items():
        assert estimate.path_coefficients.loc[source, target] == pytest.approx(value, abs=1e-9)
    assert estimate.scores["X * M"].to_numpy() == pytest.approx(scores["X * M"], abs=1e-8)


def test_orthogonal_products_leave_the_main_effects_alone(moderated):
    estimate = estimate_model(model_of("orthogonalising"), moderated, **TIGHT)
    assert estimate.correlations.loc["X * M", ["X", "M"]].to_numpy() == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("method", ["two_stage", "product_indicator", "orthogonalising"])
def test_resamples_of_an_interaction_are_estimates_of_the_data_drawn(moderated, method):
    """A resample's items have other means and spreads, and so have their products."""
    estimate = estimate_model(model_of(method), moderated, **TIGHT)
    counts = draw_counts(np.random.default_rng(3), len(moderated), 3)
    solution = solve_counts(estimate, counts)
    for row in range(3):
        drawn = moderated.loc[np.repeat(moderated.index, counts[row])].reset_index(drop=True)
        alone = estimate_model(model_of(method), drawn, **TIGHT)
        assert solution.paths[row] == pytest.approx(alone.solution.paths[0], abs=1e-9)


def test_interaction_bootstraps_and_names_its_f_squared(moderated):
    estimate = estimate_model(model_of("two_stage"), moderated)
    bootstrap = bootstrap_model(estimate, n_resamples=50, seed=1, signs="construct")
    assert bootstrap.n_used == 50
    table = f_squared(estimate).set_index("source")
    # Taking X out while X * M stays would be no model; taking the product out is one.
    assert np.isnan(table.loc["X", "f_squared"])
    assert table.loc["X * M", "f_squared"] == pytest.approx(
        table.loc["X * M", "f_squared_same_scores"], abs=1e-6
    )
    assert table.loc["X * M", "f_squared"] > 0.02


def test_slopes_need_a_two_stage_interaction(moderated):
    by_items = estimate_model(model_of("product_indicator"), moderated)
    with pytest.raises(ValueError, match=r"'X . M' is not a two-stage interaction"):
        simple_slopes(by_items, "X * M", "Y")
    with pytest.raises(ValueError, match=r"'X . M' does not point to 'M'"):
        simple_slopes(estimate_model(model_of("two_stage"), moderated), "X * M", "M")
    with pytest.raises(ValueError, match="no construct is named"):
        simple_slopes(by_items, "Q", "Y")


def test_interactions_are_not_estimated_consistently(moderated):
    blocks = [reflective(n, [f"{n.lower()}{k}" for k in (1, 2, 3)]) for n in "XMY"]
    model = PathModel([*blocks, interaction("X", "M")], ["X, M, X * M -> Y"])
    with pytest.raises(ValueError, match="an interaction is not estimated consistently"):
        estimate_model(model, moderated, consistent=True)


@pytest.fixture(scope="module")
def whole():
    """W is made of P and Q; it moves Y by .6."""
    rng = np.random.default_rng(31)
    p, q = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=400).T
    w = (p + q) / np.sqrt(3)
    y = 0.6 * w + 0.8 * rng.normal(size=400)
    columns = {}
    for name, score in (("p", p), ("q", q), ("y", y)):
        for k in (1, 2, 3):
            columns[f"{name}{k}"] = score + 0.5 * rng.normal(size=400)
    return pd.DataFrame(columns)


def whole_model(mode="A"):
    parts = [composite(n, [f"{n.lower()}{k}" for k in (1, 2, 3)]) for n in "PQY"]
    return PathModel([*parts, higher_order("W", ["P", "Q"], mode=mode)], ["W -> Y"])


@pytest.mark.parametrize("mode", ["A", "B"])
def test_higher_order_construct_is_two_estimates_in_a_row(whole, mode):
    model = whole_model(mode)
    estimate = estimate_model(model, whole, **TIGHT)
    first = PathModel(model.constructs[:3], ["P, Q -> Y"])
    scores = estimate_model(first, whole, **TIGHT).scores
    second = PathModel(
        [composite("W", ["P", "Q"], mode=mode), composite("Y", ["y1", "y2", "y3"])], ["W -> Y"]
    )
    alone = estimate_model(second, whole.assign(P=scores["P"], Q=scores["Q"]), **TIGHT)
    assert estimate.path_coefficients.loc["W", "Y"] == pytest.approx(
        alone.path_coefficients.loc["W", "Y"], abs=1e-10
    )
    pd.testing.assert_frame_equal(
        estimate.weights.loc[["P", "Q"], ["W"]], alone.weights.loc[["P", "Q"], ["W"]]
    )
    assert estimate.scores["W"].to_numpy() == pytest.approx(alone.scores["W"], abs=1e-9)
    pd.testing.assert_frame_equal(
        estimate.part_loadings, estimate_model(first, whole, **TIGHT).loadings, check_exact=False
    )
    assert alone.part_loadings is None
    # .6 attenuated by reliabilities of about .92 on both sides, 400 respondents.
    assert estimate.path_coefficients.loc["W", "Y"] == pytest.approx(0.55, abs=0.13)


def test_higher_order_resamples_are_estimates_of_the_data_drawn(whole):
    estimate = estimate_model(whole_model(), whole, **TIGHT)
    counts = draw_counts(np.random.default_rng(3), len(whole), 3)
    solution = solve_counts(estimate, counts)
    for row in range(3):
        drawn = whole.loc[np.repeat(whole.index, counts[row])].reset_index(drop=True)
        alone = estimate_model(whole_model(), drawn, **TIGHT)
        assert solution.paths[row] == pytest.approx(alone.solution.paths[0], abs=1e-9)


def test_whole_can_be_moderated(whole):
    data = whole.assign(m=np.random.default_rng(2).normal(size=400))
    model = whole_model()
    model = PathModel(
        [*model.constructs, single_item("M", "m"), interaction("W", "M")], ["W, M, W * M -> Y"]
    )
    estimate = estimate_model(model, data, **TIGHT)
    scores = estimate.scores
    assert scores["W * M"].to_numpy() == pytest.approx(
        standard(scores["W"] * scores["M"]), abs=1e-9
    )
    assert total_effects(estimate).loc["W", "Y"] > 0.4


def test_repeated_part_in_mode_b_is_named(whole):
    # No item is another's copy, and yet the weights cancel what tells the parts apart.
    rest = np.random.default_rng(4).normal(size=400) * 1e-4
    share = {1: rest, 2: -2 * rest, 3: rest}
    data = whole.assign(**{f"q{k}": whole[f"p{k}"] + share[k] for k in share})
    with pytest.raises(ValueError, match=r"of what points to 'Y', '[PQ]' follows from the others"):
        estimate_model(whole_model("B"), data)


def test_resamples_in_which_a_product_follows_from_its_parts_are_counted():
    """Two signs of 12 disagree, one each way; without either, the product is a sum of the two."""
    rng = np.random.default_rng(1)
    x = np.repeat([1.0, -1.0], 6)
    m = x.copy()
    m[[0, 6]] *= -1
    data = pd.DataFrame({"x": x, "m": m, "y": rng.normal(size=12)})
    blocks = [single_item(n.upper(), n) for n in "xmy"]
    model = PathModel([*blocks, interaction("X", "M")], ["X, M, X * M -> Y"])
    bootstrap = bootstrap_model(estimate_model(model, data), n_resamples=400, seed=1)
    share = 2 * (11 / 12) ** 12 - (10 / 12) ** 12
    slack = 4 * np.sqrt(share * (1 - share) / 400)
    assert bootstrap.outcomes["collinear"] / 400 == pytest.approx(share, abs=slack)
    assert np.isfinite(bootstrap.draws["paths"]).all()
