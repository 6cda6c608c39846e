"""Links are brought to pairs and customers, and what is left out is counted."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.network.links import open_links, summarize_links


def make_links():
    rows = [
        ("b", "a", "call", 3),
        ("a", "b", "call", 4),
        ("a", "b", "referral", None),
        ("c", "a", "call", 1),
        ("c", "c", "call", 9),
        ("c", "d", "referral", None),
        (None, "a", "call", 2),
        ("z", "a", "call", 5),
    ]
    links = pd.DataFrame(rows, columns=["customer_id", "other_id", "kind", "n_calls"])
    return links.astype({"n_calls": "Int64"})


def test_pairs_hold_every_call_and_referral_once():
    pairs = open_links(make_links()).pairs
    assert pairs.to_numpy().tolist() == [
        ["a", "b", 7, 1, True],
        ["a", "c", 1, 0, False],
        ["a", "z", 5, 0, False],
        ["c", "d", 0, 1, False],
    ]
    assert pairs[["n_calls", "n_referrals"]].dtypes.tolist() == ["int64", "int64"]


def test_what_is_left_out_is_counted():
    book = open_links(make_links(), customers=["a", "b", "c"])
    assert (book.n_rows, book.n_self, book.n_unnamed) == (8, 1, 1)
    assert (book.n_unknown_pairs, book.n_unknown_customers) == (2, 2)  # z and d
    assert book.pairs["other_id"].tolist() == ["b", "c"]


def test_a_blank_name_is_no_customer():
    links = pd.DataFrame({"customer_id": ["a", "", "b"], "other_id": [" ", "a", "a"]})
    book = open_links(links.assign(kind="call"))
    assert book.n_unnamed == 2
    assert book.pairs[["customer_id", "other_id"]].to_numpy().tolist() == [["a", "b"]]


def test_customers_hold_what_their_pairs_hold():
    pairs = open_links(make_links()).pairs
    table = summarize_links(pairs).set_index("customer_id")
    assert table["degree"].to_dict() == {"a": 3, "b": 1, "c": 2, "d": 1, "z": 1}
    assert table.loc["a", ["n_calls", "n_referrals", "strength"]].tolist() == [13, 1, 14]
    assert table["strength"].sum() == 2 * (pairs["n_calls"] + pairs["n_referrals"]).sum()
    assert table.loc["a", "reciprocity"] == 1 / 3
    assert np.isnan(table.loc["d", "reciprocity"])  # a referral is no call


def test_reciprocity_is_not_known_where_each_pair_has_one_row():
    table = summarize_links(open_links(make_links().iloc[[0, 3]]).pairs)
    assert table["reciprocity"].isna().all()


def test_calls_without_a_number_count_as_one():
    links = make_links()
    for without in (links.drop(columns="n_calls"), links.assign(n_calls=np.nan)):
        assert open_links(without).pairs["n_calls"].tolist() == [2, 1, 1, 0]


def test_which_of_the_two_is_named_first_changes_nothing_but_who_called():
    links = make_links()
    turned = links.rename(columns={"customer_id": "other_id", "other_id": "customer_id"})
    pd.testing.assert_frame_equal(open_links(turned).pairs, open_links(links).pairs)


def test_links_of_nobody_but_oneself_leave_no_pair():
    book = open_links(make_links().iloc[[4]])
    assert (len(book.pairs), book.n_self) == (0, 1)
    assert len(open_links(make_links().iloc[:0]).pairs) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "letter"}, "8 of 8 rows have another kind than call or referral"),
        ({"kind": None}, "8 of 8 rows have another kind"),
        ({"n_calls": 0}, "n_calls is below 1, endless or no whole number in 6 of 8 rows"),
        ({"n_calls": 2.5}, "n_calls is below 1, endless or no whole number in 6 of 8 rows"),
        ({"n_calls": float("inf")}, "n_calls is below 1, endless or no whole number in 6 of 8"),
        ({"n_calls": "7"}, "n_calls holds text"),
    ],
)
def test_links_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=f"links: .*{message}"):
        open_links(make_links().assign(**change))


def test_links_without_a_needed_column_are_refused():
    with pytest.raises(ValueError, match="links: column 'other_id' is missing"):
        open_links(make_links().drop(columns="other_id"))


def test_links_are_left_unchanged():
    links = make_links()
    open_links(links, customers=["a", "b"])
    pd.testing.assert_frame_equal(links, make_links())
