"""Satisfaction and delivered value: what customers expected, perceived, gained and gave up."""

from crmlab.satisfaction.criterion import criterion_correlations
from crmlab.satisfaction.delivered_value import (
    BENEFITS,
    COSTS,
    delivered_value,
    normalise_weights,
    value_map,
)
from crmlab.satisfaction.drivers import driver_shares
from crmlab.satisfaction.holdout import compare_predictors
from crmlab.satisfaction.kano import (
    KANO_CLASSES,
    classify_answers,
    count_classes,
    kano_coefficients,
    pair_answers,
)
from crmlab.satisfaction.kano_class import (
    assign_classes,
    class_confidence,
    fong_test,
    uniform_test,
)
from crmlab.satisfaction.kano_map import locate_features, score_answers
from crmlab.satisfaction.kano_segments import compare_segments, count_classes_by_segment
from crmlab.satisfaction.opportunity import opportunity_scores, rank_needs
from crmlab.satisfaction.priorities import place_features, quadrant_confidence
from crmlab.satisfaction.ratio import (
    LEVELS,
    disconfirmation,
    level_shares,
    ratio_disagreement,
    satisfaction_ratio,
    shift_scale,
    tolerance_sensitivity,
)
from crmlab.satisfaction.service_quality import (
    dimension_gaps,
    pair_statements,
    read_points,
    service_measures,
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
    "KANO_CLASSES",
    "LEVELS",
    "assign_classes",
    "class_confidence",
    "classify_answers",
    "compare_predictors",
    "compare_segments",
    "count_classes",
    "count_classes_by_segment",
    "criterion_correlations",
    "delivered_value",
    "dimension_gaps",
    "disconfirmation",
    "driver_shares",
    "first_items",
    "fong_test",
    "kano_coefficients",
    "level_shares",
    "locate_features",
    "normalise_weights",
    "opportunity_scores",
    "pair_answers",
    "pair_statements",
    "place_features",
    "quadrant_confidence",
    "rank_needs",
    "ratio_disagreement",
    "read_points",
    "satisfaction_index",
    "satisfaction_ratio",
    "score_answers",
    "service_measures",
    "shift_scale",
    "tolerance_sensitivity",
    "top_box_share",
    "uniform_test",
    "value_map",
    "wave_chart",
]
