"""The accounts of simulated business customers: how close the two firms are, and what shows it.

Who asks: whoever tells transactional relations from preferred suppliers, partnerships and
alliances (the continuum of Webster 1992, The Changing Role of Marketing in the Corporation,
Journal of Marketing 56(4), 1-17, doi:10.2307/1251983), by the connectors that Cannon
and Perreault 1999 use (Buyer-Seller Relationships in Business Markets, Journal of Marketing
Research 36(4), 439-460, doi:10.2307/3151999). The type is the truth; every indicator
has a mean of its own in each type, and scatters about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from crmlab.data.simulate.latents import quantise

__all__ = ["INDICATOR_MEANS", "RELATIONSHIP_TYPES", "TYPE_SHARES", "simulate_accounts"]

RELATIONSHIP_TYPES = ("transactional", "preferred supplier", "partnership", "alliance")
"""The four types, from the loosest to the closest."""

TYPE_SHARES = (0.40, 0.32, 0.20, 0.08)
"""Share of each type among the accounts."""

INDICATOR_MEANS: Mapping[str, tuple[float, float, float, float]] = MappingProxyType(
    {
        # Counts, Poisson.
        "n_meetings": (3.0, 10.0, 24.0, 40.0),
        "n_contact_persons": (1.5, 3.0, 6.0, 10.0),
        "n_inbound_contacts": (4.0, 8.0, 12.0, 16.0),
        "n_outbound_contacts": (1.0, 7.0, 15.0, 25.0),
        "n_joint_projects": (0.05, 0.4, 1.6, 3.5),
        # Ratings from 1 to 7, normal with standard deviation 1, rounded.
        "information_sharing": (2.2, 3.6, 5.0, 5.9),
        "joint_planning": (1.6, 2.9, 4.8, 5.9),
        "integration": (1.6, 2.9, 4.5, 5.7),
        "adaptation": (1.7, 3.1, 4.8, 5.5),
        "goal_congruence": (2.8, 3.6, 4.8, 5.9),
        "trust": (3.8, 4.5, 5.2, 5.6),
        "commitment": (3.2, 4.2, 5.2, 5.8),
        "buyer_dependence": (2.4, 3.4, 4.4, 5.0),
        "supplier_dependence": (2.0, 2.9, 4.4, 5.2),
        # Shares, Beta of concentration 12.
        "share_of_wallet": (0.18, 0.42, 0.65, 0.80),
        "supplier_value_share": (0.50, 0.36, 0.48, 0.50),
        # Money and days, exponential.
        "days_to_follow_up": (25.0, 10.0, 5.0, 3.0),
        "specific_investment": (2e3, 15e3, 120e3, 900e3),
        "relationship_cost": (2e3, 9e3, 35e3, 120e3),
        "joint_value": (1e3, 18e3, 110e3, 500e3),
        # Probabilities.
        "has_contract": (0.15, 0.60, 0.85, 0.98),
        "has_equity_tie": (0.0, 0.01, 0.05, 0.75),
        "is_followed_up": (0.35, 0.80, 0.95, 1.0),
    }
)
"""Mean of each indicator in each of `RELATIONSHIP_TYPES`."""

_COUNTS = tuple(name for name in INDICATOR_MEANS if name.startswith("n_"))
_RATINGS = tuple(INDICATOR_MEANS)[5:14]
_INDUSTRIES = ("manufacturing", "trade", "services", "public")
_ROLES = ("end user", "distributor", "agent")
_LEVELS = ("clerk", "buyer", "manager", "board")
_CONTRACTS = (12, 24, 36)


def simulate_accounts(
    is_business: np.ndarray, latents: pd.DataFrame, bonds: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the account of each business customer.

    The closest types go to the accounts with the highest sum of commitment, of the firm's
    dependence on the customer (as a normal score, by wealth) and of chance.

    Parameters
    ----------
    is_business : numpy.ndarray of bool, shape (n_customers,)
        Whose account there is.
    latents, bonds : pandas.DataFrame
        From `simulate_latents` and `simulate_bonds`.
    rng : numpy.random.Generator
        Drawn from.

    Returns
    -------
    pandas.DataFrame, one row per account
        `customer` (position), `type` (a position in `RELATIONSHIP_TYPES`) and the columns of the
        table `accounts`.
    """
    customer = np.flatnonzero(is_business)
    n = len(customer)
    wealth = latents["wealth"].to_numpy()[customer]
    trust, commitment = (bonds[name].to_numpy()[customer] for name in ("trust", "commitment"))
    score = commitment + 0.8 * wealth + rng.standard_normal(n)
    rank = np.empty(n)
    rank[np.argsort(quantise(score), kind="stable")] = (np.arange(n) + 0.5) / max(n, 1)
    kind = np.searchsorted(np.cumsum(TYPE_SHARES)[:-1], rank, side="right")
    mean = {name: np.array(values)[kind] for name, values in INDICATOR_MEANS.items()}

    columns = {
        "customer": customer,
        "type": kind,
        "industry": _choose(_INDUSTRIES, (0.35, 0.30, 0.25, 0.10), n, rng),
        "role": _choose(_ROLES, (0.70, 0.20, 0.10), n, rng),
        "n_employees": np.ceil(
            quantise(60 * np.exp(0.5 * wealth + 1.1 * rng.standard_normal(n)), 2)
        ),
        "highest_contact": pd.array(_LEVELS, dtype="str").take(
            np.clip(kind + rng.choice((-1, 0, 1), size=n, p=(0.15, 0.7, 0.15)), 0, 3)
        ),
    }
    for name in _COUNTS:
        columns[name] = rng.poisson(mean[name])
    columns["n_contact_persons"] = np.maximum(columns["n_contact_persons"], 1)
    # What a customer feels moves two of the ratings within the type.
    feeling = {"trust": 0.6 * trust, "commitment": 0.6 * commitment}
    for name in _RATINGS:
        noise = feeling.get(name, 0.0) + (0.8 if name in feeling else 1.0) * rng.standard_normal(n)
        columns[name] = np.clip(np.round(quantise(mean[name] + noise)), 1, 7)
    for name in ("share_of_wallet", "supplier_value_share"):
        columns[name] = quantise(rng.beta(12 * mean[name], 12 * (1 - mean[name])), 2)
    for name in ("specific_investment", "relationship_cost", "joint_value"):
        columns[name] = quantise(mean[name] * rng.standard_exponential(n), 2)
    follow_up = np.ceil(quantise(mean["days_to_follow_up"] * rng.standard_exponential(n)))
    is_followed_up = rng.random(n) < mean["is_followed_up"]
    columns["days_to_follow_up"] = np.where(is_followed_up, follow_up, np.nan)
    months = np.array(_CONTRACTS)[rng.integers(len(_CONTRACTS), size=n)]
    columns["contract_months"] = np.where(rng.random(n) < mean["has_contract"], months, 0)
    columns["has_equity_tie"] = rng.random(n) < mean["has_equity_tie"]
    return pd.DataFrame(columns)


def _choose(words: tuple[str, ...], shares: tuple[float, ...], n: int, rng) -> pd.Series:
    return pd.Series(pd.array(words, dtype="str").take(rng.choice(len(words), size=n, p=shares)))
