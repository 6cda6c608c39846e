"""From indicators to a scorecard: what changed, is the system balanced, what can be judged.

Who asks: the head of a department who wants to see the own figures against the quarter before;
whoever designs an indicator system and must show that it is not all money or all short term; and
whoever needs a clean table of quarters by indicators for an evaluation.

Vocabulary. A *view* is one of the four of the CRM scorecard; an indicator that says the same as
another (churn as retention) *repeats* it and must not count twice in an evaluation.

Source of the balance asked of an indicator system: Kaplan, R. S. & Norton, D. P. (1992), The
balanced scorecard: measures that drive performance, Harvard Business Review 70(1), 71–79.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.performance.catalogue import VIEWS, indicator_catalogue

__all__ = ["DecisionMatrix", "decision_matrix", "principle_checklist", "scorecard"]

# Quotients that count customers or contacts one by one, so that a binomial error makes sense.
_PROPORTIONS = (
    "survey_coverage",
    "response_rate",
    "resolved_in_time_share",
    "retention_rate",
    "churn_rate",
    "repeat_purchase_rate",
)


@dataclass(frozen=True)
class DecisionMatrix:
    """Quarters by indicators, without gaps, ready to be judged.

    Attributes
    ----------
    matrix : pandas.DataFrame
        One row per quarter, one column per indicator, all finite.
    directions, views : pandas.Series of str
        Direction and view of each indicator.
    left_out : pandas.DataFrame
        `kind` ("indicator" or "period"), `name` and `reason` of what was left out.
    """

    matrix: pd.DataFrame
    directions: pd.Series
    views: pd.Series
    left_out: pd.DataFrame


def scorecard(by_quarter, *, period=None):
    """Return the indicators of one quarter beside those of the quarter before.

    Parameters
    ----------
    by_quarter : pandas.DataFrame
        Result of `indicators_by_quarter`.
    period : str or None
        Quarter to show, such as "2024Q4"; None takes the last one.

    Returns
    -------
    pandas.DataFrame, one row per indicator
        `indicator`, `view`, `department`, `direction`, `unit`, `value`, `previous` and `change`
        (value − previous, in the indicator's unit; NaN in the first quarter); `trend`: "better",
        "worse", "unchanged" (the two read alike: a share to 0.1 per cent, another number to three
        significant digits) or missing; and `z`, the change of a proportion in standard errors
        under no change (NaN for other indicators, and where the frame has no numerators).

    Raises
    ------
    ValueError
        If there is no such quarter, or none at all.

    Notes
    -----
    `z` takes the two quarters for independent samples. They share customers, which makes it a
    rough guide: within ±2 a change of a proportion is no news.

    Examples
    --------
    >>> columns = ["indicator", "view", "department", "period", "value", "direction", "unit"]
    >>> rows = [["churn_rate", "customer_value", "sales", q, v, "lower", "share"]
    ...         for q, v in [("2024Q1", 0.30), ("2024Q2", 0.25)]]
    >>> scorecard(pd.DataFrame(rows, columns=columns))["trend"].tolist()
    ['better']
    """
    periods = sorted(by_quarter["period"].unique())
    if not periods:
        raise ValueError("by_quarter has no row; expected the result of indicators_by_quarter")
    period = periods[-1] if period is None else period
    if period not in periods:
        raise ValueError(f"no period {period!r}; expected one of {', '.join(periods)}")
    at = periods.index(period)
    card = by_quarter[by_quarter["period"] == period].reset_index(drop=True)
    before = by_quarter[by_quarter["period"] == periods[at - 1]] if at > 0 else by_quarter[:0]
    before = before.set_index("indicator").reindex(card["indicator"]).reset_index()
    card["previous"] = before["value"].astype("float64")
    card["change"] = card["value"] - card["previous"]
    gain = card["change"].where(card["direction"] == "higher", -card["change"])
    gain = gain.mask(_reads_alike(card), 0.0)
    trend = np.select([gain > 0, gain < 0, gain == 0], ["better", "worse", "unchanged"], "")
    card["trend"] = pd.Series(trend, index=card.index, dtype="str").where(gain.notna())
    card["z"] = _z_of_change(card, before)
    order = ["indicator", "view", "department", "direction", "unit", "value", "previous"]
    return card[[*order, "change", "trend", "z"]]


def principle_checklist(indicators, *, minimum_share=0.15):
    """Return whether a set of indicators keeps the principles of a balanced system.

    Parameters
    ----------
    indicators : pandas.DataFrame or iterable of str
        Indicators in use: a frame with a column `indicator`, or their keys.
    minimum_share : float
        Share of the indicators that the smaller side of a balance must have, 0 to 0.5.

    Returns
    -------
    pandas.DataFrame, one row per principle
        `principle` ("all views", "financial and non-financial", "short and long term", "counted
        and judged", "results and drivers"), `one_side` and `other_side` (numbers of indicators;
        for "all views" the views with and without an indicator), `share` (of the smaller side;
        for "all views" of views that are covered) and `is_met`.

    Raises
    ------
    ValueError
        If an indicator is not in the catalogue, there is none, or the share is out of range.

    Examples
    --------
    >>> principle_checklist(["revenue", "retention_rate"])["is_met"].tolist()
    [False, True, True, False, False]
    """
    if not 0 <= minimum_share <= 0.5:
        raise ValueError(f"minimum_share is {minimum_share!r}; expected 0 to 0.5")
    keys = indicators["indicator"] if isinstance(indicators, pd.DataFrame) else indicators
    keys = list(dict.fromkeys(keys))
    catalogue = indicator_catalogue().set_index("indicator")
    unknown = [key for key in keys if key not in catalogue.index]
    if unknown:
        raise ValueError(f"no indicator {unknown[0]!r}; indicator_catalogue() lists them all")
    if not keys:
        raise ValueError("there is no indicator to check; expected at least one")
    used = catalogue.loc[keys]
    n_views = used["view"].nunique()
    rows = [
        {
            "principle": "all views",
            "one_side": n_views,
            "other_side": len(VIEWS) - n_views,
            "share": n_views / len(VIEWS),
            "is_met": n_views == len(VIEWS),
        }
    ]
    for principle, flag in (
        ("financial and non-financial", "is_financial"),
        ("short and long term", "is_long_term"),
        ("counted and judged", "is_judged"),
        ("results and drivers", "is_driver"),
    ):
        n = int(used[flag].sum())
        # "short", "counted" and "results" are the sides without the flag.
        sides = (n, len(used) - n) if flag == "is_financial" else (len(used) - n, n)
        share = min(sides) / len(used)
        rows.append(
            {
                "principle": principle,
                "one_side": sides[0],
                "other_side": sides[1],
                "share": share,
                "is_met": min(sides) > 0 and share >= minimum_share,
            }
        )
    return pd.DataFrame(rows)


def decision_matrix(by_quarter, *, minimum_share=0.5):
    """Return the quarters by indicators without gaps, and what had to be left out for that.

    In this order: indicators that repeat another one; indicators known in less than
    `minimum_share` of the quarters; quarters in which an indicator that remains is not known.

    Parameters
    ----------
    by_quarter : pandas.DataFrame
        Result of `indicators_by_quarter`.
    minimum_share : float
        Share of the quarters in which an indicator must be known, above 0 and up to 1.

    Returns
    -------
    DecisionMatrix

    Raises
    ------
    ValueError
        If nothing is left to judge, or the share is out of range.

    Examples
    --------
    >>> columns = ["indicator", "view", "period", "value", "direction"]
    >>> rows = [["revenue", "customer_value", "2024Q1", 5.0, "higher"],
    ...         ["revenue", "customer_value", "2024Q2", 6.0, "higher"],
    ...         ["retention_rate", "customer_value", "2024Q2", 0.8, "higher"],
    ...         ["churn_rate", "customer_value", "2024Q2", 0.2, "lower"]]
    >>> decision = decision_matrix(pd.DataFrame(rows, columns=columns))
    >>> decision.matrix.shape, decision.left_out["name"].tolist()
    ((1, 2), ['churn_rate', '2024Q1'])
    """
    if not 0 < minimum_share <= 1:
        raise ValueError(f"minimum_share is {minimum_share!r}; expected above 0 and up to 1")
    order = list(dict.fromkeys(by_quarter["indicator"]))
    wide = by_quarter.pivot(index="period", columns="indicator", values="value")  # noqa: PD010
    wide = wide[order].sort_index().rename_axis(index=None, columns=None)
    repeats = indicator_catalogue().set_index("indicator")["repeats"]
    left_out = []
    for key in order:
        known = wide[key].notna().mean()
        if repeats.get(key, "") in order:
            reason = f"says the same as {repeats[key]}"
        elif known < minimum_share:
            reason = f"known in {int(wide[key].notna().sum())} of {len(wide)} quarters"
        else:
            continue
        left_out.append({"kind": "indicator", "name": key, "reason": reason})
    wide = wide.drop(columns=[row["name"] for row in left_out])
    for period, row in wide.iterrows():
        if row.isna().any():
            gaps = ", ".join(row.index[row.isna()])
            left_out.append({"kind": "period", "name": period, "reason": f"without {gaps}"})
    wide = wide.dropna()
    if wide.empty:
        raise ValueError(
            "no quarter has all indicators; raise minimum_share so that indicators with gaps are "
            "left out instead, or widen the window"
        )
    facts = by_quarter.drop_duplicates("indicator").set_index("indicator")
    return DecisionMatrix(
        matrix=wide,
        directions=facts.loc[list(wide.columns), "direction"].rename_axis(None),
        views=facts.loc[list(wide.columns), "view"].rename_axis(None),
        left_out=pd.DataFrame(left_out, columns=["kind", "name", "reason"]),
    )


def _reads_alike(card):
    """Return whether value and previous differ by nothing that a reader of either would see."""
    largest = card[["value", "previous"]].abs().max(axis=1)
    digits = 10.0 ** (np.floor(np.log10(largest.where(largest > 0))) - 2)
    # A number of a thousand or more is read whole.
    step = digits.clip(upper=1.0).mask(card["unit"] == "share", 0.001)
    return card["change"].abs().lt(step / 2).fillna(value=False)


def _z_of_change(now, before):
    """Return the change of each proportion in standard errors of the pooled proportion."""
    if not {"numerator", "denominator"} <= set(now.columns):
        return pd.Series(np.nan, index=now.index)
    k1, n1 = now["numerator"], now["denominator"]
    k0, n0 = before["numerator"], before["denominator"]
    pooled = (k1 + k0) / (n1 + n0)
    variance = pooled * (1 - pooled) * (1 / n1.where(n1 > 0) + 1 / n0.where(n0 > 0))
    is_known = now["indicator"].isin(_PROPORTIONS) & (variance > 0)
    return (now["change"] / np.sqrt(variance.where(is_known))).astype("float64")
