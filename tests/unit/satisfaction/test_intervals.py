import numpy as np
import pandas as pd
import pytest

from crmlab.satisfaction.intervals import percentile_ends, resample_means


def test_resampled_means_have_the_mean_and_the_standard_error_of_theory():
    scores = pd.DataFrame({"x": np.random.default_rng(0).normal(5, 2, 400)})
    means = resample_means(scores, n_resamples=4000, rng=np.random.default_rng(1))
    error = scores["x"].std(ddof=0) / 20
    assert means.mean() == pytest.approx(scores["x"].mean(), abs=4 * error / np.sqrt(4000))
    assert means.std() == pytest.approx(error, rel=4 / np.sqrt(2 * 4000))


def test_answers_of_one_person_stay_together_and_gaps_are_left_out():
    scores = pd.DataFrame({"a": [1.0, 2.0, 3.0, np.nan], "b": [2.0, 4.0, 6.0, np.nan], "c": np.nan})
    means = resample_means(scores, n_resamples=100, rng=np.random.default_rng(0))
    np.testing.assert_allclose(means[:, 1], 2 * means[:, 0])
    assert np.isnan(means[:, 2]).all()
    assert np.isnan(percentile_ends(means)[0][2])


def test_pieces_change_no_resample(monkeypatch):
    from crmlab.satisfaction import intervals

    scores = pd.DataFrame({"x": np.arange(30.0)})
    whole = resample_means(scores, n_resamples=125, rng=np.random.default_rng(5))
    monkeypatch.setattr(intervals, "_CHUNK", 300)
    parts = resample_means(scores, n_resamples=125, rng=np.random.default_rng(5))
    assert whole.shape == (125, 1)
    np.testing.assert_array_equal(whole, parts)


def test_arguments_out_of_range_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="confidence is 1"):
        percentile_ends(np.zeros((100, 1)), confidence=1)
    with pytest.raises(ValueError, match="at least 100"):
        resample_means(pd.DataFrame({"x": [1.0]}), n_resamples=1, rng=rng)
    with pytest.raises(ValueError, match="no respondent"):
        resample_means(pd.DataFrame({"x": []}), n_resamples=100, rng=rng)
