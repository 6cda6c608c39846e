"""Parties, size, place and the firm's own people: by hand, and from the planted survey."""

import numpy as np
import pandas as pd
import pytest

from crmlab.data.simulate import SimulationParameters
from crmlab.data.simulate.staff import simulate_staff
from crmlab.segments.types.parties import (
    describe_parties,
    internal_satisfaction,
    internal_service_path,
)
from crmlab.segments.types.rules import assign_types, read_rules

CUSTOMERS = pd.DataFrame(
    {
        "customer_id": list("abcd"),
        "is_business": [True, True, False, True],
        "region": ["east", "west", "east", None],
    }
)
ACCOUNTS = pd.DataFrame(
    {
        "customer_id": ["a", "b"],
        "role": ["end user", "agent"],
        "n_employees": pd.array([500, None], dtype="Int64"),
    }
)


def test_parties_sizes_and_places_follow_from_the_record():
    measures = describe_parties(CUSTOMERS, ACCOUNTS)
    labels = {
        name: assign_types(measures, read_rules(name)).label.str.removeprefix("type_").tolist()
        for name in ("party", "size", "place")
    }
    # Of d nobody knows the role: it may be a partner.
    assert labels["party"] == ["business", "channel_partner", "consumer", "cannot_tell"]
    assert labels["size"] == ["large", "cannot_tell", "cannot_tell", "cannot_tell"]
    assert labels["place"] == ["local", "non_local", "local", "cannot_tell"]


def test_home_region_may_be_given_and_must_be_one_of_the_regions():
    assert describe_parties(CUSTOMERS, home_region="west")["is_local"].tolist()[:3] == [0, 1, 0]
    with pytest.raises(ValueError, match="home_region is 'nord'; expected one of east, west"):
        describe_parties(CUSTOMERS, home_region="nord")


def test_an_account_tells_a_business_where_no_flag_does():
    found = describe_parties(CUSTOMERS[["customer_id"]], ACCOUNTS)
    assert found["is_business"].tolist()[:2] == [1, 1]
    assert found["is_business"][2:].isna().all()
    assert found["is_local"].isna().all()


def test_internal_service_has_the_mean_and_the_interval_of_the_paper():
    staff = pd.DataFrame(
        {
            "department": ["sales", "sales", "sales", "it", "it"],
            "internal_support": [2.0, 4.0, np.nan, 6.0, np.nan],
            "internal_speed": [4.0, 4.0, 5.0, 6.0, np.nan],
            "job_satisfaction": [1.0, 2.0, 6.0, 5.0, 7.0],
        }
    )
    found = internal_satisfaction(staff)
    assert found.index.tolist() == ["sales", "it"]
    assert found["n_employees"].tolist() == [3, 1]  # who answered neither question is out
    assert found["internal_service"].tolist() == [4, 6]
    # Means 3, 4, 5: standard deviation 1, t of two degrees of freedom 4.3027.
    low, high = found.loc["sales", "internal_service_interval"]
    assert high == pytest.approx(4 + 4.3027 / np.sqrt(3), abs=1e-4)
    assert low + high == pytest.approx(8)
    assert found.loc["it", "internal_service_interval"] is None
    assert found["job_satisfaction"].tolist() == [3, 5]


def test_planted_departments_and_the_path_to_satisfaction_are_found():
    staff = simulate_staff(730, np.random.default_rng(1), SimulationParameters(n_staff=4000))
    found = internal_satisfaction(staff)
    assert found.index[0] == "service"  # planted at -0.4
    assert found.index[-1] == "management"  # planted at +0.4
    path = internal_service_path(staff)
    assert path["lower"] < path["correlation"] < path["upper"]
    # Planted at 0.55 between the latents; errors of measurement weaken it.
    assert 0.25 < path["correlation"] < 0.55


def test_a_survey_that_does_not_vary_or_is_empty_is_told():
    staff = pd.DataFrame({"department": ["a"] * 5})
    staff[["internal_support", "internal_speed", "job_satisfaction"]] = 4.0
    assert internal_service_path(staff)[["correlation", "lower", "upper"]].isna().all()
    with pytest.raises(ValueError, match="nobody answered on internal service"):
        internal_satisfaction(staff.assign(internal_support=np.nan, internal_speed=np.nan))
    with pytest.raises(ValueError, match="the column 'internal_speed' is missing"):
        internal_satisfaction(staff.drop(columns="internal_speed"))
