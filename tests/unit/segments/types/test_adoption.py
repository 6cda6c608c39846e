"""Who adopts when: places, contacts, and Bass's model against published and planted numbers."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize

from crmlab.atlas import text_in
from crmlab.segments.types.adoption import (
    BassModel,
    adopters_by_period,
    count_links,
    describe_adoption,
    fit_bass,
)

END = pd.Timestamp("2024-12-31")
DAYS = pd.Series(
    pd.to_datetime(["2024-01-10", "2024-02-10", None, "2024-02-10"]), index=list("abcd")
)
LINKS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "a", "x", "b"],
        "other_id": ["b", "a", "c", "a", "d"],
        "kind": ["call", "referral", "call", "call", "call"],
    }
)


def test_places_and_contacts_of_four_customers_are_those_of_the_paper():
    found = describe_adoption(DAYS, DAYS, LINKS, observed_to=END)
    # Ties share the place of the last; c has not adopted.
    assert found["adoption_place"].tolist() == [0.25, 0.75, np.inf, 0.75]
    # a had nobody before; b had a, and d on the same day; c had a by the last day.
    assert found["share_before"].tolist() == [0, 0.5, 1, 0]


def test_customers_who_joined_after_the_end_are_no_population():
    joined = DAYS.where(DAYS.notna(), pd.Timestamp("2025-06-01"))
    found = describe_adoption(DAYS, joined, observed_to=END)
    assert found.loc["a", "adoption_place"] == pytest.approx(1 / 3)
    assert found["share_before"].isna().all()


def test_links_count_each_pair_once_and_strangers_never():
    found = count_links(LINKS, DAYS.index)
    assert found["n_linked"].tolist() == [2, 2, 1, 1]
    assert found["n_referrals"].tolist() == [0, 1, 0, 0]


def test_customers_who_are_numbers_have_their_links():
    found = count_links(LINKS.replace(dict(zip("abcd", range(4), strict=True))), pd.Index(range(4)))
    pd.testing.assert_frame_equal(found, count_links(LINKS, DAYS.index).set_axis(found.index))


def test_periods_are_whole_and_begin_with_the_first_adoption():
    # From 10 January the second period of 30 days ends on 9 March.
    found = adopters_by_period(DAYS, observed_to=pd.Timestamp("2024-03-09"))
    assert found.to_dict() == {1: 1, 2: 2}
    found = adopters_by_period(DAYS, observed_to=pd.Timestamp("2024-03-08"))
    assert found.to_dict() == {1: 1}


def test_bass_of_room_air_conditioners_is_that_of_the_literature():
    # United States 1949-1961, in thousands: the series of Bass 1969, for which the diffusion
    # literature reprints, by nonlinear least squares, p .0094, q .3748 and m 18,713.
    sold = [96, 195, 238, 380, 1045, 1230, 1267, 1828, 1586, 1673, 1800, 1580, 1500]
    model = fit_bass(sold)
    assert model.innovation == pytest.approx(0.0094, abs=5e-5)
    assert model.imitation == pytest.approx(0.3748, abs=5e-5)
    assert model.potential == pytest.approx(18_713, abs=0.5)
    # The errors are those of SciPy's curve_fit on the natural scale.
    found, spread = optimize.curve_fit(
        lambda t, p, q, m: BassModel(p, q, m, (0, 0, 0), 1.0).adopters(len(t)),
        np.arange(len(sold)),
        sold,
        p0=(0.01, 0.4, 19_000),
    )
    assert found[0] == pytest.approx(model.innovation, rel=1e-4)
    assert model.errors == pytest.approx(tuple(np.sqrt(np.diag(spread))), rel=1e-3)


def test_bass_is_recovered_from_adopters_drawn_person_by_person():
    rng = np.random.default_rng(5)
    p, q, m, n = 0.03, 0.4, 20_000, 20
    share = np.diff(BassModel(p, q, 1.0, (0, 0, 0), 1.0).adopters(n).cumsum(), prepend=0)
    drawn = rng.multinomial(m, [*share, 1 - share.sum()])[:n]
    model = fit_bass(drawn)
    for estimate, planted, error in zip(
        (model.innovation, model.imitation, model.potential), (p, q, m), model.errors, strict=True
    ):
        assert abs(estimate - planted) < 4 * error
        assert error < planted / 5


def test_adopters_solve_the_differential_equation():
    p, q, m, n = 0.02, 0.3, 500.0, 12
    solved = integrate.solve_ivp(
        lambda _, adopted: (p + q * adopted / m) * (m - adopted),
        (0, n),
        [0.0],
        t_eval=np.arange(n + 1),
        rtol=1e-9,
        atol=1e-9,
    ).y[0]
    model = BassModel(p, q, m, (0, 0, 0), 1.0)
    assert model.adopters(n) == pytest.approx(np.diff(solved), abs=1e-5)
    fine = np.linspace(0, n, 20_001)
    adopted = m * (1 - np.exp(-(p + q) * fine)) / (1 + q / p * np.exp(-(p + q) * fine))
    own = integrate.trapezoid(p * (m - adopted), fine) / adopted[-1]
    assert model.innovation_share(n) == pytest.approx(own, abs=1e-6)


def test_without_imitation_everybody_acts_on_an_own_impulse():
    assert BassModel(0.1, 0.0, 100.0, (0, 0, 0), 1.0).innovation_share(5) == 1
    nearly = BassModel(0.1, 1e-9, 100.0, (0, 0, 0), 1.0).innovation_share(5)
    assert nearly == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("adopters", "message"),
    [
        ([5, 9, 8], "3 periods with 22 adopters; expected five periods or more"),
        ([1, 0, 1, 0, 1, 1], "6 periods with 4 adopters; expected .* ten adopters or more"),
        ([5, -1, 9, 9, 9, 9], "none below 0"),
        ([100 * 1.5**t for t in range(9)], "no best fit .* The curve has not bent yet"),
    ],
)
def test_curves_that_cannot_be_fitted_end_in_a_sentence(adopters, message):
    with pytest.raises(ValueError, match=message) as refusal:
        fit_bass(adopters)
    assert text_in(refusal.value, "zh").startswith("采用人数：")


def test_nobody_who_has_adopted_is_refused():
    none = pd.Series(pd.NaT, index=DAYS.index)
    for call in (
        lambda: describe_adoption(none, DAYS, observed_to=END),
        lambda: adopters_by_period(none, observed_to=END),
    ):
        with pytest.raises(ValueError, match="nobody has adopted"):
            call()
