"""All measures of all customers in one table, from whatever tables there are.

Who asks: the assignment of types, which looks at measures and does not care where they come from.
A measure that the tables do not hold is missing, for all customers or for some; nothing is taken
for zero that was not looked for.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crmlab.segments.types.adoption import count_links, describe_adoption
from crmlab.segments.types.behaviour import describe_requests, silence_churn, smoothed_share
from crmlab.segments.types.orientation import construct_scores
from crmlab.segments.types.parties import describe_parties
from crmlab.segments.types.purchases import describe_purchases
from crmlab.segments.types.rules import place_in_population

__all__ = ["gather_measures"]

_CONSTRUCTS = ("trust", "commitment", "switching_cost", "alternatives")
_HUB_FROM = 0.8  # place by number of links from which many listen to a customer


def gather_measures(
    tables: Mapping[str, object],
    *,
    observed_from: pd.Timestamp,
    observed_to: pd.Timestamp,
    answer_days: int = 30,
    home_region: str | None = None,
) -> pd.DataFrame:
    """Return every measure that the typologies look at, as far as the tables hold it.

    Parameters
    ----------
    tables : mapping of str to table
        `orders` and, if there, `links`: tables of any engine, read where they lie. As pandas
        tables any of `customers`, `survey` with `items`, `requests`, `accounts`; `lifetime`
        (`current_value`, `potential_value`, `probability_alive`) and `value_classes`
        (`contribution`), tables by `customer_id`.
    observed_from, observed_to : pandas.Timestamp
        First and last day observed.
    answer_days : int
        As for `crmlab.segments.types.behaviour.describe_requests`.
    home_region : str, optional
        As for `crmlab.segments.types.parties.describe_parties`.

    Returns
    -------
    pandas.DataFrame, indexed by `customer_id`, sorted
        All customers of `customers` and of the orders up to `observed_to`. The columns of
        `describe_purchases`, `describe_parties` and, where the tables are there, of
        `describe_requests`, `describe_adoption` and `count_links`; the scores of trust,
        commitment, switching costs and alternatives; `tenure_days` (since joining or the first
        purchase, whichever is earlier); `n_orders_ever` (0 for who joined within the window and
        has not bought, missing for who joined before and has not bought since); `contribution`;
        `churn_probability` (of the fitted model; of the silence where there is none or it has
        nobody leave), `current_value` (else `recent_value`) and `potential_value` (else what the
        customer brought a year, times the probability of staying); `deal_share` and
        `repeat_share`, drawn towards those of all; `price_request_share`; `is_referred`;
        `n_uses` (has referred somebody; is among the fifth with most links).

    Raises
    ------
    ValueError
        If `orders` is missing or holds no purchase.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({"customer_id": ["a", "a"], "amount": [30.0, -10.0],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-02-01"])})
    >>> found = gather_measures({"orders": orders}, observed_from=pd.Timestamp("2024-01-01"),
    ...                         observed_to=pd.Timestamp("2024-12-31"))
    >>> found[["total_value", "n_orders"]].to_numpy().tolist()
    [[20.0, 1.0]]
    """
    if "orders" not in tables:
        raise ValueError("tables: there are no orders; expected the table orders at least")
    bought = describe_purchases(tables["orders"], observed_to=observed_to)
    customers = tables.get("customers", pd.DataFrame({"customer_id": bought.index}))
    index = pd.Index(
        sorted({*customers["customer_id"].dropna(), *bought.index}), name="customer_id"
    )
    people = customers.set_index("customer_id").reindex(index)
    parts = [
        bought.reindex(index),
        describe_parties(people.reset_index(), tables.get("accounts"), home_region=home_region),
    ]
    if "requests" in tables:
        asked = tables["requests"]
        asked = asked[asked["asked_on"] <= observed_to]
        parts.append(
            describe_requests(asked, index, observed_to=observed_to, answer_days=answer_days)
        )
    if "links" in tables:
        parts.append(count_links(tables["links"], index))
    if {"survey", "items"} <= tables.keys():
        parts.append(construct_scores(tables["survey"], tables["items"], _CONSTRUCTS, index))
    measures = pd.concat(parts, axis=1)
    joined_on = people["joined_on"] if "joined_on" in people else pd.Series(pd.NaT, index=index)
    adopted_on = people.get("adopted_on")
    if adopted_on is not None and adopted_on.notna().any():
        links = tables.get("links")
        measures = measures.join(
            describe_adoption(adopted_on, joined_on, links, observed_to=observed_to)
        )
    measures = _add_standing(measures, joined_on, observed_from, observed_to)
    measures = _add_values(measures, tables)
    return _add_shares(measures, people)


def _add_standing(measures, joined_on, observed_from, observed_to):
    """Return the measures with the time as a customer and the number of orders so far."""
    since_joining = (observed_to - joined_on).dt.days.astype("float64")
    is_new = joined_on.between(observed_from, observed_to)
    ever = measures["n_orders"].fillna(is_new.map({True: 0.0, False: np.nan}))
    return measures.assign(
        tenure_days=np.fmax(since_joining, measures["first_days"]), n_orders_ever=ever
    )


def _add_values(measures, tables):
    """Return the measures with what the customers brought, may bring, and may leave."""
    index = measures.index
    empty = pd.DataFrame({"customer_id": []})
    fitted = tables.get("lifetime", empty).set_index("customer_id").reindex(index)
    classes = tables.get("value_classes", empty).set_index("customer_id").reindex(index)
    silent = silence_churn(
        measures["silence_days"], measures["first_days"], measures["n_repeat_orders"]
    )
    alive = fitted.get("probability_alive", pd.Series(np.nan, index=index))
    # A fit in which nobody leaves, however long the silence, tells no customer from another.
    churn = 1 - alive if (alive < 1 - 1e-6).any() else silent
    # What a month at least would have brought: a first order of yesterday is no daily habit.
    a_year = 365 * measures["total_value"] / measures["first_days"].clip(lower=30)
    return measures.assign(
        contribution=classes.get("contribution", np.nan),
        churn_probability=churn,
        staying_probability=1 - churn,
        current_value=fitted.get("current_value", measures["recent_value"]),
        potential_value=fitted.get("potential_value", a_year * (1 - churn)),
    )


def _add_shares(measures, people):
    """Return the measures with the shares that speak for or against a relationship."""
    n_orders = measures["n_orders"]
    measures = measures.assign(
        repeat_share=smoothed_share(n_orders - 1, n_orders),
        deal_share=smoothed_share(measures["n_deals"], n_orders),
        value_per_order=measures["total_value"] / n_orders,
    )
    if "n_requests" in measures:
        n_requests = measures["n_requests"].where(measures["n_requests"] > 0)
        measures["price_request_share"] = measures["price_requests"] / n_requests
    if "acquisition_channel" in people:
        channel = people["acquisition_channel"]
        is_referred = (channel == "referral").astype("float64")
        # Where no channel is called so, nobody asked.
        if is_referred.any():
            measures["is_referred"] = is_referred.where(channel.notna())
    if "n_linked" in measures:
        is_hub = place_in_population(measures["n_linked"]) >= _HUB_FROM
        measures["n_uses"] = is_hub.astype("float64") + (measures["n_referrals"] > 0)
    return measures
