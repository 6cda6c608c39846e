"""The checks that rules of data quality name: each says of every row whether it passes.

Who asks: `crmlab.data.quality`. A check takes the table, the column, the rule's argument and the
day on which the data are judged, and answers True, False, or missing where it does not apply.
"""

# ruff: noqa: ARG001 (every check is called alike)
import re

import numpy as np
import pandas as pd

__all__ = ["CHECKS", "NEEDS_DAY", "other_columns"]


def other_columns(rule):
    """Return the other columns that a rule reads."""
    if rule.check in ("not_before", "size_at_most"):
        return [rule.argument]
    if rule.check == "prefix_of":
        return [rule.argument.partition(":")[0]]
    if rule.check == "shared_by":
        return [rule.argument.split()[0]]
    return rule.argument.split() if rule.check == "row_once" else []


def _where(result, applies):
    """Return a check's answers, missing where it does not apply."""
    answers = pd.array(np.asarray(result, dtype=bool), dtype="boolean")
    answers[~np.asarray(applies, dtype=bool)] = pd.NA
    return answers


def _filled(frame, column, argument, as_of):
    # A column without a single value was never collected: that is no gap in what was.
    is_collected = frame[column].notna().any()
    return _where(frame[column].notna(), np.full(len(frame), is_collected))


def _pattern(frame, column, argument, as_of):
    text = frame[column].astype("str")
    return _where(text.str.fullmatch(argument).fillna(False), text.notna())


def _not_like(frame, column, argument, as_of):
    text = frame[column].astype("str").str.casefold()
    # A pattern may hold groups of its own, which pandas would warn of.
    like = re.compile(argument)
    found = [isinstance(value, str) and like.search(value) is not None for value in text]
    return _where(~np.array(found, dtype=bool), text.notna())


def _age(frame, column, argument, as_of):
    low, high = map(float, argument.split(".."))
    age = as_of.year - pd.to_numeric(frame[column]).astype("float64")
    return _where(age.between(low, high), age.notna())


def _between(frame, column, argument, as_of):
    low, high = map(float, argument.split(".."))
    value = pd.to_numeric(frame[column]).astype("float64")
    return _where(value.between(low, high), value.notna())


def _not_among(frame, column, argument, as_of):
    words = set(argument.split(" | "))
    return _where(~frame[column].astype("str").isin(words), frame[column].notna())


def _not_before(frame, column, argument, as_of):
    applies = frame[column].notna() & frame[argument].notna()
    return _where(frame[column] >= frame[argument], applies)


def _not_after(frame, column, argument, as_of):
    return _where(frame[column] < as_of + pd.Timedelta(days=1), frame[column].notna())


def _not_past(frame, column, argument, as_of):
    return _where(frame[column] >= as_of, frame[column].notna())


def _within_days(frame, column, argument, as_of):
    return _where((as_of - frame[column]).dt.days <= float(argument), frame[column].notna())


def _prefix_of(frame, column, argument, as_of):
    other, _, pairs = argument.partition(": ")
    prefixes = dict(pair.split() for pair in pairs.split(" | "))
    expected = frame[other].map(prefixes)
    applies = frame[column].notna() & expected.notna()
    pairs = zip(frame[column][applies], expected[applies], strict=True)
    result = np.zeros(len(frame), dtype=bool)
    result[applies.to_numpy()] = [str(text).startswith(prefix) for text, prefix in pairs]
    return _where(result, applies)


def _shared_by(frame, column, argument, as_of):
    other, most = argument.split()
    n_different = frame.groupby(column)[other].nunique()
    return _where(frame[column].map(n_different).fillna(0) <= int(most), frame[column].notna())


def _stem_shared_by(frame, column, argument, as_of):
    text = frame[column].astype("str")
    # Two digits or more in front of @ are a running number.
    stem = text.str.casefold().str.replace(r"\d{2,}(?=@)", "#", regex=True)
    n_alike = text.groupby(stem).nunique()
    return _where(stem.map(n_alike).fillna(0) <= int(argument), text.notna())


def _size_at_most(frame, column, argument, as_of):
    applies = frame[column].notna() & frame[argument].notna()
    return _where(frame[column].abs() <= frame[argument].abs() + 1e-9, applies)


def _not_extreme(frame, column, argument, as_of):
    size = frame[column].abs()
    return _where(size <= float(argument) * size.median(), size.notna())


def _row_once(frame, column, argument, as_of):
    columns = argument.split()
    return _where(~frame.duplicated(columns), frame[columns].notna().all(axis=1))


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
