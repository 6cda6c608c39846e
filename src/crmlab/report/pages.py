"""The report: a finished run as pages that open from a folder, with no network and no script.

Who asks: a student who wants the findings, a teacher who prints them, a researcher who checks how
they came about. The pages are written from the report folder alone: manifest, results, figures
and executed notebooks.
"""

import hashlib
import importlib
import re
from pathlib import Path, PurePosixPath

from crmlab.atlas import LANGUAGES
from crmlab.report.front import describe_run
from crmlab.report.templates import open_template, read_style
from crmlab.study.artefacts import write_whole
from crmlab.study.manifest import read_manifest
from crmlab.study.wording import load_words, text_in

__all__ = ["prepare_report", "write_fonts", "write_report"]

FONT_MARKER = "/* fonts */"
SOURCE = Path(__file__).parents[1]
# What the pages are made by; the run itself is told by its manifest.
MADE_BY = (
    "report/*.py",
    "report/templates/*",
    "study/wording.py",
    "study/words.csv",
    "study/parameters.py",
    "atlas/terms.csv",
    "atlas/heads.py",
)
HEAD = 3000  # characters of a page within which its stamp and its fonts stand
ASCII = "".join(map(chr, range(0x20, 0x7F)))
# Set in the serif face: first and second headings, and the values of the tiles.
SERIF = re.compile(r"<(h1|h2|dd)\b[^>]*>(.*?)</\1>", re.DOTALL)


def write_report(folder, *, language=None):
    """Write a run's report into its folder: `index.html` and a page for each notebook that ran.

    Parameters
    ----------
    folder : path-like
        A report folder with `manifest.json`, as `crmlab run` leaves it. A run that failed half
        way is reported as far as it came.
    language : {"en", "zh"} or None
        Language of the pages; None takes the study's own. Figures and printed outputs keep the
        language of the run.

    Returns
    -------
    pathlib.Path
        The front page. Every page appears whole or not at all, and pages and fonts of an
        earlier report are removed once the new ones stand. Where the pages already say what
        they would say now, nothing is written.

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
    stamp = _stamp(folder, language)
    if not _is_written(folder, manifest, stamp):
        _write_pages(folder, manifest, language, stamp)
    return folder / "index.html"


def _write_pages(folder, manifest, language, stamp):
    # What takes long to import is asked for only now: most often there is nothing to write.
    from crmlab.report.chapter import read_chapter

    chapters = [
        read_chapter(
            folder,
            name,
            entry,
            language=language,
            currency=manifest["dataset"]["currency"],
            find=lambda url: _find(url, folder, manifest),
        )
        for name, entry in sorted(manifest["notebooks"].items())
    ]
    study = manifest["study"]
    common = {
        "w": load_words(language),
        "css": read_style("report.css"),
        "font_marker": FONT_MARKER,
        "version": manifest["versions"]["crmlab"],
        "study": {key: text_in(study[key], language) for key in ("title", "question")},
        "chapters": chapters,
    }
    pages = _render_chapters(common)
    run = describe_run(manifest, chapters, language)
    pages["index.html"] = open_template("index.html.j2").render(**common, **run, stamp=stamp)
    fonts = write_fonts(folder / "fonts", pages.values(), language)
    for name, html in pages.items():
        _write_page(folder / name, html, fonts)
    _remove_others(folder / "pages", {PurePosixPath(name).name for name in pages})
    _remove_others(folder / "fonts", {path.name for path in fonts.values()})


def _stamp(folder, language):
    """Return a fingerprint of all that the pages are made from: the run, and how it is told."""
    made_by = [path for part in MADE_BY for path in sorted(SOURCE.glob(part)) if path.is_file()]
    found = hashlib.sha256(language.encode())
    for path in (folder / "manifest.json", *made_by):
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _is_written(folder, manifest, stamp):
    """Return whether the pages and fonts of this stamp are there."""
    try:
        with (folder / "index.html").open(encoding="utf-8") as page:
            head = page.read(HEAD)
    except OSError:
        return False
    if f'<meta name="crmlab-stamp" content="{stamp}">' not in head:
        return False
    fonts = re.findall(r'url\("(fonts/[^"]+)"\)', head)
    pages = [
        f"pages/{name}.html"
        for name, entry in manifest["notebooks"].items()
        if entry["state"] not in ("left out", "not reached")
        and (folder / "notebooks" / f"{name}.ipynb").exists()
    ]
    return all((folder / path).is_file() for path in (*fonts, *pages))


def prepare_report():
    """Make ready what pages are written with, in a moment when nothing else is waited for."""
    for name in ("fontTools.ttLib", "uharfbuzz", "crmlab.report.chapter"):
        importlib.import_module(name)
    for name in ("index.html.j2", "chapter.html.j2"):
        open_template(name)


def _render_chapters(common):
    """Return the page of each notebook that ran, by its place in the folder."""
    template = open_template("chapter.html.j2")
    shown = [chapter for chapter in common["chapters"] if chapter.cells is not None]
    pages = {}
    for chapter, before, after in zip(shown, [None, *shown], [*shown[1:], None], strict=False):
        pages[f"pages/{chapter.name}.html"] = template.render(
            **common,
            chapter=chapter,
            before=before,
            after=after,
            unplaced=[f for f in chapter.figures if f.key not in chapter.placed],
            files=_label_files(chapter.outputs, common["w"]),
        )
    return pages


def _label_files(outputs, words):
    """Return the files a chapter left, each with what it is; the figures are on the page."""
    labels = []
    for path in outputs:
        kind, stem = PurePosixPath(path).parts[0], PurePosixPath(path).stem
        if kind in ("notebooks", "results", "tables"):
            labels.append((words[f"file_{kind}"].format(name=stem), path))
    return labels


def _find(url, folder, manifest):
    """Return where a notebook's relative link leads, seen from a page; None where nowhere."""
    path, mark, part = url.partition("#")
    target = PurePosixPath(path)
    if target.suffix == ".ipynb" and target.stem in manifest["notebooks"]:
        if (folder / "notebooks" / target.name).exists():
            return f"{target.stem}.html{mark}{part}"
        return f"../index.html#chapter-{target.stem}"
    resolved = (folder / "notebooks" / path).resolve()
    if path and resolved.is_relative_to(folder.resolve()) and resolved.is_file():
        return "../" + resolved.relative_to(folder.resolve()).as_posix()
    return None


def write_fonts(folder, pages, language):
    """Write the fonts that pages need, cut to their characters.

    Parameters
    ----------
    folder : pathlib.Path
        Where the fonts go.
    pages : iterable of str
        The pages' HTML.
    language : {"en", "zh"}

    Returns
    -------
    dict of str to pathlib.Path
        Font files by the name of their family.
    """
    from crmlab.report.fonts import CJK, write_font

    text = re.sub(r'src="data:[^"]*"|<style>.*?</style>', "", "".join(pages), flags=re.DOTALL)
    headings = "".join(found[1] for found in SERIF.findall(text))
    fonts = {"crmlab serif": write_font(ASCII + headings, folder, face="serif")}
    # English text takes the reader's own font; only its Chinese characters come along.
    characters = set(text) | set(ASCII) if language == "zh" else set(re.findall(f"[{CJK}]", text))
    if characters:
        fonts["crmlab sans"] = write_font(characters, folder, face="sans")
    return fonts


def _write_page(path, html, fonts):
    root = "../" if path.parent.name == "pages" else ""
    faces = "".join(
        f'@font-face {{ font-family: "{family}"; font-display: swap; '
        f'src: url("{root}fonts/{file.name}") format("woff"); }}\n'
        for family, file in fonts.items()
    )
    html = html.replace(FONT_MARKER, faces, 1)
    write_whole(path, lambda draft: draft.write_text(html, encoding="utf-8", newline="\n"))


def _remove_others(folder, names):
    """Remove what an earlier report left in one of the report's own folders."""
    for path in folder.glob("*") if folder.is_dir() else ():
        if path.name not in names and path.suffix in (".html", ".woff"):
            path.unlink()
