"""The system of CRM performance indicators: which there are, and what each is divided by.

Who asks: whoever designs or reads a scorecard and wants an indicator's definition, its direction
and the department that answers for it.

Vocabulary. The indicators stand in ``indicators.csv`` beside this module: each with its *view*,
the *department* that answers for it, its *direction* (higher or lower is better), its unit and
the definition with its denominator, in English and Chinese.

Source of the four views: Kim, J., Suh, E. & Hwang, H. (2003), A model for evaluating the
effectiveness of CRM using the balanced scorecard, Journal of Interactive Marketing 17(2), 5–19,
doi:10.1002/dir.10051. Which indicator stands in which view is our choice.
"""

import csv
from functools import cache
from importlib.resources import files

import pandas as pd

__all__ = ["DEPARTMENTS", "VIEWS", "indicator_catalogue", "read_catalogue"]

VIEWS = ("customer_knowledge", "customer_interaction", "customer_value", "customer_satisfaction")
"""The four views of the CRM scorecard, from knowing the customer to the customer's verdict."""

DEPARTMENTS = ("marketing", "sales", "service", "information")
"""Who answers for an indicator."""

_FLAGS = ["is_financial", "is_long_term", "is_judged", "is_driver"]


def indicator_catalogue():
    """Return every indicator that can be computed, with its place in the system.

    Returns
    -------
    pandas.DataFrame, one row per indicator
        `indicator` (a key of the terms table), `view` (one of `VIEWS`), `department` (one of
        `DEPARTMENTS`), `direction` ("higher" or "lower" is better), `unit`; the flags
        `is_financial`, `is_long_term`, `is_judged` (said by customers rather than counted) and
        `is_driver` (moves before the results do); `repeats` (the indicator that says the
        same, or empty), `definition_en` and `definition_zh`.

    Examples
    --------
    >>> catalogue = indicator_catalogue().set_index("indicator")
    >>> catalogue.loc["churn_rate", ["direction", "repeats"]].tolist()
    ['lower', 'retention_rate']
    """
    frame = pd.DataFrame([dict(row) for row in read_catalogue()])
    for flag in _FLAGS:
        frame[flag] = frame[flag] == "yes"
    return frame


@cache
def read_catalogue():
    """Return the rows of ``indicators.csv`` as tuples of (column, text), in the file's order."""
    path = files(__package__).joinpath("indicators.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple(tuple(row.items()) for row in csv.DictReader(lines))
