"""What bought fields are worth: closed forms, planted fields, a ceiling."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from crmlab.data.enrichment import value_enrichment

DENSITY = norm.pdf(0)


def draw(n, seed, match_rate=1.0):
    """Return an outcome that is the sum of a known and an offered standard normal."""
    rng = np.random.default_rng(seed)
    known, secret = rng.normal(size=(2, n))
    offered = pd.Series(secret).mask(rng.random(n) >= match_rate)
    return known + secret, pd.DataFrame({"known": known}), pd.DataFrame({"secret": offered}), rng


def test_gain_of_a_field_that_holds_the_other_half_is_the_closed_form():
    # Picking the upper half by x alone brings E[x; x > 0] = phi(0), by x + s sqrt(2) phi(0).
    outcome, own, bought, rng = draw(10_000, 1)
    found = value_enrichment(outcome, own, bought, share=0.5, price=0, rng=rng)
    error = 4 * np.sqrt(2 / 10_000)
    assert found.value_own == pytest.approx(DENSITY, abs=error)
    assert found.value_enriched == pytest.approx(np.sqrt(2) * DENSITY, abs=error)
    gain = (np.sqrt(2) - 1) * DENSITY
    assert found.gain_lower < gain < found.gain_upper
    assert found.gain_upper - found.gain_lower < gain / 4
    assert found.r_squared_own == pytest.approx(0.5, abs=0.03)
    assert found.r_squared_enriched == pytest.approx(1, abs=0.001)
    assert found.value_enriched == pytest.approx(found.value_perfect, rel=1e-3)


def test_any_share_has_its_closed_form():
    # The upper tenth of a normal brings phi(z) times its standard deviation.
    outcome, own, bought, rng = draw(10_000, 2)
    found = value_enrichment(outcome, own, bought, share=0.1, price=0, rng=rng)
    assert found.gain == pytest.approx(
        (np.sqrt(2) - 1) * norm.pdf(norm.ppf(0.9)), abs=4 * np.sqrt(0.2 / 10_000)
    )


def test_break_even_price_is_per_matched_record():
    outcome, own, bought, rng = draw(10_000, 3, match_rate=0.25)
    found = value_enrichment(outcome, own, bought, share=0.5, price=0.05, rng=rng)
    assert found.match_rate == pytest.approx(0.25, abs=0.02)
    assert found.n_matched == bought["secret"].notna().sum()
    assert found.break_even_price * found.n_matched == pytest.approx(found.gain * 10_000)
    assert found.net_value == pytest.approx(
        (found.break_even_price - 0.05) * found.n_matched, rel=1e-9
    )
    assert found.ceiling_price > found.break_even_price * found.match_rate


def test_noise_is_worth_nothing_and_the_interval_says_so():
    held = []
    for seed in range(40):
        outcome, own, _, rng = draw(600, seed)
        noise = pd.DataFrame({"noise": rng.normal(size=600)})
        found = value_enrichment(outcome, own, noise, share=0.3, price=1, rng=rng)
        held.append(found.gain_lower <= 0)
        assert found.net_value < 0
    # Of 40 intervals at 95 per cent, one or two may lie wholly above 0.
    assert np.mean(held) >= 0.9


def test_a_customer_is_not_predicted_from_the_own_outcome():
    # Forty fields of noise about a hundred customers fit them well and forecast nothing.
    rng = np.random.default_rng(4)
    found = []
    for _ in range(10):
        outcome = rng.normal(size=100)
        noise = pd.DataFrame(rng.normal(size=(100, 40))).rename(columns=str)
        own = pd.DataFrame({"nothing": np.zeros(100)})
        found.append(value_enrichment(outcome, own, noise, share=0.3, price=0, rng=rng))
    # Perfect foresight gains phi(z) = 0.35; chance of ten means of 100 is 0.02.
    assert np.mean([worth.gain for worth in found]) < 0.06
    assert np.mean([worth.value_perfect for worth in found]) > 0.3
    assert max(worth.r_squared_enriched for worth in found) < 0.1


def test_ranking_agrees_with_picking_by_hand():
    # Ten customers, two folds; what is picked is counted with plain sorting.
    rng = np.random.default_rng(0)
    outcome = np.arange(20.0)
    own = pd.DataFrame({"x": np.arange(20.0)})
    found = value_enrichment(outcome, own, own[[]], share=0.25, price=1, rng=rng, n_folds=2)
    assert found.value_own == sum(range(15, 20)) / 20
    assert found.value_by_chance == pytest.approx(outcome.mean() / 4)
    assert found.gain == 0
    assert np.isnan(found.break_even_price)
    assert found.ceiling_price == 0


def test_words_and_gaps_are_read():
    rng = np.random.default_rng(5)
    band = rng.choice(["low", "middle", "high"], 3000)
    outcome = np.select([band == "low", band == "middle"], [1.0, 2.0], 6.0)
    outcome = outcome + rng.normal(size=3000)
    bought = pd.DataFrame({"income_band": pd.Series(band).mask(rng.random(3000) < 0.1)})
    own = pd.DataFrame({"noise": rng.normal(size=3000)})
    found = value_enrichment(outcome, own, bought, share=0.3, price=0.1, rng=rng)
    # About 0.9 / 3 of the customers are known to bring 6 rather than 3 on average.
    assert found.gain == pytest.approx(0.9 * (6 - 3) / 3, abs=0.12)
    assert found.gain_lower > 0.5


def test_same_seed_gives_the_same_answer():
    outcome, own, bought, _ = draw(500, 6)
    first, second = (
        value_enrichment(outcome, own, bought, share=0.2, price=1, rng=np.random.default_rng(1))
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"share": 0}, "share is 0; expected a share above 0 and below 1"),
        ({"price": -1}, "price is -1; expected money per record"),
        ({"own": pd.DataFrame({"x": [1]})}, "own has 1 rows and there are 100 outcomes"),
        ({"outcome": [np.nan] * 100}, "outcome, row 1: nan; expected money"),
        ({"n_folds": 20}, "100 customers in 20 folds; expected"),
    ],
)
def test_impossible_requests_are_refused(change, message):
    outcome, own, bought, rng = draw(100, 7)
    call = {"outcome": outcome, "own": own, "bought": bought, "share": 0.5, "price": 0, "rng": rng}
    with pytest.raises(ValueError, match=message):
        value_enrichment(**(call | change))


def test_given_tables_are_left_unchanged():
    outcome, own, bought, rng = draw(100, 8, match_rate=0.5)
    before = outcome.copy(), own.copy(), bought.copy()
    value_enrichment(outcome, own, bought, share=0.5, price=0, rng=rng)
    np.testing.assert_array_equal(outcome, before[0])
    pd.testing.assert_frame_equal(own, before[1])
    pd.testing.assert_frame_equal(bought, before[2])
