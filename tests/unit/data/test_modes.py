"""Mode effects: planted ones are found, and selection alone is not taken for one."""

import numpy as np
import pandas as pd
import pytest

from crmlab.data.modes import estimate_mode_effect
from crmlab.data.simulate import SimulationParameters, simulate_population
from crmlab.data.simulate.modes import INTERVIEWER_MODES


def population(effect):
    parameters = SimulationParameters(mode_effect=effect, survey_share=1.0, anonymous_share=0)
    tables = simulate_population(4000, seed=21, parameters=parameters)
    items = tables["items"].query("construct == 'satisfaction'")["item"]
    survey = tables["survey"].merge(tables["customers"], on="customer_id")
    return survey.assign(score=survey[list(items)].mean(axis="columns"))


@pytest.fixture(scope="module")
def plain():
    return population(0.0)


@pytest.fixture(scope="module")
def planted():
    return population(1.5)


def estimate(survey, **more):
    return estimate_mode_effect(survey["score"], survey["mode"], survey[["birth_year"]], **more)


def test_weighted_means_by_hand():
    # Of 40 old 30 answer by telephone, of 40 young 10; scores are 8 (old) and 4 (young).
    mode = ["telephone"] * 30 + ["web"] * 10 + ["telephone"] * 10 + ["web"] * 30
    is_old = np.repeat([True, False], 40)
    score = np.where(is_old, 8.0, 4.0)
    found = estimate_mode_effect(score, mode, pd.DataFrame({"age": np.where(is_old, "o", "y")}))
    # Raw: (30 * 8 + 10 * 4) / 40 = 7 against 5. Weighted by 40/30 and 40/10: 6 in both. The
    # regression is shrunk a very little towards no selection.
    assert found.modes["raw_mean"].tolist() == [7, 5]
    assert found.modes["weighted_mean"].tolist() == pytest.approx([6, 6], abs=0.01)
    # Weights 4/3 thirty times and 4 ten times: (40 + 40)^2 / (30 * 16/9 + 10 * 16).
    assert found.modes["n_effective"].iloc[0] == pytest.approx(6400 / (480 / 9 + 160), rel=0.01)


def test_without_covariates_the_weighted_difference_is_the_raw_one(plain):
    found = estimate_mode_effect(plain["score"], plain["mode"], plain[[]])
    pd.testing.assert_series_equal(
        found.modes["mode_effect"], found.modes["raw_difference"], check_names=False
    )


def test_planted_effect_is_recovered(plain, planted):
    # The same people answered with and without it: the truth is their own difference, a little
    # below 1.5 because a scale has an end.
    by_interviewer = plain["mode"].isin(INTERVIEWER_MODES)
    truth = (planted["score"] - plain["score"])[by_interviewer].mean()
    assert 1.0 < truth < 1.5
    found = estimate(planted, reference="web").modes.set_index("mode")
    for mode in INTERVIEWER_MODES:
        error = np.hypot(found.loc[mode, "standard_error"], found.loc["web", "standard_error"])
        assert found.loc[mode, "mode_effect"] == pytest.approx(truth, abs=3 * error)
        assert found.loc[mode, "lower"] > truth / 2
        assert found.loc[mode, "upper"] < truth * 2
    assert estimate(planted).p_value < 1e-6


def test_no_effect_is_found_where_none_was_planted(plain):
    assert estimate(plain).p_value > 0.01


def test_score_is_what_the_reference_mode_would_have_said(plain, planted):
    found = estimate(planted, reference="web")
    error = found.modes["standard_error"].max()
    assert found.score == pytest.approx(plain["score"].mean(), abs=3 * error)
    assert found.raw_score > found.score + 0.3


def test_the_effect_moves_answers_to_interviewers_and_nothing_else():
    plain, moved = (
        simulate_population(300, seed=5, parameters=SimulationParameters(mode_effect=effect))
        for effect in (0.0, 2.0)
    )
    is_web = plain["survey"]["mode"] == "web"
    pd.testing.assert_frame_equal(plain["survey"][is_web], moved["survey"][is_web])
    for name in set(plain) - {"survey"}:
        pd.testing.assert_frame_equal(plain[name], moved[name])
    items = plain["items"].set_index("item")
    is_choice = items["construct"].isin(["kano_functional", "kano_dysfunctional", "service_weight"])
    choices = list(items.index[is_choice])  # codes, and points that add up to 100: not scales
    pd.testing.assert_frame_equal(moved["survey"][choices], plain["survey"][choices])
    for item in items.index[~is_choice]:
        low, high = items.loc[item, ["minimum", "maximum"]]
        expected = (plain["survey"][item] + 2).clip(low, high)
        # An answer at an end of the scale may have been beyond it before.
        inside = ~is_web & plain["survey"][item].gt(low)
        pd.testing.assert_series_equal(moved["survey"][item][inside], expected[inside])


def test_default_population_is_that_without_an_effect(plain):
    assert SimulationParameters().mode_effect == 0
    old = 2024 - plain["birth_year"] > 55
    is_web = plain["mode"] == "web"
    assert is_web[old].mean() < is_web[~old].mean() - 0.2


def test_intervals_hold_what_they_promise_under_selection():
    # 60 surveys of 400; selection and score both hang on age; the effect is 0.5. Seed 9.
    rng = np.random.default_rng(9)
    held, raw = [], []
    for _ in range(60):
        age = rng.normal(size=400)
        is_web = rng.random(400) < 1 / (1 + np.exp(age))
        score = age + 0.5 * is_web + rng.normal(size=400)
        modes = np.where(is_web, "web", "telephone")
        found = estimate_mode_effect(
            score, modes, pd.DataFrame({"age": age}), reference="telephone"
        ).modes.iloc[1]
        held.append(found["lower"] <= 0.5 <= found["upper"])
        raw.append(found["raw_difference"])
    # 95 per cent promised; three standard errors of 60 surveys are 8 points.
    assert np.mean(held) > 0.86
    assert np.mean(raw) < 0


def test_answers_without_score_or_mode_are_counted(plain):
    survey = plain.assign(mode=plain["mode"].where(plain.index > 4))
    survey.loc[10:12, "score"] = np.nan
    assert estimate(survey).n_left_out == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.assign(mode="web"), r"modes with answers are web: \d+; expected two or more"),
        (
            lambda s: s.assign(mode=["mail"] * 9 + ["web"] * (len(s) - 9)),
            "mail: 9, web.*at least 10 answers each",
        ),
    ],
)
def test_surveys_that_cannot_tell_are_refused(plain, change, message):
    with pytest.raises(ValueError, match=message):
        estimate(change(plain))


def test_reference_and_length_are_checked(plain):
    with pytest.raises(ValueError, match="reference is 'fax'; expected one of interview, tele"):
        estimate(plain, reference="fax")
    with pytest.raises(ValueError, match="rows of covariates; expected as many"):
        estimate_mode_effect([1.0], ["web"], plain[["birth_year"]])
