"""Segments as components of a mixture: soft membership, and a likelihood to choose by.

Who asks: whoever wants to know how surely a customer belongs to a segment, or doubts that segments
are round and of like spread, as k-means assumes. A mixture is a model of the data, so that the
number of segments becomes a question of model choice: BIC asks which model accounts best for the
data, ICL which of them also keeps its segments apart.

Vocabulary. A *class* is a component of the mixture. *Entropy* of the memberships is 0 where every
customer surely belongs to one class.

Sources: C. Fraley & A. E. Raftery (2002), Model-based clustering, discriminant analysis, and
density estimation, Journal of the American Statistical Association 97, 611-631,
doi:10.1198/016214502760047131; C. Biernacki, G. Celeux & G. Govaert (2000), Assessing a mixture
model for clustering with the integrated completed likelihood, IEEE Transactions on Pattern
Analysis and Machine Intelligence 22(7), 719-725, doi:10.1109/34.865189; S. Morin et al. (2025),
StepMix: a Python package for pseudo-likelihood estimation of generalized mixture models with
external variables, doi:10.48550/arXiv.2304.03853.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.segments.cluster import (
    check_features,
    check_n_segments,
    number_segments,
    one_thread,
)
from crmlab.segments.prototypes import check_categories

__all__ = ["Mixture", "compare_mixtures", "fit_latent_classes", "fit_mixture"]


@dataclass(frozen=True)
class Mixture:
    r"""A fitted mixture.

    Attributes
    ----------
    segment : pandas.Series
        The likeliest class of each customer, numbered from 1. A class that is the likeliest of
        nobody is left out, so that there may be fewer than asked for.
    membership : pandas.DataFrame
        Probability of each class, one row per customer, columns the segments.
    log_likelihood : float
        Of all customers.
    n_parameters : int
    bic : float
        :math:`-2 \ell + p \ln n`; small is good.
    icl : float
        BIC plus twice the entropy of the memberships; small is good.
    """

    segment: pd.Series
    membership: pd.DataFrame
    log_likelihood: float
    n_parameters: int
    bic: float
    icl: float


def fit_mixture(features, *, n_segments, seed, n_starts=2, order_by=None):
    """Return the mixture of normal distributions, each with a covariance of its own.

    Parameters
    ----------
    features : pandas.DataFrame
        Standardised features, one row per customer.
    n_segments : int
        Number of classes, from 1.
    seed : int
        Seed of the starts (k-means).
    n_starts : int
        The start with the greatest likelihood counts.
    order_by : pandas.Series, optional
        Segments are numbered by falling mean of it; by falling size without it.

    Returns
    -------
    Mixture
        Of fewer segments than asked for where a class is nobody's likeliest.

    Raises
    ------
    ValueError
        If the features have gaps or too few distinct customers.

    References
    ----------
    Fraley & Raftery (2002), doi:10.1198/016214502760047131

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> features = pd.DataFrame(rng.normal(0, 0.3, (60, 1)) + np.repeat([[0], [4]], [20, 40], 0))
    >>> fit = fit_mixture(features, n_segments=2, seed=1)
    >>> fit.segment.value_counts().tolist(), fit.n_parameters
    ([40, 20], 5)
    """
    features = check_features(features, list(features.columns))
    check_n_segments(features, n_segments)
    model = _normal_mixture(features, n_segments, seed=seed, n_starts=n_starts)
    points = features.to_numpy()
    p = points.shape[1]
    n_parameters = n_segments * (p + p * (p + 1) // 2) + n_segments - 1
    return _mixture(
        features, model.predict_proba(points), model.score(points), n_parameters, order_by
    )


def compare_mixtures(features, *, n_segments=range(1, 7), seed, n_starts=1):
    """Return BIC and ICL of the mixture of normal distributions for each number of classes.

    One class is compared as well: whether there is more than one is the first question.

    Parameters
    ----------
    features : pandas.DataFrame
        Standardised features, one row per customer.
    n_segments : iterable of int
        Numbers of classes, each from 1.
    seed, n_starts
        As for `fit_mixture`.

    Returns
    -------
    pandas.DataFrame, one row per number, ascending
        `n_segments`, `log_likelihood`, `n_parameters`, `bic`, `icl`.

    References
    ----------
    Biernacki, Celeux & Govaert (2000), doi:10.1109/34.865189

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> features = pd.DataFrame(rng.normal(0, 0.3, (60, 1)) + np.repeat([[0], [4]], 30, 0))
    >>> table = compare_mixtures(features, n_segments=[1, 2, 3], seed=1)
    >>> int(table.loc[table["icl"].idxmin(), "n_segments"])
    2
    """
    names = ("log_likelihood", "n_parameters", "bic", "icl")
    rows = []
    for k in sorted(set(n_segments)):
        fit = fit_mixture(features, n_segments=k, seed=seed, n_starts=n_starts)
        rows.append({"n_segments": k} | {name: getattr(fit, name) for name in names})
    return pd.DataFrame(rows)


def fit_latent_classes(features, categories, *, n_segments, seed, n_starts=3, order_by=None):
    """Return the latent classes behind numbers and words: independent within a class.

    Each class has its own mean and variance of every number, and its own probabilities of every
    word; within a class the columns have nothing to do with each other. Estimated by StepMix.

    Parameters
    ----------
    features : pandas.DataFrame
        Standardised numbers, one row per customer.
    categories : pandas.DataFrame
        Words, with the index of `features`, no missing values.
    n_segments, seed, n_starts, order_by
        As for `fit_mixture`; the starts are random.

    Returns
    -------
    Mixture

    Raises
    ------
    ValueError
        If values are missing, indices differ, or there are too few distinct customers.

    References
    ----------
    Morin et al. (2025), doi:10.48550/arXiv.2304.03853

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> kind = np.repeat([0, 1], 50)
    >>> numbers = pd.DataFrame({"x": rng.normal(3.0 * kind)})
    >>> words = pd.DataFrame({"channel": np.where(rng.random(100) < 0.2, 1 - kind, kind)})
    >>> fit = fit_latent_classes(numbers, words, n_segments=2, seed=1)
    >>> fit.n_parameters, bool(pd.crosstab(fit.segment, kind).max(axis=1).sum() > 90)
    (7, True)
    """
    from stepmix.stepmix import StepMix
    from stepmix.utils import get_mixed_descriptor

    check_categories(categories, features)
    features = check_features(features, list(features.columns))
    words = [f"word_{i}" for i in range(categories.shape[1])]
    numbers = [f"number_{i}" for i in range(features.shape[1])]
    coded = np.column_stack([pd.factorize(categories[name])[0] for name in categories])
    frame = pd.DataFrame(
        np.column_stack([features.to_numpy(), coded]).astype(float), columns=numbers + words
    )
    check_n_segments(frame, n_segments)
    data, descriptor = get_mixed_descriptor(frame, continuous=numbers, categorical=words)
    with one_thread():
        model = StepMix(
            n_components=n_segments,
            measurement=descriptor,
            n_init=n_starts,
            random_state=seed,
            abs_tol=1e-6,  # of the mean log likelihood
            progress_bar=0,
            verbose=0,
        ).fit(data)
        membership = model.predict_proba(data)
        mean_log_likelihood = float(model.score(data))
    n_words = sum(int(coded[:, c].max()) for c in range(coded.shape[1]))
    n_parameters = n_segments * (2 * features.shape[1] + n_words) + n_segments - 1
    return _mixture(features, membership, mean_log_likelihood, n_parameters, order_by)


def _normal_mixture(features, n_segments, *, seed, n_starts):
    """Return scikit-learn's mixture; where a class shrinks to a point, one with wider classes."""
    from sklearn.mixture import GaussianMixture

    points = features.to_numpy()
    if len(points) < 2:
        raise ValueError(
            "features: 1 customer has no spread to fit; expected two customers or more"
        )
    for width in (1e-6, 1e-3, 1e-1):
        model = GaussianMixture(
            n_segments, n_init=n_starts, random_state=seed, reg_covar=width, max_iter=500
        )
        try:
            with one_thread():
                return model.fit(points)
        except ValueError:  # a covariance that is none: columns that repeat each other
            continue
    raise ValueError(
        f"features: no mixture of {n_segments} normal classes fits; columns that repeat each other "
        "leave a class without spread. Leave one of them out, or use k-means."
    )


def _mixture(features, membership, mean_log_likelihood, n_parameters, order_by):
    n = len(features)
    likeliest = membership.argmax(axis=1)
    found, label = np.unique(likeliest, return_inverse=True)
    number = number_segments(label, len(found), features, order_by)
    names = np.empty(len(found), dtype="int64")
    names[label] = number
    total = n * mean_log_likelihood
    bic = -2 * total + n_parameters * np.log(n)
    sure = np.where(membership > 0, membership, 1.0)
    entropy = float(-(membership * np.log(sure)).sum())
    columns = pd.DataFrame(membership[:, found], index=features.index, columns=names)
    return Mixture(
        segment=pd.Series(number, index=features.index, name="segment"),
        membership=columns[sorted(names)],
        log_likelihood=float(total),
        n_parameters=n_parameters,
        bic=float(bic),
        icl=float(bic + 2 * entropy),
    )
