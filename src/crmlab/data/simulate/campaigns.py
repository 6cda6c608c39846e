"""Whom the simulated firm contacts, whom it holds out, and the orders that contacts bring.

Who asks: whoever measures what a campaign adds. Of the customers chosen for a campaign a random
part is held out, and a response is measured alike in both arms: an order on the day of the
contact or within the days that follow. A contact brings a customer who is still there an order
that would not have come, with the probability `uplift_probability`; everything else is the same
in both arms, so the difference of the response rates is what the contacts brought.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["mark_responses", "simulate_contacts"]

_MEDIA = (("email", 0.05), ("sms", 0.10), ("mail", 3.50), ("telephone", 8.00))
_ACTIVE_DAYS = 364


def simulate_contacts(
    customer: np.ndarray,
    day: np.ndarray,
    left_at: np.ndarray,
    latents: pd.DataFrame,
    last_day: int,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the contacts, and the customer and day of each order that a contact brought.

    A campaign chooses at random among the customers with an order in the 52 weeks before it. A
    contact can bring an order only from a customer who stays through the days of response.

    Parameters
    ----------
    customer, day : numpy.ndarray of int
        Orders that come without a contact, also those before the window, in order of time.
    left_at : numpy.ndarray of float, shape (n_customers,)
        From `simulate_order_times`.
    latents : pandas.DataFrame
        From `simulate_latents`.
    last_day : int
        Last day observed.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.

    Returns
    -------
    contacts : pandas.DataFrame
        `customer` (position), `campaign`, `channel`, `day`, `cost`, `is_treated`.
    brought_customer, brought_day : numpy.ndarray of int
        Orders brought by contacts, within the window.
    """
    n_customers = len(latents)
    uplift = latents["uplift_probability"].to_numpy()
    room = last_day + 1 - parameters.response_days
    campaigns, brought = [], []
    for number in range(parameters.n_campaigns):
        contact_day = math.floor((number + 0.5) / parameters.n_campaigns * room)
        medium, cost = _MEDIA[number % len(_MEDIA)]
        is_active = _ordered_between(
            customer, day, n_customers, contact_day - _ACTIVE_DAYS, contact_day - 1
        )
        is_chosen = is_active & (rng.random(n_customers) < parameters.contact_share)
        chosen = np.flatnonzero(is_chosen)
        is_treated = rng.random(len(chosen)) >= parameters.holdout_share
        stays = left_at[chosen] > contact_day + parameters.response_days
        brings = is_treated & stays & (rng.random(len(chosen)) < uplift[chosen])
        delay = rng.integers(parameters.response_days, size=len(chosen))
        brought.append((chosen[brings], contact_day + delay[brings]))
        campaigns.append(
            pd.DataFrame(
                {
                    "customer": chosen,
                    "campaign": f"campaign_{number + 1:02d}",
                    "channel": medium,
                    "day": contact_day,
                    "cost": np.where(is_treated, cost, 0.0),
                    "is_treated": is_treated,
                }
            )
        )
    contacts = pd.concat(campaigns, ignore_index=True)
    contacts = contacts.astype({"campaign": "str", "channel": "str"})
    return contacts, *(np.concatenate(parts) for parts in zip(*brought, strict=True))


def mark_responses(
    contacts: pd.DataFrame, orders: pd.DataFrame, parameters: SimulationParameters
) -> np.ndarray:
    """Return whether each contact was followed by an order within the days of response.

    Parameters
    ----------
    contacts : pandas.DataFrame
        From `simulate_contacts`.
    orders : pandas.DataFrame
        `customer`, `day` and `amount`, in order of time; returns do not count.
    parameters : SimulationParameters
        Holds `response_days`.

    Returns
    -------
    numpy.ndarray of bool, shape (n_contacts,)
    """
    is_purchase = orders["amount"].to_numpy() > 0
    customer, day = (orders[name].to_numpy()[is_purchase] for name in ("customer", "day"))
    asked, asked_on = contacts["customer"].to_numpy(), contacts["day"].to_numpy()
    n_customers = 1 + max(int(customer.max(initial=0)), int(asked.max(initial=0)))
    has_responded = np.zeros(len(contacts), dtype=bool)
    for first in np.unique(asked_on):
        last = first + parameters.response_days - 1
        ordered = _ordered_between(customer, day, n_customers, first, last)
        is_campaign = asked_on == first
        has_responded[is_campaign] = ordered[asked[is_campaign]]
    return has_responded


def _ordered_between(
    customer: np.ndarray, day: np.ndarray, n_customers: int, first: int, last: int
) -> np.ndarray:
    """Return whether each customer has an order from the first to the last day, included."""
    start = np.searchsorted(day, first, side="left")
    stop = np.searchsorted(day, last, side="right")
    has_ordered = np.zeros(n_customers, dtype=bool)
    has_ordered[customer[start:stop]] = True
    return has_ordered
