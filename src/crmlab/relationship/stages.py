"""Stages of a relationship by plain rules: four of the theory, and the general course of eight.

Who asks: whoever wants stages that can be explained at the counter, and whoever fits a hidden
Markov model (`crmlab.relationship.markov_stages`) and must show that it does better than rules.

Both readings look at the *pace*, the mean of the volume (orders, visits) over the last months,
against its own past: how it stood as many months before, and the highest it has been. Four stages:
F. R. Dwyer, P. H. Schurr & S. Oh (1987), doi:10.1177/002224298705100202; S. D. Jap & S. Ganesan
(2000), Journal of Marketing Research 37(2), 227-245; 陈明亮 (2002). The course of eight phases,
from winning a customer over socialisation to the end, follows B. Stauss (2000), Perspektivenwandel:
Vom Produkt-Lebenszyklus zum Kundenbeziehungs-Lebenszyklus, Thexis 17(2), 15-18. Neither source
gives numbers: every threshold here is ours, and a parameter.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.relationship.markov_stages import STATES
from crmlab.relationship.panel import arrange_months

__all__ = ["PHASES", "assign_phases", "assign_stages", "average_course"]

PHASES = (
    "acquisition",
    "socialisation",
    "establishment",
    "growth",
    "maturity",
    "saturation",
    "fading",
    "termination",
)
"""The general course of a relationship, in order."""


def assign_stages(
    panel, volume, *, n_months=3, quiet_months=2, growth=0.25, fall=0.5, high_share=0.5
):
    """Return the stage of each customer-month by rules, each looking at the past alone.

    The first rule that holds decides. *Ended*: the volume was 0 in the last `quiet_months`.
    *Decline*: the pace is at most 1 - `fall` of its own highest. *Formation*: the pace is at least
    1 + `growth` times what it was `n_months` before. *Stability*: the pace is high, that is, above
    the `high_share` quantile of all months with a volume. *Exploration*: all else, little and
    irregular.

    Parameters
    ----------
    panel : pandas.DataFrame, one row per customer and month without gaps
        `customer_id`, `month_on` and the volume.
    volume : str
        Column of whole numbers that tells how much the relationship is used.
    n_months : int
        Months of the pace; at the beginning of a history, those there are.
    quiet_months : int
        Months without volume that count as the end.
    growth, fall : float
        Least growth of formation, above 0; least fall of decline, between 0 and 1.
    high_share : float
        Quantile of the months with a volume from which on a pace is high.

    Returns
    -------
    pandas.Series, one per row of `panel`, same index
        Ordered category of `crmlab.relationship.markov_stages.STATES`.

    Raises
    ------
    ValueError
        If the panel has gaps, the volume is never above 0, or a threshold is out of range.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": "a", "n_visits": [1, 1, 4, 8, 8, 8, 2, 1, 1, 0, 0],
    ...     "month_on": pd.date_range("2024-01-01", periods=11, freq="MS")})
    >>> print(*assign_stages(panel, "n_visits"))  # doctest: +NORMALIZE_WHITESPACE
    exploration exploration exploration formation formation formation formation decline decline
    decline ended
    """
    _check_thresholds(n_months, quiet_months, growth, fall, high_share)
    months, table = _spread(panel, volume)
    pace = _pace(table, n_months)
    known = ~np.isnan(table)
    is_quiet = _quiet(table, quiet_months)
    peak = np.fmax.accumulate(pace, axis=1)
    before = _shift(pace, n_months)
    high = np.quantile(table[known & (table > 0)], high_share)
    stage = np.select(
        [
            is_quiet,
            pace <= (1 - fall) * peak,
            pace >= (1 + growth) * np.maximum(before, 1e-9),
            pace > high,
        ],
        [4, 3, 1, 2],
        default=0,
    )
    return _as_category(months.gather(stage), STATES, panel.index)


def assign_phases(panel, volume, *, n_months=3, quiet_months=6, growth=0.25, slack=0.25, fall=0.5):
    """Return the phase of each customer-month in the general course of eight phases.

    The first rule that holds decides. *Acquisition*: nothing has been bought yet. *Termination*:
    nothing in the last `quiet_months`. *Socialisation*: up to the second month with a purchase.
    *Establishment*: the first `n_months` months after it. *Fading* (decline): the pace is at most
    1 - `fall` of its highest. *Growth*: it is at least 1 + `growth` times what it was `n_months`
    before. *Maturity*: it is within `slack` of its highest. *Saturation*: it lies between.

    Parameters
    ----------
    panel, volume, n_months, quiet_months, growth, fall
        As for `assign_stages`; the volume is purchases here.
    slack : float
        Part of the highest pace by which maturity may fall short of it, less than `fall`.

    Returns
    -------
    pandas.Series, one per row of `panel`, same index
        Ordered category of `PHASES`.

    Raises
    ------
    ValueError
        As `assign_stages`, and if `slack` is not between 0 and `fall`.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": "a", "n_orders": [0, 1, 0, 1, 1, 3, 4, 4, 4, 3, 2, 1],
    ...     "month_on": pd.date_range("2024-01-01", periods=12, freq="MS")})
    >>> print(*assign_phases(panel, "n_orders", quiet_months=3)[[0, 1, 3, 4, 7, 8, 9, 10, 11]])
    ... # doctest: +NORMALIZE_WHITESPACE
    acquisition socialisation socialisation establishment growth growth growth maturity fading
    """
    _check_thresholds(n_months, quiet_months, growth, fall, 0.5)
    if not 0 <= slack < fall:
        raise ValueError(f"slack is {slack!r}; expected at least 0 and less than fall, {fall!r}")
    months, table = _spread(panel, volume)
    pace = _pace(table, n_months)
    bought = np.cumsum(np.nan_to_num(table) > 0, axis=1)
    since_second = np.cumsum(bought >= 2, axis=1)
    peak = np.fmax.accumulate(pace, axis=1)
    before = _shift(pace, n_months)
    phase = np.select(
        [
            bought == 0,
            _quiet(table, quiet_months),
            since_second <= 1,
            since_second <= 1 + n_months,
            pace <= (1 - fall) * peak,
            pace >= (1 + growth) * np.maximum(before, 1e-9),
            pace >= (1 - slack) * peak,
        ],
        [0, 7, 1, 2, 6, 3, 4],
        default=5,
    )
    return _as_category(months.gather(phase), PHASES, panel.index)


def average_course(panel, stages, *, least_customers=30):
    """Return what share of the customers is in each stage, by the month of the relationship.

    Parameters
    ----------
    panel : pandas.DataFrame, one row per customer and month without gaps
        `customer_id`, `month_on`.
    stages : pandas.DataFrame or pandas.Series of category, same index
        Probabilities, one column per stage, or one stage per row.
    least_customers : int
        Months that fewer customers reached are left out.

    Returns
    -------
    pandas.DataFrame, one row per month of the relationship, from 0
        One column per stage, rows summing to 1: of the customers who came after the panel began,
        so that month 0 is the first; of all, where nobody came later. Empty where too few came.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": list("aabb"),
    ...     "month_on": list(pd.date_range("2024-01-01", periods=2, freq="MS")) * 2})
    >>> stages = pd.Series(pd.Categorical(list("xyxx")))
    >>> average_course(panel, stages, least_customers=1)["y"].tolist()
    [0.0, 0.5]
    """
    months = arrange_months(panel.assign(_none=0), ["_none"])
    if isinstance(stages, pd.Series):
        stages = pd.get_dummies(stages, dtype=float)
    values = stages.to_numpy(dtype=float)[months.rows]
    counted = months.is_new if months.is_new.any() else ~months.is_new
    rows = []
    for block in months.blocks():
        chosen = values[block][counted[: block.stop - block.start]]
        if len(chosen) < least_customers:
            break
        rows.append(chosen.mean(axis=0))
    table = np.array(rows).reshape(-1, stages.shape[1])
    columns = [str(name) for name in stages.columns]
    return pd.DataFrame(table, columns=columns).rename_axis("month_number")


def _spread(panel, volume):
    months = arrange_months(panel, [volume])
    if not months.counts.any():
        raise ValueError(f"{volume} is 0 in every customer-month: no relationship to read")
    return months, months.spread(months.counts[:, 0])


def _pace(table, n_months):
    """Return the mean of the last months, of those there are at the beginning."""
    total = np.cumsum(table, axis=1)
    recent = total - _shift(total, n_months, fill=0.0)
    n = np.minimum(np.arange(1, table.shape[1] + 1), n_months)
    return recent / n


def _quiet(table, quiet_months):
    """Return whether nothing happened in so many months up to this one."""
    return (_pace(table, quiet_months) == 0) & (np.arange(table.shape[1]) >= quiet_months - 1)


def _shift(table, n_months, *, fill=np.nan):
    shifted = np.full_like(table, fill)
    shifted[:, n_months:] = table[:, :-n_months]
    return shifted


def _as_category(codes, names, index):
    codes = pd.Categorical.from_codes(codes.astype(int), categories=list(names), ordered=True)
    return pd.Series(codes, index=index)


def _check_thresholds(n_months, quiet_months, growth, fall, high_share):
    for name, value in (("n_months", n_months), ("quiet_months", quiet_months)):
        if value < 1:
            raise ValueError(f"{name} is {value!r}; expected 1 or more")
    if not growth > 0:
        raise ValueError(f"growth is {growth!r}; expected more than 0")
    for name, value in (("fall", fall), ("high_share", high_share)):
        if not 0 < value < 1:
            raise ValueError(f"{name} is {value!r}; expected between 0 and 1")
