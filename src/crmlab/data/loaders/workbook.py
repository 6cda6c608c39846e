"""Excel workbooks (.xlsx): a sheet is a table.

Who asks: whoever keeps customers in a spreadsheet. What is read is the value that Excel saved in a
cell: of a formula its last result, of a day the day, of a number the number without its format.
Cells that show an error (#N/A), formulas whose result was never computed and merged cells hold no
value of their own: they are told with row and column, never taken for empty. Zeros in front of an
identifier are lost where the cell holds a number.
"""

from __future__ import annotations

import re
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.data.loaders.raw import Raw, drop_empty
from crmlab.data.loaders.source import recognise
from crmlab.data.mapping import TableMapping
from crmlab.data.problems import Problem

__all__ = ["list_sheets", "read_rows", "read_sheet", "tabulate"]

_LARGEST = 4 << 30  # bytes a workbook may unpack to: a million rows are a quarter of this
_MOST_DIGITS = 10**15  # Excel keeps 15 digits and writes zeros for the rest
_BAD_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})(\d+)"[^>]*?(?:t="e"[^>]*>.{0,400}?<v>([^<]*)</v>'
    rb"|>\s*<f[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>)",
    re.DOTALL,
)


def list_sheets(path: Path) -> list[str]:
    """Return the names of a workbook's sheets.

    Raises
    ------
    ValueError
        If it is no workbook that can be read.
    """
    with _open(path) as workbook:
        return list(workbook.sheet_names)


def read_rows(path: Path, sheet: str, n_rows: int) -> list[list]:
    """Return the first rows of a sheet, whatever they hold."""
    with _open(path) as workbook:
        page = workbook.get_sheet_by_name(sheet)
        return page.to_python(skip_empty_area=False, nrows=n_rows)


def read_sheet(name: str, path: Path, said: TableMapping, sheet: str) -> Raw:
    """Return the cells of a sheet.

    Parameters
    ----------
    name : str
        The table it is to become.
    path : pathlib.Path
    said : TableMapping
        The row of the heading.
    sheet : str

    Returns
    -------
    Raw
        Whole numbers as integers, days as days; an empty cell is a missing value.

    Raises
    ------
    ValueError
        If there is no such sheet or row, or the heading is merged.
    """
    with _open(path) as workbook:
        if sheet not in workbook.sheet_names:
            raise ValueError(
                f"{path}: no sheet is called {sheet!r}; there are "
                f"{', '.join(map(repr, workbook.sheet_names))}. Name one of them in mapping.yaml."
            )
        page = workbook.get_sheet_by_name(sheet)
        skip = said.heading_row - 1
        rows = page.to_python(skip_empty_area=False)
        merged = page.merged_cell_ranges or []
    place = f"{path}, sheet {sheet!r}"
    if len(rows) <= skip or not any(cell != "" for cell in rows[skip]):
        raise ValueError(
            f"{place}: row {skip + 1} of the sheet holds no heading; expected columns there. Say "
            "`heading_row` in mapping.yaml, or take the sheet out."
        )
    _refuse_merged_heading(place, merged, skip)
    heading = [str(cell).strip() for cell in rows[skip]]
    raw = Raw(name, place, tabulate(heading, rows[skip + 1 :]))
    raw.problems += _find_bad_cells(path, sheet, raw, skip + 1)
    raw.problems += _find_merged_cells(raw, merged, skip)
    _look_at_identifiers(raw)
    drop_empty(raw)
    return raw


def _open(path: Path):
    import python_calamine

    kind = recognise(path)
    if kind == "ole":
        encrypted = "EncryptedPackage".encode("utf-16-le") in path.read_bytes()[:65536]
        what = "protected by a password" if encrypted else "in the old format .xls"
        cure = "Save it without one" if encrypted else "Save it as .xlsx"
        raise ValueError(f"{path}: the workbook is {what}. {cure} in Excel, WPS or LibreOffice.")
    cure = "Open it in Excel, WPS or LibreOffice and save it as .xlsx."
    if kind != "zip":
        found = "it is empty" if not path.stat().st_size else "it does not begin like one"
        raise ValueError(f"{path}: not an Excel workbook that can be read ({found}). {cure}")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _LARGEST:
                raise ValueError(
                    f"{path}: the workbook unpacks to more than {_LARGEST >> 30} GB; it "
                    "is no table of customers. Export the sheet as CSV."
                )
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
    except (zipfile.BadZipFile, python_calamine.CalamineError, OSError) as error:
        raise ValueError(
            f"{path}: not an Excel workbook that can be read ({error}). {cure}"
        ) from None
    if not workbook.sheet_names:
        raise ValueError(f"{path}: the workbook has no sheet. {cure}")
    return workbook


def _refuse_merged_heading(place: str, merged: list, skip: int) -> None:
    for (top, left), (bottom, right) in merged:
        if top <= skip <= bottom and right > left:
            cells = f"{_letters(left)}{top + 1}:{_letters(right)}{bottom + 1}"
            raise ValueError(
                f"{place}: the heading's cells {cells} are merged, so that columns "
                f"{_letters(left + 1)} to {_letters(right)} have no heading. Part them, or say in "
                "mapping.yaml in which row each column has one (heading_row)."
            )


def tabulate(heading: list[str], rows: list[list]) -> pd.DataFrame:
    """Return rows of cells as a table, each column in the one type its cells share."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(heading)
    frame = pd.DataFrame({i: _column(cells) for i, cells in enumerate(columns)})
    frame.columns = heading
    return frame


def _column(cells: tuple) -> pd.Series:
    """Return the cells in the one type they share, or as they are where they share none."""
    kinds = {type(cell) for cell in cells if cell != ""}
    if kinds <= {float, int}:
        values = pd.Series([np.nan if cell == "" else cell for cell in cells], dtype="float64")
        whole = values.dropna()
        if ((whole == whole.round()) & (whole.abs() <= 2**53)).all():
            return values.astype("Int64" if values.isna().any() else "int64")
        return values
    plain = [
        None if cell == "" else int(cell) if isinstance(cell, float) and cell.is_integer() else cell
        for cell in cells
    ]
    if kinds == {str}:
        return pd.Series(plain, dtype="str")
    if str in kinds or (bool in kinds and len(kinds) > 1):
        return pd.Series([None if c is None else str(c) for c in plain], dtype="str")
    if {kind.__name__ for kind in kinds} <= {"date", "datetime"}:
        return pd.to_datetime(pd.Series(plain, dtype="object")).astype("datetime64[us]")
    return pd.Series(plain, dtype="object").infer_objects()


def _look_at_identifiers(raw: Raw) -> None:
    for position, column in enumerate(raw.frame.columns):
        values = raw.frame.iloc[:, position]
        if not column.endswith("_id") or not pd.api.types.is_numeric_dtype(values.dtype):
            continue
        en = f"{column}: identifiers stored as numbers made text; zeros in front, if any, are lost"
        zh = f"{column}：按数值存储的编号转为文本；前导零（如有）已丢失"
        raw.repaired(en, zh, values.notna().sum())
        bad = np.flatnonzero((values.abs() >= _MOST_DIGITS).fillna(False).to_numpy(dtype=bool))
        if len(bad):
            raw.problems.append(
                Problem(
                    raw.table,
                    column,
                    f"the identifier {values.iloc[bad[0]]:.0f} is stored as a number of more than "
                    "15 digits, of which Excel has lost the last",
                    "the identifier as text",
                    "Format the column as text before the identifiers are entered.",
                    bad,
                    tuple(values.iloc[bad]),
                ).at(raw.place)
            )


def _find_bad_cells(path: Path, sheet: str, raw: Raw, heading_row: int):
    """Return the cells that show an error, and the formulas without a result."""
    found: dict[tuple[str, str], list[int]] = {}
    for column, row, value in _scan_cells(path, sheet, path.stat().st_mtime_ns):
        position = _number(column)
        if row > heading_row and position < raw.frame.shape[1]:
            found.setdefault((raw.frame.columns[position], value), []).append(row - heading_row - 1)
    for (column, value), rows in found.items():
        what = f"the cell shows the error {value}" if value else "the formula has no saved result"
        cure = (
            "Correct the formula or the value in the workbook."
            if value
            else "Open the workbook in Excel, WPS or LibreOffice, which computes it, and save."
        )
        rows = np.array(rows)
        problem = Problem(raw.table, column, what, "a value", cure, rows, (value,) * len(rows))
        yield problem.at(raw.place)


@cache
def _scan_cells(path: Path, sheet: str, _changed: int) -> tuple[tuple[str, int, str], ...]:
    """Return column, row and error of cells whose value the reader cannot tell from nothing."""
    with zipfile.ZipFile(path) as archive:
        member = _find_member(archive, sheet)
        if member is None:
            return ()
        cells, tail = [], b""
        with archive.open(member) as xml:
            while chunk := xml.read(1 << 22):
                text = tail + chunk
                end = text.rfind(b"<c ") if len(chunk) == 1 << 22 else len(text)
                text, tail = text[:end], text[end:]
                if b't="e"' in text or b"<f" in text:
                    cells += [
                        (m[1].decode(), int(m[2]), (m[3] or b"").decode("utf-8", "replace"))
                        for m in _BAD_CELL.finditer(text)
                    ]
    return tuple(cells)


def _find_member(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the archive's member that holds a sheet."""
    import html

    names = archive.namelist()
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return None
    book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    for tag in re.findall(r"<sheet\b[^>]*>", book):
        said = dict(re.findall(r'([\w:]+)="([^"]*)"', tag))
        if html.unescape(said.get("name", "")) != sheet:
            continue
        for relation in re.findall(r"<Relationship\b[^>]*>", relations):
            about = dict(re.findall(r'(\w+)="([^"]*)"', relation))
            if about.get("Id") == said.get("r:id"):
                target = about["Target"].lstrip("/")
                member = target if target.startswith("xl/") else f"xl/{target}"
                return member if member in names else None
    return None


def _find_merged_cells(raw: Raw, merged: list, skip: int):
    for (top, left), (bottom, right) in merged:
        if bottom > skip and left < raw.frame.shape[1]:
            cells = f"{_letters(left)}{top + 1}:{_letters(right)}{bottom + 1}"
            rows = np.arange(max(top, skip + 1), bottom + 1) - skip - 1
            found = f"the cells {cells} are merged, and only the first of them holds the value"
            cure = "Part them and write the value into each."
            column = raw.frame.columns[left]
            yield Problem(raw.table, column, found, "", cure, rows).at(raw.place)


def _letters(position: int) -> str:
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
