"""The number that each criterion chooses: rules by hand."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.mixture import compare_mixtures
from crmlab.segments.number import choose_by_criterion
from crmlab.segments.stability import compare_n_segments


def table(gap, gap_error):
    n = len(gap)
    return pd.DataFrame(
        {
            "n_segments": range(1, n + 1),
            "silhouette": [np.nan, *np.linspace(0.5, 0.1, n - 1)],
            "calinski_harabasz": [np.nan, *np.arange(n - 1.0)],
            "davies_bouldin": [np.nan, *([1.0] * (n - 1))],
            "stability": [np.nan] * n,
            "gap": gap,
            "gap_error": gap_error,
        }
    )


@pytest.mark.parametrize(
    ("gap", "error", "chosen"),
    [
        ([0.5, 0.4, 0.6], [0.0, 0.0, 0.0], 1),  # the first that does not rise
        ([0.1, 0.4, 0.3], [0.0, 0.0, 0.0], 2),
        ([0.1, 0.2, 0.3], [0.0, 0.2, 0.0], 1),  # rises by less than the next one's error
        ([0.1, 0.2, 0.3], [0.2, 0.0, 0.0], 3),  # its own error does not count
    ],
)
def test_gap_takes_the_smallest_number_that_the_next_does_not_clearly_exceed(gap, error, chosen):
    found = choose_by_criterion(table(gap, error)).set_index("criterion")
    assert found.loc["gap", "n_segments"] == chosen
    assert found.loc["gap", "value"] == gap[chosen - 1]


def test_other_criteria_take_their_best_and_of_equal_ones_the_smaller_number():
    found = choose_by_criterion(table([0.1] * 4, [0.0] * 4)).set_index("criterion")
    assert found["n_segments"].drop(["gap", "stability"]).tolist() == [2, 4, 2]
    assert found["is_at_end"].tolist() == [False, True, False, False, False]
    assert pd.isna(found.loc["stability", "n_segments"])


def test_clouds_are_counted_by_all_criteria_and_one_cloud_by_those_that_can():
    rng = np.random.default_rng(1)
    angle = np.repeat(2 * np.pi * np.arange(3) / 3, 25)
    points = 9 * np.column_stack([np.cos(angle), np.sin(angle)]) + rng.normal(size=(75, 2))
    options = {"n_segments": range(1, 5), "seed": 1}
    few = {"n_resamples": 2, "n_starts": 1, "reference": "uniform"}
    for features, expected, asked in (
        (pd.DataFrame(points), 3, slice(None)),
        (pd.DataFrame(rng.normal(size=(75, 2))), 1, ["gap", "bic", "icl"]),
    ):
        found = choose_by_criterion(
            compare_n_segments(features, **few, **options), compare_mixtures(features, **options)
        )
        assert set(found.set_index("criterion").loc[asked, "n_segments"]) == {expected}


def test_a_table_of_something_else_is_refused():
    with pytest.raises(ValueError, match="column 'stability' is missing"):
        choose_by_criterion(table([0.1] * 3, [0.0] * 3).drop(columns="stability"))
