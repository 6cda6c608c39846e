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
import pyarrow.csv

from crmlab.data.columns import TABLES
from crmlab.data.loaders.raw import Raw, drop_empty
from crmlab.data.loaders.source import SIGNATURES, recognise
from crmlab.data.mapping import TableMapping
from crmlab.data.problems import Problem

__all__ = ["WITH_MORE_NUMBERS", "read_csv", "read_text"]

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
_CHUNK = 1 << 22
_LONGEST_HEADING = 1 << 20
_SPELT = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "gb18030": "GBK"}


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
    raw.repaired(*text.repair)
    delimiter = said.delimiter or (_guess_delimiter(heading) if guess else ",")
    if said.delimiter is None and delimiter != ",":
        heading = next(csv.reader(io.StringIO(heading[0]), delimiter=delimiter))
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
    return raw


class Text:
    """A file's bytes in UTF-8: where they lie, and what a first look at all of them tells."""

    def __init__(self, path: Path, data: bytes | None, repair: tuple[str, str, int]):
        self.path, self.data, self.repair = path, data, repair
        self.n_quotes, self.has_blank_lines, self.n_leading = 0, False, 0

    def open(self):
        """Return a binary stream from the start of the text."""
        return io.BytesIO(self.data) if self.data is not None else self.path.open("rb")

    @property
    def size(self) -> int:
        return len(self.data) if self.data is not None else self.path.stat().st_size


def read_text(path: Path, said: TableMapping) -> Text:
    """Return a file's text in UTF-8; refuse what is no text at all, after as few bytes as possible.

    Raises
    ------
    ValueError
        If it is empty, of another kind, holds a NUL, has no line, or cannot be decoded.
    """
    _refuse_other_kinds(path)
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADING)
    encoding, repair = said.encoding, ("", "", 0)
    if encoding is None:
        encoding = _find_encoding(head)
        if encoding not in ("utf-8", ""):
            spelt = _SPELT[encoding]
            repair = (f"read as {spelt}", f"按 {spelt} 编码读取", 1)
            if encoding == "utf-8-sig":
                repair = ("byte order mark skipped", "跳过字节顺序标记（BOM）", 1)
    if encoding in ("utf-8", "utf-8-sig", ""):
        text = Text(path, None, repair)
        _scan(path, text)
        if encoding or not _find_late_bytes(path):
            return text
        encoding = _find_chinese(path)
        if not encoding:
            return text  # the reader names row and column
        repair = ("read as GBK", "按 GBK 编码读取", 1)
    try:
        data = path.read_bytes().decode(encoding).removeprefix("\ufeff").encode()
    except (UnicodeDecodeError, LookupError):
        raise ValueError(
            f"{path}: the text is not in {encoding} throughout. Name its encoding in mapping.yaml, "
            "or save the file again as “CSV UTF-8”."
        ) from None
    text = Text(path, data, repair)
    _scan(path, text)
    return text


def _refuse_other_kinds(path: Path) -> None:
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty; expected a heading line with columns.")
    kind = recognise(path)
    if kind == "html":
        raise ValueError(
            f"{path}: this is a web page under the name of a CSV file. Open it in a spreadsheet "
            "program and save it as CSV or .xlsx."
        )
    if kind == "duckdb" or kind in {k for k, _ in SIGNATURES.values()}:
        words = dict(SIGNATURES.values()).get(kind, "a DuckDB database")
        raise ValueError(
            f"{path}: this is {words} under the name of a CSV file. Give it the name of what it is "
            "(.parquet, .xlsx, .duckdb, .sqlite), or unpack it."
        )


def _find_encoding(head: bytes) -> str:
    """Return the encoding that the first bytes tell; nothing where later ones must decide."""
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    first = head[:4096]
    high, low = first[1::2].count(0), first[0::2].count(0)
    # Every second byte of a text in Western letters is 0, and hardly any of the others.
    return "utf-16-le" if high > 0.4 * len(first[1::2]) and low < 0.1 * high else ""


def _scan(path: Path, text: Text) -> None:
    """Look at every byte once: no NUL may be there; quotation marks and blank lines are counted."""
    seen, tail, has_line = 0, b"", False
    with text.open() as file:
        while chunk := file.read(_CHUNK if has_line else _LONGEST_HEADING):
            nul = chunk.find(b"\0")
            if nul >= 0:
                raise ValueError(_say_nul(path, chunk[:nul], seen, has_line))
            if not has_line and len(chunk) == _LONGEST_HEADING and not re.search(b"[\r\n]", chunk):
                raise ValueError(
                    f"{path}: no line ends within the first {_LONGEST_HEADING:,} bytes; expected a "
                    "heading line. This is no CSV file, or a damaged one."
                )
            if not seen:
                leading = re.match(rb"(?:\xef\xbb\xbf)?((?:\r?\n)*)", chunk)[1]
                text.n_leading = leading.count(b"\n")
                text.has_blank_lines = text.n_leading > 0
            has_line = True
            text.n_quotes += chunk.count(b'"')
            joined = tail + chunk
            if not text.has_blank_lines:
                text.has_blank_lines = bool(re.search(rb"\n\r?\n|\r\r", joined))
            tail = chunk[-2:]
            seen += len(chunk)


def _say_nul(path: Path, before: bytes, seen: int, has_line: bool) -> str:
    cure = "This is no CSV file, or a damaged one: export it again."
    if seen or has_line:
        return f"{path}: byte {seen + len(before) + 1:,} is a NUL character. {cure}"
    lines = before.split(b"\n")
    row = len(lines) - 1
    cells = lines[-1].count(b",") + 1
    where = f"row {row}, column {cells}" if row else f"heading line, column {cells}"
    return f"{path}: {where}: the cell holds a NUL character. {cure}"


def _find_late_bytes(path: Path) -> bool:
    """Return whether the file is not UTF-8 throughout."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return True
    return False


def _find_chinese(path: Path) -> str:
    """Return gb18030 where the bytes make common Chinese text; nothing where they do not.

    Western texts in Latin-1 often decode as well, but into rare characters: nine in ten must be
    of the common set GB 2312.
    """
    data = path.read_bytes()
    try:
        letters = [letter for letter in data.decode("gb18030") if letter > "\x7f"]
    except UnicodeDecodeError:
        return ""
    common = sum(_is_common(letter) for letter in set(letters))
    return "gb18030" if common >= 0.9 * len(set(letters)) else ""


def _is_common(letter: str) -> bool:
    try:
        letter.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _read_heading(
    name: str, path: Path, text: Text, said: TableMapping, *, guess: bool
) -> list[str]:
    rows = _read_cells(text, said.delimiter or ",", said.heading_row - 1)
    heading = next(filter(None, rows), None)
    if heading is None:
        columns = f" with the columns of {name}" if name else ""
        raise ValueError(f"{path}: the file is empty; expected a heading line{columns}.")
    heading = [_decode(path, 0, cell, cell) for cell in heading]
    if len(heading) == 1 and not guess and (found := re.search("[;\t|]", heading[0])):
        raise ValueError(
            f"{path}: the columns are set apart by {found[0]!r}; expected commas. Save the file "
            f"again as CSV with commas, or say `delimiter: {found[0]!r}` in mapping.yaml."
        )
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
        where = f"row {row}, column {column!r}" if row else "heading line"
        raise ValueError(
            f"{path}: {where}: the text is not in UTF-8. Save the file again with that encoding "
            "(in Excel: “CSV UTF-8”), or name the one it has in mapping.yaml (encoding: cp1252)."
        ) from None


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
        raise ValueError(f"{path}: not a CSV file that can be read ({error}).") from None
    skipped = [*blank, *(row for row, *_ in ragged)]
    if skipped:
        raw.numbers = np.delete(np.arange(len(raw.frame) + len(skipped)), skipped)
    if blank:
        raw.left_out.append((raw.table, "lines of blanks", "只有空格的行", len(blank)))
    if not ragged:
        return
    rows = np.array([row for row, *_ in ragged])
    found = f"has {ragged[0][1]} cells"
    expected = f"{len(heading)}, as the heading line has"
    cure = "Correct the row; a comma inside a text needs quotes around the text."
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
                    f"{path}: row {n_rows}: a quotation mark is opened and never closed; it "
                    f"swallows the rest of the file. Close it (the row before starts with "
                    f"{start!r})."
                ) from None
