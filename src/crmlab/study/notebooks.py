"""Notebooks as the runner sees them: files with a contract.

A notebook's metadata says what it needs, what it makes and what it can use when it is there:

    "crmlab": {"needs": ["orders"], "makes": ["rfm"], "optional": ["customers"]}

A name is a table of the data set, an artefact another notebook makes, or another notebook's own
name (its published results). Order, omissions and "what must I run first" follow from this. A
notebook that looks at the project itself lists those files and folders as `reads`.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from crmlab.atlas import LANGUAGES, nearest
from crmlab.study.parameters import Parameter, read_parameters

__all__ = [
    "Notebook",
    "Step",
    "find_maker",
    "plan_steps",
    "read_notebook",
    "read_notebooks",
    "say_lack",
    "with_ancestors",
]

IPYTHON = ("%", "!", "?")


@dataclass(frozen=True)
class Notebook:
    """A notebook's contract: its name, what it needs and makes, its parameters and title."""

    name: str
    path: Path
    needs: tuple[str, ...]
    makes: tuple[str, ...]
    optional: tuple[str, ...]
    reads: tuple[str, ...]
    parameters: dict[str, Parameter]
    title: dict[str, str]
    code: str
    sha256: str


@dataclass(frozen=True)
class Step:
    """A notebook in the order of a run; `reason` says in both languages why it is left out."""

    notebook: Notebook
    reason: dict[str, str] | None = None


def read_notebook(path):
    """Return the contract of one notebook.

    Parameters
    ----------
    path : path-like
        A notebook file.

    Returns
    -------
    Notebook

    Raises
    ------
    ValueError
        If the file is no notebook or its contract has an unknown key; the message names both.
    """
    path = Path(path)
    content = path.read_bytes()
    try:
        document = json.loads(content)
        cells = document["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is not a Jupyter notebook: {error}") from error
    contract = dict(document.get("metadata", {}).get("crmlab", {}))
    lists = {key: tuple(contract.pop(key, ())) for key in ("needs", "makes", "optional", "reads")}
    if contract:
        key = next(iter(contract))
        raise ValueError(
            f"{path.name}: unknown key {key!r} in the crmlab metadata{nearest(key, lists)}"
        )
    source = next((_source(c) for c in cells if "parameters" in _tags(c)), "")
    try:
        parameters = read_parameters(source)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    return Notebook(
        name=path.stem,
        path=path,
        **lists,
        parameters=parameters,
        title=_titles(cells, path.stem),
        code="\n".join(_plain_code(_source(c)) for c in cells if c["cell_type"] == "code"),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def read_notebooks(folder):
    """Return every numbered notebook of a folder by name, in order, their contracts checked.

    Parameters
    ----------
    folder : path-like
        Folder of notebooks called `NN_subject.ipynb`.

    Returns
    -------
    dict of str to Notebook

    Raises
    ------
    ValueError
        If two notebooks make one artefact, or nobody makes what one needs.
    """
    from crmlab.data.columns import TABLES

    paths = sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))
    notebooks = {path.stem: read_notebook(path) for path in paths}
    makers = {}
    for notebook in notebooks.values():
        for artefact in notebook.makes:
            if artefact in makers or artefact in TABLES:
                other = makers.get(artefact, "the data set")
                raise ValueError(f"{notebook.name} makes {artefact!r}, but so does {other}")
            makers[artefact] = notebook.name
    known = {*TABLES, *makers, *notebooks}
    for notebook in notebooks.values():
        for name in notebook.needs + notebook.optional:
            if name not in known:
                raise ValueError(
                    f"{notebook.name} needs {name!r}, which is no table of a data set "
                    f"and which no notebook makes{nearest(name, known)}"
                )
    return notebooks


def find_maker(name, notebooks):
    """Return the notebook that makes an artefact or bears the name; None for a table."""
    if name in notebooks:
        return notebooks[name]
    return next((n for n in notebooks.values() if name in n.makes), None)


def plan_steps(notebooks, tables, *, wanted=None):
    """Order notebooks so that each comes after what it uses, and leave out those that cannot run.

    Parameters
    ----------
    notebooks : dict of str to Notebook
    tables : collection of str
        Tables the data set has.
    wanted : collection of str or None
        Names of the notebooks asked for; what they need is added. None asks for all.

    Returns
    -------
    list of Step
        In running order. A left-out notebook has a reason: a table the data set lacks, or
        an artefact whose maker is itself left out.

    Raises
    ------
    ValueError
        If the contracts go round in a circle; the message shows it.
    """
    chosen = with_ancestors(notebooks, notebooks if wanted is None else wanted)
    graph = {}
    for name in sorted(chosen):
        uses = notebooks[name].needs + notebooks[name].optional
        makers = (find_maker(use, notebooks) for use in uses)
        graph[name] = sorted({m.name for m in makers if m and m.name in chosen})
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        raise ValueError(f"notebooks need each other: {' → '.join(error.args[1])}") from error
    steps, waiting = {}, []
    while sorter.is_active():
        waiting = sorted([*waiting, *sorter.get_ready()])
        name = waiting.pop(0)
        steps[name] = Step(
            notebooks[name], _why_left_out(notebooks[name], notebooks, tables, steps)
        )
        sorter.done(name)
    return list(steps.values())


def _why_left_out(notebook, notebooks, tables, steps):
    for need in notebook.needs:
        maker = find_maker(need, notebooks)
        if maker is None and need not in tables:
            return {
                "en": f"the data set has no table “{need}”",
                "zh": f"数据集中没有 {need} 表",
            }
        if maker is not None and steps[maker.name].reason:
            return say_lack(need, maker)
    return None


def say_lack(need, maker):
    """Return in both languages why a notebook is left out whose need was not made."""
    return {
        "en": f"it needs “{need}” from {maker.name}, which was left out",
        "zh": f"需要 {maker.name} 产生的 {need}，而该笔记本未运行",
    }


def with_ancestors(notebooks, names):
    """Return the names of some notebooks and of all whose artefacts they cannot do without."""
    chosen, queue = set(), list(names)
    while queue:
        name = queue.pop()
        if name not in chosen:
            chosen.add(name)
            makers = (find_maker(need, notebooks) for need in notebooks[name].needs)
            queue.extend(maker.name for maker in makers if maker)
    return chosen


def _titles(cells, name):
    """Return the title in both languages; where it stands in one alone, that serves for both."""
    found = {language: _title(cells, language) for language in LANGUAGES}
    only = next(filter(None, found.values()), name)
    return {language: title or only for language, title in found.items()}


def _title(cells, language):
    for cell in cells:
        if cell["cell_type"] == "markdown" and language in _tags(cell):
            found = re.search(r"^# (.+)$", _source(cell), flags=re.MULTILINE)
            return found and found[1].strip()
    return None


def _plain_code(source):
    """Return a cell's source as Python: without IPython's own lines, empty for a cell magic."""
    if source.lstrip().startswith("%%"):
        return ""
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(IPYTHON))


def _source(cell):
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _tags(cell):
    return cell.get("metadata", {}).get("tags", [])
