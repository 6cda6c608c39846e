"""Is a segmentation any use? The field's criteria, as far as data can answer them.

Who asks: whoever must decide whether to build programmes on a segmentation. Kotler's segments are
measurable, substantial, accessible, differentiable and actionable; stable is asked here as well.
Actionable has a part that data can answer, where some customers were held out: whether a programme
that the firm has moves the segments' customers at all. Whether the firm will treat them
differently, no table can say, and none here does.

Sources: M. Wedel & W. A. Kamakura (2000), Market Segmentation, Kluwer,
doi:10.1007/978-1-4615-4651-1 (six criteria: identifiability, substantiality, accessibility,
stability, responsiveness, actionability); P. Kotler & K. L. Keller, Marketing Management.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd

from crmlab.segments.bases import cramers_v
from crmlab.segments.profile import eta_squared

__all__ = ["CRITERIA_THRESHOLDS", "check_criteria"]

#: Conventions, to be changed for the firm at hand: 95 % of customers can be placed; the smallest
#: segment holds 5 % of them; the segments account for 14 % of the variance on average (a large
#: effect to Cohen 1988); they come out again at an adjusted Rand index of 0.85; a descriptor known
#: without any order reaches them at a Cramer's V of 0.1 (a small effect); segments with half of
#: the customers are demonstrably moved by a contact.
CRITERIA_THRESHOLDS = MappingProxyType(
    {
        "measurable": 0.95,
        "substantial": 0.05,
        "differentiable": 0.14,
        "stable": 0.85,
        "accessible": 0.10,
        "actionable": 0.50,
    }
)


def check_criteria(
    segment,
    variables,
    *,
    stability,
    n_population=None,
    descriptors=None,
    effects=None,
    thresholds=None,
):
    """Return how a segmentation meets each criterion that data can answer.

    Parameters
    ----------
    segment : pandas.Series
        Segment of each customer who could be placed.
    variables : pandas.DataFrame
        Numeric behaviour of these customers, with the index of `segment`.
    stability : float
        Mean adjusted Rand index (`crmlab.segments.stability.segment_stability`).
    n_population : int, optional
        All customers, placed or not; those placed unless given.
    descriptors : pandas.DataFrame, optional
        What is known of a customer without any order (region, age band, channel), with the
        index of `segment`. Without it accessibility is not assessed.
    effects : pandas.DataFrame, optional
        From `crmlab.segments.effects.uplift_by_segment`, of segments numbered like these: without
        it whether they are actionable is not assessed.
    thresholds : mapping, optional
        Replaces some of `CRITERIA_THRESHOLDS`.

    Returns
    -------
    pandas.DataFrame
        One row per criterion: `criterion`, `value`, `threshold`, `score`, the value over the
        threshold and at most 1, and `is_met` (nullable boolean); both missing where the data
        cannot answer. Measurable: share of customers who could be placed. Substantial: share of
        the smallest segment. Differentiable: mean eta squared of the variables that vary.
        Stable: `stability`. Accessible: the largest Cramér's V of a descriptor with the
        segments. Actionable: share of the customers whose segment has an uplift above 0
        beyond chance (Holm's p value below 5 %).

    Raises
    ------
    ValueError
        If nobody was placed, a threshold has an unknown name, or `n_population` is below the
        customers placed.

    References
    ----------
    Wedel & Kamakura (2000), doi:10.1007/978-1-4615-4651-1

    Examples
    --------
    >>> import pandas as pd
    >>> segment = pd.Series([1, 1, 2, 2])
    >>> variables = pd.DataFrame({"n_orders": [8.0, 10.0, 1.0, 3.0]})
    >>> table = check_criteria(segment, variables, stability=0.9)
    >>> table[["criterion", "value", "is_met"]].round(2)
            criterion  value  is_met
    0      measurable   1.00    True
    1     substantial   0.50    True
    2  differentiable   0.92    True
    3          stable   0.90    True
    4      accessible    NaN    <NA>
    5      actionable    NaN    <NA>
    """
    limits = dict(CRITERIA_THRESHOLDS)
    unknown = [name for name in (thresholds or {}) if name not in limits]
    if unknown:
        raise ValueError(
            f"thresholds: no criterion {unknown[0]!r}; expected some of {', '.join(limits)}"
        )
    limits |= dict(thresholds or {})
    n_placed = len(segment)
    if not n_placed:
        raise ValueError("segment: no customer was placed in a segment; expected some")
    n_population = n_placed if n_population is None else n_population
    if n_population < n_placed:
        raise ValueError(
            f"n_population is {n_population!r}, below the {n_placed} customers placed in a "
            "segment; expected all customers, placed or not"
        )
    reach = (
        []
        if descriptors is None
        else [cramers_v(segment, descriptors[column]) for column in descriptors.columns]
    )
    known_reach = [v for v in reach if not np.isnan(v)]
    eta = [eta_squared(variables[column], segment) for column in variables.columns]
    known_eta = [share for share in eta if not np.isnan(share)]
    value = {
        "measurable": n_placed / n_population,
        "substantial": float(segment.groupby(segment, observed=True).size().min()) / n_placed,
        "differentiable": float(np.mean(known_eta)) if known_eta else np.nan,
        "stable": float(stability),
        "accessible": max(known_reach) if known_reach else np.nan,
        "actionable": np.nan if effects is None else _moved_share(segment, effects),
    }
    table = pd.DataFrame({"criterion": list(value), "value": list(value.values())})
    table["threshold"] = table["criterion"].map(limits)
    part = table["value"] / table["threshold"].where(table["threshold"] > 0)
    table["score"] = (
        part.clip(0, 1).where(table["threshold"] > 0, 1.0).where(table["value"].notna())
    )
    is_met = (table["value"] >= table["threshold"]).astype("boolean")
    table["is_met"] = is_met.mask(table["value"].isna() | table["threshold"].isna())
    return table


def _moved_share(segment, effects):
    """Return the share of customers in segments that a contact moves; NaN if none was tested."""
    tested = effects.dropna(subset=["adjusted_p_value"])
    if tested.empty:
        return np.nan
    moved = tested.loc[(tested["uplift"] > 0) & (tested["adjusted_p_value"] < 0.05), "segment"]
    return float(segment.isin(moved).mean())
