"""The report of a small run, written by hand: one chapter of each state, both languages."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from fontTools.ttLib import TTFont

from crmlab.atlas import load_terms
from crmlab.report import pages
from crmlab.report.pages import write_report
from crmlab.study.manifest import hash_files

FIGURES = [entry for entry in load_terms().values() if entry.kind == "figure"][:2]
IMAGE = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "aGk="}}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"><path d="M0 0"/></svg>'


def both(en, zh):
    return [("markdown", en, "en"), ("markdown", zh, "zh")]


VALUE = [
    *both("# Who carries the revenue?\n\nBy $G$.", "# 收入主要来自谁？\n\n用 $G$ 衡量。"),
    (
        "code",
        'k: int = 4  # how many / 个数; customers; 2..12\nby: str = "a"  # by / 按; ; a|b\n'
        "fee: float = 5.0  # price / 单价; currency_per_record; 0..9",
        "parameters",
    ),
    ("code", "k = 5", "injected-parameters"),
    *both(
        "## Data\n\nSee [30](30_segments.ipynb), [40](40_survey.ipynb#a), [50](../x.py).", "## 数据"
    ),
    ("code", "fig = draw()", IMAGE),
    ("code", "other", IMAGE),
    ("code", "study.say(en=text, zh=text_zh)", {"output_type": "execute_result", "data": {}}),
    ("code", "ax", {"output_type": "execute_result", "data": {"text/plain": "<Axes: >"}}),
    ("code", "print(1)", {"output_type": "stream", "name": "stdout", "text": ["printed\n"]}),
    *both(
        "## Limits and sources\n\n- Peter & Brown (1993) warn.\n\nGini, C. (1912), *Variabilità*. "
        "Zeithaml, V. A. (1988), [doi](https://doi.org/10.1177/002224298805200302).",
        "## 局限与来源\n\n- 一条局限。\n- 王永贵（2022）《客户关系管理》。\n- Gini, C. (1912).",
    ),
    (
        "code",
        f"study.publish(results=r, figures={{'{FIGURES[0].key}': fig, '{FIGURES[1].key}': 0}})",
    ),
]
SEGMENTS = [
    *both("# Which kinds?", "# 有哪几类？"),
    *both(
        "## Limits and sources\n\nZeithaml, V. A. (1988), *J. M.*, doi:10.1177/002224298805200302.",
        "## 局限与来源",
    ),
]
BROKEN = [
    *both("# How well?", "# 成效如何？"),
    (
        "code",
        "rfm.groupby('a < b')",
        {
            "output_type": "error",
            "ename": "KeyError",
            "evalue": "'a < b'",
            "traceback": ["\x1b[0;31mKeyError\x1b[0m", "\x1b[32m'a < b'\x1b[0m"],
        },
    ),
    ("code", "never_run()"),
]


def write_cells(path, cells):
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    for i, (kind, source, *rest) in enumerate(cells):
        tags = [part for part in rest if isinstance(part, str)]
        cell = {"cell_type": kind, "id": str(i), "source": source, "metadata": {"tags": tags}}
        if kind == "code":
            cell |= {"outputs": [part for part in rest if isinstance(part, dict)]}
        document["cells"].append(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), "utf-8")


@pytest.fixture
def run(tmp_path):
    """The folder of a run that went half way."""
    folder = tmp_path / "shop"
    entries = {
        "80_score": {
            "state": "failed",
            "title": {"en": "How well?", "zh": "成效如何？"},
            "seconds": 1.0,
        },
        "20_value": {
            "state": "done",
            "title": {"en": "Who carries the revenue?", "zh": "收入主要来自谁？"},
            "parameters": {"k": 5, "by": "a"},
            "seconds": 130.0,
            "outputs": dict.fromkeys(["notebooks/20_value.ipynb", "tables/rfm.parquet"], "0"),
        },
        "30_segments": {
            "state": "done",
            "title": {"en": "Which kinds?", "zh": "有哪几类？"},
            "seconds": 2.5,
        },
        "40_survey": {
            "state": "left out",
            "title": {"en": "Satisfied?", "zh": "满意吗？"},
            "reason": {"en": "the data set has no table “survey”", "zh": "数据集中没有 survey 表"},
        },
        "81_rank": {"state": "not reached", "title": {"en": "Which quarter?", "zh": "哪个季度？"}},
    }
    manifest = {
        "study": {
            "name": "shop",
            "file": "shop.yaml",
            "title": {"en": "A <small> shop", "zh": "一家<小>店"},
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
            "prepared": {"en": "One order a bill.", "zh": "一张账单为一笔订单。"},
            "observed_from": "2024-01-01",
            "observed_to": "2024-03-31",
            "currency": "CNY",
            "tables": {"orders": {"n_rows": 12345}, "truth": {"n_rows": 3}, "extra": {"n_rows": 1}},
            "left_out": [
                {"table": "orders", "reason": "no customer", "reason_zh": "无客户", "n_rows": 8}
            ],
            "files": {"orders.csv": "ab" * 32},
        },
        "versions": {"python": "3.11.0", "crmlab": "0.1.0", "pandas": "3.0.0"},
        "notebooks": {
            name: {"reason": None, "parameters": {}, "seconds": None, "outputs": {}} | entry
            for name, entry in entries.items()
        },
        "started": "2026-03-04T05:06:07+00:00",
        "finished": "2026-03-04T05:07:07+00:00",
    }
    published = {
        "notebook": "20_value",
        "finding": {"en": "A fifth of customers brings 67%.", "zh": "五分之一的客户带来 67%。"},
        "results": {
            "n_customers": {"value": 2357, "unit": "customers"},
            "a_share": {"value": 0.671, "unit": "share"},
            "mean_order": {"value": 35.2, "unit": "currency"},
        },
        "figures": [entry.key for entry in FIGURES],
    }
    for path, document in {"manifest": manifest, "results/20_value": published}.items():
        (folder / f"{path}.json").parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{path}.json").write_text(json.dumps(document), "utf-8")
    (folder / "figures" / "20_value").mkdir(parents=True)
    for entry in FIGURES:
        (folder / "figures" / "20_value" / f"{entry.key}.svg").write_text(SVG, "utf-8")
    (folder / "tables").mkdir()
    (folder / "tables" / "rfm.parquet").write_bytes(b"")
    for name, cells in {"20_value": VALUE, "30_segments": SEGMENTS, "80_score": BROKEN}.items():
        write_cells(folder / "notebooks" / f"{name}.ipynb", cells)
    return folder


class Page(HTMLParser):
    """What a page's tags say: ids, links, images, and its text without code."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.images, self.tags, self.text = [], [], [], [], ""
        self.html = path.read_text("utf-8")
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "img":
            self.images.append(attributes)

    def handle_data(self, data):
        self.text += data


def read_pages(folder, language=None):
    write_report(folder, language=language)
    paths = [folder / "index.html", *sorted((folder / "pages").glob("*.html"))]
    return {path.relative_to(folder).as_posix(): Page(path) for path in paths}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            [
                "A <small> shop",
                "Who stays?",
                "A fifth of customers brings 67%.",
                "2,357",
                "67.1%",
                "CNY\xa035.20",
                "12,345",
                "1 January 2024 to 31 March 2024",
                "One order a bill.",
                "no customer",
                "Left out: the data set has no table “survey”.",
                "The shop (2024).",
                "crmlab run studies/shop.yaml --lang",
                "KeyError: 'a < b'",
                "2\xa0min\xa014\xa0s",
            ],
        ),
        (
            "zh",
            [
                "一家<小>店",
                "谁会留下？",
                "五分之一的客户带来 67%。",
                "2,357",
                "35.20\xa0元",
                "2024年1月1日至2024年3月31日",
                "一张账单为一笔订单。",
                "无客户",
                "未纳入：数据集中没有 survey 表。",
                "王永贵（2022）《客户关系管理》。",
            ],
        ),
    ],
)
def test_front_page_says_what_was_asked_found_and_used(run, language, words):
    front = read_pages(run, language)["index.html"]
    for word in words:
        assert word in front.text
    assert ("html", {"lang": {"en": "en", "zh": "zh-Hans"}[language]}) in front.tags


def test_language_of_the_study_is_the_default(run):
    assert '<html lang="en">' in read_pages(run)["index.html"].html


def copy_chapter(run, name):
    """Add a chapter that found what chapter 20 found."""
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    manifest["notebooks"][name] = manifest["notebooks"]["20_value"] | {"outputs": {}}
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    published = json.loads((run / "results" / "20_value.json").read_text("utf-8"))
    said = {"en": f"Finding of {name}.", "zh": f"{name} 的结论。"}
    published |= {"notebook": name, "finding": said}
    (run / "results" / f"{name}.json").write_text(json.dumps(published), "utf-8")
    shutil.copytree(run / "figures" / "20_value", run / "figures" / name)
    shutil.copy(run / "notebooks" / "20_value.ipynb", run / "notebooks" / f"{name}.ipynb")


def test_front_page_tells_one_finding_of_each_stage_and_five_at_most(run):
    later = [
        "10_collect",
        "21_lifetime",
        "31_types",
        "41_kano",
        "50_loyalty",
        "70_push",
        "82_scale",
    ]
    for name in later:
        copy_chapter(run, name)
    front = read_pages(run)["index.html"]
    leading = re.search(r'<ol class="findings">(.*?)</ol>', front.html, re.DOTALL)[1]
    assert re.findall(r'<p class="say">(.*?)</p>', leading) == [
        "A fifth of customers brings 67%.",
        "Finding of 31_types.",
        "Finding of 41_kano.",
        "Finding of 50_loyalty.",
        "Finding of 82_scale.",
    ]
    assert leading.count("<img ") == 5
    listed = front.html.partition('id="chapters"')[2]
    assert [name for name in later if f"Finding of {name}." in listed] == [
        "10_collect",
        "21_lifetime",
        "70_push",
    ]


def test_methods_and_limits_are_gathered_without_the_works(run):
    front = read_pages(run)["index.html"]
    methods = re.search(r'id="methods">(.*?)</section>', front.html, re.DOTALL)[1]
    assert "<h3" in methods
    assert "Peter &amp; Brown (1993) warn." in methods
    assert "Gini" not in methods
    assert ("methods", "Methods and limits") in [
        (link.removeprefix("#"), "Methods and limits") for link in front.links
    ]


def test_every_chapter_stands_on_the_front_page_with_its_state(run):
    front = read_pages(run)["index.html"]
    rows = {a["id"]: a["class"] for tag, a in front.tags if tag == "li" and "id" in a}
    assert rows == {
        "chapter-20_value": "done",
        "chapter-30_segments": "done",
        "chapter-40_survey": "left-out",
        "chapter-80_score": "failed",
        "chapter-81_rank": "not-reached",
    }
    assert "1 failed, 1 not reached." in front.text


def test_a_reason_that_several_chapters_share_is_said_once(run):
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    manifest["notebooks"]["41_kano"] = manifest["notebooks"]["40_survey"]
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    front = read_pages(run)["index.html"]
    assert front.text.count("the data set has no table “survey”") == 1
    assert {"#chapter-40_survey", "#chapter-41_kano"} <= set(front.links)


def test_only_notebooks_that_ran_have_a_page_and_each_leads_to_the_next(run):
    pages = read_pages(run)
    names = ["20_value", "30_segments", "80_score"]
    assert list(pages) == ["index.html", *(f"pages/{name}.html" for name in names)]
    turns = [
        [
            a["href"]
            for tag, a in pages[f"pages/{name}.html"].tags
            if a.get("rel") in ("prev", "next")
        ]
        for name in names
    ]
    assert turns == [
        ["30_segments.html"],
        ["20_value.html", "80_score.html"],
        ["30_segments.html"],
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_link_resolves_and_every_id_is_unique(run, language):
    pages = read_pages(run, language)
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.netloc == "doi.org"
                continue
            target = (run / name).parent / unquote(parts.path) if parts.path else run / name
            assert target.is_file(), (name, link)
            if parts.fragment:
                place = target.resolve().relative_to(run.resolve()).as_posix()
                assert unquote(parts.fragment) in pages[place].ids, (name, link)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_need_no_network_and_no_script(run, language):
    for page in read_pages(run, language).values():
        tags = {tag for tag, _ in page.tags}
        assert not tags & {"script", "iframe", "object", "embed", "video"}
        assert [a["href"] for tag, a in page.tags if tag == "link"] == ["data:,"]
        assert all(image["src"].startswith("data:image/") for image in page.images)
        style = re.search(r"<style>(.*?)</style>", page.html, re.DOTALL)[1]
        assert re.findall(r'url\("((?:\.\./)?)fonts/[a-z]+-[0-9a-f]{16}\.woff"\)', style)
        assert "http" not in style
        assert "@import" not in style
        assert not any(name.startswith("on") for _, a in page.tags for name in a)


def test_every_image_tells_what_it_shows_and_published_figures_bear_their_caption(run):
    pages = read_pages(run)
    page = pages["pages/20_value.html"]
    alts = [image["alt"] for image in page.images]
    assert alts == [FIGURES[0].en, "Figure in the section “Data”", FIGURES[1].en]
    assert page.images[0]["src"].startswith("data:image/svg+xml")
    assert (page.images[0]["width"], page.images[0]["height"]) == ("96", "48")
    assert "Figure 20.1" in page.text
    assert f"figure-{FIGURES[1].key}" in page.ids
    assert [image["alt"] for image in pages["index.html"].images] == [FIGURES[0].en]


def test_key_figure_is_the_one_the_notebook_names_as_its_main_one(run):
    path = run / "results" / "20_value.json"
    published = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(published | {"main_figure": FIGURES[1].key}), "utf-8")
    for language in ("en", "zh"):
        front = read_pages(run, language)["index.html"]
        assert [image["alt"] for image in front.images] == [FIGURES[1].text(language)]
        assert f"pages/20_value.html#figure-{FIGURES[1].key}" in front.links


def test_page_shows_the_cells_of_its_language_only(run):
    english = read_pages(run)["pages/20_value.html"]
    chinese = read_pages(run, "zh")["pages/20_value.html"]
    assert "Who carries the revenue?" in english.text
    assert "收入主要来自谁？" not in english.text
    assert "收入主要来自谁？" in chinese.text
    assert "Who carries the revenue?" not in chinese.text
    for page in (english, chinese):
        assert [tag for tag, _ in page.tags].count("h1") == 1
        assert "math" in [tag for tag, _ in page.tags]


def test_finding_is_said_in_the_reports_language_whatever_the_runs(run):
    assert "五分之一的客户带来 67%。" in read_pages(run, "zh")["pages/20_value.html"].text


def test_echo_of_a_plot_is_left_out_and_printed_text_stays(run):
    page = read_pages(run)["pages/20_value.html"]
    assert "<Axes" not in page.text
    assert "printed" in page.text


def test_parameters_are_shown_with_the_studys_value_and_the_default(run):
    page = read_pages(run)["pages/20_value.html"]
    table = re.search(r'<table class="parameters">.*?</table>', page.html, re.DOTALL)[0]
    rows = [re.sub(r"<[^>]+>|\s+", " ", row).split() for row in re.findall(r"<tr>.*?</tr>", table)]
    assert rows[0] == ["Parameter", "Meaning", "Value", "Allowed"]
    assert rows[1] == ["k", "how", "many", "5", "customers", "default", "4", "2", "to", "12"]
    assert rows[2] == ["by", "by", "a", "a,", "b"]
    assert rows[3] == ["fee", "price", "5.0", "CNY", "per", "record", "0", "to", "9"]
    assert "k = 5" not in page.text


def test_links_between_notebooks_go_from_page_to_page(run):
    links = read_pages(run)["pages/20_value.html"].links
    assert "30_segments.html" in links
    assert "../index.html#chapter-40_survey" in links
    assert not any(link.endswith((".py", "x.py")) for link in links)


def test_failing_cell_is_marked_and_later_cells_are_said_not_to_have_run(run):
    page = read_pages(run)["pages/80_score.html"]
    assert ("div", {"class": "cell failed", "id": "failed"}) in page.tags
    assert ("details", {"class": "code", "open": None}) in page.tags
    assert "KeyError: 'a < b'" in page.text
    assert "\x1b" not in page.html
    assert "Code, 1 line · not run" in page.text


def test_works_are_cited_once_with_the_chapters_that_cite_them(run):
    front = read_pages(run)["index.html"]
    listed = re.search(r'<ul class="references">(.*?)</ul>', front.html, re.DOTALL)[1]
    works = [" ".join(re.sub(r"<[^>]+>", "", item).split()) for item in listed.split("</li>")[:-1]]
    assert works == [
        "Gini, C. (1912), Variabilità. 20",
        "Zeithaml, V. A. (1988), J. M., doi:10.1177/002224298805200302. 20, 30",
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_fonts_hold_every_chinese_character_of_the_pages(run, language):
    pages = read_pages(run, language)
    shown = set("".join(page.text for page in pages.values()))
    chinese = {ord(c) for c in shown if "\u4e00" <= c <= "\u9fff"}
    sans = next((run / "fonts").glob("sans-*.woff"))
    with TTFont(sans) as font:
        assert chinese <= set(font.getBestCmap())
    headings = "".join(re.findall(r"<h[12].*?</h[12]>", "".join(p.html for p in pages.values())))
    with TTFont(next((run / "fonts").glob("serif-*.woff"))) as font:
        assert {ord(c) for c in headings if c > "\u2e80"} <= set(font.getBestCmap())


def test_pages_and_fonts_of_an_earlier_report_are_removed(run):
    read_pages(run, "zh")
    (run / "pages" / "99_gone.html").write_text("old", "utf-8")
    read_pages(run, "en")
    assert not (run / "pages" / "99_gone.html").exists()
    assert len(list((run / "fonts").iterdir())) == 2


def test_same_run_gives_the_same_bytes(run):
    write_report(run)
    before = hash_files(run)
    write_report(run, language="zh")
    write_report(run)
    assert hash_files(run) == before


def test_report_that_says_it_all_already_is_not_written_again(run):
    path = write_report(run)
    before = {page: page.stat().st_mtime_ns for page in run.rglob("*.*") if page.is_file()}
    assert write_report(run) == path
    assert {page: page.stat().st_mtime_ns for page in run.rglob("*.*") if page.is_file()} == before


@pytest.mark.parametrize("change", ["manifest", "language", "page", "font", "template", "stamp"])
def test_report_is_written_again_when_something_changed(run, change, monkeypatch, tmp_path):
    path, language = write_report(run), None
    page = run / "pages" / "20_value.html"
    gone = page
    if change == "manifest":
        manifest = json.loads((run / "manifest.json").read_text("utf-8"))
        manifest["study"]["seed"] = 8
        (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    elif change == "language":
        language = "zh"
    elif change == "page":
        page.unlink()
    elif change == "font":
        gone = next((run / "fonts").iterdir())
        gone.unlink()
    elif change == "template":
        source = tmp_path / "crmlab"
        for part in ("report", "study", "atlas"):
            shutil.copytree(pages.SOURCE / part, source / part)
        with (source / "report" / "templates" / "report.css").open("a") as lines:
            lines.write("p { color: red }\n")
        monkeypatch.setattr(pages, "SOURCE", source)
    else:
        path.write_text(path.read_text("utf-8").replace("crmlab-stamp", "stamp"), "utf-8")
    before = path.stat().st_mtime_ns
    write_report(run, language=language)
    assert path.stat().st_mtime_ns > before
    assert gone.exists()


def test_nothing_heavy_is_imported_for_a_report_that_stands(run):
    write_report(run)
    code = (
        "import sys; from crmlab.report.pages import write_report; "
        f"write_report({str(run)!r}); "
        "heavy = {'jinja2', 'mistune', 'pygments', 'fontTools', 'uharfbuzz', 'pandas'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_report_leaves_what_it_reads_unchanged(run):
    before = hash_files(run)
    write_report(run)
    after = hash_files(run)
    assert {name: after[name] for name in before} == before


def test_page_that_cannot_be_written_leaves_the_old_one_whole(run, monkeypatch):
    path = write_report(run)
    old = path.read_bytes()

    def fail_at_last(target, write):
        if target.name == "index.html":
            raise OSError("disk full")
        return whole(target, write)

    whole = pages.write_whole
    monkeypatch.setattr(pages, "write_whole", fail_at_last)
    with pytest.raises(OSError, match="disk full"):
        write_report(run, language="zh")
    assert path.read_bytes() == old


def test_run_without_findings_figures_and_numbers_is_reported(run):
    (run / "results" / "20_value.json").unlink()
    front = read_pages(run)["index.html"]
    assert "No chapter has stated a finding." in front.text
    assert front.images == []


def test_unknown_language_is_refused(run):
    with pytest.raises(ValueError, match="language is 'fr'; expected one of en, zh"):
        write_report(run, language="fr")


def test_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no report: run the study"):
        write_report(tmp_path)


def test_command_on_the_front_page_names_what_was_laid_over_the_study():
    from crmlab.report.front import _say_command

    laid_over = {"30_segmentation": {"n_segments": 5, "bases": ["a", "b"]}}
    study = {"file": "shop.yaml", "language": "zh", "parameters": laid_over}
    assert _say_command(study) == (
        "crmlab run studies/shop.yaml --lang zh -p 30_segmentation.n_segments=5 "
        """-p '30_segmentation.bases=["a", "b"]'"""
    )
