"""How an effect changes with a moderator: simple slopes.

Who asks: whoever found an interaction and must say what it means, for whom price weighs more.

The path coefficient of an interaction belongs to its standardised score. Slopes need the change of
the effect per standard deviation of the moderator, which is that coefficient over the standard
deviation of the product of the two scores.

Source: L. S. Aiken & S. G. West (1991), Multiple Regression: Testing and Interpreting Interactions,
Sage; J. Henseler & W. W. Chin (2010), doi:10.1080/10705510903439003.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["simple_slopes"]


def simple_slopes(estimate, interaction, target, *, at=(-1.0, 0.0, 1.0)):
    """Return the effect of an interaction's first construct at values of its moderator.

    Parameters
    ----------
    estimate : Estimate
    interaction : str
        Name of a two-stage interaction, as in `"Price * Loyalty"`; other methods give products of
        items, whose scores have no standard deviation of scores to go by.
    target : str
        What the interaction points to.
    at : iterable of float
        Values of the moderator, in standard deviations from its mean.

    Returns
    -------
    pandas.DataFrame
        `moderator` (the value) and `slope` of the first construct there, standardised.

    Raises
    ------
    ValueError
        If there is no such interaction, it is not two-stage, or it does not point to the target.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from crmlab.pls import PathModel, estimate_model, interaction, single_item
    >>> rng = np.random.default_rng(1)
    >>> x, m = rng.normal(size=(2, 1000))
    >>> data = pd.DataFrame({"x": x, "m": m, "y": x + 0.5 * x * m})
    >>> model = PathModel(
    ...     [single_item("X", "x"), single_item("M", "m"), single_item("Y", "y"),
    ...      interaction("X", "M")],
    ...     ["X, M, X * M -> Y"],
    ... )
    >>> slopes = simple_slopes(estimate_model(model, data), "X * M", "Y")
    >>> (slopes["slope"] / slopes["slope"][1]).round(1).tolist()
    [0.5, 1.0, 1.5]
    """
    construct = estimate.model.construct(interaction)
    if construct.kind != "interaction" or construct.method != "two_stage":
        raise ValueError(f"{interaction!r} is not a two-stage interaction: slopes need one")
    if (interaction, target) not in estimate.model.pairs:
        raise ValueError(f"{interaction!r} does not point to {target!r}")
    names = [n for n in estimate.names if estimate.model.construct(n).method == "two_stage"]
    spread = estimate.solution.product_spread[0, names.index(interaction)]
    paths = estimate.path_coefficients[target]
    at = np.asarray(at, dtype=float)
    slope = paths[construct.parts[0]] + paths[interaction] / spread * at
    return pd.DataFrame({"moderator": at, "slope": slope})
