"""The report: a finished run as pages that open from a folder, with no network and no script.

Who asks: a student who wants the findings, a teacher who prints them, a researcher who checks how
they came about. The pages are written from the report folder alone: manifest, results, figures
and executed notebooks.
"""

import re
from pathlib import Path, PurePosixPath

from crmlab.atlas import LANGUAGES
from crmlab.study.artefacts import write_whole
from crmlab.study.manifest import read_manifest
from crmlab.study.wording import (
    TEMPLATES,
    load_words,
    say_day,
    say_duration,
    say_moment,
    say_number,
    text_in,
)

__all__ = ["write_report"]

FONT_MARKER = "/* fonts */"
ASCII = "".join(map(chr, range(0x20, 0x7F)))
LINK = re.compile(r"\]\([^)]*\)")
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
        earlier report are removed once the new ones stand.

    Raises
    ------
    ValueError
        If the folder holds no report, or the language is unknown.
    """
    from jinja2 import Environment, FileSystemLoader

    from crmlab.study.chapter import read_chapter

    folder = Path(folder)
    manifest = read_manifest(folder)
    language = language or manifest["study"]["language"]
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}; expected one of {', '.join(LANGUAGES)}")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
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
        "css": (TEMPLATES / "report.css").read_text(encoding="utf-8"),
        "font_marker": FONT_MARKER,
        "version": manifest["versions"]["crmlab"],
        "study": {key: text_in(study[key], language) for key in ("title", "question")},
        "chapters": chapters,
    }
    pages = _render_chapters(environment, common)
    front = environment.get_template("index.html.j2")
    pages["index.html"] = front.render(**common, **_describe_run(manifest, chapters, language))
    fonts = _write_fonts(folder / "fonts", pages.values(), language)
    for name, html in pages.items():
        _write_page(folder / name, html, fonts)
    _remove_others(folder / "pages", {PurePosixPath(name).name for name in pages})
    _remove_others(folder / "fonts", {path.name for path in fonts.values()})
    return folder / "index.html"


def _render_chapters(environment, common):
    """Return the page of each notebook that ran, by its place in the folder."""
    template = environment.get_template("chapter.html.j2")
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


def _describe_run(manifest, chapters, language):
    """Return what the front page says, beyond what every page knows."""
    words = load_words(language)
    data = _describe_data(manifest["dataset"], language)
    # Chapter 00 tells of the field and the project; the front page tells of the customers.
    told = [chapter for chapter in chapters if chapter.stage != "0"]
    numbered = [chapter for chapter in told if chapter.results]
    findings = [chapter for chapter in told if chapter.finding]
    key_figures = [(chapter, chapter.main_figure) for chapter in told if chapter.figures]
    references = _gather_references(chapters)
    stages = {}
    for chapter in chapters:
        stages.setdefault(words[f"stage_{chapter.stage}"], []).append(chapter)
    sections = ["found", *["figures"] * bool(key_figures), *["numbers"] * bool(numbered)]
    sections += ["data", "chapters", "made", *["references"] * bool(references)]
    link = '<a href="manifest.json">manifest.json</a>'
    states = [chapter.state for chapter in chapters]
    return {
        "data": data,
        "facts": _list_facts(data, manifest, language),
        "sections": [(key, words[key]) for key in sections],
        "n_failed": states.count("failed"),
        "n_missing": states.count("not reached"),
        "findings": findings,
        "key_figures": key_figures,
        "numbered": numbered,
        "n_results": sum(len(chapter.results) for chapter in numbered),
        "stages": list(stages.items()),
        "duration": lambda seconds: say_duration(seconds, language),
        "made": _list_making(manifest, chapters, language),
        "command": f"uv run crmlab run studies/{manifest['study']['file']}",
        "manifest_line": words["manifest"].format(link=link),
        "parameters": [chapter for chapter in chapters if chapter.parameters],
        "versions": list(manifest["versions"].items()),
        "references": references,
    }


def _describe_data(dataset, language):
    words = load_words(language)
    texts = ("title", "summary", "licence", "citation", "origin", "currency")
    data = {key: text_in(dataset[key], language) for key in texts}
    first, last = dataset["observed_from"], dataset["observed_to"]
    data["has_window"] = bool(first and last)
    data["window"] = words["window_unknown"]
    if data["has_window"]:
        days = {"from_day": say_day(first, language), "to_day": say_day(last, language)}
        data["window"] = words["window_text"].format(**days)
    card = ("window", "currency", "origin", "licence", "citation")
    data["card"] = [(words[key], data[key]) for key in card]
    one_row_is = dataset.get("one_row_is", {})
    data["tables"] = [
        {
            "key": name,
            "name": words.get(f"table_{name}", name),
            "one_row_is": text_in(one_row_is.get(name), language),
            "n_rows": say_number(table["n_rows"], "", language=language),
        }
        for name, table in dataset["tables"].items()
    ]
    data["says_rows"] = any(table["one_row_is"] for table in data["tables"])
    reason = {"en": "reason", "zh": "reason_zh"}[language]
    data["left_out"] = [
        {
            "table": words.get(f"table_{row['table']}", row["table"]),
            "reason": row.get(reason) or row["reason"],
            "n_rows": say_number(row["n_rows"], "", language=language),
        }
        for row in dataset["left_out"]
    ]
    data["files"] = list(dataset["files"].items())
    data["is_simulated"] = "truth" in dataset["tables"]
    return data


def _list_facts(data, manifest, language):
    words = load_words(language)
    facts = [data["title"]]
    for name in ("orders", "survey"):
        if name in manifest["dataset"]["tables"]:
            n_rows = manifest["dataset"]["tables"][name]["n_rows"]
            said = say_number(n_rows, "", language=language)
            facts.append(words[f"fact_{name}"].format(n=said))
    if data["has_window"]:
        facts.append(data["window"])
    return facts


def _list_making(manifest, chapters, language):
    words = load_words(language)
    study, versions = manifest["study"], manifest["versions"]
    seconds = sum(chapter.seconds or 0 for chapter in chapters)
    return [
        (words["data_set"], study["data"]),
        (words["seed"], study["seed"]),
        (words["run_on"], say_moment(manifest["started"], language)),
        (words["took"], say_duration(seconds, language)),
        ("crmlab", versions["crmlab"]),
        ("Python", versions["python"]),
    ]


def _gather_references(chapters):
    """Return each work cited once, as HTML, with the chapters that cite it, in alphabetic order."""
    from crmlab.study.markdown import PageMarkdown

    markdown, cited = PageMarkdown(), {}
    for chapter in chapters:
        for text in chapter.references:
            doi = re.search(r"10\.\d{4,}/[^\s\]>]+", text)
            key = doi[0].rstrip(").,;。") if doi else re.sub(r"\W+", "", text)
            work = cited.setdefault(key.casefold(), {"text": text, "chapters": []})
            work["text"] = max(work["text"], text, key=lambda said: len(LINK.sub("", said)))
            if chapter not in work["chapters"]:
                work["chapters"].append(chapter)
    works = sorted(cited.values(), key=lambda work: work["text"].casefold())
    return [(markdown.render_line(work["text"]), work["chapters"]) for work in works]


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


def _write_fonts(folder, pages, language):
    """Write the fonts the pages need, cut to their characters; return them by family name."""
    from crmlab.study.fonts import CJK, write_font

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
