"""Customers drawn from the models themselves: to see whether a fit finds what was put in.

Who asks: tests of recovery, and whoever wants to know how well a model could be estimated from
as many customers as there are.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["simulate_bg_nbd", "simulate_pareto_nbd"]


def simulate_bg_nbd(model, age_weeks, *, seed):
    """Return a summary of customers who behave as a BG/NBD or MBG/NBD model says.

    Parameters
    ----------
    model : BgNbd or MbgNbd
    age_weeks : array_like of float, shape (n_customers,)
        How long each is observed, T.
    seed : int

    Returns
    -------
    pandas.DataFrame
        `n_repeat_orders`, `last_order_age_weeks`, `age_weeks` and, what no firm sees, `is_alive`
        at the end of observation.

    Examples
    --------
    >>> import numpy as np
    >>> from crmlab.value.lifetime import BgNbd
    >>> simulate_bg_nbd(BgNbd(0.243, 4.414, 0.793, 2.426), np.full(3, 39.0), seed=2).shape
    (3, 4)
    """
    rng = np.random.default_rng(seed)
    age = np.asarray(age_weeks, dtype="float64")
    rate = rng.gamma(model.r, 1 / model.alpha, len(age))
    leave = rng.beta(model.a, model.b, len(age))
    x, t_x, now = np.zeros(len(age)), np.zeros(len(age)), np.zeros(len(age))
    has_left = rng.random(len(age)) < leave if model.early_exits else np.zeros(len(age), bool)
    buying = np.flatnonzero(~has_left)
    while len(buying):
        now[buying] += rng.exponential(1 / rate[buying])
        buying = buying[now[buying] <= age[buying]]
        x[buying] += 1
        t_x[buying] = now[buying]
        stays = rng.random(len(buying)) >= leave[buying]
        has_left[buying[~stays]] = True
        buying = buying[stays]
    return _summary(x, t_x, age, ~has_left)


def simulate_pareto_nbd(model, age_weeks, *, seed):
    """Return a summary of customers who behave as a Pareto/NBD model says.

    Parameters
    ----------
    model : ParetoNbd
    age_weeks : array_like of float, shape (n_customers,)
    seed : int

    Returns
    -------
    pandas.DataFrame
        As `simulate_bg_nbd`.
    """
    rng = np.random.default_rng(seed)
    age = np.asarray(age_weeks, dtype="float64")
    rate = rng.gamma(model.r, 1 / model.alpha, len(age))
    leaves_at = rng.exponential(1 / rng.gamma(model.s, 1 / model.beta, len(age)))
    until = np.minimum(age, leaves_at)
    x = rng.poisson(rate * until).astype("float64")
    # The last of x points spread evenly over (0, until): the largest of x uniform numbers.
    t_x = np.where(x > 0, until * rng.random(len(age)) ** (1 / np.maximum(x, 1)), 0.0)
    return _summary(x, t_x, age, leaves_at > age)


def _summary(x, t_x, age, is_alive):
    return pd.DataFrame(
        {
            "n_repeat_orders": x.astype("int64"),
            "last_order_age_weeks": t_x,
            "age_weeks": age,
            "is_alive": is_alive,
        }
    )
