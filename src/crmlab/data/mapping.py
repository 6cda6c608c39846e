"""The mapping file: how a stranger's files, headings and values are to be read as our tables.

Who asks: a firm whose tables are called otherwise. ``mapping.yaml`` lies beside the data, or is
named as a study's ``data``; ``crmlab data check PATH --write`` drafts it.

    currency: EUR                  # ISO 4217
    time_zone: Europe/Berlin       # whose local time the data is in, or is to be brought to
    missing: [NA, "-"]             # what stands for a missing value
    tables:
      orders:
        from: Umsatz 2024.csv      # file, or table of a database
        sheet: Januar              # of a workbook
        delimiter: ";"
        decimal: ","
        one_row_is: order line     # where an order has several rows, which are to be summed;
                                   # order, where each row is one and none has a number
        dates: "%d.%m.%Y"          # as in Python's strptime; or serial, for day numbers
        columns:
          order_id: Belegnummer
          amount: {from: Betrag, thousands: "."}
          channel: {constant: store}
          gender: {from: Anrede, values: {Herr: male, Frau: female}}
        leave_out: [Telefon]
"""

from __future__ import annotations

import codecs
import functools
from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crmlab.atlas.sentences import Message, near, reason, say
from crmlab.data.columns import TABLES, columns_of

__all__ = ["ColumnMapping", "Mapping", "TableMapping", "load_mapping"]

# What pydantic finds wrong and is told in words of our own; the rest in its words.
_TOLD = ("literal_error", "string_pattern_mismatch", "greater_than_equal", "less_than_equal")
_TOLD += ("string_type", "list_type", "dict_type", "int_parsing", "model_type")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Writing(_Part):
    """How values are written; said of a table, or of one of its columns."""

    dates: str | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ",", " ", "'", ""] | None = None
    missing: list[str] | None = None

    @field_validator("dates")
    @classmethod
    def _check_dates(cls, dates):
        if dates and dates != "serial" and not ("%" in dates and ("%d" in dates or "%j" in dates)):
            raise ValueError(say("says_no_day", dates=repr(dates)))
        return dates

    @model_validator(mode="after")
    def _check_signs(self):
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(say("same_signs", sign=repr(self.decimal)))
        return self


class ColumnMapping(_Writing):
    """Where a column of ours comes from: a heading of theirs, or one value for all rows."""

    from_: str | None = Field(None, alias="from")
    constant: str | None = None
    values: dict[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _read_heading(cls, said):
        return {"from": said} if isinstance(said, str) else said

    @model_validator(mode="after")
    def _check_origin(self):
        if (self.from_ is None) == (self.constant is None):
            raise ValueError(say("from_or_constant"))
        return self


class TableMapping(_Writing):
    """Where a table comes from and how it is written."""

    from_: str | None = Field(None, alias="from")
    sheet: str | None = None
    heading_row: int = Field(1, ge=1, le=1000)
    encoding: str | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    one_row_is: Literal["order", "order line"] | None = None
    columns: dict[str, ColumnMapping] = {}
    leave_out: list[str] = []

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, encoding):
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ValueError(say("no_encoding", encoding=repr(encoding))) from None
        return encoding

    @field_validator("delimiter", mode="before")
    @classmethod
    def _read_delimiter(cls, delimiter):
        return {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)

    @cached_property
    def specs(self) -> dict[str, ColumnMapping]:
        """Every column as a `ColumnMapping`, with what the table says where it says nothing."""
        specs = {}
        for name, spec in self.columns.items():
            said = {key: getattr(self, key) for key in _Writing.model_fields}
            own = {key: value for key in said if (value := getattr(spec, key)) is not None}
            specs[name] = spec.model_copy(update=said | own)
        return specs


class Mapping(_Part):
    """What a mapping file says; see the module."""

    source: str | None = None
    currency: str | None = Field(None, pattern="^[A-Z]{3}$")
    time_zone: str | None = None
    missing: list[str] = []
    tables: dict[str, TableMapping] = {}

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, zone):
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, LookupError):
            raise ValueError(say("no_zone", zone=repr(zone))) from None
        return zone

    @model_validator(mode="after")
    def _check_names(self):
        for table, spec in self.tables.items():
            if table not in TABLES:
                key, close = f"tables.{table}", near(table, TABLES)
                raise ValueError(say("no_such_table", key=key, near=close, tables=tuple(TABLES)))
            if spec.one_row_is and table != "orders":
                raise ValueError(say("lines_only_orders", key=f"tables.{table}.one_row_is"))
            if table == "survey":  # its questions have names of their own
                continue
            names = tuple(columns_of(table, spec.one_row_is))
            for column in spec.columns:
                if column not in names:
                    key, close = f"tables.{table}.columns.{column}", near(column, names)
                    said = say("no_such_column", key=key, table=table, near=close, columns=names)
                    raise ValueError(said)
        return self


def load_mapping(path: Path) -> Mapping:
    """Return what a mapping file says, or refuse it with key and nearest name.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    Mapping
        Texts as they are written: ``007`` stays ``007`` and ``yes`` stays ``yes``.

    Raises
    ------
    ValueError
        If it is not YAML in UTF-8, gives a key twice, or says what cannot be.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "mapping.yaml"
    ...     _ = path.write_text("tables: {orders: {columns: {amuont: Betrag}}}")
    ...     try:
    ...         load_mapping(path)
    ...     except ValueError as error:
    ...         print(str(error).partition("mapping.yaml: ")[2][:78])
    tables.orders.columns.amuont: orders has no such column; did you mean 'amount'
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        tree = yaml.compose(text, Loader=yaml.BaseLoader)
        _refuse_duplicates(path, tree)
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts only
    except UnicodeDecodeError:
        raise ValueError(say("yaml_not_utf8", path=path)) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(say("yaml_damaged", path=path, error=error)) from None
    except OSError as error:
        raise ValueError(say("cannot_open", path=path, error=error.strerror)) from None
    if not isinstance(content, dict):
        raise ValueError(say("yaml_no_keys", path=path, keys=tuple(Mapping.model_fields)))
    try:
        return Mapping.model_validate(_without_empty(content))
    except ValidationError as error:
        lines = dict.fromkeys(_complain(entry) for entry in error.errors())
        placed = [say("placed", place=path, said=line) for line in lines]
        said = functools.reduce(lambda a, b: say("and_line", said=a, note=b), placed)
        raise ValueError(said) from None


def _without_empty(content: dict) -> dict:
    """Return the content without keys that say nothing."""
    return {
        key: _without_empty(value) if isinstance(value, dict) and key != "values" else value
        for key, value in content.items()
        if value != ""
    }


def _refuse_duplicates(path: Path, node: yaml.Node | None) -> None:
    # PyYAML keeps the last of two equal keys in silence.
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ValueError(say("key_twice", path=path, line=line, key=key.value))
            seen.add(key.value)
            _refuse_duplicates(path, value)


def _complain(entry: dict) -> Message:
    location = [str(part) for part in entry["loc"]]
    key, kind, about = ".".join(location), entry["type"], entry.get("ctx", {})
    if kind == "extra_forbidden":
        model = {1: Mapping, 3: TableMapping}.get(len(location), ColumnMapping)
        names = tuple(field.alias or name for name, field in model.model_fields.items())
        return say("no_such_key", key=key, near=near(location[-1], names), keys=names)
    if kind == "value_error":
        said = say("sentence", said=reason(about["error"]))
        return say("placed", place=key, said=said) if key else said
    told = kind if kind in _TOLD else "other"
    named = {name: about[name] for name in ("expected", "ge", "le", "pattern") if name in about}
    found = "" if isinstance(entry["input"], dict | BaseModel) else repr(entry["input"])
    said = say(f"yaml_{told}", key=key, found=found, message=entry["msg"], **named)
    return said
