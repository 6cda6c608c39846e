"""Outputs: what a notebook's cells left behind, made fit for a page that stands on its own.

Who asks: the report's chapters. Tables lose the styles pandas sends along and gain a frame that
scrolls on a narrow screen; figures become part of the page and are matched with the names they
were published under, so that each stands with its caption.
"""

import ast
import base64
import re
from html import escape

__all__ = [
    "embed_figure",
    "embed_image",
    "find_figures",
    "frame_tables",
    "measure_lettering",
    "strip_terminal_codes",
    "tidy_html",
]

# A larger drawing (a scatter of many thousand points) is shown as its PNG instead.
LARGEST_SVG = 700_000
NUMBER = re.compile(
    r"[-+−]?\d[\d,. \u00a0]*(?:[eE][-+]?\d+)?\s?%?|\.\d+|NaN|nan|None|NaT|&lt;NA&gt;|-?inf|"
)
ROW = re.compile(r"<tr[^>]*>(.*?)</tr>", re.DOTALL)
# How matplotlib sets a text in a drawing: its letters are outlines of 100 points.
LETTERS = re.compile(r"scale\((0\.\d+) -\1\)")
CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</t[hd]>", re.DOTALL)
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def strip_terminal_codes(text):
    r"""Return a text without the codes that colour it in a terminal.

    Examples
    --------
    >>> strip_terminal_codes("\x1b[0;31mValueError\x1b[0m: no")
    'ValueError: no'
    """
    return TERMINAL_CODES.sub("", text)


def embed_image(kind, data):
    """Return an image as a data URI.

    Parameters
    ----------
    kind : str
        Media type, such as "image/png".
    data : str or bytes
        SVG text, a raster image's bytes, or their base64 as a notebook stores it.

    Examples
    --------
    >>> embed_image("image/svg+xml", "<svg/>")
    'data:image/svg+xml;base64,PHN2Zy8+'
    """
    if kind == "image/svg+xml" and isinstance(data, str):
        data = data.encode()
    if isinstance(data, bytes):
        data = base64.b64encode(data).decode("ascii")
    return f"data:{kind};base64,{''.join(data.split())}"


def embed_figure(stem):
    """Return a published figure, given its path without suffix, as a data URI and its size.

    The drawing (SVG) is taken unless it is too large for a page; the size is a pair of pixels
    at which it is to be shown, or None where only the PNG is there.
    """
    drawing, picture = stem.with_suffix(".svg"), stem.with_suffix(".png")
    size = None
    if drawing.exists():
        text = drawing.read_text(encoding="utf-8")
        size = _size(text)
        if len(text) <= LARGEST_SVG or not picture.exists():
            return embed_image("image/svg+xml", text), size
    return embed_image("image/png", picture.read_bytes()), size


def measure_lettering(stem):
    """Return the size in points of a published figure's smallest lettering; None where unknown."""
    drawing = stem.with_suffix(".svg")
    text = drawing.read_text(encoding="utf-8") if drawing.exists() else ""
    return min((100 * float(size) for size in LETTERS.findall(text)), default=None)


def find_figures(cells, keys):
    """Find which cell shows which published figure.

    A notebook ends with `study.publish(..., figures={"lorenz": fig})`: among the cells that show
    an image, the figure is in the last that gave `fig` its value, or else the last that names
    it. A notebook that gathers its figures first, `figures["lorenz"] = ...`, shows it there.

    Parameters
    ----------
    cells : list of dict
        Cells of an executed notebook.
    keys : collection of str
        Names of the published figures.

    Returns
    -------
    dict of int to list of str
        Names by the cell's position, no more than the cell has images. A figure that cannot be
        placed is in none.
    """
    trees = [_parse(cell) for cell in cells]
    images = [_count_images(cell) for cell in cells]
    places = {}
    for i, tree in enumerate(trees):
        places[i] = [key for key in _gathered_keys(tree) if key in keys][: images[i]]
    gathered = {key for found in places.values() for key in found}
    for key, variable in _published_variables(trees).items():
        if key not in keys or key in gathered:
            continue
        for names_of in (_assigned_names, _used_names):
            found = [
                i
                for i, tree in enumerate(trees)
                if images[i] > len(places[i]) and variable in names_of(tree)
            ]
            if found:
                places[found[-1]].append(key)
                break
    return {i: found for i, found in places.items() if found}


def tidy_html(html, *, label, rows_columns):
    """Return an HTML output without scripts and with its tables framed for narrow screens.

    Parameters
    ----------
    html : str
        As a library sent it.
    label : callable(str) -> (str, str)
        Told a table's HTML, answers its number and its title.
    rows_columns : str
        How to say "{rows} rows × {columns} columns".

    Returns
    -------
    str
        In a table with one plain row of headings, columns of words are set to the left and
        columns of numbers to the right, as are their headings. Tables made by
        `crmlab.study.shown_tables` say so themselves and are left as they are.
    """
    html = re.sub(r"<(script|style scoped)\b.*?</(script|style)>", "", html, flags=re.DOTALL)
    html = re.sub(
        r"(\d+) rows × (\d+) columns",
        lambda found: rows_columns.format(rows=found[1], columns=found[2]),
        html,
    )
    return re.sub(
        r"<table\b.*?</table>", lambda found: _frame(found[0], label), html, flags=re.DOTALL
    )


def frame_tables(html, label):
    """Return a text's HTML with each table captioned, in a frame that scrolls sideways.

    `label` is as for `tidy_html`. A table whose headings are all empty is a list of names and what
    they stand for: the empty row goes, the first column holds the headings, and it is not counted
    among the tables.
    """

    def frame(found):
        table = found[0]
        head = re.search(r"<thead>.*?</thead>\s*", table, re.DOTALL)
        if head and not re.sub(r"<[^>]+>", "", head[0]).strip():
            table = table.replace(head[0], "").replace("<table>", '<table class="terms">')
            row = re.compile(r"(<tr>\s*)<td\b[^>]*>(.*?)</td>", re.DOTALL)
            return _framed(row.sub(r'\1<th scope="row">\2</th>', table))
        return _captioned(table, label)

    return re.sub(r"<table\b.*?</table>", frame, html, flags=re.DOTALL)


def _frame(table, label):
    table = re.sub(r'\s(border="\d+"|style="text-align: \w+;?")', "", table)
    if 'class="dataframe"' in table:
        table = _align(table)
    return _captioned(table, label)


def _captioned(table, label):
    """Return a table in its frame under its caption, which also names the frame by keyboard."""
    number, title = map(escape, label(table))
    caption = f'<p class="caption"><b>{number}</b> {title}</p>'
    return caption + _framed(table, f' role="region" tabindex="0" aria-label="{number} {title}"')


def _framed(table, attributes=""):
    return f'<div class="table"{attributes}>{table}</div>'


def _align(table):
    """Mark the columns of words, judged by the rows of the body, and keep one row of headings.

    Columns are counted from the right: an index of several levels leaves out, on the left, what
    it has said in the row above. A row with a heading over several columns is left as it is.
    """
    table = _join_headings(table)
    words = {
        i
        for row in ROW.findall(table.partition("<tbody>")[2])
        for i, (_, _, text) in enumerate(reversed(CELL.findall(row)))
        if not NUMBER.fullmatch(re.sub(r"<[^>]+>", "", text).strip())
    }

    def mark(row):
        if "colspan" in row[0]:
            return row[0]
        places = iter(range(len(CELL.findall(row[0])) - 1, -1, -1))

        def one(found):
            kind = ' class="word"' if next(places) in words else ""
            return f"<{found[1]}{kind}{found[2]}>{found[3]}</{found[1]}>"

        return CELL.sub(one, row[0])

    return ROW.sub(mark, table)


def _join_headings(table):
    """Put the name of the index, which pandas writes in a row of its own, into the first row."""
    head = table.partition("</thead>")[0]
    rows = [[text for _, _, text in CELL.findall(row)] for row in ROW.findall(head)]
    if len(rows) != 2 or len(rows[0]) != len(rows[1]) or "colspan" in head:
        return table
    if any(first and second for first, second in zip(*rows, strict=True)):
        return table
    joined = "".join(f"<th>{first or second}</th>" for first, second in zip(*rows, strict=True))
    start, end = head.find("<tr"), head.rfind("</tr>") + len("</tr>")
    return table.replace(head, f"{head[:start]}<tr>{joined}</tr>{head[end:]}", 1)


def _size(drawing):
    """Return a drawing's width and height in pixels (96 to 72 points), as it was made."""
    found = re.search(r'<svg\b[^>]*?\bheight="([\d.]+)pt"[^>]*?\bwidth="([\d.]+)pt"', drawing)
    if found:
        return round(float(found[2]) * 96 / 72), round(float(found[1]) * 96 / 72)
    found = re.search(r'<svg\b[^>]*?\bwidth="([\d.]+)pt"[^>]*?\bheight="([\d.]+)pt"', drawing)
    return found and (round(float(found[1]) * 96 / 72), round(float(found[2]) * 96 / 72))


def _parse(cell):
    if cell["cell_type"] != "code":
        return None
    try:
        return ast.parse("".join(cell["source"]))
    except SyntaxError:  # a line of IPython's own
        return None


def _count_images(cell):
    outputs = cell.get("outputs", ())
    return sum(
        any(kind.startswith("image/") for kind in output.get("data", ())) for output in outputs
    )


def _published_variables(trees):
    """Return the variable under which each figure is handed to `publish`."""
    nodes = (node for tree in filter(None, trees) for node in ast.walk(tree))
    calls = (n for n in nodes if isinstance(n, ast.Call) and _called(n) == "publish")
    arguments = (argument for call in calls for argument in call.keywords)
    found = {}
    for argument in arguments:
        if argument.arg == "figures" and isinstance(argument.value, ast.Dict):
            for key, value in zip(argument.value.keys, argument.value.values, strict=True):
                names = [n.id for n in ast.walk(value) if isinstance(n, ast.Name)]
                if isinstance(key, ast.Constant) and names:
                    found[key.value] = names[0]
    return found


def _called(call):
    return getattr(call.func, "attr", None)


def _gathered_keys(tree):
    """Return the keys under which a cell stores something, in the order of its lines."""
    stored = [
        (node.lineno, node.slice.value)
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.slice, ast.Constant)
    ]
    return [key for _, key in sorted(stored, key=lambda found: found[0])]


def _assigned_names(tree):
    return _names(tree, ast.Store)


def _used_names(tree):
    return _names(tree, ast.Load) if not _published_variables([tree]) else set()


def _names(tree, context):
    nodes = ast.walk(tree) if tree else ()
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, context)}
