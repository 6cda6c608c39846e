"""Current value, potential value, loyalty: which customers to keep, grow, harvest or let go.

Who asks: whoever has one budget for many customers. What a customer brings today and what he may
bring tomorrow are two things; where both are high he is to be kept, where only the second is he
is to be grown, where only the first is he is served without much spending, and where neither is,
cheaply. The third side, whether he stays at all, decides how much of the potential is at stake.

Sources: H. Hwang, T. Jung & E. Suh (2004), An LTV model and customer segmentation based on customer
value: a case study on the wireless telecommunication industry, Expert Systems with Applications
26(2), 181-188 (current value, potential value and loyalty); S.-Y. Kim, T.-S. Jung, E.-H. Suh &
H.-S. Hwang (2006), Customer segmentation and strategy development based on customer lifetime
value: a case study, Expert Systems with Applications 31(1), 101-107.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["VALUE_QUADRANTS", "assign_value_quadrant", "summarize_value_cube"]

#: Name of each quadrant by (current value is high, potential value is high).
VALUE_QUADRANTS = {
    (True, True): "high_current_high_potential",
    (True, False): "high_current_low_potential",
    (False, True): "low_current_high_potential",
    (False, False): "low_current_low_potential",
}


def assign_value_quadrant(current, potential, *, high_share=0.5):
    """Return the quadrant of each customer in the matrix of current and potential value.

    Parameters
    ----------
    current, potential : pandas.Series
        Value of each customer today and from now on (money), the same index, no gaps.
    high_share : float
        Share of the customers who count as high on each side, above 0 and below 1. With a half,
        the medians divide. Customers of one value stay together, on the low side where the cut
        runs through them.

    Returns
    -------
    pandas.Series
        Named `value_quadrant`, ordered categorical of `VALUE_QUADRANTS`, index of `current`.

    Raises
    ------
    ValueError
        If the indices differ, there are gaps, or a side is the same for everybody.

    Examples
    --------
    >>> import pandas as pd
    >>> current = pd.Series([10.0, 90.0, 20.0, 80.0], index=list("abcd"))
    >>> potential = pd.Series([5.0, 70.0, 60.0, 1.0], index=list("abcd"))
    >>> assign_value_quadrant(current, potential).astype("str").loc[["b", "c"]].tolist()
    ['high_current_high_potential', 'low_current_high_potential']
    """
    if not current.index.equals(potential.index):
        raise ValueError(
            "current and potential have different indices; expected the same customers"
        )
    if not 0 < high_share < 1:
        raise ValueError(f"high_share is {high_share!r}; expected a share above 0 and below 1")
    is_high = {
        "current": _is_high(current, high_share, "current"),
        "potential": _is_high(potential, high_share, "potential"),
    }
    names = [
        VALUE_QUADRANTS[pair]
        for pair in zip(is_high["current"].tolist(), is_high["potential"].tolist(), strict=True)
    ]
    kinds = pd.CategoricalDtype(list(VALUE_QUADRANTS.values()), ordered=True)
    return pd.Series(names, index=current.index, dtype=kinds, name="value_quadrant")


def summarize_value_cube(current, potential, loyalty, *, high_share=0.5, loyal_from=0.5):
    """Return the customers by current value, potential value and loyalty: eight kinds.

    Parameters
    ----------
    current, potential : pandas.Series
        As for `assign_value_quadrant`.
    loyalty : pandas.Series
        Probability that the customer is still one, 0 to 1 (such as P(alive), or 1 less the
        probability of churn), with the same index.
    high_share : float
        As for `assign_value_quadrant`.
    loyal_from : float
        Probability from which a customer counts as loyal.

    Returns
    -------
    pandas.DataFrame
        One row per quadrant and `is_loyal`, the eight in order: `value_quadrant`, `is_loyal`,
        `n_customers`, `current_value` and `potential_value` (sums, money) and
        `potential_value_share` (NaN where the total is not above 0).

    Examples
    --------
    >>> import pandas as pd
    >>> current, potential = pd.Series([1.0, 9.0]), pd.Series([3.0, 5.0])
    >>> cube = summarize_value_cube(current, potential, pd.Series([0.2, 0.9]))
    >>> cube.loc[cube["n_customers"] > 0, ["is_loyal", "potential_value"]].values.tolist()
    [[True, 5.0], [False, 3.0]]
    """
    quadrant = assign_value_quadrant(current, potential, high_share=high_share)
    if not loyalty.index.equals(current.index) or not loyalty.between(0, 1).all():
        raise ValueError(
            "loyalty: expected a probability from 0 to 1 for every customer of current"
        )
    table = pd.DataFrame(
        {
            "value_quadrant": quadrant,
            "is_loyal": pd.Categorical(loyalty >= loyal_from, categories=[True, False]),
            "current_value": current,
            "potential_value": potential,
        }
    )
    groups = table.groupby(["value_quadrant", "is_loyal"], observed=False)
    cube = groups[["current_value", "potential_value"]].sum()
    cube.insert(0, "n_customers", groups.size())
    total = potential.sum()
    cube["potential_value_share"] = cube["potential_value"] / total if total > 0 else np.nan
    cube = cube.reset_index()
    return cube.assign(is_loyal=cube["is_loyal"].astype("bool"))


def _is_high(value, high_share, name):
    if value.isna().any():
        raise ValueError(f"{name} has {value.isna().sum()} gaps; expected a value for everybody")
    if value.nunique() < 2:
        raise ValueError(f"{name} is the same for all {len(value)} customers; nothing divides them")
    cut = np.quantile(value.to_numpy(dtype="float64"), 1 - high_share, method="lower")
    return value > cut
