import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from crmlab.satisfaction import first_items, satisfaction_index, top_box_share, wave_chart

ITEMS = pd.DataFrame(
    {
        "item": ["e1", "e2", "q1"],
        "construct": ["expectation", "expectation", "perceived_quality"],
        "minimum": [1.0, 1.0, 0.0],
        "maximum": [10.0, 10.0, 10.0],
    }
)


def test_first_item_of_a_construct_brings_its_own_scale():
    first = first_items(ITEMS, required=["expectation"])
    assert first["item"].to_dict() == {"expectation": "e1", "perceived_quality": "q1"}
    assert first.loc["perceived_quality", "minimum"] == 0


def test_construct_without_an_item_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no item of the construct satisfaction; it knows expec"):
        first_items(ITEMS, required=["expectation", "satisfaction"])


def test_index_is_0_at_the_lowest_answer_and_100_at_the_highest():
    assert satisfaction_index([1, 1], minimum=1, maximum=10) == 0
    assert satisfaction_index([10, 10], minimum=1, maximum=10) == 100
    assert satisfaction_index([[1, np.nan], [10, 10]], minimum=1, maximum=10) == pytest.approx(
        200 / 3
    )
    assert np.isnan(satisfaction_index([np.nan], minimum=1, maximum=10))


@given(st.lists(st.integers(1, 7), min_size=1, max_size=30))
def test_index_does_not_depend_on_how_the_scale_is_numbered(answers):
    one = satisfaction_index(answers, minimum=1, maximum=7)
    two = satisfaction_index(np.array(answers) * 2 - 2, minimum=0, maximum=12)
    assert one == pytest.approx(two, abs=1e-10)


def test_top_box_share_counts_the_two_highest_answers():
    result = top_box_share([10, 9, 8, 1], minimum=1, maximum=10)
    assert result["share"] == 0.5
    assert top_box_share([10, 9, 8, 1], minimum=1, maximum=10, n_boxes=3)["share"] == 0.75
    assert top_box_share([10, np.nan], minimum=1, maximum=10)["n_answers"] == 1
    assert np.isnan(top_box_share([np.nan], minimum=1, maximum=10)["share"])


@given(st.integers(0, 25), st.integers(0, 25))
def test_top_box_interval_equals_scipys_wilson_interval(n_top, n_other):
    if n_top + n_other == 0:
        return
    answers = [5] * n_top + [1] * n_other
    ours = top_box_share(answers, minimum=1, maximum=5)
    theirs = binomtest(n_top, n_top + n_other).proportion_ci(method="wilson")
    assert ours["lower"] == pytest.approx(theirs.low, abs=1e-12)
    assert ours["upper"] == pytest.approx(theirs.high, abs=1e-12)


def test_wave_chart_limits_match_the_ones_on_paper():
    # Within each wave the variance is 2 with 1 degree of freedom, so s² = 2; n = 2, limits 3 s/√2.
    chart = wave_chart([4, 6, 5, 7, 6, 8], [1, 1, 2, 2, 3, 3])
    assert chart["centre"].unique().tolist() == [6]
    np.testing.assert_allclose(chart["upper_limit"], 6 + 3)
    np.testing.assert_allclose(chart["lower_limit"], 6 - 3)
    assert not chart["is_alert"].any()


def test_wave_chart_alerts_rarely_by_chance_and_always_when_a_wave_falls():
    # 3 sigma: about 2.7 of 1,000 quiet waves alert; 40 of 4,000 would be far beyond chance.
    rng = np.random.default_rng(5)
    waves = np.repeat(np.arange(4000), 50)
    quiet = rng.normal(7, 2, len(waves))
    assert wave_chart(quiet, waves)["is_alert"].sum() < 40
    fallen = quiet.copy()
    fallen[waves == 17] -= 3
    assert wave_chart(fallen, waves).set_index("wave")["is_alert"][17]


def test_wave_chart_has_no_limits_while_every_wave_has_one_answer():
    chart = wave_chart([4, 6], [1, 2])
    assert chart["upper_limit"].isna().all()
    assert not chart["is_alert"].any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: top_box_share([1], minimum=1, maximum=5, n_boxes=0), "n_boxes is 0"),
        (lambda: top_box_share([1], minimum=1, maximum=5, n_boxes=5), "expected 1 to 4"),
        (lambda: top_box_share([1], minimum=1, maximum=5, confidence=1), "confidence is 1"),
        (lambda: top_box_share([6], minimum=1, maximum=5), "outside the scale"),
        (lambda: satisfaction_index([0], minimum=1, maximum=5), "outside the scale"),
        (lambda: wave_chart([1], [1], n_sigma=0), "n_sigma is 0"),
        (lambda: wave_chart([1.0, 2.0], [1, None]), "wave at position 1 is missing"),
    ],
)
def test_survey_measures_refuse_what_has_no_meaning(call, message):
    with pytest.raises(ValueError, match=message):
        call()
