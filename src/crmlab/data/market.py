"""A base of facts about the market: what is known, from where, how old, and what is not.

Who asks: whoever has to say how the market stands and wants each sentence to rest on a fact that
can be looked up. A *fact* is one statement with its source, its day, the *force* it speaks of,
whether it is good or bad for the firm (`direction` 1 or -1; 0: neither) and how much (`strength`
1 to 3). Three frameworks list the forces: PEST for the wider environment, the five forces of the
industry, and *sensing* for what the firm's own customers show (demand, behaviour, feedback,
product). Own records speak for the last alone; facts about the industry and the environment must
come from outside, and a force without a fact is shown as what it is: not known.

Sources: Aguilar, F. J. (1967). Scanning the Business Environment. New York: Macmillan (PEST's
origin); Porter, M. E. (2008). The five competitive forces that shape strategy. Harvard Business
Review 86(1), 78-93; Day, G. S. (1994). The capabilities of market-driven organizations. Journal of
Marketing 58(4), 37-52 (market sensing).
"""

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.data.engines import collect, read_frame
from crmlab.data.exact import join_money, split_money, sum_money

__all__ = ["FORCES", "check_facts", "load_facts", "sense_market", "summarise_facts"]

FORCES = {
    "pest": ("political", "economic", "social", "technological"),
    "five_forces": (
        "rivalry",
        "new_entrants",
        "substitutes",
        "supplier_power",
        "buyer_power",
    ),
    "sensing": ("demand", "behaviour", "feedback", "product"),
}
"""The forces of each framework."""

_COLUMNS = ["framework", "force", "fact_en", "fact_zh", "source", "dated_on"]
_FEWEST_WEEKS = 16


def load_facts():
    """Return the facts from outside that come with the package; a pattern for one's own.

    Returns
    -------
    pandas.DataFrame
        As `check_facts` returns them.

    Examples
    --------
    >>> load_facts()["force"].unique().tolist()
    ['political']
    """
    from importlib.resources import files

    with files("crmlab.data").joinpath("market_facts.csv").open(encoding="utf-8") as file:
        return check_facts(pd.read_csv(file))


def check_facts(facts):
    """Return the facts in their types, or refuse them and say where and why.

    Parameters
    ----------
    facts : pandas.DataFrame, one row per fact
        `framework` and `force` (of `FORCES`), `fact_en`, `fact_zh` (the statement), `source`
        (where it can be looked up), `dated_on` (day it speaks of), `direction` (-1, 0 or 1) and
        `strength` (1 weak, 2 moderate, 3 strong).

    Returns
    -------
    pandas.DataFrame
        These columns alone.

    Raises
    ------
    ValueError
        If a column is missing, or a row has no source or day, an unknown force or a number out
        of range.

    Examples
    --------
    >>> check_facts(load_facts().assign(strength=5))
    Traceback (most recent call last):
        ...
    ValueError: facts, row 1: strength is 5; expected 1 (weak), 2 (moderate) or 3 (strong)
    """
    names = [*_COLUMNS, "direction", "strength"]
    absent = [name for name in names if name not in facts.columns]
    if absent:
        raise ValueError(f"facts: the column {absent[0]!r} is missing; expected {', '.join(names)}")
    facts = facts[names].reset_index(drop=True)
    facts["dated_on"] = pd.to_datetime(facts["dated_on"]).astype("datetime64[us]")
    known = [(framework, force) for framework in FORCES for force in FORCES[framework]]
    pairs = pd.Series(list(zip(facts["framework"], facts["force"], strict=True)), dtype="object")
    faults = [
        ("force", ~pairs.isin(known), "one of its framework's forces (see FORCES)"),
        ("source", facts["source"].isna(), "where the fact can be looked up"),
        ("dated_on", facts["dated_on"].isna(), "the day the fact speaks of"),
        ("direction", ~facts["direction"].isin([-1, 0, 1]), "-1 (bad), 0 or 1 (good)"),
        (
            "strength",
            ~facts["strength"].isin([1, 2, 3]),
            "1 (weak), 2 (moderate) or 3 (strong)",
        ),
    ]
    for name, is_bad, expected in faults:
        bad = np.flatnonzero(is_bad)
        if len(bad):
            value = facts[name].iloc[bad[0]]
            raise ValueError(f"facts, row {bad[0] + 1}: {name} is {value}; expected {expected}")
    return facts.astype({"direction": "int64", "strength": "int64"})


def sense_market(tables, observed_from, observed_to):
    """Return the facts that the firm's own tables hold about demand, behaviour and feedback.

    The window's complete weeks are cut into an earlier and a later half; each measure is a week's
    value, and the halves are compared by Welch's test. A change counts as good or bad only where
    its p value is below 0.05; its strength is its size: below 10 per cent weak, below 25
    moderate, otherwise strong. Weeks are not independent of each other, and a cohort that is
    followed but not renewed shrinks by design: read the facts with the data set's card.

    Parameters
    ----------
    tables : mapping of str to table
        `orders` (of any engine) and, where there are any, `tickets` (pandas).
    observed_from, observed_to : datetime-like
        The window, both days included.

    Returns
    -------
    pandas.DataFrame, one row per measure the tables allow
        The columns of `check_facts`, and `measure`, `earlier`, `later` (mean weekly value),
        `change` (relative to the earlier half) and `p_value`. Without at least 16 complete weeks
        there is no row.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", "2024-06-30", freq="D")
    >>> orders = pd.DataFrame({"customer_id": "a", "ordered_on": days, "amount": 10.0})
    >>> more = pd.DataFrame({"customer_id": "b", "ordered_on": days[91:], "amount": 10.0})
    >>> facts = sense_market({"orders": pd.concat([orders, more])}, days[0], days[-1])
    >>> facts[["measure", "earlier", "later", "direction", "strength"]].head(1)
           measure  earlier  later  direction  strength
    0  n_purchases      7.0   14.0          1         3
    """
    from scipy.stats import ttest_ind

    first, last = pd.Timestamp(observed_from), pd.Timestamp(observed_to)
    n_weeks = ((last - first).days + 1) // 7
    rows = []
    if n_weeks >= _FEWEST_WEEKS:
        for name, table, values in _weekly(tables, first, n_weeks):
            force, sign, text_en, text_zh = _MEASURES[name]
            earlier = values[: n_weeks // 2][np.isfinite(values[: n_weeks // 2])]
            later = values[-(n_weeks // 2) :][np.isfinite(values[-(n_weeks // 2) :])]
            if min(len(earlier), len(later)) < _FEWEST_WEEKS // 2 or not earlier.mean():
                continue
            change = later.mean() / earlier.mean() - 1
            differs = np.ptp(np.concatenate([earlier, later])) > 0
            constant = earlier.std() == 0 and later.std() == 0
            p_value = 1.0 if not differs else 0.0
            if differs and not constant:
                p_value = ttest_ind(earlier, later, equal_var=False).pvalue
            said = _say_change(change, p_value)
            rows.append(
                {
                    "framework": "sensing",
                    "force": force,
                    "fact_en": text_en.format(change=said["en"]),
                    "fact_zh": text_zh.format(change=said["zh"]),
                    "source": table,
                    "dated_on": last,
                    "direction": int(sign * np.sign(change)) if p_value < 0.05 else 0,
                    "strength": 1 + int(abs(change) >= 0.10) + int(abs(change) >= 0.25),
                    "measure": name,
                    "earlier": earlier.mean(),
                    "later": later.mean(),
                    "change": change,
                    "p_value": p_value,
                }
            )
    columns = [*_COLUMNS, "direction", "strength", "measure", "earlier", "later", "change"]
    facts = pd.DataFrame(rows, columns=[*columns, "p_value"])
    return facts.astype({"dated_on": "datetime64[us]"})


def summarise_facts(facts, on, *, half_life_days=365.0):
    r"""Return how the facts weigh up, force by force, and which forces nothing is known of.

    Parameters
    ----------
    facts : pandas.DataFrame
        From `check_facts` (or `sense_market`).
    on : datetime-like
        The day asked about; a fact of a later day is refused.
    half_life_days : float
        A fact this many days old counts half as much as a fresh one.

    Returns
    -------
    pandas.DataFrame, one row per force of every framework
        `framework`, `force`, `n_facts`, `n_sources` (different ones), `newest_on`, `balance`
        (:math:`\sum d\,s\,f / \sum s\,f` with direction d, strength s and freshness f; -1 all bad,
        1 all good, NaN without facts) and `balance_lower`, `balance_upper` (its range when one
        source at a time is left out; NaN with a single source).

    Raises
    ------
    ValueError
        If a fact is dated after `on`, or the half-life is not above 0.

    Examples
    --------
    >>> summary = summarise_facts(load_facts(), "2025-12-31")
    >>> summary.loc[summary["n_facts"] > 0, ["force", "n_facts", "n_sources"]]
           force  n_facts  n_sources
    0  political        2          2
    """
    if not half_life_days > 0:
        raise ValueError(f"half_life_days is {half_life_days}; expected days, above 0")
    on = pd.Timestamp(on)
    late = np.flatnonzero((facts["dated_on"] > on).to_numpy())
    if len(late):
        day = facts["dated_on"].iloc[late[0]]
        raise ValueError(
            f"facts, row {late[0] + 1}: dated {day:%Y-%m-%d}, after {on:%Y-%m-%d}; expected a fact "
            "known by then. Leave it out, or ask about a later day."
        )
    age = (on - facts["dated_on"]).dt.days.to_numpy()
    weight = facts["strength"].to_numpy() * 0.5 ** (age / half_life_days)
    facts = facts.assign(weight=weight, weighed=facts["direction"].to_numpy() * weight)
    rows = []
    for framework, forces in FORCES.items():
        for force in forces:
            part = facts[(facts["framework"] == framework) & (facts["force"] == force)]
            by_source = part.groupby("source")[["weighed", "weight"]].sum()
            others = by_source.sum() - by_source
            without = others["weighed"] / others["weight"] if len(by_source) > 1 else _NONE
            counts = (len(part), len(by_source), part["dated_on"].max())
            balance = part["weighed"].sum() / part["weight"].sum() if len(part) else np.nan
            rows.append((framework, force, *counts, balance, without.min(), without.max()))
    columns = ["framework", "force", "n_facts", "n_sources", "newest_on"]
    return pd.DataFrame(rows, columns=[*columns, "balance", "balance_lower", "balance_upper"])


_NONE = pd.Series(dtype="float64")

# Force, sign of what is good for the firm, and the statement.
_MEASURES = {
    "n_purchases": (
        "demand",
        1,
        "Purchases a week {change}.",
        "每周购买次数{change}。",
    ),
    "n_buyers": (
        "demand",
        1,
        "Customers buying in a week {change}.",
        "每周购买客户数{change}。",
    ),
    "mean_purchase": (
        "behaviour",
        1,
        "The mean value of a purchase {change}.",
        "平均每次购买金额{change}。",
    ),
    "return_rate": (
        "product",
        -1,
        "Returns per purchase {change}.",
        "每笔购买对应的退货次数{change}。",
    ),
    "complaint_rate": (
        "feedback",
        -1,
        "Complaints per purchase {change}.",
        "每笔购买对应的投诉次数{change}。",
    ),
}


def _say_change(change, p_value):
    """Return in words, by language, how far a measure rose or fell, and if chance may do it."""
    size = f"{abs(change):.1%}"
    if size == "0.0%":
        return {"en": "stayed the same to a tenth of a percent", "zh": "基本不变（变化不足 0.1%）"}
    said = {
        "en": f"{'rose' if change > 0 else 'fell'} by {size}",
        "zh": f"{'上升' if change > 0 else '下降'} {size}",
    }
    if p_value >= 0.05:
        said = {
            "en": f"{said['en']}, no more than chance allows",
            "zh": f"{said['zh']}（未超出偶然范围）",
        }
    return said


def _weekly(tables, first, n_weeks):
    """Yield each measure's name, the table it rests on and its value in every complete week."""
    if "orders" not in tables:
        return
    weeks = _weekly_orders(tables["orders"], first, n_weeks)
    count = weeks["n_purchases"].to_numpy(dtype=float)
    some = np.where(count > 0, count, np.nan)
    yield "n_purchases", "orders", count
    yield "n_buyers", "orders", weeks["n_buyers"].to_numpy(dtype=float)
    yield "mean_purchase", "orders", weeks["value"].to_numpy() / some
    if weeks["n_others"].any():
        yield "return_rate", "orders", weeks["n_others"].to_numpy() / some
    if "tickets" in tables:
        complaints = tables["tickets"][tables["tickets"]["is_complaint"].astype(bool)]
        opened = (complaints["opened_at"] - first).dt.days // 7
        opened = opened[opened.between(0, n_weeks - 1)].astype("int64")
        yield "complaint_rate", "tickets", np.bincount(opened, minlength=n_weeks) / some


def _weekly_orders(orders, first, n_weeks):
    """Return purchases, other orders, buyers and value of each week of the window."""
    frame = read_frame("orders", orders, ["customer_id", "ordered_on", "amount"])
    year, amount = nw.col("ordered_on").dt.year() - 1, nw.col("amount")
    # Days since the year 1: engines count days between dates each in a way of its own.
    day = 365 * year + year // 4 - year // 100 + year // 400 + nw.col("ordered_on").dt.ordinal_day()
    since = day.cast(nw.Int64) - first.toordinal()
    is_bought = nw.when(amount > 0)
    marked = frame.with_columns(since=since).filter(
        (nw.col("since") >= 0) & (nw.col("since") < 7 * n_weeks)
    )
    marked = marked.select(
        week=nw.col("since") // 7,
        buyer=is_bought.then(nw.col("customer_id").cast(nw.String)),
        is_bought=is_bought.then(1).otherwise(0),
        bought=is_bought.then(amount.cast(nw.Float64)).otherwise(0.0),
    )
    grouped = (
        split_money(marked, ["bought"])
        .group_by("week")
        .agg(
            nw.len().alias("n_orders"),
            nw.col("is_bought").sum().alias("n_purchases"),
            *sum_money({"value": "bought"}),
        )
    )
    table = collect(grouped).set_index("week")
    pairs = marked.filter(~nw.col("buyer").is_null()).select("week", "buyer").unique()
    buyers = collect(pairs.group_by("week").agg(nw.len().alias("n_buyers"))).set_index("week")
    table = table.join(buyers).reindex(range(n_weeks)).fillna(0).astype("int64")
    table["value"] = join_money(table["value_whole"], table["value_parts"])
    return table.assign(n_others=table["n_orders"] - table["n_purchases"])
