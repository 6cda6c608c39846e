"""The ECSI survey as loaded against the file itself, read by an unlike route.

No published table of the 24 item means was found, so the means are taken from the file by the
standard library's own reader; the scale's reliability is held to a peer in the adapters' tests.
"""

import csv
from statistics import fmean

import pytest

from crmlab.data import load_dataset
from crmlab.satisfaction import satisfaction_index


@pytest.fixture(scope="module")
def survey(mirror):  # noqa: ARG001 - skips where there is no mirror
    return load_dataset("ecsi").tables["survey"]


@pytest.fixture(scope="module")
def raw_means(mirror):
    with (mirror / "ecsi_mobi" / "mobi.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {item: fmean(float(row[item]) for row in rows) for item in rows[0]}


def test_every_item_mean_is_the_files(survey, raw_means):
    # Sums of 250 whole numbers are exact; the division leaves a last digit.
    assert survey[list(raw_means)].mean().to_dict() == pytest.approx(raw_means, rel=1e-14)


def test_satisfaction_index_is_the_item_means_on_a_scale_of_100(survey, raw_means):
    items = ["CUSA1", "CUSA2", "CUSA3"]
    index = satisfaction_index(survey[items], minimum=1, maximum=10)
    assert index == pytest.approx(fmean((raw_means[i] - 1) / 9 * 100 for i in items), rel=1e-12)
