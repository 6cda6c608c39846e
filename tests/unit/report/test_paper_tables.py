"""Tables on paper: measured by their words, set smaller until they fit."""

import re

import pytest

from crmlab.report.paper_tables import fit_tables, measure_columns


def table(*rows, kind="dataframe"):
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="{kind}">{body}</table>'


def size_of(html):
    return int(re.search(r"fit-(\d)", fit_tables(html))[1])


@pytest.mark.parametrize(
    ("cell", "least", "wanted"),
    [
        ("1,234.5", 7, 7),
        ("−12.5%", 6, 6),
        ("two words", 5, 9),
        ("customer_id", 9, 11),
        ("客户数", 2, 6),
        ("<code>a</code> &amp; b", 1, 5),
        ("", 0, 0),
    ],
)
def test_column_is_measured_by_what_cannot_be_broken_and_by_all_of_it(cell, least, wanted):
    assert measure_columns(table([cell])) == [(least, wanted)]


def test_columns_are_counted_from_the_right_and_spans_say_nothing_of_their_width():
    html = (
        '<table><tr><th colspan="2">a very long heading over both</th><th>x</th></tr>'
        "<tr><th>index</th><td>22</td><td>333</td></tr><tr><td>4444</td><td>5</td></tr></table>"
    )
    assert measure_columns(html) == [(5, 5), (4, 4), (3, 3)]


def test_size_of_type_falls_as_a_table_widens():
    sizes = [size_of(table(["1,234,567"] * n)) for n in range(1, 20)]
    assert sizes == sorted(sizes)
    assert set(sizes) == {0, 1, 2, 3}


def test_frame_of_the_screen_is_taken_off_and_classes_are_kept():
    html = (
        f'<div class="table" role="region" tabindex="0" aria-label="Table 1">{table(["a"])}</div>'
    )
    assert fit_tables(html) == (
        '<div class="table"><table class="fit-0 short dataframe"><tr><td class="tight">a</td></tr>'
        "</table></div>"
    )


def test_long_table_may_be_broken_between_pages():
    assert "short" in fit_tables(table(*[["1"]] * 9))
    assert "short" not in fit_tables(table(*[["1"]] * 10))


def test_narrow_columns_keep_their_lines_and_long_names_may_be_broken():
    html = fit_tables(table(["客户服务", *["40_satisfaction_and_delivered_value"] * 3]))
    assert '<td class="tight">客户服务</td>' in html
    assert "<td>40_<wbr>satisfaction_<wbr>and_<wbr>delivered_<wbr>value</td>" in html


def test_cell_wider_than_comfort_asks_is_kept_whole_where_there_is_room():
    name = "Acquisition channel"
    assert f'<td class="tight">{name}</td>' in fit_tables(table([name]))
    assert f"<td>{name}</td>" in fit_tables(table([name] * 10))


def test_short_name_beside_longer_ones_is_not_broken_at_its_underscores():
    words = ["word " * 9] * 6
    html = fit_tables(table(["perceived_overall", *words], ["a_far_longer_name_of_code", *words]))
    assert '<td class="tight">perceived_overall</td>' in html
    assert "<td>a_<wbr>far_<wbr>longer_<wbr>name_<wbr>of_<wbr>code</td>" in html


def test_long_heads_are_broken_before_the_type_is_set_smaller():
    head = "<thead><tr>" + "<th>Mean of the true</th>" * 6 + "</tr></thead>"
    body = table(["1.23"] * 6)
    bare = fit_tables(table(["Mean of the true"] * 6))
    html = fit_tables(body.replace("<tr>", head + "<tr>", 1))
    assert "fit-1" in bare
    assert "fit-0" in html
    assert "<th>Mean of the true</th>" in html
    assert '<td class="tight">1.23</td>' in html


def test_table_too_wide_for_any_type_is_broken_wherever_it_must():
    assert "crowded" in fit_tables(table(["1,234,567"] * 20))
    assert "crowded" not in fit_tables(table(["1,234,567"] * 12))


def test_embedded_picture_costs_no_time():
    picture = f'<img alt="a" src="data:image/png;base64,{"QUJD" * 200_000}">'
    assert picture in fit_tables(table([picture]))


def test_addresses_inside_tags_are_not_broken():
    html = fit_tables(table(['<a href="https://doi.org/10.1000/long_name_here">x</a>']))
    assert 'href="https://doi.org/10.1000/long_name_here"' in html
