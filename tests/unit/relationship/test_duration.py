"""Lengths of relationships, with those that go on and those that came before."""

import numpy as np
import pandas as pd
import pytest

from crmlab.relationship.duration import estimate_survival, measure_tenure, survival_quantile


def by_hand(tenure):
    """Return the product-limit estimate at each end, by its definition."""
    share, found = 1.0, []
    for day in sorted(tenure.loc[tenure["has_ended"], "tenure_days"].unique()):
        at_risk = ((tenure["entry_days"] <= day) & (tenure["tenure_days"] >= day)).sum()
        ended = ((tenure["tenure_days"] == day) & tenure["has_ended"]).sum()
        share *= 1 - ended / at_risk
        found.append((day, share))
    return np.array(found)


def drawn(n=4000, mean=200.0, seed=6):
    """Exponential lengths; watched from a random moment on, if still there, for 300 days."""
    rng = np.random.default_rng(seed)
    length, begins = rng.exponential(mean, n), rng.uniform(-400, 200, n)
    entry = np.maximum(0, -begins)
    is_seen = length > entry
    until = np.minimum(length, 300 - begins)
    table = pd.DataFrame(
        {"tenure_days": until, "has_ended": length <= 300 - begins, "entry_days": entry}
    )[is_seen]
    return table.assign(**table[["tenure_days", "entry_days"]].apply(np.floor))


def test_curve_agrees_with_the_definition():
    tenure = drawn(200)
    curve = estimate_survival(tenure).iloc[1:]
    wanted = dict(by_hand(tenure))
    shown = curve[curve["tenure_days"].isin(wanted)]
    assert len(shown) == len(wanted)
    np.testing.assert_allclose(shown["survival"], list(wanted.values()), rtol=1e-10)


def test_without_censoring_it_is_the_share_that_lasts():
    tenure = pd.DataFrame({"tenure_days": [0, 1, 1, 5], "has_ended": True, "entry_days": 0})
    curve = estimate_survival(tenure).set_index("tenure_days")["survival"]
    np.testing.assert_allclose(curve.iloc[1:], [0.75, 0.25, 0.0], atol=1e-12)


def test_drawn_lengths_come_out_unless_late_entry_is_forgotten():
    tenure = drawn()
    curve = estimate_survival(tenure, level=0.997)
    at = np.searchsorted(curve["tenure_days"], 200) - 1
    assert curve["lower"][at] < np.exp(-1) < curve["upper"][at]
    late_as_whole = estimate_survival(tenure.assign(entry_days=0.0))
    later = np.searchsorted(late_as_whole["tenure_days"], 200) - 1
    assert late_as_whole["survival"][later] > curve["upper"][at]


def test_silence_ends_a_relationship_with_its_last_order():
    day = pd.to_datetime
    table = measure_tenure(
        day(pd.Series(["2024-01-01", "2023-12-01"])),
        day(pd.Series(["2024-01-01", "2024-01-05"])),
        day(pd.Series(["2024-01-21", "2024-02-28"])),
        observed_to="2024-03-01",
        quiet_days=30,
    )
    assert table["has_ended"].tolist() == [True, False]
    assert table["tenure_days"].tolist() == [20, 91]
    assert table["entry_days"].tolist() == [0, 35]


def test_median_is_undefined_while_more_than_half_go_on():
    tenure = pd.DataFrame(
        {"tenure_days": [5, 9, 9], "has_ended": [True, False, False], "entry_days": 0}
    )
    assert np.isnan(survival_quantile(estimate_survival(tenure)))


def test_refusals():
    tenure = pd.DataFrame({"tenure_days": [5], "has_ended": [False], "entry_days": [0]})
    with pytest.raises(ValueError, match="no relationship has ended"):
        estimate_survival(tenure)
    with pytest.raises(ValueError, match="must be 0 or more"):
        estimate_survival(tenure.assign(tenure_days=-1))
    days = pd.to_datetime(pd.Series(["2024-01-01"]))
    with pytest.raises(ValueError, match="began_on <= first_seen_on"):
        measure_tenure(
            days, days - pd.Timedelta(days=1), days, observed_to="2024-02-01", quiet_days=9
        )
    with pytest.raises(ValueError, match="a day is missing"):
        measure_tenure(days, days, days.where(days.isna()), observed_to="2024-02-01", quiet_days=9)
    with pytest.raises(ValueError, match="quiet_days is 0"):
        measure_tenure(days, days, days, observed_to="2024-02-01", quiet_days=0)


def test_curve_that_breaks_off_where_too_few_were_watched_is_refused():
    # One was watched from the beginning and left; another came years before the data and stayed on.
    tenure = pd.DataFrame(
        {"tenure_days": [31, 1492], "has_ended": [True, True], "entry_days": [0, 1096]}
    )
    with pytest.raises(ValueError, match=r"still followed at 31 days \(1\) all ended there"):
        estimate_survival(tenure)
