"""Rules that sort customers into types: data to read and to change, and what they leave open.

Who asks: whoever must say why a customer is called what he is called. A typology is a list of
types in the order in which they are tried; a type holds where all conditions of one of its cases
hold; a condition compares one measure with a cut point. Where a measure is missing its condition
is neither true nor false (Kleene's three-valued logic: Kleene, S. C. 1952, Introduction to
Metamathematics, North-Holland), and a customer who might belong to an earlier type is not given
to a later one: the answer is then *cannot tell*, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["CANNOT_TELL", "TYPOLOGIES", "Assignment", "assign_types", "place_in_population"]
__all__ += ["read_rules"]

CANNOT_TELL = "cannot_tell"
"""Label of a customer to whom no type can be given."""

_COLUMNS = ["typology", "type", "case", "measure", "scale", "comparison", "cut_point"]
_COMPARISONS = {
    ">=": np.greater_equal,
    ">": np.greater,
    "<=": np.less_equal,
    "<": np.less,
}


def _read_table():
    table = pd.read_csv(Path(__file__).with_name("rules.csv"), dtype="str", keep_default_na=False)
    return table.astype({"case": "int64"})


TYPOLOGIES = tuple(dict.fromkeys(_read_table()["typology"]))
"""The typologies of ``rules.csv``."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """Types of the customers, why, and what was missing.

    Attributes
    ----------
    label : pandas.Series
        Type of each customer, or `CANNOT_TELL`; index of the measures.
    reason : pandas.Series
        Empty where there is a type; else ``missing_measure`` or ``between_cut_points``.
    evidence : pandas.DataFrame
        The measures that the rules look at, as they were compared: places in the population where
        the scale is "place". Columns of measures that are not there are missing throughout.
    needs : tuple of str
        Measures of which nothing is known for any customer.
    types : tuple of str
        The types in the order in which they are tried.
    """

    label: pd.Series
    reason: pd.Series
    evidence: pd.DataFrame
    needs: tuple[str, ...]
    types: tuple[str, ...]

    def shares(self):
        """Return how many customers each type has, `CANNOT_TELL` last.

        Returns
        -------
        pandas.DataFrame
            Indexed by `type`: `n_customers` and `customer_share`.
        """
        n = self.label.value_counts().reindex([*self.types, CANNOT_TELL], fill_value=0)
        table = pd.DataFrame({"n_customers": n, "customer_share": n / max(len(self.label), 1)})
        return table.rename_axis("type")


def read_rules(typology):
    """Return the rules of a typology as they are shipped, to read or to change.

    Parameters
    ----------
    typology : str
        One of `TYPOLOGIES`.

    Returns
    -------
    pandas.DataFrame, one row per condition
        `type`; `case` (conditions of one case hold together, cases beside one another); `measure`
        (empty: always true, for the type of all who are left); `scale`: "value", or "place" for
        the place in the population from 0 to 1; `comparison`: >=, >, <=, <, is; `cut_point`.

    Raises
    ------
    ValueError
        If there is no such typology.

    Examples
    --------
    >>> read_rules("size").iloc[0].to_dict()["measure"]
    'n_employees'
    """
    if typology not in TYPOLOGIES:
        raise ValueError(
            f"there are no rules for the typology {typology!r}; expected one of "
            f"{', '.join(TYPOLOGIES)}"
        )
    table = _read_table()
    chosen = table[table["typology"] == typology]
    return chosen.drop(columns="typology").reset_index(drop=True)


def place_in_population(values):
    """Return each customer's place among those known, from 0 (lowest) to 1 (highest).

    Parameters
    ----------
    values : pandas.Series of float
        NaN where nothing is known.

    Returns
    -------
    pandas.Series of float
        Share of the known customers below, with half of those who are equal (the customer himself
        among them), so that equals share a place; NaN stays NaN.

    Examples
    --------
    >>> import pandas as pd
    >>> place_in_population(pd.Series([5.0, 1.0, 5.0, None])).round(3).tolist()
    [0.667, 0.167, 0.667, nan]
    """
    known = values.astype("float64")
    n = int(known.notna().sum())
    return (known.rank(method="average") - 0.5) / max(n, 1)


def assign_types(measures, rules):
    """Return the type of each customer under a table of rules.

    Types are tried in the order in which the table names them. The first that holds is the
    customer's, unless an earlier one may hold as well, for want of a measure.

    Parameters
    ----------
    measures : pandas.DataFrame
        One row per customer, unique index; numbers, flags or text, NaN where unknown. A measure
        that the rules name and that is not a column is unknown for everybody.
    rules : pandas.DataFrame
        From `read_rules`, changed or not.

    Returns
    -------
    Assignment

    Raises
    ------
    ValueError
        If the rules lack a column or name a comparison, scale or cut point that is none; or if the
        index names a customer twice, or a measure that is compared holds no numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> measures = pd.DataFrame({"n_employees": [12.0, 400.0, None]}, index=["a", "b", "c"])
    >>> found = assign_types(measures, read_rules("size"))
    >>> found.label.tolist(), found.reason.tolist()
    (['type_small', 'type_large', 'cannot_tell'], ['', '', 'missing_measure'])
    """
    _check_rules(rules)
    if not measures.index.is_unique:
        raise ValueError(
            "measures: the index names a customer twice; expected one row per customer"
        )
    n = len(measures)
    compared, types = {}, tuple(dict.fromkeys(rules["type"]))
    label = np.full(n, CANNOT_TELL, dtype=object)
    is_open, is_unknown = np.ones(n, dtype=bool), np.zeros(n, dtype=bool)
    for name in types:
        holds = np.full(n, -1, dtype=np.int8)  # -1 no, 0 unknown, 1 yes
        for _, conditions in rules[rules["type"] == name].groupby("case", sort=True):
            case = np.ones(n, dtype=np.int8)
            for condition in conditions.itertuples():
                case = np.minimum(case, _judge(condition, measures, compared))
            holds = np.maximum(holds, case)
        label[is_open & (holds == 1)] = name
        is_unknown |= is_open & (holds == 0)
        is_open &= holds == -1
    reason = np.where(is_open, "between_cut_points", "").astype(object)
    reason[is_unknown] = "missing_measure"
    evidence = pd.DataFrame(compared, index=measures.index)
    needs = tuple(name for name in evidence if evidence[name].isna().all())
    return Assignment(
        pd.Series(label, index=measures.index, name="type", dtype="str"),
        pd.Series(reason, index=measures.index, name="reason", dtype="str"),
        evidence,
        needs,
        types,
    )


def _judge(condition, measures, compared):
    """Return 1 where a condition holds, -1 where it does not, 0 where nothing is known."""
    name, n = condition.measure, len(measures)
    if not name:
        return np.ones(n, dtype=np.int8)
    values = measures[name] if name in measures else pd.Series(np.nan, index=measures.index)
    if condition.comparison == "is":
        compared[name] = values
        found = values.astype("str").to_numpy() == str(condition.cut_point)
    else:
        try:
            values = values.astype("float64")
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"measures: {name} holds {values.dtype}; expected numbers, to compare with "
                f"{condition.cut_point}"
            ) from error
        if condition.scale == "place":
            values = place_in_population(values)
        key = name if compared.get(name, values).equals(values) else f"{name}, {condition.scale}"
        compared[key] = values
        with np.errstate(invalid="ignore"):
            found = _COMPARISONS[condition.comparison](
                values.to_numpy(), float(condition.cut_point)
            )
    return np.where(values.isna().to_numpy(), 0, np.where(found, 1, -1)).astype(np.int8)


def _check_rules(rules):
    missing = [name for name in _COLUMNS[1:] if name not in rules]
    if missing:
        raise ValueError(f"rules: the column {missing[0]!r} is missing; see read_rules")
    if not len(rules):
        raise ValueError("rules: there is no condition in the table; see read_rules")
    for place, row in enumerate(rules.itertuples(), start=1):
        if not row.measure:
            continue
        if row.comparison not in (*_COMPARISONS, "is"):
            expected = ", ".join((*_COMPARISONS, "is"))
            raise ValueError(
                f"rules, row {place}: comparison {row.comparison!r}; expected one of {expected}"
            )
        if row.scale not in ("value", "place"):
            raise ValueError(f"rules, row {place}: scale {row.scale!r}; expected value or place")
        if row.comparison == "is":
            continue
        try:
            cut = float(row.cut_point)
        except (TypeError, ValueError):
            cut = np.nan
        if not np.isfinite(cut) or (row.scale == "place" and not 0 <= cut <= 1):
            expected = "a place from 0 to 1" if row.scale == "place" else "a number"
            raise ValueError(
                f"rules, row {place}: cut_point of {row.measure} is {row.cut_point!r}; "
                f"expected {expected}"
            )
