"""Who the simulated customers are: when they join, and what their record says of them.

Who asks: the table `customers`. Age, income, channel of acquisition and being a business hang
loosely on the latents, as descriptions do: older and referred customers are more often
relational, richer ones and businesses spend more for an order. Sex and region hang on nothing.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import special

from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["simulate_joining", "simulate_profiles"]

_GENDERS = {"female": 0.54, "male": 0.44, "other": 0.02}
_REGIONS = {"east": 0.38, "south": 0.27, "north": 0.22, "west": 0.13}
_CHANNELS = {"search": 0.35, "social": 0.30, "store": 0.20, "partner": 0.15}
_INCOME_BANDS = ("low", "middle", "high")


def simulate_joining(
    n_customers: int, last_day: int, rng: np.random.Generator, parameters: SimulationParameters
) -> np.ndarray:
    """Return when each customer places the first order, in days from the window's start.

    Earlier customers joined evenly over `weeks_before`, the others evenly over the window; in
    order of time.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> joined_at = simulate_joining(1000, 730, rng, SimulationParameters(share_joined_before=0))
    >>> bool((joined_at >= 0).all() and (joined_at < 731).all())
    True
    """
    is_earlier = rng.random(n_customers) < parameters.share_joined_before
    place = rng.random(n_customers)
    before = -7 * parameters.weeks_before * (1 - place)
    return np.sort(np.where(is_earlier, before, place * (last_day + 1)))


def simulate_profiles(
    latents: pd.DataFrame,
    first_year: int,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return what the firm has on record of each customer; some of it is missing at random.

    Parameters
    ----------
    latents : pandas.DataFrame
        From `crmlab.data.simulate.latents.simulate_latents`.
    first_year : int
        Year of the window's first day, in which ages are told.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        Holds `business_share`.

    Returns
    -------
    pandas.DataFrame, one row per customer
        `birth_year` (4 % missing), `gender` (3 %), `region` (1 %), `income_band` (8 %),
        `acquisition_channel`, `is_business`.
    """
    n_customers = len(latents)
    wealth = latents["wealth"].to_numpy()
    orientation = latents["orientation"].to_numpy()

    def beside(score, share):
        """Return a score that shares the given part with another one."""
        return share * score + math.sqrt(1 - share**2) * rng.standard_normal(n_customers)

    def choose(shares):
        words = pd.array(list(shares), dtype="str")
        return words.take(rng.choice(len(shares), size=n_customers, p=list(shares.values())))

    def lose(values, share):
        return pd.Series(values).mask(rng.random(n_customers) < share)

    age = np.clip(np.floor(quantise(39 + 11 * beside(orientation, 0.3))), 18, 85)
    band = np.digitize(beside(wealth, 0.6), (-0.5, 0.8))
    # On a grid, so that the threshold is the same everywhere.
    threshold = quantise(special.ndtri(1 - parameters.business_share), 3)
    is_business = beside(wealth, 0.6) > threshold
    is_referred = rng.random(n_customers) < np.where(orientation > 0, 0.30, 0.12)
    return pd.DataFrame(
        {
            "birth_year": lose(pd.array(first_year - age.astype(np.int64), dtype="Int64"), 0.04),
            "gender": lose(choose(_GENDERS), 0.03),
            "region": lose(choose(_REGIONS), 0.01),
            "income_band": lose(pd.array(_INCOME_BANDS, dtype="str").take(band), 0.08),
            "acquisition_channel": pd.Series(choose(_CHANNELS)).mask(is_referred, "referral"),
            "is_business": is_business,
        }
    )
