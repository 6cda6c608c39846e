r"""The probability that two records are of one customer, learnt without anybody's labels.

Who asks: `crmlab.data.linkage`, for every pair of records it compares. Vocabulary: a pair is a
*match* (one customer) or not; each field of a pair *agrees at a level* (0 differs, 1 close,
2 equal; -1 where either record lacks the field). *m* is the probability of a level among matches,
*u* among the others; the *match weight* of a pair is

.. math:: w = \log_2 \frac{\lambda}{1 - \lambda} + \sum_f \log_2 \frac{m_f(\gamma_f)}{u_f(\gamma_f)}

with :math:`\lambda` the share of matches among all pairs; fields are taken to be independent within
matches and within the others, and a missing field says nothing.

Sources: Fellegi, I. P. & Sunter, A. B. (1969). A theory for record linkage. Journal of the American
Statistical Association 64(328), 1183-1210. doi:10.2307/2286061; the EM algorithm for it: Winkler,
W. E. (2000). Using the EM algorithm for weight computation in the Fellegi-Sunter model of record
linkage. U.S. Bureau of the Census, RR2000/05.
"""

import numpy as np
import pandas as pd

__all__ = ["LEVELS", "FellegiSunter", "choose_threshold", "expected_rates"]

LEVELS = ("differs", "close", "equal")
"""What the levels 0, 1 and 2 mean; -1 stands for a missing field."""

_LEAST = 1e-9  # a level never seen keeps a chance, or one slip would rule a match out
_STEPS = 1000


class FellegiSunter:
    """Two kinds of pairs, told apart by how their fields agree; fitted by EM.

    Attributes
    ----------
    fields_ : tuple of str
    m_, u_ : numpy.ndarray of float, shape (n_fields, 3)
        Probability of each level among matches and among the others; rows sum to 1.
    match_share_ : float
        Share of matches among all pairs (λ).
    n_steps_ : int
        Steps of EM until the log-likelihood rose by less than 1e-9 of itself.

    Examples
    --------
    >>> levels = np.array([[2, 2, 2], [2, 2, 0], [0, 0, 0], [2, 0, 0], [0, 2, 0]])
    >>> model = FellegiSunter().fit(levels, ("name", "phone", "year"), [80, 20, 9000, 500, 400])
    >>> model.probability(levels).round(2)
    array([1., 0., 0., 0., 0.])
    """

    def fit(self, levels, fields, counts=None):
        """Learn m, u and the share of matches from patterns of agreement.

        Parameters
        ----------
        levels : array_like of int, shape (n_patterns, n_fields)
            Levels from -1 to 2.
        fields : sequence of str
            Names of the columns of `levels`.
        counts : array_like of float, shape (n_patterns,), optional
            How many pairs each row stands for; 1 each by default.

        Returns
        -------
        FellegiSunter

        Raises
        ------
        ValueError
            If there are no pairs, a level is not one of -1, 0, 1, 2, fewer than three fields are
            compared (two cannot tell the kinds apart), or no two records ever agree.

        Notes
        -----
        EM starts where matches agree nine times in ten and the others as pairs do on the whole.
        Equal patterns are added up first, so that a step takes no longer for ten million pairs
        than for ten thousand.
        """
        levels, counts = _check(levels, fields, counts)
        patterns, place = np.unique(levels, axis=0, return_inverse=True)
        counts = np.bincount(place.ravel(), weights=counts, minlength=len(patterns))
        is_level = np.stack([patterns == level for level in range(3)], axis=2).astype(float)
        self.fields_ = tuple(fields)
        self.u_ = _shares(is_level, counts)
        self.m_ = np.tile([0.05, 0.05, 0.9], (len(self.fields_), 1))
        # Records of one customer are a handful: about as many matches as records, to start with.
        self.match_share_ = min(0.2, counts.sum() ** -0.5)
        before = -np.inf
        for self.n_steps_ in range(1, _STEPS + 1):
            among, others = self._likelihoods(is_level)
            both = among + others
            is_match = among / both
            self.match_share_ = float((counts * is_match).sum() / counts.sum())
            self.m_ = _shares(is_level, counts * is_match)
            self.u_ = _shares(is_level, counts * (1 - is_match))
            now = float((counts * np.log(both)).sum())
            if now - before < 1e-9 * abs(now):
                break
            before = now
        return self

    def weight(self, levels):
        """Return the match weight of each pair, in bits; 0 means as likely as not."""
        levels, _ = _check(levels, self.fields_, None)
        odds = np.log2(self.match_share_ / (1 - self.match_share_))
        return odds + self.field_weights(levels).sum(axis=1)

    def probability(self, levels):
        """Return the probability that each pair is a match."""
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp2(-self.weight(levels)))

    def field_weights(self, levels):
        """Return what each field adds to the weight, in bits; 0 where it is missing."""
        levels = np.asarray(levels)
        bits = np.log2(self.m_ / self.u_)
        found = np.take_along_axis(bits.T, np.maximum(levels, 0), axis=0)
        return np.where(levels < 0, 0.0, found)

    def parameters(self):
        """Return m, u and the weight of each level of each field.

        Returns
        -------
        pandas.DataFrame, one row per field and level
            `field`, `level` (a word of `LEVELS`), `m_probability`, `u_probability`,
            `match_weight` (bits).
        """
        n_fields = len(self.fields_)
        return pd.DataFrame(
            {
                "field": np.repeat(self.fields_, 3),
                "level": list(LEVELS) * n_fields,
                "m_probability": self.m_.ravel(),
                "u_probability": self.u_.ravel(),
                "match_weight": np.log2(self.m_ / self.u_).ravel(),
            }
        )

    def _likelihoods(self, is_level):
        """Return the probability of each pattern together with its being a match, or not."""
        among = np.exp(np.einsum("pfl,fl->p", is_level, np.log(self.m_)))
        others = np.exp(np.einsum("pfl,fl->p", is_level, np.log(self.u_)))
        return self.match_share_ * among, (1 - self.match_share_) * others


def expected_rates(probability, thresholds=None):
    """Return the precision and recall to be expected at each threshold, from the model alone.

    Parameters
    ----------
    probability : array_like of float, shape (n_pairs,)
        That each pair compared is a match.
    thresholds : array_like of float, optional
        Of the probability; 0.01 to 0.99 by default.

    Returns
    -------
    pandas.DataFrame, one row per threshold
        `threshold`, `n_links` (pairs at or above it), `precision` (expected share of these that
        are matches; NaN without links) and `recall` (expected share of the matches among the pairs
        compared that are linked).

    Raises
    ------
    ValueError
        If there are no pairs or a value is no probability.

    Notes
    -----
    Right so far as the probabilities are: where fields hang together (a family shares telephone
    and postcode), the model is surer than it should be. Matches that were never compared are not
    part of the recall.

    Examples
    --------
    >>> expected_rates([0.9, 0.8, 0.3], thresholds=[0.5])
       threshold  n_links  precision  recall
    0        0.5        2       0.85    0.85
    """
    probability = np.asarray(probability, dtype=float)
    if not len(probability) or not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("probability holds no pairs, or values outside 0..1; expected one a pair")
    thresholds = np.arange(1, 100) / 100 if thresholds is None else np.asarray(thresholds, float)
    ordered = np.sort(probability)
    n_below = np.searchsorted(ordered, thresholds, side="left")
    total = np.concatenate([[0.0], np.cumsum(ordered)])
    n_links = len(ordered) - n_below
    found = total[-1] - total[n_below]
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "n_links": n_links,
            "precision": np.where(n_links > 0, found / np.maximum(n_links, 1), np.nan),
            "recall": found / total[-1] if total[-1] > 0 else np.nan,
        }
    )


def choose_threshold(probability, precision):
    """Return the lowest threshold whose links are expected to be as precise as asked.

    Parameters
    ----------
    probability : array_like of float, shape (n_pairs,)
        That each pair compared is a match.
    precision : float
        Expected share of the links that are matches, above 0 and at most 1.

    Returns
    -------
    float
        One of the probabilities; the largest of them where even it falls short.

    Raises
    ------
    ValueError
        If there are no pairs, or a value is out of range.

    Examples
    --------
    >>> choose_threshold([0.99, 0.97, 0.4, 0.1], 0.95)
    0.97
    """
    probability = np.asarray(probability, dtype=float)
    if not len(probability) or not 0 < precision <= 1:
        raise ValueError(
            f"precision is {precision!r} for {len(probability)} pairs; expected a share above 0 "
            "and at most 1, and a pair or more"
        )
    values, counts = np.unique(probability, return_counts=True)
    values, counts = values[::-1], counts[::-1]  # equal pairs are linked together or not at all
    expected = np.cumsum(values * counts) / np.cumsum(counts)
    # The mean falls as less probable pairs join, so the last that is enough is the lowest.
    enough = np.flatnonzero(expected >= precision)
    return float(values[enough[-1] if len(enough) else 0])


def _shares(is_level, counts):
    """Return the share of each level among the pairs in which the field is there."""
    weights = np.einsum("p,pfl->fl", counts, is_level)
    total = np.maximum(weights.sum(axis=1, keepdims=True), _LEAST)
    shares = np.maximum(weights / total, _LEAST)
    return shares / shares.sum(axis=1, keepdims=True)


def _check(levels, fields, counts):
    levels = np.asarray(levels)
    if levels.ndim != 2 or levels.shape[1] != len(fields) or len(fields) < 3:
        raise ValueError(
            f"levels has the shape {levels.shape} for {len(fields)} fields; expected a column for "
            "each of three fields or more: with two, matches and others cannot be told apart"
        )
    if not len(levels) or not np.isin(levels, (-1, 0, 1, 2)).all():
        raise ValueError("levels holds no pairs, or a level that is none of -1, 0, 1, 2")
    counts = np.ones(len(levels)) if counts is None else np.asarray(counts, dtype=float)
    if len(counts) != len(levels) or not (counts >= 0).all() or counts.sum() <= 0:
        raise ValueError(
            f"counts has {len(counts)} values for {len(levels)} patterns; expected one for each, "
            "0 or more, not all 0"
        )
    return levels, counts
