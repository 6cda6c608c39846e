"""Chapters: one executed notebook as a page of the report.

Who asks: the report, once for every notebook of a run. The notebook is read as it stands on
disk; cells of the other language are left out, code is folded away, figures stand with the
captions of the atlas, and where the notebook failed, the failing cell is marked.
"""

import json
import re
from dataclasses import dataclass, field

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from crmlab.atlas.heads import name_unit, repeats_unit
from crmlab.report.markdown import PageMarkdown, mathml, plain_text
from crmlab.report.methods import AUTHOR, SOURCES, read_methods
from crmlab.report.outputs import (
    embed_figure,
    embed_image,
    find_figures,
    frame_tables,
    measure_lettering,
    strip_terminal_codes,
    tidy_html,
)
from crmlab.report.table_titles import title_table
from crmlab.study.parameters import read_parameters
from crmlab.study.wording import load_words, name_term, say_number, text_in

__all__ = ["AUTHOR", "SOURCES", "Chapter", "Figure", "read_chapter"]

TEMPLATE_IDS = ("main", "contents", "failed", "numbers", "files")
# What matplotlib says of itself when a cell ends in a plot.
PLOT_ECHO = re.compile(r"<(?:Axes|Figure|matplotlib|seaborn|AxesSubplot)\b|\[?array\(\[+<Axes")
BOLD_LINE = re.compile(r"<p><strong>((?:(?!</?strong>).)*)</strong></p>", re.DOTALL)
PYTHON = PythonLexer()
BARE = HtmlFormatter(nowrap=True)

LEAST_LETTERING = 6.5  # points, of a figure on paper
N_TILES = 4  # headline numbers of a chapter that names none


@dataclass
class Figure:
    """A published figure; its caption also tells what it shows to those who do not see it."""

    key: str
    id: str
    label: str
    caption: str
    source: str
    size: tuple[int, int] | None
    lettering: float | None = None

    def fit(self, scale, widest, highest):
        """Return its size on paper, in pixels: at a scale, larger where letters would be too small.

        It is never wider or higher than what is given; None where its own size is not known.
        """
        if self.size is None:
            return None
        width, height = self.size
        readable = LEAST_LETTERING / self.lettering if self.lettering else 0
        scale = min(max(scale, readable), widest / width, highest / height)
        return round(width * scale), round(height * scale)


@dataclass
class Chapter:
    """What the report knows of one notebook; `cells` is None where the notebook did not run.

    `placed` tells in which section of the page each figure stands; `model` is the notebook's own
    line on its model and `limits` what it says of its limits, both as HTML.
    """

    name: str
    number: str
    title: str
    state: str
    reason: str | None = None
    seconds: float | None = None
    error: str | None = None
    finding: str | None = None
    results: list[dict] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    parameters: list[dict] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    sections: list[tuple[str, str]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    cells: list[dict] | None = None
    has_title: bool = False
    placed: dict[str, str] = field(default_factory=dict)
    main: str | None = None
    headline: list[str] = field(default_factory=list)
    model: str = ""
    limits: str = ""

    @property
    def main_figure(self):
        """The figure the notebook named as its main one, else its first; None without any."""
        named = (figure for figure in self.figures if figure.key == self.main)
        return next(named, self.figures[0] if self.figures else None)

    @property
    def headline_results(self):
        """The results the notebook named for the front page, else its first ones."""
        by_key = {result["key"]: result for result in self.results}
        return [by_key[key] for key in self.headline] or self.results[:N_TILES]

    @property
    def stage(self):
        """The stage of the study, which is the ten of the notebook's number."""
        return self.number[0] if re.fullmatch(r"\d\d", self.number) else "other"


def read_chapter(folder, name, entry, *, language, currency=None, find):
    """Read what one notebook of a run left in the report folder.

    Parameters
    ----------
    folder : pathlib.Path
        A finished report folder.
    name : str
        The notebook's name.
    entry : dict
        Its entry in the manifest.
    language : {"en", "zh"}
        Which cells to take, and the language of captions, numbers and labels.
    currency : str or None
        ISO 4217 code of the study's money.
    find : callable(str) -> str or None
        Told the target of a relative link, answers where it is, seen from the page.

    Returns
    -------
    Chapter
    """
    found = re.match(r"\d+", name)
    chapter = Chapter(
        name=name,
        number=found[0] if found else name,
        title=text_in(entry["title"], language),
        state=entry["state"],
        reason=text_in(entry.get("reason"), language),
        seconds=entry.get("seconds"),
        outputs=sorted(entry.get("outputs", ())),
    )
    if chapter.state in ("left out", "not reached"):
        return chapter  # files it may have left are an earlier run's
    published = _read_json(folder / "results" / f"{name}.json") or {}
    chapter.finding = _bind_numbers(text_in(published.get("finding"), language))
    chapter.main = published.get("main_figure")
    chapter.headline = published.get("headline", [])
    for key, result in published.get("results", {}).items():
        name_, unit = name_term(key, language), result["unit"]
        if repeats_unit(name_, name_term(unit, language), language):
            unit = ""
        said = say_number(result["value"], unit, language=language, currency=currency, name=key)
        chapter.results.append({"key": key, "name": name_, "value": said})
    for key in published.get("undefined", ()):
        said = load_words(language)["undefined"]
        chapter.results.append({"key": key, "name": name_term(key, language), "value": said})
    label = load_words(language)["figure"]
    for i, key in enumerate(published.get("figures", ()), start=1):
        stem = folder / "figures" / name / key
        (source, size), lettering = embed_figure(stem), measure_lettering(stem)
        caption, n = name_term(key, language), f"{chapter.number}.{i}"
        chapter.figures.append(
            Figure(key, f"figure-{key}", label.format(n=n), caption, source, size, lettering)
        )
    document = _read_json(folder / "notebooks" / f"{name}.ipynb")
    if document is not None:
        reader = _Reader(chapter, entry.get("parameters", {}), language, find, currency)
        reader.read(document["cells"])
    return chapter


class _Reader:
    """Reads the cells of a notebook into its chapter, in order."""

    def __init__(self, chapter, parameters, language, find, currency):
        self.chapter = chapter
        self.parameters = parameters
        self.language = language
        self.currency = currency
        self.words = load_words(language)
        self.markdown = PageMarkdown(find)
        for taken in [*TEMPLATE_IDS, *(figure.id for figure in chapter.figures)]:
            self.markdown.new_id(taken)
        self.tables, self.bold_line = [], ""
        self.has_failed = False

    def read(self, cells):
        """Fill the chapter from the notebook's cells."""
        other = {"en": "zh", "zh": "en"}[self.language]
        skipped = {other, "injected-parameters", "papermill-error-cell-tag"}
        cells = [cell for cell in cells if not skipped & _tags(cell)]
        figures = {figure.key: figure for figure in self.chapter.figures}
        places = find_figures(cells, figures)
        self.chapter.cells = []
        for i, cell in enumerate(cells):
            if cell["cell_type"] == "markdown":
                self.chapter.cells.append(self._read_text(cell))
            elif cell["cell_type"] == "code":
                here = [figures[key] for key in places.get(i, ())]
                self.chapter.cells.append(self._read_code(cell, here))
                self.chapter.placed |= dict.fromkeys(places.get(i, ()), self._section())
        headings = self.markdown.headings
        self.chapter.has_title = any(level == 1 for level, _, _ in headings)
        self.chapter.sections = [(name, text) for level, name, text in headings if level == 2]
        texts = [_source(cell) for cell in cells if cell["cell_type"] == "markdown"]
        methods = read_methods(texts, self.language)
        self.chapter.model, self.chapter.limits = methods.model, methods.limits
        self.chapter.references = methods.works

    def _read_text(self, cell):
        self.bold_line = ""
        html = self.markdown.render(_source(cell), attachments=cell.get("attachments"))
        return {"kind": "text", "html": frame_tables(html, self._label_table)}

    def _read_code(self, cell, figures):
        source = _source(cell)
        block = {
            "kind": "code",
            "code": highlight(source, PYTHON, BARE),
            "n_lines": len(source.splitlines()),
            "state": "not run" if self.has_failed else "done",
            "outputs": [],
            "is_finding": False,
            "parameters": None,
        }
        if "parameters" in _tags(cell):
            block["parameters"] = self.chapter.parameters = self._read_parameters(source)
        if re.search(r"\bstudy\.say\(", source) and self.chapter.finding:
            # The sentence comes from the results file, in the report's language.
            block["is_finding"] = True
            return block
        waiting = iter(figures)
        for output in cell.get("outputs", ()):
            kind = output["output_type"]
            if kind == "error":
                self.has_failed, block["state"] = True, "failed"
                block["outputs"].append(self._read_error(output))
            elif kind == "stream":
                text = strip_terminal_codes("".join(output["text"]))
                block["outputs"].append(
                    {"kind": "note" if output["name"] == "stderr" else "text", "text": text}
                )
            else:
                shown = self._read_data(output["data"], waiting)
                if shown is not None:
                    block["outputs"].append(shown)
        return block

    def _read_data(self, data, figures):
        """Return the richest form of an output that a page can show, or None."""
        data = {kind: "".join(text) for kind, text in data.items() if isinstance(text, str | list)}
        for kind in ("image/svg+xml", "image/png", "image/jpeg"):
            if kind in data:
                figure = next(figures, None)
                if figure is not None:
                    return {"kind": "figure", "figure": figure}
                source = embed_image(kind, data[kind])
                return {"kind": "image", "source": source, "text": self._describe_image()}
        if "text/html" in data:
            html = tidy_html(
                data["text/html"],
                label=self._label_table,
                rows_columns=self.words["rows_columns"],
            )
            return {"kind": "html", "html": html}
        if "text/markdown" in data:
            html = self.markdown.render(data["text/markdown"])
            if line := BOLD_LINE.fullmatch(html.strip()):
                self.bold_line = plain_text(line[1])
            return {"kind": "html", "html": frame_tables(html, self._label_table)}
        if "text/latex" in data:
            formula = data["text/latex"].strip().strip("$")
            return {"kind": "html", "html": mathml(formula, display=True)}
        text = strip_terminal_codes(data.get("text/plain", ""))
        return None if not text or PLOT_ECHO.match(text) else {"kind": "text", "text": text}

    def _read_error(self, output):
        self.chapter.error = f"{output['ename']}: {output['evalue']}".strip()
        lines = strip_terminal_codes("\n".join(output.get("traceback", ())))
        return {"kind": "error", "text": self.chapter.error, "traceback": lines}

    def _section(self):
        """Return the heading of the section that the next cell stands in."""
        sections = [text for level, _, text in self.markdown.headings if level == 2]
        return sections[-1] if sections else ""

    def _describe_image(self):
        if not self.markdown.headings:
            return self.words["figure_plain"]
        return self.words["figure_in"].format(section=self.markdown.headings[-1][2])

    def _label_table(self, table):
        """Return a table's number, counted like the figures', and its title.

        What the notebook says in bold above a table names it; a title that was given before gains
        the heading that the table stands under.
        """
        n = f"{self.chapter.number}.{len(self.tables) + 1}"
        headings = [self.chapter.title, *(text for _, _, text in self.markdown.headings)]
        above, self.bold_line = self.bold_line or headings[-1], ""
        title = title_table(table, above, self.language)
        if (above != headings[-1] or title in self.tables) and not title.startswith(above):
            title = self.words["table_again"].format(heading=above, title=title)
        self.tables.append(title)
        return self.words["table_region"].format(n=n), title

    def _read_parameters(self, source):
        rows = []
        for name, parameter in read_parameters(source).items():
            value = self.parameters.get(name, parameter.default)
            if parameter.choices:
                allowed = ", ".join(parameter.choices)
            elif parameter.low is not None:
                low, high = f"{parameter.low:g}", f"{parameter.high:g}"
                allowed = self.words["allowed_numbers"].format(low=low, high=high)
            else:
                allowed = ""
            unit = "" if parameter.unit in ("1", "share") else parameter.unit
            rows.append(
                {
                    "name": name,
                    "meaning": parameter.zh if self.language == "zh" else parameter.en,
                    "value": _literal(value),
                    "unit": name_unit(unit, self.language, self.currency) if unit else "",
                    "default": None if value == parameter.default else _literal(parameter.default),
                    "allowed": allowed,
                }
            )
        return rows


def _bind_numbers(text):
    """Return a text in which no line ends between a sign such as = and its number."""
    return text and re.sub(r" ([=±≈]) (?=\S)", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", text)


def _read_json(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _source(cell):
    return "".join(cell["source"])


def _tags(cell):
    return set(cell.get("metadata", {}).get("tags", ()))


def _literal(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
