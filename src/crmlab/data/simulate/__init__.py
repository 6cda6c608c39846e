"""A simulated population of customers whose truth is known.

Who asks: whoever wants to know whether a method finds what is there. Every customer has latent
values (`crmlab.data.simulate.latents`); orders, contacts, answers and tickets are their
consequences, drawn with parameters that are all in `SimulationParameters`, and the table `truth`
keeps the latent values beside them. The bundled sample is made by

    python -m crmlab.data.simulate data/sample

and others (`PRESETS`, or parameters of one's own) by ``crmlab data simulate FOLDER``. The same
seed, size and parameters give the same values everywhere, whatever the size of the pieces in which
the tables are written.

What each column of `truth` scores (the number of the notebook that does, or will):

- `purchase_rate_per_week`, `dropout_probability`, `mean_order_value`: BG/NBD and gamma-gamma (21).
- `n_orders_next_52_weeks`, `value_next_52_weeks`: value tiers (20), lifetime value (21), budgets
  (70), next offers (71).
- `is_alive`, `dropped_out_on`: segments (30), P(alive) (21), customers by stability (31), survival
  and churn models, win-back (51).
- `is_relational`: segments (30), relational and transactional customers (31).
- `price_sensitivity`, `uplift_probability`: deal seekers (31), uplift of campaigns (61), whom to
  make an offer (71, 72). Hold-outs in `contacts` score them on real data too.
- `margin_rate`, `service_intensity`: contribution and cost to serve (20), high- and low-profit
  customers (31).
- `image`, `expectation`, `perceived_quality`, `perceived_value`, `satisfaction`, `loyalty`:
  satisfaction measures (40), scores of the satisfaction index (42), whose paths are in
  `PATH_COEFFICIENTS`; recovery and complaints (60).
- `expected_product_value` and the seven other ``expected_`` columns, `perceived_product_value` and
  the seven other ``perceived_`` columns: delivered value and its gaps (40).
- `trust`, `commitment`, `switching_cost`, `alternatives`: the commitment-trust paths, true and
  spurious loyalty (50); `customer_dependence`, `firm_dependence`: asymmetry (32).
- `formation_on`, `stability_on`, `decline_on`: the stage of each month (`trace_stages`), which a
  hidden Markov model of `activity` should find, with emissions `MONTHLY_MEANS` (32).
- `relationship_type`: the types told from `accounts` (32, 31).
- `novelty_seeking`, `thrift`, `sociability`, `time_pressure`: the factors of a battery of
  activities, interests and opinions; `benefit_segment`: segments by the benefits sought (30).
- `consumption_type`: lighthouse customers, followers, rational customers and deal seekers;
  `adopted_by`: the innovators and imitators behind a diffusion; `response_policy`: how the firm
  reacts to what a customer asks (31).
- `community`: communities found in `links`, homophily, contagion (33, 91).
- `kano_order_accuracy`, `kano_data_protection`, `kano_easy_returns`, `kano_delivery_speed`,
  `kano_fair_prices`, `kano_product_range`, `kano_personal_advice`, `kano_surprise_gifts`,
  `kano_offer_calls`: the classes of the Kano questionnaire, one by one and by segment (41). The
  drivers of satisfaction have no column: the loadings in ``need_items.csv`` say how each rated
  performance goes with it.

The staff survey has no row in `truth`: what sets departments apart, and the path from internal
service to satisfaction with work, stand in `crmlab.data.simulate.staff` (82, 31).
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
