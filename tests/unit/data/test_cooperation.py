"""Shared customers counted without sharing identities."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.data.cooperation import Agreement, Party, count_overlap

AGREEMENT = Agreement("Partner", "joint offer", permitted_columns=("region",), smallest_cell=3)


def ours(n, regions=None):
    frame = pd.DataFrame({"customer_id": [f"c{i}" for i in range(n)]})
    return frame if regions is None else frame.assign(region=regions)


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(0, 40), max_size=25), st.sets(st.integers(0, 40), max_size=25))
def test_points_meet_exactly_where_identities_do(mine, yours):
    a, b = Party(mine), Party(yours)
    assert len(set(b.mask_again(a.mask())) & set(a.mask_again(b.mask()))) == len(mine & yours)


def test_identities_written_differently_meet_and_count_once():
    a = Party(["Ann ", "ANN", "Ｂｏｂ", None, float("nan")])
    assert a.n_identities == 2
    b = Party(["ann", "bob"])
    assert set(b.mask_again(a.mask())) == set(a.mask_again(b.mask()))


def test_what_is_sent_shows_neither_identity_nor_order_nor_repeats_itself():
    names = ["ann", "bob", "cem"]
    first, again = Party(names), Party(names)
    sent = first.mask()
    assert sent == sorted(sent)
    assert {len(point) for point in sent} == {32}
    # Another secret, other points: lists of two counts cannot be laid side by side.
    assert not set(sent) & set(again.mask())
    # A dictionary of hashes does not open them either: hashing alone would be a plain lookup.
    assert not set(sent) & set(Party(["ann"]).mask())


def test_a_point_from_outside_the_group_is_refused():
    for point in (b"\x00" * 32, b"short", b"\xff" * 32):
        with pytest.raises(ValueError, match=r"none of the group.*Do not go on"):
            Party(["ann"]).mask_again([point])


def test_overlap_by_group_is_the_plain_count():
    rng = np.random.default_rng(1)
    regions = rng.choice(["n", "s", None], 200, p=[0.5, 0.4, 0.1])
    frame = ours(200, regions)
    theirs = [f"c{i}" for i in range(50, 150)] + [f"x{i}" for i in range(30)]
    found = count_overlap(frame, theirs, AGREEMENT, by="region")
    is_shared = frame["customer_id"].isin(theirs)
    plain = is_shared.groupby(frame["region"], dropna=False).sum()
    assert found["group"].iloc[:3].tolist() == ["all", "n", "s"]
    assert found["group"].isna().iloc[3]
    assert found["n_shared"].tolist() == [100, *plain.tolist()]
    assert found["n_ours"].tolist() == [
        200,
        *frame["region"].value_counts(dropna=False)[plain.index],
    ]
    assert not found["is_suppressed"].any()
    assert found["share_shared"].iloc[0] == 0.5


def test_small_cells_and_what_would_give_them_away_are_suppressed():
    # Shared: 1 of n, 5 of s, 9 of w. n is too small; the total less s and w would give it away,
    # so the next smallest goes as well.
    frame = ours(60, ["n"] * 20 + ["s"] * 20 + ["w"] * 20)
    shared = ["c0", *(f"c{i}" for i in range(20, 25)), *(f"c{i}" for i in range(40, 49))]
    found = count_overlap(frame, shared, AGREEMENT, by="region").set_index("group")
    assert found["is_suppressed"].to_dict() == {"all": False, "n": True, "s": True, "w": False}
    assert found.loc["all", "n_shared"] == 15
    assert found["n_shared"].isna().sum() == 2
    assert found["share_shared"].isna().sum() == 2


def test_a_group_shared_almost_in_full_is_suppressed():
    # Whoever is in n would be known to be the partner's customer.
    frame = ours(60, ["n"] * 20 + ["s"] * 20 + ["w"] * 20)
    shared = [f"c{i}" for i in (*range(20), *range(20, 27), *range(40, 50))]
    found = count_overlap(frame, shared, AGREEMENT, by="region").set_index("group")
    assert found.loc["n", "is_suppressed"]
    assert found["is_suppressed"].sum() == 2


def test_nothing_is_shown_of_a_total_that_is_too_small():
    found = count_overlap(ours(50), ["c1", "c2"], AGREEMENT)
    assert found["n_shared"].isna().all()


@pytest.mark.parametrize(
    ("agreement", "more", "message"),
    [
        (AGREEMENT, {"by": "age"}, "does not permit counting by 'age'; permitted columns: region"),
        (Agreement("P", "x"), {"by": "region"}, "permitted columns: none"),
        (
            Agreement("P", "x", expires_on="2025-06-30"),
            {"on": "2025-07-01"},
            "the agreement with P ended on 2025-06-30",
        ),
        (Agreement("P", "x", expires_on="2025-06-30"), {}, "say on which day you count"),
    ],
)
def test_what_was_not_agreed_is_refused(agreement, more, message):
    with pytest.raises(ValueError, match=message):
        count_overlap(ours(20, ["n"] * 20), ["c1"], agreement, **more)


def test_a_customer_in_two_groups_and_a_cell_of_one_are_refused():
    frame = pd.DataFrame({"customer_id": ["a", "a"], "region": ["n", "s"]})
    with pytest.raises(ValueError, match="customer 'a' is in 2 groups"):
        count_overlap(frame, ["a"], AGREEMENT, by="region")
    with pytest.raises(ValueError, match="smallest_cell is 1; expected"):
        Agreement("P", "x", smallest_cell=1)
