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
from crmlab.satisfaction.repurchase import count_later_purchases
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
    "ACSI",
    "BENEFITS",
    "CCSI",
    "CCSI_COMPLAINTS",
    "COSTS",
    "ECSI",
    "IMPROVEMENT_AREAS",
    "INDEX_MODELS",
    "KANO_CLASSES",
    "LEVELS",
    "IndexModel",
    "add_complaint_item",
    "assign_classes",
    "bootstrap_index",
    "class_confidence",
    "classify_answers",
    "compare_predictors",
    "compare_segments",
    "count_classes",
    "count_classes_by_segment",
    "count_later_purchases",
    "criterion_correlations",
    "delivered_value",
    "dimension_gaps",
    "disconfirmation",
    "driver_shares",
    "estimate_index",
    "first_items",
    "fong_test",
    "improvement_matrix",
    "index_by_group",
    "index_model",
    "kano_coefficients",
    "level_shares",
    "locate_features",
    "normalise_weights",
    "opportunity_scores",
    "pair_answers",
    "pair_statements",
    "place_features",
    "quadrant_confidence",
    "rank_antecedents",
    "rank_needs",
    "ratio_disagreement",
    "read_points",
    "satisfaction_index",
    "satisfaction_ratio",
    "score_answers",
    "service_measures",
    "shift_scale",
    "specify_index",
    "tabulate_index",
    "tolerance_sensitivity",
    "top_box_share",
    "uniform_test",
    "value_map",
    "wave_chart",
    "weighted_index",
]
