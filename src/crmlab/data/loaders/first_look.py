"""The first rows of a file, sheet or database table, read without a mapping file.

Who asks: the proposal of a mapping, which must see a heading before it can name its columns.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pandas as pd

from crmlab.atlas.sentences import Message, say
from crmlab.data.loaders.matching import find_heading
from crmlab.data.loaders.places import Place
from crmlab.data.loaders.source import Source
from crmlab.data.mapping import TableMapping

__all__ = ["look"]

_SAMPLE_ROWS = 20_000
_SAMPLE_BYTES = 2 << 20


def look(place: Place, source: Source, notes: list[Message]) -> tuple[pd.DataFrame, dict]:
    """Return the first rows of a place as it is read, and what had to be said to read them.

    Parameters
    ----------
    place : Place
    source : Source
    notes : list of Message
        Grows where an encoding is a guess.
    """
    if place.kind == "csv":
        return _look_at_csv(place.path, notes)
    if place.kind == "parquet":
        from crmlab.data.loaders.parquet import read_sample

        return read_sample(place.path, _SAMPLE_ROWS), {}
    if place.kind == "workbook":
        return _look_at_sheet(place)
    from crmlab.data.loaders.database import open_database

    with open_database(source) as database:
        return database.read(place.part, _SAMPLE_ROWS), {}


def _look_at_csv(path: Path, notes: list[Message]) -> tuple[pd.DataFrame, dict]:
    from crmlab.data.loaders.delimited import read_text

    text = read_text(path, TableMapping())
    with text.open() as stream:
        data = stream.read(_SAMPLE_BYTES)
    if len(data) == _SAMPLE_BYTES:
        data = data[: data.rfind(b"\n") + 1]
    said: dict = {}
    try:
        sample = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        said["encoding"] = "cp1252"
        sample = data.decode("cp1252", "replace")
        words = tuple(dict.fromkeys(re.findall(r"\w*[^\W\x00-\x7f]\w*", sample)))[:3]
        notes.append(say("note_encoding", path=path.name, words=words))
    first = next((line for line in sample.splitlines() if line.strip()), "")
    delimiter = max(",;\t|", key=first.count)
    if delimiter != ",":
        said["delimiter"] = delimiter
    rows = [
        cells for cells in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if cells
    ]
    return _tabulate(rows, said)


def _look_at_sheet(place: Place) -> tuple[pd.DataFrame, dict]:
    from crmlab.data.loaders.workbook import read_rows, tabulate

    rows = read_rows(place.path, place.part, _SAMPLE_ROWS)
    if not rows:
        raise ValueError(
            say("sheet_empty", place=say("sheet_of", path=place.path, sheet=repr(place.part)))
        )
    heading = find_heading([[str(cell) for cell in row] for row in rows[:10]])
    said = {"heading_row": heading + 1} if heading else {}
    return tabulate([str(cell).strip() for cell in rows[heading]], rows[heading + 1 :]), said


def _tabulate(rows: list[list[str]], said: dict) -> tuple[pd.DataFrame, dict]:
    if not rows:
        return pd.DataFrame(), said
    heading = find_heading(rows[:10])
    if heading:
        said["heading_row"] = heading + 1
    names = [name.strip() for name in rows[heading]]
    whole = [row for row in rows[heading + 1 :] if len(row) == len(names)]
    frame = pd.DataFrame(whole, columns=range(len(names)), dtype="str")
    frame = frame.where(frame != "")
    frame.columns = names
    return frame, said
