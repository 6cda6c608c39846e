"""Mediation: whether an effect goes through another construct, and whether one stands beside it.

Who asks: whoever claims that image works through satisfaction. Types by Zhao, Lynch & Chen:
*complementary* (indirect and direct effect, same direction), *competitive* (opposite directions),
*indirect_only*, *direct_only*, *no_effect*. An effect counts when its bootstrap interval leaves
out 0.

Source: X. Zhao, J. G. Lynch & Q. Chen (2010), Reconsidering Baron and Kenny: myths and truths about
mediation analysis, Journal of Consumer Research 37(2), 197-206, doi:10.1086/651257.
"""

from __future__ import annotations

import numpy as np

from crmlab.pls.intervals import intervals

__all__ = ["MEDIATION_TYPES", "mediation"]

MEDIATION_TYPES = ("complementary", "competitive", "indirect_only", "direct_only", "no_effect")


def mediation(bootstrap, *, method="percentile", level=0.95):
    """Return every indirect way with its interval, the direct effect beside it, and the type.

    Parameters
    ----------
    bootstrap : Bootstrap
    method, level
        As in `intervals`.

    Returns
    -------
    pandas.DataFrame
        `source`, `target`, `way`; `indirect`, `indirect_low`, `indirect_high`; `direct`,
        `direct_low`, `direct_high` (NaN where the model has no such path); `type`, one of
        `MEDIATION_TYPES`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from crmlab.pls import PathModel, bootstrap_model, estimate_model, mediation, single_item
    >>> rng = np.random.default_rng(1)
    >>> x, e, f = rng.normal(size=(3, 300))
    >>> data = pd.DataFrame({"x": x, "m": x + e, "y": x + e + f})
    >>> model = PathModel([single_item(n, n) for n in "xmy"], ["x -> m", "x, m -> y"])
    >>> bootstrap = bootstrap_model(estimate_model(model, data), n_resamples=500, seed=1)
    >>> mediation(bootstrap)[["way", "type"]]
               way           type
    0  x -> m -> y  indirect_only
    """
    ways = intervals(bootstrap, "specific_indirect_effects", method=method, level=level)
    paths = intervals(bootstrap, "paths", method=method, level=level)
    names = {"estimate": "indirect", "low": "indirect_low", "high": "indirect_high"}
    table = ways[["source", "target", "way", *names]].rename(columns=names)
    names = {"estimate": "direct", "low": "direct_low", "high": "direct_high"}
    direct = paths[["source", "target", *names]].rename(columns=names)
    table = table.merge(direct, on=["source", "target"], how="left")
    indirect = (table["indirect_low"] > 0) | (table["indirect_high"] < 0)
    beside = (table["direct_low"] > 0) | (table["direct_high"] < 0)
    same = np.sign(table["indirect"]) == np.sign(table["direct"])
    table["type"] = np.select(
        [indirect & beside & same, indirect & beside, indirect, beside],
        MEDIATION_TYPES[:4],
        MEDIATION_TYPES[4],
    )
    return table
