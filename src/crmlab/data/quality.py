"""How good the data are: rules as rows of a table, checked row by row, and scores made of them.

Who asks: whoever must say whether customer data are *authentic* (they speak of real customers and
say what is so) and *valid* (complete, in the form agreed, recent enough), and where to mend them
first: by table, by column or by the system they came from. A rule is a row of ``quality_rules.csv``
beside this module; a user's own rules are a table of the same columns.

Vocabulary. Every rule belongs to one of `DIMENSIONS`. ISO/IEC 25012:2008 calls timeliness
*currentness*, conformity *compliance* and authenticity a part of *credibility*; GB/T 36344-2018
names conformity (规范性), completeness (完整性), accuracy (准确性), consistency (一致性),
timeliness (时效性) and accessibility (可访问性), the last of which is no property of a table. A
*score* is the share of checks passed; a rule that does not apply to a cell (an empty one cannot
have a wrong form) is not counted.

A rule sees only what contradicts a form, a reference or another field: a plausible value that is
wrong passes. Scores are therefore upper bounds of what they are named for.

`check_rows` says of every row of a table in memory which rules it breaks. `count_rules` only counts
them, of a table of any engine, however large: what it needs in memory does not grow with the rows.
"""

import csv
from functools import cache
from importlib.resources import files

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.data.engines import collect, read_frame
from crmlab.data.quality_checks import CHECKS, NEEDS_DAY, RowCheck, other_columns

__all__ = [
    "AUTHENTICITY",
    "DIMENSIONS",
    "VALIDITY",
    "check_rows",
    "count_rules",
    "count_signals",
    "gather_item_rules",
    "list_item_rules",
    "load_rules",
    "score_counts",
    "score_detection",
    "score_quality",
    "summarise_rules",
]

DIMENSIONS = (
    "accuracy", "timeliness", "completeness", "conformity", "consistency", "authenticity",
)  # fmt: skip
"""What a rule can be about."""

AUTHENTICITY = ("accuracy", "consistency", "authenticity")
"""The dimensions that say whether data are authentic."""

VALIDITY = ("timeliness", "completeness", "conformity")
"""The dimensions that say whether data are valid."""


@cache
def _read_rules():
    with (
        files(__package__).joinpath("quality_rules.csv").open(encoding="utf-8", newline="") as rows
    ):
        return list(csv.DictReader(rows))


def load_rules(table=None):
    """Return the rules, of one table or of all.

    Parameters
    ----------
    table : str, optional
        Name of a table.

    Returns
    -------
    pandas.DataFrame, one row per rule
        `rule`, `table`, `column`, `dimension`, `check`, `argument` and what it asks for, `en` and
        `zh`.

    Examples
    --------
    >>> load_rules("tickets")[["rule", "check"]].values.tolist()
    [['ticket_closed_after', 'not_before'], ['ticket_answer_filled', 'filled']]
    """
    rules = pd.DataFrame(_read_rules())
    return rules if table is None else rules[rules["table"] == table].reset_index(drop=True)


def list_item_rules(items):
    """Return the rules that a survey's own questions set: each answered, and within its scale.

    Parameters
    ----------
    items : pandas.DataFrame
        The table `items`: `item`, `minimum`, `maximum`.

    Returns
    -------
    pandas.DataFrame
        Rules of the table `survey`, as `load_rules` gives them.

    Examples
    --------
    >>> items = pd.DataFrame({"item": ["q1"], "minimum": [1.0], "maximum": [10.0]})
    >>> list_item_rules(items)[["rule", "check", "argument"]].values.tolist()
    [['q1_filled', 'filled', ''], ['q1_on_scale', 'between', '1..10']]
    """
    rows = []
    for item in items.itertuples(index=False):
        scale = f"{item.minimum:g}..{item.maximum:g}"
        said = (f"Answer lies in {scale}", f"答案在 {scale} 之内")
        there = ("Question is answered", "题项已作答")
        rows += [
            (f"{item.item}_filled", "survey", item.item, "completeness", "filled", "", *there),
            (f"{item.item}_on_scale", "survey", item.item, "conformity", "between", scale, *said),
        ]
    return pd.DataFrame(rows, columns=load_rules().columns)


def check_rows(frame, rules, *, as_of):
    """Return whether each row passes each rule.

    Parameters
    ----------
    frame : pandas.DataFrame
        A table; left unchanged.
    rules : pandas.DataFrame
        Rules of this table, as `load_rules` gives them. A rule on a column that the table does not
        have is left out; a column without a single value was not collected, and whether it is
        filled is not checked.
    as_of : pandas.Timestamp or None
        The day on which data are judged, which ages and timeliness are counted from; rules that
        need it are left out where it is None.

    Returns
    -------
    pandas.DataFrame of boolean, one row per row of `frame`, one column per rule
        Missing where the rule does not apply.

    Raises
    ------
    ValueError
        If a rule has an unknown check or dimension, or an argument that cannot be read.

    Examples
    --------
    >>> frame = pd.DataFrame({"email": ["a@b.example", "nobody", None]})
    >>> rules = load_rules("records").query("rule == 'record_email_form'")
    >>> check_rows(frame, rules, as_of=None)["record_email_form"].tolist()
    [True, False, <NA>]
    """
    whole = nw.from_native(frame)
    schema = whole.collect_schema()
    passed = {}
    for rule in _usable(rules, frame.columns, as_of):
        passes, applies = _ask(rule, whole, schema, as_of, lambda check: check.judge(whole))
        passed[rule.rule] = pd.array(passes, dtype="boolean")
        passed[rule.rule][~applies] = pd.NA
    return pd.DataFrame(passed, index=frame.index, dtype="boolean")


def count_rules(table, rules, *, as_of):
    """Return how many rows each rule was checked on and how many failed, of a table of any engine.

    The same as `summarise_rules` of `check_rows`, to the last row, without an answer per row.

    Parameters
    ----------
    table : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        Read once for the rules that look at single rows, once or twice more for each of the
        others. Rules on a text bring its different values into memory.
    rules, as_of
        As for `check_rows`.

    Returns
    -------
    pandas.DataFrame, one row per rule that was checked
        As `summarise_rules` returns it.

    Raises
    ------
    ValueError
        If it is no table, or as in `check_rows`.

    Examples
    --------
    >>> orders = pd.DataFrame({"amount": [5.0, 7.0], "margin": [2.0, 8.0]})
    >>> count_rules(orders, load_rules("orders"), as_of=None)[["rule", "n_failed"]].values.tolist()
    [['order_amount_usual', 0], ['order_margin_filled', 0], ['order_margin_below', 1]]
    """
    frame = read_frame("table", table, [])
    schema = frame.collect_schema()
    usable = list(_usable(rules, schema.names(), as_of))
    checks = {r.rule: _ask(r, frame, schema, as_of, lambda check: check) for r in usable}
    of_rows = {name: check for name, check in checks.items() if isinstance(check, RowCheck)}
    counts = {}
    try:
        asked = [check.counts(name) for name, check in of_rows.items()]
        asked = {name: count for pair in asked for name, count in pair.items()}
        if asked:  # all in one go, so that the table is read once
            row = collect(frame.select(**asked)).fillna(0).iloc[0]
            counts = {name: check.read_counts(row, name) for name, check in of_rows.items()}
    except Exception:  # engines' errors have no kind in common, and name no rule
        counts = {}
    for rule in usable:
        if rule.rule not in counts:
            counts[rule.rule] = _ask(rule, frame, schema, as_of, lambda check: check.count(frame))
    found = np.array([counts[rule.rule] for rule in usable], dtype="int64").reshape(-1, 2)
    used = rules[rules["rule"].isin(counts)].reset_index(drop=True)
    return _tell(used, found[:, 0], found[:, 1])


def _usable(rules, columns, as_of):
    """Yield the rules that can be checked on these columns; refuse what is no rule."""
    for rule in rules.itertuples(index=False):
        if rule.check not in CHECKS or rule.dimension not in DIMENSIONS:
            raise ValueError(
                f"rule {rule.rule!r} has the check {rule.check!r} in the dimension "
                f"{rule.dimension!r}; expected one of {', '.join(CHECKS)} and one of "
                f"{', '.join(DIMENSIONS)}"
            )
        needs_day = rule.check in NEEDS_DAY and as_of is None
        if not needs_day and {rule.column, *other_columns(rule)} <= set(columns):
            yield rule


def _ask(rule, frame, schema, as_of, question):
    """Return what a rule's check answers, or say which rule it was that could not be used."""
    try:
        return question(CHECKS[rule.check](frame, schema, rule.column, rule.argument, as_of))
    except Exception as error:
        raise ValueError(
            f"rule {rule.rule!r}: the check {rule.check!r} cannot use the argument "
            f"{rule.argument!r} on the column {rule.column!r} ({error})"
        ) from error


def _tell(rules, checked, right):
    """Return the summary of rules from the rows each was checked on and those that passed."""
    return rules[["rule", "table", "column", "dimension"]].assign(
        n_checked=checked,
        n_failed=checked - right,
        share_passed=np.divide(right, checked, out=np.full(len(rules), np.nan), where=checked > 0),
        en=rules["en"],
        zh=rules["zh"],
    )


def summarise_rules(passed, rules):
    """Return how many rows each rule was checked on and how many failed.

    Parameters
    ----------
    passed : pandas.DataFrame
        From `check_rows`.
    rules : pandas.DataFrame
        The rules that were checked.

    Returns
    -------
    pandas.DataFrame, one row per rule that was checked
        `rule`, `table`, `column`, `dimension`, `n_checked`, `n_failed`, `share_passed` (NaN where
        it applied to no row), and what it asks for, `en` and `zh`.

    Examples
    --------
    >>> frame = pd.DataFrame({"email": ["a@b.example", "nobody", None]})
    >>> rules = load_rules("records")
    >>> found = summarise_rules(check_rows(frame, rules, as_of=None), rules).set_index("rule")
    >>> found.loc["record_email_form", ["n_checked", "n_failed"]].tolist()
    [2, 1]
    """
    rules = rules[rules["rule"].isin(passed.columns)].reset_index(drop=True)
    checked = passed[rules["rule"]].notna().sum().to_numpy()
    right = passed[rules["rule"]].fillna(False).sum().to_numpy()
    return _tell(rules, checked, right)


def gather_item_rules(summary, items):
    """Return the summary with the rules of all questions on one construct put into one row.

    A questionnaire of a hundred questions has two hundred rules, which nobody reads. The worst
    question of each construct is named, so that no fault hides behind the others.

    Parameters
    ----------
    summary : pandas.DataFrame
        From `summarise_rules`.
    items : pandas.DataFrame
        The table `items`: `item`, `construct`.

    Returns
    -------
    pandas.DataFrame
        The columns of `summary`. Rows of other tables and columns first, as they were; then a row
        per construct and dimension: `column` is the construct, `n_checked` and `n_failed` are
        sums over its questions, and `en` and `zh` name how many they are and the worst of them
        with its own share. A construct of one question keeps its rule.

    Examples
    --------
    >>> items = pd.DataFrame({"item": ["q1", "q2"], "construct": "trust", "minimum": 1.0,
    ...                       "maximum": 5.0})
    >>> answers = pd.DataFrame({"q1": [1.0, 2.0], "q2": [4.0, None]})
    >>> rules = list_item_rules(items)
    >>> found = summarise_rules(check_rows(answers, rules, as_of=None), rules)
    >>> gathered = gather_item_rules(found, items)
    >>> gathered[["column", "n_checked", "n_failed"]].values.tolist()
    [['trust', 4, 1], ['trust', 3, 0]]
    >>> gathered["en"][0]
    'Question is answered (2 questions, fewest passed: q2, 50%)'
    """
    construct = summary["column"].map(items.set_index("item")["construct"])
    is_item = (summary["table"] == "survey") & construct.notna()
    rows = []
    for (name, _), rules in summary[is_item].groupby([construct, "dimension"], sort=False):
        if len(rules) == 1:
            rows.append(rules)
            continue
        n_checked, n_failed = rules["n_checked"].sum(), rules["n_failed"].sum()
        worst = rules.sort_values("share_passed", kind="stable").iloc[0]
        share = "" if np.isnan(worst["share_passed"]) else f"{worst['share_passed']:.0%}"
        en = f"{worst['en']} ({len(rules)} questions, fewest passed: {worst['column']}, {share})"
        zh = f"{worst['zh']}（共 {len(rules)} 题，最差：{worst['column']}，{share}）"
        passed = (n_checked - n_failed) / n_checked if n_checked else np.nan
        new = {"rule": f"{name}_{worst['dimension']}", "column": name, "n_checked": n_checked}
        new |= {"n_failed": n_failed, "share_passed": passed, "en": en, "zh": zh}
        rows.append(worst.to_frame().T.assign(**new).astype(summary.dtypes))
    return pd.concat([summary[~is_item], *rows], ignore_index=True)


def score_quality(passed, rules, by=None):
    """Return the score of each dimension, and of authenticity and validity as a whole.

    Parameters
    ----------
    passed : pandas.DataFrame
        From `check_rows`.
    rules : pandas.DataFrame
        The rules that were checked.
    by : array_like, shape (n_rows,), optional
        What the rows are told apart by, such as the system of each record.

    Returns
    -------
    pandas.DataFrame, one row per value of `by`, or one row called ``all``
        A column per dimension of `DIMENSIONS`: share of checks passed, NaN where nothing was
        checked; `authenticity_score` and `validity_score`: mean of the dimensions in
        `AUTHENTICITY` and `VALIDITY` that were checked, each dimension counting once, so that ten
        rules of completeness do not outvote one of timeliness.

    Examples
    --------
    >>> frame = pd.DataFrame({"email": ["a@b.example", "nobody", None]})
    >>> rules = load_rules("records").query("rule in ('record_email_form', 'record_email_filled')")
    >>> score_quality(check_rows(frame, rules, as_of=None), rules)["validity_score"].round(4).item()
    0.5833
    """
    group = pd.Series("all" if by is None else np.asarray(by, dtype=object), index=passed.index)
    dimension = rules.set_index("rule")["dimension"].reindex(passed.columns)
    scores = {}
    for name in DIMENSIONS:
        of_it = passed[passed.columns[(dimension == name).to_numpy()]]
        n_checked = of_it.notna().sum(axis=1).groupby(group).sum()
        n_passed = of_it.fillna(False).sum(axis=1).groupby(group).sum()
        scores[name] = n_passed / n_checked.where(n_checked > 0)
    return _add_means(pd.DataFrame(scores, dtype=float).rename_axis(None))


def score_counts(summary):
    """Return the scores of a table from what its rules counted.

    Parameters
    ----------
    summary : pandas.DataFrame
        From `count_rules` or `summarise_rules`, of one table.

    Returns
    -------
    pandas.Series
        The row ``all`` that `score_quality` returns.

    Examples
    --------
    >>> orders = pd.DataFrame({"amount": [5.0, 7.0], "margin": [2.0, 8.0]})
    >>> summary = count_rules(orders, load_rules("orders"), as_of=None)
    >>> score_counts(summary)[["consistency", "authenticity_score"]].tolist()
    [0.5, 0.75]
    """
    n_rows = summary.groupby("dimension")[["n_checked", "n_failed"]].sum().reindex(DIMENSIONS)
    passed = (n_rows["n_checked"] - n_rows["n_failed"]) / n_rows["n_checked"]
    shares = passed.where(n_rows["n_checked"] > 0).astype(float)
    return _add_means(shares.to_frame("all").T).rename_axis(columns=None).loc["all"]


def _add_means(scores):
    """Return scores by dimension with those of authenticity and validity."""
    return scores.assign(
        authenticity_score=scores[list(AUTHENTICITY)].mean(axis=1),
        validity_score=scores[list(VALIDITY)].mean(axis=1),
    )


def count_signals(passed, rules):
    """Return how many signs of a fake each row bears: failed rules of authenticity and accuracy.

    Parameters
    ----------
    passed : pandas.DataFrame
        From `check_rows`.
    rules : pandas.DataFrame
        The rules that were checked; those of `authenticity` count.

    Returns
    -------
    pandas.Series of int, one per row

    Examples
    --------
    >>> frame = pd.DataFrame({"name": ["asdf", "澄星和"], "phone": ["11111111111", "12900001111"]})
    >>> rules = load_rules("records")
    >>> count_signals(check_rows(frame, rules, as_of=None), rules).tolist()
    [2, 0]
    """
    counted = rules.loc[rules["dimension"] == "authenticity", "rule"]
    counted = [name for name in counted if name in passed]
    return (~passed[counted].fillna(True)).sum(axis=1).astype("int64")


def score_detection(is_found, is_fake):
    """Return how many of the records found are fake, and how many of the fakes were found.

    Parameters
    ----------
    is_found, is_fake : array_like of bool, shape (n_rows,)

    Returns
    -------
    pandas.Series
        `n_flagged`, `n_fake`, `n_right`, `precision` and `recall` (NaN where there is nothing to
        divide by), `precision_all`: what flagging everything would reach, the share of fakes.

    Examples
    --------
    >>> score_detection([True, True, False, False], [True, False, True, False])["recall"].item()
    0.5
    """
    is_found, is_fake = np.asarray(is_found, dtype=bool), np.asarray(is_fake, dtype=bool)
    if is_found.shape != is_fake.shape:
        raise ValueError(
            f"is_found has {len(is_found)} rows and is_fake {len(is_fake)}; expected the same rows"
        )
    n_found, n_fake, n_right = is_found.sum(), is_fake.sum(), (is_found & is_fake).sum()
    return pd.Series(
        {
            "n_flagged": int(n_found),
            "n_fake": int(n_fake),
            "n_right": int(n_right),
            "precision": n_right / n_found if n_found else np.nan,
            "recall": n_right / n_fake if n_fake else np.nan,
            "precision_all": is_fake.mean() if len(is_fake) else np.nan,
        }
    )
