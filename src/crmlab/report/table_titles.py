"""Titles of tables: what a table shows, said from its own heads.

Who asks: the report's chapters, which number tables as they number figures. A figure's caption is
a term of the atlas; the heads of a table are terms already, so its title is made of them: what is
told, by what. A table whose heads are quarters says what its rows are; one whose heads are values
without a name takes the heading it stands under.
"""

import re
from collections import Counter

from crmlab.report.fonts import CJK
from crmlab.report.markdown import plain_text
from crmlab.report.paper_tables import CELL, ROW
from crmlab.study.wording import load_words

__all__ = ["title_table"]

KEY = re.compile(r'\btitle="([^"]*)"')
UNIT = re.compile(r"\s*[(（][^()（）]*[)）]$")
LETTER = re.compile(r"[^\W\d_]")
PERIOD = re.compile(r"\d{4}(-\d\d|Q\d)")
HAN = "\u3400-\u9fff"
BESIDE = re.compile(f"(?<=[{HAN}])(?=[A-Za-z0-9Α-ω])|(?<=[A-Za-z0-9Α-ω²])(?=[{HAN}])")
# What goes with a number and is not what the table is about: how many it is of, its interval.
BY_THE_WAY = re.compile(r"n_.*|.*(interval|direction).*|.*_(lower|upper|from|to)")
# What is told of ways from one to another is not told "by" their ends.
WAY = re.compile(r"from_.*|.*_from")
# Names of people and methods keep their capital within a title.
NAMES = re.compile(r"(Kano|Gini|Pareto|Poisson|Leiden|Louvain|Neyman|Shapley|English)\b|\w+['’]s\b")
MOST, LONGEST = 3, 46  # names in a title, and characters of them; a Chinese one counts two


def title_table(table, heading, language):
    """Return the title of a table.

    Parameters
    ----------
    table : str
        HTML of one table, with its row of heads.
    heading : str
        The heading it stands under.
    language : {"en", "zh"}
        Of the report; a table in Chinese has a Chinese title.

    Returns
    -------
    str
        Plain text.

    Examples
    --------
    >>> heads = "<th>Segment</th><th>Rank</th><th>Value per order (CNY)</th>"
    >>> row = "<th>Loyal</th><td>1</td><td>20.00</td>"
    >>> table = f"<table><thead><tr>{heads}</tr></thead><tr>{row}</tr></table>"
    >>> title_table(table, "Value", "en")
    'Rank and value per order, by segment'
    >>> title_table(table.replace("Rank", "1").replace("Value per order", "2"), "Value", "en")
    'Value, by segment'
    """
    heads, labels, n_labels = _read(table)
    if re.search(f"[{HAN}]", "".join([*heads, *labels])):
        language = "zh"
    if not labels or not (heads or n_labels):
        return heading
    words = load_words(language)
    names, columns = list(heads), list(heads)[n_labels:]
    rows = [name for name in names[:n_labels] if name]
    periods = [name for name in columns if PERIOD.fullmatch(name)]
    # Heads that are rows too are values of the same kind: customers met with customers.
    is_square = len(set(columns) & set(labels)) > len(columns) / 2
    if len(periods) > 1:
        span = {"first": periods[0], "last": periods[-1]}
        title = words["table_span"].format(names=_list(labels, words), **span)
    elif not n_labels:
        title = names[0] if is_square else _list(names, words)
    elif not rows:
        title = _list(labels, words)
        if len(columns) == 1:
            named = _list([_lower(labels[0]), *labels[1:]], words)
            title = words["table_of"].format(column=columns[0], names=named)
    else:
        told = [] if is_square else _choose(columns, heads)
        title = _list(told, words) if told else heading
        if WAY.fullmatch(heads[rows[0]]):
            title = words["table_again"].format(heading=heading, title=title)
        else:
            by = words["table_and"].join(map(_lower, rows))
            title = words["table_by"].format(names=title, rows=by)
            title = title.replace("by by ", "by ").replace("按按", "按")
    return BESIDE.sub(" ", re.sub(r"^[a-z]", lambda first: first[0].upper(), title))


def _read(table):
    """Return a table's heads with their keys, the labels of its rows, and how many label a row.

    A table of words, whose rows begin with no label, has none.
    """
    top, _, body = table.rpartition("</thead>")
    said = [(plain_text(text), attributes) for _, attributes, text in CELL.findall(top)]
    names = _leave_out_units([text for text, _ in said])
    keys = ("".join(KEY.findall(attributes)[:1]) for _, attributes in said)
    heads = dict(zip(names, keys, strict=True))
    rows = [CELL.findall(row) for row in ROW.findall(body)]
    n_labels = sum(kind == "th" for kind, _, _ in rows[0]) if rows else 0
    # Of several labels, the outer ones are left out where they go on.
    width = min(map(len, rows), default=0)
    inner = dict.fromkeys(plain_text(row[len(row) - width][2]) for row in rows)
    return heads, _leave_out_units(list(inner)), n_labels


def _leave_out_units(texts):
    """Return names without the units behind them, but where they differ in nothing else."""
    bare = Counter(UNIT.sub("", text) for text in texts)
    return [text if bare[name := UNIT.sub("", text)] > 1 else name for text in texts]


def _choose(columns, heads):
    """Return the heads that say what the table is about; values, such as 1 and 2, say nothing."""
    said = [name for name in columns if LETTER.search(name)]
    return [name for name in said if not BY_THE_WAY.fullmatch(heads[name])] or said


def _list(names, words):
    """Return names as a list that is cut where it grows too long for a title."""
    kept = [names[0]]
    for name in names[1:MOST]:
        if sum(map(_width, [*kept, name])) > LONGEST:
            break
        kept.append(_lower(name))
    comma, last = words["table_comma"], words["table_and"]
    marks = [mark for mark in (comma, last) if " " in mark]  # 和 is a part of many a word
    if len(kept) > 1 and any(mark in name for name in kept for mark in marks):
        comma = last = words["table_semicolon"]  # names that are lists themselves
    if len(kept) < len(names):
        return words["table_more"].format(names=comma.join(kept))
    return comma.join([*kept[:-2], last.join(kept[-2:])])


def _lower(name):
    """Return a name as it stands within a title."""
    is_word = re.match(f"[A-Z][a-z](?!.*[{HAN}])", name) and not NAMES.match(name)
    return name[0].lower() + name[1:] if is_word else name


def _width(text):
    return sum(2 if re.match(f"[{CJK}]", character) else 1 for character in text)
