"""The comparison of two runs in words: for the terminal, as a page, and as a tidy table."""

import json
import math
from pathlib import Path

import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.export import guard_cells
from crmlab.study.artefacts import write_whole
from crmlab.study.compare import read_published
from crmlab.study.wording import (
    NO_BREAK,
    load_words,
    name_table,
    name_term,
    say_day,
    say_moment,
    say_number,
    text_in,
)

__all__ = [
    "describe_runs",
    "say_changes",
    "say_numbers",
    "say_only",
    "say_tables",
    "tabulate",
    "write_comparison",
]

# The kinds of change, and the names of what belongs to no notebook, as words of the report.
KINDS = {
    "study": "compare_study",
    "parameter": "parameter",
    "data": "data",
    "n_rows": "n_rows",
    "left_out_rows": "left_out_rows",
    "data_file": "compare_data_file",
    "state": "compare_state",
    "source": "compare_source",
    "code_file": "compare_code_file",
    "version": "compare_version",
}
NAMES = {
    "title": "compare_title_of_study",
    "question": "compare_question",
    "data": "data_set",
    "seed": "seed",
    "language": "compare_language",
    "observed_from": "compare_from",
    "observed_to": "compare_to",
    "currency": "currency",
}
HASHES = ("data_file", "source", "code_file")
MISSING = "–"


def describe_runs(comparison, language):
    """Return what the two runs are: rows of label, A and B."""
    words = load_words(language)
    sides = zip(comparison.folders, comparison.manifests, strict=True)
    rows = [
        (
            text_in(manifest["study"]["title"], language),
            str(folder),
            text_in(manifest["dataset"]["title"], language),
            str(manifest["study"]["seed"]),
            say_moment(manifest["started"], language),
            manifest["versions"]["crmlab"],
        )
        for folder, manifest in sides
    ]
    labels = (
        words["compare_study"],
        words["compare_folder"],
        words["data_set"],
        words["seed"],
        words["run_on"],
        "crmlab",
    )
    return list(zip(labels, *rows, strict=True))


def say_changes(comparison, language):
    """Return each change as kind, number of the chapter (if one is meant), name, A and B."""
    words = load_words(language)
    return [
        (
            words[KINDS[change.kind]],
            _number(change.notebook),
            _say_name(change, language),
            _say_value(change.kind, change.name, change.a, language),
            _say_value(change.kind, change.name, change.b, language),
        )
        for change in comparison.changes
    ]


def say_numbers(comparison, language, *, changed=True):
    """Return the numbers of both runs that changed, or those that did not, in words.

    Returns
    -------
    list of tuple of str
        Number of the chapter, name, A, B, difference and relative change.
    """
    rows = comparison.numbers[comparison.is_changed == changed]
    money = _currencies(comparison)
    return [
        (
            _number(row.notebook),
            name_term(row.result, language),
            say_number(row.a, row.unit, language=language, currency=money[0], name=row.result),
            say_number(row.b, row.unit, language=language, currency=money[1], name=row.result),
            _say_difference(row.difference, row.unit, language),
            _say_relative(row.relative_change, language),
        )
        for row in rows.itertuples()
    ]


def say_only(comparison, language):
    """Return the numbers of one run alone: number of the chapter, name, A and B."""
    money = _currencies(comparison)
    return [
        (
            _number(row.notebook),
            name_term(row.result, language),
            say_number(row.a, row.unit, language=language, currency=money[0], name=row.result),
            say_number(row.b, row.unit, language=language, currency=money[1], name=row.result),
        )
        for row in comparison.only.itertuples()
    ]


def say_tables(comparison, language):
    """Return the tables that differ: number of the chapter, name, rows in A and in B."""
    rows = comparison.tables[~comparison.tables["is_equal"]]
    return [
        (
            _number(row.notebook),
            row.table,
            *(
                MISSING if pd.isna(n) else say_number(int(n), "", language=language)
                for n in (row.n_rows_a, row.n_rows_b)
            ),
        )
        for row in rows.itertuples()
    ]


def tabulate(comparison, language):
    """Return everything compared as one tidy table, every number with all its digits.

    Returns
    -------
    pandas.DataFrame
        `kind` ("number" or what was changed), `notebook`, `name`, `meaning` (in the language),
        `unit`, `a`, `b`, `difference`, `relative_change`; equal numbers included.
    """
    changes = [
        {
            "kind": change.kind,
            "notebook": change.notebook,
            "name": change.name,
            "a": _plain(text_in(change.a, language)),
            "b": _plain(text_in(change.b, language)),
        }
        for change in comparison.changes
    ]
    numbers = pd.concat([comparison.numbers, comparison.only], ignore_index=True)
    numbers = numbers.rename(columns={"result": "name"}).assign(
        kind="number", meaning=[name_term(name, language) for name in numbers["result"]]
    )
    columns = ["kind", "notebook", "name", "meaning", "unit", "a", "b"]
    frame = pd.concat([pd.DataFrame(changes), numbers.astype(object)], ignore_index=True)
    return frame.reindex(columns=[*columns, "difference", "relative_change"])


def write_comparison(comparison, path, *, language):
    """Write a comparison as a table (`.csv`) or as a page that stands alone (`.html`).

    Parameters
    ----------
    comparison : Comparison
    path : path-like
    language : {"en", "zh"}

    Raises
    ------
    ValueError
        If the file is to be something else.
    """
    path = Path(path)
    if path.suffix == ".csv":
        # Excel takes a file for UTF-8 only with the mark; without Chinese it does no good.
        encoding = "utf-8-sig" if language == "zh" else "utf-8"
        frame = guard_cells(tabulate(comparison, language))
        write_whole(path, lambda draft: frame.to_csv(draft, index=False, encoding=encoding))
    elif path.suffix == ".html":
        _write_page(comparison, path, language)
    else:
        raise ValueError(say("neither_ending", path=path))


def _write_page(comparison, path, language):
    from crmlab.report.sheet import write_sheet

    titles = [text_in(m["study"]["title"], language) for m in comparison.manifests]
    write_sheet(
        path,
        "compare.html.j2",
        language=language,
        title=" · ".join(dict.fromkeys(titles)),
        runs=describe_runs(comparison, language),
        changes=say_changes(comparison, language),
        numbers=say_numbers(comparison, language),
        equal=say_numbers(comparison, language, changed=False),
        only=say_only(comparison, language),
        tables=say_tables(comparison, language),
        findings=_pair_findings(comparison, language),
        figures=_pair_figures(comparison, language),
    )


def _pair_findings(comparison, language):
    """Return number and title of each chapter whose finding differs, and what either run found."""
    pairs = []
    for name, (a, b) in _pair_published(comparison).items():
        said = [text_in(side.get("finding"), language) or MISSING for side in (a, b)]
        if said[0] != said[1]:
            pairs.append((_number(name), _title(comparison, name, language), *said))
    return pairs


def _pair_figures(comparison, language):
    """Return the main figure of each chapter in both runs, where the two drawings differ."""
    from crmlab.report.outputs import embed_figure

    pairs = []
    for name, (a, b) in _pair_published(comparison).items():
        key = a.get("main_figure")
        hashes = [
            manifest["notebooks"].get(name, {}).get("outputs", {}).get(f"figures/{name}/{key}.svg")
            for manifest in comparison.manifests
        ]
        if key and key == b.get("main_figure") and None not in hashes and hashes[0] != hashes[1]:
            drawn = [embed_figure(f / "figures" / name / key) for f in comparison.folders]
            title = _title(comparison, name, language)
            pairs.append((_number(name), title, name_term(key, language), drawn))
    return pairs


def _pair_published(comparison):
    """Return what each notebook that both runs have published in either."""
    a, b = (manifest["notebooks"] for manifest in comparison.manifests)
    return {
        name: [
            read_published(folder, name, entries[name])
            for folder, entries in zip(comparison.folders, (a, b), strict=True)
        ]
        for name in a
        if name in b
    }


def _title(comparison, name, language):
    return text_in(comparison.manifests[0]["notebooks"][name]["title"], language)


def _currencies(comparison):
    return [manifest["dataset"]["currency"] for manifest in comparison.manifests]


def _number(notebook):
    return "" if notebook is None else notebook.partition("_")[0]


def _say_name(change, language):
    words = load_words(language)
    if change.kind in ("study", "data"):
        return words[NAMES[change.name]]
    if change.kind in ("n_rows", "left_out_rows"):
        return name_table(change.name, language)
    return words["compare_state"] if change.kind == "state" else change.name


def _say_value(kind, name, value, language):
    if value is None:
        return MISSING
    if kind in HASHES:
        return value[:12]
    if kind == "state":
        return load_words(language)[f"state_{value}"]
    if name in ("observed_from", "observed_to"):
        return say_day(value, language)
    if kind in ("n_rows", "left_out_rows"):
        return say_number(value, "", language=language)
    return _plain(text_in(value, language))


def _say_difference(difference, unit, language):
    """Return a difference with its sign, in the unit of the numbers it stands beside."""
    if math.isnan(difference):
        return MISSING
    if unit == "share":
        points = say_number(difference, "share", language=language).removesuffix("%")
        return f"{_sign(difference, points)}{NO_BREAK}{name_term('percentage_points', language)}"
    if difference == 0:
        return "0"
    return _sign(difference, say_number(difference, "", language=language))


def _say_relative(relative, language):
    if math.isinf(relative):
        return load_words(language)["compare_from_nought"]
    return _sign(relative, say_number(relative, "share", language=language))


def _sign(value, said):
    return f"+{said}" if value > 0 else said


def _plain(value):
    is_plain = value is None or isinstance(value, str)
    return value if is_plain else json.dumps(value, ensure_ascii=False)
