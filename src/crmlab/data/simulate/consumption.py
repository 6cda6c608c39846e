"""How the simulated customers consume, and when they take up something new.

Who asks: whoever tells lighthouse customers, followers, rational customers and deal seekers apart.
A new service is offered from a day within the window on. Each month a customer who has not taken
it up does so on an impulse of his own, or because others have: with a probability that grows with
the share of his contacts in the graph of calls who have it. These are the innovation and the
imitation of Bass (1969, A New Product Growth for Model Consumer Durables, Management Science
15(5), 215-227, doi:10.1287/mnsc.15.5.215), person by person.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import sparse, special

from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = [
    "CONSUMPTION_TYPES",
    "IMITATION",
    "INNOVATION",
    "assign_consumption",
    "simulate_adoption",
]

CONSUMPTION_TYPES = ("lighthouse", "follower", "rational", "deal seeking")
"""The four types of consumption."""

INNOVATION = (0.120, 0.003, 0.010, 0.005)
"""Probability of each type to take up something new in a month on an impulse of its own."""

IMITATION = (0.20, 0.45, 0.12, 0.20)
"""Probability of each type to take it up in a month when all its contacts have it."""

_DEAL_SHARE, _LEAD_SHARE, _RATIONAL_SHARE = 0.20, 0.18, 0.30
_LEAD_DEGREE = 0.35  # share of the variance of leading that the number of links makes
_DEAL_PRICE = 0.70  # share of the variance of deal seeking that price sensitivity makes
_STEP_DAYS = 30


def assign_consumption(
    price_sensitivity: np.ndarray, degree: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return the type of consumption of each customer, a position in `CONSUMPTION_TYPES`.

    The fifth that looks at prices most, give or take, seeks deals; of the others those with many
    links tend to lead; a part of the rest compares; who does none of these follows.

    Parameters
    ----------
    price_sensitivity : numpy.ndarray of float, shape (n_customers,)
        From 0 to 1.
    degree : numpy.ndarray of int, shape (n_customers,)
        Links of each customer.
    rng : numpy.random.Generator
        Drawn from.

    Returns
    -------
    numpy.ndarray of int8, shape (n_customers,)

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> kinds = assign_consumption(rng.random(9999), rng.poisson(6, 9999), rng)
    >>> (np.bincount(kinds) / 9999).round(2).tolist()
    [0.15, 0.46, 0.2, 0.2]
    """
    n_customers = len(degree)
    noise = rng.standard_normal((3, n_customers))
    place = np.empty(n_customers)
    place[np.argsort(degree, kind="stable")] = (np.arange(n_customers) + 0.5) / n_customers
    price = special.ndtri(np.clip(price_sensitivity, 1e-6, 1 - 1e-6))
    deal = math.sqrt(_DEAL_PRICE) * price + math.sqrt(1 - _DEAL_PRICE) * noise[0]
    lead = math.sqrt(_LEAD_DEGREE) * special.ndtri(place) + math.sqrt(1 - _LEAD_DEGREE) * noise[1]
    kind = np.ones(n_customers, dtype=np.int8)
    # On a grid, so that the thresholds are the same everywhere.
    kind[quantise(noise[2]) > quantise(special.ndtri(1 - _RATIONAL_SHARE), 3)] = 2
    kind[quantise(lead) > quantise(special.ndtri(1 - _LEAD_SHARE), 3)] = 0
    kind[quantise(deal) > quantise(special.ndtri(1 - _DEAL_SHARE), 3)] = 3
    return kind


def simulate_adoption(
    kind: np.ndarray,
    joined_at: np.ndarray,
    left_at: np.ndarray,
    links: pd.DataFrame,
    last_day: int,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return when each customer takes up the new service, and whether on an own impulse.

    Parameters
    ----------
    kind : numpy.ndarray of int, shape (n_customers,)
        From `assign_consumption`.
    joined_at, left_at : numpy.ndarray of float, shape (n_customers,)
        Days of the first order and of leaving; infinity where the customer stays.
    links : pandas.DataFrame
        `customer` and `other` of each pair, from `simulate_links`.
    last_day : int
        Last day observed.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        Holds `launch_position` and `adoption_pace`.

    Returns
    -------
    pandas.DataFrame, one row per customer
        `adopted`: the day, infinity where it does not happen within the window; `is_innovation`:
        on an impulse of one's own (False where it does not happen).
    """
    n_customers = len(kind)
    ends = (links["customer"].to_numpy(), links["other"].to_numpy())
    ones = np.ones(len(links), dtype=np.float32)
    graph = sparse.csr_matrix((ones, ends), shape=(n_customers, n_customers))
    graph = graph + graph.T
    degree = np.diff(graph.indptr)
    pace = parameters.adoption_pace
    innovation = np.minimum(pace * np.array(INNOVATION), 1.0)[kind]
    imitation = np.minimum(pace * np.array(IMITATION), 1.0)[kind]
    adopted = np.full(n_customers, np.inf)
    is_innovation = np.zeros(n_customers, dtype=bool)
    launch = math.floor(parameters.launch_position * last_day)
    for start in range(launch, last_day + 2 - _STEP_DAYS, _STEP_DAYS):
        has_it = np.isfinite(adopted)
        # Sums of ones are whole numbers: the same everywhere.
        share = (graph @ has_it.astype(np.float32)) / np.maximum(degree, 1)
        draw, place = rng.random(n_customers), rng.integers(_STEP_DAYS, size=n_customers)
        is_there = ~has_it & (joined_at < start) & (left_at >= start + _STEP_DAYS)
        takes = is_there & (draw < innovation + (1 - innovation) * imitation * share)
        adopted[takes] = start + place[takes]
        is_innovation |= takes & (draw < innovation)
    return pd.DataFrame({"adopted": adopted, "is_innovation": is_innovation})
