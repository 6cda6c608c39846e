"""Words for what went wrong: collinear items and constructs, and solutions that cannot be right.

Who asks: whoever estimated a model and was refused, or warned, and must know which item to look at.
"""

from __future__ import annotations

import numpy as np

from crmlab.atlas.sentences import say
from crmlab.pls.algorithm import SMALLEST_OWN_VARIANCE
from crmlab.pls.solve import ROUNDING

__all__ = ["name_collinear", "tell_outcome", "tell_tally", "why_inadmissible"]

_SAID = {
    "solved": "pls_outcome_solved",
    "no_variance": "pls_outcome_no_variance",
    "collinear": "pls_outcome_collinear",
    "not_converged": "pls_outcome_not_converged",
    "inadmissible": "pls_outcome_inadmissible",
}


def tell_outcome(name):
    """Say what became of a sample, by its name in `OUTCOMES`."""
    return say(_SAID[name])


def tell_tally(tally):
    """Say how many samples came to each outcome, those that none came to left out."""
    return [say("pls_tally", what=tell_outcome(name), n=int(n)) for name, n in tally.items() if n]


def name_collinear(estimate, covariances):
    """Say which items or constructs cannot be told from one another, and the cure."""
    layout, solution = estimate.layout, estimate.solution
    found = _in_stage(layout.first, _standard(covariances, layout))
    if not found and layout.second is not None:
        found = _in_stage(layout.second, solution.item_correlations[0])
    return (
        found
        or _among_sources(layout.names, layout.pairs, solution.correlations[0])
        or say("pls_broke_down")
    )


def _in_stage(stage, correlations):
    """Look in mode B for sums of items, then for sources that are one when items weigh alike."""
    for construct, is_b in enumerate(stage.mode_b):
        block = stage.block(construct)
        if is_b:
            labels = [label for _, label in stage.slots[block]]
            found = _explained(correlations[block, block], labels)
            if found:
                named = repr(stage.names[construct])
                return say("pls_collinear_items", name=named, found=found)
    member = (stage.owner[:, None] == np.arange(len(stage.names))).astype(float)
    scores = member.T @ correlations @ member
    spread = np.sqrt(np.diag(scores))
    return _among_sources(stage.names, stage.pairs, scores / spread[:, None] / spread)


def _among_sources(names, pairs, correlations):
    """Look for constructs that point to the same one and cannot be told apart."""
    for target, name in enumerate(names):
        before = [s for s, t in pairs if t == target]
        among = correlations[np.ix_(before, before)]
        if len(before) > 1 and np.isfinite(among).all():
            found = _explained(among, [names[s] for s in before])
            if found:
                return say("pls_collinear_sources", name=repr(name), found=found)
    return ""


def _standard(covariances, layout):
    scale = 1 / np.sqrt(np.diag(covariances))
    correlations = covariances * scale[:, None] * scale
    sources = np.array(layout.sources)
    return correlations[np.ix_(sources, sources)]


def _explained(correlations, labels):
    """Words for a variable that the others explain; or nothing."""
    values, vectors = np.linalg.eigh(correlations)
    if values[0] < SMALLEST_OWN_VARIANCE * len(labels):
        return say("pls_sum", one=repr(labels[int(np.abs(vectors[:, 0]).argmax())]))
    return ""


def why_inadmissible(estimate):
    """Yield every reason for which a consistent solution cannot be right."""
    if not estimate.settings.consistent:
        return
    layout, solution = estimate.layout, estimate.solution
    for k in np.flatnonzero(layout.corrected):
        rho = solution.rho_a[0, k]
        if not 0 < rho <= 1 + ROUNDING:
            yield f"the reliability rho_A of {layout.names[k]!r} is {rho:.3f}, outside 0 to 1"
    for (construct, item), loading in zip(layout.last.slots, solution.loadings[0], strict=True):
        if abs(loading) > 1 + ROUNDING:
            yield f"the loading of {item!r} on {construct!r} is {loading:.3f}, beyond 1"
    for name, value in estimate.r_squared.items():
        if value > 1 + ROUNDING:
            yield f"R² of {name!r} is {value:.3f}, above 1"
    smallest = np.linalg.eigvalsh(np.nan_to_num(solution.correlations[0]))[0]
    if smallest <= 0:
        yield "the corrected correlations of the constructs are not positive definite"
