"""What one engine reads of a file and another does not, so that none reads it otherwise.

Who asks: the check of a table that stays where it lies. Polars fills up a row that is too short,
engines differ in what they make of a stray quotation mark, and Spark does not know every type.
"""

from __future__ import annotations

import narwhals as nw
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from crmlab.atlas.sentences import say
from crmlab.data.engines import collect, materialise, open_file
from crmlab.data.faults import say_fault

__all__ = ["refuse_other_rows", "refuse_other_types", "refuse_ragged"]


def refuse_ragged(path, layout, *, has_gaps=None):
    """Refuse a CSV file with a row of another number of cells than the heading has.

    Parameters
    ----------
    path : pathlib.Path
    layout : crmlab.data.layout.Layout
    has_gaps : bool, optional
        Whether cells of the last column are missing, as they are in a row that is too short; by
        default Polars is asked.

    Raises
    ------
    ValueError
        With the first such row.
    """
    how = {"delimiter": layout.delimiter, "has_quotes": layout.has_quotes}
    if has_gaps is None:
        frame = open_file(path, engine="polars", **how)
        last = frame.collect_schema().names()[-1]
        has_gaps = bool(materialise(frame.select(nw.col(last).is_null().any())).item())
    if not has_gaps:
        return
    odd = []

    def note(line):
        odd.append(line)
        return "skip"

    with pa.csv.open_csv(
        path,
        read_options=pa.csv.ReadOptions(use_threads=False),
        parse_options=pa.csv.ParseOptions(
            delimiter=layout.delimiter,
            newlines_in_values=layout.has_quotes,
            ignore_empty_lines=False,
            invalid_row_handler=note,
        ),
    ) as batches:
        heading = batches.schema.names
        while not odd and (batch := next(batches, None)) is not None:
            del batch
    if odd:
        where = say("problem_rows", where=layout.table, rows=say("row_one", n=odd[0].number - 1))
        found = say("placed", place=where, said=say("ragged_found", n=odd[0].actual_columns))
        expected = say("ragged_expected", n=len(heading))
        raise ValueError(say_fault(path, found, expected, say("ragged_cure")))


def refuse_other_rows(path, layout, engine, master):
    """Refuse a CSV file that an engine takes for another number of rows than Polars.

    Raises
    ------
    ValueError
    """
    n_rows = {}
    for name in ("polars", engine):
        frame = layout.open_raw(path, engine=name, master=master if name == engine else None)
        try:
            n_rows[name] = int(collect(frame.select(nw.len().alias("n")))["n"].iloc[0])
        except Exception as error:  # each engine has errors of its own
            raise ValueError(say("scan_failed", path=path, error=str(error)[:400])) from error
    if n_rows[engine] != n_rows["polars"]:
        told = {"n": n_rows["polars"], "engine": repr(engine), "other": n_rows[engine]}
        raise ValueError(say("scan_other_rows", path=path, **told))


def refuse_other_types(path):
    """Refuse a Parquet file with a type that Spark cannot read, or reads as another.

    Raises
    ------
    ValueError
    """
    for column in pa.parquet.read_schema(path):
        kind = column.type
        is_nanos = pa.types.is_timestamp(kind) and kind.unit == "ns"
        if is_nanos or pa.types.is_float16(kind) or pa.types.is_uint64(kind):
            stored = say("stored_as", name=column.name, stored=str(kind))
            raise ValueError(say("scan_other_type", path=path, stored=stored))
