"""The single customer view: one golden record for each customer, made of all that is on file.

Who asks: every department that serves the customer, so that all see the same one, wherever the
customer is served and whichever system knew first. Where records of a customer disagree, a stated
rule of *survivorship* decides; what was decided against is counted, not forgotten.
"""

import numpy as np
import pandas as pd

__all__ = ["SURVIVORSHIP", "TRUST", "duplicate_rate", "golden_records"]

SURVIVORSHIP = {
    "name": "most_frequent",
    "phone": "latest",
    "email": "latest",
    "postcode": "latest",
    "birth_year": "most_frequent",
    "region": "latest",
}
"""Which value survives: what changes is taken from the latest record, what does not from most."""

TRUST = ("shop", "call_centre", "email_list", "partner")
"""Systems by trust, the most trusted first: who wins where days or counts are equal."""


def golden_records(records, cluster, *, survivorship=SURVIVORSHIP, trust=TRUST):
    """Return one record per customer, and how many records and conflicts are behind it.

    Parameters
    ----------
    records : pandas.DataFrame
        With `system`, `updated_on` and the fields of `survivorship`; left unchanged. Put into one
        form first (`crmlab.data.linkage.standardise_records`), or "+86 129" and "129" conflict.
    cluster : array_like of int, shape (n_records,)
        The customer of each record, from `crmlab.data.linkage.cluster_records`.
    survivorship : mapping of str to {"latest", "most_frequent"}
        By field. "latest": the value of the record changed last; "most_frequent": the value that
        most records hold, of equally frequent ones the latest.
    trust : sequence of str
        Systems, the most trusted first; others come last, by name.

    Returns
    -------
    pandas.DataFrame, one row per customer, in the order of `cluster`
        `cluster`, `n_records`, `n_systems`, the fields (missing only where no record has one), and
        `n_conflicts`, the fields in which two records hold different values.

    Raises
    ------
    ValueError
        If a column or a rule is unknown, or `cluster` has another length.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-01", "2024-06-01", "2023-05-05"])
    >>> records = pd.DataFrame({"system": ["shop", "partner", "shop"], "updated_on": days,
    ...                         "phone": ["1", "2", "1"], "birth_year": [1980, 1908, 1980]})
    >>> rules = {"phone": "latest", "birth_year": "most_frequent"}
    >>> golden = golden_records(records, [0, 0, 0], survivorship=rules)
    >>> golden[["phone", "birth_year", "n_conflicts"]].values.tolist()
    [['2', 1980, 2]]
    """
    cluster = np.asarray(cluster)
    needed = ["system", "updated_on", *survivorship]
    unknown = [name for name in needed if name not in records]
    if unknown or len(cluster) != len(records):
        raise ValueError(
            f"records has no column {unknown[0]!r}; expected {', '.join(needed)}"
            if unknown
            else f"cluster has {len(cluster)} values for {len(records)} records; expected one each"
        )
    order = {system: place for place, system in enumerate(trust)}
    ranked = records.assign(
        cluster=cluster,
        rank=records["system"].map(order).fillna(len(order)).to_numpy(),
    ).sort_values(
        ["cluster", "updated_on", "rank", "system"],
        ascending=[True, False, True, True],
        na_position="last",
        kind="stable",
    )
    by_cluster = ranked.groupby("cluster", sort=True)
    golden = pd.DataFrame(
        {"n_records": by_cluster.size(), "n_systems": by_cluster["system"].nunique()}
    )
    n_conflicts = pd.Series(0, index=golden.index)
    for field, rule in survivorship.items():
        if rule == "latest":
            golden[field] = by_cluster[field].first()
        elif rule == "most_frequent":
            golden[field] = _most_frequent(ranked, field).reindex(golden.index)
        else:
            raise ValueError(
                f"the rule of {field!r} is {rule!r}; expected 'latest' or 'most_frequent'"
            )
        n_conflicts = n_conflicts + by_cluster[field].nunique().gt(1)
    golden["n_conflicts"] = n_conflicts
    return golden.reset_index()


def duplicate_rate(cluster):
    """Return the share of records that are one too many.

    Parameters
    ----------
    cluster : array_like, shape (n_records,)
        The customer of each record.

    Returns
    -------
    float
        (records − customers) / records; NaN without records. 0: every customer is on file once.

    Examples
    --------
    >>> duplicate_rate([0, 0, 1, 2])
    0.25
    """
    cluster = np.asarray(cluster)
    return 1 - len(np.unique(cluster)) / len(cluster) if len(cluster) else np.nan


def _most_frequent(ranked, field):
    """Return each customer's most frequent value; of equally frequent ones, the first ranked."""
    values = ranked[["cluster", field]].dropna()
    place = pd.Series(np.arange(len(values)), index=values.index)
    counted = (
        values.assign(place=place)
        .groupby(["cluster", field], sort=False)["place"]
        .agg(["size", "min"])
        .reset_index()
        .sort_values(["cluster", "size", "min"], ascending=[True, False, True])
    )
    return counted.drop_duplicates("cluster").set_index("cluster")[field]
