"""What the simulated population says of relationships is what its parameters say it is.

Oracles: closed forms (Gamma, Beta and Poisson moments, a stochastic block model's expected share
inside communities, the odds ratio of a tilted graph), and recounting by another route. Tolerances
are 4 standard errors unless said otherwise.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.data.simulate import (
    MONTHLY_MEANS,
    PATH_COEFFICIENTS,
    RELATIONSHIP_TYPES,
    STAGES,
    SURVEY_ITEMS,
    SimulationParameters,
    simulate_population,
    trace_stages,
)
from crmlab.data.simulate.accounts import INDICATOR_MEANS, TYPE_SHARES
from crmlab.data.simulate.bonds import EXPECTATION_LOADINGS
from crmlab.data.simulate.items import FACTOR_ITEMS
from crmlab.data.simulate.latents import simulate_latents
from crmlab.data.simulate.network import form_communities, simulate_links
from crmlab.data.simulate.purchases import simulate_order_times
from crmlab.data.simulate.staff import DEPARTMENT_SHIFTS, JOB_SATISFACTION_PATH, simulate_staff
from crmlab.data.simulate.stages import simulate_stages

N = 20_000
SE = 4  # standard errors allowed
DEFAULTS = SimulationParameters()


@pytest.fixture(scope="module")
def population():
    return simulate_population(N, seed=12, parameters=SimulationParameters(business_share=0.2))


@pytest.fixture(scope="module")
def truth(population):
    return population["truth"].set_index("customer_id")


def assert_close(estimate, expected, standard_error):
    assert abs(estimate - expected) < SE * standard_error


def assert_correlated(one, other, expected):
    found = np.corrcoef(one, other)[0, 1]
    assert_close(found, expected, (1 - expected**2) / np.sqrt(len(one)))


# --- purchases and survey, held against their theory


def test_repeat_orders_without_dropout_are_negative_binomial():
    """Poisson counts with Gamma rates (Ehrenberg 1959, doi:10.2307/2985810): a χ² test."""
    latents = simulate_latents(N, np.random.default_rng(21), DEFAULTS)
    weeks = 26.0
    customer, *_ = simulate_order_times(
        np.zeros(N),
        latents["purchase_rate_per_week"].to_numpy(),
        np.zeros(N),
        weeks,
        np.random.default_rng(22),
    )
    counts = np.bincount(customer) - 1
    nbd = stats.nbinom(DEFAULTS.rate_shape, DEFAULTS.rate_scale / (DEFAULTS.rate_scale + weeks))
    classes = np.arange(25)
    observed = np.append(np.bincount(counts, minlength=100)[:25], (counts >= 25).sum())
    expected = N * np.append(nbd.pmf(classes), nbd.sf(24))
    assert stats.chisquare(observed, expected).pvalue > 1e-4
    # The same counts are no Poisson: the test can fail.
    poisson = stats.poisson(counts.mean())
    expected = N * np.append(poisson.pmf(classes), poisson.sf(24))
    assert ((observed - expected) ** 2 / np.maximum(expected, 1)).sum() > 1e4


def test_paths_are_recovered_from_the_survey_once_its_errors_are_counted(population, truth):
    """Each construct by one question; correlations divided by those of score and latent."""
    causes = [cause for cause, effect in PATH_COEFFICIENTS if effect == "satisfaction"]
    items = {}
    for item in SURVEY_ITEMS:
        items.setdefault(item.construct, item.item)
    named = [items[construct] for construct in (*causes, "satisfaction")]
    answers = population["survey"].set_index("customer_id")[named].dropna()
    answers = answers[answers.index.notna()]
    latents = truth.loc[answers.index, [*causes, "satisfaction"]]
    # From the truth: what rounding, clipping and the item's own noise leave of a correlation.
    kept = np.array([np.corrcoef(answers.iloc[:, k], latents.iloc[:, k])[0, 1] for k in range(5)])

    def estimate(rows):
        corrected = np.corrcoef(rows.to_numpy().T) / np.outer(kept, kept)
        np.fill_diagonal(corrected, 1.0)
        return np.linalg.solve(corrected[:-1, :-1], corrected[:-1, -1])

    found = estimate(answers)
    parts = [estimate(answers.iloc[rows]) for rows in np.array_split(np.arange(len(answers)), 20)]
    errors = np.std(parts, axis=0, ddof=1) / np.sqrt(20)
    expected = np.array([PATH_COEFFICIENTS[cause, "satisfaction"] for cause in causes])
    assert (np.abs(found - expected) < SE * errors).all()
    # Not corrected, the explained part is too small: answers are attenuated.
    share = np.corrcoef(answers.to_numpy().T)
    naive = np.linalg.solve(share[:-1, :-1], share[:-1, -1]) @ share[:-1, -1]
    explained = found @ (np.corrcoef(latents.to_numpy().T)[:-1, -1])
    assert naive < explained - 0.1


# --- bonds and value factors


def test_bonds_have_the_correlations_of_the_parameters(truth):
    trust = truth["trust"]
    assert_correlated(trust, truth["satisfaction"], DEFAULTS.trust_satisfaction)
    own = truth["loyalty"] - PATH_COEFFICIENTS["satisfaction", "loyalty"] * truth["satisfaction"]
    own = own / own.std()
    design = np.column_stack([trust, own])
    fit, residual, *_ = np.linalg.lstsq(design, truth["commitment"].to_numpy())
    errors = np.sqrt(residual / N * np.diag(np.linalg.inv(design.T @ design)))
    assert_close(fit[0], DEFAULTS.commitment_trust, errors[0])
    assert_close(fit[1], DEFAULTS.commitment_loyalty, errors[1])
    score = stats.norm.ppf(
        stats.beta(DEFAULTS.dropout_a, DEFAULTS.dropout_b).cdf(truth["dropout_probability"])
    )
    assert_correlated(truth["alternatives"], score, DEFAULTS.alternatives_dropout)
    for bond in ("trust", "commitment", "switching_cost", "alternatives"):
        assert_close(truth[bond].mean(), 0, 1 / np.sqrt(N))
        assert_close(truth[bond].var(), 1, np.sqrt(2 / N))
    assert truth.groupby("is_relational")["switching_cost"].mean().diff().iloc[-1] > 0.3


def test_dependence_follows_from_ties_alternatives_and_margin(truth):
    expected = stats.norm.cdf((truth["switching_cost"] - truth["alternatives"]) / np.sqrt(2))
    assert np.abs(truth["customer_dependence"] - expected).max() < 2e-3  # both on a grid of 0.001
    margin = truth["purchase_rate_per_week"] * truth["mean_order_value"] * truth["margin_rate"]
    assert (truth["firm_dependence"] - (margin.rank() - 0.5) / N).abs().max() < 1e-3


@pytest.mark.parametrize("item", FACTOR_ITEMS, ids=lambda item: item.construct)
def test_factor_is_expected_and_perceived_as_the_loadings_say(population, truth, item):
    factor = item.construct
    assert_correlated(
        truth[f"expected_{factor}"], truth["expectation"], EXPECTATION_LOADINGS[factor]
    )
    assert_correlated(truth[f"perceived_{factor}"], truth["perceived_value"], item.loading)
    # The part of the answer that is particular to it is the customer's view to the stated share.
    answers = population["survey"].dropna(subset=["customer_id", item.item])
    latents = truth.loc[answers["customer_id"]]
    score = (answers[item.item].to_numpy() - item.mean) / item.sd
    own = latents[f"perceived_{factor}"] - item.loading * latents["perceived_value"]
    noise = score - item.loading * latents["perceived_value"]
    found = np.corrcoef(own, noise)[0, 1]
    # Rounding to whole points adds a variance of 1/12 point² to the noise; clipping changes less.
    kept = np.sqrt(1 / (1 + 1 / 12 / item.sd**2 / (1 - item.loading**2)))
    expected = np.sqrt(DEFAULTS.factor_reliability) * kept
    assert abs(found - expected) < SE * (1 - expected**2) / np.sqrt(len(own)) + 0.02


# --- stages


@pytest.fixture(scope="module")
def stages():
    joined_at, left_at = np.full(N, 10.0), np.where(np.arange(N) < N // 2, np.inf, 410.0)
    latents = pd.DataFrame({"orientation": np.tile([-1.0, 0.0, 1.0, 0.0], N // 4)})
    rng = np.random.default_rng(31)
    return latents, simulate_stages(joined_at, left_at, latents, rng, DEFAULTS)


def test_stages_last_a_gamma_time_that_is_shorter_for_the_relational(stages):
    latents, entered = stages
    stay = np.arange(N) < N // 2
    for start, end, weeks in (
        (10.0, entered["formation"], DEFAULTS.exploration_weeks),
        (entered["formation"], entered["stability"], DEFAULTS.formation_weeks),
    ):
        days = (end - start)[stay] / np.exp(-0.25 * latents["orientation"][stay])
        assert stats.kstest(days, stats.gamma(2, scale=7 * weeks / 2).cdf).pvalue > 1e-4
        for _, of_group in days.groupby(latents["orientation"]):
            assert_close(of_group.mean(), 7 * weeks, 7 * weeks / np.sqrt(2 * len(of_group)))


def test_decline_takes_a_beta_share_of_the_time_of_those_who_leave(stages):
    _, entered = stages
    assert np.isinf(entered["decline"][: N // 2]).all()
    share = (410 - entered["decline"][N // 2 :]) / 400
    expected = stats.beta(2, 2 / DEFAULTS.decline_share - 2)
    assert expected.mean() == pytest.approx(DEFAULTS.decline_share)
    assert stats.kstest(share, expected.cdf).pvalue > 1e-4


def test_no_stage_is_entered_after_decline(stages):
    _, entered = stages
    for stage in ("formation", "stability"):
        later = entered[stage][np.isfinite(entered[stage])]
        assert (later < entered["decline"][later.index]).all()
    assert (entered["formation"] < entered["stability"]).sum() > N / 2


def test_activity_has_a_row_for_each_month_of_the_traced_path(population):
    customers, activity = population["customers"], population["activity"]
    path = trace_stages(population["truth"], customers, "2024-01-01", "2025-12-31")
    pd.testing.assert_frame_equal(activity[["customer_id", "month_on"]], path.iloc[:, :2])
    joined = customers["joined_on"].clip(lower=pd.Timestamp("2024-01-01"))
    n_months = (2025 - joined.dt.year) * 12 + 13 - joined.dt.month
    assert len(path) == n_months.sum()


def test_counts_of_a_month_are_poisson_in_each_stage(population):
    customers, activity = population["customers"], population["activity"]
    path = trace_stages(population["truth"], customers, "2024-01-01", "2025-12-31")
    state = path["stage"].map(STAGES.index).to_numpy() + path["has_left"].to_numpy()
    for name, means in MONTHLY_MEANS.items():
        for position, mean in enumerate(means):
            counts = activity[name].to_numpy(dtype=float)[state == position]
            assert_close(counts.mean(), mean, np.sqrt(mean / len(counts)))
            # Of a Poisson: variance = mean, and the variance's own is (mean + 2 mean²) / n.
            assert_close(counts.var(), mean, np.sqrt((mean + 2 * mean**2) / len(counts)))


def test_path_is_that_of_the_days_one_by_one(population, truth):
    path = trace_stages(population["truth"], population["customers"], "2024-01-01", "2025-12-31")
    for row in path.sample(200, random_state=1).itertuples():
        over = row.month_on + pd.offsets.MonthEnd() + pd.Timedelta(days=1)
        known = truth.loc[row.customer_id]
        entered = [stage for stage in STAGES[1:] if known[f"{stage}_on"] < over]
        assert row.stage == (entered[-1] if entered else "exploration")
        assert row.has_left == bool(known["dropped_out_on"] < over)


# --- links


def lay_links(left_at, n=N, **parameters):
    """Return links of customers who all met, and who belongs where."""
    chosen = SimulationParameters(**({"community_size": 400} | parameters))
    orientation = np.random.default_rng(41).standard_normal(n)
    community = form_communities(orientation, np.random.default_rng(42), chosen)
    joined_at = np.full(n, -1.0)
    links = simulate_links(joined_at, left_at, community, 729, np.random.default_rng(43), chosen)
    return links, community, orientation, chosen


def test_links_stay_inside_communities_but_for_the_mixed_share():
    links, community, _, chosen = lay_links(np.full(N, np.inf))
    is_inside = community[links["customer"]] == community[links["other"]]
    size = np.bincount(community) / N
    expected = 1 - chosen.community_mixing * (1 - (size**2).sum())
    assert_close(is_inside.mean(), expected, np.sqrt(expected * (1 - expected) / len(links)))
    # Newman and Girvan (2004), doi:10.1103/PhysRevE.69.026113: share inside less that of chance.
    degree = np.bincount(np.concatenate([links["customer"], links["other"]]), minlength=N)
    by_community = np.bincount(community, weights=degree) / degree.sum()
    modularity = is_inside.mean() - (by_community**2).sum()
    assert modularity > 0.7


def test_degrees_are_poisson_about_a_geometric_activity():
    links, *_, chosen = lay_links(np.full(N, np.inf))
    degree = np.bincount(np.concatenate([links["customer"], links["other"]]), minlength=N)
    mean = chosen.links_per_customer
    # Pairs drawn twice and customers drawn with themselves are few: communities have 400.
    assert mean * 0.97 < degree.mean() < mean
    # Squared coefficient of variation of a geometric with mean 4: 12 / 16.
    expected = degree.mean() + 0.75 * degree.mean() ** 2
    error = np.sqrt(((degree - degree.mean()) ** 2).var() / N)
    assert abs(degree.var() - expected) < SE * error + 0.03 * expected


def test_homophily_is_the_share_of_orientation_between_communities():
    for share in (0.0, 0.4):
        _, community, orientation, _ = lay_links(np.full(N, np.inf), homophily=share)
        means = pd.Series(orientation).groupby(community).transform("mean")
        # Chance puts 1/400 of the variance between communities; 50 of them cut a normal range so
        # finely that all but 1 % of what the score shares is between them.
        assert means.var() == pytest.approx(share + (1 - share) / 400, abs=0.02)


@pytest.mark.parametrize("odds", [1.0, 4.0])
def test_leaving_spreads_with_the_stated_odds(odds):
    """Odds of a neighbour who left just before, for who leaves now against who never leaves."""
    rng = np.random.default_rng(44)
    left_at = np.where(rng.random(N) < 0.5, rng.uniform(0, 730, N), np.inf)
    # In large communities hardly any pair is drawn twice, which would blunt the odds.
    links, *_ = lay_links(left_at, contagion_odds=odds, community_size=10_000)
    one = np.concatenate([links["customer"], links["other"]])
    other = np.concatenate([links["other"], links["customer"]])

    def log_odds_ratio(first, last):
        """Return it, and its error, for neighbours who left so many days before."""
        table = np.zeros((2, 2))
        for now in range(last, 720, 30):
            leaves_now = (left_at >= now) & (left_at < now + 30)
            left_before = (left_at >= now - last) & (left_at < now - first)
            for row, ends in enumerate((leaves_now, np.isinf(left_at))):
                for column, neighbours in enumerate((left_before, np.isinf(left_at))):
                    table[row, column] += (ends[one] & neighbours[other]).sum()
        ratio = table[0, 0] * table[1, 1] / table[0, 1] / table[1, 0]
        return np.log(ratio), np.sqrt((1 / table).sum())

    found, error = log_odds_ratio(0, 60)
    assert_close(found, np.log(odds), error)
    # Beyond the days of contagion there is none.
    found, error = log_odds_ratio(DEFAULTS.contagion_days, 210)
    assert_close(found, 0, error)


def test_links_are_pairs_who_met_within_the_window(population, truth):
    calls = population["links"].query("kind == 'call'")
    pair = pd.DataFrame(np.sort(calls[["customer_id", "other_id"]].to_numpy(), axis=1))
    assert not pair.duplicated().any()
    assert (pair[0] != pair[1]).all()
    joined = population["customers"].set_index("customer_id")["joined_on"]
    for end in ("customer_id", "other_id"):
        assert (calls["first_on"] >= calls[end].map(joined)).all()
        assert not (calls["last_on"] > calls[end].map(truth["dropped_out_on"])).any()
    assert calls["first_on"].min() >= pd.Timestamp("2024-01-01")
    assert (
        calls.loc[calls["n_calls"] == 1, "first_on"] == calls.loc[calls["n_calls"] == 1, "last_on"]
    ).all()
    mean = 1 + DEFAULTS.calls_per_link
    assert_close(calls["n_calls"].mean(), mean, np.sqrt(mean * (mean - 1) / len(calls)))


def test_referrals_bring_those_who_came_by_referral(population, truth):
    referrals = population["links"].query("kind == 'referral'")
    customers = population["customers"].set_index("customer_id")
    came = customers.loc[referrals["other_id"]]
    assert (came["acquisition_channel"] == "referral").all()
    assert (came["joined_on"].to_numpy() == referrals["first_on"].to_numpy()).all()
    assert (
        customers.loc[referrals["customer_id"], "joined_on"].to_numpy()
        <= came["joined_on"].to_numpy()
    ).all()
    assert not referrals["other_id"].duplicated().any()
    # Six tries find a referrer for all but few of those who came within the window.
    expected = customers.query("acquisition_channel == 'referral' and joined_on >= '2024-01-01'")
    assert 0.9 * len(expected) < len(referrals) <= len(expected)
    communities = [referrals[end].map(truth["community"]) for end in ("customer_id", "other_id")]
    assert (communities[0] == communities[1]).all()


def test_links_leave_their_inputs_unchanged():
    joined_at, left_at = np.zeros(200), np.linspace(1, 900, 200)
    community = np.arange(200) % 5
    before = joined_at.copy(), left_at.copy(), community.copy()
    simulate_links(joined_at, left_at, community, 729, np.random.default_rng(1), DEFAULTS)
    for now, then in zip((joined_at, left_at, community), before, strict=True):
        assert np.array_equal(now, then)


# --- accounts and staff


def test_accounts_are_the_business_customers_in_the_shares_of_their_types(population, truth):
    customers, accounts = population["customers"], population["accounts"]
    assert set(accounts["customer_id"]) == set(
        customers.loc[customers["is_business"], "customer_id"]
    )
    assert_close(len(accounts) / N, 0.2, np.sqrt(0.2 * 0.8 / N))
    types = truth["relationship_type"]
    assert types.isna().sum() == N - len(accounts)
    shares = types.value_counts(normalize=True)
    for name, share in zip(RELATIONSHIP_TYPES, TYPE_SHARES, strict=True):
        assert abs(shares[name] - share) <= 1 / len(accounts)


def test_indicators_have_the_means_of_their_type(population, truth):
    accounts = population["accounts"]
    kind = accounts["customer_id"].map(truth["relationship_type"])
    for position, name in enumerate(RELATIONSHIP_TYPES):
        of_type = accounts[kind == name]
        n = len(of_type)
        for indicator in ("n_meetings", "n_inbound_contacts", "n_joint_projects"):
            mean = INDICATOR_MEANS[indicator][position]
            assert_close(of_type[indicator].mean(), mean, np.sqrt(mean / n))
        mean = INDICATOR_MEANS["share_of_wallet"][position]
        assert_close(of_type["share_of_wallet"].mean(), mean, np.sqrt(mean * (1 - mean) / 13 / n))
        for indicator in ("relationship_cost", "joint_value"):
            mean = INDICATOR_MEANS[indicator][position]
            assert_close(of_type[indicator].mean(), mean, mean / np.sqrt(n))
        mean = INDICATOR_MEANS["joint_planning"][position]
        if 2.5 < mean < 5.5:  # where the ends of the scale cut little off
            assert abs(of_type["joint_planning"].mean() - mean) < SE / np.sqrt(n) + 0.1


def test_departments_differ_as_stated_and_internal_service_pleases_the_staff():
    staff = simulate_staff(730, np.random.default_rng(51), SimulationParameters(n_staff=N))
    is_sales = staff["department"] == "sales"
    is_technology = staff["department"] == "technology"
    shifts = DEPARTMENT_SHIFTS["technology"]
    # Item technology_integration: loading 0.75, standard deviation 1.4.
    gap = staff.loc[is_technology, "technology_integration"].mean()
    gap -= staff.loc[is_sales, "technology_integration"].mean()
    expected = 0.75 * 1.4 * (shifts["technology"] - shifts["sales"])
    error = 1.4 * np.sqrt(1 / is_sales.sum() + 1 / is_technology.sum())
    assert abs(gap - expected) < SE * error + 0.05  # the scale's ends cut a little off
    marketing = staff[staff["department"] == "marketing"][["internal_support", "job_satisfaction"]]
    found = marketing.corr().iloc[0, 1]
    expected = 0.80 * 0.85 * JOB_SATISFACTION_PATH
    # Whole points of 1.4 keep 0.98 of each score; missing answers fall out.
    assert 0.90 * expected - SE / np.sqrt(len(marketing)) < found
    assert found < expected + SE / np.sqrt(len(marketing))
