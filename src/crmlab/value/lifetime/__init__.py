"""Lifetime value: who still buys, how often and for how much, and what that is worth today."""

from crmlab.value.lifetime.bg_bb import BgBb, fit_bg_bb
from crmlab.value.lifetime.bg_nbd import BgNbd, MbgNbd
from crmlab.value.lifetime.candidates import fit_repeat_models, group_reasons, tell_reasons
from crmlab.value.lifetime.covariates import CovariateBgNbd, fit_bg_nbd_with_covariates
from crmlab.value.lifetime.gamma_gamma import GammaGamma, fit_gamma_gamma, frequency_correlation
from crmlab.value.lifetime.likelihood import Estimates, FitError, likelihood_ratio
from crmlab.value.lifetime.nbd import Nbd
from crmlab.value.lifetime.pareto_nbd import ParetoNbd
from crmlab.value.lifetime.posterior import sample_bg_nbd_posterior
from crmlab.value.lifetime.profiles import code_profile, tell_profiles, try_profiles
from crmlab.value.lifetime.repeat_model import fit_repeat_model
from crmlab.value.lifetime.retention import ShiftedBetaGeometric, fit_shifted_beta_geometric
from crmlab.value.lifetime.simulation import simulate_bg_nbd, simulate_pareto_nbd
from crmlab.value.lifetime.tracking import (
    compare_forecasts,
    error_lead,
    expectations_by_frequency,
    repeat_days_after,
    track_orders,
)
from crmlab.value.lifetime.value import (
    bootstrap_lifetime_value,
    discounted_future_orders,
    lifetime_value,
    probability_alive_grid,
    run_rate_orders,
    value_by_tenth,
)

__all__ = [
    "BgBb",
    "BgNbd",
    "CovariateBgNbd",
    "Estimates",
    "FitError",
    "GammaGamma",
    "MbgNbd",
    "Nbd",
    "ParetoNbd",
    "ShiftedBetaGeometric",
    "bootstrap_lifetime_value",
    "code_profile",
    "compare_forecasts",
    "discounted_future_orders",
    "error_lead",
    "expectations_by_frequency",
    "fit_bg_bb",
    "fit_bg_nbd_with_covariates",
    "fit_gamma_gamma",
    "fit_repeat_model",
    "fit_repeat_models",
    "fit_shifted_beta_geometric",
    "frequency_correlation",
    "group_reasons",
    "lifetime_value",
    "likelihood_ratio",
    "probability_alive_grid",
    "repeat_days_after",
    "run_rate_orders",
    "sample_bg_nbd_posterior",
    "simulate_bg_nbd",
    "simulate_pareto_nbd",
    "tell_profiles",
    "tell_reasons",
    "track_orders",
    "try_profiles",
    "value_by_tenth",
]
