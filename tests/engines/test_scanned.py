"""Large tables are opened where they lie, checked there, and refused with file, row and column."""

import os
import re
import subprocess
import sys
from functools import partial

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest

from crmlab.atlas.sentences import text_in
from crmlab.data import load_dataset, repeated, scanned
from crmlab.data.engines import ENGINES, collect, scan_table
from crmlab.data.scanned import check_scanned
from crmlab.study.artefacts import OpenStudy, RunContext
from crmlab.study.configuration import StudyError, load_study
from crmlab.value.aggregate import aggregate_orders

END = pd.Timestamp("2024-12-31")
HERE = [engine for engine in ENGINES if engine != "pyspark"]  # it is tested with engines


def make_tables(n=60, seed=4):
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2024-02-01") + pd.to_timedelta(rng.integers(0, 200, n), unit="D")
    orders = pd.DataFrame(
        {
            "order_id": [f"{i:04d}" for i in range(n)],
            "customer_id": pd.Series(rng.choice(["客户1", "客户2", "007"], n), dtype="str"),
            "ordered_on": days.astype("datetime64[us]"),
            "amount": np.round(rng.normal(30, 25, n), 2),
            "n_items": rng.integers(1, 5, n),
            "colour": "red",
        }
    )
    contacts = pd.DataFrame(
        {
            "contact_id": [f"k{i}" for i in range(n)],
            "customer_id": orders["customer_id"],
            "campaign": "spring",
            "channel": "email",
            "contacted_on": orders["ordered_on"],
            "cost": 0.25,
            "is_treated": rng.random(n) < 0.7,
            "has_responded": rng.random(n) < 0.3,
        }
    )
    customers = pd.DataFrame({"customer_id": ["007", "客户1", "客户2"]})
    return {"customers": customers, "orders": orders, "contacts": contacts}


def write_folder(folder, suffix, **changed):
    for name, table in (make_tables() | changed).items():
        if suffix == "csv":
            table.to_csv(folder / f"{name}.csv", index=False)
        else:
            table.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("engine", HERE)
def test_a_scanned_table_holds_what_a_loaded_one_holds(tmp_path, engine, suffix):
    folder = write_folder(tmp_path, suffix)
    loaded = load_dataset(folder, engine="pandas")
    dataset = load_dataset(folder, engine=engine)
    assert set(dataset.scanned) == (set() if engine == "pandas" else {"orders", "contacts"})
    assert dataset.n_rows == loaded.n_rows
    assert (dataset.observed_from, dataset.observed_to) == (
        loaded.observed_from,
        loaded.observed_to,
    )
    assert dataset.files == loaded.files
    assert repr(dataset) == repr(loaded)
    for name in dataset.scanned:
        table, expected = dataset.scanned[name].load(), loaded.tables[name]
        pd.testing.assert_frame_equal(table[list(expected)], expected, check_dtype=False)
    pd.testing.assert_frame_equal(
        aggregate_orders(dataset.scan("orders"), observed_to=END),
        aggregate_orders(loaded.scan("orders"), observed_to=END),
        check_exact=True,
    )


@pytest.fixture
def all_large(monkeypatch):
    """Take every file for one that is too large to be loaded where it is not plain."""
    monkeypatch.setattr(scanned, "LARGE_FILE_BYTES", 0)


def test_scanning_reads_nothing_yet(tmp_path):
    folder = write_folder(tmp_path, "parquet")
    assert isinstance(scan_table(folder / "orders.parquet"), pl.LazyFrame)


def test_large_files_are_scanned_and_small_ones_loaded(tmp_path, monkeypatch):
    folder = write_folder(tmp_path, "csv")
    assert load_dataset(folder).scanned == {}
    size = os.path.getsize(folder / "orders.csv")
    monkeypatch.setattr(scanned, "LARGE_FILE_BYTES", size)
    found = load_dataset(folder).scanned
    assert {name: table.engine for name, table in found.items()} == dict.fromkeys(found, "polars")
    assert "orders" in found
    monkeypatch.setattr(scanned, "LARGE_FILE_BYTES", 10**9)
    assert load_dataset(folder).scanned == {}


@pytest.mark.usefixtures("all_large")
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (
            "amount",
            "1,5",
            r"orders.csv: amount, row 8: value '1,5' is not allowed; .* finite number",
        ),
        ("amount", "nan", r"amount, row 8: value 'nan' is not allowed"),
        ("amount", "1e999", r"amount, row 8: value inf is not allowed; .* not 0. 1 row is so"),
        (
            "amount",
            "0",
            r"amount, row 8: value 0.0 is not allowed; expected a finite number, not 0",
        ),
        ("amount", "", r"amount, row 8: the value is missing; expected a finite number"),
        ("customer_id", "", r"customer_id, row 8: the value is missing; expected text"),
        ("customer_id", "008", r"customer '008' is not in the table customers \(1 customers"),
        ("ordered_on", "5/3/2024", r"ordered_on, row 8: value '5/3/2024' .* a day written YYYY"),
        ("ordered_on", "2024-03-05T10:00Z", r"ordered_on, row 8: value .* without time zone"),
        ("ordered_on", "2024-02-31", r"ordered_on, row 8: value '2024-02-31' is not allowed"),
        ("ordered_on", "2023-02-29", r"ordered_on, row 8: value '2023-02-29' is not allowed"),
        ("ordered_on", "2999-01-01", r"ordered_on: 2999-01-01 is still to come"),
        ("n_items", "2.5", r"n_items, row 8: value '2.5' is not allowed; expected a whole number"),
    ],
)
def test_a_bad_cell_is_refused_with_file_row_and_column(tmp_path, column, value, message):
    orders = make_tables()["orders"].astype("str")
    orders.loc[7, column] = value
    folder = write_folder(tmp_path, "csv", orders=orders)
    with pytest.raises(ValueError, match=message):
        load_dataset(folder, engine="duckdb")


ROWS = "order_id,customer_id,ordered_on,amount\n1,a,2024-01-05,12.5\n2,b,2024-01-06,3\n"
KINDS = "contact_id,customer_id,campaign,channel,contacted_on,cost,is_treated,has_responded\n"
KINDS += "1,a,s,e,2024-01-05,1,是,F\n2,b,s,e,,1,YES,0\n"
# what is odd, the file as it is written; whether it may stay where it lies
ODD = [
    ("carriage returns alone", ROWS.replace("\n", "\r"), False),
    ("carriage returns in the middle", ROWS.replace("5\n2", "5\r2"), False),
    ("blank lines on top", "\n" + ROWS, False),
    ("blank lines below", ROWS + "\n\n", False),
    ("UTF-16", ROWS.encode("utf-16"), False),
    ("GB 18030", ROWS.replace("b", "李四").encode("gb18030"), False),
    ("byte order mark", ROWS.encode("utf-8-sig"), True),
    ("totals below", ROWS + "合计,,,15.5\n", False),
    ("separators at every end", ROWS.replace("\n", ",\n"), False),
    ("compact days", ROWS.replace("-", ""), True),
    ("days and times", ROWS.replace("05,", "05 10:30,"), True),
    ("an hour that is none", ROWS.replace("05,", "05 25:30,"), False),
    ("identifiers as floats", ROWS.replace("a", "12.0").replace("b", "13.0"), False),
    ("an identifier as a float", ROWS.replace("a,2", "12.0,2"), False),
    ("an identifier without its digits", ROWS.replace("b,", "1.2E+05,"), False),
    ("an endless identifier", ROWS.replace("a,2", "y" * 40_000 + ",2"), False),
    ("blanks around", ROWS.replace("b,", " b\t,"), False),
    ("blanks of another script", ROWS.replace("b,", "\u3000b,"), False),
    ("characters of no width", ROWS.replace("b,", "\u200bb,"), False),
    ("a quotation mark after a blank", ROWS.replace("b,", ' "b",'), False),
    ("a quotation mark in a cell", ROWS.replace("b,", 'b"x,'), False),
    ("a line break in a cell", ROWS.replace("b,", '"b\nx",'), True),
    ("a row that begins with #", ROWS.replace("\n1,", "\n#1,"), True),
    ("a row too short", ROWS.replace("t\n", "t,note\n"), False),
    ("blanks in a column of no one", ROWS.replace("t\n", "t,x\n").replace("5\n", "5, x\n")
     .replace(",3\n", ",3, x\n"), True),
    ("full-width digits", ROWS.replace("12.5", "１２．５"), False),
    ("a minus behind", ROWS.replace("12.5", "5-"), False),
    ("whole numbers as floats", ROWS.replace("t\n", "t,n_items\n").replace("5\n", "5,2.0\n")
     .replace(",3\n", ",3,\n"), True),
    ("a number of items too large", ROWS.replace("\n", ",9" + "9" * 19 + "\n")
     .replace("t,9" + "9" * 19, "t,n_items"), False),
    ("NaN for a margin", ROWS.replace("t\n", "t,margin\n").replace("5\n", "5,NaN\n")
     .replace(",3\n", ",3,1\n"), False),
    ("flags in words", KINDS, True),
]  # fmt: skip


def tell(folder, engine):
    """Return what comes of a folder: rows and counts, or that it is refused; what is scanned."""
    try:
        dataset = load_dataset(folder, engine=engine)
    except ValueError:
        return "refused", set()
    (name,) = {*dataset.tables, *dataset.scanned}
    table = collect(nw.from_native(dataset.scan(name)))
    # Which gap a gap is, engines differ in, and whether numbers with gaps are whole.
    table = table[sorted(table)].convert_dtypes().astype("str").fillna("")
    counts = pd.concat([dataset.repaired, dataset.left_out])[["reason", "n_rows"]]
    return (table.to_dict("list"), sorted(map(tuple, counts.to_numpy()))), set(dataset.scanned)


def write_odd(folder, text):
    content = text if isinstance(text, bytes) else text.encode()
    name = "contacts.csv" if text is KINDS else "orders.csv"
    (folder / name).write_bytes(content)


def check_alike(folder, stays):
    """Engines tell of a folder what the loader does, and leave the table where it lies or not."""
    loaded, _ = tell(folder, "pandas")
    for engine in ("polars", "duckdb"):
        found, scanned_tables = tell(folder, engine)
        assert found == loaded
        assert bool(scanned_tables) == stays


@pytest.mark.parametrize(("text", "stays"), [o[1:] for o in ODD], ids=[o[0] for o in ODD])
def test_an_odd_file_is_read_or_refused_alike_whatever_the_engine(tmp_path, text, stays):
    write_odd(tmp_path, text)
    check_alike(tmp_path, stays)


@pytest.mark.usefixtures("all_large")
@pytest.mark.parametrize("text", [o[1] for o in ODD if not o[2]],
                         ids=[o[0] for o in ODD if not o[2]])  # fmt: skip
def test_a_large_file_that_is_odd_is_refused_or_read_alike(tmp_path, text):
    write_odd(tmp_path, text)
    found, _ = tell(tmp_path, "duckdb")
    assert found in ("refused", tell(tmp_path, "pandas")[0])


CELLS = {
    "order_id": ["1", "2"],
    "customer_id": ["a", "b"],
    "ordered_on": pd.to_datetime(["2024-01-05", "2024-01-06"]),
    "amount": [12.5, 3.0],
}
# what is odd, the cells that are so; whether the file may stay where it lies
STORED = [
    ("days as whole numbers", {"ordered_on": [20240105, 20240106]}, True),
    ("days as floats", {"ordered_on": [20240105.0, 20240106.0]}, True),
    ("no day for a number", {"ordered_on": [20240105, 20240231]}, False),
    ("Excel's day numbers", {"ordered_on": [45296, 45297]}, False),
    ("times", {"ordered_on": pd.to_datetime(["2024-01-05 10:30", "2024-01-06 00:00"])}, True),
    ("days as compact text", {"ordered_on": ["20240105", "20240106"]}, True),
    ("days with blanks", {"ordered_on": [" 2024-01-05", "2024-01-06"]}, False),
    ("identifiers as floats", {"customer_id": [7.0, 8.0]}, True),
    ("identifiers with fractions", {"customer_id": [1.5, 2.0]}, False),
    ("identifiers as truth", {"customer_id": [True, False]}, False),
    ("identifiers as bytes", {"customer_id": [b"a", b"b"]}, False),
    ("text of floats", {"customer_id": ["12.0", "13.0"]}, False),
    ("blanks around", {"customer_id": [" a", "b"]}, False),
    ("categories", {"ordered_on": pd.Categorical(["2024-01-05", "2024-01-06"])}, True),
    ("empty text", {"channel": ["web", ""]}, True),
    ("fractions of items", {"n_items": [1.5, 2.0]}, False),
    ("items past counting", {"n_items": np.array([2**63 + 1, 2], "uint64")}, False),
    ("durations", {"amount": pd.to_timedelta([1, 2], unit="s")}, False),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "stays"), [s[1:] for s in STORED], ids=[s[0] for s in STORED])
def test_odd_types_are_read_or_refused_alike_whatever_the_engine(tmp_path, cells, stays):
    pd.DataFrame(CELLS | cells).to_parquet(tmp_path / "orders.parquet")
    check_alike(tmp_path, stays)


@pytest.mark.usefixtures("all_large")
def test_all_bad_cells_are_counted_and_the_first_is_named(tmp_path):
    contacts = make_tables()["contacts"].astype("str")
    contacts.loc[[11, 20, 30], "is_treated"] = "maybe"
    folder = write_folder(tmp_path, "csv", contacts=contacts)
    with pytest.raises(ValueError, match=r"is_treated, row 12: value 'maybe' .* 3 rows are so"):
        load_dataset(folder, engine="polars")


@pytest.mark.usefixtures("all_large")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="amount"), "required column 'amount' is missing; it holds a fin"),
        (lambda t: t.iloc[:0], "it has headings but no rows"),
        (
            lambda t: t.assign(ordered_on=45296),
            "ordered_on, row 1: value 45296 is not allowed",
        ),
        (lambda t: t.assign(amount=t["amount"].where(t.index != 3)), "amount, row 4: the value is"),
        (
            lambda t: t.assign(ordered_on=t["ordered_on"].dt.tz_localize("UTC")),
            "ordered_on is stored as .*UTC.*; expected a day",
        ),
    ],
)
def test_a_bad_parquet_table_is_refused(tmp_path, change, message):
    folder = write_folder(tmp_path, "parquet", orders=change(make_tables()["orders"]))
    with pytest.raises(ValueError, match=message):
        load_dataset(folder, engine="polars")


@pytest.mark.usefixtures("all_large")
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"other_id": "007"}, r"links\.csv: other_id, row 2: value '007' .* another customer"),
        ({"other_id": "gone"}, r"links\.csv: other_id: customer 'gone' is not in the table cust"),
        ({"last_on": "2023-12-31"}, r"last_on, row 2: value '?2023-12-31.* not allowed"),
    ],
)
def test_a_link_that_cannot_be_is_refused_as_when_it_is_loaded(tmp_path, changed, message):
    link = {"customer_id": "007", "other_id": "客户1", "kind": "call", "first_on": "2024-01-01"}
    first, second = link | {"last_on": "2024-02-01"}, link | {"last_on": "", "kind": "referral"}
    folder = write_folder(tmp_path, "csv", links=pd.DataFrame([first, second]))
    assert "links" in load_dataset(folder, engine="polars").scanned
    write_folder(tmp_path, "csv", links=pd.DataFrame([first, second | changed]))
    with pytest.raises(ValueError, match=message):
        load_dataset(folder, engine="polars")
    with pytest.raises(ValueError, match=r"links\.csv: links\."):
        load_dataset(folder, engine="pandas")


def test_lines_that_end_in_two_ways_are_read_by_every_engine(tmp_path):
    path = write_folder(tmp_path, "csv") / "orders.csv"
    head, first, *rows = path.read_text("utf-8").splitlines()
    first = first.replace(",red", ',"a ""deep"" red"')
    path.write_bytes("\n".join([f"{head}\r", f"{first}\r", *rows, ""]).encode())
    (path.parent / "customers.csv").unlink()
    for engine in HERE:
        dataset = load_dataset(path.parent, engine=engine)
        table = collect(nw.from_native(dataset.scan("orders")))
        assert table["colour"].value_counts().to_dict() == {"red": 59, 'a "deep" red': 1}


RENAMED = {"order_id": "单号", "customer_id": "会员", "ordered_on": "日期", "colour": "颜色"}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_mapping_that_only_renames_leaves_the_table_in_its_file(tmp_path, engine, suffix):
    orders = make_tables()["orders"].rename(columns=RENAMED)
    if suffix == "csv":
        orders.to_csv(tmp_path / "销售.csv", index=False, sep=";")
    else:
        orders.to_parquet(tmp_path / "销售.parquet", index=False)
    (tmp_path / "mapping.yaml").write_text(
        f"currency: CNY\ntables:\n  orders:\n    from: 销售.{suffix}\n    delimiter: ';'\n"
        "    leave_out: [颜色]\n    columns: {order_id: 单号, customer_id: 会员, ordered_on: 日期,"
        " channel: {constant: shop}}\n",
        "utf-8",
    )
    loaded = load_dataset(tmp_path, engine="pandas")
    dataset = load_dataset(tmp_path, engine=engine)
    assert set(dataset.scanned) == {"orders"}
    table, expected = dataset.scanned["orders"].load(), loaded.tables["orders"]
    pd.testing.assert_frame_equal(table[list(expected)], expected, check_dtype=False)
    assert dataset.left_out.equals(loaded.left_out)
    assert (dataset.observed_to, dataset.n_rows) == (loaded.observed_to, loaded.n_rows)


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ("tables: {orders: {decimal: ','}}", lambda amount: amount.str.replace(".", ",")),
        ("currency: EUR", lambda amount: "€" + amount),
        ("missing: [none]", lambda amount: amount),
    ],
)
def test_a_table_whose_values_a_mapping_writes_anew_is_loaded(tmp_path, said, change):
    orders = make_tables()["orders"].astype("str")
    folder = write_folder(tmp_path, "csv", orders=orders.assign(amount=change(orders["amount"])))
    (folder / "mapping.yaml").write_text(said)
    dataset = load_dataset(folder, engine="polars")
    assert "orders" not in dataset.scanned
    assert dataset.tables["orders"]["amount"].tolist() == make_tables()["orders"]["amount"].tolist()


def test_headings_are_read_as_when_the_table_is_loaded(tmp_path):
    orders = make_tables()["orders"].rename(columns={"amount": " Amount "})
    folder = write_folder(tmp_path, "csv", orders=orders)
    dataset = load_dataset(folder, engine="polars")
    assert "amount" in dataset.scanned["orders"].load()
    assert "heading 'Amount' read as amount" in dataset.repaired["reason"].tolist()
    write_folder(tmp_path, "csv", orders=orders.assign(amount=1))
    with pytest.raises(ValueError, match="the headings 'amount' and 'Amount' differ only in case"):
        load_dataset(folder, engine="polars")


@pytest.mark.usefixtures("all_large")
@pytest.mark.parametrize("at_a_time", [10**6, 7])
def test_an_identifier_that_is_there_twice_is_refused_with_its_row(
    tmp_path, monkeypatch, at_a_time
):
    monkeypatch.setattr(repeated, "_AT_A_TIME", at_a_time)
    orders = make_tables()["orders"]
    orders.loc[[20, 41, 50], "order_id"] = ["0003", "0019", "0003"]
    folder = write_folder(tmp_path, "csv", orders=orders)
    message = r"orders\.csv: order_id, row 21: '0003' is there already; .* 3 rows are so"
    with pytest.raises(ValueError, match=message):
        load_dataset(folder, engine="polars")


def test_equal_hashes_of_different_keys_are_no_repetition(monkeypatch):
    table = make_tables()["orders"]
    frame = pl.from_pandas(table).lazy()
    numbered = partial(frame.with_row_index, "crmlab_row")
    assert repeated.find_repeated(frame, ["order_id"], numbered) is None
    monkeypatch.setattr(repeated, "_hash", lambda key: pl.col(key[0]).str.slice(3).hash())
    assert repeated.find_repeated(frame, ["order_id"], numbered) is None  # one digit: ten hashes
    twice = pl.concat([frame, frame.tail(1)])
    numbered = partial(twice.with_row_index, "crmlab_row")
    assert repeated.find_repeated(twice, ["order_id"], numbered) == repeated.Repeated(60, "0059", 1)


def test_a_truncated_parquet_file_is_refused(tmp_path):
    path = write_folder(tmp_path, "parquet") / "orders.parquet"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"orders.parquet: it cannot be read"):
        check_scanned("orders", path, engine="polars")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "dask"}, "engine is 'dask'; expected one of polars, duckdb, pyspark, pandas"),
        ({"engine": "duckdb", "master": "spark://h:1"}, "'duckdb' has none; only pyspark does"),
        ({"path": "orders.xlsx"}, "no such Parquet or CSV file"),
    ],
)
def test_what_cannot_be_scanned_is_refused(tmp_path, options, message):
    write_folder(tmp_path, "csv")
    path = tmp_path / options.pop("path", "orders.csv")
    with pytest.raises(ValueError, match=message) as caught:
        scan_table(path, **options)
    assert re.search("[一-龥]{3}", text_in(caught.value, "zh"))


def test_a_data_set_with_a_program_of_its_own_takes_no_engine():
    with pytest.raises(ValueError, match="cdnow: its files are read by a program of its own"):
        load_dataset("cdnow", engine="polars")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "data: sample\nengine: spark",
            r"engine: input should be 'polars', 'duckdb', 'pyspark' or",
        ),
        ("data: sample\nmaster: spark://h:1", r"3: master: only the engine pyspark has a master"),
        ("data: cdnow\nengine: duckdb", r"3: engine: 'cdnow' is loaded by a program of its own"),
        ("data: cdnow\nengine: duckdb\nlanguage: zh", r"3: engine: 'cdnow' 由专用程序载入"),
        ("data: cdno\nlanguage: zh", r"2: data: 'cdno' 既不是目录中的数据集.*是否指 'cdnow'"),
    ],
)
def test_a_study_with_an_engine_that_cannot_be_is_refused(tiny_project, lines, message):
    path = tiny_project / "studies" / "refused.yaml"
    path.write_text(f"title: T\n{lines}\n", encoding="utf-8")
    with pytest.raises(StudyError, match=message):
        load_study(path)


@pytest.mark.xdist_group("tiny")
def test_a_notebook_may_scan_a_table_or_load_it(tiny_project):
    path = tiny_project / "studies" / "scanned.yaml"
    path.write_text("title: T\ndata: ../population\nengine: polars\n", encoding="utf-8")
    study = load_study(path)
    shared = {"root": str(tiny_project), "data": study.data, "language": "en", "seed": 1}
    folders = {"report": "", "output": "", "command": ""}
    context = RunContext(**shared, **folders, engine=study.engine)
    opened = OpenStudy("20_customer_value", context)
    assert opened.has("orders")
    assert isinstance(opened.scan("orders"), pl.LazyFrame)
    assert isinstance(opened.scan("customers"), pd.DataFrame)
    loaded = OpenStudy("20_customer_value", RunContext(**shared, **folders))
    pd.testing.assert_frame_equal(opened.load("orders"), loaded.scan("orders"), check_dtype=False)
    with pytest.raises(ValueError, match="uses 'links' without declaring it"):
        opened.scan("links")


@pytest.mark.xdist_group("tiny")
@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_study_has_the_same_bytes_whatever_the_engine(
    tiny_project, tiny_outcome, kernels, engine
):
    from crmlab.study.runner import run_study

    path = tiny_project / "studies" / f"{engine}.yaml"
    text = f"title: T\ndata: ../population\nseed: 5\nengine: {engine}\n"
    path.write_text(text, encoding="utf-8")
    folder = run_study(path, only="20_customer_value", kernels=kernels).folder
    drawn = sorted((folder / "figures").rglob("*.svg"))
    assert len(drawn) > 5
    for name in (
        "results/20_customer_value.json",
        "tables/rfm.parquet",
        "tables/value_classes.parquet",
        *(path.relative_to(folder) for path in drawn),
    ):
        assert (folder / name).read_bytes() == (tiny_outcome.folder / name).read_bytes()


def test_spark_without_java_says_what_it_needs():
    pytest.importorskip("py4j", reason="PySpark is not installed: crmlab[spark]")
    command = [sys.executable, "-c", "from crmlab.data.engines import start_spark; start_spark()"]
    environment = os.environ | {"JAVA_HOME": "/no/such/folder"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "Spark does not start on this machine" in run.stderr
    assert "it needs Java 17 or newer" in run.stderr
