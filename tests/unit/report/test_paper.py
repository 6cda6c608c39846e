"""The paper report of a small run written by hand: the document, its PDF, its Word file."""

import json
import os
import re
import sys
import zipfile
from html.parser import HTMLParser
from io import BytesIO
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from crmlab.atlas import load_terms
from crmlab.cli import app
from crmlab.report import pdf, word, word_parts
from crmlab.report.paper import read_paper, render_paper
from crmlab.report.pdf import read_pages, write_pdf
from crmlab.report.word import write_word
from crmlab.study.doctor import find_browser, find_pandoc
from crmlab.study.wording import load_words

FIGURES = [entry for entry in load_terms().values() if entry.kind == "figure"][:2]
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" height="144pt" width="288pt" viewBox="0 0 2 1">'
    '<path d="M0 0L2 1" stroke="black"/></svg>'
)
TABLE = (
    '<table class="dataframe"><thead><tr><th></th><th>n_orders</th></tr></thead>'
    "<tbody><tr><th>忠诚</th><td>41</td></tr></tbody></table>"
)
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in browser is a script")


def both(en, zh):
    return [("markdown", en, "en"), ("markdown", zh, "zh")]


def outputs(**kinds):
    data = {kind.replace("_", "/").replace("svg", "svg+xml"): said for kind, said in kinds.items()}
    return {"output_type": "display_data", "metadata": {}, "data": data}


VALUE = [
    *both(
        "# Who carries the revenue?\n\n| | |\n|---|---|\n| Model | Gini (1912), $C = (b)^2$ |\n"
        "| Minutes | 9 to read |",
        "# 收入主要来自谁？\n\n| | |\n|---|---|\n| 模型 | Gini（1912），$C = (b)^2$ |\n"
        "| 时长 | 9 |",
    ),
    *both("## What you will learn\n\nTo **rank**.", "## 你将学到\n\n**排序**。"),
    ("code", "k: int = 4  # how many / 个数; customers; 2..12", "parameters"),
    *both(
        "## Data\n\nSee [30](30_kinds.ipynb), [below](#check), [40](40_survey.ipynb), [x](x.py).",
        "## 数据\n\n见[下文](#检验)。",
    ),
    ("code", "frame", outputs(text_html=TABLE)),
    *both("## Check\n\nSo $|a| = b$.", "## 检验\n\n*必须* $|a| = b$。"),
    ("code", "secret_code = plot()", outputs(image_svg=SVG)),
    ("code", "study.say(en=text, zh=text_zh)", outputs()),
    *both("## Exercises\n\n1. Guess.", "## 练习\n\n1. 猜一猜。"),
    *both(
        "## Limits and sources\n\nA rank is no forecast.\n\n- One limit.\n\n- Gini, C. (1912). "
        "*Variabilità*.\n\n**What we saw.** We ranked them.",
        "## 局限与来源\n\n排名不是预测。\n\n- 一条局限。\n\n- Gini, C. (1912). *Variabilità*.\n\n"
        "**我们看到了什么。** 我们排了名。",
    ),
    ("code", f"study.publish(figures={{'{FIGURES[0].key}': secret_code}})"),
]
KINDS = [
    *both("# Which kinds?", "# 有哪几类？"),
    *both("## Check\n\n### Alike", "## 检验\n\n### 相似"),
    *both(
        "## Limits and sources\n\nGini, C. (1912). *Variabilità*.",
        "## 局限与来源\n\nGini, C. (1912). *Variabilità*.",
    ),
]
BROKEN = [
    *both("# How well?", "# 成效如何？"),
    ("code", "1 / 0", {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "by zero"}),
    *both("What never came about.", "没有发生的事。"),
]
TITLES = {
    "20_value": {"en": "Who carries the revenue?", "zh": "收入主要来自谁？"},
    "30_kinds": {"en": "Which kinds?", "zh": "有哪几类？"},
    "40_survey": {"en": "Satisfied?", "zh": "满意吗？"},
    "80_score": {"en": "How well?", "zh": "成效如何？"},
    "81_rank": {"en": "Which quarter?", "zh": "哪个季度？"},
}


def write_cells(path, cells):
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    for i, (kind, source, *rest) in enumerate(cells):
        tags = [part for part in rest if isinstance(part, str)]
        cell = {"cell_type": kind, "id": str(i), "source": source, "metadata": {"tags": tags}}
        if kind == "code":
            cell |= {"outputs": [part for part in rest if isinstance(part, dict)]}
        document["cells"].append(cell)
    path.write_text(json.dumps(document), "utf-8")


@pytest.fixture
def run(tmp_path):
    """The folder of a run that went half way, in a project."""
    from matplotlib.figure import Figure

    for name in ("notebooks", "studies"):
        (tmp_path / name).mkdir()
    folder = tmp_path / "reports" / "shop"
    states = dict(zip(TITLES, ("done", "done", "left out", "failed", "not reached"), strict=True))
    reason = {"en": "the data set has no table “survey”", "zh": "数据集中没有 survey 表"}
    notebooks = {
        name: {
            "state": states[name],
            "title": title,
            "reason": reason if states[name] == "left out" else None,
            "seconds": 1.0,
            "parameters": {"k": 5} if name == "20_value" else {},
            "sha256": "ab" * 32,
            "outputs": {},
        }
        for name, title in TITLES.items()
    }
    manifest = {
        "study": {
            "name": "shop",
            "file": "shop.yaml",
            "title": {"en": 'The "small" </style> shop', "zh": "一家“小”店</style>"},
            "question": {"en": "Who stays?", "zh": "谁会留下？"},
            "language": "en",
            "seed": 7,
            "data": "shop",
        },
        "dataset": {
            "name": "shop",
            "title": {"en": "Orders", "zh": "订单数据"},
            "summary": {"en": "Three orders.", "zh": "三笔订单。"},
            "licence": {"en": "MIT", "zh": "MIT 许可"},
            "citation": "The shop (2024).",
            "origin": {"en": "Own operation", "zh": "自营"},
            "observed_from": "2024-01-01",
            "observed_to": "2024-03-31",
            "currency": "CNY",
            "tables": {"orders": {"n_rows": 12345}},
            "left_out": [],
            "files": {"orders.csv": "cd" * 32},
        },
        "versions": {"python": "3.11.7", "crmlab": "0.1.0"},
        "notebooks": notebooks,
        "started": "2026-03-04T05:06:07+00:00",
        "finished": None,
    }
    for part in ("notebooks", "results", "figures/20_value"):
        (folder / part).mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    for name, cells in (("20_value", VALUE), ("30_kinds", KINDS), ("80_score", BROKEN)):
        write_cells(folder / "notebooks" / f"{name}.ipynb", cells)
    published = {
        "finding": {"en": "One in 20 carries 71.2%.", "zh": "每 20 位带来 71.2%。"},
        "results": {"n_customers": {"value": 2349, "unit": ""}},
        "figures": [FIGURES[0].key],
        "main_figure": FIGURES[0].key,
    }
    (folder / "results" / "20_value.json").write_text(json.dumps(published), "utf-8")
    stem = folder / "figures" / "20_value" / FIGURES[0].key
    stem.with_suffix(".svg").write_text(SVG, "utf-8")
    Figure(figsize=(4, 2)).savefig(stem.with_suffix(".png"))
    return folder


@pytest.fixture(params=["en", "zh"])
def language(request):
    return request.param


@pytest.fixture
def browser():
    found = find_browser()
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("no browser is installed: no PDF was printed")
    if found is None:
        pytest.skip("no browser is installed")
    return found


@pytest.fixture
def pandoc():
    found = find_pandoc()
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("pandoc is not installed: no Word document was written")
    if found is None:
        pytest.skip("pandoc is not installed")
    return found


class Page(HTMLParser):
    """What a test asks of a document: ids, addresses, headings and all text by chapter."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.sources, self.links, self.headings = [], [], [], []
        self.texts, self.section, self.level = {}, "", None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.sources += [found["src"]] if "src" in found else []
        self.links += [found["href"]] if "href" in found else []
        if tag == "section" and found.get("class", "").startswith("leaf"):
            self.section = found.get("id", "")
        if tag in ("h1", "h2", "h3"):
            self.level = tag
            self.headings.append([tag, ""])

    def handle_endtag(self, tag):
        self.level = None if tag == self.level else self.level

    def handle_data(self, data):
        self.texts[self.section] = self.texts.get(self.section, "") + data
        if self.level:
            self.headings[-1][1] += data

    def titles(self, level="h1"):
        return [" ".join(text.split()) for tag, text in self.headings if tag == level]


def render(run, language="en", **options):
    return render_paper(read_paper(run, language=language, **options))


def test_chapters_stand_once_in_the_order_of_a_paper(run, language):
    words = load_words(language)
    title = json.loads((run / "manifest.json").read_text("utf-8"))["study"]["title"][language]
    chapters = [f"{name[:2]} {TITLES[name][language]}" for name in ("20_value", "30_kinds")]
    last = f"80 {TITLES['80_score'][language]}"
    before = [title, words["contents"], words["found"], words["data"]]
    after = [words[key] for key in ("methods", "references", "paper_appendix")]
    page = Page(render(run, language))
    assert page.titles() == [*before, *chapters, last, *after]


def test_ids_are_unique_and_links_lead_to_them(run, language):
    for has_code in (False, True):
        page = Page(render(run, language, has_code=has_code))
        assert len(page.ids) == len(set(page.ids))
        inside = [unquote(link[1:]) for link in page.links if link.startswith("#")]
        assert set(inside) <= set(page.ids)
        assert {"20_value", "80_score", "references"} <= set(inside)
        assert [link for link in page.links if not link.startswith("#")] == []


def test_document_asks_nothing_of_network_or_disk(run):
    html = render(run)
    assert all(source.startswith("data:image/") for source in Page(html).sources)
    assert re.findall(r"url\(|@import|<script|<link", html) == []
    assert "default-src 'none'" in html


def test_code_exercises_and_parameters_stay_out_unless_asked(run):
    plain, full = Page(render(run)), Page(render(run, has_code=True))
    for text in ("secret_code = plot()", "To rank.", "Guess.", "9 to read"):
        assert text not in plain.texts["20_value"]
        assert text in full.texts["20_value"]
    assert "2349" not in plain.texts["20_value"]
    assert "how many" in plain.texts[""]  # in the appendix


def test_limits_and_models_are_gathered_and_works_cited_once(run, language):
    said = {
        "en": ("A rank is no forecast.", "One limit.", "We ranked them."),
        "zh": ("排名不是预测。", "一条局限。", "我们排了名。"),
    }[language]
    page = Page(render(run, language))
    chapter, rest = page.texts["20_value"], page.texts[""]
    assert said[2] in chapter
    assert all(text in rest and text not in chapter for text in said[:2])
    assert "Gini (1912)" in rest.replace("Gini（1912）", "Gini (1912)")
    assert rest.count("Gini, C. (1912)") == 1
    assert "Gini, C." not in chapter + page.texts["30_kinds"]


def test_contents_name_the_pages_they_are_told(run):
    html = render_paper(read_paper(run), pages={"20_value": 17, "references": 23})
    entries = re.findall(r'<a href="#(\w+)">(?:(?!</a>).)*<span class="page">(\d*)</span>', html)
    assert dict(entries)["20_value"] == "17"
    assert dict(entries)["references"] == "23"
    assert dict(entries)["found"] == ""


def test_unfinished_run_says_what_is_missing_and_why(run):
    page = Page(render(run))
    first = page.texts[""]
    assert "1 failed, 1 not reached" in first
    assert "ZeroDivisionError: by zero" in first
    assert "Left out: the data set has no table “survey”. 40 Satisfied?" in first
    assert "81 Which quarter? Not reached: an earlier chapter failed." in first
    assert "This chapter stopped at an error." in page.texts["80_score"]
    assert "never came about" not in page.texts["80_score"]


def test_interrupted_run_says_so_without_a_failure(run):
    path = run / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["notebooks"]["80_score"]["state"] = "not reached"
    path.write_text(json.dumps(manifest), "utf-8")
    assert "incomplete. 2 not reached." in Page(render(run)).texts[""]


def test_title_cannot_leave_its_place_in_the_style_sheet(run):
    html = render(run)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    assert r'content: "The \22 small\22  \3c /style> shop"' in style
    assert html.count("</style>") == 1


def test_language_that_is_not_known_is_refused(run):
    with pytest.raises(ValueError, match="language is 'fr'; expected one of en, zh"):
        read_paper(run, language="fr")


@pytest.mark.xdist_group("tiny")
@pytest.mark.usefixtures("browser")
def test_pdf_of_english_holds_its_chinese_words_and_true_pages(run):
    content = write_pdf(run).read_bytes()
    assert write_pdf(run).read_bytes() == content  # the same when it is printed again
    reader = PdfReader(BytesIO(content))
    texts = [page.extract_text() for page in reader.pages]
    pages = read_pages(content)
    for name, heading in (("20_value", "Who carries the revenue?"), ("references", "References")):
        assert heading in texts[pages[name] - 1]
        assert re.search(rf"{re.escape(heading)}\s*{pages[name]}\b", texts[1])
    value = texts[pages["20_value"] - 1]
    assert "忠诚" in value  # the first words set in the Chinese face
    assert "One in 20 carries 71.2%." in value
    assert reader.metadata["/Title"] == 'The "small" </style> shop'
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert [path.name for path in run.iterdir() if path.name.startswith(".")] == []


@pytest.mark.xdist_group("tiny")
@pytest.mark.usefixtures("browser")
def test_notebook_named_in_chinese_finds_its_page(run):
    path = run / "manifest.json"
    text = path.read_text("utf-8").replace("20_value", "20_客户价值")
    path.write_text(text, "utf-8")
    for part in ("notebooks/{}.ipynb", "results/{}.json", "figures/{}"):
        (run / part.format("20_value")).rename(run / part.format("20_客户价值"))
    content = write_pdf(run).read_bytes()
    page = read_pages(content)["20_客户价值"]
    reader = PdfReader(BytesIO(content))
    assert "Who carries the revenue?" in reader.pages[page - 1].extract_text()
    assert f"Who carries the revenue? {page}" in reader.pages[1].extract_text()


def stand_in(folder, lines):
    """A browser that does what its lines say; `$out` is where the PDF should go."""
    path = folder / "browser"
    path.write_text(
        '#!/bin/sh\nfor a; do case "$a" in --print-to-pdf=*) out="${a#*=}";; esac; done\n' + lines
    )
    path.chmod(0o755)
    return str(path)


@POSIX
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("echo no display >&2; exit 3", r"printed nothing \(exit code 3\): no display\nUpdate it"),
        ("sleep 60", "did not finish printing within 0.5 seconds: close other programs"),
        ("printf '%%PDF-1.4 Skia/PDF m120' > $out", "version 120, which prints no page numbers"),
    ],
)
def test_browser_that_fails_is_told_and_costs_no_earlier_pdf(
    run, tmp_path, monkeypatch, lines, message
):
    monkeypatch.setattr(pdf, "find_browser", lambda: stand_in(tmp_path, lines))
    monkeypatch.setattr(pdf, "LONGEST", 0.5)
    (run / "report.pdf").write_bytes(b"earlier")
    with pytest.raises(ValueError, match=message):
        write_pdf(run)
    assert (run / "report.pdf").read_bytes() == b"earlier"
    assert [path.name for path in run.iterdir() if path.name.startswith(".")] == []


def read_parts(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.usefixtures("pandoc")
def test_word_document_is_made_of_words_own_parts(run, language):
    parts = read_parts(write_word(run, language=language))
    for name, content in parts.items():
        assert str(run).encode() not in content, name
        if name.endswith((".xml", ".rels")):
            ElementTree.fromstring(content)  # noqa: S314 - our own file
    document = parts["word/document.xml"].decode()
    headings = [
        "".join(re.findall(r"<w:t [^>]*>([^<]*)</w:t>", paragraph))
        for paragraph in re.findall(r'<w:pStyle w:val="Heading1" />(.*?)</w:p>', document)
    ]
    assert headings[0] == load_words(language)["found"]
    assert headings[3] == f"30 {TITLES['30_kinds'][language]}"
    assert document.count("<m:oMath>") == 2
    assert document.count("<m:d>") == 2  # the bracket and the bars are pairs
    assert "<w:tblHeader" in document
    caption = FIGURES[0].text(language)
    assert document.count(f'descr="{caption}"') == 2  # in the chapter and among the key figures
    assert sum(name.endswith(".png") for name in parts) == 1
    assert r"TOC \o" in document
    anchors = set(re.findall(r'<w:hyperlink w:anchor="([^"]+)"', document))
    assert anchors <= set(re.findall(r'<w:bookmarkStart w:id="\d+" w:name="([^"]+)"', document))
    styles = parts["word/styles.xml"].decode()
    assert 'w:eastAsia="Microsoft YaHei"' in styles
    spoken = ElementTree.fromstring(styles).find(f".//{W}rPrDefault//{W}lang")  # noqa: S314
    assert spoken.get(f"{W}eastAsia") == "zh-CN"
    assert spoken.get(f"{W}val") == "en-GB"
    assert ('w:val="Stressed"' in document) == (language == "zh")
    assert ">PAGE<" in parts["word/footer1.xml"].decode()
    settings = parts["word/settings.xml"].decode()
    assert ("compressPunctuation" in settings) == (language == "zh")


def test_word_keeps_a_table_with_the_text_before_it():
    lead, table = '<w:p><w:pPr><w:pStyle w:val="BodyText" /></w:pPr>a</w:p>', "<w:tbl></w:tbl>"
    kept = lead.replace(" /></w:pPr>", " /><w:keepNext /></w:pPr>")
    assert word_parts.lead_to_tables(lead + lead + table + lead) == lead + kept + table + lead


@pytest.mark.usefixtures("pandoc")
def test_word_tables_stay_within_the_page(run):
    document = read_parts(write_word(run))["word/document.xml"].decode()
    grids = re.findall(r"<w:tblGrid>(.*?)</w:tblGrid>", document)
    assert grids
    for grid in grids:
        assert sum(map(int, re.findall(r'w:w="(\d+)"', grid))) <= 11906 - 2 * 1247 + 10


@pytest.mark.usefixtures("pandoc")
def test_word_document_is_the_same_when_written_again(run):
    assert write_word(run).read_bytes() == write_word(run).read_bytes()


def test_word_document_is_not_lost_when_pandoc_fails(run, monkeypatch):
    monkeypatch.setattr(word, "find_pandoc", lambda: str(run / "no_such_program"))
    (run / "report.docx").write_bytes(b"earlier")
    with pytest.raises(ValueError, match="could not be started"):
        write_word(run)
    assert (run / "report.docx").read_bytes() == b"earlier"


def test_formats_are_refused_with_the_nearest_name(run, monkeypatch):
    monkeypatch.chdir(run.parents[1])
    for asked, message in (("html,pfd", "html, pdf, docx; did you mean 'pdf'?"), (",", "pdf")):
        result = CliRunner().invoke(app, ["report", "shop", "--to", asked])
        assert result.exit_code == 2
        assert message in result.output


@pytest.mark.parametrize(
    ("format_", "module", "finder", "cure"),
    [
        ("pdf", pdf, "find_browser", "install Chromium, Google Chrome or Microsoft Edge"),
        ("docx", word, "find_pandoc", "pip install 'crmlab[office]'"),
    ],
)
def test_missing_tool_is_named_with_its_cure(run, monkeypatch, format_, module, finder, cure):
    monkeypatch.chdir(run.parents[1])
    monkeypatch.setattr(module, finder, lambda: None)
    result = CliRunner().invoke(app, ["report", "shop", "--to", format_])
    assert result.exit_code == 2
    assert cure in " ".join(result.output.split())


@pytest.mark.usefixtures("pandoc")
def test_report_command_writes_what_is_asked_and_names_what_is_missing(run, monkeypatch):
    monkeypatch.chdir(run.parents[1])
    result = CliRunner().invoke(app, ["report", "shop", "--to", "docx,html", "--lang", "zh"])
    assert result.exit_code == 0, result.output
    assert (run / "index.html").exists()
    assert (run / "report.docx").exists()
    assert "80_score (出错)、81_rank (未执行)" in result.output
