"""How simulated customers live, and which benefits they seek: the truth behind two bases.

Who asks: whoever segments by lifestyle (activities, interests and opinions: Wells and Tigert 1971)
or by benefits sought (Haley 1968, Journal of Marketing 32(3), 30-35), and wants to know whether the
answers give back the factors, and the segments, that were put in. The questions stand in
``lifestyle_items.csv`` beside this module.

Four lifestyles are continuous scores: nobody is of a type. Benefit segments are types: each
customer seeks one of four kinds of benefit. Both hang loosely on how the customer buys, so that
what customers say tells something, and not much, of what they do.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import special

from crmlab.data.simulate.items import LIFESTYLE_ITEMS
from crmlab.data.simulate.latents import quantise

__all__ = [
    "BENEFIT_SEGMENTS",
    "LIFESTYLES",
    "STYLE_SHARE",
    "benefit_contrasts",
    "draw_answer_noise",
    "simulate_lifestyles",
]

LIFESTYLES = ("novelty_seeking", "thrift", "sociability", "time_pressure")
"""Lifestyle scores with mean 0 and variance 1."""

THRIFT_PRICE = 0.60
"""Correlation of thrift with the normal score of price sensitivity."""

NOVELTY_ORIENTATION = -0.30
"""Correlation of novelty seeking with being relational."""

BENEFIT_SEGMENTS = ("economy", "quality", "convenience", "care")
"""What a customer seeks above all: a low price, good things, little effort, or help."""

BENEFIT_SLOPES = {"economy": 0.9, "quality": 0.5, "convenience": 0.6, "care": 0.6}
"""What a standard deviation of price sensitivity, spending, time pressure and orientation adds to
the log odds of the segment named."""

STYLE_SHARE = 0.40
"""Share of the noise of answers on benefits that is one respondent's way to use the scale."""


def simulate_lifestyles(latents: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the lifestyle scores of each customer and the kind of benefit sought.

    Parameters
    ----------
    latents : pandas.DataFrame
        From `simulate_latents`.
    rng : numpy.random.Generator
        Drawn from.

    Returns
    -------
    pandas.DataFrame, one row per customer
        The columns of `LIFESTYLES`, and `benefit_segment`, a word of `BENEFIT_SEGMENTS`: the one
        of greatest utility, which is the slope times its score plus a Gumbel disturbance (the
        logit model), so that segments of customers with scores of 0 are equally large.

    Examples
    --------
    >>> from crmlab.data.simulate import SimulationParameters
    >>> from crmlab.data.simulate.latents import simulate_latents
    >>> latents = simulate_latents(2000, np.random.default_rng(1), SimulationParameters())
    >>> lives = simulate_lifestyles(latents, np.random.default_rng(2))
    >>> float(lives["thrift"].corr(latents["price_sensitivity"]).round(1))
    0.6
    """
    n_customers = len(latents)
    # The ends of the quantised rank have no finite normal score.
    price = special.ndtri(np.clip(latents["price_sensitivity"].to_numpy(), 1e-5, 1 - 1e-5))
    orientation = latents["orientation"].to_numpy()

    def beside(score, share):
        """Return a score that shares the given part with another one."""
        return share * score + math.sqrt(1 - share**2) * rng.standard_normal(n_customers)

    scores = {
        "novelty_seeking": quantise(beside(orientation, NOVELTY_ORIENTATION), 2),
        "thrift": quantise(beside(price, THRIFT_PRICE), 2),
        "sociability": quantise(rng.standard_normal(n_customers), 2),
        "time_pressure": quantise(rng.standard_normal(n_customers), 2),
    }
    drives = {
        "economy": price,
        "quality": latents["wealth"].to_numpy(),
        "convenience": scores["time_pressure"],
        "care": orientation,
    }
    best = np.full(n_customers, -np.inf)
    chosen = np.zeros(n_customers, dtype=np.int8)
    for position, name in enumerate(BENEFIT_SEGMENTS):
        utility = quantise(BENEFIT_SLOPES[name] * drives[name] + rng.gumbel(size=n_customers), 4)
        chosen = np.where(utility > best, np.int8(position), chosen)
        best = np.maximum(best, utility)
    words = pd.array(BENEFIT_SEGMENTS, dtype="str").take(chosen)
    return pd.DataFrame(scores | {"benefit_segment": words})


def benefit_contrasts(segment: pd.Series | np.ndarray) -> pd.DataFrame:
    r"""Return the latent behind the questions on each kind of benefit: high for who seeks it.

    :math:`\sqrt 3` for members and :math:`-1/\sqrt 3` for the others: mean 0 and variance 1 where
    a quarter of the customers are members.

    Examples
    --------
    >>> benefit_contrasts(np.array(["care", "quality"])).round(2).iloc[0].to_dict()
    {'economy': -0.58, 'quality': -0.58, 'convenience': -0.58, 'care': 1.73}
    """
    segment = np.asarray(segment)
    return pd.DataFrame(
        {
            name: quantise(np.where(segment == name, math.sqrt(3), -1 / math.sqrt(3)), 4)
            for name in BENEFIT_SEGMENTS
        }
    )


def draw_answer_noise(n_respondents: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the standard normal noise of each answer to `LIFESTYLE_ITEMS`.

    What a respondent finds important in general lifts all the answers on benefits together.
    """
    style = math.sqrt(STYLE_SHARE) * rng.standard_normal(n_respondents)
    own = math.sqrt(1 - STYLE_SHARE)
    noise = {}
    for item in LIFESTYLE_ITEMS:
        noise[item.item] = rng.standard_normal(n_respondents)
        if item.latent in BENEFIT_SEGMENTS:
            noise[item.item] = style + own * noise[item.item]
    return noise
