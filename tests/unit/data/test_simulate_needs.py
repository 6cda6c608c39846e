"""Kano classes, needs and service quality of the simulated survey, against what was planted."""

import numpy as np
import pandas as pd
import pytest

from crmlab.data.simulate import SimulationParameters, simulate_population
from crmlab.data.simulate.items import DIMENSION_ROWS, NEED_ITEMS, SERVICE_ITEMS, list_items
from crmlab.data.simulate.needs import (
    KANO_ERROR_SHARE,
    KANO_SHARES,
    NEED_FEATURES,
    TRUE_CLASSES,
    add_need_answers,
    simulate_kano_classes,
    store_kano_classes,
)
from crmlab.data.simulate.service_quality import add_service_answers
from crmlab.satisfaction import (
    classify_answers,
    dimension_gaps,
    pair_answers,
    pair_statements,
    read_points,
)
from crmlab.satisfaction.kano import EVALUATION_TABLES
from crmlab.satisfaction.service_quality import SERVICE_DIMENSIONS

N = 20_000
SE = 4.5  # standard errors: some hundred comparisons, each exceeding them once in 150,000
PARAMETERS = SimulationParameters()


@pytest.fixture(scope="module")
def latents():
    rng = np.random.default_rng(21)
    names = ("image", "expectation", "perceived_quality", "perceived_value", "satisfaction")
    scores = pd.DataFrame(rng.standard_normal((N, len(names))), columns=list(names))
    return scores.assign(is_relational=rng.random(N) < 0.4)


@pytest.fixture(scope="module")
def classes(latents):
    return simulate_kano_classes(latents, np.random.default_rng(22))


@pytest.fixture(scope="module")
def answers(latents, classes):
    asked = pd.DataFrame({"customer": np.arange(N), "mode": "web"})
    asked = add_need_answers(asked, classes, latents, np.random.default_rng(23), PARAMETERS)
    return add_service_answers(asked, latents, np.random.default_rng(24), PARAMETERS)


@pytest.mark.parametrize("feature", NEED_FEATURES)
@pytest.mark.parametrize("orientation", ["transactional", "relational"])
def test_true_classes_have_the_planted_shares(latents, classes, feature, orientation):
    chosen = latents["is_relational"].to_numpy() == (orientation == "relational")
    found = classes[chosen, NEED_FEATURES.index(feature)]
    for position, share in enumerate(KANO_SHARES[feature, orientation]):
        error = np.sqrt(share * (1 - share) / chosen.sum())
        assert abs((found == position).mean() - share) <= SE * error + 1e-12


def test_planted_shares_sum_to_one():
    assert {round(sum(shares), 12) for shares in KANO_SHARES.values()} == {1.0}


def test_answers_fall_in_the_true_class_but_for_the_planted_errors(answers, classes):
    """Of the pairs answered at random, each class gets its number of cells of 25."""
    pair = pair_answers(answers, list_items())
    found = classify_answers(*pair)
    letters = "".join(EVALUATION_TABLES["standard"])
    for k, feature in enumerate(NEED_FEATURES):
        true = np.array(TRUE_CLASSES)[classes[:, k]]
        known = found[feature].notna().to_numpy()
        lucky = np.array([letters.count(name) / 25 for name in true[known]])
        expected = (1 - KANO_ERROR_SHARE + KANO_ERROR_SHARE * lucky).mean()
        hit = (found[feature].to_numpy()[known] == true[known]).mean()
        assert abs(hit - expected) < SE * np.sqrt(expected * (1 - expected) / known.sum())


def test_importance_follows_the_class_and_performance_its_latent(answers, latents, classes):
    for k, feature in enumerate(NEED_FEATURES):
        importance = answers[f"{feature}_importance"]
        by_class = importance.groupby(classes[:, k]).agg(["mean", "size"])
        must, indifferent = (TRUE_CLASSES.index(name) for name in "MI")
        if {must, indifferent} <= set(by_class.index[by_class["size"] > 300]):
            assert by_class.loc[must, "mean"] > by_class.loc[indifferent, "mean"] + 0.5
        item = next(i for i in NEED_ITEMS if i.item == f"{feature}_performance")
        known = answers[item.item].notna()
        found = np.corrcoef(answers.loc[known, item.item], latents.loc[known, item.latent])[0, 1]
        # Rounding and the ends of the scale take a few hundredths.
        assert item.loading - 0.06 < found < item.loading + 0.02


def test_service_answers_have_the_planted_means_reliabilities_and_ties(answers, latents):
    expected, perceived = pair_statements(answers, list_items())
    found = dimension_gaps(expected, perceived, weights=read_points(answers, list_items()))
    assert tuple(found.index) == SERVICE_DIMENSIONS
    assert found["n_statements"].tolist() == [4, 5, 4, 4, 5]
    for row in DIMENSION_ROWS:
        name, k = row["feature"], found.loc[row["feature"], "n_statements"]
        # The upper end of the scale takes up to a tenth of a point of high expectations.
        assert abs(found.loc[name, "perceived"] - float(row["perceived_mean"])) < 0.12
        assert -0.15 < found.loc[name, "expected"] - float(row["expected_mean"]) < 0.05
        # Items of loading 0.8 correlate by 0.64: α = k r / (1 + (k − 1) r), less the rounding.
        ideal = k * 0.64 / (1 + (k - 1) * 0.64)
        assert ideal - 0.04 < found.loc[name, "alpha_perceived"] < ideal + 0.005
        level = perceived[name].mean(axis=1)
        tie = np.corrcoef(level[level.notna()], latents["perceived_quality"][level.notna()])[0, 1]
        assert abs(tie - float(row["perceived_loading"]) * np.sqrt(ideal)) < 0.03


def test_points_are_whole_and_sum_to_a_hundred_for_who_gave_them(answers):
    names = [item.item for item in SERVICE_ITEMS if item.construct == "service_weight"]
    points = answers[names]
    given = points.notna().all(axis=1)
    assert (points.isna().all(axis=1) | given).all()
    assert points[given].sum(axis=1).eq(100).all()
    assert (points[given] % 1 == 0).all(axis=None)
    means = points.mean() / 100
    planted = [float(row["points"]) / 100 for row in DIMENSION_ROWS]
    np.testing.assert_allclose(means, planted, atol=0.012)  # what rounding gives to the largest


def test_interviewers_add_nothing_to_feelings_and_points(latents, classes):
    pushy = SimulationParameters(mode_effect=2.0)
    tables = []
    for parameters in (PARAMETERS, pushy):
        asked = pd.DataFrame({"customer": np.arange(500), "mode": "telephone"})
        asked = add_need_answers(asked, classes, latents, np.random.default_rng(1), parameters)
        tables.append(add_service_answers(asked, latents, np.random.default_rng(2), parameters))
    same = [column for column in tables[0] if tables[0][column].equals(tables[1][column])]
    feelings = [i.item for i in NEED_ITEMS if i.construct.startswith("kano_")]
    points = [i.item for i in SERVICE_ITEMS if i.construct == "service_weight"]
    assert set(feelings) | set(points) | {"customer", "mode"} == set(same)


def test_every_question_has_two_languages_a_feature_and_a_name_of_its_own():
    items = list_items()
    assert items["item"].is_unique
    asked = items[items["feature"].notna()]
    assert len(asked) == len(NEED_ITEMS) + len(SERVICE_ITEMS)
    assert asked["text_zh"].str.contains("[\u4e00-\u9fff]").all()
    assert not asked["text_en"].str.contains("[\u4e00-\u9fff]").any()
    assert asked["text_en"].is_unique
    assert asked["text_zh"].is_unique


def test_truth_holds_the_classes_of_a_population_and_its_survey_the_answers():
    tables = simulate_population(400, seed=3)
    truth, survey = tables["truth"], tables["survey"]
    assert [column for column in truth if column.startswith("kano_")] == [
        f"kano_{feature}" for feature in NEED_FEATURES
    ]
    assert set(tables["items"]["item"]) <= set(survey.columns)
    found = classify_answers(*pair_answers(survey, tables["items"]))
    true = truth.set_index("customer_id")[[f"kano_{f}" for f in NEED_FEATURES]]
    known = survey["customer_id"].notna()
    rows = true.loc[survey.loc[known, "customer_id"]].to_numpy()
    assert (found[known].astype("object").to_numpy() == rows).mean() > 0.9
    stored = store_kano_classes(np.array([[0, 1, 2, 3, 4, 0, 1, 2, 3]], dtype=np.int8))
    assert stored.iloc[0].tolist() == list("AOMIRAOMI")
