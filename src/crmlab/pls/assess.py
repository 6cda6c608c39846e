"""Is the model any good? The tables a supervisor asks for, measurement first, structure second.

Who asks: whoever must show, before reading a path, that items measure what they should
(reliability), that constructs differ from one another (discriminant validity), that antecedents
can be told apart (collinearity), and how much is explained.

Rules of thumb are the reader's business; the tables hold numbers. NaN stands where a measure does
not apply: reliabilities of a construct weighed in mode B.

Sources: L. J. Cronbach (1951), Coefficient alpha and the internal structure of tests, Psychometrika
16(3), 297-334, doi:10.1007/BF02310555; C. Fornell & D. F. Larcker (1981), Evaluating structural
equation models with unobservable variables and measurement error, Journal of Marketing Research
18(1), 39-50, doi:10.1177/002224378101800104; T. K. Dijkstra & J. Henseler (2015),
doi:10.25300/MISQ/2015/39.2.02 (rho_A); J. Henseler, C. M. Ringle & M. Sarstedt (2015), A new
criterion for assessing discriminant validity in variance-based structural equation modeling,
Journal of the Academy of Marketing Science 43(1), 115-135, doi:10.1007/s11747-014-0403-8;
E. Roemer, F. Schuberth & J. Henseler (2021), HTMT2: an improved criterion for assessing
discriminant validity in structural equation modeling, Industrial Management & Data Systems 121(12),
2637-2650, doi:10.1108/IMDS-02-2021-0082; W. W. Chin (1998), The partial least squares approach to
structural equation modeling, in Modern Methods for Business Research, 295-336, Erlbaum (f²).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.pls.effects import indirect_effects, specific_indirect_effects, total_effects
from crmlab.pls.estimate import estimate_model
from crmlab.pls.fit import srmr
from crmlab.pls.measures import alpha_of, ave_of, htmt2_of, htmt_of, rho_c_of
from crmlab.pls.specify import PathModel

__all__ = [
    "assess_model",
    "construct_vif",
    "cross_loadings",
    "explained_variance",
    "f_squared",
    "fornell_larcker",
    "htmt",
    "htmt2",
    "item_vif",
    "reliability",
]


def assess_model(estimate):
    """Return every table of this module, with loadings, effects and fit, by name.

    Parameters
    ----------
    estimate : Estimate

    Returns
    -------
    dict of str to pandas.DataFrame

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from crmlab.pls import PathModel, reflective
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=(100, 1))
    >>> data = pd.DataFrame(f + 0.5 * rng.normal(size=(100, 4)), columns=list("abcd"))
    >>> model = PathModel([reflective("X", ["a", "b"]), reflective("Y", ["c", "d"])], ["X -> Y"])
    >>> tables = assess_model(estimate_model(model, data))
    >>> tables["reliability"].rename_axis(None).round(2)
       n_items  cronbach_alpha  rho_a  rho_c   ave
    X        2            0.82   0.82   0.92  0.85
    Y        2            0.85   0.85   0.93  0.87
    """
    return {
        "loadings": estimate.loadings,
        "weights": estimate.weights,
        "reliability": reliability(estimate),
        "cross_loadings": cross_loadings(estimate),
        "fornell_larcker": fornell_larcker(estimate),
        "htmt": htmt(estimate),
        "htmt2": htmt2(estimate),
        "item_vif": item_vif(estimate),
        "construct_vif": construct_vif(estimate),
        "paths": estimate.paths,
        "explained_variance": explained_variance(estimate),
        "f_squared": f_squared(estimate),
        "total_effects": total_effects(estimate),
        "indirect_effects": indirect_effects(estimate),
        "specific_indirect_effects": specific_indirect_effects(estimate),
        "srmr": srmr(estimate),
    }


def reliability(estimate):
    """Return Cronbach's alpha, rho_A, rho_C and AVE of every construct with items.

    Returns
    -------
    pandas.DataFrame, by construct
        `n_items`; `cronbach_alpha` of the standardised items; `rho_a`; `rho_c` (composite
        reliability) and `ave` from the loadings of the estimate (consistent ones where asked).
        All 1 for a single item; NaN for several items in mode B.
    """
    stage, solution = estimate.layout.last, estimate.solution
    table = pd.DataFrame(
        {
            "cronbach_alpha": alpha_of(solution.item_correlations, stage)[0],
            "rho_a": solution.rho_a[0, : len(stage.names)],
            "rho_c": rho_c_of(solution.loadings, stage)[0],
            "ave": ave_of(solution.loadings, stage)[0],
        },
        pd.Index(stage.names, name="construct"),
    )
    table[np.array(stage.mode_b) & (stage.sizes > 1)] = np.nan
    table.insert(0, "n_items", stage.sizes)
    return table


def cross_loadings(estimate):
    """Return the correlation of every item with every construct's scores, items by constructs."""
    stage = estimate.layout.last
    table = pd.DataFrame(
        estimate.solution.cross_loadings[0], [label for _, label in stage.slots], list(stage.names)
    )
    return table[~table.index.duplicated()]


def fornell_larcker(estimate):
    """Return the constructs' correlations with the root of the AVE in the diagonal.

    Correlations are those the paths come from: corrected for attenuation in a consistent
    estimate, as the AVE there is. The diagonal should exceed its row and column.

    Returns
    -------
    pandas.DataFrame, construct by construct; the upper triangle NaN
    """
    names = list(estimate.layout.last.names)
    values = estimate.correlations.loc[names, names].to_numpy().copy()
    np.fill_diagonal(values, np.sqrt(reliability(estimate)["ave"]))
    return _lower(values, names, diagonal=True)


def htmt(estimate):
    """Return the heterotrait-monotrait ratio of every two constructs (lower triangle, else NaN).

    The mean absolute correlation between their items over the geometric mean of the mean ones
    within; 1 would say that both measure the same. A single item counts as free of error.
    """
    stage = estimate.layout.last
    return _lower(htmt_of(estimate.solution.item_correlations, stage)[0], list(stage.names))


def htmt2(estimate):
    """Return HTMT2: HTMT with geometric means, right also where loadings differ.

    Of absolute correlations, as HTMT here; one item correlation of 0 makes it 0.
    """
    stage = estimate.layout.last
    return _lower(htmt2_of(estimate.solution.item_correlations, stage)[0], list(stage.names))


def item_vif(estimate):
    """Return the variance inflation of every item by the other items of its construct.

    Returns
    -------
    pandas.DataFrame
        `construct`, `item`, `vif` (1 for a single item, infinite for a sum of others).
    """
    stage = estimate.layout.last
    correlations, rows = estimate.solution.item_correlations[0], []
    for construct in range(len(stage.names)):
        block = stage.block(construct)
        for (name, item), vif in zip(
            stage.slots[block], _inflation(correlations[block, block]), strict=True
        ):
            rows.append((name, item, vif))
    return pd.DataFrame(rows, columns=["construct", "item", "vif"])


def construct_vif(estimate):
    """Return the variance inflation among the constructs that point to the same one.

    From the scores' correlations, in a consistent estimate too, as usual.

    Returns
    -------
    pandas.DataFrame
        `source`, `target`, `vif` (1 for an only source).
    """
    scores, rows = estimate.solution.score_correlations[0], []
    for target, name in enumerate(estimate.names):
        before = [s for s, t in estimate.layout.pairs if t == target]
        for source, vif in zip(before, _inflation(scores[np.ix_(before, before)]), strict=True):
            rows.append((estimate.names[source], name, vif))
    return pd.DataFrame(rows, columns=["source", "target", "vif"])


def explained_variance(estimate):
    """Return R², adjusted R² and information criteria of every explained construct.

    Returns
    -------
    pandas.DataFrame, by construct
        `n_predictors`; `r_squared`; `r_squared_adjusted`; `aic` and `bic` of the regression of
        the scores, n·ln(SSE / n) plus 2 or ln(n) for each predictor and the constant (low is
        good, between models that explain the same scores).
    """
    n, rows = estimate.n_respondents, {}
    scores = estimate.solution.score_correlations[0]
    for name, r_squared in estimate.r_squared.items():
        target = estimate.names.index(name)
        before = [s for s, t in estimate.layout.pairs if t == target]
        k = len(before)
        of_scores = scores[before, target] @ np.linalg.solve(
            scores[np.ix_(before, before)], scores[before, target]
        )
        deviance = n * np.log((1 - of_scores) * (n - 1) / n)
        rows[name] = {
            "n_predictors": k,
            "r_squared": r_squared,
            "r_squared_adjusted": 1 - (1 - r_squared) * (n - 1) / (n - k - 1),
            "aic": deviance + 2 * (k + 1),
            "bic": deviance + np.log(n) * (k + 1),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("construct")


def f_squared(estimate):
    """Return Cohen's f² of every path: what R² loses without it, over what is not explained.

    Returns
    -------
    pandas.DataFrame
        `source`, `target`; `f_squared`, where the model is estimated again without the path (Chin
        1998), which may be negative when weights move; `f_squared_same_scores`, where scores stay
        as they are. The former is NaN where a path cannot be taken out, as a part of an
        interaction.
    """
    rows = []
    correlations = estimate.solution.correlations[0]
    for source, target in estimate.layout.pairs:
        ends = estimate.names[source], estimate.names[target]
        full = estimate.r_squared[ends[1]]
        others = [s for s, t in estimate.layout.pairs if t == target and s != source]
        same = 0.0
        if others:
            near = correlations[others, target]
            same = near @ np.linalg.solve(correlations[np.ix_(others, others)], near)
        again = _r_squared_without(estimate, *ends) if others else 0.0
        rows.append((*ends, (full - again) / (1 - full), (full - same) / (1 - full)))
    return pd.DataFrame(rows, columns=["source", "target", "f_squared", "f_squared_same_scores"])


def _r_squared_without(estimate, source, target):
    """R² of the target in the model estimated again without one path; NaN if there is none."""
    model, settings = estimate.model, estimate.settings
    pairs = [pair for pair in model.pairs if pair != (source, target)]
    used = {name for pair in pairs for name in pair}
    used |= {p for c in model.constructs if c.name in used for p in c.parts}
    constructs = [c for c in model.constructs if c.name in used]
    items = {item for c in constructs for item in c.items}
    try:
        without = PathModel(
            constructs,
            [f"{s} -> {t}" for s, t in pairs],
            [item for item in model.shared_items if item in items],
        )
        return estimate_model(without, estimate.respondents.answers, **vars(settings)).r_squared[
            target
        ]
    except ValueError:
        return np.nan


def _inflation(correlations):
    """Diagonal of the inverse; infinite where variables are collinear."""
    if len(correlations) < 2:
        return np.ones(len(correlations))
    if np.linalg.eigvalsh(correlations)[0] < 1e-10:
        return np.full(len(correlations), np.inf)
    return np.diag(np.linalg.inv(correlations))


def _lower(values, names, *, diagonal=False):
    keep = np.tril(np.ones(values.shape, dtype=bool), 0 if diagonal else -1)
    return pd.DataFrame(np.where(keep, values, np.nan), names, names)
