"""Compare: two runs side by side, what they were made from and what came out.

Who asks: the researcher who changed one parameter and wants to know which numbers moved; the
teacher who holds a student's run against the model answer. Both runs are read from their report
folders alone; nothing is run and nothing in them is touched.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.study.manifest import read_manifest

__all__ = ["Change", "Comparison", "compare_runs", "read_numbers"]

RAN = ("done", "unchanged")
NUMBER_COLUMNS = ["notebook", "result", "unit", "a", "b", "difference", "relative_change"]


class Change(NamedTuple):
    """One thing that differs: its kind, where, its name, and its value in either run.

    `kind` is a word of the report ("parameter", "version"); `notebook` is None for what holds
    for the whole run; a value is None where a run has no such thing.
    """

    kind: str
    notebook: str | None
    name: str
    a: Any
    b: Any


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes
    ----------
    folders : tuple of pathlib.Path
        The report folders A and B.
    manifests : tuple of dict
    changes : list of Change
        What differs in the settings, the data, the program and the states of the notebooks.
    numbers : pandas.DataFrame, one row per number that both runs published
        `notebook`, `result`, `unit`, `a`, `b`, `difference` (b − a, in the unit) and
        `relative_change` (of a, dimensionless), the biggest first. A number not defined for the
        data is NaN, and so is a difference between two units or two currencies; the relative
        change from nought is infinite.
    only : pandas.DataFrame, one row per number that one run alone published
        `notebook`, `result`, `unit`, `a`, `b`; NaN on the other's side.
    tables : pandas.DataFrame, one row per table that either run left
        `notebook`, `table`, `n_rows_a`, `n_rows_b` (missing where there is none), `is_equal`.
    """

    folders: tuple[Path, Path]
    manifests: tuple[dict, dict]
    changes: list[Change]
    numbers: pd.DataFrame
    only: pd.DataFrame
    tables: pd.DataFrame

    @cached_property
    def is_changed(self):
        """A truth value for each row of `numbers`: whether its two values differ."""
        a, b = self.numbers["a"], self.numbers["b"]
        return (a != b) & ~(a.isna() & b.isna())


def compare_runs(first, second):
    """Compare two report folders.

    Parameters
    ----------
    first, second : path-like
        Report folders, as `crmlab run` leaves them: A and B.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If a folder holds no report, or a file its manifest names cannot be read.
    """
    folders = Path(first), Path(second)
    manifests = tuple(read_manifest(folder) for folder in folders)
    numbers = [
        read_numbers(folder, manifest) for folder, manifest in zip(folders, manifests, strict=True)
    ]
    both = (
        numbers[0]
        .merge(
            numbers[1],
            on=["notebook", "result"],
            how="outer",
            suffixes=("_a", "_b"),
            indicator=True,
        )
        .rename(columns={"value_a": "a", "value_b": "b"})
    )
    both["unit"] = both["unit_a"].fillna(both["unit_b"])
    shared = both["_merge"] == "both"
    return Comparison(
        folders=folders,
        manifests=manifests,
        changes=list(_list_changes(*manifests)),
        numbers=_measure_changes(both[shared], manifests),
        only=both.loc[~shared, ["notebook", "result", "unit", "a", "b"]].reset_index(drop=True),
        tables=_compare_tables(folders, manifests),
    )


def read_numbers(folder, manifest):
    """Return every number a run published.

    Parameters
    ----------
    folder : path-like
    manifest : dict
        The folder's manifest.

    Returns
    -------
    pandas.DataFrame, one row per result of a notebook that ran, in the notebooks' order
        `notebook`, `result`, `value` (NaN where not defined for the data), `unit`.

    Raises
    ------
    ValueError
        If a results file is missing or damaged.
    """
    rows = []
    for name, entry in manifest["notebooks"].items():
        published = read_published(folder, name, entry)
        for result, number in published.get("results", {}).items():
            rows.append((name, result, number["value"], number["unit"]))
        rows += [(name, result, np.nan, None) for result in published.get("undefined", ())]
    frame = pd.DataFrame(rows, columns=["notebook", "result", "value", "unit"])
    return frame.astype({"value": float, "unit": object})


def read_published(folder, name, entry):
    """Return what a notebook of a run published, as its results file says; {} where it left none.

    Raises
    ------
    ValueError
        If the file is missing or damaged.
    """
    path = Path(folder, "results", f"{name}.json")
    if entry["state"] not in RAN or f"results/{name}.json" not in entry.get("outputs", {}):
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(say("cannot_be_read", path=path, error=error)) from error


def _measure_changes(both, manifests):
    currencies = [manifest["dataset"]["currency"] for manifest in manifests]
    is_money = both["unit"].astype(str).str.startswith("currency")
    is_alike = (both["unit_a"] == both["unit_b"]) & ~(is_money & (currencies[0] != currencies[1]))
    both = both.assign(difference=(both["b"] - both["a"]).where(is_alike))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = both["difference"].to_numpy() / np.abs(both["a"].to_numpy())
    # Nothing became nothing: no change, rather than nought by nought.
    both["relative_change"] = np.where(both["difference"] == 0, 0.0, relative)
    order = both["relative_change"].abs().sort_values(ascending=False, kind="stable").index
    return both.loc[order, NUMBER_COLUMNS].reset_index(drop=True)


def _list_changes(a, b):
    yield from _compare_study(a["study"], b["study"])
    yield from _compare_parameters(a["notebooks"], b["notebooks"])
    yield from _compare_data(a["dataset"], b["dataset"])
    yield from _compare_states(a["notebooks"], b["notebooks"])
    yield from _compare_program(a, b)


def _compare_study(a, b):
    for key in ("title", "question", "data", "seed", "language"):
        if a.get(key) != b.get(key):
            yield Change("study", None, key, a.get(key), b.get(key))


def _compare_parameters(a, b):
    for name in _names(a, b):
        values = [entries.get(name, {}).get("parameters", {}) for entries in (a, b)]
        if name in a and name in b:
            yield from _differences("parameter", name, *values)


def _compare_data(a, b):
    for key in ("observed_from", "observed_to", "currency"):
        if a[key] != b[key]:
            yield Change("data", None, key, a[key], b[key])
    rows = [{t: entry["n_rows"] for t, entry in side["tables"].items()} for side in (a, b)]
    yield from _differences("n_rows", None, *rows)
    left_out = [_count_left_out(side["left_out"]) for side in (a, b)]
    yield from _differences("left_out_rows", None, *left_out)
    yield from _differences("data_file", None, a["files"], b["files"])


def _compare_states(a, b):
    states = [
        {name: "done" if entry["state"] in RAN else entry["state"] for name, entry in side.items()}
        for side in (a, b)
    ]
    for name in _names(*states):
        if states[0].get(name) != states[1].get(name):
            yield Change("state", name, "state", states[0].get(name), states[1].get(name))


def _compare_program(a, b):
    for name in _names(a["notebooks"], b["notebooks"]):
        hashes = [side["notebooks"].get(name, {}).get("sha256") for side in (a, b)]
        if None not in hashes and hashes[0] != hashes[1]:
            yield Change("source", name, f"{name}.ipynb", *hashes)
    yield from _differences("code_file", None, _gather_code(a), _gather_code(b), shared=True)
    yield from _differences("version", None, a["versions"], b["versions"])


def _gather_code(manifest):
    """Return the hash of every code file that any notebook of a run built on."""
    origins = (entry.get("made_from") or {} for entry in manifest["notebooks"].values())
    return {path: sha256 for origin in origins for path, sha256 in origin.get("code", {}).items()}


def _count_left_out(rows):
    counts = {}
    for row in rows:
        counts[row["table"]] = counts.get(row["table"], 0) + row["n_rows"]
    return counts


def _differences(kind, notebook, a, b, *, shared=False):
    """Yield a change for each key with two values; with `shared`, only for keys of both."""
    for key in _names(a, b):
        if a.get(key) != b.get(key) and not (shared and (key not in a or key not in b)):
            yield Change(kind, notebook, key, a.get(key), b.get(key))


def _names(a, b):
    """Return the keys of both, in the first one's order, then what the second has besides."""
    return list(dict.fromkeys([*a, *b]))


def _compare_tables(folders, manifests):
    sides = [_find_tables(*side) for side in zip(folders, manifests, strict=True)]
    rows = []
    for path in _names(*sides):
        (notebook, sha_a, n_a), (other, sha_b, n_b) = (s.get(path, (None,) * 3) for s in sides)
        rows.append((notebook or other, Path(path).stem, n_a, n_b, sha_a == sha_b))
    columns = ["notebook", "table", "n_rows_a", "n_rows_b", "is_equal"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"n_rows_a": "Int64", "n_rows_b": "Int64", "is_equal": bool})


def _find_tables(folder, manifest):
    """Return notebook, sha256 and number of rows of each table a run left, by its path."""
    from pyarrow import ArrowException
    from pyarrow.parquet import read_metadata

    found = {}
    for name, entry in manifest["notebooks"].items():
        for path, sha256 in entry.get("outputs", {}).items():
            if entry["state"] in RAN and path.startswith("tables/"):
                try:
                    n_rows = read_metadata(folder / path).num_rows
                except (OSError, ArrowException) as error:
                    said = say("cannot_be_read", path=folder / path, error=error)
                    raise ValueError(said) from error
                found[path] = name, sha256, n_rows
    return found
