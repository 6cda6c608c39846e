"""Propose a mapping: which file is which table, which heading which column, how values are written.

Who asks: ``crmlab data check``, for data whose headings are not ours. Three things tell: names in
English and Chinese (``column_names.csv``), the kinds of the values, and whether they repeat. The
proposal is a draft that its reader checks; what cannot be told is said in its notes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from crmlab.atlas.sentences import Message, reason, say, text_in
from crmlab.data.columns import TABLES
from crmlab.data.loaders.description import describe, propose_lines
from crmlab.data.loaders.first_look import look
from crmlab.data.loaders.matching import (
    match_columns,
    score_table,
)
from crmlab.data.loaders.places import Place, find_places, list_places, say_nothing_there
from crmlab.data.loaders.source import Source
from crmlab.data.loaders.translate import plain_name
from crmlab.data.mapping import Mapping

__all__ = ["Proposal", "propose_mapping", "write_draft"]


@dataclass(frozen=True)
class Proposal:
    """A draft of a mapping file.

    Attributes
    ----------
    content : dict
        As `crmlab.data.mapping.Mapping` reads it; empty where nothing need be said.
    notes : list of str
        What could not be told, and what was guessed.
    """

    content: dict
    notes: list[str]


def propose_mapping(source: Source) -> Proposal:
    r"""Return a draft of a mapping for a source that has none.

    Parameters
    ----------
    source : Source

    Returns
    -------
    Proposal

    Raises
    ------
    ValueError
        If the source cannot be opened, or nothing in it looks like a table of ours.

    Examples
    --------
    >>> import tempfile
    >>> from crmlab.data.loaders import locate
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "销售.csv"
    ...     _ = path.write_text("单号;会员号;销售日期;金额\n1;7;25/01/2024;3,5\n2;7;26/01/2024;9\n")
    ...     draft = propose_mapping(locate(path))
    >>> draft.content["tables"]["orders"]["columns"]["order_id"]
    '单号'
    >>> draft.content["tables"]["orders"]["dates"], draft.content["tables"]["orders"]["decimal"]
    ('%d/%m/%Y', ',')
    """
    notes: list[str] = []
    looks = []
    for place in list_places(source):
        try:
            frame, said = look(place, source, notes)
        except ValueError as error:
            notes.append(reason(error))
            continue
        looks.append((place, frame, said))
    chosen = _choose_tables(looks, notes)
    if not chosen:
        there = tuple(place.said for place, *_ in looks) or say_nothing_there(source)
        told = [say("nothing_recognised", source=source, there=there), *notes]
        if notes and not looks:
            told = notes  # no file can be read, and it is said why
        raise ValueError(functools.reduce(lambda a, b: say("and_line", said=a, note=b), told))
    places = _find_unaided(source)
    content: dict = {"tables": {}}
    currencies: set[str] = set()
    for table, (place, frame, said, columns) in chosen.items():
        if table == "orders":
            said = said | propose_lines(frame, columns, notes)
        spec = describe(table, frame, said, columns, notes, currencies)
        if places.get(table) != place:
            where = place.path.name if place.path and place.kind != source.kind else place.part
            spec = (
                {"from": where} | ({"sheet": place.part} if place.kind == "workbook" else {}) | spec
            )
        if spec:
            content["tables"][table] = spec
    if currencies == {"CNY", "JPY"}:
        currencies = {"CNY"}
        notes.append(say("note_yen"))
    if len(currencies) == 1:
        content["currency"] = currencies.pop()
    elif currencies:
        notes.append(say("note_currencies", currencies=tuple(sorted(currencies))))
    if not content["tables"]:
        del content["tables"]
    return Proposal(content, notes)


def write_draft(proposal: Proposal, source: Source, path: Path, language: str = "en") -> None:
    """Write a proposal as a mapping file that its reader can go on with; never over another.

    Parameters
    ----------
    proposal : Proposal
    source : Source
    path : pathlib.Path
    language : {"en", "zh"}
        Of its comments.

    Raises
    ------
    ValueError
        If the file is there already.
    """
    named = {}
    if source.kind == "postgresql":
        named = {"source": f"{source.url}{'&' if '?' in source.url else '?'}schema={source.schema}"}
    elif source.kind != "folder":
        named = {"source": source.path.name}
    body = yaml.safe_dump(named | proposal.content, allow_unicode=True, sort_keys=False)
    lines = [say("draft_head"), *proposal.notes]
    if "currency" not in proposal.content:
        lines.append(say("draft_currency"))
    lines = [f"# {text_in(line, language)}" for line in (*lines, say("draft_zone"))]
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n" + (body if body != "{}\n" else ""))
    except FileExistsError:
        raise ValueError(say("draft_exists", path=path)) from None


def _choose_tables(looks: Iterable[tuple[Place, pd.DataFrame, dict]], notes: list[Message]) -> dict:
    """Return the best place of each table, each place for one table at most."""
    scored = []
    for place, frame, said in looks:
        named = plain_name(place.name)
        if named in TABLES:
            scored.append((1000, named, place, frame, said, match_columns(named, frame)))
            continue
        for table in ("orders", "customers", "contacts", "survey", "tickets"):
            columns = match_columns(table, frame)
            if table == "customers" and _are_orders(frame):
                continue
            score = score_table(table, place, frame, columns)
            if score > 0:
                scored.append((score, table, place, frame, said, columns))
    scored.sort(key=lambda entry: -entry[0])
    chosen: dict = {}
    for _, table, place, frame, said, columns in scored:
        if table not in chosen and all(place != taken[0] for taken in chosen.values()):
            chosen[table] = (place, frame, said, columns)
    for score, table, place, *_ in scored:
        if table == "orders" and score < 1000 and all(place != t[0] for t in chosen.values()):
            named = {"place": place.said, "other": chosen["orders"][0].said}
            notes.append(say("note_second", **named))
    return {table: chosen[table] for table in TABLES if table in chosen}


def _find_unaided(source: Source) -> dict[str, Place]:
    """Return the places that are found without a mapping."""
    try:
        return find_places(source, Mapping())[0]
    except ValueError:
        return {}


def _are_orders(frame: pd.DataFrame) -> bool:
    """Return whether a table has all that orders need: its customers are no table of customers."""
    required = {column.name for column in TABLES["orders"].columns if column.is_required}
    return required <= set(match_columns("orders", frame))
