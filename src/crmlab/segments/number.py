"""The number of segments that each criterion would choose: one row each, so that none is picked.

Who asks: whoever read that the silhouette says two and BIC says six, and wants both on the table
before choosing. The criteria ask different things: separation (silhouette, Calinski and Harabasz,
Davies and Bouldin), coming out again (stability), compactness beyond structureless data (gap), and
account for the data by a model (BIC, ICL).

Sources: see `crmlab.segments.stability` and `crmlab.segments.mixture`. The rule for the gap is
that of Tibshirani, Walther & Hastie (2001), doi:10.1111/1467-9868.00293.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["CRITERIA_OF_NUMBER", "choose_by_criterion"]

#: Criteria in the order of `choose_by_criterion`, and whether the greatest value is the best.
CRITERIA_OF_NUMBER = {
    "silhouette": True,
    "calinski_harabasz": True,
    "davies_bouldin": False,
    "stability": True,
    "gap": True,
    "bic": False,
    "icl": False,
}


def choose_by_criterion(table, mixtures=None):
    """Return the number of segments that each criterion takes for the best.

    Parameters
    ----------
    table : pandas.DataFrame
        From `crmlab.segments.stability.compare_n_segments`.
    mixtures : pandas.DataFrame, optional
        From `crmlab.segments.mixture.compare_mixtures`; without it BIC and ICL are left out.

    Returns
    -------
    pandas.DataFrame
        One row per criterion: `criterion`, `n_segments`, `value` there, and `is_at_end` (bool):
        the best is the largest number compared, so that the criterion might go on beyond. The gap
        chooses the smallest number whose gap is no worse than that of the next by more than the
        next one's error; the others their best value, of equal ones the smaller number. Missing
        where every value is NaN.

    Raises
    ------
    ValueError
        If a table lacks a column.

    References
    ----------
    Tibshirani, Walther & Hastie (2001), doi:10.1111/1467-9868.00293

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "n_segments": [2, 3, 4], "silhouette": [0.4, 0.6, 0.5], "stability": [0.99, 0.9, 0.5],
    ...     "calinski_harabasz": [10.0, 30.0, 20.0], "davies_bouldin": [0.9, 0.5, 0.7],
    ...     "gap": [0.1, 0.5, 0.45], "gap_error": [0.01, 0.01, 0.01],
    ... })
    >>> choose_by_criterion(table)[["criterion", "n_segments"]].values.tolist()[:2]
    [['silhouette', 3], ['calinski_harabasz', 3]]
    >>> int(choose_by_criterion(table).query("criterion == 'gap'")["n_segments"].iloc[0])
    3
    """
    rows = []
    for criterion, is_high in CRITERIA_OF_NUMBER.items():
        source = mixtures if criterion in ("bic", "icl") else table
        if source is None:
            continue
        needed = ["n_segments", criterion] + (["gap_error"] if criterion == "gap" else [])
        absent = [name for name in needed if name not in source.columns]
        if absent:
            raise ValueError(
                f"{criterion}: column {absent[0]!r} is missing; expected the table of "
                "compare_n_segments, or of compare_mixtures for bic and icl"
            )
        known = source.dropna(subset=[criterion]).sort_values("n_segments", ignore_index=True)
        row = {"criterion": criterion, "n_segments": pd.NA, "value": np.nan, "is_at_end": False}
        if len(known):
            place = _first_gap(known) if criterion == "gap" else _best(known[criterion], is_high)
            row |= {
                "n_segments": int(known["n_segments"][place]),
                "value": float(known[criterion][place]),
                "is_at_end": place == len(known) - 1 and len(known) > 1,
            }
        rows.append(row)
    return pd.DataFrame(rows).astype({"n_segments": "Int64"})


def _best(values, is_high):
    return int(values.idxmax() if is_high else values.idxmin())


def _first_gap(table):
    """Return the place of the first gap that the next one does not clearly exceed."""
    gap, error = table["gap"].to_numpy(), table["gap_error"].to_numpy()
    is_enough = gap[:-1] >= gap[1:] - error[1:]
    return int(np.argmax(is_enough)) if is_enough.any() else len(gap) - 1
