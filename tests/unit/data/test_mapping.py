"""A mapping file says what it may say, and is refused with key and nearest name."""

import re

import pytest

from crmlab.data.mapping import load_mapping


def load(tmp_path, text):
    path = tmp_path / "mapping.yaml"
    path.write_text(text, "utf-8")
    return load_mapping(path)


def test_table_speaks_for_its_columns_and_a_column_for_itself(tmp_path):
    mapping = load(
        tmp_path,
        "tables: {orders: {dates: '%d.%m.%Y', decimal: ',', columns: "
        "{amount: Betrag, margin: {from: Marge, decimal: '.'}}}}",
    )
    specs = mapping.tables["orders"].specs
    assert specs["amount"].from_ == "Betrag"
    assert (specs["amount"].decimal, specs["margin"].decimal) == (",", ".")
    assert {spec.dates for spec in specs.values()} == {"%d.%m.%Y"}


def test_texts_stay_as_they_are_written(tmp_path):
    text = "missing: [NA, 0, no]\ntables: {customers: {columns: {gender: "
    text += "{from: 007, values: {yes: male, 1: female, on: other}}}}}"
    mapping = load(tmp_path, text)
    gender = mapping.tables["customers"].specs["gender"]
    assert mapping.missing == ["NA", "0", "no"]
    assert gender.from_ == "007"
    assert gender.model_dump()["values"] == {"yes": "male", "1": "female", "on": "other"}


def test_key_without_a_value_says_nothing(tmp_path):
    mapping = load(tmp_path, "currency:\ntables:\n  orders:\n    from:\n")
    assert mapping.currency is None
    assert mapping.tables["orders"].from_ is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("just words", "expected lines of “key: value” with the keys source, currency"),
        ("tables: [", "not a YAML file that can be read"),
        ("tabels: {}", "tabels: no key is called so; did you mean 'tables'"),
        ("tables: {order: {}}", "tables.order: no table is called so; did you mean 'orders'"),
        ("tables: {orders: {colums: {}}}", "tables.orders.colums: .* did you mean 'columns'"),
        (
            "tables: {orders: {columns: {amount: {form: x}}}}",
            "tables.orders.columns.amount.form: no key is called so; did you mean 'from'",
        ),
        (
            "tables: {orders: {columns: {amuont: x}}}",
            "tables.orders.columns.amuont: orders has no such column; did you mean 'amount'",
        ),
        ("tables: {orders: {columns: {amount: {}}}}", "expected either from .* or constant"),
        ("tables: {orders: {dates: dd.mm.yyyy}}", "orders.dates: 'dd.mm.yyyy' says no day"),
        ("tables: {orders: {decimal: ',', thousands: ','}}", "decimal and thousands are both ','"),
        ("tables: {orders: {heading_row: 0}}", "orders.heading_row: .* greater than or equal to 1"),
        ("tables: {orders: {encoding: utf9}}", "orders.encoding: no encoding is called 'utf9'"),
        ("time_zone: Mars/Base", "time_zone: no time zone is called 'Mars/Base'"),
        ("currency: yuan", "currency: .*, found 'yuan'"),
        ("currency: EUR\ncurrency: USD", "line 2: currency is given twice"),
    ],
)
def test_wrong_mapping_is_refused_with_key_and_nearest_name(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        load(tmp_path, text)
    assert all(re.match(r".*mapping\.yaml: ", line) for line in str(caught.value).splitlines()[:1])


def test_mapping_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_bytes("tables: {orders: {from: 销售.csv}}".encode("gbk"))
    with pytest.raises(ValueError, match=r"not in UTF-8\. Save it again as UTF-8"):
        load_mapping(path)
