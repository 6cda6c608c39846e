"""Four types of relationship between firms, from what shows, with the evidence for each.

Who asks: whoever has accounts of every kind and must say which is what before deciding what fits.
The types lie on a continuum (Webster 1992): *transactional* buying and selling, *preferred
supplier*, *partnership*, *alliance*; they differ in their connectors, such as information,
operations, legal ties and adaptation (Cannon & Perreault 1999; Anderson & Narus 1991; Heide & John
1990 on joint action; Varadarajan & Cunningham 1995 on alliances). No source gives numbers. Here
each indicator points at one of the four types by three cut-offs of its own, which stand in
`type_indicators.csv` with their reasons; indicators of one dimension share one vote, so that what
is asked about four times does not count four times. A tie of ownership points at an alliance; its
absence points nowhere.

Sources: F. E. Webster (1992), The changing role of marketing in the corporation, Journal of
Marketing 56(4), 1-17, doi:10.2307/1251983; J. P. Cannon & W. D. Perreault (1999), Buyer-seller
relationships in business markets, Journal of Marketing Research 36(4), 439-460,
doi:10.2307/3151999; P. R. Varadarajan & M. H. Cunningham (1995), Strategic alliances: A synthesis
of conceptual foundations, Journal of the Academy of Marketing Science 23(4), 282-296.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

__all__ = ["CANNOT_TELL", "TYPES", "assign_types", "load_type_indicators", "split_value"]

TYPES = ("transactional", "preferred supplier", "partnership", "alliance")
"""The four types, from the loosest to the closest; no order of merit."""

CANNOT_TELL = "cannot tell"
_BORDERS = np.array([0.75, 1.5, 2.25])  # quarters of the range of the closeness
_LEVELS = {"clerk": 0, "buyer": 1, "manager": 2, "board": 3}


@cache
def load_type_indicators():
    """Return the cut-offs at which each indicator points at the next type.

    Returns
    -------
    pandas.DataFrame, one row per indicator
        `indicator`, `dimension`, `cut_1` to `cut_3` (in the indicator's unit) and `why`.

    Examples
    --------
    >>> table = load_type_indicators().set_index("indicator")
    >>> table.loc["share_of_wallet", ["cut_1", "cut_2", "cut_3"]].tolist()
    [0.25, 0.5, 0.75]
    """
    with files(__package__).joinpath("type_indicators.csv").open(encoding="utf-8") as lines:
        return pd.read_csv(lines)


def assign_types(accounts, *, least_distance=0.05, least_dimensions=4):
    """Return the type of each relationship, and how much of the evidence points at each type.

    Parameters
    ----------
    accounts : pandas.DataFrame, one row per account
        Some of the indicators of `load_type_indicators`, `has_equity_tie`, and, for
        `investment_years`, `specific_investment` and `relationship_cost`.
    least_distance : float
        Distance of the closeness from the border between two types; nearer than that, the answer
        is "cannot tell".
    least_dimensions : int
        Dimensions about which something must be known.

    Returns
    -------
    pandas.DataFrame, one row per account, same index
        A column for each of `TYPES`: part of the evidence that points at it, summing to 1 (NaN if
        nothing is known); `n_dimensions`, known ones; `closeness`, the mean position of the
        evidence from 0 (all transactional) to 3 (all alliance); and `relationship_type`: the
        quarter of that range in which the closeness lies, or "cannot tell". The types being
        places on a continuum, evidence for both neighbours of a type speaks for it.

    Raises
    ------
    ValueError
        If no indicator is there, or a threshold is out of range.

    Examples
    --------
    >>> accounts = pd.DataFrame({"n_contact_persons": [1, 9], "information_sharing": [1.0, 7.0],
    ...     "adaptation": [2.0, 6.0], "goal_congruence": [2.0, 7.0],
    ...     "has_equity_tie": [False, True]})
    >>> assign_types(accounts)["relationship_type"].tolist()
    ['transactional', 'alliance']
    """
    if not 0 <= least_distance < 0.375:
        raise ValueError(
            f"least_distance is {least_distance!r}; expected at least 0 and below 0.375, half of "
            "a type's part of the range"
        )
    values = _gather(accounts)
    rules = load_type_indicators()
    rules = rules[rules["indicator"].isin(values.columns)]
    if rules.empty and "has_equity_tie" not in accounts:
        raise ValueError(
            "accounts: no indicator of the type; expected some of "
            + ", ".join(load_type_indicators()["indicator"])
        )
    votes, totals = {}, []
    for row in rules.itertuples():
        value = values[row.indicator].to_numpy()
        position = np.searchsorted([row.cut_1, row.cut_2, row.cut_3], value, side="right")
        vote = np.eye(len(TYPES))[np.minimum(position, 3)]
        votes.setdefault(row.dimension, []).append(
            np.where(np.isnan(value)[:, np.newaxis], np.nan, vote)
        )
    if "has_equity_tie" in accounts:
        tied = accounts["has_equity_tie"].fillna(False).to_numpy(dtype=bool)[:, np.newaxis]
        votes["ownership"] = [np.where(tied, np.eye(len(TYPES))[3], np.nan)]
    for pieces in votes.values():
        total = np.nansum(pieces, axis=0)
        known = (~np.isnan(pieces)).any(axis=2).sum(axis=0)[:, np.newaxis]
        totals.append(np.where(known > 0, total / np.maximum(known, 1), np.nan))
    stacked = np.array(totals)
    n_dimensions = (~np.isnan(stacked)).any(axis=2).sum(axis=0)
    evidence = np.nansum(stacked, axis=0) / np.maximum(n_dimensions, 1)[:, np.newaxis]
    evidence[n_dimensions == 0] = np.nan
    closeness = evidence @ np.arange(len(TYPES))
    distance = np.abs(closeness[:, np.newaxis] - _BORDERS).min(axis=1)
    is_told = (distance >= least_distance) & (n_dimensions >= least_dimensions)
    place = np.searchsorted(_BORDERS, np.nan_to_num(closeness), side="right")
    label = np.where(is_told, np.array(TYPES, dtype=object)[place], CANNOT_TELL)
    table = pd.DataFrame(evidence, index=accounts.index, columns=list(TYPES))
    return table.assign(
        n_dimensions=n_dimensions,
        closeness=closeness,
        relationship_type=pd.Categorical(label, categories=[*TYPES, CANNOT_TELL], ordered=True),
    )


def split_value(accounts, group):
    """Return what relationships of each group create together, and who gets how much of it.

    Value is *distributed* where the share decides who gains, and *created* where the size of the
    whole does (Vargo & Lusch 2004, Evolving to a new dominant logic for marketing, Journal of
    Marketing 68(1), 1-17, doi:10.1509/jmkg.68.1.1.24036).

    Parameters
    ----------
    accounts : pandas.DataFrame, one row per account
        `joint_value` and `relationship_cost` (money a year), `supplier_value_share` (0 to 1).
    group : pandas.Series
        Group of each account, same index.

    Returns
    -------
    pandas.DataFrame, one row per group, in the order of its categories or of their names
        `n_accounts`, medians of `joint_value`, `supplier_value_share`, `supplier_value` (ours),
        `buyer_value` (theirs) and `net_return` (ours less what the relationship costs us), and
        `share_negative_return`. Accounts with a missing number are left out and not counted.

    Examples
    --------
    >>> accounts = pd.DataFrame({"joint_value": [100.0, 300.0], "relationship_cost": [60.0, 60.0],
    ...     "supplier_value_share": [0.5, 0.5]})
    >>> split_value(accounts, pd.Series(["a", "b"]))["net_return"].tolist()
    [-10.0, 90.0]
    """
    value = accounts["joint_value"].astype("float64")
    ours = value * accounts["supplier_value_share"]
    table = pd.DataFrame(
        {
            "group": group,
            "joint_value": value,
            "supplier_value_share": accounts["supplier_value_share"].astype("float64"),
            "supplier_value": ours,
            "buyer_value": value - ours,
            "net_return": ours - accounts["relationship_cost"],
        }
    ).dropna()
    grouped = table.groupby("group", observed=True)
    medians = grouped.median()
    medians.insert(0, "n_accounts", grouped.size())
    medians["share_negative_return"] = (
        (table["net_return"] < 0).groupby(table["group"], observed=True).mean()
    )
    return medians.reset_index()


def _gather(accounts):
    """Return the indicators that are known, as numbers."""
    known = {}
    for name in load_type_indicators()["indicator"]:
        if name == "highest_contact" and name in accounts:
            known[name] = accounts[name].map(_LEVELS).astype("float64")
        elif name in accounts:
            known[name] = accounts[name].astype("float64")
    if {"specific_investment", "relationship_cost"} <= set(accounts):
        cost = accounts["relationship_cost"].astype("float64")
        known["investment_years"] = accounts["specific_investment"] / cost.where(cost > 0)
    return pd.DataFrame(known, index=accounts.index)
