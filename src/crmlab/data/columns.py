"""The columns of each table of a data set: kind, meaning in two languages, unit and range.

Who asks: whoever brings data of their own ("which columns, in which unit?"), the data dictionary
in a report, and the check of a table. The rows stand in ``tables.csv`` beside this module.

Vocabulary. A *kind* is how a column is stored: ``text`` (identifiers are text, so that a leading
zero survives), ``number`` (float64), ``integer`` (int64; Int64 where a value may be missing),
``flag`` (bool), ``day`` (datetime64[us] at midnight, named ``..._on``) and ``instant``
(datetime64[us], named ``..._at``; no time zone). Money is in the data set's currency.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from crmlab.atlas import nearest
from crmlab.atlas.sentences import load_messages

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ORDER",
    "ORDER_LINE",
    "TABLES",
    "Column",
    "Table",
    "columns_of",
    "describe_table",
    "find_table",
]

#: What a mapping file says of orders: each row is one and has no number, or is a line of one.
ORDER, ORDER_LINE = "order", "order line"

_DTYPES = {
    "text": "str",
    "number": "float64",
    "integer": "int64",
    "flag": "bool",
    "day": "datetime64[us]",
    "instant": "datetime64[us]",
}


@dataclass(frozen=True)
class Column:
    """One column of a table: how it is stored, what it means, which values it may hold.

    `range` is read by people and by the check alike: ``0..10`` (ends included), ``>= 0``,
    ``> 0``, ``not 0``, or the permitted words with `` | `` between them. `unit` is a key of the
    atlas's terms, empty where a unit makes no sense.
    """

    name: str
    kind: str
    meaning_en: str
    meaning_zh: str
    unit: str
    range: str
    is_required: bool
    is_nullable: bool

    @property
    def dtype(self) -> str:
        """The pandas dtype the column has after the check."""
        return "Int64" if self.kind == "integer" and self.is_nullable else _DTYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One table: what a row is, which columns make a row unique, and the columns in order."""

    name: str
    row_en: str
    row_zh: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


def _read_tables() -> Mapping[str, Table]:
    rows = {
        "customers": ("a customer", "一位客户", ("customer_id",)),
        "orders": ("an order or a return", "一笔订单或退货", ("order_id",)),
        "contacts": ("a customer chosen for a campaign", "一次营销接触", ("contact_id",)),
        "survey": ("a respondent's answers in one wave", "一轮答卷", ("respondent_id", "wave")),
        "items": ("a question of the survey", "一道调查题项", ("item",)),
        "tickets": ("a question or complaint to service", "一张服务工单", ("ticket_id",)),
        "requests": ("something a customer asks of the firm", "客户的一项要求", ("request_id",)),
        "links": (
            "a pair of customers and how they are linked",
            "两位客户之间的一种联系",
            ("customer_id", "other_id", "kind"),
        ),
        "activity": ("a customer in a month", "一位客户的一个月", ("customer_id", "month_on")),
        "accounts": ("a business customer's account", "一户企业客户", ("customer_id",)),
        "staff": ("an employee's answers", "一位员工的答卷", ("staff_id",)),
        "sources": ("a source of a table", "一项数据来源", ()),
        "truth": ("a simulated customer's latent values", "一位模拟客户的潜在值", ("customer_id",)),
        "records": ("a customer's record in one system", "某系统中的一条记录", ("record_id",)),
        "record_truth": ("whose a simulated record is", "一条模拟记录的真实归属", ("record_id",)),
    }
    columns: dict[str, list[Column]] = {name: [] for name in rows}
    with Path(__file__).with_name("tables.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            columns[row["table"]].append(
                Column(
                    name=row["column"],
                    kind=row["kind"],
                    meaning_en=row["en"],
                    meaning_zh=row["zh"],
                    unit=row["unit"],
                    range=row["range"],
                    is_required=row["required"] == "yes",
                    is_nullable=row["nullable"] == "yes",
                )
            )
    return MappingProxyType(
        {name: Table(name, *row, columns=tuple(columns[name])) for name, row in rows.items()}
    )


TABLES: Mapping[str, Table] = _read_tables()


def columns_of(table: str, one_row_is: str | None = None) -> dict[str, Column]:
    """Return the columns a table may have, by name; where a row is a line of an order, its price.

    Examples
    --------
    >>> "unit_price" in columns_of("orders"), "unit_price" in columns_of("orders", "order line")
    (False, True)
    """
    columns = {column.name: column for column in TABLES[table].columns}
    if one_row_is == ORDER_LINE:
        meaning = (load_messages(language)["unit_price"] for language in ("en", "zh"))
        columns["unit_price"] = Column(
            "unit_price", "number", *meaning, "currency", "", False, False
        )
    return columns


def describe_table(name: str) -> pd.DataFrame:
    """Return the columns of a table with their meaning, unit and range.

    Parameters
    ----------
    name : str
        A name in `TABLES`.

    Returns
    -------
    pandas.DataFrame, one row per column, in the table's order
        `column`, `meaning_en`, `meaning_zh`, `unit` (empty where none), `range` (empty where any
        value of the kind will do) and `required` (bool).

    Raises
    ------
    ValueError
        If there is no such table.

    Examples
    --------
    >>> describe_table("orders")[["column", "unit", "range", "required"]].head(4)
            column      unit  range  required
    0     order_id                       True
    1  customer_id                       True
    2   ordered_on                       True
    3       amount  currency  not 0      True
    """
    import pandas as pd

    columns = find_table(name).columns
    return pd.DataFrame(
        {
            "column": [column.name for column in columns],
            "meaning_en": [column.meaning_en for column in columns],
            "meaning_zh": [column.meaning_zh for column in columns],
            "unit": [column.unit for column in columns],
            "range": [column.range for column in columns],
            "required": [column.is_required for column in columns],
        }
    )


def find_table(name: str) -> Table:
    """Return the table of this name, or refuse and say which is nearest.

    Examples
    --------
    >>> find_table("orders").key
    ('order_id',)
    >>> find_table("order")
    Traceback (most recent call last):
        ...
    ValueError: no table is called 'order'; did you mean 'orders'?
    """
    if name not in TABLES:
        near = nearest(name, TABLES) or f"; expected one of {', '.join(TABLES)}."
        raise ValueError(f"no table is called {name!r}{near}")
    return TABLES[name]
