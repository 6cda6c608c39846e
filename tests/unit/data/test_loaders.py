"""One's own data gives the same tables wherever it lies: files, workbooks, databases."""

import sqlite3

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.data import find_source, fingerprint_dataset, load_dataset
from crmlab.data.export import guard_cells
from crmlab.data.loaders import locate
from crmlab.data.loaders.reading import inspect_source, read_source
from crmlab.data.loaders.writing import guess_days, guess_numbers

ORDERS = pd.DataFrame(
    {
        "order_id": ["0002", "0001"],
        "customer_id": ["b", "a"],
        "ordered_on": ["2024-02-01", "2024-01-05"],
        "amount": [3.1, 12.5],
    }
)
CUSTOMERS = pd.DataFrame({"customer_id": ["a", "b"], "birth_year": [1980, None]})


def write_csv(folder):
    ORDERS.to_csv(folder / "orders.csv", index=False)
    CUSTOMERS.to_csv(folder / "customers.csv", index=False)
    return folder


def write_parquet(folder):
    typed = ORDERS.assign(ordered_on=pd.to_datetime(ORDERS["ordered_on"]).dt.date)
    typed.to_parquet(folder / "orders.parquet")
    CUSTOMERS.to_parquet(folder / "customers.parquet")
    return folder


def write_books(folder):
    typed = ORDERS.assign(ordered_on=pd.to_datetime(ORDERS["ordered_on"]))
    typed.to_excel(folder / "orders.xlsx", index=False)
    CUSTOMERS.to_excel(folder / "customers.xlsx", index=False)
    return folder


def write_one_book(folder):
    with pd.ExcelWriter(folder / "shop.xlsx") as writer:
        ORDERS.to_excel(writer, sheet_name="orders", index=False)
        CUSTOMERS.to_excel(writer, sheet_name="customers", index=False)
    return folder / "shop.xlsx"


def write_sqlite(folder):
    with sqlite3.connect(folder / "shop.db") as connection:
        ORDERS.to_sql("orders", connection, index=False)
        CUSTOMERS.to_sql("customers", connection, index=False)
    connection.close()
    return folder / "shop.db"


def write_duckdb(folder):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE orders (order_id VARCHAR, customer_id VARCHAR, ordered_on DATE, "
            "amount DECIMAL(9, 2))"
        )
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", ORDERS.to_numpy().tolist())
        connection.execute(
            "CREATE VIEW customers AS SELECT 'a' AS customer_id, 1980 AS birth_year "
            "UNION ALL SELECT 'b', NULL"
        )
    return folder / "shop.duckdb"


WAYS = [write_csv, write_parquet, write_books, write_one_book, write_sqlite, write_duckdb]


@pytest.mark.parametrize("write", WAYS)
def test_tables_are_the_same_wherever_they_lie(tmp_path, write):
    (tmp_path / "plain").mkdir()
    expected = load_dataset(write_csv(tmp_path / "plain")).tables
    (tmp_path / "other").mkdir()
    dataset = load_dataset(write(tmp_path / "other"))
    assert list(dataset.tables) == ["customers", "orders"]
    for name, table in dataset.tables.items():
        # A database's rows stand in the order of their key.
        key = list(expected[name].columns)[:1]
        pd.testing.assert_frame_equal(
            table.sort_values(key, ignore_index=True),
            expected[name].sort_values(key, ignore_index=True),
        )
    assert dataset.left_out.empty
    assert dataset.repaired.empty


@pytest.mark.parametrize("write", [write_sqlite, write_duckdb])
def test_rows_of_a_database_stand_in_the_order_of_their_key(tmp_path, write):
    orders = load_dataset(write(tmp_path)).tables["orders"]
    assert orders["order_id"].tolist() == ["0001", "0002"]


@pytest.mark.parametrize("write", WAYS)
def test_fingerprint_changes_when_the_data_changes(tmp_path, write):
    source = write(tmp_path)
    before = fingerprint_dataset(source)
    assert before == fingerprint_dataset(source) == load_dataset(source).files
    path = next(p for p in sorted(tmp_path.iterdir()) if p.name in before)
    path.write_bytes(path.read_bytes() + b" ")
    assert fingerprint_dataset(source) != before


def test_fingerprint_sees_what_sqlite_has_not_moved_into_its_file(tmp_path):
    path = write_sqlite(tmp_path)
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        before = fingerprint_dataset(path)
        file = path.read_bytes()
        writer.execute("UPDATE orders SET amount = 99 WHERE order_id = '0001'")
        writer.commit()
        assert path.read_bytes() == file
        assert fingerprint_dataset(path) != before
        assert load_dataset(path).tables["orders"]["amount"].iloc[0] == 99
    writer.close()


def test_fingerprint_follows_the_mapping(tmp_path):
    write_csv(tmp_path)
    before = fingerprint_dataset(tmp_path)
    (tmp_path / "mapping.yaml").write_text("currency: EUR\n")
    after = fingerprint_dataset(tmp_path)
    assert set(after) - set(before) == {"mapping.yaml"}


def test_view_of_a_duckdb_file_reaches_no_other_file(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    secret = tmp_path / "secret.csv"
    ORDERS.to_csv(secret, index=False)
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(f"CREATE VIEW orders AS FROM read_csv('{secret}')")
    with pytest.raises(ValueError, match="not a DuckDB database that can be read"):
        load_dataset(tmp_path / "shop.duckdb")


# What a text names


def test_mapping_file_can_be_named_in_place_of_the_data(tmp_path):
    (tmp_path / "data").mkdir()
    write_sqlite(tmp_path / "data")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("source: data/shop.db\ncurrency: CNY\ntime_zone: Asia/Shanghai\n")
    dataset = load_dataset(mapping)
    assert (dataset.name, dataset.currency, dataset.card.time_zone) == (
        "shop",
        "CNY",
        "Asia/Shanghai",
    )
    assert list(dataset.files) == ["shop.db", "mapping.yaml"]
    assert load_dataset(tmp_path).files == dataset.files  # the folder holds the mapping


def test_mapping_beside_a_file_holds_only_for_the_file_it_names(tmp_path):
    write_sqlite(tmp_path)
    (tmp_path / "mapping.yaml").write_text("source: other.db\ncurrency: CNY\n")
    assert locate(tmp_path / "shop.db").mapping_file is None
    (tmp_path / "mapping.yaml").write_text("source: shop.db\ncurrency: CNY\n")
    assert load_dataset(tmp_path / "shop.db").currency == "CNY"


def test_study_names_its_data_by_an_absolute_path(tmp_path, monkeypatch):
    write_sqlite(tmp_path)
    (tmp_path / "studies").mkdir()
    found = find_source("../shop.db", tmp_path / "studies")
    monkeypatch.chdir("/")
    assert len(load_dataset(found).tables["orders"]) == 2
    with pytest.raises(
        ValueError, match=r"neither a data set .* nor a folder, a file or a database"
    ):
        find_source("../shopp.db", tmp_path / "studies")


def test_card_and_mapping_must_not_contradict_each_other(tmp_path):
    write_csv(tmp_path)
    (tmp_path / "card.yaml").write_text("currency: EUR\ntime_zone: Europe/Berlin\n")
    assert load_dataset(tmp_path).card.time_zone == "Europe/Berlin"
    (tmp_path / "mapping.yaml").write_text("currency: USD\n")
    with pytest.raises(ValueError, match=r"currency is 'EUR', but 'USD' in .*mapping\.yaml; say"):
        load_dataset(tmp_path)
    (tmp_path / "mapping.yaml").unlink()
    (tmp_path / "card.yaml").write_text("time_zone: Berlin\n")
    with pytest.raises(ValueError, match="time_zone must be a name such as Asia/Shanghai"):
        load_dataset(tmp_path)


# A mapping at work


def test_mapping_brings_a_strangers_workbook_to_our_tables(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "一月"
    for row in [
        ["销售报表", None, None, None, None],
        ["订单编号", "会员号", "下单日期", "实付金额", "手机"],
        [1001, "0017", 45296, "¥1,250.00", "139"],
        [1002, "0018", 45297, "-", "138"],
    ]:
        sheet.append(row)
    workbook.create_sheet("说明").append(["x"])
    workbook.save(tmp_path / "销售.xlsx")
    (tmp_path / "mapping.yaml").write_text(
        "currency: CNY\ntables:\n  orders:\n    from: 销售.xlsx\n    sheet: 一月\n"
        "    heading_row: 2\n    thousands: ','\n    dates: serial\n    missing: ['-']\n"
        "    columns:\n"
        "      order_id: 订单编号\n      customer_id: 会员号\n      ordered_on: 下单日期\n"
        "      margin: 实付金额\n      amount: {constant: '10'}\n      channel: {constant: 门店}\n"
        "    leave_out: [手机]\n",
        "utf-8",
    )
    dataset = load_dataset(tmp_path)
    orders = dataset.tables["orders"]
    assert orders["order_id"].tolist() == ["1001", "1002"]
    assert orders["ordered_on"].tolist() == [pd.Timestamp("2024-01-05"), pd.Timestamp("2024-01-06")]
    assert orders["margin"].fillna(-1).tolist() == [1250.0, -1.0]
    assert orders["amount"].tolist() == [10.0, 10.0]
    assert set(orders["channel"]) == {"门店"}
    assert "手机" not in orders
    counts = dict(zip(dataset.repaired["reason"], dataset.repaired["n_rows"], strict=True))
    assert counts["ordered_on: a spreadsheet's day numbers read as days"] == 2
    assert counts["margin: read as missing where - stands"] == 1
    # The other sheet has a heading and no row.
    assert dataset.left_out["reason"].tolist() == ["columns left out: 手机"]


def test_every_problem_is_told_with_its_rows_and_the_first_is_refused(tmp_path):
    (tmp_path / "orders.csv").write_text(
        "order_id,customer_id,ordered_on,amount\n1,a,2024-01-05,x\n1,,2024-01-05\n\n2,b,soon,y\n"
        "1,a,2024-01-06,0\n"
    )
    reading = inspect_source(locate(tmp_path))
    told = [(p.column, p.found, (p.rows + 1).tolist()) for p in reading.problems]
    assert told == [
        ("", "has 3 cells", [2]),
        ("ordered_on", "value 'soon' is not allowed", [4]),
        ("amount", "value 'x' is not allowed", [1, 4]),
        ("amount", "value 0.0 is not allowed", [5]),
        ("order_id", "'1' is there already", [5]),
    ]
    with pytest.raises(ValueError, match=r"orders\.csv: orders, row 2: has 3 cells"):
        read_source(locate(tmp_path))


# How values are written


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["2024-01-05", "2024-12-31"], ["%Y-%m-%d"]),
        (["2024年1月5日"], ["%Y年%m月%d日"]),
        (["31.12.2024 23:59"], ["%d.%m.%Y %H:%M"]),
        (["1/13/2024 1:05:00 PM"], ["%m/%d/%Y %I:%M:%S %p"]),
        (["01/02/2024", "03/04/2024"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["45296", "45300"], ["serial"]),
        (["A17", "B4"], []),
    ],
)
def test_writing_of_days_is_guessed_where_it_can_be_told(values, formats):
    assert guess_days(pd.Series(values))[0] == formats


@pytest.mark.parametrize(
    ("values", "writings", "currencies"),
    [
        (["1.5", "-20"], [], []),
        (["1.234,50", "2"], [(",", ".")], []),
        (["1 234,50", "2"], [(",", " ")], []),
        (["1'234.50"], [(".", "'")], []),
        (["3,5", "12,25"], [(",", None)], []),
        (["£1,250.00", "-£3"], [(".", ",")], ["GBP"]),
        (["¥5", "￥6"], [], ["CNY", "JPY"]),
    ],
)
def test_writing_of_numbers_is_guessed_where_it_can_be_told(values, writings, currencies):
    assert guess_numbers(pd.Series(values))[:2] == (writings, currencies)


# What leaves as CSV

TEXTS = st.text(st.sampled_from("=+-@ \t\rab1.'%"), max_size=6)


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_no_cell_is_computed_by_a_spreadsheet(cells):
    frame = pd.DataFrame({"text": pd.Series(cells, dtype="object"), "n": np.arange(len(cells))})
    before = frame.copy()
    guarded = guard_cells(frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_series_equal(guarded["n"], frame["n"])
    for given_text, text in zip(cells, guarded["text"], strict=True):
        assert text in (given_text, f"'{given_text}")
        if text.strip(" ")[:1] in ("=", "@") and len(text.strip()) > 1:
            raise AssertionError(text)
