"""Linking records: candidates counted by another route, links held against the truth."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import JaroWinkler

from crmlab.data.comparison import (
    BLOCKS,
    COMPARED,
    compare_pairs,
    find_candidates,
    standardise_records,
)
from crmlab.data.fellegi_sunter import expected_rates
from crmlab.data.linkage import cluster_records, link_records, score_links
from crmlab.data.simulate import simulate_population


@pytest.fixture(scope="module")
def tables():
    return simulate_population(600, seed=4)


@pytest.fixture(scope="module")
def genuine(tables):
    keep = ~tables["record_truth"]["is_fake"]
    records = tables["records"][keep].reset_index(drop=True)
    return records, tables["record_truth"].loc[keep, "customer_id"].reset_index(drop=True)


@pytest.fixture(scope="module")
def linkage(genuine):
    return link_records(genuine[0], np.random.default_rng(2))


def test_forms_that_mean_the_same_become_one():
    raw = pd.DataFrame(
        {
            "name": ["Ｂalo Derin", "DERIN  balo", "澄星和", None],
            "phone": ["+86 129 0000 1111", "129-0000-1111", "8612900001111", "--"],
            "email": [" A@Mail.example", "a@mail.example", None, None],
            "postcode": ["200000", "200 000", None, ""],
            "birth_year": [1980, None, 1980, 1980],
        }
    )
    before = raw.copy()
    done = standardise_records(raw)
    assert done["name"].tolist()[:3] == ["balo derin", "balo derin", "澄星和"]
    assert done["phone"].tolist()[:3] == ["12900001111"] * 3
    assert done["phone"].isna().tolist() == [False, False, False, True]
    assert done["email"].iloc[0] == done["email"].iloc[1]
    assert done["postcode"].isna().tolist() == [False, False, True, True]
    pd.testing.assert_frame_equal(raw, before)


def test_candidates_are_the_pairs_that_agree_on_a_block(genuine):
    standard = standardise_records(genuine[0].head(300))
    found = {tuple(pair) for pair in find_candidates(standard)[0]}
    expected = set()
    rows = standard.to_dict("records")
    for i, j in itertools.combinations(range(len(rows)), 2):
        for block in BLOCKS:
            values = [(rows[i][field], rows[j][field]) for field in block]
            if all(not pd.isna(a) and not pd.isna(b) and a == b for a, b in values):
                expected.add((i, j))
    assert found == expected


def test_block_that_everybody_is_in_is_left_out_and_told():
    standard = pd.DataFrame({"phone": ["0"] * 101 + ["1", "1"]})
    pairs, left_out = find_candidates(standard, [("phone",)])
    assert pairs.tolist() == [[101, 102]]
    assert left_out.values.tolist() == [["phone: 0", 101]]


def test_levels_are_those_counted_by_hand():
    standard = pd.DataFrame(
        {
            "name": ["balo derin", "balo derim", "vusi koma", None],
            "phone": ["12900001111", "12900001101", "12988887777", "12900001111"],
            "email": [
                "balo.derin123@mail.example",
                "balo.derin124@mail.example",
                "x@y.example",
                None,
            ],
            "postcode": ["200000", "200100", "510000", "20000"],
            "birth_year": pd.array([1980, 1990, 1983, 1980], dtype="Int64"),
        }
    )
    levels = compare_pairs(standard, np.array([[0, 1], [0, 2], [0, 3]]))
    assert levels.tolist() == [[1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [-1, 2, -1, 1, 2]]


def test_jaro_winkler_of_the_classical_pairs():
    # Winkler 1990 and the textbooks after it: MARTHA/MARHTA 0.961, DWAYNE/DUANE 0.840.
    assert JaroWinkler.similarity("MARTHA", "MARHTA") == pytest.approx(0.9611, abs=5e-5)
    assert JaroWinkler.similarity("DWAYNE", "DUANE") == pytest.approx(0.84, abs=5e-5)


def test_links_find_the_customers_behind_the_records(linkage, genuine):
    _, owner = genuine
    links = linkage.pairs[linkage.pairs["probability"] >= 0.95]
    score = score_links(cluster_records(linkage.n_records, links), owner)
    assert score["precision"] > 0.93
    assert score["recall"] > 0.93
    # Naive baseline: the same telephone, written alike.
    phone = genuine[0]["phone"].fillna(pd.Series(np.arange(len(owner)).astype(str)))
    assert score_links(phone, owner)["f_measure"] < score["f_measure"] - 0.2


def test_links_hold_what_the_model_expects_but_for_families(linkage, genuine):
    owner = pd.factorize(genuine[1])[0]
    pairs = linkage.pairs
    is_match = owner[pairs["left"]] == owner[pairs["right"]]
    expected = expected_rates(pairs["probability"], [0.95]).iloc[0]
    linked = pairs["probability"] >= 0.95
    found = is_match[linked].mean()
    # Families share telephone and postcode: the model is a little surer than it should be.
    assert expected["precision"] - 0.04 < found <= 1
    assert is_match[linked].sum() / is_match.sum() == pytest.approx(expected["recall"], abs=0.06)


def test_share_of_matches_is_that_of_the_truth(linkage, genuine):
    sizes = genuine[1].value_counts()
    n_matches = (sizes * (sizes - 1) // 2).sum()
    assert linkage.model.match_share_ * linkage.n_all_pairs == pytest.approx(n_matches, rel=0.1)


def test_fields_left_out_of_the_comparison_do_not_matter(genuine, linkage):
    records = genuine[0].drop(columns=["region", "purposes"])
    again = link_records(records, np.random.default_rng(2))
    pd.testing.assert_frame_equal(again.pairs, linkage.pairs)


def test_records_are_left_unchanged(genuine):
    before = genuine[0].copy()
    link_records(genuine[0], np.random.default_rng(1))
    pd.testing.assert_frame_equal(genuine[0], before)


def test_records_that_share_nothing_are_refused():
    records = pd.DataFrame({name: [None, None] for name in COMPARED})
    with pytest.raises(ValueError, match="none of the 2 records shares a block"):
        link_records(records, np.random.default_rng(1))
    with pytest.raises(ValueError, match="no column 'phone'"):
        link_records(records.drop(columns="phone"), np.random.default_rng(1))


@given(
    st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda p: p[0] != p[1]),
        max_size=20,
    )
)
def test_clusters_are_those_of_joining_one_by_one(links):
    group = list(range(12))
    for left, right in links:
        old, new = group[right], group[left]
        group = [new if value == old else value for value in group]
    found = cluster_records(12, np.array(links, dtype=int).reshape(-1, 2))
    assert found.tolist() == pd.factorize(np.array(group))[0].tolist()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=15))
def test_score_counts_pairs_one_by_one(rows):
    cluster, customer = zip(*rows, strict=True)
    pairs = list(itertools.combinations(range(len(rows)), 2))
    together = [cluster[i] == cluster[j] for i, j in pairs]
    same = [customer[i] == customer[j] for i, j in pairs]
    found = score_links(cluster, [f"c{value}" for value in customer])
    assert found["n_links"] == sum(together)
    assert found["n_matches"] == sum(same)
    assert found["n_right"] == sum(a and b for a, b in zip(together, same, strict=True))


def test_record_of_nobody_matches_no_other():
    assert score_links([0, 0, 0], [None, None, "a"])["n_matches"] == 0
    with pytest.raises(ValueError, match="the same records"):
        score_links([0], ["a", "b"])
