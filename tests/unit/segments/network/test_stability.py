"""Communities come out again where there are some, and not where there are none."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from crmlab.segments.network.graph import build_graph, modularity, rewire_graph
from crmlab.segments.network.stability import (
    choose_resolution,
    compare_resolutions,
    predict_hidden_pairs,
    variation_of_information,
)

LABELS = st.lists(st.integers(0, 4), min_size=30, max_size=30)


def planted_pairs(n_groups=6, size=12, inside=0.5, outside=0.01, seed=3):
    drawn = nx.random_partition_graph([size] * n_groups, inside, outside, seed=seed)
    ends = np.char.zfill(np.sort(np.array(drawn.edges()), axis=1).astype(str), 3)
    pairs = pd.DataFrame({"customer_id": ends[:, 0], "other_id": ends[:, 1]})
    return pairs.assign(n_calls=1, n_referrals=0)


@pytest.fixture(scope="module")
def table():
    graph = build_graph(planted_pairs())
    return compare_resolutions(graph, seed=1, resolutions=(0.05, 1.0, 8.0), n_runs=3)


def test_planted_groups_are_the_most_stable(table):
    assert choose_resolution(table) == 1.0
    row = table.set_index("resolution").loc[1.0]
    assert (row.n_communities, row.stability, row.variation_of_information) == (6, 1.0, 0.0)
    assert row.modularity > row.reference_modularity + 5 * row.reference_modularity_error
    assert row.reference_stability < 0.9


def test_a_graph_without_communities_has_a_modularity_and_is_no_better_than_rewired():
    graph = rewire_graph(build_graph(planted_pairs()), rng=np.random.default_rng(2))
    table = compare_resolutions(graph, seed=1, resolutions=[1.0], n_runs=3, n_references=4)
    row = table.iloc[0]
    assert row.modularity > 0.2
    # Five rewired graphs of one kind: no mean is further than 5 errors off.
    assert abs(row.modularity - row.reference_modularity) < 5 * row.reference_modularity_error


def test_a_single_community_that_always_comes_out_is_not_chosen():
    rows = {"resolution": [0.1, 1.0, 3.0], "stability": [1.0, 0.8, 0.7]}
    table = pd.DataFrame(rows | {"reference_stability": [1.0, 0.3, 0.3]})
    assert choose_resolution(table) == 1.0
    assert choose_resolution(table.iloc[:1]) == 0.1


def test_stability_is_judged_by_the_room_that_chance_leaves():
    """0.4 of 0.5 is more than 0.55 of 0.8."""
    rows = {"resolution": [1.0, 3.0], "stability": [0.75, 0.9], "reference_stability": [0.2, 0.5]}
    assert choose_resolution(pd.DataFrame(rows)) == 3.0


def test_variation_of_information_agrees_with_mutual_information():
    rng = np.random.default_rng(4)
    one, other = rng.integers(0, 5, 200), rng.integers(0, 7, 200)
    h = mutual_info_score(one, one) + mutual_info_score(other, other)
    expected = (h - 2 * mutual_info_score(one, other)) / np.log(200)
    assert variation_of_information(one, other) == pytest.approx(expected, rel=1e-12)


def test_variation_of_information_is_0_for_other_names_and_1_for_the_two_extremes():
    assert variation_of_information(list("aabbc"), [3, 3, 1, 1, 2]) == pytest.approx(0, abs=1e-15)
    assert variation_of_information([1] * 8, range(8)) == pytest.approx(1, rel=1e-12)
    assert np.isnan(variation_of_information([1], [1]))


@settings(max_examples=25)
@given(LABELS, LABELS, LABELS)
def test_variation_of_information_is_a_distance(a, b, c):
    ab, bc, ac = (variation_of_information(*two) for two in ((a, b), (b, c), (a, c)))
    assert ab == pytest.approx(variation_of_information(b, a), abs=1e-12)
    assert 0 <= ac <= ab + bc + 1e-12


def test_communities_tell_where_hidden_pairs_are_as_far_as_there_are_communities():
    pairs = planted_pairs(12, 15)
    found = predict_hidden_pairs(pairs, rng=np.random.default_rng(1), share=0.15)
    share_inside = 12 * 105 * 0.5 / len(pairs)
    error = np.sqrt(share_inside * (1 - share_inside) / found["n_hidden"])
    assert abs(found["hidden_inside"] - share_inside) < 4 * error
    assert found["inside_by_chance"] == pytest.approx(1 / 12, abs=0.02)

    graph = rewire_graph(build_graph(pairs), rng=np.random.default_rng(2))
    ends = {"customer_id": graph.customer_id[graph.one], "other_id": graph.customer_id[graph.other]}
    shuffled = pd.DataFrame(ends).assign(n_calls=1, n_referrals=0)
    none = predict_hidden_pairs(shuffled, rng=np.random.default_rng(1), share=0.15)
    assert abs(none["hidden_inside"] - none["inside_by_chance"]) < 4 * none["inside_error"]


def test_one_pair_at_least_is_hidden():
    pairs = planted_pairs(2, 15)
    found = predict_hidden_pairs(pairs, rng=np.random.default_rng(1), share=0.1 / len(pairs))
    assert found["n_hidden"] == 1


def test_settings_that_make_no_sense_are_refused():
    graph = build_graph(planted_pairs(2, 5))
    for wrong in ({"n_runs": 1}, {"n_references": 1}, {"resolutions": ()}):
        with pytest.raises(ValueError, match="expected at least"):
            compare_resolutions(graph, seed=1, **wrong)
    with pytest.raises(ValueError, match="expected one that hides some and not all"):
        predict_hidden_pairs(planted_pairs(2, 5), rng=np.random.default_rng(1), share=1.0)
    with pytest.raises(ValueError, match="a group for each of the same customers"):
        variation_of_information([1, 2], [1, 2, 3])
    assert modularity(graph, pd.Series(1, index=graph.customer_id)) == pytest.approx(0)
