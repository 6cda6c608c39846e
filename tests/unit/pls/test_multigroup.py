"""Henseler's multi-group analysis: every draw of one group against every draw of the other."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from crmlab.pls import PathModel, bootstrap_groups, composite, estimate_model, single_item
from crmlab.pls.multigroup import share_not_larger

MODEL = PathModel([composite("X", ["x1", "x2"]), single_item("Y", "y")], ["X -> Y"])


def two_groups(n, paths, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=2 * n)
    path = np.repeat(paths, n)
    return pd.DataFrame(
        {
            "x1": x + 0.3 * rng.normal(size=2 * n),
            "x2": x + 0.3 * rng.normal(size=2 * n),
            "y": path * x + np.sqrt(1 - path**2) * rng.normal(size=2 * n),
            "group": np.repeat(["a", "b"], n),
        }
    )


@pytest.fixture(scope="module")
def data():
    return two_groups(150, (0.6, 0.4), seed=2)


@pytest.fixture(scope="module")
def compared(data):
    return bootstrap_groups(estimate_model(MODEL, data), data["group"], seed=1, n_resamples=1000)


def test_share_solved_on_paper():
    # Turned round their means, the draws stand at 3, 1 and at 2, 0: 3 of 4 pairs are larger.
    assert share_not_larger(np.array([[1.0], [3.0]]), np.array([[0.0], [2.0]])) == [0.25]


def test_share_counts_every_pair_of_draws():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.2, 1, (40, 3)), rng.normal(0, 2, (30, 3))
    for column in range(3):
        b1, b2 = first[:, column], second[:, column]
        step = [2 * b1.mean() - one - 2 * b2.mean() + other > 0 for one in b1 for other in b2]
        assert share_not_larger(first, second)[column] == pytest.approx(1 - np.mean(step))


def test_paths_by_group_are_those_of_separate_estimates(data, compared):
    for group, column in zip("ab", ("first", "second"), strict=True):
        alone = estimate_model(MODEL, data[data["group"] == group])
        assert compared.table[column][0] == pytest.approx(alone.paths["coefficient"][0], abs=1e-7)
    assert (compared.groups, compared.sizes) == (("a", "b"), (150, 150))
    assert compared.n_used == (1000, 1000)


def test_probability_is_near_that_of_the_parametric_test(compared):
    """Unequal-variance z test of the same standard errors: an unlike route to the same question."""
    row = compared.table.iloc[0]
    z = row["difference"] / np.hypot(row["first_error"], row["second_error"])
    # Bootstraps of 1,000 know the z to about 3 %, and p moves by at most .4 of z's error.
    assert row["first_larger"] == pytest.approx(ndtr(-z), abs=0.03)
    assert row["p_value"] == pytest.approx(2 * min(row["first_larger"], 1 - row["first_larger"]))


def test_names_exchanged_exchange_the_question(data, compared):
    renamed = data["group"].map({"a": "z", "b": "b"})
    other = bootstrap_groups(estimate_model(MODEL, data), renamed, seed=1, n_resamples=1000)
    assert other.groups == ("b", "z")
    assert other.table["difference"][0] == pytest.approx(-compared.table["difference"][0])
    assert other.table["first_larger"][0] == pytest.approx(
        1 - compared.table["first_larger"][0], abs=0.03
    )


def test_equal_groups_are_called_different_about_as_often_as_chance_allows():
    called = 0
    for seed in range(20):
        data = two_groups(60, (0.5, 0.5), seed=100 + seed)
        found = bootstrap_groups(
            estimate_model(MODEL, data), data["group"], seed=1, n_resamples=100
        )
        called += found.table["p_value"][0] < 0.1
    # Binomial(20, .1): more than 6 has probability .002.
    assert called <= 6


def test_a_group_that_cannot_be_estimated_is_named(data):
    flat = data.assign(y=data["y"].where(data["group"] == "a", 3.0))
    with pytest.raises(ValueError, match="group 'b' cannot be estimated by itself: item 'y'"):
        bootstrap_groups(estimate_model(MODEL, flat), flat["group"], seed=1)
    with pytest.raises(ValueError, match="two are compared at a time"):
        bootstrap_groups(estimate_model(MODEL, data), pd.Series("a", data.index), seed=1)
