"""CRM performance: indicators, their weights, and the evaluation of periods or units by them."""

from crmlab.performance.catalogue import DEPARTMENTS, VIEWS, indicator_catalogue
from crmlab.performance.evaluation import obstacle_degree, rank_sensitivity, topsis
from crmlab.performance.indicators import indicators_by_quarter, indicators_in_total
from crmlab.performance.quarters import complete_quarters
from crmlab.performance.scorecard import (
    DecisionMatrix,
    decision_matrix,
    principle_checklist,
    scorecard,
)
from crmlab.performance.weights import (
    AHPWeights,
    ahp_weights,
    entropy_weights,
    hierarchy_weights,
)

__all__ = [
    "DEPARTMENTS",
    "VIEWS",
    "AHPWeights",
    "DecisionMatrix",
    "ahp_weights",
    "complete_quarters",
    "decision_matrix",
    "entropy_weights",
    "hierarchy_weights",
    "indicator_catalogue",
    "indicators_by_quarter",
    "indicators_in_total",
    "obstacle_degree",
    "principle_checklist",
    "rank_sensitivity",
    "scorecard",
    "topsis",
]
