"""Weights, loadings, paths and scores of one estimate."""

import numpy as np
import pandas as pd
import pytest

from crmlab.pls import (
    PathModel,
    composite,
    estimate_model,
    reflective,
    single_item,
)
from crmlab.pls.algorithm import SCHEMES, iterate_weights, solve_definite
from crmlab.pls.layout import lay_out

TIGHT = {"tolerance": 1e-12}


def two_items(r12=0.5, r13=0.4, r23=0.3, n=100):
    """Two items of X and one of Y with exactly these correlations."""
    wanted = np.array([[1, r12, r13], [r12, 1, r23], [r13, r23, 1]])
    raw = np.random.default_rng(1).normal(size=(n, 3))
    raw -= raw.mean(axis=0)
    raw = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T))).T
    return pd.DataFrame(raw @ np.linalg.cholesky(wanted).T, columns=["x1", "x2", "y"])


def test_two_single_items_give_their_correlation():
    data = two_items()[["x1", "y"]]
    model = PathModel([single_item("X", "x1"), single_item("Y", "y")], ["X -> Y"])
    estimate = estimate_model(model, data)
    assert estimate.path_coefficients.loc["X", "Y"] == pytest.approx(0.4, abs=1e-12)
    assert estimate.r_squared["Y"] == pytest.approx(0.16, abs=1e-12)


def test_two_items_in_mode_a_are_weighed_by_their_correlations():
    """By hand: weights are proportional to (.4, .3); their variance is .16 + .09 + 2(.5)(.12)."""
    model = PathModel([composite("X", ["x1", "x2"]), single_item("Y", "y")], ["X -> Y"])
    estimate = estimate_model(model, two_items(), **TIGHT)
    weights = np.array([0.4, 0.3]) / np.sqrt(0.37)
    assert estimate.weights.loc[["x1", "x2"], "X"].to_numpy() == pytest.approx(weights, abs=1e-12)
    assert estimate.path_coefficients.loc["X", "Y"] == pytest.approx(0.25 / np.sqrt(0.37))
    assert estimate.loadings.loc["x1", "X"] == pytest.approx(0.55 / np.sqrt(0.37))


def test_mode_b_towards_one_item_is_the_regression_on_the_items():
    model = PathModel([composite("X", ["x1", "x2"], mode="B"), single_item("Y", "y")], ["X -> Y"])
    estimate = estimate_model(model, two_items())
    # R² of y on both: (.16 + .09 - 2(.4)(.3)(.5)) / (1 - .25).
    assert estimate.r_squared["Y"] == pytest.approx(0.13 / 0.75)


def test_consistent_estimate_by_hand():
    """Two items that correlate .5 and weigh alike: rho_A is 2(.5) / (1 + .5), a path .4 / rho^½."""
    data = two_items(r13=0.4, r23=0.4)
    model = PathModel([reflective("X", ["x1", "x2"]), single_item("Y", "y")], ["X -> Y"])
    estimate = estimate_model(model, data, consistent=True)
    rho = 2 / 3
    plain = 0.8 / np.sqrt(3)
    assert estimate.solution.rho_a[0, 0] == pytest.approx(rho)
    assert estimate.path_coefficients.loc["X", "Y"] == pytest.approx(plain / np.sqrt(rho))
    assert estimate.loadings.loc["x1", "X"] == pytest.approx(np.sqrt(0.5))
    assert estimate.inadmissible == ()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("modes", ["AAA", "ABA", "BBB"])
def test_correlations_give_what_the_textbook_gives_on_the_data(answers, textbook, scheme, modes):
    blocks = {"A": ["a1", "a2", "a3"], "B": ["b1", "b2", "b3"], "C": ["c1", "c2", "c3"]}
    modes = dict(zip(blocks, modes, strict=True))
    model = PathModel(
        [composite(n, i, mode=modes[n]) for n, i in blocks.items()], ["A, B -> C", "A -> B"]
    )
    estimate = estimate_model(model, answers, scheme=scheme, **TIGHT)
    scores, weights, paths = textbook(answers, blocks, model.pairs, scheme=scheme, modes=modes)
    # Both stop at a change of 1e-12; the limit is approached by a factor of a half or better.
    for name, items in blocks.items():
        assert estimate.weights.loc[items, name].to_numpy() == pytest.approx(
            weights[name], abs=1e-10
        )
        assert estimate.scores[name].to_numpy() == pytest.approx(scores[name], abs=1e-9)
    for (source, target), value in paths.items():
        assert estimate.path_coefficients.loc[source, target] == pytest.approx(value, abs=1e-10)


def test_paths_are_the_regressions_of_the_scores(answers, three):
    estimate = estimate_model(three, answers)
    design = estimate.scores[["A", "B"]].to_numpy()
    found, rest = np.linalg.lstsq(design, estimate.scores["C"].to_numpy())[:2]
    assert estimate.path_coefficients.loc[["A", "B"], "C"].to_numpy() == pytest.approx(found)
    assert estimate.r_squared["C"] == pytest.approx(1 - rest[0] / (len(design) - 1))
    assert estimate.scores.mean().to_numpy() == pytest.approx(0, abs=1e-12)
    assert estimate.scores.var().to_numpy() == pytest.approx(1)


def test_schemes_agree_where_each_construct_has_one_neighbour(draw):
    data = draw(100, seed=2)
    model = PathModel([composite("A", ["a1", "a2"]), composite("B", ["b1", "b2"])], ["A -> B"])
    first, *rest = (estimate_model(model, data, scheme=s, **TIGHT).weights for s in SCHEMES)
    for other in rest:
        pd.testing.assert_frame_equal(first, other, rtol=1e-9)


def test_consistent_estimate_recovers_the_population(draw, three):
    """40 samples of 1,000: the mean is within 4 of its standard errors of the truth; PLS is not."""
    true = {("A", "B"): 0.5, ("A", "C"): 0.3, ("B", "C"): 0.4}
    found = {True: [], False: []}
    loadings = []
    for seed in range(40):
        data = draw(1000, seed=seed)
        for consistent, values in found.items():
            estimate = estimate_model(three, data, consistent=consistent)
            values.append([estimate.path_coefficients.loc[p] for p in true])
        loadings.append(estimate_model(three, data, consistent=True).loadings.loc["a1", "A"])
    truth = np.array(list(true.values()))
    for consistent, values in found.items():
        z = (np.mean(values, axis=0) - truth) / (np.std(values, axis=0, ddof=1) / np.sqrt(40))
        assert (np.abs(z) < 4).all() == consistent
    error = np.std(loadings, ddof=1) / np.sqrt(40)
    assert np.mean(loadings) == pytest.approx(0.9, abs=4 * error)


def test_consistent_equals_plain_where_items_are_free_of_error(draw):
    data = draw(100, seed=1)
    data["copy"] = data["a1"] * 3 + 2 + 1e-3 * data["b2"]  # a copy to the letter is refused
    model = PathModel([reflective("A", ["a1", "copy"]), single_item("B", "b1")], ["A -> B"])
    plain, consistent = (estimate_model(model, data, consistent=c) for c in (False, True))
    assert consistent.solution.rho_a[0, 0] == pytest.approx(1)
    assert consistent.paths["coefficient"].to_numpy() == pytest.approx(plain.paths["coefficient"])


def test_units_of_the_items_do_not_matter(answers, three):
    changed = answers * np.linspace(0.5, 40, 9) + np.linspace(-1000, 1000, 9)
    first, other = (estimate_model(three, data, **TIGHT) for data in (answers, changed))
    pd.testing.assert_frame_equal(first.weights, other.weights, rtol=1e-8)
    pd.testing.assert_frame_equal(first.scores, other.scores, rtol=1e-7, atol=1e-9)


def test_order_of_rows_items_and_constructs_does_not_matter(answers, three):
    first = estimate_model(three, answers, consistent=True, **TIGHT)
    turned = PathModel(
        [reflective(c.name, c.items[::-1]) for c in three.constructs[::-1]], three.paths[::-1]
    )
    other = estimate_model(turned, answers.iloc[::-1, ::-1], consistent=True, **TIGHT)
    names = list(first.paths[["source", "target"]].itertuples(index=False, name=None))
    for source, target in names:
        assert other.path_coefficients.loc[source, target] == pytest.approx(
            first.path_coefficients.loc[source, target], abs=1e-9
        )
    pd.testing.assert_frame_equal(other.scores.loc[answers.index, first.names], first.scores)


def test_item_turned_round_gets_the_opposite_weight(answers, three):
    turned = answers.assign(a3=-answers["a3"])
    first, other = (estimate_model(three, data, **TIGHT) for data in (answers, turned))
    assert other.weights.loc["a3", "A"] == pytest.approx(-first.weights.loc["a3", "A"])
    assert other.path_coefficients.loc["A", "B"] == pytest.approx(
        first.path_coefficients.loc["A", "B"]
    )


def test_construct_points_where_its_loadings_are_positive(answers, three):
    turned = answers.assign(**{item: -answers[item] for item in ("a1", "a2", "a3")})
    estimate = estimate_model(three, turned)
    assert estimate.loadings["A"].sum() > 0
    assert estimate.path_coefficients.loc["A", "B"] < 0


def test_construct_whose_loadings_come_out_negative_in_sum_is_turned_round():
    """Weights (.6, -.25, -.25): loadings .95 and twice -.79 before the turn, by hand."""
    wanted = np.array(
        [
            [1, -0.7, -0.7, 0.6],
            [-0.7, 1, 0.49, -0.25],
            [-0.7, 0.49, 1, -0.25],
            [0.6, -0.25, -0.25, 1],
        ]
    )
    assert np.linalg.eigvalsh(wanted)[0] > 0
    model = PathModel([composite("X", ["a", "b", "c"]), single_item("Y", "y")], ["X -> Y"])
    how = {"scheme": "path", "tolerance": 1e-10, "max_iterations": 50}
    weights = iterate_weights(wanted[None], lay_out(model).first, **how)[0][0]
    by_hand = -np.array([0.6, -0.25, -0.25])
    spread = np.sqrt(by_hand @ wanted[:3, :3] @ by_hand)
    assert weights == pytest.approx([*(by_hand / spread), 1])
    assert (wanted[:3, :3] @ weights[:3]).sum() > 0


def test_listwise_leaves_out_and_counts_who_did_not_answer(answers, three):
    gaps = answers.copy()
    gaps.iloc[[3, 8], 0] = np.nan
    gaps.iloc[8, 4] = np.nan
    estimate = estimate_model(three, gaps)
    assert (estimate.n_respondents, estimate.n_left_out, estimate.n_filled) == (198, 2, 0)
    whole = estimate_model(three, answers.drop(index=[3, 8]))
    pd.testing.assert_frame_equal(estimate.scores, whole.scores)


def test_mean_rule_fills_and_counts(answers, three):
    gaps = answers.copy()
    gaps.iloc[[3, 8], 0] = np.nan
    estimate = estimate_model(three, gaps, missing="mean")
    assert (estimate.n_respondents, estimate.n_left_out, estimate.n_filled) == (200, 0, 2)
    filled = estimate_model(three, gaps.fillna(gaps.mean()))
    pd.testing.assert_frame_equal(estimate.weights, filled.weights)


def test_item_shared_on_purpose_is_weighed_in_both(answers, textbook):
    blocks = {"A": ["a1", "a2", "b1"], "B": ["b1", "b2", "b3"]}
    model = PathModel([composite(n, i) for n, i in blocks.items()], ["A -> B"], ["b1"])
    estimate = estimate_model(model, answers, **TIGHT)
    _, weights, _ = textbook(answers, blocks, model.pairs)
    assert estimate.weights.loc[blocks["A"], "A"].to_numpy() == pytest.approx(
        weights["A"], abs=1e-9
    )
    assert estimate.weights.loc[blocks["B"], "B"].to_numpy() == pytest.approx(
        weights["B"], abs=1e-9
    )


@pytest.mark.parametrize("mode", ["A", "B"])
@pytest.mark.parametrize("n", [12, 31])
def test_refuses_more_items_than_respondents(mode, n):
    rng = np.random.default_rng(5)
    common = rng.normal(size=(32, 1))
    data = pd.DataFrame(common + rng.normal(size=(32, 30)), columns=[f"i{k}" for k in range(30)])
    x, y = [f"i{k}" for k in range(14)], [f"i{k}" for k in range(14, 30)]
    model = PathModel([composite("X", x, mode=mode), reflective("Y", y)], ["X -> Y"])
    assert estimate_model(model, data).path_coefficients.loc["X", "Y"] > 0.5
    with pytest.raises(
        ValueError,
        match=rf"{n} respondents are too few for 30 items: at least 32 .* \('Y' has most of them",
    ):
        estimate_model(model, data.head(n))
    gaps = data.where((data.index.to_numpy() >= 3)[:, None] | (data.columns != "i5"))
    with pytest.raises(
        ValueError, match=r"only 29 of 32 .* and 32 are needed.* in 'i5' \(3\): leave"
    ):
        estimate_model(model, gaps)
    assert estimate_model(model, gaps, missing="mean").respondents.n == 32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.assign(a1=4.0), r"item 'a1' has the same answer \(4\) from everyone"),
        (lambda d: d.assign(a1=0.1 + 0.2), "item 'a1' has the same answer"),
        (
            lambda d: d.drop(columns="b2"),
            r"no column 'b2': did you mean 'b1'\?|no column 'b2': did",
        ),
        (lambda d: d.assign(a1=np.nan), "item 'a1' has no answer at all: leave it out"),
        (lambda d: d.assign(a1=d["a1"].where(d.index > 120)), "'a1' is missing for 60%"),
        (
            lambda d: d.assign(c3="often"),
            r"item 'c3' is not numeric \(of type str, it holds 'often'\): code",
        ),
        (lambda d: d.assign(c3=1j), "item 'c3' holds complex numbers"),
        (lambda d: d.assign(c3=d["c3"].where(d.index != 5, np.inf)), "'c3' is infinite in row 5"),
        (lambda d: d.head(3), "3 respondents are too few for 9 items: at least 11 are needed"),
        (lambda d: d.head(0), "the data have no rows"),
        (lambda d: pd.concat([d, d[["a1"]]], axis=1), "several columns 'a1'"),
        (lambda d: d.to_numpy(), "data is a pandas DataFrame"),
    ],
)
def test_refuses_hopeless_data_in_words(answers, three, change, message):
    with pytest.raises(ValueError, match=message):
        estimate_model(three, change(answers))


def test_refuses_when_listwise_leaves_too_few(answers, three):
    few = answers.head(40).copy()
    few.loc[few.index % 2 == 0, "a2"] = np.nan
    few.loc[few.index % 4 == 1, "b2"] = np.nan
    few.loc[few.index == 3, "c2"] = np.nan
    with pytest.raises(ValueError, match=r"only 9 of 40 .* most gaps are in 'a2' .20.: leave"):
        estimate_model(three, few)


@pytest.mark.parametrize(("factor", "sign"), [(1.0, "1"), (-2.0, "-1")])
@pytest.mark.parametrize("mode", ["A", "B"])
def test_refuses_a_question_asked_twice(answers, mode, factor, sign):
    data = answers.assign(a4=answers["a1"] * factor + 7)
    model = PathModel(
        [composite("A", ["a1", "a2", "a4"], mode=mode), reflective("B", ["b1", "b2"])], ["A -> B"]
    )
    with pytest.raises(
        ValueError, match=rf"item 'a4' repeats 'a1' \(their correlation is {sign}\): .* leave one"
    ):
        estimate_model(model, data)
    elsewhere = PathModel([single_item("X", "a4"), reflective("B", ["a1", "b1"])], ["X -> B"])
    with pytest.raises(ValueError, match=r"item 'a1' repeats 'a4'"):
        estimate_model(elsewhere, data)


def test_refuses_an_item_that_is_the_sum_of_others_in_mode_b(answers):
    data = answers.assign(a4=answers["a1"] + answers["a2"])
    model = PathModel(
        [composite("A", ["a1", "a2", "a4"], mode="B"), reflective("B", ["b1", "b2"])], ["A -> B"]
    )
    with pytest.raises(
        ValueError, match="construct 'A' is in mode B and 'a4' follows from the oth"
    ):
        estimate_model(model, data)


def test_refuses_a_source_that_follows_from_two_others(answers):
    data = answers.assign(both=answers["a1"] + answers["b1"])
    singles = [single_item(*names) for names in (("X", "a1"), ("V", "b1"), ("W", "both"))]
    model = PathModel([*singles, reflective("C", ["c1", "c2"])], ["X, V, W -> C"])
    with pytest.raises(ValueError, match="of what points to 'C', 'W' follows from the others"):
        estimate_model(model, data)


def test_says_when_the_weights_do_not_settle(answers, three):
    with pytest.raises(ValueError, match="had not settled after 2 iterations"):
        estimate_model(three, answers, max_iterations=2, tolerance=1e-12)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"scheme": "magic"}, "scheme is one of path, factorial, centroid"),
        ({"missing": "guess"}, "missing is one of listwise, mean"),
        ({"tolerance": 0.0}, "tolerance is between 0 and 1"),
        ({"max_iterations": 0}, "max_iterations is at least 1"),
    ],
)
def test_refuses_unknown_settings(answers, three, setting, message):
    with pytest.raises(ValueError, match=message):
        estimate_model(three, answers, **setting)


def test_consistent_needs_a_reflective_construct(answers):
    model = PathModel([composite("A", ["a1", "a2"]), single_item("B", "b1")], ["A -> B"])
    with pytest.raises(ValueError, match="this model has none: build them with reflective"):
        estimate_model(model, answers, consistent=True)


def test_says_why_a_consistent_solution_cannot_be_right(draw):
    """Two constructs measured by the same thing: the corrected correlation passes 1."""
    data = draw(300, seed=3)
    model = PathModel(
        [reflective("X", ["a1", "b2", "c3"]), reflective("Y", ["a2", "b1", "c1"])], ["X -> Y"]
    )
    estimate = estimate_model(model, data, consistent=True)
    assert estimate.r_squared["Y"] > 1
    assert any(reason.startswith("R² of 'Y' is 1.") for reason in estimate.inadmissible)
    assert any("not positive definite" in reason for reason in estimate.inadmissible)


def test_systems_are_solved_as_by_the_library_and_singular_ones_told():
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(6, 40, 4))
    matrices = np.stack([np.corrcoef(r.T) for r in raw])
    right = rng.normal(size=(6, 4, 2))
    solved, own = solve_definite(matrices, right)
    assert solved == pytest.approx(np.linalg.solve(matrices, right))
    assert (own > 0.1).all()
    matrices[2, 0, 1] = matrices[2, 1, 0] = 1.0
    matrices[2, 1, 2:] = matrices[2, 2:, 1] = matrices[2, 0, 2:]
    again, own = solve_definite(matrices, right)
    assert own[2] == pytest.approx(0, abs=1e-12)
    assert np.delete(again, 2, axis=0) == pytest.approx(np.delete(solved, 2, axis=0))


def test_data_are_left_alone(answers, three):
    before = answers.copy()
    estimate_model(three, answers, consistent=True)
    pd.testing.assert_frame_equal(answers, before)


def test_single_items_that_do_not_correlate_have_a_path_of_nought():
    data = pd.DataFrame({"x": [1.0, -1.0] * 10, "y": [1.0, 1.0, -1.0, -1.0] * 5})
    model = PathModel([single_item("X", "x"), single_item("Y", "y")], ["X -> Y"])
    estimate = estimate_model(model, data)
    assert estimate.path_coefficients.loc["X", "Y"] == pytest.approx(0, abs=1e-15)
    assert estimate.weights.loc["x", "X"] == pytest.approx(1)


def test_construct_that_correlates_with_no_neighbour_has_no_weights():
    model = PathModel([composite("X", ["x1", "x2"]), single_item("Y", "y")], ["X -> Y"])
    weights, _, broken, converged = iterate_weights(
        np.stack([np.eye(3), [[1, 0.5, 0.4], [0.5, 1, 0.3], [0.4, 0.3, 1]]]),
        lay_out(model).first,
        scheme="path",
        tolerance=1e-7,
        max_iterations=50,
    )
    assert broken.tolist() == [True, False]
    assert converged.tolist() == [False, True]
    assert np.isfinite(weights[1]).all()


@pytest.mark.parametrize("kind", ["Int64", "Float64", "float32", "int8"])
def test_every_kind_of_number_is_read(answers, three, kind):
    whole = (answers * 10).round()
    first = estimate_model(three, whole).weights
    other = estimate_model(three, whole.astype(kind)).weights
    pd.testing.assert_frame_equal(first, other)
    if kind[0].isupper():
        gaps = whole.astype(kind)
        gaps.loc[4, "a1"] = pd.NA
        assert estimate_model(three, gaps).n_left_out == 1
