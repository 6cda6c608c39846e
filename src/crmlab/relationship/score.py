"""How well labels agree with the truth or with the next month, beside chance and the naive guess.

Who asks: the check of every typology and stage: a label that agrees no better than shuffled labels
has found nothing, and a forecast that does no better than "as last month" has learned nothing.

A label is asked of every case here, since each month has a stage: one that cannot be told is a miss
like any other, and abstaining never pays. To judge only what was said, pass those cases alone, and
say how many they are. `crmlab.segments.types.scoring` answers the other question, how far to trust
a type that was given, by coverage and by agreement among those who have one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import gammaln

from crmlab.atlas.sentences import say
from crmlab.relationship.panel import arrange_months

__all__ = ["compare_forecasts", "confusion_table", "forecast_naively", "score_labels"]


def confusion_table(truth, assigned, labels):
    """Return how the cases of each true label were labelled.

    Parameters
    ----------
    truth, assigned : pandas.Series or array_like of str
        True and assigned label of each case; `assigned` may say "cannot tell".
    labels : sequence of str
        Labels in order; those of the truth.

    Returns
    -------
    pandas.DataFrame, one row per label of the truth that occurs
        One column per label, and one for "cannot tell" if it was assigned: shares of the row.

    Examples
    --------
    >>> confusion_table(["a", "a", "b"], ["a", "b", "b"], ["a", "b"]).to_numpy().tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    truth, assigned = _as_labels(truth, assigned, labels)
    table = pd.crosstab(truth, assigned, normalize="index")
    columns = [*labels, *(name for name in table.columns if name not in set(labels))]
    rows = [name for name in labels if name in table.index]
    return table.reindex(index=rows, columns=columns, fill_value=0.0)


def score_labels(truth, assigned, labels, *, seed, n_permutations=99):
    """Return how well labels agree with the truth, beside what shuffled labels reach.

    Parameters
    ----------
    truth, assigned : array_like of str
        As for `confusion_table`. A case about which `assigned` cannot tell counts as missed.
    labels : sequence of str
        Labels of the truth.
    seed : int
        Seed of the permutations.
    n_permutations : int
        Times that the assigned labels are dealt out anew, 19 or more.

    Returns
    -------
    dict of str to float
        `balanced_accuracy`, the mean share of each true label that was named rightly (chance: one
        over the number of labels), `accuracy`, `adjusted_rand`, and `chance_bound`, the 95th
        percentile of the balanced accuracy of shuffled labels.

    Raises
    ------
    ValueError
        If the lengths differ, a true label is not among `labels`, or permutations are too few.

    Examples
    --------
    >>> score_labels(list("aabb"), list("aabb"), ["a", "b"], seed=1)["balanced_accuracy"]
    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    if n_permutations < 19:
        raise ValueError(f"n_permutations is {n_permutations!r}; expected at least 19")
    truth, assigned = _as_labels(truth, assigned, labels)
    names = {name: code for code, name in enumerate(labels)}
    left = truth.map(names).to_numpy()
    right = assigned.map(names).fillna(-1).to_numpy().astype(int)
    n_of = np.bincount(left, minlength=len(labels))

    def balanced(labelled):
        hits = np.bincount(left[left == labelled], minlength=len(labels))
        return float((hits[n_of > 0] / n_of[n_of > 0]).mean())

    rng = np.random.default_rng(seed)
    by_chance = [balanced(rng.permutation(right)) for _ in range(n_permutations)]
    return {
        "balanced_accuracy": balanced(right),
        "accuracy": float((left == right).mean()),
        "adjusted_rand": float(adjusted_rand_score(left, right)),
        "chance_bound": float(np.quantile(by_chance, 0.95)),
    }


def forecast_naively(panel, count):
    """Return what two guesses without a model expect of each month from the months before it.

    Parameters
    ----------
    panel : pandas.DataFrame, one row per customer and month without gaps
        `customer_id`, `month_on` and the count.
    count : str

    Returns
    -------
    pandas.DataFrame, one row per row of `panel`, same index
        `own_mean`, the customer's mean of all months before, and `last_month`, the month before;
        NaN in a customer's first month.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": "a", "n_orders": [2, 0, 1],
    ...     "month_on": pd.date_range("2024-01-01", periods=3, freq="MS")})
    >>> forecast_naively(panel, "n_orders")["own_mean"].tolist()
    [nan, 2.0, 1.0]
    """
    months = arrange_months(panel, [count])
    table = months.spread(months.counts[:, 0])
    before = np.full_like(table, np.nan)
    before[:, 1:] = table[:, :-1]
    mean = np.full_like(table, np.nan)
    mean[:, 1:] = np.cumsum(table, axis=1)[:, :-1] / np.arange(1, table.shape[1])
    return pd.DataFrame(
        {"own_mean": months.gather(mean), "last_month": months.gather(before)}, index=panel.index
    )


def compare_forecasts(actual, forecasts, *, customers=None):
    """Return how far forecasts of a month's count are off, and how well they bet on it.

    Parameters
    ----------
    actual : array_like of int, shape (n_cases,)
        What happened.
    forecasts : mapping of str to array_like of float
        Expected count by each forecast, 0 or more; the first is the one to beat. Cases that any
        forecast leaves open (NaN) are left out of all.
    customers : array_like, shape (n_cases,), optional
        Whose case it is: months of one customer are alike, and the standard error then counts
        customers and not months (NaN for one customer).

    Returns
    -------
    pandas.DataFrame, one row per forecast
        `forecast`, `n_cases`, `rms_error` (root mean square), `log_score` (mean logarithm of
        the Poisson probability of what happened; a forecast below 0.01 counts as 0.01, since no
        count is impossible), and `log_score_lead`, its log score less that of the first forecast,
        with `log_score_lead_error`, the standard error of that mean of paired differences.

    Raises
    ------
    ValueError
        If no case is left, or a forecast is below 0.

    Examples
    --------
    >>> table = compare_forecasts([0, 2, 1], {"naive": [1, 1, 1], "sharp": [0.1, 2, 1]})
    >>> table["rms_error"].round(2).tolist(), bool(table["log_score_lead"][1] > 0)
    ([0.82, 0.06], True)
    """
    actual = np.asarray(actual, dtype=float)
    means = {name: np.asarray(values, dtype=float) for name, values in forecasts.items()}
    is_known = np.all([np.isfinite(values) for values in means.values()], axis=0)
    n_cases = int(is_known.sum())
    if n_cases < 2:
        raise ValueError(say("relationship_no_forecast"))
    whose = np.arange(n_cases) if customers is None else np.asarray(customers)[is_known]
    whose = pd.factorize(whose)[0]
    n = whose.max() + 1
    free = n / (n - 1) if n > 1 else np.nan
    scores, rows = {}, []
    for name, values in means.items():
        if (values[is_known] < 0).any():
            raise ValueError(f"forecast {name!r} expects a count below 0")
        mean, seen = np.maximum(values[is_known], 0.01), actual[is_known]
        scores[name] = seen * np.log(mean) - mean - gammaln(seen + 1)
        lead = scores[name] - next(iter(scores.values()))
        off = np.bincount(whose, weights=lead - lead.mean())
        rows.append(
            {
                "forecast": name,
                "n_cases": n_cases,
                "rms_error": float(np.sqrt(((values[is_known] - seen) ** 2).mean())),
                "log_score": float(scores[name].mean()),
                "log_score_lead": float(lead.mean()),
                "log_score_lead_error": float(np.sqrt((off**2).sum() * free) / n_cases),
            }
        )
    return pd.DataFrame(rows)


def _as_labels(truth, assigned, labels):
    truth = pd.Series(np.asarray(truth, dtype=object))
    assigned = pd.Series(np.asarray(assigned, dtype=object))
    if len(truth) != len(assigned):
        raise ValueError(f"{len(truth)} true labels and {len(assigned)} assigned ones")
    unknown = sorted({str(name) for name in truth} - set(labels))
    if unknown or truth.empty:
        raise ValueError(f"true labels: {', '.join(unknown) or 'none'}; expected {labels!r}")
    return truth, assigned
