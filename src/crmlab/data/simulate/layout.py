"""The stored form of a simulated population: positions become identifiers, day numbers days.

Who asks: `crmlab.data.simulate.simulate_population`, when everything is drawn; nothing is drawn
here. A position counts customers from 0, a day number days from the first day observed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crmlab.data.simulate.items import SURVEY_ITEMS
from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import CONSTRUCTS, SimulationParameters

__all__ = [
    "number_rows",
    "store_contacts",
    "store_customers",
    "store_orders",
    "store_sources",
    "store_survey",
    "store_tickets",
    "store_truth",
]

Identifiers = pd.api.extensions.ExtensionArray


def number_rows(prefix: str, n_rows: int, n_digits: int) -> Identifiers:
    """Return identifiers in order, all of one length.

    Examples
    --------
    >>> number_rows("c", 2, 6).tolist()
    ['c000001', 'c000002']
    """
    n_digits = max(n_digits, len(str(n_rows)))
    numbers = pc.cast(pa.array(np.arange(1, n_rows + 1)), pa.string())
    padded = pc.utf8_lpad(numbers, n_digits, "0")
    return pd.array(pc.binary_join_element_wise(pa.scalar(prefix), padded, ""), dtype="str")


def store_customers(
    ids: Identifiers,
    joined_at: np.ndarray,
    profiles: pd.DataFrame,
    service_intensity: np.ndarray,
    n_orders: np.ndarray,
    n_tickets: np.ndarray,
    first: pd.Timestamp,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return the table `customers`, with what each cost to serve."""
    cost = service_intensity * (
        parameters.account_cost
        + parameters.order_cost * n_orders
        + parameters.ticket_cost * n_tickets
    )
    return pd.DataFrame(
        {"customer_id": ids, "joined_on": _to_days(first, np.floor(joined_at))}
        | {name: profiles[name] for name in profiles}
        | {"cost_to_serve": quantise(cost, 2)}
    )


def store_orders(ids: Identifiers, orders: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    """Return the table `orders`."""
    return pd.DataFrame(
        {
            "order_id": number_rows("o", len(orders), 7),
            "customer_id": ids.take(orders["customer"]),
            "ordered_on": _to_days(first, orders["day"]),
            "amount": orders["amount"],
            "margin": orders["margin"],
            "n_items": orders["n_items"].astype("Int64"),
            "channel": orders["channel"],
        }
    )


def store_contacts(ids: Identifiers, contacts: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    """Return the table `contacts`."""
    return pd.DataFrame(
        {
            "contact_id": number_rows("k", len(contacts), 6),
            "customer_id": ids.take(contacts["customer"]),
            "campaign": contacts["campaign"],
            "channel": contacts["channel"],
            "contacted_on": _to_days(first, contacts["day"]),
            "cost": contacts["cost"],
            "is_treated": contacts["is_treated"],
            "has_responded": contacts["has_responded"],
        }
    )


def store_survey(ids: Identifiers, answers: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    """Return the table `survey`, without the customer behind an anonymous answer."""
    customer_id = pd.Series(ids.take(answers["customer"]))
    return pd.DataFrame(
        {
            "respondent_id": number_rows("r", len(answers), 5),
            "customer_id": customer_id.mask(answers["is_anonymous"]),
            "answered_on": _to_days(first, answers["day"]),
            "wave": np.ones(len(answers), dtype=np.int64),
            "mode": pd.array(answers["mode"], dtype="str"),
        }
        | {item.item: answers[item.item] for item in SURVEY_ITEMS}
    )


def store_tickets(ids: Identifiers, tickets: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    """Return the table `tickets`."""
    start = np.datetime64(first, "m")
    closed = tickets["closed"].fillna(0).to_numpy().astype("timedelta64[m]")
    closed_at = pd.Series((start + closed).astype("datetime64[us]"))
    opened = tickets["opened"].to_numpy().astype("timedelta64[m]")
    return pd.DataFrame(
        {
            "ticket_id": number_rows("t", len(tickets), 6),
            "customer_id": ids.take(tickets["customer"]),
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


def store_sources(tables: dict[str, pd.DataFrame], last: pd.Timestamp) -> pd.DataFrame:
    """Return the table `sources`: where the tables would come from at a firm like this one.

    What a third party supplied has a licence that ends two years after the last day observed and
    a price by the row; each campaign to the partner's customers is a use of the partner's list.
    """
    customers, survey = tables["customers"], tables["survey"]
    is_partner = customers["acquisition_channel"] == "partner"
    parts = [
        ("customers", "joined_on", customers[~is_partner], _OWN, "sales records"),
        ("customers", "joined_on", customers[is_partner], _PARTNER, "promotion"),
        ("orders", "ordered_on", tables["orders"], _OWN, "sales records"),
        ("contacts", "contacted_on", tables["contacts"], _MARKETING, "promotion"),
        ("survey", "answered_on", survey, _BOUGHT, "survey"),
        ("items", None, tables["items"], _BOUGHT | {"price_per_row": 0.0}, "survey"),
        ("tickets", "opened_at", tables["tickets"], _OWN, "service records"),
    ]
    rows = [
        {
            "table": name,
            "origin": terms["origin"],
            "method": method,
            "collected_from": frame[time].min() if time else pd.NaT,
            "collected_to": frame[time].max() if time else pd.NaT,
            "licence": terms["licence"],
            "consent": terms["consent"],
            "n_rows": len(frame),
            "purpose": terms["purpose"],
            "price": terms["price_per_row"] * len(frame),
            "licence_expires_on": last + pd.DateOffset(years=2) if terms["is_bought"] else pd.NaT,
            "uses_allowed": terms["uses_allowed"],
        }
        for name, time, frame, terms, method in parts
    ]
    frame = pd.DataFrame(rows)
    for name in ("collected_from", "collected_to", "licence_expires_on"):
        frame[name] = frame[name].astype("datetime64[us]").dt.normalize()
    is_listed = tables["contacts"]["customer_id"].isin(customers.loc[is_partner, "customer_id"])
    n_uses = tables["contacts"].loc[is_listed, "campaign"].nunique()
    frame["uses_allowed"] = frame["uses_allowed"].astype("Int64")
    frame["uses_made"] = frame["uses_allowed"].mask(frame["uses_allowed"].notna(), n_uses)
    return frame


_OWN = {
    "origin": "own operation",
    "licence": "customer and privacy terms",
    "consent": "customer contract",
    "purpose": "service",
    "price_per_row": 0.0,
    "is_bought": False,
    "uses_allowed": None,
}
_MARKETING = _OWN | {"consent": "consent to marketing", "purpose": "marketing"}
_PARTNER = {
    "origin": "partner",
    "licence": "data-sharing agreement",
    "consent": "consent to sharing",
    "purpose": "marketing",
    "price_per_row": 6.0,
    "is_bought": True,
    "uses_allowed": 12,
}
_BOUGHT = {
    "origin": "purchased",
    "licence": "agency contract",
    "consent": "consent to research",
    "purpose": "research",
    "price_per_row": 30.0,
    "is_bought": True,
    "uses_allowed": None,
}


def store_truth(
    ids: Identifiers,
    latents: pd.DataFrame,
    left_at: np.ndarray,
    next_orders: pd.DataFrame,
    first: pd.Timestamp,
    last_day: int,
) -> pd.DataFrame:
    """Return the table `truth`: the latents, who is still a customer, and what comes next."""
    has_left = np.isfinite(left_at)
    buyer = next_orders["customer"].to_numpy()
    value = np.bincount(buyer, weights=next_orders["amount"], minlength=len(ids))
    behaviour = (
        "is_relational",
        "price_sensitivity",
        "purchase_rate_per_week",
        "dropout_probability",
    )
    others = ("mean_order_value", "margin_rate", "service_intensity", *CONSTRUCTS)
    dropped_out_on = pd.Series(_to_days(first, np.floor(np.where(has_left, left_at, 0))))
    return pd.DataFrame(
        {"customer_id": ids}
        | {name: latents[name] for name in behaviour}
        | {
            "dropped_out_on": dropped_out_on.mask(~has_left),
            "is_alive": left_at >= last_day + 1,
        }
        | {name: latents[name] for name in (*others, "uplift_probability")}
        | {
            "n_orders_next_52_weeks": np.bincount(buyer, minlength=len(ids)).astype(np.int64),
            "value_next_52_weeks": quantise(value, 2),
        }
    )


def _to_days(first: pd.Timestamp, day: np.ndarray | pd.Series) -> np.ndarray:
    numbers = np.asarray(day).astype("timedelta64[D]")
    return (np.datetime64(first, "D") + numbers).astype("datetime64[us]")
