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
from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crmlab.atlas import nearest
from crmlab.data.columns import TABLES

__all__ = ["ColumnMapping", "Mapping", "TableMapping", "load_mapping"]


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
            raise ValueError(
                f"{dates!r} says no day; expected serial, or codes such as %d/%m/%Y or %Y-%m-%d"
            )
        return dates

    @model_validator(mode="after")
    def _check_signs(self):
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}")
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
            raise ValueError("expected either from (a heading) or constant (a value)")
        return self


class TableMapping(_Writing):
    """Where a table comes from and how it is written."""

    from_: str | None = Field(None, alias="from")
    sheet: str | None = None
    heading_row: int = Field(1, ge=1, le=1000)
    encoding: str | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    columns: dict[str, ColumnMapping] = {}
    leave_out: list[str] = []

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, encoding):
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ValueError(f"no encoding is called {encoding!r}; try utf-8 or gb18030") from None
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
            raise ValueError(
                f"no time zone is called {zone!r}; expected a name such as Asia/Shanghai"
            ) from None
        return zone

    @model_validator(mode="after")
    def _check_names(self):
        for table, spec in self.tables.items():
            if table not in TABLES:
                known = ", ".join(TABLES)
                raise ValueError(
                    f"tables.{table}: no table is called so{nearest(table, TABLES) or '.'} "
                    f"Expected any of {known}"
                )
            if table == "survey":  # its questions have names of their own
                continue
            names = [column.name for column in TABLES[table].columns]
            for column in spec.columns:
                if column not in names:
                    raise ValueError(
                        f"tables.{table}.columns.{column}: {table} has no such column"
                        f"{nearest(column, names) or '.'} Expected any of {', '.join(names)}"
                    )
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
        raise ValueError(f"{path}: the text is not in UTF-8. Save it again as UTF-8.") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not a YAML file that can be read ({error}).") from None
    except OSError as error:
        raise ValueError(f"{path}: it cannot be read ({error.strerror}).") from None
    if not isinstance(content, dict):
        keys = ", ".join(Mapping.model_fields)
        raise ValueError(f"{path}: expected lines of “key: value” with the keys {keys}.")
    try:
        return Mapping.model_validate(_without_empty(content))
    except ValidationError as error:
        lines = [_complain(entry) for entry in error.errors()]
        raise ValueError("\n".join(f"{path}: {line}" for line in dict.fromkeys(lines))) from None


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
                raise ValueError(f"{path}: line {line}: {key.value} is given twice; keep one.")
            seen.add(key.value)
            _refuse_duplicates(path, value)


def _complain(entry: dict) -> str:
    location = [str(part) for part in entry["loc"]]
    key = ".".join(location)
    if entry["type"] == "extra_forbidden":
        model = {1: Mapping, 3: TableMapping}.get(len(location), ColumnMapping)
        names = [field.alias or name for name, field in model.model_fields.items()]
        near = nearest(location[-1], names) or "."
        return f"{key}: no key is called so{near} Expected any of {', '.join(names)}."
    message = entry["msg"].removeprefix("Value error, ")
    found = (
        f", found {entry['input']!r}" if not isinstance(entry["input"], dict | BaseModel) else ""
    )
    found = "" if entry["type"] == "value_error" else found
    return f"{key}: {message}{found}." if key else f"{message}."
