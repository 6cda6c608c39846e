"""CSV files: one heading line, then one line a row.

Who asks: whoever exports a table. Read are UTF-8 with or without byte order mark, UTF-16 and GBK
(GB18030), as Chinese programs write; whatever else is refused with row and column, or named as
`encoding` in a mapping file. Cells stay text wherever a number or a day would lose something.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from crmlab.atlas.sentences import say
from crmlab.data.columns import TABLES
from crmlab.data.loaders.raw import Raw, drop_empty, drop_totals, refuse_values_as_headings
from crmlab.data.loaders.text import Text, read_text
from crmlab.data.mapping import TableMapping
from crmlab.data.problems import Problem

__all__ = ["WITH_MORE_NUMBERS", "read_csv", "read_headings"]

_ARROW_TYPES = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.string(),
    "day": pa.timestamp("us"),
    "instant": pa.timestamp("us"),
}
# Tables whose further columns are numbers as a rule; elsewhere an unknown column stays text.
WITH_MORE_NUMBERS = ("survey", "truth")


def read_csv(
    name: str, path: Path, said: TableMapping, *, marks: Iterable[str] = (), guess: bool = False
) -> Raw:
    """Return the cells of a CSV file.

    Parameters
    ----------
    name : str
        The table it is to become.
    path : pathlib.Path
    said : TableMapping
        Encoding, delimiter and row of the heading, where a mapping file says them.
    marks : iterable of str
        What stands for a missing value in every table.
    guess : bool
        Whether a delimiter that nothing names may be taken from the heading.

    Returns
    -------
    Raw
        Rows of another number of cells than the heading has are problems, and left out.

    Raises
    ------
    ValueError
        If it is no CSV file, or its text cannot be decoded.
    """
    text = read_text(path, said)
    heading = _read_heading(name, path, text, said, guess=guess)
    raw = Raw(name, str(path), pd.DataFrame())
    if text.repair:
        raw.repaired(text.repair, 1)
    delimiter = said.delimiter or (_guess_delimiter(heading) if guess else ",")
    if said.delimiter is None and delimiter != ",":
        heading = next(csv.reader(io.StringIO(heading[0]), delimiter=delimiter))
    refuse_values_as_headings(path, name, heading, said)
    types, theirs = _choose_types(name, heading, said, bool(marks)), heading
    heading = [cell.strip() for cell in heading]
    try:
        if text.has_blank_lines:
            raise pa.ArrowInvalid  # the careful way counts them
        raw.frame = _parse(text, types, said, delimiter, len(heading))
    except (pa.ArrowInvalid, UnicodeDecodeError):
        # Something is not of its column's kind. As text, the table's check finds the row.
        _parse_carefully(raw, path, text, theirs, said, delimiter)
    raw.frame.columns = heading
    if text.n_quotes % 2:
        _refuse_unclosed(path, text, delimiter, said.heading_row + text.n_leading)
    drop_empty(raw)
    drop_totals(raw)
    return raw


def read_headings(name: str, path: Path, text: Text, said: TableMapping) -> list[str]:
    """Return the cells of a CSV file's heading line, blanks and all."""
    return _read_heading(name, path, text, said, guess=False)


def _read_heading(
    name: str, path: Path, text: Text, said: TableMapping, *, guess: bool
) -> list[str]:
    rows = _read_cells(text, said.delimiter or ",", said.heading_row - 1)
    heading = next(filter(None, rows), None)
    if heading is None:
        raise ValueError(say("csv_no_heading", path=path, table=name))
    heading = [_decode(path, 0, cell, cell) for cell in heading]
    if len(heading) == 1 and not guess and (found := re.search("[;\t|]", heading[0])):
        raise ValueError(say("csv_delimiter", path=path, found=repr(found[0])))
    return heading


def _guess_delimiter(heading: list[str]) -> str:
    found = re.search("[;\t|]", heading[0]) if len(heading) == 1 else None
    return found[0] if found else ","


def _read_cells(text: Text, delimiter: str, n_before: int):
    """Yield the cells of each line, none of a blank one, every byte as one character."""
    with text.open() as stream:
        lines = io.TextIOWrapper(stream, encoding="latin-1", newline="")
        if lines.read(3) != "\xef\xbb\xbf":
            lines.seek(0)
        for _ in range(n_before):
            lines.readline()
        csv.field_size_limit(2**31 - 1)
        yield from csv.reader(lines, delimiter=delimiter)


def _decode(path: Path, row: int, column: str, cell: str) -> str:
    try:
        return cell.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        named = {"row": row, "column": repr(column)}
        where = say("row_and_column", **named) if row else say("heading_line")
        raise ValueError(say("csv_not_utf8", path=path, where=where)) from None


def _choose_types(
    name: str, heading: list[str], said: TableMapping, as_text: bool
) -> dict[str, pa.DataType]:
    """Return the type to read each column as; text where a mapping says how values are written."""
    kinds = {column.name: column.kind for column in TABLES[name].columns} if name else {}
    targets = {spec.from_: target for target, spec in said.specs.items()}
    types = {}
    for column in heading:
        target = targets.get(column.strip(), column.strip())
        spec = said.specs.get(target)
        written = (spec or said).model_dump(include={"dates", "decimal", "thousands", "missing"})
        plain = as_text or any(written.values()) or bool(spec and spec.model_dump()["values"])
        types[column] = pa.string() if plain else _ARROW_TYPES[kinds.get(target, "text")]
        if name in WITH_MORE_NUMBERS and target not in kinds and not plain:
            del types[column]
    return types


def _parse(
    text: Text, types: Mapping[str, pa.DataType], said: TableMapping, delimiter: str, n: int, **how
) -> pd.DataFrame:
    # In one block, a column whose type is not given is judged by all of its cells.
    block_size = min(max(1 << 20, text.size + 1), 2**31 - 1)
    handler = how.get("handler")
    options = {"use_threads": handler is None, "skip_rows": said.heading_row - 1 or text.n_leading}
    if len(types) < n:
        options["block_size"] = block_size
    with text.open() as stream:
        table = pa.csv.read_csv(
            stream,
            read_options=pa.csv.ReadOptions(**options),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=handler is None,
                invalid_row_handler=handler,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    if any(
        pa.types.is_floating(cells.type) and pc.any(pc.is_nan(cells)).as_py() for cells in table
    ):
        raise pa.ArrowInvalid  # a text, which a mapping may call missing, and no number
    return table.to_pandas()


def _parse_carefully(
    raw: Raw, path: Path, text: Text, heading: list[str], said: TableMapping, delimiter: str
) -> None:
    """Read every cell as text, and note the lines that are blank or of another shape."""
    blank, ragged = [], []
    n_before = said.heading_row - 1 or text.n_leading

    def note(line):
        row = line.number - 2 - n_before
        if line.text.strip():
            ragged.append((row, line.actual_columns, line.text))
        else:
            blank.append(row)
        return "skip"

    types = dict.fromkeys(heading, pa.string())
    try:
        raw.frame = _parse(text, types, said, delimiter, len(types), handler=note)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        _refuse_misread(path, text, heading, said, delimiter)
        raise ValueError(say("csv_damaged", path=path, error=error)) from None
    skipped = [*blank, *(row for row, *_ in ragged)]
    if skipped:
        raw.numbers = np.delete(np.arange(len(raw.frame) + len(skipped)), skipped)
    raw.leave_out(say("lines_of_blanks"), len(blank))
    if not ragged:
        return
    rows = np.array([row for row, *_ in ragged])
    found = say("ragged_found", n=ragged[0][1])
    expected = say("ragged_expected", n=len(heading))
    cure = say("ragged_cure")
    values = tuple(line for *_, line in ragged)
    raw.problems.append(Problem(raw.table, "", found, expected, cure, rows, values).at(str(path)))


def _refuse_misread(
    path: Path, text: Text, heading: list[str], said: TableMapping, delimiter: str
) -> None:
    rows = _read_cells(text, delimiter, said.heading_row - 1)
    next(filter(None, rows))
    for row, cells in enumerate(rows, start=1):
        for column, cell in zip(heading, cells, strict=False):
            _decode(path, row, column, cell)


def _refuse_unclosed(path: Path, text: Text, delimiter: str, n_before: int) -> None:
    """Refuse a quotation mark that swallows the rest of the file."""
    n_rows, start = 1 - n_before, ""
    with text.open() as stream:
        lines = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        try:
            for cells in csv.reader(lines, delimiter=delimiter, strict=True):
                n_rows += 1
                start = cells[0] if cells else start
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise ValueError(
                    say("csv_unclosed", path=path, row=n_rows, start=repr(start))
                ) from None
