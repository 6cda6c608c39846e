"""Differences and uplift by segment: by hand, by unlike programs, by experiments that were made."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.data.sampling import adjust_p_values
from crmlab.segments.effects import (
    difference_by_segment,
    planted_uplift,
    test_heterogeneity,
    uplift_by_segment,
)


def experiment(n=600, n_each=3, seed=4, lifts=(0.2, 0.0)):
    """Contacts of customers of two segments who respond alike again and again."""
    rng = np.random.default_rng(seed)
    names = [f"c{i:04d}" for i in range(n)]
    segment = pd.Series(np.where(np.arange(n) < n // 2, 1, 2), index=names)
    customer = np.repeat(np.arange(n), n_each)
    habit = rng.beta(1, 3, n)  # the same in all contacts of a customer
    treated = rng.random(n * n_each) < 0.7
    lift = np.array(lifts)[segment.to_numpy()[customer] - 1]
    responded = rng.random(n * n_each) < habit[customer] * (1 - lift) + lift * treated
    contacts = pd.DataFrame(
        {
            "customer_id": np.array(names)[customer],
            "is_treated": treated,
            "has_responded": responded,
        }
    )
    return contacts, segment


def test_difference_is_welchs_test_of_another_program():
    rng = np.random.default_rng(1)
    score = pd.Series(rng.normal(size=60) + np.repeat([0.0, 1.0, 0.2], 20))
    segment = pd.Series(np.repeat([1, 2, 3], 20))
    table = difference_by_segment(score, segment, confidence=0.9)
    for row in table.itertuples():
        other = stats.ttest_ind(
            score[segment == row.segment], score[segment != row.segment], equal_var=False
        )
        ends = other.confidence_interval(0.9)
        assert row.p_value == pytest.approx(other.pvalue)
        assert (row.lower, row.upper) == (pytest.approx(ends.low), pytest.approx(ends.high))
    np.testing.assert_allclose(table["adjusted_p_value"], adjust_p_values(table["p_value"]))


def test_waves_are_compared_within_themselves():
    # A later wave that is higher throughout is no difference between segments.
    score = pd.Series([1.0, 2.0, 1.0, 2.0, 8.0, 9.0, 8.0, 9.0])
    segment = pd.Series([1, 1, 2, 2] * 2)
    wave = pd.Series([1] * 4 + [2] * 4)
    table = difference_by_segment(score, segment, by=wave)
    assert table["part"].tolist() == [1, 1, 2, 2]
    assert table["difference"].tolist() == [0.0] * 4


def test_gaps_are_left_out_and_a_segment_of_one_has_no_interval():
    score = pd.Series([1.0, np.nan, 3.0, 4.0, 5.0])
    table = difference_by_segment(score, pd.Series([1, 1, 2, 2, 2])).set_index("segment")
    assert table["n_known"].to_dict() == {1: 1, 2: 3}
    assert table["lower"].isna().all()
    assert table.loc[1, "difference"] == pytest.approx(-3)


def test_uplift_of_customers_with_one_contact_is_the_difference_of_two_shares():
    contacts, segment = experiment(n_each=1)
    table = uplift_by_segment(contacts, segment).set_index("segment")
    for name in (1, 2):
        own = contacts[contacts["customer_id"].map(segment) == name]
        hits = own.groupby("is_treated")["has_responded"].sum()
        n = own.groupby("is_treated").size()
        shares, added = hits / n, (hits + 1) / (n + 2)
        error = np.sqrt((shares * (1 - shares) / n).sum() * len(own) / (len(own) - 1))
        least = np.sqrt((added * (1 - added) / (n + 2)).sum())
        assert table.loc[name, "uplift"] == pytest.approx(shares[True] - shares[False])
        assert table.loc[name, "standard_error"] == pytest.approx(max(error, least))
        middle = table.loc[name, ["lower", "upper"]].mean()
        assert middle == pytest.approx(added[True] - added[False])


def test_few_contacts_that_end_alike_are_no_proof():
    """11 of 19 against 0 of 5: Fisher's exact p is 0.041; with the plain error, below 1e-6.

    Fisher's test errs on the safe side with so few; a normal one is allowed a quarter of its p.
    """
    contacts = pd.DataFrame(
        {
            "customer_id": range(24),
            "is_treated": [True] * 19 + [False] * 5,
            "has_responded": [True] * 11 + [False] * 13,
        }
    )
    row = uplift_by_segment(contacts, pd.Series(1, index=range(24))).iloc[0]
    exact = stats.fisher_exact([[11, 8], [0, 5]]).pvalue
    assert exact == pytest.approx(0.041, abs=0.001)
    assert exact / 4 < row["p_value"] < 2 * exact
    fewer = uplift_by_segment(contacts.drop(index=23), pd.Series(1, index=range(24))).iloc[0]
    assert fewer["uplift"] == pytest.approx(11 / 19)
    assert np.isnan(fewer["p_value"])


def test_errors_count_customers_and_not_contacts():
    """Every contact written down three times tells no more: the error stays, if customers count."""
    contacts, segment = experiment(n_each=1)
    once = uplift_by_segment(contacts, segment)
    thrice = uplift_by_segment(pd.concat([contacts] * 3), segment)
    np.testing.assert_allclose(thrice["standard_error"], once["standard_error"], rtol=0.01)
    np.testing.assert_allclose(thrice["uplift"], once["uplift"])


def test_interval_covers_the_uplift_put_in_as_often_as_it_says():
    covered = []
    for seed in range(40):
        contacts, segment = experiment(n=200, seed=seed, lifts=(0.2, 0.0))
        table = uplift_by_segment(contacts, segment)
        truth = np.array([0.2, 0.0])
        covered += table["lower"].le(truth).mul(table["upper"].ge(truth)).tolist()
    # 80 intervals of 95 %: four standard errors are 10 points.
    assert np.mean(covered) == pytest.approx(0.95, abs=0.10)


def test_equal_effects_are_told_from_unequal_ones():
    contacts, segment = experiment(n=2000, lifts=(0.3, 0.0))
    table = uplift_by_segment(contacts, segment)
    assert test_heterogeneity(table["uplift"], table["standard_error"])["p_value"] < 1e-4
    assert table["adjusted_p_value"][0] < 1e-4
    contacts, segment = experiment(n=2000, lifts=(0.2, 0.2))
    table = uplift_by_segment(contacts, segment)
    found = test_heterogeneity(table["uplift"], table["standard_error"])
    assert found["p_value"] > 1e-3
    assert found["pooled"] == pytest.approx(0.2, abs=0.06)


def test_heterogeneity_of_two_is_the_square_of_their_z():
    found = test_heterogeneity([0.5, 0.1, np.nan], [0.2, 0.1, 0.3])
    z = 0.4 / np.sqrt(0.05)
    assert found["q"] == pytest.approx(z**2)
    assert found["p_value"] == pytest.approx(2 * stats.norm.sf(z))
    assert np.isnan(test_heterogeneity([0.5], [0.1])["p_value"])


def test_contacts_of_unknown_customers_are_left_out_and_counted():
    contacts, segment = experiment(n=20)
    before = contacts.copy()
    table = uplift_by_segment(contacts, segment.iloc[1:])
    assert table.attrs["n_left_out"] == 3
    assert [str(name) for name in table["segment"]] == ["1", "2"]
    pd.testing.assert_frame_equal(contacts, before)


def test_only_contacts_after_a_day_count():
    contacts, segment = experiment(n=60)
    days = pd.date_range("2024-01-01", periods=len(contacts), freq="D")
    contacts["contacted_on"] = days.to_series(index=contacts.index).mask(contacts.index == 170)
    is_later = contacts["contacted_on"] > days[90]
    found = uplift_by_segment(contacts, segment, after=days[90])
    expected = uplift_by_segment(contacts[is_later], segment)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert found[["n_treated", "n_held_out"]].sum(axis=None) == is_later.sum() == 88
    truth = pd.DataFrame({"customer_id": segment.index, "dropped_out_on": days[100]})
    truth = truth.assign(uplift_probability=0.5, purchase_rate_per_week=0.0)
    planted = planted_uplift(contacts, truth, segment, after=days[90], weeks=1)
    assert planted.tolist() == [pytest.approx(0.5 * 2 / 88)]  # of the days 91 and 92


def test_an_arm_without_customers_leaves_the_uplift_open():
    contacts, segment = experiment(n=40)
    is_first = contacts["customer_id"].map(segment) == 1
    contacts.loc[is_first, "is_treated"] = True
    table = uplift_by_segment(contacts, segment).set_index("segment")
    assert np.isnan(table.loc[1, "uplift"])
    assert np.isnan(table.loc[1, "adjusted_p_value"])
    assert table.loc[2, "adjusted_p_value"] == table.loc[2, "p_value"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, s: (c.drop(columns="is_treated"), s), "column 'is_treated' is missing"),
        (lambda c, s: (c.assign(is_treated=True), s), "nobody was held out"),
        (lambda c, s: (c, pd.concat([s, s])), "names a customer twice"),
    ],
)
def test_contacts_that_tell_no_effect_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        uplift_by_segment(*change(*experiment(n=20)))


def test_difference_refuses_other_respondents():
    score = pd.Series([1.0, 2.0])
    with pytest.raises(ValueError, match="different indices"):
        difference_by_segment(score, pd.Series([1, 2], index=[5, 6]))


def test_planted_uplift_leaves_out_what_a_contact_cannot_add():
    day = pd.Timestamp("2024-05-15")
    names = list("abcd")
    truth = pd.DataFrame(
        {
            "customer_id": names,
            "uplift_probability": [0.4, 0.4, 0.4, 0.1],
            "purchase_rate_per_week": [0.0, np.log(2) / 2, 0.0, 0.0],
            "dropped_out_on": [pd.NaT, pd.NaT, day + pd.Timedelta(days=14), pd.NaT],
        }
    )
    contacts = pd.DataFrame({"customer_id": [*names, "a"], "contacted_on": day})
    found = planted_uplift(contacts, truth, pd.Series({"a": 1, "b": 1, "c": 2}))
    # a twice at 0.4; b would have ordered anyway in one case of two; c left within two weeks.
    assert found.to_dict() == pytest.approx({1: (0.4 + 0.2 + 0.4) / 3, 2: 0.0})
    numbers = dict(zip(names, range(4), strict=True))
    contacts, truth = (t.replace({"customer_id": numbers}) for t in (contacts, truth))
    assert planted_uplift(contacts, truth, pd.Series({0: 1, 1: 1, 2: 2})).equals(found)
