"""Lifestyles and benefits sought are what the module says, and so are the answers about them.

Oracles: closed forms (correlations put in, the logit model's shares, the mean of a normal score
rounded and cut at the ends of its scale). Tolerances are 4 standard errors.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.data.simulate import SimulationParameters, simulate_population
from crmlab.data.simulate.items import FIRST_ITEMS, LIFESTYLE_ITEMS
from crmlab.data.simulate.latents import simulate_latents
from crmlab.data.simulate.lifestyles import (
    BENEFIT_SEGMENTS,
    BENEFIT_SLOPES,
    LIFESTYLES,
    NOVELTY_ORIENTATION,
    STYLE_SHARE,
    THRIFT_PRICE,
    benefit_contrasts,
    simulate_lifestyles,
)

N = 8000
SE = 4


@pytest.fixture(scope="module")
def latents():
    return simulate_latents(N, np.random.default_rng(3), SimulationParameters())


@pytest.fixture(scope="module")
def lives(latents):
    return simulate_lifestyles(latents, np.random.default_rng(4))


@pytest.fixture(scope="module")
def answered():
    tables = simulate_population(N, seed=12, parameters=SimulationParameters(anonymous_share=0))
    truth = tables["truth"].set_index("customer_id")
    survey = tables["survey"]
    return survey.join(truth[[*LIFESTYLES, "benefit_segment"]], on="customer_id")


def assert_correlated(one, other, expected):
    found = np.corrcoef(one, other)[0, 1]
    assert abs(found - expected) < SE * (1 - expected**2) / np.sqrt(len(one))


def test_lifestyles_are_standardised_and_tied_as_stated(latents, lives):
    scores = lives[list(LIFESTYLES)]
    assert (np.abs(scores.mean()) < SE / np.sqrt(N)).all()
    assert (np.abs(scores.var() - 1) < SE * np.sqrt(2 / N)).all()
    price = stats.norm.ppf(np.clip(latents["price_sensitivity"], 1e-5, 1 - 1e-5))
    assert_correlated(lives["thrift"], price, THRIFT_PRICE)
    assert_correlated(lives["novelty_seeking"], latents["orientation"], NOVELTY_ORIENTATION)
    assert_correlated(lives["sociability"], lives["time_pressure"], 0)


def test_benefits_follow_the_logit_model(latents, lives):
    price = stats.norm.ppf(np.clip(latents["price_sensitivity"], 1e-5, 1 - 1e-5))
    drives = np.column_stack(
        [price, latents["wealth"], lives["time_pressure"], latents["orientation"]]
    )
    odds = np.exp(drives * [BENEFIT_SLOPES[name] for name in BENEFIT_SEGMENTS])
    chance = odds / odds.sum(axis=1, keepdims=True)
    for position, name in enumerate(BENEFIT_SEGMENTS):
        is_member, p = (lives["benefit_segment"] == name).to_numpy(), chance[:, position]
        # Among those whom the model gives much and little chance alike.
        for part in np.array_split(np.argsort(p), 4):
            error = np.sqrt((p[part] * (1 - p[part])).sum()) / len(part)
            assert abs(is_member[part].mean() - p[part].mean()) < SE * error


def test_contrasts_of_equal_segments_have_mean_zero_and_variance_one():
    contrasts = benefit_contrasts(np.array(BENEFIT_SEGMENTS))
    np.testing.assert_allclose(contrasts.mean(), 0, atol=1e-4)
    np.testing.assert_allclose(contrasts.var(ddof=0), 1, atol=2e-4)


def test_a_question_on_a_benefit_is_answered_higher_by_those_who_seek_it(answered):
    for item in LIFESTYLE_ITEMS:
        if item.latent not in BENEFIT_SEGMENTS:
            continue
        cuts = np.arange(item.minimum, item.maximum) + 0.5
        spread = item.sd * np.sqrt(1 - item.loading**2)
        for is_member, latent in ((True, np.sqrt(3)), (False, -1 / np.sqrt(3))):
            chosen = answered[(answered["benefit_segment"] == item.latent) == is_member]
            scores = chosen[item.item].dropna()
            centre = item.mean + item.sd * item.loading * latent
            expected = item.minimum + stats.norm.sf((cuts - centre) / spread).sum()
            assert abs(scores.mean() - expected) < SE * scores.std() / np.sqrt(len(scores))


def test_answers_on_benefits_share_the_respondents_way_to_use_the_scale(answered):
    """Within a segment two answers correlate by the style alone, less what rounding takes."""
    within = answered[answered["benefit_segment"] == "care"]
    pair = within[["benefit_low_price", "benefit_range"]].dropna().to_numpy()
    found = np.corrcoef(pair.T)[0, 1]
    error = (1 - STYLE_SHARE**2) / np.sqrt(len(pair))
    # Sheppard: rounding to whole points adds 1/12 to a variance of about 2.2.
    assert abs(found - STYLE_SHARE / (1 + 1 / 12 / 2.2)) < SE * error


def test_battery_measures_each_lifestyle_by_three_questions(answered):
    battery = pd.Series({i.item: i.latent for i in LIFESTYLE_ITEMS if i.construct == "lifestyle"})
    assert battery.value_counts().to_dict() == dict.fromkeys(LIFESTYLES, 3)
    correlations = answered[list(battery.index)].corr()
    # Questions on one lifestyle hang together, those on different ones hardly do.
    same = np.equal.outer(battery.to_numpy(), battery.to_numpy())
    off = ~np.eye(len(battery), dtype=bool)
    assert correlations.to_numpy()[same & off].min() > 0.3
    assert np.abs(correlations.to_numpy()[~same]).max() < 0.2


def test_new_questions_stand_after_the_old_ones_and_leave_their_answers_alone():
    tables = simulate_population(60, seed=2)
    columns = list(tables["survey"].columns)
    assert columns[5 : 5 + len(FIRST_ITEMS)] == [item.item for item in FIRST_ITEMS]
    asked = tables["items"].set_index("item")["construct"]
    assert set(asked[asked.isin(["lifestyle", "benefit_sought"])].index) == {
        item.item for item in LIFESTYLE_ITEMS
    }
    assert {*LIFESTYLES, "benefit_segment"} <= set(tables["truth"].columns)
