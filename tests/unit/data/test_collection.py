"""The inventory of a data set: tables, columns, keys, sources, items."""

import pandas as pd
import pandas.testing as pdt
import pytest

from crmlab.data.collection import (
    DATA_CLASSES,
    check_keys,
    describe_columns,
    describe_items,
    describe_sources,
    describe_tables,
)
from crmlab.data.tables import TABLES


@pytest.fixture
def tables():
    """Four customers, five orders of three of them and of one nobody knows, two answers."""
    day = pd.to_datetime
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": ["a", "b", "c", "d"],
                "joined_on": day(["2024-01-01", "2024-01-05", None, "2024-02-01"]),
                "region": ["north", None, None, "south"],
            }
        ),
        "orders": pd.DataFrame(
            {
                "order_id": ["1", "2", "3", "4", "4"],
                "customer_id": ["a", "a", "b", "c", "z"],
                "ordered_on": day(
                    ["2024-03-01", "2024-01-07", "2024-02-01", "2024-02-02", "2024-02-03"]
                ),
                "amount": [10.0, -4.0, 3.0, 5.0, 8.0],
            }
        ),
        "tickets": pd.DataFrame(
            {
                "ticket_id": ["t1"],
                "customer_id": ["a"],
                "opened_at": day(["2024-03-05 13:45"]),
                "closed_at": day([None]),
            }
        ),
        "survey": pd.DataFrame(
            {
                "respondent_id": ["r1", "r2", "r3", "r4"],
                "customer_id": ["a", None, "b", None],
                "q1": [10.0, 10.0, 4.0, None],
                "q2": [1.0, 7.0, None, None],
            }
        ),
        "items": pd.DataFrame(
            {
                "item": ["q2", "q1"],
                "construct": ["loyalty", "satisfaction"],
                "minimum": [1.0, 1.0],
                "maximum": [7.0, 10.0],
            }
        ),
        "truth": pd.DataFrame({"customer_id": ["a"]}),
    }


def test_every_table_of_a_data_set_has_a_class_or_describes_data():
    assert set(TABLES) - set(DATA_CLASSES) == {
        "items",
        "sources",
        "staff",
        "truth",
        "records",
        "record_truth",
    }


def test_tables_are_counted_by_hand_in_the_order_of_the_classes(tables):
    overview = describe_tables(tables).set_index("table")
    assert overview.index.tolist() == ["customers", "orders", "tickets", "survey"]
    assert overview["data_class"].tolist() == [
        "descriptive",
        "transactional",
        "transactional",
        "attitudinal",
    ]
    assert overview["n_rows"].tolist() == [4, 5, 1, 4]
    assert overview["n_columns"].tolist() == [3, 4, 4, 4]
    assert overview["n_customers"].tolist() == [4, 4, 1, 2]
    # 12 cells less 3; 20; 4 less 1; 16 less 5.
    assert overview["share_filled"].tolist() == pytest.approx([9 / 12, 1, 3 / 4, 11 / 16])


def test_span_of_a_table_is_read_from_its_first_dates_whatever_their_order(tables):
    overview = describe_tables(tables).set_index("table")
    assert overview.loc["orders", "first_on"] == pd.Timestamp("2024-01-07")
    assert overview.loc["orders", "last_on"] == pd.Timestamp("2024-03-01")
    assert overview.loc["tickets", "last_on"] == pd.Timestamp("2024-03-05")
    assert pd.isna(overview.loc["survey", "first_on"])


def test_overview_keeps_its_types_whatever_is_missing(tables):
    whole = describe_tables(tables)
    for part in ({}, {"survey": tables["survey"].drop(columns="customer_id")}):
        overview = describe_tables(part)
        pdt.assert_series_equal(
            overview.dtypes.drop(["table", "data_class", "n_rows", "n_columns"]),
            whole.dtypes.drop(["table", "data_class", "n_rows", "n_columns"]),
        )
    assert describe_tables(part)["n_customers"].isna().all()


def test_table_without_rows_is_filled_to_no_known_degree(tables):
    overview = describe_tables({"orders": tables["orders"].iloc[:0]})
    assert overview["n_rows"].tolist() == [0]
    assert overview["share_filled"].isna().all()
    assert overview["first_on"].isna().all()


def test_columns_are_counted_by_hand(tables):
    columns = describe_columns(tables).set_index(["table", "column"])
    assert columns.loc[("customers", "region"), "n_missing"] == 2
    assert columns.loc[("customers", "region"), "share_filled"] == pytest.approx(0.5)
    assert columns.loc[("customers", "region"), "n_distinct"] == 2
    assert columns.loc[("orders", "customer_id"), "n_distinct"] == 4
    assert columns.loc[("tickets", "closed_at"), "share_filled"] == 0
    assert columns.loc[("orders", "amount"), "dtype"] == "float64"
    assert len(columns) == 15


def test_cells_of_the_columns_add_up_to_those_of_the_tables(tables):
    columns, overview = describe_columns(tables), describe_tables(tables)
    filled = (columns["n_rows"] - columns["n_missing"]).groupby(columns["table"]).sum()
    cells = columns.groupby("table")["n_rows"].sum()
    expected = overview.set_index("table")["share_filled"]
    pdt.assert_series_equal((filled / cells).sort_index(), expected.sort_index(), check_names=False)


def test_keys_repeated_anonymous_and_unknown_are_counted(tables):
    keys = check_keys(tables).set_index("table")
    assert keys["key"].tolist() == ["customer_id", "order_id", "ticket_id", "respondent_id"]
    assert keys["n_repeated"].tolist() == [0, 1, 0, 0]
    assert keys["n_anonymous"].tolist() == [0, 0, 0, 2]
    assert keys["n_unknown"].tolist() == [0, 1, 0, 0]


def test_customers_cannot_be_unknown_without_a_customer_table(tables):
    keys = check_keys({"orders": tables["orders"]})
    assert keys["n_unknown"].isna().all()
    assert keys["n_repeated"].tolist() == [1]


def test_key_of_a_survey_in_waves_is_respondent_and_wave():
    survey = pd.DataFrame({"respondent_id": ["r", "r", "r"], "wave": [1, 2, 2]})
    keys = check_keys({"survey": survey})
    assert keys["key"].tolist() == ["respondent_id, wave"]
    assert keys["n_repeated"].tolist() == [1]
    assert keys["n_anonymous"].isna().all()


def sources(*rows):
    columns = ["table", "origin", "method", "n_rows"]
    return pd.DataFrame(rows, columns=columns)


def test_sources_that_add_up_to_the_table_are_right(tables):
    tables["sources"] = sources(
        ("orders", "own operation", "sales records", 3),
        ("orders", "partner", "telesales", 2),
        ("customers", "purchased", "list", 5),
    )
    found = describe_sources(tables)
    assert found["table"].tolist() == ["orders", "orders", "customers", "tickets", "survey"]
    assert found["n_found"].tolist() == [5, 5, 4, 1, 4]
    assert found["is_documented"].tolist() == [True, True, True, False, False]
    assert found["is_count_right"].tolist() == [True, True, False, pd.NA, pd.NA]


def test_tables_that_name_no_customer_are_counted_too(tables):
    tables["items"] = pd.DataFrame({"item": ["q1", "q2"]})
    tables["sources"] = sources(("items", "purchased", "survey", 2))
    found = describe_sources(tables).set_index("table")
    assert found.loc["items", "is_count_right"]
    assert "sources" not in found.index


@pytest.mark.parametrize(
    "method", ["telesales", "interview", "sales records", "promotion", "survey"]
)
def test_source_of_the_firms_own_keeps_method_and_origin(tables, method):
    tables["sources"] = sources(("orders", "own operation", method, 5))
    found = describe_sources(tables).iloc[0]
    assert (found["origin"], found["method"]) == ("own operation", method)
    assert found["is_count_right"]


def test_source_of_a_table_that_is_not_there_is_shown_without_a_count(tables):
    tables["sources"] = sources(("contacts", "own operation", "promotion", 10))
    found = describe_sources(tables).set_index("table")
    assert found.loc["contacts", "is_documented"]
    assert pd.isna(found.loc["contacts", "n_found"])
    assert pd.isna(found.loc["contacts", "is_count_right"])


def test_tables_without_any_source_are_all_undocumented(tables):
    found = describe_sources(tables)
    assert found["table"].tolist() == ["customers", "orders", "tickets", "survey"]
    assert not found["is_documented"].any()
    assert set(found.columns) >= {column.name for column in TABLES["sources"].columns}


def test_items_are_described_in_their_own_order_and_on_their_own_scale(tables):
    described = describe_items(tables["survey"], tables["items"])
    assert described["item"].tolist() == ["q2", "q1"]
    assert described["n_answers"].tolist() == [2, 3]
    assert described["share_answered"].tolist() == pytest.approx([0.5, 0.75])
    assert described["mean"].tolist() == pytest.approx([4, 8])
    assert described["share_lowest"].tolist() == pytest.approx([0.5, 0])
    assert described["share_highest"].tolist() == pytest.approx([0.5, 2 / 3])


def test_item_nobody_answered_has_no_mean_and_no_ends(tables):
    survey = tables["survey"].assign(q1=float("nan"))
    described = describe_items(survey, tables["items"]).set_index("item")
    assert described.loc["q1", "n_answers"] == 0
    assert described.loc["q1", ["mean", "share_lowest", "share_highest"]].isna().all()
    assert describe_items(survey.iloc[:0], tables["items"])["share_answered"].isna().all()


def test_item_without_a_column_is_refused(tables):
    with pytest.raises(ValueError, match="the item 'q2' of the table items is not a column"):
        describe_items(tables["survey"].drop(columns="q2"), tables["items"])


def test_tables_are_left_as_they_were(tables):
    tables["sources"] = sources(("orders", "own operation", "sales records", 5))
    before = {name: frame.copy(deep=True) for name, frame in tables.items()}
    describe_tables(tables)
    describe_columns(tables)
    check_keys(tables)
    describe_sources(tables)
    describe_items(tables["survey"], tables["items"])
    for name, frame in before.items():
        pdt.assert_frame_equal(tables[name], frame)


def test_sources_picked_from_a_longer_table_are_all_described():
    sources = pd.DataFrame(
        {"table": ["orders", "survey"], "origin": ["purchased"] * 2, "n_rows": [2, 1]}
    )
    survey = pd.DataFrame({"respondent_id": ["r"]})
    described = describe_sources({"survey": survey, "sources": sources[1:]})
    assert described["table"].tolist() == ["survey"]
    assert described["is_count_right"].tolist() == [True]
