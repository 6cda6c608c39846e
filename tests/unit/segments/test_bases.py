"""How much of behaviour a base known beforehand accounts for."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.segments.bases import compare_bases, cramers_v, five_variables
from crmlab.segments.profile import eta_squared


def customers(n=400, seed=6):
    rng = np.random.default_rng(seed)
    region = rng.choice(["north", "south", "west"], n)
    return pd.DataFrame(
        {
            "region": pd.Series(region, dtype="str"),
            "gender": pd.Series(rng.choice(["female", "male"], n), dtype="str"),
            "n_orders": rng.normal(np.where(region == "north", 5.0, 3.0), 1.0),
            "total_value": rng.exponential(20, n),
        }
    )


def test_comparison_has_a_row_for_each_base_and_outcome():
    table = compare_bases(customers(), ["region", "gender"], ["n_orders", "total_value"])
    assert table["base"].tolist() == ["region", "region", "gender", "gender"]
    assert table["n_segments"].tolist() == [3, 3, 2, 2]
    assert table["chance_eta_squared"].tolist() == [2 / 399, 2 / 399, 1 / 399, 1 / 399]


def test_comparison_finds_the_base_the_behaviour_was_made_from():
    """Region shifts orders by 2 of 1 standard deviation: variance between is 4 p (1 - p)."""
    table = compare_bases(customers(n=4000), ["region", "gender"], ["n_orders"])
    between = 4 * (1 / 3) * (2 / 3)
    assert table["eta_squared"][0] == pytest.approx(between / (between + 1), abs=0.04)
    assert abs(table["epsilon_squared"][1]) < 4 * np.sqrt(2) / 4000


def test_epsilon_squared_is_zero_on_average_without_association():
    rng = np.random.default_rng(16)
    base = pd.Series(np.repeat(list("abcd"), 8))
    found = [
        compare_bases(pd.DataFrame({"b": base, "v": rng.normal(size=32)}), ["b"], ["v"])[
            "epsilon_squared"
        ][0]
        for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(0.0, abs=4 * np.std(found) / 300**0.5)


def test_missing_groups_are_left_out_and_counted():
    frame = customers()
    frame.loc[:99, "region"] = None
    table = compare_bases(frame, ["region"], ["n_orders"])
    assert table["n_customers"].tolist() == [300]
    known = frame.dropna()
    assert table["eta_squared"][0] == pytest.approx(eta_squared(known["n_orders"], known["region"]))


def test_a_base_with_one_group_or_one_per_customer_is_undefined():
    frame = customers(n=20).assign(firm="ours", customer_id=[f"c{i}" for i in range(20)])
    table = compare_bases(frame, ["firm", "customer_id"], ["n_orders"])
    columns = ["eta_squared", "chance_eta_squared", "epsilon_squared"]
    assert table[columns].isna().all(axis=None)


def test_a_missing_column_is_refused():
    with pytest.raises(ValueError, match="column 'income' is missing"):
        compare_bases(customers(), ["income"], ["n_orders"])


def test_cramers_v_agrees_with_the_chi_square_statistic():
    frame = customers()
    first = frame["region"]
    second = pd.Series(np.where(frame["n_orders"] > 4, "often", "seldom"))
    table = pd.crosstab(first, second)
    chi_square = stats.chi2_contingency(table, correction=False).statistic
    n, r, c = len(frame), 3, 2
    phi = max(0, chi_square / n - (r - 1) * (c - 1) / (n - 1))
    expected = np.sqrt(phi / (min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1))
    assert cramers_v(first, second) == pytest.approx(expected)
    assert cramers_v(second, first) == pytest.approx(expected)


def test_cramers_v_at_its_ends():
    group = pd.Series(list("aabbcc") * 5)
    assert cramers_v(group, group.map({"a": 1, "b": 2, "c": 3})) == pytest.approx(1.0)
    assert cramers_v(group, pd.Series(list("xyxyxy") * 5)) == 0.0
    assert np.isnan(cramers_v(group, pd.Series(["x"] * 30)))
    assert np.isnan(cramers_v(group, pd.Series([None] * 30, dtype="str")))


def test_cramers_v_leaves_out_customers_with_a_gap():
    first, second = pd.Series(list("aabb") * 5), pd.Series(list("xxyy") * 5)
    gap = second.mask(second.index == 3)
    kept = second.index != 3
    assert cramers_v(first, gap) == cramers_v(first[kept], second[kept])


def test_cramers_v_of_other_customers_is_refused():
    with pytest.raises(ValueError, match="different indices"):
        cramers_v(pd.Series([1, 2]), pd.Series([1, 2], index=[5, 6]))


def test_inputs_are_left_unchanged():
    frame = customers()
    before = frame.copy(deep=True)
    compare_bases(frame, ["region"], ["n_orders"])
    cramers_v(frame["region"], frame["gender"])
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("n", [6, 13])
def test_cramers_v_of_a_group_for_every_customer_is_undefined(n):
    own = pd.Series(range(n))
    assert np.isnan(cramers_v(own, own))
    assert np.isnan(cramers_v(pd.Series(np.arange(n) % 3), own))


def test_five_variables_are_numbers_and_words_and_leave_out_what_is_alike():
    rfm = pd.DataFrame(
        {"n_orders": [4, 1, 2], "total_value": [80.0, 20.0, 30.0]}, index=list("abc")
    )
    channel = pd.DataFrame({"app": [3, 0], "store": [1, 1]}, index=["a", "b"])
    day = pd.DataFrame({"weekday": [4, 1, 2]}, index=rfm.index)
    people = pd.DataFrame(
        {"is_business": pd.array([True, None], dtype="boolean")}, index=["a", "b"]
    )
    numbers, words = five_variables(rfm, {"channel": channel, "day_type": day}, people)
    assert numbers["mean_order_value"].tolist() == [20.0, 20.0, 15.0]
    assert words.to_dict("list") == {
        "customer_type": ["firm", "unknown", "unknown"],
        "main_channel": ["app", "store", "unknown"],
    }
    assert list(five_variables(rfm, {"day_type": day})[1]) == []
