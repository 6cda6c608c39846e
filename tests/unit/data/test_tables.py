"""A table passes the check unharmed, or is refused with the place and the cure."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.atlas import term
from crmlab.data.columns import find_table
from crmlab.data.tables import (
    TABLES,
    check_table,
    check_tables,
    describe_table,
    inspect_table,
)

COLUMNS = [(table, column) for table in TABLES.values() for column in table.columns]


@pytest.fixture
def orders():
    return pd.DataFrame(
        {
            "order_id": ["1", "2", "3"],
            "customer_id": ["a", "b", "b"],
            "ordered_on": pd.to_datetime(["2024-01-05", "2024-02-01", "2024-02-03"]),
            "amount": [12.5, 40.0, -2.5],
        }
    )


@pytest.fixture
def items():
    return pd.DataFrame(
        {
            "item": ["q1", "q2"],
            "construct": ["satisfaction", "loyalty"],
            "text_en": ["How satisfied are you?", "Will you come again?"],
            "text_zh": ["您有多满意？", "您会再来吗？"],
            "minimum": [1.0, 0.0],
            "maximum": [10.0, 10.0],
        }
    )


@pytest.fixture
def survey():
    return pd.DataFrame(
        {"respondent_id": ["r1", "r2"], "q1": [1.0, np.nan], "q2": [0.0, 10.0], "note": ["", "x"]}
    )


# --- description


def test_tables_stand_in_the_order_a_reader_meets_them():
    assert list(TABLES) == [
        "customers",
        "orders",
        "contacts",
        "survey",
        "items",
        "tickets",
        "requests",
        "links",
        "activity",
        "accounts",
        "staff",
        "sources",
        "truth",
        "records",
        "record_truth",
    ]


def test_tables_cannot_be_changed():
    with pytest.raises(TypeError):
        TABLES["orders"] = None


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: value.name)
def test_column_is_described_in_two_languages_and_named_after_its_kind(table, column):
    assert column.meaning_en
    assert any("\u4e00" <= letter <= "\u9fff" for letter in column.meaning_zh)
    if column.unit:
        assert term(column.unit).kind == "unit"
    starts = column.name.startswith(("is_", "has_"))
    assert starts == (column.kind == "flag")
    if column.kind == "day" and table.name != "sources":
        assert column.name.endswith("_on")
    if column.kind == "instant":
        assert column.name.endswith("_at")


@pytest.mark.parametrize("name", TABLES)
def test_description_has_a_row_for_each_column(name):
    description = describe_table(name)
    assert description.columns.tolist() == [
        "column",
        "meaning_en",
        "meaning_zh",
        "unit",
        "range",
        "required",
    ]
    assert description["column"].tolist() == [column.name for column in TABLES[name].columns]
    assert description["required"].any()


def test_unknown_table_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="no table is called 'tikets'; did you mean 'tickets'"):
        describe_table("tikets")
    with pytest.raises(ValueError, match="no table is called 'zz'; expected one of customers, ord"):
        find_table("zz")


# --- conversion


def test_good_table_comes_back_equal_and_the_given_one_is_unchanged(orders):
    given_orders = orders.set_index(pd.Index([7, 7, 9]))
    before = given_orders.copy()
    checked = check_table("orders", given_orders)
    pd.testing.assert_frame_equal(given_orders, before)
    assert checked.index.tolist() == [0, 1, 2]
    expected = orders.astype({"order_id": "str", "customer_id": "str"})
    expected["ordered_on"] = expected["ordered_on"].astype("datetime64[us]")
    pd.testing.assert_frame_equal(checked, expected)
    checked.loc[0, "amount"] = 99.0
    pd.testing.assert_frame_equal(given_orders, before)


def test_checking_twice_changes_nothing(orders):
    once = check_table("orders", orders)
    pd.testing.assert_frame_equal(check_table("orders", once), once)


@pytest.mark.parametrize(
    ("column", "given_values", "expected"),
    [
        ("customer_id", [1, 2, 3], ["1", "2", "3"]),
        ("customer_id", [17.0, 2.0, 3.0], ["17", "2", "3"]),
        ("customer_id", [" 007", "8", "x"], ["007", "8", "x"]),
        ("amount", ["3.50", "-1", "1e3"], [3.5, -1.0, 1000.0]),
        ("amount", [3, -1, 1], [3.0, -1.0, 1.0]),
        ("n_items", ["1", "", "3"], [1, None, 3]),
        ("n_items", [1.0, np.nan, 3.0], [1, None, 3]),
        ("margin", ["", None, "2"], [np.nan, np.nan, 2.0]),
    ],
)
def test_values_are_brought_to_the_columns_kind(orders, column, given_values, expected):
    checked = check_table("orders", orders.assign(**{column: given_values}))[column]
    spec = {column.name: column for column in TABLES["orders"].columns}[column]
    pd.testing.assert_series_equal(checked, pd.Series(expected, dtype=spec.dtype, name=column))


@pytest.mark.parametrize(
    "days",
    [
        ["2024-01-05", "2024-02-01", "2024-02-03"],
        ["2024-01-05 23:59", "2024-02-01T00:00:01", "2024-02-03"],
        ["20240105", "20240201", "20240203"],
        [20240105, 20240201, 20240203],
        [dt.date(2024, 1, 5), dt.date(2024, 2, 1), dt.date(2024, 2, 3)],
        pd.Categorical(["2024-01-05", "2024-02-01", "2024-02-03"]),
        pd.to_datetime(["2024-01-05", "2024-02-01", "2024-02-03"]).as_unit("s"),
    ],
    ids=["text", "with time", "compact", "number", "date", "category", "seconds"],
)
def test_days_are_read_from_any_iso_form(orders, days):
    checked = check_table("orders", orders.assign(ordered_on=days))["ordered_on"]
    expected = pd.Series(orders["ordered_on"], dtype="datetime64[us]")
    pd.testing.assert_series_equal(checked, expected)


@pytest.mark.parametrize(
    "flags", [[True, False], [1, 0], [1.0, 0.0], ["yes", "No"], ["TRUE", "false"], ["1", "0"]]
)
def test_flags_are_read_from_words_and_numbers(flags):
    frame = pd.DataFrame({"customer_id": ["a", "b"], "is_business": flags})
    checked = check_table("customers", frame)["is_business"]
    assert checked.dtype == bool
    assert checked.tolist() == [True, False]


def test_empty_table_passes_with_its_dtypes(orders):
    checked = check_table("orders", orders.iloc[:0])
    assert len(checked) == 0
    assert checked["amount"].dtype == "float64"
    assert checked["ordered_on"].dtype == "datetime64[us]"


def test_unknown_columns_are_kept_behind_the_known(orders):
    frame = orders.assign(shop=["x", "y", "z"])[["shop", *orders.columns]]
    assert check_table("orders", frame).columns.tolist() == [*orders.columns, "shop"]


def test_table_of_columns_in_another_order_comes_back_in_the_tables(orders):
    frame = orders[orders.columns[::-1]]
    assert check_table("orders", frame).columns.tolist() == orders.columns.tolist()


@given(
    amounts=st.lists(st.floats(-1e9, 1e9).filter(lambda value: value != 0), min_size=1, max_size=20)
)
def test_any_amounts_but_zero_survive_a_trip_through_text(amounts):
    frame = pd.DataFrame(
        {
            "order_id": range(len(amounts)),
            "customer_id": "a",
            "ordered_on": "2024-01-05",
            "amount": [repr(amount) for amount in amounts],
        }
    )
    assert check_table("orders", frame)["amount"].tolist() == amounts


# --- refusals of one table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"amount": [1, 0, 0]},
            r"^orders\.amount, rows 2, 3: value 0\.0 is not allowed; expected not 0\. "
            r"Correct these rows or leave them out\.$",
        ),
        (
            {"amount": ["1", "1,5", "2"]},
            r"^orders\.amount, row 2: value '1,5' is not allowed; expected a finite number\. "
            r"Correct the values or leave these rows out\. Or say in mapping\.yaml how",
        ),
        ({"amount": [1, np.inf, 2]}, r"orders\.amount, row 2: value inf is not allowed"),
        (
            {"amount": [1, 2, None]},
            r"^orders\.amount, row 3: the value is missing; expected a finite number in every "
            r"row\. Fill these rows or leave them out\.$",
        ),
        ({"amount": [True, False, True]}, "rows 1, 2, 3: value True is not allowed"),
        ({"amount": pd.to_datetime(["2024-01-05"] * 3)}, "expected a finite number"),
        ({"customer_id": ["a", "", "b"]}, r"orders\.customer_id, row 2: the value is missing"),
        (
            {"order_id": ["1", "2", "1"]},
            r"^orders\.order_id, row 3: '1' is there already; expected one row for an order or a "
            r"return\. Remove the repeated rows or give each its own\.$",
        ),
        (
            {"ordered_on": ["2024-01-05", "05/01/2024", "2024-02-30"]},
            r"ordered_on, rows 2, 3: value '05/01/2024' is not allowed; expected a day written "
            "YYYY-MM-DD, without time zone",
        ),
        ({"ordered_on": [45296, 45323, 45325]}, "rows 1, 2, 3: value 45296 is not allowed"),
        ({"ordered_on": [1.5, 2.5, 3.5]}, r"value 1\.5 is not allowed; expected a day"),
        ({"ordered_on": ["2024-01-05", "2024-01-05T08:00:00+08:00", ""]}, "row 2: value '2024-01"),
        ({"ordered_on": ["2024-01-05", "2024-01-05T08:00:00Z", ""]}, "without time zone"),
        (
            {"ordered_on": pd.to_datetime(["2024-01-05"] * 3, utc=True)},
            r"the values carry the time zone UTC; expected local time .* \(\.dt\.tz_localize",
        ),
        ({"n_items": [1, 1.5, 2]}, r"orders\.n_items, row 2: value 1\.5 is not allowed; expected"),
        ({"n_items": [1, 2, 1e20]}, r"orders\.n_items, row 3: .* expected a whole number"),
        ({"n_items": ["1", "two", "3"]}, "value 'two' .* Correct the values or leave them empty"),
    ],
)
def test_wrong_values_are_refused_with_place_and_cure(orders, change, message):
    with pytest.raises(ValueError, match=message):
        check_table("orders", orders.assign(**change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"gender": ["female", "F"]},
            r"customers\.gender, row 2: value 'F' is not allowed; expected female \| male \| other",
        ),
        ({"birth_year": [1980, 1880]}, r"row 2: value 1880 is not allowed; expected 1900\.\.2030"),
        ({"cost_to_serve": [-0.01, 1]}, r"row 1: value -0\.01 is not allowed; expected >= 0"),
        ({"is_business": ["yes", "maybe"]}, "row 2: value 'maybe' .*; expected true or false"),
        ({"is_business": [True, None]}, "row 2: the value is missing; expected true or false"),
        ({"is_business": [0, 2]}, "row 2: value 2 is not allowed; expected true or false"),
    ],
)
def test_customers_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        check_table("customers", pd.DataFrame({"customer_id": ["a", "b"]} | change))


def test_many_wrong_rows_are_counted_and_the_first_named():
    frame = pd.DataFrame(
        {
            "order_id": range(20),
            "customer_id": "a",
            "ordered_on": "2024-01-05",
            "amount": [1.0] * 5 + [0.0] * 15,
        }
    )
    with pytest.raises(ValueError, match=r"rows 6, 7, 8, 9, 10, 11, 12, 13, \.\.\. \(15 rows\)"):
        check_table("orders", frame)


def test_missing_column_is_refused_with_the_nearest_name(orders):
    with pytest.raises(
        ValueError,
        match=r"^orders: the required column 'amount' is missing\. Its nearest name in the table "
        r"is 'Amuont': rename it to 'amount'\.$",
    ):
        check_table("orders", orders.rename(columns={"amount": "Amuont"}))
    with pytest.raises(ValueError, match=r"'amount' is missing\. Add it; it holds a finite number"):
        check_table("orders", orders.drop(columns="amount"))


def test_column_given_twice_is_refused(orders):
    twice = pd.concat([orders, orders[["amount"]]], axis=1)
    with pytest.raises(ValueError, match="orders: column 'amount' appears more than once"):
        check_table("orders", twice)


def test_what_is_no_frame_is_refused():
    with pytest.raises(ValueError, match="orders: expected a pandas DataFrame, got list"):
        check_table("orders", [1, 2])


def test_respondent_may_answer_once_in_each_wave():
    frame = pd.DataFrame({"respondent_id": ["r1", "r1"], "wave": [1, 2]})
    assert len(check_table("survey", frame)) == 2
    with pytest.raises(ValueError, match=r"survey\.respondent_id and wave, row 2: 'r1, 1' is the"):
        check_table("survey", frame.assign(wave=1))
    with pytest.raises(ValueError, match=r"survey\.respondent_id, row 2: 'r1' is there already"):
        check_table("survey", frame.drop(columns="wave"))


# --- tables together


def test_customers_must_be_known_where_that_table_is_there(orders):
    customers = pd.DataFrame({"customer_id": ["a"]})
    assert list(check_tables({"orders": orders})) == ["orders"]
    with pytest.raises(
        ValueError,
        match=r"^orders\.customer_id, rows 2, 3: customer 'b' is not in the table customers\. "
        "Add the customer there, or leave these rows out",
    ):
        check_tables({"orders": orders, "customers": customers})


def test_anonymous_respondent_needs_no_customer(survey):
    frame = survey.assign(customer_id=["a", None])
    tables = check_tables({"survey": frame, "customers": pd.DataFrame({"customer_id": ["a"]})})
    assert list(tables) == ["customers", "survey"]
    assert tables["survey"]["customer_id"].isna().tolist() == [False, True]


def test_answers_are_checked_against_the_items(survey, items):
    tables = check_tables({"items": items, "survey": survey.assign(q2=["0", "10"])})
    assert tables["survey"]["q2"].dtype == "float64"
    assert tables["survey"]["note"].tolist() == ["", "x"]
    with pytest.raises(
        ValueError,
        match=r"survey\.q1, row 1: value 0 is not allowed; expected 1\.\.10 as items says",
    ):
        check_tables({"items": items, "survey": survey.assign(q1=[0, 5])})
    with pytest.raises(ValueError, match=r"survey\.q2, row 2: value 11 .* expected 0\.\.10"):
        check_tables({"items": items, "survey": survey.assign(q2=[5, 11])})
    with pytest.raises(ValueError, match=r"survey\.q1, row 2: value 'often' is not allowed"):
        check_tables({"items": items, "survey": survey.assign(q1=["1", "often"])})


def test_item_without_a_column_is_refused_with_the_nearest_one(survey, items):
    with pytest.raises(
        ValueError, match="the item 'q1' of the table items is not a column; the nearest is 'Q_1'"
    ):
        check_tables({"items": items, "survey": survey.rename(columns={"q1": "Q_1"})})
    with pytest.raises(
        ValueError, match=r"is not a column\. Add it, or take the item out of items"
    ):
        check_tables({"items": items, "survey": survey[["respondent_id"]]})


def test_item_cannot_take_the_name_of_another_column(items):
    with pytest.raises(ValueError, match=r"items\.item, row 2: 'wave' is a column of survey with"):
        check_tables({"items": items.assign(item=["q1", "wave"])})


def test_scale_must_have_two_ends(items):
    with pytest.raises(
        ValueError, match=r"items\.minimum, row 2: item 'q2' runs from 10 to 10; expected minimum"
    ):
        check_tables({"items": items.assign(minimum=[1, 10])})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"other_id": ["b", "z"]},
            r"^links\.other_id, row 2: customer 'z' is not in the table cus",
        ),
        (
            {"other_id": ["a", "b"]},
            r"^links\.other_id, row 1: customer 'a' is linked to themselves",
        ),
        (
            {"last_on": ["2024-01-04", "2024-02-01"]},
            r"^links\.last_on, row 1: .* is before first_on",
        ),
        ({"kind": ["call", "wink"]}, r"^links\.kind, row 2: value 'wink' is not allowed; expected"),
        ({"n_calls": [0, 2]}, r"^links\.n_calls, row 1: value 0 is not allowed; expected >= 1"),
        (
            {"customer_id": ["a", "a"], "other_id": ["b", "b"]},
            r"^links\.customer_id and other_id and kind, row 2: 'a, b, call' is there already",
        ),
    ],
)
def test_links_that_cannot_be_are_refused(change, message):
    customers = pd.DataFrame({"customer_id": ["a", "b", "c"]})
    links = pd.DataFrame(
        {
            "customer_id": ["a", "c"],
            "other_id": ["b", "b"],
            "kind": "call",
            "n_calls": [3, 2],
            "first_on": "2024-01-05",
            "last_on": "2024-02-01",
        }
    )
    check_tables({"customers": customers, "links": links})
    with pytest.raises(ValueError, match=message):
        check_tables({"customers": customers, "links": links.assign(**change)})


def test_ticket_cannot_close_before_it_opens():
    tickets = pd.DataFrame(
        {
            "ticket_id": ["t1", "t2"],
            "customer_id": "a",
            "opened_at": ["2024-01-05 10:00", "2024-01-05 10:00"],
            "closed_at": [None, "2024-01-05 09:59"],
            "channel": "email",
            "category": "delivery",
            "is_complaint": True,
            "first_response_hours": [None, 0.5],
            "recovery_score": None,
        }
    )
    with pytest.raises(
        ValueError, match=r"tickets\.closed_at, row 2: 2024-01-05 09:59:00 is before opened_at"
    ):
        check_tables({"tickets": tickets})
    checked = check_tables({"tickets": tickets.iloc[:1]})["tickets"]
    assert checked["closed_at"].dtype == "datetime64[us]"
    assert checked["recovery_score"].dtype == "float64"


def test_unknown_table_among_tables_is_refused(orders):
    with pytest.raises(ValueError, match="no table is called 'order'; did you mean 'orders'"):
        check_tables({"order": orders})


def test_given_tables_are_left_unchanged(orders, survey, items):
    tables = {"survey": survey, "items": items, "orders": orders}
    before = {name: frame.copy() for name, frame in tables.items()}
    check_tables(tables)
    assert list(tables) == ["survey", "items", "orders"]
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, before[name])


@pytest.mark.parametrize(
    "day",
    ["2024-01-05T01+05:00", "2024-01-05T10Z", "20240105T1000+0500", "2024-01-05 10:00 -08:00"],
)
def test_time_zone_is_refused_however_it_is_written(orders, day):
    with pytest.raises(ValueError, match=r"ordered_on, row 1: .* without time zone"):
        check_table("orders", orders.assign(ordered_on=[day, "2024-02-01", "2024-02-03"]))


def test_identifiers_too_large_for_a_float_are_refused(orders):
    lost = orders.assign(customer_id=[2.0**60, 2.0**60 + 1, 1.0])
    with pytest.raises(ValueError, match=r"customer_id, rows 1, 2: .* expected text"):
        check_table("orders", lost)


def test_categories_of_numbers_with_gaps_are_read(orders):
    n_items = check_table("orders", orders.assign(n_items=pd.Categorical([2, None, 1])))["n_items"]
    assert n_items.dtype == "Int64"
    assert n_items.isna().tolist() == [False, True, False]


def test_rows_with_a_gap_in_their_key_are_missing_it_and_not_repeated():
    orders = pd.DataFrame(
        {"order_id": ["1", None, None], "customer_id": "a", "ordered_on": "2024-01-05", "amount": 1}
    )
    _, problems, _ = inspect_table("orders", orders)
    assert [(p.column, p.found, p.rows.tolist()) for p in problems] == [
        ("order_id", "the value is missing", [1, 2])
    ]
