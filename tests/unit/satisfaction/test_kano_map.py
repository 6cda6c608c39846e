import numpy as np
import pandas as pd
import pytest

from crmlab.satisfaction import locate_features, score_answers


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(7)
    shape = (60, 2)
    halves = [pd.DataFrame(rng.integers(1, 6, shape), columns=["a", "b"]) for _ in range(2)]
    return score_answers(*(half.astype(float) for half in halves))


def test_answers_have_dumouchels_numbers():
    codes = pd.DataFrame({"x": [1.0, 2, 3, 4, 5]})
    presence, absence = score_answers(codes, codes)
    assert presence["x"].tolist() == [4, 2, 0, -1, -2]
    assert absence["x"].tolist() == [-2, -1, 0, 2, 4]


def test_half_a_pair_counts_on_neither_side():
    presence, absence = score_answers(
        pd.DataFrame({"x": [1.0, np.nan]}), pd.DataFrame({"x": [np.nan, 5.0]})
    )
    assert presence["x"].isna().all()
    assert absence["x"].isna().all()


@pytest.mark.parametrize(
    ("gain", "cost", "quarter"),
    [(4, 4, "O"), (4, 0, "A"), (0, 4, "M"), (0, 0, "I"), (-1, -2, "R"), (2, 2, "O"), (-1, 3, "M")],
)
def test_quarter_is_that_of_the_mean(gain, cost, quarter):
    point = locate_features(pd.DataFrame({"x": [float(gain)] * 4}), pd.DataFrame({"x": [cost] * 4}))
    assert point.loc["x", "kano_quarter"] == quarter
    assert point.loc["x", "semi_major"] == 0


def test_ellipse_is_the_set_that_hotellings_test_does_not_reject(scores):
    """Points on the ellipse have exactly the critical T², by another formula."""
    from scipy import stats

    point = locate_features(*scores).loc["a"]
    pairs = np.column_stack([scores[1]["a"], scores[0]["a"]])
    n, angle = len(pairs), np.radians(point["angle_degrees"])
    turn = np.linspace(0, 2 * np.pi, 9)
    along = point["semi_major"] * np.cos(turn), point["semi_minor"] * np.sin(turn)
    offsets = np.column_stack(
        [
            along[0] * np.cos(angle) - along[1] * np.sin(angle),
            along[0] * np.sin(angle) + along[1] * np.cos(angle),
        ]
    )
    inverse = np.linalg.inv(np.cov(pairs.T) / n)
    t_squared = np.einsum("ki,ij,kj->k", offsets, inverse, offsets)
    critical = 2 * (n - 1) / (n - 2) * stats.f.ppf(0.95, 2, n - 2)
    np.testing.assert_allclose(t_squared, critical, rtol=1e-9)


def test_ellipse_covers_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(8)
    values = np.array([4.0, 2, 0, -1, -2])
    hits = 0
    for _ in range(300):
        draws = values[rng.integers(0, 5, size=(40, 2))]
        draws[:, 1] += draws[:, 0]
        frames = [pd.DataFrame({"x": column}) for column in draws.T]
        point = locate_features(frames[0], frames[1], confidence=0.9).loc["x"]
        angle = np.radians(point["angle_degrees"])
        dx, dy = 2 * values.mean() - point["absence"], values.mean() - point["presence"]
        u = (dx * np.cos(angle) + dy * np.sin(angle)) / point["semi_major"]
        v = (-dx * np.sin(angle) + dy * np.cos(angle)) / point["semi_minor"]
        hits += u**2 + v**2 <= 1
    assert hits / 300 == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 300))


def test_two_respondents_have_a_point_and_no_ellipse_and_nobody_has_neither():
    two = pd.DataFrame({"x": [4.0, 0.0], "y": [np.nan, np.nan]})
    found = locate_features(two, two)
    assert found.loc["x", "presence"] == 2
    assert np.isnan(found.loc["x", "semi_major"])
    assert np.isnan(found.loc["y", "presence"])
    assert found["kano_quarter"].isna().tolist() == [False, True]


def test_other_shapes_and_codes_are_refused(scores):
    with pytest.raises(ValueError, match="expected both halves"):
        score_answers(pd.DataFrame({"x": [1.0]}), pd.DataFrame({"x": [1.0, 2.0]}))
    with pytest.raises(ValueError, match="none of the five codes"):
        score_answers(pd.DataFrame({"x": [7.0]}), pd.DataFrame({"x": [1.0]}))
    with pytest.raises(ValueError, match="differ in rows or columns"):
        locate_features(scores[0], scores[1][["a"]])
    with pytest.raises(ValueError, match="confidence is 2"):
        locate_features(*scores, confidence=2)
