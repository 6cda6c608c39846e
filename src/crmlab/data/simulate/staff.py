"""The simulated staff survey: how ready the firm is for customer relationship management.

Who asks: whoever judges maturity, culture or internal service by department. The questions, each
answered from 1 to 7, stand in ``staff_items.csv`` beside this module with their loadings; what sets
the departments apart stands in `DEPARTMENT_SHIFTS`. Satisfaction with work follows internal
service, as the service-profit chain has it (Heskett, Jones, Loveman, Sasser and Schlesinger 1994,
Putting the Service-Profit Chain to Work, Harvard Business Review 72(2), 164-174).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = [
    "DEPARTMENTS",
    "DEPARTMENT_SHIFTS",
    "JOB_SATISFACTION_PATH",
    "STAFF_ITEMS",
    "simulate_staff",
]

DEPARTMENTS: Mapping[str, float] = MappingProxyType(
    {"sales": 0.35, "service": 0.25, "marketing": 0.15, "technology": 0.15, "management": 0.10}
)
"""The departments and their shares of the staff."""

DEPARTMENT_SHIFTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "process": {"sales": -0.2, "service": 0.0, "management": 0.5},
        "people": {"sales": 0.2, "service": 0.1, "technology": -0.3},
        "technology": {"sales": -0.4, "service": -0.2, "technology": 0.6, "management": 0.2},
        "culture": {"sales": 0.1, "marketing": 0.4, "technology": -0.5, "management": 0.3},
        "leadership": {"service": -0.3, "management": 0.8},
        "acceptance": {"sales": -0.4, "marketing": 0.3, "technology": 0.5},
        "listening": {"sales": 0.3, "service": 0.4, "technology": -0.5},
        "internal_service": {"sales": -0.3, "service": -0.4, "technology": 0.3, "management": 0.4},
        "job_satisfaction": {},
    }
)
"""Mean of each latent in a department, in standard deviations; 0 where none is given."""

JOB_SATISFACTION_PATH = 0.55
"""Effect of internal service on satisfaction with work, in standard deviations."""

_COMMON = 0.35  # share of the variance that all latents have in common


def _read_items() -> tuple[dict[str, str], ...]:
    with Path(__file__).with_name("staff_items.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


STAFF_ITEMS = _read_items()
"""The questions: `item`, `construct`, `loading`, `mean`, `sd`, `text_en`, `text_zh`, all text."""


def simulate_staff(
    last_day: int, rng: np.random.Generator, parameters: SimulationParameters
) -> pd.DataFrame:
    """Return one row per employee who answers.

    Parameters
    ----------
    last_day : int
        Last day observed; the survey is held in the four weeks up to it.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        Holds `n_staff`, `readiness_level` and `missing_share`.

    Returns
    -------
    pandas.DataFrame
        `department`, `day`, `tenure_years`, `logins_per_week` and the scores of `STAFF_ITEMS`.

    Examples
    --------
    >>> staff = simulate_staff(730, np.random.default_rng(1), SimulationParameters(n_staff=50))
    >>> staff.shape, sorted(staff["department"].unique())[:2]
    ((50, 27), ['management', 'marketing'])
    """
    n = parameters.n_staff
    department = np.array(list(DEPARTMENTS))[
        rng.choice(len(DEPARTMENTS), size=n, p=list(DEPARTMENTS.values()))
    ]
    common = math.sqrt(_COMMON) * rng.standard_normal(n)
    latents = {}
    for construct, shifts in DEPARTMENT_SHIFTS.items():
        own = rng.standard_normal(n)
        if construct == "job_satisfaction":
            cause = JOB_SATISFACTION_PATH
            latents[construct] = cause * latents["internal_service"] + math.sqrt(1 - cause**2) * own
            continue
        shift = np.array([shifts.get(name, 0.0) for name in department])
        latents[construct] = shift + common + math.sqrt(1 - _COMMON) * own
    logins = quantise(np.exp(1.8 + 0.4 * latents["acceptance"]))
    columns = {
        "department": pd.array(department.astype(object), dtype="str"),
        "day": last_day - rng.integers(28, size=n),
        "tenure_years": quantise(5 * rng.standard_gamma(1.5, n) / 1.5, 1),
        "logins_per_week": rng.poisson(logins),
    }
    for row in STAFF_ITEMS:
        loading, mean, sd = (float(row[name]) for name in ("loading", "mean", "sd"))
        noise = math.sqrt(1 - loading**2) * rng.standard_normal(n)
        score = mean + parameters.readiness_level
        score = score + sd * (loading * latents[row["construct"]] + noise)
        is_missing = rng.random(n) < parameters.missing_share
        score = np.clip(np.round(quantise(score)), 1, 7)
        columns[row["item"]] = np.where(is_missing, np.nan, score)
    return pd.DataFrame(columns)
