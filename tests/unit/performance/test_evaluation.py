import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.performance import obstacle_degree, rank_sensitivity, topsis

matrices = st.integers(0, 10_000).map(
    lambda seed: np.random.default_rng(seed).uniform(1, 9, (5, 3))
)


def test_topsis_matches_two_criteria_solved_on_paper():
    # Columns (3, 4)/5 with weight 1 each half: v = (.3, .4) and (.4, .3): the mirror image.
    table = topsis([[3, 4], [4, 3]], [1, 1])
    np.testing.assert_allclose(table["closeness"], 0.5)
    np.testing.assert_allclose(table["distance_to_ideal"], 0.1)
    assert table["rank"].tolist() == [1, 1]


def test_topsis_gives_1_to_what_is_best_in_everything_and_0_to_the_worst():
    table = topsis([[1, 9], [2, 5], [3, 1]], [0.3, 0.7], directions=["higher", "lower"])
    assert table["closeness"].iloc[[0, 2]].tolist() == [0, 1]
    assert table["rank"].tolist() == [3, 2, 1]


def test_topsis_equals_a_second_route_written_with_loops():
    rng = np.random.default_rng(12)
    x, w = rng.uniform(1, 9, (6, 4)), rng.uniform(0.1, 1, 4)
    directions = ["higher", "lower", "higher", "lower"]
    v = [[w[j] / w.sum() * x[i, j] / np.linalg.norm(x[:, j]) for j in range(4)] for i in range(6)]
    columns = list(zip(*v, strict=True))
    best = [max(c) if d == "higher" else min(c) for c, d in zip(columns, directions, strict=True)]
    worst = [min(c) if d == "higher" else max(c) for c, d in zip(columns, directions, strict=True)]
    plus = [np.sqrt(sum((a - b) ** 2 for a, b in zip(row, best, strict=True))) for row in v]
    minus = [np.sqrt(sum((a - b) ** 2 for a, b in zip(row, worst, strict=True))) for row in v]
    expected = [m / (m + p) for m, p in zip(minus, plus, strict=True)]
    table = topsis(x, w, directions=directions)
    np.testing.assert_allclose(table["closeness"], expected, atol=1e-12)
    np.testing.assert_allclose(table["distance_to_ideal"], plus, atol=1e-12)


@given(matrices, st.floats(0.01, 100), st.floats(0.01, 100))
def test_topsis_does_not_depend_on_units_or_on_the_sum_of_the_weights(x, unit, total):
    one = topsis(x, [1, 2, 3])
    two = topsis(x * [unit, 1, 1], np.array([1, 2, 3]) * total)
    np.testing.assert_allclose(one["closeness"], two["closeness"], atol=1e-9)


@given(matrices)
def test_topsis_never_ranks_a_dominated_alternative_higher(x):
    worse = np.vstack([x, x[0] - 0.5])
    closeness = topsis(worse, [1, 1, 1])["closeness"]
    assert closeness.iloc[-1] <= closeness.iloc[0]


@given(matrices)
def test_topsis_is_unmoved_by_a_constant_criterion_or_one_without_weight(x):
    base = topsis(x, [1, 2, 3])["closeness"]
    constant = topsis(np.column_stack([x, np.full(5, 7.0)]), [1, 2, 3, 0])["closeness"]
    weightless = topsis(np.column_stack([x, x[::-1, 0]]), [1, 2, 3, 0])["closeness"]
    np.testing.assert_allclose(base, constant, atol=1e-12)
    np.testing.assert_allclose(base, weightless, atol=1e-12)
    # A constant criterion takes weight from all others alike, and so moves nothing either.
    np.testing.assert_allclose(
        base, topsis(np.column_stack([x, np.full(5, 7.0)]), [1, 2, 3, 4])["closeness"], atol=1e-12
    )


def test_topsis_lets_twins_share_the_better_rank():
    table = topsis([[5, 5], [5, 5], [1, 1]], [1, 1])
    assert table["rank"].tolist() == [1, 1, 3]


def test_topsis_does_not_rank_alternatives_by_rounding():
    # Each alternative is the same six values turned round: alike in all but the last bits.
    values = [2.4, 7.9, 5.3, 3.4, 4.4, 1.2]
    table = topsis([np.roll(values, k) for k in range(6)], [1] * 6)
    assert table["rank"].tolist() == [1] * 6


def test_topsis_is_undefined_when_all_alternatives_are_alike():
    table = topsis([[5, 0], [5, 0]], [1, 1])
    assert table["closeness"].isna().all()
    assert table["rank"].isna().all()


def test_topsis_does_not_take_rounding_for_a_difference():
    table = topsis([[0.1 + 0.2], [0.3]], [1])
    assert table["closeness"].isna().all()
    assert table["rank"].isna().all()


def test_topsis_takes_weights_and_directions_by_name():
    frame = pd.DataFrame({"cost": [1, 2], "gain": [3, 3.1]}, index=["p", "q"])
    table = topsis(frame, {"gain": 1, "cost": 3}, directions={"gain": "higher", "cost": "lower"})
    assert table.loc["p", "rank"] == 1


@pytest.mark.parametrize(
    ("matrix", "weights", "directions", "message"),
    [
        ([[1, 2]], [1], None, "expected one for each of 2 criteria"),
        ([[1, 2]], [1, -1], None, "weight of 1 is -1.0"),
        ([[1, 2]], [0, 0], None, "all weights are 0"),
        ([[1, 2]], {0: 1, 2: 1}, None, "weights have the names 0, 2"),
        ([[1, np.inf]], [1, 1], None, "criterion 1 is inf"),
        ([[1, 2]], [1, 1], ["higher", "up"], "direction of 1 is 'up'"),
    ],
)
def test_topsis_refuses_what_it_cannot_judge(matrix, weights, directions, message):
    with pytest.raises(ValueError, match=message):
        topsis(matrix, weights, directions=directions)


def test_topsis_leaves_its_inputs_unchanged():
    frame, weights = pd.DataFrame({"a": [1.0, 2], "b": [2.0, 1]}), {"a": 1, "b": 2}
    copy = frame.copy()
    topsis(frame, weights, directions=["higher", "lower"])
    obstacle_degree(frame, weights, 0)
    pd.testing.assert_frame_equal(frame, copy)
    assert weights == {"a": 1, "b": 2}


def test_rank_sensitivity_without_spread_keeps_every_rank():
    x = np.random.default_rng(1).uniform(1, 9, (5, 3))
    table = rank_sensitivity(x, [1, 2, 3], spread=0, n_draws=5, rng=np.random.default_rng(0))
    assert (table["same_rank_share"] == 1).all()
    assert (table["best_rank"] == table["rank"]).all()
    assert (table["worst_rank"] == table["rank"]).all()


def test_rank_sensitivity_equals_topsis_called_once_per_draw():
    x = np.random.default_rng(1).uniform(1, 9, (5, 3))
    weights = np.array([1, 2, 3]) / 6
    table = rank_sensitivity(
        x, weights, directions=["higher", "lower", "higher"], spread=0.4, n_draws=50,
        rng=np.random.default_rng(3),
    )  # fmt: skip
    draws = weights * np.exp(0.4 * np.random.default_rng(3).standard_normal((50, 3)))
    ranks = np.array(
        [
            topsis(x, w, directions=["higher", "lower", "higher"])["rank"].astype(float)
            for w in draws
        ]
    )
    np.testing.assert_allclose(table["mean_rank"], ranks.mean(axis=0))
    np.testing.assert_allclose(table["first_share"], (ranks == 1).mean(axis=0))


def test_rank_sensitivity_of_a_coin_toss_is_near_one_half():
    # Two mirror images: who leads depends on the larger weight alone. 5 standard errors of 1/2.
    table = rank_sensitivity([[3, 4], [4, 3]], [1, 1], n_draws=4000, rng=np.random.default_rng(8))
    np.testing.assert_allclose(table["first_share"], 0.5, atol=5 * 0.5 / np.sqrt(4000))


def test_rank_sensitivity_of_a_dominating_alternative_is_certain():
    table = rank_sensitivity(
        [[9, 9, 9], [5, 1, 3], [1, 5, 4]], [1, 1, 1], spread=1, rng=np.random.default_rng(0)
    )
    assert table["first_share"].iloc[0] == 1
    assert table["same_rank_share"].iloc[1] < 1


def test_rank_sensitivity_is_undefined_for_alternatives_that_are_alike():
    table = rank_sensitivity([[1, 1], [1, 1]], [1, 1], rng=np.random.default_rng(0))
    assert table.isna().all(axis=None)


@pytest.mark.parametrize(
    ("options", "message"), [({"spread": -1}, "spread is -1"), ({"n_draws": 0}, "n_draws is 0")]
)
def test_rank_sensitivity_refuses_draws_that_are_none(options, message):
    with pytest.raises(ValueError, match=message):
        rank_sensitivity([[1, 2], [2, 1]], [1, 1], rng=np.random.default_rng(0), **options)


def test_obstacles_of_an_alternative_match_the_ones_on_paper():
    # Gaps 1/2 and 1 with weights 1/2 each: a third and two thirds of what is missing.
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [9, 9, 5]}, index=["p", "q", "r"])
    table = obstacle_degree(frame, [1, 1], "q", directions=["higher", "lower"])
    assert table["criterion"].tolist() == ["b", "a"]
    np.testing.assert_allclose(table["obstacle_degree"], [2 / 3, 1 / 3])
    assert table["best"].tolist() == [5, 3]


@given(matrices, st.integers(0, 4))
def test_obstacles_sum_to_one_and_closing_one_never_harms(x, row):
    # The row itself may be the one that sets the anti-ideal, so the gain is not a sum of parts.
    table = obstacle_degree(x, [1, 2, 3], row)
    assert table["obstacle_degree"].sum() == pytest.approx(1) or (table["gap"] == 0).all()
    assert (table["gap"].between(0, 1)).all()
    assert table["weight"].sum() == pytest.approx(1)


def test_obstacle_gain_equals_topsis_with_the_criterion_at_its_best():
    frame = pd.DataFrame({"a": [1.0, 2, 3], "b": [4.0, 9, 5]}, index=["p", "q", "r"])
    table = obstacle_degree(frame, [1, 1], "q").set_index("criterion")
    better = frame.copy()
    better.loc["q", "a"] = 3
    gain = topsis(better, [1, 1])["closeness"]["q"] - topsis(frame, [1, 1])["closeness"]["q"]
    assert table.loc["a", "closeness_gain"] == pytest.approx(gain)
    assert table.loc["b", "closeness_gain"] == 0


def test_obstacles_are_undefined_for_what_is_best_in_everything():
    table = obstacle_degree([[2, 2], [1, 1]], [1, 1], 0)
    assert table["obstacle_degree"].isna().all()
    assert (table["gap"] == 0).all()


def test_obstacles_refuse_an_alternative_that_is_not_there():
    with pytest.raises(ValueError, match="no alternative 'x'; expected one of 0, 1"):
        obstacle_degree([[2, 2], [1, 1]], [1, 1], "x")


def test_obstacles_do_not_take_rounding_for_a_gap():
    # Seven quarters with the same margin rate, computed from different sums.
    sums = np.array([1.1, 2.7, 3.3, 9.9, 0.7, 123.4, 77.7])
    frame = pd.DataFrame({"rate": 0.3 + np.spacing(0.3) * np.arange(7), "sales": sums})
    assert frame["rate"].max() > frame["rate"].min()
    table = obstacle_degree(frame, [1, 1], 0).set_index("criterion")
    assert table.loc["rate", "obstacle_degree"] == 0
    assert table.loc["sales", "obstacle_degree"] == 1
