"""Parameters: what a notebook lets a study change, read from its `parameters` cell.

A line of that cell is the whole declaration: name, type, default, meaning, unit and range.

    class_a_share: float = 0.70  # class A's share of value / A 类的价值占比; share; 0.05..0.95
    basis: str = "margin"  # what value is / 价值口径; ; margin|revenue
"""

import ast
import io
import tokenize
from dataclasses import dataclass

import yaml
from pydantic import TypeAdapter, ValidationError

from crmlab.atlas.sentences import hint_near, reason, say
from crmlab.study.code import parse

__all__ = ["Parameter", "check_parameters", "read_parameters", "read_settings"]

TYPES = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "list[int]": list[int],
    "list[float]": list[float],
    "list[str]": list[str],
    "list[list[float]]": list[list[float]],
}


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: `low` and `high` bound numbers, `choices` words."""

    name: str
    type: str
    default: object
    en: str
    zh: str
    unit: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def check(self, value):
        """Return `value` as this parameter's type, or raise ValueError saying what is expected.

        An int is taken for a float; nothing else is converted, so that `yes` for a number or
        `0.5` for a count is refused rather than guessed at.
        """
        try:
            value = TypeAdapter(TYPES[self.type]).validate_python(value, strict=True)
        except ValidationError as error:
            raise ValueError(say("parameter_type", value=repr(value), type=self.type)) from error
        for number in _numbers(value):
            if self.low is not None and not self.low <= number <= self.high:
                bounds = {"low": f"{self.low:g}", "high": f"{self.high:g}"}
                raise ValueError(say("parameter_range", value=repr(number), **bounds))
        if self.choices and value not in self.choices:
            hint = hint_near(value, self.choices)
            told = {"value": repr(value), "choices": self.choices, "hint": hint}
            raise ValueError(say("parameter_choice", **told))
        return value


def read_parameters(source):
    """Return the parameters declared by the source of a parameters cell.

    Parameters
    ----------
    source : str
        Python source; one annotated assignment of a literal per line, each with a comment
        `meaning / 含义; unit; low..high` (or `a|b|c` for words).

    Returns
    -------
    dict of str to Parameter, in the cell's order

    Raises
    ------
    ValueError
        If a line is no such declaration or repeats a name; the message names the line.

    Examples
    --------
    >>> cell = "k: int = 4  # segments wanted / 客户群个数; customers; 2..12"
    >>> read_parameters(cell)["k"].high
    12.0
    """
    try:
        tree = parse(source)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno} of the parameters cell: {error.msg}") from error
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = {}
    for node in tree.body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            raise ValueError(
                f"line {node.lineno} of the parameters cell is not `name: type = literal`"
            )
        name, type_ = node.target.id, ast.unparse(node.annotation)
        if type_ not in TYPES:
            raise ValueError(
                f"line {node.lineno} of the parameters cell: {name} has type {type_}; "
                f"expected one of {', '.join(TYPES)}"
            )
        if name in found:
            raise ValueError(f"line {node.lineno} of the parameters cell: {name} is given twice")
        # A formatter may fold a long line; its comment then stands inside the brackets.
        lines = range(node.lineno, node.end_lineno + 1)
        comment = next((comments[line] for line in lines if line in comments), "")
        meaning, unit, range_ = _split_comment(comment)
        en, _, zh = (part.strip() for part in meaning.partition(" / "))
        low, high, choices = _read_range(range_)
        default = ast.literal_eval(node.value)
        parameter = Parameter(name, type_, default, en, zh, unit, low, high, choices)
        parameter.check(default)
        found[name] = parameter
    return found


def check_parameters(values, parameters):
    """Check a study's values against a notebook's parameters.

    Parameters
    ----------
    values : dict of str to object
        Values a study gives, by parameter name.
    parameters : dict of str to Parameter
        What the notebook declares.

    Returns
    -------
    dict of str to object
        The values of the study alone, as the declared types.
    list of (str, str)
        Name and complaint of each value refused; empty when all hold.

    Examples
    --------
    >>> declared = read_parameters("k: int = 4  # segments / 群; ; 2..12")
    >>> check_parameters({"kk": 3}, declared)
    ({}, [('kk', "unknown parameter; did you mean 'k'? (this notebook has: k)")])
    """
    checked, complaints = {}, []
    for name, value in values.items():
        if name not in parameters:
            known = tuple(parameters) or say("parameter_none")
            hint = hint_near(name, parameters)
            complaints.append((name, say("parameter_unknown", hint=hint, known=known)))
            continue
        try:
            checked[name] = parameters[name].check(value)
        except ValueError as error:
            complaints.append((name, reason(error)))
    return checked, complaints


def read_settings(texts, parameters):
    """Return what `name=value` texts set, by notebook.

    Parameters
    ----------
    texts : iterable of str
        `name=value` sets a parameter in every notebook that has it; `20.name=value` or
        `20_customer_value.name=value` in one. Values are written as in a study file.
    parameters : dict of str to dict
        The parameters of each notebook, by its name.

    Returns
    -------
    dict of str to dict

    Raises
    ------
    ValueError
        If a text has another form, or no notebook has such a parameter. Whether a value fits is
        left to `check_parameters`.

    Examples
    --------
    >>> declared = {"30_segmentation": read_parameters("k: int = 4  # segments / 群; ; 2..12")}
    >>> read_settings(["k=5"], declared), read_settings(["30.k=6"], declared)
    ({'30_segmentation': {'k': 5}}, {'30_segmentation': {'k': 6}})
    """
    found = {}
    for text in texts:
        place, is_set, value = text.partition("=")
        notebook, _, name = place.strip().rpartition(".")
        if not is_set or not name:
            raise ValueError(say("setting_nothing", text=repr(text)))
        if notebook:
            chosen = [n for n in parameters if notebook in (n, n[:2])]
            if not chosen:
                told = {"name": repr(notebook), "hint": hint_near(notebook, parameters)}
                raise ValueError(say("setting_notebook", text=text, **told))
        else:
            chosen = [n for n in parameters if name in parameters[n]]
        if not any(name in parameters[n] for n in chosen):
            known = sorted({key for n in chosen or parameters for key in parameters[n]})
            told = {"name": repr(name), "hint": hint_near(name, known)}
            raise ValueError(say("setting_parameter", text=text, **told))
        for n in chosen:
            is_text = parameters[n][name].type == "str"
            try:
                read = value.strip() if is_text else yaml.safe_load(value)
            except yaml.YAMLError as error:
                told = {"value": repr(value), "error": error}
                raise ValueError(say("setting_value", text=text, **told)) from error
            found.setdefault(n, {})[name] = read
    return found


def _split_comment(comment):
    parts = [part.strip() for part in comment.split(";")] + ["", ""]
    return parts[0], parts[1], parts[2]


def _read_range(text):
    if ".." in text:
        low, high = text.split("..")
        return float(low), float(high), ()
    return None, None, tuple(word.strip() for word in text.split("|")) if text else ()


def _numbers(value):
    if isinstance(value, list):
        for part in value:
            yield from _numbers(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
