"""Hillstrom: customers of a mail-order shop, drawn at random for one of two e-mails or for none.

The outcome of the two weeks after the e-mails is the same for all three arms, so that the arm
without an e-mail says what would have happened anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

__all__ = ["read"]

Rows = list[tuple[str, str, str, int]]

_ARMS = {"Mens E-Mail": "mens_email", "Womens E-Mail": "womens_email", "No E-Mail": "control"}
_AREAS = {"Urban": "urban", "Surburban": "suburban", "Rural": "rural"}  # spelt as in the file
_CHANNELS = {"Phone": "telephone", "Web": "web", "Multichannel": "multichannel"}


def read(paths: Mapping[str, Path]) -> tuple[dict[str, pd.DataFrame], Rows]:
    """Return the tables customers and contacts of the test, and that nothing was left out.

    Parameters
    ----------
    paths : mapping of str to pathlib.Path
        One file: the customers, a CSV packed with gzip.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        `customers` and `contacts`, one row each per row of the file and numbered by it: the file
        names no customer, and rows that read alike are different customers. In `contacts`,
        has_responded is a visit to the web shop, has_bought a purchase and response_value the
        dollars spent; neither the day nor the cost of an e-mail is known.
    left_out : list
        Empty.
    """
    (path,) = paths.values()
    rows = pd.read_csv(path)
    number = pd.Series(range(1, len(rows) + 1), index=rows.index).astype("str").str.zfill(5)
    customers = pd.DataFrame(
        {
            "customer_id": number,
            "recency_months": rows["recency"],
            "past_year_value": rows["history"].astype("float64"),
            "has_bought_mens": rows["mens"] == 1,
            "has_bought_womens": rows["womens"] == 1,
            "area": rows["zip_code"].map(_AREAS),
            "is_new": rows["newbie"] == 1,
            "past_year_channel": rows["channel"].map(_CHANNELS),
        }
    )
    arm = rows["segment"].map(_ARMS)
    contacts = pd.DataFrame(
        {
            "contact_id": number,
            "customer_id": number,
            "campaign": "merchandise_email",
            "channel": "email",
            "contacted_on": pd.NaT,
            "cost": float("nan"),
            "is_treated": arm != "control",
            "has_responded": rows["visit"] == 1,
            "arm": arm,
            "response_value": rows["spend"].astype("float64"),
            "has_bought": rows["conversion"] == 1,
        }
    )
    return {"customers": customers, "contacts": contacts}, []
