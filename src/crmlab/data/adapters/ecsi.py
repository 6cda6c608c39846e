"""ECSI: the European Customer Satisfaction Index asked of a mobile phone provider's customers.

The file has one row per respondent and one column per question, headed CUEX (expectation), PERQ
(perceived quality), IMAG (image), PERV (perceived value), CUSA (satisfaction), CUSCO (complaint)
and CUSL (loyalty). What each question asks stands in ``cards/ecsi_items.csv``, in our own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pandas as pd

__all__ = ["read"]

Rows = list[tuple[str, str, str, int]]


def read(paths: Mapping[str, Path]) -> tuple[dict[str, pd.DataFrame], Rows]:
    """Return the tables survey and items of the ECSI example, and that nothing was left out.

    Parameters
    ----------
    paths : mapping of str to pathlib.Path
        One file: the answers, a CSV.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        `survey` (respondent_id R001, R002, ... by row, then one column per item, scores 1 to 10)
        and `items`.
    left_out : list
        Empty.
    """
    (path,) = paths.values()
    with files("crmlab.data").joinpath("cards/ecsi_items.csv").open(encoding="utf-8") as lines:
        items = pd.read_csv(lines)
    answers = pd.read_csv(path)[items["item"].tolist()]
    respondents = [f"R{row:03d}" for row in range(1, len(answers) + 1)]
    answers.insert(0, "respondent_id", respondents)
    return {"survey": answers, "items": items}, []
