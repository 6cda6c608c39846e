"""Simulated records: of whom they are, what is wrong with them, and that nobody real is meant."""

import numpy as np
import pandas as pd
import pytest

from crmlab.data.simulate import simulate_population
from crmlab.data.simulate.records import _MOVED, _ON_FILE, _TWICE, SYSTEMS, simulate_records
from crmlab.data.tables import check_tables

FIRST = pd.Timestamp("2024-01-01")
N = 4000


@pytest.fixture(scope="module")
def customers():
    days = pd.date_range("2023-01-01", periods=N, freq="3h").normalize().as_unit("us")
    return pd.DataFrame(
        {
            "customer_id": pd.array([f"c{i:05d}" for i in range(N)], dtype="str"),
            "joined_on": days,
            "birth_year": pd.array(1950 + np.arange(N) % 50, dtype="Int64"),
            "region": pd.array(["east", "west"] * (N // 2), dtype="str"),
        }
    )


@pytest.fixture(scope="module")
def made(customers):
    return simulate_records(customers, FIRST, 730, np.random.default_rng(1))


@pytest.fixture(scope="module")
def genuine(made):
    records = made["records"].assign(customer_id=made["record_truth"]["customer_id"])
    return records[records["customer_id"].notna()]


def test_tables_hold_what_the_schema_says(made, customers):
    checked = check_tables({"customers": customers, **made})
    assert len(checked["records"]) == len(checked["record_truth"])
    assert made["record_truth"]["is_fake"].equals(made["record_truth"]["customer_id"].isna())


@pytest.mark.parametrize("place", range(4))
def test_each_system_holds_its_share_of_the_customers_some_twice(genuine, place):
    held = genuine.loc[genuine["system"] == SYSTEMS[place], "customer_id"]
    share, twice = _ON_FILE[place], _TWICE[place]
    assert held.nunique() / N == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / N))
    again = held.duplicated().sum() / held.nunique()
    assert again == pytest.approx(twice, abs=4 * np.sqrt(twice / held.nunique()))


def test_years_are_the_customers_own_but_for_the_slips(genuine, customers):
    true = customers.set_index("customer_id")["birth_year"]
    year = genuine.set_index("customer_id")["birth_year"].dropna()
    off = (year - true.reindex(year.index)).astype(int)
    assert set(off) == {-1, 0, 10}
    # Slips by system are 2, 7, 4 and 5 per cent.
    assert 0.02 < (off != 0).mean() < 0.07


def test_records_of_a_customer_who_moved_keep_the_old_postcode(genuine):
    once = genuine.dropna(subset="postcode").groupby("customer_id")["postcode"]
    share = once.nunique().gt(1)[once.size() > 1].mean()
    # At most the share that moved, plus the slips; some moved before or after all their records.
    assert 0.2 * _MOVED < share < _MOVED + 0.10


def test_nobody_real_is_meant(made):
    records = made["records"]
    digits = records["phone"].dropna().str.replace(r"\D", "", regex=True).str[-11:]
    assert not digits.str.match(r"1[3-9]\d{9}$").any()
    domain = records["email"].dropna().str.extract(r"@(.+)$")[0].dropna()
    assert (domain.str.endswith(".example") | (domain == "a")).all()


def test_days_are_in_order_and_consent_of_partners_ends(made):
    records = made["records"]
    assert (records["updated_on"] >= records["created_on"]).all()
    assert records["updated_on"].max() <= FIRST + pd.Timedelta(days=730)
    ends = records["consent_expires_on"].notna()
    assert (ends == (records["system"] == "partner")).all()
    assert ((records["consent_expires_on"] - records["created_on"]).dropna().dt.days == 365).all()


def test_same_seed_gives_the_same_records_and_leaves_customers_alone(customers, made):
    before = customers.copy()
    again = simulate_records(customers, FIRST, 730, np.random.default_rng(1))
    pd.testing.assert_frame_equal(again["records"], made["records"])
    pd.testing.assert_frame_equal(customers, before)


def test_fakes_belong_to_nobody_and_are_the_stated_share(made):
    truth = made["record_truth"]
    n_genuine = (~truth["is_fake"]).sum()
    assert truth["is_fake"].sum() == max(3, round(0.04 * n_genuine))


def test_a_population_of_one_customer_has_records():
    tables = simulate_population(1, seed=3)
    assert len(tables["records"]) == len(tables["record_truth"])
