"""Importance and performance: where an improvement would be felt, and how good we are there.

Who asks: the manager with a fixed budget. Importance is the unstandardised total effect on a
target, how many points the target rises when the construct rises by one, all on scales from 0
to 100; performance is the construct's mean on that scale. The same scores are the index (0-100) of
customer satisfaction.

Source: C. M. Ringle & M. Sarstedt (2016), Gain more insight from your PLS-SEM results: the
importance-performance map analysis, Industrial Management & Data Systems 116(9), 1865-1886,
doi:10.1108/IMDS-10-2015-0449.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.pls.effects import total_effects_of

__all__ = ["importance_performance", "index_scores", "item_importance_performance"]


def index_scores(estimate, *, minimum, maximum):
    """Return every respondent's score of every construct on a scale from 0 to 100.

    Parameters
    ----------
    estimate : Estimate
    minimum, maximum : float, or dict of str to float
        Ends of the answer scale, of all items or by item.

    Returns
    -------
    pandas.DataFrame, respondents by constructs
        0 when every item was answered at its minimum, 100 at its maximum. Interactions are left
        out.

    Raises
    ------
    ValueError
        If an answer lies outside the scale, or an item's weight is negative (it names it): an
        index that falls when an item rises has no reading.

    References
    ----------
    Ringle & Sarstedt (2016), doi:10.1108/IMDS-10-2015-0449
    """
    weights, scaled, _ = _unstandardised(estimate, minimum, maximum)
    return scaled @ weights


def importance_performance(estimate, target, *, minimum, maximum):
    """Return importance for a target and performance of every construct that reaches it.

    Parameters
    ----------
    estimate : Estimate
    target : str
        A construct that something points to.
    minimum, maximum : float, or dict of str to float
        Ends of the answer scale.

    Returns
    -------
    pandas.DataFrame, by construct
        `importance`: points of the target (0-100) for one point of the construct, in total;
        `standardised`: the standardised total effect; `performance`: the mean, 0-100.

    Raises
    ------
    ValueError
        As `index_scores`, and if nothing points to the target.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.pls import PathModel, estimate_model, importance_performance, single_item
    >>> answers = pd.DataFrame({"q": [1, 2, 3, 4, 5] * 4, "s": [2, 2, 3, 3, 5] * 4})
    >>> constructs = [single_item("Quality", "q"), single_item("Sat", "s")]
    >>> model = PathModel(constructs, ["Quality -> Sat"])
    >>> estimate = estimate_model(model, answers)
    >>> table = importance_performance(estimate, "Sat", minimum=1, maximum=5)
    >>> table.loc["Quality", ["importance", "performance"]].round(2).tolist()
    [0.7, 50.0]
    """
    weights, scaled, spread = _unstandardised(estimate, minimum, maximum)
    effects = _on(estimate, target)[weights.columns]
    effects = effects[effects.index != target]
    effects = effects[effects != 0]
    return pd.DataFrame(
        {
            "importance": effects * spread[target] / spread[effects.index],
            "standardised": effects,
            "performance": (scaled @ weights).mean()[effects.index],
        }
    ).rename_axis("construct")


def item_importance_performance(estimate, target, *, minimum, maximum):
    """Return the same by item: importance is the construct's times the item's share in it.

    Returns
    -------
    pandas.DataFrame
        `construct`, `item`, `importance`, `performance`.
    """
    weights, scaled, _ = _unstandardised(estimate, minimum, maximum)
    constructs = importance_performance(estimate, target, minimum=minimum, maximum=maximum)
    rows = [
        (name, item, row.importance * share, scaled[item].mean())
        for name, row in constructs.iterrows()
        for item, share in weights[name].items()
        if share
    ]
    return pd.DataFrame(rows, columns=["construct", "item", "importance", "performance"])


def scale_answers(estimate, minimum, maximum):
    """Return the answers behind an estimate on 0-100, checked; see `index_scores`."""
    items = list(estimate.layout.items)
    answers = estimate.respondents.answers
    low, high = (_by_item(end, items, word) for end, word in ((minimum, "min"), (maximum, "max")))
    for item in items:
        if not low[item] < high[item]:
            raise ValueError(f"item {item!r}: minimum {low[item]} is not below {high[item]}")
        if answers[item].min() < low[item] or answers[item].max() > high[item]:
            ends = [answers[item].min(), answers[item].max(), low[item], high[item]]
            least, most, first, last = (f"{end:g}" for end in ends)
            held = {"least": least, "most": most, "first": first, "last": last}
            raise ValueError(say("pls_outside_scale", item=repr(item), **held))
    return (answers - low) / (high - low) * 100


def _on(estimate, target):
    if target not in estimate.names:
        raise ValueError(f"no construct is named {target!r}: {', '.join(estimate.names)}")
    if target not in estimate.r_squared.index:
        raise ValueError(f"nothing points to {target!r}: choose a construct that paths lead to")
    values = total_effects_of(estimate.solution.paths)[0][:, estimate.names.index(target)]
    return pd.Series(values, estimate.names)


def _unstandardised(estimate, minimum, maximum):
    """Shares of items in constructs (columns sum to 1), answers on 0-100, spread of the scores."""
    items = list(estimate.layout.items)
    scaled = scale_answers(estimate, minimum, maximum)
    names = [n for n in estimate.names if estimate.model.construct(n).kind != "interaction"]
    columns = [estimate.names.index(n) for n in names]
    standard = estimate.solution.combine[0][: len(items)][:, columns]
    raw = pd.DataFrame(standard / scaled.std().to_numpy()[:, None], items, names)
    for name in names:
        if (raw[name] < 0).any():
            item = raw[name].idxmin()
            raise ValueError(say("pls_negative_weight", item=repr(item), name=repr(name)))
    return raw / raw.sum(), scaled, 1 / raw.sum()


def _by_item(end, items, word):
    if isinstance(end, dict):
        lost = [item for item in items if item not in end]
        if lost:
            raise ValueError(f"{word}imum names no value for item {lost[0]!r}")
        return pd.Series({item: float(end[item]) for item in items})
    return pd.Series(float(end), items) if np.isfinite(end) else _refuse(end, word)


def _refuse(end, word):
    raise ValueError(f"{word}imum is a number, not {end!r}")
