"""Factors behind a battery, and what matters relative to what matters to one."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.factors import (
    compare_eigenvalues,
    count_factors,
    fit_factors,
    relative_importance,
)

LOADING = 0.8


def battery(n=1200, n_factors=3, n_each=3, seed=1):
    """Answers of `n_each` items on each of some factors, all loadings 0.8."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(n, n_factors))
    common = np.repeat(truth, n_each, axis=1)
    answers = LOADING * common + np.sqrt(1 - LOADING**2) * rng.normal(size=common.shape)
    names = [f"q{i}" for i in range(common.shape[1])]
    return pd.DataFrame(answers, columns=names), truth


def test_eigenvalues_of_two_items_more_are_those_of_the_formula():
    # Equal correlations r of p items: one eigenvalue 1 + (p - 1) r, the others 1 - r.
    answers, _ = battery(n=40_000, n_factors=1)
    table = compare_eigenvalues(answers, seed=1, n_references=20)
    r = LOADING**2
    error = 4 * 3 / np.sqrt(len(answers))
    np.testing.assert_allclose(table["eigenvalue"], [1 + 2 * r, 1 - r, 1 - r], atol=error)
    assert table["eigenvalue"].sum() == pytest.approx(3)


@pytest.mark.parametrize("n_factors", [1, 3])
def test_as_many_factors_are_beyond_chance_as_were_put_in(n_factors):
    answers, _ = battery(n_factors=n_factors)
    assert count_factors(compare_eigenvalues(answers, seed=1)) == n_factors


def test_answers_with_nothing_in_common_have_no_factor_in_most_draws():
    """At the 95th percentile one draw in twenty is a false alarm; four in twenty is too many."""
    found = [
        count_factors(
            compare_eigenvalues(
                pd.DataFrame(np.random.default_rng(seed).normal(size=(150, 6))),
                seed=seed,
                n_references=60,
            )
        )
        for seed in range(20)
    ]
    assert sum(n > 0 for n in found) < 5


def test_loadings_and_scores_are_those_put_in():
    answers, truth = battery()
    solution = fit_factors(answers, n_factors=3)
    loadings = solution.loadings.to_numpy()
    own = np.abs(loadings).argmax(axis=1)
    assert sorted(set(own)) == [0, 1, 2]
    assert (own.reshape(3, 3) == own.reshape(3, 3)[:, :1]).all()
    error = 4 / np.sqrt(len(answers))
    np.testing.assert_allclose(loadings[np.arange(9), own], LOADING, atol=error)
    others = loadings.copy()
    others[np.arange(9), own] = 0
    assert np.abs(others).max() < error
    # A score from three items of loading l correlates with its factor by sqrt(3 l^2/(1 + 2 l^2)).
    expected = np.sqrt(3 * LOADING**2 / (1 + 2 * LOADING**2))
    for factor in range(3):
        score = solution.scores.iloc[:, own[3 * factor]]
        assert np.corrcoef(score, truth[:, factor])[0, 1] == pytest.approx(expected, abs=0.02)
    np.testing.assert_allclose(solution.communality, LOADING**2, atol=2 * error)
    np.testing.assert_allclose(
        solution.explained_share, (solution.loadings**2).sum().to_numpy() / 9
    )


def test_a_reversed_battery_has_the_same_factors_and_scores_turned_round():
    answers, _ = battery(n=300, n_factors=1)
    plain, turned = (fit_factors(x, n_factors=1) for x in (answers, -answers))
    np.testing.assert_allclose(plain.loadings, turned.loadings, atol=1e-6)
    np.testing.assert_allclose(plain.scores, -turned.scores, atol=1e-6)


def test_respondents_with_a_gap_are_left_out_and_counted():
    answers, _ = battery(n=200)
    answers.iloc[[3, 7], 0] = np.nan
    before = answers.copy()
    solution = fit_factors(answers, n_factors=3)
    assert solution.n_left_out == 2
    assert solution.scores.index.tolist() == answers.dropna().index.tolist()
    pd.testing.assert_frame_equal(answers, before)


def test_relative_importance_forgets_who_rates_high():
    ratings = pd.DataFrame(
        {"price": [9.0, 4.0, np.nan], "care": [7.0, 2.0, 5.0], "ease": [8, 3, 1]}
    )
    found = relative_importance(ratings)
    assert found.to_numpy().tolist() == [[1.0, -1.0, 0.0], [1.0, -1.0, 0.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: fit_factors(a, n_factors=5), "n_factors is 5 for 9 items"),
        (lambda a: fit_factors(a, n_factors=0), "n_factors is 0"),
        (lambda a: fit_factors(a.head(5), n_factors=1), "5 respondents answered all of 9 items"),
        (lambda a: fit_factors(a.assign(q0=1.0), n_factors=1), "everyone answered q0 alike"),
        (lambda a: compare_eigenvalues(a, seed=1, n_references=3), "n_references=3"),
        (lambda a: relative_importance(a[["q0"]]), "expected two or more"),
        (lambda a: relative_importance(a * np.nan), "no respondent rated every benefit"),
    ],
)
def test_what_no_factor_can_come_from_is_refused(call, message):
    answers, _ = battery(n=60)
    with pytest.raises(ValueError, match=message):
        call(answers)
