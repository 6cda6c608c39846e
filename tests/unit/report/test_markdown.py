import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.report.markdown import PageMarkdown, mathml, plain_text


@pytest.mark.parametrize(
    "latex",
    [
        r"G = \frac{\sum_{i=1}^{n} (2i - n - 1)\, x_{(i)}}{n \sum_{i=1}^{n} x_i}",
        r"c = \begin{cases} \text{A 类} & S \le \alpha \\ \text{其他} & S > \alpha \end{cases}",
        r"\begin{aligned} a &= b < c \\ d &= e \end{aligned}",
        r"\hat\theta = \arg\max_\theta \Pr(X \mid \theta)",
        r"\sqrt{\sum_j w_j (v_{ij} - v_j^{+})^2}",
        r"\operatorname{E}[X] \ne \bar{x}_{\mathrm{RFM}}",
    ],
)
def test_formula_becomes_well_formed_mathml_that_keeps_its_source(latex):
    element = ElementTree.fromstring(mathml(latex, display=True))  # noqa: S314
    assert element.tag == "{http://www.w3.org/1998/Math/MathML}math"
    assert element.get("display") == "block"
    assert element.get("alttext") == latex
    assert "\\" not in "".join(element.itertext())


@pytest.mark.parametrize("latex", [r"\nonsense{x}", "x & y", r"\frac{a}{\nonsense}"])
def test_formula_that_cannot_be_converted_shows_its_source(latex):
    html = mathml(latex)
    assert html.startswith('<code class="tex">')
    assert plain_text(html) == latex


def test_mark_stays_with_the_formula_before_it():
    html = PageMarkdown().render("令 $a$，若（$b$）则 $c$ 成立。\n\n$$d$$\n")
    bound = [plain_text(found) for found in re.findall(r'<span class="bound">.*?</span>', html)]
    assert bound == ["a，", "（b）"]


def test_bar_takes_no_room():
    assert mathml("|C|").count('lspace="0" rspace="0"') == 2


def test_formulas_are_found_in_lines_blocks_lists_quotes_and_tables():
    page = PageMarkdown()
    html = page.render(
        "In $a$ and $$b$$ here.\n\n$$\nc\n- d\n$$\n\n- $e$\n\n> $f$\n\n"
        "| $g$ |\n|---|\n| $P(h \\| i)$ |\n"
    )
    assert html.count("<math") == 7
    assert "$" not in html
    assert "‖" not in html


def test_money_is_no_formula():
    html = PageMarkdown().render("Costs $5 and $6, or \\$7.")
    assert "<math" not in html
    assert "$5 and $6, or $7" in html


def test_headings_link_to_themselves_under_ids_of_their_own():
    page = PageMarkdown()
    html = page.render("# 标题\n\n## Model & data\n\n## Model & data\n\n# Second title\n")
    assert page.headings == [
        (1, "标题", "标题"),
        (2, "model-data", "Model & data"),
        (2, "model-data-2", "Model & data"),
        (2, "second-title", "Second title"),
    ]
    assert '<h2 id="model-data-2"><a class="here" href="#model-data-2">' in html
    assert html.count("<h1") == 1


@given(st.lists(st.text(max_size=8), max_size=6))
def test_new_ids_never_repeat(texts):
    page = PageMarkdown()
    names = [page.new_id(text) for text in texts]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w-]+", name) for name in names)


def test_relative_link_goes_where_it_is_found_or_nowhere():
    page = PageMarkdown({"20.ipynb": "20.html"}.get)
    html = page.render("[a](20.ipynb) [b](99.ipynb) [c](https://a.org/x) [d](#part)")
    links = '<a href="20.html">a</a> b <a href="https://a.org/x">c</a> <a href="#part">d</a>'
    assert html.strip() == f"<p>{links}</p>"


def test_image_on_the_network_becomes_a_link():
    html = PageMarkdown().render("![a plot](https://example.org/a.png) ![b](//example.org/b.png)")
    assert "<img" not in html
    assert html.count("<a href") == 2


def test_pasted_image_comes_with_the_page():
    attachments = {"a.png": {"image/png": "aGk="}}
    html = PageMarkdown().render("![a plot](attachment:a.png)", attachments=attachments)
    assert '<img src="data:image/png;base64,aGk=" alt="a plot"' in html


def test_emphasis_says_its_script_and_a_line_of_it_is_a_note():
    page = PageMarkdown()
    assert page.render("*Interfaces* 31") == '<p><em class="latin">Interfaces</em> 31</p>\n'
    assert page.render("*真实数据。*") == '<p class="note"><em>真实数据。</em></p>\n'
    assert "note" not in page.render("*a* and *b*")
