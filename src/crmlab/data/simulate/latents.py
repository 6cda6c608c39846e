"""The latent values of each simulated customer: what they think, how they buy, what they cost.

Who asks: every table of the population is a consequence of these values. Vocabulary: the *normal
score* of a value is the standard normal value of the same rank. Buying and leaving are tied to
satisfaction through normal scores, so that λ stays exactly Gamma and p exactly Beta over the
customers, and each independent of the other, as BG/NBD assumes.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from scipy import special

from crmlab.data.simulate.parameters import CONSTRUCTS, SimulationParameters, implied_variances

__all__ = ["quantise", "simulate_latents"]


def quantise(values: np.ndarray, decimals: int = 6) -> np.ndarray:
    """Return the values on a grid of 10 ** -decimals.

    This makes data; it does not round a statistic. `exp`, `log` and the quantile functions of
    SciPy may differ in the last bit between processors and releases. Put on a grid as soon as it
    is made, a value is the same everywhere, and so is everything that follows from it.
    """
    return np.round(values, decimals) + 0.0


def simulate_latents(
    n_customers: int, rng: np.random.Generator, parameters: SimulationParameters
) -> pd.DataFrame:
    """Return one row of latent values per customer, each on a grid (see `quantise`).

    Parameters
    ----------
    n_customers : int
        Number of customers, 1 or more.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.

    Returns
    -------
    pandas.DataFrame, shape (n_customers, 19)
        The columns of `truth` that are known before a customer does anything, and
        `satisfaction_disturbance` and `loyalty_disturbance`, the standardised parts of
        satisfaction and loyalty that no path explains; `orientation`, `wealth` and
        `dropout_score` are the normal scores of being relational, of spending and of leaving.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> latents = simulate_latents(1000, rng, SimulationParameters())
    >>> latents.shape, int(latents["is_relational"].sum())
    ((1000, 19), 417)
    """
    normal = {name: rng.standard_normal(n_customers) for name in _SCORES}
    scores = _satisfaction_scores(normal, parameters)
    rate_score, dropout_score = _behaviour_scores(scores, normal, parameters)
    orientation = -0.45 * dropout_score + math.sqrt(1 - 0.45**2) * normal["orientation"]
    price_score = -0.50 * orientation + math.sqrt(1 - 0.50**2) * normal["price_sensitivity"]
    price_sensitivity = quantise(special.ndtr(price_score))
    # The mean value of an order is p / ν with ν ~ Gamma(q, γ): the smallest ν spend the most.
    spend_quantile = _in_threads(
        lambda score: special.gammaincinv(parameters.spend_heterogeneity, special.ndtr(score)),
        -normal["wealth"],
    )
    mean_order_value = parameters.spend_shape * parameters.spend_scale / spend_quantile
    margin_rate = (
        parameters.margin_rate
        - parameters.margin_price_effect * price_sensitivity
        + 0.04 * normal["margin"]
    )
    intensity = np.exp(
        parameters.intensity_sigma
        * (0.3 * price_score + math.sqrt(1 - 0.3**2) * normal["intensity"])
    )
    return pd.DataFrame(
        {
            "is_relational": orientation > special.ndtri(1 - parameters.relational_share),
            "price_sensitivity": price_sensitivity,
            "purchase_rate_per_week": _gamma_quantile(rate_score, parameters),
            "dropout_probability": _beta_quantile(dropout_score, parameters),
            "mean_order_value": np.maximum(quantise(mean_order_value, 2), 0.01),
            "margin_rate": quantise(np.clip(margin_rate, 0.05, 0.75)),
            "service_intensity": np.maximum(quantise(intensity), 1e-6),
            "uplift_probability": quantise(
                parameters.uplift_base + parameters.uplift_price * price_sensitivity
            ),
        }
        | {construct: scores[construct] for construct in CONSTRUCTS}
        | {
            "satisfaction_disturbance": normal["satisfaction"],
            "orientation": quantise(orientation),
            "wealth": normal["wealth"],
            "loyalty_disturbance": normal["loyalty"],
            "dropout_score": quantise(dropout_score),
        }
    )


# A new latent goes to the end: each takes its numbers from the stream in this order.
_SCORES = (
    *CONSTRUCTS,
    "rate",
    "dropout",
    "orientation",
    "price_sensitivity",
    "wealth",
    "margin",
    "intensity",
)


def _satisfaction_scores(
    normal: dict[str, np.ndarray], parameters: SimulationParameters
) -> dict[str, np.ndarray]:
    """Return the six standardised latents, each from its causes and a disturbance of its own."""
    variances = implied_variances(parameters.path_coefficients)
    scores: dict[str, np.ndarray] = {}
    for construct in CONSTRUCTS:
        score = math.sqrt(variances[construct]) * normal[construct]
        for (cause, effect), coefficient in parameters.path_coefficients.items():
            if effect == construct:
                score = score + coefficient * scores[cause]
        scores[construct] = quantise(score)
    return scores


def _behaviour_scores(
    scores: dict[str, np.ndarray],
    normal: dict[str, np.ndarray],
    parameters: SimulationParameters,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the normal scores of λ and p: both tied to satisfaction, not to each other."""
    rate_score = (
        parameters.rate_satisfaction * scores["satisfaction"]
        + math.sqrt(1 - parameters.rate_satisfaction**2) * normal["rate"]
    )
    dropout_score = (
        parameters.dropout_satisfaction * scores["satisfaction"]
        + parameters.dropout_loyalty * normal["loyalty"]
        + parameters.dropout_rate_effect * normal["rate"]
        + math.sqrt(parameters.dropout_residual) * normal["dropout"]
    )
    return rate_score, dropout_score


def _gamma_quantile(score: np.ndarray, parameters: SimulationParameters) -> np.ndarray:
    shape = parameters.rate_shape
    quantile = _in_threads(lambda part: special.gammaincinv(shape, special.ndtr(part)), score)
    return np.maximum(quantise(quantile / parameters.rate_scale), 1e-6)


def _beta_quantile(score: np.ndarray, parameters: SimulationParameters) -> np.ndarray:
    a, b = parameters.dropout_a, parameters.dropout_b
    quantile = _in_threads(lambda part: special.betaincinv(a, b, special.ndtr(part)), score)
    return np.clip(quantise(quantile), 1e-6, 1 - 1e-6)


def _in_threads(quantile: Callable[[np.ndarray], np.ndarray], score: np.ndarray) -> np.ndarray:
    """Return a quantile of each score: the slowest step of a large population, on every core."""
    parts = np.array_split(score, max(1, len(score) // 20_000))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return np.concatenate(list(pool.map(quantile, parts)))
