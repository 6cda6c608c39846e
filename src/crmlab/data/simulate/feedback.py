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

from crmlab.data.simulate.items import SURVEY_ITEMS
from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.modes import INTERVIEWER_MODES
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["simulate_answers", "simulate_tickets"]

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
) -> pd.DataFrame:
    """Return one row per respondent: position, day, mode, `is_anonymous`, the scores.

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
    """
    start = math.floor(parameters.survey_position * last_day)
    is_asked = np.zeros(len(latents), dtype=bool)
    is_asked[orders.loc[(orders["day"] < start) & (orders["amount"] > 0), "customer"]] = True
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
    # Points an interviewer adds: exactly 0 by default, which changes no answer.
    added = parameters.mode_effect * np.isin(columns["mode"], INTERVIEWER_MODES)
    for item in SURVEY_ITEMS:
        latent = latents[item.latent].to_numpy()[respondent]
        noise = math.sqrt(1 - item.loading**2) * rng.standard_normal(n_respondents)
        score = quantise(item.mean + item.sd * (item.loading * latent + noise))
        is_missing = rng.random(n_respondents) < parameters.missing_share
        score = np.clip(np.round(score + added), item.minimum, item.maximum)
        columns[item.item] = np.where(is_missing, np.nan, score)
    return pd.DataFrame(columns).sort_values(["day", "customer"], kind="stable", ignore_index=True)


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
    orders = orders[orders["amount"] > 0]
    customer = orders["customer"].to_numpy()
    satisfaction = latents["satisfaction"].to_numpy()[customer]
    complaint = quantise(
        special.expit(parameters.complaint_logit + parameters.complaint_satisfaction * satisfaction)
    )
    draw = rng.random(len(orders))
    is_ticket = draw < complaint + parameters.question_share
    day = orders["day"].to_numpy() + 1 + rng.integers(14, size=len(orders))
    chosen = np.flatnonzero(is_ticket & (day <= last_day))
    n_tickets = len(chosen)
    customer, is_complaint = customer[chosen], (draw < complaint)[chosen]
    opened = day[chosen] * 1440 + 8 * 60 + rng.integers(14 * 60, size=n_tickets)
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
