"""Several models of repeat buying fitted to the same customers, those that do not fit named.

Who asks: whoever lets the data choose. A firm that nobody leaves has no BG/NBD, one whose
customers all leave alike has no Pareto/NBD; that says something about the firm, and is no reason
to give up on the other models.
"""

from __future__ import annotations

from crmlab.atlas.sentences import reason, say, text_in
from crmlab.value.lifetime.bg_nbd import BgNbd, MbgNbd
from crmlab.value.lifetime.likelihood import FitError
from crmlab.value.lifetime.nbd import Nbd
from crmlab.value.lifetime.pareto_nbd import ParetoNbd
from crmlab.value.lifetime.repeat_model import fit_repeat_model

__all__ = ["fit_repeat_models", "group_reasons", "tell_reasons"]

_KINDS = {"bg_nbd": BgNbd, "mbg_nbd": MbgNbd, "pareto_nbd": ParetoNbd, "nbd": Nbd}


def fit_repeat_models(summary):
    """Return the models of repeat buying that fit, and why the others do not.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer, see `crmlab.value.lifetime.repeat_orders`.

    Returns
    -------
    models : dict of str to RepeatModel
        Any of "bg_nbd", "mbg_nbd", "pareto_nbd" and "nbd".
    refusals : dict of str to crmlab.atlas.sentences.Message
        What each that could not be fitted said, a text in two languages.

    Raises
    ------
    ValueError
        If the summary cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> once = pd.DataFrame(
    ...     {"n_repeat_orders": [0] * 30, "last_order_age_weeks": 0.0, "age_weeks": 39.0}
    ... )
    >>> models, refusals = fit_repeat_models(once)
    >>> len(models), refusals["bg_nbd"][:50]
    (0, 'BG/NBD: only 0 of 30 customers bought again, and h')
    """
    models, refusals = {}, {}
    for key, kind in _KINDS.items():
        try:
            models[key] = fit_repeat_model(kind, summary)
        except FitError as refusal:
            refusals[key] = reason(refusal)
    return models, refusals


def group_reasons(refusals):
    """Return why models could not be fitted, each reason once with the models it holds for.

    Parameters
    ----------
    refusals : dict of str to crmlab.atlas.sentences.Message
        Result of `fit_repeat_models`.

    Returns
    -------
    list of crmlab.atlas.sentences.Message

    Examples
    --------
    >>> import pandas as pd
    >>> once = pd.DataFrame(
    ...     {"n_repeat_orders": [0] * 30, "last_order_age_weeks": 0.0, "age_weeks": 39.0}
    ... )
    >>> (only,) = group_reasons(fit_repeat_models(once)[1])
    >>> only[:59]
    'BG/NBD, MBG/NBD, Pareto/NBD, NBD: only 0 of 30 customers bo'
    """
    groups = {}
    for refusal in refusals.values():
        why = refusal.filled["why"]
        # Parameters of different names that run off mean the same.
        is_run = why.key == "value_runs_off"
        groups.setdefault(why.filled["why"] if is_run else why, []).append(refusal)
    return [_say_once(same) for same in groups.values()]


def tell_reasons(refusals, language):
    """Return why models could not be fitted, each reason once and without the models' names.

    Parameters
    ----------
    refusals : dict of str to crmlab.atlas.sentences.Message
        Result of `fit_repeat_models`.
    language : {"en", "zh"}

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> two = pd.DataFrame(
    ...     {"n_repeat_orders": [1, 0], "last_order_age_weeks": [2.0, 0.0], "age_weeks": 39.0}
    ... )
    >>> tell_reasons(fit_repeat_models(two)[1], "en")[:60]
    'Too few customers (2) to estimate how customers differ; expe'
    """
    said = [text_in(one.filled["why"], language) for one in group_reasons(refusals)]
    return (" " if language == "en" else "").join(one[0].upper() + one[1:] for one in said)


def _say_once(same):
    """Return the one reason of several refusals."""
    why = same[0].filled["why"]
    if why.key == "value_runs_off":
        runs = [one.filled["why"].filled for one in same]
        runs = dict.fromkeys(say("value_run", **run) for run in runs)
        why = say("value_run_off", runs=list(runs), why=why.filled["why"])
    return say("value_of_model", model=[one.filled["model"] for one in same], why=why)
