from itertools import count

import pandas as pd
import pytest

from crmlab.report.outputs import (
    LARGEST_SVG,
    embed_figure,
    embed_image,
    find_figures,
    frame_tables,
    strip_terminal_codes,
    tidy_html,
)

IMAGE = {"output_type": "display_data", "data": {"image/png": "aGk="}}


def cell(source, n_images=0):
    return {"cell_type": "code", "source": source, "outputs": [IMAGE] * n_images}


def tidy(html, rows_columns="{rows} by {columns}"):
    numbers = count(1)
    label = lambda _: (f"Table {next(numbers)}", "A & B")  # noqa: E731
    return tidy_html(html, label=label, rows_columns=rows_columns)


def test_figure_is_where_its_variable_last_got_its_value_beside_an_image():
    cells = [
        cell("fig = draw()", 1),
        cell("fig = draw_again()", 1),
        cell("fig = None"),
        cell("study.publish(results={}, figures={'lorenz': fig})"),
    ]
    assert find_figures(cells, ["lorenz"]) == {1: ["lorenz"]}


def test_figure_of_axes_is_found_by_their_name():
    cells = [
        cell("ax = plot_lorenz(curve)", 1),
        cell("study.publish(results={}, figures={'lorenz': ax.figure})"),
    ]
    assert find_figures(cells, ["lorenz"]) == {0: ["lorenz"]}


def test_figure_made_in_one_cell_and_shown_in_another_is_where_it_is_shown():
    cells = [
        cell("fig = draw()"),
        cell("fig", 1),
        cell("study.publish(results={}, figures={'lorenz': fig})"),
    ]
    assert find_figures(cells, ["lorenz"]) == {1: ["lorenz"]}


def test_gathered_figures_are_where_they_are_gathered_in_the_order_of_the_lines():
    cells = [
        cell("figures = {}"),
        cell("figures['b'] = draw()\nresults['n'] = 3\nfigures['a'] = draw()", 2),
        cell("study.publish(results=results, figures=figures)"),
    ]
    assert find_figures(cells, ["a", "b"]) == {1: ["b", "a"]}


def test_figure_that_cannot_be_placed_is_in_no_cell():
    cells = [
        cell("%matplotlib inline"),
        cell("figures['a'] = draw()"),
        {"cell_type": "markdown", "source": "a"},
        cell("study.publish(results={}, figures={'b': make()})"),
    ]
    assert find_figures(cells, ["a", "b"]) == {}


def test_one_image_is_not_given_to_two_figures():
    cells = [
        cell("a = b = draw()", 1),
        cell("study.publish(results={}, figures={'a': a, 'b': b})"),
    ]
    assert find_figures(cells, ["a", "b"]) == {0: ["a"]}


def test_published_figure_is_drawn_unless_it_is_too_large(tmp_path):
    stem = tmp_path / "lorenz"
    stem.with_suffix(".png").write_bytes(b"png")
    assert embed_figure(stem) == (embed_image("image/png", b"png"), None)
    svg = '<svg xmlns="s" width="504pt" height="302.4pt" viewBox="0 0 504 302.4"></svg>'
    stem.with_suffix(".svg").write_text(svg, "utf-8")
    assert embed_figure(stem) == (embed_image("image/svg+xml", svg), (672, 403))
    stem.with_suffix(".svg").write_text(svg + " " * LARGEST_SVG, "utf-8")
    assert embed_figure(stem) == (embed_image("image/png", b"png"), (672, 403))


def test_table_of_pandas_loses_its_style_and_gains_a_frame():
    frame = pd.DataFrame({"segment": ["a", "b"], "n_orders": [1, 2], "share": [0.5, None]})
    html = tidy(frame._repr_html_())
    assert "<style" not in html
    assert "border=" not in html
    caption = '<p class="caption"><b>Table 1</b> A &amp; B</p>'
    frame = '<div class="table" role="region" tabindex="0" aria-label="Table 1 A &amp; B"><table'
    assert caption + frame in html


def test_columns_of_words_are_told_from_columns_of_numbers():
    frame = pd.DataFrame({"segment": ["a", "b"], "n": [1, -2], "share": [1e-9, None]})
    html = tidy(frame._repr_html_())
    assert '<th class="word">segment</th>' in html
    assert '<td class="word">a</td>' in html
    assert "<th>n</th>" in html
    assert "<td>NaN</td>" in html
    assert "<td>-2</td>" in html


def test_name_of_the_index_joins_the_row_of_headings():
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="segment"))
    html = tidy(frame._repr_html_())
    head = html.partition("</thead>")[0]
    assert head.count("<tr") == 1
    assert '<th class="word">segment</th>' in head
    assert "<th>n</th>" in head


def test_columns_are_told_apart_beside_an_index_of_two_levels():
    index = pd.MultiIndex.from_tuples([("v", "a"), ("v", "b"), ("w", "c")], names=["view", "name"])
    frame = pd.DataFrame({"meaning": ["x", "y", "z"], "n": [1, 2, 3]}, index=index)
    html = tidy(frame._repr_html_())
    head, _, body = html.partition("<tbody>")
    assert head.count("<tr") == 1
    assert [word in head for word in ("view", "name", "meaning")] == [True, True, True]
    assert '<th class="word" rowspan="2" valign="top">v</th>' in body
    assert body.count('class="word"') == 2 + 3 + 3
    assert '<td class="word">y</td>\n      <td>2</td>' in body


def test_heading_over_several_columns_stays():
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    html = tidy(frame._repr_html_())
    assert '<th colspan="2" halign="left">a</th>' in html
    assert html.count("<tr") == 3


def test_size_of_a_cut_table_is_said_in_the_reports_words():
    frame = pd.DataFrame({"n": range(100)})
    html = tidy(frame._repr_html_(), rows_columns="{rows} 行 × {columns} 列")
    assert "100 行 × 1 列" in html
    assert "rows ×" not in html


def test_scripts_are_dropped():
    assert tidy("<p>a</p><script>alert(1)</script><p>b</p>") == "<p>a</p><p>b</p>"


def test_table_without_headings_becomes_a_list_of_terms():
    html = "<table>\n<thead>\n<tr>\n<th></th>\n<th></th>\n</tr>\n</thead>\n<tbody>\n"
    html += "<tr>\n<td>Model</td>\n<td>RFM</td>\n</tr>\n</tbody>\n</table>"
    framed = frame_tables(html, pytest.fail)  # and bears no number
    assert "<thead>" not in framed
    assert '<th scope="row">Model</th>' in framed
    assert "<td>RFM</td>" in framed


@pytest.mark.parametrize(
    "coloured", ["\x1b[0;31mno\x1b[0m", "\x1b[38;5;241mno", "\x1b]8;;file://a\x1b\\no\x1b]8;;\x07"]
)
def test_terminal_codes_are_stripped(coloured):
    assert strip_terminal_codes(coloured) == "no"
