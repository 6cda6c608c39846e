r"""Measures of what customers ask for, and of what a silence or a share says.

Who asks: every typology that goes by behaviour; `crmlab.segments.types.purchases` describes what
was bought. One row per customer; what a table does not hold
is missing, never zero. *Silence* is the time since the last purchase. Under purchases at random at
the customer's own pace, a silence of :math:`s` days is :math:`e^{s/g}` times as likely of a
customer who has left as of one who buys every :math:`g` days; with a share :math:`\pi` of leavers
beforehand, the probability of having left is by Bayes

.. math:: \frac{\pi}{\pi + (1 - \pi)\, e^{-s/g}}

which is a rule anyone can work out by hand; a fitted model (BG/NBD) does better where it fits.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["describe_requests", "silence_churn", "smoothed_share"]


def silence_churn(silence_days, first_days, n_repeat_orders, *, share_left=0.3):
    """Return the probability that a customer has left, by the length of the silence alone.

    Parameters
    ----------
    silence_days, first_days : pandas.Series of float
        Days since the last and since the first purchase.
    n_repeat_orders : pandas.Series of float
        Purchase days after the first.
    share_left : float
        Share of leavers taken for granted beforehand, between 0 and 1.

    Returns
    -------
    pandas.Series of float
        From `share_left` (no silence) towards 1. The days between two purchases are
        ``(active days + m) / (n_repeat_orders + 1)``, drawn towards the mean gap m of all
        customers, which is also what a customer with one purchase is given. NaN throughout where
        nobody bought on two days: then no pace is known, and a silence says nothing.

    Raises
    ------
    ValueError
        If `share_left` is not between 0 and 1.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.Series([0.0, 300.0])
    >>> silence_churn(days, pd.Series([300.0, 400.0]), pd.Series([9.0, 3.0])).round(2).tolist()
    [0.3, 1.0]
    """
    if not 0 < share_left < 1:
        raise ValueError(f"share_left is {share_left!r}; expected a share between 0 and 1")
    active = first_days - silence_days
    n_gaps = n_repeat_orders.sum()
    usual = active.sum() / n_gaps if n_gaps > 0 else np.nan
    gap = ((active + usual) / (n_repeat_orders + 1)).clip(lower=1.0)
    alive = (1 - share_left) * np.exp(-silence_days / gap)
    return (share_left / (share_left + alive)).rename("churn_probability")


def smoothed_share(n_hits, n, *, strength=2.0):
    """Return a share of each customer, drawn towards the share of all: one case proves little.

    Parameters
    ----------
    n_hits, n : pandas.Series of float
        Hits among `n` cases; NaN where unknown.
    strength : float
        Cases that the share of all is worth, 0 or more.

    Returns
    -------
    pandas.Series of float
        ``(n_hits + strength * overall) / (n + strength)``; NaN where unknown or where there is
        nothing to divide by.

    Examples
    --------
    >>> import pandas as pd
    >>> smoothed_share(pd.Series([1.0, 3.0]), pd.Series([1.0, 7.0])).round(2).tolist()
    [0.67, 0.44]
    """
    if strength < 0:
        raise ValueError(f"strength is {strength!r}; expected 0 or more")
    is_known = n_hits.notna() & n.notna()
    total = n[is_known].sum()
    overall = n_hits[is_known].sum() / total if total > 0 else np.nan
    divisor = n + strength
    return (n_hits + strength * overall) / divisor.where(divisor > 0)


def describe_requests(requests, customers, *, observed_to, answer_days=30):
    """Return what each customer asked for and what the firm did about it.

    Parameters
    ----------
    requests : pandas.DataFrame
        The table `requests`: `customer_id`, `asked_on`, `kind`, and, if known, `answer` and
        `answered_on`.
    customers : pandas.Index
        The customers to describe; one without a request asked for nothing, which is known.
    observed_to : pandas.Timestamp
        Last day observed.
    answer_days : int
        Days after which a request without an answer counts as neglected; younger ones are open.

    Returns
    -------
    pandas.DataFrame, index `customers`
        `n_requests`, `price_requests`, `comparison_requests`; `n_settled_requests` (answered, or
        open for longer than `answer_days`); `granted_share`, `helped_share`, `tailored_share` and
        `neglected_share` (refused or never answered) of these, which add up to 1; NaN where
        nothing is settled.

    Raises
    ------
    ValueError
        If a column that is needed is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> requests = pd.DataFrame({"customer_id": ["a", "a"], "kind": ["price", "advice"],
    ...     "asked_on": pd.to_datetime(["2024-01-01", "2024-01-05"]),
    ...     "answer": ["granted", None]})
    >>> found = describe_requests(requests, pd.Index(["a", "b"]),
    ...                           observed_to=pd.Timestamp("2024-06-30"))
    >>> found.loc["a", ["n_settled_requests", "granted_share", "neglected_share"]].tolist()
    [2.0, 0.5, 0.5]
    """
    for name in ("customer_id", "asked_on", "kind"):
        if name not in requests:
            raise ValueError(f"requests: the column {name!r} is missing")
    answer = requests["answer"] if "answer" in requests else pd.Series(np.nan, requests.index)
    is_old = (observed_to - requests["asked_on"]).dt.days > answer_days
    flags = pd.DataFrame(
        {
            "n_requests": True,
            "price_requests": requests["kind"] == "price",
            "comparison_requests": requests["kind"] == "comparison",
            "n_settled_requests": answer.notna() | is_old,
            "granted_share": answer == "granted",
            "helped_share": answer == "helped",
            "tailored_share": answer == "tailored",
            "neglected_share": (answer == "refused") | (answer.isna() & is_old),
        }
    )
    table = flags.astype("float64").groupby(requests["customer_id"]).sum()
    table = table.reindex(customers, fill_value=0.0)
    settled = table["n_settled_requests"].where(table["n_settled_requests"] > 0)
    shares = ["granted_share", "helped_share", "tailored_share", "neglected_share"]
    if "answer" not in requests:
        table[["n_settled_requests", *shares]] = np.nan
        return table
    table[shares] = table[shares].div(settled, axis=0)
    return table
