"""A claim is tested: by hand, against a full enumeration, under no difference, at the limits."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.segments.types.claims import compare_all, compare_profit, judge_claim

PROFIT = pd.Series([5.0, 7.0, 9.0, 1.0, 2.0, 3.0, 6.0, np.nan])
LABEL = pd.Series(list("rrrttttr"))


def test_difference_interval_and_superiority_are_those_of_the_paper():
    found = compare_profit(PROFIT, LABEL, "r", "t", seed=1)
    assert found["mean_first"] == 7
    assert found["mean_other"] == 3
    assert found["difference"] == 4
    assert found["n_left_out"] == 1
    # Of twelve pairs the one of 5 and 6 is lost.
    assert found["superiority"] == pytest.approx(11 / 12)
    # Welch by hand: variances 4/3 and (14/3)/4, Satterthwaite's degrees of freedom.
    a, b = 4 / 3, 14 / 12
    freedom = (a + b) ** 2 / (a**2 / 2 + b**2 / 3)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(a + b)
    assert found["upper"] == pytest.approx(4 + half)
    assert found["lower"] == pytest.approx(4 - half)


def test_permutation_p_value_is_near_that_of_every_division():
    known = PROFIT.dropna().to_numpy()
    total = known.sum()
    every = [
        abs(sum(known[list(c)]) / 3 - (total - sum(known[list(c)])) / 4)
        for c in combinations(range(7), 3)
    ]
    exact = np.mean(np.array(every) >= 4 - 1e-9)
    n = 1999
    found = compare_profit(PROFIT, LABEL, "r", "t", seed=1, n_permutations=n)
    error = np.sqrt(exact * (1 - exact) / n)
    assert abs(found["permutation_p_value"] - exact) < 4 * error + 1 / n


def test_equal_customers_differ_by_nothing():
    found = compare_profit(
        pd.Series([2.0] * 6), pd.Series(list("rrrttt")), "r", "t", seed=1, n_permutations=19
    )
    assert found[["difference", "lower", "upper", "superiority"]].tolist() == [0, 0, 0, 0.5]
    assert found["permutation_p_value"] == 1
    assert np.isnan(found["standardized_difference"])


def test_turning_the_types_round_turns_the_sign():
    one = compare_profit(PROFIT, LABEL, "r", "t", seed=1, n_permutations=99)
    two = compare_profit(PROFIT, LABEL, "t", "r", seed=1, n_permutations=99)
    assert one["difference"] == -two["difference"]
    assert one["superiority"] == pytest.approx(1 - two["superiority"])


def test_too_few_customers_are_refused_by_name_and_told():
    with pytest.raises(ValueError, match="r has 3 and x 0 customers of known profit; expected two"):
        compare_profit(PROFIT, LABEL, "r", "x", seed=1)
    trials = {"good": (PROFIT, LABEL), "bad": (PROFIT, LABEL.replace("t", "x"))}
    tested, refusals = compare_all(trials, "r", "t", seed=1, n_permutations=9)
    assert tested.index.tolist() == ["good"]
    assert list(refusals) == ["bad"]


@pytest.mark.parametrize(
    ("lower", "upper", "p_value", "said"),
    [
        (1.0, 3.0, 0.04, "more"),
        (-3.0, -1.0, 0.04, "less"),
        (1.0, 3.0, 0.05, "open"),
        (-1.0, 3.0, 0.01, "open"),
        (0.0, 3.0, 0.01, "open"),
    ],
)
def test_a_claim_stands_only_where_interval_and_permutations_agree(lower, upper, p_value, said):
    row = {"lower": lower, "upper": upper, "permutation_p_value": p_value}
    tested = pd.DataFrame({"later": row}).T
    assert judge_claim(tested, "later") == said
    assert judge_claim(tested, "by_truth") == "untested"
