import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from crmlab.satisfaction import compare_predictors


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    x = pd.DataFrame(rng.normal(size=(80, 3)), columns=list("abc"))
    return x, x["a"] + 0.5 * x["b"] + rng.normal(size=80)


def test_perfect_predictor_leaves_no_error_and_noise_is_below_zero(data):
    x, y = data
    found = compare_predictors({"itself": y, "noise": x["c"]}, y, rng=np.random.default_rng(0))
    assert found["r_squared"].iloc[0] == pytest.approx(1)
    assert found["r_squared"].iloc[1] < 0.02


def test_leaving_one_out_agrees_with_scikit_learn(data):
    """Folds of one respondent each leave nothing to chance."""
    x, y = data
    found = compare_predictors(
        {"ab": x[["a", "b"]]}, y, n_folds=40, n_repeats=1, rng=np.random.default_rng(0)
    )
    assert found["r_squared"].iloc[0] < 1
    x, y = x.head(24), y.head(24)
    one = compare_predictors(
        {"ab": x[["a", "b"]]}, y, n_folds=12, n_repeats=40, rng=np.random.default_rng(0)
    )
    held = cross_val_predict(LinearRegression(), x[["a", "b"]], y, cv=LeaveOneOut())
    mean = cross_val_predict(LinearRegression(), np.zeros((24, 1)), y, cv=LeaveOneOut())
    expected = 1 - ((y - held) ** 2).sum() / ((y - mean) ** 2).sum()
    assert one["r_squared"].iloc[0] == pytest.approx(expected, abs=0.03)


def test_lead_is_the_difference_of_the_two_and_that_of_the_baseline_is_nothing(data):
    x, y = data
    found = compare_predictors(
        {"a": x["a"], "ab": x[["a", "b"]]}, y, baseline="a", rng=np.random.default_rng(1)
    ).set_index("measure")
    assert found.loc["a", ["advantage", "advantage_lower", "advantage_upper"]].tolist() == [0, 0, 0]
    assert found.loc["ab", "advantage"] == pytest.approx(
        found.loc["ab", "r_squared"] - found.loc["a", "r_squared"]
    )
    assert (found["lower"] < found["r_squared"]).all()
    assert (found["r_squared"] < found["upper"]).all()


def test_all_predictors_are_judged_on_the_same_respondents(data):
    x, y = data
    found = compare_predictors(
        {"a": x["a"], "b": x["b"].mask(x.index < 20)}, y, rng=np.random.default_rng(0)
    )
    assert found["n_respondents"].tolist() == [60, 60]


def test_contests_without_a_winner_are_refused(data):
    x, y = data
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="outcome is 1 for every"):
        compare_predictors({"a": x["a"]}, 0 * y + 1, rng=rng)
    with pytest.raises(ValueError, match="3 respondents have the outcome"):
        compare_predictors({"a": x["a"].head(3)}, y.head(3), rng=rng)
    with pytest.raises(ValueError, match="0 respondents"):
        compare_predictors({"a": x["a"] * np.nan}, y, rng=rng)
    with pytest.raises(ValueError, match="baseline 'z' is not one of a"):
        compare_predictors({"a": x["a"]}, y, baseline="z", rng=rng)
    with pytest.raises(ValueError, match="predictors is empty"):
        compare_predictors({}, y, rng=rng)
    with pytest.raises(ValueError, match="'a' has 9 rows"):
        compare_predictors({"a": x["a"].head(9)}, y, rng=rng)
