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
NOTEBOOK = "20_customer_value"


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


def test_a_study_on_a_cluster_has_the_results_of_one_machine(cluster, tiny_project):
    address, said = cluster
    study = "title: On a cluster\ndata: ../population\nseed: 5\nengine: pyspark\nmaster: {}\n"
    path = tiny_project / "studies" / "cluster.yaml"
    path.write_text(study.format(address), encoding="utf-8")
    plain = tiny_project / "studies" / "plain.yaml"
    plain.write_text("title: Here\ndata: ../population\nseed: 5\n", encoding="utf-8")
    there, here = (run_study(p, only=NOTEBOOK).folder for p in (path, plain))
    assert "Registered app crmlab" in said.read_text()  # the work was done on the cluster
    results = [
        json.loads((folder / "results" / f"{NOTEBOOK}.json").read_text(encoding="utf-8"))["results"]
        for folder in (there, here)
    ]
    assert results[0].keys() == results[1].keys()
    for name, result in results[1].items():
        assert results[0][name]["value"] == pytest.approx(result["value"], rel=1e-9), name
    for name in ("rfm", "value_classes"):
        tables = [pd.read_parquet(f / "tables" / f"{name}.parquet") for f in (there, here)]
        pd.testing.assert_frame_equal(*tables, rtol=1e-9)
