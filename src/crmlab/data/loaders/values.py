"""Numbers and days as a mapping file says they are written, brought to plain writing.

Who asks: the translation of a stranger's table. A value that does not follow is left as it is, so
that the check can name it.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.loaders.raw import Raw
from crmlab.data.mapping import ColumnMapping

__all__ = ["SIGNS", "plain_signs", "read_days", "read_numbers"]

# How amounts show their currency; any other sign stays, and the check refuses it.
SIGNS = {
    "CNY": ("¥", "￥", "元", "人民币", "RMB", "CNY"),
    "JPY": ("¥", "￥", "円", "JPY"),
    "EUR": ("€", "EUR"),
    "GBP": ("£", "GBP"),
    "USD": ("US$", "$", "USD"),
}
# Full-width digits and signs, and the minus of typesetters.
_PLAIN = {0xFF10 + digit: str(digit) for digit in range(10)}
_PLAIN |= str.maketrans(
    {"．": ".", "，": ",", "－": "-", "−": "-", "＋": "+", "（": "(", "）": ")"}
)
_ODD = r"[０-９．，－−＋（）]|^\s*\(.*\)\s*$|\d\s*-\s*$"
_SERIAL_START = pd.Timestamp("1899-12-30")  # so that 61 is 1 March 1900, as Excel counts
_ZONED = r"\d[T ]\d{1,2}:?\d{2}.*(?:Z|[+-]\d{2}(?::?\d{2})?)$"


def read_numbers(
    raw: Raw, values: pd.Series, name: str, spec: ColumnMapping, currency: str | None
) -> pd.Series:
    """Return texts of numbers in plain writing: a point for the fraction, no signs of currency.

    Parameters
    ----------
    raw : Raw
        Counts what was rewritten.
    values : pandas.Series
        Anything but texts is returned as it is.
    name : str
        The column, for the count.
    spec : ColumnMapping
        Its `decimal` (a point where None) and `thousands` (none where None).
    currency : str or None
        Whose signs may stand at either end.

    Returns
    -------
    pandas.Series
    """
    if not pd.api.types.is_string_dtype(values.dtype):
        return values
    values = _take_signs(raw, values, name)
    if not (spec.decimal or spec.thousands or currency):
        return values
    codes, different = pd.factorize(values)
    written = _plain_numbers(pd.Series(different, dtype="str"), spec, currency)
    result = _take(written, codes, values.index)
    changed = int((result != values.str.strip()).sum() - values.isna().sum())
    raw.repaired(say("repair_numbers", column=name), changed)
    return result


def plain_signs(text: pd.Series) -> pd.Series:
    """Return numbers with plain digits, and a minus in front where it stands behind or is meant.

    Examples
    --------
    >>> plain_signs(pd.Series(["１２.５", "−3", "(4.50)", "5-"])).tolist()
    ['12.5', '-3', '-4.50', '-5']
    """
    plain = text.str.translate(_PLAIN)
    for pattern in (r"^\s*\((?=[^()]*\d)([^()]+)\)\s*$", r"^\s*([^-+]*\d)\s*-\s*$"):
        plain = plain.str.replace(pattern, r"-\1", regex=True)
    return plain


def _take_signs(raw: Raw, values: pd.Series, name: str) -> pd.Series:
    odd = values.str.contains(_ODD, regex=True, na=False)
    if not odd.any():
        return values
    plain = values.where(~odd, plain_signs(values[odd]).reindex(values.index))
    raw.repaired(
        say("repair_signs", column=name), int((plain != values).sum() - values.isna().sum())
    )
    return plain


def _take(different: pd.Series, codes: np.ndarray, index: pd.Index) -> pd.Series:
    """Return the value of each code; missing where it is -1."""
    return different.reindex(codes).set_axis(index)


def _plain_numbers(values: pd.Series, spec: ColumnMapping, currency: str | None) -> pd.Series:
    point, group = spec.decimal or ".", spec.thousands or ""
    signs = SIGNS.get(currency, (currency,)) if currency else ()
    text = values.str.strip()
    bare = text
    if signs:
        sign = "|".join(re.escape(s) for s in sorted(signs, key=len, reverse=True))
        for pattern, kept in (
            (rf"\s*(?:{sign})$", ""),
            (rf"^(?:{sign})\s*", ""),
            (rf"^-\s*(?:{sign})\s*", "-"),
        ):
            bare = bare.str.replace(pattern, kept, regex=True)
    whole = r"\d+"
    if group:
        # A blank between groups may be one that does not break, as French and Swiss programs write.
        gap = {" ": r"[ \u00a0\u202f]", "'": "['’]"}.get(group, re.escape(group))
        # In India groups of two stand before the last group of three.
        whole = rf"(?:\d{{1,3}}(?:{gap}\d{{3}})+|\d{{1,2}}(?:{gap}\d{{2}})+{gap}\d{{3}}|\d+)"
    follows = bare.str.fullmatch(rf"[+-]?{whole}(?:{re.escape(point)}\d*)?", na=False)
    plain = bare
    if group:
        plain = plain.str.replace(gap, "", regex=True)
    if point != ".":
        plain = plain.str.replace(point, ".", regex=False)
        # With a decimal comma, 1.5 means something else than it says.
        stray = text.str.contains(".", regex=False, na=False) & ~follows
        text = text.where(~stray, text + " (decimal comma expected)")
    return plain.where(follows, text)


def read_days(
    raw: Raw, values: pd.Series, name: str, spec: ColumnMapping, zone: str | None
) -> pd.Series:
    """Return days and times as a mapping says they are written, in its time zone.

    Parameters
    ----------
    raw : Raw
        Counts what was rewritten.
    values : pandas.Series
    name : str
        The column, for the count.
    spec : ColumnMapping
        Its `dates`: codes of strptime, or serial.
    zone : str or None
        Values with a time zone are brought to this one; others are local to it already.

    Returns
    -------
    pandas.Series
        Days as datetime64[us]; where some do not follow, all as texts, these unchanged.
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype) and zone:
        raw.repaired(say("repair_zone", column=name, zone=zone), int(values.notna().sum()))
        return values.dt.tz_convert(zone).dt.tz_localize(None)
    if spec.dates == "serial":
        return _read_serial(raw, values, name)
    if not pd.api.types.is_string_dtype(values.dtype):
        if not (spec.dates and pd.api.types.is_integer_dtype(values.dtype)):
            return values
        values = values.astype("str").where(values.notna())
    text = values.str.strip().replace("", np.nan)
    parsed = pd.Series(pd.NaT, text.index, dtype="datetime64[us]")
    if spec.dates:
        codes, different = pd.factorize(text)
        zoned = "%z" in spec.dates
        moments = pd.Series(
            pd.to_datetime(different, format=spec.dates, errors="coerce", utc=zoned)
        )
        if zoned:
            moments = moments.dt.tz_convert(zone or "UTC").dt.tz_localize(None)
        parsed = _take(moments.astype("datetime64[us]"), codes, text.index)
        said = say("repair_days", column=name, dates=spec.dates)
        raw.repaired(said, int(parsed.notna().sum()))
    if zone:
        zoned = text.str.contains(_ZONED, na=False) & parsed.isna()
        if zoned.any():
            moments = pd.to_datetime(text.where(zoned), format="ISO8601", errors="coerce", utc=True)
            local = moments.dt.tz_convert(zone).dt.tz_localize(None).astype("datetime64[us]")
            parsed = parsed.fillna(local)
            raw.repaired(say("repair_zone", column=name, zone=zone), int(local.notna().sum()))
    return _join(parsed, text)


def _read_serial(raw: Raw, values: pd.Series, name: str) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    days = pd.to_numeric(values, errors="coerce")
    # Excel counts a 29 February 1900 that never was; before it nothing can be said.
    days = days.where((days >= 61) & (days < 2_958_466)).astype("float64")
    parsed = (_SERIAL_START + pd.to_timedelta(days, unit="D").dt.round("s")).astype(
        "datetime64[us]"
    )
    raw.repaired(say("repair_serial", column=name), int(parsed.notna().sum()))
    return _join(parsed, values.astype("str").where(values.notna()))


def _join(parsed: pd.Series, text: pd.Series) -> pd.Series:
    """Return the days; where a text is none, texts of all, so that the check can name it."""
    if (parsed.notna() == text.notna()).all():
        return parsed
    if not parsed.notna().any():
        return text
    written = parsed.dt.strftime("%Y-%m-%d %H:%M:%S.%f").astype("str")
    return written.where(parsed.notna(), text)
