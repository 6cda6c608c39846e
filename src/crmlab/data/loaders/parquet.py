"""Parquet files: columns that know their types."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from crmlab.atlas.sentences import say
from crmlab.data.loaders.raw import Raw, arrow_to_frame, drop_empty
from crmlab.data.loaders.source import recognise

__all__ = ["count_rows", "read_headings", "read_parquet", "read_sample"]


def read_parquet(name: str, path: Path) -> Raw:
    """Return the cells of a Parquet file.

    Raises
    ------
    ValueError
        If it is no Parquet file, or a damaged one.
    """
    raw = Raw(name, str(path), arrow_to_frame(_open(path, pa.parquet.read_table)))
    raw.frame = raw.frame.rename(columns=str).reset_index(drop=True)
    drop_empty(raw)
    return raw


def count_rows(path: Path) -> int:
    """Return the number of a Parquet file's rows without reading them."""
    return _open(path, pa.parquet.read_metadata).num_rows


def read_headings(path: Path) -> list[str]:
    """Return the names of a Parquet file's columns."""
    return _open(path, pa.parquet.read_schema).names


def read_sample(path: Path, n_rows: int) -> pd.DataFrame:
    """Return the first rows of a Parquet file."""

    def first(path):
        with pa.parquet.ParquetFile(path) as file:
            batch = next(file.iter_batches(n_rows), None)
            return (
                file.schema_arrow.empty_table() if batch is None else pa.Table.from_batches([batch])
            )

    return arrow_to_frame(_open(path, first))


def _open(path: Path, reader):
    if path.stat().st_size == 0:
        raise ValueError(say("parquet_empty", path=path))
    kind = recognise(path)
    if kind != "parquet":
        raise ValueError(say("parquet_other", path=path))
    try:
        return reader(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(say("parquet_damaged", path=path, error=error)) from None
