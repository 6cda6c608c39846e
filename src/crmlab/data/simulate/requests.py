"""What simulated customers ask of the firm beyond buying, and how the firm reacts.

Who asks: whoever sorts customers by what the firm does when they want something. The firm has a
policy for each customer, which nobody wrote down: it yields, cares, adapts or does not bother. It
bothers more, and yields more, the more it depends on the customer. Rational customers ask the most,
mostly for something to compare; deal seekers ask for a better price.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["ANSWER_SHARES", "REQUEST_KINDS", "RESPONSE_POLICIES", "simulate_requests"]

REQUEST_KINDS = ("price", "exception", "comparison", "advice", "change")
"""A better price; an exception to the terms; something to compare with; advice; a change."""

RESPONSE_POLICIES = ("compliant", "caring", "adaptive", "indifferent")
"""The firm yields, cares, adapts, or does not bother."""

ANSWER_SHARES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "granted": (0.70, 0.14, 0.12, 0.08),
        "helped": (0.12, 0.62, 0.16, 0.08),
        "tailored": (0.06, 0.12, 0.60, 0.04),
        "refused": (0.08, 0.07, 0.07, 0.30),
        "ignored": (0.04, 0.05, 0.05, 0.50),
    }
)
"""Share of each answer under each policy; who is ignored has no answer on record."""

# By type of consumption: lighthouse, follower, rational, deal seeking.
_PACE = (1.0, 0.6, 2.4, 1.5)
_KIND_SHARES = (
    (0.10, 0.15, 0.15, 0.35, 0.25),
    (0.15, 0.15, 0.15, 0.40, 0.15),
    (0.12, 0.10, 0.53, 0.15, 0.10),
    (0.55, 0.15, 0.15, 0.10, 0.05),
)
# By the firm's dependence on the customer: the lowest 30 %, the middle half, the highest 20 %.
_POLICY_SHARES = ((0.12, 0.13, 0.10, 0.65), (0.15, 0.38, 0.22, 0.25), (0.38, 0.27, 0.27, 0.08))
_DAYS_TO_ANSWER = (2.0, 1.0, 4.0, 8.0)
_FOLLOW_UPS = (0.2, 1.5, 0.7, 0.05)
_SHAPE = 0.8  # of the gamma distribution of how often customers ask


def simulate_requests(
    kind: np.ndarray,
    firm_dependence: np.ndarray,
    joined_at: np.ndarray,
    left_at: np.ndarray,
    last_day: int,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the requests with their answers, in order of time, and the firm's policies.

    Parameters
    ----------
    kind : numpy.ndarray of int, shape (n_customers,)
        Type of consumption, from `crmlab.data.simulate.consumption.assign_consumption`.
    firm_dependence : numpy.ndarray of float, shape (n_customers,)
        From 0 to 1, from `crmlab.data.simulate.bonds.simulate_bonds`.
    joined_at, left_at : numpy.ndarray of float, shape (n_customers,)
        Days of the first order and of leaving; infinity where the customer stays.
    last_day : int
        Last day observed; what would be answered after it is open.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        Holds `requests_per_year`.

    Returns
    -------
    requests : pandas.DataFrame
        `customer` (position), `day`, `kind` and `answer` (positions in `REQUEST_KINDS` and
        `ANSWER_SHARES`), `answered` (day; infinity where there is no answer by the last day) and
        `n_follow_ups`.
    policy : numpy.ndarray of int8, shape (n_customers,)
        A position in `RESPONSE_POLICIES`.
    """
    n_customers = len(kind)
    tier = np.searchsorted((0.3, 0.8), firm_dependence, side="right")
    policy = _choose(np.array(_POLICY_SHARES)[tier], rng)
    begin = np.maximum(joined_at, 0.0)
    stay = np.maximum(np.minimum(left_at, last_day + 1.0) - begin, 0.0)
    pace = quantise(rng.standard_gamma(_SHAPE, n_customers) / _SHAPE)
    mean = parameters.requests_per_year * np.array(_PACE)[kind] * pace * stay / 365
    n_requests = rng.poisson(quantise(mean))
    customer = np.repeat(np.arange(n_customers, dtype=np.int32), n_requests)
    place = rng.random(len(customer))
    day = np.floor(begin[customer] + place * stay[customer]).astype(np.int64)
    day = np.minimum(day, last_day)
    wish = _choose(np.array(_KIND_SHARES)[kind[customer]], rng)
    shares = np.array(list(ANSWER_SHARES.values())).T
    answer = _choose(shares[policy[customer]], rng)
    wait = np.array(_DAYS_TO_ANSWER)[policy[customer]] * rng.standard_exponential(len(customer))
    answered = day + np.ceil(quantise(wait))
    is_answered = (answer < len(ANSWER_SHARES) - 1) & (answered <= last_day)
    n_follow_ups = rng.poisson(np.array(_FOLLOW_UPS)[policy[customer]])
    requests = pd.DataFrame(
        {
            "customer": customer,
            "day": day,
            "kind": wish,
            "answer": answer,
            "answered": np.where(is_answered, answered, np.inf),
            "n_follow_ups": np.where(is_answered, n_follow_ups, 0),
        }
    )
    return requests.sort_values(["day", "customer"], kind="stable", ignore_index=True), policy


def _choose(shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a position for each row of shares, drawn with them."""
    draw = rng.random(len(shares))
    bounds = quantise(shares.cumsum(axis=1)[:, :-1])
    return (draw[:, None] >= bounds).sum(axis=1).astype(np.int8)
