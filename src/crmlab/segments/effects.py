"""Does it pay to know the segment? Satisfaction, and the effect of contacts, segment by segment.

Who asks: whoever was told that segments are more satisfied, or respond better, and suspects that
among many segments one always looks best. Differences come with intervals and with p values
adjusted for their number; whether segments differ at all is one test of its own, asked first.

Vocabulary. *Uplift* is the share that responded among the treated less that among the held out. A
customer may be contacted several times: contacts of one customer are not independent, and errors
are those of customers.

Sources: S. Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian
Journal of Statistics 6, 65-70; A. Agresti & B. Caffo (2000), Simple and effective confidence
intervals for proportions and differences of proportions result from adding two successes and two
failures, The American Statistician 54(4), 280-288, doi:10.1080/00031305.2000.10474560;
W. G. Cochran (1954), The combination of estimates from different experiments, Biometrics 10,
101-129; K.-Y. Liang & S. L. Zeger (1986), Longitudinal data analysis using generalized linear
models, Biometrika 73, 13-22, doi:10.1093/biomet/73.1.13.
"""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

from crmlab.atlas.sentences import say
from crmlab.data.engines import collect, put_beside, read_frame
from crmlab.data.sampling import adjust_p_values

__all__ = ["difference_by_segment", "planted_uplift", "test_heterogeneity"]
__all__ += ["uplift_by_segment"]

_FEWEST_CUSTOMERS = 5


def difference_by_segment(score, segment, *, by=None, confidence=0.95):
    """Return how far the mean of a score in each segment lies from that of everyone else.

    Parameters
    ----------
    score : pandas.Series
        A number per respondent. Missing ones are left out and counted by `n_known`.
    segment : pandas.Series
        Segment of each respondent, with the index of `score`; missing ones are left out.
    by : pandas.Series, optional
        A division such as the wave of the survey: the comparison is made within each part.
    confidence : float
        Probability that an interval is to cover, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per part and segment: `part` (only with `by`), `segment`, `n_known`, `mean`,
        `rest_mean`, `difference`, `lower`, `upper` (Welch's interval), `p_value`, and
        `adjusted_p_value` (Holm's, over all rows). NaN where a segment, or the rest, holds fewer
        than two known scores.

    Raises
    ------
    ValueError
        If the indices differ.

    References
    ----------
    Holm (1979)

    Examples
    --------
    >>> score = pd.Series([8.0, 9.0, 7.0, 4.0, 5.0, 3.0])
    >>> table = difference_by_segment(score, pd.Series([1, 1, 1, 2, 2, 2]))
    >>> table[["segment", "difference", "lower", "upper"]].round(2).iloc[0].tolist()
    [1.0, 4.0, 1.73, 6.27]
    """
    others = [segment] if by is None else [segment, by]
    if any(not score.index.equals(other.index) for other in others):
        raise ValueError("score, segment and by have different indices; expected the same rows")
    frame = pd.DataFrame({"score": score.astype("float64"), "segment": segment})
    frame["part"] = 0 if by is None else by
    frame = frame.dropna()
    rows = []
    for part, answers in frame.groupby("part", sort=True):
        for name in sorted(answers["segment"].unique()):
            is_inside = (answers["segment"] == name).to_numpy()
            inside, rest = answers["score"][is_inside], answers["score"][~is_inside]
            rows.append(
                {"part": part, "segment": name, "n_known": len(inside)}
                | _welch(inside.to_numpy(), rest.to_numpy(), confidence)
            )
    columns = ["part", "segment", "n_known", "mean", "rest_mean", "difference"]
    columns += ["lower", "upper", "p_value"]
    table = pd.DataFrame(rows, columns=columns)
    table["adjusted_p_value"] = adjust_p_values(table["p_value"])
    return table if by is not None else table.drop(columns="part")


def uplift_by_segment(contacts, segment, *, after=None, confidence=0.95):
    r"""Return the effect of being contacted in each segment, from treated and held-out contacts.

    .. math:: \hat\tau_g = \bar y_{g, \text{treated}} - \bar y_{g, \text{held out}} \qquad
              \operatorname{se}^2 = \sum_c \Bigl(\sum_{i \in c} \psi_i\Bigr)^2

    with :math:`\psi_i = (y_i - \bar y_g)/n_g` of the own arm, negative among the held out, summed
    over the contacts of each customer c. Few contacts that all end alike look surer than they are:
    interval and p value are those of the shares with one response and one refusal added to each
    arm, and the error is at least the binomial one of these shares (Agresti & Caffo 2000).

    Parameters
    ----------
    contacts : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        One row per contact: `customer_id`, `is_treated` (bool), `has_responded` (bool). Campaigns
        are pooled: each should have held out the same share, at random. They are counted where
        they lie.
    segment : pandas.Series
        Segment by customer, made from what was known *before* these contacts: a segment that
        counts the orders a contact brought would find its own effect. Contacts of customers
        without one are left out; `n_left_out` in `attrs` counts them.
    after : Timestamp, optional
        Only contacts later than this count, by their `contacted_on`; one without a day is not.
    confidence : float
        Probability that an interval is to cover, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per segment: `segment`, `n_treated`, `n_held_out`, `treated_share`,
        `held_out_share`, `uplift`, `standard_error`, `lower`, `upper`, `p_value` and
        `adjusted_p_value` (Holm's). Error, interval and p values are NaN where an arm holds
        contacts of fewer than five customers.

    Raises
    ------
    ValueError
        If a column is missing, or nobody was held out at all.

    References
    ----------
    Liang & Zeger (1986), doi:10.1093/biomet/73.1.13

    Examples
    --------
    >>> contacts = pd.DataFrame({
    ...     "customer_id": range(400), "is_treated": [True] * 200 + [False] * 200,
    ...     "has_responded": [True] * 100 + [False] * 250 + [True] * 50,
    ... })
    >>> table = uplift_by_segment(contacts, pd.Series(1, index=range(400)))
    >>> table[["uplift", "standard_error", "lower", "upper"]].round(2).iloc[0].tolist()
    [0.25, 0.05, 0.16, 0.34]
    """
    needed = ["customer_id", "is_treated", "has_responded"]
    frame = _read_contacts(contacts, needed, after)
    if not segment.index.is_unique:
        raise ValueError("segment: the index names a customer twice; expected one row per customer")
    counts = collect(frame.group_by(needed).agg(nw.len().alias("n_contacts")))
    counts = counts.sort_values(needed, ignore_index=True)  # for sums that every engine has alike
    if len(counts) and counts["is_treated"].astype(bool).all():
        raise ValueError(say("segments_all_treated"))
    frame = counts.assign(segment=counts["customer_id"].map(segment)).dropna()
    frame = frame.astype({"segment": segment.dtype})  # unknown customers made it a float
    rows = []
    for name, own in frame.groupby("segment", sort=True):
        rows.append({"segment": name} | _uplift(own, confidence))
    columns = ["segment", "n_treated", "n_held_out", "treated_share", "held_out_share"]
    columns += ["uplift", "standard_error", "lower", "upper", "p_value"]
    table = pd.DataFrame(rows, columns=columns)
    table["adjusted_p_value"] = adjust_p_values(table["p_value"])
    table.attrs["n_left_out"] = int(counts["n_contacts"].sum() - frame["n_contacts"].sum())
    return table


def test_heterogeneity(estimates, standard_errors):
    r"""Return whether estimates differ by more than their errors: Cochran's Q.

    .. math:: Q = \sum_g w_g (\hat\tau_g - \bar\tau)^2 \qquad w_g = 1/\operatorname{se}_g^2

    Parameters
    ----------
    estimates, standard_errors : array_like of float
        Of groups that share no customer; pairs with a NaN or an error of 0 are left out.

    Returns
    -------
    dict
        `q`, `freedom` and `p_value` (of equal effects), and `pooled`, the weighted mean. NaN
        where fewer than two pairs are left.

    References
    ----------
    Cochran (1954)

    Examples
    --------
    >>> found = test_heterogeneity([0.1, 0.3], [0.1, 0.1])
    >>> round(found["q"], 2), round(found["p_value"], 3), round(found["pooled"], 2)
    (2.0, 0.157, 0.2)
    """
    value, error = (np.asarray(x, dtype=float) for x in (estimates, standard_errors))
    is_known = np.isfinite(value) & (error > 0)
    value, weight = value[is_known], 1 / error[is_known] ** 2
    if len(value) < 2:
        return {"q": np.nan, "freedom": 0, "p_value": np.nan, "pooled": np.nan}
    pooled = float((weight * value).sum() / weight.sum())
    q = float((weight * (value - pooled) ** 2).sum())
    freedom = len(value) - 1
    return {"q": q, "freedom": freedom, "p_value": float(chdtrc(freedom, q)), "pooled": pooled}


test_heterogeneity.__test__ = False  # a statistical test, and none of pytest's


def planted_uplift(contacts, truth, segment, *, after=None, weeks=2):
    r"""Return the uplift that the simulator put into each segment, to check `uplift_by_segment`.

    A contact moves a customer with his own probability; it adds nothing where he would have
    bought in those weeks anyway, :math:`1 - e^{-\lambda t}`, nor once he has left.

    Parameters
    ----------
    contacts : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        `customer_id` and `contacted_on`, one row per contact.
    truth : pandas.DataFrame
        The simulator's `customer_id`, `uplift_probability`, `purchase_rate_per_week` and
        `dropped_out_on` (NaT for who has not left).
    segment : pandas.Series
        Segment by customer; contacts of customers without one are left out.
    after : Timestamp, optional
        Only contacts later than this count.
    weeks : float
        How long after a contact an order counts as its response.

    Returns
    -------
    pandas.Series of float, by segment in sorted order
        Mean over the contacts.

    Examples
    --------
    >>> day = pd.Timestamp("2024-05-01")
    >>> contacts = pd.DataFrame({"customer_id": ["a", "b"], "contacted_on": day})
    >>> truth = pd.DataFrame({"customer_id": ["a", "b"], "uplift_probability": [0.2, 0.2],
    ...     "purchase_rate_per_week": [0.0, 0.0], "dropped_out_on": [pd.NaT, day]})
    >>> planted_uplift(contacts, truth, pd.Series({"a": 1, "b": 1})).tolist()
    [0.1]
    """
    frame = _read_contacts(contacts, ["customer_id", "contacted_on"], after)
    truth = truth.assign(too_late_from=truth["dropped_out_on"] - pd.Timedelta(weeks=weeks))
    leaving = put_beside(frame, truth[["customer_id", "too_late_from"]])
    customer = nw.col("customer_id").cast(nw.String)  # Arrow has two kinds of text
    told = frame.with_columns(customer).join(leaving.with_columns(customer), on="customer_id")
    is_late = nw.col("contacted_on") >= nw.col("too_late_from")  # missing for who has not left
    told = told.with_columns(counts=nw.when(is_late).then(0).otherwise(1).cast(nw.Int64))
    told = told.group_by("customer_id").agg(nw.len().alias("n"), nw.col("counts").sum())
    # Joined as text, so met as text again, whatever the customers are called by.
    truth = truth.assign(customer_id=truth["customer_id"].astype("str"))
    segment = segment.set_axis(segment.index.astype("str"))
    known = collect(told.sort("customer_id")).merge(truth, on="customer_id")
    would_not_buy = np.exp(-weeks * known["purchase_rate_per_week"])
    n_open = known["counts"].astype("int64")  # some engines add up to kinds of their own
    known["added"] = known["uplift_probability"] * would_not_buy * n_open
    sums = known.groupby(known["customer_id"].map(segment))[["added", "n"]].sum()
    return sums["added"] / sums["n"]


def _read_contacts(contacts, columns, after):
    """Return these columns of the contacts, of those after a day where one is given."""
    dated = "contacted_on" in columns or after is not None
    needed = list(dict.fromkeys([*columns, *(["contacted_on"] if dated else [])]))
    frame = read_frame("contacts", contacts, needed).select(needed)
    if dated:
        frame = frame.with_columns(nw.col("contacted_on").cast(nw.Datetime("us")))
    if after is not None:
        frame = frame.filter(nw.col("contacted_on") > pd.Timestamp(after).to_pydatetime())
    return frame


def _welch(inside, rest, confidence):
    """Return means, difference and Welch's interval; NaN where a variance is not known."""
    means = {
        "mean": inside.mean() if len(inside) else np.nan,
        "rest_mean": rest.mean() if len(rest) else np.nan,
    }
    difference = means["mean"] - means["rest_mean"]
    unknown = {"difference": difference, "lower": np.nan, "upper": np.nan, "p_value": np.nan}
    if min(len(inside), len(rest)) < 2:
        return means | unknown
    parts = [part.var(ddof=1) / len(part) for part in (inside, rest)]
    error = np.sqrt(sum(parts))
    if error == 0:
        return means | unknown
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(x) - 1) for part, x in zip(parts, (inside, rest), strict=True)
    )
    half = stdtrit(freedom, (1 + confidence) / 2) * error
    return means | {
        "difference": difference,
        "lower": difference - half,
        "upper": difference + half,
        "p_value": 2 * stdtr(freedom, -abs(difference) / error),
    }


def _uplift(counts, confidence):
    """Return the effect in one segment with an error that counts customers."""
    is_treated = counts["is_treated"].to_numpy(dtype=bool)
    has_responded = counts["has_responded"].to_numpy(dtype=float)
    n_contacts = counts["n_contacts"].to_numpy()
    arms = {"treated": (is_treated, 1.0), "held_out": (~is_treated, -1.0)}
    row = {f"n_{name}": int(n_contacts[arm].sum()) for name, (arm, _) in arms.items()}
    shares, centre, least, n_fewest = {}, 0.0, 0.0, np.inf
    influence = np.zeros(len(counts))
    for name, (arm, sign) in arms.items():
        n, n_responses = row[f"n_{name}"], (n_contacts * has_responded)[arm].sum()
        share = n_responses / n if n else np.nan
        shares[f"{name}_share"] = share
        n_fewest = min(n_fewest, counts["customer_id"][arm].nunique())
        influence[arm] = sign * n_contacts[arm] * (has_responded[arm] - share) / max(n, 1)
        added = (n_responses + 1) / (n + 2)
        centre += sign * added
        least += added * (1 - added) / (n + 2)
    uplift = shares["treated_share"] - shares["held_out_share"]
    row |= shares | {"uplift": uplift}
    names = ("standard_error", "lower", "upper", "p_value")
    if n_fewest < _FEWEST_CUSTOMERS:
        return row | dict.fromkeys(names, np.nan)
    of_customer = pd.Series(influence).groupby(counts["customer_id"].to_numpy()).sum()
    n_customers = len(of_customer)
    # The usual correction of a sum over few customers.
    variance = (of_customer**2).sum() * n_customers / (n_customers - 1)
    error = float(np.sqrt(max(variance, least)))
    half = ndtri((1 + confidence) / 2) * error
    p_value = 2 * ndtr(-abs(centre) / error)
    return row | dict(zip(names, (error, centre - half, centre + half, p_value), strict=True))
