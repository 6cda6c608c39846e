"""Word: the paper report as a document to write on in.

Who asks: a student whose teacher wants a .docx, a manager who wants to take out a chapter. Pandoc
turns the document into Word's own headings, tables, equations and pictures; `word_parts` gives it
the looks of the printed report.
"""

import html
import os
import re
import subprocess
import tempfile
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from crmlab.report.paper import read_paper, render_paper
from crmlab.report.word_parts import CONTENTS, finish_document, write_reference
from crmlab.report.word_tables import choose_layout
from crmlab.study.artefacts import write_whole
from crmlab.study.configuration import StudyError
from crmlab.study.doctor import find_pandoc

__all__ = ["write_word"]

CURE = (
    "install crmlab's extra `office`, which brings it (`pip install 'crmlab[office]'`; in a "
    "clone, `uv sync --extra office`), or pandoc itself"
)
LANGUAGE = {"en": "en-GB", "zh": "zh-CN"}  # as Word names them
LONGEST = 300  # seconds
SCALE, WIDEST, HIGHEST = 0.7, 620, 800  # of a figure; in CSS pixels: 164 and 212 mm
SIGN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
EM_SPACE, SIGNS = "\N{EM SPACE}", {"+": "+", "-": "\N{MINUS SIGN}"}
SIZED = re.compile(r"\\[bB]igg?[lr]?(?=[()|\[\]])")
WORDS = re.compile(r"\\math(?:it|rm)(?=\{[A-Za-z]{2,}\})")
RAISED = re.compile(r"\^(?:\{([+-])\}|([+-]))")
SPACE = re.compile(r"\\(q{1,2})uad(?![A-Za-z])")
CELL = re.compile(r"<(t[hd])\b([^>]*)>")
NAME = re.compile(r'<p class="name">(.*?)</p>', re.DOTALL)  # stays with what it names
CAPTION = re.compile(r'<p class="caption">(.*?)</p>', re.DOTALL)
BOLD = re.compile(r"<p>(<strong>(?:(?!</?strong>).)*</strong>)</p>", re.DOTALL)  # and this
NOTE = re.compile(r'(<p class="note">)<em>((?:(?!</?em>).)*)</em>(?=</p>)', re.DOTALL)
STRESSED = re.compile(r"<em>(.*?)</em>", re.DOTALL)
FORMULA = re.compile(r'(<math alttext="([^"]*)"[^>]*>)(.*?)</math>', re.DOTALL)


def write_word(folder, *, language=None, has_code=False):
    """Write a run's report as a Word document, `report.docx` in its folder.

    Parameters
    ----------
    folder : path-like
        A report folder with `manifest.json`, as `crmlab run` leaves it.
    language : {"en", "zh"} or None
        Language of the document; None takes the study's own.
    has_code : bool
        Whether the notebooks' code, parameters and exercises are part of the document.

    Returns
    -------
    pathlib.Path
        The document. It appears whole or not at all; the same run gives the same bytes.

    Raises
    ------
    ValueError
        If the folder holds no report, there is no pandoc, or it could not write the document.

    Notes
    -----
    Word lays out the pages itself and fills in the table of contents when it opens the document.
    """
    pandoc = find_pandoc()
    if pandoc is None:
        raise StudyError(f"pandoc, which writes Word documents, was not found: {CURE}")
    folder = Path(folder).resolve()
    paper = read_paper(folder, language=language, has_code=has_code)
    for part in paper["printed"]:
        for figure in part.chapter.figures:
            _show_picture(figure, folder, f"figures/{part.chapter.name}/{figure.key}.png")
    for_word = {"is_word": True, "word_language": LANGUAGE[paper["language"]]}
    page = render_paper(paper | for_word | {"contents_marker": CONTENTS})
    tables = []
    page = TABLE.sub(lambda found: _lay_out(found[0], tables), page)
    page = FORMULA.sub(_add_source, page)
    page = NAME.sub(r'<div data-custom-style="Run Head"><p>\1</p></div>', page)
    page = CAPTION.sub(r'<div data-custom-style="Table Caption"><p>\1</p></div>', page)
    page = BOLD.sub(r'<div data-custom-style="Run Head"><p>\1</p></div>', page)
    if paper["language"] == "zh":  # Chinese has no italics: dots stand under what is stressed
        page = NOTE.sub(r"\1\2", page)
        page = STRESSED.sub(r'<span data-custom-style="Stressed">\1</span>', page)
    with tempfile.TemporaryDirectory(prefix=".paper-", dir=folder) as work:
        default = _run(pandoc, "--print-default-data-file=reference.docx", started=paper["started"])
        reference = write_reference(Path(work) / "reference.docx", default, paper)
        draft = _convert(pandoc, page, reference, paper["started"], folder)
        content = finish_document(draft, paper, tables)
    write_whole(folder / "report.docx", lambda path: path.write_bytes(content))
    return folder / "report.docx"


def _show_picture(figure, folder, picture):
    """Let a figure be shown by its PNG, which every version of Word can show, and fit the page."""
    if (folder / picture).is_file():
        figure.source = picture
    figure.size = figure.fit(SCALE, WIDEST, HIGHEST)


def _lay_out(table, tables):
    """Tell pandoc what a browser knows from the style sheet: widths of columns, and alignment.

    What the finished document must know of the table is added to `tables`.
    """
    head = re.match(r"<table[^>]*>", table)[0]
    is_layout, is_frame = "layout" in head, "dataframe" in head
    size, widths = choose_layout(table)
    if is_layout:
        widths = [100 / len(widths)] * len(widths)
    tables.append({"size": size, "is_short": "short" in head, "is_layout": is_layout})

    def align(found):
        is_number = re.search(r'class="[^"]*\bnumber\b', found[2])
        is_word = re.search(r'class="[^"]*\bword\b', found[2])
        is_set = "text-align" in found[2]
        if not is_set and (is_number or (is_frame and not is_word)):
            return f'<{found[1]}{found[2]} style="text-align: right">'
        return found[0]

    widths = "".join(f'<col style="width: {width:.1f}%">' for width in widths)
    return f"{head}<colgroup>{widths}</colgroup>{CELL.sub(align, table[len(head) :])}"


def _add_source(found):
    """Hand the formula's own LaTeX on: pandoc turns it into an equation Word can edit."""
    source = pair_delimiters(say_plainly(html.unescape(found[2])))
    note = f'<annotation encoding="application/x-tex">{html.escape(source)}</annotation>'
    return f"{found[1]}<semantics>{found[3]}{note}</semantics></math>"


def say_plainly(source):
    r"""Return a LaTeX formula without what only TeX sets, or what some programs take for commands.

    Equations of Word size their brackets themselves. Wide spaces become text, since Word's kin
    leave out space in a formula, and so do a number sign and a sign that is raised alone.

    Examples
    --------
    >>> print(say_plainly(r"\Big(d_i^+\Big)^{-}"))
    (d_i^{\text{+}})^{\text{−}}
    >>> print(say_plainly(r"\#\{a\}"))
    \text{#}\{a\}
    """
    source = WORDS.sub(r"\\text", SIZED.sub("", source))
    source = RAISED.sub(lambda found: rf"^{{\text{{{SIGNS[found[1] or found[2]]}}}}}", source)
    source = SPACE.sub(lambda found: rf"\text{{{EM_SPACE * len(found[1])}}}", source)
    return source.replace(r"\#", r"\text{#}")


def pair_delimiters(source):
    r"""Return a LaTeX formula whose plain brackets and bars are told to belong together.

    LaTeX lets `(a)^2` raise the closing bracket alone. Equations of Word hold what stands between
    two delimiters as one thing, and some programs refuse half of a pair.

    Examples
    --------
    >>> print(pair_delimiters(r"(a - b)^2 + |c|"))
    \left(a - b\right)^2 + \left|c\right|
    >>> print(pair_delimiters(r"P(a | b) \in [0, 1)"))
    P\left(a | b\right) \in [0, 1)
    """
    signs, stack = SIGN.findall(source), []
    for i, sign in enumerate(signs):
        is_sized = i > 0 and re.match(r"\\(left|right|[bB]igg?[lr]?)$", signs[i - 1])
        if sign == "{" or (sign == "(" and not is_sized):
            stack.append((sign, i))
        elif sign in ("}", ")") and not is_sized:
            partner = {"}": "{", ")": "("}[sign]
            # A bracket never closes across a group; a bar left open is no delimiter.
            here = takewhile(lambda kind: kind != "{", (kind for kind, _ in reversed(stack)))
            if sign == ")" and partner not in here:
                continue
            while stack and stack[-1][0] != partner:
                stack.pop()
            if stack:
                _join(signs, stack.pop()[1], i, sign)
        elif sign == "|" and not is_sized:
            if stack and stack[-1][0] == "|":
                _join(signs, stack.pop()[1], i, sign)
            else:
                stack.append((sign, i))
    return "".join(signs)


def _join(signs, start, end, closing):
    """Mark two delimiters as a pair, unless a column or a line of the formula ends between them."""
    if closing != "}" and not {"&", "\\\\"} & set(signs[start:end]):
        signs[start], signs[end] = f"\\left{signs[start]}", f"\\right{signs[end]}"


def _convert(pandoc, page, reference, started, folder):
    """Return the path of the document as pandoc makes it, beside the reference document."""
    source, target = reference.with_name("paper.html"), reference.with_name("paper.docx")
    source.write_text(page, encoding="utf-8", newline="\n")
    options = [f"--reference-doc={reference}", f"--resource-path={folder}", f"--output={target}"]
    _run(pandoc, "--from=html", "--to=docx", *options, str(source), started=started)
    return target


def _run(pandoc, *arguments, started):
    """Return what pandoc says, its documents dated by the run."""
    moment = int(datetime.fromisoformat(started).timestamp())
    try:
        done = subprocess.run(  # noqa: S603 - the pandoc that was found, and files of our own
            [pandoc, *arguments],
            capture_output=True,
            timeout=LONGEST,
            check=False,
            env=os.environ | {"SOURCE_DATE_EPOCH": str(moment)},
        )
    except subprocess.TimeoutExpired as error:
        raise StudyError(
            f"{pandoc} did not finish within {LONGEST} seconds: close other programs and try again"
        ) from error
    except OSError as error:
        raise StudyError(f"{pandoc} could not be started ({error}): {CURE}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or "it gave no reason"
        raise StudyError(f"{pandoc} could not write the Word document: {said}")
    return done.stdout
