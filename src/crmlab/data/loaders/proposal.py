"""Propose a mapping: which file is which table, which heading which column, how values are written.

Who asks: ``crmlab data check``, for data whose headings are not ours. Three things tell: names in
English and Chinese (``column_names.csv``), the kinds of the values, and whether they repeat. The
proposal is a draft that its reader checks; what cannot be told is said in its notes.
"""

from __future__ import annotations

import csv
import functools
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from crmlab.data.columns import ORDER_LINE, TABLES, columns_of
from crmlab.data.conversion import FLAGS
from crmlab.data.loaders.lines import are_lines
from crmlab.data.loaders.matching import (
    find_heading,
    match_columns,
    match_price,
    score_table,
)
from crmlab.data.loaders.places import Place, find_places, list_places, say_nothing_there
from crmlab.data.loaders.source import Source
from crmlab.data.loaders.translate import plain_name
from crmlab.data.loaders.values import SIGNS
from crmlab.data.loaders.writing import guess_days, guess_numbers
from crmlab.data.mapping import Mapping, TableMapping
from crmlab.data.wording import Message, reason, say, text_in

__all__ = ["Proposal", "propose_mapping", "write_draft"]

_SAMPLE_ROWS = 20_000
_SAMPLE_BYTES = 2 << 20
_MISSING = ("NA", "N/A", "n/a", "NULL", "null", "None", "nan", "NaN", "-", "--", "\\N", "无", "空")
_WORDS = {
    "female": ("f", "female", "w", "woman", "frau", "女", "女性", "女士", "weiblich"),
    "male": ("m", "male", "man", "herr", "男", "男性", "先生", "männlich"),
    "other": ("o", "other", "x", "divers", "其他", "其它", "未知"),
    "low": ("l", "low", "低"),
    "middle": ("medium", "mid", "middle", "中", "中等"),
    "high": ("h", "high", "高"),
}
_FROM_CURRENCY = {"CNY": "JPY"}  # share a sign


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
            frame, said = _look(place, source, notes)
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
            said = said | _propose_lines(frame, columns, notes)
        spec = _describe(table, frame, said, columns, notes, currencies)
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


def _look(place: Place, source: Source, notes: list[Message]) -> tuple[pd.DataFrame, dict]:
    """Return the first rows of a place as it is read, and what had to be said to read them."""
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


def _are_serials(values: pd.Series) -> bool:
    """Return whether numbers are a spreadsheet's day numbers."""
    is_number = pd.api.types.is_numeric_dtype(values.dtype)
    return is_number and guess_days(values.dropna().astype("str"))[0] == ["serial"]


def _are_orders(frame: pd.DataFrame) -> bool:
    """Return whether a table has all that orders need: its customers are no table of customers."""
    required = {column.name for column in TABLES["orders"].columns if column.is_required}
    return required <= set(match_columns("orders", frame))


def _describe(
    table: str,
    frame: pd.DataFrame,
    said: dict,
    columns: dict[str, str],
    notes: list[str],
    currencies: set[str],
) -> dict:
    """Return what a mapping must say of a table beyond what is read anyway."""
    specs: dict[str, dict] = {}
    known = columns_of(table, said.get("one_row_is"))
    for ours, theirs in columns.items():
        if known[ours].unit == "currency":
            currencies.update(_named_currency(theirs))
    missing: dict[str, None] = {}
    for ours, theirs in columns.items():
        values, column = frame[theirs], known[ours]
        spec: dict = {}
        if pd.api.types.is_string_dtype(values.dtype):
            text = values.dropna().str.strip()
            if column.kind in ("day", "instant", "number", "integer"):
                marks = [mark for mark in _MISSING if (text == mark).any()]
                missing |= dict.fromkeys(marks)
                text = text[~text.isin(marks)]
            where = say("column_from", column=f"{table}.{ours}", heading=theirs)
            if column.kind in ("day", "instant"):
                spec |= _describe_days(text, where, notes)
            elif column.kind in ("number", "integer"):
                spec |= _describe_numbers(text, where, notes, currencies)
            elif column.kind == "text" and " | " in column.range:
                spec |= _describe_words(text, column.range.split(" | "))
            elif column.kind == "flag" and not text.str.lower().isin(FLAGS).all():
                found = tuple(text[~text.str.lower().isin(FLAGS)].unique()[:5])
                notes.append(say("note_flags", where=where, words=found))
        elif column.kind in ("day", "instant") and _are_serials(values):
            spec["dates"] = "serial"
        if spec or plain_name(theirs) != ours:
            specs[ours] = {"from": theirs} | spec
    specs = {ours: specs[ours] for ours in known if ours in specs}
    result = dict(said)
    for key in ("dates", "decimal", "thousands"):
        # Said once for the table where every column says the same.
        told = [spec[key] for spec in specs.values() if key in spec]
        if told and len(set(told)) == 1:
            result[key] = told[0]
            for spec in specs.values():
                spec.pop(key, None)
    if missing:
        result["missing"] = list(missing)
    short = {
        ours: spec["from"] if set(spec) == {"from"} else spec
        for ours, spec in specs.items()
        if spec != {"from": ours}
    }
    return result | ({"columns": short} if short else {})


def _propose_lines(frame: pd.DataFrame, columns: dict[str, str], notes: list[Message]) -> dict:
    """Say that rows are lines of orders, and find their price, where it is so."""
    price = match_price(frame, columns)
    priced = columns | ({"unit_price": price} if price else {})
    if priced.get("amount") == price:
        priced.pop("amount", None)
    if not are_lines(frame, priced, notes):
        return {}
    columns.clear()
    columns.update(priced)
    if "amount" in columns:
        columns.pop("unit_price", None)
    notes.append(say("note_lines"))
    return {"one_row_is": ORDER_LINE}


def _named_currency(heading: str) -> list[str]:
    """Return the currency that a heading names, such as Amount (EUR) or 金额（元）."""
    words = set(re.findall(r"[A-Z]{3}|元|€|£", heading))
    return [code for code, signs in SIGNS.items() if words & {code, *signs}]


def _describe_days(text: pd.Series, where: Message, notes: list[str]) -> dict:
    formats, share = guess_days(text)
    if not formats:
        return {}
    if len(formats) > 1:
        ways = functools.reduce(lambda a, b: say("either_or", one=a, other=b), formats)
        notes.append(say("note_dates", where=where, value=repr(text.iloc[0]), ways=ways))
        return {}
    if share < 1:
        n = round((1 - share) * text.nunique())
        notes.append(say("note_mixed_dates", where=where, n=n, dates=formats[0]))
    if re.match(r"%Y-%m-%d|%Y%m%d$", formats[0]):
        return {}
    return {"dates": formats[0]}


def _describe_numbers(
    text: pd.Series, where: Message, notes: list[str], currencies: set[str]
) -> dict:
    writings, signs, _ = guess_numbers(text)
    currencies.update(signs)
    if len(writings) > 1:
        signs = [f"decimal {d!r} thousands {t!r}" for d, t in writings]
        ways = functools.reduce(lambda a, b: say("either_or", one=a, other=b), signs)
        notes.append(say("note_numbers", where=where, value=repr(text.iloc[0]), ways=ways))
        return {}
    if not writings:
        return {}
    decimal, thousands = writings[0]
    spec = {"decimal": decimal} if decimal != "." else {}
    return spec | ({"thousands": thousands} if thousands else {})


def _describe_words(text: pd.Series, allowed: list[str]) -> dict:
    found = text.unique()
    if len(found) > 50 or set(found) <= set(allowed):
        return {}
    values = {}
    for word in found:
        ours = [a for a in allowed if word.lower() == a or word.lower() in _WORDS.get(a, ())]
        if ours and word != ours[0]:
            values[word] = ours[0]
    return {"values": values} if values else {}
