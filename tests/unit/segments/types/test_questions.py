"""Five questions: rates by hand, areas under the curve, and what contacts foretell."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from crmlab.segments.types.questions import (
    channel_response,
    judge_contacts,
    judge_score,
    offer_response,
)

CONTACTS = pd.DataFrame(
    {
        "customer_id": ["a", "a", "a", "b", "c"],
        "channel": ["mail", "mail", "sms", "sms", "sms"],
        "contacted_on": pd.to_datetime(["2024-01-01"] * 2 + ["2024-02-01"] * 3),
        "is_treated": [True, True, True, True, False],
        "has_responded": [True, True, False, False, True],
    }
)


def test_rates_by_channel_are_drawn_towards_those_of_the_channel():
    found = channel_response(CONTACTS, strength=2)
    # Mail is answered always, sms never; b has had no mail and is given its rate.
    assert found["mail"].tolist() == [1, 1]
    assert found["sms"].tolist() == [0, 0]
    assert found["best_channel"].tolist() == ["mail", "mail"]
    assert found["best_response_rate"].tolist() == [1, 1]


def test_offers_are_counted_beyond_those_held_out():
    # Of four contacts two are answered; of one held out, one.
    found = offer_response(CONTACTS, strength=2)
    assert found.to_dict() == pytest.approx({"a": 3 / 5 - 1, "b": 1 / 3 - 1})
    assert offer_response(CONTACTS[CONTACTS["is_treated"]]).isna().all()


def test_area_agrees_with_scikit_learn_and_with_chance():
    rng = np.random.default_rng(2)
    came_true = pd.Series(rng.random(300) < 0.3)
    score = pd.Series(rng.integers(0, 5, 300) + came_true)
    found = judge_score(score.astype("float64"), came_true)
    assert found["auc"] == pytest.approx(roc_auc_score(came_true, score))
    assert judge_score(score * 0.0, came_true)["auc"] == pytest.approx(0.5)


def test_a_score_of_nobody_or_of_one_outcome_has_no_area():
    nothing = judge_score(pd.Series([np.nan, 1.0]), pd.Series([True, None]))
    assert nothing["n_customers"] == 0
    assert np.isnan(nothing["auc"])
    one = judge_score(pd.Series([0.2, 1.0]), pd.Series([True, True]))
    assert one["share_true"] == 1
    assert np.isnan(one["auc"])
    with pytest.raises(ValueError, match="different indices"):
        judge_score(pd.Series([1.0]), pd.Series([True], index=[5]))


def test_contacts_of_one_day_can_foretell_nothing():
    orders = pd.DataFrame(
        {"customer_id": ["a"], "amount": [1.0], "ordered_on": pd.to_datetime(["2024-01-01"])}
    )
    judged, refusals = judge_contacts(CONTACTS.iloc[:2], orders)
    assert not len(judged)
    assert set(refusals) == {"is_interested", "best_channel", "takes_offers"}
    with pytest.raises(ValueError, match="nobody was contacted"):
        channel_response(CONTACTS.assign(is_treated=False))


def test_channels_are_learnt_before_and_judged_after():
    # Customers with an answer by mail keep answering; the second day has the answers to judge.
    n = 40
    ids = [f"c{i}" for i in range(n)]
    answers = [i % 2 == 0 for i in range(n)]
    day = {"channel": "mail", "is_treated": True}
    first = pd.DataFrame({"customer_id": ids, "has_responded": answers, **day})
    first["contacted_on"] = pd.Timestamp("2024-01-01")
    later = first.assign(contacted_on=pd.Timestamp("2024-03-01"))
    orders = pd.DataFrame(
        {"customer_id": ids, "amount": 1.0, "ordered_on": pd.Timestamp("2023-12-01")}
    )
    judged, refusals = judge_contacts(pd.concat([first, later], ignore_index=True), orders)
    assert judged.loc["best_channel", "auc"] == 1
    assert judged.loc["best_channel", "n_customers"] == n
    assert refusals["takes_offers"].startswith("nobody was held out")
    turned = later.assign(has_responded=~later["has_responded"])
    judged, _ = judge_contacts(pd.concat([first, turned], ignore_index=True), orders)
    assert judged.loc["best_channel", "auc"] == 0


@pytest.mark.parametrize(("sizes", "n_judged"), [((20, 20, 40), 35), ((50, 20, 10), 25)])
def test_the_later_half_is_judged_without_those_held_out(sizes, n_judged):
    # The day on which half had been made counts as later, but never the first day.
    n = sum(sizes)
    days = pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]).repeat(sizes)
    place = np.arange(n)
    contacts = pd.DataFrame(
        {
            "customer_id": [f"c{i % 20}" for i in place],
            "channel": "mail",
            "contacted_on": days,
            "is_treated": place < n - 5,
            "has_responded": place % 3 == 0,
        }
    )
    bought = pd.DataFrame({"customer_id": ["c0"], "amount": 1.0, "ordered_on": days[:1]})
    judged, _ = judge_contacts(contacts.sample(frac=1, random_state=1), bought)
    assert judged.loc["best_channel", "n_customers"] == n_judged


def test_three_pairs_in_order_are_no_proof():
    found = judge_score(pd.Series([0.1, 0.2, 0.9]), pd.Series([False, False, True]))
    # Ranks by chance: variance (n + 1) / (12 · 1 · 2) = 4 / 24.
    assert found["auc"] == 1
    assert found["auc_standard_error"] == pytest.approx((4 / 24) ** 0.5)
