"""Flow on paper: text goes on before a figure that does not fit, and figures keep their order."""

import pytest

from crmlab.report.paper_flow import PAGE, arrange, move_figures

TEXT, FIGURE, NEXT = "<p>Text of many lines.</p>", "<figure>F</figure>", "<h3>Next</h3>"


def stack(*parts):
    """Return blocks, and their places one below the other, from (html, height) pairs."""
    boxes, top = [], 0
    for _, height in parts:
        boxes.append((top, top + height))
        top += height
    return [html for html, _ in parts], boxes


def order(*parts):
    return arrange(*stack(*parts))


def test_figure_that_fits_stays():
    assert order((TEXT, 500), (FIGURE, 300), (TEXT, 500)) == [0, 1, 2]


def test_text_after_a_figure_that_does_not_fit_fills_the_page():
    assert order((TEXT, 700), (FIGURE, 300), (TEXT, 100), (TEXT, 400), (TEXT, 90)) == [
        0,
        2,
        3,
        1,
        4,
    ]


def test_small_gap_is_left_empty():
    assert order((TEXT, 0.9 * PAGE), (FIGURE, 300), (TEXT, 200)) == [0, 1, 2]


@pytest.mark.parametrize(
    "stop", ["<figure>G</figure>", "<h2>Check</h2>", '<div class="finding"><p>So.</p></div>']
)
def test_figure_passes_no_other_figure_section_or_finding(stop):
    assert order((TEXT, 700), (FIGURE, 300), (stop, 60), (TEXT, 100)) == [0, 1, 2, 3]
    moved = order((TEXT, 700), (FIGURE, 300), (TEXT, 60), (stop, 60), (TEXT, 100))
    assert moved == [0, 2, 1, 3, 4]


@pytest.mark.parametrize(
    "lead", [NEXT, '<p class="brief leads">These:</p>', '<p class="caption"><b>Table 1</b></p>']
)
def test_what_leads_to_something_is_not_left_before_the_figure_without_it(lead):
    short = '<div class="table"><table class="fit-0 short"></table></div>'
    assert order((TEXT, 700), (FIGURE, 300), (lead, 30), (short, 300)) == [0, 1, 2, 3]
    assert order((TEXT, 700), (FIGURE, 300), (lead, 30), (short, 150)) == [0, 2, 3, 1]


def test_parted_table_takes_its_head_along_to_the_next_page():
    table = '<div class="table"><table class="fit-0"></table></div>'
    # What is left of the table, with its head, leaves too little room for the figure.
    parts = [(TEXT, PAGE - 200), (table, 200 + PAGE - 310), (FIGURE, 300), (TEXT, 300)]
    assert order(*parts) == [0, 1, 3, 2]


def test_chapters_are_set_one_by_one_and_one_that_was_not_measured_is_left():
    blocks, boxes = stack((TEXT, 700), (FIGURE, 300), (NEXT, 30), (TEXT, 400))
    chapter = '<section class="leaf chapter" id="c">' + "\n".join(blocks) + "</section>"
    html = f"<main>{chapter}{chapter}</main>"
    moved = move_figures(html, [boxes, boxes[:-1]])
    first, second = moved.split("</section>")[:2]
    assert first.index(NEXT) < first.index(FIGURE)
    assert second.index(FIGURE) < second.index(NEXT)
    assert sorted(moved.replace("\n", "")) == sorted(html.replace("\n", ""))
    assert move_figures(html, []) == html
