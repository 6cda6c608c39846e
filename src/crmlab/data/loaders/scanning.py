"""Which tables of a folder are left to an engine, and under which names it reads their columns.

Who asks: the loader, before it reads anything. A table can stay where it lies when its file is
plain (Parquet, or CSV in UTF-8) and what a mapping file says of it changes names and nothing else;
where values are written otherwise it is loaded.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from crmlab.atlas.sentences import Message, say
from crmlab.data.columns import ORDER, columns_of
from crmlab.data.layout import Layout
from crmlab.data.loaders.places import Place
from crmlab.data.loaders.raw import Raw
from crmlab.data.loaders.source import Source
from crmlab.data.loaders.text import Text, read_text
from crmlab.data.loaders.translate import name_columns
from crmlab.data.mapping import Mapping, TableMapping

__all__ = ["find_layouts"]

Scans = dict[str, tuple[Path, str, Layout]]


def find_layouts(
    source: Source,
    found: dict[str, Place],
    mapping: Mapping,
    engine: str | None,
    loaded: Collection[str] = (),
) -> tuple[Scans, list[Raw]]:
    """Return the tables that an engine reads where they lie.

    Parameters
    ----------
    source : Source
    found : dict of str to Place
    mapping : Mapping
    engine : str or None
        As the study says.
    loaded : collection of str
        Tables that are not to stay where they lie.

    Returns
    -------
    scans : dict of str to (path, engine, layout)
    raws : list of Raw
        Without rows: what was said of their headings.

    Raises
    ------
    ValueError
        If the engine cannot read the source, or a file is damaged.
    """
    from crmlab.data.scanned import find_scanned, is_large

    if engine not in (None, "pandas") and source.kind != "folder":
        raise ValueError(say("engine_folder", source=source, engine=repr(engine)))
    files = {
        table: place.path
        for table, place in found.items()
        if table not in loaded
        and place.kind in ("csv", "parquet")
        and _only_renames(mapping, table)
    }
    scans, raws = {}, []
    for table, name in find_scanned(files, engine).items():
        path, said = files[table], mapping.tables.get(table, TableMapping())
        text = None if _is_parquet(path) else read_text(path, TableMapping())
        if odd := _find_oddity(path, text):
            if engine is not None and is_large(path):
                raise ValueError(say("engine_text", path=path, odd=odd, engine=repr(engine)))
            continue
        raw = Raw(table, str(path), pd.DataFrame(columns=_read_headings(table, path, text, said)))
        if text is not None and text.repair:
            raw.repaired(text.repair, 1)
        layout = _lay_out(raw, said, has_quotes=text is not None and text.n_quotes > 0)
        if layout is None or not _can_be_read(path, layout, mapping):
            continue
        scans[table] = (path, name, layout)
        raws.append(raw)
    return scans, raws


def _only_renames(mapping: Mapping, table: str) -> bool:
    """Return whether a mapping says nothing of how a table's values are written."""
    said = mapping.tables.get(table)
    if mapping.missing:
        return False
    if said is None:
        return True
    if said.heading_row > 1 or (said.encoding or "utf-8").lower() not in ("utf-8", "utf8"):
        return False
    for spec in (said, *said.specs.values()):
        if spec.dates or spec.thousands or spec.missing or spec.decimal == ",":
            return False
    return not any(spec.model_dump()["values"] for spec in said.specs.values())


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def _find_oddity(path: Path, text: Text | None) -> Message | None:
    """Return why an engine cannot read a file as it stands, if so; refuse what is damaged."""
    from crmlab.data.loaders.parquet import count_rows

    if text is None:
        count_rows(path)
        return None
    if text.data is not None:
        return say("text_not_utf8")
    if text.has_lone_returns:
        return say("text_lone_returns")
    return say("text_leading_lines") if text.n_leading else None


def _read_headings(table: str, path: Path, text: Text | None, said: TableMapping) -> list[str]:
    if text is None:
        from crmlab.data.loaders.parquet import read_headings

        return read_headings(path)
    from crmlab.data.loaders.delimited import read_headings

    return read_headings(table, path, text, said)


def _lay_out(raw: Raw, said: TableMapping, *, has_quotes: bool) -> Layout | None:
    """Return the layout of a table, or None where the careful way must tell what is wrong."""
    headings = [str(name) for name in raw.frame.columns]
    raw.frame.columns = [name.strip() for name in headings]
    names = name_columns(raw, said, columns_of(raw.table, said.one_row_is))
    ours = [name for _, name in names]
    if raw.problems or len(set(ours)) < len(ours) or len(set(headings)) < len(headings):
        return None
    if "" in ours:
        return None  # a column without a heading may hold nothing else
    columns = tuple((headings[i], name) for i, name in names)
    constants = tuple(
        (name, spec.constant) for name, spec in said.specs.items() if spec.constant is not None
    )
    columns = tuple(pair for pair in columns if pair[1] not in dict(constants))
    if said.one_row_is == ORDER and "order_id" not in (*dict(constants), *(n for _, n in columns)):
        return None  # rows are numbered as they are read
    if not constants and columns == tuple((name, name) for name in headings):
        columns = ()
    delimiter = said.delimiter or ","
    return Layout(raw.table, columns, constants, delimiter, said.one_row_is, has_quotes=has_quotes)


def _can_be_read(path: Path, layout: Layout, mapping: Mapping) -> bool:
    """Return whether every cell is plain where signs of currency or time zones may be at cells."""
    if not mapping.currency and not mapping.time_zone:
        return True
    from crmlab.data.scanned import is_written_plainly

    return is_written_plainly(path, layout)
