"""PDF: the paper report printed by a browser that is already there.

Who asks: a student who hands the study in, a teacher who prints it. Chromium, Chrome and Edge all
print; the document is measured once and printed twice, because figures find their places, and the
table of contents its pages, only once the text is set.
"""

import json
import os
import re
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from crmlab.report.pages import FONT_MARKER
from crmlab.report.paper import read_paper, render_paper
from crmlab.report.paper_flow import MEASURE, move_figures
from crmlab.report.paper_fonts import write_faces
from crmlab.study.artefacts import write_whole
from crmlab.study.configuration import StudyError
from crmlab.study.doctor import find_browser

__all__ = ["read_pages", "write_pdf"]

CURE = "install Chromium, Google Chrome or Microsoft Edge"
FIRST_WITH_MARGINS = 131  # older browsers print no page numbers
OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The page asks the network for nothing; nor shall the browser.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
)
LONGEST = 300  # seconds for one printing
MOST_PRINTINGS = 4


def write_pdf(folder, *, language=None, has_code=False):
    """Write a run's report as one PDF of A4 pages, `report.pdf` in its folder.

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
        The PDF: tagged, with an outline, its fonts inside. It appears whole or not at all; the
        same run printed by the same browser gives the same bytes.

    Raises
    ------
    ValueError
        If the folder holds no report, there is no browser, or it could not print.
    """
    browser = find_browser()
    if browser is None:
        raise StudyError(f"no browser was found to print the PDF: {CURE}")
    folder = Path(folder).resolve()
    paper = read_paper(folder, language=language, has_code=has_code)
    # In the report's folder, because a browser from a snap package reads the user's files only.
    with tempfile.TemporaryDirectory(
        prefix=".paper-", dir=folder, ignore_cleanup_errors=True
    ) as work:
        content = _print_until_stable(browser, paper, Path(work))
    content = _date(content, paper["started"])
    write_whole(folder / "report.pdf", lambda draft: draft.write_bytes(content))
    return folder / "report.pdf"


def _print_until_stable(browser, paper, work):
    """Print again and again until every page named in the document is the true one."""
    html = render_paper(paper)
    faces = write_faces(html, paper["language"], work)
    pages, places = {}, _measure(browser, html.replace(FONT_MARKER, faces, 1), work)
    for _ in range(MOST_PRINTINGS):
        html = move_figures(render_paper(paper, pages=pages), places)
        (work / "paper.html").write_text(
            html.replace(FONT_MARKER, faces, 1), encoding="utf-8", newline="\n"
        )
        content = _print_page(browser, work / "paper.html", work)
        found = read_pages(content)
        if found == pages:
            return content
        pages = found
    raise StudyError(
        "the browser set the pages differently each time it printed them, so that the table of "
        "contents cannot name them: try again, or update the browser"
    )


def _measure(browser, html, work):
    """Return where the parts of each chapter stand when the document is set on an endless sheet."""
    page = work / "measured.html"
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', MEASURE, html, count=1)
    page.write_text(html, encoding="utf-8", newline="\n")
    _, said = _run(browser, work, "--virtual-time-budget=60000", "--dump-dom", page.as_uri())
    found = re.search(r'<pre id="places">(.*?)</pre>', said)
    return json.loads(found[1]) if found else []


def _print_page(browser, page, work):
    """Return a local page as PDF, printed by a browser."""
    output = work / "paper.pdf"
    output.unlink(missing_ok=True)
    code, said = _run(browser, work, f"--print-to-pdf={output}", page.as_uri())
    if not output.is_file():
        reason = next(filter(None, map(str.strip, reversed(said.split("\n")))), "it gave no reason")
        raise StudyError(
            f"{browser} printed nothing (exit code {code}): {reason}\nUpdate it, or {CURE}."
        )
    content = output.read_bytes()
    _check_age(browser, content)
    return content


def _run(browser, work, *task):
    """Return a browser's exit code and what it says, with a profile of its own in `work`."""
    command = [browser, *OPTIONS, f"--user-data-dir={work / 'profile'}", "--user-agent=crmlab"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")  # as root the browser refuses to start with it
    said = work / "said.txt"  # a file: a pipe would be held open by what the browser started
    try:
        with said.open("wb") as stream:
            done = subprocess.run(  # noqa: S603 - the browser found above, and files of our own
                [*command, *task],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                timeout=LONGEST,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise StudyError(
            f"{browser} did not finish printing within {LONGEST} seconds: close other programs "
            "and try again, or open the report's index.html and print it by hand"
        ) from error
    except OSError as error:
        raise StudyError(f"{browser} could not be started ({error}): {CURE}") from error
    return done.returncode, said.read_text("utf-8", "replace")


def _check_age(browser, content):
    made_by = re.search(rb"Skia/PDF m(\d+)", content)
    if made_by and int(made_by[1]) < FIRST_WITH_MARGINS:
        raise StudyError(
            f"{browser} is version {int(made_by[1])}, which prints no page numbers: update it to "
            f"{FIRST_WITH_MARGINS} or newer"
        )


def read_pages(content):
    """Return the page on which each link's target stands in a PDF.

    Parameters
    ----------
    content : bytes
        The PDF.

    Returns
    -------
    dict of str to int
        Pages, counted from 1, by the id of the element on them.
    """
    from io import BytesIO

    from pypdf import PdfReader

    reader = PdfReader(BytesIO(content))
    return {
        unquote(name.removeprefix("/")): reader.get_destination_page_number(place) + 1
        for name, place in reader.named_destinations.items()
    }


def _date(content, started):
    """Return a PDF dated by its run, so that printing it again gives the same bytes."""
    moment = datetime.fromisoformat(started).astimezone(UTC)
    stamp = f"D:{moment:%Y%m%d%H%M%S}+00'00'".encode()
    return re.sub(
        rb"(/(?:CreationDate|ModDate) \()D:\d{14}\+00'00'", lambda found: found[1] + stamp, content
    )
