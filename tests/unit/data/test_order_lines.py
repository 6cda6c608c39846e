"""Lines of orders become orders: summed exactly, counted, checked line by line, recognised."""

from fractions import Fraction

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from crmlab.cli import app
from crmlab.data import load_dataset
from crmlab.data.loaders import locate
from crmlab.data.loaders.proposal import propose_mapping, write_draft
from crmlab.data.loaders.reading import inspect_source
from crmlab.data.order_lines import sum_lines, take_orders

SAY = "tables: {orders: {one_row_is: order line}}"
HEAD = "order_id,customer_id,ordered_on,n_items,unit_price,channel,sku\n"
LINES = (
    HEAD
    + "1,a,2024-01-05,3,0.1,web,x\n"  # 0.1 + 0.2 would be 0.30000000000000004
    + "2,b,2024-01-06,2,5,web,y\n"
    + "1,,,1,0.2,shop,z\n"  # the customer and the day stand in the first line only
    + "C3,a,2024-01-07,-2,2.35,,x\n"
    + "4,,2024-01-07,1,9,,x\n"  # nobody's
    + "5,b,2024-01-08,1,0,,x\n"  # a gift
)


def write(folder, text=LINES, mapping=SAY, name="orders.csv"):
    (folder / name).write_text(text, "utf-8")
    (folder / "mapping.yaml").write_text(mapping, "utf-8")
    return folder


def test_lines_are_summed_by_hand(tmp_path):
    dataset = load_dataset(write(tmp_path))
    orders = dataset.tables["orders"]
    assert orders["order_id"].tolist() == ["1", "2", "C3"]
    assert orders["amount"].tolist() == [0.5, 10.0, -4.7]
    assert orders["n_items"].tolist() == [4, 2, 2]
    assert orders["customer_id"].tolist() == ["a", "b", "a"]
    assert orders["ordered_on"].dt.day.tolist() == [5, 6, 7]
    assert orders["channel"].fillna("-").tolist() == ["-", "web", "-"]
    assert list(orders) == ["order_id", "customer_id", "ordered_on", "amount", "n_items", "channel"]
    told = pd.concat([dataset.repaired, dataset.left_out])
    assert dict(zip(told["reason"], told["n_rows"], strict=True)) == {
        "order lines summed into orders": 5,
        "columns of order lines that no order has: sku": 1,
        "order lines without a customer": 1,
        "orders whose lines come to 0": 1,
    }
    assert told["reason_zh"].str.contains("[\u4e00-\u9fff]").all()


LINE = st.tuples(st.sampled_from("ab"), st.integers(-99, 99), st.decimals(0, 1000, places=2))


@settings(max_examples=12)
@given(st.lists(LINE, min_size=1, max_size=8))
def test_sum_is_the_float_nearest_to_the_exact_one_in_every_engine(lines):
    table = pd.DataFrame(lines, columns=["order_id", "n_items", "price"])
    table["unit_price"] = table.pop("price").astype("float64")
    table["customer_id"], table["ordered_on"] = "c", pd.Timestamp("2024-01-05")
    exact = {}
    for order, n, price in lines:
        exact[order] = exact.get(order, 0) + n * Fraction(price)
    expected = {order: float(total) for order, total in exact.items() if total}
    before = table.copy()
    for frame in (table, pl.from_pandas(table[::-1]).lazy()):
        orders = take_orders(sum_lines(nw.from_native(frame)))
        orders = orders.collect() if isinstance(orders, nw.LazyFrame) else orders
        got = dict(zip(orders["order_id"].to_list(), orders["amount"].to_list(), strict=True))
        assert got == expected
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("lazy", [False, True])
def test_every_sum_of_cents_is_the_number_one_would_type(lazy):
    cents = np.arange(1, 20_001)
    table = pd.DataFrame(
        {
            "order_id": np.repeat(cents.astype(str), 2),
            "customer_id": "a",
            "ordered_on": pd.Timestamp("2024-01-05"),
            # the cents of an order in two lines
            "amount": np.column_stack([cents // 3, cents - cents // 3]).ravel() / 100,
        }
    )
    orders = sum_lines(nw.from_native(pl.from_pandas(table).lazy() if lazy else table))
    orders = orders.collect() if lazy else orders
    typed = orders["order_id"].to_numpy().astype("int64") / 100
    assert np.array_equal(orders["amount"].to_numpy(), typed)


def test_large_sums_do_not_run_over():
    n = 1000
    table = pd.DataFrame(
        {
            "order_id": "1",
            "customer_id": "a",
            "ordered_on": pd.Timestamp("2024-01-05"),
            "n_items": np.full(n, 10**9 - 1),
            "unit_price": 999.99,
        }
    )
    orders = sum_lines(nw.from_native(table)).to_native()
    assert orders["amount"][0] == float(Fraction(99999, 100) * (10**9 - 1) * n)


def test_margin_missing_in_a_line_is_missing_in_the_order(tmp_path):
    text = "order_id,customer_id,ordered_on,amount,margin\n"
    text += "1,a,2024-01-05,3,1\n1,a,2024-01-05,3,\n2,a,2024-01-05,3,1\n2,a,2024-01-05,1,0.5\n"
    orders = load_dataset(write(tmp_path, text)).tables["orders"]
    assert orders["amount"].tolist() == [6, 4]
    assert orders["margin"].fillna(-1).tolist() == [-1, 1.5]


def test_lines_of_several_days_take_the_first_and_are_counted(tmp_path):
    text = HEAD + "1,a,2024-02-05 23:59,1,1,,\n1,a,2024-02-06,1,1,,\n"
    dataset = load_dataset(write(tmp_path, text))
    assert dataset.tables["orders"]["ordered_on"].tolist() == [pd.Timestamp("2024-02-05")]
    counts = dict(zip(dataset.repaired["reason"], dataset.repaired["n_rows"], strict=True))
    assert counts["orders with lines of several days, of which the first is taken"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "1,a,2024-01-05,1,x,,\n", r"orders\.unit_price, row 1: value 'x' is not allowed"),
        (HEAD + "1,a,2024-01-05,1.5,2,,\n", r"n_items, row 1: value '1\.5' .* a whole number"),
        (HEAD + "1,a,2024-01-05,1,2,,\n1,b,2024-01-05,1,2,,\n",
         r"customer_id, row 2: the order '1' has a line of customer 'b' and another of 'a'"),
        (HEAD + ",a,2024-01-05,1,2,,\n", r"orders\.order_id, row 1: the value is missing"),
        (HEAD + "1,a,2024-01-05,9000000000,2,,\n", r"n_items, row 1: value 9000000000 is not"),
        ("order_id,customer_id,ordered_on,n_items\n1,a,2024-01-05,1\n",
         r"required column 'unit_price' is missing\. Add it, or the amount of each line"),
        # of an order, the row of its first line
        (HEAD + "1,a,2024-01-05,1,2,,\n1,a,2024-01-05,1,2,,\n2,a,2204-01-05,1,2,,\n",
         r"ordered_on, row 3: 2204-01-05 is still to come"),
    ],
)  # fmt: skip
def test_wrong_line_is_refused_with_its_row(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        load_dataset(write(tmp_path, text))


def test_only_orders_have_lines(tmp_path):
    write(tmp_path, mapping="tables: {contacts: {one_row_is: order line}}")
    with pytest.raises(ValueError, match=r"contacts\.one_row_is: only the rows of orders may be"):
        load_dataset(tmp_path)
    write(tmp_path, mapping="tables: {orders: {columns: {unit_price: sku}}}")
    with pytest.raises(ValueError, match=r"orders has no such column"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_scanned_lines_are_the_loaded_ones(tmp_path, engine, suffix):
    text = LINES.replace("order_id", "InvoiceNo").replace("unit_price", "Price")
    say = "tables: {orders: {from: lines.%s, one_row_is: order line, leave_out: [sku], columns: {"
    say += "order_id: InvoiceNo, unit_price: Price, channel: {constant: post}}}}"
    text = text.replace("channel", "way")
    if suffix == "csv":
        write(tmp_path, text, say % suffix, "lines.csv")
    else:
        write(tmp_path, text, say % suffix, "lines.txt")
        table = pd.read_csv(tmp_path / "lines.txt", dtype={"InvoiceNo": str})
        table["ordered_on"] = pd.to_datetime(table["ordered_on"])
        table.to_parquet(tmp_path / "lines.parquet", index=False)
    loaded = load_dataset(tmp_path, engine="pandas")
    scanned = load_dataset(tmp_path, engine=engine)
    assert set(scanned.scanned) == {"orders"}
    table = scanned.scanned["orders"].load().sort_values("order_id", ignore_index=True)
    expected = loaded.tables["orders"]
    pd.testing.assert_frame_equal(table[list(expected)], expected, check_dtype=False)
    assert scanned.n_rows == loaded.n_rows
    assert scanned.observed_to == loaded.observed_to
    kept = ["reason", "n_rows"]
    for told, other in ((scanned.left_out, loaded.left_out), (scanned.repaired, loaded.repaired)):
        mine, theirs = ({tuple(row) for row in t[kept].to_numpy()} for t in (told, other))
        assert mine - {("columns left out: sku", 1)} == {
            row for row in theirs if "columns" not in row[0]
        }


def test_scanned_lines_of_two_customers_are_refused(tmp_path):
    write(tmp_path, HEAD + "1,a,2024-01-05,1,2,,\n1,b,2024-01-05,1,2,,\n")
    with pytest.raises(ValueError, match="the order '1' has a line of customer 'b' and another of"):
        load_dataset(tmp_path, engine="polars")


# The proposal


def propose(folder, rows, head="InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID\n"):
    (folder / "sales.csv").write_text(head + rows)
    return propose_mapping(locate(folder))


def test_lines_are_proposed_where_ids_repeat_with_one_customer_and_day(tmp_path):
    rows = "1,x,2,2010-12-01 08:26:00,2.55,17850\n1,y,1,2010-12-01 08:26:00,3.39,17850\n"
    draft = propose(tmp_path, rows + "2,z,6,2010-12-02 08:28:00,1.85,17851\n")
    spec = draft.content["tables"]["orders"]
    assert spec["one_row_is"] == "order line"
    assert spec["columns"] == {
        "order_id": "InvoiceNo",
        "customer_id": "CustomerID",
        "ordered_on": "InvoiceDate",
        "n_items": "Quantity",
        "unit_price": "UnitPrice",
    }
    result = CliRunner().invoke(app, ["data", "check", str(tmp_path), "--write", "--lang", "zh"])
    assert "各行按订单明细处理并汇总" in result.output
    assert load_dataset(tmp_path).tables["orders"]["amount"].tolist() == [8.49, 11.1]


@pytest.mark.parametrize(
    "rows",
    [
        "1,x,2,2010-12-01,2.55,17850\n1,y,1,2010-12-01,3.39,17851\n",  # two customers
        "1,x,2,2010-12-01,2.55,17850\n1,y,1,2010-12-02,3.39,17850\n",  # two days
        "1,x,2,2010-12-01,2.55,17850\n1,x,2,2010-12-01,2.55,17850\n",  # the same row again
    ],
)
def test_repeated_ids_of_another_kind_are_no_lines(tmp_path, rows):
    draft = propose(tmp_path, rows + "3,y,1,2010-12-02,3.39,17850\n")
    assert "one_row_is" not in draft.content["tables"]["orders"]


def test_total_repeated_in_every_line_is_not_summed(tmp_path):
    head = "order id,item,order date,order total,customer id\n"
    rows = "".join(f"{i // 2},{i},2024-01-05,{10 + i // 2}.50,c\n" for i in range(10))
    draft = propose(tmp_path, rows, head)
    assert "one_row_is" not in draft.content["tables"]["orders"]
    assert any("is it the order's total?" in note for note in draft.notes)


UNNUMBERED = "client,Date,Total\na,2024-01-05,10\na,2024-01-05,10\nb,2024-02-06,7.5\n"


def test_orders_without_a_number_are_proposed_and_numbered(tmp_path):
    draft = propose(tmp_path, UNNUMBERED, head="")
    assert draft.content["tables"]["orders"]["one_row_is"] == "order"
    assert any("no column numbers the orders" in note for note in draft.notes)
    result = CliRunner().invoke(app, ["data", "check", str(tmp_path), "--write", "--lang", "zh"])
    assert "没有订单编号列" in result.output
    dataset = load_dataset(tmp_path)
    assert dataset.tables["orders"]["order_id"].tolist() == ["1", "2", "3"]
    assert dataset.tables["orders"]["amount"].tolist() == [10, 10, 7.5]
    counted = dataset.repaired.set_index("reason")["n_rows"]
    assert counted["no order has a number: each row taken for one order, and numbered"] == 3
    named = load_dataset(tmp_path, engine="polars")
    assert not named.scanned  # rows are numbered as they are read
    pd.testing.assert_frame_equal(named.tables["orders"], dataset.tables["orders"])


def test_numbers_that_are_there_are_kept_and_those_that_are_not_are_asked_for(tmp_path):
    say = "tables: {orders: {one_row_is: order}}"
    text = "order_id,customer_id,ordered_on,amount\n7,a,2024-01-05,10\n"
    assert load_dataset(write(tmp_path, text, say)).tables["orders"]["order_id"].tolist() == ["7"]
    (tmp_path / "mapping.yaml").unlink()
    (tmp_path / "orders.csv").write_text("customer_id,ordered_on,amount\na,2024-01-05,10\n")
    with pytest.raises(ValueError, match="where each row is one order, say `one_row_is: order`"):
        load_dataset(tmp_path)


def test_online_retail_read_as_a_strangers_file_gives_the_orders_of_its_adapter(tmp_path, mirror):
    path = mirror / "online_retail" / "online_retail.csv.gz"
    lines = pl.read_csv(path, infer_schema=False, n_rows=15_000)
    lines = lines.filter(pl.col("InvoiceNo") != lines["InvoiceNo"][-1])  # may go on
    lines.write_csv(tmp_path / "retail.csv")
    draft = propose_mapping(locate(tmp_path))
    write_draft(draft, locate(tmp_path), tmp_path / "mapping.yaml")
    reading = inspect_source(locate(tmp_path))
    assert reading.problems == []
    columns = ["order_id", "customer_id", "ordered_on", "amount"]
    orders = reading.tables["orders"][columns]
    expected = load_dataset("online_retail").tables["orders"][columns]
    both = expected[expected["order_id"].isin(lines["InvoiceNo"].to_list())]
    pd.testing.assert_frame_equal(
        orders.sort_values("order_id", ignore_index=True),
        both.sort_values("order_id", ignore_index=True),
        check_exact=True,
    )
    nobody = lines["CustomerID"].is_null().sum()
    assert ("order lines without a customer", nobody) in {(r[1], r[3]) for r in reading.left_out}
