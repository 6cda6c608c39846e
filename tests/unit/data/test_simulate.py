"""The simulated population is what its parameters say it is.

Oracles: closed forms of the models (BG/NBD, gamma-gamma, rounded normal scores), regressions of
the truth, and recounting from the tables by another route. Tolerances are 4 standard errors
unless said otherwise: with these seeds and sizes, half or twice a parameter is far outside.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from crmlab.data import simulate
from crmlab.data.simulate import (
    CONSTRUCTS,
    PATH_COEFFICIENTS,
    SAMPLE_SEED,
    SURVEY_ITEMS,
    SimulationParameters,
    implied_variances,
    simulate_population,
    write_sample,
)
from crmlab.data.simulate.__main__ import main
from crmlab.data.simulate.latents import simulate_latents
from crmlab.data.simulate.purchases import (
    add_returns,
    simulate_order_times,
    sort_by_day,
    value_orders,
)
from crmlab.data.tables import TABLES, check_tables

SAMPLE = Path(__file__).parents[3] / "data" / "sample"
N = 20_000
SE = 4  # standard errors allowed
DEFAULTS = SimulationParameters()


@pytest.fixture(scope="module")
def population():
    return simulate_population(N, seed=11)


@pytest.fixture(scope="module")
def truth(population):
    return population["truth"].set_index("customer_id")


@pytest.fixture(scope="module")
def answers(population):
    return population["survey"].dropna(subset="customer_id").set_index("customer_id")


@pytest.fixture(scope="module")
def process():
    """Return a year of BG/NBD with the default parameters: repeat orders, their time, alive."""
    latents = simulate_latents(N, np.random.default_rng(3), DEFAULTS)
    weeks = 52.0
    customer, at, left_at = simulate_order_times(
        np.zeros(N),
        latents["purchase_rate_per_week"].to_numpy(),
        latents["dropout_probability"].to_numpy(),
        weeks,
        np.random.default_rng(4),
    )
    n_repeat = np.bincount(customer) - 1
    last = np.zeros(N)
    np.maximum.at(last, customer, at)
    return weeks, n_repeat, last, np.isinf(left_at)


def assert_close(estimate, expected, standard_error):
    assert abs(estimate - expected) < SE * standard_error


# --- parameters


def test_implied_variances_are_those_of_two_paths_on_paper():
    # quality = 0.5 image + 0.4 expectation, expectation = 0.6 image:
    # 0.25 + 0.16 + 2 * 0.5 * 0.4 * 0.6 = 0.65 explained.
    variances = implied_variances(
        {
            ("image", "expectation"): 0.6,
            ("image", "perceived_quality"): 0.5,
            ("expectation", "perceived_quality"): 0.4,
        }
    )
    assert variances["expectation"] == pytest.approx(0.64, rel=1e-15)
    assert variances["perceived_quality"] == pytest.approx(0.35, rel=1e-15)
    assert variances["loyalty"] == 1


def test_implied_variances_agree_with_the_matrix_form():
    effects = np.zeros((6, 6))
    for (cause, effect), coefficient in PATH_COEFFICIENTS.items():
        effects[CONSTRUCTS.index(effect), CONSTRUCTS.index(cause)] = coefficient
    psi = np.diag([implied_variances()[construct] for construct in CONSTRUCTS])
    total = np.linalg.inv(np.eye(6) - effects)
    np.testing.assert_allclose(np.diag(total @ psi @ total.T), np.ones(6), rtol=1e-14)


def test_paths_are_the_eleven_of_the_chinese_index():
    assert len(PATH_COEFFICIENTS) == 11
    for cause, effect in PATH_COEFFICIENTS:
        assert CONSTRUCTS.index(cause) < CONSTRUCTS.index(effect)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate_shape": 0}, r"rate_shape is 0; expected a number above 0\."),
        ({"spend_scale": float("nan")}, "spend_scale is nan; expected a number above 0"),
        ({"survey_share": -0.1}, r"survey_share is -0\.1; expected a share from 0 to 1"),
        ({"holdout_share": "half"}, "holdout_share is 'half'; expected a share from 0 to 1"),
        ({"rate_satisfaction": 1.0}, r"rate_satisfaction is 1\.0; expected a correlation"),
        ({"order_cost": -1}, "order_cost is -1; expected money, 0 or more"),
        ({"n_campaigns": 2.5}, r"n_campaigns is 2\.5; expected a whole number, 1 to 100"),
        ({"mode_effect": 20}, "mode_effect is 20; expected a number from -9 to 9"),
        ({"response_days": 0}, "response_days is 0; expected a whole number, 1 to 28"),
        ({"response_days": 60}, "response_days is 60; expected a whole number, 1 to 28"),
        ({"margin_price_effect": 0.6}, "margin_price_effect is 0.6; expected a share from 0"),
        ({"uplift_base": 0.9, "uplift_price": 0.2}, r"uplift_base \+ uplift_price is 1.1"),
        ({"path_coefficients": {("image", "loyalty"): 0.1}}, "is no path of the model"),
        (
            {"path_coefficients": PATH_COEFFICIENTS | {("image", "expectation"): 1.1}},
            r"the paths into expectation explain 1\.210 of its variance; expected less than 1",
        ),
        (
            {"dropout_satisfaction": -0.9, "dropout_loyalty": -0.8},
            "explain all of the drop-out; expected them closer to 0",
        ),
    ],
)
def test_parameters_that_cannot_be_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        SimulationParameters(**change)


# --- latents


def test_path_coefficients_are_recovered_from_the_truth(truth):
    for effect in CONSTRUCTS[1:]:
        causes = [cause for cause, of in PATH_COEFFICIENTS if of == effect]
        design = truth[causes].to_numpy()
        fit, residual, *_ = np.linalg.lstsq(design, truth[effect].to_numpy())
        errors = np.sqrt(residual / N * np.diag(np.linalg.inv(design.T @ design)))
        for cause, estimate, error in zip(causes, fit, errors, strict=True):
            assert_close(estimate, PATH_COEFFICIENTS[cause, effect], error)


def test_latents_are_standardised(truth):
    for construct in CONSTRUCTS:
        assert_close(truth[construct].mean(), 0, 1 / np.sqrt(N))
        assert_close(truth[construct].var(), 1, np.sqrt(2 / N))


def test_purchase_rate_is_gamma_and_dropout_is_beta(truth):
    rate = stats.gamma(DEFAULTS.rate_shape, scale=1 / DEFAULTS.rate_scale)
    leaving = stats.beta(DEFAULTS.dropout_a, DEFAULTS.dropout_b)
    assert stats.kstest(truth["purchase_rate_per_week"], rate.cdf).pvalue > 1e-4
    assert stats.kstest(truth["dropout_probability"], leaving.cdf).pvalue > 1e-4


def test_rate_and_dropout_hang_on_satisfaction_and_not_on_each_other(truth):
    rate = stats.gamma(DEFAULTS.rate_shape, scale=1 / DEFAULTS.rate_scale)
    leaving = stats.beta(DEFAULTS.dropout_a, DEFAULTS.dropout_b)
    rate_score = special.ndtri(rate.cdf(truth["purchase_rate_per_week"]))
    leaving_score = special.ndtri(leaving.cdf(truth["dropout_probability"]))
    satisfaction = truth["satisfaction"]
    loyalty = truth["loyalty"] - PATH_COEFFICIENTS["satisfaction", "loyalty"] * satisfaction
    for one, other, expected in (
        (rate_score, satisfaction, DEFAULTS.rate_satisfaction),
        (leaving_score, satisfaction, DEFAULTS.dropout_satisfaction),
        (leaving_score, loyalty, DEFAULTS.dropout_loyalty),
        (rate_score, leaving_score, 0),
    ):
        found = np.corrcoef(one, other)[0, 1]
        assert_close(found, expected, (1 - expected**2) / np.sqrt(N))


def test_relational_customers_are_the_stated_share_and_leave_less(truth):
    share = DEFAULTS.relational_share
    assert_close(truth["is_relational"].mean(), share, np.sqrt(share * (1 - share) / N))
    by_type = truth.groupby("is_relational")[["dropout_probability", "price_sensitivity"]].mean()
    assert (by_type.loc[True] < 0.8 * by_type.loc[False]).all()


def test_mean_order_value_has_the_mean_of_gamma_gamma(truth):
    p, q, scale = DEFAULTS.spend_shape, DEFAULTS.spend_heterogeneity, DEFAULTS.spend_scale
    mean = p * scale / (q - 1)
    assert_close(truth["mean_order_value"].mean(), mean, mean / np.sqrt((q - 2) * N))


# --- purchases


def test_repeat_orders_have_the_mean_of_bg_nbd(process):
    """Fader, Hardie and Lee (2005), doi:10.1287/mksc.1040.0098: E[X(t)]."""
    weeks, n_repeat, *_ = process
    r, alpha = DEFAULTS.rate_shape, DEFAULTS.rate_scale
    a, b = DEFAULTS.dropout_a, DEFAULTS.dropout_b
    series = special.hyp2f1(r, b, a + b - 1, weeks / (alpha + weeks))
    expected = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + weeks)) ** r * series)
    assert_close(n_repeat.mean(), expected, n_repeat.std() / np.sqrt(N))


def test_share_without_repeat_order_is_that_of_bg_nbd(process):
    # Nobody leaves before the first repeat order, so this is the zero class of the NBD alone.
    weeks, n_repeat, *_ = process
    expected = (DEFAULTS.rate_scale / (DEFAULTS.rate_scale + weeks)) ** DEFAULTS.rate_shape
    error = np.sqrt(expected * (1 - expected) / N)
    assert_close((n_repeat == 0).mean(), expected, error)


def test_customers_are_alive_as_often_as_bg_nbd_expects_of_their_orders(process):
    """P(alive | x, t_x, T), held against the truth in tenths of the customers."""
    weeks, n_repeat, last, is_alive = process
    r, alpha = DEFAULTS.rate_shape, DEFAULTS.rate_scale
    a, b = DEFAULTS.dropout_a, DEFAULTS.dropout_b
    odds = a / (b + n_repeat - 1) * ((alpha + weeks) / (alpha + last)) ** (r + n_repeat)
    alive = np.where(n_repeat > 0, 1 / (1 + odds), 1.0)
    assert is_alive[n_repeat == 0].all()
    for tenth in np.array_split(np.argsort(alive, kind="stable"), 10):
        expected = alive[tenth].mean()
        error = np.sqrt((alive[tenth] * (1 - alive[tenth])).sum()) / len(tenth)
        assert abs(is_alive[tenth].mean() - expected) <= SE * error + 1e-12


def test_orders_without_dropout_are_poisson():
    customer, *_ = simulate_order_times(
        np.zeros(N), np.full(N, 0.5), np.zeros(N), 10.0, np.random.default_rng(5)
    )
    counts = np.bincount(customer) - 1
    expected = stats.poisson(5).pmf(np.arange(12))
    observed = np.bincount(counts, minlength=12)[:12]
    errors = np.sqrt(N * expected * (1 - expected))
    assert (np.abs(observed - N * expected) < SE * errors).all()


def test_customer_who_always_leaves_orders_at_most_twice():
    customer, at, left_at = simulate_order_times(
        np.zeros(50), np.ones(50), np.ones(50), 1e6, np.random.default_rng(1)
    )
    assert np.bincount(customer).tolist() == [2] * 50
    assert np.array_equal(at[50:], left_at)


def test_customer_who_joins_after_the_horizon_orders_nothing():
    customer, at, left_at = simulate_order_times(
        np.array([1.0, 9.0]), np.full(2, 1e-9), np.zeros(2), 5.0, np.random.default_rng(1)
    )
    assert customer.tolist() == [0]
    assert at.tolist() == [1.0]
    assert np.isinf(left_at).all()


def test_amounts_scatter_about_the_customers_mean_as_a_gamma(population, truth):
    orders = population["orders"].query("amount > 0")
    ratio = orders["amount"] / orders["customer_id"].map(truth["mean_order_value"])
    p = DEFAULTS.spend_shape
    assert_close(ratio.mean(), 1, 1 / np.sqrt(p * len(ratio)))
    # Variance of a sample variance: (kurtosis + 2) / n * variance², kurtosis of a gamma 6 / p.
    assert_close(ratio.var(), 1 / p, np.sqrt((6 / p + 2) / len(ratio)) / p)


def test_returns_take_back_part_of_an_order(population):
    orders = population["orders"]
    is_return = orders["amount"] < 0
    share = DEFAULTS.return_share
    # Of orders in the last three weeks some returns are not there yet.
    purchases = orders[~is_return & (orders["ordered_on"] < "2025-12-11")]
    error = np.sqrt(share / len(purchases))
    late = orders[is_return & (orders["ordered_on"] >= "2025-12-11")]
    assert abs(is_return.sum() / len(purchases) - share) < SE * error + len(late) / len(purchases)
    assert (orders.loc[is_return, "margin"] <= 0).all()
    largest = orders.groupby("customer_id")["amount"].max()
    assert (-orders["amount"] <= orders["customer_id"].map(largest)).all()


def test_orders_and_latents_are_left_unchanged():
    latents = simulate_latents(50, np.random.default_rng(1), DEFAULTS)
    customer, day = np.repeat(np.arange(50), 4), np.tile([3, 9, 2, 400], 50)
    before = latents.copy(), customer.copy(), day.copy()
    orders = value_orders(
        customer, day, np.zeros(200, bool), latents, np.random.default_rng(2), DEFAULTS
    )
    stored = orders.copy()
    add_returns(orders, 730, np.random.default_rng(3), DEFAULTS)
    pd.testing.assert_frame_equal(latents, before[0])
    assert np.array_equal(customer, before[1])
    assert np.array_equal(day, before[2])
    pd.testing.assert_frame_equal(orders, stored)


# --- contacts


@given(
    events=st.lists(
        st.tuples(st.integers(0, 3), st.integers(-9, 9), st.booleans()), min_size=1, max_size=20
    )
)
def test_events_are_sorted_by_day_customer_and_origin(events):
    customer, day, is_brought = (np.array(column) for column in zip(*events, strict=True))
    found = zip(
        *(column.tolist() for column in sort_by_day(customer, day, is_brought)), strict=True
    )
    expected = sorted(events, key=lambda event: (event[1], event[0], event[2]))
    assert list(found) == [tuple(event) for event in expected]


def test_hold_outs_are_the_stated_share_and_like_the_treated(population, truth):
    contacts = population["contacts"]
    share = DEFAULTS.holdout_share
    error = np.sqrt(share * (1 - share) / len(contacts))
    assert_close((~contacts["is_treated"]).mean(), share, error)
    for column in ("price_sensitivity", "satisfaction", "purchase_rate_per_week", "margin_rate"):
        value = contacts["customer_id"].map(truth[column])
        groups = value.groupby(contacts["is_treated"])
        error = np.sqrt((groups.var() / groups.size()).sum())
        assert_close(groups.mean().diff().iloc[-1], 0, error)


def test_uplift_is_what_the_hold_outs_did_not_do_by_themselves(population, truth):
    """Expected uplift: of the held-out who stay and did not order, each one's probability."""
    contacts = population["contacts"].join(truth, on="customer_id")
    until = contacts["contacted_on"] + pd.Timedelta(days=DEFAULTS.response_days)
    stays = ~(contacts["dropped_out_on"] < until)
    held_out = ~contacts["is_treated"]
    by_contact = contacts["uplift_probability"] * (stays & ~contacts["has_responded"])
    expected = by_contact[held_out].mean()
    rates = contacts.groupby("is_treated")["has_responded"].agg(["mean", "var", "size"])
    error = np.sqrt((rates["var"] / rates["size"]).sum())
    uplift = rates["mean"].loc[True] - rates["mean"].loc[False]
    assert_close(uplift, expected, error)
    assert uplift > 2 * SE * error


def test_responses_are_orders_within_the_days_of_response(population):
    contacts = population["contacts"]
    purchases = population["orders"].query("amount > 0")[["customer_id", "ordered_on"]]
    pairs = contacts.merge(purchases, on="customer_id")
    wait = (pairs["ordered_on"] - pairs["contacted_on"]).dt.days
    responded = pairs.loc[wait.between(0, DEFAULTS.response_days - 1), "contact_id"]
    assert (contacts["contact_id"].isin(responded) == contacts["has_responded"]).all()


def test_held_out_contacts_cost_nothing(population):
    contacts = population["contacts"]
    assert ((contacts["cost"] == 0) == ~contacts["is_treated"]).all()


def test_population_without_contacts_keeps_its_process():
    without = simulate_population(2000, seed=11, parameters=SimulationParameters(contact_share=0.0))
    with_contacts = simulate_population(2000, seed=11)
    assert without["contacts"].empty
    pd.testing.assert_series_equal(without["contacts"].dtypes, with_contacts["contacts"].dtypes)
    columns = ["dropped_out_on", "is_alive", "n_orders_next_52_weeks"]
    pd.testing.assert_frame_equal(without["truth"][columns], with_contacts["truth"][columns])
    bought = [tables["orders"].query("amount > 0") for tables in (without, with_contacts)]
    assert len(bought[0]) < len(bought[1])


# --- survey and tickets


def score_correlation(item):
    """Return the correlation of a rounded and clipped score with its latent, in closed form."""
    cuts = (np.arange(item.minimum, item.maximum) + 0.5 - item.mean) / item.sd
    above = stats.norm.sf(cuts)
    # The score is minimum + Σ 1[z > cut]; E[z 1[z > c]] = φ(c).
    steps = np.arange(len(cuts))
    variance = ((2 * steps + 1) * above).sum() - above.sum() ** 2
    return item.loading * stats.norm.pdf(cuts).sum() / np.sqrt(variance)


def test_score_correlation_of_a_median_split_is_that_of_a_textbook():
    # A score cut once at its mean keeps sqrt(2 / π) of the correlation.
    item = SURVEY_ITEMS[0].__class__("i", "c", "l", 0.5, 0.5, 1.0, 0, 1, "", "")
    assert score_correlation(item) == pytest.approx(0.5 * np.sqrt(2 / np.pi), rel=1e-14)


# Those on benefits sought have a segment behind them: see test_simulate_lifestyles.py.
@pytest.mark.parametrize(
    "item",
    [item for item in SURVEY_ITEMS if item.construct != "benefit_sought"],
    ids=lambda item: item.item,
)
def test_item_carries_its_latent_with_the_stated_loading(answers, truth, item):
    scores = answers[item.item].dropna()
    found = np.corrcoef(scores, truth.loc[scores.index, item.latent])[0, 1]
    expected = score_correlation(item)
    assert_close(found, expected, (1 - expected**2) / np.sqrt(len(scores)))
    assert scores.between(item.minimum, item.maximum).all()
    assert (scores % 1 == 0).all()


def test_items_start_with_the_pair_and_hold_the_eight_factors():
    constructs = pd.Series({item.item: item.construct for item in SURVEY_ITEMS})
    firsts = constructs.drop_duplicates()
    assert firsts[firsts == "expectation"].index[0] == "expected_overall"
    assert firsts[firsts == "perceived_quality"].index[0] == "perceived_overall"
    for kind in ("product", "service", "personnel", "image"):
        assert constructs[f"{kind}_value"] == f"{kind}_value"
    for kind in ("monetary", "time", "psychic", "energy"):
        assert constructs[f"{kind}_cost"] == f"{kind}_cost"


def test_respondents_are_a_random_share_of_those_who_ordered_before(population, truth):
    orders, survey = population["orders"], population["survey"]
    start = pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(DEFAULTS.survey_position * 730))
    before = orders.query("amount > 0 and ordered_on < @start")["customer_id"].unique()
    share = DEFAULTS.survey_share
    error = np.sqrt(share * (1 - share) / len(before))
    assert_close(len(survey) / len(before), share, error)
    known = survey["customer_id"].dropna()
    assert known.isin(before).all()
    assert (survey["answered_on"] >= start).all()
    satisfaction = truth.loc[before, "satisfaction"]
    error = satisfaction.std() / np.sqrt(len(known))
    assert_close(satisfaction[known].mean(), satisfaction.mean(), error)


def test_satisfied_respondents_order_more_later(answers, truth):
    answered = answers["satisfaction_overall"].dropna()
    later = truth.loc[answered.index, "n_orders_next_52_weeks"]
    found = stats.spearmanr(answered, later).statistic
    assert found > SE / np.sqrt(len(answered))


def test_complaints_follow_orders_as_the_logit_says(population, truth):
    # Orders early enough that their ticket, at most 14 days later, is inside the window.
    orders = population["orders"].query("amount > 0 and ordered_on < '2025-12-17'")
    tickets = population["tickets"]
    satisfaction = orders["customer_id"].map(truth["satisfaction"])
    expected = special.expit(
        DEFAULTS.complaint_logit + DEFAULTS.complaint_satisfaction * satisfaction
    )
    n_complaints = tickets["is_complaint"].sum()
    late = (tickets["opened_at"] >= "2025-12-18").sum()
    error = np.sqrt((expected * (1 - expected)).sum())
    assert abs(n_complaints - expected.sum()) < SE * error + late
    complainers = tickets.loc[tickets["is_complaint"], "customer_id"].map(truth["satisfaction"])
    assert complainers.mean() < satisfaction.mean() - 0.5


def test_time_to_first_response_is_lognormal(population):
    hours = np.log(population["tickets"]["first_response_hours"].dropna())
    assert_close(hours.mean(), np.log(6), 1 / np.sqrt(len(hours)))
    assert_close(hours.std(), 1, 1 / np.sqrt(2 * len(hours)))


def test_well_recovered_complainers_exceed_the_satisfaction_of_their_paths(population, truth):
    tickets = population["tickets"].dropna(subset="recovery_score")
    causes = {c: b for (c, of), b in PATH_COEFFICIENTS.items() if of == "satisfaction"}
    own = truth["satisfaction"] - sum(truth[cause] * b for cause, b in causes.items())
    scores = tickets.join(own.rename("own"), on="customer_id")
    # Tickets of one customer share their latents: one each, and a tie well above chance.
    scores = scores.drop_duplicates("customer_id")
    found = scores["own"].corr(scores["recovery_score"])
    assert 0.3 < found < DEFAULTS.recovery_satisfaction
    slow = tickets["first_response_hours"] > tickets["first_response_hours"].median()
    means = tickets.groupby(slow)["recovery_score"].mean()
    assert means.loc[True] < means.loc[False] - 0.4


def test_open_tickets_have_no_close_and_closed_ones_end_after_the_answer(population):
    tickets = population["tickets"]
    took = (tickets["closed_at"] - tickets["opened_at"]).dt.total_seconds() / 3600
    assert (took.dropna() >= tickets.loc[took.notna(), "first_response_hours"]).all()
    assert tickets["closed_at"].max() < pd.Timestamp("2026-01-01")
    assert tickets.loc[tickets["closed_at"].isna(), "recovery_score"].isna().all()


# --- the population as a whole


def test_tables_are_valid_as_they_are(population):
    checked = check_tables(population)
    assert list(checked) == list(TABLES)
    for name, frame in population.items():
        pd.testing.assert_frame_equal(checked[name], frame)


def test_stored_numbers_lie_on_their_grid(population):
    for name, frame in population.items():
        for column in frame.select_dtypes("float64"):
            values = frame[column].to_numpy()
            grid = np.round(values, 6 if name == "truth" else 2)
            assert np.array_equal(values, grid, equal_nan=True), (name, column)


def test_sources_count_the_rows_and_the_days_of_the_tables(population):
    sources = population["sources"]
    n_rows = sources.groupby("table")["n_rows"].sum()
    described = set(TABLES) - {"sources", "truth", "records", "record_truth"}
    assert n_rows.to_dict() == {name: len(population[name]) for name in described}
    for table, column in (("orders", "ordered_on"), ("activity", "month_on")):
        found = sources.set_index("table").loc[table, ["collected_from", "collected_to"]]
        assert found.tolist() == [population[table][column].min(), population[table][column].max()]


def test_every_truth_column_is_described(population):
    described = [column.name for column in TABLES["truth"].columns]
    assert population["truth"].columns.tolist() == described


def test_every_truth_column_is_said_to_score_something(population):
    named = population["truth"].columns.drop("customer_id")
    # Fourteen of the sixteen columns on value factors are named by their beginning.
    by_kind = named.str.match("(expected|perceived)_.*_(value|cost)$")
    unnamed = [column for column in named[~by_kind] if f"`{column}`" not in simulate.__doc__]
    assert unnamed == []


def test_cost_to_serve_is_recounted_from_the_tables(population, truth):
    customers = population["customers"].set_index("customer_id")
    events = population["orders"].groupby("customer_id").size()
    tickets = population["tickets"].groupby("customer_id").size()
    plain = (
        DEFAULTS.account_cost
        + DEFAULTS.order_cost * events.reindex(customers.index, fill_value=0)
        + DEFAULTS.ticket_cost * tickets.reindex(customers.index, fill_value=0)
    )
    gap = customers["cost_to_serve"] - truth["service_intensity"] * plain
    assert gap.abs().max() <= 0.005 + 1e-9


def test_customers_join_before_and_during_the_window(population):
    joined = population["customers"]["joined_on"]
    share = DEFAULTS.share_joined_before
    error = np.sqrt(share * (1 - share) / N)
    assert_close((joined < "2024-01-01").mean(), share, error)
    assert joined.is_monotonic_increasing
    first = population["orders"].groupby("customer_id")["ordered_on"].min()
    joined = population["customers"].set_index("customer_id")["joined_on"]
    newer = joined[joined >= "2024-01-01"]
    assert (first.reindex(newer.index) == newer).all()


def test_customers_who_have_left_order_nothing_later(population, truth):
    left = truth["dropped_out_on"]
    last = population["orders"].query("amount > 0").groupby("customer_id")["ordered_on"].max()
    gone = left[left <= "2025-12-31"]
    assert not (last.reindex(gone.index) > gone).any()
    assert not truth.loc[gone.index, "is_alive"].any()
    assert truth.loc[left.isna(), "is_alive"].all()
    assert (truth.loc[gone.index, "n_orders_next_52_weeks"] == 0).all()


def test_same_seed_gives_the_same_values_and_another_seed_others():
    first, again = (simulate_population(300, seed=5) for _ in range(2))
    other = simulate_population(300, seed=6)
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, again[name])
    assert not first["orders"].equals(other["orders"])


def test_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    simulate_population(20, seed=5)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_tables_draw_from_streams_of_their_own():
    plain = simulate_population(300, seed=5)
    changed = simulate_population(
        300, seed=5, parameters=SimulationParameters(survey_share=0.9, complaint_logit=-1)
    )
    # What customers perceive of a value factor is drawn given their answers on it.
    own = ~plain["truth"].columns.str.startswith("perceived_") | (
        plain["truth"].columns == "perceived_quality"
    )
    pd.testing.assert_frame_equal(plain["truth"].loc[:, own], changed["truth"].loc[:, own])
    for name in ("orders", "contacts", "links", "activity", "accounts", "staff"):
        pd.testing.assert_frame_equal(plain[name], changed[name])
    assert len(changed["survey"]) > len(plain["survey"])
    assert len(changed["tickets"]) > len(plain["tickets"])


@settings(max_examples=4)
@given(
    n_customers=st.integers(1, 40),
    seed=st.integers(0, 2**64),
    n_days=st.integers(182, 900),
    contact_share=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_any_small_population_is_valid(n_customers, seed, n_days, contact_share):
    first = pd.Timestamp("2019-06-15")
    last = first + pd.Timedelta(days=n_days - 1)
    tables = simulate_population(
        n_customers,
        seed=seed,
        observed_from=first,
        observed_to=last,
        parameters=SimulationParameters(contact_share=contact_share, n_campaigns=3),
    )
    checked = check_tables(tables)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(checked[name], frame)
    for name, column in (
        ("orders", "ordered_on"),
        ("contacts", "contacted_on"),
        ("survey", "answered_on"),
        ("tickets", "opened_at"),
    ):
        assert tables[name][column].dropna().dt.normalize().between(first, last).all()
    assert len(tables["truth"]) == len(tables["customers"]) == n_customers


def test_population_of_one_has_every_table():
    tables = simulate_population(1, seed=3)
    assert list(tables) == list(TABLES)
    assert len(tables["truth"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_customers": 0}, "n_customers is 0; expected a whole number, 1 or more"),
        ({"n_customers": 10.5}, r"n_customers is 10\.5; expected a whole number"),
        ({"seed": -1}, "seed is -1; expected a whole number, 0 or more"),
        ({"seed": True}, "seed is True; expected a whole number"),
        ({"observed_from": "soon"}, "observed_from is 'soon'; expected a day written YYYY-MM-DD"),
        ({"observed_to": None}, "observed_to is None; expected a day written YYYY-MM-DD"),
        ({"observed_to": "2025-12-31 10:00"}, "observed_to is .* expected a day"),
        ({"observed_to": "2024-03-31"}, "has 91 days; expected at least 182"),
    ],
)
def test_population_that_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_population(**({"n_customers": 10, "seed": 1} | arguments))


# --- the bundled sample


@pytest.fixture(scope="module")
def sample():
    return {name: pd.read_parquet(SAMPLE / f"{name}.parquet") for name in TABLES}


def test_sample_is_made_again_value_for_value(sample):
    again = simulate_population(seed=SAMPLE_SEED)
    assert list(again) == list(sample)
    for name, frame in again.items():
        pd.testing.assert_frame_equal(sample[name], frame, check_exact=True)


def test_sample_is_small_on_disk():
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 3_000_000


def test_sample_looks_like_a_retailer(sample):
    orders, customers = sample["orders"], sample["customers"]
    assert 12_000 < len(orders) < 20_000
    assert 3_500 < len(sample["contacts"]) < 4_500
    assert 550 < len(sample["survey"]) < 650
    assert 600 < len(sample["tickets"]) < 800
    value = orders.groupby("customer_id")["amount"].sum().reindex(customers["customer_id"])
    value = np.sort(value.fillna(0).clip(lower=0))
    gini = 2 * (np.arange(1, len(value) + 1) * value).sum() / (len(value) * value.sum())
    assert 0.5 < gini - (len(value) + 1) / len(value) < 0.7
    profit = orders.groupby("customer_id")["margin"].sum().reindex(customers["customer_id"])
    profit = profit.fillna(0).to_numpy() - customers["cost_to_serve"].to_numpy()
    assert 0.2 < (profit < 0).mean() < 0.5
    assert profit.sum() > 0


def test_sample_shows_the_effect_of_its_contacts(sample):
    rates = sample["contacts"].groupby("is_treated")["has_responded"].agg(["mean", "var", "size"])
    uplift = rates["mean"].loc[True] - rates["mean"].loc[False]
    assert uplift > SE * np.sqrt((rates["var"] / rates["size"]).sum())


def test_written_sample_is_read_back_equal_and_leaves_nothing_else(tmp_path):
    paths = write_sample(tmp_path / "new", 60, seed=2)
    tables = simulate_population(60, seed=2)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(pd.read_parquet(paths[name]), frame)
    assert sorted((tmp_path / "new").iterdir()) == sorted(paths.values())
    assert "currency: CNY\nobserved_from: 2024-01-01\n" in paths["card"].read_text("utf-8")


def test_command_writes_a_population_or_says_why_not(tmp_path, capsys):
    assert main([str(tmp_path), "--customers", "20", "--seed", "4"]) == 0
    assert "orders.parquet" in capsys.readouterr().out
    assert main([str(tmp_path), "--customers", "0"]) == 1
    assert "n_customers is 0" in capsys.readouterr().err
