"""How a stranger writes days and numbers, guessed from the values themselves.

Who asks: the proposal of a mapping. A guess is made only where all values fit it and no other
reading does; where two readings fit, both are named and the user decides.
"""

from __future__ import annotations

import re

import pandas as pd

from crmlab.data.loaders.values import SIGNS, plain_signs

__all__ = ["guess_days", "guess_numbers", "is_day_like", "is_number_like"]

_DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y年%m月%d日",
    "%Y%m%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%d %B %Y",
)
_TIMES = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", "T%H:%M:%S", " %I:%M:%S %p", " %I:%M %p")
_PLAIN = ("%Y-%m-%d", "%Y%m%d")  # need no word in a mapping, with or without a time of day
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
# decimal sign, sign between thousands, and what such a number looks like
_WRITINGS = (
    (
        ".",
        ",",
        r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+-]?\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?"
        r"|[+-]?\d+(?:\.\d+)?",
    ),
    (",", None, r"[+-]?\d+(?:,\d+)?"),
    (",", ".", r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?|[+-]?\d+(?:,\d+)?"),
    (",", " ", r"[+-]?\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:,\d+)?|[+-]?\d+(?:,\d+)?"),
    (".", "'", r"[+-]?\d{1,3}(?:['’]\d{3})+(?:\.\d+)?|[+-]?\d+(?:\.\d+)?"),
)
_SAMPLE = 3000


def guess_days(values: pd.Series) -> tuple[list[str], float]:
    """Return the ways of writing that fit best, and the share of values they fit.

    Parameters
    ----------
    values : pandas.Series of str
        Missing values allowed.

    Returns
    -------
    formats : list of str
        Codes of strptime; ``serial`` for a spreadsheet's day numbers; empty where none fits.
        More than one where day and month cannot be told apart.
    share : float
        0 to 1.

    Examples
    --------
    >>> guess_days(pd.Series(["05/01/2024", "25/01/2024"]))
    (['%d/%m/%Y'], 1.0)
    >>> guess_days(pd.Series(["05/01/2024", "06/02/2024"]))
    (['%d/%m/%Y', '%m/%d/%Y'], 1.0)
    """
    text = _different(values)
    if not len(text):
        return [], 0.0
    if text.str.fullmatch(r"[2-6]\d{4}(?:\.\d+)?").all():
        return ["serial"], 1.0
    # Most values have no digit or too many for a day: sixty formats need not be tried.
    if text.str.contains(r"^\D*\d{1,8}\D?").mean() < 0.5 or not text.str.contains(r"\d").any():
        return [], 0.0
    best: list[str] = []
    share = 0.0
    for time in _TIMES:
        if not text.str.contains(":").any() and time:
            break
        for day in _DAYS:
            fits = pd.to_datetime(text, format=day + time, errors="coerce").notna().mean()
            if fits > share + 1e-12:
                best, share = [day + time], float(fits)
            elif fits and fits == share:
                best.append(day + time)
    return best, share


def guess_numbers(values: pd.Series) -> tuple[list[tuple[str, str | None]], list[str], float]:
    """Return the decimal and thousands signs that fit, the currencies, and the share that fits.

    Parameters
    ----------
    values : pandas.Series of str
        Missing values allowed.

    Returns
    -------
    writings : list of (decimal, thousands)
        Empty where the numbers are plain; more than one where they cannot be told apart.
    currencies : list of str
        Whose signs stand at the values; empty where none does.
    share : float
        0 to 1.

    Examples
    --------
    >>> guess_numbers(pd.Series(["€1.250,50", "€3,20"]))
    ([(',', '.')], ['EUR'], 1.0)
    >>> guess_numbers(pd.Series(["1,250", "3,200"]))
    ([('.', ','), (',', None)], [], 1.0)
    """
    text = plain_signs(_different(values))
    if not len(text):
        return [], [], 0.0
    currencies = []
    for currency, signs in SIGNS.items():
        sign = "|".join(re.escape(s) for s in sorted(signs, key=len, reverse=True))
        bare = text.str.replace(rf"^([+-]?)\s*(?:{sign})\s*|\s*(?:{sign})$", r"\1", regex=True)
        if (bare != text).mean() > 0.5:
            currencies.append(currency)
            stripped = bare
    if currencies:
        text = stripped
    plain = float(text.str.fullmatch(_NUMBER).mean())
    if plain == 1:
        return [], currencies, 1.0
    fits = {w[:2]: float(text.str.fullmatch(w[2]).mean()) for w in _WRITINGS}
    best = max(fits.values())
    if best <= plain:
        return [], currencies, plain
    writings = [writing for writing, share in fits.items() if share == best]
    if (",", None) in writings and len(writings) > 1:
        # Plain decimal commas explain it; groups need a group somewhere.
        grouped = text.str.contains(r"[. '\u00a0\u202f]\d{3}").any()
        writings = [w for w in writings if w == (",", None) or (w == (".", ",")) or grouped]
    return writings, currencies, best


def is_day_like(values: pd.Series) -> bool:
    """Return whether nine in ten values are days in some writing."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return True
    if not pd.api.types.is_string_dtype(values.dtype):
        return False
    formats, share = guess_days(values)
    return share >= 0.5 and formats != ["serial"]


def is_number_like(values: pd.Series) -> bool:
    """Return whether nine in ten values are numbers in some writing."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return False
    if pd.api.types.is_numeric_dtype(values.dtype):
        return True
    return pd.api.types.is_string_dtype(values.dtype) and guess_numbers(values)[2] >= 0.5


def _different(values: pd.Series) -> pd.Series:
    """Return the different values that hold anything, at most some thousand of them."""
    text = values.dropna().astype("str").str.strip()
    return pd.Series(text[text != ""].unique()[:_SAMPLE], dtype="str")
