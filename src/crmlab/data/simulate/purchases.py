"""When the simulated customers buy, and what each order is worth.

Who asks: `simulate_population`, and anyone who needs a BG/NBD process of known parameters.
The process is that of Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way,
Marketing Science 24(2), 275-284, doi:10.1287/mksc.1040.0098: exponential times between orders
while alive; after each repeat order the customer leaves with probability p, not after the first.
The value of orders is their gamma-gamma model (RFM and CLV: Using Iso-Value Curves for Customer
Base Analysis, Journal of Marketing Research 42(4), 2005, 415-430).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["add_returns", "simulate_order_times", "value_orders"]

_CHANNELS = ("web", "app", "store")  # each customer has a usual one


def simulate_order_times(
    joined_at: np.ndarray,
    rate: np.ndarray,
    dropout_probability: np.ndarray,
    horizon: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return who orders when, up to the horizon, and when each customer leaves.

    Parameters
    ----------
    joined_at : numpy.ndarray of float, shape (n_customers,)
        Time of the first order, in days; any origin.
    rate : numpy.ndarray of float, shape (n_customers,)
        Orders a day while alive, above 0.
    dropout_probability : numpy.ndarray of float, shape (n_customers,)
        Probability of leaving after each repeat order.
    horizon : float
        Last time of interest, in days, same origin.
    rng : numpy.random.Generator
        Drawn from.

    Returns
    -------
    customer : numpy.ndarray of int
        Position of the customer of each order: first orders, then second ones, and so on.
    ordered_at : numpy.ndarray of float
        Time of each order, in days.
    left_at : numpy.ndarray of float, shape (n_customers,)
        Time of the last order of a customer who has left; infinity where still alive at the
        horizon.

    Examples
    --------
    >>> customer, ordered_at, left_at = simulate_order_times(
    ...     np.zeros(2), np.array([1.0, 1e-9]), np.array([0.0, 0.0]), 50.0,
    ...     np.random.default_rng(1))
    >>> np.bincount(customer).tolist(), left_at.tolist()
    ([56, 1], [inf, inf])
    """
    is_acquired = joined_at <= horizon
    active = np.flatnonzero(is_acquired)
    now = joined_at[active]
    left_at = np.full(len(joined_at), math.inf)
    customers, times = [active], [now]
    while len(active):
        now = now + rng.standard_exponential(len(active)) / rate[active]
        active, now = active[now <= horizon], now[now <= horizon]
        customers.append(active)
        times.append(now)
        leaves = rng.random(len(active)) < dropout_probability[active]
        left_at[active[leaves]] = now[leaves]
        active, now = active[~leaves], now[~leaves]
    return np.concatenate(customers), np.concatenate(times), left_at


def value_orders(
    customer: np.ndarray,
    day: np.ndarray,
    is_from_contact: np.ndarray,
    latents: pd.DataFrame,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return the orders with amount, margin, number of items and channel, in order of time.

    Parameters
    ----------
    customer, day : numpy.ndarray of int
        Position of the customer and day of each order.
    is_from_contact : numpy.ndarray of bool
        The order came from a campaign contact, at a discount.
    latents : pandas.DataFrame
        From `simulate_latents`.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.

    Returns
    -------
    pandas.DataFrame, one row per order
        `customer`, `day`, `amount` and `margin` (money, to the cent), `n_items`, `channel`.
    """
    sequence = np.lexsort((customer, day))
    customer, day = customer[sequence], day[sequence]
    n_orders = len(customer)
    mean = latents["mean_order_value"].to_numpy()[customer]
    amount = mean * rng.standard_gamma(parameters.spend_shape, n_orders) / parameters.spend_shape
    amount = np.maximum(quantise(amount, 2), 0.01)
    margin_rate = (
        latents["margin_rate"].to_numpy()[customer]
        - parameters.campaign_discount * is_from_contact[sequence]
        + 0.03 * rng.standard_normal(n_orders)
    )
    preferred = rng.choice(len(_CHANNELS), size=len(latents), p=(0.40, 0.35, 0.25))
    is_usual = rng.random(n_orders) < 0.75
    others = rng.integers(len(_CHANNELS), size=n_orders)
    channel = np.where(is_usual, preferred[customer], others)
    return pd.DataFrame(
        {
            "customer": customer,
            "day": day,
            "amount": amount,
            "margin": quantise(np.clip(margin_rate, 0.01, 0.80) * amount, 2),
            "n_items": 1 + rng.poisson(1.4, n_orders),
            "channel": pd.array(_CHANNELS, dtype="str").take(channel),
        }
    )


def add_returns(
    orders: pd.DataFrame,
    last_day: int,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return the orders and the returns that follow some of them within three weeks.

    Six returns in ten take back the whole order, the others 20 % to 90 % of its value; the margin
    goes back in the same proportion. Returns after `last_day` are not yet there.

    Parameters
    ----------
    orders : pandas.DataFrame
        From `value_orders`.
    last_day : int
        Last day observed.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.

    Returns
    -------
    pandas.DataFrame
        The columns of `orders`, in order of time; a return has `amount` below 0.
    """
    n_orders = len(orders)
    is_returned = rng.random(n_orders) < parameters.return_share
    delay = 3 + rng.integers(18, size=n_orders)
    share = np.where(rng.random(n_orders) < 0.6, 1.0, 0.2 + 0.7 * rng.random(n_orders))
    back = orders.assign(
        day=orders["day"] + delay,
        amount=-np.maximum(quantise(orders["amount"].to_numpy() * share, 2), 0.01),
        margin=-quantise(orders["margin"].to_numpy() * share, 2),
        n_items=np.maximum(1, np.floor(orders["n_items"].to_numpy() * share).astype(np.int64)),
    )
    back = back[is_returned & (back["day"] <= last_day)]
    both = pd.concat([orders, back], ignore_index=True)
    return both.sort_values(["day", "customer"], kind="stable", ignore_index=True)
