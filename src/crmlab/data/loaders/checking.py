"""Check a user's data before a study runs on it: what would be read, what is wrong, what to do.

Who asks: ``crmlab data check PATH``. Where there is no mapping file, one is proposed and the data
is checked as if it were there. Everything wrong is told by kind: how many rows, the first of them
with their values, and the cure; `list_rows` gives every single row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import reason, say, text_in
from crmlab.data.loaders.proposal import Proposal, propose_mapping, write_draft
from crmlab.data.loaders.reading import Reading, inspect_source
from crmlab.data.loaders.source import MAPPING_NAME, Source
from crmlab.data.mapping import Mapping
from crmlab.data.own_card import check_card, read_yaml
from crmlab.data.own_data import card_beside
from crmlab.data.problems import Problem

__all__ = ["Check", "check_source", "draft_path", "list_rows"]


@dataclass(frozen=True, eq=False)
class Check:
    """What a check found.

    Attributes
    ----------
    source : Source
    reading : Reading
    proposal : Proposal or None
        None where a mapping file is there already.
    scanned : dict of str to int
        Number of rows of each large table that was checked in its file.
    """

    source: Source
    reading: Reading
    proposal: Proposal | None
    scanned: dict[str, int]

    @property
    def needs_mapping(self) -> bool:
        """Whether the data is read only once the proposed mapping is written."""
        return self.proposal is not None and bool(self.proposal.content)

    def n_bad(self, table: str) -> int:
        """Return the number of rows of a table with at least one problem."""
        rows = [p.rows for p in self.reading.problems if p.table == table and len(p.rows)]
        return len(np.unique(np.concatenate(rows))) if rows else 0


def check_source(source: Source) -> Check:
    r"""Return what is wrong with a source, as far as it can be read.

    Parameters
    ----------
    source : Source

    Returns
    -------
    Check

    Raises
    ------
    ValueError
        If it cannot be opened, or nothing in it is recognised.

    Examples
    --------
    >>> import tempfile
    >>> from crmlab.data.loaders import locate
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "sales.csv"
    ...     _ = path.write_text("InvoiceNo,CustomerID,InvoiceDate,Amount\n"
    ...                         "1,7,2024-01-05,10\n2,7,2024-02-30,ten\n")
    ...     check = check_source(locate(folder))
    >>> [f"{p.column} {p.found}" for p in check.reading.problems]
    ["ordered_on value '2024-02-30' is not allowed", "amount value 'ten' is not allowed"]
    >>> check.n_bad("orders")
    1
    """
    proposal = None if source.mapping_file is not None else propose_mapping(source)
    mapping = Mapping.model_validate(proposal.content) if proposal else None
    reading = inspect_source(source, mapping, engine=None)
    scanned = _check_scanned(reading)
    reading.problems.extend(_check_card(source))
    return Check(source, reading, proposal, scanned)


def _check_scanned(reading: Reading) -> dict[str, int]:
    """Check the tables that are too large to load, and return their numbers of rows."""
    from crmlab.data.scanned import check_scanned

    n_rows = {}
    customers = reading.tables.get("customers", {}).get("customer_id")
    for name, (path, engine, layout) in reading.scanned.items():
        reading.places[name] = str(path)
        try:
            table = check_scanned(name, path, engine=engine, customers=customers, layout=layout)
        except ValueError as error:
            reading.problems.append(Problem(name, "", reason(error), "", ""))
            continue
        n_rows[name] = table.n_rows
        reading.repairs.extend((*table.repairs, *table.trimmed))
        reading.left_out.extend(table.left_out)
    return n_rows


def _check_card(source: Source) -> Iterator[Problem]:
    """Yield what a study would refuse of the card that lies beside the tables."""
    path = card_beside(source)
    if path is None:
        return
    try:
        check_card(path, read_yaml(path))
    except ValueError as error:
        yield Problem("card", "", reason(error), "", "")


def draft_path(source: Source) -> Path:
    """Return where a draft of the mapping file belongs: beside the data, or in this folder."""
    if source.path is None:
        return Path(MAPPING_NAME)
    return (source.path if source.kind == "folder" else source.path.parent) / MAPPING_NAME


def list_rows(check: Check, language: str = "en") -> pd.DataFrame:
    """Return every wrong row with its place, value, fault and cure.

    Parameters
    ----------
    check : Check
    language : {"en", "zh"}
        Of what is said; the columns' names stay.

    Returns
    -------
    pandas.DataFrame
        `place`, `table`, `column`, `row` (the first below the heading is 1; missing where the
        fault is the whole table's), `value`, `problem`, `cure`.
    """
    parts = []
    for problem in check.reading.problems:
        n = max(1, len(problem.rows))
        known = len(problem.values) == n
        values = [str(value) for value in problem.values] if known else [""] * n  # noqa: PD011
        expected = problem.found
        if problem.expected:
            expected = say("expected", expected=problem.expected)
        parts.append(
            pd.DataFrame(
                {
                    "place": text_in(problem.place, language),
                    "table": problem.table,
                    "column": problem.column,
                    "row": pd.array(problem.rows + 1 if len(problem.rows) else [None], "Int64"),
                    "value": values,
                    "problem": text_in(expected if values[0] else problem.found, language),
                    "cure": text_in(problem.cure, language),
                }
            )
        )
    if parts:
        return pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns=["place", "table", "column", "row", "value", "problem", "cure"])


def write_proposal(check: Check, language: str = "en") -> Path:
    """Write the proposed mapping where it belongs and return its path; never over another file."""
    path = draft_path(check.source)
    write_draft(check.proposal or Proposal({}, []), check.source, path, language)
    return path
