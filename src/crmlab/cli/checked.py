"""What `crmlab data check` says: each table, then problems, repairs and what was left out."""

import functools

from crmlab.atlas.sentences import say
from crmlab.data.problems import show_value
from crmlab.data.tables import TABLES

__all__ = ["tell_check"]

_SAID = ("encoding", "delimiter", "heading_row", "dates", "decimal", "thousands", "one_row_is")
_FIRST = 5


def tell_check(check):
    """Yield the lines that tell what a check found, each a message or a text.

    Parameters
    ----------
    check : crmlab.data.loaders.checking.Check
    """
    reading = check.reading
    for name, place in reading.places.items():
        yield from _tell_table(check, name, place)
    if reading.problems:
        yield ""
        yield say("check_problems")
    for problem in reading.problems:
        yield from _tell_problem(problem)
    for title, counts in (
        ("check_repaired", reading.repairs),
        ("check_left_out", reading.left_out),
    ):
        if counts:
            yield ""
            yield say(title)
        for table, en, zh, n in counts:
            yield say("check_count", table=table, what={"en": en, "zh": zh}, n=n)
    if check.proposal is not None and check.proposal.notes:
        yield ""
        yield say("check_notes")
        for note in check.proposal.notes:
            yield say("check_note", note=note)


def _tell_table(check, name, place):
    reading, bad = check.reading, check.n_bad(name)
    frame = reading.tables.get(name)
    n = check.scanned.get(name) if frame is None else len(frame)
    n_rows = "" if n is None else say("check_n_rows", n=n)
    said = say("check_bad", n=bad) if bad else say("check_none_bad")
    if not bad and any(problem.table == name for problem in reading.problems):
        said = say("check_table_bad")
    yield ""
    yield say("check_table", table=name, place=place, rows=n_rows, bad=said)
    spec = reading.mapping.tables.get(name)
    for column, mapped in (spec.specs if spec else {}).items():
        origin = mapped.from_
        if mapped.constant is not None:
            origin = say("check_always", value=repr(mapped.constant))
        yield say("check_column", column=column, origin=origin)
    for key in _SAID:
        value = getattr(spec, key, None)
        if value and (key, value) != ("heading_row", 1):
            shown = value if str(value).strip() else repr(value)
            yield f"   {key}: {shown}"
    known = {column.name for column in TABLES[name].columns}
    others = () if frame is None else tuple(str(c) for c in frame.columns if c not in known)
    if others:
        yield say("check_others", columns=others)


def _tell_problem(problem):
    if not problem.cure:
        yield say("check_note", note=problem.found)
        return
    n = len(problem.rows)
    counted = {0: "check_where", 1: "check_where_one"}.get(n, "check_where_rows")
    where = say(counted, where=problem.where, n=n)
    yield say("check_note", note=say("placed", place=where, said=problem.finding))
    values = problem.values or ("",) * n
    first = [
        say("check_row", row=int(row) + 1)
        if isinstance(value, str) and not value
        else say("check_row_value", row=int(row) + 1, value=show_value(value))
        for row, value in zip(problem.rows[:_FIRST], values[:_FIRST], strict=False)
    ]
    if first:
        rows = functools.reduce(lambda a, b: say("and_row", one=a, other=b), first)
        yield say("check_first", rows=rows)
    yield say("check_cure", cure=problem.cure)
