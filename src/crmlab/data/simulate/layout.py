"""The stored form of a simulated population: positions become identifiers, day numbers days.

Who asks: `crmlab.data.simulate.simulate_population`, when everything is drawn; nothing is drawn
here. A position counts customers from 0, a day number days from the first day observed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from crmlab.data.simulate.identifiers import (
    Identifiers,
    count_digits,
    number_rows,
    write_identifiers,
)
from crmlab.data.simulate.items import list_items
from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import SimulationParameters
from crmlab.data.simulate.requests import ANSWER_SHARES, REQUEST_KINDS

__all__ = [
    "name_customers",
    "store_contacts",
    "store_customers",
    "store_orders",
    "store_requests",
    "store_survey",
    "store_tickets",
    "to_days",
    "to_days_or_missing",
]


def name_customers(position: np.ndarray, n_customers: int) -> Identifiers:
    """Return the identifiers of the customers at these positions.

    Examples
    --------
    >>> name_customers(np.array([0, 41]), 2000).tolist()
    ['c000001', 'c000042']
    """
    return write_identifiers("c", np.asarray(position) + 1, count_digits(n_customers, 6))


def store_customers(
    joined_at: np.ndarray,
    profiles: pd.DataFrame,
    service_intensity: np.ndarray,
    n_orders: np.ndarray,
    n_tickets: np.ndarray,
    adopted: np.ndarray,
    first: pd.Timestamp,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return the table `customers`, with what each cost to serve and who took up what is new."""
    cost = service_intensity * (
        parameters.account_cost
        + parameters.order_cost * n_orders
        + parameters.ticket_cost * n_tickets
    )
    return pd.DataFrame(
        {
            "customer_id": name_customers(np.arange(len(joined_at)), len(joined_at)),
            "joined_on": to_days(first, np.floor(joined_at)),
        }
        | {name: profiles[name] for name in profiles}
        | {"cost_to_serve": quantise(cost, 2), "adopted_on": to_days_or_missing(first, adopted)}
    )


def store_orders(
    orders: pd.DataFrame,
    n_customers: int,
    first: pd.Timestamp,
    parameters: SimulationParameters,
    n_rows_a_piece: int,
) -> Iterator[pd.DataFrame]:
    """Yield the table `orders`, some rows at a time."""
    n_digits = count_digits(len(orders), 7)
    channels = pd.array(parameters.order_channels, dtype="str")
    for start in range(0, max(len(orders), 1), n_rows_a_piece):
        piece = orders.iloc[start : start + n_rows_a_piece]
        columns = {
            "order_id": number_rows("o", len(piece), n_digits, first=start + 1),
            "customer_id": name_customers(piece["customer"], n_customers),
            "ordered_on": to_days(first, piece["day"]),
            "amount": piece["amount"].to_numpy(),
            "margin": piece["margin"].to_numpy(),
            "n_items": pd.array(piece["n_items"].to_numpy(), dtype="Int64"),
            "channel": channels.take(piece["channel"]),
            "discount_share": piece["discount"].to_numpy() / 100,
        }
        yield pd.DataFrame(columns, copy=False)


def store_contacts(contacts: pd.DataFrame, n_customers: int, first: pd.Timestamp) -> pd.DataFrame:
    """Return the table `contacts`."""
    return pd.DataFrame(
        {
            "contact_id": number_rows("k", len(contacts), 6),
            "customer_id": name_customers(contacts["customer"], n_customers),
            "campaign": contacts["campaign"],
            "channel": contacts["channel"],
            "contacted_on": to_days(first, contacts["day"]),
            "cost": contacts["cost"],
            "is_treated": contacts["is_treated"],
            "has_responded": contacts["has_responded"],
        }
    )


def store_survey(answers: pd.DataFrame, n_customers: int, first: pd.Timestamp) -> pd.DataFrame:
    """Return the table `survey`, without the customer behind an anonymous answer."""
    customer_id = pd.Series(name_customers(answers["customer"], n_customers))
    return pd.DataFrame(
        {
            "respondent_id": number_rows("r", len(answers), 5),
            "customer_id": customer_id.mask(answers["is_anonymous"]),
            "answered_on": to_days(first, answers["day"]),
            "wave": np.ones(len(answers), dtype=np.int64),
            "mode": pd.array(answers["mode"], dtype="str"),
        }
        | {item: answers[item] for item in list_items()["item"]}
    )


def store_requests(requests: pd.DataFrame, n_customers: int, first: pd.Timestamp) -> pd.DataFrame:
    """Return the table `requests`; who is ignored, or not answered yet, has no answer in it."""
    is_answered = np.isfinite(requests["answered"])
    answers = pd.Series(pd.array(list(ANSWER_SHARES), dtype="str").take(requests["answer"]))
    return pd.DataFrame(
        {
            "request_id": number_rows("q", len(requests), 6),
            "customer_id": name_customers(requests["customer"], n_customers),
            "asked_on": to_days(first, requests["day"]),
            "kind": pd.array(REQUEST_KINDS, dtype="str").take(requests["kind"]),
            "answered_on": to_days_or_missing(first, requests["answered"].to_numpy()),
            "answer": answers.mask(~is_answered),
            "n_follow_ups": requests["n_follow_ups"].astype("Int64"),
        }
    )


def store_tickets(tickets: pd.DataFrame, n_customers: int, first: pd.Timestamp) -> pd.DataFrame:
    """Return the table `tickets`."""
    start = np.datetime64(first, "m")
    closed = tickets["closed"].fillna(0).to_numpy().astype("timedelta64[m]")
    closed_at = pd.Series((start + closed).astype("datetime64[us]"))
    opened = tickets["opened"].to_numpy().astype("timedelta64[m]")
    return pd.DataFrame(
        {
            "ticket_id": number_rows("t", len(tickets), 6),
            "customer_id": name_customers(tickets["customer"], n_customers),
            "opened_at": (start + opened).astype("datetime64[us]"),
            "closed_at": closed_at.mask(tickets["closed"].isna()),
        }
        | {
            name: tickets[name]
            for name in (
                "channel",
                "category",
                "is_complaint",
                "first_response_hours",
                "recovery_score",
            )
        }
    )


def to_days(first: pd.Timestamp, day: np.ndarray | pd.Series) -> np.ndarray:
    """Return the days that are so many days after the first one."""
    numbers = np.asarray(day).astype("timedelta64[D]")
    return (np.datetime64(first, "D") + numbers).astype("datetime64[us]")


def to_days_or_missing(first: pd.Timestamp, day: np.ndarray) -> pd.Series:
    """Return the same, with nothing where the day is infinite."""
    is_known = np.isfinite(day)
    return pd.Series(to_days(first, np.floor(np.where(is_known, day, 0)))).mask(~is_known)
