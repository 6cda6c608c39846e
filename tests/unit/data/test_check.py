"""The check of one's own data: what it proposes, what it tells, and its exit codes."""

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from crmlab.cli import app
from crmlab.data import load_dataset, scanned
from crmlab.data.loaders import locate
from crmlab.data.loaders.checking import check_source
from crmlab.data.loaders.proposal import propose_mapping


def check(*words):
    return CliRunner().invoke(app, ["data", "check", *map(str, words)])


def propose(folder, text, name="sales.csv", encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return propose_mapping(locate(folder))


@pytest.fixture
def chinese(tmp_path):
    """Return a Chinese shop's export: a title, a heading, GBK, days with slashes."""
    (tmp_path / "销售订单.csv").write_bytes(
        (
            "导出时间：2024-06-01\n订单编号,会员号,下单日期,实付金额,渠道,备注\n"
            'A001,0017,2024/1/5,"¥1,250.00",网店,\nA002,0018,2024/2/15,¥30.00,网店,=1+1\n'
        ).encode("gb18030")
    )
    (tmp_path / "会员.csv").write_text(
        "会员编号,性别,注册日期\n0017,男,2023-01-02\n0018,女,2023-05-06\n", "utf-8-sig"
    )
    return tmp_path


def test_draft_is_written_once_and_then_the_data_loads(chinese):
    result = check(chinese)
    assert result.exit_code == 1
    assert "order_id ← 订单编号" in result.output
    assert "Ready once the mapping is written" in result.output
    assert not (chinese / "mapping.yaml").exists()
    result = check(chinese, "--write")
    assert result.exit_code == 0, result.output
    draft = (chinese / "mapping.yaml").read_text("utf-8")
    assert "¥ is taken for CNY" in draft
    assert check(chinese).exit_code == 0
    dataset = load_dataset(chinese)
    assert dataset.currency == "CNY"
    assert dataset.tables["orders"]["amount"].tolist() == [1250.0, 30.0]
    assert dataset.tables["customers"]["gender"].tolist() == ["male", "female"]
    assert dataset.tables["customers"]["joined_on"].notna().all()


def test_draft_never_overwrites_a_file(chinese):
    assert check(chinese, "--write").exit_code == 0
    mapping = chinese / "mapping.yaml"
    mapping.write_text("currency: CNY\n")
    assert check(chinese, "--write").exit_code in (1, 2)
    assert mapping.read_text() == "currency: CNY\n"
    workbook = chinese / "会员.csv"  # whose own mapping would lie in the same place
    result = check(workbook, "--write")
    assert result.exit_code == 2
    assert "there is one already, and it is not overwritten" in result.output.replace("\n", " ")
    assert mapping.read_text() == "currency: CNY\n"


@pytest.mark.parametrize(
    ("heading", "row", "columns"),
    [
        (
            "InvoiceNo,CustomerID,InvoiceDate,Amount",
            "536365,17850,2010-12-01,15.3",
            {"order_id": "InvoiceNo", "customer_id": "CustomerID", "ordered_on": "InvoiceDate"},
        ),
        (
            "单号,会员卡号,交易时间,金额（元）,数量",
            "X1,0042,2024-01-05 10:00,15.30,2",
            {"order_id": "单号", "customer_id": "会员卡号", "ordered_on": "交易时间",
             "amount": "金额（元）", "n_items": "数量"},
        ),
        (
            "Belegnummer,Kundennummer,Datum,Betrag",
            "4711,0815,2024-01-05,15.30",
            {"order_id": "Belegnummer", "customer_id": "Kundennummer", "ordered_on": "Datum",
             "amount": "Betrag"},
        ),
    ],
)  # fmt: skip
def test_headings_are_recognised_by_name(tmp_path, heading, row, columns):
    draft = propose(tmp_path, f"{heading}\n{row}\n")
    assert draft.content["tables"]["orders"]["columns"] == columns


def test_columns_no_name_tells_are_recognised_by_kind_and_uniqueness(tmp_path):
    rows = "".join(f"{i:03},{i % 3},2024-01-{i % 28 + 1:02},{i}.5\n" for i in range(1, 30))
    draft = propose(tmp_path, "order no,x1,x2,x3\n" + rows, "orders.csv")
    assert draft.content["tables"]["orders"]["columns"] == {
        "order_id": "order no",
        "customer_id": "x1",
        "ordered_on": "x2",
        "amount": "x3",
    }


def test_what_cannot_be_told_is_left_to_the_reader(tmp_path):
    head = "order id,customer id,order date,amount\n"
    draft = propose(tmp_path, head + '1,a,01/02/2024,"1,250"\n2,b,03/04/2024,"3,200"\n')
    spec = draft.content["tables"]["orders"]
    assert "dates" not in spec
    assert "decimal" not in spec
    assert any("may be written %d/%m/%Y or %m/%d/%Y" in note for note in draft.notes)
    assert any("'1,250' may be written with" in note for note in draft.notes)
    assert check(tmp_path).exit_code == 1


def test_list_in_which_customers_repeat_is_no_table_of_customers(tmp_path):
    text = "customer id,page\na,1\na,2\nb,1\n"
    with pytest.raises(ValueError, match=r"no table of customers, orders, .* \(visits\.csv\)"):
        propose(tmp_path, text, "visits.csv")
    draft = propose(tmp_path, "customer id,page\na,1\nb,1\n", "visits.csv")
    assert draft.content["tables"] == {"customers": {"from": "visits.csv"}}


def test_data_in_our_own_names_needs_no_mapping(tmp_path):
    text = "order_id,customer_id,ordered_on,amount\n1,a,2024-01-05,3.5\n"
    assert propose(tmp_path, text, "orders.csv").content == {}
    result = check(tmp_path)
    assert result.exit_code == 0
    assert f"Ready: write `data: {tmp_path}` in a study." in result.output.replace("\n", "")


def test_western_encoding_is_proposed(tmp_path):
    head = "order id,customer id,order date,amount\n"
    draft = propose(tmp_path, head + "1,Zürich,2024-01-05,3\n", encoding="cp1252")
    assert draft.content["tables"]["orders"]["encoding"] == "cp1252"
    check(tmp_path, "--write")
    assert load_dataset(tmp_path).tables["orders"]["customer_id"].tolist() == ["Zürich"]


def test_lines_of_orders_are_told_from_orders(tmp_path):
    rows = "".join(f"{i // 10},7,2024-01-05,{i}.5\n" for i in range(100))
    (tmp_path / "sales.csv").write_text("InvoiceNo,CustomerID,InvoiceDate,Amount\n" + rows)
    result = check(tmp_path, "--write")
    assert result.exit_code == 0
    assert "rows are taken for lines of orders and summed" in result.output
    assert len(load_dataset(tmp_path).tables["orders"]) == 10


def test_problems_are_counted_with_their_first_rows_and_listed_in_full(tmp_path):
    rows = "".join(f"{i},a,2024-01-05,{'x' if i > 3 else i}\n" for i in range(1, 13))
    path = tmp_path / "orders.csv"
    path.write_text("order_id,customer_id,ordered_on,amount\n" + rows)
    found = tmp_path / "rows.csv"
    result = check(path, "--rows", found)
    assert "orders.amount (9 rows): value 'x' is not allowed; expected a finite number" in (
        result.output
    )
    assert "first: row 4: 'x'; row 5: 'x'; row 6: 'x'; row 7: 'x'; row 8: 'x'\n" in result.output
    table = pd.read_csv(found)
    assert table["row"].tolist() == list(range(4, 13))
    assert set(table["column"]) == {"amount"}
    assert check_source(locate(path)).n_bad("orders") == 9


def test_damaged_file_among_others_is_told_and_the_others_are_checked(tmp_path):
    (tmp_path / "orders.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "customers.csv").write_text("customer_id,gender\na,Z\n")
    result = check(tmp_path)
    assert result.exit_code == 1
    assert "orders.parquet: not a Parquet file" in result.output
    assert "customers.gender (1 row): value 'Z' is not allowed" in result.output


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "gone", "there is no such folder or file"),
        (lambda folder: folder, "no table of customers, orders, contacts, survey or tickets"),
    ],
)
def test_what_cannot_be_read_at_all_ends_with_2(tmp_path, make, message):
    result = check(make(tmp_path))
    assert result.exit_code == 2
    assert message in result.output


def test_draft_is_a_mapping_that_says_what_was_proposed(chinese):
    draft = propose_mapping(locate(chinese))
    check(chinese, "--write")
    written = yaml.safe_load((chinese / "mapping.yaml").read_text("utf-8"))
    assert written == draft.content


@pytest.mark.usefixtures("mirror")
def test_card_shows_online_retails_missing_customers_and_cancellations(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    for language, words in {
        "en": ("invoice lines without a customer number", "of them 3,654 returns, cancellations"),
        "zh": ("没有客户编号的发票明细", "其中退货、取消或退款（金额为负）3,654 笔"),
    }.items():
        result = CliRunner().invoke(app, ["data", "card", "online_retail", "--lang", language])
        assert all(word in result.output for word in (*words, "135,080", "GBP", "_hours"))


def test_card_of_ones_own_data_shows_repairs(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "orders.csv").write_text(
        "ORDER_ID,customer_id,ordered_on,amount\n1,a,2024-01-05,3\n"
    )
    result = CliRunner().invoke(app, ["data", "card", str(tmp_path)])
    assert "Repaired on reading" in result.output
    assert "heading 'ORDER_ID' read as order_id" in result.output
    assert "nothing: every row of the source is used" in result.output
    assert "time zone not stated" in result.output


def test_encoding_that_is_a_guess_is_told_with_words_to_judge_it_by(tmp_path):
    draft = propose(tmp_path, "customer id,region\na,台灣\n", "customers.csv", "big5")
    (note,) = draft.notes
    assert "customers.csv: its encoding is not certain, and cp1252 is a guess: are " in note


def test_second_file_of_orders_is_no_table_of_customers(tmp_path):
    head = "order_id,customer_id,ordered_on,amount\n"
    (tmp_path / "orders_2023.csv").write_text(head + "1,a,2023-01-05,3\n")
    draft = propose(tmp_path, head + "2,b,2024-01-05,3\n", "orders_2024.csv")
    assert draft.content == {"tables": {"orders": {"from": "orders_2023.csv"}}}
    assert "orders_2024.csv looks like orders as well" in draft.notes[0]


def test_currency_is_read_from_a_heading(tmp_path):
    draft = propose(tmp_path, "order id,customer id,order date,Amount (EUR)\n1,a,2024-01-05,3\n")
    assert draft.content["currency"] == "EUR"


def test_numbers_for_identifiers_are_told_under_a_strangers_heading(tmp_path):
    columns = {"Transaction ID": [10**15 + 1], "Client No": [7], "Date": ["2024-01-05"]}
    pd.DataFrame(columns | {"Amount": [3.5]}).to_excel(tmp_path / "cards.xlsx", index=False)
    result = check(tmp_path)
    assert "customer_id: identifiers stored as numbers" in result.output
    assert "the identifier 1000000000000001 is stored as a number of more than 15" in result.output


def test_day_numbers_of_a_workbook_are_proposed(tmp_path):
    columns = {"order_id": ["1"], "customer_id": ["a"], "ordered_on": [45296], "amount": [3.5]}
    pd.DataFrame(columns).to_excel(tmp_path / "orders.xlsx", index=False)
    assert check(tmp_path, "--write").exit_code == 0
    day = load_dataset(tmp_path).tables["orders"]["ordered_on"].iloc[0]
    assert day == pd.Timestamp("2024-01-05")


def test_card_that_a_study_would_refuse_is_told(tmp_path):
    (tmp_path / "orders.csv").write_text(
        "order_id,customer_id,ordered_on,amount\n1,a,2024-01-05,3.5\n"
    )
    (tmp_path / "card.yaml").write_text("time_zone: Mars\n")
    result = check(tmp_path, "--lang", "zh")
    assert result.exit_code == 1
    assert "card.yaml：time_zone 应为 Asia/Shanghai 一类的名称；实为 'Mars'。" in result.output


def test_data_that_is_ready_is_named_as_a_study_must_name_it(tmp_path, monkeypatch):
    for folder in ("notebooks", "studies", "mydata"):
        (tmp_path / folder).mkdir()
    text = "order_id,customer_id,ordered_on,amount\n1,a,2024-01-05,3.5\n"
    (tmp_path / "mydata" / "orders.csv").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert "Ready: write `data: ../mydata` in a study." in check("mydata").output
    assert "研究文件中写 `data: ../mydata`。" in check("mydata", "--lang", "zh").output


def test_table_too_large_to_load_is_checked_in_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(scanned, "LARGE_FILE_BYTES", 1)
    text = "order_id,customer_id,ordered_on,amount\n1,a,2024-01-05,3.5\n2,b,2024-01-06,4\n"
    draft = propose(tmp_path, text, "orders.csv")
    assert draft.content == {}
    result = check(tmp_path)
    assert result.exit_code == 0
    assert f"orders  from {tmp_path / 'orders.csv'}  2 rows, none with a problem" in result.output
    (tmp_path / "orders.csv").write_text(text + "2,b,2024-01-07,4\n")
    result = check(tmp_path)
    assert result.exit_code == 1
    assert "order_id, row 3: '2' is there already" in result.output
    assert "none with a problem" not in result.output
