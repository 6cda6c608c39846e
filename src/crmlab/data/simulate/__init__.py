"""A simulated population of customers whose truth is known.

Who asks: whoever wants to know whether a method finds what is there. Every customer has latent
values (`crmlab.data.simulate.latents`); orders, contacts, answers and tickets are their
consequences, drawn with parameters that are all in `SimulationParameters`, and the table `truth`
keeps the latent values beside them. The bundled sample is made by

    python -m crmlab.data.simulate data/sample
"""

from crmlab.data.simulate.accounts import RELATIONSHIP_TYPES
from crmlab.data.simulate.items import SURVEY_ITEMS, SurveyItem
from crmlab.data.simulate.parameters import (
    CONSTRUCTS,
    PATH_COEFFICIENTS,
    SimulationParameters,
    implied_variances,
)
from crmlab.data.simulate.population import (
    SAMPLE_CUSTOMERS,
    SAMPLE_SEED,
    simulate_population,
    write_sample,
)
from crmlab.data.simulate.presets import PRESETS, describe_parameters, preset
from crmlab.data.simulate.stages import MONTHLY_MEANS, STAGES, trace_stages

__all__ = [
    "CONSTRUCTS",
    "MONTHLY_MEANS",
    "PATH_COEFFICIENTS",
    "PRESETS",
    "RELATIONSHIP_TYPES",
    "SAMPLE_CUSTOMERS",
    "SAMPLE_SEED",
    "STAGES",
    "SURVEY_ITEMS",
    "SimulationParameters",
    "SurveyItem",
    "describe_parameters",
    "implied_variances",
    "preset",
    "simulate_population",
    "trace_stages",
    "write_sample",
]
