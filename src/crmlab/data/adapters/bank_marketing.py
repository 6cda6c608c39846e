"""Bank marketing: the last call to each client of a Portuguese bank in its deposit campaigns.

The file gives day and month of a call, and no year; but it is ordered by date, from May 2008 to
November 2010, so that a year has passed wherever the month falls back.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

__all__ = ["read"]

Rows = list[tuple[str, str, str, int]]

_FIRST_YEAR = 2008
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read(paths: Mapping[str, Path]) -> tuple[dict[str, pd.DataFrame], Rows]:
    """Return the tables customers and contacts of the bank, and that nothing was left out.

    Parameters
    ----------
    paths : mapping of str to pathlib.Path
        One file: the clients, set apart by semicolons and packed with gzip.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        `customers` and `contacts`, one row each per row of the file and numbered by it: the file
        names no client. Every contact is treated, for the bank held nobody out; what it cost is
        not known. "unknown" is a missing value, and so are the -1 days of a client who was not
        called before.
    left_out : list
        Empty.
    """
    (path,) = paths.values()
    rows = pd.read_csv(path, sep=";", na_values=["unknown"], keep_default_na=False)
    number = pd.Series(range(1, len(rows) + 1), index=rows.index).astype("str").str.zfill(5)
    customers = pd.DataFrame(
        {
            "customer_id": number,
            "age": rows["age"],
            "marital_status": rows["marital"],
            "occupation": rows["job"].str.removesuffix("."),
            "education": rows["education"],
            "account_balance": rows["balance"].astype("float64"),
            "has_credit_default": rows["default"] == "yes",
            "has_housing_loan": rows["housing"] == "yes",
            "has_personal_loan": rows["loan"] == "yes",
        }
    )
    contacts = pd.DataFrame(
        {
            "contact_id": number,
            "customer_id": number,
            "campaign": "term_deposit",
            "channel": "telephone",
            "contacted_on": _days(rows["day"], rows["month"]),
            "cost": float("nan"),
            "is_treated": True,
            "has_responded": rows["y"] == "yes",
            "phone_line": rows["contact"].replace("telephone", "fixed"),
            "duration_seconds": rows["duration"],
            "n_calls": rows["campaign"],
            "n_earlier_calls": rows["previous"],
            "days_since_earlier_call": rows["pdays"].mask(rows["pdays"] < 0).astype("Int64"),
            "earlier_outcome": rows["poutcome"],
        }
    )
    return {"customers": customers, "contacts": contacts}, []


def _days(day: pd.Series, month: pd.Series) -> pd.Series:
    number = month.map({name: place for place, name in enumerate(_MONTHS, start=1)})
    year = _FIRST_YEAR + (number.diff() < 0).cumsum()
    return pd.to_datetime(pd.DataFrame({"year": year, "month": number, "day": day}))
