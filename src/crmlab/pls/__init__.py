"""PLS-SEM: path models of constructs and items, by partial least squares.

Specify (`PathModel`), estimate (`estimate_model`), assess (`assess_model`), bootstrap
(`bootstrap_model`, `intervals`, `mediation`), predict (`predict_held_out`), compare groups
(`measurement_invariance`, `compare_groups`, `bootstrap_groups`), map importance
(`importance_performance`, `bootstrap_performance`).
"""

from crmlab.pls.algorithm import SCHEMES
from crmlab.pls.assess import (
    assess_model,
    construct_vif,
    cross_loadings,
    explained_variance,
    f_squared,
    fornell_larcker,
    htmt,
    htmt2,
    item_vif,
    reliability,
)
from crmlab.pls.bootstrap import QUANTITIES, Bootstrap, bootstrap_model
from crmlab.pls.constructs import (
    INTERACTION_METHODS,
    Construct,
    composite,
    higher_order,
    interaction,
    reflective,
    single_item,
)
from crmlab.pls.effects import indirect_effects, specific_indirect_effects, total_effects
from crmlab.pls.estimate import Estimate, Settings, estimate_model
from crmlab.pls.fit import srmr
from crmlab.pls.groups import (
    INVARIANCE,
    GroupComparison,
    compare_groups,
    measurement_invariance,
)
from crmlab.pls.importance import (
    importance_performance,
    index_scores,
    item_importance_performance,
)
from crmlab.pls.intervals import INTERVALS, intervals
from crmlab.pls.mediation import MEDIATION_TYPES, mediation
from crmlab.pls.moderation import simple_slopes
from crmlab.pls.multigroup import bootstrap_groups
from crmlab.pls.performance import PerformanceDraws, bootstrap_performance
from crmlab.pls.predict import Prediction, predict_held_out, stone_geisser
from crmlab.pls.specify import PathModel

__all__ = [
    "INTERACTION_METHODS",
    "INTERVALS",
    "INVARIANCE",
    "MEDIATION_TYPES",
    "QUANTITIES",
    "SCHEMES",
    "Bootstrap",
    "Construct",
    "Estimate",
    "GroupComparison",
    "PathModel",
    "PerformanceDraws",
    "Prediction",
    "Settings",
    "assess_model",
    "bootstrap_groups",
    "bootstrap_model",
    "bootstrap_performance",
    "compare_groups",
    "composite",
    "construct_vif",
    "cross_loadings",
    "estimate_model",
    "explained_variance",
    "f_squared",
    "fornell_larcker",
    "higher_order",
    "htmt",
    "htmt2",
    "importance_performance",
    "index_scores",
    "indirect_effects",
    "interaction",
    "intervals",
    "item_importance_performance",
    "item_vif",
    "measurement_invariance",
    "mediation",
    "predict_held_out",
    "reflective",
    "reliability",
    "simple_slopes",
    "single_item",
    "specific_indirect_effects",
    "srmr",
    "stone_geisser",
    "total_effects",
]
