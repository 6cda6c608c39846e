"""What the simulated customers say: answers to the survey, questions and complaints.

Who asks: whoever measures satisfaction and its consequences. Scores come from the latents as
`crmlab.data.simulate.items.SurveyItem` says; complaints come after orders, and the more often the
less satisfied the customer is.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import special

from crmlab.data.simulate.items import (
    BOND_ITEMS,
    FACTOR_ITEMS,
    FIRST_ITEMS,
    LIFESTYLE_ITEMS,
    SurveyItem,
)
from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.lifestyles import benefit_contrasts, draw_answer_noise
from crmlab.data.simulate.modes import INTERVIEWER_MODES
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = [
    "add_bond_answers",
    "add_lifestyle_answers",
    "added_points",
    "draw_scores",
    "simulate_answers",
    "simulate_tickets",
]

_FIELD_DAYS = 28
_CHANNELS = ("telephone", "chat", "email", "app")
_COMPLAINTS = ("quality", "delivery", "price", "service")
_QUESTIONS = ("product", "order", "account")
_USUAL_HOURS = 6.0


def simulate_answers(
    orders: pd.DataFrame,
    latents: pd.DataFrame,
    modes: np.ndarray,
    last_day: int,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return who answers what, and the noise of the answers on the factors of delivered value.

    Asked are all customers with an order before the survey starts; who answers is random, and so
    is the day, within four weeks.

    Parameters
    ----------
    orders : pandas.DataFrame
        `customer`, `day` and `amount`, within the window.
    latents : pandas.DataFrame
        From `simulate_latents`.
    modes : numpy.ndarray of str
        How each customer would answer, from `crmlab.data.simulate.modes.simulate_modes`.
    last_day : int
        Last day observed.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.

    Returns
    -------
    answers : pandas.DataFrame
        One row per respondent: `customer` (position), `day`, `mode`, `is_anonymous`, the scores.
    item_noise : numpy.ndarray of float, shape (n_customers, 8)
        Standard normal noise behind the answers to `FACTOR_ITEMS`; NaN for who did not answer.
    """
    start = math.floor(parameters.survey_position * last_day)
    is_asked = np.zeros(len(latents), dtype=bool)
    is_before = (orders["day"].to_numpy() < start) & (orders["amount"].to_numpy() > 0)
    is_asked[orders["customer"].to_numpy()[is_before]] = True
    answers = is_asked & (rng.random(len(latents)) < parameters.survey_share)
    respondent = rng.permutation(np.flatnonzero(answers))
    n_respondents = len(respondent)
    day = np.minimum(start + rng.integers(_FIELD_DAYS, size=n_respondents), last_day)
    columns = {
        "customer": respondent,
        "day": day,
        "mode": modes[respondent],
        "is_anonymous": rng.random(n_respondents) < parameters.anonymous_share,
    }
    added = added_points(columns["mode"], parameters)
    noises = {}
    for item in FIRST_ITEMS:
        latent = latents[item.latent].to_numpy()[respondent]
        noises[item.item] = rng.standard_normal(n_respondents)
        columns[item.item] = draw_scores(item, latent, noises[item.item], added, rng, parameters)
    answers = pd.DataFrame(columns)
    item_noise = np.full((len(latents), len(FACTOR_ITEMS)), np.nan)
    item_noise[respondent] = np.column_stack([noises[item.item] for item in FACTOR_ITEMS])
    answers = answers.sort_values(["day", "customer"], kind="stable", ignore_index=True)
    return answers, item_noise


def add_bond_answers(
    answers: pd.DataFrame,
    latents: pd.DataFrame,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return the answers with those to `BOND_ITEMS`.

    Parameters
    ----------
    answers : pandas.DataFrame
        From `simulate_answers`.
    latents : pandas.DataFrame
        The columns of `simulate_bonds` and `simulate_factors`.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.
    """
    respondent = answers["customer"].to_numpy()
    added = added_points(answers["mode"], parameters)
    columns = {}
    for item in BOND_ITEMS:
        latent = latents[item.latent].to_numpy()[respondent]
        noise = rng.standard_normal(len(respondent))
        columns[item.item] = draw_scores(item, latent, noise, added, rng, parameters)
    return pd.concat([answers, pd.DataFrame(columns)], axis=1)


def add_lifestyle_answers(
    answers: pd.DataFrame,
    lifestyles: pd.DataFrame,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return the answers with those to `LIFESTYLE_ITEMS`.

    Parameters
    ----------
    answers : pandas.DataFrame
        From `simulate_answers`.
    lifestyles : pandas.DataFrame
        From `crmlab.data.simulate.lifestyles.simulate_lifestyles`.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.
    """
    asked = lifestyles.iloc[answers["customer"].to_numpy()].reset_index(drop=True)
    latents = asked.join(benefit_contrasts(asked["benefit_segment"]))
    added = added_points(answers["mode"], parameters)
    noise = draw_answer_noise(len(asked), rng)
    columns = {
        item.item: draw_scores(
            item, latents[item.latent].to_numpy(), noise[item.item], added, rng, parameters
        )
        for item in LIFESTYLE_ITEMS
    }
    return pd.concat([answers, pd.DataFrame(columns)], axis=1)


def added_points(modes: np.ndarray, parameters: SimulationParameters) -> np.ndarray:
    """Return the points an interviewer adds: exactly 0 by default, which changes no answer."""
    return parameters.mode_effect * np.isin(modes, INTERVIEWER_MODES)


def draw_scores(
    item: SurveyItem,
    latent: np.ndarray,
    noise: np.ndarray,
    added: np.ndarray,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> np.ndarray:
    """Return the scores that a latent, a noise and added points give, some of them missing.

    Parameters
    ----------
    item : SurveyItem
        The question: loading, mean, standard deviation and ends of its scale.
    latent, noise, added : numpy.ndarray of float, shape (n_respondents,)
        Standardised latent and noise, and points added before rounding.
    rng : numpy.random.Generator
        Decides which answers are missing.
    parameters : SimulationParameters
        Holds `missing_share`.
    """
    score = item.loading * latent + math.sqrt(1 - item.loading**2) * noise
    score = np.round(quantise(item.mean + item.sd * score) + added)
    is_missing = rng.random(len(latent)) < parameters.missing_share
    return np.where(is_missing, np.nan, np.clip(score, item.minimum, item.maximum))


def simulate_tickets(
    orders: pd.DataFrame,
    latents: pd.DataFrame,
    last_day: int,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return the questions and complaints that follow orders, in order of time.

    Parameters
    ----------
    orders : pandas.DataFrame
        `customer`, `day` and `amount`, within the window; returns bring no ticket.
    latents : pandas.DataFrame
        From `simulate_latents`.
    last_day : int
        Last day observed; what would be answered or closed after it is missing.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.

    Returns
    -------
    pandas.DataFrame
        `customer` (position), `opened` and `closed` (minutes since the start of the window;
        `closed` NaN while open), `channel`, `category`, `is_complaint`, `first_response_hours`
        (lognormal) and `recovery_score` (complaints only, for three in four that are closed).
    """
    is_purchase = orders["amount"].to_numpy() > 0
    customer, day = (orders[name].to_numpy()[is_purchase] for name in ("customer", "day"))
    satisfaction = latents["satisfaction"].to_numpy()
    complaint = quantise(
        special.expit(parameters.complaint_logit + parameters.complaint_satisfaction * satisfaction)
    )
    draw = rng.random(len(customer))
    is_ticket = draw < complaint[customer] + parameters.question_share
    delay = 1 + rng.integers(14, size=len(customer))
    chosen = np.flatnonzero(is_ticket & (day + delay <= last_day))
    n_tickets = len(chosen)
    customer, day = customer[chosen], (day + delay)[chosen]
    is_complaint = draw[chosen] < complaint[customer]
    opened = day * 1440 + 8 * 60 + rng.integers(14 * 60, size=n_tickets)
    response_hours = quantise(_USUAL_HOURS * np.exp(rng.standard_normal(n_tickets)), 2)
    handling_hours = quantise(20.0 * np.exp(1.1 * rng.standard_normal(n_tickets)), 2)
    end = (last_day + 1) * 1440
    responded = opened + np.ceil(response_hours * 60)
    closed = responded + np.ceil(handling_hours * 60)
    category = np.where(
        is_complaint,
        rng.choice(_COMPLAINTS, size=n_tickets, p=(0.35, 0.35, 0.15, 0.15)),
        rng.choice(_QUESTIONS, size=n_tickets, p=(0.40, 0.40, 0.20)),
    )
    recovery = _recovery_scores(
        latents["satisfaction_disturbance"].to_numpy()[customer], response_hours, rng, parameters
    )
    channel = rng.choice(_CHANNELS, size=n_tickets, p=(0.35, 0.30, 0.15, 0.20))
    is_scored = is_complaint & (closed < end) & (rng.random(n_tickets) < 0.75)
    return pd.DataFrame(
        {
            "customer": customer,
            "opened": opened,
            "closed": np.where(closed < end, closed, np.nan),
            "channel": pd.array(channel.astype(object), dtype="str"),
            "category": pd.array(category.astype(object), dtype="str"),
            "is_complaint": is_complaint,
            "first_response_hours": np.where(responded < end, response_hours, np.nan),
            "recovery_score": np.where(is_scored, recovery, np.nan),
        }
    ).sort_values(["opened", "customer"], kind="stable", ignore_index=True)


def _recovery_scores(
    disturbance: np.ndarray,
    response_hours: np.ndarray,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> np.ndarray:
    """Return 0-10 scores: higher where satisfaction exceeds its causes, lower after a long wait."""
    tie = parameters.recovery_satisfaction
    noise = math.sqrt(1 - tie**2) * rng.standard_normal(len(disturbance))
    doublings = np.log2(np.maximum(response_hours, 0.01) / _USUAL_HOURS)
    score = 5.5 + 2.2 * (tie * disturbance + noise) - parameters.recovery_log_hours * doublings
    return np.clip(np.round(quantise(score)), 0, 10)
