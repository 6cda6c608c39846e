"""Exports: what is refused, what is written, and that no cell becomes a formula."""

import pandas as pd
import pytest

from crmlab.data.release import (
    PURPOSES,
    check_release,
    export_table,
    load_uses,
    permitted_rows,
)
from crmlab.data.simulate import simulate_population
from crmlab.data.tables import TABLES

DAY = pd.Timestamp("2025-12-31")


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "system": ["shop", "partner", "partner", "shop"],
            "name": ["=cmd()", "b", "c", "d"],
            "region": ["east", "+west", None, "south"],
            "purposes": ["service marketing", "marketing", "marketing", None],
            "consent_expires_on": pd.to_datetime([None, "2025-12-31", "2025-12-30", None]),
        }
    )


def test_row_needs_consent_to_this_purpose_on_this_day(frame):
    found = permitted_rows(frame, "marketing", DAY)
    assert found["is_permitted"].tolist() == [True, True, False, False]
    assert permitted_rows(frame, "service", DAY)["is_permitted"].tolist() == [True] + [False] * 3


def test_purpose_is_a_whole_word():
    frame = pd.DataFrame(
        {"purposes": ["marketingresearch"], "consent_expires_on": pd.to_datetime([None])}
    )
    assert not permitted_rows(frame, "marketing", DAY)["is_permitted"].any()


def test_licence_of_a_system_ends_with_its_last_day(frame):
    for last, expected in (("2025-12-31", True), ("2025-12-30", False)):
        found = permitted_rows(frame, "marketing", DAY, licences={"partner": last})
        assert found["is_permitted"].tolist() == [True, expected, False, False]
    found = permitted_rows(frame, "marketing", DAY, licences={"partner": None})
    assert found["has_licence"].all()


def test_reasons_are_counted_and_say_where(frame):
    found = check_release(frame, "records", "research", DAY, licences={"partner": "2024-01-01"})
    by = found.set_index("reason")
    assert by.loc["column_not_needed", "column"] == "name"
    assert by.loc["no_consent", ["n_rows", "first_row"]].tolist() == [4, 1]
    assert by.loc["consent_expired", ["n_rows", "first_row"]].tolist() == [1, 3]
    assert by.loc["licence_expired", ["n_rows", "first_row"]].tolist() == [2, 2]


def test_export_is_refused_and_writes_nothing(frame, tmp_path):
    path = tmp_path / "out.csv"
    with pytest.raises(
        ValueError, match=r"no consent in 1 rows, first in row 4; consent_expires_on: "
    ):
        export_table(frame, path, table="records", purpose="marketing", as_of=DAY)
    with pytest.raises(ValueError, match="name: column not needed"):
        export_table(frame.head(1), path, table="records", purpose="sharing", as_of=DAY)
    assert list(tmp_path.iterdir()) == []


def test_export_writes_what_is_permitted_and_no_formula(frame, tmp_path):
    path = tmp_path / "out.csv"
    before = frame.copy()
    permitted = frame[permitted_rows(frame, "marketing", DAY)["is_permitted"]]
    done = export_table(permitted, path, table="records", purpose="marketing", as_of=DAY)
    assert done.to_dict() == {"n_rows": 2, "n_columns": 5, "n_cells_defused": 2}
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    again = pd.read_csv(path, encoding="utf-8-sig")
    assert again["name"].tolist() == ["'=cmd()", "b"]
    assert again["region"].tolist() == ["east", "'+west"]
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_every_start_of_a_formula_is_defused(start, tmp_path):
    frame = pd.DataFrame(
        {
            "name": [f"{start}1"],
            "purposes": ["marketing"],
            "consent_expires_on": pd.to_datetime([None]),
        }
    )
    done = export_table(frame, tmp_path / "x.csv", table="records", purpose="marketing", as_of=DAY)
    assert done["n_cells_defused"] == 1
    assert f"'{start}1" in (tmp_path / "x.csv").read_bytes().decode("utf-8-sig")


def test_negative_number_stays_a_number(tmp_path):
    frame = pd.DataFrame(
        {
            "n_items": [-2],
            "purposes": ["marketing"],
            "consent_expires_on": pd.to_datetime([None]),
        }
    )
    uses = frame[["n_items"]]
    assert (uses < 0).all(axis=None)
    with pytest.raises(ValueError, match="purposes: column not needed"):
        export_table(frame, tmp_path / "x.csv", table="orders", purpose="marketing", as_of=DAY)


def test_everything_is_refused_where_consent_is_not_on_record():
    with pytest.raises(ValueError, match="who consented to what is not on record"):
        check_release(pd.DataFrame({"name": ["a"]}), "records", "marketing", DAY)
    with pytest.raises(ValueError, match="expected one of service, marketing"):
        permitted_rows(pd.DataFrame(), "fun", DAY)
    with pytest.raises(ValueError, match="no uses are stated for the table 'truth'"):
        load_uses("truth")


@pytest.mark.parametrize("table", ["records", "customers", "orders"])
def test_uses_are_stated_for_columns_that_there_are(table):
    uses = load_uses(table)
    columns = [column.name for column in TABLES[table].columns]
    assert set(uses["column"]) <= set(columns)
    assert uses["column"].is_unique
    assert {word for given in uses["purposes"] for word in given.split()} <= set(PURPOSES)
    if table == "records":
        assert uses["column"].tolist() == columns


def test_column_of_which_no_use_is_stated_goes_nowhere(frame):
    own = frame.head(1).drop(columns="name").assign(shoe_size=42)
    for purpose in PURPOSES:
        found = check_release(own, "records", purpose, DAY)
        assert "shoe_size" in found.loc[found["reason"] == "column_not_needed", "column"].tolist()


def test_permitted_records_of_the_simulation_can_be_exported(tmp_path):
    records = simulate_population(200, seed=2)["records"]
    uses = load_uses("records")
    columns = uses.loc[uses["purposes"].str.contains("research"), "column"]
    permitted = permitted_rows(records, "research", DAY)
    asked = {"table": "records", "purpose": "research", "as_of": DAY}
    done = export_table(
        records.loc[permitted["is_permitted"], columns], tmp_path / "x.csv", **asked
    )
    assert 0 < done["n_rows"] == permitted["is_permitted"].sum() < len(records)
