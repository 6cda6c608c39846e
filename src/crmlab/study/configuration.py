"""A study file: which data, which notebooks, which parameters, checked before anything runs."""

import functools
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from crmlab.atlas import LANGUAGES
from crmlab.atlas.sentences import hint_near, reason, say, told_in
from crmlab.study.notebooks import read_notebooks
from crmlab.study.parameters import check_parameters

__all__ = [
    "Study",
    "StudyError",
    "complain",
    "find_root",
    "find_study_root",
    "load_study",
    "place",
    "read_yaml",
]


_TOLD = {"literal_error", "string_type", "int_type", "list_type", "dict_type", "model_type"}
_TOLD |= {"greater_than_equal", "less_than"}
_NAMED = ("expected", "ge", "lt")


class StudyError(ValueError):
    """A study file that cannot run as written; one complaint a line, each with its place."""


class Text(BaseModel):
    """A text in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    en: str
    zh: str


def _in_both(text):
    """Let a text in one language serve for both."""
    if isinstance(text, str):
        return {"en": text, "zh": text}
    if isinstance(text, dict) and len(text) == 1 and (only := next(iter(text))) in ("en", "zh"):
        return dict.fromkeys(("en", "zh"), text[only])
    return text


BothLanguages = Annotated[Text, BeforeValidator(_in_both)]


class Study(BaseModel):
    """What a study file may say."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    title: BothLanguages
    question: BothLanguages | None = None
    data: str
    engine: Literal["polars", "duckdb", "pyspark", "pandas"] | None = None
    master: str | None = None  # with pyspark: the cluster, such as spark://host:7077
    notebooks: list[str] | None = None
    parameters: dict[str, dict[str, Any]] = {}
    language: Literal["en", "zh"] = "en"
    seed: int = Field(1, ge=0, lt=2**32)
    timeout: int = Field(3600, ge=1)  # seconds a cell may take


def find_root(start):
    """Return the nearest folder, from `start` upwards, that holds `notebooks` and `studies`.

    Parameters
    ----------
    start : path-like
        A folder or file inside a crmlab project.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    StudyError
        If there is none; the message says how to get one.
    """
    start = Path(start).resolve()
    for folder in (start, *start.parents):
        if (folder / "notebooks").is_dir() and (folder / "studies").is_dir():
            return folder
    raise StudyError(say("not_in_project", start=start))


def find_study_root(path):
    """Return the project a study file belongs to: the one it lies in, else the current folder's.

    Raises
    ------
    StudyError
        If neither is inside a project.
    """
    try:
        return find_root(Path(path).parent)
    except StudyError:
        return find_root(Path.cwd())


def load_study(path, *, language=None):
    """Read a study file and check everything it says against the notebooks and the data catalog.

    Parameters
    ----------
    path : path-like
        A YAML file.
    language : {"en", "zh"} or None
        Of complaints; None takes the study's own.

    Returns
    -------
    Study
        `parameters` checked and converted; a relative `data` folder made absolute.

    Raises
    ------
    StudyError
        With every complaint: place in the file, what was found, what was expected and the
        nearest valid name.
    """
    path = Path(path)
    tree, content = read_yaml(path)
    said = content.get("language") if isinstance(content, dict) else None
    with told_in(language or (said if said in LANGUAGES else "en")):
        return _check(path, tree, content)


def _check(path, tree, content):
    try:
        study = Study.model_validate(content)
    except ValidationError as error:
        complaints = [_complaint(entry) for entry in error.errors()]
        raise complain(path, tree, complaints) from error
    notebooks = read_notebooks(find_study_root(path) / "notebooks")
    complaints = [
        (
            ("notebooks", i),
            say("no_notebook_named", name=repr(name), hint=hint_near(name, notebooks)),
        )
        for i, name in enumerate(study.notebooks or [])
        if name not in notebooks
    ]
    parameters = {}
    for name, values in study.parameters.items():
        if name not in notebooks:
            said = say("no_such_notebook", hint=hint_near(name, notebooks))
            complaints.append((("parameters", name), said))
            continue
        parameters[name], refused = check_parameters(values, notebooks[name].parameters)
        complaints += [(("parameters", name, p), complaint) for p, complaint in refused]
    data = _find_data(study, path.parent, complaints)
    complaints += _check_engine(study)
    if complaints:
        raise complain(path, tree, complaints)
    return study.model_copy(update={"parameters": parameters, "data": data})


def _check_engine(study):
    """Yield what is wrong with the engine: it reads folders, and only PySpark has a master."""
    from crmlab.data import list_datasets

    if study.master is not None and study.engine != "pyspark":
        yield ("master",), say("study_no_master", engine=repr(study.engine))
    if study.engine not in (None, "pandas") and study.data in list_datasets()[1:]:
        told = {"source": repr(study.data), "engine": study.engine}
        yield ("engine",), say("study_engine_catalog", **told)


def _find_data(study, folder, complaints):
    from crmlab.data import find_source

    try:
        return find_source(study.data, folder)
    except ValueError as error:
        complaints.append((("data",), reason(error)))
        return study.data


def read_yaml(path, *, kind="study"):
    """Return a YAML file's tree of nodes, which knows the lines, and its content.

    Raises
    ------
    StudyError
        If there is no such file, or it is not UTF-8, not YAML, or gives a key twice; `kind` says
        in the message what file was looked for.
    """
    if not path.is_file():
        names = sorted(p.stem for p in path.parent.glob("[!.]*.yaml"))
        there = say("files_there", names=tuple(names)) if names else ""
        hint = say("study_complaint", place=hint_near(path.stem, names), said=there)
        raise StudyError(say("no_yaml_file", kind=say(f"kind_of_{kind}"), path=path, hint=hint))
    try:
        text = path.read_text(encoding="utf-8-sig")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_duplicates(path, tree)
        return tree, yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise StudyError(say("study_not_utf8", path=path, error=error)) from error
    except yaml.YAMLError as error:
        raise StudyError(say("study_not_yaml", path=path, error=error)) from error


def _refuse_duplicates(path, node):
    # PyYAML keeps the last of two equal keys in silence.
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise StudyError(say("key_given_twice", path=path, line=line, key=key.value))
            seen.add(key.value)
            _refuse_duplicates(path, value)


def _complaint(error):
    """Return the place and the words of what Pydantic found."""
    location = tuple(part for part in error["loc"] if part not in ("str", "Text"))
    kind, found = error["type"], repr(error["input"])
    if kind == "extra_forbidden":
        return location, say("unknown_key", hint=hint_near(location[-1], Study.model_fields))
    if kind == "missing":
        return location, say("key_missing")
    if kind not in _TOLD:
        message = f"{error['msg'][0].lower()}{error['msg'][1:]}"
        return location, say("study_other", message=message, found=found)
    named = {name: about for name, about in error.get("ctx", {}).items() if name in _NAMED}
    if "expected" in named:
        named["expected"] = {"en": named["expected"], "zh": named["expected"].replace(" or ", "、")}
        named["expected"]["zh"] = named["expected"]["zh"].replace(", ", "、")
    return location, say(f"yaml_study_{kind}", found=found, **named)


def complain(path, tree, complaints):
    """Return a refusal of a YAML file: each complaint a line, with its place.

    Parameters
    ----------
    path : path-like
    tree : yaml.Node
        As `read_yaml` returns it.
    complaints : list of (tuple, str)
        Location in the file and what is wrong there.

    Returns
    -------
    StudyError
    """
    lines = [
        say("study_complaint", place=place(path, tree, location), said=said)
        for location, said in complaints
    ]
    return StudyError(functools.reduce(lambda a, b: say("and_line", said=a, note=b), lines))


def place(path, tree, location):
    """Return 'file:line: dotted.key: ' of a location, as far as the file goes along with it."""
    node, line = tree, 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == part]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
    key = ".".join(str(part) for part in location)
    return f"{path}:{line}: {key}: " if key else f"{path}: "
