"""The data of a model: read, checked, missing answers dealt with by a stated rule.

Who asks: everything that takes a table of answers. What cannot be estimated is refused here, in
words that name the item and say what to do, before any number is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say

__all__ = ["MISSING_RULES", "Respondents", "read_respondents"]

#: `listwise` leaves out who did not answer every item; `mean` puts the item's mean in.
MISSING_RULES = ("listwise", "mean")
#: Fewer than this, and a correlation says next to nothing.
FEWEST_RESPONDENTS = 10
_MOST_MISSING = 0.5


@dataclass(frozen=True, eq=False)
class Respondents:
    """Complete answers, and the moments the engine works on.

    `answers` is the table used; `n_left_out` the rows left out (`listwise`), `n_filled` the
    answers put in (`mean`). `centers` and `spreads` are the items' means and standard deviations
    (n - 1). `columns` holds the standardised items and then products of them.
    """

    answers: pd.DataFrame
    n_left_out: int
    n_filled: int
    centers: np.ndarray
    spreads: np.ndarray
    columns: np.ndarray

    @property
    def n(self):
        """Number of respondents used."""
        return len(self.columns)


def read_respondents(data, layout, *, missing):
    """Return the answers a model needs, checked.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per respondent; other columns are ignored; NaN where an answer is missing.
    layout : Layout
    missing : {"listwise", "mean"}

    Raises
    ------
    ValueError
        Where an item is not there, not numeric, infinite, constant, or mostly missing, or too
        few respondents are left; says which and what to do.
    """
    if missing not in MISSING_RULES:
        raise ValueError(f"missing is one of {', '.join(MISSING_RULES)}, not {missing!r}")
    if not isinstance(data, pd.DataFrame):
        raise ValueError(f"data is a pandas DataFrame with a column per item, not {type(data)}")
    answers = _take_columns(data, layout.items)
    gaps = answers.isna()
    _check_gaps(gaps)
    n_left_out = n_filled = 0
    if missing == "listwise":
        n_left_out = int(gaps.any(axis=1).sum())
        if len(answers) - n_left_out < FEWEST_RESPONDENTS <= len(answers):
            worst = gaps.sum().idxmax()
            left = len(answers) - n_left_out
            blanks = {"left": left, "n": len(answers), "gaps": int(gaps[worst].sum())}
            raise ValueError(say("pls_few_complete", item=repr(worst), **blanks))
        answers = answers[~gaps.any(axis=1)]
    else:
        n_filled = int(gaps.to_numpy().sum())
        answers = answers.fillna(answers.mean())
    _check_size(len(answers), layout)
    values = answers.to_numpy(dtype=float)
    centers, spreads = values.mean(axis=0), values.std(axis=0, ddof=1)
    _check_spread(values, centers, layout.items)
    standard = (values - centers) / spreads
    products = [standard[:, i] * standard[:, j] for i, j in layout.products]
    columns = np.column_stack([standard, *products]) if products else standard
    return Respondents(answers, n_left_out, n_filled, centers, spreads, columns)


def _take_columns(data, items):
    taken = {}
    for item in items:
        if item not in data.columns:
            near = get_close_matches(item, [str(c) for c in data.columns], n=1, cutoff=0.5)
            if near:
                raise ValueError(say("pls_no_column_near", item=repr(item), near=repr(near[0])))
            raise ValueError(say("pls_no_column", item=repr(item)))
        column = data[item]
        if isinstance(column, pd.DataFrame):
            raise ValueError(say("pls_column_twice", item=repr(item)))
        if not (pd.api.types.is_numeric_dtype(column) or column.isna().all()):
            sample = next((v for v in column if not pd.isna(v)), None)
            held = {"item": repr(item), "dtype": column.dtype, "sample": repr(sample)}
            raise ValueError(say("pls_not_numeric", **held))
        if pd.api.types.is_complex_dtype(column):
            raise ValueError(say("pls_complex", item=repr(item)))
        taken[item] = pd.to_numeric(column, errors="coerce").astype(float)
        # A square of anything larger is not a number any more.
        infinite = np.abs(taken[item].to_numpy(dtype=float, na_value=np.nan)) > 1e150
        if infinite.any():
            row = data.index[int(np.flatnonzero(infinite)[0])]
            raise ValueError(say("pls_infinite", item=repr(item), row=repr(row)))
    return pd.DataFrame(taken, index=data.index)


def _check_gaps(gaps):
    if not len(gaps):
        raise ValueError(say("pls_no_rows"))
    share = gaps.mean()
    worst = share.idxmax()
    if share[worst] == 1:
        raise ValueError(say("pls_no_answer", item=repr(worst)))
    if share[worst] > _MOST_MISSING:
        shares = {"share": f"{share[worst]:.0%}", "most": f"{_MOST_MISSING:.0%}"}
        raise ValueError(say("pls_mostly_missing", item=repr(worst), **shares))


def _check_size(n, layout):
    """Refuse fewer respondents than the largest regression, or any correlation, can bear."""
    stages = [layout.first] + ([layout.second] if layout.second else [])
    needs = [(FEWEST_RESPONDENTS, say("pls_why_correlations"))]
    for stage in stages:
        for name, is_b, size in zip(stage.names, stage.mode_b, stage.sizes, strict=True):
            if is_b:
                why = say("pls_why_mode_b", n=int(size), name=repr(name))
                needs.append((int(size) + 2, why))
    for target, name in enumerate(layout.names):
        n_before = sum(t == target for _, t in layout.pairs)
        needs.append((n_before + 2, say("pls_why_paths", n=n_before, name=repr(name))))
    need, why = max(needs)
    if n < need:
        key = "pls_too_few" if need == FEWEST_RESPONDENTS else "pls_too_few_for_items"
        raise ValueError(say(key, n=n, need=need, why=why))


def _check_spread(values, centers, items):
    for k, item in enumerate(items):
        # An answer equal everywhere may differ from its computed mean in the last digit.
        if np.ptp(values[:, k]) <= 1e-12 * max(1.0, abs(centers[k])):
            same = f"{values[0, k]:g}"
            raise ValueError(say("pls_constant", item=repr(item), answer=same))
