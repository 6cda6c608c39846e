"""Damaged data: a message that names file, row and column, or a documented repair that is counted.

One table of cases. Each is a name, how the file is made, and what must come of it: a pattern of
the refusal, or a pattern and a number of what was repaired or left out. `data/README.md` tells the
same to the reader.
"""

# ruff: noqa: E501 - one case, one line

import itertools
import os
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xlwt
from typer.testing import CliRunner

from crmlab.cli import app
from crmlab.data import load_dataset

HEAD = "order_id,customer_id,ordered_on,amount\n"
ONE = "1,a,2024-01-05,12.5\n"
TWO = ONE + "2,b,2024-01-06,3\n"
ITEM = "item,construct,text_en,text_zh,minimum,maximum\nq1,satisfaction,All in all?,总体？,1,10\n"


def csv(text, name="orders.csv", encoding="utf-8", **others):
    """Return a maker of a folder with a CSV file and, by name, others beside it."""

    def make(folder):
        for file, content in {name: text, **others}.items():
            path = folder / file.replace("__", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return folder

    return make


def orders(rows, head=HEAD, **more):
    return csv(head + rows, **more)


def mapped(text, mapping, **more):
    return csv(text, mapping__yaml=mapping, **more)


def book(*rows, name="orders.xlsx", change=None):
    """Return a maker of a workbook with one sheet; `change` may touch it before it is saved."""

    def make(folder):
        workbook = openpyxl.Workbook()
        sheet = workbook.active
        sheet.title = "orders"
        for row in rows:
            sheet.append(row)
        if change:
            change(sheet)
        workbook.save(folder / name)
        return folder

    return make


HEADING = ("order_id", "customer_id", "ordered_on", "amount")
GOOD = (1, "a", pd.Timestamp("2024-01-05").to_pydatetime(), 12.5)


def hide_another(sheet):
    sheet.title = "data"
    other = sheet.parent.create_sheet("notes")
    other.append(["x"])
    other.sheet_state = "hidden"


def old_book(row, name="orders.xls"):
    """Return a maker of a workbook as Excel wrote it until 2003; an amount of 42 is the error #N/A."""

    def make(folder):
        workbook = xlwt.Workbook()
        sheet = workbook.add_sheet("orders")
        for column, cell in enumerate(HEADING):
            sheet.write(0, column, cell)
        for column, cell in enumerate(row):
            is_day = column == 2
            style = xlwt.easyxf(num_format_str="YYYY-MM-DD") if is_day else xlwt.Style.default_style
            if cell == 42:
                sheet.row(1).set_cell_error(column, 42)
            else:
                sheet.write(1, column, cell, style)
        workbook.save(folder / name)
        return folder

    return make


def sqlite(*statements, name="shop.db"):
    def make(folder):
        with sqlite3.connect(folder / name) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
        return folder / name

    return make


SQL_ORDERS = (
    "CREATE TABLE orders (order_id TEXT, customer_id TEXT, ordered_on TEXT, amount)",
    "INSERT INTO orders VALUES ('1', 'a', '2024-01-05', 12.5)",
)


def corrupt_sqlite(folder):
    path = sqlite(*SQL_ORDERS)(folder)
    data = bytearray(path.read_bytes())
    data[100:] = b"\xff" * (len(data) - 100)
    path.write_bytes(data)
    return path


def parquet(change, name="orders.parquet"):
    """Return a maker of a Parquet file whose bytes are changed."""

    def make(folder):
        frame = pd.DataFrame([GOOD], columns=HEADING)
        frame.to_parquet(folder / "whole.bin")
        (folder / name).write_bytes(change((folder / "whole.bin").read_bytes()))
        return folder

    return make


def parquet_of(**columns):
    def make(folder):
        frame = pd.DataFrame([GOOD], columns=HEADING).assign(**columns)
        frame.to_parquet(folder / "orders.parquet")
        return folder

    return make


def archive(name, **members):
    def make(folder):
        with zipfile.ZipFile(folder / name, "w") as file:
            for member, text in members.items():
                file.writestr(member, text)
        return folder

    return make


def junk(fill, name="orders.csv"):
    """Return a maker of a gigabyte that takes no room on the disk."""

    def make(folder):
        with (folder / name).open("wb") as file:
            file.write(fill)
            file.truncate(1 << 30)
        return folder

    return make


def link(folder):
    (folder / "orders.csv").symlink_to(folder / "gone.csv")
    return folder


def subfolder(folder):
    (folder / "orders.csv").mkdir()
    return folder


def in_a_folder(folder):
    (folder / "2024").mkdir()
    orders(ONE)(folder / "2024")
    return folder


def named(name):
    return lambda folder: folder / name


SOLD = "单号;会员号;销售日期;金额\n1;7;25/01/2024;3,5\n"
SAY = "tables: {orders: {delimiter: ';', %s columns: {order_id: 单号, customer_id: 会员号, "
SAY += "ordered_on: 销售日期, amount: 金额}}}"
DAYS = "tables: {orders: {dates: '%s'}}"

# name, maker, what the refusal says
REFUSED = [
    # text and its encoding
    ("latin-1", csv("customer_id,region\na,North\nb,Zürich\n", "customers.csv", "latin-1"),
     r"customers\.csv: row 2, column 'region': the text is not in UTF-8.*mapping\.yaml"),
    ("Cyrillic, which might be taken for Chinese",
     csv("customer_id,region\na,Москва\nb,Казань\n", "customers.csv", "cp1251"),
     r"customers\.csv: row 1, column 'region': the text is not in UTF-8"),
    ("encoding that a mapping names wrongly",
     mapped((HEAD + "1,Zürich,2024-01-05,1\n").encode("latin-1"), "tables: {orders: {encoding: ascii}}"),
     r"orders\.csv: the text is not in ascii throughout"),
    ("NUL byte", orders("1,a\0,2024-01-05,1\n"), r"orders\.csv: row 1, column 2: the cell holds a NUL"),
    ("empty file", csv(""), r"orders\.csv: the file is empty; expected a heading line"),
    ("heading alone", orders(""), r"orders\.csv: orders: it has headings but no rows"),
    ("only blank lines", csv("\n\n\n"), r"orders\.csv: the file is empty; expected a heading"),
    ("wrong delimiter", csv((HEAD + ONE).replace(",", ";")),
     r"orders\.csv: the columns are set apart by ';'; expected commas.*delimiter"),
    ("ragged row", orders(ONE + "2,b,2024-01-06\n"), r"orders\.csv: orders, row 2: has 3 cells; exp"),
    ("comma inside an amount", orders(ONE + "2,b,2024-01-06,1,250.00\n"), r"row 2: has 5 cells; exp"),
    ("unclosed quotation mark", orders(ONE + '2,"b,2024-01-06,3\n3,c,2024-01-07,4\n'),
     r"orders\.csv: row 2: a quotation mark is opened and never closed"),
    ("overlong cell", csv("customer_id,region\na,x\nb," + "y" * 40_000 + "\n", "customers.csv"),
     r"customers\.csv: customers\.region, row 2: the cell holds 40,000 characters"),
    ("gigabyte of nothing", junk(b""), r"orders\.csv: heading line, column 1: .* NUL character"),
    ("gigabyte after a good start", junk((HEAD + ONE).encode()), r"orders\.csv: row 2, .* NUL char"),
    ("gigabyte named Parquet", junk(b"PAR1", "orders.parquet"), r"not a Parquet file that can be re"),
    ("gigabyte named workbook", junk(b"", "orders.xlsx"), r"not an Excel workbook that can be read"),
    ("megabytes without a line", csv("x" * (1 << 21)), r"no line ends within the first 1,048,576 byt"),
    # headings
    ("missing column", csv("order_id,customer_id,ordered_on\n1,a,2024-01-05\n"),
     r"orders\.csv: orders: the required column 'amount' is missing\. Add it; it holds a finite"),
    ("misspelt column", csv(HEAD.replace("amount", "amuont") + ONE), r"nearest name .* 'amuont': ren"),
    ("repeated column", csv("order_id,order_id,customer_id,ordered_on,amount\n1,1,a,2024-01-05,2\n"),
     r"orders\.csv: orders: column 'order_id' appears more than once; keep one"),
    ("columns that differ in case only",
     csv("order_id,customer_id,ordered_on,amount,Amount\n1,a,2024-01-05,2,3\n"),
     r"orders\.csv: orders: the headings 'amount' and 'Amount' differ only in case"),
    ("column without a heading", csv("order_id,customer_id,ordered_on,amount,\n1,a,2024-01-05,2,x\n"),
     r"orders\.csv: orders, row 1: column 5 has no heading, yet it holds values"),
    ("no heading line", csv(TWO), r"first line holds values such as '2024-01-05'; .*Put a line of head"),
    # days
    ("day of another age", orders(ONE + "2,b,0204-01-06,1\n"),
     r"ordered_on, row 2: 204-01-06 is too long ago; expected days from 1900-01-01 on"),
    ("seconds since 1970", orders("1,a,1704412800,1\n"),
     r"ordered_on, row 1: value '1704412800' .*They look like seconds since 1970: convert them"),
    ("mixed date formats", orders(ONE + "2,b,06.01.2024,3\n3,c,01/07/2024,3\n"),
     r"orders\.csv: orders\.ordered_on, rows 2, 3: value '06\.01\.2024' .*dates: '%d/%m/%Y'"),
    ("day that is no day/month", mapped(HEAD + "1,a,25/01/2024,1\n2,b,13/13/2024,1\n", DAYS % "%d/%m/%Y"),
     r"ordered_on, row 2: value '13/13/2024' .* a day written %d/%m/%Y, as mapping\.yaml says"),
    ("Excel's day numbers unsaid", orders("1,a,45296,1\n"),
     r"ordered_on, row 1: value '45296' .* a spreadsheet's day numbers: say `dates: serial`"),
    ("impossible date", orders("1,a,2024-02-30,1\n"), r"ordered_on, row 1: value '2024-02-30' is not"),
    ("future date", orders(ONE + "2,b,2204-01-06,1\n"), r"ordered_on, row 2: 2204-01-06 is still to"),
    ("mixed time zones unsaid", orders("1,a,2024-01-05T23:30:00Z,1\n2,b,2024-01-06T01:00:00+08:00,1\n"),
     r"orders\.ordered_on, rows 1, 2: .* without time zone.*They carry a time zone: name yours"),
    ("time zone in Parquet", parquet_of(ordered_on=pd.to_datetime(["2024-01-05"], utc=True)),
     r"orders\.parquet: orders\.ordered_on: the values carry the time zone UTC"),
    ("ticket closed before it opened",
     csv("ticket_id,customer_id,opened_at,closed_at,channel,category,is_complaint,"
         "first_response_hours,recovery_score\n1,a,2024-01-05 10:00,2024-01-04 10:00,web,x,yes,,\n",
         "tickets.csv"),
     r"tickets\.csv: tickets\.closed_at, row 1: 2024-01-04 .* is before opened_at 2024-01-05"),
    # amounts
    ("text for an amount", orders(ONE + "2,b,2024-01-06,refund\n"), r"amount, row 2: value 'refund'"),
    ("currency sign unsaid", orders("1,a,2024-01-05,€5\n"), r"amount, row 1: value '€5' .*currency\)"),
    ("another currency", mapped(HEAD + "1,a,2024-01-05,€5\n2,b,2024-01-06,$7\n", "currency: EUR"),
     r"orders\.csv: orders\.amount, row 2: value '\$7' is not allowed"),
    ("thousands separator unsaid", orders('1,a,2024-01-05,"1,250.00"\n'), r"row 1: value '1,250\.00'"),
    ("decimal comma unsaid", orders('1,a,2024-01-05,"3,5"\n'), r"amount, row 1: value '3,5' .*decimal"),
    ("decimal point where a comma is said",
     mapped(HEAD + '1,a,2024-01-05,"3,5"\n2,a,2024-01-06,1.5\n', "tables: {orders: {decimal: ','}}"),
     r"orders\.amount, row 2: value '1\.5 \(decimal comma expected\)' is not allowed"),
    ("infinity", orders("1,a,2024-01-05,inf\n"), r"orders\.amount, row 1: value .* a finite number"),
    ("NaN", orders(ONE + "2,b,2024-01-06,NaN\n"), r"orders\.amount, row 2: "),
    ("NaN where gaps may be", csv("customer_id,cost_to_serve\na,NaN\nb,1\n", "customers.csv"),
     r"customers\.csv: customers\.cost_to_serve, row 1: value 'NaN' is not allowed"),
    ("more items than can be counted", parquet_of(n_items=np.array([2**63 + 1], "uint64")),
     r"n_items, row 1: value 9223372036854775809 is not allowed; expected a whole number"),
    ("endless amount", orders(ONE + "2,b,2024-01-06,1e20\n"),
     r"amount, row 2: value 1e\+20 is not allowed; expected a sum smaller than 1e\+13"),
    ("amount of 0", orders(ONE + "2,b,2024-01-06,0\n"), r"amount, row 2: value 0\.0 .*expected not 0"),
    ("negative cost", csv("customer_id,cost_to_serve\na,-1\n", "customers.csv"),
     r"customers\.cost_to_serve, row 1: value -1\.0 is not allowed; expected >= 0"),
    # identifiers
    ("duplicate identifier", orders(ONE + ONE), r"order_id, row 2: '1' is there already; expected one"),
    ("scientific identifier", orders("1.2E+05,a,2024-01-05,1\n"),
     r"order_id, row 1: the identifier '1\.2E\+05' was rewritten by a spreadsheet and has lost digi"),
    ("identifiers as floats and not", orders("12.0,a,2024-01-05,1\n12,b,2024-01-06,1\n"),
     r"order_id, row 1: the identifier '12\.0' is written as a number beside others"),
    ("unknown customer", orders(TWO, customers__csv="customer_id\na\n"),
     r"orders\.csv: orders\.customer_id, row 2: customer 'b' is not in the table customers"),
    ("zeros lost in one table", orders("1,7,2024-01-05,1\n", customers__csv="customer_id\n007\n"),
     r"customer '7' is not in .* There is '007': zeros in front were lost"),
    ("missing identifier", orders("1,,2024-01-05,1\n"), r"customer_id, row 1: the value is missing"),
    # words
    ("word that is no flag", csv("customer_id,is_business\na,yes\nb,perhaps\n", "customers.csv"),
     r"customers\.is_business, row 2: value 'perhaps' .* expected true or false"),
    ("word of another list", csv("customer_id,gender\na,male\nb,M\n", "customers.csv"),
     r"customers\.gender, row 2: value 'M' is not allowed; expected female \| male \| other"),
    ("answer outside the scale", csv("respondent_id,q1\nr1,7\nr2,11\n", "survey.csv", items__csv=ITEM),
     r"survey\.csv: survey\.q1, row 2: value 11 is not allowed; expected 1\.\.10 as items says"),
    # files that are something else
    ("ZIP named CSV", archive("orders.csv", a="x"), r"orders\.csv: this is a ZIP archive or an Excel"),
    ("Parquet named CSV", parquet(bytes, "orders.csv"), r"orders\.csv: this is a Parquet file under"),
    ("web page named CSV", csv("<html><table><tr><td>1"), r"orders\.csv: this is a web page under"),
    ("Parquet named otherwise", parquet(bytes, "orders.pq"), r"orders\.pq: files of the kind \.pq are"),
    ("JSON named CSV", csv('[{"order_id": 1}]\n'), r"orders\.csv: this is JSON under the name of a CSV f"),
    ("packed CSV", csv(b"\x1f\x8b" + bytes(9), "orders.csv.gz"), r"files of the kind \.gz are not read"),
    ("folder of folders", in_a_folder,
     r"the folders in it are not looked into: 2024\)"),
    ("pipe", lambda f: os.mkfifo(f / "orders.csv") or f, r"orders\.csv: neither a file nor a folder"),
    ("link to itself", lambda f: (f / "orders.csv").symlink_to(f / "orders.csv") or f, r"a link to .*not there"),
    ("record for an identifier", parquet_of(customer_id=[{"id": "a"}]),
     r"customer_id, row 1: value \{'id': 'a'\} is not allowed; expected text\. A cell must hold one"),
    ("list for an amount", parquet_of(amount=[[1.0, 2.0]]), r"amount, row 1: value .* A cell must hold one"),
    ("truncated Parquet", parquet(lambda b: b[:-60]), r"orders\.parquet: not a Parquet file that can"),
    ("Parquet of 0 bytes", parquet(lambda _: b""), r"orders\.parquet: the file is empty, 0 bytes"),
    ("folder where a file is expected", subfolder, r"orders\.csv: a folder where a file is expected"),
    ("broken link", link, r"orders\.csv: a link to .*gone\.csv, which is not there"),
    ("folder that is not there", named("gone"), r"gone' is neither a data set of the catalog"),
    ("two files of a table", orders(ONE, orders__parquet=b""), r"both .* hold the table orders"),
    ("name that is nearly a table's", csv(HEAD + ONE, "order.csv", customers__csv="customer_id\na\n"),
     r"order\.csv: no table is called 'order'; did you mean 'orders'"),
    # workbooks
    ("damaged old workbook", csv(b"\xd0\xcf\x11\xe0" + bytes(600), "orders.xls"),
     r"orders\.xls: not an Excel workbook that can be read"),
    ("error cell in an old workbook", old_book((*GOOD[:3], 42)),
     r"orders\.xls, sheet 'orders': orders\.amount, row 1: the cell shows the error #N/A"),
    ("web page named workbook", csv("<html><table><tr><td>order_id", "orders.xls"),
     r"orders\.xls: this is a web page under the name of a workbook\. Open it"),
    ("text named workbook", csv((HEAD + ONE).replace(",", "\t"), "orders.xls", "gbk"),
     r"orders\.xls: this is a text with columns under the name of a workbook\. Give it .* \.csv"),
    ("encrypted workbook",
     csv(b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "orders.xlsx"),
     r"orders\.xlsx: the workbook is protected by a password\. Save it without one"),
    ("corrupt workbook", csv(b"PK\x03\x04" + bytes(100), "orders.xlsx"),
     r"orders\.xlsx: not an Excel workbook that can be read"),
    ("ZIP named workbook", archive("orders.xlsx", a="x"), r"orders\.xlsx: not an Excel workbook"),
    ("workbook without a filled sheet", book(), r"orders\.xlsx, sheet 'orders': row 1 .*no heading"),
    ("error cell", book(HEADING, (*GOOD[:3], "#N/A"), change=lambda s: setattr(s["D2"], "data_type", "e")),
     r"orders\.xlsx, sheet 'orders': orders\.amount, row 1: the cell shows the error #N/A"),
    ("formula never computed", book(HEADING, (*GOOD[:3], "=1+1")),
     r"orders\.amount, row 1: the formula has no saved result; .* computes it, and save"),
    ("merged heading", book((*HEADING[:2], "sold", None), GOOD, change=lambda s: s.merge_cells("C1:D1")),
     r"sheet 'orders': the heading's cells C1:D1 are merged, so that columns D to D have no heading"),
    ("merged cells", book(HEADING, GOOD, (2, None, *GOOD[2:]), change=lambda s: s.merge_cells("B2:B3")),
     r"orders\.customer_id, rows 1, 2: the cells B2:B3 are merged, and only the first"),
    ("identifier of too many digits", book(HEADING, (1234567890123456, *GOOD[1:])),
     r"order_id, row 1: the identifier 1234567890123456 is stored as a number of more than 15 dig"),
    # databases
    ("corrupt SQLite", corrupt_sqlite, r"shop\.db: not a SQLite database that can be read"),
    ("SQLite without tables", sqlite("CREATE TABLE x (a)", "DROP TABLE x"),
     r"shop\.db: the database holds no table"),
    ("SQLite without a table of ours", sqlite("CREATE TABLE x (a)"), r"no table found in it \(x\)"),
    ("view that leads nowhere in SQLite",
     sqlite("CREATE TABLE x (a)", "CREATE VIEW orders AS SELECT * FROM x", "DROP TABLE x"),
     r"shop\.db: a view of the database leads nowhere \(no such table: main\.x\)\. Mend or drop"),
    ("text for an amount in SQLite", sqlite(*SQL_ORDERS, "INSERT INTO orders VALUES ('2','b','x','y')"),
     r"shop\.db, table 'orders': orders\.ordered_on, row 2: value 'x' is not allowed"),
    ("no database server", lambda _: "postgresql://nobody@127.0.0.1:9/shop?connect_timeout=2",
     r"postgresql://nobody@127\.0\.0\.1:9/shop\?connect_timeout=2: the server cannot be reached"),
    ("password in an address", lambda _: "postgresql://ann:secret@localhost/shop",
     r"the address of postgresql://ann@localhost/shop holds a password, .*PGPASSWORD"),
    ("database of another kind", lambda _: "mysql://localhost/shop", r"mysql:// is no address that is"),
    # mapping files and cards
    ("mapping that holds itself", mapped(HEAD + ONE, "tables: &t {orders: *t}"), r"not a YAML file that can"),
    ("card with an unknown key", orders(ONE, card__yaml="currncy: EUR"), r"card\.yaml: no key is called 'currn"),
    ("mapping with an unknown key", mapped(HEAD + ONE, "tabels: {}"),
     r"mapping\.yaml: tabels: no key is called so; did you mean 'tables'"),
    ("mapping with an unknown column", mapped(HEAD + ONE, "tables: {orders: {columns: {amuont: x}}}"),
     r"tables\.orders\.columns\.amuont: orders has no such column; did you mean 'amount'"),
    ("mapping to a heading that is not there",
     mapped(HEAD + ONE, "tables: {orders: {columns: {channel: Chanel}}}"),
     r"orders\.csv: no column is called 'Chanel', which mapping\.yaml names for orders"),
    ("mapping with a key twice", mapped(HEAD + ONE, "currency: EUR\ncurrency: USD\n"),
     r"mapping\.yaml: line 2: currency is given twice"),
    ("mapping to a file that is not there", mapped(HEAD + ONE, "tables: {orders: {from: order.csv}}"),
     r"'order\.csv', which mapping\.yaml names for orders, is not there; did you mean 'orders\.csv'"),
]  # fmt: skip

# name, maker, what was done, how often
COUNTED = [
    ("byte order mark", orders(ONE, encoding="utf-8-sig"), "byte order mark skipped", 1),
    ("GBK", csv("customer_id,region\na,华东\nb,华南地区\n", "customers.csv", "gbk"), "read as GBK", 1),
    ("UTF-16 with mark", orders(ONE, encoding="utf-16"), "read as UTF-16", 1),
    ("UTF-16 without mark", orders(TWO, encoding="utf-16-le"), "read as UTF-16", 1),
    ("encoding that a mapping names",
     mapped("customer_id,region\na,Zürich\n".encode("latin-1"),
            "tables: {customers: {encoding: cp1252}, }", name="customers.csv"), "", 0),
    ("carriage returns alone", csv((HEAD + TWO).replace("\n", "\r")), "", 0),
    ("days written together", orders(ONE + "2,b,20240106,1\n"), "ordered_on: days written YYYYMMDD", 1),
    ("days as numbers in Parquet", parquet_of(ordered_on=20240105), "ordered_on: days written YYYYM", 1),
    ("days as numbers in a workbook", book(HEADING, ("x", "a", 20240105, 1)), "days written YYYYMMDD", 1),
    ("days as numbers in SQLite", sqlite(SQL_ORDERS[0], "INSERT INTO orders VALUES ('1', 'a', 20240105, 1)"),
     "ordered_on: days written YYYYMMDD", 1),
    ("blank lines", orders(ONE + "\n\n2,b,2024-01-06,3\n\n"), "every cell is empty", 3),
    ("lines of blanks", orders(ONE + "   \n"), "lines of blanks", 1),
    ("rows of commas", orders(TWO + ",,,\n,,,\n"), "every cell is empty", 2),
    ("headings in capitals", csv(HEAD.upper() + ONE), "heading 'AMOUNT' read as amount", 1),
    ("full-width headings", csv("ｏｒｄｅｒ＿ｉｄ,customer_id,ordered_on,amount\n" + ONE),
     "heading 'ｏｒｄｅｒ＿ｉｄ' read as order_id", 1),
    ("blanks around identifiers", orders(" 1 ,a,2024-01-05,1\n2,　b,2024-01-06,1\n"),
     "order_id: blanks around", 1),
    ("identifiers as floats", orders("12.0,a,2024-01-05,1\n13.0,b,2024-01-06,1\n"),
     "order_id: “.0” taken from identifiers", 2),
    ("numbers for identifiers in a workbook", book(HEADING, GOOD), "zeros in front, if any, are lost", 1),
    ("flags in five spellings",
     csv("customer_id,is_business\na,yes\nb,FALSE\nc,1\nd,Y\ne,否\n", "customers.csv"),
     "is_business: true or false, spelt in 5 ways", 4),
    ("delimiter, decimal comma and days said", mapped(SOLD, SAY % "decimal: ',', dates: '%d/%m/%Y',"),
     "amount: numbers brought to plain writing", 1),
    ("months first, said", mapped(HEAD + "1,a,01/25/2024,1\n", DAYS % "%m/%d/%Y"), "written %m/%d/%Y", 1),
    ("Excel's day numbers, said", mapped(HEAD + "1,a,45296,1\n2,b,45296.5,1\n", DAYS % "serial"),
     "day numbers read as days", 2),
    ("currency and thousands, said",
     mapped(HEAD + '1,a,2024-01-05,"€1,250.00"\n2,a,2024-01-06,-€3\n3,a,2024-01-07,4\n',
            "currency: EUR\ntables: {orders: {thousands: ','}}"), "amount: numbers brought", 2),
    ("time zones, said",
     mapped(HEAD + "1,a,2024-01-05T23:30:00Z,1\n2,b,2024-01-06T01:00:00+08:00,1\n3,c,2024-01-07,1\n",
            "time_zone: Asia/Shanghai"), "brought to local time of Asia/Shanghai", 2),
    ("missing values, said", mapped("customer_id,birth_year\na,NA\nb,1980\n", "missing: [NA]",
                                    name="customers.csv"), "birth_year: read as missing", 1),
    ("words, said",
     mapped("customer_id,gender\na,M\nb,女\n",
            "tables: {customers: {columns: {gender: {from: gender, values: {M: male, 女: female}}}}}",
            name="customers.csv"), "words translated as mapping", 2),
    ("title above the heading", mapped("Sales 2024\n" + HEAD + ONE, "tables: {orders: {heading_row: 2}}"),
     "", 0),
    ("column left out, said", mapped("customer_id,phone\na,139\n", "tables: {customers: {leave_out: [phone]}}",
                                     name="customers.csv"), "columns left out: phone", 1),
    ("file that is no table", orders(ONE, weather__csv="day,rain\n1,2\n2,3\n"), "weather.csv is no table", 2),
    ("totals at the end", orders(TWO + "Total,,,15.50\n"), "rows of totals at the end", 1),
    ("totals in Chinese, in a workbook", book(("order_id", *HEADING[1:]), ("x", *GOOD[1:]), ("合计：", None, None, 12.5)),
     "rows of totals at the end", 1),
    ("full-width digits", orders("1,a,2024-01-05,１２．５\n"), "amount: full-width digits", 1),
    ("minus behind, in parentheses, of typesetters",
     orders("1,a,2024-01-05,(3.5)\n2,a,2024-01-06,4-\n3,a,2024-01-07,−5\n4,a,2024-01-07,5\n"),
     "minus signs behind the number", 3),
    ("groups of India", mapped(HEAD + '1,a,2024-01-05,"1,00,250.50"\n', "tables: {orders: {thousands: ','}}"),
     "amount: numbers brought", 1),
    ("apostrophes of Switzerland", mapped(HEAD + "1,a,2024-01-05,1’250.50\n", "tables: {orders: {thousands: \"'\"}}"),
     "amount: numbers brought", 1),
    ("characters of no width", orders("1,\u200ba\ufeff,2024-01-05,1\n"), "customer_id: blanks around", 1),
    ("bytes for an identifier", parquet_of(order_id=[b"\xff\x00"], customer_id=[b"a"]), "", 0),
    ("old workbook", old_book(GOOD), "order_id: identifiers stored as numbers", 1),
    ("old workbook of a new name", old_book(GOOD, "orders.xlsx"), "order_id: identifiers stored as num", 1),
    ("stray files of a desktop", orders(ONE, __DS_Store=b"\0\0Bud1", Thumbs__db=b"\xd0\xcf\x11\xe0"), "", 0),
    ("hidden second sheet", book(HEADING, ("x", *GOOD[1:]), change=hide_another), "no table of a data set", 0),
    ("line breaks in a cell", csv('order_id,customer_id,ordered_on,amount,note\n1,a,2024-01-05,1,"x\r\ny"\n'), "", 0),
    ("two hundred columns", csv(",".join([HEAD.strip(), *(f"c{i}" for i in range(196))]) + "\n" + ONE.strip()
     + "," * 196 + "\n"), "", 0),
    ("formula that was typed", orders(ONE + "2,=cmd|'/C calc'!A0,2024-01-06,1\n"), "", 0),
    ("negative amounts", orders(ONE + "2,b,2024-01-06,-3.5\n"), "", 0),
]  # fmt: skip


def test_there_are_at_least_forty_kinds():
    names = [name for name, *_ in itertools.chain(REFUSED, COUNTED)]
    assert len(set(names)) == len(names) >= 40


@pytest.mark.parametrize(
    ("make", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_damage_is_refused_with_its_place(tmp_path, make, message):
    source = make(tmp_path)
    with pytest.raises(ValueError, match=f"(?s){message}") as caught:
        load_dataset(source)
    assert "secret" not in str(caught.value)
    result = CliRunner().invoke(app, ["data", "check", str(source)])
    assert result.exit_code in (1, 2), result.output
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    ("make", "done", "n"), [case[1:] for case in COUNTED], ids=[case[0] for case in COUNTED]
)
def test_repair_is_counted(tmp_path, make, done, n):
    source = make(tmp_path)
    dataset = load_dataset(source)
    counts = pd.concat([dataset.left_out, dataset.repaired])
    if done:
        assert counts.loc[counts["reason"].str.contains(re.escape(done)), "n_rows"].sum() == n
        assert counts["reason_zh"].str.contains("[\u4e00-\u9fff]").all()
    else:
        assert counts.empty
    assert all(len(table) for table in dataset.tables.values())
    result = CliRunner().invoke(app, ["data", "check", str(source)])
    assert result.exit_code == 0, result.output


def values(folder, make, table, column):
    return load_dataset(make(folder)).tables[table][column].astype("str").tolist()


@pytest.mark.parametrize(
    ("case", "table", "column", "expected"),
    [
        ("GBK", "customers", "region", ["华东", "华南地区"]),
        ("encoding that a mapping names", "customers", "region", ["Zürich"]),
        ("identifiers as floats", "orders", "order_id", ["12", "13"]),
        ("flags in five spellings", "customers", "is_business",
         ["True", "False", "True", "True", "False"]),
        ("delimiter, decimal comma and days said", "orders", "amount", ["3.5"]),
        ("months first, said", "orders", "ordered_on", ["2024-01-25"]),
        ("Excel's day numbers, said", "orders", "ordered_on", ["2024-01-05", "2024-01-05"]),
        ("currency and thousands, said", "orders", "amount", ["1250.0", "-3.0", "4.0"]),
        # 23:30 in Greenwich is the next morning in Shanghai.
        ("time zones, said", "orders", "ordered_on", ["2024-01-06", "2024-01-06", "2024-01-07"]),
        ("words, said", "customers", "gender", ["male", "female"]),
        ("days written together", "orders", "ordered_on", ["2024-01-05", "2024-01-06"]),
        ("days as numbers in a workbook", "orders", "ordered_on", ["2024-01-05"]),
    ("formula that was typed", "orders", "customer_id", ["a", "=cmd|'/C calc'!A0"]),
    ],
)  # fmt: skip
def test_repair_gives_the_value_that_was_meant(tmp_path, case, table, column, expected):
    make = {name: make for name, make, *_ in COUNTED}[case]
    assert values(tmp_path, make, table, column) == expected


@pytest.mark.skipif(os.name != "posix", reason="users and rights as POSIX has them")
def test_file_that_may_not_be_read_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        path.write_text(HEAD + ONE)
        load_dataset(folder)  # what is imported late is imported now
        path.chmod(0)
        Path(folder).chmod(0o755)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # the superuser may read everything
        try:
            with pytest.raises(
                ValueError, match=r"orders\.csv: it cannot be opened \(Permission den"
            ):
                load_dataset(folder)
        finally:
            os.seteuid(user)


@pytest.mark.skipif(os.name != "posix", reason="users and rights as POSIX has them")
def test_folder_that_may_not_be_listed_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data").mkdir(mode=0)
        Path(folder).chmod(0o755)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # the superuser may read everything
        try:
            with pytest.raises(
                ValueError, match=r"data: it cannot be opened \(Permission denied\)"
            ):
                load_dataset(Path(folder) / "data")
        finally:
            os.seteuid(user)


def test_database_that_is_being_written_is_refused(tmp_path):
    path = sqlite(*SQL_ORDERS)(tmp_path)
    with sqlite3.connect(path) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            ValueError, match=r"shop\.db: another program is writing to the databas"
        ):
            load_dataset(path)
        writer.rollback()
    writer.close()


def test_duckdb_file_held_open_by_another_program_is_refused(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SQL_ORDERS[0].replace("amount", "amount DOUBLE"))
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print(1, flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as other:
        assert other.stdout.readline() == "1\n"
        with pytest.raises(ValueError, match=r"shop\.duckdb: another program holds the database"):
            load_dataset(path)
        other.communicate("\n")


def test_gigabyte_of_junk_takes_little_memory(tmp_path):
    make = {name: make for name, make, *_ in REFUSED}["gigabyte after a good start"]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="NUL character"):
        load_dataset(make(tmp_path))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000  # kilobytes; the file has a million


def test_formula_is_kept_as_text_and_exported_harmless(tmp_path):
    path = orders("1,=cmd|'/C calc'!A0,2024-01-05,x\n@2,b,2024-01-06,=1+1\n")(tmp_path)
    rows = tmp_path / "rows.csv"
    CliRunner().invoke(app, ["data", "check", str(path), "--rows", str(rows)])
    table = pd.read_csv(rows)
    assert table["value"].tolist() == ["x", "'=1+1"]
    assert np.array_equal(table["row"], [1, 2])
