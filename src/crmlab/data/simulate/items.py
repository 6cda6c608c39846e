"""The questions of the simulated survey, and how each score comes from a latent.

Who asks: the survey, and whoever holds an estimated loading against the true one. The questions
stand in ``survey_items.csv``, ``bond_items.csv`` and ``lifestyle_items.csv`` beside this module.
The first question on expectation and the first on perceived quality are a pair: the same matter,
before and after; so are those on a factor of delivered value, ``product_value`` and
``expected_product_value``. The questions of ``need_items.csv`` and ``service_items.csv`` are about
a feature of the offer or a dimension of service each; their answers come from `needs` and
`service_quality`.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

__all__ = [
    "BOND_ITEMS",
    "DIMENSION_ROWS",
    "FACTOR_ITEMS",
    "FIRST_ITEMS",
    "LIFESTYLE_ITEMS",
    "NEED_ITEMS",
    "SERVICE_ITEMS",
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
    feature: str | None = None


def _read_rows(name: str) -> tuple[dict[str, str], ...]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _read_items(name: str) -> tuple[SurveyItem, ...]:
    numbers = ("loading", "mean", "sd", "minimum", "maximum")
    # A Kano question has no mean and no loading: its answers are no scale.
    return tuple(
        SurveyItem(**row | {number: float(row[number] or "nan") for number in numbers})
        for row in _read_rows(name)
    )


BOND_ITEMS: tuple[SurveyItem, ...] = _read_items("bond_items.csv")
"""The questions on what was expected of eight values, and on what ties customers to the firm."""

FIRST_ITEMS: tuple[SurveyItem, ...] = _read_items("survey_items.csv")
"""The questions on satisfaction, its causes and consequences."""

LIFESTYLE_ITEMS: tuple[SurveyItem, ...] = _read_items("lifestyle_items.csv")
"""The questions on activities, interests and opinions, and on benefits sought; the latent of the
latter is the segment that seeks the benefit (`crmlab.data.simulate.lifestyles`)."""

SURVEY_ITEMS: tuple[SurveyItem, ...] = (*FIRST_ITEMS, *BOND_ITEMS, *LIFESTYLE_ITEMS)
"""The questions that one latent stands behind, in the order of the survey's columns."""

FACTOR_ITEMS: tuple[SurveyItem, ...] = tuple(
    item for item in SURVEY_ITEMS if f"expected_{item.construct}" in {i.item for i in BOND_ITEMS}
)
"""The questions on the four benefits and four costs of delivered value, as perceived."""


NEED_ITEMS: tuple[SurveyItem, ...] = _read_items("need_items.csv")
"""The Kano pair, the importance and the performance of each of nine features of the offer."""

DIMENSION_ROWS = _read_rows("service_dimensions.csv")
"""The five dimensions of service: points, means and loadings (`service_quality`)."""

# The stems of the two answers to a statement and of the points, in both languages.
_STEMS = {
    "service_expectation": (
        "In an excellent firm of this kind {en}. How far do you agree? (1 not at all, 7 fully)",
        "在同类的优秀企业，{zh}。您同意吗？（1 完全不同意，7 完全同意）",
    ),
    "service_perception": (
        "With us {en}. How far do you agree? (1 not at all, 7 fully)",
        "在我们这里，{zh}。您同意吗？（1 完全不同意，7 完全同意）",
    ),
    "service_weight": (
        "Of 100 points, how many do you give to this: {en}?",
        "把 100 分分给五个方面，“{zh}”您给几分？",
    ),
}
_ITEM_LOADING = 0.80
_SPREADS = {"service_expectation": 0.9, "service_perception": 1.3}


def _make_service_items() -> tuple[SurveyItem, ...]:
    """Return the statements asked of an excellent firm, those asked of this one, the points."""
    items = []
    statements = _read_rows("service_items.csv")
    for construct, spread in _SPREADS.items():
        role = "expected" if construct == "service_expectation" else "perceived"
        for row in statements:
            dimension = next(d for d in DIMENSION_ROWS if d["feature"] == row["feature"])
            said = {"en": row["statement_en"], "zh": row["statement_zh"]}
            items.append(
                SurveyItem(
                    item=f"service_{role}_{row['feature']}_{row['number']}",
                    construct=construct,
                    latent=f"{role}_{row['feature']}",
                    loading=_ITEM_LOADING,
                    mean=float(dimension[f"{role}_mean"]),
                    sd=spread,
                    minimum=1.0,
                    maximum=7.0,
                    text_en=_STEMS[construct][0].format(**said),
                    text_zh=_STEMS[construct][1].format(**said),
                    feature=row["feature"],
                )
            )
    for row in DIMENSION_ROWS:
        said = {"en": row["about_en"], "zh": row["about_zh"]}
        english, chinese = (stem.format(**said) for stem in _STEMS["service_weight"])
        name = row["feature"]
        items.append(
            SurveyItem(
                item=f"service_points_{name}",
                construct="service_weight",
                latent="",
                loading=math.nan,
                mean=float(row["points"]),
                sd=math.nan,
                minimum=0.0,
                maximum=100.0,
                text_en=english,
                text_zh=chinese,
                feature=name,
            )
        )
    return tuple(items)


SERVICE_ITEMS: tuple[SurveyItem, ...] = _make_service_items()
"""22 statements on service, asked of an excellent firm and of this one, and 100 points."""


def list_items() -> pd.DataFrame:
    """Return the table `items`: the questions of the survey and the ends of their scales.

    Examples
    --------
    >>> list_items()[["item", "construct", "minimum", "maximum"]].head(2)
                   item    construct  minimum  maximum
    0  expected_overall  expectation      1.0     10.0
    1      expected_fit  expectation      1.0     10.0
    """
    columns = ("item", "construct", "text_en", "text_zh", "minimum", "maximum", "feature")
    items = (*SURVEY_ITEMS, *NEED_ITEMS, *SERVICE_ITEMS)
    table = pd.DataFrame({column: [getattr(item, column) for item in items] for column in columns})
    return table.astype({"feature": "str"})
