"""The customer's profile: what all tables together know of each customer.

Who asks: whoever needs one row per customer with everything on record ("who is this, what did we
send, what did they buy?"), and whoever asks how well the records join. A *customer* in the broad
sense is any party with a record; in the narrow sense, one who has bought. A *purchase* is an
order with an amount above 0, a *return* one below 0. The chain that customer data serve is: know
the customer, promote to those who fit, transact.

Sources: Peppers, D. and Rogers, M. (2004). Managing Customer Relationships: A Strategic Framework.
Hoboken: Wiley (identify, differentiate, interact, customise); Buttle, F. and Maklan, S. (2019).
Customer Relationship Management: Concepts and Technologies, 4th ed. London: Routledge.
"""

import narwhals as nw
import pandas as pd

from crmlab.data.engines import collect

__all__ = [
    "CHAIN",
    "STATUSES",
    "acquisition_day",
    "chain_coverage",
    "conversion_rate",
    "customer_profile",
    "customer_status",
    "join_coverage",
    "profile_completeness",
]

STATUSES = ("prospect", "existing_customer")
CHAIN = ("known", "promoted", "responded", "transacted")


def customer_profile(tables):
    """Return one row per customer in the broad sense, with what each table says of it.

    The large tables (orders, contacts) may be pandas, Polars, PyArrow, DuckDB or PySpark frames.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Any of customers, contacts, orders, survey, tickets; others are passed over.

    Returns
    -------
    pandas.DataFrame, one row per customer named in any table
        `customer_id`, then the columns of `customers`, then, for each table that is there:
        from customers `is_known`; from contacts `n_contacts`, `n_held_out`, `n_responses` (to
        contacts that took place) and `first_contact_on`; from orders `n_purchases`, `n_returns`,
        `first_purchase_on`, `last_purchase_on`; from survey `n_answers`; from tickets
        `n_tickets` and `n_complaints`. Counts are 0 and days NaT where the customer does not
        occur. Customers of the customer table come first, in its order, the others sorted.
        Rows that name no customer take no part.

    Raises
    ------
    ValueError
        If the customer table has two rows of one customer.

    Examples
    --------
    >>> customers = pd.DataFrame({"customer_id": ["a", "b"], "region": ["north", None]})
    >>> orders = pd.DataFrame({"customer_id": ["b", "b", "z"], "amount": [10.0, -4.0, 7.0],
    ...                        "ordered_on": pd.to_datetime(["2024-03-01"] * 3)})
    >>> profile = customer_profile({"customers": customers, "orders": orders})
    >>> profile[["customer_id", "region", "is_known", "n_purchases", "n_returns"]]
      customer_id region  is_known  n_purchases  n_returns
    0           a  north      True            0          0
    1           b    NaN      True            1          1
    2           z    NaN     False            1          0
    """
    summaries = [
        _summarise(tables[name], columns)
        for name, columns in _summaries().items()
        if name in tables and "customer_id" in nw.from_native(tables[name]).collect_schema()
    ]
    customers = tables.get("customers")
    if customers is None:
        known = pd.Series(dtype="str")
    else:
        customers = customers.astype({"customer_id": "str"})
        known = customers["customer_id"]
    repeated = known[known.duplicated()]
    if len(repeated):
        raise ValueError(
            f"customers: customer {repeated.iloc[0]!r} has two rows; expected one row per customer"
        )
    found = pd.concat([known.iloc[:0], *(frame["customer_id"] for frame in summaries)])
    others = found[~found.isin(known)].drop_duplicates().sort_values()
    profile = pd.DataFrame({"customer_id": pd.concat([known, others], ignore_index=True)})
    if customers is not None:
        profile = profile.merge(customers, on="customer_id", how="left")
        profile["is_known"] = profile["customer_id"].isin(known)
    for frame in summaries:
        profile = profile.merge(frame, on="customer_id", how="left")
        counts = [column for column in frame if column.startswith("n_")]
        profile[counts] = profile[counts].fillna(0).astype("int64")
    return profile


def profile_completeness(customers):
    """Return the share of each customer's descriptive fields that hold a value.

    Parameters
    ----------
    customers : pandas.DataFrame
        The customer table; every column is a field of the profile but `customer_id` and
        `adopted_on`, whose gaps say that something has not happened, not that it is not known.

    Returns
    -------
    pandas.Series of float, indexed by customer_id, named `share_filled`
        0 to 1; NaN where the table has no field at all.

    Examples
    --------
    >>> customers = pd.DataFrame({"customer_id": ["a", "b"], "region": ["north", None],
    ...                           "birth_year": pd.array([1990, 1985], dtype="Int64")})
    >>> profile_completeness(customers).to_dict()
    {'a': 1.0, 'b': 0.5}
    """
    fields = customers.drop(columns=["customer_id", "adopted_on"], errors="ignore")
    filled = fields.notna().mean(axis="columns").astype("float64")
    return filled.set_axis(pd.Index(customers["customer_id"])).rename("share_filled")


def customer_status(profile, *, observed_from=None):
    """Return whether each customer has bought: existing customer, or still a prospect.

    Parameters
    ----------
    profile : pandas.DataFrame
        From `customer_profile`, with `n_purchases` and, where known, `joined_on` and `n_returns`.
    observed_from : datetime-like or None
        First day under observation. None where purchases are on record from the first one on.

    Returns
    -------
    pandas.Series, named `status`, index of `profile`
        An ordered category: prospect < existing_customer. Missing for a customer without a
        purchase on record who is not known to be followed from the first one on (acquired
        before `observed_from`, or on a day that is not known): whoever has left would pass for
        a prospect. Missing as well for one who has only returned something: what was returned
        was bought before.

    Raises
    ------
    ValueError
        If the profile was made without orders: without them nobody's status is known.

    Examples
    --------
    >>> profile = pd.DataFrame({"customer_id": ["a", "b", "c"], "n_purchases": [0, 2, 0],
    ...     "joined_on": pd.to_datetime(["2024-02-01", "2023-05-01", "2023-05-01"])})
    >>> customer_status(profile, observed_from="2024-01-01").tolist()
    ['prospect', 'existing_customer', nan]
    """
    _need_purchases(profile)
    has_bought = profile["n_purchases"] > 0
    has_returned = profile.get("n_returns", 0) > 0
    codes = has_bought.astype("int8")
    codes[~has_bought & (has_returned | ~_is_followed(profile, observed_from))] = -1
    kinds = pd.CategoricalDtype(STATUSES, ordered=True)
    status = pd.Categorical.from_codes(codes, dtype=kinds)
    return pd.Series(status, index=profile.index, name="status")


def conversion_rate(profile, *, observed_from=None):
    """Return the share of the customers acquired under observation who have bought.

    Who was acquired before, or on a day that is not known, does not count, for among them only
    those who stayed show a purchase; nor does a customer who has only returned something. Nor
    does a customer count who is not in the customer table: only an order could have named it.

    Parameters
    ----------
    profile : pandas.DataFrame
    observed_from : datetime-like or None
        As in `customer_status`.

    Returns
    -------
    float
        0 to 1; NaN where nobody was acquired under observation.

    Raises
    ------
    ValueError
        If the profile was made without orders.

    Examples
    --------
    >>> profile = pd.DataFrame({"customer_id": ["a", "b", "c"], "n_purchases": [0, 2, 1],
    ...     "joined_on": pd.to_datetime(["2024-02-01", "2024-05-01", "2023-05-01"])})
    >>> conversion_rate(profile, observed_from="2024-01-01")
    0.5
    """
    _need_purchases(profile)
    is_telling = customer_status(profile, observed_from=observed_from).notna()
    counts = is_telling & _is_followed(profile, observed_from) & profile.get("is_known", True)
    return float((profile["n_purchases"][counts] > 0).mean())


def acquisition_day(profile, *, observed_from=None):
    """Return the day each customer was acquired, and where only its latest possible date is known.

    Whoever counts new customers by their first purchase in the window takes old customers for new
    ones; the flag says of how many.

    Parameters
    ----------
    profile : pandas.DataFrame
    observed_from : datetime-like or None
        As in `customer_status`.

    Returns
    -------
    pandas.DataFrame, index of `profile`
        `acquired_on`: `joined_on` where it is known, otherwise the day of the first purchase on
        record (NaT without either); `is_latest`: True where that purchase need not have been the
        first, so that the customer was acquired on that day or earlier (left-censored).

    Raises
    ------
    ValueError
        If the profile was made without orders.

    Examples
    --------
    >>> profile = pd.DataFrame({"customer_id": ["a", "b"], "n_purchases": [1, 1],
    ...     "joined_on": pd.to_datetime(["2024-01-15", None]),
    ...     "first_purchase_on": pd.to_datetime(["2024-02-01", "2024-02-01"])})
    >>> acquisition_day(profile, observed_from="2024-01-01")["is_latest"].tolist()
    [False, True]
    """
    _need_purchases(profile)
    first = profile["first_purchase_on"]
    joined = profile.get("joined_on", pd.Series(pd.NaT, index=profile.index, dtype=first.dtype))
    is_censored = joined.isna() & first.notna() & (observed_from is not None)
    return pd.DataFrame({"acquired_on": joined.fillna(first), "is_latest": is_censored})


def chain_coverage(profile):
    """Return how far the data follow the chain: know, promote, transact.

    Each step counts the customers that have passed it and all steps before it: known (a row in
    the customer table, or in any table where there is none), promoted (contacted at least once),
    responded (to a contact) and transacted (a purchase on the day of the first contact or later;
    without contacts, any purchase). It says where records join, not what caused a purchase: for
    that, hold customers out at random and compare.

    Parameters
    ----------
    profile : pandas.DataFrame
        From `customer_profile`.

    Returns
    -------
    pandas.DataFrame, one row per step the tables allow
        `step` (an ordered category in the order of `CHAIN`), `n_customers`, `share_of_known` and
        `share_of_previous` (0..1; NaN where there is nobody to take a share of).

    Examples
    --------
    >>> day = pd.to_datetime
    >>> profile = pd.DataFrame({"customer_id": list("abcd"), "n_contacts": [1, 2, 0, 1],
    ...     "n_responses": [1, 0, 0, 1], "n_purchases": [1, 1, 1, 0],
    ...     "first_contact_on": day(["2024-02-01", "2024-02-01", None, "2024-02-01"]),
    ...     "last_purchase_on": day(["2024-02-09", "2024-01-01", "2024-01-01", None])})
    >>> chain_coverage(profile)[["step", "n_customers", "share_of_previous"]]
             step  n_customers  share_of_previous
    0       known            4           1.000000
    1    promoted            3           0.750000
    2   responded            2           0.666667
    3  transacted            1           0.500000
    """
    passed = profile.get("is_known", pd.Series(True, index=profile.index)).astype(bool)
    steps = {"known": passed}
    if "n_contacts" in profile:
        steps["promoted"] = profile["n_contacts"] > 0
        steps["responded"] = profile["n_responses"] > 0
    if "n_purchases" in profile:
        steps["transacted"] = profile["n_purchases"] > 0
        if "n_contacts" in profile:
            is_later = profile["last_purchase_on"] >= profile["first_contact_on"]
            steps["transacted"] &= is_later
    counts = []
    for has_passed in steps.values():
        passed = passed & has_passed
        counts.append(int(passed.sum()))
    chain = pd.DataFrame(
        {
            "step": pd.Categorical(list(steps), categories=CHAIN, ordered=True),
            "n_customers": counts,
        }
    )
    size = chain["n_customers"].astype("float64")
    first, previous = size.iloc[0], size.shift(fill_value=size.iloc[0])
    chain["share_of_known"] = size / (first if first else float("nan"))
    chain["share_of_previous"] = size / previous.where(previous > 0)
    return chain


def join_coverage(tables):
    """Return how many of one table's customers another table knows as well.

    Parameters
    ----------
    tables : mapping of str to table
        The large ones may be frames of any engine.

    Returns
    -------
    pandas.DataFrame, one row and one column per table that names customers
        Share of the row table's customers (each counted once) that occur in the column table;
        1 on the diagonal, NaN in the row of a table that names nobody.

    Examples
    --------
    >>> tables = {"customers": pd.DataFrame({"customer_id": ["a", "b", "c", "d"]}),
    ...           "orders": pd.DataFrame({"customer_id": ["a", "a", "b"]})}
    >>> join_coverage(tables)
               customers  orders
    customers        1.0     0.5
    orders           1.0     1.0
    """
    ids = {}
    for name, table in tables.items():
        frame = nw.from_native(table) if name in _NAMING_CUSTOMERS else None
        if frame is not None and "customer_id" in frame.collect_schema():
            named = frame.select("customer_id").filter(~nw.col("customer_id").is_null())
            ids[name] = pd.Index(collect(named.unique())["customer_id"])
    shares = {
        column: [own.isin(other).mean() if len(own) else float("nan") for own in ids.values()]
        for column, other in ids.items()
    }
    return pd.DataFrame(shares, index=list(ids), dtype="float64")


def _need_purchases(profile):
    if "n_purchases" not in profile:
        raise ValueError(
            "profile: there is no column 'n_purchases'; expected a profile made from tables that "
            "include orders, for only orders tell an existing customer from a prospect"
        )


def _is_followed(profile, observed_from):
    """Return whether each customer's purchases are on record from the first one on."""
    if observed_from is None:
        return pd.Series(True, index=profile.index)
    if "joined_on" not in profile:
        return pd.Series(False, index=profile.index)
    return profile["joined_on"] >= pd.Timestamp(observed_from)


_NAMING_CUSTOMERS = ("customers", "contacts", "orders", "tickets", "survey")


def _summaries():
    """Return, for each table, what a profile keeps of it: name, value of a row, how to join rows.

    Grouping knows only plain sums, minima and maxima on every engine; so the value of each row
    comes first.
    """
    is_purchase, is_treated = nw.col("amount") > 0, nw.col("is_treated")
    purchased_on = nw.when(is_purchase).then(nw.col("ordered_on"))
    one = nw.lit(1)
    return {
        "contacts": [
            ("n_contacts", is_treated, "sum"),
            ("n_held_out", ~is_treated, "sum"),
            ("n_responses", is_treated & nw.col("has_responded"), "sum"),
            ("first_contact_on", nw.when(is_treated).then(nw.col("contacted_on")), "min"),
        ],
        "orders": [
            ("n_purchases", is_purchase, "sum"),
            ("n_returns", nw.col("amount") < 0, "sum"),
            ("first_purchase_on", purchased_on, "min"),
            ("last_purchase_on", purchased_on, "max"),
        ],
        "survey": [("n_answers", one, "sum")],
        "tickets": [("n_tickets", one, "sum"), ("n_complaints", nw.col("is_complaint"), "sum")],
    }


def _summarise(table, columns):
    """Return one pandas row per customer named in the table."""
    values = {name: value.cast(nw.Int64) if how == "sum" else value for name, value, how in columns}
    joined = [getattr(nw.col(name), how)() for name, _, how in columns]
    rows = nw.from_native(table).lazy().filter(~nw.col("customer_id").is_null())
    summary = rows.select("customer_id", **values).group_by("customer_id").agg(*joined)
    return collect(summary).astype({"customer_id": "str"})
