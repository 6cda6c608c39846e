import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.satisfaction import dimension_gaps, pair_statements, read_points, service_measures
from crmlab.satisfaction.service_quality import cronbach_alpha

ITEMS = pd.DataFrame(
    {
        "item": ["e1", "e2", "e3", "p1", "p2", "p3", "w1", "w2"],
        "construct": ["service_expectation"] * 3
        + ["service_perception"] * 3
        + ["service_weight"] * 2,
        "feature": ["care", "care", "looks"] * 2 + ["care", "looks"],
        "minimum": 1.0,
        "maximum": 7.0,
    }
)


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(6)
    trait = rng.normal(size=(200, 1))
    scores = np.clip(np.round(4 + trait + rng.normal(size=(200, 6))), 1, 7)
    survey = pd.DataFrame(scores, columns=list(ITEMS["item"][:6]))
    return survey.assign(w1=60.0, w2=40.0)


def test_gaps_of_two_respondents_are_those_of_paper():
    survey = pd.DataFrame([[7, 6, 5, 5, 4, 6], [6, 6, 6, 6, 6, 6]], columns=ITEMS["item"][:6])
    expected, perceived = pair_statements(survey, ITEMS)
    found = dimension_gaps(expected, perceived)
    assert found["gap"].tolist() == [-1.0, 0.5]
    assert found["expected"].tolist() == [6.25, 5.5]
    assert found["weight"].tolist() == [0.5, 0.5]
    measures = service_measures(expected, perceived)
    assert measures["servqual"].tolist() == [-0.5, 0.0]
    assert measures["servperf"].tolist() == [5.25, 6.0]


def test_servqual_is_servperf_less_the_expectations(answers):
    expected, perceived = pair_statements(answers, ITEMS)
    measures = service_measures(expected, perceived)
    ideal = service_measures(expected, expected)["servperf"]
    np.testing.assert_allclose(measures["servqual"], measures["servperf"] - ideal, atol=1e-12)


def test_dimensions_weigh_alike_however_many_statements_they_have(answers):
    expected, perceived = pair_statements(answers, ITEMS)
    alike = pd.DataFrame({"care": [0.5] * 200, "looks": 0.5})
    found = service_measures(expected, perceived, weights=alike)
    np.testing.assert_allclose(found["servqual_weighted"], found["servqual"], atol=1e-12)
    points = read_points(answers, ITEMS)
    weighted = service_measures(expected, perceived, weights=points)["servperf_weighted"]
    by_hand = 0.6 * perceived["care"].mean(axis=1) + 0.4 * perceived["looks"].mean(axis=1)
    np.testing.assert_allclose(weighted, by_hand)
    as_points = service_measures(expected, perceived, weights=100 * points)["servperf_weighted"]
    np.testing.assert_allclose(as_points, weighted)


def test_interval_of_a_gap_is_students(answers):
    expected, perceived = pair_statements(answers, ITEMS)
    found = dimension_gaps(expected, perceived).loc["care"]
    gap = (perceived["care"] - expected["care"]).mean(axis=1)
    interval = stats.ttest_1samp(gap, 0).confidence_interval(0.95)
    assert found[["gap_lower", "gap_upper"]].tolist() == pytest.approx(list(interval))


def test_alpha_of_parallel_items_is_spearman_browns():
    """k items of equal variance and correlation r: α = k r / (1 + (k − 1) r)."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(40, 4)) - 0)[0]
    basis = np.linalg.qr(basis - basis.mean(axis=0))[0]
    r = 0.4
    items = np.sqrt(r) * basis[:, [0]] + np.sqrt(1 - r) * basis[:, 1:]
    assert cronbach_alpha(items) == pytest.approx(3 * r / (1 + 2 * r))


def test_alpha_without_a_meaning_is_missing():
    assert np.isnan(cronbach_alpha([[1.0], [2.0]]))
    assert np.isnan(cronbach_alpha([[1.0, 2.0]]))
    assert np.isnan(cronbach_alpha([[1.0, 2.0], [1.0, 2.0]]))


def test_alpha_of_gaps_is_below_those_of_the_answers_where_these_go_together(answers):
    expected, perceived = pair_statements(answers, ITEMS)
    found = dimension_gaps(expected, perceived).loc["care"]
    assert found["alpha_gap"] < min(found["alpha_expected"], found["alpha_perceived"]) - 0.2


def test_missing_answer_takes_the_respondent_out_of_what_it_belongs_to(answers):
    gappy = answers.copy()
    gappy.loc[0, "e3"] = np.nan
    expected, perceived = pair_statements(gappy, ITEMS)
    measures = service_measures(expected, perceived)
    assert np.isnan(measures.loc[0, "servqual"])
    assert np.isfinite(measures.loc[0, "servperf"])
    assert dimension_gaps(expected, perceived)["n_respondents"].tolist() == [200, 199]


def test_points_are_shares_and_odd_ones_are_missing():
    survey = pd.DataFrame({"w1": [30.0, 0, -1, np.nan], "w2": [30.0, 0, 5, 5]})
    found = read_points(survey, ITEMS)
    assert found["care"].tolist()[0] == 0.5
    assert found.isna().all(axis=1).tolist() == [False, True, True, True]
    assert read_points(survey, ITEMS[ITEMS["construct"] != "service_weight"]) is None


def test_batteries_without_pairs_are_refused_by_name(answers):
    with pytest.raises(ValueError, match="no item of the construct service_perception"):
        pair_statements(answers, ITEMS[:3])
    with pytest.raises(ValueError, match=r"'looks' has 1 expectations and nan"):
        pair_statements(answers, ITEMS.drop(index=5))
    with pytest.raises(ValueError, match="'e3' names no dimension"):
        pair_statements(answers, ITEMS.assign(feature=ITEMS["feature"].mask(ITEMS.index == 2)))
    with pytest.raises(ValueError, match="different scales"):
        pair_statements(answers, ITEMS.assign(maximum=ITEMS["maximum"].mask(ITEMS.index == 3, 10)))


def test_frames_that_do_not_belong_together_are_refused(answers):
    expected, perceived = pair_statements(answers, ITEMS)
    with pytest.raises(ValueError, match="differ in statements or respondents"):
        service_measures(expected, perceived.iloc[1:])
    with pytest.raises(ValueError, match="'looks' has no weight"):
        service_measures(expected, perceived, weights=pd.DataFrame({"care": [1.0] * 200}))
    with pytest.raises(ValueError, match="nobody answered all statements of the dimension 'care'"):
        dimension_gaps(expected * np.nan, perceived)
