"""The range of each parameter of the simulator, and the refusal of what lies outside.

Who asks: `SimulationParameters` when it is made, and whoever reads ``parameters.csv``, where a row
says of a parameter its kind, its range, what it does, and its values in the presets.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

__all__ = ["PARAMETER_ROWS", "refuse_unless_in_range"]


def _read_rows() -> tuple[dict[str, str], ...]:
    with Path(__file__).with_name("parameters.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


PARAMETER_ROWS = _read_rows()
"""The rows of ``parameters.csv``, in the order of the parameters."""

_EXPECTED = {
    "share": "a share from 0 to 1",
    "correlation": "a correlation from -1 to 1",
    "money": "money, 0 or more",
}


def refuse_unless_in_range(row: dict[str, str], value: object) -> None:
    """Refuse a value outside of its parameter's range, in the words of its kind."""
    name, kind, limits = row["parameter"], row["kind"], row["range"]
    if kind == "paths":
        return
    if kind == "words":
        is_good = isinstance(value, tuple) and len(value) == 3
        if not is_good or not all(isinstance(word, str) and word for word in value):
            raise ValueError(f"{name} is {value!r}; expected three words.")
        return
    kinds = int if kind == "whole" else (int, float)
    is_good = isinstance(value, kinds) and not isinstance(value, bool)
    low, separator, high = limits.partition("..")
    if separator:
        expected = f"a number from {low} to {high}"
        is_good = is_good and float(low) <= value <= float(high)
    else:
        expected = "a number above 0"
        is_good = is_good and 0 <= value < math.inf
    if kind == "correlation" or (kind == "number" and not separator):
        is_good = is_good and abs(value) not in ((1,) if separator else (0,))
    if kind == "whole":
        expected = f"a whole number, {low} to {high}"
    if not is_good:
        raise ValueError(f"{name} is {value!r}; expected {_EXPECTED.get(kind, expected)}.")
