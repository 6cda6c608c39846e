import numpy as np
import pandas as pd
import pytest

from crmlab.value.lifetime import (
    BgNbd,
    FitError,
    GammaGamma,
    ParetoNbd,
    bootstrap_lifetime_value,
    discounted_future_orders,
    error_lead,
    expectations_by_frequency,
    fit_repeat_model,
    lifetime_value,
    run_rate_orders,
    simulate_bg_nbd,
    track_orders,
)

MODELS = [BgNbd(0.243, 4.414, 0.793, 2.426), ParetoNbd(0.553, 10.578, 0.606, 11.669)]
SPEND = GammaGamma(6.25, 3.74, 15.44)


@pytest.fixture(scope="module")
def summary():
    truth = BgNbd(0.8, 6.0, 1.2, 6.0)
    drawn = simulate_bg_nbd(truth, np.full(400, 52.0), seed=5)
    rng = np.random.default_rng(6)
    x = np.maximum(drawn["n_repeat_orders"], 1)
    value = rng.gamma(6.25 * x) / rng.gamma(3.74, 1 / 15.44, 400) / x
    drawn["mean_repeat_value"] = value.where(drawn["n_repeat_orders"] > 0)
    drawn.insert(0, "customer_id", [f"c{i:03d}" for i in range(400)])
    return drawn


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_discounting_agrees_with_a_sum_over_days(model, summary):
    rate, weeks = 0.15, 104
    days = np.arange(weeks * 7 + 1) / 7
    total = np.array([model.expected_future_orders(summary.head(20), weeks=d) for d in days])
    middle = (days[1:] + days[:-1]) / 2
    by_hand = (np.diff(total, axis=0) * (1 + rate) ** (-middle * 7 / 365.25)[:, None]).sum(axis=0)
    found = discounted_future_orders(
        model, summary.head(20), weeks=weeks, annual_discount_rate=rate
    )
    np.testing.assert_allclose(found, by_hand, rtol=1e-6)


def test_without_discount_every_order_counts_in_full(summary):
    model = MODELS[0]
    found = discounted_future_orders(model, summary, weeks=52, annual_discount_rate=0)
    np.testing.assert_array_equal(found, model.expected_future_orders(summary, weeks=52))


def test_value_is_orders_times_value_times_margin(summary):
    table = lifetime_value(
        MODELS[0], SPEND, summary, weeks=52, annual_discount_rate=0.1, margin_rate=0.4
    )
    product = 0.4 * table["discounted_orders"] * table["expected_order_value"]
    np.testing.assert_allclose(table["lifetime_value"], product)
    assert (table["discounted_orders"] <= table["expected_orders"]).all()
    assert table["customer_id"].tolist() == summary["customer_id"].tolist()


def test_bootstrap_spreads_around_the_estimate_and_is_seeded(summary):
    settings = {"weeks": 52, "annual_discount_rate": 0.1, "n_resamples": 20}
    model = fit_repeat_model(BgNbd, summary)
    one = bootstrap_lifetime_value(model, summary, seed=1, **settings)
    again = bootstrap_lifetime_value(model, summary, seed=1, **settings)
    pd.testing.assert_frame_equal(one, again)
    total = one.sum(axis=1)
    from crmlab.value.lifetime import fit_gamma_gamma

    settings.pop("n_resamples")
    whole = lifetime_value(model, fit_gamma_gamma(summary), summary, **settings)
    assert total.min() < whole["lifetime_value"].sum() < total.max()
    assert one.shape == (20, 400)


def test_bootstrap_of_hardly_any_repeaters_is_refused_in_words(summary):
    few = summary.copy()
    few.loc[12:, ["n_repeat_orders", "last_order_age_weeks"]] = 0
    few["mean_repeat_value"] = few["mean_repeat_value"].where(few["n_repeat_orders"] > 0)
    with pytest.raises(FitError, match=r"of 20 resamples could not.*lean on a few.*The last"):
        bootstrap_lifetime_value(
            MODELS[0], few, weeks=52, annual_discount_rate=0.1, seed=1, n_resamples=20
        )


def test_impossible_settings_are_refused(summary):
    for settings, complaint in [
        ({"weeks": 0, "annual_discount_rate": 0.1}, "weeks is 0"),
        ({"weeks": 52, "annual_discount_rate": -0.1}, "annual_discount_rate is -0.1"),
        ({"weeks": 52, "annual_discount_rate": 0.1, "margin_rate": 40}, "margin_rate is 40"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            lifetime_value(MODELS[0], SPEND, summary, **settings)


def orders(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_on", "amount"])
    return frame.assign(ordered_on=pd.to_datetime(frame["ordered_on"]))


def test_weeks_are_counted_by_hand():
    book = orders(
        ("a", "2024-01-01", 5.0),
        ("a", "2024-01-01", 9.0),  # the same day: no repeat
        ("a", "2024-01-08", 5.0),  # the seventh day after: week 1
        ("a", "2024-01-09", -5.0),  # a return
        ("b", "2024-01-10", 5.0),
        ("b", "2024-01-16", 5.0),  # day 15: week 3, after the calibration
        ("z", "2024-01-20", 5.0),  # won later: not followed
        ("z", "2024-01-22", 5.0),
    )
    table = track_orders(MODELS[0], book, calibrated_to="2024-01-15", observed_to="2024-01-25")
    assert table["week"].tolist() == [1, 2, 3]
    assert table["n_repeat_orders"].tolist() == [1, 0, 1]
    assert table["is_holdout"].tolist() == [False, False, True]
    # One repeat of a in 14 days, none of b: each goes on at his own rate, not at the mean one.
    assert table["run_rate_orders"].iloc[-1] == pytest.approx(0.5)
    first, second = MODELS[0].expected_orders([3.0, 3.0 - 9 / 7])
    assert table["total_expected_orders"].iloc[-1] == pytest.approx(first + second)


def test_groups_by_frequency_hold_everybody_and_agree_with_the_means(summary):
    later = np.arange(400) % 3
    table = expectations_by_frequency(MODELS[0], summary, later, weeks=26, most=3)
    assert table["n_repeat_orders"].tolist() == [0, 1, 2, 3]
    assert table["n_customers"].sum() == 400
    expected = MODELS[0].expected_future_orders(summary, weeks=26).mean()
    assert np.average(table["mean_expected_orders"], weights=table["n_customers"]) == pytest.approx(
        expected
    )
    rate = run_rate_orders(summary, weeks=26).mean()
    assert np.average(table["mean_run_rate_orders"], weights=table["n_customers"]) == pytest.approx(
        rate
    )


def test_calibration_after_the_end_is_refused():
    one = orders(("a", "2024-01-01", 1.0))
    with pytest.raises(ValueError, match="is after observed_to"):
        track_orders(MODELS[0], one, calibrated_to="2025-01-01", observed_to="2024-06-01")


def test_lead_of_a_forecast_has_the_interval_of_the_delta_method_where_errors_are_mild():
    rng = np.random.default_rng(3)
    seen = rng.poisson(2.0, 600)
    good, poor = seen + rng.normal(0, 1.0, 600), seen + rng.normal(0.2, 1.3, 600)
    lead, lower, upper = error_lead(seen, good, poor, seed=1, n_resamples=1000)
    squares = (poor - seen) ** 2, (good - seen) ** 2
    sizes = [np.sqrt(square.mean()) for square in squares]
    assert lead == pytest.approx(sizes[0] - sizes[1])
    parts = [square / (2 * size) for square, size in zip(squares, sizes, strict=True)]
    error = np.std(parts[0] - parts[1], ddof=1) / np.sqrt(600)
    # A thousand draws know these quantiles to a tenth of their distance from the lead.
    assert [lower - lead, upper - lead] == pytest.approx([-1.96 * error, 1.96 * error], rel=0.12)
    assert error_lead(seen, poor, good, seed=1)[0] == -lead
    with pytest.raises(ValueError, match="expected 600 finite numbers each"):
        error_lead(seen, good, poor[1:], seed=1)


def test_one_wild_forecast_does_not_hide_that_all_the_others_are_worse_too():
    rng = np.random.default_rng(4)
    seen = rng.poisson(2.0, 600)
    good, poor = seen + rng.normal(0, 1.0, 600), seen + rng.normal(0, 2.0, 600)
    poor[0] += 300
    lead, lower, _ = error_lead(seen, good, poor, seed=1)
    assert lead > 10  # of which the one makes nearly all
    assert 0.8 < lower < 1.2  # drawn without him, the lead is that of the others
