"""A study on a Spark cluster: a master and a worker of Spark's own, started and ended here."""

import json
import os
import socket
import subprocess
import time

import pandas as pd
import pytest

from crmlab.study.runner import run_study

pytestmark = pytest.mark.xdist_group("spark")
NOTEBOOK = "21_read"
READ = """
from crmlab.study import open_study
from crmlab.value import rfm, trend
study = open_study("21_read")
orders = study.scan("orders")
summary = rfm.summarize_orders(orders, observed_to="2024-03-01")
months = trend.summarize_months(orders, observed_to="2024-03-01")
study.save("summary", summary)
study.publish(results={"n_customers": len(summary), "n_purchases": int(months["n_orders"].sum())})
"""


def start_process(role, *arguments, folder):
    """Start a master or a worker, and return it with the file of what it says."""
    from pyspark.find_spark_home import _find_spark_home

    said = folder / f"{role}.log"
    with said.open("w") as log:
        command = [
            os.path.join(_find_spark_home(), "bin", "spark-class"),
            f"org.apache.spark.deploy.{role.lower()}.{role}",
            *("--host", "127.0.0.1", "--webui-port", "0"),
            *arguments,
        ]
        return subprocess.Popen(command, stdout=log, stderr=log), said


def wait_for(process, said, text, seconds=120):
    until = time.monotonic() + seconds
    while text not in said.read_text():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < until, f"no {text!r} in {seconds} s: {said.read_text()}"
        time.sleep(0.2)


def find_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def cluster(spark_settings, monkeypatch):
    """A standalone master with one worker on loopback: its address, and what the master says."""
    port = find_free_port()
    address = f"spark://127.0.0.1:{port}"
    monkeypatch.setenv("SPARK_DAEMON_JAVA_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    monkeypatch.setenv("SPARK_DAEMON_MEMORY", "256m")
    started = []
    try:
        master, said = start_process("Master", "--port", str(port), folder=spark_settings)
        started.append(master)
        wait_for(master, said, "New state: ALIVE")
        work = ("--cores", "1", "--memory", "1g", "--work-dir", str(spark_settings / "work"))
        worker, log = start_process("Worker", *work, address, folder=spark_settings)
        started.append(worker)
        wait_for(worker, log, "Successfully registered with master")
        yield address, said
    finally:
        for process in reversed(started):
            process.terminate()  # a worker ends its executors first
            process.wait(timeout=60)


def test_a_study_on_a_cluster_has_the_results_of_one_machine(cluster, project, add_notebook):
    address, said = cluster
    add_notebook(NOTEBOOK, READ, needs=["orders"], makes=["summary"])
    shop = project / "studies" / "shop.yaml"
    plain = shop.read_text(encoding="utf-8")
    shop.with_name("cluster.yaml").write_text(
        f"{plain}\nengine: pyspark\nmaster: {address}\n", encoding="utf-8"
    )
    there, here = (
        run_study(shop.with_name(f"{name}.yaml"), only=NOTEBOOK).folder
        for name in ("cluster", "shop")
    )
    assert "Registered app crmlab" in said.read_text()  # the work was done on the cluster
    results = [
        json.loads((folder / "results" / f"{NOTEBOOK}.json").read_text(encoding="utf-8"))["results"]
        for folder in (there, here)
    ]
    assert results[0] == results[1]
    tables = [pd.read_parquet(folder / "tables" / "summary.parquet") for folder in (there, here)]
    pd.testing.assert_frame_equal(*tables, rtol=1e-9)
