"""From files to tables: the real data sets against their published counts, folders of one's own.

Real data is read where CRMLAB_MIRROR points; without it those tests are skipped.
"""

import csv
import gzip
from collections import defaultdict
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from crmlab.data import load_dataset
from crmlab.data.adapters import cdnow, count_left_out, online_retail
from crmlab.data.loaders import locate
from crmlab.data.loaders.reading import read_source

HEADING = "order_id,customer_id,ordered_on,amount,n_items\n"


def left_out_of(dataset):
    return dict(zip(dataset.left_out["reason"], dataset.left_out["n_rows"], strict=True))


# CDNOW


def test_cdnow_free_orders_are_counted_and_still_date_the_customer(tmp_path):
    path = tmp_path / "CDNOW_sample.txt"
    path.write_bytes(
        b" 00004 0001 19970118  2   29.73\r\n 00004 0001 19970101  1    0.00\r\n"
        b" 00018 0002 19970105  1    0.00\r\n 00004 0001 19970118  1   14.96\r\n"
    )
    tables, left_out = cdnow.read({path.name: path})
    assert tables["orders"]["order_id"].tolist() == ["00001", "00004"]
    assert tables["orders"]["amount"].tolist() == [29.73, 14.96]
    assert tables["customers"]["customer_id"].tolist() == ["00004", "00018"]
    assert tables["customers"]["joined_on"].tolist() == [
        pd.Timestamp("1997-01-01"),
        pd.Timestamp("1997-01-05"),
    ]
    assert tables["customers"]["sample_id"].tolist() == ["0001", "0002"]
    assert count_left_out(left_out)["n_rows"].tolist() == [2]


@pytest.mark.usefixtures("mirror")
def test_cdnow_sample_has_the_published_customers_and_rows():
    dataset = load_dataset("cdnow")
    orders, customers = dataset.tables["orders"], dataset.tables["customers"]
    assert len(customers) == 2357  # Fader, Hardie & Lee 2005
    assert len(orders) + 8 == 6919
    assert left_out_of(dataset) == {"orders of 0 dollars: an order's amount must not be 0": 8}
    assert customers["joined_on"].max() <= pd.Timestamp("1997-03-31")


@pytest.mark.usefixtures("mirror")
def test_cdnow_sample_gives_the_published_numbers_of_repeat_buyers():
    # Customers by days with a repeat order in the 39 weeks to 1997-09-30: 0, 1, ..., 6, 7 or more.
    # Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284, doi:10.1287/mksc.1040.0098.
    tables = load_dataset("cdnow").tables
    orders = tables["orders"].merge(tables["customers"], on="customer_id")
    is_repeat = (orders["ordered_on"] > orders["joined_on"]) & (
        orders["ordered_on"] <= pd.Timestamp("1997-09-30")
    )
    repeats = (
        orders[is_repeat]
        .groupby("customer_id")["ordered_on"]
        .nunique()
        .reindex(tables["customers"]["customer_id"], fill_value=0)
    )
    counts = np.bincount(repeats.clip(upper=7))
    assert counts.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]


@pytest.mark.usefixtures("mirror")
def test_cdnow_whole_cohort_has_the_published_counts_and_holds_the_sample():
    dataset, sample = load_dataset("cdnow_full"), load_dataset("cdnow")
    orders = dataset.tables["orders"]
    assert len(dataset.tables["customers"]) == 23570
    assert len(orders) + sum(left_out_of(dataset).values()) == 69659
    columns = ["customer_id", "ordered_on", "amount", "n_items"]
    both = orders[orders["customer_id"].isin(sample.tables["customers"]["customer_id"])]
    pd.testing.assert_frame_equal(
        both[columns].sort_values(columns, ignore_index=True),
        sample.tables["orders"][columns].sort_values(columns, ignore_index=True),
    )


# Online Retail


def test_online_retail_lines_become_orders_and_the_rest_is_counted(tmp_path):
    lines = [
        ("1001", 3, "2011-01-05 10:00:00", "0.1", "12345", "France"),
        ("1001", 2, "2011-01-05 10:01:00", "0", "12345", "France"),  # a gift
        ("1001", 1, "2011-01-05 10:00:00", "0.001", "12345", "France"),
        ("C1002", -3, "2011-02-01 09:00:00", "0.1", "12345", "Spain"),
        ("1003", 1, "2011-01-06 09:00:00", "5", "", "France"),  # nobody's
        ("1004", 4, "2011-01-07 09:00:00", "0", "12346", "Unspecified"),  # gifts only
        ("1005", 1, "2011-01-08 09:00:00", "2.5", "12347", "Malta"),  # comes to 0
        ("1005", -1, "2011-01-08 09:00:00", "2.5", "12347", "Malta"),
    ]
    path = tmp_path / "online_retail.csv.gz"
    with gzip.open(path, "wt", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
        )
        writer.writerows(lines)
    tables, left_out = online_retail.read({path.name: path})
    orders = tables["orders"]
    assert orders["order_id"].tolist() == ["1001", "C1002"]
    assert orders["amount"].tolist() == [
        0.301,
        -0.3,
    ]  # exact: 3 x 0.1 in floats is 0.30000000000000004
    assert orders["n_items"].tolist() == [4, 3]
    assert tables["customers"]["customer_id"].tolist() == ["12345", "12346", "12347"]
    assert tables["customers"]["region"].fillna("missing").tolist() == ["Spain", "missing", "Malta"]
    assert count_left_out(left_out)["n_rows"].tolist() == [1, 2, 2]


@pytest.mark.usefixtures("mirror")
def test_online_retail_has_the_published_counts():
    dataset = load_dataset("online_retail")
    orders, customers = dataset.tables["orders"], dataset.tables["customers"]
    assert len(customers) == 4372
    assert list(left_out_of(dataset).values()) == [135080, 40, 4]
    assert len(orders) == 22186
    assert (orders["amount"] < 0).equals(orders["order_id"].str.startswith("C"))
    assert orders["ordered_on"].min() == pd.Timestamp("2010-12-01")
    assert orders["ordered_on"].max() == pd.Timestamp("2011-12-09")


def test_online_retail_amounts_equal_a_sum_in_decimals(mirror):
    totals = defaultdict(Decimal)
    with gzip.open(mirror / "online_retail/online_retail.csv.gz", "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["CustomerID"] and row["InvoiceNo"][-1] == "7":  # a tenth of them is enough
                totals[row["InvoiceNo"]] += Decimal(row["UnitPrice"]) * int(row["Quantity"])
    orders = load_dataset("online_retail").tables["orders"]
    ours = orders[orders["order_id"].str.endswith("7")].set_index("order_id")["amount"].to_dict()
    assert ours == {invoice: float(total) for invoice, total in totals.items() if total}


# ECSI


@pytest.mark.usefixtures("mirror")
def test_ecsi_has_the_published_respondents_and_questions():
    dataset = load_dataset("ecsi")
    survey, items = dataset.tables["survey"], dataset.tables["items"]
    assert len(survey) == 250
    assert survey["respondent_id"].iloc[[0, -1]].tolist() == ["R001", "R250"]
    assert items["construct"].value_counts().to_dict() == {
        "perceived_quality": 7,
        "image": 5,
        "expectation": 3,
        "satisfaction": 3,
        "loyalty": 3,
        "perceived_value": 2,
        "complaint": 1,
    }
    answers = survey[items["item"]]
    assert not answers.isna().to_numpy().any()
    assert (answers.min().min(), answers.max().max()) == (1, 10)
    assert items["text_en"].is_unique
    assert items["text_zh"].is_unique
    assert dataset.left_out.empty
    assert (dataset.observed_to, dataset.currency) == (None, None)


def test_ecsi_items_of_a_construct_have_the_alpha_that_another_program_prints(mirror):
    # R seminr 2.3.1 on the same data; read in place beside the mirror.
    path = (
        mirror.parent / "reference/pls_ecsi_seminr/ecsi_mobi_modeA_path_weighting_reliability.csv"
    )
    if not path.is_file():
        pytest.skip("no reference results beside the mirror")
    printed = pd.read_csv(path, index_col=0)["alpha"]
    constructs = {
        "image": "Image",
        "expectation": "Expectation",
        "perceived_quality": "Quality",
        "perceived_value": "Value",
        "satisfaction": "Satisfaction",
        "loyalty": "Loyalty",
    }
    tables = load_dataset("ecsi").tables
    items = tables["items"]
    for construct, theirs in constructs.items():
        names = items.loc[items["construct"] == construct, "item"]
        r = np.corrcoef(tables["survey"][names].to_numpy(), rowvar=False)
        k = len(names)
        alpha = k / (k - 1) * (1 - k / r.sum())  # of standardised items
        assert alpha == pytest.approx(printed[theirs], abs=1e-6), construct


# What was left out


def test_left_out_keeps_no_line_of_nothing():
    frame = count_left_out([("a", "x", "甲", 0), ("a", "y", "乙", 3)])
    assert frame["reason"].tolist() == ["y"]
    assert frame["n_rows"].tolist() == [3]


def test_left_out_of_nothing_has_the_same_columns_and_types():
    pd.testing.assert_series_equal(
        count_left_out([]).dtypes, count_left_out([("a", "x", "甲", 1)]).dtypes
    )


# A folder of one's own


def write(tmp_path, name, text, encoding="utf-8"):
    (tmp_path / name).write_bytes(text.encode(encoding))
    return tmp_path


def test_csv_keeps_identifiers_as_text_and_reads_days_and_money(tmp_path):
    write(tmp_path, "orders.csv", HEADING + "007,00042,2024-01-05,12.50,\n8,42,2024-02-29,-3,2\n")
    reading = read_source(locate(tmp_path))
    orders = reading.tables["orders"]
    assert orders["order_id"].tolist() == ["007", "8"]
    assert orders["customer_id"].tolist() == ["00042", "42"]
    assert orders["ordered_on"].tolist() == [pd.Timestamp("2024-01-05"), pd.Timestamp("2024-02-29")]
    assert orders["amount"].tolist() == [12.5, -3.0]
    assert orders["n_items"].isna().tolist() == [True, False]
    assert reading.left_out == reading.repairs == []
    assert reading.places == {"orders": str(tmp_path / "orders.csv")}


def test_csv_and_parquet_give_the_same_table(tmp_path):
    text = HEADING + "1,42,2024-01-05,12.50,1\n2,43,2024-02-01,0.1,\n"
    from_csv = read_source(locate(write(tmp_path, "orders.csv", text))).tables["orders"]
    frame = from_csv.assign(customer_id=[42, 43])  # numbers, as many a program stores them
    (tmp_path / "other").mkdir()
    frame.to_parquet(tmp_path / "other" / "orders.parquet")
    from_parquet = read_source(locate(tmp_path / "other")).tables["orders"]
    pd.testing.assert_frame_equal(from_csv, from_parquet)


def test_csv_with_byte_order_mark_quotes_and_line_breaks_is_read(tmp_path):
    text = 'customer_id,region\r\na,"North,\r\nby the sea"\r\n\r\nb,"南 ""方"""\r\n'
    write(tmp_path, "customers.csv", text, "utf-8-sig")
    customers = read_source(locate(tmp_path)).tables["customers"]
    assert customers["region"].tolist() == ["North,\r\nby the sea", '南 "方"']


def test_words_for_nothing_are_text_not_missing_values(tmp_path):
    write(tmp_path, "customers.csv", "customer_id,region\nNA,NA\nnull,\n")
    customers = read_source(locate(tmp_path)).tables["customers"]
    assert customers["customer_id"].tolist() == ["NA", "null"]
    assert customers["region"].isna().tolist() == [False, True]


def test_unknown_column_stays_text(tmp_path):
    write(tmp_path, "customers.csv", "customer_id,postcode\na,00123\n")
    assert read_source(locate(tmp_path)).tables["customers"]["postcode"].tolist() == ["00123"]


def test_survey_items_are_numbers(tmp_path):
    write(tmp_path, "survey.csv", "respondent_id,q1\nr1,7\nr2,\n")
    write(
        tmp_path,
        "items.csv",
        "item,construct,text_en,text_zh,minimum,maximum\nq1,satisfaction,All in all?,总体？,1,10\n",
    )
    survey = read_source(locate(tmp_path)).tables["survey"]
    assert survey["q1"].fillna(-1).tolist() == [7.0, -1.0]


def test_numbers_whose_first_fraction_comes_late_are_numbers(tmp_path):
    rows = "".join(f"c{row},{row % 7}\n" for row in range(120_000))  # above a megabyte
    write(tmp_path, "truth.csv", f"customer_id,rate\n{rows}last,0.5\n")
    assert read_source(locate(tmp_path)).tables["truth"]["rate"].iloc[[0, -1]].tolist() == [
        0.0,
        0.5,
    ]


def test_heading_alone_is_refused(tmp_path):
    write(tmp_path, "orders.csv", "order_id,customer_id,ordered_on,amount\n")
    with pytest.raises(
        ValueError, match=r"orders\.csv: orders: it has headings but no rows; expected rows, each"
    ):
        read_source(locate(tmp_path))


def test_order_still_to_come_is_refused_with_its_row(tmp_path):
    rows = "1,a,2024-01-05,10\n2,a,2204-01-06,10\n"
    write(tmp_path, "orders.csv", "order_id,customer_id,ordered_on,amount\n" + rows)
    with pytest.raises(
        ValueError, match=r"orders\.csv: orders\.ordered_on, row 2: 2204-01-06 is still"
    ):
        read_source(locate(tmp_path))


ROW = "1,a,2024-01-05,12.5,1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            ROW + "2,a,2024-13-05,1,1\n",
            r"orders\.ordered_on, row 2: value '2024-13-05' .*YYYY-MM-DD",
        ),
        (ROW + "2,a,05.01.2024,1,1\n", r"orders\.ordered_on, row 2: value '05\.01\.2024'"),
        (ROW + "2,a,01/05/2024,1,1\n", r"orders\.ordered_on, row 2: value '01/05/2024'"),
        (ROW + "2,a,2024-01-06,about 5,1\n", r"orders\.amount, row 2: value 'about 5' .*finite"),
        (ROW + '2,a,2024-01-06,"1,250.00",1\n', r"orders\.amount, row 2: value '1,250\.00'"),
        (ROW + "2,a,2024-01-06,¥5,1\n", r"orders\.amount, row 2: value '¥5'"),
        (ROW + "2,a,2024-01-06,inf,1\n", r"orders\.amount, row 2: value"),
        (ROW + "2,a,2024-01-06,0,1\n", r"orders\.amount, row 2: value 0\.0 .*expected not 0"),
        (ROW + "2,a,2024-01-06,,1\n", r"orders\.amount, row 2: the value is missing"),
        (ROW + "2,a,2024-01-06,5,1.5\n", r"orders\.n_items, row 2: value '1\.5' .*whole number"),
        (ROW + ROW, r"orders\.order_id, row 2: '1' is there already"),
        (ROW + "2,a,2024-01-06,5\n", r"row 2: has 4 cells; expected 5"),
        (ROW + "2,a,2024-01-06,1,250,3\n", r"row 2: has 6 cells; expected 5"),
    ],
)
def test_wrong_cell_is_refused_with_file_row_and_column(tmp_path, text, message):
    write(tmp_path, "orders.csv", HEADING + text)
    with pytest.raises(ValueError, match=message) as caught:
        read_source(locate(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path / 'orders.csv'}: ")


def test_wrong_encoding_is_refused_with_row_and_column(tmp_path):
    text = "customer_id,region\na,North\nb,Zürich\n"
    write(tmp_path, "customers.csv", text, "cp1252")
    with pytest.raises(ValueError, match=r"customers\.csv: row 2, column 'region': .*not in UTF-8"):
        read_source(locate(tmp_path))


def test_wrong_encoding_of_the_heading_is_refused(tmp_path):
    write(tmp_path, "customers.csv", "customer_id,région\na,x\n", "cp1252")
    with pytest.raises(ValueError, match="heading line: the text is not in UTF-8"):
        read_source(locate(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; expected a heading line with columns"),
        (HEADING.replace(",", ";"), "the columns are set apart by ';'; expected commas"),
        (HEADING.replace("amount", "amuont"), "'amount' is missing. .*'amuont': rename it"),
        (HEADING.replace("n_items", "amount"), "column 'amount' appears more than once"),
    ],
)
def test_wrong_heading_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_source(locate(write(tmp_path, "orders.csv", text)))


def test_broken_parquet_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"orders\.parquet: not a Parquet file that can be read"):
        read_source(locate(write(tmp_path, "orders.parquet", "not parquet")))


def test_tables_that_disagree_are_refused_with_the_file(tmp_path):
    write(tmp_path, "customers.csv", "customer_id\nb\n")
    write(tmp_path, "orders.csv", HEADING + ROW)
    with pytest.raises(ValueError, match=r"orders\.csv: orders\.customer_id, row 1: customer 'a'"):
        read_source(locate(tmp_path))


def test_folder_without_a_table_is_refused_with_the_names_expected(tmp_path):
    write(tmp_path, "sales_2024.csv", "a\n1\n")
    message = r"no table found in it \(sales_2024\.csv\); expected any of customers, orders, .*NAME"
    with pytest.raises(ValueError, match=message):
        read_source(locate(tmp_path))


def test_file_name_next_to_a_tables_is_refused(tmp_path):
    write(tmp_path, "customers.csv", "customer_id\na\n")
    write(tmp_path, "order.csv", HEADING)
    with pytest.raises(ValueError, match=r"no table is called 'order'; did you mean 'orders'\?"):
        read_source(locate(tmp_path))


def test_two_files_of_one_table_are_refused(tmp_path):
    write(tmp_path, "orders.csv", HEADING)
    write(tmp_path, "orders.parquet", "")
    with pytest.raises(
        ValueError, match=r"both orders\.csv and orders\.parquet hold the table ord"
    ):
        read_source(locate(tmp_path))


def test_file_of_no_table_is_counted_as_left_out(tmp_path):
    write(tmp_path, "orders.csv", HEADING + ROW)
    write(tmp_path, "weather.csv", "day,rain\n2024-01-05,3\n\n2024-01-06,0\n")
    write(tmp_path, "heading.csv", "day\n")
    write(tmp_path, "notes.txt", "")
    pd.DataFrame({"x": [1, 2, 3]}).to_parquet(tmp_path / "stock.parquet")
    left_out = load_dataset(tmp_path).left_out
    assert left_out["reason"].tolist() == [
        "stock.parquet is no table of a data set and was not read",
        "weather.csv is no table of a data set and was not read",
    ]
    assert left_out["n_rows"].tolist() == [3, 2]
