"""Homes: whether each concept lives where the atlas says it does.

Who asks: an author who wants to know what is still missing, and the test that fails when a home
breaks. A concept that is computed is at home when its function can be found, its notebook is
there with the section that tells it, and a test holds it. A concept that is only told needs its
notebook and section. Files are read, nothing is imported or run, so the answer comes at once.

Tests live beside the source. In a folder without it, as `crmlab new` makes one, the tests are
taken as the atlas states them, and `Coverage.has_tests` says that nobody looked.
"""

import ast
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from crmlab.atlas.concepts import Concept, load_concepts
from crmlab.atlas.terms import nearest

__all__ = ["Coverage", "Home", "concept_coverage", "find_headings"]


@dataclass(frozen=True)
class Home:
    """A concept with what it lacks and what is named but not there."""

    concept: Concept
    lacking: tuple[str, ...]
    broken: tuple[str, ...]

    @property
    def is_home(self):
        """Whether everything the concept needs is named and there."""
        return not self.lacking and not self.broken

    @property
    def is_broken(self):
        """Whether it names something that is not there: an error, not a gap."""
        return bool(self.broken)

    @property
    def reason(self):
        """What stands in the way; empty when the concept is at home."""
        return "; ".join((*self.broken, *self.lacking))


@dataclass(frozen=True)
class Coverage:
    """The homes of all concepts asked for, in the order of the atlas.

    `has_tests` tells whether the tests were looked for; False in a folder without the source.
    """

    homes: tuple[Home, ...]
    has_tests: bool = True

    def __iter__(self):
        return iter(self.homes)

    def __len__(self):
        return len(self.homes)

    @property
    def n_concepts(self):
        """Number of concepts."""
        return len(self.homes)

    @property
    def n_at_home(self):
        """Number of concepts that are at home."""
        return sum(home.is_home for home in self.homes)

    @property
    def broken(self):
        """Homes that name something which is not there."""
        return tuple(home for home in self.homes if home.is_broken)

    def by(self, attribute):
        """Return (value, number at home, number of concepts) of each value, sorted.

        Parameters
        ----------
        attribute : str
            An attribute of `Concept`: "notebook", "stage", "part" or "kind".

        Returns
        -------
        list of tuple
        """
        groups = {}
        for home in self.homes:
            groups.setdefault(getattr(home.concept, attribute), []).append(home.is_home)
        return [(value, sum(group), len(group)) for value, group in sorted(groups.items())]

    def rows(self):
        """Return one dict a concept: id, notebook, stage, kind, is_home and why."""
        return [
            {
                "id": home.concept.id,
                "notebook": home.concept.notebook,
                "stage": home.concept.stage,
                "kind": home.concept.kind,
                "is_home": home.is_home,
                "reason": home.reason,
            }
            for home in self.homes
        ]

    def __str__(self):
        return f"{self.n_at_home} of {self.n_concepts} at home"


def concept_coverage(root, *, notebooks=None, concepts=None):
    """Return where each concept is at home in a project, and what is missing where it is not.

    Parameters
    ----------
    root : path-like
        Folder of the project; it holds `notebooks`, and the repository also `src` and `tests`.
        Without `src/crmlab`, functions are looked for in the installed package, and tests are
        taken as the atlas states them.
    notebooks : iterable of str or None
        Names or numbers of the notebooks to look at ("20", "21_lifetime_value"). None: all.
    concepts : iterable of Concept or None
        The concepts to look at. None: the whole atlas.

    Returns
    -------
    Coverage
        `str()` of it is the line "N of M at home".

    Raises
    ------
    ValueError
        If a notebook is not in the atlas; the message names the nearest.

    Examples
    --------
    >>> found = concept_coverage("a/folder/without/notebooks", notebooks=["33"])
    >>> str(found)
    '0 of 2 at home'
    >>> found.by("notebook")
    [('33_network_communities', 0, 2)]
    """
    concepts = load_concepts() if concepts is None else tuple(concepts)
    if notebooks is not None:
        wanted = _named_notebooks(notebooks, sorted({c.notebook for c in concepts}))
        concepts = tuple(concept for concept in concepts if concept.notebook in wanted)
    project = _Project(Path(root))
    homes = tuple(_check_home(concept, project) for concept in concepts)
    return Coverage(homes, has_tests=project.has_source)


def find_headings(text):
    r"""Return the headings of a Markdown text, in order; lines of code are none.

    Examples
    --------
    >>> find_headings("# Data ##\n```\n# a comment\n```\n### One row is an order")
    ('Data', 'One row is an order')
    """
    headings, in_code = [], False
    for line in text.splitlines():
        in_code ^= line.lstrip().startswith("```")
        heading = re.match(r"#{1,6}\s+(.+?)\s*#*\s*$", line)
        if heading and not in_code:
            headings.append(heading[1])
    return tuple(headings)


def _named_notebooks(asked, known):
    wanted = set()
    for name in map(str, asked):
        matches = {other for other in known if name in (other, other.partition("_")[0])}
        if not matches:
            raise ValueError(
                f"no notebook {name!r} in the atlas{nearest(name, known)}; "
                f"expected a name or a number of: {', '.join(known)}"
            )
        wanted |= matches
    return wanted


def _check_home(concept, project):
    lacking, broken = [], []
    if concept.kind == "computed":
        if not concept.functions:
            lacking.append("no function yet")
        if not concept.tests:
            lacking.append("no test yet")
    for name in concept.functions:
        if not project.has_function(name):
            broken.append(f"no function {name}")
    for node in concept.tests if project.has_source else ():
        if not project.has_test(node):
            broken.append(f"no test {node}")
    headings = project.headings(concept.notebook)
    missing = f"no notebook notebooks/{concept.notebook}.ipynb"
    if not concept.section:
        lacking.append("no section yet" if headings is not None else f"{missing} yet")
    elif headings is None:
        broken.append(missing)
    elif concept.section not in headings:
        broken.append(
            f"no section {concept.section!r} in {concept.notebook}"
            + nearest(concept.section, headings)
        )
    return Home(concept, tuple(lacking), tuple(broken))


class _Project:
    """The files of a project, each read at most once."""

    def __init__(self, root):
        self.root = root
        self._trees = {}
        self._headings = {}

    @cached_property
    def has_source(self):
        """Whether the project holds the package's source, and the tests beside it."""
        return (self.root / "src" / "crmlab").is_dir()

    @cached_property
    def source(self):
        """Folder that holds the package."""
        return self.root / "src" if self.has_source else Path(__file__).parents[2]

    def tree(self, path):
        """Return the parsed module, or None where there is no such file."""
        if path not in self._trees:
            text = path.read_text(encoding="utf-8") if path.is_file() else None
            self._trees[path] = None if text is None else ast.parse(text, str(path))
        return self._trees[path]

    def headings(self, notebook):
        """Return the notebook's headings in English, or None without the notebook."""
        if notebook not in self._headings:
            path = self.root / "notebooks" / f"{notebook}.ipynb"
            self._headings[notebook] = _read_headings(path) if path.is_file() else None
        return self._headings[notebook]

    def has_test(self, node):
        """Return whether the file of a pytest node id holds that test."""
        file, *names = node.partition("[")[0].split("::")
        tree = self.tree(self.root / file)
        return bool(names) and tree is not None and _holds(tree.body, names)

    def has_function(self, name):
        """Return whether a dotted name leads to a function, a class or a method."""
        parts = name.split(".")
        folder, rest = self.source, parts
        while len(rest) > 1 and (folder / rest[0] / "__init__.py").is_file():
            folder, rest = folder / rest[0], rest[1:]
        if folder == self.source:
            return False
        module = folder / f"{rest[0]}.py"
        if len(rest) > 1 and module.is_file():
            return self._exports(module, rest[1:])
        return self._exports(folder / "__init__.py", rest)

    def _exports(self, module, names):
        tree = self.tree(module)
        if _holds(tree.body, names):
            return True
        for statement in tree.body:
            if isinstance(statement, ast.ImportFrom):
                for alias in statement.names:
                    if (alias.asname or alias.name) == names[0]:
                        origin = self._origin(module, statement)
                        return self.has_function(".".join([*origin, alias.name, *names[1:]]))
        return False

    def _origin(self, module, statement):
        """Return the parts of the module a `from ... import` statement names."""
        named = statement.module.split(".") if statement.module else []
        if not statement.level:
            return named
        folders = module.relative_to(self.source).parts[:-1]
        return [*folders[: len(folders) - statement.level + 1], *named]


def _holds(body, names):
    """Return whether a function or class of this name, or a path of them, is defined here."""
    for statement in body:
        is_function = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function and [statement.name] == names:
            return True
        if isinstance(statement, ast.ClassDef) and statement.name == names[0]:
            return len(names) == 1 or _holds(statement.body, names[1:])
    return False


def _read_headings(path):
    """Return the headings of English cells, and of Chinese ones that bear their English names.

    A notebook in Chinese alone keeps them in its cells' metadata: the atlas names sections in
    English.
    """
    headings = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            found = find_headings("".join(cell["source"]))
            english = cell["metadata"].get("crmlab", {}).get("headings", {})
            if "en" in cell["metadata"].get("tags", ()):
                headings += found
            headings += [english[heading] for heading in found if heading in english]
    return tuple(headings)
