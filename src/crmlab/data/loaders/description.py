"""What a mapping must say of a table: which heading is which column, and how values are written.

Who asks: the proposal of a mapping, once it knows which file is which table.
"""

from __future__ import annotations

import functools
import re

import pandas as pd

from crmlab.atlas.sentences import Message, say
from crmlab.data.columns import ORDER, ORDER_LINE, columns_of
from crmlab.data.conversion import FLAGS
from crmlab.data.loaders.lines import are_lines
from crmlab.data.loaders.matching import match_price
from crmlab.data.loaders.translate import plain_name
from crmlab.data.loaders.values import SIGNS
from crmlab.data.loaders.writing import guess_days, guess_numbers

__all__ = ["describe", "propose_lines"]

_MISSING = ("NA", "N/A", "n/a", "NULL", "null", "None", "nan", "NaN", "-", "--", "\\N", "无", "空")
_WORDS = {
    "female": ("f", "female", "w", "woman", "frau", "女", "女性", "女士", "weiblich"),
    "male": ("m", "male", "man", "herr", "男", "男性", "先生", "männlich"),
    "other": ("o", "other", "x", "divers", "其他", "其它", "未知"),
    "low": ("l", "low", "低"),
    "middle": ("medium", "mid", "middle", "中", "中等"),
    "high": ("h", "high", "高"),
}


def describe(
    table: str,
    frame: pd.DataFrame,
    said: dict,
    columns: dict[str, str],
    notes: list[str],
    currencies: set[str],
) -> dict:
    """Return what a mapping must say of a table beyond what is read anyway."""
    specs: dict[str, dict] = {}
    known = columns_of(table, said.get("one_row_is"))
    for ours, theirs in columns.items():
        if known[ours].unit == "currency":
            currencies.update(_named_currency(theirs))
    missing: dict[str, None] = {}
    for ours, theirs in columns.items():
        values, column = frame[theirs], known[ours]
        spec: dict = {}
        if pd.api.types.is_string_dtype(values.dtype):
            text = values.dropna().str.strip()
            if column.kind in ("day", "instant", "number", "integer"):
                marks = [mark for mark in _MISSING if (text == mark).any()]
                missing |= dict.fromkeys(marks)
                text = text[~text.isin(marks)]
            where = say("column_from", column=f"{table}.{ours}", heading=theirs)
            if column.kind in ("day", "instant"):
                spec |= _describe_days(text, where, notes)
            elif column.kind in ("number", "integer"):
                spec |= _describe_numbers(text, where, notes, currencies)
            elif column.kind == "text" and " | " in column.range:
                spec |= _describe_words(text, column.range.split(" | "))
            elif column.kind == "flag" and not text.str.lower().isin(FLAGS).all():
                found = tuple(text[~text.str.lower().isin(FLAGS)].unique()[:5])
                notes.append(say("note_flags", where=where, words=found))
        elif column.kind in ("day", "instant") and _are_serials(values):
            spec["dates"] = "serial"
        if spec or plain_name(theirs) != ours:
            specs[ours] = {"from": theirs} | spec
    specs = {ours: specs[ours] for ours in known if ours in specs}
    result = dict(said)
    for key in ("dates", "decimal", "thousands"):
        # Said once for the table where every column says the same.
        told = [spec[key] for spec in specs.values() if key in spec]
        if told and len(set(told)) == 1:
            result[key] = told[0]
            for spec in specs.values():
                spec.pop(key, None)
    if missing:
        result["missing"] = list(missing)
    short = {
        ours: spec["from"] if set(spec) == {"from"} else spec
        for ours, spec in specs.items()
        if spec != {"from": ours}
    }
    return result | ({"columns": short} if short else {})


def propose_lines(frame: pd.DataFrame, columns: dict[str, str], notes: list[Message]) -> dict:
    """Say whether rows are lines of orders, and find their price, or orders without a number."""
    price = match_price(frame, columns)
    priced = columns | ({"unit_price": price} if price else {})
    if priced.get("amount") == price:
        priced.pop("amount", None)
    if not are_lines(frame, priced, notes):
        if "order_id" in columns or not {"customer_id", "ordered_on", "amount"} <= set(columns):
            return {}
        notes.append(say("note_numbered"))
        return {"one_row_is": ORDER}
    columns.clear()
    columns.update(priced)
    if "amount" in columns:
        columns.pop("unit_price", None)
    notes.append(say("note_lines"))
    return {"one_row_is": ORDER_LINE}


def _named_currency(heading: str) -> list[str]:
    """Return the currency that a heading names, such as Amount (EUR) or 金额（元）."""
    words = set(re.findall(r"[A-Z]{3}|元|€|£", heading))
    return [code for code, signs in SIGNS.items() if words & {code, *signs}]


def _describe_days(text: pd.Series, where: Message, notes: list[str]) -> dict:
    formats, share = guess_days(text)
    if not formats:
        return {}
    if len(formats) > 1:
        ways = functools.reduce(lambda a, b: say("either_or", one=a, other=b), formats)
        notes.append(say("note_dates", where=where, value=repr(text.iloc[0]), ways=ways))
        return {}
    if share < 1:
        n = round((1 - share) * text.nunique())
        notes.append(say("note_mixed_dates", where=where, n=n, dates=formats[0]))
    if re.match(r"%Y-%m-%d|%Y%m%d$", formats[0]):
        return {}
    return {"dates": formats[0]}


def _describe_numbers(
    text: pd.Series, where: Message, notes: list[str], currencies: set[str]
) -> dict:
    writings, signs, _ = guess_numbers(text)
    currencies.update(signs)
    if len(writings) > 1:
        signs = [f"decimal {d!r} thousands {t!r}" for d, t in writings]
        ways = functools.reduce(lambda a, b: say("either_or", one=a, other=b), signs)
        notes.append(say("note_numbers", where=where, value=repr(text.iloc[0]), ways=ways))
        return {}
    if not writings:
        return {}
    decimal, thousands = writings[0]
    spec = {"decimal": decimal} if decimal != "." else {}
    return spec | ({"thousands": thousands} if thousands else {})


def _describe_words(text: pd.Series, allowed: list[str]) -> dict:
    found = text.unique()
    if len(found) > 50 or set(found) <= set(allowed):
        return {}
    values = {}
    for word in found:
        ours = [a for a in allowed if word.lower() == a or word.lower() in _WORDS.get(a, ())]
        if ours and word != ours[0]:
            values[word] = ours[0]
    return {"values": values} if values else {}


def _are_serials(values: pd.Series) -> bool:
    """Return whether numbers are a spreadsheet's day numbers."""
    is_number = pd.api.types.is_numeric_dtype(values.dtype)
    return is_number and guess_days(values.dropna().astype("str"))[0] == ["serial"]
