"""Tables on paper: a sheet cannot be scrolled, so a wide table is set smaller until it fits.

Who asks: the paper report, for print and for Word. Widths are estimated from the texts alone, so
that the same table comes out the same everywhere.
"""

import re
import unicodedata

from crmlab.report.markdown import plain_text

__all__ = ["choose_size", "fit_tables", "measure_columns"]

TABLE = re.compile(
    r'(?:<div class="table"[^>]*>\s*)?(<table\b.*?</table>)(?:\s*</div>)?', re.DOTALL
)
ROW = re.compile(r"<tr\b[^>]*>(.*?)</tr>", re.DOTALL)
CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</t[hd]>", re.DOTALL)
NUMBER = re.compile(r"\W?\d[\d.,:\u00a0-]*\s?%?|\W?")
# Where a line may break: at a space, beside a Chinese character, within a name of code.
TOKEN = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]|[^\s/_:\u2e80-\u9fff\uff00-\uffef-]+[-/_:]?")
LONG_NAME = re.compile(r"[\w./:-]{12,}")
BETWEEN_TAGS = re.compile(r"(?<=>)[^<]+")
LONE_SIGN = re.compile(r" (?=[↑↓]</t[hd]>)")  # would else stand on a line of its own

# Characters of the middling kind that a line of the text's width holds, by size of type.
CAPACITY = {0: 94, 1: 108, 2: 122, 3: 138}
SAFE = 0.98  # of that: so much is filled with cells that cannot be broken
COLUMN_GAP = 2  # characters' worth of room between two columns
COMFORT = 18  # a column that wants no more is not broken into lines; a narrower one reads badly
FOLDED = 12  # where room is short, a head longer than this is broken into lines
SHORT = 9  # rows; a table of no more is kept on one page


def fit_tables(html):
    """Return HTML with each of its tables in a size of type at which it fits a sheet's width.

    Parameters
    ----------
    html : str
        With tables as the screen report frames them.

    Returns
    -------
    str
        The frames no longer scroll. Each table bears a class `fit-0` (the ordinary size of type)
        to `fit-3` (the smallest), and `short` where it should stay on one page. Cells that
        should not be broken into lines bear `tight`.

    Examples
    --------
    >>> fit_tables("<table><tr><td>1</td></tr></table>")
    '<div class="table"><table class="fit-0 short"><tr><td class="tight">1</td></tr></table></div>'
    """
    return TABLE.sub(lambda found: f'<div class="table">{_fit(found[1])}</div>', html)


def measure_columns(table):
    """Return the width of each column, in characters: the least it can do with, and all it wants.

    Parameters
    ----------
    table : str
        HTML of one table. A Chinese character counts as two.

    Returns
    -------
    list of (int, int)

    Examples
    --------
    >>> measure_columns("<table><tr><td>two words</td><td>1,234.5</td></tr></table>")
    [(5, 9), (7, 7)]
    """
    columns = {}
    for row in ROW.findall(table):
        # From the right: an index of several levels leaves out, on the left, what it has said.
        place = 0
        for _, attributes, content in reversed(CELL.findall(row)):
            span = _span(attributes)
            if span == 1:
                least, wanted = _measure(plain_text(content), TOKEN)
                before = columns.get(place, (0, 0))
                columns[place] = (max(before[0], least), max(before[1], wanted))
            place += span
    n_columns = max(columns, default=-1) + 1
    return [columns.get(i, (1, 1)) for i in reversed(range(n_columns))]


def choose_size(columns):
    """Return the largest size of type, 0 to 3, at which columns stand well on a sheet.

    Parameters
    ----------
    columns : list of (int, int)
        From `measure_columns`.

    Examples
    --------
    >>> choose_size([(5, 9)] * 4), choose_size([(5, 9)] * 12)
    (0, 3)
    """
    needed = sum(_comfortable(least, wanted) for least, wanted in columns)
    return next((size for size, capacity in CAPACITY.items() if needed <= capacity), 3)


def _comfortable(least, wanted):
    return min(wanted, max(least, COMFORT)) + COLUMN_GAP


def _fit(table):
    table = BETWEEN_TAGS.sub(lambda found: LONG_NAME.sub(_let_break, found[0]), table)
    table = LONE_SIGN.sub("\N{NO-BREAK SPACE}", table)
    columns = measure_columns(table)
    if choose_size(columns) > 0:
        columns = _fold_heads(table, columns)
    size = choose_size(columns)
    kind = f"fit-{size}"
    if sum(least + COLUMN_GAP for least, _ in columns) > CAPACITY[size]:
        kind += " crowded"  # no size is small enough: words and numbers are broken too
    if len(ROW.findall(table)) <= SHORT:
        kind += " short"
    limits = _limit_lines(columns, size)
    table = ROW.sub(lambda found: _keep_lines(found[0], limits), table)
    return _add_class(table, kind)


def _fold_heads(table, columns):
    """Return what the columns ask for where long heads are broken into lines."""
    head, _, body = table.partition("</thead>")
    heads, bodies = measure_columns(head), measure_columns(body)
    if not body or len(heads) != len(columns) or len(bodies) != len(columns):
        return columns
    return [
        (least, max(wanted, min(asked, max(FOLDED, needed)), least))
        for (least, _), (needed, asked), (_, wanted) in zip(columns, heads, bodies, strict=True)
    ]


def _limit_lines(columns, size):
    """Return how wide a cell of each column may be without being broken into lines."""
    room = SAFE * CAPACITY[size] - sum(_comfortable(least, wanted) for least, wanted in columns)
    limits = []
    for least, wanted in columns:
        more = wanted + COLUMN_GAP - _comfortable(least, wanted)
        is_whole = wanted <= COMFORT or more <= room
        limits.append(wanted if is_whole else COMFORT)
        room -= more if is_whole else 0
    return limits


def _let_break(found):
    """Return a long name with the places marked at which a browser may break it."""
    return re.sub(r"([_/:])(?=\w)", r"\1<wbr>", found[0])


def _keep_lines(row, limits):
    """Mark the cells within their columns' limits: Chinese would break after any character."""
    spans = [_span(attributes) for _, attributes, _ in CELL.findall(row)]
    ends = [len(limits) - sum(spans[i + 1 :]) for i in range(len(spans))]
    places = iter(zip(spans, ends, strict=True))

    def mark(found):
        span, end = next(places)
        keeps = span == 1 and 0 < end <= len(limits) and limits[end - 1]
        keeps = keeps and _width(plain_text(found[3])) <= limits[end - 1]
        return _add_class(found[0].replace("<wbr>", ""), "tight") if keeps else found[0]

    return CELL.sub(mark, row)


def _add_class(element, name):
    """Return an element with one more class."""
    head, rest = re.match(r"(<[^>]*>)(.*)", element, re.DOTALL).groups()
    if 'class="' in head:
        return head.replace('class="', f'class="{name} ', 1) + rest
    return re.sub(r"^<(\w+)", rf'<\1 class="{name}"', head) + rest


def _span(attributes):
    found = re.search(r'colspan="(\d+)"', attributes)
    return int(found[1]) if found else 1


def _measure(text, token):
    """Return the width of a cell's longest part that cannot be broken, and of the whole cell."""
    wanted = _width(text)
    if NUMBER.fullmatch(text):
        return wanted, wanted
    return max(map(_width, token.findall(text)), default=0), wanted


def _width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
