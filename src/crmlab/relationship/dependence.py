"""Who needs whom more, and what it would cost to change: dependence and switching costs.

Who asks: whoever negotiates. Two firms may depend on each other much or little in all
(*interdependence*) and one more than the other (*asymmetry*): N. Kumar, L. K. Scheer & J.-B. E. M.
Steenkamp (1995), The effects of perceived interdependence on dealer attitudes, Journal of
Marketing Research 32(3), 348-356. What ties a customer is of three kinds, procedural (time and
trouble), financial (money, points, discounts lost) and relational (people and name one would
miss): T. A. Burnham, J. K. Frels & V. Mahajan (2003), Consumer switching costs, Journal of the
Academy of Marketing Science 31(2), 109-126, doi:10.1177/0092070302250897.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = [
    "DEPENDENCE",
    "FACETS",
    "TERMS_OF_CONTRACT",
    "dependence_asymmetry",
    "switching_cost_from_terms",
    "switching_cost_index",
]

FACETS = ("procedural", "financial", "relational")
"""Kinds of switching costs."""

DEPENDENCE = ("buyer depends more", "balanced", "supplier depends more", "cannot tell")
"""Who needs the other more."""

TERMS_OF_CONTRACT = {
    "procedural": ("adaptation", "integration"),
    "financial": ("contract_months", "specific_investment"),
    "relational": ("n_contact_persons", "commitment"),
}
"""Columns of `accounts` that stand for each kind of switching cost."""


def dependence_asymmetry(
    buyer_dependence, supplier_dependence, *, minimum=1, maximum=7, tolerance=1 / 6
):
    """Return how much two firms depend on each other, and which of them more.

    Parameters
    ----------
    buyer_dependence, supplier_dependence : pandas.Series, the same index
        Ratings; NaN where unknown.
    minimum, maximum : float
        Ends of the scale.
    tolerance : float
        Asymmetry, as a part of the scale, up to which the two are in balance; one step of a
        seven-point scale unless a study says otherwise.

    Returns
    -------
    pandas.DataFrame, same index
        `interdependence`, the mean of the two from 0 to 1; `asymmetry`, supplier less buyer, from
        -1 to 1: above 0 it is we who need the buyer more; `position`, one of `DEPENDENCE`.

    Raises
    ------
    ValueError
        If the index differs, or a rating lies outside the scale.

    Examples
    --------
    >>> both = dependence_asymmetry(pd.Series([7.0, 4, 1]), pd.Series([1.0, 4, 7]))
    >>> both["asymmetry"].tolist(), both["interdependence"].tolist()
    ([-1.0, 0.0, 1.0], [0.5, 0.5, 0.5])
    """
    if not buyer_dependence.index.equals(supplier_dependence.index):
        raise ValueError("buyer_dependence and supplier_dependence have different indices")
    buyer, supplier = (
        _to_unit(column, minimum, maximum, name)
        for column, name in (
            (buyer_dependence, "buyer_dependence"),
            (supplier_dependence, "supplier_dependence"),
        )
    )
    asymmetry = supplier - buyer
    # A hair of slack, since a step of the scale is no exact binary number.
    position = np.select(
        [asymmetry.isna(), asymmetry > tolerance + 1e-9, asymmetry < -tolerance - 1e-9],
        [DEPENDENCE[3], DEPENDENCE[2], DEPENDENCE[0]],
        default=DEPENDENCE[1],
    )
    return pd.DataFrame(
        {
            "interdependence": (buyer + supplier) / 2,
            "asymmetry": asymmetry,
            "position": pd.Categorical(position, categories=list(DEPENDENCE), ordered=True),
        },
        index=buyer_dependence.index,
    )


def switching_cost_index(answers, facets, *, minimum, maximum):
    """Return switching costs as customers state them, from 0 to 100.

    Parameters
    ----------
    answers : pandas.DataFrame, one row per respondent
    facets : mapping of str to str
        Column of `answers` for each of `FACETS` that was asked about.
    minimum, maximum : float
        Ends of the scale.

    Returns
    -------
    pandas.DataFrame, same index
        One column per facet and `switching_cost_index`, their mean; NaN where one is missing, not
        filled in.

    Raises
    ------
    ValueError
        If a facet is unknown, a column is missing, or an answer lies outside the scale.

    Examples
    --------
    >>> answers = pd.DataFrame({"time": [1.0, 10.0], "money": [10.0, 10.0]})
    >>> index = switching_cost_index(answers, {"procedural": "time", "financial": "money"},
    ...     minimum=1, maximum=10)
    >>> index["switching_cost_index"].tolist()
    [50.0, 100.0]
    """
    unknown = [name for name in facets if name not in FACETS]
    missing = [column for column in facets.values() if column not in answers]
    if unknown or missing or not facets:
        raise ValueError(
            f"switching costs: {', '.join(unknown + missing) or 'no facet'}; expected columns of "
            f"the answers under {', '.join(FACETS)}"
        )
    scores = {
        f"switching_{name}": 100 * _to_unit(answers[facets[name]], minimum, maximum, facets[name])
        for name in FACETS
        if name in facets
    }
    table = pd.DataFrame(scores, index=answers.index)
    return table.assign(switching_cost_index=table.mean(axis=1, skipna=False))


def switching_cost_from_terms(accounts):
    """Return switching costs of business customers from what ties them, by rank among them.

    Parameters
    ----------
    accounts : pandas.DataFrame, one row per account
        The columns of `TERMS_OF_CONTRACT`.

    Returns
    -------
    pandas.DataFrame, same index
        One column per facet, the mean percentile rank (0 to 100, ties in the middle) of its
        columns, and `switching_cost_index`, the mean of the facets. NaN where a column is missing.
        A rank compares accounts of one firm: it says who would lose most, not how much.

    Examples
    --------
    >>> columns = [name for names in TERMS_OF_CONTRACT.values() for name in names]
    >>> accounts = pd.DataFrame({name: [1.0, 2.0] for name in columns})
    >>> switching_cost_from_terms(accounts)["switching_cost_index"].tolist()
    [25.0, 75.0]
    """
    missing = [c for names in TERMS_OF_CONTRACT.values() for c in names if c not in accounts]
    if missing:
        raise ValueError(f"accounts: no column {', '.join(missing)}")
    table = pd.DataFrame(index=accounts.index)
    for facet, names in TERMS_OF_CONTRACT.items():
        values = accounts[list(names)].astype("float64")
        rank = (values.rank() - 0.5) / values.notna().sum()
        table[f"switching_{facet}"] = 100 * rank.mean(axis=1, skipna=False)
    return table.assign(switching_cost_index=table.mean(axis=1, skipna=False))


def _to_unit(column, minimum, maximum, name):
    values = column.astype("float64")
    if ((values < minimum) | (values > maximum)).any():
        raise ValueError(f"{name} lies outside its scale, {minimum:g} to {maximum:g}")
    return (values - minimum) / (maximum - minimum)
