"""The stored form of what is about relationships: links, activity, accounts, staff, and the truth.

Who asks: `crmlab.data.simulate.simulate_population`, when everything is drawn; nothing is drawn
here. A position counts customers from 0, a day number days from the first day observed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from crmlab.data.columns import TABLES
from crmlab.data.simulate.accounts import RELATIONSHIP_TYPES
from crmlab.data.simulate.consumption import CONSUMPTION_TYPES
from crmlab.data.simulate.identifiers import number_rows
from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.layout import name_customers, to_days, to_days_or_missing
from crmlab.data.simulate.parameters import CONSTRUCTS
from crmlab.data.simulate.requests import RESPONSE_POLICIES

__all__ = ["store_accounts", "store_activity", "store_links", "store_staff", "store_truth"]


def store_links(
    links: pd.DataFrame,
    referrals: pd.DataFrame,
    n_customers: int,
    first: pd.Timestamp,
    n_rows_a_piece: int,
) -> Iterator[pd.DataFrame]:
    """Yield the table `links`, some rows at a time: calls, then referrals."""
    n_referrals = len(referrals)
    columns = {
        name: np.concatenate([links[name], referrals[name if name in referrals else "first"]])
        for name in ("customer", "other", "first", "last")
    }
    columns["n_calls"] = np.concatenate([links["n_calls"], np.zeros(n_referrals, dtype=np.int64)])
    columns["is_call"] = np.arange(len(links) + n_referrals) < len(links)
    both = pd.DataFrame(columns, copy=False)
    kinds = pd.array(["referral", "call"], dtype="str")
    for start in range(0, max(len(both), 1), n_rows_a_piece):
        piece = both.iloc[start : start + n_rows_a_piece]
        stored = {
            "customer_id": name_customers(piece["customer"], n_customers),
            "other_id": name_customers(piece["other"], n_customers),
            "kind": kinds.take(piece["is_call"].to_numpy().astype(np.int8)),
            "n_calls": piece["n_calls"].astype("Int64").mask(~piece["is_call"]).array,
            "first_on": to_days(first, piece["first"]),
            "last_on": to_days(first, piece["last"]),
        }
        yield pd.DataFrame(stored, copy=False)


def store_activity(pieces: Iterator[pd.DataFrame], n_customers: int) -> Iterator[pd.DataFrame]:
    """Yield the table `activity` from `simulate_activity`."""
    for piece in pieces:
        columns = {
            "customer_id": name_customers(piece["customer"], n_customers),
            "month_on": piece["month_on"],
        }
        counts = {
            name: pd.array(piece[name].to_numpy(), dtype="Int64") for name in piece.columns[2:]
        }
        yield pd.DataFrame(columns | counts, copy=False)


def store_accounts(accounts: pd.DataFrame, n_customers: int) -> pd.DataFrame:
    """Return the table `accounts`, without the type behind the indicators."""
    whole = ["n_employees", "contract_months", *(n for n in accounts if n.startswith("n_"))]
    stored = accounts.drop(columns=["customer", "type"]).astype(dict.fromkeys(whole, "Int64"))
    stored.insert(0, "customer_id", name_customers(accounts["customer"], n_customers))
    return stored[_ACCOUNT_COLUMNS]


def store_staff(staff: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    """Return the table `staff`."""
    ids = number_rows("s", len(staff), 4)
    known = {
        "staff_id": ids,
        "department": staff["department"],
        "answered_on": to_days(first, staff["day"]),
        "tenure_years": staff["tenure_years"],
        "logins_per_week": staff["logins_per_week"].astype("Int64"),
    }
    scores = staff.drop(columns=["department", "day", "tenure_years", "logins_per_week"])
    return pd.DataFrame(known | {name: scores[name] for name in scores})


def store_truth(
    latents: pd.DataFrame,
    left_at: np.ndarray,
    next_orders: pd.DataFrame,
    relations: pd.DataFrame,
    first: pd.Timestamp,
    last_day: int,
    last_known_day: int,
) -> pd.DataFrame:
    """Return the table `truth`: the latents, who is still a customer, and what comes next.

    `next_orders` holds `n_orders` and `value` of each customer after the window; `relations` the
    bonds, the value factors, the days of the stages, `community` (from 0), `type` (a position in
    `RELATIONSHIP_TYPES`, -1 without an account), `consumption` and `policy` (positions), `adopted`
    (a day) and `is_innovation`.
    """
    n_customers = len(latents)
    behaviour = (
        "is_relational",
        "price_sensitivity",
        "purchase_rate_per_week",
        "dropout_probability",
    )
    others = ("mean_order_value", "margin_rate", "service_intensity", *CONSTRUCTS)
    stages = {
        f"{stage}_on": to_days_or_missing(
            first, np.where(relations[stage] <= last_known_day, relations[stage], np.inf)
        )
        for stage in ("formation", "stability", "decline")
    }
    kind = relations["type"].to_numpy()
    types = pd.Series(pd.array(RELATIONSHIP_TYPES, dtype="str").take(np.maximum(kind, 0)))
    return pd.DataFrame(
        {"customer_id": name_customers(np.arange(n_customers), n_customers)}
        | {name: latents[name] for name in behaviour}
        | {
            "dropped_out_on": to_days_or_missing(first, left_at),
            "is_alive": left_at >= last_day + 1,
        }
        | {name: latents[name] for name in (*others, "uplift_probability")}
        | {
            "n_orders_next_52_weeks": next_orders["n_orders"],
            "value_next_52_weeks": quantise(next_orders["value"].to_numpy(), 2),
        }
        | {name: relations[name] for name in relations if name not in _POSITIONS}
        | stages
        | {
            "community": relations["community"].astype(np.int64) + 1,
            "relationship_type": types.mask(kind < 0),
            "consumption_type": _name(CONSUMPTION_TYPES, relations["consumption"]),
            "adopted_by": _name(("imitation", "innovation"), relations["is_innovation"]).mask(
                ~np.isfinite(relations["adopted"])
            ),
            "response_policy": _name(RESPONSE_POLICIES, relations["policy"]),
        }
    )


def _name(words: tuple[str, ...], position: pd.Series) -> pd.Series:
    return pd.Series(pd.array(words, dtype="str").take(position.to_numpy().astype(np.int8)))


_POSITIONS = (
    *("formation", "stability", "decline", "community", "type"),
    *("consumption", "adopted", "is_innovation", "policy"),
)
_ACCOUNT_COLUMNS = [column.name for column in TABLES["accounts"].columns]
