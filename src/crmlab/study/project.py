"""Project folders: the notebooks in one language, the studies and the sample, ready to work in.

Who asks: a reader who installed the package and has no repository (`crmlab new`), and a reader of
the repository who wants its notebooks in one language (`crmlab lab --lang zh`). Both get a folder
that is a project of its own: `crmlab run`, `lab`, `atlas` and `data` work in it.

A copy for reading is brought up to date each time it is opened, file by file, and a file that was
changed by hand is never written over: a record of what was last written tells the two apart. To
run a notebook is not to change it.
"""

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template

from crmlab import __version__
from crmlab.atlas.sentences import say
from crmlab.study.artefacts import write_whole
from crmlab.study.languages import (
    check_language,
    keep_language,
    say_missing_language,
    set_language,
)
from crmlab.study.notebooks import read_notebooks

__all__ = ["LanguageCopy", "create_project", "refresh_copy"]

TEMPLATES = Path(__file__).with_name("project_template")
REPORTS_PAGES = {"en": "README.md", "zh": "README.zh.md"}
RECORD = ".crmlab.json"
IGNORED = ".ipynb_checkpoints/\n__pycache__/\nreports/*\n!reports/README.md\n"


@dataclass(frozen=True)
class LanguageCopy:
    """A copy of a project in one language.

    `kept` names the files that were changed by hand and have since changed in the project too,
    or left it: they stand as they are.
    """

    folder: Path
    kept: tuple[str, ...]


def create_project(folder, *, language="en"):
    """Make a folder to work in from what the installed package brings along.

    Parameters
    ----------
    folder : path-like
        A folder that is not there yet, or is empty.
    language : {"en", "zh"}
        Language of the notebooks' texts, of the studies' reports and of the folder's README.

    Returns
    -------
    pathlib.Path
        The folder. It appears whole or not at all.

    Raises
    ------
    ValueError
        If the language is unknown, the folder holds something, or it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     made = create_project(Path(parent, "crm"), language="zh")
    ...     sorted(path.name for path in made.iterdir())
    ['.gitignore', 'README.md', 'data', 'notebooks', 'reports', 'studies']
    """
    check_language(language)
    folder = Path(os.path.abspath(folder))
    _refuse_occupied(folder)
    files = _project_files(_find_shipped(), language, folder, command="crmlab new")
    _write_folder(folder, files)
    return folder


def refresh_copy(root, language):
    """Bring the copy of a project in one language up to date, or make it.

    Parameters
    ----------
    root : path-like
        A project whose notebooks hold texts in this language and another.
    language : {"en", "zh"}

    Returns
    -------
    LanguageCopy
        In `lab-en` or `lab-zh` inside the project. Files changed there by hand are left as they
        are; files deleted there come back, and those deleted in the project go.

    Raises
    ------
    ValueError
        If the language is unknown, no text stands in it, or the folder is there and is no such
        copy, or cannot be written.
    """
    check_language(language)
    root = Path(root)
    missing = say_missing_language(root, language)
    if missing:
        raise ValueError(missing)
    folder = root / f"lab-{language}"
    files = _project_files(root, language, folder, command=f"crmlab lab --lang {language}")
    if not folder.exists() or not any(folder.iterdir()):
        record = {name: _fingerprint(name, content) for name, content in files.items()}
        _write_folder(folder, files | {RECORD: _as_json(record)})
        return LanguageCopy(folder, ())
    try:
        return LanguageCopy(folder, _bring_up_to_date(folder, files, _read_record(folder)))
    except OSError as error:
        raise ValueError(say("copy_failed", folder=folder, error=error)) from error


def _find_shipped():
    """Return the folder of what is shipped: inside an installed package, else the repository."""
    for folder in (Path(__file__).parents[1] / "project", Path(__file__).parents[3]):
        if (folder / "notebooks").is_dir() and (folder / "studies").is_dir():
            return folder
    raise ValueError(say("nothing_shipped"))


def _project_files(root, language, folder, *, command):
    """Return the content of every file of a project in one language, by its place in `folder`."""
    shipped = _find_shipped()
    notebooks = read_notebooks(root / "notebooks")
    sample = next(f for f in (root, shipped) if (f / "data" / "sample").is_dir())
    files = {
        f"notebooks/{notebook.path.name}": keep_language(notebook.path, language)
        for notebook in notebooks.values()
    }
    for path in sorted((root / "studies").glob("[!.]*.yaml")):
        files[f"studies/{path.name}"] = set_language(path, language, folder / "studies")
    for path in sorted((sample / "data" / "sample").glob("[!.]*")):
        files[f"data/sample/{path.name}"] = path.read_bytes()
    table = "\n".join(
        f"| {name[:2]} | [{notebook.title[language]}](notebooks/{notebook.path.name}) |"
        for name, notebook in notebooks.items()
    )
    page = Template((TEMPLATES / f"README.{language}.md").read_text(encoding="utf-8"))
    words = {"command": command, "version": __version__, "notebooks": table}
    files["README.md"] = page.substitute(words).encode()
    files["reports/README.md"] = (shipped / "reports" / REPORTS_PAGES[language]).read_bytes()
    files[".gitignore"] = IGNORED.encode()
    return files


def _refuse_occupied(folder):
    if folder.exists() and not folder.is_dir():
        raise ValueError(say("folder_a_file", folder=folder))
    try:
        names = sorted(path.name for path in folder.iterdir()) if folder.exists() else ()
    except OSError as error:
        raise ValueError(say("folder_unread", folder=folder, error=error.strerror)) from error
    if names:
        shown = (*names[:3], *["…"][: len(names) > 3])
        raise ValueError(say("folder_filled", folder=folder, names=shown))


def _write_folder(folder, files):
    """Write a folder beside its place, or inside it where it is there and empty, then move it."""
    is_there = folder.exists()
    draft = (folder if is_there else folder.parent) / f".{folder.name}.{os.getpid()}"
    moved = []
    try:
        for name, content in files.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if is_there:
            # A folder counts as a project once it holds `studies`: that comes last.
            for path in sorted(draft.iterdir(), key=lambda path: (path.name == "studies", path)):
                moved.append(path.rename(folder / path.name))
        else:
            draft.rename(folder)
    except BaseException as error:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if isinstance(error, OSError):
            why = error.strerror or error
            raise ValueError(say("folder_not_made", folder=folder, error=why)) from error
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _bring_up_to_date(folder, files, written):
    """Write what is new into a copy; return the files that stand in the way of it, sorted.

    A file whose content is not what was last written there was changed by hand.
    """
    kept = []
    for name in sorted(files.keys() | written.keys()):
        path, last = folder / name, written.get(name)
        found = _fingerprint(name, path.read_bytes()) if path.is_file() else None
        wanted = _fingerprint(name, files[name]) if name in files else None
        if found in (None, last, wanted):
            if wanted is None:
                path.unlink(missing_ok=True)
                del written[name]
                continue
            if found != wanted:
                write_whole(path, lambda draft, name=name: draft.write_bytes(files[name]))
            written[name] = wanted
        elif last != wanted:
            kept.append(name)
    write_whole(folder / RECORD, lambda draft: draft.write_bytes(_as_json(written)))
    return tuple(kept)


def _read_record(folder):
    """Return what was last written into a copy, by file; nothing where the record is damaged."""
    path = folder / RECORD
    if not path.is_file():
        raise ValueError(say("copy_of_none", folder=folder))
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _fingerprint(name, content):
    """Return what tells a file's versions apart: of a notebook, its contract and its cells' words.

    Outputs do not count, nor what JupyterLab notes down when a notebook is opened.
    """
    if name.endswith(".ipynb"):
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            document = json.loads(content)
            cells = [
                (cell["cell_type"], cell["metadata"].get("tags"), "".join(cell["source"]))
                for cell in document["cells"]
            ]
            content = _as_json([document["metadata"].get("crmlab"), cells])
    return hashlib.sha256(content).hexdigest()


def _as_json(document):
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
