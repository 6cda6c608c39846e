"""Predictions of respondents the model has not seen, against the same steps done by hand."""

import numpy as np
import pandas as pd
import pytest

from crmlab.pls import (
    PathModel,
    composite,
    estimate_model,
    higher_order,
    interaction,
    predict_held_out,
    single_item,
    stone_geisser,
)


@pytest.fixture(scope="module")
def estimate(draw, three):
    return estimate_model(three, draw(30, seed=4), tolerance=1e-11)


def one_left_out(estimate, k, antecedents):
    """Predict respondent k's items of C from an estimate of the others; and by the linear model."""
    answers = estimate.respondents.answers
    others, own = answers.drop(index=k), answers.loc[k]
    again = estimate_model(estimate.model, others, tolerance=1e-11)
    z = (own - others.mean()) / others.std()
    scores = {n: (z * again.weights[n]).sum() for n in again.names}
    p = again.path_coefficients
    if antecedents == "direct":
        c = p.loc["A", "C"] * scores["A"] + p.loc["B", "C"] * scores["B"]
        behind = ["a1", "a2", "a3", "b1", "b2", "b3"]
    else:
        c = (p.loc["A", "C"] + p.loc["A", "B"] * p.loc["B", "C"]) * scores["A"]
        behind = ["a1", "a2", "a3"]
    items = ["c1", "c2", "c3"]
    model = others[items].mean() + c * again.loadings.loc[items, "C"] * others[items].std()
    design = np.column_stack([np.ones(len(others)), others[behind]])
    linear = np.r_[1, own[behind]] @ np.linalg.lstsq(design, others[items].to_numpy())[0]
    return own[items] - model, own[items] - linear, own[items] - others[items].mean()


@pytest.mark.parametrize("antecedents", ["earliest", "direct"])
def test_leaving_one_out_is_done_as_by_hand(estimate, antecedents):
    result = predict_held_out(
        estimate, seed=1, n_folds=30, n_repetitions=1, antecedents=antecedents
    )
    errors = [one_left_out(estimate, k, antecedents) for k in range(30)]
    model, linear, mean = (np.array([e[i] for e in errors]) for i in range(3))
    table = result.items.set_index("item").loc[["c1", "c2", "c3"]]
    assert table["rmse"].to_numpy() == pytest.approx(np.sqrt((model**2).mean(axis=0)), abs=1e-8)
    assert table["mae"].to_numpy() == pytest.approx(np.abs(model).mean(axis=0), abs=1e-8)
    assert table["rmse_linear"].to_numpy() == pytest.approx(np.sqrt((linear**2).mean(axis=0)))
    assert table["mae_linear"].to_numpy() == pytest.approx(np.abs(linear).mean(axis=0))
    assert table["rmse_mean"].to_numpy() == pytest.approx(np.sqrt((mean**2).mean(axis=0)))
    q2 = 1 - (model**2).sum(axis=0) / (mean**2).sum(axis=0)
    assert table["q2_predict"].to_numpy() == pytest.approx(q2)


def test_model_that_explains_nothing_predicts_no_better_than_the_mean():
    rng = np.random.default_rng(2)
    data = pd.DataFrame(rng.normal(size=(300, 4)), columns=["x1", "x2", "y1", "y2"])
    model = PathModel([composite("X", ["x1", "x2"]), composite("Y", ["y1", "y2"])], ["X -> Y"])
    result = predict_held_out(estimate_model(model, data), seed=1, n_repetitions=3)
    assert (result.items["q2_predict"] < 0.01).all()


def test_prediction_recovers_the_share_that_can_be_explained(draw, three):
    """2,000 respondents: q² of b1 is (path · loading)², attenuated by A's reliability."""
    estimate = estimate_model(three, draw(2000, seed=6))
    result = predict_held_out(estimate, seed=1, n_repetitions=2).items.set_index("item")
    explained = (estimate.correlations.loc["A", "B"] * estimate.loadings.loc["b1", "B"]) ** 2
    # A plain model's loadings are too large and its paths too small, so it is a little off.
    assert result.loc["b1", "q2_predict"] == pytest.approx(explained, abs=0.05)
    assert result.loc["b1", "q2_predict"] > 0.1


def test_units_follow_the_items_and_the_seed_the_folds(estimate, three):
    first = predict_held_out(estimate, seed=1, n_repetitions=2)
    wide = estimate_model(three, estimate.respondents.answers * 10, tolerance=1e-11)
    other = predict_held_out(wide, seed=1, n_repetitions=2)
    assert other.items["rmse"].to_numpy() == pytest.approx(first.items["rmse"] * 10)
    assert other.items["q2_predict"].to_numpy() == pytest.approx(first.items["q2_predict"])
    again = predict_held_out(estimate, seed=1, n_repetitions=2)
    pd.testing.assert_frame_equal(first.items, again.items)
    assert not first.items.equals(predict_held_out(estimate, seed=2, n_repetitions=2).items)


def test_power_counts_the_items_that_beat_the_linear_model(estimate):
    result = predict_held_out(estimate, seed=1, n_repetitions=2)
    share = (result.items["rmse"] < result.items["rmse_linear"]).mean()
    expected = "high" if share == 1 else "medium" if share >= 0.5 else "low" if share else "none"
    assert result.power == expected


def test_interaction_predicts_from_its_direct_antecedents():
    rng = np.random.default_rng(5)
    x, m = rng.normal(size=(2, 200))
    data = pd.DataFrame({"x": x, "m": m, "y": x + m + x * m + 0.5 * rng.normal(size=200)})
    blocks = [single_item(n.upper(), n) for n in "xmy"]
    with_product = PathModel([*blocks, interaction("X", "M")], ["X, M, X * M -> Y"])
    result = predict_held_out(
        estimate_model(with_product, data), seed=1, n_repetitions=1, antecedents="direct"
    )
    # The linear model has no product: its error keeps the product's variance of 1.
    assert result.items["rmse"][0] == pytest.approx(0.5, abs=0.1)
    assert result.items["rmse_linear"][0] > 0.9
    with pytest.raises(ValueError, match=r"is an interaction.*antecedents='direct'"):
        predict_held_out(estimate_model(with_product, data), seed=1)


def test_blindfolding_by_hand(draw):
    """Distance 3 over one item: every third answer is put to the mean of the others."""
    data = draw(40, seed=9)[["a1", "b1"]]
    model = PathModel([single_item("A", "a1"), single_item("B", "b1")], ["A -> B"])
    q2 = stone_geisser(estimate_model(model, data), distance=3)
    squares = np.zeros(2)
    for start in range(3):
        out = np.arange(40) % 3 == start
        b = data["b1"].to_numpy()
        mean = b[~out].mean()
        filled = np.where(out, mean, b)
        slope, _ = np.polyfit(data["a1"], filled, 1)
        guess = mean + slope * (data["a1"] - data["a1"].mean())
        squares += ((b - guess)[out] ** 2).sum(), ((b - mean)[out] ** 2).sum()
    assert q2["B"] == pytest.approx(1 - squares[0] / squares[1])


def test_blindfolding_says_that_a_path_helps(answers, three):
    q2 = stone_geisser(estimate_model(three, answers))
    assert q2.index.tolist() == ["B", "C"]
    assert (q2 > 0.05).all()
    assert (q2 < estimate_model(three, answers).r_squared).all()


def test_refuses_what_cannot_be_predicted(estimate, answers):
    with pytest.raises(ValueError, match="antecedents is one of earliest, direct"):
        predict_held_out(estimate, seed=1, antecedents="latest")
    with pytest.raises(ValueError, match="n_folds is from 2 to the 30 respondents, not 31"):
        predict_held_out(estimate, seed=1, n_folds=31)
    with pytest.raises(ValueError, match="n_repetitions is at least 1"):
        predict_held_out(estimate, seed=1, n_repetitions=0)
    with pytest.raises(ValueError, match=r"must not divide the 30 respondents, not 6: try 7"):
        stone_geisser(estimate, distance=6)
    parts = [single_item("P", "a1"), single_item("Q", "a2"), single_item("Y", "b1")]
    whole = PathModel([*parts, higher_order("W", ["P", "Q"])], ["W -> Y"])
    with pytest.raises(ValueError, match="'W' is higher-order: its items are scores"):
        predict_held_out(estimate_model(whole, answers), seed=1)


def test_refuses_training_parts_without_variance_or_respondents(answers):
    rare = answers.head(20).assign(a1=[1.0, 1.0] + [0.0] * 18)
    model = PathModel([single_item("A", "a1"), single_item("B", "b1")], ["A -> B"])
    estimate = estimate_model(model, rare)
    # In 50 splits into halves, both rare answers come to stand together more than once.
    with pytest.raises(ValueError, match=r"training parts could not be estimated.*fewer folds"):
        predict_held_out(estimate, seed=1, n_folds=2, n_repetitions=50)
    items = [f"i{k}" for k in range(12)]
    wide = pd.DataFrame(np.random.default_rng(1).normal(size=(20, 12)), columns=items)
    model = PathModel([composite("A", items[:11]), single_item("B", "i11")], ["A -> B"])
    with pytest.raises(ValueError, match="10 training respondents are too few for a linear model"):
        predict_held_out(estimate_model(model, wide), seed=1, n_folds=2, n_repetitions=1)
