"""Where growth is to be had, and what it leaves after service; who is able to buy, who willing.

Who asks: whoever shares out effort among customers. What a customer may bring is worth less the
more it costs to serve him, and more effort moves only those who both can and would buy more.

*Growth* is what a customer is expected to bring over a time ahead less what he brought in a time
of the same length; *net potential* is his discounted contribution less the cost to serve the
orders it comes from. *Ability* is what a customer could spend (the wallet: what he spends with the
firm over the share of his spending that it has); *willingness* is the intention he states.

Sources: P. C. Verhoef & B. Donkers (2001), Predicting customer potential value: an application in
the insurance industry, Decision Support Systems 32(2), 189-199,
doi:10.1016/S0167-9236(01)00110-5; R. Niraj, M. Gupta & C. Narasimhan (2001), Customer
profitability in a supply chain, Journal of Marketing 65(3), 1-16; F. T. Juster (1966), Consumer
buying intentions and purchase probability: an experiment in survey design, Journal of the
American Statistical Association 61(315), 658-696.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["BUYING_READINESS", "assign_buying_readiness", "estimate_wallet", "growth_potential"]

#: Name of each field by (is able, is willing).
BUYING_READINESS = {
    (True, True): "able_and_willing",
    (True, False): "able_not_willing",
    (False, True): "willing_not_able",
    (False, False): "neither_able_nor_willing",
}


def growth_potential(value, cost_to_serve, n_orders):
    """Return how much more each customer may bring, and what is left of it after service.

    Parameters
    ----------
    value : pandas.DataFrame
        One row per customer: `current_value` (contribution before service in the time behind,
        money), `potential_value` (the same expected in a time ahead of equal length, discounted)
        and `discounted_orders` (those it comes from).
    cost_to_serve : pandas.Series
        Booked cost to serve over the window (money, 0 or more), index of `value`; NaN where it
        is not known.
    n_orders : pandas.Series
        Orders in the same window, index of `value`.

    Returns
    -------
    pandas.DataFrame
        Index of `value`: `growth` (potential less current value), `cost_per_order` (cost to
        serve over orders; NaN where there is no order or no known cost), `service_cost_ahead`
        (discounted orders times cost per order) and `net_potential` (potential less that cost).

    Raises
    ------
    ValueError
        If a column is missing, the indices differ, or a cost or number of orders is below 0.

    References
    ----------
    Verhoef & Donkers (2001), doi:10.1016/S0167-9236(01)00110-5; Niraj, Gupta & Narasimhan (2001)

    Examples
    --------
    >>> value = pd.DataFrame({
    ...     "current_value": [50.0], "potential_value": [80.0], "discounted_orders": [2.0],
    ... })
    >>> growth_potential(value, pd.Series([60.0]), pd.Series([6])).loc[0].tolist()
    [30.0, 10.0, 20.0, 60.0]
    """
    for column in ("current_value", "potential_value", "discounted_orders"):
        if column not in value.columns:
            raise ValueError(f"value: column {column!r} is missing")
    if not (value.index.equals(cost_to_serve.index) and value.index.equals(n_orders.index)):
        raise ValueError("value, cost_to_serve and n_orders differ in their customers")
    if (cost_to_serve < 0).any() or (n_orders < 0).any():
        raise ValueError("cost_to_serve and n_orders: expected numbers from 0 up")
    per_order = cost_to_serve.astype("float64") / n_orders.where(n_orders > 0)
    ahead = value["discounted_orders"] * per_order
    return pd.DataFrame(
        {
            "growth": value["potential_value"] - value["current_value"],
            "cost_per_order": per_order,
            "service_cost_ahead": ahead,
            "net_potential": value["potential_value"] - ahead,
        }
    )


def estimate_wallet(spending, wallet_share):
    """Return what each customer spends on such things in all, with the firm and with others.

    Parameters
    ----------
    spending : pandas.Series
        Spent with the firm in a year (money).
    wallet_share : pandas.Series
        Share of the customer's spending that the firm has, 0 to 1, the same index; NaN where he
        was not asked.

    Returns
    -------
    pandas.Series
        Named `wallet` (money a year): spending over share; NaN where the share is missing or 0
        or nothing was spent, since neither tells how large the wallet is.

    Raises
    ------
    ValueError
        If the indices differ or a share lies outside 0 to 1.

    Examples
    --------
    >>> estimate_wallet(pd.Series([300.0, 0.0]), pd.Series([0.6, 0.5])).tolist()
    [500.0, nan]
    """
    if not spending.index.equals(wallet_share.index):
        raise ValueError("spending and wallet_share have different indices")
    if not wallet_share.dropna().between(0, 1).all():
        raise ValueError("wallet_share: expected shares from 0 to 1; divide percentages by 100")
    is_known = (wallet_share > 0) & (spending > 0)
    return (spending / wallet_share.where(is_known)).where(is_known).rename("wallet")


def assign_buying_readiness(ability, willingness, *, able_from, willing_from):
    """Return for each customer whether he is able and whether he is willing to buy more.

    Parameters
    ----------
    ability : pandas.Series
        What the customer could spend, on any rising scale (a wallet, an income); NaN if unknown.
    willingness : pandas.Series
        Stated intention to buy (the same index); NaN where he was not asked.
    able_from, willing_from : float
        From where on a customer counts as able, and as willing.

    Returns
    -------
    pandas.Series
        Named `buying_readiness`, categorical of `BUYING_READINESS` and ``cannot_tell`` for
        customers of whom either is not known.

    Raises
    ------
    ValueError
        If the indices differ or a cut is not finite.

    Examples
    --------
    >>> assign_buying_readiness(
    ...     pd.Series([900.0, 100.0, 500.0]), pd.Series([9.0, 8.0, None]),
    ...     able_from=500, willing_from=7,
    ... ).astype("str").tolist()
    ['able_and_willing', 'willing_not_able', 'cannot_tell']
    """
    if not ability.index.equals(willingness.index):
        raise ValueError("ability and willingness have different indices")
    if not (np.isfinite(able_from) and np.isfinite(willing_from)):
        raise ValueError(
            f"able_from={able_from!r}, willing_from={willing_from!r}; expected numbers"
        )
    fields = zip(
        (ability >= able_from).tolist(), (willingness >= willing_from).tolist(), strict=True
    )
    is_known = ability.notna() & willingness.notna()
    names = pd.Series([BUYING_READINESS[field] for field in fields], index=ability.index)
    kinds = pd.CategoricalDtype([*BUYING_READINESS.values(), "cannot_tell"], ordered=True)
    return names.where(is_known, "cannot_tell").astype(kinds).rename("buying_readiness")
