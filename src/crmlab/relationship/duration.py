"""How long relationships last, with those that go on and those that began before we looked.

Who asks: whoever plans with the length of a relationship. Customers who are still there have no
length yet, only a lower bound (they are *censored*); customers who came before the data begin are
seen only because they lasted until then (they *enter late*). Leaving either out, or taking either
for whole, makes relationships look shorter or longer than they are.

Without a contract nobody says goodbye: a relationship counts as ended when the customer has been
silent for longer than a threshold of ours. Sources: E. L. Kaplan & P. Meier (1958), Nonparametric
estimation from incomplete observations, Journal of the American Statistical Association 53(282),
457-481, doi:10.1080/01621459.1958.10501452; that a long relationship need not be a profitable one:
W. J. Reinartz & V. Kumar (2000), On the profitability of long-life customers in a noncontractual
setting, Journal of Marketing 64(4), 17-35, doi:10.1509/jmkg.64.4.17.18077.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from crmlab.atlas.sentences import say

__all__ = ["estimate_survival", "measure_tenure", "survival_quantile"]


def measure_tenure(began_on, first_seen_on, last_seen_on, *, observed_to, quiet_days):
    """Return how long each relationship has lasted and whether it has ended.

    Parameters
    ----------
    began_on, first_seen_on, last_seen_on : pandas.Series of datetime, shape (n_customers,)
        First day of the relationship (it may lie before the data), and the first and the last
        order in the data; the same index.
    observed_to : datetime-like
        Last day under observation.
    quiet_days : int
        Days of silence after which a relationship counts as ended, with its last order.

    Returns
    -------
    pandas.DataFrame, one row per customer, same index
        `tenure_days` (to the last order if ended, else to `observed_to`), `has_ended`, and
        `entry_days`: the length that the relationship had when it came under observation, 0 if it
        was seen from its first day.

    Raises
    ------
    ValueError
        If a day is missing, the days are out of order, or `quiet_days` is below 1.

    Examples
    --------
    >>> day = pd.to_datetime
    >>> measure_tenure(day(pd.Series(["2023-12-22", "2024-01-10"])),
    ...     day(pd.Series(["2024-01-01", "2024-01-10"])), day(pd.Series(["2024-01-31"] * 2)),
    ...     observed_to="2024-02-20", quiet_days=30)["tenure_days"].tolist()
    [60, 41]
    """
    if quiet_days < 1:
        raise ValueError(f"quiet_days is {quiet_days!r}; expected 1 or more")
    end = pd.Timestamp(observed_to)
    days = pd.DataFrame({"began": began_on, "first": first_seen_on, "last": last_seen_on})
    if days.isna().any(axis=None):
        raise ValueError("a day is missing; give began_on, first_seen_on and last_seen_on of each")
    days = days.apply(lambda column: column.dt.normalize())
    if ((days["first"] < days["began"]) | (days["last"] < days["first"])).any() or (
        days["last"] > end
    ).any():
        raise ValueError("expected began_on <= first_seen_on <= last_seen_on <= observed_to")
    has_ended = (end - days["last"]).dt.days > quiet_days
    until = days["last"].where(has_ended, end)
    return pd.DataFrame(
        {
            "tenure_days": (until - days["began"]).dt.days,
            "has_ended": has_ended,
            "entry_days": (days["first"] - days["began"]).dt.days,
        }
    )


def estimate_survival(tenure, *, level=0.95):
    """Return the share of relationships that last longer than each length (Kaplan & Meier).

    Parameters
    ----------
    tenure : pandas.DataFrame
        `tenure_days`, `has_ended`, `entry_days`, as from `measure_tenure`.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame, one row per length at which a relationship ended, preceded by length 0
        `tenure_days`, `survival`, `lower`, `upper` (of log(-log), so that they stay within 0 and
        1; NaN where the survival is 0 or 1), `n_at_risk`.

    Raises
    ------
    ValueError
        If no relationship has ended, a length is below 0, or all who were followed at some length
        ended there although others lasted longer: too few were watched from so early on.

    Notes
    -----
    A customer who enters late counts from the day of the first order seen, that day included.

    Examples
    --------
    >>> tenure = pd.DataFrame({"tenure_days": [10, 20, 30], "has_ended": [True, False, True],
    ...     "entry_days": [0, 0, 0]})
    >>> estimate_survival(tenure)["survival"].round(3).tolist()
    [1.0, 0.667, 0.0]
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    if (tenure[["tenure_days", "entry_days"]] < 0).any(axis=None):
        raise ValueError("tenure_days and entry_days must be 0 or more")
    if not tenure["has_ended"].any():
        raise ValueError(say("relationship_none_ended"))
    # statsmodels puts nobody at risk on the day of entry; here that day counts.
    found = SurvfuncRight(
        tenure["tenure_days"].to_numpy(dtype=float),
        tenure["has_ended"].to_numpy(dtype=int),
        entry=tenure["entry_days"].to_numpy(dtype=float) - 0.5,
    )
    gone = np.flatnonzero(found.surv_prob <= 0)
    if len(gone) and found.surv_times[gone[0]] < tenure["tenure_days"].max():
        first = gone[0]
        raise ValueError(
            say(
                "relationship_curve_breaks",
                days=found.surv_times[first],
                n=int(found.n_risk[first]),
                longest=float(tenure["tenure_days"].max()),
            )
        )
    survival = np.concatenate([[1.0], found.surv_prob])
    error = np.concatenate([[0.0], found.surv_prob_se])
    inside = (survival > 0) & (survival < 1)
    logs = np.log(np.where(inside, survival, 0.5))
    reach = (
        norm.ppf(0.5 + level / 2)
        * np.where(inside, error, 0)
        / (np.where(inside, survival, 1) * np.abs(logs))
    )
    at_risk = np.concatenate([[len(tenure)], found.n_risk]).astype(int)
    return pd.DataFrame(
        {
            "tenure_days": np.concatenate([[0.0], found.surv_times]),
            "survival": survival,
            "lower": np.where(inside, np.exp(logs * np.exp(reach)), np.nan),
            "upper": np.where(inside, np.exp(logs * np.exp(-reach)), np.nan),
            "n_at_risk": at_risk,
        }
    )


def survival_quantile(curve, share=0.5):
    """Return the length that only so large a share of relationships outlasts; NaN if none does.

    Examples
    --------
    >>> curve = pd.DataFrame({"tenure_days": [0.0, 10.0, 30.0], "survival": [1.0, 0.6, 0.4]})
    >>> survival_quantile(curve)
    30.0
    """
    reached = curve.loc[curve["survival"] <= share, "tenure_days"]
    return float(reached.iloc[0]) if len(reached) else float("nan")
