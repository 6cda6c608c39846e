"""Kano transfers: what respondents feel about six features of money transfers, by Kano's method.

Of each feature it is asked how one feels when it is there (functional), when it is not there
(dysfunctional), and how important it is. What each question asks stands in
``cards/kano_transfers_items.csv``, in our own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pandas as pd

__all__ = ["ANSWERS", "read"]

Rows = list[tuple[str, str, str, int]]

#: The answers to a functional or dysfunctional question, in the order of Kano's evaluation table.
ANSWERS = {
    "I like it": 1,
    "I expect it": 2,
    "I am neutral": 3,
    "I can tolerate it": 4,
    "I dislike it": 5,
}
_WITHHELD = "prefer_not_to_answer"


def read(paths: Mapping[str, Path]) -> tuple[dict[str, pd.DataFrame], Rows]:
    """Return the tables survey and items of the Kano survey, and that nothing was left out.

    Parameters
    ----------
    paths : mapping of str to pathlib.Path
        One file: the answers, a CSV.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        `survey` (respondent_id, age, gender, income, employment, education, then one column per
        item: functional and dysfunctional answers 1 to 5 as in `ANSWERS`, importance 1 to 9) and
        `items`.
    left_out : list
        Empty.

    Raises
    ------
    ValueError
        If an answer is none of `ANSWERS`.
    """
    (path,) = paths.values()
    with (
        files("crmlab.data")
        .joinpath("cards/kano_transfers_items.csv")
        .open(encoding="utf-8") as lines
    ):
        items = pd.read_csv(lines)
    rows = pd.read_csv(path, dtype="str", keep_default_na=False)
    survey = {
        "respondent_id": rows["ID"],
        "age": rows["Age"].astype("int64"),
        "gender": rows["Gender"].replace("non_binary", "other"),
        "income": rows["Income_us"].mask(rows["Income_us"] == _WITHHELD),
        "employment": rows["Employment"].str.replace("-", "_"),
        "education": rows["Education"],
    }
    for item, construct in zip(items["item"], items["construct"], strict=True):
        if construct == "importance":
            survey[item] = rows[item].str.extract(r"^(\d)", expand=False).astype("float64")
        else:
            survey[item] = _scores(rows[item])
    return {"survey": pd.DataFrame(survey), "items": items}, []


def _scores(answers: pd.Series) -> pd.Series:
    unknown = ~answers.isin(list(ANSWERS))
    if unknown.any():
        row = int(unknown.to_numpy().argmax())
        raise ValueError(
            f"{answers.name}, row {row + 1}: {answers.iloc[row]!r} is no answer of this survey; "
            f"expected one of {', '.join(ANSWERS)}."
        )
    return answers.map(ANSWERS).astype("float64")
