"""What simulated customers expect of an excellent firm's service, and what they get of this one's.

Who asks: whoever measures service quality by the five dimensions of Parasuraman, Zeithaml and
Berry (1988), SERVQUAL: A Multiple-Item Scale for Measuring Consumer Perceptions of Service
Quality, Journal of Retailing 64(1), 12-40. As there, 22 statements are each answered twice, from
1 to 7, for an excellent firm and for this one, and 100 points are shared out among the dimensions;
the statements (``service_items.csv``) are our own. Behind the answers on a dimension stand two
scores of the customer, tied to expectation and to perceived quality as
``service_dimensions.csv`` says.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from crmlab.data.simulate.feedback import added_points, draw_scores
from crmlab.data.simulate.items import DIMENSION_ROWS, SERVICE_ITEMS
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["add_service_answers"]

# Of each question: the latent behind it, and the column of ``service_dimensions.csv`` that says
# how closely the dimension is tied to it.
_CAUSES = {
    "service_expectation": ("expectation", "expected_loading"),
    "service_perception": ("perceived_quality", "perceived_loading"),
}
_POINTS_SPREAD = 6.0  # shape of the Gamma numbers behind the points; the larger, the more alike


def add_service_answers(
    answers: pd.DataFrame,
    latents: pd.DataFrame,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return the answers with those to `SERVICE_ITEMS`.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row per respondent: `customer` (position), `mode`, the answers so far.
    latents : pandas.DataFrame
        From `simulate_latents`.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.
    """
    respondent = answers["customer"].to_numpy()
    n_respondents = len(respondent)
    added = added_points(answers["mode"], parameters)
    columns: dict[str, np.ndarray] = {}
    for row in DIMENSION_ROWS:
        for construct, (cause, column) in _CAUSES.items():
            loading = float(row[column])
            own = math.sqrt(1 - loading**2) * rng.standard_normal(n_respondents)
            score = loading * latents[cause].to_numpy()[respondent] + own
            for item in SERVICE_ITEMS:
                if (item.feature, item.construct) == (row["feature"], construct):
                    noise = rng.standard_normal(n_respondents)
                    columns[item.item] = draw_scores(item, score, noise, added, rng, parameters)
    points = _share_points(n_respondents, rng)
    is_silent = rng.random(n_respondents) < parameters.missing_share
    points[is_silent] = np.nan
    weights = [item for item in SERVICE_ITEMS if item.construct == "service_weight"]
    columns |= {item.item: points[:, k] for k, item in enumerate(weights)}
    order = [item.item for item in SERVICE_ITEMS]
    return pd.concat([answers, pd.DataFrame(columns)[order]], axis=1)


def _share_points(n_respondents: int, rng: np.random.Generator) -> np.ndarray:
    """Return whole points that sum to 100 in each row: rounded down, the rest to the largest."""
    means = np.array([float(row["points"]) for row in DIMENSION_ROWS])
    shares = rng.gamma(_POINTS_SPREAD * means / means.mean(), size=(n_respondents, len(means)))
    points = np.floor(100 * shares / shares.sum(axis=1, keepdims=True))
    points[np.arange(n_respondents), points.argmax(axis=1)] += 100 - points.sum(axis=1)
    return points
