"""Five things to know of each customer, as five scores that can be held against what happened.

Who asks: whoever plans the next contact. Who is interested? By which channel does he answer? Does
he respond to offers? Will he stay? May he go to a rival? Each question gets a score per customer,
and each score is judged by how often it puts a customer of whom it came true before one of whom it
did not (area under the ROC curve; 0.5 is chance).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import reason, say
from crmlab.data.lead_score import auc_standard_error, describe_leads, score_leads

__all__ = [
    "QUESTIONS",
    "channel_response",
    "judge_contacts",
    "judge_score",
    "offer_response",
]

QUESTIONS = ("is_interested", "best_channel", "takes_offers", "stays", "goes_to_rival")
"""The five questions, as the columns that answer them are called."""


def channel_response(contacts, *, strength=4.0):
    """Return how often each customer answers by each channel, and the channel to try next.

    Parameters
    ----------
    contacts : pandas.DataFrame
        The table `contacts`; customers held out were not contacted and are passed over.
    strength : float
        Contacts that the channel's own rate is worth, 0 or more: a customer's few contacts are
        drawn towards it.

    Returns
    -------
    pandas.DataFrame, indexed by `customer_id`
        A column of response rates for each channel, each customer of the table having all;
        `best_channel`, the highest of them (the first in the alphabet among equals), and
        `best_response_rate`.

    Raises
    ------
    ValueError
        If nobody was contacted.

    Examples
    --------
    >>> import pandas as pd
    >>> contacts = pd.DataFrame({"customer_id": ["a", "a", "b"], "channel": ["sms", "mail", "sms"],
    ...     "is_treated": True, "has_responded": [True, False, False]})
    >>> channel_response(contacts)["best_channel"].tolist()
    ['sms', 'sms']
    """
    made = contacts[contacts["is_treated"] & contacts["customer_id"].notna()]
    if not len(made):
        raise ValueError(say("segments_nobody_contacted"))
    answered = made["has_responded"].astype("float64")
    n_answers, n_contacts = (
        pd.crosstab(made["customer_id"], made["channel"], answered, aggfunc=how).fillna(0.0)
        for how in ("sum", "size")
    )
    overall = answered.groupby(made["channel"]).mean()
    rates = (n_answers + strength * overall) / (n_contacts + strength)
    best = rates.idxmax(axis=1)
    return rates.assign(best_channel=best, best_response_rate=rates.max(axis=1))


def offer_response(contacts, *, strength=4.0):
    """Return how often each customer answers offers beyond what he would have done anyway.

    Parameters
    ----------
    contacts : pandas.DataFrame
        The table `contacts`, with customers held out (`is_treated` False).
    strength : float
        Contacts that the rate of all is worth, 0 or more.

    Returns
    -------
    pandas.Series, indexed by `customer_id`, customers contacted at least once
        The customer's response rate, drawn towards that of all, less the rate of those held out:
        answers that the contact did not bring are not the offer's. NaN throughout without anybody
        held out.

    Examples
    --------
    >>> import pandas as pd
    >>> contacts = pd.DataFrame({"customer_id": ["a", "b", "c"], "is_treated": [True, True, False],
    ...                          "has_responded": [True, False, False]})
    >>> offer_response(contacts).round(2).tolist()
    [0.6, 0.4]
    """
    is_made = contacts["is_treated"] & contacts["customer_id"].notna()
    answered = contacts["has_responded"].astype("float64")
    held_out = answered[~contacts["is_treated"]].mean()
    made = answered[is_made].groupby(contacts.loc[is_made, "customer_id"]).agg(["sum", "size"])
    overall = answered[is_made].mean()
    rate = (made["sum"] + strength * overall) / (made["size"] + strength)
    return (rate - held_out).rename("takes_offers")


def judge_contacts(contacts, orders, customers=None):
    """Return how well the first three questions were answered before the contacts they foretell.

    Channel and offers are learnt from the contacts before the day on which half of them had been
    made, and judged on those made from it on; interest is judged on the last campaign, as
    `crmlab.data.lead_score.score_leads` does.

    Parameters
    ----------
    contacts, orders, customers : pandas.DataFrame
        The tables of these names, the last if known.

    Returns
    -------
    judged : pandas.DataFrame
        Rows `is_interested`, `best_channel` and `takes_offers` as far as they can be judged, with
        the columns of `judge_score`.
    refusals : dict of str to str
        By question, why it cannot be.

    Examples
    --------
    >>> from crmlab.data.simulate import simulate_population
    >>> tables = simulate_population(1000, seed=1)
    >>> judged, refusals = judge_contacts(tables["contacts"], tables["orders"])
    >>> judged.index.tolist(), refusals
    (['is_interested', 'best_channel', 'takes_offers'], {})
    """
    judged, refusals = {}, {}
    try:
        found = score_leads(describe_leads(contacts, orders, customers)).scores
        judged["is_interested"] = judge_score(found["lead_score"], found["has_responded"])
    except ValueError as refusal:
        refusals["is_interested"] = reason(refusal)
    days = contacts["contacted_on"].dropna().sort_values()
    if not len(days) or days.iloc[0] == days.iloc[-1]:
        one_day = say("segments_contacts_of_one_day")
        return pd.DataFrame(judged).T, refusals | dict.fromkeys(QUESTIONS[1:3], one_day)
    half = days.iloc[len(days) // 2]
    half = days[days > days.iloc[0]].iloc[0] if half == days.iloc[0] else half
    first = contacts[contacts["contacted_on"] < half]
    then = contacts[(contacts["contacted_on"] >= half) & contacts["is_treated"]]
    try:
        rates = channel_response(first).drop(columns=["best_channel", "best_response_rate"])
    except ValueError as refusal:
        return pd.DataFrame(judged).T, refusals | dict.fromkeys(QUESTIONS[1:3], reason(refusal))
    row = rates.index.get_indexer(then["customer_id"])
    column = rates.columns.get_indexer(then["channel"])
    tried = np.where((row >= 0) & (column >= 0), rates.to_numpy()[row, column], np.nan)
    answered = then["has_responded"]
    judged["best_channel"] = judge_score(pd.Series(tried, index=then.index), answered)
    offers = then["customer_id"].map(offer_response(first))
    if offers.notna().any():
        judged["takes_offers"] = judge_score(offers, answered)
    else:
        refusals["takes_offers"] = say("segments_nobody_held_out")
    return pd.DataFrame(judged).T, refusals


def judge_score(score, came_true):
    """Return how well a score tells those of whom something came true from the others.

    Parameters
    ----------
    score : pandas.Series of float
        Higher where it is held to be likelier; NaN where there is no score.
    came_true : pandas.Series of bool
        What happened, same index; missing where it is not known.

    Returns
    -------
    pandas.Series
        `n_customers` with both, `share_true`, `auc` and `auc_standard_error`; the last two NaN
        where it came true of all or of none. Where all pairs are in one order the usual formula
        gives 0, however few they are: then the error is that of a score by chance.

    Examples
    --------
    >>> import pandas as pd
    >>> judge_score(pd.Series([0.9, 0.1, 0.5]), pd.Series([True, False, False]))["auc"]
    np.float64(1.0)
    """
    from scipy import stats

    if not score.index.equals(came_true.index):
        raise ValueError("score and came_true have different indices; expected one row a customer")
    known = score.notna() & came_true.notna()
    points, happened = score[known].to_numpy(), came_true[known].to_numpy(dtype=bool)
    n, n_true = len(points), int(happened.sum())
    found = {"n_customers": n, "share_true": n_true / n if n else np.nan}
    found |= {"auc": np.nan, "auc_standard_error": np.nan}
    if 0 < n_true < n:
        ranks = stats.rankdata(points)[happened].sum()
        auc = (ranks - n_true * (n_true + 1) / 2) / (n_true * (n - n_true))
        judged = auc if 0 < auc < 1 else 0.5
        error = auc_standard_error(judged, n_true, n - n_true)
        found |= {"auc": auc, "auc_standard_error": error}
    return pd.Series(found)
