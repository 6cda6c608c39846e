import numpy as np
import pandas as pd
import pytest

from crmlab.satisfaction import place_features, quadrant_confidence

IMPORTANCE = pd.Series({"a": 9.0, "b": 8.0, "c": 3.0, "d": 2.0})
PERFORMANCE = pd.Series({"a": 4.0, "b": 8.5, "c": 3.5, "d": 8.0})


@pytest.fixture(scope="module")
def ratings():
    rng = np.random.default_rng(5)
    spread = pd.DataFrame(rng.normal(0, 2, (80, 4)), columns=list("abcd"))
    return spread + IMPORTANCE, spread[::-1].reset_index(drop=True) + PERFORMANCE


def test_four_features_stand_in_the_four_quadrants():
    found = place_features(IMPORTANCE, PERFORMANCE)
    assert found["quadrant"].tolist() == [
        "concentrate_here",
        "keep_up",
        "low_priority",
        "possible_overkill",
    ]
    assert found["importance_cut"].eq(5.5).all()
    assert found["performance_cut"].eq(6.0).all()
    assert found["performance_gap"].tolist() == [-5.0, 0.5, 0.5, 6.0]


def test_crosshair_decides_the_command():
    # Everything matters at mid-scale; along the diagonal c is done better than it matters.
    importance, performance = IMPORTANCE + 4, PERFORMANCE + 4
    by_scale = place_features(importance, performance, crosshair="scale", scale=(1, 10))
    assert set(by_scale["quadrant"]) == {"keep_up"}
    by_gap = place_features(IMPORTANCE, PERFORMANCE, crosshair="gap")
    assert by_gap.loc["c", "quadrant"] == "possible_overkill"
    assert by_gap.loc["a", "quadrant"] == "concentrate_here"


def test_feature_on_the_crosshair_is_important_and_done_well():
    alike = pd.Series({"a": 5.0, "b": 5.0})
    assert set(place_features(alike, alike)["quadrant"]) == {"keep_up"}


def test_quadrants_by_the_means_do_not_change_with_the_unit():
    moved = place_features(10 * IMPORTANCE - 3, PERFORMANCE / 7)
    assert moved["quadrant"].equals(place_features(IMPORTANCE, PERFORMANCE)["quadrant"])


def test_feature_without_a_mean_has_no_quadrant_and_moves_no_crosshair():
    found = place_features(IMPORTANCE.mask(IMPORTANCE.index == "d"), PERFORMANCE)
    assert found["quadrant"].isna().tolist() == [False] * 3 + [True]
    assert found["performance_cut"].iloc[0] == pytest.approx(16 / 3)


def test_quadrant_confidence_is_the_share_of_resamples_placed_one_by_one(ratings):
    """The slow way, with the very same resamples."""
    from crmlab.satisfaction.intervals import resample_means

    importance, performance = ratings
    found = quadrant_confidence(
        importance, performance, n_resamples=100, rng=np.random.default_rng(3)
    )
    both = pd.concat([importance, performance], axis=1)
    same = 0
    for row in resample_means(both, n_resamples=100, rng=np.random.default_rng(3)):
        drawn = place_features(pd.Series(row[:4], list("abcd")), pd.Series(row[4:], list("abcd")))
        same = same + (drawn["quadrant"] == found["quadrant"])
    np.testing.assert_allclose(found["quadrant_confidence"], same / 100)
    assert found["quadrant_confidence"].between(0.5, 1).all()


def test_derived_importance_is_held_fixed(ratings):
    found = quadrant_confidence(
        IMPORTANCE, ratings[1] * 0 + PERFORMANCE, n_resamples=100, rng=np.random.default_rng(0)
    )
    assert found["quadrant_confidence"].eq(1).all()


def test_maps_that_cannot_be_drawn_are_refused(ratings):
    with pytest.raises(ValueError, match="name different features"):
        place_features(IMPORTANCE, PERFORMANCE.iloc[1:])
    with pytest.raises(ValueError, match="1 features have importance and performance"):
        place_features(IMPORTANCE.head(1), PERFORMANCE.head(1))
    with pytest.raises(ValueError, match="crosshair is 'median'"):
        place_features(IMPORTANCE, PERFORMANCE, crosshair="median")
    with pytest.raises(ValueError, match="needs scale="):
        place_features(IMPORTANCE, PERFORMANCE, crosshair="scale")
    with pytest.raises(ValueError, match="different respondents"):
        quadrant_confidence(ratings[0], ratings[1].iloc[1:], rng=np.random.default_rng(0))
