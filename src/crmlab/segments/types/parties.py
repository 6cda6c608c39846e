"""Customers by their relation to the firm: consumers, businesses, partners, and one's own people.

Who asks: whoever meets very different parties under the one word customer. Business customers buy
through several people (Webster, F. E. & Wind, Y. 1972, A general model for understanding
organizational buying behavior, Journal of Marketing 36(2), 12-19); channel partners sell on
(Anderson, J. C. & Narus, J. A. 1990, A model of distributor firm and manufacturer firm working
partnerships, Journal of Marketing 54(1), 42-58); and who serves customers is himself a customer
of the other departments (Heskett, J. L., Jones, T. O., Loveman, G. W., Sasser, W. E. &
Schlesinger, L. A. 1994, Putting the service-profit chain to work, Harvard Business Review 72(2),
164-174). Rules for the first three, for size and for place are in ``rules.csv``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say

__all__ = ["describe_parties", "internal_satisfaction", "internal_service_path"]

_SERVICE = ("internal_support", "internal_speed")


def describe_parties(customers, accounts=None, *, home_region=None):
    """Return what the rules by party, size and place look at.

    Parameters
    ----------
    customers : pandas.DataFrame
        The table `customers`: `customer_id` and, if known, `is_business` and `region`.
    accounts : pandas.DataFrame, optional
        The table `accounts`: `customer_id`, `role`, `n_employees`.
    home_region : str, optional
        The firm's own region; by default that of most customers.

    Returns
    -------
    pandas.DataFrame, indexed by `customer_id`
        `is_business` (1 or 0), `role`, `n_employees`, `is_local` (1 or 0); missing where the
        tables do not say. Without a flag `is_business`, who has an account is a business.

    Raises
    ------
    ValueError
        If nobody is in the home region.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame({"customer_id": ["a", "b"], "region": ["east", None]})
    >>> describe_parties(customers)["is_local"].tolist()
    [1.0, nan]
    """
    known = customers.set_index("customer_id")
    table = pd.DataFrame(index=known.index)
    accounts = pd.DataFrame({"customer_id": []}) if accounts is None else accounts
    account = accounts.set_index("customer_id").reindex(known.index)
    if "is_business" in known:
        table["is_business"] = known["is_business"].astype("float64")
    else:
        has_account = known.index.isin(accounts["customer_id"])
        table["is_business"] = np.where(has_account, 1.0, np.nan)
    table["role"] = account["role"].astype("object") if "role" in account else None
    counted = "n_employees" in account
    table["n_employees"] = account["n_employees"].astype("float64") if counted else np.nan
    table["is_local"] = np.nan
    if "region" in known and known["region"].notna().any():
        home = home_region or known["region"].mode().iloc[0]
        if home not in set(known["region"].dropna()):
            regions = tuple(sorted(known["region"].dropna().unique()))
            raise ValueError(say("segments_home_region", home=home, regions=regions))
        is_local = (known["region"] == home).astype("float64")
        table["is_local"] = is_local.where(known["region"].notna())
    return table


def internal_satisfaction(staff):
    """Return how satisfied each department is as the others' customer, and with its work.

    Parameters
    ----------
    staff : pandas.DataFrame
        The table `staff`: `department`, `internal_support`, `internal_speed` (what other
        departments do for one, 1 to 7) and `job_satisfaction` (1 to 7).

    Returns
    -------
    pandas.DataFrame, indexed by `department`, lowest internal service first
        `n_employees` who answered, `internal_service` (mean of the two questions) with
        `internal_service_interval` (95 %, t; missing for a single answer) and
        `job_satisfaction`.

    Raises
    ------
    ValueError
        If a column is missing or nobody answered.

    Examples
    --------
    >>> import pandas as pd
    >>> staff = pd.DataFrame({"department": ["sales", "sales"], "internal_support": [3.0, 5.0],
    ...                       "internal_speed": [3.0, 5.0], "job_satisfaction": [4.0, 6.0]})
    >>> internal_satisfaction(staff)[["n_employees", "internal_service"]].to_numpy().tolist()
    [[2.0, 4.0]]
    """
    from scipy import stats

    service = _internal_service(staff)
    known = staff.assign(service=service)[service.notna()]
    by_department = known.groupby("department")
    table = by_department["service"].agg(["size", "mean", "std"])
    half = stats.t.ppf(0.975, np.maximum(table["size"] - 1, 1)) * table["std"]
    half = half / np.sqrt(table["size"])
    ends = zip(table["mean"] - half, table["mean"] + half, strict=True)
    result = pd.DataFrame(
        {
            "n_employees": table["size"],
            "internal_service": table["mean"],
            "internal_service_interval": [
                None if np.isnan(low) else (low, high) for low, high in ends
            ],
            "job_satisfaction": by_department["job_satisfaction"].mean(),
        }
    )
    return result.sort_values("internal_service", kind="stable")


def internal_service_path(staff):
    """Return how far satisfaction with work goes with internal service: the chain's first link.

    Parameters
    ----------
    staff : pandas.DataFrame
        As for `internal_satisfaction`.

    Returns
    -------
    pandas.Series
        `correlation` (Pearson) of the mean of the two questions with `job_satisfaction`, its 95 %
        interval `lower` and `upper` (Fisher's z) and `n_employees`; NaN with fewer than four
        answers or where one side does not vary.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.Series([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> staff = pd.DataFrame({"department": "sales", "internal_support": scores,
    ...                       "internal_speed": scores, "job_satisfaction": [1.0, 3, 2, 5, 4]})
    >>> round(float(internal_service_path(staff)["correlation"]), 3)
    0.8
    """
    service = _internal_service(staff)
    known = service.notna() & staff["job_satisfaction"].notna()
    one, two = service[known], staff.loc[known, "job_satisfaction"]
    n = int(known.sum())
    found = {"correlation": np.nan, "lower": np.nan, "upper": np.nan, "n_employees": n}
    if n >= 4 and one.min() < one.max() and two.min() < two.max():
        r = np.corrcoef(one, two)[0, 1]
        half = 1.959964 / np.sqrt(n - 3)
        z = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
        found |= {"correlation": r, "lower": np.tanh(z - half), "upper": np.tanh(z + half)}
    return pd.Series(found)


def _internal_service(staff):
    for name in ("department", *_SERVICE, "job_satisfaction"):
        if name not in staff:
            raise ValueError(f"staff: the column {name!r} is missing")
    service = staff[list(_SERVICE)].astype("float64").mean(axis=1)
    if not service.notna().any():
        raise ValueError(say("segments_no_staff_answer"))
    return service
