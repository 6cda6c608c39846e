"""At which discount the simulated customers buy.

Who asks: whoever tells deal seekers from the others. The more a customer looks at prices, the more
of the orders are at a discount; an order that a campaign brought is at that of the campaign at
least. `amount` and `margin` of an order are what is left after the discount: an order of 90 at a
discount of 0.10 had a list price of 100. On the average over a customer's orders the discounts are
within the customer's margin rate, which falls with price sensitivity.
"""

from __future__ import annotations

import numpy as np

from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["DISCOUNTS", "draw_discounts"]

DISCOUNTS = (5, 10, 15, 20, 30)
"""The discounts there are outside of campaigns, in per cent, equally often."""

_PIECE = 1 << 20  # orders at a time: it changes no value


def draw_discounts(
    customer: np.ndarray,
    is_from_contact: np.ndarray,
    price_sensitivity: np.ndarray,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> np.ndarray:
    """Return the discount of each order, in whole per cent of the list price.

    Parameters
    ----------
    customer : numpy.ndarray of int, shape (n_orders,)
        Position of the customer of each order.
    is_from_contact : numpy.ndarray of bool, shape (n_orders,)
        The order came from a campaign contact.
    price_sensitivity : numpy.ndarray of float, shape (n_customers,)
        From 0 to 1.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        Holds `discount_base`, `discount_price` and `campaign_discount`.

    Returns
    -------
    numpy.ndarray of int8, shape (n_orders,)

    Examples
    --------
    >>> draw_discounts(np.array([0, 0]), np.array([False, True]), np.array([0.0]),
    ...                np.random.default_rng(1), SimulationParameters(discount_base=0)).tolist()
    [0, 10]
    """
    bound = quantise(parameters.discount_base + parameters.discount_price * price_sensitivity)
    depths = np.array(DISCOUNTS, dtype=np.int8)
    discount = np.zeros(len(customer), dtype=np.int8)
    for start in range(0, len(customer), _PIECE):
        probability = bound[customer[start : start + _PIECE]]
        draw = rng.random(len(probability))
        # Below its bound the draw is even: it says which discount, too.
        chosen = np.flatnonzero(draw < probability)
        depth = np.floor(draw[chosen] / probability[chosen] * len(depths)).astype(np.int8)
        discount[start + chosen] = depths[np.minimum(depth, len(depths) - 1)]
    campaign = round(100 * parameters.campaign_discount)
    np.maximum(discount, campaign, out=discount, where=is_from_contact)
    return discount
