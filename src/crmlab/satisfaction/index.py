r"""The satisfaction index, 0–100: from a survey and a structure to a number with its interval.

Who asks: whoever must publish one number for satisfaction, say how sure it is, where it is low, and
what would raise it. The index of a construct is the mean of its items, each carried to 0–100 and
weighed as the model weighs it (Fornell et al. 1996):

.. math:: I = 100 \frac{\sum_k w_k (\bar x_k - \min_k)}{\sum_k w_k (\max_k - \min_k)}

with :math:`w_k` the unstandardised outer weights. `estimate_index` is the door: what cannot bear a
model is refused there in words that name the item and the cure.

Source: C. Fornell, M. D. Johnson, E. W. Anderson, J. Cha & B. E. Bryant (1996),
doi:10.1177/002224299606000403.
"""

import numpy as np

from crmlab.pls import bootstrap_performance, estimate_model
from crmlab.satisfaction.index_models import specify_index

__all__ = ["bootstrap_index", "estimate_index", "weighted_index"]


def weighted_index(means, weights, *, minimum, maximum):
    """Return the index from mean answers and unstandardised weights, by the formula above.

    Parameters
    ----------
    means, weights : array_like of float, shape (n_items,)
        Mean answer of each item; its weight per point of its own scale, none negative.
    minimum, maximum : float or array_like of float, shape (n_items,)
        Ends of the scales.

    Returns
    -------
    float
        0 (all at the lowest answer) to 100; NaN where a mean is missing.

    Raises
    ------
    ValueError
        If a weight is negative, all are 0, or a scale has no length.

    References
    ----------
    Fornell et al. (1996), doi:10.1177/002224299606000403

    Examples
    --------
    Two items on 1 to 10, the first weighs three times as much:

    >>> weighted_index([10, 1], [3, 1], minimum=1, maximum=10)
    75.0
    """
    mean, weight = np.asarray(means, dtype=float), np.asarray(weights, dtype=float)
    low, high = np.asarray(minimum, dtype=float), np.asarray(maximum, dtype=float)
    if (weight < 0).any() or not weight.sum() > 0:
        raise ValueError(f"weights are {weights!r}; expected none below 0 and one above it")
    if not np.all(low < high):
        raise ValueError(f"the scale runs from {minimum!r} to {maximum!r}; expected a higher end")
    return float(100 * (weight * (mean - low)).sum() / (weight * (high - low)).sum())


def estimate_index(model, survey, items, *, consistent=False, missing="listwise"):
    """Estimate the structure of an index on a survey.

    Parameters
    ----------
    model : IndexModel
    survey : pandas.DataFrame
        One row per respondent, a column per item.
    items : pandas.DataFrame
        One row per item: `item`, `construct`.
    consistent : bool
        Correct reflective constructs for attenuation (PLSc): right for paths between true values,
        which an index of answers does not need.
    missing : {"listwise", "mean"}
        Leave out who did not answer every item, or put the item's mean in.

    Returns
    -------
    crmlab.pls.Estimate

    Raises
    ------
    ValueError
        If a construct has no item; an item is not in the survey, constant, answered by nobody or
        by too few; two items hold the same answers; there are no more respondents than items; the
        model cannot be estimated. Each names the item and says what to do.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.satisfaction import CCSI, estimate_index
    >>> names = [asked for _, asked in CCSI.constructs]
    >>> items = pd.DataFrame({"item": names, "construct": names})
    >>> survey = pd.DataFrame(1.0, range(3), names)
    >>> estimate_index(CCSI, survey, items)
    Traceback (most recent call last):
        ...
    ValueError: 3 respondents are too few: at least 10 are needed to speak of correlations; \
collect more answers
    """
    path_model = specify_index(model, items)
    return estimate_model(path_model, survey, consistent=consistent, missing=missing)


def bootstrap_index(estimate, items, *, target="satisfaction", groups=None, n_resamples, seed):
    """Draw the bootstrap behind `tabulate_index`, `index_by_group` and `improvement_matrix`.

    Parameters
    ----------
    estimate : crmlab.pls.Estimate
    items : pandas.DataFrame
        One row per item: `item`, `minimum`, `maximum`.
    target : str
        The construct that importances are for.
    groups : pandas.Series, optional
        The group of each respondent, matched by index.
    n_resamples, seed : int

    Returns
    -------
    crmlab.pls.PerformanceDraws
    """
    ends = items.drop_duplicates("item").set_index("item")
    lost = [name for name in estimate.model.items if name not in ends.index]
    if lost:
        raise ValueError(f"the items table has no row for {lost[0]!r}: say where its scale ends")
    scale = {end: ends[end].astype(float).to_dict() for end in ("minimum", "maximum")}
    return bootstrap_performance(
        estimate, target, **scale, groups=groups, n_resamples=n_resamples, seed=seed
    )
