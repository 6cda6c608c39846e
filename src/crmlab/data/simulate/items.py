"""The questions of the simulated survey, and how each score comes from a latent.

Who asks: the survey, and whoever holds an estimated loading against the true one. The questions
stand in ``survey_items.csv``, ``bond_items.csv`` and ``lifestyle_items.csv`` beside this module.
The first question on expectation and the first on perceived quality are a pair: the same matter,
before and after; so are those on a factor of delivered value, ``product_value`` and
``expected_product_value``.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

__all__ = [
    "BOND_ITEMS",
    "FACTOR_ITEMS",
    "FIRST_ITEMS",
    "LIFESTYLE_ITEMS",
    "SURVEY_ITEMS",
    "SurveyItem",
    "list_items",
]


@dataclass(frozen=True)
class SurveyItem:
    """A question of the survey and how its score comes from a latent.

    The score is ``mean + sd * (loading * latent + sqrt(1 - loading²) * noise)``, rounded to a
    whole point and kept between `minimum` and `maximum`.
    """

    item: str
    construct: str
    latent: str
    loading: float
    mean: float
    sd: float
    minimum: float
    maximum: float
    text_en: str
    text_zh: str


def _read_items(name: str) -> tuple[SurveyItem, ...]:
    numbers = ("loading", "mean", "sd", "minimum", "maximum")
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return tuple(
            SurveyItem(**row | {name: float(row[name]) for name in numbers}) for row in rows
        )


BOND_ITEMS: tuple[SurveyItem, ...] = _read_items("bond_items.csv")
"""The questions on what was expected of eight values, and on what ties customers to the firm."""

FIRST_ITEMS: tuple[SurveyItem, ...] = _read_items("survey_items.csv")
"""The questions on satisfaction, its causes and consequences."""

LIFESTYLE_ITEMS: tuple[SurveyItem, ...] = _read_items("lifestyle_items.csv")
"""The questions on activities, interests and opinions, and on benefits sought; the latent of the
latter is the segment that seeks the benefit (`crmlab.data.simulate.lifestyles`)."""

SURVEY_ITEMS: tuple[SurveyItem, ...] = (*FIRST_ITEMS, *BOND_ITEMS, *LIFESTYLE_ITEMS)
"""The questions of the survey, in the order of its columns."""

FACTOR_ITEMS: tuple[SurveyItem, ...] = tuple(
    item for item in SURVEY_ITEMS if f"expected_{item.construct}" in {i.item for i in BOND_ITEMS}
)
"""The questions on the four benefits and four costs of delivered value, as perceived."""


def list_items() -> pd.DataFrame:
    """Return the table `items`: the questions of the survey and the ends of their scales.

    Examples
    --------
    >>> list_items()[["item", "construct", "minimum", "maximum"]].head(2)
                   item    construct  minimum  maximum
    0  expected_overall  expectation      1.0     10.0
    1      expected_fit  expectation      1.0     10.0
    """
    columns = ("item", "construct", "text_en", "text_zh", "minimum", "maximum")
    return pd.DataFrame(
        {column: [getattr(item, column) for item in SURVEY_ITEMS] for column in columns}
    )
