"""A simulated population of customers whose truth is known.

Who asks: whoever wants to know whether a method finds what is there. Every customer has latent
values (`crmlab.data.simulate.latents`); orders, contacts, answers and tickets are their
consequences, drawn with parameters that are all in `SimulationParameters`, and the table `truth`
keeps the latent values beside them. The bundled sample is made by

    python -m crmlab.data.simulate data/sample
"""

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

__all__ = [
    "CONSTRUCTS",
    "PATH_COEFFICIENTS",
    "SAMPLE_CUSTOMERS",
    "SAMPLE_SEED",
    "SURVEY_ITEMS",
    "SimulationParameters",
    "SurveyItem",
    "implied_variances",
    "simulate_population",
    "write_sample",
]
