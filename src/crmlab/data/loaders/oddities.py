"""Orders that are well written and cannot be: days to come, days of another century, endless sums.

Who asks: the loader, for one slip of the pen there stretches the whole window or drowns all else.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import Message, say
from crmlab.data.exact import LARGEST
from crmlab.data.loaders.raw import Raw
from crmlab.data.problems import Problem, show_value

__all__ = ["EARLIEST", "find_odd_orders"]

#: No order is older than this.
EARLIEST = pd.Timestamp("1900-01-01")


def find_odd_orders(orders: pd.DataFrame, raw: Raw) -> list[Problem]:
    """Return orders dated in the future or before 1900, and amounts too large to be added up."""
    days = orders["ordered_on"]
    # A day's grace: somewhere on earth it is tomorrow already.
    late = (days > pd.Timestamp.today() + pd.Timedelta(days=1)).to_numpy()
    early = (days < EARLIEST).to_numpy()
    problems = _tell_days(days, late, "still_to_come", say("days_up_to_today"))
    problems += _tell_days(days, early, "too_long_ago", say("days_since_1900"))
    for name in ("amount", "margin"):
        if name in orders:
            problems += _tell_sums(orders[name], say("smaller_than", bound=f"{LARGEST:.0e}"))
    return [problem.at(raw.place, raw.numbers) for problem in problems]


def _tell_days(days: pd.Series, is_odd: np.ndarray, key: str, expected: Message) -> list[Problem]:
    rows = np.flatnonzero(is_odd)
    if not len(rows):
        return []
    shown = tuple(f"{day:%Y-%m-%d}" for day in days.iloc[rows])
    found = say(key, day=shown[0])
    return [Problem("orders", "ordered_on", found, expected, say("correct_date"), rows, shown)]


def _tell_sums(values: pd.Series, expected: Message) -> list[Problem]:
    rows = np.flatnonzero((values.abs() >= LARGEST).to_numpy())
    if not len(rows):
        return []
    found = say("value_not_allowed", value=show_value(values.iloc[rows[0]]))
    shown, cure = tuple(values.iloc[rows]), say("correct_rows_or_leave")
    return [Problem("orders", str(values.name), found, expected, cure, rows, shown)]
