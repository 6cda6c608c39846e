"""Cells of a workbook that their reader cannot tell from empty ones: errors, formulas unsolved.

Who asks: the reader of workbooks, which would take them for empty cells.
"""

from __future__ import annotations

import io
import re
import zipfile
from functools import cache
from pathlib import Path

import numpy as np

from crmlab.atlas.sentences import say
from crmlab.data.loaders.raw import Raw
from crmlab.data.loaders.source import recognise
from crmlab.data.problems import Problem

__all__ = ["find_bad_cells"]

_BAD_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})(\d+)"[^>]*?(?:t="e"[^>]*>.{0,400}?<v>([^<]*)</v>'
    rb"|>\s*<f[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>)",
    re.DOTALL,
)


def find_bad_cells(path: Path, sheet: str, raw: Raw, heading_row: int):
    """Yield the cells that show an error, and the formulas without a result.

    Parameters
    ----------
    path : pathlib.Path
    sheet : str
    raw : Raw
        The cells as they were read.
    heading_row : int
        The heading's row in the sheet, the first being 1.
    """
    found: dict[tuple[str, str], list[int]] = {}
    scan = _scan_old_cells if recognise(path) == "ole" else _scan_cells
    for position, row, value in scan(path, sheet, path.stat().st_mtime_ns):
        if row > heading_row and position < raw.frame.shape[1]:
            found.setdefault((raw.frame.columns[position], value), []).append(row - heading_row - 1)
    for (column, value), rows in found.items():
        found = say("error_cell", value=value) if value else say("formula_without_result")
        cure = say("correct_formula" if value else "compute_formula")
        rows = np.array(rows)
        values = (value,) * len(rows)
        problem = Problem(raw.table, column, found, say("a_value"), cure, rows, values)
        yield problem.at(raw.place)


@cache
def _scan_cells(path: Path, sheet: str, _changed: int) -> tuple[tuple[int, int, str], ...]:
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
                        (
                            _number(m[1].decode()),
                            int(m[2]),
                            (m[3] or b"").decode("utf-8", "replace"),
                        )
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


@cache
def _scan_old_cells(path: Path, sheet: str, _changed: int) -> tuple[tuple[int, int, str], ...]:
    """Return column, row and error of cells of an .xls that show an error."""
    import xlrd

    with xlrd.open_workbook(path, on_demand=True, logfile=io.StringIO()) as book:
        page = book.sheet_by_name(sheet)
        return tuple(
            (column, row + 1, xlrd.error_text_from_code.get(page.cell_value(row, column), "#?"))
            for row in range(page.nrows)
            for column, kind in enumerate(page.row_types(row))
            if kind == xlrd.XL_CELL_ERROR
        )


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
