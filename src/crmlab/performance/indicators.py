"""Indicators of CRM performance, counted from a data set's tables by quarter and in total.

Who asks: whoever reports to the board each quarter and must be able to say what each figure is
divided by; and whoever then judges the quarters by them (`crmlab.performance.evaluation`).

Vocabulary. A customer is *active* in a period with at least one purchase (an order with a
positive amount). *Retention* and *churn* compare a quarter with the one before. No contract says
that a silent customer is lost: churn counted this way is silence for one quarter, no more. What
each indicator is and what it is divided by stands in `crmlab.performance.catalogue`.

Source of the four views: Kim, Suh & Hwang (2003), doi:10.1002/dir.10051.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from crmlab.performance.catalogue import read_catalogue
from crmlab.performance.quarters import (
    complete_quarters,
    quarter_book,
    quarter_contacts,
    quarter_of,
)

__all__ = ["indicators_by_quarter", "indicators_in_total"]

_COLUMNS = [
    "indicator", "view", "department", "period", "value", "direction", "unit",
    "numerator", "denominator",
]  # fmt: skip
# Facts about a customer that the profile may lack; what the firm works out itself is none.
_PROFILE = ("birth_year", "gender", "region", "income_band", "acquisition_channel", "is_business")
_UNDEFINED = (np.nan, np.nan, np.nan)


def indicators_by_quarter(
    tables, *, observed_from=None, observed_to=None, resolution_target_hours=72.0
):
    """Return every indicator that the tables allow, for each complete quarter of the window.

    Parameters
    ----------
    tables : mapping of str to table
        `orders` at least; `customers`, `contacts`, `tickets`, `survey` with `items` where there
        are any. `orders` and `contacts` may be pandas, Polars (lazy too), PyArrow or DuckDB
        tables, the others are pandas.
    observed_from, observed_to : Timestamp, date or str, or None
        First and last day under observation, both inclusive; None takes the first and the last
        day of an order.
    resolution_target_hours : float
        Time within which a complaint ought to be closed, in hours.

    Returns
    -------
    pandas.DataFrame, one row per quarter and indicator
        `indicator`, `view`, `department`, `period` ("2024Q1"), `value`, `direction`, `unit`,
        `numerator` and `denominator` (NaN where the value is no quotient). `value` is NaN where
        the quarter has nothing to divide by, and for retention, churn and acquisition where the
        quarter before is not complete. Quarters that the window covers in part are left out:
        `complete_quarters` lists them.

    Raises
    ------
    ValueError
        If there are no orders, a column is missing, or no quarter is complete.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "b", "a"],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-06-30"]),
    ...     "amount": [30.0, 10.0, 20.0]})
    >>> table = indicators_by_quarter({"orders": orders})
    >>> table.loc[table["indicator"] == "retention_rate", ["period", "value"]].values.tolist()
    [['2024Q1', nan], ['2024Q2', 0.5]]
    """
    parts = _Parts(tables, observed_from, observed_to, resolution_target_hours)
    quarters = parts.quarters[parts.quarters["is_complete"]]
    known = set(quarters["starts_on"])
    rows = []
    for quarter in quarters.itertuples():
        before = quarter.starts_on - pd.DateOffset(months=3)
        chosen = [quarter.starts_on]
        rows += parts.measure(
            quarter.quarter, chosen, [(before, quarter.starts_on)] if before in known else []
        )
    return _as_table(rows)


def indicators_in_total(
    tables, *, observed_from=None, observed_to=None, resolution_target_hours=72.0
):
    """Return every indicator that the tables allow, for the whole window.

    Retention, churn and acquisition, which compare a quarter with the one before, are pooled:
    the numerators of all complete quarters together ÷ their denominators together. Everything
    else counts all rows, those of quarters covered in part too.

    Parameters
    ----------
    tables, observed_from, observed_to, resolution_target_hours
        As in `indicators_by_quarter`.

    Returns
    -------
    pandas.DataFrame, one row per indicator
        The columns of `indicators_by_quarter`, with "total" as `period`.

    Raises
    ------
    ValueError
        If there are no orders or a column is missing.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "b"], "ordered_on": pd.to_datetime(["2024-01-01", "2024-02-01"]),
    ...     "amount": [30.0, -10.0]})
    >>> table = indicators_in_total({"orders": orders}).set_index("indicator")["value"]
    >>> table[["revenue", "n_active_customers", "average_order_value"]].tolist()
    [20.0, 1.0, 30.0]
    """
    parts = _Parts(tables, observed_from, observed_to, resolution_target_hours)
    complete = list(parts.quarters.loc[parts.quarters["is_complete"], "starts_on"])
    return _as_table(parts.measure("total", None, list(pairwise(complete))))


class _Parts:
    """The tables brought to what the indicators count: one row per customer and quarter, say."""

    def __init__(self, tables, observed_from, observed_to, resolution_target_hours):
        if "orders" not in tables:
            raise ValueError("tables have no 'orders'; every indicator system starts from them")
        if not resolution_target_hours > 0:
            raise ValueError(
                f"resolution_target_hours is {resolution_target_hours!r}; expected a time above 0"
            )
        self.book = quarter_book(tables["orders"])
        if self.book.empty:
            raise ValueError("the table orders is empty; expected at least one order")
        self.start = pd.Timestamp(
            self.book["first_day"].min() if observed_from is None else observed_from
        ).normalize()
        self.end = pd.Timestamp(
            self.book["last_day"].max() if observed_to is None else observed_to
        ).normalize()
        self.quarters = complete_quarters(self.start, self.end)
        self.target = pd.Timedelta(hours=resolution_target_hours)
        self.contacts = quarter_contacts(tables["contacts"]) if "contacts" in tables else None
        self.customers = tables.get("customers")
        self.tickets = tables.get("tickets")
        has_survey = "survey" in tables and "items" in tables
        self.survey = tables["survey"] if has_survey else None
        self.items = tables["items"] if has_survey else None
        self.joined = self._joined()

    def measure(self, period, quarters, pairs):
        """Return the rows of one period: quarters None is the whole window."""
        found = self._sales(quarters) | self._relations(pairs)
        found |= self._profile(quarters)
        if self.contacts is not None:
            found |= self._marketing(quarters, found)
        if self.tickets is not None:
            found |= self._service(quarters, found)
        if self.survey is not None:
            found |= self._verdicts(quarters, found)
        rows = []
        for entry in read_catalogue():
            spec = dict(entry)
            if spec["indicator"] in found:
                value, numerator, denominator = found[spec["indicator"]]
                rows.append(
                    {
                        "indicator": spec["indicator"],
                        "view": spec["view"],
                        "department": spec["department"],
                        "period": period,
                        "value": float(value),
                        "direction": spec["direction"],
                        "unit": spec["unit"],
                        "numerator": float(numerator),
                        "denominator": float(denominator),
                    }
                )
        return rows

    def _sales(self, quarters):
        book = self.book if quarters is None else self.book[self.book["quarter"].isin(quarters)]
        per_customer = book.groupby("customer_id")["n_purchases"].sum()
        n_active = int((per_customer > 0).sum())
        n_purchases = int(per_customer.sum())
        sold, returned = book["sold"].sum(), book["returned"].sum()
        revenue = sold - returned
        found = {
            "n_active_customers": (n_active, np.nan, np.nan),
            "revenue": (revenue, np.nan, np.nan),
            "repeat_purchase_rate": _quotient((per_customer > 1).sum(), n_active),
            "order_frequency": _quotient(n_purchases, n_active),
            "average_order_value": _quotient(sold, n_purchases),
            "return_share": _quotient(returned, sold),
        }
        if "margin" in book:
            margin = book["margin"].sum() if book["n_margins_missing"].sum() == 0 else np.nan
            found["gross_margin"] = (margin, np.nan, np.nan)
            found["margin_rate"] = _quotient(margin, revenue)
        return found

    def _relations(self, pairs):
        n_before = n_kept = n_new = 0
        active = self.book[self.book["n_purchases"] > 0]
        for before, now in pairs:
            earlier = set(active.loc[active["quarter"] == before, "customer_id"])
            later = set(active.loc[active["quarter"] == now, "customer_id"])
            n_before += len(earlier)
            n_kept += len(earlier & later)
            n_new += 0 if self.joined is None else int((self.joined == now).sum())
        if not pairs:
            return dict.fromkeys(["acquisition_rate", "retention_rate", "churn_rate"], _UNDEFINED)
        return {
            "acquisition_rate": _UNDEFINED if self.joined is None else _quotient(n_new, n_before),
            "retention_rate": _quotient(n_kept, n_before),
            "churn_rate": _quotient(n_before - n_kept, n_before),
        }

    def _joined(self):
        """Return the quarter in which each customer joined; None where that is not on record.

        A first purchase within the window stands for no joining: an old customer who buys again
        would be counted as new.
        """
        if self.customers is None or "joined_on" not in self.customers:
            return None
        joined = quarter_of(self.customers["joined_on"].dropna())
        return joined if len(joined) else None

    def _profile(self, quarters):
        if self.customers is None:
            return {}
        fields = [c for c in _PROFILE if c in self.customers]
        if not fields:
            return {}
        known = self.customers
        if quarters is not None:
            if "joined_on" not in known:
                return {}
            known = known[quarter_of(known["joined_on"]) <= max(quarters)]
        filled = int(known[fields].notna().sum().sum())
        return {"profile_completeness": _quotient(filled, len(known) * len(fields))}

    def _marketing(self, quarters, found):
        table = self.contacts
        if quarters is not None:
            table = table[table["quarter"].isin(quarters)]
        numbers = ["n_contacts", "n_responses", "cost"]
        # An unknown cost stays unknown in the sum: NaN, and not free of charge.
        sums = table.groupby("is_treated")[numbers].sum(skipna=False)
        sums = sums.reindex([False, True], fill_value=0)
        held_out, treated = sums.loc[False], sums.loc[True]
        cost = sums["cost"].sum(skipna=False)
        rate, _, _ = _quotient(treated["n_responses"], treated["n_contacts"])
        lift = rate - _quotient(held_out["n_responses"], held_out["n_contacts"])[0]
        has_cost = self.contacts["cost"].notna().any()
        has_control = not self.contacts["is_treated"].all()
        result = {"response_rate": _quotient(treated["n_responses"], treated["n_contacts"])}
        if has_cost:
            result["marketing_cost"] = (cost, np.nan, np.nan)
            result["cost_per_response"] = _quotient(cost, treated["n_responses"])
        if has_control:
            result["incremental_response"] = (lift, np.nan, np.nan)
        if has_cost and has_control and "gross_margin" in found:
            _, n_purchases, _ = found["order_frequency"]
            margin_each = _quotient(found["gross_margin"][0], n_purchases)[0]
            gain = lift * treated["n_contacts"] * margin_each
            result["marketing_profit"] = (gain - cost, np.nan, np.nan)
            result["marketing_return"] = _quotient(gain - cost, cost)
        return result

    def _service(self, quarters, found):
        tickets = self.tickets
        if quarters is not None:
            tickets = tickets[quarter_of(tickets["opened_at"]).isin(quarters)]
        complaints = tickets[tickets["is_complaint"]]
        due = complaints["opened_at"] + self.target
        is_closed = complaints["closed_at"].notna()
        is_known = is_closed | (due < self.end + pd.Timedelta(days=1))
        in_time = is_closed & (complaints["closed_at"] <= due)
        _, n_purchases, _ = found["order_frequency"]
        hours = tickets["first_response_hours"].dropna()
        return {
            "first_response_hours": (hours.median() if len(hours) else np.nan, np.nan, np.nan),
            "resolved_in_time_share": _quotient(in_time.sum(), is_known.sum()),
            "complaint_rate": _quotient(len(complaints), n_purchases),
        }

    def _verdicts(self, quarters, found):
        survey = self.survey
        if quarters is not None:
            if "answered_on" not in survey:
                return {}
            survey = survey[quarter_of(survey["answered_on"]).isin(quarters)]
        result = {}
        for key, construct in (
            ("satisfaction_index", "satisfaction"),
            ("loyalty_index", "loyalty"),
            ("image_index", "image"),
        ):
            unit_scores = _unit_scores(survey, self.items, construct)
            if unit_scores is not None:
                index = 100 * unit_scores.mean() if unit_scores.size else np.nan
                result[key] = (index, np.nan, np.nan)
        boxes = _unit_scores(survey, self.items, "satisfaction", n_boxes=2)
        if boxes is not None:
            result["top_box_share"] = _quotient((boxes > 0).sum(), boxes.size)
        advice = self.items[
            (self.items["construct"] == "recommendation")
            & (self.items["minimum"] == 0)
            & (self.items["maximum"] == 10)
        ]
        if len(advice):
            answers = survey[advice["item"].iloc[0]].dropna()
            balance = (answers >= 9).sum() - (answers <= 6).sum()
            score, numerator, denominator = _quotient(balance, len(answers))
            result["net_promoter_score"] = (100 * score, numerator, denominator)
        if "customer_id" in survey:
            book = self.book if quarters is None else self.book[self.book["quarter"].isin(quarters)]
            active = set(book.loc[book["n_purchases"] > 0, "customer_id"])
            n_answered = len(active & set(survey["customer_id"].dropna()))
            n_active = found["n_active_customers"][0] if len(survey) else 0
            result["survey_coverage"] = _quotient(n_answered, n_active)
        return result


def _as_table(rows):
    """Return the rows as a table whose columns have their types even if there is no row."""
    numbers = ("value", "numerator", "denominator")
    types = {column: "float64" if column in numbers else "str" for column in _COLUMNS}
    return pd.DataFrame(rows, columns=_COLUMNS).astype(types)


def _quotient(numerator, denominator):
    """Return value, numerator and denominator; the value is NaN when there is nothing below."""
    numerator, denominator = float(numerator), float(denominator)
    return (numerator / denominator if denominator != 0 else np.nan), numerator, denominator


def _unit_scores(survey, items, construct, n_boxes=None):
    """Return the answers to a construct's items carried to 0–1, or None if it has no item.

    With `n_boxes`, 1 for an answer in that many highest boxes and 0 for any other.
    """
    chosen = items[items["construct"] == construct]
    if chosen.empty:
        return None
    answers = survey[list(chosen["item"])].to_numpy(dtype=float)
    low, high = chosen["minimum"].to_numpy(dtype=float), chosen["maximum"].to_numpy(dtype=float)
    scores = (answers - low) / (high - low) if n_boxes is None else answers > high - n_boxes
    return scores[~np.isnan(answers)].astype(float)
