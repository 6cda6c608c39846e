"""From a stranger's headings and ways of writing to our columns, as a mapping file says.

Who asks: the loader, between reading and checking. What a mapping file does not name is taken
where its heading is ours but for case, blanks or full-width letters. Each change is counted; a
value that does not follow what the mapping says is left as it is, and the check refuses it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import numpy as np
import pandas as pd

from crmlab.atlas import nearest
from crmlab.data.columns import TABLES, Column
from crmlab.data.loaders.raw import Raw
from crmlab.data.mapping import ColumnMapping, Mapping, TableMapping
from crmlab.data.problems import Problem

__all__ = ["SIGNS", "plain_name", "read_days", "read_numbers", "translate"]

# How amounts show their currency; any other sign stays, and the check refuses it.
SIGNS = {
    "CNY": ("¥", "￥", "元", "人民币", "RMB", "CNY"),
    "JPY": ("¥", "￥", "円", "JPY"),
    "EUR": ("€", "EUR"),
    "GBP": ("£", "GBP"),
    "USD": ("US$", "$", "USD"),
}
_SERIAL_START = pd.Timestamp("1899-12-30")  # so that 61 is 1 March 1900, as Excel counts
_ZONED = r"\d[T ]\d{1,2}:?\d{2}.*(?:Z|[+-]\d{2}(?::?\d{2})?)$"


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
    table = TABLES[raw.table]
    known = {column.name: column for column in table.columns}
    frame = _rename(raw, said, known)
    specs = dict(said.specs)
    default = ColumnMapping(
        constant="", **{key: getattr(said, key) for key in ("dates", "decimal", "thousands")}
    )
    dates = {}
    for name in list(frame.columns.unique()):
        if (frame.columns == name).sum() > 1:
            continue  # told by the check
        spec = specs.get(name, default)
        column = known.get(name) or _question(raw.table, name)
        if column is None:
            continue
        values = frame[name]
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
        if values is not frame[name]:
            frame = frame.assign(**{name: values})
    for name, spec in specs.items():
        if spec.constant is not None:
            frame = frame.assign(**{name: pd.Series(spec.constant, frame.index, dtype="str")})
    return frame, dates


def name_format(problem: Problem, dates: dict[str, str]) -> Problem:
    """Return a problem of a day with what the mapping expects in place of what we do."""
    said = dates.get(problem.column)
    if said is None or not problem.expected.startswith(("a day", "a time")):
        return problem
    cure = problem.cure.partition(" Or say in mapping.yaml")[0]
    return replace(problem, expected=f"a day written {said}, as mapping.yaml says", cure=cure)


def _question(table: str, name: str) -> Column | None:
    """Return a column for a question of a survey, whose answers are numbers."""
    if table != "survey":
        return None
    return Column(name, "number", name, name, "points", "", False, True)


def _rename(raw: Raw, said: TableMapping, known: dict[str, Column]) -> pd.DataFrame:
    """Return the table with our names where the mapping gives them or the headings are alike."""
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
            found = f"the headings {alike!r} and {name!r} differ only in case, blanks or width"
            cure = "Keep one of them, or say in mapping.yaml which one is meant."
            raw.problems.append(Problem(raw.table, "", found, "", cure).at(raw.place))
            continue
        if not any(spec.constant is not None for key, spec in said.specs.items() if key == alike):
            ours[i] = alike
            raw.repaired(f"heading {name!r} read as {alike}", f"表头“{name}”读作 {alike}", 1)
    if gone:
        listed = ", ".join(theirs[i] for i in sorted(gone))
        raw.left_out.append(
            (raw.table, f"columns left out: {listed}", f"按映射文件不读取的列：{listed}", len(gone))
        )
    taken = [i for i in range(len(theirs)) if i not in gone]
    names = [ours.get(i, theirs[i]) for i in taken]
    clash = {name for name in names if names.count(name) > 1 and name in said.specs}
    if clash:
        # A column of their own that is called like one of ours: the mapping's goes first.
        name = sorted(clash)[0]
        found = f"mapping.yaml takes {name} from {said.specs[name].from_!r}, yet a column {name!r}"
        raise ValueError(
            f"{raw.place}: {found} is there as well. Put it under leave_out, or map it elsewhere."
        )
    frame = raw.frame.iloc[:, taken].copy(deep=False)
    frame.columns = names
    return frame


def _find(raw: Raw, wanted: str, theirs: list[str], plain: list[str]) -> int:
    if theirs.count(wanted) == 1:
        return theirs.index(wanted)
    if plain.count(plain_name(wanted)) == 1:
        return plain.index(plain_name(wanted))
    if wanted in theirs:
        raise ValueError(
            f"{raw.place}: the column {wanted!r}, which mapping.yaml names, appears more than "
            "once; keep one of them."
        )
    raise ValueError(
        f"{raw.place}: no column is called {wanted!r}, which mapping.yaml names for {raw.table}"
        f"{nearest(wanted, theirs) or '.'} There are {', '.join(theirs)}."
    )


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
    spelt = ", ".join(dict.fromkeys(marks))
    raw.repaired(
        f"{values.name}: read as missing where {spelt} stands",
        f"{values.name}：{spelt} 读作缺失",
        n,
    )
    return values.where(~stands)


def _read_words(raw: Raw, values: pd.Series, spec: ColumnMapping, column: Column) -> pd.Series:
    words = spec.model_dump()["values"]
    if not words:
        return values
    text = values.astype("str").where(values.notna()).str.strip()
    found = text.isin(list(words))
    raw.repaired(
        f"{column.name}: words translated as mapping.yaml says",
        f"{column.name}：按映射文件转换取值",
        int(found.sum()),
    )
    return text.where(~found, text.map(words)).astype("str").where(text.notna())


def read_numbers(
    raw: Raw, values: pd.Series, name: str, spec: ColumnMapping, currency: str | None
) -> pd.Series:
    """Return texts of numbers in plain writing: a point for the fraction, no signs of currency.

    Parameters
    ----------
    raw : Raw
        Counts what was rewritten.
    values : pandas.Series
        Anything but texts is returned as it is.
    name : str
        The column, for the count.
    spec : ColumnMapping
        Its `decimal` (a point where None) and `thousands` (none where None).
    currency : str or None
        Whose signs may stand at either end.

    Returns
    -------
    pandas.Series
    """
    if not pd.api.types.is_string_dtype(values.dtype):
        return values
    if not (spec.decimal or spec.thousands or currency):
        return values
    codes, different = pd.factorize(values)
    written = _plain_numbers(pd.Series(different, dtype="str"), spec, currency)
    result = _take(written, codes, values.index)
    changed = int((result != values.str.strip()).sum() - values.isna().sum())
    raw.repaired(
        f"{name}: numbers brought to plain writing (decimal sign, thousands, currency)",
        f"{name}：统一数字写法（小数点、千位分隔符、货币符号）",
        changed,
    )
    return result


def _take(different: pd.Series, codes: np.ndarray, index: pd.Index) -> pd.Series:
    """Return the value of each code; missing where it is -1."""
    return different.reindex(codes).set_axis(index)


def _plain_numbers(values: pd.Series, spec: ColumnMapping, currency: str | None) -> pd.Series:
    point, group = spec.decimal or ".", spec.thousands or ""
    signs = SIGNS.get(currency, (currency,)) if currency else ()
    text = values.str.strip()
    bare = text
    if signs:
        sign = "|".join(re.escape(s) for s in sorted(signs, key=len, reverse=True))
        for pattern, kept in (
            (rf"\s*(?:{sign})$", ""),
            (rf"^(?:{sign})\s*", ""),
            (rf"^-\s*(?:{sign})\s*", "-"),
        ):
            bare = bare.str.replace(pattern, kept, regex=True)
    whole = r"\d+"
    if group:
        # A blank between groups may be one that does not break, as French and Swiss programs write.
        gap = r"[ \u00a0\u202f]" if group == " " else re.escape(group)
        whole = rf"(?:\d{{1,3}}(?:{gap}\d{{3}})+|\d+)"
    follows = bare.str.fullmatch(rf"[+-]?{whole}(?:{re.escape(point)}\d*)?", na=False)
    plain = bare
    if group:
        plain = plain.str.replace(gap, "", regex=True)
    if point != ".":
        plain = plain.str.replace(point, ".", regex=False)
        # With a decimal comma, 1.5 means something else than it says.
        stray = text.str.contains(".", regex=False, na=False) & ~follows
        text = text.where(~stray, text + " (decimal comma expected)")
    return plain.where(follows, text)


def read_days(
    raw: Raw, values: pd.Series, name: str, spec: ColumnMapping, zone: str | None
) -> pd.Series:
    """Return days and times as a mapping says they are written, in its time zone.

    Parameters
    ----------
    raw : Raw
        Counts what was rewritten.
    values : pandas.Series
    name : str
        The column, for the count.
    spec : ColumnMapping
        Its `dates`: codes of strptime, or serial.
    zone : str or None
        Values with a time zone are brought to this one; others are local to it already.

    Returns
    -------
    pandas.Series
        Days as datetime64[us]; where some do not follow, all as texts, these unchanged.
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype) and zone:
        raw.repaired(
            f"{name}: brought to local time of {zone}",
            f"{name}：换算为 {zone} 当地时间",
            int(values.notna().sum()),
        )
        return values.dt.tz_convert(zone).dt.tz_localize(None)
    if spec.dates == "serial":
        return _read_serial(raw, values, name)
    if not pd.api.types.is_string_dtype(values.dtype):
        if not (spec.dates and pd.api.types.is_integer_dtype(values.dtype)):
            return values
        values = values.astype("str").where(values.notna())
    text = values.str.strip().replace("", np.nan)
    parsed = pd.Series(pd.NaT, text.index, dtype="datetime64[us]")
    if spec.dates:
        codes, different = pd.factorize(text)
        zoned = "%z" in spec.dates
        moments = pd.Series(
            pd.to_datetime(different, format=spec.dates, errors="coerce", utc=zoned)
        )
        if zoned:
            moments = moments.dt.tz_convert(zone or "UTC").dt.tz_localize(None)
        parsed = _take(moments.astype("datetime64[us]"), codes, text.index)
        raw.repaired(
            f"{name}: days written {spec.dates}",
            f"{name}：日期按 {spec.dates} 读取",
            int(parsed.notna().sum()),
        )
    if zone:
        zoned = text.str.contains(_ZONED, na=False) & parsed.isna()
        if zoned.any():
            moments = pd.to_datetime(text.where(zoned), format="ISO8601", errors="coerce", utc=True)
            local = moments.dt.tz_convert(zone).dt.tz_localize(None).astype("datetime64[us]")
            parsed = parsed.fillna(local)
            raw.repaired(
                f"{name}: brought to local time of {zone}",
                f"{name}：换算为 {zone} 当地时间",
                int(local.notna().sum()),
            )
    return _join(parsed, text)


def _read_serial(raw: Raw, values: pd.Series, name: str) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    days = pd.to_numeric(values, errors="coerce")
    # Excel counts a 29 February 1900 that never was; before it nothing can be said.
    days = days.where((days >= 61) & (days < 2_958_466)).astype("float64")
    parsed = (_SERIAL_START + pd.to_timedelta(days, unit="D").dt.round("s")).astype(
        "datetime64[us]"
    )
    raw.repaired(
        f"{name}: a spreadsheet's day numbers read as days",
        f"{name}：电子表格的日期序号读作日期",
        int(parsed.notna().sum()),
    )
    return _join(parsed, values.astype("str").where(values.notna()))


def _join(parsed: pd.Series, text: pd.Series) -> pd.Series:
    """Return the days; where a text is none, texts of all, so that the check can name it."""
    if (parsed.notna() == text.notna()).all():
        return parsed
    if not parsed.notna().any():
        return text
    written = parsed.dt.strftime("%Y-%m-%d %H:%M:%S.%f").astype("str")
    return written.where(parsed.notna(), text)
