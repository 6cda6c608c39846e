r"""Markdown: a notebook's text as HTML that needs no script: formulas become MathML.

Who asks: the report, for every text cell and Markdown output. Formulas stand between `$` (in
the line) or `$$` (set apart), as in Jupyter; a `$` before a space or after one is money.
"""

import html
import re

import mistune
from latex2mathml.converter import convert
from mistune.plugins.math import math, math_in_list, math_in_quote

from crmlab.report.fonts import CJK

__all__ = ["PageMarkdown", "mathml", "plain_text"]

PLUGINS = ("table", "strikethrough", "task_lists", "def_list", "url", math, math_in_list)
# Words the converter does not know, by words it does.
SYNONYMS = (
    (r"\\(begin|end)\{aligned\}", r"\\\1{align*}"),
    (r"\\arg(?![A-Za-z])", r"\\operatorname{arg}"),
)
CHINESE = re.compile(f"[{CJK}]")
BAR = '<mo stretchy="false" lspace="0" rspace="0">|</mo>'
# What must not be parted from a formula in the line: the mark after it, the bracket before it.
BOUND = re.compile(
    "([(\N{FULLWIDTH LEFT PARENTHESIS}\N{LEFT DOUBLE QUOTATION MARK}]*)"
    "(<math(?![^>]*display=.block)(?:(?!</math>).)*</math>)"
    "([).,;:!?\N{FULLWIDTH RIGHT PARENTHESIS}\N{FULLWIDTH COMMA}\N{IDEOGRAPHIC COMMA}"
    "\N{IDEOGRAPHIC FULL STOP}\N{FULLWIDTH SEMICOLON}\N{FULLWIDTH COLON}"
    "\N{FULLWIDTH QUESTION MARK}\N{RIGHT DOUBLE QUOTATION MARK}]*)",
    re.DOTALL,
)
REMOTE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)


def mathml(latex, *, display=False):
    r"""Return a LaTeX formula as MathML, or as its own source where it cannot be converted.

    Parameters
    ----------
    latex : str
        The formula without its dollar signs.
    display : bool
        Whether the formula stands apart from the text.

    Returns
    -------
    str
        A `math` element with the source as `alttext`; a `code` element of class `tex` when a
        command is unknown to the converter, so that a reader sees the source and not a gap.

    Examples
    --------
    >>> "<mfrac>" in mathml(r"\frac{a}{b}")
    True
    >>> mathml(r"\nonsense{x}")
    '<code class="tex">\\nonsense{x}</code>'
    """
    source = latex.strip()
    plain = source
    for pattern, replacement in SYNONYMS:
        plain = re.sub(pattern, replacement, plain)
    try:
        converted = convert(plain, display="block" if display else "inline")
    except Exception:  # the converter has no error class of its own
        converted = r"<mi>\ "
    if re.search(r"<m[a-z]+>(?:\\|&<)", converted):
        return f'<code class="tex">{html.escape(source, quote=False)}</code>'
    # Names of Greek letters and operators come as character references; fonts want characters.
    converted = re.sub(r"&#x0*([0-9A-Fa-f]+);", _character, converted)
    # A bar is no operator in LaTeX: no room on either side of it.
    converted = re.sub(r"<mo(?: stretchy=\"false\")?>\|</mo>", BAR, converted)
    return converted.replace("<math ", f'<math alttext="{html.escape(source)}" ', 1)


class PageMarkdown(mistune.HTMLRenderer):
    """Turn the Markdown texts of one page into HTML, keeping ids unique and headings in order.

    Parameters
    ----------
    find : callable(str) -> str or None
        Told the target of a relative link, answers where it is in the report, or None: the
        link is then left as text. Without `find`, every relative link is.

    Attributes
    ----------
    attachments : dict of str to dict
        Images pasted into the cell being rendered, as a notebook stores them.
    headings : list of (int, str, str)
        Level, id and plain text of each heading so far.
    """

    def __init__(self, find=None):
        super().__init__(escape=False)
        self.find = find or (lambda _: None)
        self.headings = []
        self.attachments = {}
        self._ids = set()
        self._parse = mistune.create_markdown(
            renderer=self, escape=False, plugins=[*PLUGINS, math_in_quote]
        )

    def render(self, source, *, attachments=None):
        """Return the HTML of one Markdown text."""
        self.attachments = attachments or {}
        # A bar inside a table's cell is written \|, which LaTeX alone would read as a double bar.
        source = re.sub(r"^\s*\|.*\|\s*$", _single_bars, source, flags=re.MULTILINE)
        return BOUND.sub(_bind, self._parse(source))

    def render_line(self, source):
        """Return the HTML of a text without the paragraph around it."""
        return re.sub(r"^<p>(.*)</p>\s*$", r"\1", self.render(source), flags=re.DOTALL)

    def new_id(self, text):
        """Return an id for a text that no other element of the page bears."""
        stem = re.sub(r"[^\w]+", "-", plain_text(text).lower()).strip("-") or "section"
        name, n = stem, 2
        while name in self._ids:
            name, n = f"{stem}-{n}", n + 1
        self._ids.add(name)
        return name

    def heading(self, text, level, **_):
        """Return a heading that links to itself; a second first-level heading steps down."""
        if level == 1 and any(found == 1 for found, _, _ in self.headings):
            level = 2
        name = self.new_id(text)
        self.headings.append((level, name, plain_text(text)))
        if level == 1 or "<a " in text:
            return f'<h{level} id="{name}">{text}</h{level}>\n'
        return f'<h{level} id="{name}"><a class="here" href="#{name}">{text}</a></h{level}>\n'

    def link(self, text, url, title=None):
        """Return a link, or its text alone where it leads nowhere from the report."""
        if not (REMOTE.match(url) or url.startswith(("#", "mailto:"))):
            url = self.find(url)
        return text if url is None else super().link(text, url, title)

    def image(self, text, url, title=None):
        """Return an image that comes with the page, or a link to one elsewhere."""
        if url.startswith("attachment:"):
            kind, data = next(iter(self.attachments[url.removeprefix("attachment:")].items()))
            url = f"data:{kind};base64,{''.join(data).strip()}"
        elif REMOTE.match(url):
            return super().link(text or html.escape(url), url, title)
        elif not url.startswith("data:"):
            url = self.find(url)
        return text if url is None else super().image(text, url, title)

    def paragraph(self, text):
        """Return a paragraph; one that is emphasised from end to end is a note."""
        kind = ' class="note"' if re.fullmatch(r"<em\b[^>]*>(?:(?!</em>).)*</em>", text) else ""
        return f"<p{kind}>{text}</p>\n"

    def emphasis(self, text):
        """Return emphasis that says its script: Chinese characters have no italics."""
        return super().emphasis(text) if CHINESE.search(text) else f'<em class="latin">{text}</em>'

    def block_math(self, text):
        """Return a formula set apart."""
        return f'<span class="formula">{mathml(text, display=True)}</span>\n'

    def inline_math(self, text):
        """Return a formula in the line."""
        return mathml(text)


def plain_text(text):
    """Return HTML without its tags.

    Examples
    --------
    >>> plain_text("<em>A</em> &amp; B")
    'A & B'
    """
    return html.unescape(re.sub(r"<[^>]+>", "", text)).strip()


def _single_bars(row):
    return re.sub(r"\$[^$]+\$", lambda found: found[0].replace(r"\|", r"\vert "), row[0])


def _bind(found):
    is_alone = not (found[1] or found[3])
    return found[0] if is_alone else f'<span class="bound">{found[0]}</span>'


def _character(found):
    code = int(found[1], 16)
    return found[0] if code in (0x22, 0x26, 0x3C, 0x3E) else chr(code)
