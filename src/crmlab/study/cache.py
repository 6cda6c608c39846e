"""The cache: what each notebook of a report was made from, and whether that still holds.

Who asks: the runner, before it runs a notebook, and `crmlab run --explain`. There is no store
beside the report: the files in it, and the manifest that says what they were made from, are the
cache, and what does not agree with its hash is made again.
"""

from pathlib import Path

from crmlab.atlas.sentences import say
from crmlab.study.code import hash_code, hash_file
from crmlab.study.notebooks import find_maker

__all__ = ["compare_origins", "describe_origin", "find_damage", "hash_notebook_code"]

# How a notebook is executed is part of what it is made from.
EXECUTION = "from crmlab.study.execution import KERNEL_ENVIRONMENT"


def describe_origin(notebook, notebooks, *, run, parameters, outputs, root, code):
    """Return all that a notebook's outputs depend on, as plain values.

    Parameters
    ----------
    notebook : Notebook
    notebooks : dict of str to Notebook
    run : dict
        What holds for every notebook of the run: `language`, `seed`, `data` (hashes of its
        files) and `versions`.
    parameters : dict
        The notebook's parameters with their values.
    outputs : dict of str to dict
        By notebook that has run: the sha256 of each of its output files.
    root : pathlib.Path
        The project's folder.
    code : dict of str to str
        As `hash_notebook_code` returns it.

    Returns
    -------
    dict
    """
    return {
        "notebook": notebook.sha256,
        "parameters": parameters,
        **run,
        "artefacts": _hash_needs(notebook, notebooks, outputs),
        "files": _hash_reads(notebook, root),
        "code": code,
    }


def hash_notebook_code(notebook, earlier=None):
    """Return the sha256 of every file of the program that a notebook builds on.

    Parameters
    ----------
    notebook : Notebook
    earlier : dict or None
        The notebook's origin in an earlier run; it may save following the imports again.

    Returns
    -------
    dict of str to str
    """
    is_same = earlier and earlier["notebook"] == notebook.sha256
    source = f"{EXECUTION}\n{notebook.code}"
    known = earlier["code"] if is_same else None
    return hash_code(source, notebook.path.parent, known=known)


def compare_origins(before, now):
    """Return in words each thing that differs between two origins; empty when nothing does.

    Examples
    --------
    >>> before = {"notebook": "1f", "seed": 1, "parameters": {"k": 4}, "code": {"a.py": "0"}}
    >>> compare_origins(before, before | {"parameters": {"k": 5}, "code": {"a.py": "9"}})
    ['parameter k: 4 → 5', 'code a.py changed']
    """
    words = {
        "parameters": say("part_parameters"),
        "data": say("part_data"),
        "versions": say("part_versions"),
        "artefacts": say("part_artefacts"),
        "files": say("part_files"),
        "code": say("part_code"),
    }
    found = []
    for key, value in now.items():
        earlier = before.get(key)
        if value == earlier:
            continue
        if key == "notebook":
            found.append(say("reason_source"))
        elif key in words:
            found += _compare_parts(words[key], earlier or {}, value, key)
        else:
            found.append(say("reason_other", key=key, before=earlier, now=value))
    return found


def find_damage(folder, outputs):
    """Return the path of the first output that is missing or altered; None when all are whole."""
    for name, sha256 in outputs.items():
        path = Path(folder, name)
        if not path.is_file() or hash_file(path) != sha256:
            return name
    return None


def _hash_needs(notebook, notebooks, outputs):
    """Return the hash of each artefact or results file the notebook uses; None where not there."""
    found = {}
    for name in notebook.needs + notebook.optional:
        maker = find_maker(name, notebooks)
        if maker is not None:
            folder, suffix = ("results", "json") if name in notebooks else ("tables", "parquet")
            found[name] = outputs.get(maker.name, {}).get(f"{folder}/{name}.{suffix}")
    return found


def _hash_reads(notebook, root):
    """Return the hash of each file of the project the notebook says it reads."""
    paths = {
        path
        for name in notebook.reads
        for path in (root / name, *(root / name).rglob("*"))
        if path.is_file() and path.suffix in (".py", ".ipynb", ".csv", ".md", ".yaml")
    }
    return {path.relative_to(root).as_posix(): hash_file(path) for path in sorted(paths)}


def _compare_parts(word, before, now, key):
    for name in sorted({*before, *now}):
        first, second = before.get(name), now.get(name)
        if first == second:
            continue
        if key in ("parameters", "versions"):
            yield say("reason_value", what=word, name=name, before=first, now=second)
        else:
            new, gone = first is None, second is None
            said = "reason_new" if new else "reason_gone" if gone else "reason_changed"
            yield say(said, what=word, name=name)
