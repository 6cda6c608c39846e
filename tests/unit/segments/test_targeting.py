"""Targets by attractiveness and fit: by hand, and how far the weights decide."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.targeting import score_segments, weight_sensitivity

WEIGHTS = {"attractiveness": {"size": 1, "value": 3}, "fit": {"satisfaction": 1}}


def measures():
    return pd.DataFrame(
        {
            "size": [100.0, 50.0, 0.0],
            "value": [0.0, 10.0, 40.0],
            "satisfaction": [6.0, 8.0, 7.0],
        },
        index=pd.Index([1, 2, 3], name="segment"),
    )


def test_scores_are_those_of_paper_and_pencil():
    scores = score_segments(measures(), **WEIGHTS)
    # (1·1 + 3·0)/4, (1·0.5 + 3·0.25)/4, (1·0 + 3·1)/4
    assert scores["attractiveness"].tolist() == pytest.approx([0.25, 0.3125, 0.75])
    assert scores["fit"].tolist() == [0.0, 1.0, 0.5]
    assert scores["target_score"].tolist() == pytest.approx([0.125, 0.65625, 0.625])
    assert scores["rank"].tolist() == [3, 1, 2]
    assert scores["advice"].tolist() == ["leave_segment", "keep_segment", "target_segment"]


def test_unit_and_origin_of_a_measure_change_nothing():
    other = measures().assign(value=lambda m: 1000 + 7 * m["value"])
    pd.testing.assert_frame_equal(
        score_segments(other, **WEIGHTS), score_segments(measures(), **WEIGHTS)
    )


def test_a_measure_that_tells_nothing_apart_counts_for_nothing():
    weights = {"attractiveness": {"size": 1, "value": 1, "same": 50}, "fit": {"gap": 1}}
    table = measures().assign(same=3.0, gap=[1.0, np.nan, 2.0])
    scores = score_segments(table, **weights)
    plain = score_segments(measures(), attractiveness={"size": 1, "value": 1}, fit={"size": 1})
    pd.testing.assert_series_equal(scores["attractiveness"], plain["attractiveness"])
    assert scores["fit"].isna().all()
    assert scores["advice"].isna().all()
    pd.testing.assert_series_equal(
        scores["target_score"], scores["attractiveness"], check_names=False
    )


def test_segment_best_in_everything_is_chosen_under_all_weights():
    table = measures().assign(size=[1, 2, 9], value=[1, 2, 9], satisfaction=[1, 2, 9])
    tried = weight_sensitivity(table, seed=1, **WEIGHTS)
    assert tried["chosen_share"].tolist() == [0, 0, 1]
    assert tried["lowest_score"].tolist()[2] == tried["highest_score"].tolist()[2] == 1


def test_choice_by_one_weight_has_the_share_of_geometry():
    """Scores w and 1 - w of two segments, w uniform on (0, 1): each is first half of the time."""
    table = pd.DataFrame({"a": [1.0, 0.0], "b": [0.0, 1.0], "c": [0.0, 0.0]})
    weights = {"attractiveness": {"a": 1, "b": 1}, "fit": {"c": 1}}
    tried = weight_sensitivity(table, seed=2, n_draws=10_000, **weights)
    assert tried["chosen_share"].tolist() == pytest.approx([0.5, 0.5], abs=4 * 0.005)
    assert tried["highest_score"][0] == pytest.approx(0.975, abs=0.01)


def test_ties_are_shared_out_and_the_shares_add_up():
    table = pd.DataFrame({"a": [1.0, 1.0, 0.0]})
    weights = {"attractiveness": {"a": 1}, "fit": {"a": 1}}
    assert weight_sensitivity(table, seed=1, **weights)["chosen_share"].tolist() == [0.5, 0.5, 0]
    assert score_segments(table, **weights)["rank"].tolist() == [1, 1, 3]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"attractiveness": {"sise": 1}}, "attractiveness: no measure 'sise'"),
        ({"fit": {"satisfaction": -1}}, "fit: weights"),
        ({"fit": {"satisfaction": 0}}, "not all 0"),
        ({"fit": {}}, "fit: weights"),
    ],
)
def test_weights_without_meaning_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        score_segments(measures(), **WEIGHTS | weights)


def test_one_segment_is_no_choice():
    with pytest.raises(ValueError, match="1 segment; expected two or more"):
        score_segments(measures().head(1), **WEIGHTS)
    with pytest.raises(ValueError, match="n_draws is 10"):
        weight_sensitivity(measures(), seed=1, n_draws=10, **WEIGHTS)
