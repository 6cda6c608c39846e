"""The manifest: what a report folder holds, what it was made from, and by which versions."""

import hashlib
import json
import platform
import re
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

from crmlab.atlas.sentences import say
from crmlab.study.artefacts import write_whole

__all__ = [
    "describe_dataset",
    "describe_versions",
    "hash_files",
    "read_manifest",
    "say_now",
    "write_manifest",
]


def describe_dataset(dataset):
    """Return what a reader must know of the data a study ran on, as plain values.

    Parameters
    ----------
    dataset : crmlab.data.Dataset

    Returns
    -------
    dict
    """
    card = dataset.card
    return {
        "name": dataset.name,
        "title": dict(dataset.title),
        "summary": dict(card.summary),
        "licence": dict(card.licence),
        "citation": card.citation,
        "origin": dict(card.origin),
        "prepared": dict(card.prepared) if card.prepared else None,
        "one_row_is": {table: dict(text) for table, text in card.one_row_is.items()},
        "observed_from": _day(dataset.observed_from),
        "observed_to": _day(dataset.observed_to),
        "currency": dataset.currency,
        "time_zone": card.time_zone,
        "tables": {name: {"n_rows": n_rows} for name, n_rows in dataset.n_rows.items()},
        "left_out": dataset.left_out.to_dict("records"),
        "repaired": dataset.repaired.to_dict("records"),
        "files": dict(dataset.files),
    }


def describe_versions():
    """Return the versions of Python, crmlab and every library crmlab asks for.

    Examples
    --------
    >>> sorted(describe_versions())[:3]
    ['crmlab', 'filelock', 'fonttools']
    """
    return {"python": platform.python_version()} | _find_versions()


@cache
def _find_versions():
    """Look once: a process keeps the libraries it has imported."""
    names = ["crmlab"]
    for requirement in metadata.requires("crmlab") or []:
        if "extra ==" not in requirement:
            names.append(re.match(r"[A-Za-z0-9._-]+", requirement)[0])
    return {name: metadata.version(name) for name in sorted(names)}


def hash_files(folder):
    """Return the sha256 of every file under a folder by its relative path, sorted."""
    folder = Path(folder)
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read_manifest(folder):
    """Return the manifest of a report folder.

    Raises
    ------
    ValueError
        If the folder has none, or it cannot be read; the message says how to make one.
    """
    path = Path(folder) / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        _check_shape(manifest)
    except FileNotFoundError as error:
        named = {"folder": path.parent, "name": path.parent.name}
        raise ValueError(say("report_none", **named)) from error
    except ValueError as error:
        raise ValueError(say("report_damaged", path=path, error=error)) from error
    return manifest


def say_now():
    """Return the present moment as an ISO text, to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_manifest(folder, manifest):
    """Write a report folder's manifest, whole or not at all."""
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    path = Path(folder) / "manifest.json"
    write_whole(path, lambda p: p.write_text(text, encoding="utf-8", newline="\n"))


def _check_shape(manifest):
    """Refuse a text that is JSON and yet no manifest."""
    parts = manifest if isinstance(manifest, dict) else {}
    for key in ("study", "dataset", "versions", "notebooks"):
        if not isinstance(parts.get(key), dict):
            raise ValueError(f"it has no {key}")
    for name, entry in parts["notebooks"].items():
        if not (isinstance(entry, dict) and isinstance(entry.get("outputs"), dict)):
            raise ValueError(f"it does not say what {name} made")


def _day(timestamp):
    return None if timestamp is None else timestamp.date().isoformat()
