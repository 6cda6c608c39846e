"""The checks that rules of data quality name: how a row, or a value, is judged by each.

Who asks: `crmlab.data.quality`. A check is written once, for tables of any engine (narwhals), and
is of one of three kinds. A `RowCheck` reads nothing but the row. A `ValueCheck` judges a text, or
how often it is shared, and so each different value once, however many rows have it; the patterns
of a rule are Python's, whatever the engine. A `OnceCheck` asks whether a row is there already.
"""

# ruff: noqa: ARG001 (every check is called alike)
from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.data.counting import count_rows, is_missing
from crmlab.data.engines import collect

__all__ = ["CHECKS", "NEEDS_DAY", "OnceCheck", "RowCheck", "ValueCheck", "other_columns"]

#: Rows of a Polars table on disk that are compared with each other at a time.
_ROWS_AT_A_TIME = 10_000_000


@dataclass(frozen=True)
class RowCheck:
    """A check that reads one row: whether the row passes, and whether the check applies to it.

    Where `needs_one`, the check applies to no row unless one passes.
    """

    passes: nw.Expr
    applies: nw.Expr
    needs_one: bool = False

    def judge(self, frame):
        """Return for each row of a frame in memory whether it passes and whether it applies."""
        table = collect(frame.select(passes=self.passes, applies=self.applies))
        applies = table["applies"].fillna(False).to_numpy(dtype=bool)
        passes = table["passes"].fillna(False).to_numpy(dtype=bool)
        return passes, applies & (passes[applies].any() or not self.needs_one)

    def counts(self, name):
        """Return the two expressions that count the rows checked and those that pass."""
        return {
            f"checked {name}": self.applies.cast(nw.Int64).sum(),
            f"passed {name}": (self.applies & self.passes).cast(nw.Int64).sum(),
        }

    def count(self, frame):
        """Return the number of rows checked, and of those that pass."""
        return self.read_counts(collect(frame.select(**self.counts(""))).fillna(0).iloc[0], "")

    def read_counts(self, row, name):
        """Return the two numbers out of what `counts` asked for."""
        n_checked, n_passed = int(row[f"checked {name}"]), int(row[f"passed {name}"])
        return (0, 0) if self.needs_one and not n_passed else (n_checked, n_passed)


@dataclass(frozen=True)
class ValueCheck:
    """A check of each different value of a column, and of how many of another go with it.

    `accepts` takes the values and, where `other` is named, the number of its different values.
    """

    column: str
    accepts: Callable
    other: str | None = None

    def judge(self, frame):
        """Return for each row of a frame in memory whether it passes and whether it applies."""
        values = self._values(frame)
        verdict = pd.Series(values["passes"].to_numpy(), index=values[self.column])
        own = frame.to_native()[self.column]
        found = own.map(verdict) if len(verdict) else pd.Series(False, index=own.index)
        return found.fillna(False).to_numpy(dtype=bool), own.notna().to_numpy()

    def count(self, frame):
        """Return the number of rows checked, and of those that pass."""
        values = self._values(frame)
        n_rows = values["n_rows"].to_numpy(dtype="int64")
        return int(n_rows.sum()), int(n_rows[values["passes"].to_numpy()].sum())

    def _values(self, frame):
        schema = frame.collect_schema()
        named = frame.filter(~is_missing(self.column, schema[self.column]))
        asked = [nw.len().alias("n_rows")]
        if self.other is not None:
            gap = is_missing(self.other, schema[self.other])
            kept = nw.when(~gap).then(nw.col(self.other))
            named = named.with_columns(
                crmlab_other=kept, crmlab_gap=nw.when(gap).then(1).otherwise(0)
            )
            asked += [nw.col("crmlab_other").n_unique(), nw.col("crmlab_gap").max()]
        values = collect(named.group_by(self.column).agg(*asked))
        others = ()
        if self.other is not None:  # however many gaps there are, they count as one value
            others = (values["crmlab_other"] - values["crmlab_gap"],)
        passes = self.accepts(values[self.column], *others)
        return values.assign(passes=np.asarray(passes, dtype=bool))


@dataclass(frozen=True)
class OnceCheck:
    """A check that no row has all of some columns in common with an earlier one."""

    columns: list[str]

    def judge(self, frame):
        """Return for each row of a frame in memory whether it passes and whether it applies."""
        table = frame.to_native()
        is_new = ~table.duplicated(self.columns)
        return is_new.to_numpy(), table[self.columns].notna().all(axis=1).to_numpy()

    def count(self, frame):
        """Return the number of rows checked, and of those that are different."""
        schema = frame.collect_schema()
        gaps = [is_missing(name, schema[name]) for name in self.columns]
        complete = frame.filter(~reduce(or_, gaps)).select(self.columns)
        n_rows = count_rows(complete)
        parts = self._periods(complete, schema, n_rows)
        return n_rows, sum(count_rows(part.unique()) for part in parts)

    def _periods(self, frame, schema, n_rows):
        """Return the parts that have no row in common: periods, where all would be too much.

        The other engines have their tables in memory anyway, or lay down on disk what is too much.
        """
        days = [n for n in self.columns if schema[n] in (nw.Date, nw.Datetime)]
        is_lazy_polars = isinstance(frame, nw.LazyFrame) and frame.implementation.is_polars()
        n_periods = -(-n_rows // _ROWS_AT_A_TIME)
        if not (days and is_lazy_polars and n_periods > 1):
            return [frame]
        day = nw.col(days[0])
        ends = collect(frame.select(first=day.min(), last=day.max())).iloc[0]
        first, n_days = ends["first"].normalize(), (ends["last"] - ends["first"]).days + 2
        starts = first + pd.to_timedelta(np.arange(n_periods + 1) * n_days // n_periods, "D")
        limits = [_limit(start, schema[days[0]]) for start in starts]
        return [
            frame.filter((day >= start) & (day < end)) for start, end in itertools.pairwise(limits)
        ]


def other_columns(rule):
    """Return the other columns that a rule reads."""
    if rule.check in ("not_before", "size_at_most"):
        return [rule.argument]
    if rule.check == "prefix_of":
        return [rule.argument.partition(":")[0]]
    if rule.check == "shared_by":
        return [rule.argument.split()[0]]
    return rule.argument.split() if rule.check == "row_once" else []


def _limit(day, kind):
    """Return a day as engines compare it with a column of this kind."""
    return day.date() if kind == nw.Date else day.to_pydatetime()


def _there(schema, *columns):
    """Return whether all of the columns have a value."""
    return ~reduce(or_, (is_missing(name, schema[name]) for name in columns))


def _filled(frame, schema, column, argument, as_of):
    # A column without a single value was never collected: that is no gap in what was.
    there = _there(schema, column)
    return RowCheck(there, there | ~there, needs_one=True)


def _pattern(frame, schema, column, argument, as_of):
    form = re.compile(argument)
    return ValueCheck(
        column, lambda values: [form.fullmatch(v) is not None for v in _texts(values)]
    )


def _not_like(frame, schema, column, argument, as_of):
    like = re.compile(argument)
    return ValueCheck(
        column, lambda values: [like.search(v.casefold()) is None for v in _texts(values)]
    )


def _texts(values):
    return values.astype("str").tolist()


def _age(frame, schema, column, argument, as_of):
    low, high = map(float, argument.split(".."))
    age = float(as_of.year) - nw.col(column).cast(nw.Float64)
    return RowCheck((age >= low) & (age <= high), _there(schema, column))


def _between(frame, schema, column, argument, as_of):
    low, high = map(float, argument.split(".."))
    value = nw.col(column).cast(nw.Float64)
    return RowCheck((value >= low) & (value <= high), _there(schema, column))


def _not_among(frame, schema, column, argument, as_of):
    words = argument.split(" | ")
    return ValueCheck(column, lambda values: ~values.astype("str").isin(words))


def _not_before(frame, schema, column, argument, as_of):
    return RowCheck(nw.col(column) >= nw.col(argument), _there(schema, column, argument))


def _not_after(frame, schema, column, argument, as_of):
    end = _limit(as_of + pd.Timedelta(days=1), schema[column])
    return RowCheck(nw.col(column) < end, _there(schema, column))


def _not_past(frame, schema, column, argument, as_of):
    start = _limit(as_of, schema[column])
    return RowCheck(nw.col(column) >= start, _there(schema, column))


def _within_days(frame, schema, column, argument, as_of):
    # A day that has begun is not over: 365.9 days are 365.
    before = as_of - pd.Timedelta(days=float(argument) // 1 + 1)
    limit = _limit(before, schema[column])
    return RowCheck(nw.col(column) > limit, _there(schema, column))


def _prefix_of(frame, schema, column, argument, as_of):
    other, _, pairs = argument.partition(": ")
    prefixes = dict(pair.split() for pair in pairs.split(" | "))
    text, group = nw.col(column).cast(nw.String), nw.col(other)
    right = [(group == name) & text.str.starts_with(prefix) for name, prefix in prefixes.items()]
    applies = _there(schema, column, other) & group.is_in(list(prefixes))
    return RowCheck(nw.any_horizontal(*right, ignore_nulls=True), applies)


def _shared_by(frame, schema, column, argument, as_of):
    other, most = argument.split()
    return ValueCheck(column, lambda _, n_different: n_different <= int(most), other)


def _stem_shared_by(frame, schema, column, argument, as_of):
    def accepts(values):
        # Two digits or more in front of @ are a running number.
        stem = values.astype("str").str.casefold().str.replace(r"\d{2,}(?=@)", "#", regex=True)
        return stem.map(stem.value_counts()) <= int(argument)

    return ValueCheck(column, accepts)


def _size_at_most(frame, schema, column, argument, as_of):
    is_within = nw.col(column).abs() <= nw.col(argument).abs() + 1e-9
    return RowCheck(is_within, _there(schema, column, argument))


def _not_extreme(frame, schema, column, argument, as_of):
    there = _there(schema, column)
    most = float(argument) * _middle_size(frame.filter(there), column)
    return RowCheck(nw.col(column).abs() <= most, there)


def _middle_size(frame, column):
    """Return the median of the sizes of a column, the same to the last bit on every engine.

    Sizes are counted by whole units first, then one by one in the unit of the median: what comes
    into memory is short, however long the table is.
    """
    value = nw.col("value")
    sizes = frame.select(value=nw.col(column).abs().cast(nw.Float64))
    units = sizes.select(value=value.floor().cast(nw.Float64))
    units = collect(units.group_by("value").agg(n_rows=nw.len())).sort_values("value")
    if not len(units):
        return np.nan
    up_to = units["n_rows"].cumsum().to_numpy()
    ranks = (up_to[-1] - 1) // 2, up_to[-1] // 2
    first, last = (int(np.searchsorted(up_to, rank, side="right")) for rank in ranks)
    low, high = (float(units["value"].iloc[i]) for i in (first, last))
    near = sizes.filter((value >= low) & (value < high + 1)).group_by("value").agg(n_rows=nw.len())
    near = collect(near).sort_values("value")
    below = up_to[first - 1] if first else 0
    there = below + near["n_rows"].cumsum().to_numpy()
    found = [near["value"].iloc[int(np.searchsorted(there, rank, side="right"))] for rank in ranks]
    return float(sum(found) / 2)


def _row_once(frame, schema, column, argument, as_of):
    return OnceCheck(argument.split())


CHECKS = {
    "filled": _filled,
    "pattern": _pattern,
    "not_like": _not_like,
    "age": _age,
    "between": _between,
    "not_among": _not_among,
    "not_before": _not_before,
    "not_after": _not_after,
    "not_past": _not_past,
    "within_days": _within_days,
    "prefix_of": _prefix_of,
    "shared_by": _shared_by,
    "stem_shared_by": _stem_shared_by,
    "size_at_most": _size_at_most,
    "not_extreme": _not_extreme,
    "row_once": _row_once,
}
NEEDS_DAY = ("age", "not_after", "not_past", "within_days")
