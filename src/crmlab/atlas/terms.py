"""Terms: what a result, figure, column or level is called in English and in Chinese.

Who asks: every plot that writes on an axis, and the report when it prints a number. One table
(`terms.csv`) answers both, so that a figure and the text beside it never use two words for
one idea.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["LANGUAGES", "Term", "find_nearest", "load_terms", "nearest", "term"]

LANGUAGES = ("en", "zh")
KINDS = ("unit", "column", "result", "figure", "level", "view")


@dataclass(frozen=True)
class Term:
    """A word of the field in both languages, with the key of its unit (empty: none)."""

    key: str
    kind: str
    en: str
    zh: str
    unit: str

    def text(self, language):
        """Return the term in `language` ("en" or "zh")."""
        return {"en": self.en, "zh": self.zh}[language]


@cache
def load_terms():
    """Return every term by its key, in the order of the table.

    Returns
    -------
    dict of str to Term

    Examples
    --------
    >>> load_terms()["recency_days"].zh
    '距最近一次购买'
    """
    with files(__package__).joinpath("terms.csv").open(encoding="utf-8", newline="") as lines:
        rows = [Term(**row) for row in csv.DictReader(lines)]
    return {row.key: row for row in rows}


def term(key):
    """Return the term with this key.

    Parameters
    ----------
    key : str
        Name of a result, figure, column, level or unit.

    Returns
    -------
    Term

    Raises
    ------
    KeyError
        If the table has no such key; the message names the nearest ones.

    Examples
    --------
    >>> term("days").en
    'days'
    """
    terms = load_terms()
    if key not in terms:
        raise KeyError(
            f"no term {key!r} in the atlas{nearest(key, terms)}; "
            "add a row to src/crmlab/atlas/terms.csv"
        )
    return terms[key]


def nearest(name, names):
    """Return '; did you mean ...?' with the nearest of `names`, or '' when none is near.

    Examples
    --------
    >>> nearest("recenct_days", ["recency_days", "n_orders"])
    "; did you mean 'recency_days'?"
    >>> nearest("zzz", ["recency_days"])
    ''
    """
    found = find_nearest(name, names)
    return f"; did you mean {found!r}?" if found else ""


def find_nearest(name, names, *, likeness=0.6):
    """Return the one of `names` that is spelt most like `name`; None when none is near.

    `likeness` is the least share of letters in common, from 0 to 1.

    Examples
    --------
    >>> find_nearest("amuont", ["amount", "margin"])
    'amount'
    """
    from difflib import get_close_matches

    close = get_close_matches(str(name), [str(n) for n in names], n=1, cutoff=likeness)
    return close[0] if close else None
