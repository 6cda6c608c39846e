"""Value management: which steps the data allow, and whether service keeps to its rules."""

import pandas as pd
import pytest

from crmlab.value.management import (
    SERVICE_RULES,
    VALUE_MANAGEMENT_STEPS,
    review_value_management,
    service_by_rule,
)
from crmlab.value.matrix import VALUE_QUADRANTS

BEST, WORST = "high_current_high_potential", "low_current_low_potential"
TICKETS = pd.DataFrame(
    {
        "customer_id": ["a", "a", "b", "b", "c"],
        "channel": ["chat", "email", "chat", "chat", "chat"],
        "first_response_hours": [2.0, 7.0, 20.0, None, 1.0],
    }
)
QUADRANT = pd.Series({"a": BEST, "b": WORST})


def test_steps_lack_what_is_not_there():
    orders = pd.DataFrame(columns=["customer_id", "ordered_on", "amount", "channel"])
    table = review_value_management({"orders": orders})
    assert table["step"].tolist() == list(VALUE_MANAGEMENT_STEPS)
    lacks = table.set_index("step")["lacks"]
    assert lacks["business_plan"] == lacks["behaviour_analysis"] == ""
    assert lacks["processes"] == "contacts.channel, tickets.channel"
    assert (table["n_at_hand"] == table["n_needed"]).tolist() == [s == "" for s in table["lacks"]]


def test_service_is_held_against_the_rule_of_each_customer():
    table = service_by_rule(TICKETS, QUADRANT).set_index(["value_quadrant", "channel"])
    assert table.loc[(BEST, "chat"), ["n_tickets", "share_in_time"]].tolist() == [1, 1]
    whole = table.loc[(BEST, "all_channels")]
    assert whole["n_tickets"] == 2
    assert whole["share_in_time"] == 0.5  # 2 of 4 hours, and 7 of 4
    assert whole["median_response_hours"] == 4.5
    # Unanswered is late, and has no hours.
    assert table.loc[(WORST, "chat"), "share_in_time"] == 0.5
    assert table.loc[(WORST, "chat"), "median_response_hours"] == 20
    assert (WORST, "email") not in table.index


def test_everybody_has_a_rule_and_better_customers_wait_no_longer():
    assert list(SERVICE_RULES) == list(VALUE_QUADRANTS.values())
    assert SERVICE_RULES[BEST] < SERVICE_RULES[WORST]


def test_tickets_of_unknown_customers_are_left_out_and_bad_input_is_refused():
    assert service_by_rule(TICKETS, QUADRANT)["n_tickets"].sum() == 2 * 4
    with pytest.raises(ValueError, match="'first_response_hours' is missing"):
        service_by_rule(TICKETS.drop(columns="first_response_hours"), QUADRANT)
    with pytest.raises(ValueError, match="answered before they came"):
        service_by_rule(TICKETS.assign(first_response_hours=-1.0), QUADRANT)
    with pytest.raises(ValueError, match="no rule for customers who are 'low_current_low"):
        service_by_rule(TICKETS, QUADRANT, rules={BEST: 4.0})
