"""Code: which files of the program a notebook's numbers depend on.

Who asks: the cache ("has anything changed that this notebook uses?"). Imports are followed in
the source, from the notebook's cells through crmlab's modules, without running anything, so that
a change to a figure's module leaves the studies of other figures as they are.
"""

import ast
import gc
import hashlib
import threading
from functools import cache
from pathlib import Path

__all__ = ["hash_code", "hash_file", "parse"]

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parent
PARSING = threading.Lock()


def hash_code(source, folder=None, *, known=None):
    """Return the sha256 of every file that a piece of Python source builds on.

    Parameters
    ----------
    source : str
        Python source, such as the code cells of a notebook.
    folder : path-like or None
        Where modules that are not crmlab's may lie: the notebook's own folder.
    known : dict of str to str or None
        An earlier answer for the same source: where its files are unchanged, it still holds, and
        nothing is parsed.

    Returns
    -------
    dict of str to str
        By path: `crmlab/value/rfm.py` for the package's files, `./helper.py` for a module in
        `folder`. Counted are modules imported at any depth, inside functions too, and the files
        beside a module that it names in a string, such as a table of terms.

    Examples
    --------
    >>> "crmlab/atlas/terms.csv" in hash_code("from crmlab.atlas import term")
    True
    """
    folder = None if folder is None else Path(folder).resolve()
    if known and all(_hash_if_there(_find_code(name, folder)) == h for name, h in known.items()):
        return known
    try:
        tree = parse(source)
    except SyntaxError:  # the notebook will fail where it stands, and say so better
        tree = parse("")
    has_folder = folder is not None and folder.is_dir()
    there = {path.stem for path in folder.iterdir()} if has_folder else set()
    found, uses = set(), [_uses(tree, None)]
    while uses:
        files, names = uses.pop()
        near = (name for name in names if name.partition(".")[0] in there)
        new = files.union(*(_find_module(name, folder) for name in near)) - found
        found |= new
        uses += [_uses_of_file(path, *_stamp(path)) for path in new if path.suffix == ".py"]
    return {_name(path, folder): hash_file(path) for path in sorted(found)}


def hash_file(path):
    """Return the sha256 of a file; one that was read before and has not been touched is not read.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    return _hash_content(path, *_stamp(path))


@cache
def _hash_content(path, _changed, _size):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _stamp(path):
    state = path.stat()
    return state.st_mtime_ns, state.st_size


def _hash_if_there(path):
    return hash_file(path) if path.is_file() else None


def _find_code(name, folder):
    return Path(folder, name[2:]) if name.startswith("./") else ROOT / name


def _name(path, folder):
    if path.is_relative_to(ROOT):
        return path.relative_to(ROOT).as_posix()
    return "./" + path.relative_to(folder).as_posix()


def parse(source):
    """Return the syntax tree of Python source, made with nothing in between.

    Python 3.11 fails now and then where the garbage collector, or another thread that parses,
    comes between (cpython#106905).
    """
    with PARSING:
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return ast.parse(source)
        finally:
            if was_enabled:
                gc.enable()


@cache
def _uses_of_file(path, _changed, _size):
    return _uses(parse(path.read_text(encoding="utf-8")), path)


def _uses(tree, path):
    """Return what a module uses: files of the package or beside it, and names of other modules."""
    files, names = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            files.update(_find_named(node.value, path))
    own = {name for name in names if name.partition(".")[0] == PACKAGE.name}
    files.update(path for name in own for path in _find_module(name, ROOT))
    return frozenset(files), frozenset(names - own)


def _find_module(name, root):
    """Yield the files of a dotted name in a folder: the module and the packages it lies in."""
    parts = name.split(".")
    for n in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:n])
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                yield path


def _find_named(text, path):
    """Yield what a string names: files beside the module, or the modules of a package."""
    if text.startswith(f"{PACKAGE.name}.") and text.endswith("."):
        # The beginning of a module's name that is completed when it runs.
        yield from ROOT.joinpath(*text.rstrip(".").split(".")).glob("*.py")
    elif path is not None and text and text.isprintable() and len(text) < 60:
        place = path.parent / text
        if Path(text).name == text and place.is_file() and place.suffix != ".py":
            yield place
        elif Path(text).name == text and place.is_dir() and not (place / "__init__.py").exists():
            yield from (p for p in place.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
