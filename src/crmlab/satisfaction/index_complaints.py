"""Complaints as an item of the survey, taken from the service desk's tickets.

Who asks: whoever fits a structure with complaints to a survey that did not ask about them. What a
customer did (complain or not) and how well it was handled are two questions: the American structure
asks the first of everyone, the others the second of those who complained.
"""

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say

__all__ = ["add_complaint_item"]


def add_complaint_item(model, survey, items, tickets):
    """Return survey and items with one item on complaints, from tickets before the answer.

    Parameters
    ----------
    model : IndexModel
        Where it has `customer_complaints`, the item is whether the customer complained (0, 1);
        else how well complaints were handled: the mean recovery score, 0 to 10.
    survey : pandas.DataFrame
        `customer_id` and `answered_on`; NaN for who cannot be joined.
    items : pandas.DataFrame
        One row per item; a row is added.
    tickets : pandas.DataFrame
        `customer_id`, `opened_at`, `is_complaint`, and for handling `closed_at` and
        `recovery_score`.

    Returns
    -------
    survey : pandas.DataFrame
        With a column `complained` (NaN for who gave no name) or `recovery`. How well a complaint
        was handled only those can say who had one closed and scored before they answered: with
        `recovery`, only their rows are returned.
    items : pandas.DataFrame

    Raises
    ------
    ValueError
        If a column is not there.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.satisfaction import ACSI
    >>> day = pd.to_datetime(["2026-01-02", "2026-01-02"])
    >>> survey = pd.DataFrame({"customer_id": ["a", "b"], "answered_on": day})
    >>> opened = day[:1] - pd.Timedelta(days=1)
    >>> tickets = pd.DataFrame(
    ...     {"customer_id": ["a"], "opened_at": opened, "is_complaint": [True]}
    ... )
    >>> items = pd.DataFrame(columns=["item", "construct", "minimum", "maximum"])
    >>> add_complaint_item(ACSI, survey, items, tickets)[0]["complained"].tolist()
    [1.0, 0.0]
    """
    behaviour = "customer_complaints" in model.structure.names
    name, when = ("complained", "opened_at") if behaviour else ("recovery", "closed_at")
    needs = ["customer_id", when, "is_complaint", *([] if behaviour else ["recovery_score"])]
    for table, columns in ((survey, ["customer_id", "answered_on"]), (tickets, needs)):
        lost = [column for column in columns if column not in table]
        if lost:
            raise ValueError(say("satisfaction_complaints_column", name=repr(lost[0])))
    known = survey[["customer_id", "answered_on"]].dropna()
    complaints = tickets[tickets["is_complaint"]].merge(known, on="customer_id")
    before = complaints[complaints[when] < complaints["answered_on"]]
    if behaviour:
        values = survey["customer_id"].isin(before["customer_id"]).astype(float)
        values = values.where(survey["customer_id"].notna(), np.nan)
    else:
        scores = before.groupby("customer_id")["recovery_score"].mean()
        values = survey["customer_id"].map(scores)
    words = {
        "complained": ("Complained before answering (tickets)", "作答前是否投诉过（工单）"),
        "recovery": ("How well complaints were handled (tickets)", "投诉处理得如何（工单）"),
    }[name]
    row = {
        "item": name,
        "construct": "complaint",
        "text_en": words[0],
        "text_zh": words[1],
        "minimum": 0.0,
        "maximum": 1.0 if behaviour else 10.0,
    }
    answers = survey.assign(**{name: values})
    if not behaviour:
        answers = answers[values.notna()]
    added = pd.DataFrame([{column: row.get(column) for column in items.columns}])
    joined = added if items.empty else pd.concat([items, added], ignore_index=True)
    return answers, joined
