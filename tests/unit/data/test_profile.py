"""The customer's profile: tables put together customer by customer."""

import numpy as np
import pandas as pd
import pandas.testing as pdt
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.data.profile import (
    CHAIN,
    STATUSES,
    acquisition_day,
    chain_coverage,
    conversion_rate,
    customer_profile,
    customer_status,
    join_coverage,
    profile_completeness,
)

DAYS = pd.to_datetime


@pytest.fixture
def tables():
    """Five customers on file (a to e) and one, z, who only has an order."""
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": ["b", "a", "c", "d", "e"],
                "region": ["north", None, "south", None, "south"],
                "birth_year": pd.array([1990, 1980, None, None, 1970], dtype="Int64"),
            }
        ),
        "contacts": pd.DataFrame(
            {
                "contact_id": ["1", "2", "3", "4", "5"],
                "customer_id": ["a", "a", "b", "c", "d"],
                "contacted_on": DAYS(["2024-02-10", "2024-02-01"] + ["2024-02-01"] * 3),
                "is_treated": [True, True, True, True, False],
                "has_responded": [True, False, True, False, True],
            }
        ),
        "orders": pd.DataFrame(
            {
                "order_id": list("12345678"),
                "customer_id": ["a", "a", "a", "b", "c", "d", "e", "z"],
                "ordered_on": DAYS(
                    [
                        "2024-01-05",
                        "2024-02-01",
                        "2024-03-01",
                        "2024-01-31",
                        "2024-02-20",
                        "2024-02-20",
                        "2024-02-20",
                        "2024-02-20",
                    ]
                ),
                "amount": [10.0, 5.0, -5.0, 8.0, 4.0, 4.0, -4.0, 9.0],
            }
        ),
        "survey": pd.DataFrame(
            {"respondent_id": ["r1", "r2", "r3"], "customer_id": ["a", None, "a"]}
        ),
        "tickets": pd.DataFrame(
            {
                "ticket_id": ["t1", "t2"],
                "customer_id": ["c", "c"],
                "is_complaint": [True, False],
            }
        ),
    }


def test_profile_counts_by_hand(tables):
    profile = customer_profile(tables).set_index("customer_id")
    # Customers on file first, in the file's order; then whoever else has a record.
    assert profile.index.tolist() == ["b", "a", "c", "d", "e", "z"]
    assert profile["is_known"].tolist() == [True] * 5 + [False]
    assert profile["n_contacts"].tolist() == [1, 2, 1, 0, 0, 0]
    assert profile["n_held_out"].tolist() == [0, 0, 0, 1, 0, 0]
    # d responded without having been contacted: not a response to a contact.
    assert profile["n_responses"].tolist() == [1, 1, 0, 0, 0, 0]
    assert profile["n_purchases"].tolist() == [1, 2, 1, 1, 0, 1]
    assert profile["n_returns"].tolist() == [0, 1, 0, 0, 1, 0]
    assert profile["n_answers"].tolist() == [0, 2, 0, 0, 0, 0]
    assert profile["n_tickets"].tolist() == [0, 0, 2, 0, 0, 0]
    assert profile["n_complaints"].tolist() == [0, 0, 1, 0, 0, 0]
    assert profile.loc["a", "first_contact_on"] == pd.Timestamp("2024-02-01")
    assert profile.loc["a", "first_purchase_on"] == pd.Timestamp("2024-01-05")
    # The return of 1 March is no purchase.
    assert profile.loc["a", "last_purchase_on"] == pd.Timestamp("2024-02-01")
    assert pd.isna(profile.loc["d", "first_contact_on"])
    assert pd.isna(profile.loc["e", "last_purchase_on"])
    assert profile.loc["b", "region"] == "north"
    assert pd.isna(profile.loc["z", "region"])


def test_profile_agrees_with_a_count_customer_by_customer(tables):
    profile = customer_profile(tables)
    orders, contacts = tables["orders"], tables["contacts"]
    for row in profile.itertuples():
        mine = orders[orders["customer_id"] == row.customer_id]
        bought = mine[mine["amount"] > 0]["ordered_on"]
        sent = contacts[(contacts["customer_id"] == row.customer_id) & contacts["is_treated"]]
        assert row.n_purchases == len(bought)
        assert row.n_returns == len(mine) - len(bought)
        assert row.n_contacts == len(sent)
        assert row.n_responses == sent["has_responded"].sum()
        for day, expected in (
            (row.first_purchase_on, bought.min()),
            (row.last_purchase_on, bought.max()),
            (row.first_contact_on, sent["contacted_on"].min()),
        ):
            assert day == expected or (pd.isna(day) and pd.isna(expected))


@pytest.mark.parametrize(
    "convert", [pl.from_pandas, lambda frame: pl.from_pandas(frame).lazy(), pa.Table.from_pandas]
)
def test_profile_is_the_same_whatever_engine_holds_the_large_tables(tables, convert):
    others = {name: convert(tables[name]) for name in ("orders", "contacts")}
    expected = customer_profile(tables)
    found = customer_profile(tables | others)
    pdt.assert_frame_equal(found.astype(expected.dtypes), expected)


def test_profile_has_only_the_columns_its_tables_give(tables):
    profile = customer_profile({"orders": tables["orders"]})
    assert list(profile) == [
        "customer_id",
        "n_purchases",
        "n_returns",
        "first_purchase_on",
        "last_purchase_on",
    ]
    assert profile["customer_id"].tolist() == ["a", "b", "c", "d", "e", "z"]


def test_profile_of_an_anonymous_survey_has_no_customer(tables):
    survey = tables["survey"].drop(columns="customer_id")
    assert customer_profile({"survey": survey}).shape == (0, 1)
    assert customer_profile({}).shape == (0, 1)


def test_sum_of_a_profile_is_the_number_of_rows_that_name_a_customer(tables):
    profile = customer_profile(tables)
    assert (profile["n_purchases"] + profile["n_returns"]).sum() == len(tables["orders"])
    assert (profile["n_contacts"] + profile["n_held_out"]).sum() == len(tables["contacts"])
    assert profile["n_answers"].sum() == tables["survey"]["customer_id"].notna().sum()


def test_completeness_is_the_share_of_fields_filled(tables):
    filled = profile_completeness(tables["customers"])
    assert filled.to_dict() == {"b": 1.0, "a": 0.5, "c": 0.5, "d": 0.0, "e": 1.0}
    assert filled.name == "share_filled"
    # A day that may never come is no gap of the profile.
    eager = tables["customers"].assign(adopted_on=pd.NaT)
    assert profile_completeness(eager).to_dict() == filled.to_dict()


def test_completeness_of_a_bare_list_of_ids_is_undefined(tables):
    assert profile_completeness(tables["customers"][["customer_id"]]).isna().all()


def test_mean_completeness_is_the_share_of_cells_filled(tables):
    fields = tables["customers"].drop(columns="customer_id")
    assert profile_completeness(tables["customers"]).mean() == pytest.approx(
        fields.notna().to_numpy().mean()
    )


def test_a_customer_exists_from_the_first_purchase_on(tables):
    profile = customer_profile(tables)
    status = customer_status(profile).set_axis(profile["customer_id"])
    # e has only returned something, which was bought before: no prospect.
    assert status[status.isna()].index.tolist() == ["e"]
    assert (status.dropna() == "existing_customer").all()
    without = customer_status(profile.drop(columns="n_returns")).set_axis(profile["customer_id"])
    assert without[without == "prospect"].index.tolist() == ["e"]
    assert tuple(status.cat.categories) == STATUSES
    assert status.cat.ordered


def test_status_of_who_came_before_the_window_and_did_not_buy_in_it_is_unknown(tables):
    joined = DAYS(["2023-01-01", "2023-01-01", "2024-01-01", None, "2023-12-31"])
    tables["customers"] = tables["customers"].assign(joined_on=joined)
    tables["orders"] = tables["orders"][tables["orders"]["customer_id"].isin(["a", "z"])]
    profile = customer_profile(tables)
    status = customer_status(profile, observed_from="2024-01-01").set_axis(profile["customer_id"])
    # b and e came before the window and bought nothing; a came before and bought; c came on its
    # first day; when d came is not known, so it may have bought before.
    assert status[status.isna()].index.tolist() == ["b", "d", "e"]
    assert status.dropna().to_dict() == {
        "a": "existing_customer",
        "c": "prospect",
        "z": "existing_customer",
    }
    # c has not bought; a came before, when d came is not known, z is not on file.
    assert conversion_rate(profile, observed_from="2024-01-01") == 0
    # Without a window: of a, b, c, d, e only a has bought.
    assert conversion_rate(profile) == pytest.approx(1 / 5)


def test_conversion_is_the_share_of_known_customers_who_bought(tables):
    profile = customer_profile(tables)
    # a, b, c, d; z has bought but is not on file, e has only returned something.
    assert conversion_rate(profile) == 1
    profile = profile.assign(n_returns=0)
    assert conversion_rate(profile) == pytest.approx(4 / 5)
    assert conversion_rate(profile.drop(columns="is_known")) == pytest.approx(5 / 6)


def test_conversion_of_nobody_is_undefined(tables):
    profile = customer_profile(tables)
    profile["joined_on"] = pd.Timestamp("2023-01-01")
    assert np.isnan(conversion_rate(profile, observed_from="2024-01-01"))


def test_conversion_counts_only_prospects_and_customers_acquired_under_observation():
    # 2,000 customers, half acquired before the window; each buys with probability 0.3 after being
    # acquired under observation, and of the earlier ones half are gone. Seed 5.
    rng = np.random.default_rng(5)
    joined = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 730, 2000), unit="D")
    is_new = joined >= pd.Timestamp("2024-01-01")
    bought = np.where(is_new, rng.random(2000) < 0.3, rng.random(2000) < 0.5)
    profile = pd.DataFrame(
        {"customer_id": range(2000), "joined_on": joined, "n_purchases": bought.astype(int)}
    )
    rate = conversion_rate(profile, observed_from="2024-01-01")
    chance = np.sqrt(0.3 * 0.7 / is_new.sum())
    assert rate == pytest.approx(0.3, abs=3 * chance)
    # The naive share of all customers with a purchase is off by far more than chance.
    assert abs(bought.mean() - 0.3) > 5 * chance


def test_day_of_acquisition_is_a_latest_date_where_joining_is_not_on_record(tables):
    joined = DAYS(["2023-05-01", None, "2024-01-02", None, None])
    tables["customers"] = tables["customers"].assign(joined_on=joined)
    profile = customer_profile(tables)
    found = acquisition_day(profile, observed_from="2024-01-01").set_axis(profile["customer_id"])
    # b and c have joined on record; a, d and z are counted from a purchase that need not be the
    # first; e has neither.
    assert found["is_latest"].to_dict() == {
        "b": False,
        "a": True,
        "c": False,
        "d": True,
        "e": False,
        "z": True,
    }
    assert found["acquired_on"].dropna().astype(str).to_dict() == {
        "b": "2023-05-01",
        "a": "2024-01-05",
        "c": "2024-01-02",
        "d": "2024-02-20",
        "z": "2024-02-20",
    }
    # Where purchases are on record from the first one on, the first is the day.
    assert not acquisition_day(profile)["is_latest"].any()
    # Without the column, every buyer's day is a latest one.
    bare = profile.drop(columns="joined_on")
    assert acquisition_day(bare, observed_from="2024-01-01")["is_latest"].sum() == 5


def test_true_day_of_acquisition_is_never_after_the_latest_one():
    # 500 customers bought first on a day before or in the window; only the window is on record.
    rng = np.random.default_rng(6)
    first = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 730, 500), unit="D")
    seen = first.where(first >= pd.Timestamp("2024-01-01"), pd.Timestamp("2024-06-01"))
    profile = pd.DataFrame({"n_purchases": 1, "first_purchase_on": seen})
    found = acquisition_day(profile, observed_from="2024-01-01")
    assert (first <= found["acquired_on"]).all()
    assert found["is_latest"][first < pd.Timestamp("2024-01-01")].all()


@pytest.mark.parametrize("question", [customer_status, conversion_rate, acquisition_day])
def test_status_without_orders_is_refused(tables, question):
    profile = customer_profile({"customers": tables["customers"]})
    with pytest.raises(ValueError, match="no column 'n_purchases'"):
        question(profile)


def test_chain_counts_by_hand(tables):
    chain = chain_coverage(customer_profile(tables))
    assert chain["step"].tolist() == list(CHAIN)
    # On file: a to e. Contacted: a, b, c (d was held out). Responded: a, b. Bought on the day
    # of the first contact or later: a (b's only purchase was the day before the contact).
    assert chain["n_customers"].tolist() == [5, 3, 2, 1]
    assert chain["share_of_known"].tolist() == pytest.approx([1, 0.6, 0.4, 0.2])
    assert chain["share_of_previous"].tolist() == pytest.approx([1, 0.6, 2 / 3, 0.5])


def test_chain_without_contacts_goes_from_known_to_transacted(tables):
    chain = chain_coverage(customer_profile({k: tables[k] for k in ("customers", "orders")}))
    assert chain["step"].tolist() == ["known", "transacted"]
    assert chain["n_customers"].tolist() == [5, 4]


def test_chain_without_a_customer_table_knows_everyone_with_a_record(tables):
    chain = chain_coverage(customer_profile({"orders": tables["orders"]}))
    assert chain["n_customers"].tolist() == [6, 5]


def test_chain_that_breaks_off_has_no_share_of_nobody(tables):
    tables["contacts"] = tables["contacts"].assign(is_treated=False)
    chain = chain_coverage(customer_profile(tables))
    assert chain["n_customers"].tolist() == [5, 0, 0, 0]
    assert chain["share_of_previous"].iloc[1] == 0
    assert chain["share_of_previous"].iloc[2:].isna().all()
    empty = chain_coverage(customer_profile({"orders": tables["orders"].iloc[:0]}))
    assert empty["share_of_known"].isna().all()


def test_join_coverage_by_hand(tables):
    shares = join_coverage(tables)
    assert np.diag(shares).tolist() == [1] * 5
    # Of the five on file, a, b, c, d, e have an order; of the six with an order, z is not on file.
    assert shares.loc["customers", "orders"] == 1
    assert shares.loc["orders", "customers"] == pytest.approx(5 / 6)
    assert shares.loc["contacts", "survey"] == pytest.approx(1 / 4)
    assert shares.loc["survey", "contacts"] == 1


def test_join_coverage_of_a_table_that_names_nobody_is_undefined(tables):
    survey = tables["survey"].assign(customer_id=None)
    shares = join_coverage({"orders": tables["orders"], "survey": survey})
    assert shares.loc["survey"].isna().all()
    assert shares.loc["orders", "survey"] == 0
    assert join_coverage({}).empty


ids = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=20)


@given(ids, ids)
def test_customers_two_tables_share_are_the_same_number_either_way(first, second):
    shares = join_coverage(
        {
            "customers": pd.DataFrame({"customer_id": sorted(set(first))}),
            "orders": pd.DataFrame({"customer_id": second}),
        }
    )
    common = shares.loc["customers", "orders"] * len(set(first))
    assert common == pytest.approx(shares.loc["orders", "customers"] * len(set(second)))
    assert common == pytest.approx(len(set(first) & set(second)))


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from([-2.0, 3.0]), st.integers(0, 9)),
        max_size=15,
    ),
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.booleans(), st.booleans(), st.integers(0, 9)),
        max_size=15,
    ),
)
def test_chain_only_ever_narrows(orders, contacts):
    start = pd.Timestamp("2024-01-01")
    order_rows = pd.DataFrame(orders, columns=["customer_id", "amount", "day"])
    contact_rows = pd.DataFrame(
        contacts, columns=["customer_id", "is_treated", "has_responded", "day"]
    )
    tables = {
        "customers": pd.DataFrame({"customer_id": ["a", "b", "c"]}),
        "orders": order_rows.astype({"customer_id": "str", "amount": "float64"}).assign(
            ordered_on=start + pd.to_timedelta(order_rows["day"].astype("int64"), unit="D")
        ),
        "contacts": contact_rows.astype(
            {"customer_id": "str", "is_treated": "bool", "has_responded": "bool"}
        ).assign(
            contacted_on=start + pd.to_timedelta(contact_rows["day"].astype("int64"), unit="D")
        ),
    }
    chain = chain_coverage(customer_profile(tables))
    assert chain["n_customers"].is_monotonic_decreasing
    assert chain["share_of_known"].between(0, 1).all()
    assert chain["n_customers"].iloc[0] == 3


def test_tables_and_profile_are_left_as_they_were(tables):
    before = {name: frame.copy(deep=True) for name, frame in tables.items()}
    profile = customer_profile(tables)
    profile_completeness(tables["customers"])
    join_coverage(tables)
    for name, frame in before.items():
        pdt.assert_frame_equal(tables[name], frame)
    copy = profile.copy(deep=True)
    chain_coverage(profile)
    customer_status(profile, observed_from="2024-01-01")
    conversion_rate(profile)
    pdt.assert_frame_equal(profile, copy)


def test_identifiers_stored_as_numbers_join_all_the_same():
    tables = {
        "customers": pd.DataFrame({"customer_id": [1, 2], "region": ["north", "south"]}),
        "orders": pd.DataFrame(
            {"customer_id": [2, 3], "amount": [5.0, 7.0], "ordered_on": DAYS(["2024-03-01"] * 2)}
        ),
    }
    profile = customer_profile(tables)
    assert profile["customer_id"].tolist() == ["1", "2", "3"]
    assert profile["n_purchases"].tolist() == [0, 1, 1]


def test_a_customer_with_two_rows_is_refused(tables):
    twice = pd.concat([tables["customers"], tables["customers"][:1]])
    with pytest.raises(ValueError, match="customer 'b' has two rows"):
        customer_profile(tables | {"customers": twice})
