"""Transition tables: counts by hand, intervals by another program, what chance gives."""

import numpy as np
import pandas as pd
import pytest

from crmlab.atlas import text_in
from crmlab.segments.migration import (
    segment_windows,
    stack_windows,
    transition_table,
)


def states(n=400, seed=3, staying=0.7):
    """Before, and after, where a customer stays with that probability or draws a new state."""
    rng = np.random.default_rng(seed)
    before = rng.choice(["1", "2", "3"], n, p=[0.5, 0.3, 0.2])
    new = rng.choice(["1", "2", "3", "none"], n, p=[0.4, 0.3, 0.2, 0.1])
    after = np.where(rng.random(n) < staying, before, new)
    return pd.Series(before), pd.Series(after)


def test_table_counts_each_pair_and_its_rows_add_up():
    before, after = states()
    table = transition_table(before, after)
    assert len(table) == 3 * 4
    for row in table.itertuples():
        assert row.n_customers == ((before == row.before) & (after == row.after)).sum()
        assert row.independent_share == pytest.approx((after == row.after).mean())
    np.testing.assert_allclose(table.groupby("before")["share"].sum(), 1)


def test_staying_put_in_is_found_and_independent_windows_show_none():
    before, after = states(n=4000, staying=0.7)
    table = transition_table(before, after)
    stays = table[table["before"] == table["after"]]
    expected = 0.7 + 0.3 * np.array([0.4, 0.3, 0.2])
    assert ((stays["lower"] <= expected) & (expected <= stays["upper"])).all()
    before, after = states(n=4000, staying=0.0)
    table = transition_table(before, after, confidence=0.999)
    assert table["independent_share"].between(table["lower"], table["upper"]).all()


def test_windows_are_stacked_so_that_the_same_customer_has_the_same_place():
    before = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.Index(["a", "b"], name="customer_id"))
    both = stack_windows(before, before)
    assert both.loc["before"].equals(before)
    assert both.loc["after"].equals(before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b, a: transition_table(b, a.iloc[::-1]), "different indices"),
        (lambda b, a: transition_table(b, a.where(a != "none")), "a state missing for"),
        (lambda b, a: transition_table(b.head(0), a.head(0)), "0 customers"),
        (lambda b, a: transition_table(b, a, confidence=95), "confidence is 95"),
        (lambda b, a: stack_windows(b.to_frame("x"), a.to_frame("y")), "the same columns"),
        (lambda b, a: stack_windows(b.to_frame("x").head(0), a.to_frame("x")), "before holds 0"),
    ],
)
def test_tables_without_meaning_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(*states())


def test_a_customer_who_buys_as_before_stays_in_his_segment_and_one_who_does_not_moves():
    rng = np.random.default_rng(2)
    few, many = (pd.DataFrame({"n_orders": rng.poisson(n, 30) + 1.0}) for n in (1, 60))
    before = pd.concat([many, few], ignore_index=True)
    after = before.copy()
    after.loc[0, "n_orders"] = 1.0
    start, end = segment_windows(before, after, n_segments=2, seed=1, order_by="n_orders")
    assert start.tolist() == [1] * 30 + [2] * 30
    assert (start != end).tolist() == [True] + [False] * 59
    # A column that never varies tells nobody apart, and is no reason to stop.
    one, two = (table.assign(recency_days=7.0) for table in (before, after))
    again, _ = segment_windows(one, two, n_segments=2, seed=1, order_by="n_orders")
    assert again.equals(start)


def test_windows_that_cannot_be_segmented_are_refused_in_both_languages():
    table = pd.DataFrame({"n_orders": [1.0, 2.0, 3.0]})
    how = {"n_segments": 3, "seed": 1, "order_by": "n_orders"}
    with pytest.raises(
        ValueError, match="3 customers bought in the earlier half and 3 in"
    ) as small:
        segment_windows(table, table, **how)
    assert "前半期有 3 位客户" in text_in(small.value, "zh")
    alike = pd.DataFrame({"n_orders": [1.0] * 9})
    with pytest.raises(ValueError, match="differ in 1 ways only") as same:
        segment_windows(alike, alike, **how)
    assert "只有 1 种" in text_in(same.value, "zh")
