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

__all__ = ["count_between", "mark_responses", "simulate_contacts"]

_MEDIA = (("email", 0.05), ("sms", 0.10), ("mail", 3.50), ("telephone", 8.00))
_ACTIVE_DAYS = 364


def count_between(
    customer: np.ndarray,
    day: np.ndarray,
    of_customer: np.ndarray,
    first: np.ndarray | int,
    last: np.ndarray | int,
) -> np.ndarray:
    """Return how many events each asked customer has from the first to the last day, included.

    Parameters
    ----------
    customer, day : numpy.ndarray of int, shape (n_events,)
        Position of the customer and day of each event.
    of_customer : numpy.ndarray of int, shape (n_asked,)
        Customers asked for.
    first, last : numpy.ndarray of int, or int
        Days of each question.

    Returns
    -------
    numpy.ndarray of int, shape (n_asked,)

    Examples
    --------
    >>> count_between(np.array([0, 0, 1]), np.array([3, 9, 4]), np.array([0, 1, 2]), 1, 5).tolist()
    [1, 1, 0]
    """
    days = [np.asarray(values, dtype=np.int64) for values in (day, first, last)]
    lowest = min((int(values.min()) for values in days if values.size), default=0)
    highest = max((int(values.max()) for values in days if values.size), default=0)
    span = highest - lowest + 2
    events = np.sort(np.asarray(customer, dtype=np.int64) * span + days[0] - lowest)
    start = np.asarray(of_customer, dtype=np.int64) * span - lowest
    return np.searchsorted(events, start + days[2], side="right") - np.searchsorted(
        events, start + days[1], side="left"
    )


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
        Orders that come without a contact, also those before the window.
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
        active = count_between(
            customer, day, np.arange(n_customers), contact_day - _ACTIVE_DAYS, contact_day - 1
        )
        is_chosen = (active > 0) & (rng.random(n_customers) < parameters.contact_share)
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
        `customer`, `day` and `amount`; returns do not count.
    parameters : SimulationParameters
        Holds `response_days`.

    Returns
    -------
    numpy.ndarray of bool, shape (n_contacts,)
    """
    purchases = orders[orders["amount"] > 0]
    n_responses = count_between(
        purchases["customer"].to_numpy(),
        purchases["day"].to_numpy(),
        contacts["customer"].to_numpy(),
        contacts["day"].to_numpy(),
        contacts["day"].to_numpy() + parameters.response_days - 1,
    )
    return n_responses > 0
