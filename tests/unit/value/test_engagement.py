"""Engagement value: the four parts, what is left undefined, and whether the best are the same."""

import numpy as np
import pandas as pd
import pytest

from crmlab.value.engagement import engagement_value, overlap_of_best

VALUE = pd.DataFrame(
    {
        "customer_id": list("abcd"),
        "lifetime_value": [10.0, 60.0, 5.0, 0.0],
        "past_value": [5.0, 40.0, 15.0, 2.0],
    }
)
LINKS = pd.DataFrame(
    [
        ("a", "b", "referral"),
        ("a", "c", "referral"),
        ("b", "z", "referral"),  # somebody of whom nothing is known
        ("a", "b", "call"),
        ("b", "a", "call"),
        ("d", "a", "call"),
    ],
    columns=["customer_id", "other_id", "kind"],
)


def row(table, name):
    return table.set_index("customer_id").loc[name]


def test_parts_by_hand():
    table = engagement_value(VALUE, LINKS, incremental_share=0.25, acquisition_cost=8.0)
    a = row(table, "a")
    assert a["n_referred"] == 2
    assert a["referral_value"] == pytest.approx(0.25 * (100 + 20) + 0.75 * 16)
    assert a["n_reached"] == 2  # b, who also called, and d
    assert a["engagement_value"] == pytest.approx(10 + a["referral_value"])
    assert row(table, "b")["referral_value"] == pytest.approx(0.75 * 8)
    assert row(table, "d")["n_reached"] == 1


def test_what_nobody_measured_is_undefined_and_counted():
    table = engagement_value(VALUE, LINKS, feedback=pd.Series(["a", "a", "z"]))
    assert table[["influencer_value", "knowledge_value"]].isna().all(axis=None)
    assert table["n_reports"].tolist() == [2, 0, 0, 0]
    priced = engagement_value(
        VALUE,
        LINKS,
        feedback=pd.Series(["a", "a"]),
        value_per_report=3.0,
        value_per_person_reached=1.0,
    )
    assert row(priced, "a")["knowledge_value"] == 6
    assert row(priced, "a")["influencer_value"] == 2
    assert row(priced, "a")["engagement_value"] == pytest.approx(
        row(table, "a")["engagement_value"] + 8
    )


def test_limits_of_what_referral_is_credited_with():
    none = engagement_value(VALUE, LINKS, incremental_share=0.0)
    assert (none["referral_value"] == 0).all()
    assert (none["engagement_value"] == none["lifetime_value"]).all()
    whole = engagement_value(VALUE, LINKS, incremental_share=1.0, acquisition_cost=99.0)
    assert row(whole, "a")["referral_value"] == 120


def test_overlap_of_the_best():
    rng = np.random.default_rng(3)
    one, other = pd.Series(rng.normal(size=20_000)), pd.Series(rng.normal(size=20_000))
    assert overlap_of_best(one, one)["overlap"] == 1
    assert overlap_of_best(one, -one)["overlap"] == 0
    found = overlap_of_best(one, other)
    assert abs(found["overlap"] - found["by_chance"]) < 4 * np.sqrt(0.09 / 2000)
    # Where all are tied the overlap is that of chance.
    tied = overlap_of_best(one, 0 * other)
    assert tied["overlap"] == pytest.approx(tied["by_chance"])


def test_refusals():
    with pytest.raises(ValueError, match="value: column 'past_value' is missing"):
        engagement_value(VALUE.drop(columns="past_value"), LINKS)
    with pytest.raises(ValueError, match="links: column 'kind' is missing"):
        engagement_value(VALUE, LINKS.drop(columns="kind"))
    with pytest.raises(ValueError, match="a customer has two rows"):
        engagement_value(pd.concat([VALUE, VALUE]), LINKS)
    with pytest.raises(ValueError, match=r"incremental_share=1\.5"):
        engagement_value(VALUE, LINKS, incremental_share=1.5)
    with pytest.raises(ValueError, match="a share between 0 and 1"):
        overlap_of_best(VALUE["past_value"], VALUE["past_value"], share=0)
    with pytest.raises(ValueError, match="a value is missing"):
        overlap_of_best(pd.Series([1.0, np.nan]), pd.Series([1.0, 2.0]))


def test_a_referral_counts_once_and_nobody_refers_himself():
    value = pd.DataFrame(
        {"customer_id": ["a", "b"], "lifetime_value": [1.0, 4.0], "past_value": [0.0, 6.0]}
    )
    links = pd.DataFrame({"customer_id": list("aaa"), "other_id": list("bba"), "kind": "referral"})
    found = engagement_value(value, links, incremental_share=0.5).loc[0]
    assert (found["n_referred"], found["referral_value"]) == (1, 5.0)


def test_links_without_one_of_the_two_count_for_nothing():
    gaps = pd.DataFrame(
        [("a", None, "referral"), (None, "b", "referral"), ("a", None, "call")],
        columns=LINKS.columns,
    )
    table = engagement_value(VALUE, pd.concat([LINKS, gaps]))
    pd.testing.assert_frame_equal(table, engagement_value(VALUE, LINKS))
    none = engagement_value(VALUE, LINKS.iloc[:0])
    assert (none[["n_referred", "n_reached", "referral_value"]] == 0).all(axis=None)
