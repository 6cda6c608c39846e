"""Populations known by name, and what each parameter does.

Who asks: a teacher who wants a bank, a telephone company or a supplier of firms instead of a shop,
and whoever changes a parameter and must know its range.
"""

from __future__ import annotations

import pandas as pd

from crmlab.atlas.sentences import near, say
from crmlab.data.simulate.parameters import SimulationParameters
from crmlab.data.simulate.ranges import PARAMETER_ROWS

__all__ = ["PRESETS", "describe_parameters", "preset", "read_value"]

PRESETS = ("retail", "bank", "telecom", "b2b")
"""The populations known by name: a shop (that of the bundled sample), a bank whose customers
seldom leave, a telephone company with a dense call graph and contagious churn, and a supplier of
few, large, unlike firms."""


def preset(name: str) -> SimulationParameters:
    """Return the parameters of a population known by name.

    Parameters
    ----------
    name : str
        One of `PRESETS`.

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> preset("retail") == SimulationParameters()
    True
    >>> preset("telecom").contagion_odds
    6.0
    """
    if name not in PRESETS:
        raise ValueError(say("no_preset", name=repr(name), presets=PRESETS))
    if name == PRESETS[0]:
        return SimulationParameters()
    return SimulationParameters(
        **{
            row["parameter"]: read_value(row["parameter"], row[name])
            for row in PARAMETER_ROWS
            if row[name]
        }
    )


def read_value(name: str, text: str) -> float | int | tuple[str, ...]:
    """Return the value of a parameter from how it is written, as in ``parameters.csv``.

    Raises
    ------
    ValueError
        If there is no such parameter, or it is no number.

    Examples
    --------
    >>> read_value("n_campaigns", "12"), read_value("order_channels", "app | web | store")
    (12, ('app', 'web', 'store'))
    """
    kinds = {row["parameter"]: row["kind"] for row in PARAMETER_ROWS}
    if kinds.get(name, "paths") == "paths":
        raise ValueError(say("no_simulation_parameter", name=repr(name), near=near(name, kinds)))
    if kinds[name] == "words":
        return tuple(word.strip() for word in text.split("|"))
    try:
        return int(text) if kinds[name] == "whole" else float(text)
    except ValueError:
        said = "whole_expected" if kinds[name] == "whole" else "number_expected"
        raise ValueError(say(said, name=name, value=repr(text))) from None


def describe_parameters() -> pd.DataFrame:
    """Return what each parameter does, its range and its values in the presets.

    Returns
    -------
    pandas.DataFrame, one row per parameter
        `parameter`, `range` (empty where it is no number), `meaning_en`, `meaning_zh`, and a
        column for each of `PRESETS`.

    Examples
    --------
    >>> table = describe_parameters().set_index("parameter")
    >>> table.loc["contagion_odds", ["range", "retail", "telecom"]].tolist()
    ['1..100', 4.0, 6.0]
    """
    values = {name: preset(name) for name in PRESETS}
    rows = [
        {
            "parameter": row["parameter"],
            "range": row["range"],
            "meaning_en": row["en"],
            "meaning_zh": row["zh"],
        }
        | {name: getattr(values[name], row["parameter"]) for name in PRESETS}
        for row in PARAMETER_ROWS
    ]
    return pd.DataFrame(rows)
