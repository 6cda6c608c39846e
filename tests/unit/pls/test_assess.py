"""The tables of an assessment, by hand and by a second route."""

import numpy as np
import pandas as pd
import pytest

from crmlab.pls import (
    PathModel,
    assess_model,
    composite,
    construct_vif,
    estimate_model,
    explained_variance,
    f_squared,
    fornell_larcker,
    htmt,
    htmt2,
    importance_performance,
    index_scores,
    item_importance_performance,
    item_vif,
    reflective,
    reliability,
    single_item,
    specific_indirect_effects,
    srmr,
    total_effects,
)
from crmlab.pls.fit import implied_correlations


@pytest.fixture(scope="module")
def estimate(answers, three):
    return estimate_model(three, answers)


@pytest.fixture(scope="module")
def consistent(answers, three):
    return estimate_model(three, answers, consistent=True)


def exact(wanted, names, n=60):
    """Data whose correlations are exactly these."""
    raw = np.random.default_rng(1).normal(size=(n, len(wanted)))
    raw = (raw - raw.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T))).T
    return pd.DataFrame(raw @ np.linalg.cholesky(np.array(wanted)).T, columns=names)


def test_reliability_by_hand():
    """Two items that correlate .5: alpha 2(.5)/1.5; loadings √.75, so AVE .75, rho_C 3/3.5."""
    wanted = [[1, 0.5, 0.4], [0.5, 1, 0.4], [0.4, 0.4, 1]]
    data = exact(wanted, ["x1", "x2", "y"])
    model = PathModel([reflective("X", ["x1", "x2"]), single_item("Y", "y")], ["X -> Y"])
    table = reliability(estimate_model(model, data))
    assert table.loc["X", ["cronbach_alpha", "rho_a", "ave"]].tolist() == pytest.approx(
        [2 / 3, 2 / 3, 0.75]
    )
    assert table.loc["X", "rho_c"] == pytest.approx(3 / 3.5)
    assert table.loc["Y"].tolist() == pytest.approx([1, 1, 1, 1, 1])
    own = reliability(estimate_model(model, data, consistent=True)).loc["X"]
    assert own[["rho_c", "ave"]].tolist() == pytest.approx([2 / 3, 0.5])


def test_alpha_is_the_textbooks_on_standardised_items(estimate, answers):
    items = answers[["b1", "b2", "b3"]]
    items = (items - items.mean()) / items.std()
    alpha = 3 / 2 * (1 - items.var().sum() / items.sum(axis=1).var())
    assert reliability(estimate).loc["B", "cronbach_alpha"] == pytest.approx(alpha)


def test_reliability_does_not_apply_in_mode_b(answers):
    model = PathModel(
        [composite("A", ["a1", "a2"], mode="B"), composite("B", ["b1"], mode="B")], ["A -> B"]
    )
    table = reliability(estimate_model(model, answers))
    assert table.loc["A", "cronbach_alpha":].isna().all()
    assert table.loc["B", "cronbach_alpha":].tolist() == pytest.approx([1] * 4)


def test_htmt_by_hand():
    """Within .64 and .25, between .4 .3 .2 .1: HTMT .25/√.16; HTMT2 (.0024)^¼/√.16."""
    wanted = [[1, 0.64, 0.4, 0.3], [0.64, 1, 0.2, 0.1], [0.4, 0.2, 1, 0.25], [0.3, 0.1, 0.25, 1]]
    data = exact(wanted, ["x1", "x2", "y1", "y2"])
    model = PathModel([reflective("X", ["x1", "x2"]), reflective("Y", ["y1", "y2"])], ["X -> Y"])
    estimate = estimate_model(model, data)
    assert htmt(estimate).loc["Y", "X"] == pytest.approx(0.25 / 0.4)
    assert htmt2(estimate).loc["Y", "X"] == pytest.approx(0.0024**0.25 / 0.4)
    turned = estimate_model(model, data.assign(y2=-data["y2"]))
    assert htmt(turned).loc["Y", "X"] == pytest.approx(0.25 / 0.4)
    assert np.isnan(htmt(estimate).loc["X", "Y"])


def test_htmt2_recovers_the_correlation_of_constructs_with_unequal_loadings(draw, three):
    estimate = estimate_model(three, draw(40000, seed=1))
    # 40,000 respondents: a standard error of a correlation is .005; four of them, over .8 or so.
    assert htmt2(estimate).loc["B", "A"] == pytest.approx(0.5, abs=0.025)
    assert htmt2(estimate).loc["C", "A"] == pytest.approx(0.3 + 0.4 * 0.5, abs=0.025)


def test_variance_inflation_is_that_of_a_regression(estimate, answers):
    def by_regression(columns, k):
        design = np.column_stack([np.ones(len(columns)), np.delete(columns, k, axis=1)])
        rest = np.linalg.lstsq(design, columns[:, k])[1][0]
        return columns[:, k].var() * len(columns) / rest

    items = answers[["a1", "a2", "a3"]].to_numpy()
    ours = item_vif(estimate).set_index("item")["vif"]
    assert ours["a2"] == pytest.approx(by_regression(items, 1))
    scores = estimate.scores[["A", "B"]].to_numpy()
    among = construct_vif(estimate).set_index(["source", "target"])["vif"]
    assert among["A", "C"] == pytest.approx(by_regression(scores, 0))
    assert among["A", "B"] == 1


def test_an_item_that_others_add_up_to_has_infinite_inflation(answers):
    data = answers.assign(again=answers["a1"] - answers["a2"])
    model = PathModel([reflective("A", ["a1", "again", "a2"]), single_item("B", "b1")], ["A -> B"])
    assert np.isinf(item_vif(estimate_model(model, data))["vif"][:3]).all()


def test_explained_variance_is_the_regressions(estimate):
    scores = estimate.scores
    design = np.column_stack([np.ones(200), scores["A"], scores["B"]])
    rest = np.linalg.lstsq(design, scores["C"].to_numpy())[1][0]
    row = explained_variance(estimate).loc["C"]
    assert row["r_squared"] == pytest.approx(1 - rest / 199)
    assert row["r_squared_adjusted"] == pytest.approx(1 - rest / (200 - 3))
    assert row["aic"] == pytest.approx(200 * np.log(rest / 200) + 2 * 3)
    assert row["bic"] == pytest.approx(200 * np.log(rest / 200) + np.log(200) * 3)


def test_f_squared_of_an_only_path_is_r_squared_over_the_rest(estimate):
    table = f_squared(estimate).set_index(["source", "target"])
    r2 = estimate.r_squared["B"]
    assert table.loc[("A", "B")].tolist() == pytest.approx([r2 / (1 - r2)] * 2)
    scores = estimate.scores
    alone = np.corrcoef(scores["A"], scores["C"])[0, 1] ** 2
    full = estimate.r_squared["C"]
    assert table.loc[("B", "C"), "f_squared_same_scores"] == pytest.approx(
        (full - alone) / (1 - full)
    )


def test_total_effects_are_the_series_of_the_paths(estimate):
    paths = estimate.path_coefficients.to_numpy()
    series = np.linalg.inv(np.eye(3) - paths) - np.eye(3)
    assert total_effects(estimate).to_numpy() == pytest.approx(series, abs=1e-12)
    way = specific_indirect_effects(estimate).iloc[0]
    assert (way["source"], way["target"]) == ("A", "C")
    assert way["effect"] == pytest.approx(series[0, 2] - paths[0, 2])


def test_fornell_larcker_compares_like_with_like(estimate, consistent):
    for one in (estimate, consistent):
        table = fornell_larcker(one)
        assert np.diag(table) == pytest.approx(np.sqrt(reliability(one)["ave"]))
        assert table.loc["C", "A"] == pytest.approx(one.correlations.loc["C", "A"])
    assert fornell_larcker(consistent).loc["B", "A"] > fornell_larcker(estimate).loc["B", "A"]


def test_srmr_is_nought_where_the_model_is_true(draw, three):
    """100,000 respondents: each residual is a few thousandths of chance."""
    large = estimate_model(three, draw(100_000, seed=5), consistent=True)
    assert (srmr(large) < 0.005).all(axis=None)


def test_srmr_sees_a_path_that_is_missing(answers, three):
    chain = PathModel(three.constructs, ["A -> B -> C"])
    whole, part = (estimate_model(m, answers, consistent=True) for m in (three, chain))
    # Three constructs that all have paths are saturated.
    row = srmr(whole).iloc[0]
    assert row["saturated"] == pytest.approx(row["estimated"])
    row = srmr(part).iloc[0]
    assert row["estimated"] > row["saturated"] + 0.005
    implied = implied_correlations(part, "estimated")
    stage = part.layout.last
    a1, c1 = (k for k, slot in enumerate(stage.slots) if slot[1] in ("a1", "c1"))
    by_hand = part.path_coefficients.loc["A", "B"] * part.path_coefficients.loc["B", "C"]
    by_hand *= part.loadings.loc["a1", "A"] * part.loadings.loc["c1", "C"]
    assert implied[a1, c1] == pytest.approx(by_hand)


def test_srmr_of_composites_leaves_their_own_correlations_alone(answers, three):
    blocks = PathModel([composite(c.name, c.items) for c in three.constructs], three.paths)
    estimate = estimate_model(blocks, answers)
    implied = implied_correlations(estimate, "saturated")
    assert implied[:3, :3] == pytest.approx(answers[["a1", "a2", "a3"]].corr().to_numpy())
    with pytest.raises(ValueError, match="kind is saturated or estimated"):
        implied_correlations(estimate, "true")


def test_one_table_set_holds_everything(estimate):
    tables = assess_model(estimate)
    assert all(isinstance(table, pd.DataFrame) for table in tables.values())
    assert {"reliability", "htmt", "htmt2", "fornell_larcker", "srmr", "f_squared"} <= set(tables)


@pytest.fixture(scope="module")
def rated():
    """Answers from 1 to 10, and a model of them."""
    rng = np.random.default_rng(9)
    f = rng.normal(size=(120, 1))
    raw = np.clip(np.round(6 + 1.5 * f + rng.normal(size=(120, 4))), 1, 10)
    data = pd.DataFrame(raw, columns=["x1", "x2", "y1", "y2"])
    model = PathModel([composite("X", ["x1", "x2"]), composite("Y", ["y1", "y2"])], ["X -> Y"])
    return estimate_model(model, data)


def test_importance_is_the_slope_between_the_indices(rated):
    """With one path the unstandardised effect is the regression of one index on the other."""
    index = index_scores(rated, minimum=1, maximum=10)
    slope = np.polyfit(index["X"], index["Y"], 1)[0]
    table = importance_performance(rated, "Y", minimum=1, maximum=10)
    assert table.loc["X", "importance"] == pytest.approx(slope)
    assert table.loc["X", "performance"] == pytest.approx(index["X"].mean())
    assert table.loc["X", "standardised"] == pytest.approx(rated.path_coefficients.loc["X", "Y"])
    items = item_importance_performance(rated, "Y", minimum=1, maximum=10)
    assert items["importance"].sum() == pytest.approx(slope)
    share = items.set_index("item")["performance"]
    assert share["x1"] == pytest.approx((rated.respondents.answers["x1"].mean() - 1) / 9 * 100)


def test_index_runs_from_0_to_100_and_follows_the_scores(rated):
    ends = rated.respondents.answers
    index = index_scores(rated, minimum=1, maximum=10)
    assert index.corrwith(rated.scores).to_numpy() == pytest.approx(1)
    by_item = dict.fromkeys(ends.columns, 1.0)
    pd.testing.assert_frame_equal(index, index_scores(rated, minimum=by_item, maximum=10))
    lowest = ends.assign(x1=[1.0, 10.0] * 60, y1=[1.0, 10.0, 10.0] * 40)
    model = PathModel([composite("X", ["x1"]), composite("Y", ["y1"])], ["X -> Y"])
    assert set(
        index_scores(estimate_model(model, lowest), minimum=1, maximum=10)["X"].round(9)
    ) == {0.0, 100.0}


def test_importance_refuses_what_has_no_reading(rated, answers, three):
    with pytest.raises(ValueError, match="nothing points to 'X'"):
        importance_performance(rated, "X", minimum=1, maximum=10)
    with pytest.raises(ValueError, match="no construct is named 'Z'"):
        importance_performance(rated, "Z", minimum=1, maximum=10)
    with pytest.raises(ValueError, match=r"item 'x1' holds answers from .* outside its scale of 1"):
        index_scores(rated, minimum=1, maximum=5)
    with pytest.raises(ValueError, match=r"minimum 10.0 is not below 1.0"):
        index_scores(rated, minimum=10, maximum=1)
    with pytest.raises(ValueError, match="minimum names no value for item 'x2'"):
        index_scores(rated, minimum={"x1": 1}, maximum=10)
    with pytest.raises(ValueError, match="maximum is a number"):
        index_scores(rated, minimum=1, maximum=np.inf)
    turned = estimate_model(three, answers.assign(a3=-answers["a3"]))
    with pytest.raises(ValueError, match="item 'a3' weighs negatively in 'A': turn its scale"):
        index_scores(turned, minimum=-9, maximum=9)
