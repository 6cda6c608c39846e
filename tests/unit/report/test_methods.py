"""What a notebook says of its model, its limits and its sources is told apart."""

import pytest

from crmlab.report.methods import read_methods

TITLE = "# Who?\n\n| | |\n|---|---|\n| Model | ratio $C = b/a$ (Oliver 1980) |\n| Data | a survey |"
IN_PARAGRAPHS = """## Limits and sources

RFM ranks. Fader, Hardie and Lee (2005) show that it may mislead, see [30](30_segments.ipynb).

**What we saw.** We summarised.

Gini, C. (1912), *Variabilità*. Zeithaml, V. A. (1988), *J. M.* 52(3), 2–22.
"""
IN_LISTS = """## Limits and sources

- Peter, Churchill & Brown (1993) advise against differences.
- The zero is ours.

- Gini, C. (1912). *Variabilità*.
- Cai Jiulin, Zhang Lei & Zhang Qiusan (2015). 一种方法研究.
"""
CHINESE = """## 局限与来源

- 一条局限。
- 王永贵（2022）《客户关系管理》。

**我们看到了什么。** 我们汇总了订单。
"""


def test_model_is_the_line_of_the_title_with_its_formula():
    model = read_methods([TITLE], "en").model
    assert model.startswith("ratio <math")
    assert model.endswith("(Oliver 1980)")


@pytest.mark.parametrize(
    ("text", "language", "limits", "works"),
    [
        (
            IN_PARAGRAPHS,
            "en",
            "<p>RFM ranks. Fader, Hardie and Lee (2005) show that it may mislead, see 30.</p>\n",
            ["Gini, C. (1912), *Variabilità*.", "Zeithaml, V. A. (1988), *J. M.* 52(3), 2–22."],
        ),
        (
            IN_LISTS,
            "en",
            "<ul>\n<li>Peter, Churchill &amp; Brown (1993) advise against differences.</li>\n"
            "<li>The zero is ours.</li>\n</ul>\n",
            [
                "Gini, C. (1912). *Variabilità*.",
                "Cai Jiulin, Zhang Lei & Zhang Qiusan (2015). 一种方法研究.",
            ],
        ),
        (
            CHINESE,
            "zh",
            "<ul>\n<li>一条局限。</li>\n</ul>\n",
            ["王永贵（2022）《客户关系管理》。"],
        ),
    ],
)
def test_limits_and_works_of_a_section_are_told_apart(text, language, limits, works):
    account = read_methods([TITLE, text, "## Exercises\n\nAsk."], language)
    assert account.limits == limits
    assert account.works == works


@pytest.mark.parametrize(
    "work",
    [
        "de Montjoye, Y.-A. & Radaelli, L. (2015). *Science* 347, 536–539.",
        "GB/T 19038-2009, *Rules of customer satisfaction index*.",
        "ISO/IEC 25012:2008, *Data quality model*.",
        "Regulation (EU) 2016/679 (GDPR).",
        "《中华人民共和国个人信息保护法》（2021）。",
    ],
)
def test_work_of_a_name_in_small_letters_a_standard_or_a_law_is_a_work(work):
    account = read_methods([f"## Limits and sources\n\n- One window.\n- {work}\n"], "en")
    assert account.works == [work]
    assert account.limits == "<ul>\n<li>One window.</li>\n</ul>\n"


def test_notebook_without_such_a_section_has_no_limits_and_no_works():
    account = read_methods(["# Title", "## Data\n\nOrders."], "en")
    assert (account.model, account.limits, account.works) == ("", "", [])


def test_sentence_that_begins_with_a_standard_is_a_limit_and_no_work():
    text = (
        "## 局限与来源\n\n- GB/T 19038-2009 的附录未能查阅。\n\n"
        "- GB/T 19038-2009《顾客满意测评模型和方法指南》，中国标准出版社。"
    )
    account = read_methods([text], "zh")
    assert "附录未能查阅" in account.limits
    assert account.works == ["GB/T 19038-2009《顾客满意测评模型和方法指南》，中国标准出版社。"]
