r"""How good an assignment is: held against a truth, or against what customers did later.

Who asks: whoever is about to act on the types. An assignment that says *cannot tell* is judged by
two numbers: its coverage, and how right it is where it speaks. Right is measured against two
naive rivals: giving everybody the commonest type (accuracy), and giving the same types to
customers at random (kappa, balanced accuracy), whose spread says what chance alone gives. To say
nothing of the doubtful raises the second number at the cost of the first: read both. Where every
case must be given a label, `crmlab.relationship.score.score_labels` counts silence as a miss.

Source of kappa: Cohen, J. (1960), A coefficient of agreement for nominal scales, Educational and
Psychological Measurement 20(1), 37-46, doi:10.1177/001316446002000104. How labels dealt out at
random hit the truth is worked out exactly (hypergeometric), in place of the large-sample error of
Fleiss, J. L., Cohen, J. & Everitt, B. S. (1969), Psychological Bulletin 72(5), 323-327,
doi:10.1037/h0028106, which it approaches.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.segments.types.rules import CANNOT_TELL, place_in_population

__all__ = ["compare_with_majority", "confusion", "observe_value_types", "score_types"]
__all__ += ["true_types"]


def confusion(label, truth, types=None):
    """Return how often each true type was given each label.

    Parameters
    ----------
    label, truth : pandas.Series
        Same index; customers without a truth are left out.
    types : sequence of str, optional
        Order of the types; by default as they sort.

    Returns
    -------
    pandas.DataFrame of int
        Rows are true types, columns the labels with `CANNOT_TELL` last.

    Examples
    --------
    >>> import pandas as pd
    >>> confusion(pd.Series(["a", "b", "a"]), pd.Series(["a", "a", None])).loc["a"].to_dict()
    {'a': 1, 'b': 1, 'cannot_tell': 0}
    """
    known = truth.notna()
    label, truth = label[known].astype("str"), truth[known].astype("str")
    names = list(types) if types is not None else sorted({*label, *truth} - {CANNOT_TELL})
    rows, columns = pd.Index(names, name="truth"), pd.Index([*names, CANNOT_TELL], name="type")
    counts = pd.crosstab(truth, label).reindex(index=rows, columns=columns, fill_value=0)
    return counts.astype("int64")


def score_types(label, truth, *, given=None):
    r"""Return coverage and agreement of an assignment with a truth, beside its naive rivals.

    Of the customers who were given a type, with :math:`n_{ij}` of true type i labelled j,

    .. math:: \kappa = \frac{p_o - p_e}{1 - p_e}, \quad p_o = \sum_i \frac{n_{ii}}{n},
       \quad p_e = \sum_i \frac{n_{i\cdot} n_{\cdot i}}{n^2}

    Parameters
    ----------
    label, truth : pandas.Series
        Same index. Customers without a truth are left out.
    given : pandas.Series, optional
        A group of each customer that the truth itself goes by and that was known beforehand, same
        index. The rivals then know it as well: the commonest type is that of the group, labels
        are dealt out within groups, and :math:`p_e` is what that hits on the average.

    Returns
    -------
    pandas.Series
        `n_customers` (with a truth), `coverage` (of them, given a type); of those given one:
        `accuracy`; `majority_accuracy` (all given their commonest true type) and `lead` over it
        with `lead_error`, its standard error; `balanced_accuracy` (mean recall of the true types)
        with `chance_balanced_accuracy` and `chance_error`, mean and standard deviation when the
        same labels are dealt out at random; `kappa` with `kappa_chance_error`. NaN where nobody
        was given a type; kappa also where all labels and truths are one type.

    Raises
    ------
    ValueError
        If the indices differ.

    Examples
    --------
    >>> import pandas as pd
    >>> truth = pd.Series(["a", "a", "b", "b"])
    >>> found = score_types(pd.Series(["a", "b", "b", "cannot_tell"]), truth)
    >>> found[["coverage", "balanced_accuracy"]].tolist()
    [0.75, 0.75]
    """
    if not label.index.equals(truth.index) or (
        given is not None and not given.index.equals(truth.index)
    ):
        raise ValueError("label, truth and given: different indices; expected one row per customer")
    n_known = int(truth.notna().sum())
    is_given = truth.notna() & (label != CANNOT_TELL)
    n = int(is_given.sum())
    scores = dict.fromkeys(_SCORES, np.nan)
    if n:
        group = pd.Series(0, index=truth.index) if given is None else given
        scores |= _agreement(label[is_given], truth[is_given], group[is_given])
    coverage = n / n_known if n_known else np.nan
    return pd.Series({"n_customers": n_known, "coverage": coverage} | scores)


def compare_with_majority(scores, *, n_errors=2.0):
    """Return whether each assignment is right more often than naming the commonest type.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per assignment, with `lead` and `lead_error` of `score_types`.
    n_errors : float
        Standard errors that a lead must exceed to count, 0 or more.

    Returns
    -------
    pandas.Series of str
        "is_ahead", "is_behind" or "is_level"; "no_answer" where there is no lead.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"lead": [0.1, -0.1, 0.1], "lead_error": [0.01, 0.01, 0.06]})
    >>> compare_with_majority(scores).tolist()
    ['is_ahead', 'is_behind', 'is_level']
    """
    lead, room = scores["lead"].astype("float64"), n_errors * scores["lead_error"].astype("float64")
    stands = np.select(
        [lead > room, lead < -room, lead.notna()],
        ["is_ahead", "is_behind", "is_level"],
        "no_answer",
    )
    return pd.Series(stands, index=scores.index, name="against_majority")


_SCORES = (
    *("accuracy", "majority_accuracy", "lead", "lead_error", "balanced_accuracy"),
    *("chance_balanced_accuracy", "chance_error", "kappa", "kappa_chance_error"),
)


def _agreement(label, truth, group):
    names = sorted({*label, *truth})
    table = confusion(label, truth, names).drop(columns=CANNOT_TELL).to_numpy(dtype="float64")
    n, hits, of_truth = table.sum(), np.diag(table), table.sum(axis=1)
    commonest = truth.groupby(group).transform(lambda types: types.mode().iloc[0])
    gain = (label == truth).astype("float64") - (truth == commonest)
    expected, covariance = np.zeros(len(names)), np.zeros((len(names), len(names)))
    for _, members in truth.groupby(group):
        mean, spread = _deal_out(members, label[members.index], names)
        expected, covariance = expected + mean, covariance + spread
    is_there = of_truth > 0
    recall = np.divide(1.0, of_truth, out=np.zeros(len(names)), where=is_there) / is_there.sum()
    p_o, p_e = hits.sum() / n, expected.sum() / n
    scale = n * (1 - p_e) if p_e < 1 else np.nan
    return {
        "accuracy": p_o,
        "majority_accuracy": (truth == commonest).mean(),
        "lead": gain.mean(),
        "lead_error": gain.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan,
        "balanced_accuracy": recall @ hits,
        "chance_balanced_accuracy": recall @ expected,
        "chance_error": np.sqrt(max(recall @ covariance @ recall, 0.0)),
        "kappa": (hits.sum() - expected.sum()) / scale,
        "kappa_chance_error": np.sqrt(max(covariance.sum(), 0.0)) / scale,
    }


def _deal_out(truth, label, names):
    """Return mean and covariance of the hits of each type when labels are dealt out at random.

    Hits of one type are hypergeometric; those of two are tied to each other, since a label dealt
    to one customer is not there for another.
    """
    n = len(truth)
    of_truth, of_label = (
        part.value_counts().reindex(names, fill_value=0).to_numpy(dtype="float64")
        for part in (truth, label)
    )
    mean = of_truth * of_label / n
    if n == 1:
        return mean, np.zeros((len(names), len(names)))
    covariance = np.outer(mean, mean) / (n - 1)
    own = mean * (1 - of_truth / n) * (n - of_label) / (n - 1)
    covariance[np.diag_indices_from(covariance)] = own
    return mean, covariance


def observe_value_types(current_value, later_value, *, high_share=0.2):
    """Return which customers turned out most valuable, most growable or lost.

    Parameters
    ----------
    current_value : pandas.Series of float
        Money up to the day of the assignment.
    later_value : pandas.Series of float
        Money after it; 0 or below where the customer bought nothing more.
    high_share : float
        Share of the customers called high, now and later, between 0 and 1: by their place in the
        population, as the rules take it, so that equals are high together or not at all.

    Returns
    -------
    pandas.Series of str
        Of those high now, ``type_about_to_be_lost`` who brought nothing later and
        ``type_most_valuable`` who did; of the others ``type_most_growable`` who are high later;
        ``type_none_of_the_three`` for all who are left.

    Examples
    --------
    >>> import pandas as pd
    >>> now, later = pd.Series([9.0, 8.0, 1.0, 1.0]), pd.Series([0.0, 7.0, 9.0, 1.0])
    >>> observe_value_types(now, later, high_share=0.5).str.removeprefix("type_").tolist()
    ['about_to_be_lost', 'most_valuable', 'most_growable', 'none_of_the_three']
    """
    if not 0 < high_share < 1:
        raise ValueError(f"high_share is {high_share!r}; expected a share between 0 and 1")
    is_high, is_high_later = (
        place_in_population(value) >= 1 - high_share for value in (current_value, later_value)
    )
    is_high_later &= later_value > 0
    label = np.where(is_high_later, "type_most_growable", "type_none_of_the_three").astype(object)
    label[is_high.to_numpy()] = "type_most_valuable"
    label[(is_high & ~(later_value > 0)).to_numpy()] = "type_about_to_be_lost"
    return pd.Series(label, index=current_value.index, name="type", dtype="str")


def true_types(truth, customers):
    """Return the simulator's true types, in the words of the typologies.

    Parameters
    ----------
    truth : pandas.DataFrame
        The table `truth`; columns that are not there give no type.
    customers : pandas.Index
        Whose types are wanted.

    Returns
    -------
    pandas.DataFrame, index `customers`
        `orientation`, `consumption` and `response`, as far as the truth holds them; missing where
        a customer is not in it.

    Examples
    --------
    >>> import pandas as pd
    >>> truth = pd.DataFrame({"customer_id": ["a"], "consumption_type": ["deal seeking"]})
    >>> true_types(truth, pd.Index(["a"]))["consumption"].tolist()
    ['type_deal_seeking']
    """
    known = truth.set_index("customer_id").reindex(customers)
    found = {}
    if "is_relational" in known:
        words = {True: "type_relational", False: "type_transactional"}
        found["orientation"] = known["is_relational"].map(words)
    for name, column in (("consumption", "consumption_type"), ("response", "response_policy")):
        if column in known:
            found[name] = "type_" + known[column].str.replace(" ", "_")
    return pd.DataFrame(found, index=customers)
