"""Managing customers by their value: seven steps, what each needs, and rules carried out.

Who asks: whoever has figures of customer value and wants to know what must be there before the
figures change how customers are served. The steps follow one another: a plan for the business,
the processes that touch customers, information on every customer, an account of profit and
potential, analysis of behaviour, rules that turn both into service, and service at all points of
contact. A step can be taken when its data are there; whether the last one is taken shows in how
customers are in fact served: the *target* of a rule against the hours it took.

Sources: V. Kumar & W. Reinartz (2018), Customer Relationship Management: Concept, Strategy, and
Tools, 3rd edition, Springer, doi:10.1007/978-3-662-55381-7 (the chain from information over value
to action). The rules are a convention written down as data; no rule is a finding.
"""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.value.matrix import VALUE_QUADRANTS

__all__ = [
    "SERVICE_RULES",
    "VALUE_MANAGEMENT_STEPS",
    "review_value_management",
    "service_by_rule",
]

#: Each step with the columns it reads, as table.column.
VALUE_MANAGEMENT_STEPS = {
    "business_plan": ("orders.ordered_on", "orders.amount"),
    "processes": ("contacts.channel", "tickets.channel", "orders.channel"),
    "information": ("customers.customer_id", "customers.joined_on", "orders.customer_id"),
    "profit_potential_account": ("orders.margin", "customers.cost_to_serve"),
    "behaviour_analysis": ("orders.customer_id", "orders.ordered_on", "orders.amount"),
    "service_rules": ("orders.margin", "customers.cost_to_serve"),
    "service_at_all_contacts": ("tickets.channel", "tickets.first_response_hours"),
}

#: Hours within which a ticket is to be answered, by what the customer brings and may bring.
SERVICE_RULES = dict(zip(VALUE_QUADRANTS.values(), (4.0, 8.0, 8.0, 24.0), strict=True))


def review_value_management(tables):
    """Return which steps of value management the data at hand allow, and what the others lack.

    Parameters
    ----------
    tables : dict of str to pandas, Polars, DuckDB, PyArrow or PySpark table
        The tables there are, of which only the names of the columns are read.

    Returns
    -------
    pandas.DataFrame
        One row per step, in order: `step`, `n_needed`, `n_at_hand` (columns) and `lacks`, the
        columns that are not there, separated by commas.

    Examples
    --------
    >>> orders = pd.DataFrame(columns=["customer_id", "ordered_on", "amount"])
    >>> table = review_value_management({"orders": orders}).set_index("step")
    >>> table.loc["behaviour_analysis", "lacks"], table.loc["service_rules", "lacks"]
    ('', 'orders.margin, customers.cost_to_serve')
    """
    columns = {name: nw.from_native(t).collect_schema().names() for name, t in tables.items()}
    rows = []
    for step, needed in VALUE_MANAGEMENT_STEPS.items():
        places = [place.split(".") for place in needed]
        lacks = [f"{table}.{name}" for table, name in places if name not in columns.get(table, ())]
        rows.append((step, len(needed), len(needed) - len(lacks), ", ".join(lacks)))
    return pd.DataFrame(rows, columns=["step", "n_needed", "n_at_hand", "lacks"])


def service_by_rule(tickets, quadrant, *, rules=SERVICE_RULES):
    """Return how fast customers of each value quadrant were answered, against the rule for them.

    Parameters
    ----------
    tickets : pandas.DataFrame
        `customer_id`, `channel` and `first_response_hours` (0 or more; NaN while unanswered,
        which counts as late).
    quadrant : pandas.Series
        Value quadrant of each customer, index `customer_id`; see
        `crmlab.value.matrix.assign_value_quadrant`. Tickets of others are left out.
    rules : dict of str to float
        Hours within which tickets of each quadrant are to be answered, above 0.

    Returns
    -------
    pandas.DataFrame
        One row per quadrant of the rules and channel with tickets: `value_quadrant`, `channel`,
        `n_tickets`, `median_response_hours` (of those answered; NaN if none), `target_hours` and
        `share_in_time`. A channel ``all_channels`` closes each quadrant.

    Raises
    ------
    ValueError
        If a column is missing, a wait is below 0, or a customer's quadrant has no rule.

    Examples
    --------
    >>> tickets = pd.DataFrame({"customer_id": ["a", "a", "b"], "channel": "chat",
    ...                         "first_response_hours": [2.0, 6.0, None]})
    >>> quadrant = pd.Series({"a": "high_current_high_potential", "b": "low_current_low_potential"})
    >>> service_by_rule(tickets, quadrant)["share_in_time"].tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    for column in ("customer_id", "channel", "first_response_hours"):
        if column not in tickets.columns:
            raise ValueError(f"tickets: column {column!r} is missing; it says how they were served")
    if (tickets["first_response_hours"] < 0).any():
        n = int((tickets["first_response_hours"] < 0).sum())
        raise ValueError(
            f"tickets: {n} were answered before they came; expected first_response_hours from 0 up"
        )
    kind = tickets["customer_id"].map(quadrant.astype("str"))
    lawless = sorted(set(kind.dropna()) - set(rules))
    if lawless:
        raise ValueError(f"no rule for customers who are {lawless[0]!r}; expected one for each")
    table = tickets.loc[kind.notna(), ["channel", "first_response_hours"]].assign(
        value_quadrant=kind[kind.notna()]
    )
    table["target_hours"] = table["value_quadrant"].map(rules).astype("float64")
    table["is_in_time"] = table["first_response_hours"] <= table["target_hours"]
    both = pd.concat([table, table.assign(channel="all_channels")])
    order = pd.CategoricalDtype(list(rules))
    both["value_quadrant"] = both["value_quadrant"].astype(order)
    last = [*sorted(set(table["channel"].astype("str"))), "all_channels"]
    both["channel"] = pd.Categorical(both["channel"], categories=last)
    groups = both.groupby(["value_quadrant", "channel"], observed=True)
    found = pd.DataFrame(
        {
            "n_tickets": groups.size(),
            "median_response_hours": groups["first_response_hours"].median(),
            "target_hours": groups["target_hours"].first(),
            "share_in_time": groups["is_in_time"].mean().astype(np.float64),
        }
    ).reset_index()
    return found.astype({"value_quadrant": "str", "channel": "str"})
