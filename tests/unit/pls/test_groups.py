"""Two groups: whether composites mean the same in both, and whether paths differ."""

import numpy as np
import pandas as pd
import pytest

from crmlab.pls import (
    PathModel,
    compare_groups,
    composite,
    estimate_model,
    higher_order,
    measurement_invariance,
    single_item,
)


def two_groups(n, *, path=(0.5, 0.5), weak=False, shift=0.0, spread=1.0, seed=0):
    """X moves Y by `path` in each group; the second may weigh, sit or spread otherwise."""
    rng = np.random.default_rng(seed)
    tables = []
    for k in range(2):
        x = rng.normal(size=n)
        y = path[k] * x + np.sqrt(1 - path[k] ** 2) * rng.normal(size=n)
        loads = np.array([0.9, 0.9, 0.2 if weak and k else 0.9])
        table = pd.DataFrame(x[:, None] * loads + 0.4 * rng.normal(size=(n, 3)))
        table.columns = ["x1", "x2", "x3"]
        y = (y * (spread if k else 1.0)) + (shift if k else 0.0)
        tables.append(table.assign(y=y, group="ab"[k]))
    return pd.concat(tables, ignore_index=True)


MODEL = PathModel([composite("X", ["x1", "x2", "x3"]), single_item("Y", "y")], ["X -> Y"])


def test_paths_by_group_are_those_of_separate_estimates():
    data = two_groups(80, path=(0.2, 0.8))
    result = compare_groups(estimate_model(MODEL, data), data["group"], seed=1, n_permutations=200)
    for group, column in zip("ab", ("first", "second"), strict=True):
        alone = estimate_model(MODEL, data[data["group"] == group])
        assert result.table[column][0] == pytest.approx(
            alone.path_coefficients.loc["X", "Y"], abs=1e-7
        )
    assert (result.groups, result.sizes) == (("a", "b"), (80, 80))
    # A difference of .6 is five standard errors: no deal of 200 comes near.
    assert result.table["p_value"][0] == pytest.approx(1 / 201)


def test_p_value_is_the_share_of_all_deals():
    """20 respondents: 80 deals estimated one by one, by the estimate itself."""
    data = two_groups(10, path=(0.1, 0.7), seed=3)
    estimate = estimate_model(MODEL, data)
    result = compare_groups(estimate, data["group"], seed=1, n_permutations=2000)
    rng = np.random.default_rng(9)
    observed = result.table["difference"][0]
    hits = 0
    for _ in range(80):
        deal = rng.permutation(data["group"].to_numpy())
        parts = [estimate_model(MODEL, data[deal == g]).paths["coefficient"][0] for g in "ab"]
        hits += abs(parts[0] - parts[1]) >= abs(observed)
    p = hits / 80
    assert result.table["p_value"][0] == pytest.approx(p, abs=4 * np.sqrt(0.25 / 80))


def test_equal_groups_seldom_differ():
    """30 samples without a difference: at 10%, more than 9 false alarms come 1 time in 1,000."""
    alarms = 0
    for seed in range(30):
        data = two_groups(30, seed=seed)
        table = compare_groups(
            estimate_model(MODEL, data), data["group"], seed=seed, n_permutations=60
        ).table
        alarms += table["p_value"][0] <= 0.1
    assert alarms <= 9


@pytest.mark.parametrize(
    ("change", "found", "measure"),
    [
        ({}, "full", None),
        ({"weak": True}, "none", "correlation_p"),
        ({"shift": 1.0}, "partial", "mean_p"),
        ({"spread": 2.0}, "partial", "variance_p"),
    ],
)
def test_invariance_is_found_and_missed_where_it_is(change, found, measure):
    data = two_groups(200, seed=4, **change)
    result = measurement_invariance(
        estimate_model(MODEL, data), data["group"], seed=1, n_permutations=300
    )
    construct = "X" if "weak" in change else "Y"
    assert result.table.loc[construct, "invariance"] == found
    if measure:
        assert result.table.loc[construct, measure] < 0.05
    assert result.outcomes["solved"] == 300


def test_invariance_by_hand():
    data = two_groups(60, weak=True, shift=0.5, seed=2)
    estimate = estimate_model(MODEL, data)
    table = measurement_invariance(estimate, data["group"], seed=1, n_permutations=50).table
    items = ["x1", "x2", "x3"]
    pooled = (data[items] - data[items].mean()) / data[items].std()
    made = [
        pooled @ estimate_model(MODEL, data[data["group"] == g]).weights.loc[items, "X"]
        for g in "ab"
    ]
    assert table.loc["X", "correlation"] == pytest.approx(np.corrcoef(*made)[0, 1], abs=1e-7)
    by_group = estimate.scores.groupby(data["group"])
    assert table["mean_difference"].to_numpy() == pytest.approx(
        by_group.mean().loc["a"] - by_group.mean().loc["b"]
    )
    assert table["log_variance_ratio"].to_numpy() == pytest.approx(
        np.log(by_group.var().loc["a"] / by_group.var().loc["b"])
    )
    assert table.loc["Y", "correlation"] == pytest.approx(1)


def test_single_item_is_never_called_different_by_rounding():
    data = two_groups(50, seed=1)
    table = measurement_invariance(
        estimate_model(MODEL, data), data["group"], seed=1, n_permutations=50
    ).table
    assert table.loc["Y", "correlation_p"] == 1


def test_same_seed_same_table_and_order_of_groups_is_sorted():
    data = two_groups(40, seed=1)
    estimate = estimate_model(MODEL, data)
    one, two = (
        compare_groups(estimate, groups, seed=1, n_permutations=50)
        for groups in (data["group"], data["group"].iloc[::-1])
    )
    pd.testing.assert_frame_equal(one.table, two.table)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (lambda d: d["group"].tolist(), "groups is a pandas Series"),
        (lambda d: d["group"].iloc[5:], r"no row for respondent 0 \(and 4 more\)"),
        (lambda d: d["group"].where(d.index != 3), "group of respondent 3 is missing"),
        (lambda d: d["group"].where(d.index != 3, "c"), "holds 3 values.*two are compared"),
        (lambda d: pd.Series("a", d.index), "holds 1 values"),
        (lambda d: pd.Series(np.where(d.index < 5, "a", "b")), "group 'a' has 5 respondents"),
    ],
)
def test_refuses_groups_that_are_none(groups, message):
    data = two_groups(30)
    with pytest.raises(ValueError, match=message):
        compare_groups(estimate_model(MODEL, data), groups(data), seed=1)


def test_refuses_a_group_in_which_an_item_does_not_vary():
    data = two_groups(30)
    data.loc[data["group"] == "a", "x1"] = 1.0
    with pytest.raises(ValueError, match=r"a group cannot be estimated by itself \(no_variance\)"):
        compare_groups(estimate_model(MODEL, data), data["group"], seed=1)


def test_refuses_settings_out_of_range():
    data = two_groups(30)
    estimate = estimate_model(MODEL, data)
    with pytest.raises(ValueError, match="n_permutations is at least 20"):
        compare_groups(estimate, data["group"], seed=1, n_permutations=5)
    with pytest.raises(ValueError, match=r"level is between 0\.5 and 1"):
        measurement_invariance(estimate, data["group"], seed=1, level=95)
    parts = [single_item(n, i) for n, i in zip("PQY", ("x1", "x2", "y"), strict=True)]
    whole = PathModel([*parts, higher_order("W", ["P", "Q"])], ["W -> Y"])
    with pytest.raises(ValueError, match="take out the higher-order construct"):
        measurement_invariance(estimate_model(whole, data), data["group"], seed=1)
