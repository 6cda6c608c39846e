"""Estimate a path model: weights, loadings, path coefficients, R², scores.

Who asks: the student with a path diagram and a survey, who wants to know which construct moves
which, and how well the items measure them.

What SmartPLS does is done here: items are standardised (mean 0, variance 1 with n - 1), weights
start at 1, scores have variance 1. The sign of a construct is set where the sum of its items'
loadings is positive. With `consistent=True` the loadings of reflective constructs and everything
computed from their correlations are corrected for attenuation (PLSc).

Sources: J.-B. Lohmöller (1989), doi:10.1007/978-3-642-52512-4; T. K. Dijkstra & J. Henseler (2015),
Consistent partial least squares path modeling, MIS Quarterly 39(2), 297-316,
doi:10.25300/MISQ/2015/39.2.02; M. Tenenhaus, V. Esposito Vinzi, Y.-M. Chatelin & C. Lauro (2005),
PLS path modeling, Computational Statistics & Data Analysis 48(1), 159-205,
doi:10.1016/j.csda.2004.03.005.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.pls.algorithm import SCHEMES
from crmlab.pls.layout import Layout, lay_out
from crmlab.pls.moments import sample_moments
from crmlab.pls.reasons import name_collinear, why_inadmissible
from crmlab.pls.respondents import Respondents, read_respondents
from crmlab.pls.solve import OUTCOMES, Solution, solve_samples
from crmlab.pls.specify import PathModel

__all__ = ["Estimate", "Settings", "estimate_model"]


@dataclass(frozen=True)
class Settings:
    """How an estimate is made; see `estimate_model`."""

    scheme: str = "path"
    consistent: bool = False
    missing: str = "listwise"
    tolerance: float = 1e-7
    max_iterations: int = 300

    def __post_init__(self):
        if self.scheme not in SCHEMES:
            raise ValueError(f"scheme is one of {', '.join(SCHEMES)}, not {self.scheme!r}")
        if not 0 < self.tolerance < 1:
            raise ValueError(f"tolerance is between 0 and 1, not {self.tolerance!r}")
        if self.max_iterations < 1:
            raise ValueError(f"max_iterations is at least 1, not {self.max_iterations!r}")


@dataclass(frozen=True, eq=False)
class Estimate:
    """An estimated model; nothing in it changes.

    Attributes
    ----------
    model : PathModel
    settings : Settings
    n_respondents, n_left_out, n_filled : int
        Respondents used; rows left out (`listwise`); answers put in (`mean`).
    n_iterations : int
    weights, loadings : pandas.DataFrame, items by constructs
        0 where an item does not belong to a construct. Weights apply to standardised items.
    part_loadings : pandas.DataFrame, or None
        Loadings of the parts of a higher-order construct, from the first stage.
    path_coefficients : pandas.DataFrame, source by target
        Standardised; 0 where there is no path.
    r_squared : pandas.Series, by construct that something points to
    score_correlations, correlations : pandas.DataFrame, construct by construct
        Of the scores; and corrected for attenuation where `consistent` (else the same).
    scores : pandas.DataFrame, respondents by constructs
        Mean 0, variance 1; the index is the data's.
    inadmissible : tuple of str
        Why a consistent solution cannot be right (empty when it can): say so beside it.
    """

    model: PathModel
    settings: Settings
    layout: Layout
    respondents: Respondents
    solution: Solution

    @property
    def names(self):
        """Names of the constructs in the order of every table."""
        return list(self.layout.names)

    @property
    def n_respondents(self):
        """Respondents used."""
        return self.respondents.n

    @property
    def n_left_out(self):
        """Rows left out because an answer was missing."""
        return self.respondents.n_left_out

    @property
    def n_filled(self):
        """Missing answers replaced by the item's mean."""
        return self.respondents.n_filled

    @property
    def n_iterations(self):
        """Iterations until no weight changed by more than the tolerance."""
        return int(self.solution.n_iterations[0])

    @property
    def weights(self):
        """Outer weights, items by constructs."""
        return self._by_slot(self.solution.weights[0], self.layout.last)

    @property
    def loadings(self):
        """Outer loadings, items by constructs; consistent ones where asked."""
        return self._by_slot(self.solution.loadings[0], self.layout.last)

    @property
    def part_loadings(self):
        """Loadings of the first stage, items by its constructs; None without a higher order."""
        stage, solution = self.layout.first, self.solution
        if self.layout.second is None:
            return None
        weights = np.where(
            stage.owner[:, None] == np.arange(len(stage.names)),
            solution.part_weights[0][:, None],
            0,
        )
        cross = solution.part_correlations[0] @ weights
        return self._by_slot(cross[np.arange(len(stage.slots)), stage.owner], stage)

    @property
    def path_coefficients(self):
        """Standardised path coefficients, source by target."""
        return self._square(self.solution.paths[0])

    @property
    def paths(self):
        """Path coefficients as a list: `source`, `target`, `coefficient`."""
        rows = [
            (self.names[s], self.names[t], self.solution.paths[0, s, t])
            for s, t in self.layout.pairs
        ]
        return pd.DataFrame(rows, columns=["source", "target", "coefficient"])

    @property
    def r_squared(self):
        """Share of variance explained, of each construct that something points to."""
        return pd.Series(self.solution.r_squared[0], self.names, name="r_squared").dropna()

    @property
    def score_correlations(self):
        """Correlations of the scores."""
        return self._square(self.solution.score_correlations[0])

    @property
    def correlations(self):
        """Correlations of the constructs, from which the paths are computed."""
        return self._square(self.solution.correlations[0])

    @property
    def scores(self):
        """Standardised scores, one row per respondent used."""
        columns = self.respondents.columns
        values = (columns - columns.mean(axis=0)) @ self.solution.combine[0]
        return pd.DataFrame(values, self.respondents.answers.index, self.names)

    @property
    def inadmissible(self):
        """Why a consistent solution cannot be right, in words; empty when it can."""
        return tuple(why_inadmissible(self))

    @staticmethod
    def _by_slot(values, stage):
        """Spread one value per slot of a stage over a table of items by constructs."""
        row = {}
        for _, label in stage.slots:
            row.setdefault(label, len(row))
        table = np.zeros((len(row), len(stage.names)))
        table[[row[label] for _, label in stage.slots], stage.owner] = values
        return pd.DataFrame(table, list(row), list(stage.names))

    def _square(self, values):
        return pd.DataFrame(values, self.names, self.names)


def estimate_model(
    model,
    data,
    *,
    scheme="path",
    consistent=False,
    missing="listwise",
    tolerance=1e-7,
    max_iterations=300,
):
    """Estimate a path model by partial least squares.

    Parameters
    ----------
    model : PathModel
    data : pandas.DataFrame
        One row per respondent, a numeric column per item; other columns are ignored.
    scheme : {"path", "factorial", "centroid"}
        Inner weighting.
    consistent : bool
        Correct reflective constructs of two and more items for attenuation (PLSc).
    missing : {"listwise", "mean"}
        Leave out who did not answer every item of the model, or put the item's mean in.
    tolerance : float
        Largest change of an outer weight at which the iteration has converged.
    max_iterations : int

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        Where the data cannot bear the model (names the item and the cure), where items or
        constructs are collinear, or where the iteration does not converge.

    References
    ----------
    Lohmöller (1989), doi:10.1007/978-3-642-52512-4; Dijkstra & Henseler (2015),
    doi:10.25300/MISQ/2015/39.2.02

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from crmlab.pls import PathModel, reflective
    >>> rng = np.random.default_rng(4)
    >>> value = rng.normal(size=200)
    >>> loyalty = 0.6 * value + 0.8 * rng.normal(size=200)
    >>> answers = pd.DataFrame({
    ...     "v1": value + 0.5 * rng.normal(size=200), "v2": value + 0.5 * rng.normal(size=200),
    ...     "l1": loyalty + 0.5 * rng.normal(size=200), "l2": loyalty + 0.5 * rng.normal(size=200),
    ... })
    >>> model = PathModel(
    ...     [reflective("Value", ["v1", "v2"]), reflective("Loyalty", ["l1", "l2"])],
    ...     ["Value -> Loyalty"],
    ... )
    >>> float(estimate_model(model, answers).path_coefficients.loc["Value", "Loyalty"].round(2))
    0.5
    >>> estimate_model(model, answers, consistent=True).paths.round(2)
      source   target  coefficient
    0  Value  Loyalty         0.56
    """
    settings = Settings(scheme, consistent, missing, tolerance, max_iterations)
    layout = lay_out(model)
    if consistent:
        _check_consistent(model, layout)
    respondents = read_respondents(data, layout, missing=missing)
    means, covariances = sample_moments(respondents.columns)
    solution = solve_samples(means[None], covariances[None], layout, settings)
    estimate = Estimate(model, settings, layout, respondents, solution)
    outcome = OUTCOMES[solution.outcome[0]]
    if outcome == "collinear":
        raise ValueError(name_collinear(estimate, covariances))
    if outcome == "not_converged":
        tried = {"n": max_iterations, "tolerance": f"{tolerance:g}"}
        raise ValueError(say("pls_not_settled", **tried))
    return estimate


def _check_consistent(model, layout):
    if any(c.kind == "interaction" for c in model.constructs):
        raise ValueError(
            "an interaction is not estimated consistently (its correlations need another "
            "correction): use consistent=False"
        )
    if not layout.corrected.any():
        raise ValueError(say("pls_nothing_to_correct"))
