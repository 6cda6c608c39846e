"""What a sweep came to, in tables: every number of every point, and which of them moved.

Who asks: whoever goes on with a sweep's numbers in a program of their own (one tidy table, one row
a point and number), and the sweep's page.
"""

import json

import numpy as np
import pandas as pd

from crmlab.atlas import load_terms, nearest
from crmlab.atlas.sentences import hint_near, say
from crmlab.data.export import guard_cells
from crmlab.study.artefacts import write_whole
from crmlab.study.compare import read_numbers, read_published
from crmlab.study.configuration import StudyError
from crmlab.study.manifest import read_manifest

__all__ = [
    "check_results",
    "choose_results",
    "gather_numbers",
    "list_points",
    "measure_ranges",
    "write_tables",
]

N_HEADLINE = 4  # of a notebook that names none, as on the report's front page
FINISHED = ("done", "failed")


def check_results(names):
    """Refuse names that no result has, before anything runs.

    Parameters
    ----------
    names : iterable of str
        Names of results, alone or after their notebook's, such as "20_customer_value.gini".

    Raises
    ------
    StudyError
        Naming the nearest result.
    """
    known = [key for key, entry in load_terms().items() if entry.kind == "result"]
    for name in names:
        result = name.rpartition(".")[2]
        if result not in known:
            raise StudyError(say("no_result", name=repr(result), hint=hint_near(result, known)))


def gather_numbers(sweep):
    """Return every number that the finished points published.

    Parameters
    ----------
    sweep : crmlab.study.sweep.Sweep

    Returns
    -------
    pandas.DataFrame, one row per point and number
        `point`, a column per axis of the grid, `notebook`, `result`, `value` (NaN where not
        defined for the data) and `unit`. Of a point that failed, what its other notebooks found.
    """
    axes = [axis.name for axis in sweep.grid.axes]
    frames = []
    for point in _finished(sweep):
        folder = sweep.folder / point.name
        numbers = read_numbers(folder, read_manifest(folder))
        values = {name: [_plain(point.settings[name])] * len(numbers) for name in axes}
        frames.append(pd.DataFrame({"point": point.name, **values, **numbers.to_dict("series")}))
    columns = ["point", *axes, "notebook", "result", "value", "unit"]
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    # A number that is not defined at one point has its unit from another.
    table["unit"] = table.groupby("result")["unit"].transform("first")
    return table[columns]


def list_points(sweep, table):
    """Return one row per point: its axes, state, error and seconds, then a column per number.

    Parameters
    ----------
    sweep : crmlab.study.sweep.Sweep
    table : pandas.DataFrame
        Result of `gather_numbers`.

    Returns
    -------
    pandas.DataFrame, in the grid's order
        Numbers are called `<notebook>.<result>`.
    """
    rows = []
    for point in sweep.grid.points():
        outcome = sweep.outcomes[point.name]
        values = {name: _plain(value) for name, value in point.settings.items()}
        said = {"state": outcome.state, "error": outcome.error, "seconds": outcome.seconds}
        rows.append({"point": point.name, **values, **said})
    names = table["notebook"] + "." + table["result"]
    wide = table.assign(name=names).pivot_table(
        index="point", columns="name", values="value", aggfunc="first", dropna=False
    )
    return pd.DataFrame(rows).merge(wide.reindex(columns=names.unique()), on="point", how="left")


def write_tables(sweep, table):
    """Write the tidy table as `sweep.parquet` and `sweep.csv`, and the wide one as `points.csv`.

    Parameters
    ----------
    sweep : crmlab.study.sweep.Sweep
    table : pandas.DataFrame
        Result of `gather_numbers`.
    """
    wide = list_points(sweep, table)
    files = {
        "sweep.parquet": lambda draft: table.to_parquet(draft, index=False),
        "sweep.csv": lambda draft: guard_cells(table).to_csv(draft, index=False),
        "points.csv": lambda draft: guard_cells(wide).to_csv(draft, index=False),
    }
    for name, write in files.items():
        write_whole(sweep.folder / name, write)


def measure_ranges(table):
    """Return how far each number moved over the points.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `gather_numbers`.

    Returns
    -------
    pandas.DataFrame, one row per number that moved, the furthest first
        `notebook`, `result`, `unit`, `smallest`, `at_smallest` and `largest`, `at_largest` (the
        first such point), `relative_range`: (largest − smallest) / mean size, dimensionless.
    """
    rows = []
    for (notebook, result), group in table.groupby(["notebook", "result"], sort=False):
        values = group.set_index("point")["value"].dropna()
        if len(values) and values.min() != values.max():
            size = values.abs().mean()
            row = {"notebook": notebook, "result": result, "unit": group["unit"].iloc[0]}
            row |= {"smallest": values.min(), "at_smallest": values.idxmin()}
            row |= {"largest": values.max(), "at_largest": values.idxmax()}
            rows.append(row | {"relative_range": np.ptp(values) / size})
    columns = ["notebook", "result", "unit", "smallest", "at_smallest", "largest", "at_largest"]
    frame = pd.DataFrame(rows, columns=[*columns, "relative_range"])
    return frame.sort_values("relative_range", ascending=False, kind="stable", ignore_index=True)


def choose_results(sweep, table, names=()):
    """Return the numbers to draw: those asked for, else the headline ones that moved.

    Parameters
    ----------
    sweep : crmlab.study.sweep.Sweep
    table : pandas.DataFrame
        Result of `gather_numbers`.
    names : iterable of str
        Names of results, alone or after their notebook's.

    Returns
    -------
    list of (str, str)
        Notebook and result. Without names, those headline results of the notebooks that the grid
        affects which are not the same at every point; if all are, the numbers that moved furthest.

    Raises
    ------
    StudyError
        If no point has published a result of that name.
    """
    published = list(dict.fromkeys(zip(table["notebook"], table["result"], strict=True)))
    if names:
        return [pair for name in names for pair in _find_pairs(name, published)]
    ranges = measure_ranges(table)
    moved = list(zip(ranges["notebook"], ranges["result"], strict=True))
    return [pair for pair in _headlines(sweep) if pair in moved] or moved[:N_HEADLINE]


def _find_pairs(name, published):
    notebook, _, result = name.rpartition(".")
    found = [pair for pair in published if pair[1] == result and notebook in ("", pair[0])]
    if not found:
        hint = nearest(result, {result for _, result in published})
        raise StudyError(f"no point of this sweep has published {name!r}{hint}")
    return found


def _headlines(sweep):
    pairs = {}
    for point in _finished(sweep):
        folder = sweep.folder / point.name
        entries = read_manifest(folder)["notebooks"]
        for name in sweep.affected():
            if name in entries:
                said = read_published(folder, name, entries[name])
                first = list(said.get("results", {}))[:N_HEADLINE]
                pairs |= dict.fromkeys((name, r) for r in said.get("headline") or first)
    order = list(sweep.reach)
    return sorted(pairs, key=lambda pair: order.index(pair[0]))


def _finished(sweep):
    return [p for p in sweep.grid.points() if sweep.outcomes[p.name].state in FINISHED]


def _plain(value):
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
