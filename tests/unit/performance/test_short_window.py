"""Two months of orders hold no complete quarter: the chapters of performance still end well."""

import json

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def short_outcome(tiny_project, kernels):
    from crmlab.study.runner import run_study

    orders = pd.read_parquet(tiny_project / "population" / "orders.parquet")
    start = orders["ordered_on"].min().to_period("Q").start_time + pd.DateOffset(months=4)
    is_short = orders["ordered_on"].between(start, start + pd.DateOffset(days=55))
    (tiny_project / "short").mkdir()
    orders[is_short].to_parquet(tiny_project / "short" / "orders.parquet", index=False)
    path = tiny_project / "studies" / "short.yaml"
    path.write_text("title: {en: Two months, zh: 两个月}\ndata: ../short\n", encoding="utf-8")
    return run_study(path, until="81_performance_evaluation", kernels=kernels)


@pytest.mark.xdist_group("tiny")
def test_a_window_without_a_quarter_runs_to_its_end_and_says_why_it_ranks_nothing(short_outcome):
    assert short_outcome.failures == []
    tables = short_outcome.folder / "tables"
    assert pd.read_parquet(tables / "indicators_by_period.parquet").empty
    assert pd.read_parquet(tables / "evaluation.parquet").empty
    total = pd.read_parquet(tables / "indicators.parquet").set_index("indicator")["value"]
    assert total["revenue"] > 0
    for name, words in (
        ("80_performance_indicators", ("no complete quarter", "没有完整的季度")),
        ("81_performance_evaluation", ("at least two", "至少要有两个")),
    ):
        document = (short_outcome.folder / "results" / f"{name}.json").read_text("utf-8")
        finding = json.loads(document)["finding"]
        assert words[0] in finding["en"]
        assert words[1] in finding["zh"]
