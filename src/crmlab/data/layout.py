"""How a large file's columns become a table's: named anew, lines of orders summed, nothing loaded.

Who asks: the check of a table that stays where it lies, and whoever opens it later, in any engine.
A mapping file may say all of this; what changes how values are written needs the table loaded.
"""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw

from crmlab.data.columns import ORDER_LINE, Column, columns_of
from crmlab.data.engines import open_file
from crmlab.data.order_lines import sum_lines, take_orders
from crmlab.data.scanned_kinds import in_kinds

__all__ = ["ROW", "Layout"]

#: The number of a row of the file, counted from 0, where it was asked for.
ROW = "crmlab_row"


@dataclass(frozen=True)
class Layout:
    """Which columns of a file are which of ours.

    Attributes
    ----------
    table : str
    columns : tuple of (str, str)
        Heading of the file and our name, of all that are taken; empty where all are, as they are.
    constants : tuple of (str, str)
        Our name and the one value of every row.
    delimiter : str
        Of a CSV file.
    one_row_is : str or None
        "order line" where rows are to be summed into orders.
    has_quotes : bool
        Whether cells of a CSV file may stand between quotation marks.
    """

    table: str
    columns: tuple[tuple[str, str], ...] = ()
    constants: tuple[tuple[str, str], ...] = ()
    delimiter: str = ","
    one_row_is: str | None = None
    has_quotes: bool = True

    @property
    def has_lines(self) -> bool:
        """Whether rows are lines of orders."""
        return self.one_row_is == ORDER_LINE

    @property
    def known(self) -> dict[str, Column]:
        """The columns that the table knows, by name."""
        return columns_of(self.table, self.one_row_is)

    def open(self, path, *, engine, master=None):
        """Return the table in its kinds, rows as the file has them but for summed lines."""
        frame = self.in_kinds(self.open_raw(path, engine=engine, master=master), path)
        return take_orders(sum_lines(frame)) if self.has_lines else frame

    def open_raw(self, path, *, engine, master=None, has_rows=False):
        """Return the file under our names, as it stands; Polars may number its rows."""
        how = {"delimiter": self.delimiter, "has_quotes": self.has_quotes}
        frame = open_file(path, engine=engine, master=master, **how)
        if has_rows:
            frame = nw.from_native(frame.to_native().with_row_index(ROW))
        if not self.columns and not self.constants:
            return frame
        names = frame.collect_schema().names()
        columns = self.columns or tuple((name, name) for name in names)
        taken = [nw.col(theirs).alias(ours) for theirs, ours in columns]
        fixed = [nw.lit(value).alias(ours) for ours, value in self.constants]
        return frame.select(*([nw.col(ROW)] if has_rows else []), *taken, *fixed)

    def in_kinds(self, frame, path):
        """Return a frame of `open_raw` with the known columns in their kinds."""
        return in_kinds(frame, path, self.known)
