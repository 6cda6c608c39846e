"""The pandera schema of each table's ranges, made from the same rows that describe its columns.

Who asks: the check of a table in memory, when its columns are there, each is brought to its kind,
and what is missing is told. pandera takes half a second to import, so that it is loaded when the
first table is checked.
"""

from __future__ import annotations

import functools
import re

import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.columns import TABLES, Column, Table
from crmlab.data.problems import Problem, say_range, show_value
from crmlab.imports import hidden

__all__ = ["validate"]


@functools.cache
def _pandera_schema(name: str):
    # pandera takes half a second to import: it is loaded when the first table is checked. It would
    # load pandas on Spark as well, twice as long, and no table that is checked here is such.
    with hidden("pyspark.pandas"):
        import pandera.pandas as pa

    def checks(column: Column) -> list:
        text = column.range
        if not text:
            return []
        if " | " in text:
            return [pa.Check.isin(text.split(" | "), error=text)]
        if ".." in text:
            low, high = text.split("..")
            return [pa.Check.in_range(float(low), float(high), error=text)]
        operator, bound = re.fullmatch(r"(>=|>|not) (-?[\d.]+)", text).groups()
        check = {">=": pa.Check.ge, ">": pa.Check.gt, "not": pa.Check.ne}[operator]
        return [check(float(bound), error=text)]

    return pa.DataFrameSchema(
        {
            column.name: pa.Column(None, checks(column), nullable=True, required=False)
            for column in TABLES[name].columns
            if column.range
        },
        name=name,
    )


def validate(table: Table, frame: pd.DataFrame) -> list[Problem]:
    """Return the values that the schema refuses; a missing one is in every range."""
    schema = _pandera_schema(table.name)
    from pandera.errors import SchemaErrors

    try:
        with hidden("pyspark.pandas"):  # looked for again at the first check
            schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return []
    problems = []
    for (column, check), alike in cases.groupby(["column", "check"], sort=False):
        alike = alike.sort_values("index", key=lambda rows: rows.astype(int))
        values = alike["failure_case"]
        problems.append(
            Problem(
                table.name,
                column,
                say("value_not_allowed", value=show_value(values.iloc[0])),
                say_range(check),
                say("correct_rows_or_leave"),
                alike["index"].to_numpy(dtype=int),
                tuple(values),
            )
        )
    return problems
