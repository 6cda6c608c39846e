"""A head says its unit once, in the reader's money, and never that of a share."""

import pytest

from crmlab.atlas import load_terms
from crmlab.atlas.heads import head, name_unit


@pytest.mark.parametrize(
    ("key", "en", "zh"),
    [
        ("total_value", "Total value (CNY)", "累计购买金额（元）"),
        ("value_per_order", "Value per order (CNY per order)", "客单价（元/单）"),
        ("last_order_age_weeks", "First to last order (weeks)", "首次到最近一次购买（周）"),
        ("recency_days", "Days since last order", "距最近一次购买（天）"),
        ("n_active_customers", "Active customers", "活跃客户数"),
        ("first_response_hours", "First response time (hours)", "首次响应时间（小时）"),
        ("value_share", "Share of value", "价值占比"),
        ("gini", "Gini coefficient", "基尼系数"),
    ],
)
def test_head_bears_its_unit_where_the_name_does_not(key, en, zh):
    assert head(load_terms()[key], "en", "CNY") == en
    assert head(load_terms()[key], "zh", "CNY") == zh


def test_money_without_a_known_currency_is_called_by_its_code_or_by_the_word():
    assert name_unit("currency", "zh", "SEK") == "SEK"
    assert name_unit("currency", "en") == "money"
    assert name_unit("no_such_unit", "en") == "no_such_unit"
