"""May these data still be used? The log of uses against the licence they came with.

Who asks: whoever rents a list (so many mailings until such a day) or holds bought or shared data
with an end, before every use, and the owner of the list after it. A *use* is one occasion, such
as a campaign, however many customers it reaches. Expiry is a day: the last one on which the data
may be used. The record of a source keeps these terms in the vocabulary of W3C PROV: the table is
an entity, its collection an activity, the firm, vendor or partner the agent it is attributed to.

Source: W3C (2013). PROV-O: The PROV Ontology. W3C Recommendation (entity, activity, agent).
"""

import narwhals as nw
import pandas as pd

from crmlab.data.engines import collect, read_frame

__all__ = ["VERDICTS", "check_uses", "licence_status", "list_uses", "permit_use"]

VERDICTS = (
    "permitted",
    "unknown_source",
    "wrong_purpose",
    "before_start",
    "licence_expired",
    "beyond_uses",
)
"""What `check_uses` says of a use; the first that applies, in this order after `permitted`."""


def licence_status(sources, on):
    """Return which sources may be used on a day, and what is left of each licence.

    Parameters
    ----------
    sources : pandas.DataFrame, one row per source
        The table `sources`; without the columns `licence_expires_on`, `uses_allowed` and
        `uses_made` nothing limits its use.
    on : datetime-like
        The day asked about.

    Returns
    -------
    pandas.DataFrame, one row per source, in the order given
        `table`, `origin`, `licence_expires_on`, `days_left` (below 0 after the last day; missing
        without an end), `uses_allowed`, `uses_left` (missing without a limit) and `verdict`
        (permitted, licence_expired or beyond_uses: no use is left).

    Examples
    --------
    >>> sources = pd.DataFrame({"table": ["customers", "survey"], "origin": ["rented", "purchased"],
    ...     "licence_expires_on": pd.to_datetime(["2025-06-30", "2024-12-31"]),
    ...     "uses_allowed": [3, None], "uses_made": [3, None]})
    >>> licence_status(sources, "2025-01-01")[["table", "days_left", "uses_left", "verdict"]]
           table  days_left  uses_left          verdict
    0  customers        180          0      beyond_uses
    1     survey         -1       <NA>  licence_expired
    """
    terms = _terms(sources)
    days_left = (terms["licence_expires_on"] - pd.Timestamp(on).normalize()).dt.days
    made = terms["uses_made"].fillna(0)
    verdict = pd.Series("permitted", index=terms.index)
    verdict = verdict.mask((made >= terms["uses_allowed"]).fillna(False), "beyond_uses")
    verdict = verdict.mask(days_left < 0, "licence_expired")
    return sources[["table", "origin"]].assign(
        licence_expires_on=terms["licence_expires_on"],
        days_left=days_left.astype("Int64"),
        uses_allowed=terms["uses_allowed"],
        uses_left=terms["uses_allowed"] - made,
        verdict=pd.Categorical(verdict, categories=VERDICTS),
    )


def list_uses(contacts, *, source, purpose="marketing"):
    """Return the log of uses that a history of campaigns is: one use per campaign.

    Parameters
    ----------
    contacts : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        `campaign`, `contacted_on`, `customer_id`, `is_treated`; those held out used nothing.
    source : str
        The source whose customers were contacted.
    purpose : str
        What they were contacted for.

    Returns
    -------
    pandas.DataFrame, one row per campaign, in order of time
        `source`, `use` (the campaign), `used_on` (its first day), `purpose`, `n_customers`.

    Examples
    --------
    >>> contacts = pd.DataFrame({"campaign": ["spring", "spring"], "customer_id": ["a", "b"],
    ...     "contacted_on": pd.to_datetime(["2024-03-02", "2024-03-01"]), "is_treated": True})
    >>> list_uses(contacts, source="list")[["use", "n_customers"]]
          use  n_customers
    0  spring            2
    """
    needed = ["campaign", "contacted_on", "customer_id", "is_treated"]
    used = read_frame("contacts", contacts, needed).filter(nw.col("is_treated"))
    named = used.filter(~nw.col("campaign").is_null())
    days = named.group_by("campaign").agg(nw.col("contacted_on").min().alias("used_on"))
    known = named.select("campaign", "customer_id").filter(~nw.col("customer_id").is_null())
    sizes = known.unique().group_by("campaign").agg(nw.len().alias("n_customers"))
    log = collect(days).merge(collect(sizes), on="campaign", how="left")
    log["n_customers"] = log["n_customers"].fillna(0).astype("int64")
    log = log.sort_values(["used_on", "campaign"], ignore_index=True)
    log = log.rename(columns={"campaign": "use"}).assign(source=source, purpose=purpose)
    return log[["source", "use", "used_on", "purpose", "n_customers"]]


def check_uses(uses, licences):
    """Return the log of uses with a verdict on each.

    Parameters
    ----------
    uses : pandas.DataFrame
        `source`, `used_on` and `purpose` of each use made, in any order.
    licences : pandas.DataFrame, one row per source
        `source`, and as far as they are limited `purpose`, `starts_on`, `licence_expires_on` and
        `uses_allowed`.

    Returns
    -------
    pandas.DataFrame, the rows of `uses` in order of time
        With `use_number` (1 for the first use of its source; every use made counts, permitted or
        not) and `verdict`, a category of `VERDICTS`.

    Raises
    ------
    ValueError
        If a source has two licences, or a use has no day.

    Examples
    --------
    >>> uses = pd.DataFrame({"source": "list", "purpose": "marketing",
    ...     "used_on": pd.to_datetime(["2024-03-01", "2024-05-01", "2024-09-01"])})
    >>> licences = pd.DataFrame({"source": ["list"], "uses_allowed": [1],
    ...     "licence_expires_on": pd.to_datetime(["2024-06-30"])})
    >>> check_uses(uses, licences)["verdict"].tolist()
    ['permitted', 'beyond_uses', 'licence_expired']
    """
    repeated = licences["source"][licences["source"].duplicated()]
    if len(repeated):
        raise ValueError(f"licences: {repeated.iloc[0]!r} has two rows; expected one per source")
    undated = uses.index[uses["used_on"].isna()]
    if len(undated):
        raise ValueError(f"uses, row {undated[0] + 1}: used_on is missing; expected a day")
    log = uses.sort_values("used_on", kind="stable").reset_index(drop=True)
    log["use_number"] = log.groupby("source").cumcount() + 1
    terms = _terms(licences).assign(source=licences["source"])
    terms = log[["source"]].merge(terms, on="source", how="left")
    day = log["used_on"]
    faults = {
        "beyond_uses": (log["use_number"] > terms["uses_allowed"]).fillna(False),
        "licence_expired": day > terms["licence_expires_on"],
        "before_start": day < terms["starts_on"],
        "wrong_purpose": terms["purpose"].notna() & (log["purpose"] != terms["purpose"]),
        "unknown_source": ~log["source"].isin(licences["source"]),
    }
    verdict = pd.Series("permitted", index=log.index)
    for name, is_fault in faults.items():
        verdict = verdict.mask(is_fault.to_numpy(dtype=bool), name)
    return log.assign(verdict=pd.Categorical(verdict, categories=VERDICTS))


def permit_use(uses, licences, *, source, used_on, purpose):
    """Return the log with one more use, or refuse the use.

    Parameters
    ----------
    uses, licences : pandas.DataFrame
        As in `check_uses`; the log may be empty.
    source, purpose : str
    used_on : datetime-like

    Returns
    -------
    pandas.DataFrame
        `uses` with the new use as its last row.

    Raises
    ------
    ValueError
        If the licence does not permit the use; the message names the term it breaks.

    Examples
    --------
    >>> uses = pd.DataFrame({"source": ["list"], "used_on": pd.to_datetime(["2024-03-01"]),
    ...                      "purpose": ["marketing"]})
    >>> licences = pd.DataFrame({"source": ["list"], "uses_allowed": [1]})
    >>> permit_use(uses, licences, source="list", used_on="2024-04-01", purpose="marketing")
    Traceback (most recent call last):
        ...
    ValueError: 'list' may not be used for 'marketing' on 2024-04-01: uses allowed: 1, \
made: 1. Ask the owner for another use.
    """
    new = pd.DataFrame({"source": [source], "used_on": [pd.Timestamp(used_on)]})
    log = pd.concat([uses, new.assign(purpose=purpose)], ignore_index=True)
    # Where the new use shares its day with others it is the last of them.
    checked = check_uses(log.assign(is_new=log.index == len(log) - 1), licences)
    verdict = checked.loc[checked["is_new"], "verdict"].iloc[0]
    n_made = int((uses["source"] == source).sum())
    licence = _terms(licences)[(licences["source"] == source).to_numpy()]
    allowed = None if licence.empty else licence["uses_allowed"].iloc[0]
    if verdict == "permitted" and allowed is not None and pd.notna(allowed) and n_made >= allowed:
        verdict = "beyond_uses"
    if verdict == "permitted":
        return log
    why = {
        "unknown_source": "no licence names it. Enter its terms first",
        "wrong_purpose": "the licence is for {purpose}. Ask the owner for this purpose",
        "before_start": "the licence starts on {starts_on:%Y-%m-%d}. Wait until then",
        "licence_expired": "the licence ended on {licence_expires_on:%Y-%m-%d}. Delete the data, "
        "or ask the owner for a new term",
        "beyond_uses": "uses allowed: {uses_allowed}, made: {n_made}. Ask the owner for another "
        "use",
    }[verdict]
    values = {} if licence.empty else licence.iloc[0].to_dict()
    raise ValueError(
        f"{source!r} may not be used for {purpose!r} on {pd.Timestamp(used_on):%Y-%m-%d}: "
        f"{why.format(**values, n_made=n_made)}."
    )


def _terms(licences):
    """Return every term of the licences in its type, missing where it sets no limit."""
    kinds = {
        "purpose": "str",
        "starts_on": "datetime64[us]",
        "licence_expires_on": "datetime64[us]",
        "uses_allowed": "Int64",
        "uses_made": "Int64",
    }
    terms = licences.reindex(columns=list(kinds))
    return pd.DataFrame({name: terms[name].astype(kind) for name, kind in kinds.items()})
