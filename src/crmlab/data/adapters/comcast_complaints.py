"""Comcast complaints: tickets about a cable company, filed with its supervisor in spring 2015.

In copies of this file the day and the month of a date have changed places wherever both readings
were possible: "04-08-2015" is the 8th of April. All tickets are of April, May and June, so the
part that is 4, 5 or 6 and comes first is the month; a day above 12 comes first. Read like this,
the tickets follow one another in time exactly as their numbers do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

__all__ = ["read"]

Rows = list[tuple[str, str, str, int]]

_CHANNELS = {"Customer Care Call": "telephone", "Internet": "web"}
#: What a ticket is about, by the first line whose words occur in its subject.
_CATEGORIES = {
    "data_cap": r"\bcaps?\b|\bcapped\b|data (?:limit|usage|overage|plan|allowance)|\busage\b",
    "billing": r"bill|charg|pric|\bfees?\b|refund|payment|\brates?\b|\bcredit\b|promotion|cost",
    "internet": r"internet|speed|slow|throttl|wi-?fi|connect|outage|broadband|bandwi|net neutral",
    "service": r"service|support|technician|install|appointment|\brude\b",
}


def read(paths: Mapping[str, Path]) -> tuple[dict[str, pd.DataFrame], Rows]:
    """Return the table tickets of the complaints, and that nothing was left out.

    Parameters
    ----------
    paths : mapping of str to pathlib.Path
        One file: the tickets, a CSV.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        `tickets`, every one a complaint. The file names no customer and gives no time of closing
        or of a first answer: these columns are missing. `category` is ours, by the words in
        `subject`.
    left_out : list
        Empty.
    """
    (path,) = paths.values()
    rows = pd.read_csv(path, dtype="str", keep_default_na=False)
    subject = rows["Customer Complaint"].str.strip()
    tickets = pd.DataFrame(
        {
            "ticket_id": rows["Ticket #"],
            "customer_id": pd.Series(pd.NA, index=rows.index, dtype="str"),
            "opened_at": _opened_at(rows["Date"], rows["Time"]),
            "closed_at": pd.NaT,
            "channel": rows["Received Via"].map(_CHANNELS),
            "category": _categories(subject),
            "is_complaint": True,
            "first_response_hours": float("nan"),
            "recovery_score": float("nan"),
            "status": rows["Status"].str.lower(),
            "subject": subject,
            "city": rows["City"],
            "state": rows["State"].str.replace(" Of ", " of "),
            "postal_code": rows["Zip code"].str.zfill(5),
            "is_filed_for_other": rows["Filing on Behalf of Someone"] == "Yes",
        }
    )
    return {"tickets": tickets}, []


def _opened_at(date: pd.Series, time: pd.Series) -> pd.Series:
    parts = date.str.split("-", expand=True)
    first, second = parts[0].astype("int64"), parts[1].astype("int64")
    is_swapped = first <= 12
    year_month_day = pd.DataFrame(
        {
            "year": parts[2].astype("int64"),
            "month": second.mask(is_swapped, first),
            "day": first.mask(is_swapped, second),
        }
    )
    clock = pd.to_datetime(time, format="%I:%M:%S %p")
    return pd.to_datetime(year_month_day) + (clock - clock.dt.normalize())


def _categories(subject: pd.Series) -> pd.Series:
    category = pd.Series("other", index=subject.index)
    for name, words in reversed(_CATEGORIES.items()):
        category = category.mask(subject.str.contains(words, case=False, regex=True), name)
    return category
