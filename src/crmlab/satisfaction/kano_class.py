"""Which class a feature has, and how sure that is.

Who asks: whoever reads "must-be" in a report on 60 respondents. The class of a feature is the
most frequent one; ties go to the class whose neglect costs more, M before O before A before I.

Sources: Berger, C. et al. (1993), Kano's methods for understanding customer-defined quality,
Center for Quality of Management Journal 2(4), 3–36, for the order of ties; Fong, D. (1996), Using
the self-stated importance questionnaire to interpret Kano questionnaire results, Center for
Quality of Management Journal 5, 21–24, for the test of the two most frequent classes.
"""

import numpy as np
import pandas as pd
from scipy.special import bdtr, chdtrc

from crmlab.satisfaction.kano import KANO_CLASSES, check_counts

__all__ = ["assign_classes", "class_confidence", "fong_test", "uniform_test"]


def assign_classes(counts, *, tie_margin=0.0):
    """Return the class of each feature, the runner-up, and whether a tie was settled.

    Parameters
    ----------
    counts : pandas.DataFrame
        From `crmlab.satisfaction.kano.count_classes`.
    tie_margin : float
        Share of the respondents within which a count is as good as the largest, from 0 (equal
        counts only) to below 1; 0.05 is usual in practice.

    Returns
    -------
    pandas.DataFrame, one row per feature
        `kano_class` (missing without any pair), `second_class`, `is_tie`: whether more than one
        class was within the margin, and the order M, O, A, I, R, Q settled it.

    Raises
    ------
    ValueError
        If counts or margin are not as described.

    Examples
    --------
    >>> counts = pd.DataFrame([[15, 24, 121, 124, 6, 6]], columns=KANO_CLASSES)
    >>> assign_classes(counts)["kano_class"].item()
    'I'
    >>> assign_classes(counts, tie_margin=0.05)["kano_class"].item()
    'A'
    """
    if not 0 <= tie_margin < 1:
        raise ValueError(f"tie_margin is {tie_margin!r}; expected a share from 0 to below 1")
    table = check_counts(counts)
    values = table.to_numpy()
    n = values.sum(axis=1, keepdims=True)
    first = _choose(values, tie_margin)
    names = np.array(KANO_CLASSES, dtype=object)
    rest = values.copy()
    rest[np.arange(len(rest)), first] = -1
    second = rest.argmax(axis=1)
    is_tie = _is_close(values, tie_margin).sum(axis=1) > 1
    known = n[:, 0] > 0
    has_second = known & (rest.max(axis=1) > 0)
    return pd.DataFrame(
        {
            "kano_class": np.where(known, names[first], None),
            "second_class": np.where(has_second, names[second], None),
            "is_tie": is_tie & known,
        },
        index=table.index,
    )


def fong_test(counts, *, z=1.65):
    r"""Return whether the two most frequent classes of each feature differ reliably.

    They do where

    .. math:: |m_1 - m_2| \ge z \sqrt{\frac{(m_1 + m_2)(2n - m_1 - m_2)}{2n}}

    Parameters
    ----------
    counts : pandas.DataFrame
        From `crmlab.satisfaction.kano.count_classes`.
    z : float
        Standard errors that a difference must reach, above 0; Fong's 1.65 stands for a
        two-sided confidence of 90%.

    Returns
    -------
    pandas.DataFrame, one row per feature
        `difference` m₁ − m₂ and `critical_difference` (respondents), `is_significant`, and
        `binomial_p_value` of the exact test that m₁ of m₁ + m₂ is half. Undefined (NaN, and not
        significant) without any pair.

    Raises
    ------
    ValueError
        If the counts or z are not as described.

    Notes
    -----
    Fong treats the two counts as if they came from two samples of n. They come from one, where m₁
    and m₂ compete for the same respondents and the variance of their difference is m₁ + m₂ under
    equality: somewhat more than his. Nor does he pay for having *looked* for the two largest. The
    test is therefore lenient; `binomial_p_value` mends the first, `class_confidence` is the
    plainer question.

    References
    ----------
    Fong (1996).

    Examples
    --------
    >>> counts = pd.DataFrame([[101, 54, 54, 81, 3, 3]], columns=KANO_CLASSES)
    >>> fong_test(counts)[["difference", "is_significant"]].to_numpy().tolist()
    [[20.0, True]]
    """
    if not (np.isfinite(z) and z > 0):
        raise ValueError(f"z is {z!r}; expected a number above 0, such as 1.65")
    table = check_counts(counts)
    ordered = -np.sort(-table.to_numpy(), axis=1)
    n = ordered.sum(axis=1)
    m1, m2 = ordered[:, 0], ordered[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        critical = z * np.sqrt((m1 + m2) * (2 * n - m1 - m2) / (2 * n))
    # Two-sided and exact: under equality m₁ is Binomial(m₁ + m₂, ½).
    p_values = np.minimum(1.0, 2 * bdtr(m2, (m1 + m2).astype(int), 0.5))
    return pd.DataFrame(
        {
            "difference": np.where(n > 0, m1 - m2, np.nan),
            "critical_difference": np.where(n > 0, critical, np.nan),
            "is_significant": (n > 0) & (m1 - m2 >= critical),
            "binomial_p_value": np.where(n > 0, p_values, np.nan),
        },
        index=table.index,
    )


def class_confidence(counts, *, tie_margin=0.0, n_resamples=1000, rng):
    """Return how often a survey of other respondents would give each feature the same class.

    Parameters
    ----------
    counts : pandas.DataFrame
        From `crmlab.satisfaction.kano.count_classes`.
    tie_margin : float
        As in `assign_classes`.
    n_resamples : int
        Surveys drawn with the shares found; at least 100.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    pandas.Series by feature, 0 to 1
        NaN without any pair.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> counts = pd.DataFrame([[90, 2, 3, 5, 0, 0], [50, 50, 0, 0, 0, 0]], columns=KANO_CLASSES)
    >>> class_confidence(counts, rng=np.random.default_rng(0)).round(1).tolist()
    [1.0, 0.5]
    """
    if n_resamples < 100:
        raise ValueError(f"n_resamples is {n_resamples}; expected at least 100")
    table = check_counts(counts)
    found = []
    for values in table.to_numpy():
        n = round(values.sum())
        if n == 0:
            found.append(np.nan)
            continue
        drawn = rng.multinomial(n, values / n, size=n_resamples).astype(float)
        own = _choose(values[None], tie_margin)[0]
        found.append(float((_choose(drawn, tie_margin) == own).mean()))
    return pd.Series(found, index=table.index, name="class_confidence", dtype="float64")


def uniform_test(counts):
    """Return whether M, O, A and I of each feature are more unlike than chance would make them.

    Parameters
    ----------
    counts : pandas.DataFrame
        From `crmlab.satisfaction.kano.count_classes`.

    Returns
    -------
    pandas.DataFrame, one row per feature
        `chi_square` on 3 degrees of freedom against four equal counts, and its `p_value`; NaN
        where none of the four occurs.

    Examples
    --------
    >>> counts = pd.DataFrame([[95, 123, 45, 33, 0, 0]], columns=KANO_CLASSES)
    >>> uniform_test(counts)["chi_square"].round(2).item()
    72.49
    """
    four = check_counts(counts)[["M", "O", "A", "I"]]
    expected = four.sum(axis=1) / 4
    statistic = four.sub(expected, axis=0).pow(2).sum(axis=1) / expected.where(expected > 0)
    return pd.DataFrame({"chi_square": statistic, "p_value": chdtrc(3, statistic)})


def _is_close(values, tie_margin):
    """Return which counts are the largest of their row, or within the margin of it."""
    largest = values.max(axis=1, keepdims=True)
    n = values.sum(axis=1, keepdims=True)
    # Counts are whole: the slack keeps rounding of the margin from deciding.
    return (values > 0) & (largest - values <= tie_margin * n + 1e-9)


def _choose(values, tie_margin):
    """Return the position of the class of each row: the first, in order, of those tied."""
    return _is_close(values, tie_margin).argmax(axis=1)
