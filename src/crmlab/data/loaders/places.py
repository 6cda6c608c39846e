"""Which table lies where: files of a folder, sheets of a workbook, tables of a database.

Who asks: the loader, and ``crmlab data check``. A place is a table of ours where it is called like
one (``orders.csv``, a sheet ``orders``), or where a mapping file says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crmlab.atlas import find_nearest
from crmlab.atlas.sentences import Counted, Message, counted, near, say
from crmlab.data.columns import TABLES
from crmlab.data.loaders.source import BOOKS, MAPPING_NAME, READ, Source
from crmlab.data.mapping import Mapping

__all__ = ["Place", "count_others", "find_places", "list_places", "say_nothing_there"]

# Files that hold tables, too, but are not read.
_NOT_READ = (".ods", ".tsv", ".txt", ".pq", ".parq", ".json", ".zip", ".gz", ".feather")


# Letters in common: costumers are customers, notes are no items.
_MISSPELT = 0.75


@dataclass(frozen=True)
class Place:
    """A file, a sheet of a workbook, or a table of a database.

    `part` is the sheet's or the database table's name, empty for a file.
    """

    kind: str
    path: Path | None
    part: str = ""

    @property
    def name(self) -> str:
        """What a table of ours would have to be called."""
        return self.part or self.path.stem

    @property
    def said(self) -> Message | str:
        """The place as a message names it."""
        if self.kind == "workbook":
            return say("sheet_of", path=self.path.name, sheet=repr(self.part))
        return self.part or self.path.name

    def __str__(self) -> str:
        return str(self.said)


def list_places(source: Source) -> list[Place]:
    """Return everything in a source that may be a table.

    Raises
    ------
    ValueError
        If a file cannot be opened.
    """
    if source.kind == "file":
        return _parts(source.path)
    if source.kind != "folder":
        from crmlab.data.loaders.database import list_tables, open_database

        with open_database(source) as database:
            return [Place(source.kind, source.path, table) for table in list_tables(database)]
    places = []
    for path in _list_folder(source.path):
        if path.name.startswith((".", "~$")) or path.name == MAPPING_NAME:
            continue
        suffix, is_table = path.suffix.lower(), path.name.lower().partition(".")[0] in TABLES
        if suffix not in READ:
            if is_table and suffix in _NOT_READ:
                raise ValueError(say("kind_not_read", path=path, suffix=suffix))
            continue
        if path.is_symlink() and not path.exists():
            raise ValueError(say("broken_link", path=path, target=path.readlink()))
        if not path.is_file():
            if is_table:
                key = "folder_for_file" if path.is_dir() else "no_file_or_folder"
                raise ValueError(say(key, path=path))
            continue
        places += _parts(path)
    return places


def _list_folder(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise ValueError(say("cannot_open", path=folder, error=error.strerror)) from None


def say_nothing_there(source: Source) -> Message:
    """Say that a source has no file that is read; that its folders are not looked into."""
    is_folder = source.kind == "folder"
    folders = [p.name for p in _list_folder(source.path) if p.is_dir()] if is_folder else []
    folders = tuple(name for name in folders if not name.startswith((".", "__")))
    return say("only_folders", folders=folders) if folders else say("no_files")


def find_places(source: Source, mapping: Mapping) -> tuple[dict[str, Place], list[Place]]:
    """Return the place of each table, in the order of `TABLES`, and the places of none.

    Parameters
    ----------
    source : Source
    mapping : Mapping
        Its `from` and `sheet` go first.

    Raises
    ------
    ValueError
        If no place is a table, two are one table, or a name is nearly a table's.
    """
    places = list_places(source)
    found: dict[str, Place] = {}
    for table, said in mapping.tables.items():
        if said.from_ is None and said.sheet is None and any(p.name == table for p in places):
            continue
        if said.from_ is None and said.sheet is None and len(places) != 1:
            continue  # it says how the table is written where it is found by its name
        found[table] = _pick(source, places, table, said.from_, said.sheet)
    taken = set(found.values())
    for place in places:
        name = place.name.lower()
        if place in taken or name not in TABLES or (name in found and name in mapping.tables):
            continue
        if name in found:
            raise ValueError(
                say("two_places", source=source, one=found[name].said, other=place.said, table=name)
            )
        found[name] = place
    _take_single_sheets(places, found)
    others = [place for place in places if place not in found.values()]
    _refuse_nothing(source, found, others)
    if not mapping.tables:
        _refuse_misspelt(source, found, others)
    return {name: found[name] for name in TABLES if name in found}, others


def count_others(others: Iterable[Place], source: Source) -> Counted:
    """Return the places that are no table, with their numbers of rows."""
    return [
        counted(place.name, say("no_table_of_ours", place=place.said), _count_rows(place, source))
        for place in others
    ]


def _parts(path: Path) -> list[Place]:
    if path.suffix.lower() in BOOKS:
        from crmlab.data.loaders.workbook import list_sheets

        return [Place("workbook", path, sheet) for sheet in list_sheets(path)]
    kind = "parquet" if path.suffix.lower() == ".parquet" else "csv"
    return [Place(kind, path)]


def _take_single_sheets(places: list[Place], found: dict[str, Place]) -> None:
    """Take a workbook called like a table for it, where none of its sheets is called so."""
    books: dict[Path, list[Place]] = {}
    for place in places:
        if place.kind == "workbook":
            books.setdefault(place.path, []).append(place)
    for path, sheets in books.items():
        name = path.stem.lower()
        if name not in TABLES or any(sheet in found.values() for sheet in sheets):
            continue
        if name in found:
            one, other = found[name].said, path.name
            raise ValueError(
                say("two_places", source=path.parent, one=one, other=other, table=name)
            )
        if len(sheets) > 1:
            sheets = _visible(path, sheets) or sheets
        if len(sheets) > 1:
            listed = tuple(repr(sheet.part) for sheet in sheets)
            raise ValueError(say("which_sheet", path=path, sheets=listed, table=name))
        found[name] = sheets[0]


def _visible(path: Path, sheets: list[Place]) -> list[Place]:
    from crmlab.data.loaders.workbook import list_sheets

    shown = list_sheets(path, only_visible=True)
    return [sheet for sheet in sheets if sheet.part in shown]


def _pick(
    source: Source, places: list[Place], table: str, wanted: str | None, sheet: str | None
) -> Place:
    fit = [
        place
        for place in places
        if (wanted is None or wanted in (place.path and place.path.name, place.part))
        and (sheet is None or place.part == sheet)
    ]
    if len(fit) == 1:
        return fit[0]
    asked = tuple(repr(word) for word in (wanted, sheet) if word)
    if not fit:
        known = {place.path.name for place in places if place.path} | {p.part for p in places}
        close = near(str(sheet if wanted in known else wanted), known - {""})
        there = tuple(place.said for place in places) or say("no_tables")
        raise ValueError(
            say("place_gone", source=source, asked=asked, table=table, near=close, there=there)
        )
    several = tuple(place.said for place in fit)
    raise ValueError(say("place_unsure", source=source, asked=asked or table, places=several))


def _refuse_nothing(source: Source, found: dict[str, Place], others: list[Place]) -> None:
    if found:
        return
    there = tuple(place.said for place in others) or say_nothing_there(source)
    raise ValueError(say("no_table_found", source=source, there=there, tables=tuple(TABLES)))


def _refuse_misspelt(source: Source, found: dict[str, Place], others: list[Place]) -> None:
    for place in others:
        missing = sorted(set(TABLES) - set(found))
        if find_nearest(place.name.lower(), missing, likeness=_MISSPELT):
            where = say("placed", place=source, said=place.said)
            where = place.path if place.kind in ("csv", "parquet") else where
            close = near(place.name.lower(), missing)
            raise ValueError(
                say("misspelt", place=where, name=place.name, near=close, tables=tuple(TABLES))
            )


def _count_rows(place: Place, source: Source) -> int:
    """Return the number of rows of a place that is not read, a heading line not counted."""
    if place.kind == "csv":
        with place.path.open("rb") as lines:
            return max(0, sum(1 for line in lines if re.search(rb"\S", line)) - 1)
    if place.kind == "parquet":
        from crmlab.data.loaders.parquet import count_rows

        return count_rows(place.path)
    if place.kind == "workbook":
        import python_calamine

        with place.path.open("rb") as file:
            workbook = python_calamine.CalamineWorkbook.from_filelike(file)
        return max(0, workbook.get_sheet_by_name(place.part).total_height - 1)
    from crmlab.data.loaders.database import open_database

    with open_database(source) as database:
        return database.count(place.part)
