"""The ECSI model on 250 respondents against SmartPLS 2 and R's seminr, to 1e-6.

The programs' outputs are read where they lie, beside the mirror of the data: the folder
`reference/` next to the one that `CRMLAB_MIRROR` names.
"""

import numpy as np
import pandas as pd
import pytest

from crmlab.pls import (
    PathModel,
    assess_model,
    bootstrap_model,
    composite,
    estimate_model,
    intervals,
    reflective,
)

BLOCKS = {
    "Image": [f"IMAG{k}" for k in range(1, 6)],
    "Expectation": [f"CUEX{k}" for k in range(1, 4)],
    "Quality": [f"PERQ{k}" for k in range(1, 8)],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": [f"CUSA{k}" for k in range(1, 4)],
    "Complaints": ["CUSCO"],
    "Loyalty": [f"CUSL{k}" for k in range(1, 4)],
}
PATHS = [
    "Image -> Expectation, Satisfaction, Loyalty",
    "Expectation -> Quality, Value, Satisfaction",
    "Quality -> Value, Satisfaction",
    "Value -> Satisfaction",
    "Satisfaction -> Complaints, Loyalty",
    "Complaints -> Loyalty",
]
SMARTPLS = {"path": "pathWeighting", "factorial": "factorial", "centroid": "centroid"}
SEMINR = {
    "modeA_path_weighting": {},
    "modeA_path_factorial": {"scheme": "factorial"},
    "PLSc_path_weighting": {"consistent": True},
}
WITHIN = 1e-6  # both programs stop iterating at 1e-7


@pytest.fixture(scope="module")
def data(mirror):
    return pd.read_csv(mirror / "ecsi_mobi" / "mobi.csv")


@pytest.fixture(scope="module")
def reference(mirror):
    folder = mirror.parent / "reference"
    if not (folder / "pls_ecsi_seminr").is_dir():
        pytest.skip("no folder reference/pls_ecsi_seminr beside the mirror of the data")
    return folder


@pytest.fixture(scope="module")
def model():
    return PathModel([reflective(name, items) for name, items in BLOCKS.items()], PATHS)


@pytest.fixture(scope="module", params=list(SEMINR))
def peer(request, model, data, reference):
    """An estimate, its tables, and a reader of seminr's file of the same estimate."""
    estimate = estimate_model(model, data, **SEMINR[request.param])

    def read(name):
        file = reference / "pls_ecsi_seminr" / f"ecsi_mobi_{request.param}_{name}.csv"
        return pd.read_csv(file, index_col=0).astype(float, errors="ignore")

    return estimate, assess_model(estimate), read


def assert_close(ours, theirs):
    ours = ours.loc[theirs.index, theirs.columns]
    assert (ours.isna() == theirs.isna()).all(axis=None)
    assert (ours - theirs).abs().max(axis=None) < WITHIN


@pytest.mark.parametrize("scheme", SMARTPLS)
def test_smartpls_is_met_in_three_schemes(model, data, reference, scheme):
    folder = reference / "pls_ecsi_smartpls/tests/SmartPLS/results/ecsi" / SMARTPLS[scheme]

    def read(name):
        table = pd.read_csv(folder / f"{name}.txt", sep=r"\s+", decimal=",", index_col=0)
        return table.astype(float)

    estimate = estimate_model(model, data, scheme=scheme)
    tables = assess_model(estimate)
    assert_close(estimate.weights, read("outerWeights"))
    assert_close(tables["cross_loadings"], read("crossLoadings"))
    assert_close(estimate.path_coefficients, read("pathCoefficients"))
    assert_close(tables["total_effects"], read("totalEffects"))


def test_seminr_is_met_in_weights_loadings_paths_and_scores(peer):
    estimate, _, read = peer
    assert_close(estimate.weights, read("outer_weights"))
    assert_close(estimate.loadings, read("outer_loadings"))
    assert_close(estimate.path_coefficients, read("path_coef"))
    assert_close(estimate.scores.set_axis(estimate.scores.index + 1), read("construct_scores"))


def test_seminr_is_met_in_reliability_and_validity(peer):
    estimate, tables, read = peer
    names = {"alpha": "cronbach_alpha", "rhoC": "rho_c", "AVE": "ave", "rhoA": "rho_a"}
    assert_close(tables["reliability"], read("reliability").rename(columns=names))
    assert_close(tables["htmt"], read("htmt"))
    assert_close(tables["cross_loadings"], read("cross_loadings"))
    theirs = read("fornell_larcker")
    if estimate.settings.consistent:
        # There the programs differ: seminr leaves the scores' correlations below the diagonal.
        lower = np.tril(np.ones(theirs.shape, dtype=bool), -1)
        assert_close(estimate.score_correlations.where(lower), theirs.where(lower))
        theirs, ours = np.diag(theirs), np.diag(tables["fornell_larcker"])
        assert np.abs(ours - theirs).max() < WITHIN
    else:
        assert_close(tables["fornell_larcker"], theirs)


def test_seminr_is_met_in_the_structure(peer):
    _, tables, read = peer
    assert_close(tables["total_effects"], read("total_effects"))
    assert_close(tables["indirect_effects"], read("total_indirect_effects"))
    explained, theirs = tables["explained_variance"], read("rsquared")
    names = list(theirs.columns)
    assert explained.loc[names, "r_squared"].to_numpy() == pytest.approx(
        theirs.loc["Rsq"], abs=WITHIN
    )
    adjusted = explained.loc[names, "r_squared_adjusted"].to_numpy()
    assert adjusted == pytest.approx(theirs.loc["AdjRsq"], abs=WITHIN)
    criteria = read("it_criteria")
    for ours, row in (("aic", "AIC"), ("bic", "BIC")):
        # n times the logarithm: 250 times the tolerance.
        assert explained.loc[names, ours].to_numpy() == pytest.approx(
            criteria.loc[row, names], abs=250 * WITHIN
        )
    f2 = tables["f_squared"].pivot_table("f_squared", "source", "target")
    theirs = read("fsquare")
    assert_close(f2.reindex(index=theirs.index, columns=theirs.columns).fillna(0.0), theirs)
    vif = read("vif_antecedents").reset_index()
    both = vif.dropna().merge(
        tables["construct_vif"], left_on=["antecedent", "endogenous"], right_on=["source", "target"]
    )
    assert len(both) == 9
    assert both["vif_x"].to_numpy() == pytest.approx(both["vif_y"], abs=WITHIN)


def test_bootstrap_of_a_consistent_estimate_names_what_cannot_be_right(model, data):
    """ECSI's constructs correlate so highly that most consistent solutions are inadmissible."""
    estimate = estimate_model(model, data, consistent=True)
    assert any("not positive definite" in reason for reason in estimate.inadmissible)
    bootstrap = bootstrap_model(estimate, n_resamples=200, seed=1)
    assert bootstrap.outcomes["inadmissible"] > 100
    assert bootstrap.n_used == bootstrap.outcomes["solved"]
    kept = bootstrap_model(estimate, n_resamples=200, seed=1, inadmissible="keep")
    assert kept.n_used == kept.outcomes["solved"] + kept.outcomes["inadmissible"] == 200


def test_composites_bootstrap_wholly(data):
    model = PathModel([composite(name, items) for name, items in BLOCKS.items()], PATHS)
    bootstrap = bootstrap_model(estimate_model(model, data), n_resamples=300, seed=1)
    assert bootstrap.outcomes["solved"] == 300
    table = intervals(bootstrap, "paths").set_index(["source", "target"])
    assert table.loc[("Quality", "Satisfaction"), "low"] > 0.2
