"""Five things to know of each customer, as five scores that can be held against what happened.

Who asks: whoever plans the next contact. Who is interested? By which channel does he answer? Does
he respond to offers? Will he stay? May he go to a rival? Each question gets a score per customer,
and each score is judged by how often it puts a customer of whom it came true before one of whom it
did not (area under the ROC curve; 0.5 is chance).
"""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.atlas.sentences import reason, say
from crmlab.data.engines import collect, read_frame
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
_BY_CHANNEL = ("customer_id", "channel")


def channel_response(contacts, *, strength=4.0):
    """Return how often each customer answers by each channel, and the channel to try next.

    Parameters
    ----------
    contacts : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        The table `contacts`; customers held out were not contacted and are passed over. They are
        counted where they lie: only one row per customer and channel comes into memory.
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
        If a column is missing, or nobody was contacted.

    Examples
    --------
    >>> import pandas as pd
    >>> contacts = pd.DataFrame({"customer_id": ["a", "a", "b"], "channel": ["sms", "mail", "sms"],
    ...     "is_treated": True, "has_responded": [True, False, False]})
    >>> channel_response(contacts)["best_channel"].tolist()
    ['sms', 'sms']
    """
    frame = read_frame("contacts", contacts, ["is_treated", "has_responded", *_BY_CHANNEL])
    made = _count_answers(frame.filter(nw.col("is_treated")), *_BY_CHANNEL)
    if not len(made):
        raise ValueError(say("segments_nobody_contacted"))
    n_answers, n_contacts = (
        made.pivot_table(name, "customer_id", "channel").fillna(0.0)
        for name in ("n_answers", "n_contacts")
    )
    rates = n_answers + strength * (n_answers.sum() / n_contacts.sum())
    rates = rates / (n_contacts + strength)
    best = rates.idxmax(axis=1)
    return rates.assign(best_channel=best, best_response_rate=rates.max(axis=1))


def offer_response(contacts, *, strength=4.0):
    """Return how often each customer answers offers beyond what he would have done anyway.

    Parameters
    ----------
    contacts : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        The table `contacts`, with customers held out (`is_treated` False), counted where it lies.
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
    by = ("customer_id", "is_treated")
    counts = _count_answers(read_frame("contacts", contacts, ["has_responded", *by]), *by)
    counts = counts.set_index("customer_id")
    is_treated = counts.pop("is_treated").astype("bool")
    made, totals = counts[is_treated], counts.groupby(is_treated).sum()
    rate = (totals["n_answers"] / totals["n_contacts"]).reindex([True, False])
    rates = (made["n_answers"] + strength * rate[True]) / (made["n_contacts"] + strength)
    return (rates - rate[False]).rename("takes_offers")


def judge_contacts(contacts, orders, customers=None):
    """Return how well the first three questions were answered before the contacts they foretell.

    Channel and offers are learnt from the contacts before the day on which half of them had been
    made, and judged on those made from it on; interest is judged on the last campaign, as
    `crmlab.data.lead_score.score_leads` does.

    Parameters
    ----------
    contacts, orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        The tables of these names, read where they lie. In memory there is one row per customer
        and channel, and, for interest, one per contact made, since the score goes by each.
    customers : pandas.DataFrame, optional
        The table of this name.

    Returns
    -------
    judged : pandas.DataFrame
        Rows `is_interested`, `best_channel` and `takes_offers` as far as they can be judged, with
        the columns of `judge_score`; their cases are contacts.
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
        leads = describe_leads(contacts, orders, customers)
        # No engine keeps the order of rows, on which the last digits of a fit depend.
        found = score_leads(leads.sort_values(list(leads), ignore_index=True)).scores
        judged["is_interested"] = judge_score(found["lead_score"], found["has_responded"])
    except ValueError as refusal:
        refusals["is_interested"] = reason(refusal)
    frame = read_frame("contacts", contacts, ["contacted_on", "is_treated", "has_responded"])
    frame = frame.with_columns(nw.col("contacted_on").cast(nw.Datetime("us")).dt.truncate("1d"))
    half = _find_half(frame)
    if half is None:
        one_day = say("segments_contacts_of_one_day")
        return pd.DataFrame(judged).T, refusals | dict.fromkeys(QUESTIONS[1:3], one_day)
    day, is_made = nw.col("contacted_on"), nw.col("is_treated")
    first = frame.filter(day < half).to_native()
    then = _count_answers(frame.filter((day >= half) & is_made), *_BY_CHANNEL)
    try:
        rates = channel_response(first).drop(columns=["best_channel", "best_response_rate"])
    except ValueError as refusal:
        return pd.DataFrame(judged).T, refusals | dict.fromkeys(QUESTIONS[1:3], reason(refusal))
    row = rates.index.get_indexer(then["customer_id"])
    column = rates.columns.get_indexer(then["channel"])
    tried = np.where((row >= 0) & (column >= 0), rates.to_numpy()[row, column], np.nan)
    n_true, n_false = then["n_answers"], then["n_contacts"] - then["n_answers"]
    judged["best_channel"] = _judge_counts(tried, n_true, n_false)
    offers = then["customer_id"].map(offer_response(first))
    if offers.notna().any():
        judged["takes_offers"] = _judge_counts(offers, n_true, n_false)
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
    if not score.index.equals(came_true.index):
        raise ValueError("score and came_true have different indices; expected one row a customer")
    is_true = came_true.fillna(False).astype("bool")
    return _judge_counts(score, is_true, came_true.notna() & ~is_true)


def _judge_counts(score, n_true, n_false):
    """Return what `judge_score` does of cases with one score that are counted together."""
    known = np.flatnonzero(pd.notna(score))
    points, place = np.unique(np.asarray(score, dtype="float64")[known], return_inverse=True)
    true, false = (
        np.bincount(place, np.asarray(cases, dtype="float64")[known], len(points))
        for cases in (n_true, n_false)
    )
    n_true, n_false = int(true.sum()), int(false.sum())
    n = n_true + n_false
    found = {"n_customers": n, "share_true": n_true / n if n else np.nan}
    found |= {"auc": np.nan, "auc_standard_error": np.nan}
    if 0 < n_true < n:
        # Pairs in order: each true case with the others below it, and with half of its equals.
        auc = (true * (false.cumsum() - false / 2)).sum() / (n_true * n_false)
        judged = auc if 0 < auc < 1 else 0.5
        found |= {"auc": auc, "auc_standard_error": auc_standard_error(judged, n_true, n_false)}
    return pd.Series(found)


def _count_answers(frame, *by):
    """Return contacts and answers by some columns, none of them missing, in sorted order."""
    is_known = ~nw.any_horizontal(*(nw.col(name).is_null() for name in by), ignore_nulls=False)
    answer = nw.when(nw.col("has_responded")).then(1).otherwise(0)
    counted = (
        frame.filter(is_known)
        .with_columns(answer=answer)
        .group_by(*by)
        .agg(nw.len().alias("n_contacts"), nw.col("answer").sum().alias("n_answers"))
    )
    counts = collect(counted).astype({"n_contacts": "float64", "n_answers": "float64"})
    return counts.sort_values(list(by), ignore_index=True)


def _find_half(frame):
    """Return the day on which half of the contacts had been made, but not the first of all days.

    None where there are no two days.
    """
    day = nw.col("contacted_on")
    counted = frame.filter(~day.is_null()).group_by("contacted_on").agg(nw.len().alias("n"))
    days = collect(counted).sort_values("contacted_on", ignore_index=True)
    if len(days) < 2:
        return None
    made = days["n"].cumsum().to_numpy()
    place = max(1, np.searchsorted(made, made[-1] // 2, side="right"))
    return days["contacted_on"][place].to_pydatetime()
