"""A study on a Spark cluster: its large tables are read there, and come out as on one machine."""

import pandas as pd
import pytest

from crmlab.study.artefacts import OpenStudy, RunContext
from crmlab.study.configuration import load_study
from crmlab.value.rfm import summarize_orders

pytestmark = pytest.mark.xdist_group("spark")


@pytest.mark.usefixtures("spark")
def test_a_study_on_a_cluster_has_the_results_of_one_machine(cluster, project):
    address, said = cluster
    path = project / "studies" / "cluster.yaml"
    text = f"title: On a cluster\ndata: ../shop\nengine: pyspark\nmaster: {address}\n"
    path.write_text(text, encoding="utf-8")
    study = load_study(path)
    shared = {"root": str(project), "data": study.data, "language": "en", "seed": 1}
    folders = {"report": "", "output": "", "command": ""}
    there = OpenStudy(
        "20_count", RunContext(**shared, **folders, engine=study.engine, master=study.master)
    )
    here = OpenStudy("20_count", RunContext(**shared, **folders))
    found = there.scan("orders")
    assert type(found).__module__.startswith("pyspark.sql")
    assert "Registered app crmlab" in said.read_text()  # the work is done on the cluster
    tables = [summarize_orders(o, observed_to="2024-03-01") for o in (found, here.load("orders"))]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
