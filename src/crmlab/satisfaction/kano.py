"""Kano's classes: what must be there, what satisfies the more the better, and what delights.

Who asks: whoever has to decide which features to build, keep or drop, and has asked of each how
customers feel when it is there (the *functional* question) and when it is not (the
*dysfunctional* one).

Vocabulary. Answers are coded 1 like, 2 expect ("it must be that way"), 3 neutral, 4 tolerate
("can live with it"), 5 dislike; they name feelings and are no scale. A *pair* is one respondent's
two answers on a feature; the *evaluation table* turns it into a class: A attractive,
O one-dimensional, M must-be, I indifferent, R reverse (wanted absent), Q questionable (a pair that
makes no sense). The class of a feature is the one most respondents give it. *Better* is the share
of A, O, M and I answers that are A or O, what its presence could gain; *worse* is minus the share
that are O or M, what its absence would cost.

Sources: Kano, N., Seraku, N., Takahashi, F. & Tsuji, S. (1984), Attractive quality and must-be
quality, Journal of the Japanese Society for Quality Control 14(2), 39–48 (in Japanese); Berger, C.
et al. (1993), Kano's methods for understanding customer-defined quality, Center for Quality of
Management Journal 2(4), 3–36: the table, the order M > O > A > I, Pouliot's table, better and
worse (after Timko).
"""

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.sampling import wilson_interval

__all__ = [
    "EVALUATION_TABLES",
    "KANO_CLASSES",
    "check_counts",
    "classify_answers",
    "count_classes",
    "kano_coefficients",
    "pair_answers",
]

KANO_CLASSES = ("M", "O", "A", "I", "R", "Q")
"""The classes, the four of a feature in the order in which ties are settled."""

EVALUATION_TABLES = {
    "standard": ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"),
    "pouliot": ("QAAAO", "RQIIM", "RIIIM", "RIIQM", "RRRRQ"),
}
"""Class of each pair: a row for each functional answer 1 to 5, a letter for each dysfunctional one.

Pouliot holds that who expects a feature and its absence alike, or can live with both, has
misunderstood the question: these two pairs are questionable, not indifferent.
"""

_HALVES = {"functional": "kano_functional", "dysfunctional": "kano_dysfunctional"}


def pair_answers(survey, items):
    """Return the functional and the dysfunctional answers of every feature that was asked about.

    Parameters
    ----------
    survey : pandas.DataFrame
        One row per respondent, a column per item.
    items : pandas.DataFrame
        One row per item, with `item`, `construct` (``kano_functional``, ``kano_dysfunctional``)
        and `feature`.

    Returns
    -------
    functional, dysfunctional : pandas.DataFrame
        A column per feature, in the order of the items; answers 1 to 5, NaN where there is none.

    Raises
    ------
    ValueError
        If no item is a Kano question, one has no feature, a feature has not exactly one question
        of each kind, or an answer is none of the five codes. The message names item and row.

    Examples
    --------
    >>> items = pd.DataFrame({"item": ["q1", "q2"], "feature": ["speed", "speed"],
    ...                       "construct": ["kano_functional", "kano_dysfunctional"]})
    >>> survey = pd.DataFrame({"q1": [1, 2], "q2": [5, 3]})
    >>> functional, dysfunctional = pair_answers(survey, items)
    >>> functional["speed"].tolist(), dysfunctional["speed"].tolist()
    ([1.0, 2.0], [5.0, 3.0])
    """
    asked = items[items["construct"].isin(_HALVES.values())]
    if asked.empty:
        raise ValueError(say("satisfaction_no_kano"))
    if "feature" not in asked or asked["feature"].isna().any():
        nameless = asked["item"].iloc[0]
        if "feature" in asked:
            nameless = asked.loc[asked["feature"].isna(), "item"].iloc[0]
        raise ValueError(say("satisfaction_kano_nameless", item=repr(nameless)))
    n_asked = pd.crosstab(asked["feature"], asked["construct"])
    n_asked = n_asked.reindex(
        index=asked["feature"].unique(), columns=list(_HALVES.values()), fill_value=0
    )
    for feature, counts in n_asked[(n_asked != 1).any(axis=1)].iterrows():
        halves = {"n": int(counts.iloc[0]), "m": int(counts.iloc[1])}
        raise ValueError(say("satisfaction_kano_halves", feature=repr(feature), **halves))
    halves = []
    for construct in _HALVES.values():
        one = asked[asked["construct"] == construct].set_index("feature")["item"]
        one = one.reindex(n_asked.index)
        half = survey[list(one)].astype("float64")
        half.columns = list(one.index)
        _refuse_other_codes(half, dict(one))
        halves.append(half)
    return halves[0], halves[1]


def classify_answers(functional, dysfunctional, *, table="standard"):
    """Return the class of each pair of answers.

    Parameters
    ----------
    functional, dysfunctional : pandas.DataFrame, same shape, index and columns
        Answers 1 to 5, a column per feature; NaN where there is none.
    table : {"standard", "pouliot"}
        A key of `EVALUATION_TABLES`.

    Returns
    -------
    pandas.DataFrame of category, same index and columns
        M, O, A, I, R or Q; missing where either half is missing.

    Raises
    ------
    ValueError
        If the halves do not belong together, an answer is none of the codes, or there is no such
        table.

    Examples
    --------
    >>> pair = pd.DataFrame({"speed": [1, 1, 3, 2]}), pd.DataFrame({"speed": [5, 3, 5, 2]})
    >>> classify_answers(*pair)["speed"].tolist()
    ['O', 'A', 'M', 'I']
    >>> classify_answers(*pair, table="pouliot")["speed"].tolist()
    ['O', 'A', 'M', 'Q']
    """
    if table not in EVALUATION_TABLES:
        raise ValueError(f"table is {table!r}; expected one of {', '.join(EVALUATION_TABLES)}")
    if not functional.columns.equals(dysfunctional.columns) or not functional.index.equals(
        dysfunctional.index
    ):
        raise ValueError(
            "functional and dysfunctional differ in rows or columns; expected one column per "
            "feature and one row per respondent, in the same order in both"
        )
    for half in (functional, dysfunctional):
        _refuse_other_codes(half, {})
    letters = [list(row) for row in EVALUATION_TABLES[table]]
    codes = np.array([[KANO_CLASSES.index(letter) for letter in row] for row in letters])
    f, d = functional.to_numpy(dtype=float), dysfunctional.to_numpy(dtype=float)
    is_pair = np.isfinite(f) & np.isfinite(d)
    found = np.full(f.shape, -1)
    found[is_pair] = codes[f[is_pair].astype(int) - 1, d[is_pair].astype(int) - 1]
    return pd.DataFrame(
        {
            feature: pd.Categorical.from_codes(found[:, k], categories=list(KANO_CLASSES))
            for k, feature in enumerate(functional.columns)
        },
        index=functional.index,
    )


def count_classes(classes):
    """Return how many respondents put each feature in each class.

    Parameters
    ----------
    classes : pandas.DataFrame
        From `classify_answers`.

    Returns
    -------
    pandas.DataFrame, one row per feature
        Counts `M`, `O`, `A`, `I`, `R`, `Q`; `n_pairs`, their sum, and `n_missing`, the
        respondents without both answers. The index is named `feature`.

    Examples
    --------
    >>> pair = pd.DataFrame({"speed": [1, 1, None]}), pd.DataFrame({"speed": [5, 3, 5]})
    >>> count_classes(classify_answers(*pair)).loc["speed", ["O", "A", "n_missing"]].tolist()
    [1, 1, 1]
    """
    counts = pd.DataFrame(
        {name: (classes == name).sum() for name in KANO_CLASSES}, index=classes.columns
    ).astype("int64")
    counts["n_pairs"] = counts.sum(axis=1)
    counts["n_missing"] = len(classes) - counts["n_pairs"]
    return counts.rename_axis("feature")


def kano_coefficients(counts, *, confidence=0.95):
    r"""Return better, worse, total strength and category strength of each feature.

    .. math::
        \text{better} = \frac{A + O}{A + O + M + I}, \quad
        \text{worse} = -\frac{O + M}{A + O + M + I}, \quad
        TS = \frac{M + O + A}{n}, \quad
        CS = \frac{n_{(1)} - n_{(2)}}{n}

    Parameters
    ----------
    counts : pandas.DataFrame
        From `count_classes`, or any table with the counts of `KANO_CLASSES` in columns.
    confidence : float
        Probability that an interval is to cover, between 0 and 1.

    Returns
    -------
    pandas.DataFrame, one row per feature
        `better` (0 to 1), `better_lower`, `better_upper`; `worse` (−1 to 0), `worse_lower`,
        `worse_upper`; `total_strength` and `category_strength` (0 to 1). NaN where nobody gave one
        of the classes that are divided by.

    Raises
    ------
    ValueError
        If a count is missing or negative.

    Notes
    -----
    Given how many answered A, O, M or I, better and minus worse are shares of independent answers,
    so each has Wilson's interval. R and Q count in n, not in better and worse. n(1) and n(2) are
    the largest and the second largest count.

    References
    ----------
    Berger et al. (1993) for better and worse; Lee, M. C. & Newcomb, J. F. (1997), Applying the
    Kano methodology to meet customer requirements: NASA's microgravity science program, Quality
    Management Journal 4(3), for the two strengths.

    Examples
    --------
    >>> counts = pd.DataFrame([[95, 123, 45, 33, 0, 0]], columns=KANO_CLASSES)
    >>> kano_coefficients(counts)[["better", "worse"]].round(3).to_numpy().tolist()
    [[0.568, -0.736]]
    """
    table = check_counts(counts)
    n = table.sum(axis=1)
    n_four = table[["M", "O", "A", "I"]].sum(axis=1)
    better = wilson_interval(table["A"] + table["O"], n_four, confidence=confidence)
    worse = wilson_interval(table["O"] + table["M"], n_four, confidence=confidence)
    ordered = -np.sort(-table.to_numpy(), axis=1)
    return pd.DataFrame(
        {
            "better": better[0],
            "better_lower": better[1],
            "better_upper": better[2],
            "worse": -worse[0],
            "worse_lower": -worse[2],
            "worse_upper": -worse[1],
            "total_strength": table[["M", "O", "A"]].sum(axis=1) / n.where(n > 0),
            "category_strength": (ordered[:, 0] - ordered[:, 1]) / n.where(n > 0),
        },
        index=table.index,
    )


def check_counts(counts):
    """Return the counts of the six classes as floats, refusing what is no count.

    Parameters
    ----------
    counts : pandas.DataFrame
        Holds a column for each of `KANO_CLASSES`.

    Returns
    -------
    pandas.DataFrame of float64
        These columns alone.

    Raises
    ------
    ValueError
        If a class is missing or a count is not 0 or more.
    """
    missing = [name for name in KANO_CLASSES if name not in counts]
    if missing:
        raise ValueError(
            f"counts lack the class {missing[0]!r}; expected a column for each of "
            f"{', '.join(KANO_CLASSES)}, as count_classes returns them"
        )
    table = counts[list(KANO_CLASSES)].astype("float64")
    bad = ~(table >= 0)
    if bad.to_numpy().any():
        feature = bad.any(axis=1).idxmax()
        raise ValueError(f"the counts of {feature!r} hold a number that is no count, 0 or more")
    return table


def _refuse_other_codes(half, names):
    values = half.to_numpy(dtype=float)
    wrong = ~(np.isnan(values) | np.isin(values, [1, 2, 3, 4, 5]))
    if wrong.any():
        row, column = (int(place) for place in np.argwhere(wrong)[0])
        name = names.get(half.columns[column], half.columns[column])
        found = {"row": row + 1, "answer": f"{values[row, column]:g}", "n": int(wrong.sum())}
        raise ValueError(say("satisfaction_kano_code", item=name, **found))
