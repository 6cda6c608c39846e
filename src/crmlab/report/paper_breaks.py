"""Breaks on paper: which texts are not parted between pages, and which lead to a table.

Who asks: the paper report, for print. A style sheet cannot count lines, and a browser that finds
no good place within a short paragraph parts it all the same; so lines are estimated here.
"""

import re
import unicodedata

from crmlab.report.markdown import plain_text

__all__ = ["mark_breaks"]

TEXT = re.compile(r"<(p|li)>((?:(?!<(?:p|li|ul|ol)\b).)*?)</\1>", re.DOTALL)
TABLE_NEXT = re.compile(
    r'\s*(?:</div>\s*)?(?:<div class="output">\s*)?<(?:p class="caption"|div class="table")'
)
BOLD_LINE = re.compile(r"<strong>(?:(?!</?strong>).)*</strong>", re.DOTALL)
CODE = re.compile(r"(?<=<code>)[^<]+(?=</code>)")
LINE = 95  # characters of the middling kind that a line of the text holds; a Chinese one counts 2
BRIEF = 3.3  # lines; a text of no more cannot be parted without a line that stands alone
LEADING = 2  # lines; a text of no more that stands before a table speaks of that table


def mark_breaks(html):
    """Return HTML whose short texts bear `brief`, and those that lead to what follows `leads`.

    Parameters
    ----------
    html : str
        The document, its tables framed as `fit_tables` of `crmlab.report.paper_tables` does.

    Returns
    -------
    str
        A line in bold, a text that ends in a colon, and a short one before a table lead.

    Examples
    --------
    >>> mark_breaks("<p><strong>To foretell</strong></p>")
    '<p class="brief leads"><strong>To foretell</strong></p>'
    >>> mark_breaks("<p>Short.</p>")
    '<p class="brief">Short.</p>'
    """

    def mark(found):
        tag, content = found.groups()
        # Where a name in code cannot be broken, a justified line before it is torn apart.
        content = CODE.sub(lambda name: re.sub(r"([_./])(?=\w)", r"\1<wbr>", name[0]), content)
        text = plain_text(content)
        n_lines = _width(text) / LINE
        leads = tag == "p" and (
            BOLD_LINE.fullmatch(content) is not None
            or text.endswith((":", "\N{FULLWIDTH COLON}"))
            or (n_lines <= LEADING and TABLE_NEXT.match(html, found.end()) is not None)
        )
        names = " ".join(["brief"] * (n_lines <= BRIEF) + ["leads"] * leads)
        names = f' class="{names}"' if names else ""
        return f"<{tag}{names}>{content}</{tag}>"

    return TEXT.sub(mark, html)


def _width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
