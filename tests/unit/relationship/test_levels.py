"""Kotler's levels, the choice among them, and the four kinds by mix of contacts."""

import numpy as np
import pandas as pd
import pytest

from crmlab.relationship.levels import (
    LEVEL_CHOICE,
    RELATIONSHIP_LEVELS,
    assign_contact_kinds,
    assign_levels,
    choose_levels,
)

LADDER = pd.DataFrame(
    {
        "n_joint_projects": [0, 0, 0, 0, 1],
        "n_outbound_contacts": [0, 0, 2, 12, 0],
        "n_inbound_contacts": [0, 1, 0, 0, 0],
        "days_to_follow_up": [np.nan, 31, 30, np.nan, np.nan],
    }
)


def test_each_level_has_its_sign():
    assert assign_levels(LADDER).tolist() == list(RELATIONSHIP_LEVELS)


def test_more_contact_never_lowers_the_level():
    more = LADDER.assign(n_outbound_contacts=LADDER["n_outbound_contacts"] + 12)
    assert (assign_levels(more).cat.codes >= assign_levels(LADDER).cat.codes).all()


def test_what_is_missing_decides_nothing_or_cannot_tell():
    without = LADDER.drop(columns="n_joint_projects")
    assert assign_levels(without).tolist()[-1] == "basic"
    unknown = LADDER.astype(float).assign(n_outbound_contacts=np.nan)
    assert assign_levels(unknown).tolist() == ["cannot tell"] * 4 + ["partnership"]


def test_choice_rises_with_margin_and_falls_with_numbers():
    place = {name: i for i, name in enumerate(RELATIONSHIP_LEVELS)}
    table = LEVEL_CHOICE.map(place.get)
    assert (table.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)
    assert (table.diff().iloc[1:] >= 0).all(axis=None)
    groups = pd.DataFrame({"n_customers": [50, 51, 500], "margin_rate": [0.4, 0.399, 0.1]})
    assert choose_levels(groups)["chosen_level"].tolist() == ["partnership", "accountable", "basic"]
    unknown = choose_levels(groups.assign(margin_rate=np.nan))
    assert set(unknown["chosen_level"]) == {"cannot tell"}


def test_kinds_by_mix_of_contacts():
    accounts = pd.DataFrame(
        {
            "n_joint_projects": [0, 0, 0, 2, 0, np.nan],
            "trust": [5.0, 5, 2, 2, 5, 5],
            "goal_congruence": [5.0, 5, 2, 2, 5, 5],
            "n_outbound_contacts": [6, 4, 9, 0, 5, 9],
            "n_inbound_contacts": [4, 6, 1, 0, 5, 1],
        }
    )
    assert assign_contact_kinds(accounts).tolist() == [
        "sales",
        "service",
        "competitor",
        "partner",
        "cannot tell",
        "cannot tell",
    ]


def test_refusals():
    with pytest.raises(ValueError, match="no contacts to read a level from"):
        assign_levels(pd.DataFrame({"n_joint_projects": [1]}))
    with pytest.raises(ValueError, match="few below many"):
        choose_levels(pd.DataFrame({"n_customers": [1], "margin_rate": [0.1]}), few=9, many=9)
    with pytest.raises(ValueError, match="no column n_joint_projects"):
        assign_contact_kinds(pd.DataFrame({"trust": [1.0]}))
    with pytest.raises(ValueError, match=r"least_share is 0\.5"):
        assign_contact_kinds(LADDER.assign(trust=1.0, goal_congruence=1.0), least_share=0.5)
