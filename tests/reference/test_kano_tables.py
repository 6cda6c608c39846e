"""Kano's tables and coefficients against printed ones, read where they lie beside the mirror."""

import json

import numpy as np
import pandas as pd
import pytest

from crmlab.satisfaction import assign_classes, fong_test, kano_coefficients, uniform_test
from crmlab.satisfaction.kano import EVALUATION_TABLES, KANO_CLASSES


@pytest.fixture(scope="module")
def reference(mirror):
    path = mirror.parent / "reference" / "kano.json"
    if not path.exists():
        pytest.skip("no file reference/kano.json beside the mirror of the data")
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def worked(reference):
    example = reference["worked_example_stp25kano"]
    rows = pd.DataFrame.from_dict(example["rows"], orient="index", columns=example["cols"])
    return rows, rows[list(KANO_CLASSES)].astype(int), example["tol"]


@pytest.mark.parametrize("table", ["standard", "pouliot"])
def test_evaluation_table_has_the_printed_cells(reference, table):
    printed = reference[f"evaluation_table_{table}"]["cells"]
    assert ["".join(row) for row in printed] == list(EVALUATION_TABLES[table])


def test_coefficients_and_strengths_are_the_printed_ones(worked):
    rows, counts, tolerance = worked
    found = kano_coefficients(counts)
    np.testing.assert_allclose(found["better"], rows["CS+"], atol=tolerance["CS"])
    np.testing.assert_allclose(found["worse"], rows["CS-"], atol=tolerance["CS"])
    for ours, theirs in (("total", "total"), ("category", "category")):
        np.testing.assert_allclose(
            found[f"{ours}_strength"], rows[f"{theirs}_strength"], atol=tolerance["pct"]
        )


def test_chi_square_and_fongs_test_are_the_printed_ones(worked):
    rows, counts, tolerance = worked
    np.testing.assert_allclose(
        uniform_test(counts)["chi_square"], rows["chi2"], atol=tolerance["chi2"]
    )
    fong = fong_test(counts)
    np.testing.assert_array_equal(fong["difference"], rows["fong_diff"])
    # Printed to one decimal.
    np.testing.assert_allclose(fong["critical_difference"], rows["fong_crit"], atol=0.051)
    assert fong["is_significant"].tolist() == rows["fong_sig"].tolist()


def test_classes_are_the_printed_ones_with_and_without_a_margin(worked):
    rows, counts, _ = worked
    assert assign_classes(counts)["kano_class"].tolist() == rows["max_category"].tolist()
    with_margin = assign_classes(counts, tie_margin=0.05)["kano_class"]
    assert with_margin.tolist() == rows["M>O>A>I_5pct"].tolist()
