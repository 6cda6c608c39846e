"""DuckDB and SQLite files, and PostgreSQL by its address: a table of the database is a table.

Who asks: a firm whose customers are in a database. Rows come in no order of their own, so they are
put in the order of the table's key; row numbers in messages count in that order. Nothing is ever
written to the database.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crmlab.atlas.sentences import Message, say
from crmlab.data.columns import TABLES
from crmlab.data.loaders.raw import arrow_to_frame
from crmlab.data.loaders.source import Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fingerprint_table", "list_tables", "open_database"]

_WAIT_SECONDS = 1
_SIMPLE_TYPES = (
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "boolean",
    "text",
    "character varying",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
)


class Database:
    """An open database: what tables it has, their headings, rows and content's hash."""

    def __init__(self, source: Source, connection):
        self.source, self.connection = source, connection

    def tables(self) -> list[str]:
        """Return the names of tables and views."""
        raise NotImplementedError

    def other_schemas(self) -> list[str]:
        """Return the names of other schemas that have tables."""
        return []

    def hidden(self) -> list[str]:
        """Return the names of tables that the user may not read."""
        return []

    def read(self, table: str, n_rows: int = 0) -> pd.DataFrame:
        """Return a table's rows; all where `n_rows` is 0."""
        raise NotImplementedError

    def count(self, table: str) -> int:
        """Return the number of a table's rows."""
        raise NotImplementedError


class _SQLite(Database):
    def tables(self):
        rows = self.connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        return [name for (name,) in rows]

    def read(self, table, n_rows=0):
        import pandas as pd

        limit = f" LIMIT {n_rows}" if n_rows else ""
        cursor = self.connection.execute(f"SELECT * FROM {_quote(table)}{limit}")  # noqa: S608
        names = [name for name, *_ in cursor.description]
        columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(names)
        frame = pd.DataFrame({i: _sqlite_column(cells) for i, cells in enumerate(columns)})
        frame.columns = names
        return frame

    def count(self, table):
        return self.connection.execute(f"SELECT count(*) FROM {_quote(table)}").fetchone()[0]  # noqa: S608


class _DuckDB(Database):
    def tables(self):
        rows = self.connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' "
            "ORDER BY table_name"
        )
        return [name for (name,) in rows.fetchall()]

    def other_schemas(self):
        rows = self.connection.execute(
            "SELECT DISTINCT table_schema FROM information_schema.tables "
            "WHERE table_schema <> 'main' ORDER BY 1"
        )
        return [name for (name,) in rows.fetchall()]

    def read(self, table, n_rows=0):
        limit = f" LIMIT {n_rows}" if n_rows else ""
        rows = self.connection.sql(f"SELECT * FROM {_quote(table)}{limit}")  # noqa: S608
        return arrow_to_frame(rows.to_arrow_table())

    def count(self, table):
        return self.connection.execute(f"SELECT count(*) FROM {_quote(table)}").fetchone()[0]  # noqa: S608


class _PostgreSQL(Database):
    def hidden(self):
        rows = self._query(
            "SELECT relname::text AS name FROM pg_class "
            "WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) "
            "AND relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT has_table_privilege(oid, 'SELECT') "
            "ORDER BY 1",
            self.source.schema,
        )
        return rows["name"].to_pylist()

    def tables(self):
        rows = self._query(
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1 "
            "ORDER BY table_name",
            self.source.schema,
        )
        return rows["table_name"].to_pylist()

    def read(self, table, n_rows=0):
        columns = self._query(
            "SELECT column_name::text AS name, data_type::text AS type "
            "FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 "
            "ORDER BY ordinal_position",
            self.source.schema,
            table,
        ).to_pylist()
        # Types of the server's own (numeric, uuid, enumerations) come as their text.
        wanted = ", ".join(
            _quote(c["name"])
            if c["type"] in _SIMPLE_TYPES
            else f"{_quote(c['name'])}::text AS {_quote(c['name'])}"
            for c in columns
        )
        limit = f" LIMIT {n_rows}" if n_rows else ""
        return arrow_to_frame(self._query(f"SELECT {wanted} FROM {self._name(table)}{limit}"))  # noqa: S608

    def count(self, table):
        return self._query(f"SELECT count(*) AS n FROM {self._name(table)}")["n"][0].as_py()  # noqa: S608

    def content(self, table):
        """Return texts that change whenever the table's columns or rows change.

        The server hashes each row with two seeds and sums: 128 bits, whatever the rows' order,
        and nothing but the sums travels.
        """
        columns = self._query(
            "SELECT column_name::text AS name, data_type::text AS type "
            "FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 "
            "ORDER BY ordinal_position",
            self.source.schema,
            table,
        ).to_pylist()
        sums = self._query(
            "SELECT count(*)::text AS n, sum(hashtextextended(t::text, 0))::text AS a, "  # noqa: S608
            f"sum(hashtextextended(t::text, 1))::text AS b FROM {self._name(table)} AS t"
        ).to_pylist()
        return [str(columns), str(sums)]

    def _name(self, table):
        return f"{_quote(self.source.schema)}.{_quote(table)}"

    def _query(self, text, *values):
        with self.connection.cursor() as cursor:
            cursor.execute(text, values or None)
            return cursor.fetch_arrow_table()


@contextmanager
def open_database(source: Source) -> Iterator[Database]:
    """Open a database for reading, and say plainly what is wrong where that fails.

    Parameters
    ----------
    source : Source
        Of kind sqlite, duckdb or postgresql.

    Raises
    ------
    ValueError
        If it is damaged, locked, out of reach, or refuses the user.
    """
    opened = {"sqlite": _open_sqlite, "duckdb": _open_duckdb, "postgresql": _open_postgresql}
    with opened[source.kind](source) as database:
        yield database


def list_tables(database: Database) -> list[str]:
    """Return the names of a database's tables; refuse one that has none, or hides one of ours."""
    tables, hidden = database.tables(), database.hidden()
    if hidden and (not tables or set(hidden) & set(TABLES)):
        raise ValueError(say("table_hidden", source=database.source, tables=tuple(hidden)))
    if not tables:
        source = database.source
        if elsewhere := database.other_schemas():
            raise ValueError(say("schema_elsewhere", source=source, schemas=tuple(elsewhere)))
        key = "schema_no_table" if source.schema else "database_no_table"
        raise ValueError(say(key, source=source, schema=source.schema))
    return tables


def fingerprint_table(database: Database, table: str) -> str:
    """Return the sha256 of a PostgreSQL table's columns and rows."""
    return hashlib.sha256("\n".join(database.content(table)).encode()).hexdigest()


@contextmanager
def _open_sqlite(source: Source):
    path = source.path.resolve()
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_WAIT_SECONDS)
        try:
            yield _SQLite(source, connection)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        said = _say_sqlite(str(error))
        raise ValueError(say("placed", place=source.path, said=said)) from None


def _say_sqlite(error: str) -> Message:
    if "locked" in error:
        return say("sqlite_locked")
    if error.startswith("no such"):
        return say("sqlite_view", error=error)
    return say("sqlite_text" if "decode" in error.lower() else "sqlite_damaged", error=error)


@contextmanager
def _open_duckdb(source: Source):
    try:
        import duckdb
    except ImportError:
        raise ValueError(say("duckdb_missing", path=source.path)) from None
    try:
        # A view of a file that was handed on must not reach other files.
        config = {"enable_external_access": "false"}
        with duckdb.connect(str(source.path), read_only=True, config=config) as connection:
            yield _DuckDB(source, connection)
    except duckdb.Error as error:
        text = str(error).splitlines()[0]
        key = "duckdb_locked" if "lock" in text.lower() else "duckdb_damaged"
        raise ValueError(say(key, path=source.path, error=text)) from None


@contextmanager
def _open_postgresql(source: Source):
    try:
        import adbc_driver_manager
        import adbc_driver_postgresql.dbapi as driver
    except ImportError:
        raise ValueError(say("postgresql_missing", source=source)) from None
    try:
        with driver.connect(source.url) as connection:
            with connection.cursor() as cursor:
                # One view of the data for hash and rows; texts alike whatever the server's habits.
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute("SET LOCAL TimeZone = 'UTC'")
                cursor.execute("SET LOCAL DateStyle = 'ISO'")
                cursor.execute("SET LOCAL extra_float_digits = 1")
            yield _PostgreSQL(source, connection)
    except adbc_driver_manager.Error as error:
        said = _say_postgresql(str(error))
        raise ValueError(say("placed", place=source, said=said)) from None


def _say_postgresql(error: str) -> Message:
    text = " ".join(error.split())
    if "password" in text or "authentication" in text or "pg_hba" in text:
        return say("postgresql_user", error=text)
    if "does not exist" in text:
        return say("postgresql_names", error=text)
    if "permission denied" in text:
        return say("postgresql_rights", error=text)
    return say("postgresql_out_of_reach", error=text)


def _sqlite_column(cells: tuple):
    """Return the cells of a column, whose types SQLite does not hold to one."""
    import pandas as pd

    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {str}:
        return pd.Series(cells, dtype="str")
    if str in kinds or bytes in kinds:
        texts = [None if c is None else c.hex() if isinstance(c, bytes) else str(c) for c in cells]
        return pd.Series(texts, dtype="str")
    if kinds == {int}:
        return pd.Series(cells, dtype="Int64" if None in cells else "int64")
    return pd.Series(cells, dtype="float64" if kinds else "object")


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
