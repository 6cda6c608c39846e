import numpy as np
import pandas as pd
import pytest

from crmlab.satisfaction import opportunity_scores, rank_needs


def scores(importance, satisfaction, **options):
    frames = (pd.DataFrame({"x": values}, dtype=float) for values in (importance, satisfaction))
    return opportunity_scores(*frames, scale=(1, 5), rng=np.random.default_rng(0), **options).loc[
        "x"
    ]


def test_score_of_an_important_unmet_need_counts_the_shortfall_twice():
    found = scores([5, 5, 5, 5, 1], [4, 1, 1, 1, 1])
    assert found["importance_score"] == 8
    assert found["satisfaction_score"] == 2
    assert found["opportunity_score"] == 14


def test_overserved_need_loses_nothing():
    found = scores([5, 1, 1, 1], [5, 5, 5, 5])
    assert found["opportunity_score"] == found["importance_score"] == 2.5


def test_means_are_carried_to_ten():
    found = scores([1, 3, 5], [1, 1, 1], measure="mean")
    assert found[["importance_score", "satisfaction_score"]].tolist() == [5, 0]
    assert found["opportunity_score"] == 10


def test_missing_ratings_are_no_low_ratings():
    found = scores([5, 5, np.nan, np.nan], [1, np.nan, 1, np.nan])
    assert found["importance_score"] == 10
    assert found["satisfaction_score"] == 0


def test_highest_score_comes_first_within_its_interval():
    rng = np.random.default_rng(2)
    importance = pd.DataFrame({"low": rng.integers(1, 4, 90), "high": rng.integers(3, 6, 90)})
    satisfaction = importance[["low", "high"]] * 0 + 2.0
    found = opportunity_scores(
        importance.astype(float), satisfaction, scale=(1, 5), rng=np.random.default_rng(1)
    )
    assert found.index.tolist() == ["high", "low"]
    assert (found["lower"] <= found["opportunity_score"]).all()
    assert (found["opportunity_score"] <= found["upper"]).all()


def test_ratings_outside_the_scale_and_other_arguments_are_refused():
    with pytest.raises(ValueError, match="satisfaction of 'x' holds a rating outside 1 to 5"):
        scores([5], [6])
    with pytest.raises(ValueError, match="measure is 'median'"):
        scores([5], [5], measure="median")
    with pytest.raises(ValueError, match="expected 1 to 4"):
        scores([5], [5], n_boxes=5)
    frame = pd.DataFrame({"x": [5.0]})
    with pytest.raises(ValueError, match="name different features"):
        opportunity_scores(frame, frame.rename(columns={"x": "y"}), scale=(1, 5), rng=None)


def test_ranks_of_needs_far_apart_are_certain_and_of_alike_ones_are_not():
    rng = np.random.default_rng(3)
    ratings = pd.DataFrame(rng.normal(5, 1, (60, 3)), columns=["b", "c", "a"])
    ratings["a"] += 5
    ratings["c"] = ratings["b"].sample(frac=1, random_state=1).to_numpy()
    found = rank_needs(ratings, rng=rng)
    assert found.index[0] == "a"
    assert found.loc["a", ["rank_lower", "rank_upper", "first_share"]].tolist() == [1, 1, 1]
    # Equal means: either may come second.
    assert found.loc[["b", "c"], "rank"].tolist() == [2, 2]
    assert (found.loc[["b", "c"], "rank_upper"] > found.loc[["b", "c"], "rank_lower"]).all()


def test_interval_of_a_mean_is_that_of_theory():
    ratings = pd.DataFrame({"x": np.random.default_rng(4).normal(5, 2, 300)})
    found = rank_needs(ratings, n_resamples=2000, rng=np.random.default_rng(5)).loc["x"]
    half = 1.96 * ratings["x"].std() / np.sqrt(300)
    assert (found["upper"] - found["lower"]) / 2 == pytest.approx(half, rel=0.1)


def test_need_that_nobody_rated_is_refused_by_name():
    with pytest.raises(ValueError, match="nobody rated 'x'"):
        rank_needs(pd.DataFrame({"y": [1.0], "x": [np.nan]}), rng=np.random.default_rng(0))
