"""Do customers of one region, channel or income buy more often? One profile after the other.

Who asks: whoever is offered a profile of the customers (by a survey, a register, a data seller)
and should first see whether it says anything that the order book does not. Each profile is tried
alone, by the BG/NBD with covariates: its values become columns of 0 and 1, the most frequent value
is the one the others are compared with, and a gap is a value of its own, ``unknown``.

The likelihood-ratio test says whether the profile fits better than chance alone would let it; the
forecast of later orders, which is the harder judge, whether it helps. Of many profiles tried, one
in twenty looks significant at 5 per cent without meaning anything.

Source: P. S. Fader & B. G. S. Hardie (2007), Incorporating time-invariant covariates into the
Pareto/NBD and BG/NBD models, http://www.brucehardie.com/notes/019/.
"""

from __future__ import annotations

import pandas as pd

from crmlab.atlas.sentences import reason, say
from crmlab.value.lifetime.bg_nbd import BgNbd
from crmlab.value.lifetime.covariates import fit_bg_nbd_with_covariates
from crmlab.value.lifetime.likelihood import FitError, likelihood_ratio
from crmlab.value.lifetime.repeat_model import fit_repeat_model
from crmlab.value.lifetime.tracking import compare_forecasts

__all__ = ["code_profile", "tell_profiles", "try_profiles"]


def code_profile(profile):
    """Return a profile as columns of 0 and 1, one fewer than it has values.

    Parameters
    ----------
    profile : pandas.Series
        A value for each customer; gaps become ``unknown``.

    Returns
    -------
    pandas.DataFrame
        Index of `profile`; a column for each value but the most frequent one (of several, the
        first in the alphabet), in alphabetical order, named as the value is written.

    Examples
    --------
    >>> code_profile(pd.Series(["store", "app", "store", None])).columns.tolist()
    ['app', 'unknown']
    """
    words = profile.astype("object").where(profile.notna(), "unknown").astype("str")
    counts = words.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    others = sorted(counts.index[1:])
    return pd.DataFrame({value: (words == value).astype("int64") for value in others})


def try_profiles(summary, profiles, *, n_later, weeks):
    """Return what each profile adds to the BG/NBD, tried one at a time.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer, see `crmlab.value.lifetime.repeat_orders`.
    profiles : pandas.DataFrame
        One column per profile, the same customers in the same order.
    n_later : array_like of float, shape (n_customers,)
        Repeat orders of each customer in a hold-out after the summary.
    weeks : float
        Length of that hold-out.

    Returns
    -------
    tests : pandas.DataFrame
        One row per profile that could be fitted: `profile`, `n_values`, `statistic`,
        `degrees_of_freedom`, `p_value` (see `likelihood_ratio`), `forecast_error` (root mean
        square, orders per customer) and `plain_forecast_error`, that of the BG/NBD without it.
    effects : pandas.DataFrame
        One row per value compared: `profile`, `profile_value`, `compared_with`, `n_customers`,
        `rate_ratio`, `lower`, `upper` (95 per cent).
    refusals : dict of str to crmlab.atlas.sentences.Message
        Why a profile could not be fitted, a text in two languages.

    Raises
    ------
    ValueError
        If the tables differ in length, or (as `FitError`) the BG/NBD itself cannot be fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from crmlab.value.lifetime import simulate_bg_nbd
    >>> summary = simulate_bg_nbd(BgNbd(0.8, 6, 1.2, 6), np.full(500, 52.0), seed=1)
    >>> profiles = pd.DataFrame({"region": ["north", "south"] * 250, "planet": "earth"})
    >>> tests, effects, refusals = try_profiles(
    ...     summary, profiles, n_later=np.ones(500), weeks=10.0)
    >>> tests["profile"].tolist(), list(refusals)
    (['region'], ['planet'])
    """
    if not len(summary) == len(profiles) == len(n_later):
        raise ValueError(
            f"{len(summary)} customers, {len(profiles)} profiles, {len(n_later)} numbers of later "
            "orders; expected the same customers"
        )
    plain = fit_repeat_model(BgNbd, summary)
    plainly = plain.expected_future_orders(summary, weeks=weeks)
    tests, effects, refusals = [], [], {}
    for name in profiles.columns:
        coded = code_profile(profiles[name]).set_axis(summary.index)
        if coded.empty:
            refusals[name] = say("value_profile_constant")
            continue
        marks = {value: f"{name}={value}" for value in coded}
        known = summary.assign(**coded.rename(columns=marks))
        try:
            model = fit_bg_nbd_with_covariates(known, list(marks.values()))
        except FitError as refusal:
            why = reason(refusal)
            refusals[name] = why.filled["why"] if why.key == "value_of_model" else why
            continue
        ahead = {"with": model.expected_future_orders(known, weeks=weeks), "without": plainly}
        errors = compare_forecasts(n_later, ahead)["root_mean_square_error"]
        test = likelihood_ratio(model.estimates, plain.estimates)
        tests.append(
            {"profile": name, "n_values": coded.shape[1] + 1}
            | test
            | {"forecast_error": errors[0], "plain_forecast_error": errors[1]}
        )
        table = model.effects().drop(columns=["covariate", "leaving_probability"])
        table.insert(0, "profile", name)
        table.insert(1, "profile_value", list(coded))
        table.insert(2, "compared_with", _most_frequent(profiles[name], coded))
        table.insert(3, "n_customers", coded.sum().to_numpy())
        effects.append(table)
    columns = ["profile", "n_values", "statistic", "degrees_of_freedom", "p_value"]
    columns += ["forecast_error", "plain_forecast_error"]
    effect_columns = ["profile", "profile_value", "compared_with", "n_customers"]
    effect_columns += ["rate_ratio", "lower", "upper"]
    return (
        pd.DataFrame(tests, columns=columns),
        pd.concat(effects, ignore_index=True) if effects else pd.DataFrame(columns=effect_columns),
        refusals,
    )


def tell_profiles(tests):
    """Return in one sentence what the profiles tried are worth, or that there is none to try.

    Parameters
    ----------
    tests : pandas.DataFrame
        Result of `try_profiles`.

    Returns
    -------
    crmlab.atlas.sentences.Message
        How many lower the error on later orders, and the smallest p value beside the one that
        so many trials call for (0.05 over their number, after Bonferroni).

    Examples
    --------
    >>> tests = pd.DataFrame({"forecast_error": [1.9, 2.1], "plain_forecast_error": 2.0,
    ...                       "p_value": [0.0004, 0.3]})
    >>> print(tell_profiles(tests)[-75:])
    p value is below 0.001; of 2 tried, one below 0.025 is worth a second look.
    """
    error, plain, p = tests["forecast_error"], tests["plain_forecast_error"], tests["p_value"].min()
    n, n_better = len(tests), int((error < plain).sum())
    return say(
        "value_profiles_tried",
        n=n,
        lowering=say(
            "value_profiles_some" if n_better else "value_profiles_none", n=n, n_better=n_better
        ),
        best=float(error.min()),
        plain=float(plain.iloc[0]),
        p=say("value_p_tiny") if p < 0.001 else say("value_p", p=float(p)),
        limit=0.05 / len(tests),
    )


def _most_frequent(profile, coded):
    """Return the value that has no column."""
    words = profile.astype("object").where(profile.notna(), "unknown").astype("str")
    return next(word for word in sorted(set(words)) if word not in coded)
