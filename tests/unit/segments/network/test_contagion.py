"""Leaving along the links is found where it was planted, and only there."""

from itertools import permutations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from crmlab.data.simulate import SimulationParameters, simulate_population
from crmlab.segments.network.contagion import form_strata, measure_contagion
from crmlab.segments.network.graph import build_graph
from crmlab.segments.network.links import open_links

START = pd.Timestamp("2024-01-01")


def make_graph(drawn):
    ends = np.char.zfill(np.sort(np.array(drawn.edges()), axis=1).astype(str), 3)
    pairs = pd.DataFrame({"customer_id": ends[:, 0], "other_id": ends[:, 1]})
    return build_graph(pairs.assign(n_calls=1, n_referrals=0))


def leave(graph, days):
    """Return days after the start as dates; NaN stays."""
    return pd.Series(START + pd.to_timedelta(days, unit="D"), index=graph.customer_id)


@pytest.fixture(scope="module")
def chain():
    """A path of five: three leave, two of them neighbours, ten days apart."""
    graph = make_graph(nx.path_graph(5))
    return graph, leave(graph, [0.0, 10.0, np.nan, np.nan, 30.0])


def all_in_one(graph):
    return pd.Series(0, index=graph.customer_id)


def test_counts_and_expectations_are_those_of_all_permutations(chain):
    graph, left_on = chain
    found = measure_contagion(
        graph, left_on, strata=all_in_one(graph), rng=np.random.default_rng(1), within_days=15,
        n_permutations=1999,
    )  # fmt: skip
    days = np.array([0.0, 10.0, np.nan, np.nan, 30.0])
    who = [
        sum(~np.isnan(d[i]) and ~np.isnan(d[i + 1]) for i in range(4))
        for d in map(np.array, permutations(days))
    ]
    assert found.table["n_pairs"].tolist() == [1, 1]
    row = found.table.loc["who_leaves"]
    assert row.expected == pytest.approx(np.mean(who), abs=4 * np.std(who) / np.sqrt(1999))
    share = np.mean(np.array(who) >= 1)
    assert row.p_value == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 1999))
    # Of three days dealt to the one pair of which both left, 0 and 10 are close: 2 of 6 deals;
    # 10 and 30 are 20 apart.
    when = found.table.loc["when_they_leave"]
    assert when.expected == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / 1999))
    assert found.n_left == 3


def test_permutations_stay_within_strata(chain):
    graph, left_on = chain
    each_alone = pd.Series(range(5), index=graph.customer_id)
    options = {"rng": np.random.default_rng(1), "n_permutations": 19}
    found = measure_contagion(graph, left_on, strata=each_alone, **options)
    assert found.table["p_value"].isna().all()  # nothing was tested, which is no p of 1
    assert found.table["share_free"].tolist() == [0.0, 0.0]
    assert found.table["z"].isna().all()
    two = pd.Series([0, 0, 0, 1, 1], index=graph.customer_id)
    # Two of the first three leave, so that one pair or none has both; never the other end.
    found = measure_contagion(graph, left_on, strata=two, **options)
    assert set(found.permuted["who_leaves"]) <= {0, 1}


def test_strata_divide_by_degree_and_attributes():
    graph = make_graph(nx.star_graph(4))
    region = pd.DataFrame({"region": ["n", "n", "s", None, "s"]}, index=graph.customer_id)
    strata = form_strata(graph, region, n_degree_classes=2)
    assert strata.nunique() == 4  # the hub; leaves of n, of s, of nowhere
    assert strata.iloc[2] == strata.iloc[4]
    assert set(form_strata(graph, n_degree_classes=1)) == {0}


def test_leaving_at_random_gives_p_values_spread_evenly():
    """Sixty graphs on which nothing spreads: p is below 0.1 about six times."""
    p = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        graph = make_graph(nx.gnm_random_graph(60, 120, seed=seed))
        days = np.where(rng.random(graph.n_customers) < 0.5, rng.random(graph.n_customers), np.nan)
        found = measure_contagion(
            graph, leave(graph, 365 * days), strata=form_strata(graph), rng=rng, n_permutations=49
        )
        p.append(found.table["p_value"].to_numpy())
    share = (np.array(p) <= 0.1).mean(axis=0)
    assert (share < 0.1 + 3 * np.sqrt(0.1 * 0.9 / 60)).all()
    assert (np.abs(np.mean(p, axis=0) - 0.5) < 4 * np.sqrt(1 / 12 / 60) + 0.05).all()


@pytest.fixture(scope="module", params=[1.0, 6.0], ids=["nothing spreads", "leaving spreads"])
def population(request):
    parameters = SimulationParameters(contagion_odds=request.param)
    return request.param, simulate_population(2000, seed=8, parameters=parameters)


def test_contagion_is_found_among_settled_customers_where_the_simulator_planted_it(population):
    odds, tables = population
    truth = tables["truth"].set_index("customer_id")
    joined = tables["customers"].set_index("customer_id")["joined_on"]
    left_on = truth["dropped_out_on"].where(truth["dropped_out_on"] <= "2025-12-31")
    settled = START + pd.Timedelta(days=90)
    is_settled = (joined <= settled) & ~(left_on <= settled)
    pairs = open_links(tables["links"], customers=joined.index[is_settled]).pairs
    graph = build_graph(pairs)
    found = measure_contagion(
        graph, left_on, strata=form_strata(graph), rng=np.random.default_rng(1), n_permutations=199
    )
    if odds > 1:
        assert found.table["p_value"].tolist() == [0.005, 0.005]
        assert found.table.loc["when_they_leave", "ratio"] > 1.5
    else:
        # Neighbours are alike in who leaves; when they leave is chance.
        assert abs(found.table.loc["when_they_leave", "z"]) < 3


def test_customers_of_different_times_leave_together_though_nothing_spreads(population):
    """Why only settled customers may be compared: the others could not all have met."""
    _, tables = population
    truth = tables["truth"].set_index("customer_id")
    left_on = truth["dropped_out_on"].where(truth["dropped_out_on"] <= "2025-12-31")
    graph = build_graph(open_links(tables["links"]).pairs)
    found = measure_contagion(
        graph, left_on, strata=form_strata(graph), rng=np.random.default_rng(1), n_permutations=99
    )
    assert found.table.loc["when_they_leave", "p_value"] <= 0.01


def test_what_cannot_be_used_is_refused(chain):
    graph, left_on = chain
    strata, rng = all_in_one(graph), np.random.default_rng(1)
    for few in (left_on.where(left_on.index == "000"), leave(graph, [1.0] * 5)):
        with pytest.raises(ValueError, match="of 5 linked customers left; expected at least two"):
            measure_contagion(graph, few, strata=strata, rng=rng)
    with pytest.raises(ValueError, match="left_on: 1 customers of the graph have no entry, '000'"):
        measure_contagion(graph, left_on.iloc[1:], strata=strata, rng=rng)
    with pytest.raises(ValueError, match="strata: missing for 1 customers"):
        measure_contagion(graph, left_on, strata=strata.iloc[1:], rng=rng)
    with pytest.raises(ValueError, match="at least 19 permutations"):
        measure_contagion(graph, left_on, strata=strata, rng=rng, n_permutations=9)
    with pytest.raises(ValueError, match="attributes: 5 customers of the graph have no row"):
        form_strata(graph, pd.DataFrame({"region": []}))


def test_inputs_are_left_unchanged(chain):
    graph, left_on = chain
    before = left_on.copy()
    measure_contagion(
        graph, left_on, strata=all_in_one(graph), rng=np.random.default_rng(1), n_permutations=19
    )
    pd.testing.assert_series_equal(left_on, before)
