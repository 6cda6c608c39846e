"""Tables and figures of a whole run speak the reader's language, in either."""

import html
import json
import re

import numpy as np
import pytest
from PIL import Image

from crmlab.atlas import LANGUAGES, load_terms

HEAD = re.compile(r'<th scope="col"([^>]*)>(.*?)</th>')

pytestmark = pytest.mark.xdist_group("tiny")


@pytest.fixture(scope="module", params=LANGUAGES)
def shown(request):
    """The language and the folder of a run."""
    if request.param == "zh":
        return "zh", request.getfixturevalue("tiny_chinese")
    return "en", request.getfixturevalue("tiny_outcome").folder


@pytest.fixture(scope="module")
def outputs(shown):
    """The language, and the outputs of every executed notebook by its name."""
    language, folder = shown
    found = {}
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        found[path.stem] = [out for cell in cells for out in cell.get("outputs", ())]
    return language, found


def tables_of(outputs):
    pages = ["".join(out.get("data", {}).get("text/html", "")) for out in outputs]
    return [table for page in pages for table in re.findall(r"<table.*?</table>", page, re.DOTALL)]


def test_every_table_is_shown_and_every_head_of_it_is_a_term_or_a_value(outputs):
    language, notebooks = outputs
    terms = load_terms()
    for name, found in notebooks.items():
        tables = tables_of(found)
        assert tables, name
        for table in tables:
            assert table.startswith('<table class="dataframe shown'), (name, table[:200])
            for attributes, head in HEAD.findall(table):
                assert "<code>" not in head, (name, head)
                key = re.search(r'title="([^"]*)"', attributes)[1]
                if key in terms and terms[key].kind != "unit":
                    assert html.unescape(head).startswith(terms[key].text(language)), (name, key)


def test_no_table_shows_what_only_a_program_says(outputs):
    for name, found in outputs[1].items():
        for table in tables_of(found):
            cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", table)
            raw = r"True|False|nan|NaN|NaT|None|<NA>|.*00:00:00.*|.*\d\.\d{6,}.*|\[\]"
            assert [cell for cell in cells if re.fullmatch(raw, cell)] == [], name


def test_no_figure_is_cut_at_its_edge(shown):
    _, folder = shown
    cut = []
    for path in sorted((folder / "figures").rglob("*.png")):
        grey = np.asarray(Image.open(path).convert("L"))
        if min(grey[:, [0, -1]].min(), grey[[0, -1]].min()) < 250:
            cut.append(path.stem)
    assert cut == []


def test_no_figure_lacks_a_glyph(outputs):
    complaints = [
        "".join(out["text"])
        for found in outputs[1].values()
        for out in found
        if out.get("name") == "stderr"
    ]
    assert sum(text.count("missing from font") for text in complaints) == 0
