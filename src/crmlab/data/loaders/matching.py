"""Which heading is which column: by names in two languages, by the values, by whether they repeat.

Who asks: the proposal of a mapping. The names stand in ``column_names.csv``.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from crmlab.data.columns import TABLES, Column
from crmlab.data.loaders.places import Place
from crmlab.data.loaders.translate import plain_name
from crmlab.data.loaders.writing import guess_days, is_day_like, is_number_like

__all__ = ["find_heading", "match_columns", "match_price", "score_table"]

_NAMES = Path(__file__).parents[1] / "column_names.csv"


@cache
def _synonyms() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the names that a table (column empty) or a column goes by, without separators."""
    with _NAMES.open(encoding="utf-8", newline="") as file:
        return {
            (row["table"], row["column"]): tuple(
                _bare(name) for name in (row["column"] or row["table"], *row["names"].split("|"))
            )
            for row in csv.DictReader(file)
        }


def _bare(name: str) -> str:
    return plain_name(name).replace("_", "")


def find_heading(rows: list[list[str]]) -> int:
    """Return the first of the rows in which the most cells are names we know."""
    known = {name for names in _synonyms().values() for name in names}
    scores = [sum(_bare(cell) in known for cell in row) for row in rows]
    best = max(scores, default=0)
    return scores.index(best) if best > 1 else 0


def score_table(table: str, place: Place, frame: pd.DataFrame, columns: dict[str, str]) -> float:
    """Return how much speaks for a place being a table; nothing or less where too little does."""
    required = [column.name for column in TABLES[table].columns if column.is_required]
    missing = [name for name in required if name not in columns]
    names = _synonyms()[table, ""]
    stem = _bare(place.path.stem) if place.path else ""
    called = any(name in (_bare(place.name), stem) for name in names)
    part = any(len(name) > 1 and (name in _bare(place.name) or name in stem) for name in names)
    evidence = 6 * called + 3 * (part and not called)
    if len(missing) > len(required) / 2 or (missing and not (evidence or len(missing) == 1)):
        return 0
    score = 2 * (len(columns) - len(missing)) + evidence - 2 * len(missing)
    if table == "customers" and "customer_id" in columns:
        ids = frame[columns["customer_id"]].dropna()
        score += 3 if ids.is_unique and len(ids) else -6
    return score


def match_columns(table: str, frame: pd.DataFrame) -> dict[str, str]:
    """Return the heading of each of our columns: by its name, else by its values."""
    names = list(dict.fromkeys(str(name) for name in frame.columns if str(name).strip()))
    names = [name for name in names if list(frame.columns).count(name) == 1]
    pairs = []
    for rank, column in enumerate(TABLES[table].columns):
        for name in names:
            closeness = _closeness(table, column.name, name)
            if closeness and _fits(column, frame[name]):
                pairs.append((-closeness, rank, column.name, name))
    matched: dict[str, str] = {}
    for _, _, column, name in sorted(pairs):
        if column not in matched and name not in matched.values():
            matched[column] = name
    if table == "orders" and matched:
        _match_by_values(frame, names, matched)
    return matched


def match_price(frame: pd.DataFrame, columns: dict[str, str]) -> str | None:
    """Return the heading of a line's unit price, unless a surer name says otherwise."""
    taken = {theirs for ours, theirs in columns.items() if ours != "amount"}
    for name in map(str, frame.columns):
        is_price = _closeness("orders", "unit_price", name) > 2
        if is_price and name not in taken and is_number_like(frame[name]):
            return name
    return None


def _closeness(table: str, column: str, name: str) -> float:
    bare = _bare(name)
    known = _synonyms().get((table, column), (_bare(column),))
    if name == column:
        return 4
    if bare in known:
        return 3 - known.index(bare) / 100
    inside = re.sub(r"[（(\[【].*$", "", bare)  # 金额（元）, Amount [EUR]
    if inside in known:
        return 2.5 - known.index(inside) / 100
    close = max(
        (difflib.SequenceMatcher(None, bare, word).ratio() for word in known if len(word) > 4),
        default=0,
    )
    return close if close >= 0.88 else 0


def _fits(column: Column, values: pd.Series) -> bool:
    """Return whether values of this kind may stand in the column."""
    if values.isna().all():
        return not column.is_required
    if column.kind in ("day", "instant"):
        return is_day_like(values) or guess_days(values.astype("str"))[0] == ["serial"]
    if column.kind in ("number", "integer"):
        return is_number_like(values)
    if column.name.endswith("_id"):
        return not pd.api.types.is_float_dtype(values.dtype) or (values.dropna() % 1 == 0).all()
    return True


def _match_by_values(frame: pd.DataFrame, names: list[str], matched: dict[str, str]) -> None:
    """Fill the required columns of orders that no name tells, where only one heading can be it."""
    free = [name for name in names if name not in matched.values()]
    kinds = {
        "ordered_on": lambda v: is_day_like(v),
        "amount": lambda v: is_number_like(v) and not _is_whole(v),
        "order_id": lambda v: v.is_unique and not is_day_like(v) and v.notna().all(),
        "customer_id": lambda v: 1 < v.nunique() < len(v) and not is_day_like(v) and _is_code(v),
    }
    for column, may_be in kinds.items():
        fits = [name for name in free if column not in matched and may_be(frame[name])]
        if len(fits) == 1:
            matched[column] = fits[0]
            free.remove(fits[0])


def _is_whole(values: pd.Series) -> bool:
    return not values.dropna().astype("str").str.contains(r"[.,]\d").any()


def _is_code(values: pd.Series) -> bool:
    return bool(values.dropna().astype("str").str.contains(r"\d").mean() > 0.9) and _is_whole(
        values
    )
