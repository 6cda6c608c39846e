"""From a stranger's headings and ways of writing to our columns, as a mapping file says.

Who asks: the loader, between reading and checking. What a mapping file does not name is taken
where its heading is ours but for case, blanks or full-width letters. Each change is counted; a
value that does not follow what the mapping says is left as it is, and the check refuses it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pandas as pd

from crmlab.atlas.sentences import Message, near, say
from crmlab.data.columns import ORDER, Column, columns_of
from crmlab.data.conversion import EXPECTED, is_nested
from crmlab.data.loaders.raw import Raw
from crmlab.data.loaders.values import read_days, read_numbers
from crmlab.data.mapping import ColumnMapping, Mapping, TableMapping
from crmlab.data.problems import Problem

__all__ = ["name_columns", "name_format", "plain_name", "translate"]


def plain_name(name: object) -> str:
    """Return a heading in small half-width letters, words joined by one underscore.

    Examples
    --------
    >>> plain_name(" Ｏｒｄｅｒ　ID "), plain_name("Order-Id")
    ('order_id', 'order_id')
    """
    text = unicodedata.normalize("NFKC", str(name)).strip().casefold()
    return re.sub(r"[\s_-]+", "_", text)


def translate(raw: Raw, mapping: Mapping) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the table under our headings, and what a mapping said of how its days are written.

    Parameters
    ----------
    raw : Raw
        Its repairs, left_out and problems grow.
    mapping : Mapping

    Returns
    -------
    frame : pandas.DataFrame
    dates : dict of str to str
        By column, for messages.

    Raises
    ------
    ValueError
        If the mapping names a heading that is not there, or two headings become one.
    """
    said = mapping.tables.get(raw.table, TableMapping())
    known = columns_of(raw.table, said.one_row_is)
    frame = _rename(raw, said, known)
    specs = dict(said.specs)
    default = ColumnMapping(
        constant="", **{key: getattr(said, key) for key in ("dates", "decimal", "thousands")}
    )
    dates, changed = {}, {}
    for name in list(frame.columns.unique()):
        if (frame.columns == name).sum() > 1:
            continue  # told by the check
        spec = specs.get(name, default)
        column = known.get(name) or _question(raw.table, name)
        if column is None:
            continue
        values = before = frame[name]
        if values.dtype == object and values.map(is_nested).any():
            continue  # told by the check
        if values.dtype == object:  # kinds that do not go together, such as days among texts
            values = values.astype("str").where(values.notna())
        values = _read_missing(raw, values, spec, (*mapping.missing, *(said.missing or ())))
        values = _read_words(raw, values, spec, column)
        if column.kind in ("number", "integer"):
            values = read_numbers(raw, values, column.name, spec, mapping.currency)
        elif column.kind in ("day", "instant"):
            values = read_days(raw, values, column.name, spec, mapping.time_zone)
            if spec.dates:
                dates[name] = spec.dates
        if values is not before:
            changed[name] = values
    frame = frame.assign(**changed)
    for name, spec in specs.items():
        if spec.constant is not None:
            frame = frame.assign(**{name: pd.Series(spec.constant, frame.index, dtype="str")})
    if said.one_row_is == ORDER and "order_id" not in frame:
        numbers = range(1, len(frame) + 1)
        frame = frame.assign(order_id=pd.Series(map(str, numbers), frame.index, dtype="str"))
        raw.repaired(say("repair_numbered"), len(frame))
    return frame, dates


def name_format(problem: Problem, dates: dict[str, str]) -> Problem:
    """Return a problem of a day with what the mapping expects in place of what we do."""
    said = dates.get(problem.column)
    if said is None or problem.expected not in (EXPECTED["day"], EXPECTED["instant"]):
        return problem
    cure = problem.cure
    if isinstance(cure, Message) and "hint" in cure.filled:
        cure = cure.but(hint="")
    return replace(problem, expected=say("day_as_mapping_says", dates=said), cure=cure)


def _question(table: str, name: str) -> Column | None:
    """Return a column for a question of a survey, whose answers are numbers."""
    if table != "survey":
        return None
    return Column(name, "number", name, name, "points", "", False, True)


def _rename(raw: Raw, said: TableMapping, known: dict[str, Column]) -> pd.DataFrame:
    """Return the table with our names where the mapping gives them or the headings are alike."""
    named = name_columns(raw, said, known)
    frame = raw.frame.iloc[:, [i for i, _ in named]].copy(deep=False)
    frame.columns = [name for _, name in named]
    return frame


def name_columns(raw: Raw, said: TableMapping, known: dict[str, Column]) -> list[tuple[int, str]]:
    """Return the position of each column that is taken and the name it gets.

    Parameters
    ----------
    raw : Raw
        Its repairs, left_out and problems grow.
    said : TableMapping
    known : dict of str to Column
        The columns that the table knows.

    Raises
    ------
    ValueError
        If the mapping names a heading that is not there, or two headings become one.
    """
    theirs = [str(name) for name in raw.frame.columns]
    plain = [plain_name(name) for name in theirs]
    ours: dict[int, str] = {}
    for name, spec in said.specs.items():
        if spec.from_ is None:
            continue
        ours[_find(raw, spec.from_, theirs, plain)] = name
    gone = {_find(raw, name, theirs, plain) for name in said.leave_out}
    for i, name in enumerate(theirs):
        if i not in ours and i not in gone and name in known and name not in ours.values():
            ours[i] = name
    for i, name in enumerate(theirs):
        alike = plain[i]
        if i in ours or i in gone or name in known or alike not in known:
            continue
        if alike in ours.values():
            found = say("headings_alike", one=repr(alike), other=repr(name))
            cure = say("keep_one_heading")
            raw.problems.append(Problem(raw.table, "", found, "", cure).at(raw.place))
            continue
        if not any(spec.constant is not None for key, spec in said.specs.items() if key == alike):
            ours[i] = alike
            raw.repaired(say("repair_heading", heading=repr(name), name=alike), 1)
    if gone:
        listed = tuple(theirs[i] for i in sorted(gone))
        raw.leave_out(say("columns_left_out", columns=listed), len(gone))
    taken = [i for i in range(len(theirs)) if i not in gone]
    names = [ours.get(i, theirs[i]) for i in taken]
    clash = {name for name in names if names.count(name) > 1 and name in said.specs}
    if clash:
        # A column of their own that is called like one of ours: the mapping's goes first.
        name = sorted(clash)[0]
        origin = repr(said.specs[name].from_)
        raise ValueError(say("column_clash", place=raw.place, name=name, origin=origin))
    return list(zip(taken, names, strict=True))


def _find(raw: Raw, wanted: str, theirs: list[str], plain: list[str]) -> int:
    if theirs.count(wanted) == 1:
        return theirs.index(wanted)
    if plain.count(plain_name(wanted)) == 1:
        return plain.index(plain_name(wanted))
    if wanted in theirs:
        raise ValueError(say("mapped_twice", place=raw.place, heading=repr(wanted)))
    named = {"heading": repr(wanted), "table": raw.table, "near": near(wanted, theirs)}
    raise ValueError(say("mapped_gone", place=raw.place, **named, there=tuple(theirs)))


def _read_missing(
    raw: Raw, values: pd.Series, spec: ColumnMapping, marks: tuple[str, ...]
) -> pd.Series:
    marks = (*marks, *(spec.missing or ()))
    if not marks or not pd.api.types.is_string_dtype(values.dtype):
        return values
    stands = values.str.strip().isin(marks)
    n = int(stands.sum())
    if not n:
        return values
    spelt = tuple(dict.fromkeys(marks))
    raw.repaired(say("repair_missing", column=values.name, marks=spelt), n)
    return values.where(~stands)


def _read_words(raw: Raw, values: pd.Series, spec: ColumnMapping, column: Column) -> pd.Series:
    words = spec.model_dump()["values"]
    if not words:
        return values
    text = values.astype("str").where(values.notna()).str.strip()
    found = text.isin(list(words))
    raw.repaired(say("repair_words", column=column.name), int(found.sum()))
    return text.where(~found, text.map(words)).astype("str").where(text.notna())
