"""The tables of a population one after the other, the long ones in pieces.

Who asks: `simulate_population`, which puts the pieces together, and `write_sample`, which writes
them to disk as they come. What is drawn first is needed by what follows; each table is handed on as
soon as it is whole, so that little of a large population is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from crmlab.data.simulate.accounts import simulate_accounts
from crmlab.data.simulate.bonds import simulate_bonds, simulate_factors
from crmlab.data.simulate.campaigns import mark_responses, simulate_contacts
from crmlab.data.simulate.consumption import assign_consumption, simulate_adoption
from crmlab.data.simulate.customers import simulate_joining, simulate_profiles
from crmlab.data.simulate.discounts import draw_discounts
from crmlab.data.simulate.feedback import (
    add_bond_answers,
    add_lifestyle_answers,
    simulate_answers,
    simulate_tickets,
)
from crmlab.data.simulate.items import list_items
from crmlab.data.simulate.latents import simulate_latents
from crmlab.data.simulate.layout import (
    store_contacts,
    store_customers,
    store_orders,
    store_requests,
    store_survey,
    store_tickets,
)
from crmlab.data.simulate.layout_relations import (
    store_accounts,
    store_activity,
    store_links,
    store_staff,
    store_truth,
)
from crmlab.data.simulate.lifestyles import simulate_lifestyles
from crmlab.data.simulate.modes import simulate_modes
from crmlab.data.simulate.needs import (
    add_need_answers,
    simulate_kano_classes,
    store_kano_classes,
)
from crmlab.data.simulate.network import form_communities, simulate_links, simulate_referrals
from crmlab.data.simulate.parameters import SimulationParameters
from crmlab.data.simulate.provenance import Spans, store_sources
from crmlab.data.simulate.purchases import (
    add_returns,
    simulate_order_times,
    sort_by_day,
    value_orders,
)
from crmlab.data.simulate.records import simulate_records
from crmlab.data.simulate.requests import simulate_requests
from crmlab.data.simulate.service_quality import add_service_answers
from crmlab.data.simulate.staff import simulate_staff
from crmlab.data.simulate.stages import simulate_activity, simulate_stages

__all__ = ["STREAMS", "draw_tables"]

# Each table draws from a stream of its own, so that a change in one leaves the others as they
# were. A new stream goes to the end.
STREAMS = (
    "latents",
    "customers",
    "times",
    "contacts",
    "orders",
    "survey",
    "tickets",
    "records",
    "modes",
    "bonds",
    "factors",
    "bond_answers",
    "stages",
    "activity",
    "communities",
    "links",
    "referrals",
    "accounts",
    "staff",
    "lifestyles",
    "lifestyle_answers",
    "kano_classes",
    "need_answers",
    "service_answers",
    "discounts",
    "consumption",
    "requests",
)
_NEXT_DAYS = 364

Streams = Mapping[str, np.random.Generator]


def draw_tables(
    n_customers: int,
    first: pd.Timestamp,
    last_day: int,
    streams: Streams,
    parameters: SimulationParameters,
    n_rows_a_piece: int,
) -> Iterator[tuple[str, Iterator[pd.DataFrame]]]:
    """Yield the name and the pieces of each table; the pieces must be taken before the next name.

    Parameters
    ----------
    n_customers : int
        Customers acquired up to the last day.
    first : pandas.Timestamp
        First day observed.
    last_day : int
        Last day observed, counted from the first.
    streams : mapping of str to numpy.random.Generator
        One for each of `STREAMS`.
    parameters : SimulationParameters
        What to draw.
    n_rows_a_piece : int
        Rows of a piece of `orders`, `links` and, roughly, `activity`; it changes no value.
    """
    spans = Spans()
    for name, pieces in _draw(
        n_customers, first, last_day, streams, parameters, n_rows_a_piece, spans
    ):
        yield name, _count(name, pieces, spans)


def _count(name: str, pieces: Iterator[pd.DataFrame], spans: Spans) -> Iterator[pd.DataFrame]:
    """Yield the pieces and note their rows and days, which `sources` tells."""
    for piece in pieces:
        spans.add(name, piece)
        yield piece


def _draw(n_customers, first, last_day, streams, parameters, n_rows_a_piece, spans):
    """Yield the tables in the order in which they can be let go: what is large goes first."""
    latents = simulate_latents(n_customers, streams["latents"], parameters)
    joined_at = simulate_joining(n_customers, last_day, streams["customers"], parameters)
    purchases, contacts, left_at = _draw_purchases(
        latents, joined_at, last_day, streams, parameters
    )
    next_orders = _sum_orders(purchases[purchases["day"].to_numpy() > last_day], n_customers)
    start, stop = np.searchsorted(purchases["day"].to_numpy(), (0, last_day + 1))
    orders = purchases.iloc[start:stop].drop(columns="is_from_contact")
    orders["discount"] = draw_discounts(
        orders["customer"].to_numpy(),
        purchases["is_from_contact"].to_numpy()[start:stop],
        latents["price_sensitivity"].to_numpy(),
        streams["discounts"],
        parameters,
    )
    del purchases
    orders = add_returns(orders, last_day, streams["orders"], parameters)
    contacts["has_responded"] = mark_responses(contacts, orders, parameters)
    profiles = simulate_profiles(latents, first.year, streams["customers"], parameters)
    is_partner = (profiles["acquisition_channel"] == "partner").to_numpy()
    n_partner_campaigns = contacts.loc[is_partner[contacts["customer"]], "campaign"].nunique()
    yield "contacts", iter([store_contacts(contacts, n_customers, first)])
    del contacts
    modes = simulate_modes(first.year - profiles["birth_year"], streams["modes"])
    answers, item_noise = simulate_answers(
        orders, latents, modes, last_day, streams["survey"], parameters
    )
    tickets = simulate_tickets(orders, latents, last_day, streams["tickets"], parameters)
    n_orders, n_tickets = (
        np.bincount(frame["customer"], minlength=n_customers) for frame in (orders, tickets)
    )
    yield "tickets", iter([store_tickets(tickets, n_customers, first)])
    yield "orders", store_orders(orders, n_customers, first, parameters, n_rows_a_piece)
    del orders, tickets
    bonds = simulate_bonds(latents, streams["bonds"], parameters)
    factors = simulate_factors(latents, item_noise, streams["factors"], parameters)
    relations = pd.concat([bonds, factors], axis=1)
    answers = add_bond_answers(answers, relations, streams["bond_answers"], parameters)
    lifestyles = simulate_lifestyles(latents, streams["lifestyles"])
    answers = add_lifestyle_answers(answers, lifestyles, streams["lifestyle_answers"], parameters)
    classes = simulate_kano_classes(latents, streams["kano_classes"])
    answers = add_need_answers(answers, classes, latents, streams["need_answers"], parameters)
    answers = add_service_answers(answers, latents, streams["service_answers"], parameters)
    yield "survey", iter([store_survey(answers, n_customers, first)])
    yield "items", iter([list_items()])
    del answers, item_noise

    community = form_communities(
        latents["orientation"].to_numpy(), streams["communities"], parameters
    )
    links = simulate_links(joined_at, left_at, community, last_day, streams["links"], parameters)
    is_referred = (profiles["acquisition_channel"] == "referral").to_numpy()
    referrals = simulate_referrals(is_referred, joined_at, left_at, community, streams["referrals"])
    degree = np.bincount(links["customer"], minlength=n_customers)
    degree += np.bincount(links["other"], minlength=n_customers)
    price_sensitivity = latents["price_sensitivity"].to_numpy()
    consumption = assign_consumption(price_sensitivity, degree, streams["consumption"])
    adoption = simulate_adoption(
        consumption, joined_at, left_at, links, last_day, streams["consumption"], parameters
    )
    yield "links", store_links(links, referrals, n_customers, first, n_rows_a_piece)
    del links, referrals
    intensity, adopted = latents["service_intensity"].to_numpy(), adoption["adopted"].to_numpy()
    customers = store_customers(
        joined_at, profiles, intensity, n_orders, n_tickets, adopted, first, parameters
    )
    yield "customers", iter([customers])
    dependence = bonds["firm_dependence"].to_numpy()
    requests, policy = simulate_requests(
        consumption, dependence, joined_at, left_at, last_day, streams["requests"], parameters
    )
    yield "requests", iter([store_requests(requests, n_customers, first)])
    del requests
    stages = simulate_stages(joined_at, left_at, latents, streams["stages"], parameters)
    n_months = last_day // 30 + 2
    activity = simulate_activity(
        joined_at,
        left_at,
        stages,
        first,
        last_day,
        streams["activity"],
        max(1, n_rows_a_piece // n_months),
    )
    yield "activity", store_activity(activity, n_customers)
    accounts = simulate_accounts(
        profiles["is_business"].to_numpy(), latents, bonds, streams["accounts"]
    )
    yield "accounts", iter([store_accounts(accounts, n_customers)])
    staff = simulate_staff(last_day, streams["staff"], parameters)
    yield "staff", iter([store_staff(staff, first)])
    yield (
        "sources",
        iter(
            [
                store_sources(
                    customers, spans, n_partner_campaigns, first + pd.Timedelta(days=last_day)
                )
            ]
        ),
    )
    kind = np.full(n_customers, -1)
    kind[accounts["customer"]] = accounts["type"]
    relations = pd.concat([relations, stages, adoption], axis=1).assign(
        community=community, type=kind, consumption=consumption, policy=policy
    )
    truth = store_truth(
        latents, left_at, next_orders, relations, first, last_day, last_day + _NEXT_DAYS
    )
    # Column by column, so that a long table is not in memory twice.
    classes = store_kano_classes(classes)
    planted = {name: planted[name] for planted in (lifestyles, classes) for name in planted}
    yield "truth", iter([truth.assign(**planted)])
    del truth, relations, classes, planted
    for name, table in simulate_records(customers, first, last_day, streams["records"]).items():
        yield name, iter([table])


def _draw_purchases(latents, joined_at, last_day, streams, parameters):
    """Return every purchase in order of time, the contacts, and when each customer leaves."""
    buyer, ordered_at, left_at = simulate_order_times(
        joined_at,
        latents["purchase_rate_per_week"].to_numpy() / 7,
        latents["dropout_probability"].to_numpy(),
        last_day + 1 + _NEXT_DAYS,
        streams["times"],
    )
    day = np.floor(ordered_at, out=ordered_at).astype(np.int32)
    del ordered_at
    buyer, day, _ = sort_by_day(buyer, day)
    contacts, brought_buyer, brought_day = simulate_contacts(
        buyer, day, left_at, latents, last_day, streams["contacts"], parameters
    )
    is_brought = np.arange(len(buyer) + len(brought_buyer)) >= len(buyer)
    buyer = np.concatenate([buyer, brought_buyer])
    day = np.concatenate([day, brought_day])
    purchases = value_orders(buyer, day, is_brought, latents, streams["orders"], parameters)
    return purchases, contacts, left_at


def _sum_orders(orders: pd.DataFrame, n_customers: int) -> pd.DataFrame:
    """Return the number and the value of each customer's orders."""
    buyer = orders["customer"].to_numpy()
    value = np.bincount(buyer, weights=orders["amount"], minlength=n_customers)
    n_orders = np.bincount(buyer, minlength=n_customers).astype(np.int64)
    return pd.DataFrame({"n_orders": n_orders, "value": value})
