"""Spark for the tests: a cluster of its own on loopback, with a Java that starts quickly."""

import os
import shutil
import socket
import subprocess
import time
import warnings

import pytest

# Java compiles only as much as tests need, takes Spark's own classes as they are (a sixth of the
# start), a query is cut into no more pieces than it has rows, and Spark reads its expressions as
# they stand, without writing and compiling Java for each.
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
JAVA += " -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
SPARK_DEFAULTS = f"""
spark.driver.extraJavaOptions {JAVA}
spark.executor.extraJavaOptions {JAVA}
spark.driver.memory 1g
spark.sql.adaptive.enabled false
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.sql.shuffle.partitions 1
"""


@pytest.fixture(scope="session")
def spark_settings(tmp_path_factory):
    """Have every Spark of the tests stay on loopback and start quickly, kernels' own included."""
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine: Spark needs Java 17 or newer")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("pyspark.sql", reason="PySpark is not installed: crmlab[spark]")
    folder = tmp_path_factory.mktemp("spark")
    (folder / "spark-defaults.conf").write_text(SPARK_DEFAULTS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(folder))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        yield folder


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


@pytest.fixture(scope="session")
def cluster(spark_settings):
    """A standalone master with one worker on loopback: its address, and what the master says."""
    port = find_free_port()
    address = f"spark://127.0.0.1:{port}"
    started = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_DAEMON_JAVA_OPTS", JAVA)
        patch.setenv("SPARK_DAEMON_MEMORY", "256m")
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


@pytest.fixture(scope="session")
def spark(cluster):
    """A session on the cluster, ended with the tests."""
    from crmlab.data.engines import start_spark

    session = start_spark(cluster[0])
    yield session
    session.stop()
