"""Facts about the market: checked, computed from the tables, weighed up."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from crmlab.data.market import FORCES, check_facts, load_facts, sense_market, summarise_facts


def facts(*rows):
    columns = ["force", "source", "dated_on", "direction", "strength"]
    frame = pd.DataFrame(rows, columns=columns)
    forces = {force: framework for framework in FORCES for force in FORCES[framework]}
    return check_facts(frame.assign(framework=frame["force"].map(forces), fact_en="", fact_zh=""))


def test_balance_by_hand():
    # A year old counts half: (1 * 2 * 1 - 1 * 2 * 0.5) / (2 + 1) = 1/3.
    known = facts(
        ("economic", "A", "2025-12-31", 1, 2),
        ("economic", "B", "2024-12-31", -1, 2),
        ("rivalry", "A", "2025-12-31", 0, 3),
    )
    found = summarise_facts(known, "2025-12-31").set_index("force")
    assert found.loc["economic", "balance"] == pytest.approx(1 / 3)
    # Without A all is bad, without B all is good.
    assert found.loc["economic", ["balance_lower", "balance_upper"]].tolist() == [-1, 1]
    assert found.loc["economic", ["n_facts", "n_sources"]].tolist() == [2, 2]
    assert found.loc["rivalry", "balance"] == 0
    assert np.isnan(found.loc["rivalry", "balance_lower"])
    assert len(found) == sum(map(len, FORCES.values()))
    assert found["n_facts"].sum() == len(known)
    assert found.loc["social", "n_facts"] == 0
    assert np.isnan(found.loc["social", "balance"])


def test_facts_that_come_along_are_dated_and_sourced():
    known = load_facts()
    assert known["source"].notna().all()
    assert (known["dated_on"] < pd.Timestamp("2026-01-01")).all()
    assert known["fact_zh"].str.contains("[一-鿿]").all()


def book(rates, seed=1):
    """Return orders whose number on each day is Poisson, worth 10 each."""
    rng = np.random.default_rng(seed)
    days = np.repeat(np.arange(len(rates)), poisson(rates).rvs(random_state=rng))
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, 300, len(days)),
            "ordered_on": pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D"),
            "amount": 10.0,
        }
    )


def sense(orders, n_days=364, **tables):
    last = pd.Timestamp("2024-01-01") + pd.Timedelta(days=n_days - 1)
    return sense_market({"orders": orders} | tables, "2024-01-01", last).set_index("measure")


def test_growth_is_found_with_its_size():
    # 20 a day, then 26: +30 per cent, strong; the value of a purchase stays.
    found = sense(book([20] * 182 + [26] * 182))
    assert found.loc["n_purchases", ["direction", "strength"]].tolist() == [1, 3]
    error = np.sqrt(1 / (182 * 20) + 1 / (182 * 26)) * 1.3
    assert found.loc["n_purchases", "change"] == pytest.approx(0.3, abs=4 * error)
    assert found.loc["mean_purchase", "direction"] == 0
    assert " rose by " in found.loc["n_purchases", "fact_en"]
    assert "return_rate" not in found.index


def test_no_trend_is_no_fact_for_or_against():
    facts = [sense(book([20] * 364, seed)).loc["n_purchases"] for seed in range(20)]
    found = [fact["direction"] for fact in facts]
    # The statement gives the reason why it counts for nothing.
    for fact in facts:
        by_chance = "chance" in fact["fact_en"] and "偶然" in fact["fact_zh"]
        assert by_chance or fact["direction"] or "0.1%" in fact["fact_zh"]
    # One in twenty is expected by chance; four or more in twenty are not (p 0.016).
    assert np.count_nonzero(found) < 4


def test_weekly_counts_are_those_of_another_route():
    orders = book([3] * 130)
    found = sense(orders, n_days=130)
    # 18 complete weeks, halves of 9; the days after them are left out.
    week = orders["ordered_on"].dt.to_period("W-SUN").dt.start_time
    counts = week.value_counts().sort_index().iloc[:18]
    assert found.loc["n_purchases", "earlier"] == pytest.approx(counts.iloc[:9].mean())
    assert found.loc["n_purchases", "later"] == pytest.approx(counts.iloc[9:].mean())


def test_more_complaints_are_bad():
    orders = book([20] * 364)
    rng = np.random.default_rng(2)
    day = np.concatenate([rng.integers(0, 182, 100), rng.integers(182, 364, 300)])
    opened = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D")
    tickets = pd.DataFrame({"opened_at": opened, "is_complaint": True})
    found = sense(orders, tickets=tickets)
    assert found.loc["complaint_rate", ["force", "direction"]].tolist() == ["feedback", -1]
    # The statements can be weighed up like any other facts.
    weighed = summarise_facts(check_facts(found), "2024-12-31").set_index("force")
    assert weighed.loc["feedback", "balance"] == -1


def test_a_short_window_and_no_orders_say_nothing():
    assert sense(book([3] * 100), n_days=100).empty
    assert sense_market({}, "2024-01-01", "2024-12-31").empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"force": "weather"}, "facts, row 1: force is weather; expected one of its framework's"),
        ({"framework": "five_forces"}, "row 1: force is political"),
        ({"source": None}, "row 1: source is .*; expected where the fact can be looked up"),
        ({"direction": 2}, r"direction is 2; expected -1 \(bad\)"),
        ({"strength": 0}, r"strength is 0; expected 1 \(weak\)"),
        ({"dated_on": pd.NaT}, "dated_on is NaT; expected the day"),
    ],
)
def test_facts_that_cannot_be_used_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        check_facts(load_facts().assign(**change))


def test_missing_columns_late_facts_and_half_lives_are_refused():
    with pytest.raises(ValueError, match="the column 'source' is missing"):
        check_facts(load_facts().drop(columns="source"))
    with pytest.raises(ValueError, match="facts, row 1: dated 2021-11-01, after 2019-01-01"):
        summarise_facts(load_facts(), "2019-01-01")
    with pytest.raises(ValueError, match="half_life_days is 0"):
        summarise_facts(load_facts(), "2025-01-01", half_life_days=0)
