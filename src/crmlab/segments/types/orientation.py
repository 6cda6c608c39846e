r"""Relational or transactional: what speaks for each, added up to a probability.

Who asks: whoever decides whether a customer is to be met as a partner or at a counter. Relational
customers come back, trust, feel committed and look less at prices; transactional ones buy where
it is cheapest today (Jackson, B. B. 1985, Winning and Keeping Industrial Customers, Lexington;
Garbarino, E. & Johnson, M. S. 1999, The different roles of satisfaction, trust, and commitment in
customer relationships, Journal of Marketing 63(2), 70-87). Evidence is weighed as Good has it
(Good, I. J. 1985, Weight of evidence: A brief survey, Bayesian Statistics 2, 249-270): each
measure adds to the log odds

.. math:: \ln \frac{P(R \mid x)}{P(T \mid x)} = \ln \frac{\pi}{1 - \pi}
   + \sum_k w_k \left( 2\, \frac{x_k - t_k}{r_k - t_k} - 1 \right)

its weight :math:`w_k` where it lies at :math:`r_k` or beyond, the weight's negative where it lies
at :math:`t_k` or beyond, nothing half-way and nothing where it is missing. The three numbers of
each measure are judgements, in ``evidence.csv``. Adding them takes the measures to be independent
within a type; where they are not, the probabilities are too near 0 and 1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

from crmlab.segments.types.rules import CANNOT_TELL

__all__ = ["construct_scores", "read_evidence", "weigh_evidence"]


def read_evidence():
    """Return what speaks for a relational customer, as it is shipped.

    Returns
    -------
    pandas.DataFrame, one row per measure
        `measure`; `transactional_at` and `relational_at`, the values from which on it speaks in
        full for either; `weight` in log odds (0.7: twice as likely; 1.1: three times).

    Examples
    --------
    >>> read_evidence()["weight"].min() > 0
    np.True_
    """
    return pd.read_csv(Path(__file__).with_name("evidence.csv"))


def weigh_evidence(measures, evidence, *, prior=0.5, sure_from=0.6, least_known=2):
    """Return the probability that a customer is relational, the class, and what speaks for it.

    Parameters
    ----------
    measures : pandas.DataFrame
        One row per customer, a column for each measure; NaN where unknown. A measure that is no
        column is unknown for everybody.
    evidence : pandas.DataFrame
        From `read_evidence`, changed or not.
    prior : float
        Share of relational customers taken for granted, between 0 and 1.
    sure_from : float
        Probability from which on a class is given, 0.5 or more and below 1.
    least_known : int
        Measures that must be known for a class to be given.

    Returns
    -------
    pandas.DataFrame, index of `measures`
        `type` (type_relational, type_transactional or cannot_tell), `reason` (as in
        `crmlab.segments.types.rules.Assignment`), `relational_probability` (NaN where nothing is
        known), `n_known`, and a column for each measure: what it adds to the log odds, NaN where
        it is not known.

    Raises
    ------
    ValueError
        If a weight is not above 0, the two ends of a measure are equal, or a number is out of
        range.

    Examples
    --------
    >>> import pandas as pd
    >>> measures = pd.DataFrame({"repeat_share": [0.95, 0.2], "deal_share": [0.0, None]})
    >>> found = weigh_evidence(measures, read_evidence())
    >>> found["type"].tolist(), found["relational_probability"].round(2).tolist()
    (['type_relational', 'cannot_tell'], [0.86, 0.33])
    """
    _check(evidence, prior, sure_from)
    parts = {}
    for row in evidence.itertuples():
        values = pd.Series(measures.get(row.measure, np.nan), index=measures.index)
        values = values.astype("float64")
        place = (values - row.transactional_at) / (row.relational_at - row.transactional_at)
        parts[row.measure] = row.weight * (2 * place.clip(0, 1) - 1)
    parts = pd.DataFrame(parts, index=measures.index)
    n_known = parts.notna().sum(axis=1)
    log_odds = np.log(prior / (1 - prior)) + parts.sum(axis=1)
    probability = pd.Series(special.expit(log_odds), index=parts.index).where(n_known > 0)
    is_enough = n_known >= least_known
    label = np.where(probability >= sure_from, "type_relational", CANNOT_TELL).astype(object)
    label[(probability <= 1 - sure_from).to_numpy()] = "type_transactional"
    label[~is_enough.to_numpy()] = CANNOT_TELL
    reason = np.where(is_enough, "between_cut_points", "missing_measure").astype(object)
    reason[label != CANNOT_TELL] = ""
    table = pd.DataFrame(
        {
            "type": pd.array(label, dtype="str"),
            "reason": pd.array(reason, dtype="str"),
            "relational_probability": probability,
            "n_known": n_known,
        },
        index=measures.index,
    )
    return table.join(parts)


def construct_scores(survey, items, constructs, customers):
    """Return each customer's mean answer to the questions of some constructs, from 0 to 1.

    Parameters
    ----------
    survey, items : pandas.DataFrame
        The tables of these names. Of several answers of a customer the last wave's counts.
    constructs : sequence of str
        Constructs of `items`.
    customers : pandas.Index
        Whose scores are wanted; who gave no answer has NaN.

    Returns
    -------
    pandas.DataFrame, index `customers`, a column per construct
        0 is the lowest answer of the scale, 1 the highest; NaN throughout where no question asks
        for the construct.

    Examples
    --------
    >>> import pandas as pd
    >>> items = pd.DataFrame(
    ...     {"item": ["q1"], "construct": ["trust"], "minimum": [1], "maximum": [5]})
    >>> survey = pd.DataFrame({"customer_id": ["a"], "q1": [4.0]})
    >>> construct_scores(survey, items, ["trust"], pd.Index(["a", "b"]))["trust"].tolist()
    [0.75, nan]
    """
    known = survey[survey["customer_id"].notna()]
    if "wave" in known:
        known = known.sort_values("wave", kind="stable")
    known = known.drop_duplicates("customer_id", keep="last").set_index("customer_id")
    scores = {}
    for construct in constructs:
        asked = items[items["construct"] == construct]
        answers = pd.DataFrame(
            {
                row.item: (known[row.item] - row.minimum) / (row.maximum - row.minimum)
                for row in asked.itertuples()
            },
            index=known.index,
            dtype="float64",
        )
        scores[construct] = answers.mean(axis=1).reindex(customers)
    return pd.DataFrame(scores, index=customers)


def _check(evidence, prior, sure_from):
    for row in evidence.itertuples():
        if not row.weight > 0:
            raise ValueError(
                f"evidence: the weight of {row.measure} is {row.weight}; expected above 0. To turn "
                "a measure round, exchange its two ends; to leave it out, drop its row."
            )
        if not np.isfinite(row.relational_at - row.transactional_at) or (
            row.relational_at == row.transactional_at
        ):
            raise ValueError(
                f"evidence: {row.measure} speaks for both from {row.relational_at} on; expected "
                "two different numbers"
            )
    if not 0 < prior < 1:
        raise ValueError(f"prior is {prior!r}; expected a share between 0 and 1")
    if not 0.5 <= sure_from < 1:
        raise ValueError(f"sure_from is {sure_from!r}; expected 0.5 or more and below 1")
