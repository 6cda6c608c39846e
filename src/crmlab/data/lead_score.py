r"""Which of the customers on file to turn to first: a lead score, and whether it is worth having.

Who asks: the head of sales with more names than hours. A *lead score* is the probability that a
contact is answered, learnt from earlier campaigns by logistic regression on what was known on the
day of contact. It is judged on the last campaign, which it has not seen, and against the rule of
thumb that needs no model: turn first to whoever bought last.

A high score says who answers, not whom the contact moves: many of these would have bought without
it. Only a held-out group tells the difference.

Standard error of the area under the curve: Hanley, J. A. & McNeil, B. J. (1982). The meaning and
use of the area under a receiver operating characteristic (ROC) curve. Radiology 143(1), 29-36.
doi:10.1148/radiology.143.1.7063747.
"""

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.engines import collect, put_beside, read_frame
from crmlab.data.exact import join_money, split_money, sum_money

__all__ = ["LeadScores", "auc_standard_error", "describe_leads", "score_leads"]


@dataclass(frozen=True, eq=False)
class LeadScores:
    """Lead scores of the last campaign, and how far they can be trusted.

    Attributes
    ----------
    scores : pandas.DataFrame, one row per contact of the last campaign, highest score first
        `customer_id`, `lead_score` (probability), `has_responded`.
    quality : pandas.Series
        `n_training`, `n_test`, `response_rate` (of the test), `auc` (share of pairs of an answer
        and a silence that the score puts in order), `auc_standard_error`, `auc_rule_of_thumb`,
        `lift_top_tenth` (response rate of the tenth scored highest over that of all).
    """

    scores: pd.DataFrame
    quality: pd.Series


def describe_leads(contacts, orders=None, customers=None):
    """Return what was known of each contacted customer on the day of contact.

    Parameters
    ----------
    contacts, orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        The tables of these names, of any engine; the orders are optional. Held-out customers are
        left out. Orders are joined and added up where they lie: only one row per contact comes
        into memory.
    customers : pandas.DataFrame, optional
        The table of this name.

    Returns
    -------
    pandas.DataFrame, one row per contact made
        `customer_id`, `contacted_on`, `has_responded`, and what is known: `n_orders_before`,
        `value_before`, `days_since_order` (the window's length where there was none, with
        `has_ordered` False), `days_since_joining`, `age`, `acquisition_channel`, `region`, as far
        as the tables are there. Nothing from the day of contact or later is used.

    Examples
    --------
    >>> contacts = pd.DataFrame({"customer_id": ["a", "a"], "is_treated": True,
    ...     "has_responded": [False, True],
    ...     "contacted_on": pd.to_datetime(["2024-03-01", "2024-06-01"])})
    >>> orders = pd.DataFrame({"customer_id": ["a"], "amount": [9.0],
    ...                        "ordered_on": pd.to_datetime(["2024-04-01"])})
    >>> describe_leads(contacts, orders)["n_orders_before"].tolist()
    [0, 1]
    """
    columns = ["customer_id", "contacted_on", "has_responded"]
    frame = read_frame("contacts", contacts, [*columns, "is_treated"])
    made = frame.filter(nw.col("is_treated") & ~nw.col("customer_id").is_null())
    leads = collect(made.select(nw.col("customer_id").cast(nw.String), *columns[1:]))
    if orders is not None:
        leads = leads.join(_orders_before(leads, orders))
    if customers is not None:
        known = customers.set_index("customer_id").reindex(leads["customer_id"]).reset_index()
        if "joined_on" in known:
            since = (leads["contacted_on"] - known["joined_on"]).dt.days
            leads["days_since_joining"] = since
        if "birth_year" in known:
            leads["age"] = leads["contacted_on"].dt.year - known["birth_year"].astype("float64")
        for name in ("acquisition_channel", "region"):
            if name in known:
                leads[name] = known[name]
    return leads


def score_leads(leads):
    """Learn from all campaigns but the last whom to turn to, and score the last.

    Parameters
    ----------
    leads : pandas.DataFrame
        From `describe_leads`, with at least one column of what was known. Left unchanged. A
        missing number is given the mean of the training contacts, a missing word is a word of its
        own.

    Returns
    -------
    LeadScores

    Raises
    ------
    ValueError
        If there are fewer than two days of contact, or either part holds only answers or only
        silence.

    Examples
    --------
    >>> from crmlab.data.simulate import simulate_population
    >>> tables = simulate_population(1000, seed=1)
    >>> leads = describe_leads(tables["contacts"], tables["orders"], tables["customers"])
    >>> bool(score_leads(leads).quality["auc"] > 0.5)
    True
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    is_last = leads["contacted_on"] >= _last_campaign(leads)
    answer = leads["has_responded"].to_numpy(dtype=bool)
    for key, mask in (("leads_alike_before", ~is_last), ("leads_alike_last", is_last)):
        if answer[mask].all() or not answer[mask].any():
            told = {"n": int(answer[mask].sum()), "n_contacts": int(mask.sum())}
            raise ValueError(say(key, **told))
    known = _to_numbers(
        leads.drop(columns=["customer_id", "contacted_on", "has_responded"]), is_last
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(known[~is_last], answer[~is_last])
    score, test = model.predict_proba(known[is_last])[:, 1], answer[is_last]
    auc = roc_auc_score(test, score)
    top = np.argsort(-score, kind="stable")[: max(1, len(score) // 10)]
    scores = pd.DataFrame(
        {
            "customer_id": leads.loc[is_last, "customer_id"].to_numpy(),
            "lead_score": score,
            "has_responded": test,
        }
    ).sort_values("lead_score", ascending=False, kind="stable", ignore_index=True)
    thumb = np.nan
    if "days_since_order" in leads:
        thumb = roc_auc_score(test, -leads.loc[is_last, "days_since_order"])
    quality = {
        "n_training": int((~is_last).sum()),
        "n_test": len(test),
        "response_rate": test.mean(),
        "auc": auc,
        "auc_standard_error": auc_standard_error(auc, int(test.sum()), int((~test).sum())),
        "auc_rule_of_thumb": thumb,
        "lift_top_tenth": test[top].mean() / test.mean(),
    }
    return LeadScores(scores, pd.Series(quality))


def auc_standard_error(auc, n_positive, n_negative):
    r"""Return the standard error of an area under the ROC curve (Hanley & McNeil 1982).

    Parameters
    ----------
    auc : float
        A, from 0 to 1.
    n_positive, n_negative : int
        Answers and silences, 1 or more each.

    Returns
    -------
    float

    Notes
    -----
    :math:`\sqrt{(A(1-A) + (n_1-1)(Q_1-A^2) + (n_0-1)(Q_2-A^2)) / (n_1 n_0)}` with
    :math:`Q_1 = A/(2-A)` and :math:`Q_2 = 2A^2/(1+A)`.

    Examples
    --------
    >>> round(auc_standard_error(0.5, 50, 50), 4)
    0.058
    """
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (
        auc * (1 - auc) + (n_positive - 1) * (first - auc**2) + (n_negative - 1) * (second - auc**2)
    ) / (n_positive * n_negative)
    return float(np.sqrt(variance))


def _orders_before(leads, orders):
    """Return number, value and age of the orders before each contact, in the order of the leads."""
    keys = ["customer_id", "contacted_on"]
    frame = read_frame("orders", orders, ["customer_id", "ordered_on", "amount"])
    day = nw.col("ordered_on")
    bought = frame.select(
        nw.col("customer_id").cast(nw.String), "amount", ordered_on=day.cast(nw.Datetime("us"))
    ).filter((nw.col("amount") > 0) & ~nw.col("customer_id").is_null())
    asked = put_beside(bought, leads[keys].drop_duplicates())
    asked = asked.with_columns(nw.col("customer_id").cast(nw.String))  # Arrow has two kinds of text
    before = asked.join(split_money(bought, ["amount"]), on="customer_id").filter(
        day < nw.col("contacted_on")
    )
    sums = sum_money({"value_before": "amount"})
    found = before.group_by(keys).agg(nw.len().alias("n_orders_before"), day.max(), *sums)
    found = leads[keys].merge(collect(found), on=keys, how="left")
    halves = [found[f"value_before_{half}"].fillna(0) for half in ("whole", "parts")]
    since = (found["contacted_on"] - found["ordered_on"]).dt.days
    first = collect(bought.select(day.min()))["ordered_on"].iloc[0]
    longest = (leads["contacted_on"].max() - first).days
    return pd.DataFrame(
        {
            "n_orders_before": found["n_orders_before"].fillna(0).astype("int64"),
            "value_before": join_money(*halves),
            "days_since_order": since.fillna(longest),
            "has_ordered": since.notna(),
        }
    )


def _last_campaign(leads):
    days = np.sort(leads["contacted_on"].unique())
    if len(days) < 2:
        raise ValueError(say("leads_of_one_day"))
    # A campaign may take some days: the last begins after the widest gap of the last third.
    tail = days[-max(2, len(days) // 3) :]
    return tail[1 + int(np.argmax(np.diff(tail)))]


def _to_numbers(known, is_last):
    words = known.select_dtypes(include=["object", "str"]).columns
    numbers = known.drop(columns=words).astype("float64")
    numbers = numbers.fillna(numbers[~is_last].mean()).fillna(0)
    if not len(words):
        return numbers.to_numpy()
    said = pd.get_dummies(known[words].fillna("?"), dtype="float64")
    return np.column_stack([numbers.to_numpy(), said.to_numpy()])
