"""Who stays in a segment, and who moves: a transition table with intervals.

Who asks: whoever budgets by segment for next year, and must know whether this year's best
customers will still be so. A segmentation describes a window; customers move between windows, and
some of that is no more than a bad draw in one of them.

Vocabulary. *Before* and *after* are the same customer's segments in two windows. A *state* is a
segment, or a word for who was in none. *Independent* is the table with the same totals in which
the segment before says nothing of the one after.

Source of the interval: E. B. Wilson (1927), Probable inference, the law of succession, and
statistical inference, Journal of the American Statistical Association 22, 209-212,
doi:10.1080/01621459.1927.10502953.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.sampling import wilson_interval
from crmlab.segments.cluster import fit_segments, standardize_features

__all__ = ["segment_windows", "stack_windows", "transition_table"]


def stack_windows(before, after):
    """Return the customers of two windows under each other, to be put into the same segments.

    Segments made in each window apart have no common meaning. One segmentation of all
    customer-windows has: a customer who buys as before stays where he was.

    Parameters
    ----------
    before, after : pandas.DataFrame
        One row per customer seen in that window, the same columns, indexed by customer.

    Returns
    -------
    pandas.DataFrame
        Indexed by `window` ("before", "after") and customer.

    Raises
    ------
    ValueError
        If the columns differ or a window is empty.

    Examples
    --------
    >>> before = pd.DataFrame({"n_orders": [3]}, index=["a"])
    >>> after = pd.DataFrame({"n_orders": [1, 2]}, index=["a", "b"])
    >>> stack_windows(before, after).index.tolist()
    [('before', 'a'), ('after', 'a'), ('after', 'b')]
    """
    if list(before.columns) != list(after.columns):
        raise ValueError(
            f"before has {', '.join(map(str, before.columns))}, after has "
            f"{', '.join(map(str, after.columns))}; expected the same columns"
        )
    if before.empty or after.empty:
        raise ValueError(
            f"before holds {len(before)} customers and after {len(after)}; expected some in each "
            "window. Divide the time elsewhere."
        )
    return pd.concat({"before": before, "after": after}, names=["window"])


def segment_windows(before, after, *, n_segments, seed, order_by):
    """Return each customer's segment in two windows, a segment meaning the same in both.

    Parameters
    ----------
    before, after : pandas.DataFrame
        As for `stack_windows`; each column is compressed by a logarithm and standardised, and
        left out where it is the same throughout.
    n_segments : int
    seed : int
    order_by : str
        Column by whose falling mean the segments are numbered.

    Returns
    -------
    start, end : pandas.Series of int
        Segment in the window before and in the one after, each with the customers seen there.

    Raises
    ------
    ValueError
        If a window holds no more customers than segments, or the customers of both are alike.

    Examples
    --------
    >>> before = pd.DataFrame({"n_orders": [9.0, 1.0, 1.0]}, index=["a", "b", "c"])
    >>> after = pd.DataFrame({"n_orders": [8.0, 9.0, 2.0]}, index=["a", "b", "c"])
    >>> start, end = segment_windows(before, after, n_segments=2, seed=1, order_by="n_orders")
    >>> start.tolist(), end.tolist()
    ([1, 2, 2], [1, 1, 2])
    """
    if min(len(before), len(after)) <= n_segments:
        held = {"n_before": len(before), "n_after": len(after), "n_segments": n_segments}
        raise ValueError(say("segments_small_window", **held))
    stacked = stack_windows(before, after)
    varied = [name for name in stacked if stacked[name].nunique() >= 2]
    n_distinct = len(stacked[varied].drop_duplicates()) if varied else 1
    if n_distinct <= n_segments:
        raise ValueError(say("segments_alike_windows", n=n_distinct, n_segments=n_segments))
    features = standardize_features(stacked, varied, log=varied)
    value = stacked[order_by]
    found = fit_segments(features, n_segments=n_segments, seed=seed, order_by=value).segment
    return found["before"], found["after"]


def transition_table(before, after, *, confidence=0.95):
    """Return how the customers of each state spread over the states of the next window.

    Parameters
    ----------
    before, after : pandas.Series
        State of each customer, the same index, no missing values: give who was in no segment a
        state of their own.
    confidence : float
        Probability that an interval is to cover, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per pair of states, in sorted order: `before`, `after`, `n_customers`, `share` of
        those who were in `before` (they add up to 1), `lower`, `upper` (Wilson's interval of that
        share alone), and `independent_share`, the share of all customers who end in `after`: what
        a row would hold if the state before told nothing.

    Raises
    ------
    ValueError
        If the indices differ, a state is missing or the confidence is out of range.

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953

    Examples
    --------
    >>> before, after = pd.Series(["1", "1", "1", "2"]), pd.Series(["1", "1", "2", "2"])
    >>> transition_table(before, after)[["before", "after", "n_customers", "share"]].round(2)
      before after  n_customers  share
    0      1     1            2   0.67
    1      1     2            1   0.33
    2      2     1            0   0.00
    3      2     2            1   1.00
    """
    if not before.index.equals(after.index):
        raise ValueError("before and after have different indices; expected the same customers")
    if len(before) == 0 or before.isna().any() or after.isna().any():
        raise ValueError(
            f"before and after: {len(before)} customers, a state missing for "
            f"{int((before.isna() | after.isna()).sum())}; expected a state for each of at least "
            "one. Give those in no segment a state of their own."
        )
    counts = pd.crosstab(before.to_numpy(), after.to_numpy())
    states = sorted(set(counts.index) | set(counts.columns))
    counts = counts.reindex(columns=states, fill_value=0)
    n = counts.to_numpy()
    total = np.repeat(n.sum(axis=1), len(states))
    share, lower, upper = wilson_interval(n.ravel(), total, confidence=confidence)
    ends = n.sum(axis=0) / n.sum()
    return pd.DataFrame(
        {
            "before": np.repeat(counts.index.to_numpy(), len(states)),
            "after": np.tile(np.array(states, dtype=object), len(counts)),
            "n_customers": n.ravel(),
            "share": share,
            "lower": lower,
            "upper": upper,
            "independent_share": np.tile(ends, len(counts)),
        }
    )
