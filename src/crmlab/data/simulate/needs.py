"""What simulated customers feel about nine features of the offer, and how well it serves them.

Who asks: whoever sorts features by Kano's method, weighs importance against performance, or looks
for the drivers of satisfaction. Each customer has a true Kano class for each feature, drawn with
the shares of ``kano_shares.csv``, which differ with orientation: advice delights relational
customers and leaves most others indifferent. The pair of answers follows from the class, but for
one pair in sixteen, which is drawn without regard to it. Stated importance follows the class; rated
performance follows the latent of its row in ``need_items.csv``, so that the feature which is called
important need not be the one that goes with satisfaction.

Kano answers are feelings and no scale: an interviewer adds no points to them.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.data.simulate.feedback import added_points, draw_scores
from crmlab.data.simulate.items import NEED_ITEMS, SurveyItem
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = [
    "KANO_ERROR_SHARE",
    "KANO_SHARES",
    "NEED_FEATURES",
    "TRUE_CLASSES",
    "add_need_answers",
    "simulate_kano_classes",
    "store_kano_classes",
]

TRUE_CLASSES = ("A", "O", "M", "I", "R")
"""Attractive, one-dimensional, must-be, indifferent, reverse: what a customer may hold true."""

KANO_ERROR_SHARE = 0.0625
"""Share of the pairs that are answered without regard to the class, all 25 pairs alike."""

NEED_FEATURES = tuple(dict.fromkeys(item.feature for item in NEED_ITEMS))
"""The features, in the order of the questionnaire."""


def _read_shares() -> dict[tuple[str, str], tuple[float, ...]]:
    with Path(__file__).with_name("kano_shares.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["feature"], row["orientation"]): tuple(float(row[name]) for name in TRUE_CLASSES)
            for row in csv.DictReader(file)
        }


KANO_SHARES = _read_shares()
"""Share of each of `TRUE_CLASSES` by (feature, orientation)."""

# Probability of each pair (functional 1-5, dysfunctional 1-5) given the class: what Kano's table
# calls by that class, weighted by how people answer. 1 like, 2 expect, 3 neutral, 4 tolerate,
# 5 dislike.
_PAIRS = {
    "A": {(1, 2): 0.15, (1, 3): 0.60, (1, 4): 0.25},
    "O": {(1, 5): 1.0},
    "M": {(2, 5): 0.60, (3, 5): 0.32, (4, 5): 0.08},
    "I": {
        (2, 3): 0.16,
        (2, 4): 0.14,
        (3, 3): 0.38,
        (3, 4): 0.12,
        (2, 2): 0.06,
        (3, 2): 0.08,
        (4, 4): 0.03,
        (4, 3): 0.03,
    },
    "R": {(5, 1): 0.30, (3, 1): 0.25, (4, 1): 0.10, (5, 2): 0.20, (5, 3): 0.15},
}
_IMPORTANCE_SHIFT = np.array([-0.2, 0.5, 0.6, -0.7, -1.2])  # points, by class


def simulate_kano_classes(latents: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Return each customer's true class of each feature, as a position in `TRUE_CLASSES`.

    Parameters
    ----------
    latents : pandas.DataFrame
        Holds `is_relational`.
    rng : numpy.random.Generator
        Drawn from.

    Returns
    -------
    numpy.ndarray of int8, shape (n_customers, n_features)

    Examples
    --------
    >>> latents = pd.DataFrame({"is_relational": [True] * 4000})
    >>> classes = simulate_kano_classes(latents, np.random.default_rng(1))
    >>> float((classes[:, NEED_FEATURES.index("personal_advice")] == 0).mean().round(1))
    0.5
    """
    is_relational = latents["is_relational"].to_numpy()
    classes = np.empty((len(latents), len(NEED_FEATURES)), dtype=np.int8)
    for column, feature in enumerate(NEED_FEATURES):
        draw = rng.random(len(latents))
        ends = {
            orientation: np.cumsum(KANO_SHARES[feature, orientation])[:-1]
            for orientation in ("transactional", "relational")
        }
        classes[:, column] = np.where(
            is_relational,
            np.searchsorted(ends["relational"], draw, side="right"),
            np.searchsorted(ends["transactional"], draw, side="right"),
        )
    return classes


def store_kano_classes(classes: np.ndarray) -> pd.DataFrame:
    """Return the columns of `truth` that hold the class of each feature."""
    names = pd.array(TRUE_CLASSES, dtype="str")
    return pd.DataFrame(
        {f"kano_{feature}": names.take(classes[:, k]) for k, feature in enumerate(NEED_FEATURES)}
    )


def add_need_answers(
    answers: pd.DataFrame,
    classes: np.ndarray,
    latents: pd.DataFrame,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return the answers with those to `NEED_ITEMS`.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row per respondent: `customer` (position), `mode`, the answers so far.
    classes : numpy.ndarray of int8, shape (n_customers, n_features)
        From `simulate_kano_classes`.
    latents : pandas.DataFrame
        From `simulate_latents`.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.
    """
    respondent = answers["customer"].to_numpy()
    added = added_points(answers["mode"], parameters)
    columns: dict[str, np.ndarray] = {}
    for column, feature in enumerate(NEED_FEATURES):
        own = classes[respondent, column]
        items = {item.construct: item for item in NEED_ITEMS if item.feature == feature}
        pair = _answer_pairs(own, rng)
        for half, item in enumerate((items["kano_functional"], items["kano_dysfunctional"])):
            is_missing = rng.random(len(own)) < parameters.missing_share
            columns[item.item] = np.where(is_missing, np.nan, pair[:, half])
        shift = added + _IMPORTANCE_SHIFT[own]
        columns |= _rate(items["importance"], np.zeros(len(own)), shift, rng, parameters)
        performance = items["performance"]
        latent = latents[performance.latent].to_numpy()[respondent]
        columns |= _rate(performance, latent, added, rng, parameters)
    return pd.concat([answers, pd.DataFrame(columns)], axis=1)


def _answer_pairs(classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the functional and the dysfunctional answer of each respondent, 1 to 5."""
    draw = rng.random(len(classes))
    pairs = np.empty((len(classes), 2))
    for position, name in enumerate(TRUE_CLASSES):
        chosen = classes == position
        ends = np.cumsum(list(_PAIRS[name].values()))[:-1]
        pairs[chosen] = np.array(list(_PAIRS[name]))[
            np.searchsorted(ends, draw[chosen], side="right")
        ]
    is_error = rng.random(len(classes)) < KANO_ERROR_SHARE
    pairs[is_error] = rng.integers(1, 6, size=(int(is_error.sum()), 2))
    return pairs


def _rate(
    item: SurveyItem,
    latent: np.ndarray,
    added: np.ndarray,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> dict[str, np.ndarray]:
    """Return the ratings of an item under its name."""
    noise = rng.standard_normal(len(latent))
    return {item.item: draw_scores(item, latent, noise, added, rng, parameters)}
