"""The satisfaction index: structures, the door that refuses, the index and what to improve."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from crmlab.pls import bootstrap_model, estimate_model, importance_performance, index_scores
from crmlab.satisfaction import (
    ACSI,
    CCSI,
    CCSI_COMPLAINTS,
    ECSI,
    INDEX_MODELS,
    IndexModel,
    add_complaint_item,
    bootstrap_index,
    estimate_index,
    improvement_matrix,
    index_by_group,
    index_model,
    rank_antecedents,
    satisfaction_index,
    specify_index,
    tabulate_index,
    weighted_index,
)

TRUE = {  # the paths of the population that `answers` is drawn from
    ("image", "expectation"): 0.5,
    ("image", "perceived_quality"): 0.3,
    ("expectation", "perceived_quality"): 0.4,
    ("perceived_quality", "perceived_value"): 0.7,
    ("perceived_quality", "satisfaction"): 0.6,
    ("perceived_value", "satisfaction"): 0.25,
    ("satisfaction", "loyalty"): 0.65,
}
ORDER = [asked for _, asked in CCSI.constructs]


def draw_answers(n, seed, loading=0.9):
    """Items 1 to 10, three a construct, of respondents whose constructs move by `TRUE`."""
    rng = np.random.default_rng(seed)
    scores, columns = {}, {}
    for name in ORDER:
        causes = [path * scores[c] for (c, effect), path in TRUE.items() if effect == name]
        scores[name] = sum(causes) + rng.normal(size=n)
        scores[name] = (scores[name] - scores[name].mean()) / scores[name].std()
        for k in range(3):
            noise = np.sqrt(1 - loading**2) * rng.normal(size=n)
            answer = 6.5 + 0.4 * k + 1.6 * (loading * scores[name] + noise)
            columns[f"{name}_{k}"] = np.clip(np.round(answer), 1, 10)
    return pd.DataFrame(columns), pd.DataFrame(scores)


@pytest.fixture(scope="module")
def items():
    rows = [(f"{name}_{k}", name, 1.0, 10.0) for name in ORDER for k in range(3)]
    return pd.DataFrame(rows, columns=["item", "construct", "minimum", "maximum"])


@pytest.fixture(scope="module")
def survey():
    return draw_answers(300, seed=2)[0]


@pytest.fixture(scope="module")
def estimate(survey, items):
    return estimate_index(CCSI, survey, items)


@pytest.fixture(scope="module")
def drawn(estimate, items):
    groups = pd.Series(["big"] * 200 + ["small"] * 95 + ["tiny"] * 5)
    return bootstrap_index(estimate, items, groups=groups, n_resamples=300, seed=1)


def test_index_solved_on_paper():
    # 100 (0.2 * 4 + 0.6 * 1) / (0.2 * 9 + 0.6 * 4) = 140 / 4.2
    found = weighted_index([5, 2], [0.2, 0.6], minimum=1, maximum=[10, 5])
    assert found == pytest.approx(140 / 4.2)


def test_index_of_equal_weights_is_the_mean_answer_carried_to_100(survey):
    chosen = survey[[f"satisfaction_{k}" for k in range(3)]]
    found = weighted_index(chosen.mean(), [2, 2, 2], minimum=1, maximum=10)
    assert found == pytest.approx(satisfaction_index(chosen, minimum=1, maximum=10))


def test_index_is_the_formula_with_the_weights_taken_off_their_standardisation(
    survey, estimate, drawn
):
    found = tabulate_index(drawn)["index"]
    for name, own in estimate.weights.items():
        used = own[own != 0]
        by_hand = weighted_index(
            survey[used.index].mean(), used / survey[used.index].std(), minimum=1, maximum=10
        )
        assert found[name] == pytest.approx(by_hand, abs=1e-9)


def test_resamples_are_those_of_the_estimate_made_again_on_the_drawn_respondents(
    survey, drawn, items
):
    rng = np.random.default_rng(1)
    n = len(survey)
    rows = rng.integers(n, size=(300, n))
    for b in (0, 7):
        again = estimate_index(CCSI, survey.iloc[rows[b]].reset_index(drop=True), items)
        scores = index_scores(again, minimum=1, maximum=10)
        assert drawn.performance_draws[b, 0] == pytest.approx(scores.mean().to_numpy(), abs=1e-4)
        table = importance_performance(again, "satisfaction", minimum=1, maximum=10)
        assert drawn.importance_draws[b] == pytest.approx(table["importance"].to_numpy(), abs=1e-6)


def test_standard_error_is_that_of_a_mean_when_weights_hardly_move(survey, estimate, drawn):
    scores = index_scores(estimate, minimum=1, maximum=10)["satisfaction"]
    alone = scores.std() / np.sqrt(len(survey))
    found = tabulate_index(drawn).loc["satisfaction", "standard_error"]
    # 300 resamples know a standard error to 4 %; three of those.
    assert found == pytest.approx(alone, rel=0.13)


def test_interval_holds_the_index_and_narrows_with_the_level(drawn):
    wide, narrow = tabulate_index(drawn), tabulate_index(drawn, level=0.5)
    assert (wide["lower"] < narrow["lower"]).all()
    assert wide["index"].between(wide["lower"], wide["upper"]).all()


def test_groups_are_scored_with_the_weights_of_everyone(estimate, drawn):
    found = index_by_group(drawn)
    scores = index_scores(estimate, minimum=1, maximum=10)["satisfaction"].to_numpy()
    means = [scores[:200].mean(), scores[200:295].mean(), scores[295:].mean()]
    assert found["index"].tolist() == pytest.approx(means)
    assert found["n_respondents"].tolist() == [200, 95, 5]
    assert found["difference"].tolist() == pytest.approx(np.array(means) - scores.mean())
    image = index_scores(estimate, minimum=1, maximum=10)["image"].to_numpy()
    assert index_by_group(drawn, "image")["index"].iloc[0] == pytest.approx(image[:200].mean())
    with pytest.raises(ValueError, match=r"no construct is named 'imgae': image, expected"):
        index_by_group(drawn, "imgae")
    assert found.loc["tiny", ["lower", "upper"]].isna().all()
    assert not found.loc["tiny", "is_different"]


def test_a_group_that_is_less_satisfied_is_found_and_equal_groups_are_not(items):
    survey, _ = draw_answers(400, seed=5)
    half = pd.Series(np.where(np.arange(400) < 200, "a", "b"))
    lower = survey.copy()
    columns = [f"satisfaction_{k}" for k in range(3)]
    lower.loc[half == "a", columns] = np.clip(lower.loc[half == "a", columns] - 1, 1, 10)
    for answers, different in ((survey, False), (lower, True)):
        estimate = estimate_index(CCSI, answers, items)
        drawn = bootstrap_index(estimate, items, groups=half, n_resamples=200, seed=3)
        assert (index_by_group(drawn)["is_different"] == different).all()


def test_matrix_cuts_importance_and_performance_at_their_means(estimate, drawn):
    found = improvement_matrix(drawn)
    table = importance_performance(estimate, "satisfaction", minimum=1, maximum=10)
    assert found["importance"].to_dict() == pytest.approx(table["importance"].to_dict())
    assert found["performance"].to_dict() == pytest.approx(table["performance"].to_dict())
    assert found["importance"].is_monotonic_decreasing
    matters = found["importance"] >= found["importance"].mean()
    good = found["performance"] >= found["performance"].mean()
    areas = {(True, False): "improve_first", (True, True): "keep_up", (False, True): "hold"}
    wanted = [areas.get(pair, "improve_later") for pair in zip(matters, good, strict=True)]
    assert found["improvement_area"].tolist() == wanted
    agreed = dict.fromkeys(found.index, 0)
    at = [drawn.performance.columns.get_loc(name) for name in drawn.importance.index]
    for strength, height in zip(
        drawn.importance_draws, drawn.performance_draws[:, 0, at], strict=True
    ):
        for k, name in enumerate(drawn.importance.index):
            own = bool(strength[k] >= strength.mean()), bool(height[k] >= height.mean())
            agreed[name] += areas.get(own, "improve_later") == found["improvement_area"][name]
    shares = {name: n / len(drawn.importance_draws) for name, n in agreed.items()}
    assert found["quadrant_confidence"].to_dict() == pytest.approx(shares)
    assert set(found.index) == {
        "image",
        "expected_quality",
        "perceived_quality",
        "perceived_value",
    }


def test_antecedents_come_in_the_order_of_the_truth(items):
    survey, truth = draw_answers(2000, seed=8, loading=0.97)
    bootstrap = bootstrap_model(estimate_index(CCSI, survey, items), n_resamples=200, seed=1)
    found = rank_antecedents(bootstrap)
    known = estimate_model(CCSI.structure, truth)
    total = np.linalg.inv(np.eye(6) - known.path_coefficients) - np.eye(6)
    true = pd.Series(total[:, 4], known.names)[found.index]
    assert found.index[0] == "perceived_quality"
    assert found["share_strongest"].sum() == pytest.approx(1)
    assert found.loc["perceived_quality", "share_strongest"] == 1
    # Loadings of .97 take 6 % off a correlation; the sampling errors are near .02.
    assert found["total_effect"].to_dict() == pytest.approx(true.to_dict(), abs=0.09)
    parts = found["direct_effect"] + found["indirect_effect"]
    assert parts.to_dict() == pytest.approx(found["total_effect"].to_dict())
    assert found.loc["image", "lower"] < true["image"] < found.loc["image", "upper"] + 0.03


def test_ccsi_joins_five_constructs_in_every_way_and_satisfaction_to_loyalty():
    names = [name for name, _ in CCSI.constructs]
    every = set(combinations(names[:5], 2))
    assert set(CCSI.structure.pairs) == every | {("satisfaction", "loyalty")}
    assert len(CCSI.structure.pairs) == 11


@pytest.mark.parametrize(
    ("model", "n_paths", "n_constructs"), [(ACSI, 9, 6), (ECSI, 12, 7), (CCSI_COMPLAINTS, 13, 7)]
)
def test_siblings_have_their_own_numbers_of_paths(model, n_paths, n_constructs):
    assert len(model.structure.pairs) == n_paths
    assert len(model.constructs) == n_constructs
    assert index_model(model.name) is model


def test_complaints_lead_away_from_satisfaction_or_to_it():
    assert ("satisfaction", "customer_complaints") in ACSI.structure.pairs
    assert ("satisfaction", "complaint") in ECSI.structure.pairs
    assert ("complaint", "satisfaction") in CCSI_COMPLAINTS.structure.pairs
    assert ("complaint", "loyalty") in CCSI_COMPLAINTS.structure.pairs


def test_a_structure_fitted_to_true_values_gives_their_regressions():
    _, truth = draw_answers(200, seed=4)
    found = estimate_model(CCSI.structure, truth).path_coefficients["satisfaction"]
    causes = truth[ORDER[:4]]
    expected = np.linalg.lstsq(causes, truth["satisfaction"])[0]
    assert found.iloc[:4].tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_construct_of_one_item_is_that_item(items):
    one = items.drop_duplicates("construct")
    kinds = {c.name: c.kind for c in specify_index(CCSI, one).constructs}
    assert set(kinds.values()) == {"single_item"}


HOPELESS = {
    "constant": (lambda s: s.assign(loyalty_1=7.0), "item 'loyalty_1' has the same answer"),
    "duplicated": (
        lambda s: s.assign(image_2=s["image_0"]),
        "item 'image_2' repeats 'image_0'.*leave one of them out",
    ),
    "more items than respondents": (
        lambda s: s.head(15),
        "15 respondents are too few for 18 items: at least 20 are needed; collect more",
    ),
    "three respondents": (lambda s: s.head(3), "3 respondents are too few for 18 items"),
    "nobody": (lambda s: s.head(0), "the data have no rows"),
    "all missing": (lambda s: s * np.nan, "item 'image_0' has no answer at all: leave it out"),
    "one item missing": (
        lambda s: s.assign(satisfaction_1=np.nan),
        "item 'satisfaction_1' has no answer at all: leave it out",
    ),
    "mostly missing": (
        lambda s: s.head(30).assign(satisfaction_1=s["satisfaction_1"].where(s.index < 18)),
        r"only 18 of 30 .* and 20 are needed; most gaps are in 'satisfaction_1' \(12\): leave",
    ),
    "no column": (lambda s: s.drop(columns="image_1"), "no column 'image_1'"),
    "words": (lambda s: s.assign(image_1="good"), "item 'image_1' is not numeric"),
}


@pytest.mark.parametrize("case", HOPELESS)
def test_hopeless_answers_are_refused_by_item_and_cure(case, survey, items):
    spoil, words = HOPELESS[case]
    with pytest.raises(ValueError, match=words):
        estimate_index(CCSI, spoil(survey), items)


def test_a_construct_without_items_is_named(survey, items):
    with pytest.raises(
        ValueError, match=r"nothing about perceived_value, which ccsi needs.*column"
    ):
        estimate_index(CCSI, survey, items[items["construct"] != "perceived_value"])


def test_an_item_listed_twice_is_named(survey, items):
    twice = pd.concat([items, items.head(1)])
    with pytest.raises(ValueError, match=r"lists 'image_0' twice under 'image': keep one"):
        estimate_index(CCSI, survey, twice)


def test_a_structure_that_is_not_recursive_is_refused_when_it_is_built():
    with pytest.raises(
        ValueError, match=r"satisfaction -> loyalty -> image.*not recursive.*take out"
    ):
        IndexModel("circle", CCSI.constructs, (*CCSI.paths, "loyalty -> image"))
    with pytest.raises(ValueError, match=r"construct 'loyalty' is in no path: add one"):
        IndexModel("loose", CCSI.constructs, CCSI.paths[:-1])
    with pytest.raises(ValueError, match=r"no path of 'odd' leads to its target 'image'"):
        IndexModel("odd", CCSI.constructs, CCSI.paths, target="image")


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"named 'ccsii'; did you mean 'ccsi'\?"):
        index_model("ccsii")
    assert set(INDEX_MODELS) == {"ccsi", "acsi", "ecsi", "ccsi_complaints"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": [-1, 2]}, "weights are .*none below 0"),
        ({"weights": [0, 0]}, "weights are"),
        ({"minimum": 10}, "the scale runs from 10 to 10"),
    ],
)
def test_formula_refuses_what_is_no_index(options, words):
    given = {"means": [2, 3], "weights": [1, 1], "minimum": 1, "maximum": 10} | options
    with pytest.raises(ValueError, match=words):
        weighted_index(given.pop("means"), given.pop("weights"), **given)


def test_bootstrap_refuses_what_it_cannot_use(estimate, items):
    with pytest.raises(ValueError, match=r"no row for 'image_0': say where its scale ends"):
        bootstrap_index(estimate, items[1:], n_resamples=10, seed=1)
    with pytest.raises(ValueError, match=r"n_resamples is at least 2"):
        bootstrap_index(estimate, items, n_resamples=1, seed=1)
    with pytest.raises(ValueError, match=r"no row for respondent 299"):
        bootstrap_index(estimate, items, groups=pd.Series(["a"] * 299), n_resamples=9, seed=1)
    with pytest.raises(ValueError, match=r"nothing points to 'image'"):
        bootstrap_index(estimate, items, target="image", n_resamples=10, seed=1)
    with pytest.raises(ValueError, match=r"level is a share"):
        tabulate_index(bootstrap_index(estimate, items, n_resamples=9, seed=1), level=95)


def test_gaps_are_left_out_or_filled_and_counted(survey, items):
    gappy = survey.mask(np.random.default_rng(1).random(survey.shape) < 0.01)
    left = estimate_index(CCSI, gappy, items)
    filled = estimate_index(CCSI, gappy, items, missing="mean")
    assert left.n_left_out == gappy.isna().any(axis=1).sum()
    assert filled.n_filled == gappy.isna().to_numpy().sum()


def test_tables_given_are_left_as_they_are(survey, items):
    before = survey.copy(), items.copy()
    bootstrap_index(estimate_index(CCSI, survey, items), items, n_resamples=5, seed=1)
    pd.testing.assert_frame_equal(survey, before[0])
    pd.testing.assert_frame_equal(items, before[1])


@pytest.fixture
def desk():
    """Four respondents; a complained twice, b once after answering, c asked a question."""
    day = pd.Timestamp("2026-03-10")
    survey = pd.DataFrame({"customer_id": ["a", "b", "c", None], "answered_on": [day] * 4})
    tickets = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "c"],
            "opened_at": day + pd.to_timedelta([-9, -5, 1, -3], unit="D"),
            "closed_at": day + pd.to_timedelta([-8, -4, 2, -2], unit="D"),
            "is_complaint": [True, True, True, False],
            "recovery_score": [4.0, 8.0, 9.0, np.nan],
        }
    )
    columns = ["item", "construct", "text_en", "text_zh", "minimum", "maximum"]
    return survey, pd.DataFrame([["q", "image", "Q", "问", 1.0, 10.0]], columns=columns), tickets


def test_complaint_made_is_asked_of_everyone_with_a_name(desk):
    answers, items = add_complaint_item(ACSI, *desk)
    assert answers["complained"].tolist()[:3] == [1.0, 0.0, 0.0]
    assert np.isnan(answers["complained"].iloc[3])
    assert items.iloc[-1][["item", "construct", "maximum"]].tolist() == [
        "complained",
        "complaint",
        1.0,
    ]
    assert len(desk[1]) == 1


def test_complaint_handled_is_the_mean_score_before_the_answer(desk):
    answers, items = add_complaint_item(CCSI_COMPLAINTS, *desk)
    assert answers[["customer_id", "recovery"]].to_numpy().tolist() == [["a", 6.0]]
    assert items["maximum"].iloc[-1] == 10.0


def test_complaints_that_cannot_be_joined_are_refused(desk):
    survey, items, tickets = desk
    with pytest.raises(ValueError, match=r"no column 'recovery_score'"):
        add_complaint_item(ECSI, survey, items, tickets.drop(columns="recovery_score"))
