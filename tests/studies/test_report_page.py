"""The report of a real small run, opened in a real browser from its folder, without a network."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import pytest

from crmlab.report.pages import write_report
from crmlab.study.manifest import read_manifest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever a page or the browser itself should ask for stays inside this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=60000",
)
WIDTHS = (390, 1280)

# Run inside a copy of each page, once its fonts are there; tells the page around it what it saw.
PROBE = """
<script>
function light(colour) {
  const parts = colour.match(/[\\d.]+/g).map(Number);
  const [r, g, b] = parts.slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ground(element) {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if (!colour.endsWith(", 0)")) return colour;
  }
  return "rgb(255, 255, 255)";
}
function faint() {
  const seen = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !element.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) seen.add(element.className + " " + walk.currentNode.data.trim());
  }
  return [...seen];
}
function gaps() {
  // A Chinese character is as wide as it is high; the box that stands for a missing one is not.
  const seen = [], range = document.createRange();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.data.trim(), element = walk.currentNode.parentElement;
    if (!/^[\\u4e00-\\u9fff]+$/.test(text) || !element.getClientRects().length) continue;
    range.selectNodeContents(walk.currentNode);
    const width = [...range.getClientRects()].reduce((sum, box) => sum + box.width, 0);
    const wanted = text.length * parseFloat(getComputedStyle(element).fontSize);
    if (width < 0.95 * wanted) seen.push(text);
  }
  return seen;
}
addEventListener("load", () => document.fonts.ready.then(() => parent.postMessage({
  name: NAME, width: innerWidth, lang: document.documentElement.lang, title: document.title,
  h1: [...document.querySelectorAll("h1")].map(h => h.textContent),
  headings: [...document.querySelectorAll("h2, h3")].map(h => h.textContent.trim()),
  links: [...document.querySelectorAll("a")].map(a => a.href),
  ids: [...document.querySelectorAll("[id]")].map(e => e.id),
  images: [...document.images].map(i => [i.src.slice(0, 11), i.alt, i.naturalWidth]),
  fonts: [...document.fonts].map(f => [f.family, f.status]),
  formulas: [...document.querySelectorAll("math")].map(m => m.getBoundingClientRect().height),
  raw: document.querySelectorAll("code.tex").length,
  over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  faint: faint(),
  gaps: gaps(),
}, "*")));
</script>
"""
LISTENER = """<!doctype html><meta charset="utf-8"><pre id="seen"></pre><script>
const seen = [];
addEventListener("message", event => {
  seen.push(event.data);
  document.getElementById("seen").textContent = JSON.stringify(seen);
});
</script>
"""

pytestmark = pytest.mark.xdist_group("tiny")


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"none of {', '.join(BROWSERS)} is installed: the report was not looked at")
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    return found


@pytest.fixture(scope="module")
def open_page(browser, tmp_path_factory):
    """Open a local page in a fresh browser; return its document when everything has loaded."""

    def look(path, *options):
        profile = tmp_path_factory.mktemp("profile")
        command = [browser, *QUIET, *options, f"--user-data-dir={profile}", "--dump-dom"]
        done = subprocess.run(
            [*command, path.as_uri()], capture_output=True, check=True, timeout=120
        )
        return done.stdout.decode("utf-8")

    return look


@pytest.fixture(scope="module", params=["en", "zh"])
def folder(request, tiny_report, tmp_path_factory):
    """The tiny study's report in one language."""
    copy = tmp_path_factory.mktemp(request.param) / "report"
    shutil.copytree(tiny_report, copy)
    write_report(copy, language=request.param)
    return copy


@pytest.fixture(scope="module")
def seen(folder, open_page, tmp_path_factory):
    """What the browser saw of every page, on a telephone's width and on a desk's, and asked for.

    Without their security policies the pages may ask the network for whatever they name.
    """
    probed = tmp_path_factory.mktemp("probed") / "report"
    shutil.copytree(folder, probed)
    frames = []
    for path in pages_of(probed):
        name = path.relative_to(probed).as_posix()
        text, n = re.subn(
            r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text("utf-8")
        )
        assert n == 1
        script = PROBE.replace("NAME", json.dumps(name), 1)
        path.write_text(text.replace("</body>", f"{script}</body>"), "utf-8")
        frames += [
            f'<iframe src="{path.as_uri()}" style="width:{width}px;height:900px"></iframe>'
            for width in WIDTHS
        ]
    listener = probed / "listener.html"
    listener.write_text(LISTENER + "\n".join(frames), "utf-8")
    document, asked = look_and_log(open_page, listener)
    told = json.loads(html.unescape(re.search(r'<pre id="seen">(.*?)</pre>', document)[1]))
    found = {(page["name"], page["width"]): page for page in told}
    names = [path.relative_to(probed).as_posix() for path in pages_of(probed)]
    assert sorted(found) == sorted((name, width) for name in names for width in WIDTHS)
    return {"folder": probed, "pages": found, "asked": asked}


def look_and_log(open_page, path):
    """Open a page; return its document and the addresses that pages asked the network for.

    What the browser itself asks for is passed over.
    """
    log = path.with_suffix(".log.json")
    document = open_page(path, f"--log-net-log={log}")
    record = json.loads(log.read_text("utf-8"))
    kinds = {number: name for name, number in record["constants"]["logEventTypes"].items()}
    asked = [
        event["params"]
        for event in record["events"]
        if kinds[event["type"]] == "URL_REQUEST_START_JOB" and "params" in event
    ]
    by_pages = [a for a in asked if a.get("initiator", "not an origin") != "not an origin"]
    return document, [a["url"] for a in by_pages]


def pages_of(folder):
    return [folder / "index.html", *sorted((folder / "pages").glob("*.html"))]


def test_pages_bear_their_language_and_the_titles_of_study_and_notebooks(folder, seen):
    manifest = read_manifest(folder)
    language = folder.parent.name[:2]
    titles = {"index.html": manifest["study"]["title"][language]}
    for name, entry in manifest["notebooks"].items():
        titles[f"pages/{name}.html"] = entry["title"][language]
    for (name, _), page in seen["pages"].items():
        assert page["lang"] == {"en": "en", "zh": "zh-Hans"}[language]
        assert len(page["h1"]) == 1
        assert titles[name] in page["title"]
        assert page["headings"]


def test_every_chapter_is_on_the_front_page_and_has_its_own(folder, seen):
    front = seen["pages"]["index.html", WIDTHS[1]]
    for name, entry in read_manifest(folder)["notebooks"].items():
        assert f"chapter-{name}" in front["ids"]
        if entry["state"] in ("left out", "not reached"):
            continue
        assert any(link.endswith(f"pages/{name}.html") for link in front["links"])
        assert (f"pages/{name}.html", WIDTHS[1]) in seen["pages"]


def test_every_link_leads_to_a_file_and_a_place_in_it(seen):
    pages = {name: page for (name, width), page in seen["pages"].items() if width == WIDTHS[1]}
    for name, page in pages.items():
        assert len(page["ids"]) == len(set(page["ids"])), name
        for link in page["links"]:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https"):
                continue
            target = Path(url2pathname(parts.path))
            assert target.is_file(), (name, link)
            if parts.fragment:
                place = target.relative_to(seen["folder"]).as_posix()
                assert unquote(parts.fragment) in pages[place]["ids"], (name, link)


def test_every_image_is_part_of_the_page_is_shown_and_is_described(seen):
    n_images = 0
    for (name, _), page in seen["pages"].items():
        for source, description, width in page["images"]:
            n_images += 1
            assert source == "data:image/", name
            assert description.strip(), name
            assert width > 0, (name, description)
    assert n_images


def test_formulas_are_set_and_none_is_left_as_source(seen):
    heights = [height for page in seen["pages"].values() for height in page["formulas"]]
    assert heights
    assert all(height > 5 for height in heights)
    assert [name for name, page in seen["pages"].items() if page["raw"]] == []


def test_fonts_of_the_report_are_loaded(folder, seen):
    wanted = {"crmlab serif"} | ({"crmlab sans"} if folder.parent.name.startswith("zh") else set())
    for page in seen["pages"].values():
        loaded = {family.strip('"') for family, status in page["fonts"] if status == "loaded"}
        assert wanted <= loaded
        assert not [family for family, status in page["fonts"] if status == "error"]


def test_every_chinese_character_is_set_in_a_font_that_has_it(seen):
    assert {name: page["gaps"] for name, page in seen["pages"].items() if page["gaps"]} == {}


def test_no_page_is_wider_than_its_window(seen):
    assert {name: page["over"] for name, page in seen["pages"].items() if page["over"] > 0} == {}


def test_text_stands_out_from_its_ground_as_wcag_aa_asks(seen):
    assert {name: page["faint"] for name, page in seen["pages"].items() if page["faint"]} == {}


def test_no_page_asks_the_network_for_anything(seen):
    assert seen["asked"] == []


def test_page_that_asks_the_network_would_be_seen(open_page, tmp_path):
    (tmp_path / "inner.html").write_text('<img src="http://crmlab.invalid/picture.png">', "utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text('<iframe src="inner.html"></iframe>', "utf-8")
    _, asked = look_and_log(open_page, outer)
    assert asked == ["http://crmlab.invalid/picture.png"]
