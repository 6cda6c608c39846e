"""What holds for every estimate, whatever the data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.pls import (
    PathModel,
    composite,
    estimate_model,
    htmt,
    reliability,
    single_item,
    total_effects,
)
from crmlab.pls.algorithm import SCHEMES

MODEL = PathModel(
    [
        composite("A", ["a1", "a2"]),
        composite("B", ["b1", "b2", "b3"], mode="B"),
        single_item("C", "c1"),
    ],
    ["A -> B", "A, B -> C"],
)


@settings(max_examples=30, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(30, 80),
    common=st.floats(1.0, 3.0),
    scheme=st.sampled_from(SCHEMES),
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-1e3, 1e3),
)
def test_estimates_keep_their_bounds_and_their_numbers(seed, n, common, scheme, scale, shift):
    # With a dozen respondents and hardly anything in common, mode B may go round in circles, which
    # an estimate says; here it is to settle.
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        common * rng.normal(size=(n, 1)) + rng.normal(size=(n, 6)), columns=list(MODEL.items)
    )
    estimate = estimate_model(MODEL, data, scheme=scheme)
    assert estimate.scores.var().to_numpy() == pytest.approx(1)
    assert estimate.r_squared.between(0, 1).all()
    assert (estimate.loadings.abs() <= 1 + 1e-9).all(axis=None)
    assert (estimate.loadings.sum() > 0).all()
    assert (reliability(estimate)["ave"].dropna() <= 1 + 1e-9).all()
    assert (htmt(estimate).fillna(0) >= 0).all(axis=None)
    total = total_effects(estimate)
    by_hand = estimate.path_coefficients.loc["A", "B"] * estimate.path_coefficients.loc["B", "C"]
    assert total.loc["A", "C"] == pytest.approx(estimate.path_coefficients.loc["A", "C"] + by_hand)
    moved = estimate_model(MODEL, (data + shift) * scale, scheme=scheme)
    # Both stop within the tolerance of 1e-7; so far apart may they be.
    assert moved.path_coefficients.to_numpy() == pytest.approx(
        estimate.path_coefficients.to_numpy(), abs=1e-5
    )
