"""Customer delivered value: what a customer gains from an offer, less what it costs that customer.

Who asks: whoever has to decide whether to add a benefit or to take away a burden, and a customer
who chooses between two offers.

Vocabulary. Four *benefits* (product, service, personnel and image value) make up the total
benefit, four *costs* (monetary, time, psychic and energy cost) the total cost; *net value* is
their difference, the *value ratio* their quotient. Every factor is a score on one scale that
starts at 0, a high cost score meaning a heavy burden. Totals are weighted means of the scores, so
that they stay on the scale of the answers.

Sources: Kotler, P., Marketing Management (the four benefits and four costs of delivered value);
Zeithaml, V. A. (1988), Consumer perceptions of price, quality, and value, Journal of Marketing
52(3), 2–22, doi:10.1177/002224298805200302 (value as what is received for what is given, money
being one of several sacrifices); Gale, B. T. (1994), Managing Customer Value, Free Press (the
value map).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["BENEFITS", "COSTS", "delivered_value", "normalise_weights", "value_map"]

BENEFITS = ("product_value", "service_value", "personnel_value", "image_value")
COSTS = ("monetary_cost", "time_cost", "psychic_cost", "energy_cost")

# Weights that were normalised sum to 1 but for rounding.
_SUM_SLACK = 1e-9


def normalise_weights(weights, names):
    """Return weights in the order of `names`, divided by their sum.

    Parameters
    ----------
    weights : mapping of str to float, or pandas.Series
        One non-negative weight for each name, not all of them 0.
    names : sequence of str
        The factors to be weighted.

    Returns
    -------
    pandas.Series of float, index `names`
        Weights that sum to 1.

    Raises
    ------
    ValueError
        If a weight is missing, superfluous, negative or not finite, or if all are 0.

    Examples
    --------
    >>> normalise_weights({"product_value": 3, "service_value": 1},
    ...                   ["product_value", "service_value"]).tolist()
    [0.75, 0.25]
    """
    if not isinstance(weights, (Mapping, pd.Series)):
        raise ValueError(
            f"weights is a {type(weights).__name__}; expected a mapping from factor to weight, "
            "so that no weight lands on the wrong factor"
        )
    names = list(names)
    given = dict(weights)
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    if missing or unknown:
        raise ValueError(
            f"weights lack {missing or 'nothing'} and have unknown {unknown or 'nothing'}; "
            f"expected one weight for each of {', '.join(names)}"
        )
    values = pd.Series([float(given[name]) for name in names], index=names)
    for name, value in values.items():
        if not np.isfinite(value) or value < 0:
            raise ValueError(f"the weight of {name!r} is {value}; expected 0 or more")
    if values.sum() == 0:
        raise ValueError("all weights are 0; give at least one factor a weight above 0")
    return values / values.sum()


def delivered_value(benefits, costs, *, benefit_weights=None, cost_weights=None):
    r"""Return each customer's total benefit, total cost, net value, value ratio, and their parts.

    .. math::
        B = \sum_{j=1}^{4} w_j b_j, \qquad K = \sum_{j=1}^{4} v_j k_j, \qquad
        V = B - K, \qquad R = B / K

    Parameters
    ----------
    benefits : pandas.DataFrame, one row per customer
        Columns `product_value`, `service_value`, `personnel_value`, `image_value`: scores b on a
        scale that starts at 0 (see `crmlab.satisfaction.shift_scale`), NaN where not answered.
        Other columns are refused.
    costs : pandas.DataFrame, same index
        Columns `monetary_cost`, `time_cost`, `psychic_cost`, `energy_cost`: scores k on the same
        scale, high meaning a heavy burden.
    benefit_weights, cost_weights : mapping of str to float, pandas.Series or None
        Weights w and v, non-negative and summing to 1 within each side (`normalise_weights` makes
        them so); None weighs the four alike.

    Returns
    -------
    pandas.DataFrame, one row per customer, input order and index
        `total_benefit`, `total_cost`, `net_value` (points of the scale), `value_ratio`
        (dimensionless; NaN where the total cost is 0), then the contribution of each of the eight
        factors to net value in points, costs negative, so that the eight add up to `net_value`.
        A customer with any of the eight answers missing has NaN throughout.

    Raises
    ------
    ValueError
        If columns, rows, scores or weights are not as described.

    References
    ----------
    Kotler, Marketing Management; Zeithaml (1988), doi:10.1177/002224298805200302.

    Examples
    --------
    >>> benefits = pd.DataFrame([[8, 6, 6, 4]], columns=BENEFITS)
    >>> costs = pd.DataFrame([[4, 2, 1, 1]], columns=COSTS)
    >>> delivered_value(benefits, costs).iloc[:, :4]
       total_benefit  total_cost  net_value  value_ratio
    0            6.0         2.0        4.0          3.0
    """
    sides = [
        ("benefits", benefits, BENEFITS, benefit_weights, "benefit_weights"),
        ("costs", costs, COSTS, cost_weights, "cost_weights"),
    ]
    parts = []
    for side, scores, names, weights, argument in sides:
        checked = _check_scores(side, scores, names)
        parts.append(checked * _check_weights(argument, weights, names))
    if not parts[0].index.equals(parts[1].index):
        raise ValueError(
            "benefits and costs have different indexes; expected one row per customer in the same "
            "order in both"
        )
    benefit_parts, cost_parts = parts
    total_benefit = benefit_parts.sum(axis=1, skipna=False)
    total_cost = cost_parts.sum(axis=1, skipna=False)
    missing = total_benefit.isna() | total_cost.isna()
    totals = pd.DataFrame(
        {
            "total_benefit": total_benefit,
            "total_cost": total_cost,
            "net_value": total_benefit - total_cost,
            "value_ratio": total_benefit / total_cost.where(total_cost > 0),
        }
    )
    result = pd.concat([totals, benefit_parts, -cost_parts], axis=1)
    result[missing.to_numpy()] = np.nan
    return result


def value_map(delivered, *, tolerance=0.05):
    """Return where each customer stands on the value map: benefit against cost, both relative.

    Parameters
    ----------
    delivered : pandas.DataFrame
        Result of `delivered_value`.
    tolerance : float
        Half-width of "fair": a customer whose relative benefit is within this share of the
        relative cost gets what the average customer gets for the same burden. At least 0, below 1.

    Returns
    -------
    pandas.DataFrame, one row per customer, input order and index
        `relative_cost` and `relative_benefit` (total ÷ mean total over the customers who have
        one; 1 is average) and `position`, an ordered category: inferior value < fair value <
        superior value. All missing where the customer has no delivered value.

    Raises
    ------
    ValueError
        If a column is absent, the tolerance is out of range, or a mean total is 0.

    Notes
    -----
    Gale draws competing offers; a survey of one firm's customers has none, so here each point is
    a customer, or a group of them, and "fair" is the firm's own average. The map then says who
    gets more than others for what they give up, not who would get more elsewhere.

    References
    ----------
    Gale (1994), Managing Customer Value, Free Press.

    Examples
    --------
    >>> totals = pd.DataFrame({"total_benefit": [6.0, 5.0, 4.0], "total_cost": [2.0, 4.0, 6.0]})
    >>> value_map(totals)["position"].tolist()
    ['superior value', 'fair value', 'inferior value']
    """
    absent = [c for c in ("total_benefit", "total_cost") if c not in delivered.columns]
    if absent:
        raise ValueError(
            f"delivered has no column {absent[0]!r}; pass the result of delivered_value"
        )
    if not (np.isfinite(tolerance) and 0 <= tolerance < 1):
        raise ValueError(f"tolerance is {tolerance!r}; expected at least 0 and below 1")
    relative = {}
    for name in ("cost", "benefit"):
        total = delivered[f"total_{name}"].astype("float64")
        mean = total.mean()
        if mean == 0:
            raise ValueError(
                f"the mean of total_{name} is 0, so nothing is relative to it; check that the "
                "scores were shifted to start at 0 and not all set to 0"
            )
        relative[name] = total / mean
    gap = (relative["benefit"] - relative["cost"]).to_numpy()
    band = tolerance * relative["cost"].to_numpy()
    code = np.select([np.isnan(gap), gap > band, gap < -band], [-1, 2, 0], default=1)
    positions = ["inferior value", "fair value", "superior value"]
    return pd.DataFrame(
        {
            "relative_cost": relative["cost"],
            "relative_benefit": relative["benefit"],
            "position": pd.Categorical.from_codes(code, categories=positions, ordered=True),
        }
    )


def _check_scores(side, scores, names):
    if not isinstance(scores, pd.DataFrame):
        raise ValueError(f"{side} is a {type(scores).__name__}; expected a pandas.DataFrame")
    absent = [name for name in names if name not in scores.columns]
    unknown = [str(name) for name in scores.columns if name not in names]
    if absent or unknown:
        raise ValueError(
            f"{side} lacks {absent or 'nothing'} and has unknown {unknown or 'nothing'}; expected "
            f"exactly the columns {', '.join(names)}"
        )
    checked = scores[list(names)].astype("float64")
    bad = np.argwhere((checked.to_numpy() < 0) | np.isinf(checked.to_numpy()))
    if len(bad):
        row, column = (int(i) for i in bad[0])
        raise ValueError(
            f"{side}, row {row}, {names[column]!r} is {checked.iloc[row, column]}; expected a "
            "finite score on a scale that starts at 0 (see shift_scale)"
        )
    return checked


def _check_weights(argument, weights, names):
    if weights is None:
        return pd.Series(1 / len(names), index=list(names))
    normalised = normalise_weights(weights, names)
    total = float(sum(float(dict(weights)[name]) for name in names))
    if abs(total - 1) > _SUM_SLACK:
        raise ValueError(
            f"{argument} sum to {total}; expected 1. Divide them by their sum with "
            "normalise_weights if only their proportions matter"
        )
    return normalised
