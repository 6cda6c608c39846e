r"""Mode effects: whether the way of asking moves the answer, or other people answer that way.

Who asks: whoever collects feedback through several channels and wants one score. The raw
difference between modes mixes *selection* (who answers in which mode) with *measurement* (how the
mode moves the answer). Weighting each respondent by the inverse of the probability of answering
in the mode used, given what is known of the respondent (age, region, ...), gives every mode the
same mix of people; what difference is left is the mode effect, **if** what is known explains who
answers how. With w_i = 1/P(mode_i | x_i), the mean of mode m is

.. math:: \bar y_m = \sum_{i \in m} w_i y_i \Big/ \sum_{i \in m} w_i

Sources: Lugtig, P., Lensvelt-Mulders, G., Frerichs, R. and Greven, A. (2011). Estimating
nonresponse bias and mode effects in a mixed-mode survey. International Journal of Market Research
53(5), 669-686; Vannieuwenhuyze, J. and Loosveldt, G. (2013). Evaluating relative mode effects in
mixed-mode surveys. Sociological Methods & Research 42(1), doi:10.1177/0049124112464868 (when it
cannot be told apart from selection); Kreuter, F., Presser, S. and Tourangeau, R. (2008). Social
desirability bias in CATI, IVR, and web surveys. Public Opinion Quarterly 72(5), 847-865,
doi:10.1093/poq/nfn063 (what interviewers do to answers).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.data.covariates import design_matrix
from crmlab.data.weighting import effective_sample_size

__all__ = ["ModeEffect", "estimate_mode_effect"]

_RARE = 0.01


@dataclass(frozen=True)
class ModeEffect:
    """What `estimate_mode_effect` found.

    Attributes
    ----------
    modes : pandas.DataFrame, one row per mode, the reference first
        `mode`, `n_answers`, `n_effective` (after weighting), `raw_mean`, `weighted_mean`,
        `standard_error` (of the weighted mean), `raw_difference`, `mode_effect` (weighted
        difference to the reference; 0 for itself), `lower` and `upper` (its 95 per cent
        interval).
    chi_squared, p_value : float
        Wald test that all weighted means are equal, and its degrees of freedom: modes less one.
    score : float
        Mean of everyone's answers as if given in the reference mode: each answer less its mode's
        effect.
    raw_score : float
        Mean of all answers as they are.
    smallest_probability : float
        Smallest estimated probability of a mode used; the least was set to 0.01.
    n_left_out : int
        Respondents without a score or a mode.
    """

    modes: pd.DataFrame
    chi_squared: float
    p_value: float
    score: float
    raw_score: float
    smallest_probability: float
    n_left_out: int


def estimate_mode_effect(scores, modes, covariates, *, reference=None):
    """Separate the effect of the mode of answering from who answers in it.

    Parameters
    ----------
    scores : array_like of float, shape (n_respondents,)
        NaN where there is no answer: left out and counted.
    modes : array_like of str, shape (n_respondents,)
        How each answered; missing ones are left out and counted.
    covariates : pandas.DataFrame, one row per respondent
        What is known of each whatever the mode. Numbers enter with their square, words by
        category; a missing value is a category of its own.
    reference : str or None
        Mode the others are compared with; None for the one with the most answers.

    Returns
    -------
    ModeEffect

    Raises
    ------
    ValueError
        If fewer than two modes have at least ten answers each, or the lengths differ.

    Notes
    -----
    Probabilities come from a multinomial logistic regression. Standard errors take the weights as
    known, which makes them a little too wide: the intervals hold at least what they promise.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> age = rng.uniform(20, 80, 2000)
    >>> mode = np.where(rng.random(2000) < age / 100, "telephone", "web")
    >>> score = age / 20 + rng.normal(size=2000)
    >>> found = estimate_mode_effect(score, mode, pd.DataFrame({"age": age}))
    >>> bool(abs(found.modes["raw_difference"].iloc[1]) > 0.4), found.p_value > 0.05
    (True, True)
    """
    answers = pd.DataFrame({"score": np.asarray(scores, float), "mode": pd.Series(list(modes))})
    if len(answers) != len(covariates):
        raise ValueError(
            f"{len(answers)} scores and {len(covariates)} rows of covariates; expected as many"
        )
    is_kept = answers.notna().all(axis="columns").to_numpy()
    score = answers["score"].to_numpy()[is_kept]
    mode = answers["mode"].to_numpy()[is_kept].astype(str)
    names, counts = np.unique(mode, return_counts=True)
    if len(names) < 2 or counts.min() < 10:
        found = ", ".join(f"{name}: {n}" for name, n in zip(names, counts, strict=True))
        raise ValueError(
            f"modes with answers are {found or 'none'}; expected two or more with at least 10 "
            "answers each. Leave a rare mode out, or merge it with another."
        )
    reference = names[counts.argmax()] if reference is None else reference
    if reference not in names:
        raise ValueError(f"reference is {reference!r}; expected one of {', '.join(names)}")
    order = [reference, *(name for name in names if name != reference)]
    probability = _mode_probabilities(covariates[is_kept], mode)
    weight = 1 / np.maximum(probability, _RARE)
    table = _compare_modes(score, mode, weight, order)
    effects, errors = table["mode_effect"].to_numpy()[1:], table["standard_error"].to_numpy() ** 2
    covariance = np.diag(errors[1:]) + errors[0]
    chi_squared = float(effects @ np.linalg.solve(covariance, effects))
    from scipy.special import chdtrc

    return ModeEffect(
        modes=table,
        chi_squared=chi_squared,
        p_value=float(chdtrc(len(effects), chi_squared)),
        score=float((score - table.set_index("mode")["mode_effect"].loc[mode].to_numpy()).mean()),
        raw_score=float(score.mean()),
        smallest_probability=float(probability.min()),
        n_left_out=int((~is_kept).sum()),
    )


def _compare_modes(score, mode, weight, order):
    rows = []
    for name in order:
        y, w = score[mode == name], weight[mode == name]
        mean = np.average(y, weights=w)
        # Linearised variance of a ratio of weighted sums, weights taken as known.
        n = len(y)
        error = np.sqrt(n / (n - 1) * (w**2 * (y - mean) ** 2).sum()) / w.sum()
        rows.append((name, n, effective_sample_size(w), y.mean(), mean, error))
    columns = ["mode", "n_answers", "n_effective", "raw_mean", "weighted_mean", "standard_error"]
    table = pd.DataFrame(rows, columns=columns)
    table["raw_difference"] = table["raw_mean"] - table["raw_mean"].iloc[0]
    table["mode_effect"] = table["weighted_mean"] - table["weighted_mean"].iloc[0]
    error = np.hypot(table["standard_error"], table["standard_error"].iloc[0])
    error.iloc[0] = 0.0
    half = 1.959963984540054 * error
    return table.assign(lower=table["mode_effect"] - half, upper=table["mode_effect"] + half)


def _mode_probabilities(covariates, mode):
    """Return the probability of each respondent's own mode, given the covariates."""
    from sklearn.linear_model import LogisticRegression

    design = design_matrix(covariates)
    _, own = np.unique(mode, return_inverse=True)
    if design.shape[1] == 0:
        return np.bincount(own)[own] / len(own)
    model = LogisticRegression(C=100.0, max_iter=2000).fit(design, own)
    return model.predict_proba(design)[np.arange(len(own)), own]
