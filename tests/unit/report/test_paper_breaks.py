"""Breaks on paper: short texts are not parted, and what leads to a table is not left alone."""

import pytest

from crmlab.report.paper_breaks import mark_breaks

TABLE = '<div class="output"><div class="table"><table><tr><td>1</td></tr></table></div></div>'


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("<p><strong>To foretell</strong></p>", "brief leads"),
        ("<p>下表按此排列：</p>", "brief leads"),
        ("<p>First of each:</p>", "brief leads"),
        ("<p><strong>A</strong> and <strong>B</strong></p>", "brief"),
        ("<li>One thing:</li>", "brief"),
        (f"<p>{'字' * 160}</p>", ""),
        (f"<p>{'字' * 150}</p>", "brief"),
    ],
)
def test_text_is_marked_by_its_length_and_by_how_it_ends(text, marked):
    html = mark_breaks(text)
    assert html == (text.replace(">", f' class="{marked}">', 1) if marked else text)


def test_short_text_right_before_a_table_leads_to_it():
    assert 'class="brief leads"' in mark_breaks(f"<p>As said.</p>\n{TABLE}")
    assert 'class="brief leads"' in mark_breaks(f'<div class="output"><p>So.</p>\n</div>\n{TABLE}')
    assert "leads" not in mark_breaks(f"<p>As said.</p><p>{'word ' * 80}</p>{TABLE}")
    assert "leads" not in mark_breaks("<p>As said.</p><figure></figure>")


def test_item_that_holds_a_list_is_left_as_it_is():
    html = "<ul><li>a<ul><li>b</li></ul></li></ul>"
    assert mark_breaks(html) == '<ul><li>a<ul><li class="brief">b</li></ul></li></ul>'
