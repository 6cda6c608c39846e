import numpy as np
import pandas as pd
import pytest

from crmlab.performance import (
    decision_matrix,
    indicator_catalogue,
    principle_checklist,
    scorecard,
)


@pytest.fixture
def by_quarter():
    rows = []
    facts = indicator_catalogue().set_index("indicator")
    for indicator, values in {
        "revenue": [100.0, 120, 90],
        "retention_rate": [np.nan, 0.5, 0.6],
        "churn_rate": [np.nan, 0.5, 0.4],
        "complaint_rate": [0.1, 0.1, 0.2],
        "net_promoter_score": [np.nan, np.nan, 12.0],
    }.items():
        for period, value in zip(["2024Q1", "2024Q2", "2024Q3"], values, strict=True):
            fact = facts.loc[indicator]
            rows.append(
                {
                    "indicator": indicator,
                    "view": fact["view"],
                    "department": fact["department"],
                    "period": period,
                    "value": value,
                    "direction": fact["direction"],
                    "unit": fact["unit"],
                }
            )
    return pd.DataFrame(rows)


def test_scorecard_compares_the_last_quarter_with_the_one_before(by_quarter):
    card = scorecard(by_quarter).set_index("indicator")
    assert card.loc["revenue", ["value", "previous", "change"]].tolist() == [90, 120, -30]
    assert card["trend"].dropna().to_dict() == {
        "revenue": "worse",
        "retention_rate": "better",
        "churn_rate": "better",
        "complaint_rate": "worse",
    }


def test_scorecard_judges_the_change_of_a_proportion_by_its_standard_error(by_quarter):
    # 50 of 100, then 60 of 100: pooled 0.55, so z = 0.1 / √(0.55 × 0.45 × 2/100) = 1.4213.
    counts = by_quarter.assign(
        numerator=(by_quarter["value"] * 100).where(by_quarter["unit"] == "share"),
        denominator=100.0,
    )
    z = scorecard(counts).set_index("indicator")["z"]
    assert z["retention_rate"] == pytest.approx(0.1 / np.sqrt(0.55 * 0.45 * 0.02))
    assert z["churn_rate"] == pytest.approx(-z["retention_rate"])
    assert z[["revenue", "net_promoter_score"]].isna().all()
    assert scorecard(by_quarter)["z"].isna().all()


def test_scorecard_of_the_first_quarter_knows_no_trend(by_quarter):
    card = scorecard(by_quarter, period="2024Q1")
    assert card[["previous", "change", "trend", "z"]].isna().all(axis=None)
    assert (
        scorecard(by_quarter, period="2024Q2").set_index("indicator")["trend"]["complaint_rate"]
        == "unchanged"
    )


@pytest.mark.parametrize(
    ("indicator", "before", "now", "trend"),
    [
        ("retention_rate", 0.9731, 0.97341, "unchanged"),  # 97.3 % and 97.3 %
        ("retention_rate", 0.973, 0.974, "better"),
        ("order_frequency", 2.541, 2.5425, "unchanged"),  # 2.54 and 2.54
        ("order_frequency", 2.53, 2.54, "better"),
        ("revenue", 459_426.0, 459_427.0, "better"),
        ("n_active_customers", 0.0, 0.0, "unchanged"),
    ],
)
def test_scorecard_calls_a_change_that_nobody_sees_unchanged(indicator, before, now, trend):
    fact = indicator_catalogue().set_index("indicator").loc[indicator]
    rows = pd.DataFrame({"period": ["2024Q1", "2024Q2"], "value": [before, now]})
    keys = ["view", "department", "direction", "unit"]
    rows = rows.assign(indicator=indicator, **fact[keys].to_dict())
    assert scorecard(rows)["trend"].tolist() == [trend]


def test_scorecard_refuses_a_quarter_that_is_not_there(by_quarter):
    with pytest.raises(ValueError, match="no period '2030Q1'; expected one of 2024Q1, 2024Q2"):
        scorecard(by_quarter, period="2030Q1")


def test_scorecard_of_no_quarter_at_all_is_refused(by_quarter):
    with pytest.raises(ValueError, match="by_quarter has no row"):
        scorecard(by_quarter[:0])


def test_principles_of_the_whole_catalogue_are_all_kept():
    checklist = principle_checklist(indicator_catalogue())
    assert checklist["is_met"].all()
    balances = checklist[checklist["principle"] != "all views"]
    assert (balances["one_side"] + balances["other_side"] == len(indicator_catalogue())).all()


def test_principles_of_money_alone_are_not_kept():
    checklist = principle_checklist(["revenue", "gross_margin"]).set_index("principle")
    assert not checklist["is_met"].any()
    assert checklist.loc["financial and non-financial", ["one_side", "other_side"]].tolist() == [
        2,
        0,
    ]


def test_principles_depend_on_the_share_that_is_asked_for():
    keys = ["revenue", "gross_margin", "margin_rate", "return_share", "average_order_value",
            "retention_rate"]  # fmt: skip
    at = {
        share: principle_checklist(keys, minimum_share=share).set_index("principle")["is_met"]
        for share in (0.1, 0.3)
    }
    assert at[0.1]["financial and non-financial"]
    assert not at[0.3]["financial and non-financial"]


@pytest.mark.parametrize(
    ("keys", "options", "message"),
    [
        (["profit"], {}, "no indicator 'profit'"),
        ([], {}, "no indicator to check"),
        (["revenue"], {"minimum_share": 0.9}, "minimum_share is 0.9"),
    ],
)
def test_principles_refuse_what_is_no_set_of_indicators(keys, options, message):
    with pytest.raises(ValueError, match=message):
        principle_checklist(keys, **options)


def test_decision_matrix_has_no_gaps_and_says_what_it_left_out(by_quarter):
    decision = decision_matrix(by_quarter)
    assert list(decision.matrix.index) == ["2024Q2", "2024Q3"]
    assert list(decision.matrix.columns) == ["revenue", "retention_rate", "complaint_rate"]
    assert decision.left_out.to_numpy().tolist() == [
        ["indicator", "churn_rate", "says the same as retention_rate"],
        ["indicator", "net_promoter_score", "known in 1 of 3 quarters"],
        ["period", "2024Q1", "without retention_rate"],
    ]
    assert decision.directions["complaint_rate"] == "lower"
    assert decision.views["complaint_rate"] == "customer_satisfaction"


def test_decision_matrix_keeps_all_quarters_when_every_one_must_be_known(by_quarter):
    decision = decision_matrix(by_quarter, minimum_share=1)
    assert decision.matrix.shape == (3, 2)


def test_decision_matrix_refuses_when_nothing_is_left(by_quarter):
    sparse = by_quarter.copy()
    sparse.loc[sparse["indicator"].isin(["revenue", "complaint_rate"]), "value"] = np.nan
    with pytest.raises(ValueError, match="no quarter has all indicators"):
        decision_matrix(sparse[sparse["period"] == "2024Q1"].assign(value=np.nan))
    with pytest.raises(ValueError, match="minimum_share is 0"):
        decision_matrix(sparse, minimum_share=0)


def test_scorecard_and_matrix_leave_the_indicators_unchanged(by_quarter):
    copy = by_quarter.copy()
    scorecard(by_quarter)
    decision_matrix(by_quarter)
    pd.testing.assert_frame_equal(by_quarter, copy)
