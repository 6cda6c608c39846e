"""Satisfaction and delivered value: what customers expected, perceived, gained and gave up."""

from crmlab.satisfaction.criterion import criterion_correlations
from crmlab.satisfaction.delivered_value import (
    BENEFITS,
    COSTS,
    delivered_value,
    normalise_weights,
    value_map,
)
from crmlab.satisfaction.index import bootstrap_index, estimate_index, weighted_index
from crmlab.satisfaction.index_complaints import add_complaint_item
from crmlab.satisfaction.index_models import (
    ACSI,
    CCSI,
    CCSI_COMPLAINTS,
    ECSI,
    INDEX_MODELS,
    IndexModel,
    index_model,
    specify_index,
)
from crmlab.satisfaction.index_tables import (
    IMPROVEMENT_AREAS,
    improvement_matrix,
    index_by_group,
    rank_antecedents,
    tabulate_index,
)
from crmlab.satisfaction.ratio import (
    LEVELS,
    disconfirmation,
    level_shares,
    ratio_disagreement,
    satisfaction_ratio,
    shift_scale,
    tolerance_sensitivity,
)
from crmlab.satisfaction.survey import (
    first_items,
    satisfaction_index,
    top_box_share,
    wave_chart,
)

__all__ = [
    "ACSI",
    "BENEFITS",
    "CCSI",
    "CCSI_COMPLAINTS",
    "COSTS",
    "ECSI",
    "IMPROVEMENT_AREAS",
    "INDEX_MODELS",
    "LEVELS",
    "IndexModel",
    "add_complaint_item",
    "bootstrap_index",
    "criterion_correlations",
    "delivered_value",
    "disconfirmation",
    "estimate_index",
    "first_items",
    "improvement_matrix",
    "index_by_group",
    "index_model",
    "level_shares",
    "normalise_weights",
    "rank_antecedents",
    "ratio_disagreement",
    "satisfaction_index",
    "satisfaction_ratio",
    "shift_scale",
    "specify_index",
    "tabulate_index",
    "tolerance_sensitivity",
    "top_box_share",
    "value_map",
    "wave_chart",
    "weighted_index",
]
