"""The hidden Markov model of the stages against enumeration, the simulator and bad data."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from crmlab.atlas import text_in
from crmlab.data.simulate.stages import MONTHLY_MEANS, trace_stages
from crmlab.relationship.markov_stages import STATES, StageModel, fit_stages
from crmlab.relationship.score import score_labels
from crmlab.relationship.stages import assign_stages

COUNTS = tuple(MONTHLY_MEANS)


def known_model():
    moves = np.triu(np.arange(1.0, 26).reshape(5, 5))
    moves /= moves.sum(axis=1, keepdims=True)
    names = list(STATES)
    return StageModel(
        counts=("n_visits",),
        rates=pd.DataFrame({"n_visits": [1.0, 2.0, 4.0, 1.5, 0.3]}, index=names),
        transitions=pd.DataFrame(moves, index=names, columns=names),
        begin_new=pd.Series([0.6, 0.2, 0.1, 0.05, 0.05], index=names),
        begin_known=pd.Series(0.2, index=names),
        log_likelihood=np.nan,
        n_months=0,
        n_customers=0,
        n_steps=0,
        start_log_likelihoods=(),
    )


def enumerate_paths(model, counts, begin):
    """Return every path with its joint probability with the counts."""
    moves, first = model.transitions.to_numpy(), begin.to_numpy()
    likely = poisson.pmf(np.array(counts)[:, np.newaxis], model.rates["n_visits"].to_numpy())
    for path in product(range(5), repeat=len(counts)):
        p = first[path[0]] * likely[0, path[0]]
        for month in range(1, len(counts)):
            p *= moves[path[month - 1], path[month]] * likely[month, path[month]]
        yield path, p


@pytest.fixture(scope="module")
def fitted(population):
    return fit_stages(population["activity"], COUNTS, seed=1, n_starts=2)


@pytest.mark.parametrize(("counts", "is_new"), [([1, 4, 5, 0, 0], False), ([3, 1, 2], True)])
def test_recursions_agree_with_the_sum_over_every_path(panel_of, counts, is_new):
    model = known_model()
    panel = panel_of([[1, 4, 5, 0, 0], [3, 1, 2]])
    chosen = (panel["customer_id"] == ("0001" if is_new else "0000")).to_numpy()
    paths = list(enumerate_paths(model, counts, model.begin_new if is_new else model.begin_known))
    total = sum(p for _, p in paths)
    likely = np.zeros((len(counts), 5))
    for path, p in paths:
        likely[np.arange(len(counts)), path] += p / total
    posterior, ahead = model.posterior(panel)[chosen], model.predict(panel)[chosen]
    np.testing.assert_allclose(posterior[list(STATES)], likely, rtol=1e-10)
    assert ahead["log_score"].sum() == pytest.approx(np.log(total), rel=1e-12)
    best = max(paths, key=lambda pair: pair[1])[0]
    assert model.path(panel)[chosen].cat.codes.tolist() == list(best)


def test_forecast_is_the_mean_given_the_months_before(panel_of):
    model, counts = known_model(), [1, 4, 5]
    ahead = model.predict(panel_of([[*counts, 2]]))
    state = np.zeros(5)
    for path, p in enumerate_paths(model, counts, model.begin_known):
        state[path[-1]] += p
    mean = state / state.sum() @ model.transitions.to_numpy() @ model.rates["n_visits"]
    assert ahead["expected_n_visits"].iloc[3] == pytest.approx(mean, rel=1e-12)
    assert np.isnan(ahead["expected_n_visits"].iloc[0])


def test_states_far_apart_are_known_for_certain(panel_of):
    model = known_model()
    model.rates["n_visits"] = [5.0, 60.0, 400.0, 150.0, 0.01]
    posterior = model.posterior(panel_of([[5, 61, 390, 148, 0]]))
    assert posterior["stage"].tolist() == list(STATES)
    assert posterior[list(STATES)].max(axis=1).min() > 0.9999


def test_rates_of_the_simulator_come_out(fitted, population):
    # Six standard errors of a Poisson mean over the months in the stage, as they are known.
    weight = fitted.posterior(population["activity"])[list(STATES)].sum().to_numpy()
    for name, means in MONTHLY_MEANS.items():
        error = np.sqrt(np.array(means) / weight)
        assert (np.abs(fitted.rates[name].to_numpy() - means) < 6 * error).all()
    assert fitted.follows_the_course


def test_stages_of_the_simulator_come_out_better_than_by_the_rule(fitted, population):
    panel = population["activity"]
    truth = trace_stages(population["truth"], population["customers"], "2024-01-01", "2025-12-31")
    np.testing.assert_array_equal(truth["customer_id"], panel["customer_id"])
    true = truth["stage"].where(~truth["has_left"], "ended")
    by_model, by_rule = (
        score_labels(true, labels.astype(str), STATES, seed=1, n_permutations=19)
        for labels in (fitted.posterior(panel)["stage"], assign_stages(panel, "n_visits"))
    )
    assert by_model["balanced_accuracy"] > 0.85
    assert by_model["balanced_accuracy"] > by_rule["balanced_accuracy"] + 0.2
    assert by_rule["balanced_accuracy"] > by_rule["chance_bound"] + 0.2


def test_fit_is_at_least_as_likely_as_the_truth(fitted, population):
    names = list(STATES)
    truth = pd.DataFrame({name: MONTHLY_MEANS[name] for name in COUNTS}, index=names)
    other = StageModel(**{**vars(fitted), "rates": truth})
    likely = other.predict(population["activity"])["log_score"].sum()
    assert fitted.log_likelihood > likely
    again = fitted.predict(population["activity"])["log_score"].sum()
    assert fitted.log_likelihood == pytest.approx(again, rel=1e-9)
    # The half month added to each transition may cost a little of the likelihood.
    assert max(fitted.start_log_likelihoods) < fitted.log_likelihood + 1


def test_nobody_goes_back(fitted, population):
    panel = population["activity"].sort_values(["customer_id", "month_on"])
    place = fitted.path(panel).cat.codes
    assert place.groupby(panel["customer_id"]).is_monotonic_increasing.all()
    assert np.allclose(np.tril(fitted.transitions, -1), 0)
    assert np.allclose(fitted.transitions.sum(axis=1), 1)


def test_order_of_rows_changes_nothing_and_the_panel_stays_as_it_was(fitted, population):
    panel = population["activity"].copy()
    shuffled = panel.sample(frac=1, random_state=2)
    again = fitted.posterior(shuffled).loc[panel.index]
    pd.testing.assert_frame_equal(again, fitted.posterior(panel))
    pd.testing.assert_frame_equal(panel, population["activity"])


def test_histories_that_end_early_are_read_to_their_end(panel_of):
    model, panel = known_model(), panel_of([[1, 4, 5, 2], [3, 1, 2, 2]])
    short = panel.drop(index=[7])  # the second customer's last month is not known
    np.testing.assert_allclose(
        model.posterior(short)[list(STATES)].iloc[:4],
        model.posterior(panel)[list(STATES)].iloc[:4],
    )
    assert model.path(short).iloc[4:].tolist() == model.path(panel_of([[3, 1, 2]])).tolist()


def some(n_months=8, n_customers=40, seed=1, rate=2.0):
    return np.random.default_rng(seed).poisson(rate, (n_customers, n_months))


@pytest.mark.parametrize(
    ("histories", "message"),
    [
        (some(n_months=4), "too few months: the longest history has 4; expected at least 6"),
        (some(n_customers=3), "too few customers: 3 have two months or more"),
        (np.full((40, 8), 2), "n_visits is 2 in every customer-month: without change"),
        (np.zeros((40, 8), dtype=int), "n_visits is 0 in every customer-month: nobody came back"),
        (np.eye(40, 8, dtype=int) * (np.arange(40) < 2)[:, None], "hardly anything happened"),
    ],
)
def test_hopeless_data_are_refused_in_words(panel_of, histories, message):
    with pytest.raises(ValueError, match=message):
        fit_stages(panel_of(histories), ["n_visits"], seed=1)


@pytest.mark.parametrize(
    ("histories", "message"),
    [
        (some(n_customers=3), "客户太少：满两个月的只有 3 位，至少需要 30 位"),
        (np.full((40, 8), 2), "所有客户在所有月份的到访次数都是 2：没有变化"),
    ],
)
def test_refusals_are_said_in_chinese_with_the_count_by_its_term(panel_of, histories, message):
    with pytest.raises(ValueError, match=r"expected at least 30|n_visits is 2") as refusal:
        fit_stages(panel_of(histories), ["n_visits"], seed=1)
    assert text_in(refusal.value, "zh").startswith(message)


def test_a_fit_that_does_not_settle_is_refused(panel_of):
    with pytest.raises(ValueError, match=r"had not settled after 1 steps.*raise most_steps"):
        fit_stages(panel_of(some()), ["n_visits"], seed=1, n_starts=1, most_steps=1)


def test_one_heavy_outlier_does_not_break_the_fit(panel_of):
    histories = some()
    histories[0, 3] = 5000
    model = fit_stages(panel_of(histories), ["n_visits"], seed=1, n_starts=1)
    assert np.isfinite(model.log_likelihood)
    assert np.isfinite(model.rates.to_numpy()).all()


def test_starts_must_be_at_least_one(panel_of):
    with pytest.raises(ValueError, match="n_starts is 0; expected 1 or more"):
        fit_stages(panel_of(some()), ["n_visits"], seed=1, n_starts=0)
