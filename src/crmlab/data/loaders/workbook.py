"""Excel workbooks (.xlsx, and the old .xls): a sheet is a table.

Who asks: whoever keeps customers in a spreadsheet. What is read is the value that Excel saved in a
cell: of a formula its last result, of a day the day, of a number the number without its format.
Cells that show an error (#N/A), formulas whose result was never computed and merged cells hold no
value of their own: they are told with row and column, never taken for empty. Zeros in front of an
identifier are lost where the cell holds a number.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import Message, say
from crmlab.data.loaders.bad_cells import find_bad_cells
from crmlab.data.loaders.raw import Raw, drop_empty, drop_totals, refuse_values_as_headings
from crmlab.data.loaders.source import recognise
from crmlab.data.loaders.translate import plain_name
from crmlab.data.mapping import TableMapping
from crmlab.data.problems import Problem

__all__ = ["list_sheets", "read_rows", "read_sheet", "tabulate"]

_LARGEST = 4 << 30  # bytes a workbook may unpack to: a million rows are a quarter of this
_MOST_DIGITS = 10**15  # Excel keeps 15 digits and writes zeros for the rest


def list_sheets(path: Path, *, only_visible: bool = False) -> list[str]:
    """Return the names of a workbook's sheets.

    Raises
    ------
    ValueError
        If it is no workbook that can be read.
    """
    from python_calamine import SheetVisibleEnum

    with _open(path) as workbook:
        return [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible or not only_visible
        ]


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
            sheets = tuple(map(repr, workbook.sheet_names))
            raise ValueError(say("no_sheet", path=path, sheet=repr(sheet), sheets=sheets))
        page = workbook.get_sheet_by_name(sheet)
        skip = said.heading_row - 1
        rows = page.to_python(skip_empty_area=False)
        merged = page.merged_cell_ranges or []
    place = say("sheet_of", path=path, sheet=repr(sheet))
    if len(rows) <= skip or not any(cell != "" for cell in rows[skip]):
        raise ValueError(say("sheet_no_heading", place=place, row=skip + 1))
    _refuse_merged_heading(place, merged, skip)
    heading = [str(cell).strip() for cell in rows[skip]]
    refuse_values_as_headings(place, name, heading, said)
    raw = Raw(name, place, tabulate(heading, rows[skip + 1 :]))
    raw.problems += find_bad_cells(path, sheet, raw, skip + 1)
    raw.problems += _find_merged_cells(raw, merged, skip)
    _look_at_identifiers(raw, said)
    drop_empty(raw)
    drop_totals(raw)
    return raw


def _open(path: Path):
    import python_calamine

    kind = recognise(path)
    if kind == "ole" and "EncryptedPackage".encode("utf-16-le") in path.read_bytes()[:65536]:
        raise ValueError(say("book_encrypted", path=path))
    if kind not in ("zip", "ole"):
        raise ValueError(_say_other(path, kind))
    try:
        if kind == "zip":
            with zipfile.ZipFile(path) as archive:
                if sum(member.file_size for member in archive.infolist()) > _LARGEST:
                    raise ValueError(say("book_too_large", path=path, n=_LARGEST >> 30))
        with path.open("rb") as file:  # told by its bytes, whatever it is called
            workbook = python_calamine.CalamineWorkbook.from_filelike(file)
    except python_calamine.PasswordError:
        raise ValueError(say("book_encrypted", path=path)) from None
    except (zipfile.BadZipFile, python_calamine.CalamineError, OSError) as error:
        raise ValueError(say("book_damaged", path=path, error=error)) from None
    if not workbook.sheet_names:
        raise ValueError(say("book_no_sheet", path=path))
    return workbook


def _say_other(path: Path, kind: str) -> Message:
    """Say what a file is that is called a workbook and is none."""
    if kind == "html":
        return say("book_web_page", path=path)
    with path.open("rb") as file:
        head = file.read(4096)
    if head and not kind and b"\0" not in head and re.search(rb"[\t,;][^\r\n]*[\r\n]", head):
        return say("book_text", path=path)
    return say("book_damaged", path=path, error=say("book_other" if head else "book_empty"))


def _refuse_merged_heading(place: Message, merged: list, skip: int) -> None:
    for (top, left), (bottom, right) in merged:
        if top <= skip <= bottom and right > left:
            cells = f"{_letters(left)}{top + 1}:{_letters(right)}{bottom + 1}"
            ends = {"first": _letters(left + 1), "last": _letters(right)}
            raise ValueError(say("merged_heading", place=place, cells=cells, **ends))


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


def _look_at_identifiers(raw: Raw, said: TableMapping) -> None:
    ours = {spec.from_: name for name, spec in said.specs.items()}
    for position, heading in enumerate(raw.frame.columns):
        values = raw.frame.iloc[:, position]
        column = ours.get(heading, plain_name(heading))
        if not column.endswith("_id") or not pd.api.types.is_numeric_dtype(values.dtype):
            continue
        raw.repaired(say("repair_number_ids", column=column), values.notna().sum())
        bad = np.flatnonzero((values.abs() >= _MOST_DIGITS).fillna(False).to_numpy(dtype=bool))
        if len(bad):
            raw.problems.append(
                Problem(
                    raw.table,
                    column,
                    say("id_too_long", value=f"{values.iloc[bad[0]]:.0f}"),
                    say("id_as_text"),
                    say("format_as_text"),
                    bad,
                    tuple(values.iloc[bad]),
                ).at(raw.place)
            )


def _find_merged_cells(raw: Raw, merged: list, skip: int):
    for (top, left), (bottom, right) in merged:
        if bottom > skip and left < raw.frame.shape[1]:
            cells = f"{_letters(left)}{top + 1}:{_letters(right)}{bottom + 1}"
            rows = np.arange(max(top, skip + 1), bottom + 1) - skip - 1
            found, cure = say("merged_cells", cells=cells), say("part_cells")
            column = raw.frame.columns[left]
            yield Problem(raw.table, column, found, "", cure, rows).at(raw.place)


def _letters(position: int) -> str:
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
