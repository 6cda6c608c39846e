"""What is known of customers, as columns and as bands."""

import numpy as np
import pandas as pd

from crmlab.data.covariates import customer_bands, design_matrix


def test_design_by_hand():
    frame = pd.DataFrame(
        {
            "age": pd.array([20, 40, None], dtype="Int64"),
            "is_business": [True, False, True],
            "region": ["n", None, "s"],
            "constant": 1.0,
        }
    )
    # age standardised, squared, missing; truth values as two words; region s, region missing.
    expected = [[-1, 1, 0, 1, 0, 0], [1, 1, 0, 0, 0, 1], [0, 0, 1, 1, 1, 0]]
    np.testing.assert_allclose(design_matrix(frame), expected)
    assert design_matrix(frame[["constant"]]).shape == (3, 0)
    assert design_matrix(frame[[]]).shape == (3, 0)


def test_standardised_numbers_have_mean_0_and_spread_1():
    numbers = pd.DataFrame({"x": np.random.default_rng(1).gamma(2, size=400)})
    design = design_matrix(numbers)
    np.testing.assert_allclose(design[:, 0].mean(), 0, atol=1e-12)
    np.testing.assert_allclose(design[:, 0].std(), 1)
    np.testing.assert_allclose(design[:, 1], design[:, 0] ** 2)


def test_bands_by_hand_at_their_edges():
    profile = pd.DataFrame(
        {
            "birth_year": pd.array([1996, 1995, 1975, None, 1940], dtype="Int64"),
            "n_purchases": [0, 1, 2, 4, 5],
            "region": ["n", None, "s", "n", "n"],
            "joined_on": pd.NaT,
        }
    )
    bands = customer_bands(profile, year=2025)
    assert bands["age_band"].tolist()[:3] == ["under_30", "30_to_39", "50_up"]
    assert bands["age_band"].isna().tolist() == [False, False, False, True, False]
    assert bands["purchase_band"].tolist() == ["0", "1", "2_to_4", "2_to_4", "5_up"]
    assert bands["region"].isna().tolist() == [False, True, False, False, False]
    assert list(bands) == ["region", "age_band", "purchase_band"]
    assert "age_band" not in customer_bands(profile)
