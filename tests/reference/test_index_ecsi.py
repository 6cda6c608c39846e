"""The index's own door on the European survey: SmartPLS 2's paths and total effects, to 1e-6."""

import pandas as pd
import pytest

from crmlab.data import load_dataset
from crmlab.pls import total_effects
from crmlab.satisfaction import ECSI, estimate_index

NAMES = {
    "Image": "image",
    "Expectation": "expected_quality",
    "Quality": "perceived_quality",
    "Value": "perceived_value",
    "Satisfaction": "satisfaction",
    "Complaints": "complaint",
    "Loyalty": "loyalty",
}
FOLDER = "reference/pls_ecsi_smartpls/tests/SmartPLS/results/ecsi/pathWeighting"


@pytest.fixture(scope="module")
def estimate(mirror):  # noqa: ARG001
    tables = load_dataset("ecsi").tables
    return estimate_index(ECSI, tables["survey"], tables["items"])


@pytest.mark.parametrize("file", ["pathCoefficients", "totalEffects"])
def test_paths_and_total_effects_are_those_of_smartpls(file, mirror, estimate):
    path = mirror.parent / FOLDER / f"{file}.txt"
    if not path.exists():
        pytest.skip("no folder reference/pls_ecsi_smartpls beside the mirror of the data")
    theirs = pd.read_csv(path, sep=r"\s+", decimal=",", index_col=0)
    theirs = theirs.rename(index=NAMES, columns=NAMES)
    assert set(theirs.index) == set(NAMES.values())
    ours = estimate.path_coefficients if file == "pathCoefficients" else total_effects(estimate)
    assert (ours.loc[theirs.index, theirs.columns] - theirs).abs().max(axis=None) < 1e-6
