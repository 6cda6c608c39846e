"""One simulated population: its tables, and the truth they are the consequences of."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.data.simulate.campaigns import mark_responses, simulate_contacts
from crmlab.data.simulate.customers import simulate_joining, simulate_profiles
from crmlab.data.simulate.feedback import simulate_answers, simulate_tickets
from crmlab.data.simulate.items import list_items
from crmlab.data.simulate.latents import simulate_latents
from crmlab.data.simulate.layout import (
    number_rows,
    store_contacts,
    store_customers,
    store_orders,
    store_sources,
    store_survey,
    store_tickets,
    store_truth,
)
from crmlab.data.simulate.modes import simulate_modes
from crmlab.data.simulate.parameters import SimulationParameters
from crmlab.data.simulate.purchases import (
    add_returns,
    simulate_order_times,
    value_orders,
)

__all__ = ["SAMPLE_CUSTOMERS", "SAMPLE_SEED", "simulate_population", "write_sample"]

SAMPLE_SEED = 20240101
"""The seed of the bundled sample."""

SAMPLE_CUSTOMERS = 2000
"""The number of customers in the bundled sample."""

_NEXT_DAYS = 364
_SHORTEST_DAYS = 182
# Each table draws from a stream of its own, so that a change in one leaves the others as they
# were. A new stream goes to the end.
_STREAMS = ("latents", "customers", "times", "contacts", "orders", "survey", "tickets", "modes")


def simulate_population(
    n_customers: int = SAMPLE_CUSTOMERS,
    *,
    seed: int,
    observed_from: str | pd.Timestamp = "2024-01-01",
    observed_to: str | pd.Timestamp = "2025-12-31",
    parameters: SimulationParameters | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the tables of one simulated population of a retailer, and the truth behind them.

    Parameters
    ----------
    n_customers : int
        Customers acquired up to the last day, 1 or more.
    seed : int
        0 or more. The same seed, size, window and parameters give the same values everywhere.
    observed_from, observed_to : str or pandas.Timestamp
        First and last day observed, both included; at least 182 days in all.
    parameters : SimulationParameters, optional
        What the population is drawn from; by default that of the bundled sample.

    Returns
    -------
    dict of str to pandas.DataFrame
        `customers`, `orders`, `contacts`, `survey`, `items`, `tickets`, `sources` and `truth`,
        as `crmlab.data.tables.TABLES` describes them; money in CNY. `truth` has one row per
        customer, in the order of `customers`.

    Raises
    ------
    ValueError
        If the size, the seed or the window cannot be used.

    Notes
    -----
    A customer acquired before the window may have ordered before it; `orders` starts with the
    window, and some of these customers have no order in it. Orders brought by contacts come on
    top of the BG/NBD process; with ``contact_share=0`` there are none.

    Examples
    --------
    >>> tables = simulate_population(300, seed=1)
    >>> {name: len(frame) for name, frame in tables.items() if name in ("customers", "truth")}
    {'customers': 300, 'truth': 300}
    >>> tables["orders"].columns.tolist()
    ['order_id', 'customer_id', 'ordered_on', 'amount', 'margin', 'n_items', 'channel']
    """
    _refuse_unusable(n_customers, seed)
    first, last_day = _window(observed_from, observed_to)
    parameters = SimulationParameters() if parameters is None else parameters
    seeds = np.random.SeedSequence(seed).spawn(len(_STREAMS))
    streams = {
        name: np.random.Generator(np.random.PCG64(child))
        for name, child in zip(_STREAMS, seeds, strict=True)
    }
    latents = simulate_latents(n_customers, streams["latents"], parameters)
    joined_at = simulate_joining(n_customers, last_day, streams["customers"], parameters)
    buyer, ordered_at, left_at = simulate_order_times(
        joined_at,
        latents["purchase_rate_per_week"].to_numpy() / 7,
        latents["dropout_probability"].to_numpy(),
        last_day + 1 + _NEXT_DAYS,
        streams["times"],
    )
    day = np.floor(ordered_at).astype(np.int64)
    contacts, brought_buyer, brought_day = simulate_contacts(
        buyer, day, left_at, latents, last_day, streams["contacts"], parameters
    )
    purchases = value_orders(
        np.concatenate([buyer, brought_buyer]),
        np.concatenate([day, brought_day]),
        np.arange(len(buyer) + len(brought_buyer)) >= len(buyer),
        latents,
        streams["orders"],
        parameters,
    )
    orders = add_returns(
        purchases[purchases["day"].between(0, last_day)], last_day, streams["orders"], parameters
    )
    contacts["has_responded"] = mark_responses(contacts, orders, parameters)
    profiles = simulate_profiles(latents, first.year, streams["customers"])
    modes = simulate_modes(first.year - profiles["birth_year"], streams["modes"])
    answers = simulate_answers(orders, latents, modes, last_day, streams["survey"], parameters)
    tickets = simulate_tickets(orders, latents, last_day, streams["tickets"], parameters)

    ids = number_rows("c", n_customers, 6)
    tables = {
        "customers": store_customers(
            ids,
            joined_at,
            profiles,
            latents["service_intensity"].to_numpy(),
            np.bincount(orders["customer"], minlength=n_customers),
            np.bincount(tickets["customer"], minlength=n_customers),
            first,
            parameters,
        ),
        "orders": store_orders(ids, orders, first),
        "contacts": store_contacts(ids, contacts, first),
        "survey": store_survey(ids, answers, first),
        "items": list_items(),
        "tickets": store_tickets(ids, tickets, first),
    }
    tables["sources"] = store_sources(tables, pd.Timestamp(observed_to))
    tables["truth"] = store_truth(
        ids, latents, left_at, purchases[purchases["day"] > last_day], first, last_day
    )
    return tables


def write_sample(
    folder: str | Path,
    n_customers: int = SAMPLE_CUSTOMERS,
    *,
    seed: int = SAMPLE_SEED,
    observed_from: str | pd.Timestamp = "2024-01-01",
    observed_to: str | pd.Timestamp = "2025-12-31",
    parameters: SimulationParameters | None = None,
) -> dict[str, Path]:
    """Write a simulated population to a folder, a Parquet file per table, and its card.

    Parameters
    ----------
    folder : str or pathlib.Path
        Made where it is missing; files of the same name are replaced, each as a whole.
    n_customers, seed, observed_from, observed_to, parameters
        As for `simulate_population`; the defaults are those of the bundled sample.

    Returns
    -------
    dict of str to pathlib.Path
        The file of each table, and ``card.yaml`` under the name ``card``.

    Raises
    ------
    ValueError
        As `simulate_population`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = write_sample(folder, 50, seed=1)
    ...     orders = pd.read_parquet(paths["orders"])
    >>> sorted(paths)[:3], orders.equals(simulate_population(50, seed=1)["orders"])
    (['card', 'contacts', 'customers'], True)
    """
    tables = simulate_population(
        n_customers,
        seed=seed,
        observed_from=observed_from,
        observed_to=observed_to,
        parameters=parameters,
    )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, frame in tables.items():
        paths[name] = folder / f"{name}.parquet"
        partial = paths[name].with_suffix(".partial")
        frame.to_parquet(partial, engine="pyarrow", compression="zstd", index=False)
        os.replace(partial, paths[name])
    paths["card"] = folder / "card.yaml"
    partial = paths["card"].with_suffix(".partial")
    partial.write_text(
        "title: {en: Simulated population, zh: 模拟客户群体}\n"
        f"origin: {{en: 'Simulated by crmlab, {n_customers} customers, seed {seed}', "
        f"zh: '由 crmlab 模拟生成，{n_customers} 位客户，随机种子 {seed}'}}\n"
        "licence: {en: 'MIT, as crmlab itself', zh: MIT 许可，与 crmlab 相同}\n"
        "currency: CNY\n"
        f"observed_from: {pd.Timestamp(observed_from):%Y-%m-%d}\n"
        f"observed_to: {pd.Timestamp(observed_to):%Y-%m-%d}\n",
        encoding="utf-8",
        newline="\n",
    )
    os.replace(partial, paths["card"])
    return paths


def _refuse_unusable(n_customers: int, seed: int) -> None:
    for name, value, least in (("n_customers", n_customers, 1), ("seed", seed, 0)):
        is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not is_whole or value < least:
            raise ValueError(f"{name} is {value!r}; expected a whole number, {least} or more.")


def _window(
    observed_from: str | pd.Timestamp, observed_to: str | pd.Timestamp
) -> tuple[pd.Timestamp, int]:
    """Return the first day and the position of the last one."""
    days = []
    for name, value in (("observed_from", observed_from), ("observed_to", observed_to)):
        try:
            day = pd.Timestamp(value)
        except (TypeError, ValueError):
            day = pd.NaT
        if day is pd.NaT or day.tzinfo is not None or day != day.normalize():
            raise ValueError(
                f"{name} is {value!r}; expected a day written YYYY-MM-DD, without time zone."
            )
        days.append(day.as_unit("us"))
    n_days = (days[1] - days[0]).days + 1
    if n_days < _SHORTEST_DAYS:
        raise ValueError(
            f"the window from {days[0]:%Y-%m-%d} to {days[1]:%Y-%m-%d} has {n_days} days; "
            f"expected at least {_SHORTEST_DAYS}. Take a later observed_to."
        )
    return days[0], n_days - 1
