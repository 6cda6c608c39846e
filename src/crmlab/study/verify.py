"""Verify: a study run afresh elsewhere, held against the report that is there.

Who asks: the reader who wants to know whether a report can be made again; the teacher who is handed
one. The report is first checked against its own manifest, then made again in a temporary folder
with the language, seed and parameters it records. Nothing in it is touched.
"""

import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from crmlab.atlas import LANGUAGES
from crmlab.atlas.sentences import say
from crmlab.study.cache import compare_origins
from crmlab.study.code import hash_file
from crmlab.study.configuration import StudyError, find_study_root
from crmlab.study.manifest import read_manifest
from crmlab.study.notebooks import find_maker
from crmlab.study.plan import Plan
from crmlab.study.runner import run_study
from crmlab.study.wording import load_words

__all__ = ["Verification", "verify_report"]

STATES = ("failed", "left out", "not reached")
KINDS = ("results", "tables", "figures", "notebooks")


@dataclass
class Verification:
    """What came of verifying a report.

    Attributes
    ----------
    folder : pathlib.Path
    damage : list of str
        Files that are not as the report's own manifest says; then nothing was run.
    difference : str
        The first thing that came out otherwise, with both values; "" when nothing did.
    n_different : int
        Files that differ.
    reasons : list of str
        What of sources, parameters, data, code and versions is not as it was when the report was
        made, where the first difference lies.
    equal : collections.Counter
        Files that are equal, by kind ("results", "tables", "figures", "notebooks").
    not_compared : dict of str to str
        By notebook that the report's own run did not finish: its state there.
    is_interrupted : bool
    """

    folder: Path
    damage: list[str] = field(default_factory=list)
    difference: str = ""
    n_different: int = 0
    reasons: list[str] = field(default_factory=list)
    equal: Counter = field(default_factory=lambda: Counter(dict.fromkeys(KINDS, 0)))
    not_compared: dict[str, str] = field(default_factory=dict)
    is_interrupted: bool = False

    @property
    def holds(self):
        """Whether the report is whole and came out the same."""
        return not (self.damage or self.difference or self.is_interrupted)


def verify_report(folder, study=None, *, jobs=None, on_progress=None):
    """Run a report's study afresh in a temporary folder and compare what comes out.

    Parameters
    ----------
    folder : path-like
        A report folder.
    study : path-like or None
        The study file; None looks for the one the report names, in the project that the report
        lies in, or else in the current folder's.
    jobs, on_progress
        As for `crmlab.study.runner.run_study`.

    Returns
    -------
    Verification

    Raises
    ------
    ValueError
        If there is no report, its manifest is damaged, or its study cannot be run any more.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    entries = manifest["notebooks"]
    found = Verification(folder, damage=_find_damage(folder, entries))
    done = [name for name, entry in entries.items() if entry["state"] == "done"]
    found.not_compared = {
        name: entry["state"]
        for name, entry in entries.items()
        if entry["state"] not in ("done", "left out")
    }
    if not done:
        raise ValueError(say("verify_nothing", folder=folder))
    if found.damage:
        return found
    study = Path(study) if study else _find_study(folder, manifest)
    plan = Plan(study)
    with tempfile.TemporaryDirectory(prefix="crmlab-verify-") as elsewhere:
        outcome = run_study(
            study,
            language=manifest["study"]["language"],
            seed=manifest["study"]["seed"],
            parameters=_recorded_parameters(manifest, plan),
            until=_find_last(done, plan.notebooks),
            folder=elsewhere,
            jobs=jobs,
            on_progress=on_progress,
        )
        found.is_interrupted = outcome.is_interrupted
        if not outcome.is_interrupted:
            failures = {failure.notebook: failure for failure in outcome.failures}
            again = read_manifest(elsewhere)["notebooks"]
            for name in done:
                _compare_notebook(found, name, entries[name], again, failures, Path(elsewhere))
    return found


def _find_damage(folder, entries):
    """Return what is not as the manifest says: files altered, missing, or not named in it."""
    named = {path: sha for entry in entries.values() for path, sha in entry["outputs"].items()}
    damage = []
    for path, sha256 in named.items():
        if not (folder / path).is_file():
            damage.append(say("damage_missing", path=path))
        elif hash_file(folder / path) != sha256:
            damage.append(say("damage_altered", path=path))
    for kind in KINDS:
        for path in sorted((folder / kind).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name not in named:
                damage.append(say("damage_foreign", name=name))
    return damage


def _find_study(folder, manifest):
    root = find_study_root(folder / "manifest.json")
    path = root / "studies" / manifest["study"]["file"]
    if not path.is_file():
        named = {"name": path.name, "place": path.parent}
        raise StudyError(say("verify_no_study", folder=folder, **named))
    return path


def _recorded_parameters(manifest, plan):
    """Return what to lay over the study to have the values of the report's run.

    What was laid over it then, and what the study file has changed since. A parameter that is no
    more cannot be set; the notebook's source has changed with it.
    """
    values = {}
    overlaid = manifest["study"].get("parameters", {})
    for name, entry in manifest["notebooks"].items():
        if name in plan.notebooks:
            laid, current = overlaid.get(name, {}), plan.parameters(name)
            values[name] = {
                parameter: value
                for parameter, value in entry["parameters"].items()
                if parameter in current and (parameter in laid or value != current[parameter])
            }
    return values


def _find_last(done, notebooks):
    """Return the one notebook that all others lead to; None where there are several such."""
    used = set()
    for name in done:
        if name in notebooks:
            uses = notebooks[name].needs + notebooks[name].optional
            used |= {maker.name for use in uses if (maker := find_maker(use, notebooks))}
    last = [name for name in done if name in notebooks and name not in used]
    return last[0] if len(last) == 1 else None


def _compare_notebook(found, name, entry, again, failures, elsewhere):
    """Compare what a notebook left in the report with what it left now."""
    fresh = again.get(name, {"state": say("verify_gone"), "outputs": {}})
    difference = ""
    if fresh["state"] != "done":
        failure = failures.get(name)
        why = ""
        if failure:
            why = say("verify_cell", cell=failure.cell, error=failure.error)
        state = fresh["state"]
        if state in STATES:
            state = {language: load_words(language)[f"state_{state}"] for language in LANGUAGES}
        difference = say("verify_state", name=name, state=state, why=why)
    paths = sorted({*entry["outputs"], *fresh["outputs"]}, key=_rank)
    for path in paths:
        if entry["outputs"].get(path) == fresh["outputs"].get(path):
            found.equal[path.partition("/")[0]] += 1
            continue
        found.n_different += 1
        if not difference:
            said = _describe(path, found.folder, elsewhere)
            difference = say("placed", place=path, said=said)
    if difference and not found.difference:
        found.difference = difference
        if entry.get("made_from") and fresh.get("made_from"):
            found.reasons = compare_origins(entry["made_from"], fresh["made_from"])


def _rank(path):
    return KINDS.index(path.partition("/")[0]), path


def _describe(path, before, now):
    """Return in words the first difference between two files of one name."""
    sides = [folder / path for folder in (before, now)]
    places = (say("verify_the_report"), say("verify_the_new_run"))
    for side, where in zip(sides, places, strict=True):
        if not side.is_file():
            return say("verify_not_in", where=where)
    kind = PurePosixPath(path).parts[0]
    describe = {"results": _describe_results, "tables": _describe_table}
    describe["notebooks"] = _describe_cells
    return describe.get(kind, lambda *_: say("verify_drawing"))(*sides)


def _describe_results(before, now):
    first, second = (json.loads(path.read_text(encoding="utf-8")) for path in (before, now))
    for name in dict.fromkeys([*first["results"], *second["results"]]):
        a, b = (side["results"].get(name) for side in (first, second))
        if a != b:
            values = [side and side["value"] for side in (a, b)]
            if None not in values and values[0] == values[1]:
                return say("verify_unit", name=name, both=_both(a["unit"], b["unit"]))
            return say("placed", place=name, said=_both(*values))
    return next(
        (
            say("placed", place=key, said=_both(first.get(key), second[key]))
            for key in second
            if first.get(key) != second[key]
        ),
        say("verify_bytes"),
    )


def _describe_table(before, now):
    a, b = (pd.read_parquet(path) for path in (before, now))
    for what, first, second in (
        (say("verify_columns"), list(a.columns), list(b.columns)),
        (say("verify_n_rows"), len(a), len(b)),
        *((say("verify_type", column=c), str(a[c].dtype), str(b[c].dtype)) for c in a if c in b),
    ):
        if first != second:
            return say("placed", place=what, said=_both(first, second))
    for column in a:
        first, second = (side[column].astype(object) for side in (a, b))
        is_other = first.map(repr) != second.map(repr)  # so that undefined equals undefined
        if is_other.any():
            row = int(is_other.to_numpy().argmax())
            key = a.columns[0]
            which = ""
            if key != column:
                which = say("verify_which", key=key, value=repr(_plain(a[key].iloc[row])))
            both = _both(_plain(first.iloc[row]), _plain(second.iloc[row]))
            told = {"column": column, "row": row + 1, "which": which}
            return say("verify_cell_value", **told, both=both)
    return say("verify_bytes")


def _describe_cells(before, now):
    first, second = (
        json.loads(path.read_text(encoding="utf-8"))["cells"] for path in (before, now)
    )
    for number, (a, b) in enumerate(zip(first, second, strict=False), start=1):
        if a.get("source") != b.get("source"):
            return say("verify_source", number=number)
        if a.get("outputs") != b.get("outputs"):
            said = _describe_output(a["outputs"], b["outputs"])
            return say("verify_in_cell", number=number, said=said)
    return say("verify_cells")


def _describe_output(before, now):
    lines = [_text_of(outputs) for outputs in (before, now)]
    pairs = zip(*lines, strict=False)
    found = next(((a, b) for a, b in pairs if a != b), None)
    return say("verify_output", both=_both(*found)) if found else say("verify_output_differs")


def _text_of(outputs):
    texts = []
    for output in outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain") or ""
        texts += (text if isinstance(text, str) else "".join(text)).splitlines()
    return texts


def _both(a, b):
    return say("verify_both", a=repr(a), b=repr(b))


def _plain(value):
    return value.item() if hasattr(value, "item") else value
