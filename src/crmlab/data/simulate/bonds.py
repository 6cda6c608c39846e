"""What ties a simulated customer to the firm, and what customers expect and get of eight values.

Who asks: whoever studies trust and commitment, spurious loyalty, dependence, or delivered value.
Trust follows satisfaction, commitment follows trust (Morgan and Hunt 1994, The
Commitment-Trust Theory of Relationship Marketing, Journal of Marketing 58(3), 20-38,
doi:10.1177/002224299405800302); relational customers have the higher switching costs (procedural,
financial and relational: Burnham, Frels and Mahajan 2003, doi:10.1177/0092070302250897), and whom
alternatives attract leaves. Drop-out was drawn before: these values are drawn given it, so that
the correlations are those of the parameters.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import special

from crmlab.data.simulate.items import FACTOR_ITEMS
from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["EXPECTATION_LOADINGS", "simulate_bonds", "simulate_factors"]

EXPECTATION_LOADINGS = {
    "product_value": 0.60,
    "service_value": 0.55,
    "personnel_value": 0.45,
    "image_value": 0.40,
    "monetary_cost": -0.45,
    "time_cost": -0.40,
    "psychic_cost": -0.35,
    "energy_cost": -0.30,
}
"""Correlation of what is expected of each value factor with expectation as a whole."""


def simulate_bonds(
    latents: pd.DataFrame, rng: np.random.Generator, parameters: SimulationParameters
) -> pd.DataFrame:
    """Return trust, commitment, switching costs, alternatives and the dependence of both sides.

    Parameters
    ----------
    latents : pandas.DataFrame
        From `simulate_latents`.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.

    Returns
    -------
    pandas.DataFrame, one row per customer
        `trust`, `commitment` (mean 0, variance 1), `switching_cost`, `alternatives` (variance 1,
        mean from the parameters), `customer_dependence`: the normal probability of
        (switching cost - alternatives)/√2; `firm_dependence`: the rank, from 0 to 1, of the
        margin that the customer's orders bring in a week.

    Examples
    --------
    >>> from crmlab.data.simulate.latents import simulate_latents
    >>> latents = simulate_latents(1000, np.random.default_rng(1), SimulationParameters())
    >>> bonds = simulate_bonds(latents, np.random.default_rng(2), SimulationParameters())
    >>> float(round(bonds["trust"].corr(latents["satisfaction"]), 1))
    0.6
    """
    n_customers = len(latents)

    def beside(score, share):
        """Return a score that shares the given part with another one."""
        return share * score + math.sqrt(1 - share**2) * rng.standard_normal(n_customers)

    trust = beside(latents["satisfaction"].to_numpy(), parameters.trust_satisfaction)
    commitment = (
        parameters.commitment_trust * trust
        + parameters.commitment_loyalty * latents["loyalty_disturbance"].to_numpy()
        + math.sqrt(parameters.commitment_residual) * rng.standard_normal(n_customers)
    )
    ties = beside(latents["orientation"].to_numpy(), parameters.ties_orientation)
    ties += parameters.ties_level
    pull = beside(latents["dropout_score"].to_numpy(), parameters.alternatives_dropout)
    pull += parameters.alternatives_level
    margin = (
        latents["purchase_rate_per_week"] * latents["mean_order_value"] * latents["margin_rate"]
    ).to_numpy()
    rank = np.empty(n_customers)
    rank[np.argsort(margin, kind="stable")] = (np.arange(n_customers) + 0.5) / n_customers
    return pd.DataFrame(
        {
            "trust": quantise(trust, 3),
            "commitment": quantise(commitment, 3),
            "switching_cost": quantise(ties, 3),
            "alternatives": quantise(pull, 3),
            "customer_dependence": quantise(special.ndtr((ties - pull) / math.sqrt(2)), 3),
            "firm_dependence": quantise(rank, 3),
        }
    )


def simulate_factors(
    latents: pd.DataFrame,
    item_noise: np.ndarray,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return what each customer expects and perceives of the eight factors of delivered value.

    A perception is ``l * perceived_value + sqrt(1 - l²) * own``, l being the loading of the
    factor's question. The answer to that question has a noise of its own instead; where the
    customer answered, `own` is drawn given it, with correlation √`factor_reliability`.

    Parameters
    ----------
    latents : pandas.DataFrame
        From `simulate_latents`.
    item_noise : numpy.ndarray of float, shape (n_customers, 8)
        Standard normal noise of the answers to `FACTOR_ITEMS`; NaN for who did not answer.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        Holds `factor_reliability`.

    Returns
    -------
    pandas.DataFrame, one row per customer
        ``expected_`` and ``perceived_`` columns of each factor: mean 0, variance 1; of a cost,
        more is more cost.
    """
    n_customers = len(latents)
    columns = {}
    expectation = latents["expectation"].to_numpy()
    for factor, loading in EXPECTATION_LOADINGS.items():
        own = math.sqrt(1 - loading**2) * rng.standard_normal(n_customers)
        columns[f"expected_{factor}"] = quantise(loading * expectation + own, 2)
    perceived = latents["perceived_value"].to_numpy()
    share = math.sqrt(parameters.factor_reliability)
    for item, noise in zip(FACTOR_ITEMS, item_noise.T, strict=True):
        answered = np.where(np.isnan(noise), rng.standard_normal(n_customers), noise)
        own = share * answered + math.sqrt(1 - share**2) * rng.standard_normal(n_customers)
        score = item.loading * perceived + math.sqrt(1 - item.loading**2) * own
        columns[f"perceived_{item.construct}"] = quantise(score, 2)
    return pd.DataFrame(columns)
