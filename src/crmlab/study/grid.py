"""A grid: the seeds and parameter values over which a study is swept, one point each combination.

Who asks: `crmlab sweep`. A grid file names what varies; everything else is as the study says:

    {seed: [1, 2, 3], parameters: {30_segmentation: {n_segments: [3, 4, 5]}}}
"""

import hashlib
import json
import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NamedTuple

from crmlab.atlas.sentences import hint_near, reason, say
from crmlab.study.configuration import StudyError, complain, read_yaml
from crmlab.study.parameters import Parameter, check_parameters

__all__ = ["Axis", "Grid", "Point", "load_grid"]

KEYS = ("seed", "parameters")
# Columns of a sweep's tables; an axis of such a name is called with its notebook's.
TAKEN = ("point", "seed", "notebook", "result", "value", "unit", "state", "error", "seconds")
LONGEST_NAME = 80  # of a folder; some file systems end at 255 bytes, and paths add up


class Axis(NamedTuple):
    """One thing that varies: a column's name, its values, and the parameter (None: the seed)."""

    name: str
    values: tuple
    notebook: str | None = None
    parameter: Parameter | None = None


class Point(NamedTuple):
    """One combination: the name of its folder, and the value of each axis by the axis's name."""

    name: str
    settings: dict


@dataclass(frozen=True)
class Grid:
    """The axes of a sweep, in the order of the grid file: parameters first, then the seed."""

    path: Path
    axes: tuple[Axis, ...]

    @property
    def name(self):
        """The file's name without suffix."""
        return self.path.stem

    @property
    def parameter_axes(self):
        """The axes that are parameters."""
        return tuple(axis for axis in self.axes if axis.notebook is not None)

    def points(self):
        """Return every combination, the last axis changing fastest.

        A point's name depends on its values alone, so that a grid may grow and keep its points.
        """
        names = [axis.name for axis in self.axes]
        combinations = product(*(axis.values for axis in self.axes))
        values = [dict(zip(names, combination, strict=True)) for combination in combinations]
        return [Point(_name_point(value), value) for value in values]

    def overlay(self, point):
        """Return a point's parameters by notebook, and its seed (None: the study's own)."""
        parameters = {}
        for axis in self.parameter_axes:
            values = parameters.setdefault(axis.notebook, {})
            values[axis.parameter.name] = point.settings[axis.name]
        return parameters, point.settings.get("seed")


def load_grid(path, notebooks):
    """Read a grid file and check every value against the notebooks' parameters.

    Parameters
    ----------
    path : path-like
        A YAML file with a list of values under `seed`, under `parameters.<notebook>.<name>`, or
        both.
    notebooks : dict of str to Notebook
        The notebooks of the project.

    Returns
    -------
    Grid

    Raises
    ------
    StudyError
        With every complaint: place in the file, what was found, what was expected and the
        nearest valid name.
    """
    path = Path(path)
    tree, content = read_yaml(path, kind="grid")
    axes, complaints = [], []
    if not isinstance(content, dict):
        raise StudyError(say("grid_shape", path=path))
    complaints += [
        ((key,), say("unknown_key", hint=hint_near(key, KEYS)))
        for key in content
        if key not in KEYS
    ]
    parameters = content.get("parameters", {})
    if not isinstance(parameters, dict):
        complaints.append((("parameters",), say("grid_notebooks", found=repr(parameters))))
        parameters = {}
    for notebook, lists in parameters.items():
        axes += _read_axes(notebook, lists, notebooks, complaints)
    if "seed" in content:
        seed = Parameter("seed", "int", 1, "", "", "", low=0, high=2**32 - 1)
        axes.append(Axis("seed", _check_values(("seed",), content["seed"], seed, complaints)))
    if not axes and not complaints:
        complaints.append(((), say("grid_nothing")))
    if complaints:
        raise complain(path, tree, complaints)
    return Grid(path, _name_axes(axes))


def _read_axes(notebook, lists, notebooks, complaints):
    location = ("parameters", notebook)
    if notebook not in notebooks:
        complaints.append((location, say("no_such_notebook", hint=hint_near(notebook, notebooks))))
        return
    if not isinstance(lists, dict):
        complaints.append((location, say("grid_parameters", found=repr(lists))))
        return
    known = notebooks[notebook].parameters
    for name, values in lists.items():
        if name not in known:
            _, refused = check_parameters({name: values}, known)
            complaints += [((*location, name), text) for _, text in refused]
            continue
        checked = _check_values((*location, name), values, known[name], complaints)
        yield Axis(name, checked, notebook, known[name])


def _check_values(location, values, parameter, complaints):
    if not isinstance(values, list) or not values:
        complaints.append((location, say("grid_values", found=repr(values))))
        return ()
    checked = []
    for i, value in enumerate(values):
        try:
            value = parameter.check(value)
        except ValueError as error:
            complaints.append(((*location, i), reason(error)))
            continue
        if value in checked:
            complaints.append(((*location, i), say("grid_twice", value=repr(value))))
        checked.append(value)
    return tuple(checked)


def _name_axes(axes):
    """Tell apart parameters of one name in two notebooks, and those called as a column is."""
    names = [axis.name for axis in axes]
    return tuple(
        axis._replace(name=f"{axis.notebook}.{axis.name}")
        if axis.notebook and (names.count(axis.name) > 1 or axis.name in TAKEN)
        else axis
        for axis in axes
    )


def _name_point(values):
    """Return a folder's name that says the values, short and plain enough for any file system."""
    said = ",".join(f"{name}={_say(value)}" for name, value in values.items())
    plain = re.sub(r"[^\w.,=+-]", "-", said)
    if plain == said and len(said) <= LONGEST_NAME:
        return said
    exact = json.dumps(values, ensure_ascii=False)
    return f"{plain[:LONGEST_NAME]}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"


def _say(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
