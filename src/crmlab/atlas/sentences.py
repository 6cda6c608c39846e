"""What a refusal says, in English and Chinese: the sentences stand in each area's ``messages.csv``.

Who asks: whatever reads and checks data or fits a model to them, and the command, the study or the
notebook that tells its reader in the reader's language. A sentence is named by its key and
completed by values. It is a text, the English one, wherever a text is wanted; `text_in` gives it in
another language, values and all.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from numbers import Number
from pathlib import Path

from crmlab.atlas.terms import find_nearest

__all__ = [
    "Counted",
    "Message",
    "counted",
    "hint_near",
    "load_messages",
    "near",
    "reason",
    "say",
    "text_in",
    "told_in",
]

MESSAGES = sorted(Path(__file__).parents[1].glob("*/messages.csv"))
_BETWEEN = {"en": ", ", "zh": "、"}

#: What was repaired or left out: table, what in English and in Chinese, how often.
Counted = list[tuple[str, str, str, int]]


@cache
def load_messages(language: str) -> dict[str, str]:
    """Return the sentences of one language, by key; what stands in braces is filled in.

    Examples
    --------
    >>> load_messages("zh")["value_missing"]
    '该值缺失'
    """
    messages = {}
    for path in MESSAGES:
        with path.open(encoding="utf-8", newline="") as lines:
            messages |= {row["key"]: row[language] for row in csv.DictReader(lines)}
    return messages


class Message(str):
    """A sentence as an English text that knows its key and values; see `say`."""

    __slots__ = ("filled", "key")

    def __new__(cls, key: str, /, **values: object):
        """Return the sentence of this key."""
        message = super().__new__(cls, _fill(key, values, "en"))
        message.key, message.filled = key, values
        return message

    def __getnewargs_ex__(self):
        """Return what a copy in another process is made of."""
        return (self.key,), self.filled

    def but(self, **values: object) -> Message:
        """Return the sentence with some of its values changed."""
        return Message(self.key, **(self.filled | values))


def say(key: str, /, **values: object) -> Message:
    """Return a sentence of ``messages.csv``.

    Parameters
    ----------
    key : str
    **values
        What stands in its braces: texts, numbers, other sentences, tuples of these, or a dict of
        one text for each language.

    Returns
    -------
    Message

    Examples
    --------
    >>> found = say("column_missing", name="'amount'")
    >>> print(found)
    the required column 'amount' is missing
    >>> text_in(found, "zh")
    "缺少必需的列 'amount'"
    """
    return Message(key, **values)


def text_in(said: object, language: str) -> str:
    """Return what is said in a language: a sentence, an error that carries one, or a plain text.

    Examples
    --------
    >>> text_in(ValueError(say("row_one", n=3)), "zh"), text_in("plain", "zh")
    ('第 3 行', 'plain')
    """
    if isinstance(said, BaseException):
        said = reason(said)
    if isinstance(said, Message):
        return _fill(said.key, said.filled, language)
    return str(said)


def reason(error: BaseException) -> str:
    """Return what an error says: its sentence where it carries one, else its text."""
    if error.args and isinstance(error.args[0], Message):
        return error.args[0]
    return str(error)


@contextmanager
def told_in(language: str) -> Iterator[None]:
    """Have a refusal raised within told in a language.

    Examples
    --------
    >>> with told_in("zh"):
    ...     raise ValueError(say("value_missing"))
    Traceback (most recent call last):
        ...
    ValueError: 该值缺失
    """
    try:
        yield
    except ValueError as error:
        if language == "en" or not isinstance(reason(error), Message):
            raise
        raise type(error)(text_in(error, language)) from error


def counted(table: str, said: Message, n: int) -> tuple[str, str, str, int]:
    """Return a row of what was repaired or left out: table, English, Chinese, how often.

    Examples
    --------
    >>> counted("orders", say("repair_bom"), 1)
    ('orders', 'byte order mark skipped', '跳过字节顺序标记（BOM）', 1)
    """
    return table, text_in(said, "en"), text_in(said, "zh"), int(n)


def near(name: object, names: Iterable[object]) -> Message:
    """Return '; did you mean ...?' with the nearest of `names`, or a full stop.

    Examples
    --------
    >>> print(near("amuont", ["amount"])), print(near("zzz", ["amount"]))
    ; did you mean 'amount'?
    .
    (None, None)
    """
    found = find_nearest(name, names)
    return say("near", name=found) if found else say("full_stop")


def hint_near(name: object, names: Iterable[object]) -> str:
    """Return '; did you mean ...?' with the nearest of `names`, or nothing.

    Examples
    --------
    >>> print(hint_near("amuont", ["amount"])), hint_near("zzz", ["amount"])
    ; did you mean 'amount'?
    (None, '')
    """
    found = find_nearest(name, names)
    return say("near", name=found) if found else ""


def _fill(key: str, values: dict[str, object], language: str) -> str:
    told = {name: _tell(value, language) for name, value in values.items()}
    return load_messages(language)[key].format(**told)


def _tell(value: object, language: str) -> object:
    if isinstance(value, Message):
        return _fill(value.key, value.filled, language)
    if isinstance(value, dict):
        return value[language]
    if isinstance(value, list | tuple):
        return _BETWEEN[language].join(str(_tell(part, language)) for part in value)
    return value if isinstance(value, Number) else str(value)
