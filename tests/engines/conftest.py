"""Spark for the tests: a session on this machine, with a Java that starts quickly."""

import shutil
import warnings

import pytest

# Java compiles only as much as tests need, and a query is cut into no more pieces than it has rows.
SPARK_DEFAULTS = """
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.driver.memory 1g
spark.sql.adaptive.enabled false
spark.sql.codegen.wholeStage false
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


@pytest.fixture(scope="session")
def spark(spark_settings):  # noqa: ARG001
    """A session on this machine, ended with the tests."""
    from crmlab.data.engines import start_spark

    session = start_spark()
    yield session
    session.stop()
