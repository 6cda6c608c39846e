"""Measures of what customers do: silence, shares, requests."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.types.behaviour import describe_requests, silence_churn, smoothed_share

END = pd.Timestamp("2024-12-31")


def test_silence_is_weighed_by_bayes():
    # Two customers with a purchase every 10 days, up to 15 days ago and up to today; the mean
    # gap is 10 as well, so theirs is (90 + 10) / 10 = 10.
    churn = silence_churn(pd.Series([15.0, 0.0]), pd.Series([105.0, 90.0]), pd.Series([9.0, 9.0]))
    expected = 0.3 / (0.3 + 0.7 * np.exp(-1.5))
    assert churn.tolist() == pytest.approx([expected, 0.3])


def test_longer_silence_and_faster_pace_make_leaving_likelier():
    days = pd.Series([10.0, 50.0, 50.0])
    churn = silence_churn(days, days + 100, pd.Series([4.0, 4.0, 9.0]))
    assert churn.is_monotonic_increasing
    with pytest.raises(ValueError, match="share_left is 0; expected"):
        silence_churn(days, days, days, share_left=0)


def test_silence_of_buyers_who_all_bought_once_says_nothing():
    days, none = pd.Series([5.0, 300.0]), pd.Series([0.0, 0.0])
    assert silence_churn(days, days, none).isna().all()
    # One customer with a second purchase gives all of them a pace.
    first, repeats = days + pd.Series([0.0, 60.0]), pd.Series([0.0, 1.0])
    assert silence_churn(days, first, repeats).between(0.3, 1).all()


def test_smoothed_shares_lie_between_own_and_overall_and_lose_their_pull():
    hits, n = pd.Series([1.0, 30.0, np.nan]), pd.Series([1.0, 100.0, 4.0])
    overall = 31 / 101
    found = smoothed_share(hits, n)
    assert found[0] == pytest.approx((1 + 2 * overall) / 3)
    assert abs(found[1] - 0.3) < 0.001
    assert np.isnan(found[2])
    assert smoothed_share(hits, n, strength=0)[0] == 1
    with pytest.raises(ValueError, match="strength is -1"):
        smoothed_share(hits, n, strength=-1)


def requests(**columns):
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "asked_on": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-12-20", "2024-12-30"]),
            "kind": ["price", "comparison", "price", "advice"],
        }
    )
    return frame.assign(**columns)


def test_requests_are_settled_by_an_answer_or_by_time():
    found = describe_requests(
        requests(answer=["granted", None, None, "helped"]),
        pd.Index(["a", "b", "c"]),
        observed_to=END,
    )
    assert found["n_requests"].tolist() == [3, 1, 0]
    assert found["price_requests"].tolist() == [2, 0, 0]
    # The request of 20 December is still open.
    assert found["n_settled_requests"].tolist() == [2, 1, 0]
    shares = ["granted_share", "helped_share", "tailored_share", "neglected_share"]
    assert found.loc["a", shares].tolist() == [0.5, 0, 0, 0.5]
    assert found.loc["b", shares].tolist() == [0, 1, 0, 0]
    assert found.loc["c", shares].isna().all()
    sooner = describe_requests(
        requests(answer=None), pd.Index(["a"]), observed_to=END, answer_days=5
    )
    assert sooner.loc["a", ["n_settled_requests", "neglected_share"]].tolist() == [3, 1]


def test_a_log_without_answers_tells_what_was_asked_and_no_more():
    found = describe_requests(requests(), pd.Index(["a"]), observed_to=END)
    assert found["n_requests"].tolist() == [3]
    assert found[["n_settled_requests", "granted_share"]].isna().all(axis=None)
    with pytest.raises(ValueError, match="the column 'kind' is missing"):
        describe_requests(requests().drop(columns="kind"), pd.Index(["a"]), observed_to=END)
