"""Sheets: a page in the report's design that stands alone in one file, fonts and figures inside.

Who asks: whoever hands on a comparison or a sweep, which have no report folder of their own.
"""

import tempfile
from pathlib import Path

from crmlab.report.outputs import embed_image
from crmlab.report.pages import FONT_MARKER, write_fonts
from crmlab.report.templates import open_template, read_style
from crmlab.study.artefacts import write_whole
from crmlab.study.wording import load_words

__all__ = ["write_sheet"]

# The name of a number keeps its room where a table of many columns is scrolled.
OWN_CSS = ".name { min-width: 9em; }\n"


def write_sheet(path, template, *, language, **values):
    """Write a page from one of the report's templates, whole or not at all.

    Parameters
    ----------
    path : path-like
        The page, `.html`.
    template : str
        File name of the template.
    language : {"en", "zh"}
    **values
        What the template shows, beside the report's words (`w`).
    """
    from crmlab import __version__

    html = open_template(template).render(
        w=load_words(language),
        css=read_style("report.css") + OWN_CSS,
        font_marker=FONT_MARKER,
        version=__version__,
        **values,
    )
    html = html.replace(FONT_MARKER, _embed_fonts(html, language), 1)
    path = Path(path)
    write_whole(path, lambda draft: draft.write_text(html, encoding="utf-8", newline="\n"))


def _embed_fonts(html, language):
    """Return the rules of the fonts a page needs, cut to its characters, the fonts inside."""
    with tempfile.TemporaryDirectory() as folder:
        return "".join(
            f'@font-face {{ font-family: "{family}"; font-display: swap; '
            f'src: url("{embed_image("font/woff", path.read_bytes())}") format("woff"); }}\n'
            for family, path in write_fonts(Path(folder), [html], language).items()
        )
