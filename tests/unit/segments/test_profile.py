"""Sizes, value shares, means and effect sizes of segments."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from crmlab.segments.profile import eta_squared, profile_segments, summarize_segments


def customers(n=90, seed=2):
    rng = np.random.default_rng(seed)
    segment = pd.Series(rng.choice([1, 2, 3], n), name="segment", index=[f"c{i}" for i in range(n)])
    frame = pd.DataFrame(
        {"z_orders": rng.normal(segment, 1.0), "a_value": rng.exponential(10, n)},
        index=segment.index,
    )
    return frame, segment


def test_eta_squared_of_two_pairs_on_paper():
    # Means 9 and 2, grand mean 5.5: between 4 * 3.5^2 = 49, total 49 + 2 + 2 = 53.
    value, group = pd.Series([8.0, 10.0, 1.0, 3.0]), pd.Series(list("aabb"))
    assert eta_squared(value, group) == pytest.approx(49 / 53)


def test_eta_squared_agrees_with_the_analysis_of_variance():
    frame, segment = customers()
    parts = [frame["z_orders"][segment == s] for s in (1, 2, 3)]
    f = stats.f_oneway(*parts).statistic
    n, k = len(frame), 3
    assert eta_squared(frame["z_orders"], segment) == pytest.approx(
        f * (k - 1) / (f * (k - 1) + n - k)
    )


@settings(max_examples=50)
@given(
    value=st.lists(st.integers(-20, 20), min_size=2, max_size=30),
    data=st.data(),
)
def test_eta_squared_lies_between_zero_and_one(value, data):
    assume(len(set(value)) > 1)
    group = data.draw(st.lists(st.sampled_from("abc"), min_size=len(value), max_size=len(value)))
    eta = eta_squared(pd.Series(value), pd.Series(group))
    assert -1e-12 <= eta <= 1 + 1e-12


def test_eta_squared_at_its_ends():
    group = pd.Series(list("aabb"))
    assert eta_squared(pd.Series([1.0, 1.0, 2.0, 2.0]), group) == 1.0
    assert eta_squared(pd.Series([1.0, 2.0, 1.0, 2.0]), group) == 0.0
    assert np.isnan(eta_squared(pd.Series([0.1, 0.1, 0.1, 0.1]), group))
    assert np.isnan(eta_squared(pd.Series([np.nan] * 4), group))


def test_eta_squared_without_association_is_k_less_one_over_n_less_one():
    rng = np.random.default_rng(15)
    group = pd.Series(np.repeat([0, 1, 2], 10))
    etas = [eta_squared(pd.Series(rng.normal(size=30)), group) for _ in range(400)]
    assert np.mean(etas) == pytest.approx(2 / 29, abs=4 * np.std(etas) / 20)


def test_profile_has_a_row_for_each_segment_and_variable_in_the_order_given():
    frame, segment = customers()
    profile = profile_segments(frame, segment)
    assert profile["segment"].tolist() == [1, 1, 2, 2, 3, 3]
    assert profile["variable"].tolist() == ["z_orders", "a_value"] * 3
    sizes = profile.drop_duplicates("segment").set_index("segment")
    assert sizes["n_customers"].sum() == len(frame)
    assert sizes["share"].sum() == pytest.approx(1.0)
    assert (profile["n_known"] == profile["n_customers"]).all()


def test_profile_keeps_the_order_of_named_segments():
    segment = pd.Series(pd.Categorical(list("zzaa"), categories=["z", "nobody", "a"]))
    profile = profile_segments(pd.DataFrame({"y": [1.0, 2, 5, 6], "x": [1.0, 2, 5, 6]}), segment)
    assert profile["segment"].tolist() == ["z", "z", "a", "a"]
    assert profile["variable"].tolist() == ["y", "x", "y", "x"]


def test_profile_means_weigh_up_to_the_mean_of_all():
    frame, segment = customers()
    profile = profile_segments(frame, segment)
    for variable, rows in profile.groupby("variable"):
        assert (rows["share"] * rows["mean"]).sum() == pytest.approx(frame[variable].mean())
        both = rows["share"] * rows["mean"] + (1 - rows["share"]) * rows["rest_mean"]
        np.testing.assert_allclose(both, frame[variable].mean())


def test_standardized_difference_agrees_with_the_t_statistic():
    frame, segment = customers()
    profile = profile_segments(frame, segment)
    for row in profile.itertuples():
        inside = frame.loc[segment == row.segment, row.variable]
        outside = frame.loc[segment != row.segment, row.variable]
        t = stats.ttest_ind(inside, outside).statistic
        expected = t * np.sqrt(1 / len(inside) + 1 / len(outside))
        assert row.standardized_difference == pytest.approx(expected)


def test_missing_values_are_left_out_column_by_column_and_counted():
    frame, segment = customers()
    frame.loc[frame.index[:10], "a_value"] = np.nan
    profile = profile_segments(frame, segment).set_index(["variable", "segment"])
    assert profile.loc["a_value", "n_known"].sum() == 80
    assert profile.loc["z_orders", "n_known"].sum() == 90
    known = frame["a_value"].dropna()
    assert profile.loc[("a_value", 2), "mean"] == pytest.approx(known[segment == 2].mean())


def test_a_segmentation_of_one_segment_has_no_differences():
    frame, segment = customers()
    profile = profile_segments(frame, segment * 0 + 1)
    assert profile["standardized_difference"].isna().all()
    np.testing.assert_allclose(profile["eta_squared"], 0, atol=1e-15)


def test_a_constant_variable_has_no_effect_sizes():
    frame, segment = customers()
    profile = profile_segments(frame.assign(z_orders=4.0)[["z_orders"]], segment)
    assert profile[["standardized_difference", "eta_squared"]].isna().all(axis=None)


def test_summary_adds_up_to_the_whole():
    frame, segment = customers()
    table = summarize_segments(segment, frame["a_value"])
    assert table["n_customers"].sum() == len(frame)
    assert table["customer_share"].sum() == pytest.approx(1.0)
    assert table["value_share"].sum() == pytest.approx(1.0)
    assert (table["customer_share"] * table["value_index"]).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(
        table["value_per_customer"], frame["a_value"].groupby(segment).mean()
    )


def test_summary_without_positive_value_has_undefined_shares():
    table = summarize_segments(pd.Series([1, 2]), pd.Series([0.0, 0.0]))
    assert table[["value_share", "value_index"]].isna().all(axis=None)


def test_other_customers_gaps_and_twins_are_refused():
    frame, segment = customers()
    with pytest.raises(ValueError, match="segment and frame have different indices"):
        profile_segments(frame, segment.iloc[::-1])
    with pytest.raises(ValueError, match="segment: missing for 1 of 90 customers"):
        profile_segments(frame, segment.astype("Int64").mask(segment.index == "c3"))
    with pytest.raises(ValueError, match="value: missing for 90 customers"):
        summarize_segments(segment, frame["a_value"] * np.nan)
    with pytest.raises(ValueError, match="z_orders: stored as str"):
        profile_segments(frame.assign(z_orders="many"), segment)
    with pytest.raises(ValueError, match="a_value: infinite values"):
        profile_segments(frame.assign(a_value=np.inf), segment)
    twice = segment.rename(dict.fromkeys(segment.index, "c0"))
    with pytest.raises(ValueError, match="names a customer twice"):
        profile_segments(frame.set_axis(twice.index), twice)


def test_inputs_are_left_unchanged():
    frame, segment = customers()
    before = frame.copy(deep=True), segment.copy(deep=True)
    profile_segments(frame, segment)
    summarize_segments(segment, frame["a_value"])
    eta_squared(frame["a_value"], segment)
    pd.testing.assert_frame_equal(frame, before[0])
    pd.testing.assert_series_equal(segment, before[1])
