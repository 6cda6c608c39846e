"""PostgreSQL by its address, against a real server on loopback."""

import glob
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from crmlab.cli import app
from crmlab.data import find_source, fingerprint_dataset, load_dataset

pytestmark = pytest.mark.xdist_group("postgresql")
adbc = pytest.importorskip("adbc_driver_postgresql.dbapi")

SETUP = """
CREATE SCHEMA crm;
CREATE TABLE crm.customers (customer_id integer PRIMARY KEY, joined_on date, region text);
INSERT INTO crm.customers VALUES (7, '2024-01-01', '华东'), (8, NULL, 'North');
CREATE TYPE crm.way AS ENUM ('web', 'store');
CREATE TABLE crm.orders (
    order_id uuid, customer_id integer, ordered_on timestamp, amount numeric(12, 2), channel crm.way
);
INSERT INTO crm.orders VALUES
    ('00000000-0000-0000-0000-000000000002', 8, '2024-02-01 10:00', 3.10, 'store'),
    ('00000000-0000-0000-0000-000000000001', 7, '2024-01-05', 12.50, 'web');
CREATE TABLE crm.stock (item text);
INSERT INTO crm.stock VALUES ('a'), ('b'), ('c');
CREATE TABLE public.sales (nr text, kunde text, "Datum" timestamptz, "Betrag" text);
INSERT INTO public.sales VALUES
    ('r2', 'k1', '2024-03-01 12:00+00', '1,50'), ('r1', 'k1', '2024-02-28 23:30+00', '7');
CREATE ROLE ann LOGIN PASSWORD 'right';
GRANT USAGE ON SCHEMA crm TO ann;
GRANT SELECT ON crm.orders, crm.customers, crm.stock TO ann;
"""


@pytest.fixture(scope="module")
def server():
    """Return host and port of a server started for these tests, its owner trusted by a socket."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    initdb = shutil.which("initdb", path=os.pathsep.join(reversed(folders))) or shutil.which(
        "initdb"
    )
    if initdb is None:
        pytest.skip("no PostgreSQL server on this machine: install Debian's package postgresql")
    programs = Path(initdb).resolve().parent
    # A server refuses to run as the superuser.
    user = {"user": _unprivileged()} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="crmlab-pg-"))
    if user:
        shutil.chown(folder, user["user"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    options = ["--auth-local=trust", "--auth-host=scram-sha-256", "--username=owner", "--no-sync"]
    run = {"check": True, "capture_output": True, "cwd": folder, **user}
    subprocess.run([initdb, "-D", data, *options, "--encoding=UTF8", "--locale=C"], **run)
    settings = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
    start = [programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", settings, "start"]
    subprocess.run(start, **run | {"capture_output": False, "stdout": subprocess.DEVNULL})
    try:
        yield folder, port
    finally:
        subprocess.run([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged():
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@pytest.fixture
def owner(server):
    """Return a function that runs statements as the owner, on fresh tables."""
    folder, port = server
    address = f"postgresql://owner@/postgres?host={folder}&port={port}"

    def run(statements):
        with adbc.connect(address) as connection, connection.cursor() as cursor:
            for statement in filter(str.strip, statements.split(";")):
                cursor.execute(statement)
            connection.commit()

    run(SETUP)
    yield run
    run("DROP SCHEMA crm CASCADE; DROP TABLE public.sales; DROP OWNED BY ann; DROP ROLE ann")


@pytest.fixture
def address(server, owner, monkeypatch):  # noqa: ARG001 - the tables must be there
    monkeypatch.setenv("PGPASSWORD", "right")
    return f"postgresql://ann@127.0.0.1:{server[1]}/postgres?schema=crm"


@pytest.fixture
def local(server, owner):  # noqa: ARG001 - the tables must be there
    """Return the address by socket, where the owner needs no password."""
    folder, port = server
    return f"postgresql://owner@/postgres?host={folder}&port={port}"


def test_tables_of_a_schema_are_read_in_the_order_of_their_keys(address):
    dataset = load_dataset(address)
    orders = dataset.tables["orders"]
    assert orders["order_id"].str[-1].tolist() == ["1", "2"]
    assert orders["amount"].tolist() == [12.5, 3.1]
    assert orders["customer_id"].tolist() == ["7", "8"]
    assert orders["ordered_on"].tolist() == [pd.Timestamp("2024-01-05"), pd.Timestamp("2024-02-01")]
    assert orders["channel"].tolist() == ["web", "store"]
    assert dataset.tables["customers"]["region"].tolist() == ["华东", "North"]
    assert dataset.left_out[["table", "n_rows"]].to_numpy().tolist() == [["stock", 3]]


def test_fingerprint_follows_the_content_and_not_the_order_of_rows(address, owner):
    first = fingerprint_dataset(address)
    assert first == load_dataset(address).files
    assert list(first) == ["crm.customers", "crm.orders"]
    owner(
        "CREATE TABLE crm.again AS SELECT * FROM crm.orders ORDER BY order_id; "
        "TRUNCATE crm.orders; INSERT INTO crm.orders SELECT * FROM crm.again"
    )
    assert fingerprint_dataset(address) == first
    owner("INSERT INTO crm.stock VALUES ('d')")  # is not read
    assert fingerprint_dataset(address) == first
    owner("UPDATE crm.orders SET amount = amount + 0.01 WHERE customer_id = 7")
    second = fingerprint_dataset(address)
    assert second["crm.customers"] == first["crm.customers"]
    assert second["crm.orders"] != first["crm.orders"]
    owner("ALTER TABLE crm.customers RENAME COLUMN region TO area")
    assert fingerprint_dataset(address)["crm.customers"] != first["crm.customers"]


def test_mapping_names_a_table_of_the_database(local, tmp_path):
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        f"source: {local}\ntime_zone: Asia/Shanghai\ncurrency: EUR\ntables:\n  orders:\n"
        "    from: sales\n    decimal: ','\n    columns: {order_id: nr, customer_id: kunde, "
        "ordered_on: Datum, amount: Betrag}\n"
    )
    dataset = load_dataset(mapping)
    orders = dataset.tables["orders"]
    assert orders["order_id"].tolist() == ["r1", "r2"]
    # 23:30 in Greenwich on the 28th is the next morning in Shanghai.
    assert orders["ordered_on"].dt.day.tolist() == [29, 1]
    assert orders["amount"].tolist() == [7.0, 1.5]
    assert (dataset.currency, dataset.card.time_zone) == ("EUR", "Asia/Shanghai")
    assert list(dataset.files) == ["public.sales", "mapping.yaml"]


def test_check_proposes_a_mapping_of_a_database(local, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["data", "check", local, "--write"])
    assert "order_id ← nr" in result.output
    assert "time_zone" in result.output
    draft = (tmp_path / "mapping.yaml").read_text()
    assert "from: sales" in draft
    (tmp_path / "mapping.yaml").write_text(draft.replace("# time_zone", "time_zone"))
    assert len(load_dataset(tmp_path / "mapping.yaml").tables["orders"]) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("ann@", "bob@"), "the server refuses the user"),
        (("/postgres", "/shop"), 'database "shop" does not exist.*Check the names'),
        (("schema=crm", "schema=crn"), "the schema crn of the database holds no table"),
        (("schema=crm", "schema=public"), "the user may not read sales. Ask for the right to read"),
    ],
)
def test_server_that_refuses_is_told_plainly(address, change, message):
    with pytest.raises(ValueError, match=message):
        load_dataset(address.replace(*change))


def test_table_of_ours_that_the_user_may_not_read_is_told(address, owner):
    owner("REVOKE SELECT ON crm.stock FROM ann")  # none of ours
    assert set(load_dataset(address).tables) == {"customers", "orders"}
    owner("REVOKE SELECT ON crm.customers FROM ann")
    with pytest.raises(ValueError, match=r"the user may not read customers, stock\. .*GRANT SEL"):
        load_dataset(address)


def test_wrong_password_is_told_and_never_shown(address, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "quite wrong")
    with pytest.raises(ValueError, match=r"the server refuses the user .*~/\.pgpass") as caught:
        load_dataset(address)
    assert "quite wrong" not in str(caught.value)


def test_value_that_is_none_is_named_with_table_and_row(address, owner):
    owner("UPDATE crm.orders SET amount = NULL WHERE customer_id = 8")
    with pytest.raises(
        ValueError, match=r"table 'orders': orders\.amount, row 2: the value is mis"
    ):
        load_dataset(address)


def test_password_stays_out_of_a_study_and_its_manifest(address, project):
    from crmlab.study.configuration import StudyError
    from crmlab.study.runner import run_study

    study = project / "studies" / "shop.yaml"
    study.write_text(f"title: A shop\ndata: {address.replace('ann@', 'ann:right@')}\n")
    with pytest.raises(StudyError, match="holds a password") as caught:
        run_study(study)
    assert "right" not in str(caught.value)
    study.write_text(f"title: A shop\ndata: {address}\n")
    outcome = run_study(study, only="20")
    assert outcome.states["20_count"] == "done"
    manifest = json.loads((outcome.folder / "manifest.json").read_text())
    assert manifest["dataset"]["files"] == fingerprint_dataset(address)
    for path in outcome.folder.rglob("*"):
        assert not path.is_file() or b"right@" not in path.read_bytes()
    assert run_study(study, only="20").states["20_count"] == "unchanged"


def test_address_is_kept_as_it_is_in_a_study():
    assert find_source("postgresql://ann@db/shop?schema=crm", "/x").endswith("/shop?schema=crm")
