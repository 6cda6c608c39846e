"""The log of uses against the licence."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.data.licensing import VERDICTS, check_uses, licence_status, list_uses, permit_use
from crmlab.data.simulate import simulate_population

DAYS = pd.to_datetime
LICENCES = pd.DataFrame(
    {
        "source": ["list", "panel"],
        "purpose": ["marketing", None],
        "starts_on": DAYS(["2024-02-01", None]),
        "licence_expires_on": DAYS(["2024-12-31", None]),
        "uses_allowed": pd.array([2, None], dtype="Int64"),
    }
)


def log(*uses):
    frame = pd.DataFrame(uses, columns=["source", "used_on", "purpose"])
    return frame.assign(used_on=DAYS(frame["used_on"]))


def test_verdicts_by_hand():
    uses = log(
        ("list", "2025-01-01", "marketing"),
        ("list", "2024-01-31", "marketing"),
        ("list", "2024-02-01", "research"),
        ("list", "2024-12-31", "marketing"),
        ("panel", "2030-01-01", "research"),
        ("stranger", "2024-06-01", "marketing"),
    )
    checked = check_uses(uses, LICENCES)
    assert checked["used_on"].is_monotonic_increasing
    found = checked.set_index(["source", "used_on"])["verdict"]
    assert found.tolist() == [
        "before_start",
        "wrong_purpose",
        "unknown_source",
        # The third use of two; every use made counts, whatever was wrong with it.
        "beyond_uses",
        # After the last day and beyond the uses: the end is named.
        "licence_expired",
        "permitted",
    ]
    assert checked["use_number"].tolist() == [1, 2, 1, 3, 4, 1]
    assert tuple(checked["verdict"].cat.categories) == VERDICTS


def test_last_day_is_a_day_of_use_and_the_next_is_not():
    uses = log(("list", "2024-12-31", "marketing"), ("list", "2025-01-01", "marketing"))
    assert check_uses(uses, LICENCES)["verdict"].tolist() == ["permitted", "licence_expired"]


@given(st.integers(0, 6), st.integers(0, 8))
def test_so_many_uses_are_permitted_as_the_licence_allows(allowed, n_uses):
    uses = log(*[("list", f"2024-03-{day + 1:02}", "marketing") for day in range(n_uses)])
    licences = LICENCES.assign(uses_allowed=allowed)
    verdicts = check_uses(uses, licences)["verdict"]
    assert (verdicts == "permitted").sum() == min(allowed, n_uses)


def test_a_use_is_refused_before_it_is_made():
    uses = log()
    for day in ("2024-03-01", "2024-04-01"):
        uses = permit_use(uses, LICENCES, source="list", used_on=day, purpose="marketing")
    assert len(uses) == 2
    before = uses.copy()
    with pytest.raises(ValueError, match=r"'list' may not be used .*uses allowed: 2, made: 2\."):
        permit_use(uses, LICENCES, source="list", used_on="2024-05-01", purpose="marketing")
    # Dated back, it is still one too many.
    with pytest.raises(ValueError, match="uses allowed: 2, made: 2"):
        permit_use(uses, LICENCES, source="list", used_on="2024-02-05", purpose="marketing")
    pd.testing.assert_frame_equal(uses, before)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (("list", "2025-01-01", "marketing"), r"on 2025-01-01: the licence ended on 2024-12-31"),
        (("list", "2024-01-01", "marketing"), r"the licence starts on 2024-02-01\. Wait"),
        (("list", "2024-03-01", "research"), "the licence is for marketing"),
        (("fax", "2024-03-01", "research"), "no licence names it"),
    ],
)
def test_each_term_broken_is_named(use, message):
    source, day, purpose = use
    with pytest.raises(ValueError, match=message):
        permit_use(log(), LICENCES, source=source, used_on=day, purpose=purpose)


def test_two_licences_of_one_source_and_a_use_without_day_are_refused():
    with pytest.raises(ValueError, match="'list' has two rows; expected one per source"):
        check_uses(log(), pd.concat([LICENCES, LICENCES]))
    with pytest.raises(ValueError, match="uses, row 1: used_on is missing"):
        check_uses(log(("list", None, "marketing")), LICENCES)


def test_status_of_the_simulated_sources_on_three_days():
    tables = simulate_population(400, seed=2)
    sources = tables["sources"]
    found = licence_status(sources, "2025-12-31")
    partner = found[found["origin"] == "partner"].iloc[0]
    in_list = tables["customers"]["acquisition_channel"] == "partner"
    reached = tables["contacts"]["customer_id"].isin(tables["customers"]["customer_id"][in_list])
    n_campaigns = tables["contacts"].loc[reached, "campaign"].nunique()
    assert partner["uses_left"] == 12 - n_campaigns
    assert partner["days_left"] == (pd.Timestamp("2027-12-31") - pd.Timestamp("2025-12-31")).days
    assert (found["verdict"] == "permitted").all()
    later = licence_status(sources, "2028-01-01")
    assert (later["verdict"] == "licence_expired").tolist() == (
        sources["origin"] != "own operation"
    ).tolist()
    used_up = licence_status(sources.assign(uses_made=sources["uses_allowed"]), "2025-12-31")
    assert (used_up["verdict"] == "beyond_uses").sum() == 1


def test_sources_without_terms_are_not_limited():
    sources = pd.DataFrame({"table": ["orders"], "origin": ["own operation"]})
    found = licence_status(sources, "2050-01-01").iloc[0]
    assert found["verdict"] == "permitted"
    assert pd.isna(found["days_left"])
    assert pd.isna(found["uses_left"])


def test_log_of_campaigns_counts_those_reached():
    contacts = pd.DataFrame(
        {
            "campaign": ["b", "b", "a", "a", "c"],
            "customer_id": ["x", "x", "x", "y", "y"],
            "contacted_on": DAYS(["2024-03-02", "2024-03-01"] + ["2024-01-01"] * 3),
            "is_treated": [True, True, True, False, False],
        }
    )
    uses = list_uses(contacts, source="list")
    # c held everybody out: nothing was used.
    assert uses["use"].tolist() == ["a", "b"]
    assert uses["n_customers"].tolist() == [1, 1]
    assert uses["used_on"].tolist() == list(DAYS(["2024-01-01", "2024-03-01"]))
