"""Paper: a finished run as one document, for print and for Word.

Who asks: a student who hands the study in, a teacher who prints it. What the pages of the screen
report hold is gathered here into one text in the order of a paper: title, contents, findings,
data, chapters by stage, methods and limits, references, appendix. Code and what belongs to the
notebook alone (what it teaches, its exercises, its parameters) are left out unless asked for.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from crmlab.atlas import LANGUAGES
from crmlab.report.chapter import Chapter, read_chapter
from crmlab.report.front import describe_run
from crmlab.report.markdown import plain_text
from crmlab.report.methods import SEEN, SOURCES
from crmlab.report.pages import FONT_MARKER
from crmlab.report.paper_breaks import mark_breaks
from crmlab.report.paper_tables import fit_tables
from crmlab.report.templates import open_template, read_style
from crmlab.study.manifest import read_manifest
from crmlab.study.wording import load_words, say_day, text_in

__all__ = ["read_paper", "render_paper"]

# Sections that speak to someone who has the notebook open.
TAUGHT = {"en": ("What you will learn", "Exercises"), "zh": ("你将学到", "练习")}
HERE = re.compile(r'<a class="here" href="[^"]*">(.*?)</a>(?=</h\d>)', re.DOTALL)
VOID = {"br", "col", "hr", "img", "input", "wbr"}


@dataclass
class Part:
    """A chapter as it stands on paper: its texts (HTML) and cells, in order."""

    chapter: Chapter
    blocks: list


def read_paper(folder, *, language=None, has_code=False):
    """Read a finished run as one document.

    Parameters
    ----------
    folder : path-like
        A report folder with `manifest.json`. Of a run that failed half way, what was finished is
        told, and what is missing is named.
    language : {"en", "zh"} or None
        Language of the document; None takes the study's own. Figures and printed outputs keep
        the language of the run.
    has_code : bool
        Whether the notebooks' code, parameters and exercises are part of the document.

    Returns
    -------
    dict
        What the templates are filled with.

    Raises
    ------
    ValueError
        If the folder holds no report, or the language is unknown.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    language = language or manifest["study"]["language"]
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}; expected one of {', '.join(LANGUAGES)}")
    chapters = [
        read_chapter(
            folder,
            name,
            entry,
            language=language,
            currency=manifest["dataset"]["currency"],
            find=lambda url: _find(url, manifest),
        )
        for name, entry in sorted(manifest["notebooks"].items())
    ]
    run = describe_run(manifest, chapters, language)
    parts = [
        _set_chapter(chapter, language, has_code)
        for chapter in chapters
        if chapter.cells is not None
    ]
    words = load_words(language)
    stages = {}
    for part in parts:
        stages.setdefault(words[f"stage_{part.chapter.stage}"], []).append(part)
    study = manifest["study"]
    return run | {
        "w": words,
        "version": manifest["versions"]["crmlab"],
        "study": {key: text_in(study[key], language) for key in ("title", "question")},
        "language": language,
        "day": say_day(manifest["started"], language),
        "started": manifest["started"],
        "has_code": has_code,
        "chapters": chapters,
        "others": [chapter for chapter in run["findings"] if chapter not in run["leading"]],
        "absent": [chapter for chapter in chapters if chapter.cells is None],
        "printed": parts,
        "stages": list(stages.items()),
        "notebooks": [
            (name, entry["sha256"])
            for name, entry in sorted(manifest["notebooks"].items())
            if entry.get("sha256")
        ],
    }


def render_paper(paper, *, pages=None):
    """Return the document as HTML.

    Parameters
    ----------
    paper : dict
        From `read_paper`.
    pages : dict of str to int or None
        The page on which each element stands, by its id, as far as it is known.

    Returns
    -------
    str
        For print, or for Word where `paper` says `is_word`. The rules of the fonts go where
        `FONT_MARKER` of `crmlab.report.pages` stands.
    """
    html = open_template("paper.html.j2").render(
        **paper,
        css=read_style("paper.css"),
        css_text=_css_text,
        as_sentence=as_sentence,
        font_marker=FONT_MARKER,
        pages=pages or {},
    )
    html = fit_tables(html)
    return html if paper.get("is_word") else mark_breaks(html)


def as_sentence(text, stop):
    """Return a phrase (HTML) as a sentence: a capital at its head, a full stop at its end.

    Examples
    --------
    >>> as_sentence("ratio <em>C</em>", ".")
    'Ratio <em>C</em>.'
    """
    ends = plain_text(text).endswith((".", "!", "?", "\N{IDEOGRAPHIC FULL STOP}", stop))
    return text[:1].upper() + text[1:] + ("" if ends else stop)


def _find(url, manifest):
    """Return where a notebook's relative link leads within the document; None where nowhere."""
    target = PurePosixPath(url.partition("#")[0])
    states = {name: entry["state"] for name, entry in manifest["notebooks"].items()}
    if target.suffix == ".ipynb" and states.get(target.stem) in ("done", "failed"):
        return f"#{target.stem}"
    return None


def _set_chapter(chapter, language, has_code):
    """Take from a chapter what stands in it on paper."""
    part, section, ids = Part(chapter, []), "", set()
    for cell in chapter.cells:
        if cell["kind"] == "code":
            part.blocks.append(cell)
            if cell["state"] == "failed":
                break  # what was to be told of results that are not there is not told
            continue
        for block in split_blocks(cell["html"]):
            ids.update(re.findall(r'\sid="([^"]+)"', block))
            heading = re.match(r"<h([12])\b", block)
            if heading:
                section = plain_text(block) if heading[1] == "2" else ""
            if _belongs(block, section, language, has_code):
                part.blocks.append(block)
    part.blocks = [
        _own(block, chapter.name, ids) if isinstance(block, str) else block for block in part.blocks
    ]
    for figure in chapter.figures:
        figure.id = f"{chapter.name}-{figure.id}"
    return part


def _belongs(block, section, language, has_code):
    """Return whether a block of a notebook's text stands in its chapter."""
    if block.startswith("<h1"):
        return False  # the template sets the chapter's title, with its number
    if section == SOURCES[language]:
        # Limits and works are gathered from all chapters.
        return plain_text(block).startswith(SEEN[language])
    is_taught = section in TAUGHT[language] or (not section and 'class="terms"' in block)
    return has_code or not is_taught


def _own(html, name, ids):
    """Return a chapter's HTML with its ids made its own among all chapters."""
    html = HERE.sub(r"\1", html)
    html = re.sub(r'(\sid=")([^"]+)"', rf'\g<1>{name}-\2"', html)

    def lead(found):
        target = unquote(found[1])
        return f'href="#{name}-{target}"' if target in ids else found[0]

    return re.sub(r'href="#([^"]+)"', lead, html)


def split_blocks(html):
    r"""Return a text's outermost elements, in order, each as HTML.

    Examples
    --------
    >>> split_blocks("<p>a</p>\n<ul><li>b<ul><li>c</li></ul></li></ul>")
    ['<p>a</p>', '<ul><li>b<ul><li>c</li></ul></li></ul>']
    """
    splitter = _Splitter()
    splitter.feed(html)
    splitter.close()
    return [block for block in (*splitter.blocks, splitter.raw.strip()) if block]


class _Splitter(HTMLParser):
    """Cuts HTML wherever one of its outermost elements ends."""

    def __init__(self):
        super().__init__(convert_charrefs=False)
        self.blocks, self.raw, self.depth = [], "", 0

    def handle_starttag(self, tag, attrs):  # noqa: ARG002
        self.raw += self.get_starttag_text()
        self.depth += tag not in VOID

    def handle_startendtag(self, tag, attrs):  # noqa: ARG002
        self.raw += self.get_starttag_text()

    def handle_endtag(self, tag):
        self.raw += f"</{tag}>"
        self.depth -= tag not in VOID
        if self.depth <= 0:
            self.blocks.append(self.raw.strip())
            self.raw, self.depth = "", 0

    def handle_data(self, data):
        self.raw += data

    def handle_entityref(self, name):
        self.raw += f"&{name};"

    def handle_charref(self, name):
        self.raw += f"&#{name};"


def _css_text(text):
    """Return a text as a CSS string: it may hold quotes, and must not end the style element."""
    special = re.compile(r'["\\<\n]')
    return '"' + special.sub(lambda found: f"\\{ord(found[0]):x} ", text) + '"'
