"""Preference segments: the likelihood by hand, tastes that were put in, later choices."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import optimize

from crmlab.segments.preferences import (
    compare_preferences,
    count_choices,
    fit_preferences,
    score_choices,
)

TASTES = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])


def choices(n=300, n_each=6, seed=1, tastes=TASTES):
    rng = np.random.default_rng(seed)
    kind = (rng.random(n) < 0.3).astype(int) if len(tastes) > 1 else np.zeros(n, dtype=int)
    counts = [
        pd.DataFrame(
            np.stack([rng.multinomial(n_each, tastes[k]) for k in kind]),
            columns=["app", "store", "web"],
        )
        for _ in range(2)
    ]
    return *counts, kind


def likelihood(n, share, taste):
    joint = np.exp(n @ np.log(taste).T) * share
    return np.log(joint.sum(axis=1)).sum()


def test_one_taste_for_all_has_the_overall_shares():
    counts, _, _ = choices()
    fit = fit_preferences(counts, n_segments=1, seed=1)
    overall = counts.sum() / counts.to_numpy().sum()
    np.testing.assert_allclose(fit.tastes.iloc[0], overall)
    expected = (counts.sum() * np.log(overall)).sum()
    assert fit.log_likelihood == pytest.approx(expected)
    assert fit.bic == pytest.approx(-2 * expected + 2 * np.log(len(counts)))


def test_likelihood_is_that_of_the_formula_and_of_a_general_optimiser():
    counts, _, _ = choices(n=60)
    fit = fit_preferences(counts, n_segments=2, seed=1)
    n = counts.to_numpy()
    exact = likelihood(n, fit.shares.to_numpy(), np.maximum(fit.tastes.to_numpy(), 1e-12))
    assert fit.log_likelihood == pytest.approx(exact, rel=1e-6)

    def negative(free):
        share = 1 / (1 + np.exp(-free[0]))
        logits = np.column_stack([free[1:].reshape(2, 2), np.zeros(2)])
        taste = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return -likelihood(n, np.array([share, 1 - share]), taste)

    other = optimize.minimize(negative, [0.5, 1.0, 0.0, -1.0, 0.0], method="BFGS")
    assert fit.log_likelihood == pytest.approx(-other.fun, abs=0.01)


def test_tastes_put_in_are_found_and_called_right_later():
    counts, later, kind = choices(n=800)
    fit = fit_preferences(counts, n_segments=2, seed=1)
    np.testing.assert_allclose(fit.tastes, TASTES, atol=0.05)
    assert fit.shares[1] == pytest.approx(0.7, abs=4 * np.sqrt(0.21 / 800))
    assert ((fit.segment - 1).to_numpy() == kind).mean() > 0.97
    table = compare_preferences(counts, later, n_segments=[1, 2, 3], seed=1).set_index("n_segments")
    assert table["bic"].idxmin() == 2
    # Who prefers something chooses it four times in five.
    assert table.loc[2, "later_hit_share"] == pytest.approx(0.8, abs=0.03)
    assert table.loc[2, "later_log_score"] > table.loc[1, "later_log_score"] + 0.1


def test_customers_of_one_taste_are_left_in_one_segment():
    counts, later, _ = choices(tastes=TASTES[:1])
    table = compare_preferences(counts, later, n_segments=[1, 2], seed=1)
    assert table["n_segments"][table["bic"].idxmin()] == 1


def test_purchases_are_counted_by_option_on_either_engine():
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "c", "a"],
            "amount": [1.0, 2.0, 3.0, 4.0, -2.0],
            "channel": ["web", "app", None, "web", "web"],
            # A Friday, a Saturday, a Sunday, a Monday, a Monday.
            "ordered_on": pd.to_datetime(
                ["2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08", "2024-01-08"]
            ),
        }
    )
    for table in (orders, pl.from_pandas(orders).lazy()):
        by_channel = count_choices(table, "channel")
        assert by_channel.to_dict("index") == {"a": {"app": 1, "web": 1}, "c": {"app": 0, "web": 1}}
        by_day = count_choices(table, "day_type")
        assert by_day.to_dict("list") == {"weekday": [1, 0, 1], "weekend": [1, 1, 0]}


def test_scores_without_later_choices_are_open():
    counts, _, _ = choices(n=20)
    fit = fit_preferences(counts, n_segments=1, seed=1)
    strangers = counts.set_axis([f"x{i}" for i in range(20)])
    assert np.isnan(score_choices(fit, strangers)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[["app"]], "1 option; expected two or more"),
        (lambda c: c * 0, "20 customers chose nothing"),
        (lambda c: c * np.nan, "none missing"),
        (lambda c: c.head(1), "the 1 customers"),
    ],
)
def test_choices_that_tell_no_taste_are_refused(change, message):
    counts, _, _ = choices(n=20)
    with pytest.raises(ValueError, match=message):
        fit_preferences(change(counts), n_segments=2, seed=1)


def test_orders_without_the_option_are_refused():
    with pytest.raises(ValueError, match="channel"):
        count_choices(pd.DataFrame({"customer_id": ["a"], "amount": [1.0]}), "channel")
