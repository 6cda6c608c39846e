"""Bring the values of a column to its kind, where nothing is lost by it.

Who asks: the check of a table, whose values come from files that know no kinds. A value that
cannot be brought to the kind is refused with its row, the first of which is row 1.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.data.columns import Column

__all__ = ["EXPECTED", "convert_column", "name_rows", "show_value"]

EXPECTED = {
    "text": "text",
    "number": "a finite number",
    "integer": "a whole number",
    "flag": "true or false",
    "day": "a day written YYYY-MM-DD, without time zone",
    "instant": "a time written YYYY-MM-DD HH:MM, without time zone",
}
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_MOST_SHOWN = 8


def convert_column(series: pd.Series, column: Column, where: str) -> pd.Series:
    """Return the values in the column's kind; refuse values that cannot be brought to it.

    Parameters
    ----------
    series : pandas.Series
        The values as they were read, with a fresh index; left unchanged.
    column : Column
        The column they belong to.
    where : str
        How a message names the column, such as ``orders.amount``.

    Returns
    -------
    pandas.Series
        Of the column's dtype; an empty text is a missing value.

    Raises
    ------
    ValueError
        If a value is of another kind, or missing where the column must be filled.

    Examples
    --------
    >>> from crmlab.data.columns import find_table
    >>> amount = find_table("orders").columns[3]
    >>> convert_column(pd.Series(["3.50", "-1"]), amount, "orders.amount").tolist()
    [3.5, -1.0]
    >>> convert_column(pd.Series([3, None]), amount, "orders.amount")
    Traceback (most recent call last):
        ...
    ValueError: orders.amount, row 2: the value is missing; expected a finite number in every \
row. Fill these rows or leave them out.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object).infer_objects()
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        raise ValueError(
            f"{where}: the values carry the time zone {series.dtype.tz}; expected local time "
            "without a time zone. Convert them and remove it (.dt.tz_localize(None))."
        )
    if pd.api.types.is_string_dtype(series.dtype):
        series = series.astype("str").str.strip().replace("", np.nan)
    values = _CONVERSIONS[column.kind](series)
    bad = np.flatnonzero((values.isna() & series.notna()).to_numpy())
    if len(bad):
        advice = "or leave them empty" if column.is_nullable else "or leave these rows out"
        raise ValueError(
            f"{where}, {name_rows(bad)}: value {show_value(series.iloc[bad[0]])} is not allowed; "
            f"expected {EXPECTED[column.kind]}. Correct the values {advice}."
        )
    missing = np.flatnonzero(values.isna().to_numpy())
    if len(missing) and not column.is_nullable:
        raise ValueError(
            f"{where}, {name_rows(missing)}: the value is missing; expected "
            f"{EXPECTED[column.kind]} in every row. Fill these rows or leave them out."
        )
    return values.astype(column.dtype)


def show_value(value: object) -> str:
    """Return the value as it would be typed: numpy's scalars without their type's name."""
    return repr(value.item() if isinstance(value, np.generic) else value)


def name_rows(positions: np.ndarray) -> str:
    """Return 'row 3' or 'rows 3, 5, ... (12 rows)' for positions that count from 0."""
    shown = ", ".join(str(position + 1) for position in positions[:_MOST_SHOWN])
    if len(positions) > _MOST_SHOWN:
        return f"rows {shown}, ... ({len(positions)} rows)"
    return f"row{'s' if len(positions) > 1 else ''} {shown}"


def _to_text(series: pd.Series) -> pd.Series:
    # A column of whole numbers with gaps is read as floats: 17 must not become "17.0".
    if pd.api.types.is_float_dtype(series.dtype):
        if _is_whole(series.dropna()).all():
            series = series.astype("Int64")
        else:
            # Too large for a float to tell from the next number: the identifier is lost.
            series = series.where(series.abs() <= 2**53)
    return series.astype("str").where(series.notna())


def _is_whole(values: pd.Series) -> pd.Series:
    # Above 2 ** 53 a float no longer tells one whole number from the next.
    return (values.abs() <= 2**53) & (values == values.round())


def _to_number(series: pd.Series) -> pd.Series:
    kind = series.dtype
    if pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        return pd.Series(np.nan, index=series.index)
    values = pd.to_numeric(series, errors="coerce").astype("float64")
    return values.where(np.isfinite(values))


def _to_integer(series: pd.Series) -> pd.Series:
    if pd.api.types.is_integer_dtype(series.dtype):
        return series.astype("Int64")
    values = _to_number(series)
    return values.where(_is_whole(values)).astype("Int64")


def _to_flag(series: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(series.dtype):
        return series
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.map({0: False, 1: True}).astype("boolean")
    return series.map(lambda value: _FLAGS.get(str(value).lower())).astype("boolean")


def _to_instant(series: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return series.astype("datetime64[us]")
    text = _to_text(series)
    text = text.where(text.str.match(r"(\d{8}|\d{4}-\d{2}-\d{2})(\D|$)", na=False))
    values = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True)
    without_zone = ~text.str.contains(r"\d[T ]\d.*(?:Z|[+-]\d)", na=False, case=False)
    return values.dt.tz_localize(None).astype("datetime64[us]").where(without_zone)


def _to_day(series: pd.Series) -> pd.Series:
    return _to_instant(series).dt.normalize()


_CONVERSIONS = {
    "text": _to_text,
    "number": _to_number,
    "integer": _to_integer,
    "flag": _to_flag,
    "day": _to_day,
    "instant": _to_instant,
}
