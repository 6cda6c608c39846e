"""Resamples as counts, what can go wrong in them, and the three kinds of interval."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap as by_scipy
from scipy.stats import norm

from crmlab.pls import (
    QUANTITIES,
    PathModel,
    bootstrap_model,
    composite,
    estimate_model,
    intervals,
    mediation,
    reflective,
    single_item,
)
from crmlab.pls.bootstrap import draw_counts, solve_counts
from crmlab.pls.moments import counted_moments


@pytest.fixture(scope="module")
def estimate(answers, three):
    return estimate_model(three, answers)


@pytest.fixture(scope="module")
def bootstrap(estimate):
    return bootstrap_model(estimate, n_resamples=1000, seed=1)


@pytest.fixture(scope="module")
def pair():
    """One path between two items that correlate about .5, 60 respondents."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=60)
    data = pd.DataFrame({"x": x, "y": 0.5 * x + np.sqrt(0.75) * rng.normal(size=60)})
    model = PathModel([single_item("X", "x"), single_item("Y", "y")], ["X -> Y"])
    return estimate_model(model, data)


def test_counted_moments_are_those_of_the_respondents_drawn():
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(30, 4)) + 3
    counts = draw_counts(rng, 30, 5)
    assert (counts.sum(axis=1) == 30).all()
    means, covariances = counted_moments(columns, counts)
    for row, mean, covariance in zip(counts, means, covariances, strict=True):
        drawn = np.repeat(columns, row, axis=0)
        assert mean == pytest.approx(drawn.mean(axis=0))
        assert covariance == pytest.approx(np.cov(drawn.T))


def test_moments_are_the_same_to_the_last_bit_in_whatever_order_they_are_added():
    rng = np.random.default_rng(2)
    columns = np.round(rng.normal(size=(500, 6)) * rng.exponential(size=6), 3) / 7
    counts = draw_counts(rng, 500, 3)
    order = rng.permutation(500)
    first = counted_moments(columns, counts)
    other = counted_moments(columns[order], counts[:, order])
    assert np.array_equal(first[0], other[0])
    assert np.array_equal(first[1], other[1])
    # Without the grid the order shows: sums of floating point numbers are not associative.
    plain = counts @ columns, counts[:, order] @ columns[order]
    assert not np.array_equal(*plain)


@pytest.mark.parametrize("consistent", [False, True])
def test_every_resample_is_the_estimate_of_the_data_drawn(answers, three, consistent):
    estimate = estimate_model(three, answers, consistent=consistent, tolerance=1e-11)
    counts = draw_counts(np.random.default_rng(3), len(answers), 4)
    solution = solve_counts(estimate, counts)
    for row in range(4):
        drawn = answers.loc[np.repeat(answers.index, counts[row])]
        alone = estimate_model(three, drawn, consistent=consistent, tolerance=1e-11)
        assert solution.paths[row] == pytest.approx(alone.solution.paths[0], abs=1e-9)
        assert solution.loadings[row] == pytest.approx(alone.solution.loadings[0], abs=1e-9)
        assert solution.r_squared[row] == pytest.approx(
            alone.solution.r_squared[0], abs=1e-9, nan_ok=True
        )


def test_a_stack_is_solved_as_its_samples_one_by_one(estimate):
    counts = draw_counts(np.random.default_rng(4), estimate.n_respondents, 40)
    together = solve_counts(estimate, counts)
    for row in (0, 17, 39):
        alone = solve_counts(estimate, counts[[row]])
        assert together.paths[row] == pytest.approx(alone.paths[0], abs=1e-12)
        assert together.n_iterations[row] == alone.n_iterations[0]


def test_standard_error_of_a_correlation_is_the_textbooks(pair):
    """(1 - r²) / √n for normal data, within 4 standard errors of a bootstrap's (and its n)."""
    bootstrap = bootstrap_model(pair, n_resamples=4000, seed=2)
    r = pair.path_coefficients.loc["X", "Y"]
    error = intervals(bootstrap, "paths")["standard_error"][0]
    # 60 respondents are not quite normal: their kurtosis moves the error by up to a fifth.
    assert error == pytest.approx((1 - r**2) / np.sqrt(60), rel=0.2)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """60 samples of 80, 95%: 51 or more hold the population's correlation (binomial, 99.9%)."""
    model = PathModel([single_item("X", "x"), single_item("Y", "y")], ["X -> Y"])
    rng = np.random.default_rng(12)
    held = dict.fromkeys(("percentile", "bca"), 0)
    for seed in range(60):
        x = rng.normal(size=80)
        data = pd.DataFrame({"x": x, "y": 0.6 * x + 0.8 * rng.normal(size=80)})
        bootstrap = bootstrap_model(estimate_model(model, data), n_resamples=250, seed=seed)
        for method in held:
            row = intervals(bootstrap, "paths", method=method).iloc[0]
            held[method] += row["low"] <= 0.6 <= row["high"]
    assert all(count >= 51 for count in held.values()), held


def test_percentile_interval_is_the_quantiles(bootstrap):
    table = intervals(bootstrap, "paths", level=0.9)
    low, high = np.quantile(bootstrap.draws["paths"], [0.05, 0.95], axis=0)
    assert table["low"].to_numpy() == pytest.approx(low)
    assert table["high"].to_numpy() == pytest.approx(high)
    assert table["standard_error"].to_numpy() == pytest.approx(
        bootstrap.draws["paths"].std(axis=0, ddof=1)
    )


def test_bca_interval_is_efrons_formula(pair):
    """Bias from the share of draws below, acceleration from leaving out each in turn, by hand."""
    bootstrap = bootstrap_model(pair, n_resamples=999, seed=5)
    draws, value = bootstrap.draws["paths"][:, 0], bootstrap.values["paths"][0]
    x, y = pair.respondents.answers.to_numpy().T
    left_out = [np.corrcoef(np.delete(x, k), np.delete(y, k))[0, 1] for k in range(60)]
    away = np.mean(left_out) - np.array(left_out)
    a = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    z0 = norm.ppf((draws < value).mean())
    z = z0 + norm.ppf([0.05, 0.95])
    wanted = np.quantile(draws, norm.cdf(z0 + z / (1 - a * z)))
    table = intervals(bootstrap, "paths", method="bca", level=0.9)
    assert table[["low", "high"]].to_numpy()[0] == pytest.approx(wanted, abs=1e-9)
    assert abs(a) > 0.005  # without it the interval would be another


def test_bca_interval_is_the_librarys(pair):
    """SciPy's BCa on the correlation itself: other draws, so 4 Monte Carlo errors apart."""
    ours = intervals(
        bootstrap_model(pair, n_resamples=8000, seed=5), "paths", method="bca", level=0.8
    )
    x, y = pair.respondents.answers.to_numpy().T
    theirs = by_scipy(
        (x, y),
        lambda x, y, axis: (
            ((x - x.mean(axis, keepdims=True)) * (y - y.mean(axis, keepdims=True))).mean(axis)
            / (x.std(axis) * y.std(axis))
        ),
        paired=True,
        vectorized=True,
        n_resamples=8000,
        confidence_level=0.8,
        method="BCa",
        rng=6,
    ).confidence_interval
    # A quantile's Monte Carlo error at 2.5% of 8,000 draws is 0.03 standard errors; two of them.
    slack = 4 * np.sqrt(2) * 0.03 * ours["standard_error"][0]
    assert ours["low"][0] == pytest.approx(theirs.low, abs=slack)
    assert ours["high"][0] == pytest.approx(theirs.high, abs=slack)


def test_studentised_interval_uses_the_error_of_every_resample(pair):
    bootstrap = bootstrap_model(pair, n_resamples=400, seed=5, n_inner=40)
    assert bootstrap.inner_errors["paths"].shape == (400, 1)
    table = intervals(bootstrap, "paths", method="studentised")
    value, error = table["estimate"][0], table["standard_error"][0]
    ratio = (bootstrap.draws["paths"] - value) / bootstrap.inner_errors["paths"]
    early, late = np.quantile(ratio, [0.025, 0.975])
    assert table["low"][0] == pytest.approx(value - late * error)
    assert table["high"][0] == pytest.approx(value - early * error)
    # The mean error within resamples is the error between them, up to the noise of 40 draws.
    assert bootstrap.inner_errors["paths"].mean() == pytest.approx(error, rel=0.15)


def test_single_items_weight_does_not_move(pair):
    bootstrap = bootstrap_model(pair, n_resamples=100, seed=1, n_inner=5)
    for method in ("percentile", "bca", "studentised"):
        table = intervals(bootstrap, "weights", method=method)
        assert table[["estimate", "low", "high"]].to_numpy() == pytest.approx(1)
        assert (table["standard_error"] == 0).all()
        assert table[["t_value", "p_value"]].isna().all(axis=None)


def test_every_quantity_starts_from_the_estimate(estimate, bootstrap):
    for quantity in QUANTITIES:
        assert len(bootstrap.labels[quantity]) == len(bootstrap.values[quantity])
        assert bootstrap.draws[quantity].shape == (1000, len(bootstrap.values[quantity]))
    assert bootstrap.values["paths"] == pytest.approx(estimate.paths["coefficient"])
    ways = intervals(bootstrap, "specific_indirect_effects")
    coefficient = estimate.path_coefficients
    product = coefficient.loc["A", "B"] * coefficient.loc["B", "C"]
    assert ways["way"].tolist() == ["A -> B -> C"]
    assert ways["estimate"].to_numpy() == pytest.approx([product])


def test_same_seed_same_draws_another_seed_others(estimate, bootstrap):
    again = bootstrap_model(estimate, n_resamples=1000, seed=1)
    assert np.array_equal(again.draws["paths"], bootstrap.draws["paths"])
    shorter = bootstrap_model(estimate, n_resamples=500, seed=1)
    assert np.array_equal(shorter.draws["paths"], bootstrap.draws["paths"][:500])
    other = bootstrap_model(estimate, n_resamples=500, seed=2)
    assert not np.array_equal(other.draws["paths"], shorter.draws["paths"])


def test_resamples_in_which_an_item_does_not_vary_are_counted():
    """One respondent of 12 answers differently: (11/12)^12 = 35% of resamples miss that one."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"rare": [1.0] + [0.0] * 11, "y": rng.normal(size=12)})
    model = PathModel([single_item("X", "rare"), single_item("Y", "y")], ["X -> Y"])
    bootstrap = bootstrap_model(estimate_model(model, data), n_resamples=2000, seed=1)
    share = (11 / 12) ** 12
    slack = 4 * np.sqrt(share * (1 - share) / 2000)
    assert bootstrap.outcomes["no_variance"] / 2000 == pytest.approx(share, abs=slack)
    assert bootstrap.n_used == bootstrap.outcomes["solved"]
    assert bootstrap.outcomes.sum() == 2000
    assert np.isfinite(bootstrap.draws["paths"]).all()


def test_resamples_in_which_items_coincide_are_counted():
    """Two items in mode B that differ for one respondent alone."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=15)
    data = pd.DataFrame({"x": x, "nearly": x, "y": x + rng.normal(size=15)})
    data.loc[0, "nearly"] += 3
    model = PathModel(
        [composite("X", ["x", "nearly"], mode="B"), single_item("Y", "y")], ["X -> Y"]
    )
    bootstrap = bootstrap_model(estimate_model(model, data), n_resamples=500, seed=1)
    share = (14 / 15) ** 15
    assert bootstrap.outcomes["collinear"] / 500 == pytest.approx(share, abs=0.09)


def test_resamples_that_do_not_settle_are_counted(answers, three):
    estimate = estimate_model(three, answers, tolerance=1e-4)
    slow = bootstrap_model(
        type(estimate)(
            estimate.model,
            type(estimate.settings)(tolerance=1e-4, max_iterations=estimate.n_iterations),
            estimate.layout,
            estimate.respondents,
            estimate.solution,
        ),
        n_resamples=200,
        seed=1,
    )
    assert slow.outcomes["not_converged"] > 0
    assert slow.n_used == 200 - slow.outcomes["not_converged"]


def test_refuses_when_nothing_can_be_used():
    rng = np.random.default_rng(4)
    common = rng.normal(size=40)
    columns = {name: common + 0.8 * rng.normal(size=40) for name in ("x1", "x2", "y1", "y2")}
    model = PathModel([reflective("X", ["x1", "y1"]), reflective("Y", ["x2", "y2"])], ["X -> Y"])
    data = pd.DataFrame(columns)
    data["y2"] = data["x1"] + 0.05 * rng.normal(size=40)
    estimate = estimate_model(model, data, consistent=True)
    with pytest.raises(ValueError, match=r"of 20 resamples only [01] could be used .*inadmissible"):
        bootstrap_model(estimate, n_resamples=20, seed=1)


def test_resamples_without_a_number_are_not_kept_but_counted():
    """Two items that hardly correlate: their reliability is negative in many resamples."""
    rng = np.random.default_rng(4)
    f = rng.normal(size=40)
    data = pd.DataFrame(
        {"x1": f + 2 * rng.normal(size=40), "x2": f + 2 * rng.normal(size=40), "y": f}
    )
    model = PathModel([reflective("X", ["x1", "x2"]), single_item("Y", "y")], ["X -> Y"])
    estimate = estimate_model(model, data, consistent=True)
    bootstrap = bootstrap_model(estimate, n_resamples=300, seed=1, inadmissible="keep")
    assert bootstrap.outcomes["solved"] < bootstrap.n_used < 300
    assert bootstrap.outcomes["inadmissible"] > bootstrap.n_used - bootstrap.outcomes["solved"]
    for method in ("percentile", "bca"):
        assert np.isfinite(intervals(bootstrap, "paths", method=method)["high"][0])


def test_construct_level_signs_turn_a_construct_back():
    """A construct without leaning: its two items point apart, and resamples flip its sign."""
    rng = np.random.default_rng(11)
    f = rng.normal(size=60)
    data = pd.DataFrame(
        {
            "up": f + rng.normal(size=60),
            "down": -f + rng.normal(size=60),
            "y": f + rng.normal(size=60),
        }
    )
    model = PathModel([composite("X", ["up", "down"]), single_item("Y", "y")], ["X -> Y"])
    estimate = estimate_model(model, data)
    free = bootstrap_model(estimate, n_resamples=300, seed=1)
    held = bootstrap_model(estimate, n_resamples=300, seed=1, signs="construct")
    signs = np.sign(free.draws["paths"][:, 0])
    assert 0 < (signs == 1).mean() < 1
    assert (np.sign(held.draws["paths"]) == np.sign(held.values["paths"])).all()
    assert np.abs(held.draws["paths"]) == pytest.approx(np.abs(free.draws["paths"]))


def test_mediation_is_typed_by_its_intervals():
    rng = np.random.default_rng(6)
    n = 400
    x = rng.normal(size=n)
    m = 0.6 * x + 0.8 * rng.normal(size=n)
    rows = {
        "complementary": 0.4 * m + 0.4 * x,
        "competitive": 0.6 * m - 0.4 * x,
        "indirect_only": 0.7 * m,
        "direct_only": 0.6 * x,
        "no_effect": 0 * x,
    }
    model = PathModel([single_item(k, k) for k in "xmy"], ["x -> m", "x, m -> y"])
    for kind, mean in rows.items():
        data = pd.DataFrame({"x": x, "m": m, "y": mean + rng.normal(size=n)})
        if kind == "direct_only":
            data["m"] = rng.normal(size=n)
        bootstrap = bootstrap_model(estimate_model(model, data), n_resamples=300, seed=1)
        assert mediation(bootstrap, level=0.999).loc[0, "type"] == kind


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"n_resamples": 1}, "n_resamples is at least 2"),
        ({"signs": "some"}, "signs is one of none, construct"),
        ({"inadmissible": "hide"}, "inadmissible is leave_out or keep"),
        ({"n_inner": 1}, "n_inner is 0 or at least 2"),
    ],
)
def test_refuses_unknown_settings(estimate, setting, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_model(estimate, **{"seed": 1, "n_resamples": 10, **setting})


def test_refuses_unknown_intervals(bootstrap):
    with pytest.raises(ValueError, match="quantity is one of paths"):
        intervals(bootstrap, "hopes")
    with pytest.raises(ValueError, match="method is one of percentile, bca, studentised"):
        intervals(bootstrap, "paths", method="basic")
    with pytest.raises(ValueError, match="level is a share between 0 and 1"):
        intervals(bootstrap, "paths", level=95)
    with pytest.raises(ValueError, match="draw the bootstrap with n_inner=50"):
        intervals(bootstrap, "paths", method="studentised")
