"""The templates and styles of pages, paper and Word, and the one way to open them."""

from functools import cache
from pathlib import Path

__all__ = ["open_template", "read_style"]

FOLDER = Path(__file__).parent


@cache
def _open_environment():
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(("html.j2",), default=False),  # Word's styles are put in whole
        trim_blocks=True,
        lstrip_blocks=True,
    )


def open_template(name):
    """Return a jinja2 template by its file's name, such as "chapter.html.j2"."""
    return _open_environment().get_template(name)


def read_style(name):
    """Return the text of a style sheet by its file's name, such as "report.css"."""
    return (FOLDER / name).read_text(encoding="utf-8")
