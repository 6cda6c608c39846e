"""What may leave the house: consent, purpose and licence asked before a row is written.

Who asks: whoever is about to send customer data to anybody. Personal data serve the purposes they
were given for and no other (GDPR article 5(1)(b), PIPL article 6); consent is given for a purpose,
anew when the purpose changes (PIPL article 14), and can be taken back at any time (GDPR article 7,
PIPL article 15); bought or rented data may be used as long as the licence runs. Here each record
says to which `purposes` its customer consented and until when, ``column_uses.csv`` says which
columns a purpose needs at all, and an export that asks for more is refused and not trimmed: whoever
exports should know what is missing.

A file of text is opened by spreadsheets, which take a cell that starts with ``=`` for a formula; a
name that somebody typed into a form would then run on a colleague's machine. Such cells get an
apostrophe in front (OWASP: CSV injection), and are counted.
"""

import csv
import os
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["PURPOSES", "check_release", "export_table", "load_uses", "permitted_rows"]

PURPOSES = ("service", "marketing", "research", "sharing")
"""What customers were asked to consent to."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@cache
def _read_uses():
    with files(__package__).joinpath("column_uses.csv").open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def load_uses(table):
    """Return what kind of personal data each column of a table is, and what it may be used for.

    Parameters
    ----------
    table : str
        "records", "customers" or "orders".

    Returns
    -------
    pandas.DataFrame, one row per column of which a use is stated; any other serves no purpose
        `column`, `data_kind` (identifier, quasi_identifier, sensitive, other) and `purposes`,
        words of `PURPOSES` with a space between.

    Raises
    ------
    ValueError
        If nothing is said of the table.

    Examples
    --------
    >>> load_uses("records").query("data_kind == 'identifier'")["column"].tolist()
    ['record_id', 'name', 'phone', 'email']
    """
    uses = pd.DataFrame(_read_uses())
    known = uses["table"].unique().tolist()
    if table not in known:
        raise ValueError(f"no uses are stated for the table {table!r}; only for {', '.join(known)}")
    return uses[uses["table"] == table].drop(columns="table").reset_index(drop=True)


def permitted_rows(frame, purpose, as_of, *, licences=None):
    """Return whether each row may be used for a purpose on a day.

    Parameters
    ----------
    frame : pandas.DataFrame
        With `purposes` and `consent_expires_on`, as the table `records` has them; and `system`,
        where licences are given. Left unchanged.
    purpose : str
        One of `PURPOSES`.
    as_of : pandas.Timestamp or str
        The day of use.
    licences : mapping of str to (pandas.Timestamp, str or None), optional
        Last day of the licence by system; None or a system not named: no end.

    Returns
    -------
    pandas.DataFrame of bool, one row per row
        `has_consent` (to this purpose), `has_not_expired`, `has_licence` and `is_permitted`, all
        three.

    Raises
    ------
    ValueError
        If the purpose is unknown or a column is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"purposes": ["service marketing", "service", None],
    ...                       "consent_expires_on": pd.to_datetime([None, "2025-06-30", None])})
    >>> permitted_rows(frame, "service", "2025-12-31")["is_permitted"].tolist()
    [True, False, False]
    """
    if purpose not in PURPOSES:
        raise ValueError(f"purpose is {purpose!r}; expected one of {', '.join(PURPOSES)}")
    needed = ["purposes", "consent_expires_on", *(["system"] if licences else [])]
    missing = [name for name in needed if name not in frame]
    if missing:
        raise ValueError(
            f"the table has no column {missing[0]!r}: who consented to what is not on record, and "
            "without a record nothing may leave. Join the consents to it first"
        )
    as_of = pd.Timestamp(as_of)
    words = frame["purposes"].astype("str").str.split()
    said = [isinstance(given, list) and purpose in given for given in words]
    ends = {name: pd.Timestamp(day) for name, day in (licences or {}).items() if day is not None}
    last = frame["system"].map(ends) if ends else pd.Series(pd.NaT, index=frame.index)
    found = pd.DataFrame(
        {
            "has_consent": np.array(said, dtype=bool),
            "has_not_expired": (
                frame["consent_expires_on"].isna() | (frame["consent_expires_on"] >= as_of)
            ),
            "has_licence": last.isna() | (pd.to_datetime(last) >= as_of),
        },
        index=frame.index,
    )
    return found.assign(is_permitted=found.all(axis=1))


def check_release(frame, table, purpose, as_of, *, licences=None):
    """Return every reason why a table may not be handed out as it is.

    Parameters
    ----------
    frame : pandas.DataFrame
        What is to be handed out, with `purposes` and `consent_expires_on`.
    table : str
        The table it comes from, for `load_uses`.
    purpose, as_of, licences
        As in `permitted_rows`.

    Returns
    -------
    pandas.DataFrame, one row per reason; none if all may go
        `reason`: ``column_not_needed`` (no use of it is stated for this purpose), ``no_consent``,
        ``consent_expired``, ``licence_expired``; `column`; `n_rows` concerned; `first_row`, the
        first of them, counted from 1.

    Examples
    --------
    >>> frame = pd.DataFrame({"name": ["a", "b"], "region": ["east", "west"],
    ...                       "purposes": ["research", "service"],
    ...                       "consent_expires_on": pd.to_datetime([None, None])})
    >>> found = check_release(frame, "records", "research", "2025-12-31")
    >>> found[["reason", "n_rows"]].values.tolist()
    [['column_not_needed', 2], ['no_consent', 1]]
    """
    uses = load_uses(table)
    allowed = uses.loc[[purpose in given.split() for given in uses["purposes"]], "column"]
    reasons = [
        ("column_not_needed", column, np.ones(len(frame), dtype=bool))
        for column in frame.columns
        if column not in set(allowed)
    ]
    permitted = permitted_rows(frame, purpose, as_of, licences=licences)
    for reason, column, is_right in (
        ("no_consent", "purposes", permitted["has_consent"]),
        ("consent_expired", "consent_expires_on", permitted["has_not_expired"]),
        ("licence_expired", "system", permitted["has_licence"]),
    ):
        reasons.append((reason, column, ~is_right.to_numpy()))
    rows = [
        (reason, column, int(bad.sum()), int(np.argmax(bad)) + 1)
        for reason, column, bad in reasons
        if bad.any()
    ]
    return pd.DataFrame(rows, columns=["reason", "column", "n_rows", "first_row"])


def export_table(frame, path, *, table, purpose, as_of, licences=None):
    """Write a table for a stated purpose, or refuse and say what stands against it.

    Parameters
    ----------
    frame : pandas.DataFrame
        With `purposes` and `consent_expires_on`. Left unchanged.
    path : path-like
        A CSV file, in UTF-8 with a byte order mark, which spreadsheets need; it appears whole or
        not at all.
    table, purpose, as_of, licences
        As in `check_release`.

    Returns
    -------
    pandas.Series
        `n_rows`, `n_columns`, `n_cells_defused` (cells that a spreadsheet would have taken for a
        formula).

    Raises
    ------
    ValueError
        If a column is not needed for the purpose, or a row has no consent to it, a consent that
        has expired, or a licence that has.

    Examples
    --------
    >>> import tempfile
    >>> frame = pd.DataFrame({"name": ["=1+1", "b"], "purposes": ["marketing", "marketing"],
    ...                       "consent_expires_on": pd.to_datetime([None, None])})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "names.csv"
    ...     asked = {"table": "records", "purpose": "marketing", "as_of": "2025-12-31"}
    ...     done = export_table(frame, path, **asked)
    ...     lines = path.read_text("utf-8-sig").splitlines()
    >>> int(done["n_cells_defused"]), lines[1]
    (1, "'=1+1,marketing,")
    """
    reasons = check_release(frame, table, purpose, as_of, licences=licences)
    if len(reasons):
        said = "; ".join(
            f"{row.column}: {row.reason.replace('_', ' ')} in {row.n_rows} rows, first in row "
            f"{row.first_row}"
            for row in reasons.itertuples()
        )
        raise ValueError(
            f"{table} may not be exported for {purpose!r} on {pd.Timestamp(as_of):%Y-%m-%d}: "
            f"{said}. Leave these columns out, and these rows by permitted_rows; "
            "what is missing then belongs in the report."
        )
    written, n_defused = _defuse(frame)
    path = Path(path)
    partial = path.with_name(f"{path.name}.partial")
    written.to_csv(partial, index=False, encoding="utf-8-sig", lineterminator="\n")
    os.replace(partial, path)
    return pd.Series(
        {"n_rows": len(frame), "n_columns": frame.shape[1], "n_cells_defused": n_defused}
    )


def _defuse(frame):
    """Return the table with an apostrophe before what looks like a formula, and their count."""
    written, n_defused = frame.copy(), 0
    for column in written.columns:
        values = written[column]
        if not (pd.api.types.is_string_dtype(values) or values.dtype == object):
            continue
        is_risky = np.array(
            [isinstance(value, str) and value.startswith(_FORMULA) for value in values], dtype=bool
        )
        n_defused += int(is_risky.sum())
        if is_risky.any():
            written[column] = values.where(~is_risky, "'" + values.astype("str"))
    return written, n_defused
