"""What is known of each customer, as columns a linear model can read.

Who asks: whoever weights by propensity or predicts with linear models from a table that has
numbers, words and gaps. No row is left out for a gap: that a value is missing is told to the
model.
"""

import numpy as np
import pandas as pd

__all__ = ["customer_bands", "design_matrix"]


def design_matrix(covariates):
    """Return standardised numbers with their squares, words by category, and where there are gaps.

    Parameters
    ----------
    covariates : pandas.DataFrame, one row per customer
        Numbers, words or truth values; a number that does not vary is left out.

    Returns
    -------
    numpy.ndarray of float, shape (n_customers, n_columns)
        A gap in a number is 0 (its mean) with a column that says so.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [20.0, 40.0, None], "region": ["north", "south", "south"]})
    >>> design_matrix(frame).tolist()
    [[-1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]]
    """
    columns = []
    for name in covariates:
        values = covariates[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            number = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
            is_gap = np.isnan(number)
            if (~is_gap).any() and np.nanstd(number) > 0:
                number = (number - np.nanmean(number)) / np.nanstd(number)
                number = np.where(is_gap, 0, number)
                columns += [number, number**2]
        else:
            is_gap = values.isna().to_numpy()
            words = values.astype("str").to_numpy()
            columns += [(words == word) & ~is_gap for word in np.unique(words[~is_gap])[1:]]
        if is_gap.any() and not is_gap.all():
            columns.append(is_gap)
    return np.column_stack(columns).astype(float) if columns else np.empty((len(covariates), 0))


def customer_bands(profile, *, year=None):
    """Return what is known of every customer in bands: the margins a survey can be weighted to.

    Parameters
    ----------
    profile : pandas.DataFrame
        From `crmlab.data.profile.customer_profile`.
    year : int or None
        Year in which ages are told; None leaves age out.

    Returns
    -------
    pandas.DataFrame, index of `profile`
        As far as the profile has them: `region` and `gender`, as they are; `age_band` (under_30,
        30_to_39, 40_to_49, 50_up) from `birth_year`; `purchase_band` (0, 1, 2_to_4, 5_up) from
        `n_purchases`. Missing where the profile has no value.

    Examples
    --------
    >>> profile = pd.DataFrame({"birth_year": [1990, None], "n_purchases": [1, 7]})
    >>> customer_bands(profile, year=2025).iloc[0].tolist()
    ['30_to_39', '1']
    """
    bands = profile[[name for name in ("region", "gender") if name in profile]].copy()
    if "birth_year" in profile and year is not None:
        age = year - profile["birth_year"].astype("Float64").astype("float64")
        names = ["under_30", "30_to_39", "40_to_49", "50_up"]
        bands["age_band"] = pd.cut(age, [0, 30, 40, 50, 150], right=False, labels=names)
    if "n_purchases" in profile:
        names = ["0", "1", "2_to_4", "5_up"]
        cuts = [-1, 0, 1, 4, np.inf]
        bands["purchase_band"] = pd.cut(profile["n_purchases"], cuts, labels=names)
    return bands.astype("str").where(bands.notna())
