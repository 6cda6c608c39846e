"""Loaders: a user's own data, wherever it lies, becomes the tables of a data set.

Who asks: a firm or a student who brings data. `locate` finds out what a text names: a folder, a
CSV, Parquet or Excel file, a DuckDB or SQLite file, a PostgreSQL address, or a mapping file that
names one of these. `read_source` reads it. Nothing is dropped silently: every row left out and
every value repaired is counted, everything else is refused with file, row and column.
"""

from crmlab.data.loaders.source import Source, locate

__all__ = ["Source", "locate"]
