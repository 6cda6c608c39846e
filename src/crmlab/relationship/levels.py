"""Kotler's five levels of relationship, from who contacts whom after a sale, and which to choose.

Who asks: whoever must decide how much care a group of customers gets. *Basic*: sold, and that is
it. *Reactive*: the customer may call. *Accountable*: we ask soon after the sale how it went.
*Proactive*: we come back regularly with suggestions. *Partnership*: continuous joint work. How far
to go depends on how many customers there are and what each brings (P. Kotler, Marketing
Management, the table of relationship levels by number of customers and margin).

The four kinds 销售型, 服务型, 伙伴型 and 竞争型 (sales, service, partner, competitor) are common in
Chinese texts and have no canonical source; `assign_contact_kinds` gives them a rule of our own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.relationship.types import CANNOT_TELL

__all__ = [
    "CONTACT_KINDS",
    "LEVEL_CHOICE",
    "RELATIONSHIP_LEVELS",
    "assign_contact_kinds",
    "assign_levels",
    "choose_levels",
]

RELATIONSHIP_LEVELS = ("basic", "reactive", "accountable", "proactive", "partnership")
"""The five levels, from the least contact to the most."""

CONTACT_KINDS = ("sales", "service", "partner", "competitor")

LEVEL_CHOICE = pd.DataFrame(
    {
        "high": ["accountable", "proactive", "partnership"],
        "medium": ["reactive", "accountable", "proactive"],
        "low": ["basic", "reactive", "accountable"],
    },
    index=["many", "medium", "few"],
)
"""Level by the number of customers (rows) and the margin of each (columns). Kotler's table says
"basic or reactive" for many customers at a low margin; the cheaper of the two stands here."""


def assign_levels(accounts, *, follow_up_days=30, regular_contacts=12):
    """Return the level at which each customer is kept, and what showed it.

    The highest level whose sign is there holds. *Partnership*: a joint project under way.
    *Proactive*: at least `regular_contacts` a year on our initiative. *Accountable*: we ask within
    `follow_up_days` of a delivery. *Reactive*: the customer contacts us. *Basic*: none of these.

    Parameters
    ----------
    accounts : pandas.DataFrame, one row per customer
        `n_joint_projects`, `n_outbound_contacts`, `n_inbound_contacts` (a year) and
        `days_to_follow_up` (NaN where nobody asks); a column that is missing altogether rules its
        level out.
    follow_up_days : float
        Days that count as soon.
    regular_contacts : int
        Contacts a year that count as regular.

    Returns
    -------
    pandas.Series, same index
        Ordered category of `RELATIONSHIP_LEVELS` and "cannot tell", where a count is missing that
        would have decided.

    Raises
    ------
    ValueError
        If neither count of contacts is there.

    Examples
    --------
    >>> accounts = pd.DataFrame({"n_joint_projects": [0, 0, 2], "n_outbound_contacts": [0, 1, 20],
    ...     "n_inbound_contacts": [0, 3, 9], "days_to_follow_up": [None, 5.0, 2.0]})
    >>> assign_levels(accounts).tolist()
    ['basic', 'accountable', 'partnership']
    """
    if not {"n_outbound_contacts", "n_inbound_contacts"} & set(accounts.columns):
        raise ValueError(
            "no contacts to read a level from: give n_outbound_contacts or n_inbound_contacts"
        )
    nothing = pd.Series(0.0, index=accounts.index)

    def column(name, empty):
        return accounts[name].astype("float64") if name in accounts else nothing + empty

    projects, outbound, inbound = (
        column(f"n_{name}", 0.0)
        for name in ("joint_projects", "outbound_contacts", "inbound_contacts")
    )
    days = column("days_to_follow_up", np.nan)
    label = np.select(
        [
            projects >= 1,
            projects.isna(),
            outbound >= regular_contacts,
            outbound.isna(),
            days <= follow_up_days,
            inbound >= 1,
            inbound.isna(),
        ],
        [
            "partnership",
            CANNOT_TELL,
            "proactive",
            CANNOT_TELL,
            "accountable",
            "reactive",
            CANNOT_TELL,
        ],
        default="basic",
    )
    names = [*RELATIONSHIP_LEVELS, CANNOT_TELL]
    return pd.Series(pd.Categorical(label, names, ordered=True), index=accounts.index)


def choose_levels(groups, *, few=50, many=500, low_margin=0.2, high_margin=0.4):
    """Return the level that Kotler's table chooses for each group of customers.

    Parameters
    ----------
    groups : pandas.DataFrame, one row per group
        `n_customers` and `margin_rate` (margin per unit of sales; NaN where unknown).
    few, many : int
        Numbers of customers: at most `few` are few, at least `many` are many.
    low_margin, high_margin : float
        Margin rates: below `low_margin` is low, from `high_margin` on is high.

    Returns
    -------
    pandas.DataFrame, same index
        `size` (few, medium, many), `margin` (low, medium, high) and `chosen_level`; NaN margins
        end in "cannot tell".

    Raises
    ------
    ValueError
        If thresholds are not in order.

    Examples
    --------
    >>> groups = pd.DataFrame({"n_customers": [20, 9000], "margin_rate": [0.5, 0.1]})
    >>> choose_levels(groups)["chosen_level"].tolist()
    ['partnership', 'basic']
    """
    if not (few < many and low_margin < high_margin):
        raise ValueError("expected few below many and low_margin below high_margin")
    size = np.select(
        [groups["n_customers"] <= few, groups["n_customers"] >= many],
        ["few", "many"],
        default="medium",
    )
    rate = groups["margin_rate"].astype("float64")
    margin = np.select(
        [rate.isna(), rate < low_margin, rate >= high_margin],
        [CANNOT_TELL, "low", "high"],
        default="medium",
    )
    chosen = [
        CANNOT_TELL if m == CANNOT_TELL else LEVEL_CHOICE.loc[s, m]
        for s, m in zip(size, margin, strict=True)
    ]
    return pd.DataFrame(
        {"size": size, "margin": margin, "chosen_level": chosen}, index=groups.index
    )


def assign_contact_kinds(accounts, *, least_share=0.6, rival_below=3.0):
    """Return whether a relation is about selling, serving, working together, or contending.

    No canonical source: a rule of ours. *Partner*: two joint projects or more. *Competitor*: trust
    and likeness of goals both below `rival_below` on their scales of 1 to 7, two parties that
    contend over what there is. *Sales* or *service*: at least `least_share` of the contacts come
    from us, or from them.

    Parameters
    ----------
    accounts : pandas.DataFrame, one row per account
        `n_joint_projects`, `trust`, `goal_congruence`, `n_outbound_contacts`,
        `n_inbound_contacts`.
    least_share : float
        Share of all contacts that decides, above 0.5.
    rival_below : float

    Returns
    -------
    pandas.Series, same index
        Category of `CONTACT_KINDS` and "cannot tell": contacts in balance, none at all, or a
        number missing.

    Examples
    --------
    >>> accounts = pd.DataFrame({"n_joint_projects": [0, 0, 3], "trust": [5.0, 2.0, 6.0],
    ...     "goal_congruence": [4.0, 2.0, 6.0], "n_outbound_contacts": [9, 1, 5],
    ...     "n_inbound_contacts": [1, 1, 5]})
    >>> assign_contact_kinds(accounts).tolist()
    ['sales', 'competitor', 'partner']
    """
    needed = ["n_joint_projects", "trust", "goal_congruence"]
    needed += ["n_outbound_contacts", "n_inbound_contacts"]
    missing = [name for name in needed if name not in accounts]
    if missing:
        raise ValueError(f"accounts: no column {', '.join(missing)}")
    if not 0.5 < least_share <= 1:
        raise ValueError(f"least_share is {least_share!r}; expected above 0.5, at most 1")
    projects, trust, goals, outbound, inbound = (
        accounts[name].astype("float64") for name in needed
    )
    total = outbound + inbound
    from_us = outbound / total.where(total > 0)
    label = np.select(
        [
            accounts[needed].isna().any(axis=1),
            projects >= 2,
            (trust < rival_below) & (goals < rival_below),
            from_us >= least_share,
            from_us <= 1 - least_share,
        ],
        [CANNOT_TELL, "partner", "competitor", "sales", "service"],
        default=CANNOT_TELL,
    )
    names = [*CONTACT_KINDS, CANNOT_TELL]
    return pd.Series(pd.Categorical(label, names), index=accounts.index)
