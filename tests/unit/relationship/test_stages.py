"""Stages and phases by rule, on histories read by hand."""

import numpy as np
import pytest

from crmlab.relationship.stages import assign_phases, assign_stages, average_course


def test_each_rule_decides_where_it_should(panel_of):
    panel = panel_of([[4, 4, 4, 4, 4, 10, 10, 10, 10, 2, 2, 2, 0, 0]])
    stage = assign_stages(panel, "n_visits").tolist()
    # All months with a volume: median 4, so that 4 is not high and 10 is.
    assert stage[:5] == ["exploration"] * 5
    assert stage[5:8] == ["formation"] * 3
    assert stage[8] == "formation"  # 10 against 6, three months before
    assert stage[11] == "decline"  # 2 against a peak of 10
    assert stage[13] == "ended"


def test_a_high_and_steady_pace_is_stability(panel_of):
    panel = panel_of([[9] * 6, [1] * 6])
    stage = assign_stages(panel, "n_visits", high_share=0.4).tolist()
    assert stage[4:6] == ["stability"] * 2
    assert stage[10:] == ["exploration"] * 2


def test_a_constant_pace_is_never_growth_nor_decline(panel_of):
    stage = assign_stages(panel_of([[3] * 12]), "n_visits")
    assert set(stage) == {"exploration"}


def test_scale_of_the_volume_changes_no_stage(panel_of):
    histories = np.random.default_rng(5).poisson(3, (20, 12))
    once = assign_stages(panel_of(histories), "n_visits")
    twice = assign_stages(panel_of(2 * histories), "n_visits")
    assert once.tolist() == twice.tolist()


def test_later_months_change_no_earlier_phase(panel_of):
    history = [0, 1, 0, 1, 2, 3, 3, 3, 3, 2, 1, 0, 0, 0]
    whole = assign_phases(panel_of([history]), "n_visits", quiet_months=3).tolist()
    for n in range(3, len(history)):
        assert (
            assign_phases(panel_of([history[:n]]), "n_visits", quiet_months=3).tolist() == whole[:n]
        )
    assert whole[0] == "acquisition"
    assert whole[-1] == "termination"


def test_saturation_lies_between_maturity_and_fading(panel_of):
    panel = panel_of([[4, 4, 4, 4, 4, 4, 4, 2.0, 3, 3]])
    phase = assign_phases(panel.astype({"n_visits": int}), "n_visits").tolist()
    assert phase[6] == "maturity"
    assert phase[9] == "saturation"  # 8/3 of 4: less than three quarters, more than half


def test_course_counts_only_those_whose_beginning_was_seen(panel_of):
    panel = panel_of([[1, 1, 1], [1, 1], [1, 1]])
    stages = assign_stages(panel, "n_visits")
    stages[:3] = "decline"  # of the one who was there before
    course = average_course(panel, stages, least_customers=2)
    assert len(course) == 2
    assert course["decline"].sum() == 0
    assert average_course(panel, stages, least_customers=3).empty


def test_a_panel_without_volume_and_thresholds_out_of_range_are_refused(panel_of):
    with pytest.raises(ValueError, match="n_visits is 0 in every customer-month"):
        assign_stages(panel_of([[0, 0]]), "n_visits")
    with pytest.raises(ValueError, match=r"fall is 1\.5; expected between 0 and 1"):
        assign_stages(panel_of([[1]]), "n_visits", fall=1.5)
    with pytest.raises(ValueError, match="quiet_months is 0"):
        assign_stages(panel_of([[1]]), "n_visits", quiet_months=0)
    with pytest.raises(ValueError, match=r"slack is 0\.6"):
        assign_phases(panel_of([[1]]), "n_visits", slack=0.6)
