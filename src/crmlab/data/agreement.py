"""Whether the tables of a data set agree with each other.

Who asks: the check of a data set, once each table is sound by itself.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.columns import TABLES, Column
from crmlab.data.conversion import try_column
from crmlab.data.problems import Problem

__all__ = [
    "find_bad_items",
    "find_bad_links",
    "find_disorder",
    "find_unknown_customers",
    "inspect_answers",
    "nearest_column",
]


def find_unknown_customers(tables: Mapping[str, pd.DataFrame]) -> Iterator[Problem]:
    """Yield customers that other tables name and customers does not know."""
    known = tables["customers"]["customer_id"]
    columns = [
        (name, column, frame[column])
        for name, frame in tables.items()
        for column in ("customer_id", "other_id")
        if name != "customers" and column in frame.columns
    ]
    for name, column, customer in columns:
        unknown = np.flatnonzero((customer.notna() & ~customer.isin(known)).to_numpy())
        if len(unknown):
            first = customer.iloc[unknown[0]]
            bare = known[known.str.lstrip("0") == str(first).lstrip("0")]
            like = say("zeros_lost", there=repr(bare.iloc[0])) if len(bare) else ""
            yield Problem(
                name,
                column,
                say("unknown_customer", customer=repr(first)),
                "",
                say("add_customer", like=like),
                unknown,
                tuple(customer.iloc[unknown]),
            )


def find_bad_links(links: pd.DataFrame) -> Iterator[Problem]:
    """Yield links of a customer with themselves, and links that end before they began."""
    alone = np.flatnonzero((links["customer_id"] == links["other_id"]).to_numpy())
    if len(alone):
        yield Problem(
            "links",
            "other_id",
            say("linked_to_self", customer=repr(links["other_id"].iloc[alone[0]])),
            say("another_customer"),
            say("leave_rows_out"),
            alone,
            tuple(links["other_id"].iloc[alone]),
        )
    if {"first_on", "last_on"} <= set(links.columns):
        yield from find_disorder(links, "links", "first_on", "last_on")


def find_bad_items(items: pd.DataFrame) -> Iterator[Problem]:
    """Yield questions whose name is taken or whose scale has no two ends."""
    taken = [column.name for column in TABLES["survey"].columns]
    bad = np.flatnonzero(items["item"].isin(taken).to_numpy())
    if len(bad):
        yield Problem(
            "items",
            "item",
            say("item_taken", item=repr(items["item"].iloc[bad[0]])),
            say("name_of_question"),
            say("rename_in_both"),
            bad,
            tuple(items["item"].iloc[bad]),
        )
    bad = np.flatnonzero((items["minimum"] >= items["maximum"]).to_numpy())
    if len(bad):
        row = items.iloc[bad[0]]
        yield Problem(
            "items",
            "minimum",
            say(
                "item_runs",
                item=repr(row["item"]),
                low=f"{row['minimum']:g}",
                high=f"{row['maximum']:g}",
            ),
            say("minimum_below_maximum"),
            say("correct_scale"),
            bad,
            tuple(items["minimum"].iloc[bad]),
        )


def inspect_answers(
    survey: pd.DataFrame, items: pd.DataFrame
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the survey with its answers as numbers, and what is wrong with them."""
    answers, problems = {}, []
    for item in items.dropna(subset=["item"]).itertuples(index=False):
        if item.item not in survey.columns:
            near = nearest_column(item.item, survey.columns.difference(items["item"]))
            key = "item_no_column" if near is None else "item_no_column_near"
            found = say(key, item=repr(item.item), near=repr(near))
            problems.append(Problem("survey", "", found, "", say("same_questions")))
            continue
        column = Column(item.item, "number", item.text_en, item.text_zh, "points", "", True, True)
        scores, found, _ = try_column(survey[item.item], column, "survey")
        problems += found
        bad = np.flatnonzero(((scores < item.minimum) | (scores > item.maximum)).to_numpy())
        if len(bad):
            problems.append(
                Problem(
                    "survey",
                    item.item,
                    say("value_not_allowed", value=f"{scores.iloc[bad[0]]:g}"),
                    say("scale_of_items", scale=f"{item.minimum:g}..{item.maximum:g}"),
                    say("correct_answers"),
                    bad,
                    tuple(scores.iloc[bad]),
                )
            )
        answers[item.item] = scores
    # Copied into one block a kind: of a hundred columns apart pandas warns whoever adds one.
    return survey.assign(**answers).copy(), problems


def find_disorder(frame: pd.DataFrame, name: str, first: str, last: str) -> Iterator[Problem]:
    """Yield rows in which something ends before it began."""
    bad = np.flatnonzero((frame[last] < frame[first]).to_numpy())
    if len(bad):
        yield Problem(
            name,
            last,
            say(
                "ends_before",
                last=str(frame[last].iloc[bad[0]]),
                name=first,
                first=str(frame[first].iloc[bad[0]]),
            ),
            say("not_earlier"),
            say("correct_rows"),
            bad,
            tuple(frame[last].iloc[bad]),
        )


def nearest_column(name: str, others: Iterable[object]) -> object | None:
    """Return the column whose name, spelt without regard to case and spaces, is nearest."""
    spelt = {re.sub(r"[\s-]+", "_", str(other).strip().lower()): other for other in others}
    near = difflib.get_close_matches(name.lower(), spelt, n=1, cutoff=0.75)
    return spelt[near[0]] if near else None
