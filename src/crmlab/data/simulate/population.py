"""One simulated population: its tables, and the truth they are the consequences of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crmlab.atlas.sentences import say
from crmlab.data.columns import TABLES
from crmlab.data.simulate.draw import STREAMS, draw_tables
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["SAMPLE_CUSTOMERS", "SAMPLE_SEED", "simulate_population", "write_sample"]

SAMPLE_SEED = 20240101
"""The seed of the bundled sample."""

SAMPLE_CUSTOMERS = 2000
"""The number of customers in the bundled sample."""

_SHORTEST_DAYS = 182
_ROWS_A_PIECE = 1 << 20


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
        Every table of `crmlab.data.tables.TABLES`, in that order; money in CNY. `truth` has one
        row per customer, in the order of `customers`.

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
    >>> tables["orders"].columns.tolist()  # doctest: +NORMALIZE_WHITESPACE
    ['order_id', 'customer_id', 'ordered_on', 'amount', 'margin', 'n_items', 'channel',
     'discount_share']
    """
    first, last_day, streams = _prepare(n_customers, seed, observed_from, observed_to)
    parameters = SimulationParameters() if parameters is None else parameters
    tables = {
        name: pd.concat(pieces, ignore_index=True) if len(pieces) > 1 else pieces[0]
        for name, pieces in (
            (name, list(pieces))
            for name, pieces in draw_tables(
                n_customers, first, last_day, streams, parameters, n_rows_a_piece=2**62
            )
        )
    }
    return {name: tables[name] for name in TABLES}


def write_sample(
    folder: str | Path,
    n_customers: int = SAMPLE_CUSTOMERS,
    *,
    seed: int = SAMPLE_SEED,
    observed_from: str | pd.Timestamp = "2024-01-01",
    observed_to: str | pd.Timestamp = "2025-12-31",
    parameters: SimulationParameters | None = None,
    n_rows_a_piece: int = _ROWS_A_PIECE,
) -> dict[str, Path]:
    """Write a simulated population to a folder, a Parquet file per table, and its card.

    Parameters
    ----------
    folder : str or pathlib.Path
        Made where it is missing; files of the same name are replaced, each as a whole.
    n_customers, seed, observed_from, observed_to, parameters
        As for `simulate_population`; the defaults are those of the bundled sample.
    n_rows_a_piece : int
        Rows that the long tables are stored in at a time. It changes no value.

    Returns
    -------
    dict of str to pathlib.Path
        The file of each table, and ``card.yaml`` under the name ``card``. A table without rows
        has no file, and one of an earlier population is taken away.

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
    >>> "card" in paths, orders.equals(simulate_population(50, seed=1)["orders"])
    (True, True)
    """
    first, last_day, streams = _prepare(n_customers, seed, observed_from, observed_to)
    parameters = SimulationParameters() if parameters is None else parameters
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    tables = draw_tables(n_customers, first, last_day, streams, parameters, n_rows_a_piece)
    with ThreadPoolExecutor(1) as writer:
        for name, pieces in tables:
            path = folder / f"{name}.parquet"
            partial = path.with_suffix(".partial")
            try:
                n_rows = _write_pieces(pieces, partial, writer)
                if n_rows:
                    os.replace(partial, path)
                    paths[name] = path
                else:
                    path.unlink(missing_ok=True)
            finally:
                partial.unlink(missing_ok=True)
    paths = {name: paths[name] for name in TABLES if name in paths}
    paths["card"] = folder / "card.yaml"
    partial = paths["card"].with_suffix(".partial")
    partial.write_text(
        "title: {en: Simulated population, zh: 模拟客户群体}\n"
        f"origin: {{en: 'Simulated by crmlab, {n_customers:,} customers, seed {seed}', "
        f"zh: '由 crmlab 模拟生成，{n_customers:,} 位客户，随机种子 {seed}'}}\n"
        "licence: {en: 'MIT, as crmlab itself', zh: MIT 许可，与 crmlab 相同}\n"
        "currency: CNY\n"
        f"observed_from: {pd.Timestamp(observed_from):%Y-%m-%d}\n"
        f"observed_to: {pd.Timestamp(observed_to):%Y-%m-%d}\n",
        encoding="utf-8",
        newline="\n",
    )
    os.replace(partial, paths["card"])
    return paths


def _write_pieces(pieces: Iterator[pd.DataFrame], path: Path, writer: ThreadPoolExecutor) -> int:
    """Write a table to a Parquet file, one piece while the next is made; return its rows."""
    file, writing, n_rows = None, None, 0
    try:
        for piece in pieces:
            table = pa.Table.from_pandas(piece, preserve_index=False)
            n_rows += len(piece)
            if file is None:
                file = pq.ParquetWriter(path, table.schema, compression="zstd")
            if writing is not None:
                writing.result()
            writing = writer.submit(file.write_table, table)
        if writing is not None:
            writing.result()
    finally:
        if writing is not None:
            wait([writing])
        if file is not None:
            file.close()
    return n_rows


def _prepare(
    n_customers: int, seed: int, observed_from: str | pd.Timestamp, observed_to: str | pd.Timestamp
) -> tuple[pd.Timestamp, int, dict[str, np.random.Generator]]:
    """Return the first day, the position of the last one, and a generator for each stream."""
    _refuse_unusable(n_customers, seed)
    first, last_day = _window(observed_from, observed_to)
    seeds = np.random.SeedSequence(seed).spawn(len(STREAMS))
    streams = {
        name: np.random.Generator(np.random.PCG64(child))
        for name, child in zip(STREAMS, seeds, strict=True)
    }
    return first, last_day, streams


def _refuse_unusable(n_customers: int, seed: int) -> None:
    for name, value, least in (("n_customers", n_customers, 1), ("seed", seed, 0)):
        is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not is_whole or value < least:
            raise ValueError(say("whole_from", name=name, value=repr(value), least=least))


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
            raise ValueError(say("day_expected", name=name, value=repr(value)))
        days.append(day.as_unit("us"))
    n_days = (days[1] - days[0]).days + 1
    if n_days < _SHORTEST_DAYS:
        ends = {"first": f"{days[0]:%Y-%m-%d}", "last": f"{days[1]:%Y-%m-%d}"}
        raise ValueError(say("window_short", **ends, n=n_days, least=_SHORTEST_DAYS))
    return days[0], n_days - 1
