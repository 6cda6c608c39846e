"""Golden records: each rule of survivorship by hand, and against what is true of the customers."""

import numpy as np
import pandas as pd
import pytest

from crmlab.data.simulate import simulate_population
from crmlab.data.single_view import SURVIVORSHIP, duplicate_rate, golden_records

RECORDS = pd.DataFrame(
    {
        "system": ["partner", "shop", "email_list", "shop"],
        "updated_on": pd.to_datetime(["2025-05-05", "2025-05-05", "2024-01-01", "2023-01-01"]),
        "name": ["a", "b", "b", None],
        "phone": [None, "2", "3", "4"],
        "email": ["p", "q", None, None],
        "postcode": [None] * 4,
        "birth_year": [1980, 1981, 1980, 1999],
        "region": ["east"] * 4,
    }
)


def test_each_rule_decides_as_stated():
    golden = golden_records(RECORDS, [0, 0, 0, 1]).iloc[0]
    assert golden["name"] == "b"  # twice
    assert golden["phone"] == "2"  # the latest that is there
    assert golden["email"] == "q"  # equally late: the shop is trusted more
    assert golden["birth_year"] == 1980
    assert pd.isna(golden["postcode"])
    # name, phone, email and year differ; region and postcode do not.
    assert golden["n_conflicts"] == 4
    assert (golden["n_records"], golden["n_systems"]) == (3, 3)


def test_every_customer_has_one_row_and_no_value_is_made_up():
    golden = golden_records(RECORDS, [1, 0, 1, 0])
    assert golden["cluster"].tolist() == [0, 1]
    for field in SURVIVORSHIP:
        assert set(golden[field].dropna()) <= set(RECORDS[field].dropna())


def test_order_of_records_makes_no_difference():
    shuffled = RECORDS.iloc[[2, 0, 3, 1]]
    first = golden_records(RECORDS, [0, 0, 0, 1])
    second = golden_records(shuffled, [0, 0, 1, 0])
    pd.testing.assert_frame_equal(first, second)


def test_golden_years_are_right_more_often_than_a_record_taken_at_random():
    tables = simulate_population(1500, seed=6)
    truth = tables["record_truth"]
    keep = ~truth["is_fake"]
    records = tables["records"][keep].reset_index(drop=True)
    owner, ids = pd.factorize(truth.loc[keep, "customer_id"])
    true = tables["customers"].set_index("customer_id")["birth_year"]
    golden = golden_records(records, owner)
    off = (golden["birth_year"] != true.reindex(ids).array)[golden["birth_year"].notna()]
    raw = records["birth_year"] != true.reindex(truth.loc[keep, "customer_id"]).array
    assert off.fillna(False).mean() < raw[records["birth_year"].notna()].fillna(False).mean()
    # And it is there more often.
    assert golden["birth_year"].notna().mean() > records["birth_year"].notna().mean() + 0.1


def test_duplicate_rate_by_hand_and_in_the_limits():
    assert duplicate_rate(["a", "a", "a", "b"]) == 0.5
    assert duplicate_rate([1, 2, 3]) == 0
    assert np.isnan(duplicate_rate([]))


def test_unknown_rule_column_and_length_are_refused():
    with pytest.raises(ValueError, match="the rule of 'name' is 'longest'"):
        golden_records(RECORDS, [0] * 4, survivorship={"name": "longest"})
    with pytest.raises(ValueError, match="no column 'email'"):
        golden_records(RECORDS.drop(columns="email"), [0] * 4)
    with pytest.raises(ValueError, match="3 values for 4 records"):
        golden_records(RECORDS, [0] * 3)
