"""A frame of keys and numbers is shown in the reader's words, and is left as it was."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crmlab.study.shown_tables import MOST_ROWS, show


def study(language="en"):
    return SimpleNamespace(language=language, dataset=SimpleNamespace(currency="CNY"))


def rows(frame, language="en", **options):
    """Return heads and cells as texts, with plain spaces."""
    table = show(study(language), frame, **options)
    return [[text.replace("\xa0", " ") for text in row] for row in (list(table.heads), *table.rows)]


def html(frame, language="en", **options):
    return show(study(language), frame, **options)._repr_html_()


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        (
            "en",
            [
                ["Segment", "Orders", "Share of value", "Total value (CNY)", "Kept"],
                ["Lost", "1,200", "25.3%", "35.20", "yes"],
                ["Champions", "5", "74.7%", "104.00", "no"],
            ],
        ),
        (
            "zh",
            [
                ["客户群", "订单数", "价值占比", "累计购买金额（元）", "是否满足"],
                ["已流失客户", "1,200", "25.3%", "35.20", "是"],
                ["重要价值客户", "5", "74.7%", "104.00", "否"],
            ],
        ),
    ],
)
def test_heads_are_terms_and_cells_follow_the_unit_of_their_column(language, wanted):
    frame = pd.DataFrame(
        {
            "n_orders": [1200, 5],
            "value_share": [0.253, 0.747],
            "total_value": [35.2, 104.0],
            "is_met": [True, False],
        },
        index=pd.Index(["lost", "champions"], name="segment"),
    )
    assert rows(frame, language) == wanted


def test_number_without_a_unit_of_its_column_takes_that_of_its_row():
    frame = pd.DataFrame(
        {"mean": [114.25, 0.5, 1643.0], "maximum": [730.0, 1.0, 44_305.4]},
        index=["recency_days", "margin_rate", "total_value"],
    )
    assert rows(frame) == [
        ["", "Mean", "Highest"],
        ["Days since last order", "114.2", "730.0"],
        ["Margin rate", "50%", "100%"],
        ["Total value (CNY)", "1,643", "44,305"],
    ]


def test_list_of_measures_says_each_in_its_own_unit():
    first_look = {
        "n_orders": 13374,
        "median_purchase": 192.345,
        "first_ordered_on": pd.Timestamp("2024-01-31"),
    }
    assert rows(pd.Series(first_look))[1:] == [
        ["Orders", "13,374"],
        ["Median purchase (CNY)", "192.34"],
        ["First order", "31 Jan 2024"],
    ]
    assert rows(pd.Series(first_look), "zh")[3] == ["最早订单日期", "2024-01-31"]
    assert "<thead>" not in html(pd.Series(first_look))


def test_heads_of_a_named_row_are_values_unless_they_are_terms():
    frame = pd.DataFrame(
        [["higher", 40_000.0, np.nan, 59_500.0]],
        index=pd.Index(["revenue"], name="indicator"),
        columns=["direction", "2024Q1", "2024Q2", "whole_window"],
    )
    assert rows(frame.rename_axis(columns="quarter"), "zh") == [
        ["指标", "更优方向", "2024Q1", "2024Q2", "全期"],
        ["销售收入（元）", "↑", "40,000", "–", "59,500"],
    ]


def test_values_of_tables_and_other_levels_get_their_names():
    shares = pd.DataFrame([[1.0, 0.839]], index=["customers"], columns=["customers", "orders"])
    shares = shares.rename_axis(index="table", columns="table")
    assert rows(shares, unit="share") == [
        ["Table", "Customers", "Orders"],
        ["Customers", "100.0%", "83.9%"],
    ]
    levels = pd.Series([3], index=["very dissatisfied"], name="n_respondents")
    assert rows(levels, "zh")[1] == ["极不满意", "3"]


def test_unit_asked_for_replaces_those_of_the_terms():
    matrix = pd.DataFrame(np.eye(2) + 0.25, columns=["recency_days", "n_orders"])
    matrix.index = matrix.columns
    assert rows(matrix, unit="1") == [
        ["", "Days since last order", "Orders"],
        ["Days since last order", "1.25", "0.25"],
        ["Orders", "0.25", "1.25"],
    ]


def test_differences_bear_their_sign_and_those_of_shares_are_points():
    frame = pd.DataFrame(
        {"this_quarter": [0.356, 2.5, 2.5], "change": [-0.0046, 0.001, -20]},
        index=pd.Index(["margin_rate", "order_frequency", "n_orders"], name="indicator"),
    )
    assert [row[2] for row in rows(frame, differences=["change"])] == [
        "Change",
        "−0.5 pp",
        "<0.01",
        "−20.00",
    ]
    assert rows(frame, "zh", differences=["change"])[1][2] == "−0.5 个百分点"
    lead = pd.DataFrame({"holdout_advantage_interval": [(-0.036, 0.114), None]})
    ends = rows(lead, differences=["holdout_advantage_interval"])
    assert [row[0] for row in ends[1:]] == ["[−3.6, +11.4] pp", "–"]


def test_numbers_that_came_as_texts_stand_to_the_right_like_numbers():
    frame = pd.DataFrame({"share": ["84%", "<0.1%"], "p": ["0.015", None], "k": ["12", "c12"]})
    assert show(study(), frame).is_word == (False, False, True)


def test_p_values_have_three_decimals_whatever_stands_below_them():
    frame = pd.DataFrame({"p_value": [0.002, 2.5e-9, np.nan], "p_value_holm": [1.0, 0.04, 0.5]})
    assert rows(frame)[1:] == [["0.002", "1.000"], ["<0.001", "0.040"], ["–", "0.500"]]


def test_month_in_a_head_is_not_broken_at_its_hyphen():
    frame = pd.DataFrame([[1, 2]], columns=pd.Index(["2025-07", "east"], name="region"))
    said = html(frame)
    assert '<th scope="col" title="2025-07" class="whole" style="white-space: nowrap">' in said
    assert said.count("nowrap") == 1


def test_pair_of_numbers_is_an_interval():
    frame = pd.DataFrame({"n_orders": [1, 2], "interval": [(0.1, 0.25), np.nan]})
    assert [row[1] for row in rows(frame)] == ["95% interval", "[0.100, 0.250]", "–"]


def test_names_that_are_numbers_are_not_counted():
    frame = pd.DataFrame({"customer_id": [12345], "birth_year": [1985.0], "n_rows": [12345]})
    assert rows(frame)[1] == ["12345", "1985", "12,345"]


def test_row_numbers_without_a_name_are_left_out():
    frame = pd.DataFrame({"n_orders": [1, 2]})
    assert rows(frame.iloc[1:]) == [["Orders"], ["2"]]
    named = frame.set_axis(pd.Index([3, 4], name="segment"))
    assert rows(named) == [["Segment", "Orders"], ["3", "1"], ["4", "2"]]


def test_names_in_code_stay_names_in_code():
    frame = pd.DataFrame({"needs": [["orders", "satisfaction"], []]})
    assert rows(frame)[1:] == [["orders, satisfaction"], [""]]
    keys = pd.DataFrame({"key": [["customer_id"]]})
    assert "<code>customer_<wbr>id</code>" in html(keys)


def test_column_without_a_term_keeps_its_name_and_is_marked_as_code():
    frame = pd.DataFrame({"n_orders": [1], "my_own": [2]})
    assert show(study(), frame).has_term == (True, False)
    assert '<th scope="col"><code>my_own</code></th>' in html(frame)
    assert '<th scope="col" title="n_orders">Orders</th>' in html(frame)


def test_label_of_several_rows_is_written_once_over_them():
    index = pd.MultiIndex.from_tuples(
        [("sales", "revenue"), ("sales", "margin_rate"), ("service", "revenue")],
        names=["department", "indicator"],
    )
    page = html(pd.DataFrame({"n_rows": [1, 2, 3]}, index=index))
    spans = re.findall(r'<th scope="rowgroup" rowspan="(\d)"[^>]*>([^<]+)</th>', page)
    assert spans == [("2", "Sales"), ("1", "Service")]
    assert page.count('<th scope="row"') == 3


def test_words_stand_left_and_numbers_right():
    page = html(pd.DataFrame({"reason": ["a"], "n_rows": [1]}))
    assert re.findall(r"<td([^>]*)>", page) == [' class="word" style="text-align: left"', ""]


def test_many_numbers_in_a_row_are_said_briefly():
    quarters = [f"2024Q{i}" for i in range(1, 9)]
    frame = pd.DataFrame([[1_234_567.8] * 8, [999.5] * 8], columns=quarters)
    frame = frame.set_axis(["revenue", "gross_margin"]).rename_axis(columns="quarter")
    assert show(study(), frame).is_narrow
    assert [row[1] for row in rows(frame)[1:]] == ["1.23M", "999.50"]
    assert rows(frame, "zh")[1][1] == "123万"
    assert 'class="dataframe shown narrow"' in html(frame)
    assert rows(frame.iloc[:, :6])[1][1] == "1,234,568"


def test_long_table_is_cut_and_says_so():
    table = show(study("zh"), pd.DataFrame({"n_orders": range(1200)}))
    assert len(table.rows) == MOST_ROWS
    assert table.note == "共 1,200 行，此处为前 50 行"
    assert "<p>共 1,200 行，此处为前 50 行</p>" in table._repr_html_()


def test_empty_table_shows_its_heads():
    assert rows(pd.DataFrame({"n_orders": [], "segment": []})) == [["Orders", "Segment"]]


def test_text_of_the_table_is_escaped():
    page = html(pd.DataFrame({"reason": ["<b>&</b>"]}))
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in page


def test_columns_of_several_levels_are_refused():
    frame = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")]))
    with pytest.raises(ValueError, match="one row of heads: give each column a single name"):
        show(study(), frame)


def test_frame_is_left_as_it_was():
    frame = pd.DataFrame({"segment": ["lost"], "value_share": [0.2567]})
    before = frame.copy(deep=True)
    show(study(), frame)
    pd.testing.assert_frame_equal(frame, before)
