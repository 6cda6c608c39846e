"""Bases of segmentation: how much of behaviour a division known beforehand accounts for.

Who asks: whoever wonders whether to divide customers by region, age or income, which is easy to
reach, or by what they do, which is to the point. A base known before looking (a priori) is worth
as much as the behaviour it tells apart; with few customers any division seems to tell something
apart, so each figure is set beside what chance gives.

Sources: W. R. Smith (1956), Product differentiation and market segmentation as alternative
marketing strategies, Journal of Marketing 21(1), 3-8, doi:10.1177/002224295602100102; M. Wedel &
W. A. Kamakura (2000), Market Segmentation, Kluwer, doi:10.1007/978-1-4615-4651-1; W. Bergsma
(2013), A bias-correction for Cramer's V and Tschuprow's T, Journal of the Korean Statistical
Society 42(3), 323-328, doi:10.1016/j.jkss.2012.10.002.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.segments.profile import eta_squared

__all__ = ["compare_bases", "cramers_v", "five_variables"]


def compare_bases(frame, bases, outcomes):
    r"""Return how much of the customers' differences each base of segmentation accounts for.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per customer.
    bases : sequence of str
        Columns that divide the customers: text, category or flag. Missing values form no group;
        those customers are left out for that base and show in `n_customers`.
    outcomes : sequence of str
        Numeric columns, the behaviour to be told apart.

    Returns
    -------
    pandas.DataFrame
        One row per base and outcome: `base`, `outcome`, `n_segments`, `n_customers`,
        `eta_squared`; `chance_eta_squared`, (k - 1)/(n - 1), its mean without any association;
        and `epsilon_squared`, :math:`1 - (1 - \eta^2)(n - 1)/(n - k)`, which is 0 on average
        then (and may be negative). NaN where a base has one group only, or as many as
        customers, or the outcome is constant.

    Raises
    ------
    ValueError
        If a column is missing or an outcome is no number.

    References
    ----------
    Wedel & Kamakura (2000), doi:10.1007/978-1-4615-4651-1

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({
    ...     "region": ["north", "north", "south", "south"], "n_orders": [8.0, 10.0, 1.0, 3.0],
    ... })
    >>> compare_bases(frame, ["region"], ["n_orders"]).round(3).iloc[0].to_dict()["eta_squared"]
    0.925
    """
    for column in [*bases, *outcomes]:
        if column not in frame.columns:
            raise ValueError(
                f"frame: column {column!r} is missing; the table has "
                f"{', '.join(map(str, frame.columns))}"
            )
    rows = []
    for base in bases:
        for outcome in outcomes:
            known = frame[[base, outcome]].dropna()
            n, k = len(known), known[base].nunique()
            eta = eta_squared(known[outcome], known[base]) if 1 < k < n else np.nan
            rows.append(
                {
                    "base": base,
                    "outcome": outcome,
                    "n_segments": k,
                    "n_customers": n,
                    "eta_squared": eta,
                    "chance_eta_squared": (k - 1) / (n - 1) if 1 < k < n else np.nan,
                    "epsilon_squared": 1 - (1 - eta) * (n - 1) / (n - k) if 1 < k < n else np.nan,
                }
            )
    return pd.DataFrame(rows)


def cramers_v(first, second):
    r"""Return Cramér's V of two divisions of the same customers, corrected for chance.

    With the chi-square statistic of the r × c table, :math:`\varphi^2 = \chi^2 / n`,

    .. math:: \tilde V = \sqrt{\frac{\max(0, \varphi^2 - (r-1)(c-1)/(n-1))}
                                    {\min(\tilde r, \tilde c) - 1}}

    where :math:`\tilde r = r - (r-1)^2/(n-1)`, and likewise for the columns (Bergsma 2013).

    Parameters
    ----------
    first, second : pandas.Series
        Group of each customer in each division, the same index. Customers with a missing value
        in either are left out.

    Returns
    -------
    float
        From 0 (no association beyond chance) to 1 (one tells the other); NaN when a division
        has one group only, or a group of its own for every customer.

    References
    ----------
    Bergsma (2013), doi:10.1016/j.jkss.2012.10.002

    Examples
    --------
    >>> import pandas as pd
    >>> segment = pd.Series([1, 1, 1, 2, 2, 2])
    >>> cramers_v(segment, pd.Series(list("nnnsss"))), cramers_v(segment, pd.Series(list("nsnsns")))
    (1.0, 0.0)
    """
    if not first.index.equals(second.index):
        raise ValueError("first and second have different indices; expected the same customers")
    is_known = first.notna() & second.notna()
    table = pd.crosstab(first[is_known].to_numpy(), second[is_known].to_numpy()).to_numpy()
    n = table.sum()
    r, c = table.shape
    if min(r, c) < 2 or max(r, c) == n:
        return float("nan")
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    phi_squared = ((table - expected) ** 2 / expected).sum() / n
    excess = max(0.0, phi_squared - (r - 1) * (c - 1) / (n - 1))
    r_corrected, c_corrected = (size - (size - 1) ** 2 / (n - 1) for size in (r, c))
    return float(np.sqrt(excess / (min(r_corrected, c_corrected) - 1)))


def five_variables(rfm, choices, customers=None):
    """Return the practitioner's five variables of each customer: numbers, and words.

    Parameters
    ----------
    rfm : pandas.DataFrame
        One row per customer, indexed by customer, with `n_orders` (1 or more) and `total_value`.
    choices : mapping of str to pandas.DataFrame
        By what was chosen (``"channel"``, ``"day_type"``): how often each customer, in rows,
        chose each option, in columns.
    customers : pandas.DataFrame, optional
        Indexed by customer; of its columns `is_business` is used, where it is there.

    Returns
    -------
    numbers : pandas.DataFrame
        `purchase_frequency` (orders) and `mean_order_value` (money per order).
    words : pandas.DataFrame
        `customer_type` ("firm" or "person") and, for each of `choices`, ``main_...``, the option
        chosen most often, the first column among equals. "unknown" where nothing is recorded.
        What is alike for all customers is left out of either.

    Examples
    --------
    >>> rfm = pd.DataFrame({"n_orders": [2, 1], "total_value": [30.0, 30.0]}, index=["a", "b"])
    >>> days = pd.DataFrame({"weekday": [2, 0], "weekend": [0, 1]}, index=["a", "b"])
    >>> numbers, words = five_variables(rfm, {"day_type": days})
    >>> numbers.loc["a"].tolist(), words["main_day_type"].tolist()
    ([2.0, 15.0], ['weekday', 'weekend'])
    """
    words = pd.DataFrame(index=rfm.index)
    if customers is not None and "is_business" in customers:
        is_firm = customers["is_business"].reindex(rfm.index)
        words["customer_type"] = is_firm.map({True: "firm", False: "person"})
    for name, counts in choices.items():
        words[f"main_{name}"] = counts.idxmax(axis=1)
    words = words.astype("object").fillna("unknown")
    numbers = pd.DataFrame(
        {
            "purchase_frequency": rfm["n_orders"],
            "mean_order_value": rfm["total_value"] / rfm["n_orders"],
        }
    )
    numbers, words = (table.loc[:, table.nunique() >= 2] for table in (numbers, words))
    return numbers, words
