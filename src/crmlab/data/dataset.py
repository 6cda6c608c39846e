"""What a data set is: its card, its tables, and what is known about them.

Who asks: every study, and whoever loads data by hand.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crmlab.atlas.sentences import say
from crmlab.data.fetch import DataFile

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.data.scanned import ScannedTable

__all__ = ["Card", "Dataset", "make_dataset"]


@dataclass(frozen=True)
class Card:
    """What a data set is. Texts come in both languages, as ``{"en": ..., "zh": ...}``.

    Attributes
    ----------
    name, citation : str
    doi, currency : str or None
        `currency` is the three-letter code of ISO 4217.
    time_zone : str or None
        Whose local time days and times are in, such as Asia/Shanghai; None where it is not known.
    title, summary, origin, licence, prepared : dict of str to str
        `prepared` says how the tables were made from the files.
    one_row_is : dict of str to dict
        By table.
    observed_from, observed_to : datetime.date or None
        First and last day under observation, both inclusive; None where it is not known.
    is_simulated : bool
    files : tuple of DataFile
        Empty for data that is not fetched.
    adapter : str or None
        The module of `crmlab.data.adapters` that reads the files.
    columns : dict of str to dict
        By table, then by column: what a column that `crmlab.data.tables` does not know means, as
        ``{"en": ..., "zh": ...}``, with the key of its `unit` where it has one. The items of a
        survey are described in its table `items` instead.
    """

    name: str
    title: dict[str, str]
    summary: dict[str, str]
    one_row_is: dict[str, dict[str, str]]
    origin: dict[str, str]
    licence: dict[str, str]
    citation: str = ""
    doi: str | None = None
    currency: str | None = None
    time_zone: str | None = None
    observed_from: datetime.date | None = None
    observed_to: datetime.date | None = None
    prepared: dict[str, str] | None = None
    is_simulated: bool = False
    adapter: str | None = None
    files: tuple[DataFile, ...] = ()
    columns: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """The tables of a data set and what is known about them.

    Attributes
    ----------
    name : str
    title : dict of str to str
        By language.
    tables : dict of str to pandas.DataFrame
        Checked by `crmlab.data.tables.check_tables`; includes `truth` when simulated.
    observed_from, observed_to : pandas.Timestamp or None
        First and last day under observation, both inclusive; None where nothing has a date.
    currency : str or None
        ISO 4217.
    card : Card
    left_out : pandas.DataFrame
        `table`, `reason`, `reason_zh`, `n_rows`: rows of the source not used, and why.
    repaired : pandas.DataFrame
        The same columns: rows that are used after a documented repair, such as an identifier with
        blanks around it.
    files : dict of str to str
        The sha256 of each file read, by its name.
    scanned : dict of str to crmlab.data.scanned.ScannedTable
        Large tables that are not loaded; `scan` opens them.
    """

    name: str
    title: dict[str, str]
    tables: dict[str, pd.DataFrame]
    observed_from: pd.Timestamp | None
    observed_to: pd.Timestamp | None
    currency: str | None
    card: Card
    left_out: pd.DataFrame
    repaired: pd.DataFrame
    files: dict[str, str]
    scanned: dict[str, ScannedTable] = field(default_factory=dict)

    @property
    def n_rows(self) -> dict[str, int]:
        """The number of rows of each table, loaded or not."""
        loaded = {name: len(frame) for name, frame in self.tables.items()}
        return loaded | {name: table.n_rows for name, table in self.scanned.items()}

    def scan(self, name: str):
        """Return a table for the readers that take any engine: loaded, or opened in its engine."""
        return self.scanned[name].open() if name in self.scanned else self.tables[name]

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {n:,}" for name, n in self.n_rows.items())
        window = (
            f"; {self.observed_from:%Y-%m-%d} to {self.observed_to:%Y-%m-%d}"
            if self.observed_from is not None
            else ""
        )
        return f"<Dataset {self.name}: {rows} rows{window}>"


def make_dataset(
    card: Card,
    tables: dict[str, pd.DataFrame],
    left_out: pd.DataFrame,
    repaired: pd.DataFrame,
    files: dict[str, str],
    scanned: dict[str, ScannedTable] | None = None,
) -> Dataset:
    """Return the data set of checked tables, with the window in which they were observed.

    Parameters
    ----------
    card : Card
    tables : dict of str to pandas.DataFrame
    left_out, repaired : pandas.DataFrame
    files : dict of str to str
    scanned : dict of str to crmlab.data.scanned.ScannedTable, optional
        As the attributes of `Dataset`.

    Raises
    ------
    ValueError
        If an order is outside the window that the card states.
    """
    scanned = scanned or {}
    observed_from, observed_to = _window(card, tables, scanned)
    return Dataset(
        name=card.name,
        title=card.title,
        tables=tables,
        observed_from=observed_from,
        observed_to=observed_to,
        currency=card.currency,
        card=card,
        left_out=left_out,
        repaired=repaired,
        files=files,
        scanned=scanned,
    )


def _window(
    card: Card, tables: Mapping[str, pd.DataFrame], scanned: Mapping[str, ScannedTable]
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Return the first and last day under observation: the card's, else the orders' own."""
    import pandas as pd

    if "orders" in scanned:
        days = pd.Series([scanned["orders"].first_day, scanned["orders"].last_day])
    elif "orders" in tables:
        days = tables["orders"]["ordered_on"]
    else:
        days = pd.Series(dtype="datetime64[us]")
    first, last = card.observed_from, card.observed_to
    first = pd.Timestamp(first) if first else (days.min() if len(days) else None)
    last = pd.Timestamp(last) if last else (days.max() if len(days) else None)
    if len(days) and ((days < first) | (days > last)).any():
        row = int(((days < first) | (days > last)).to_numpy().argmax())
        where = "orders.ordered_on"
        if "orders" not in scanned:
            where = say("problem_rows", where=where, rows=say("row_one", n=row + 1))
        told = {"day": days.iloc[row], "first": first, "last": last}
        told = {name: f"{day:%Y-%m-%d}" for name, day in told.items()}
        raise ValueError(say("outside_window", name=card.name, where=where, **told))
    return first, last
