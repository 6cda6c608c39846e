"""The data of a model: read, checked, missing answers dealt with by a stated rule.

Who asks: everything that takes a table of answers. What cannot be estimated is refused here, in
words that name the item and say what to do, before any number is computed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say

__all__ = ["MISSING_RULES", "Respondents", "fewest_respondents", "read_respondents"]

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
        Where an item is not there, not numeric, infinite, constant, mostly missing or a repetition
        of another, or the respondents left are too few for the items; says which and what to do.
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
        answers = answers[~gaps.any(axis=1)]
    else:
        n_filled = int(gaps.to_numpy().sum())
        answers = answers.fillna(answers.mean())
    _check_size(answers, gaps, layout)
    values = answers.to_numpy(dtype=float)
    centers, spreads = values.mean(axis=0), values.std(axis=0, ddof=1)
    _check_spread(values, centers, layout.items)
    standard = (values - centers) / spreads
    _check_repeated(standard, layout.items)
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


def fewest_respondents(layout):
    """Return how many respondents a model takes.

    Each regression it may be asked for leaves two of them at least: of a construct on its sources
    or on its items in mode B, and of an item on all the others, as the linear benchmark of
    PLSpredict has it. Weights of mode A alone exist for fewer, but nothing holds them in place.
    """
    stages = [layout.first] + ([layout.second] if layout.second else [])
    sizes = [len(layout.items)]
    sizes += [size for s in stages for is_b, size in zip(s.mode_b, s.sizes, strict=True) if is_b]
    sizes += Counter(target for _, target in layout.pairs).values()
    return max(FEWEST_RESPONDENTS, int(max(sizes)) + 2)


def _check_size(answers, gaps, layout):
    """Refuse fewer respondents than the model takes, and say which gaps cost most of them."""
    n, need = len(answers), fewest_respondents(layout)
    if n >= need:
        return
    if len(gaps) >= need:
        worst = gaps.sum().idxmax()
        lost = {"item": repr(worst), "gaps": int(gaps[worst].sum())}
        raise ValueError(say("pls_few_complete", left=n, n=len(gaps), need=need, **lost))
    if need == FEWEST_RESPONDENTS:
        raise ValueError(say("pls_too_few", n=n, need=need))
    stage = layout.first
    largest = int(np.argmax(stage.sizes))
    most = {"name": repr(stage.names[largest]), "most": int(stage.sizes[largest])}
    sizes = {"n": n, "need": need, "n_items": len(layout.items)}
    raise ValueError(say("pls_too_few_for_items", **sizes, **most))


def _check_spread(values, centers, items):
    for k, item in enumerate(items):
        # An answer equal everywhere may differ from its computed mean in the last digit.
        if np.ptp(values[:, k]) <= 1e-12 * max(1.0, abs(centers[k])):
            same = f"{values[0, k]:g}"
            raise ValueError(say("pls_constant", item=repr(item), answer=same))


def _check_repeated(standard, items):
    """Refuse a question that was asked twice: its answers would count double."""
    correlations = standard.T @ standard / (len(standard) - 1)
    twins = np.argwhere(np.triu(np.abs(correlations) > 1 - 1e-9, k=1))
    if len(twins):
        one, other = twins[0]
        sign = f"{np.sign(correlations[one, other]):.0f}"
        raise ValueError(
            say("pls_repeated", item=repr(items[other]), other=repr(items[one]), r=sign)
        )
