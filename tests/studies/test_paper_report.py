"""The paper report of a real small run: printed by a real browser, written for Word, read back."""

import html
import json
import os
import re
import shutil
import subprocess
import zipfile
from io import BytesIO

import pytest
from pypdf import PdfReader

from crmlab.report.paper import read_paper, render_paper
from crmlab.report.paper_tables import fit_tables
from crmlab.report.pdf import OPTIONS, write_pdf
from crmlab.report.word import write_word
from crmlab.study.doctor import find_browser, find_pandoc
from crmlab.study.manifest import read_manifest
from crmlab.study.wording import load_words

# A sheet's text is 166 mm wide; what is set wider is cut off or runs into the margin.
PROBE = """
<script>
addEventListener("load", () => document.fonts.ready.then(() => {
  const edge = document.body.getBoundingClientRect().right;
  const over = selector => [...document.querySelectorAll(selector)]
    .map(e => Math.max(e.getBoundingClientRect().right, e.scrollWidth > e.clientWidth + 1
      ? Infinity : 0) - edge)
    .filter(by => by > 1);
  const seen = {
    tables: document.querySelectorAll("table").length, over: over(".table, table, main img, pre"),
    type: Math.min(...[...document.querySelectorAll("td")]
      .map(e => parseFloat(getComputedStyle(e).fontSize) * 0.75)),
  };
  document.body.innerHTML = "<pre id=seen></pre>";
  document.getElementById("seen").textContent = JSON.stringify(seen);
}));
</script>
"""
HARD = [
    "".join(f"<td>{n * 1_234_567:,}</td>" for n in range(1, 25)),
    "".join(f"<td>a_long_name_of_code_{n}</td>" for n in range(1, 9)),
    "".join(f"<td>第{n}季度末值</td>" for n in range(1, 13)),
    "<td>" + "字" * 300 + "</td><td>" + "word " * 80 + "</td>",
]

PRINTED = {
    "00_start_here",
    "20_customer_value",
    "42_satisfaction_index",
    "81_performance_evaluation",
}

pytestmark = pytest.mark.xdist_group("tiny")


@pytest.fixture(scope="module")
def browser():
    found = find_browser()
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("no browser is installed: the PDF was not looked at")
    if found is None:
        pytest.skip("no browser is installed")
    return found


@pytest.fixture(scope="module")
def folder(tiny_report, tmp_path_factory):
    copy = tmp_path_factory.mktemp("paper") / "report"
    shutil.copytree(tiny_report, copy)
    return copy


@pytest.fixture(scope="module")
def part(folder, tmp_path_factory):
    """The report with a few of its chapters: that none is too wide for paper is tested on all."""
    copy = tmp_path_factory.mktemp("part") / "report"
    shutil.copytree(folder, copy)
    manifest = read_manifest(copy)
    for name in set(manifest["notebooks"]) - PRINTED:
        del manifest["notebooks"][name]
        (copy / "results" / f"{name}.json").unlink()
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def reader(part, browser):  # noqa: ARG001 - asks for a browser
    """The Chinese PDF: its every word is in the embedded font."""
    return PdfReader(BytesIO(write_pdf(part, language="zh").read_bytes()))


@pytest.fixture(scope="module")
def texts(reader):
    return [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]


@pytest.fixture(scope="module")
def bookmarks(reader):
    """The first headings of the document and the pages they stand on, as the PDF tells them."""
    return {
        mark.title.strip(): reader.get_destination_page_number(mark) + 1
        for mark in reader.outline
        if not isinstance(mark, list)
    }


def test_contents_name_the_true_page_of_every_chapter(part, texts, bookmarks):
    words = load_words("zh")
    chapters = [
        f"{name[:2]} {entry['title']['zh']}"
        for name, entry in sorted(read_manifest(part)["notebooks"].items())
        if entry["state"] in ("done", "unchanged")
    ]
    wanted = [words["found"], words["data"], *chapters]
    wanted += [words[key] for key in ("methods", "references", "paper_appendix")]
    assert list(bookmarks)[2:] == wanted  # after title and contents
    contents = texts[bookmarks[words["contents"]] - 1]
    for heading in wanted:
        page = bookmarks[heading]
        bare = heading.replace(" ", "")
        assert bare in texts[page - 1].replace(" ", ""), heading
        assert f"{bare}{page}" in contents.replace(" ", ""), heading


def test_pages_are_numbered_in_the_margin_but_for_the_title(texts):
    assert len(texts) > 10
    numbered = [text.strip().endswith(str(n)) for n, text in enumerate(texts, start=1)]
    begun = [re.search(rf"\b{n}\b", text) is not None for n, text in enumerate(texts, start=1)]
    assert all(one or other for one, other in zip(numbered[1:], begun[1:], strict=True))
    assert "一家小店" in texts[0]
    assert all("一家小店" in text for text in texts[1:])  # the running head


def test_findings_stand_in_the_pdf_with_their_numbers(part, texts):
    together = "".join(texts).replace(" ", "")
    for path in sorted((part / "results").glob("*.json")):
        finding = json.loads(path.read_text("utf-8"))["finding"]["zh"]
        assert re.sub(r"\s", "", finding) in together, path.name


def test_every_font_is_inside_and_chinese_is_a_font_by_name(reader):
    names = set()
    for page in reader.pages:
        for reference in page["/Resources"].get("/Font", {}).values():
            font = reference.get_object()
            if (
                font["/Subtype"] == "/Type3"
            ):  # drawn inside the PDF: letters set bold by the browser
                continue
            inner = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert any(f"/FontFile{kind}" in inner for kind in ("", "2", "3")), font["/BaseFont"]
            names.add(font["/BaseFont"].partition("+")[2])
    assert {"NotoSansSC-Regular", "NotoSerifSC-Regular"} <= names


def test_pdf_is_tagged_and_says_its_title_and_language(reader):
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 - a boolean object of the PDF
    assert root["/Lang"] == "zh-Hans"
    assert reader.metadata["/Title"] == "一家小店"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_wider_than_the_paper(folder, browser, language, tmp_path):
    page = render_paper(read_paper(folder, language=language, has_code=True))
    hard = "".join(fit_tables(f"<table><tr>{row}</tr></table>") for row in HARD)
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', PROBE, page, count=1)
    (tmp_path / "paper.html").write_text(page.replace("</main>", f"{hard}</main>"), "utf-8")
    command = [browser, *OPTIONS, "--no-sandbox", "--virtual-time-budget=60000", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "paper.html").as_uri()]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    found = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout.decode("utf-8"))
    seen = json.loads(html.unescape(found[1]))
    assert seen["tables"] > 60
    assert seen["over"] == []
    assert seen["type"] >= 6.4  # points


def read_words(paragraph):
    return html.unescape("".join(re.findall(r"<w:t\b[^>]*>([^<]*)</w:t>", paragraph)))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_word_document_holds_every_chapter_figure_and_formula(part, language):
    if find_pandoc() is None:
        assert os.environ.get("CI") != "true", "pandoc is not installed: no Word file was written"
        pytest.skip("pandoc is not installed")
    with zipfile.ZipFile(write_word(part, language=language)) as archive:
        document = archive.read("word/document.xml").decode("utf-8")
        pictures = [name for name in archive.namelist() if name.startswith("word/media/")]
    paragraphs = re.findall(r'<w:pStyle w:val="(Heading1|TOC1)" />(.*?)</w:p>', document)
    said = [(style, read_words(paragraph)) for style, paragraph in paragraphs]
    described = {html.unescape(text) for text in re.findall(r'descr="([^"]*)"', document)}
    paper = read_paper(part, language=language)
    for part in paper["printed"]:
        for style in ("Heading1", "TOC1"):
            assert (style, f"{part.chapter.number} {part.chapter.title}") in said
        for figure in part.chapter.figures:
            assert figure.caption in described
    n_figures = sum(len(part.chapter.figures) for part in paper["printed"])
    assert len(pictures) == n_figures
    assert all(name.endswith(".png") for name in pictures)
    page = render_paper(paper)
    assert document.count("<m:oMath>") == page.count("<math ")
    shown = re.sub(r"<[^>]+>", "", document)
    assert re.findall(r"\\(?:frac|sum|text|mu|left)\b", shown) == []
    n_tables = len(re.findall("<table", render_paper(paper | {"is_word": True})))
    assert document.count("<w:tbl>") == n_tables


def test_tables_are_numbered_without_a_gap_as_the_pages_number_them(part):
    page = render_paper(read_paper(part, language="en"))
    caption = re.compile(r'<p class="caption"><b>Table ((\d\d)\.(\d+))</b>')
    found = [(chapter, int(n)) for _, chapter, n in caption.findall(page)]
    assert len(found) > 30
    for chapter in {chapter for chapter, _ in found}:
        numbers = [n for other, n in found if other == chapter]
        assert numbers == list(range(1, len(numbers) + 1)), chapter
    assert len(set(re.findall(r'<p class="caption">.*?</p>', page))) == len(found)
