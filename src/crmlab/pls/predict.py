"""Whether the model predicts respondents it has not seen: PLSpredict and Stone-Geisser's Q².

Who asks: whoever wants to act on a model tomorrow, for whom a high R² on the same respondents is
not enough. The respondents are split into k folds; each fold's answers to the explained items are
predicted from a model estimated on the others, and set beside two rivals: the mean of the training
answers, and a linear regression on the items of the same antecedents, which knows nothing of
constructs.

`earliest` antecedents: the exogenous constructs alone predict, through all paths. `direct`: the
scores of what points to the construct, in the held-out respondents themselves.

Sources: G. Shmueli, S. Ray, J. M. Velasquez Estrada & S. B. Chatla (2016), The elephant in the
room: predictive performance of PLS models, Journal of Business Research 69(10), 4552-4564,
doi:10.1016/j.jbusres.2016.03.049; G. Shmueli, M. Sarstedt, J. F. Hair et al. (2019), Predictive
model assessment in PLS-SEM: guidelines for using PLSpredict, European Journal of Marketing 53(11),
2322-2347, doi:10.1108/EJM-02-2019-0189; M. Stone (1974), Cross-validatory choice and assessment of
statistical predictions, Journal of the Royal Statistical Society B 36(2), 111-133,
doi:10.1111/j.2517-6161.1974.tb00994.x; S. Geisser (1974), A predictive approach to the random
effect model, Biometrika 61(1), 101-107, doi:10.1093/biomet/61.1.101.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.pls.bootstrap import is_finite, solve_counts
from crmlab.pls.effects import total_effects_of
from crmlab.pls.estimate import estimate_model

__all__ = ["ANTECEDENTS", "POWER", "Prediction", "predict_held_out", "stone_geisser"]

ANTECEDENTS = ("earliest", "direct")
#: Predictive power by the share of items that beat the linear model's RMSE (Shmueli et al. 2019).
POWER = ("none", "low", "medium", "high")


@dataclass(frozen=True, eq=False)
class Prediction:
    """Held-out accuracy of a model.

    Attributes
    ----------
    items : pandas.DataFrame
        One row per item of an explained construct: `construct`, `item`; `rmse`, `mae`,
        `q2_predict` of the path model; `rmse_linear`, `mae_linear`, `q2_predict_linear` of the
        linear model; `rmse_mean` of the training mean. In units of the item, over all repetitions.
        q2_predict is 1 less the squared error over that of the training mean.
    power : str
        One of `POWER`: no item, a minority, a majority (or half), every item beats the linear
        model's RMSE.
    n_folds, n_repetitions, n_respondents : int
    """

    items: pd.DataFrame
    power: str
    n_folds: int
    n_repetitions: int
    n_respondents: int


def predict_held_out(estimate, *, seed, n_folds=10, n_repetitions=10, antecedents="earliest"):
    """Return how well the model predicts respondents left out of its estimation (PLSpredict).

    Parameters
    ----------
    estimate : Estimate
    seed : int
        Of the splits into folds.
    n_folds, n_repetitions : int
        Folds of a split; splits.
    antecedents : {"earliest", "direct"}
        See this module.

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        If a setting is out of range, the training part is too small for the linear model, a
        training part cannot be estimated, or the model has a higher-order construct (its items are
        scores, which nobody answered) or, with `earliest`, an interaction.

    References
    ----------
    Shmueli et al. (2016), doi:10.1016/j.jbusres.2016.03.049; Shmueli et al. (2019),
    doi:10.1108/EJM-02-2019-0189

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from crmlab.pls import PathModel, estimate_model, predict_held_out, single_item
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=500)
    >>> data = pd.DataFrame({"x": x, "y": x + rng.normal(size=500)})
    >>> model = PathModel([single_item("X", "x"), single_item("Y", "y")], ["X -> Y"])
    >>> prediction = predict_held_out(estimate_model(model, data), seed=1)
    >>> float(prediction.items["q2_predict"][0].round(1))
    0.4
    """
    n = estimate.n_respondents
    _check_prediction(estimate, n_folds, n_repetitions, antecedents)
    rng = np.random.default_rng(seed)
    folds = np.stack(
        [rng.permutation(np.arange(n) % n_folds) for _ in range(n_repetitions)]
    )  # the fold of each respondent, one row per repetition
    training = np.concatenate([row != np.arange(n_folds)[:, None] for row in folds])
    solution = solve_counts(estimate, training.astype(int))
    bad = ~is_finite(solution)
    if bad.any():
        raise ValueError(say("pls_training_parts", bad=int(bad.sum()), n=len(bad)))
    explained = _explained_items(estimate)
    total = {rival: np.zeros((2, len(explained))) for rival in ("model", "linear", "mean")}
    for row, chosen in enumerate(training):
        for rival, away in _errors(estimate, solution, row, chosen, explained, antecedents).items():
            total[rival] += [(away**2).sum(axis=0), np.abs(away).sum(axis=0)]
    return _summary(estimate, explained, total, n * n_repetitions, n_folds, n_repetitions)


def _check_prediction(estimate, n_folds, n_repetitions, antecedents):
    n = estimate.n_respondents
    if antecedents not in ANTECEDENTS:
        raise ValueError(f"antecedents is one of {', '.join(ANTECEDENTS)}, not {antecedents!r}")
    if not 2 <= n_folds <= n:
        raise ValueError(say("pls_folds", n=n, given=repr(n_folds)))
    if n_repetitions < 1:
        raise ValueError(f"n_repetitions is at least 1, not {n_repetitions!r}")
    kinds = {c.kind: c.name for c in estimate.model.constructs}
    if "higher_order" in kinds:
        raise ValueError(
            f"{kinds['higher_order']!r} is higher-order: its items are scores, which nobody "
            "answered, so no answer can be predicted; predict with its parts in its place"
        )
    if "interaction" in kinds and antecedents == "earliest":
        raise ValueError(
            f"{kinds['interaction']!r} is an interaction, which paths do not carry on: use "
            "antecedents='direct'"
        )


def _explained_items(estimate):
    """(construct, slot position, item position) of every item of an explained construct."""
    layout = estimate.layout
    targets = {t for _, t in layout.pairs}
    return [
        (layout.last.owner[k], k, layout.sources[k])
        for k in range(len(layout.last.slots))
        if layout.last.owner[k] in targets
    ]


def _errors(estimate, solution, row, chosen, explained, antecedents):
    """Errors on the held-out respondents, in standard deviations of the items (whole sample)."""
    layout, columns = estimate.layout, estimate.respondents.columns
    train, test = columns[chosen], columns[~chosen]
    means = train.mean(axis=0)
    spreads = train.std(axis=0, ddof=1)
    scores = (test - means) @ solution.combine[row]
    paths = solution.paths[row]
    targets = {t for _, t in layout.pairs}
    if antecedents == "earliest":
        first = [k for k in range(len(layout.names)) if k not in targets]
        effects = total_effects_of(solution.paths[[row]])[0]
        predicted = scores[:, first] @ effects[first]
    else:
        predicted = scores @ paths
    away = {"model": [], "linear": [], "mean": []}
    fitted = {}
    for construct, slot, item in explained:
        if construct not in fitted:
            fitted[construct] = _rival_items(layout, construct, antecedents, first_of=targets)
        loading = solution.loadings[row, slot]
        guess = means[item] + predicted[:, construct] * loading * spreads[item]
        away["model"].append(test[:, item] - guess)
        away["mean"].append(test[:, item] - means[item])
        away["linear"].append(test[:, item] - _linear(train, test, fitted[construct], item))
    return {rival: np.column_stack(values) for rival, values in away.items()}


def _rival_items(layout, construct, antecedents, first_of):
    """Item columns behind the same antecedents, for the linear model."""
    if antecedents == "earliest":
        behind = [k for k in range(len(layout.names)) if k not in first_of]
    else:
        behind = [s for s, t in layout.pairs if t == construct]
    slots = [
        source
        for owner, source in zip(layout.last.owner, layout.sources, strict=True)
        if owner in behind
    ]
    return list(dict.fromkeys(slots))


def _linear(train, test, predictors, item):
    design = np.column_stack([np.ones(len(train)), train[:, predictors]])
    if len(design) <= design.shape[1]:
        sizes = {"n": len(train), "n_items": len(predictors)}
        raise ValueError(say("pls_linear_too_few", **sizes))
    coefficients = np.linalg.lstsq(design, train[:, item])[0]
    return np.column_stack([np.ones(len(test)), test[:, predictors]]) @ coefficients


def _summary(estimate, explained, total, n_guesses, n_folds, n_repetitions):
    unit = np.array([estimate.respondents.spreads[item] for _, _, item in explained])
    slots = [estimate.layout.last.slots[slot] for _, slot, _ in explained]
    table = pd.DataFrame(slots, columns=["construct", "item"])
    squares = {rival: value[0] for rival, value in total.items()}
    for rival, ending in (("model", ""), ("linear", "_linear")):
        table["rmse" + ending] = np.sqrt(squares[rival] / n_guesses) * unit
        table["mae" + ending] = total[rival][1] / n_guesses * unit
        table["q2_predict" + ending] = 1 - squares[rival] / squares["mean"]
    table["rmse_mean"] = np.sqrt(squares["mean"] / n_guesses) * unit
    share = (table["rmse"] < table["rmse_linear"]).mean()
    power = POWER[3] if share == 1 else POWER[2] if share >= 0.5 else POWER[1 if share else 0]
    return Prediction(table, power, n_folds, n_repetitions, estimate.n_respondents)


def stone_geisser(estimate, *, distance=7):
    """Return Q² of every explained construct by blindfolding (cross-validated redundancy).

    Every `distance`-th answer of a construct's items is put to the item's mean, the model is
    estimated again, and the answers taken out are predicted through the paths; this goes on until
    each answer was out once.

    Parameters
    ----------
    estimate : Estimate
    distance : int
        Omission distance, at least 2, usually 5 to 12; must not divide the number of respondents,
        because then whole respondents would go.

    Returns
    -------
    pandas.Series, by construct
        1 less the squared error of the model over that of the mean; above 0 when the model helps.

    References
    ----------
    Stone (1974), doi:10.1111/j.2517-6161.1974.tb00994.x; Geisser (1974),
    doi:10.1093/biomet/61.1.101
    """
    n = estimate.n_respondents
    if distance < 2 or n % distance == 0:
        raise ValueError(
            f"distance is at least 2 and must not divide the {n} respondents, not {distance!r}: "
            f"try {next(d for d in range(5, n) if n % d)}"
        )
    found = {}
    for name in estimate.r_squared.index:
        construct = estimate.model.construct(name)
        if construct.kind == "higher_order":
            raise ValueError(f"{name!r} is higher-order: nobody answered its items")
        errors = [_blindfold(estimate, construct, start, distance) for start in range(distance)]
        model, mean = np.sum(errors, axis=0)
        found[name] = 1 - model / mean
    return pd.Series(found, name="q_squared").rename_axis("construct")


def _blindfold(estimate, construct, start, distance):
    """Squared errors of model and mean over the answers of one omission."""
    items = list(construct.items)
    answers = estimate.respondents.answers
    block = answers[items].to_numpy(dtype=float)
    out = (np.arange(block.size).reshape(block.shape[::-1]).T - start) % distance == 0
    kept = np.where(out, np.nan, block)
    means = np.nanmean(kept, axis=0)
    filled = answers.assign(**dict(zip(items, np.where(out, means, block).T, strict=True)))
    again = estimate_model(estimate.model, filled, **vars(estimate.settings))
    scores = again.scores.to_numpy() @ again.solution.paths[0]
    loadings = again.loadings.loc[items, construct.name].to_numpy()
    spreads = filled[items].std().to_numpy()
    guess = means + scores[:, [again.names.index(construct.name)]] * loadings * spreads
    return [((block - guess)[out] ** 2).sum(), ((block - means)[out] ** 2).sum()]
