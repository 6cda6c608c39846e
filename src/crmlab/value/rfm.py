"""Recency, frequency and money: one row per customer, scores and named segments.

Who asks: whoever must choose, from the order book alone, which customers to write to, to win
back or to leave in peace. The scores order customers within this firm and this window; they are
no forecast (`crmlab.value.holdout` tests how well they foretell).

Vocabulary. A *purchase* is an order with a positive amount, a *return* one with a negative
amount. *Recency* means two things in the field, and they never share a name here: RFM counts
the days from the last purchase to the end of observation (`recency_days`), the models of the
BTYD family the weeks from the first to the last purchase (`last_order_age_weeks`, their t_x).

Sources: A. M. Hughes (1994), Strategic Database Marketing, Probus; J. R. Bult & T. Wansbeek
(1995), Optimal selection for direct mail, Marketing Science 14(4), 378-394,
doi:10.1287/mksc.14.4.378; P. S. Fader, B. G. S. Hardie & K. L. Lee (2005), RFM and CLV: using
iso-value curves for customer base analysis, Journal of Marketing Research 42(4), 415-430,
doi:10.1509/jmkr.2005.42.4.415.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from crmlab.value.aggregate import aggregate_orders
from crmlab.value.orders import as_day

__all__ = [
    "RFM_SEGMENTS",
    "RfmRule",
    "check_rfm_rules",
    "find_customers_without_purchase",
    "find_rfm_cut_points",
    "name_rfm_segments",
    "rfm_grid",
    "score_rfm",
    "summarize_orders",
]

# What each score reads, and whether more of it is better.
_SCORED = {
    "r_score": ("recency_days", False),
    "f_score": ("n_orders", True),
    "m_score": ("total_value", True),
}
_DAYS_A_WEEK = 7


def summarize_orders(orders, *, observed_to):
    """Return one row per customer: how recently, how often and for how much they bought.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        Columns `customer_id`, `ordered_on` (a date), `amount` (money; > 0 a purchase, < 0 a
        return, 0 neither) and, if known, `margin` (money, the sign of the amount). No missing
        values.
    observed_to : str, date or Timestamp
        Last day under observation, inclusive. No order may be later.

    Returns
    -------
    pandas.DataFrame
        One row per customer with at least one purchase, sorted by `customer_id`:

        - `n_orders`: purchases (RFM's F); `total_value`: all amounts, returns deducted (M);
        - `first_ordered_on`, `last_ordered_on`: days of the first and last purchase;
        - `recency_days`: last purchase to `observed_to`, days (RFM's R; 0 is today);
        - `last_order_age_weeks`: first to last purchase, weeks (BTYD's t_x; 0 when there is
          one purchase day); `age_weeks`: first purchase to `observed_to`, weeks (BTYD's T);
        - `n_repeat_orders`: distinct purchase days after the first (BTYD's x);
        - `mean_repeat_value`: mean purchase value of such a day (BTYD's z-bar), purchases only;
          NaN when there is none;
        - `total_margin`: all margins, where `orders` has them.

        Customers who only returned goods have no first purchase and are left out;
        `find_customers_without_purchase` lists them.

    Raises
    ------
    ValueError
        If a column is missing, holds missing values, is no date or no number, or an order is
        later than `observed_to`.

    References
    ----------
    Fader, Hardie & Lee (2005), doi:10.1509/jmkr.2005.42.4.415

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-08"]),
    ...     "amount": [30.0, 10.0, 50.0],
    ... })
    >>> summary = summarize_orders(orders, observed_to="2024-01-29")
    >>> summary[["customer_id", "n_orders", "total_value", "recency_days", "n_repeat_orders"]]
      customer_id  n_orders  total_value  recency_days  n_repeat_orders
    0           a         2         40.0            14                1
    1           b         1         50.0            21                0
    """
    end = as_day(observed_to, name="observed_to")
    customers = aggregate_orders(orders, observed_to=end)
    bought = customers[customers["n_orders"] > 0].reset_index(drop=True)
    first, last = bought["first_ordered_on"], bought["last_ordered_on"]
    n_repeats = bought["n_purchase_days"] - 1
    summary = pd.DataFrame(
        {
            "customer_id": bought["customer_id"],
            "n_orders": bought["n_orders"],
            "total_value": bought["total_value"],
            "first_ordered_on": first,
            "last_ordered_on": last,
            "recency_days": (end - last).dt.days,
            "last_order_age_weeks": (last - first).dt.days / _DAYS_A_WEEK,
            "age_weeks": (end - first).dt.days / _DAYS_A_WEEK,
            "n_repeat_orders": n_repeats,
            "mean_repeat_value": (bought["purchase_value"] - bought["first_day_value"])
            / n_repeats.where(n_repeats > 0),
        }
    )
    if "total_margin" in bought:
        summary["total_margin"] = bought["total_margin"]
    return summary


def find_customers_without_purchase(orders, *, observed_to):
    """Return the customers who returned goods but have no purchase in the window.

    `summarize_orders` leaves them out, since they have no first purchase: most often they
    bought before the window opened.

    Parameters
    ----------
    orders, observed_to
        As in `summarize_orders`.

    Returns
    -------
    pandas.DataFrame
        One row per such customer, sorted by `customer_id`, with `n_returns` and `total_value`
        (money, negative). Empty when there is none.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "b"],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-08"]),
    ...     "amount": [30.0, -12.5],
    ... })
    >>> find_customers_without_purchase(orders, observed_to="2024-01-31")
      customer_id  n_returns  total_value
    0           b          1        -12.5
    """
    end = as_day(observed_to, name="observed_to")
    customers = aggregate_orders(orders, observed_to=end)
    without = customers[customers["n_orders"] == 0]
    return without[["customer_id", "n_returns", "total_value"]].reset_index(drop=True)


def find_rfm_cut_points(summary, *, n_classes=5):
    """Return the values that divide customers into classes of equal size, ties kept together.

    A customer reaches class k (of n) when at least (k - 1)/n of all customers stand strictly
    worse; so equal values always fall into one class, and classes differ in size exactly as
    much as the ties force them to.

    Parameters
    ----------
    summary : pandas.DataFrame
        As returned by `summarize_orders`.
    n_classes : int
        Number of classes, from 2 to 9.

    Returns
    -------
    dict of str to tuple of float
        For `recency_days`, `n_orders` and `total_value`, the `n_classes - 1` cut points in
        ascending order. A customer on a cut point belongs to the better class. A class that
        ties leave empty has an infinite cut point (minus infinity for `recency_days`).

    Examples
    --------
    >>> import pandas as pd
    >>> summary = pd.DataFrame({
    ...     "customer_id": list("abcd"),
    ...     "recency_days": [3, 10, 40, 90],
    ...     "n_orders": [1, 1, 1, 6],
    ...     "total_value": [20.0, 35.0, 35.0, 300.0],
    ... })
    >>> cuts = find_rfm_cut_points(summary, n_classes=2)
    >>> cuts["recency_days"], cuts["n_orders"], cuts["total_value"]
    ((10.0,), (6.0,), (300.0,))
    """
    _check_n_classes(n_classes)
    _check_summary(summary)
    return {
        column: _cut_points(summary[column].to_numpy(dtype=float), n_classes, is_better)
        for column, is_better in _SCORED.values()
    }


def score_rfm(summary, *, n_classes=5, cut_points=None):
    """Return each customer's scores for recency, frequency and money, high always better.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns `customer_id`, `recency_days`, `n_orders`, `total_value`, as returned by
        `summarize_orders`; one row per customer.
    n_classes : int
        Number of classes, from 2 to 9, of equal size but for ties. Not used with `cut_points`.
    cut_points : mapping of str to sequence of float, optional
        Fixed cut points for the three columns, ascending, equally many for each: either from
        `find_rfm_cut_points` of another period, so that scores can be compared over time, or
        by hand ("ordered within 30 days"). A customer on a cut point gets the better score.

    Returns
    -------
    pandas.DataFrame
        In the order of `summary`: `customer_id`; `r_score`, `f_score`, `m_score` (integers,
        1 worst to `n_classes` best); `rfm_cell`, the three digits as text ("535"); and
        `rfm_score`, their plain sum, which weighs the three alike.

    Raises
    ------
    ValueError
        If a column is missing or holds missing values, a customer has two rows, or the cut
        points are not ascending or not equally many.

    Notes
    -----
    Hughes (1994) sorts and cuts into exact fifths, which parts customers with equal values by
    chance of sorting. Here equal values get equal scores, at the price of unequal classes:
    where half the customers bought once, all of them have `f_score` 1.

    References
    ----------
    Hughes (1994), Strategic Database Marketing, Probus.

    Examples
    --------
    >>> import pandas as pd
    >>> summary = pd.DataFrame({
    ...     "customer_id": list("abcde"),
    ...     "recency_days": [3, 10, 40, 90, 300],
    ...     "n_orders": [9, 4, 2, 1, 1],
    ...     "total_value": [50.0, 300.0, 80.0, 20.0, 10.0],
    ... })
    >>> score_rfm(summary)
      customer_id  r_score  f_score  m_score rfm_cell  rfm_score
    0           a        5        5        3      553         13
    1           b        4        4        5      445         13
    2           c        3        3        4      334         10
    3           d        2        1        2      212          5
    4           e        1        1        1      111          3
    """
    _check_summary(summary)
    if cut_points is None:
        cut_points = find_rfm_cut_points(summary, n_classes=n_classes)
    cuts = _checked_cut_points(cut_points)
    scores = pd.DataFrame({"customer_id": summary["customer_id"]})
    for score, (column, is_better) in _SCORED.items():
        value = summary[column].to_numpy(dtype=float)
        if is_better:
            scores[score] = 1 + np.searchsorted(cuts[column], value, side="right")
        else:
            n_worse = len(cuts[column]) - np.searchsorted(cuts[column], value, side="left")
            scores[score] = 1 + n_worse
    names = list(_SCORED)
    # Scores have one digit each.
    scores["rfm_cell"] = (scores[names] * [100, 10, 1]).sum(axis=1).astype("str")
    scores["rfm_score"] = scores[names].sum(axis=1)
    return scores


def rfm_grid(scores, value=None):
    """Return how many customers each pair of recency and frequency scores has, and their value.

    Parameters
    ----------
    scores : pandas.DataFrame
        As returned by `score_rfm`.
    value : pandas.Series or array_like of float, optional
        Money per customer, in the order of `scores`.

    Returns
    -------
    pandas.DataFrame
        One row per pair of scores, empty pairs included: `r_score`, `f_score`, `n_customers`
        and, with `value`, `mean_value` (NaN in empty pairs).

    Raises
    ------
    ValueError
        If a score is missing, or `value` has another length.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"r_score": [1, 2, 2], "f_score": [1, 2, 2], "m_score": [1, 1, 2]})
    >>> rfm_grid(scores, [10.0, 20.0, 40.0])
       r_score  f_score  n_customers  mean_value
    0        1        1            1        10.0
    1        1        2            0         NaN
    2        2        1            0         NaN
    3        2        2            2        30.0
    """
    _check_columns(scores, list(_SCORED), what="scores")
    top = int(scores[list(_SCORED)].to_numpy().max()) if len(scores) else 0
    cells = pd.MultiIndex.from_product([range(1, top + 1)] * 2, names=["r_score", "f_score"])
    pairs = [scores["r_score"].to_numpy(), scores["f_score"].to_numpy()]
    money = pd.Series(np.ones(len(scores)) if value is None else np.asarray(value, dtype=float))
    if len(money) != len(scores):
        raise ValueError(
            f"value has {len(money)} customers and scores {len(scores)}; expected the same"
        )
    of_cell = money.groupby(pairs)
    grid = pd.DataFrame({"n_customers": of_cell.size().reindex(cells, fill_value=0)})
    if value is not None:
        grid["mean_value"] = of_cell.mean().reindex(cells)
    return grid.rename_axis(cells.names).reset_index()


@dataclass(frozen=True)
class RfmRule:
    """A box of the score cube and the segment its customers belong to, ends included."""

    segment: str
    r_score: tuple[int, int]
    f_score: tuple[int, int]
    m_score: tuple[int, int]

    def holds(self, r_score, f_score, m_score):
        """Return whether these three scores lie in the box.

        Examples
        --------
        >>> RFM_SEGMENTS[0].holds(5, 5, 4)
        True
        """
        inside = [
            low <= score <= high
            for score, (low, high) in zip(
                (r_score, f_score, m_score), (self.r_score, self.f_score, self.m_score), strict=True
            )
        ]
        return all(inside)


#: Ten segments as boxes of the cube of scores 1-5: a convention to name cells by, not a finding.
#: Together the boxes hold each of the 125 cells exactly once. Segments come best first.
RFM_SEGMENTS = (
    RfmRule("champions", (4, 5), (4, 5), (4, 5)),
    RfmRule("loyal_customers", (4, 5), (4, 5), (1, 3)),
    RfmRule("loyal_customers", (3, 3), (4, 5), (1, 5)),
    RfmRule("potential_loyalists", (4, 5), (2, 3), (1, 5)),
    RfmRule("new_customers", (4, 5), (1, 1), (1, 5)),
    RfmRule("need_attention", (3, 3), (2, 3), (1, 5)),
    RfmRule("about_to_sleep", (3, 3), (1, 1), (1, 5)),
    RfmRule("cannot_lose", (1, 2), (4, 5), (4, 5)),
    RfmRule("at_risk", (1, 2), (4, 5), (1, 3)),
    RfmRule("at_risk", (1, 2), (3, 3), (1, 5)),
    RfmRule("hibernating", (2, 2), (1, 2), (1, 5)),
    RfmRule("lost", (1, 1), (1, 2), (1, 5)),
)


def check_rfm_rules(rules, *, n_classes=5):
    """Refuse rules that leave a cell of the score cube without a name, or give it two.

    Parameters
    ----------
    rules : sequence of RfmRule
    n_classes : int
        Number of classes of each score.

    Raises
    ------
    ValueError
        If a cell belongs to no rule or to more than one; the message names the first.

    Examples
    --------
    >>> check_rfm_rules(RFM_SEGMENTS)
    >>> check_rfm_rules(RFM_SEGMENTS[1:])
    Traceback (most recent call last):
        ...
    ValueError: RFM rules: cell r=4 f=4 m=4 belongs to no rule; expected exactly one. ...
    """
    for r, f, m in product(range(1, n_classes + 1), repeat=3):
        found = [rule.segment for rule in rules if rule.holds(r, f, m)]
        if len(found) != 1:
            held = "no rule" if not found else f"{len(found)} rules ({', '.join(found)})"
            raise ValueError(
                f"RFM rules: cell r={r} f={f} m={m} belongs to {held}; expected exactly one. "
                "Make the boxes cover the cube of scores without overlap."
            )


def name_rfm_segments(scores, *, rules=RFM_SEGMENTS):
    """Return the named segment of each customer.

    Parameters
    ----------
    scores : pandas.DataFrame
        Columns `r_score`, `f_score`, `m_score`, as returned by `score_rfm` with five classes.
    rules : sequence of RfmRule
        Boxes that cover the cube of scores 1-5 without overlap.

    Returns
    -------
    pandas.Series
        Named `rfm_segment`, the index of `scores`: a categorical with the segments in the
        order of the rules. The names are keys of the terms table.

    Raises
    ------
    ValueError
        If a score is outside 1-5, or the rules overlap or leave a cell out.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"r_score": [5, 1], "f_score": [5, 1], "m_score": [4, 2]})
    >>> list(name_rfm_segments(scores))
    ['champions', 'lost']
    """
    names = list(_SCORED)
    _check_columns(scores, names, what="scores")
    check_rfm_rules(rules)
    outside = ~scores[names].isin(range(1, 6))
    if outside.any(axis=None):
        column = outside.any().idxmax()
        raise ValueError(
            f"scores: {column} holds {scores.loc[outside[column], column].iloc[0]} in row "
            f"{int(outside[column].to_numpy().argmax()) + 1}; named segments need scores from 1 "
            "to 5. Score with n_classes=5, or pass four cut points a column."
        )
    r, f, m = (scores[name].to_numpy() for name in names)
    segment = np.full(len(scores), "", dtype=object)
    for rule in rules:
        box = np.ones(len(scores), dtype=bool)
        for value, (low, high) in ((r, rule.r_score), (f, rule.f_score), (m, rule.m_score)):
            box &= (value >= low) & (value <= high)
        segment[box] = rule.segment
    categories = pd.Index(list(dict.fromkeys(rule.segment for rule in rules)), dtype="str")
    return pd.Series(
        pd.Categorical(segment, categories=categories, ordered=False),
        index=scores.index,
        name="rfm_segment",
    )


def _cut_points(value, n_classes, is_better):
    """Return ascending cut points of one column; see `find_rfm_cut_points`."""
    n = len(value)
    if n == 0:
        raise ValueError("summary: no customer to divide into classes; expected at least one row")
    standing = np.sort(value if is_better else -value)
    distinct, n_worse = np.unique(standing, return_index=True)
    cuts = []
    for k in range(1, n_classes):
        # Whole numbers on both sides: n_worse / n >= k / n_classes without rounding.
        reaching = n_worse * n_classes >= k * n
        cuts.append(float(distinct[reaching.argmax()]) if reaching.any() else np.inf)
    return tuple(cuts) if is_better else tuple(-cut for cut in reversed(cuts))


def _checked_cut_points(cut_points):
    """Return the cut points as arrays, refusing what is missing, unequal or not ascending."""
    columns = [column for column, _ in _SCORED.values()]
    if not isinstance(cut_points, Mapping) or set(cut_points) != set(columns):
        raise ValueError(
            f"cut_points: expected a mapping with the keys {', '.join(columns)}, "
            f"got {sorted(cut_points) if isinstance(cut_points, Mapping) else cut_points!r}"
        )
    checked = {}
    for column in columns:
        if not isinstance(cut_points[column], Sequence | np.ndarray):
            raise ValueError(f"cut_points[{column!r}]: expected a list, got {cut_points[column]!r}")
        cuts = np.asarray(cut_points[column], dtype=float)
        if np.isnan(cuts).any() or (cuts[1:] < cuts[:-1]).any():
            raise ValueError(
                f"cut_points[{column!r}]: expected ascending numbers, got {list(cuts)}; sort them"
            )
        checked[column] = cuts
    lengths = {column: len(cuts) for column, cuts in checked.items()}
    if len(set(lengths.values())) != 1 or not 1 <= len(checked["n_orders"]) <= 8:
        raise ValueError(
            f"cut_points: expected equally many (1 to 8) for each column, got {lengths}"
        )
    return checked


def _check_n_classes(n_classes):
    if not isinstance(n_classes, int | np.integer) or not 2 <= n_classes <= 9:
        raise ValueError(f"n_classes is {n_classes!r}; expected a whole number from 2 to 9")


def _check_columns(frame, columns, *, what):
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"{what}: column {missing[0]!r} is missing; expected {', '.join(columns)}")


def _check_summary(summary):
    columns = ["customer_id", *(column for column, _ in _SCORED.values())]
    _check_columns(summary, columns, what="summary")
    absent = summary[columns].isna()
    if absent.any(axis=None):
        column = absent.any().idxmax()
        row = int(absent[column].to_numpy().argmax()) + 1
        raise ValueError(
            f"summary: {column} is missing in row {row}; expected a value for every customer. "
            "Make the table with summarize_orders, which leaves out customers without a purchase."
        )
    repeated = summary["customer_id"].duplicated()
    if repeated.any():
        raise ValueError(
            f"summary: customer {summary.loc[repeated, 'customer_id'].iloc[0]!r} has two rows; "
            "expected one row per customer, as summarize_orders returns"
        )
