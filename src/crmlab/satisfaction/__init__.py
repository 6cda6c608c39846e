"""Satisfaction and delivered value: what customers expected, perceived, gained and gave up."""

from crmlab.satisfaction.criterion import criterion_correlations
from crmlab.satisfaction.delivered_value import (
    BENEFITS,
    COSTS,
    delivered_value,
    normalise_weights,
    value_map,
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
    "BENEFITS",
    "COSTS",
    "LEVELS",
    "criterion_correlations",
    "delivered_value",
    "disconfirmation",
    "first_items",
    "level_shares",
    "normalise_weights",
    "ratio_disagreement",
    "satisfaction_index",
    "satisfaction_ratio",
    "shift_scale",
    "tolerance_sensitivity",
    "top_box_share",
    "value_map",
    "wave_chart",
]
