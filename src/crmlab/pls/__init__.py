"""PLS-SEM: path models of constructs and items, by partial least squares."""

from crmlab.pls.estimate import Estimate, Settings, estimate_model
from crmlab.pls.bootstrap import Bootstrap, bootstrap_model
from crmlab.pls.intervals import INTERVALS, intervals
from crmlab.pls.specify import (
    INTERACTION_METHODS,
    Construct,
    PathModel,
    composite,
    higher_order,
    interaction,
    reflective,
    single_item,
)

__all__ = [
    "INTERACTION_METHODS",
    "Construct",
    "Estimate",
    "PathModel",
    "Settings",
    "composite",
    "estimate_model",
    "higher_order",
    "interaction",
    "reflective",
    "single_item",
]
