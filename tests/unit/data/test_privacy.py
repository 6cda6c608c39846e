"""Anonymity, generalisation, private counts and unicity against published examples and theory."""

import hashlib
import hmac
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crmlab.data.generalisation import generalise, prefixes, spans, whole_or_nothing
from crmlab.data.privacy import (
    assess_anonymity,
    pseudonymise,
    reidentification_risk,
    reverse_plain_hash,
)
from crmlab.data.private_counts import PrivacyBudget, count_privately, expected_error
from crmlab.data.unicity import measure_unicity

KEY = b"sixteen bytes or more"
QUASI = ["race", "birth", "gender", "zip"]
# The table of Sweeney (2002), figure 2: k = 2 over race, birth, gender and ZIP.
SWEENEY = pd.DataFrame(
    [
        ("Black", 1965, "m", "0214*", "short breath"),
        ("Black", 1965, "m", "0214*", "chest pain"),
        ("Black", 1965, "f", "0213*", "hypertension"),
        ("Black", 1965, "f", "0213*", "hypertension"),
        ("Black", 1964, "f", "0213*", "obesity"),
        ("Black", 1964, "f", "0213*", "chest pain"),
        ("White", 1964, "m", "0213*", "chest pain"),
        ("White", 1964, "m", "0213*", "obesity"),
        ("White", 1964, "m", "0213*", "short breath"),
        ("White", 1967, "m", "0213*", "chest pain"),
        ("White", 1967, "m", "0213*", "chest pain"),
    ],
    columns=[*QUASI, "problem"],
)

# --- pseudonyms


def test_pseudonym_is_the_standard_hmac():
    # RFC 4231, test case 7 has a key of 131 bytes of 0xaa; its data are a text.
    text = (
        "This is a test using a larger than block-size key and a larger than block-size data. "
        "The key needs to be hashed before being used by the HMAC algorithm."
    )
    found = pseudonymise([text], bytes([0xAA]) * 131)[0]
    assert found == "9b09ffa71b942fcb27635fbcd5b0e944"


def test_pseudonyms_join_and_do_not_tell():
    ids = pd.Series(["c1", "c2", "c1", None], index=[5, 6, 7, 8])
    found = pseudonymise(ids, KEY)
    assert found.index.tolist() == [5, 6, 7, 8]
    assert found.iloc[0] == found.iloc[2] != found.iloc[1]
    assert pd.isna(found.iloc[3])
    assert (pseudonymise(ids, KEY + b"2").dropna() != found.dropna()).all()
    assert found.iloc[0] == hmac.new(KEY, b"c1", "sha256").hexdigest()[:32]


def test_plain_hash_is_undone_and_keyed_hash_is_not():
    every = [f"c{i:04d}" for i in range(1000)]
    plain = [hashlib.sha256(text.encode()).hexdigest() for text in ("c0007", "c0999")]
    assert reverse_plain_hash(plain, every).tolist() == ["c0007", "c0999"]
    assert reverse_plain_hash(pseudonymise(["c0007"], KEY), every).isna().all()


@pytest.mark.parametrize("key", ["text", b"short", None])
def test_key_that_is_none_is_refused(key):
    with pytest.raises(ValueError, match="key must be bytes, 16 or more"):
        pseudonymise(["a"], key)


# --- k-anonymity


def test_sweeneys_table_is_two_anonymous_and_discloses_four_rows():
    found = assess_anonymity(SWEENEY, QUASI, "problem")
    assert found["k_anonymity"] == 2
    assert found["n_classes"] == 5
    assert found["share_unique"] == 0
    assert found["risk_highest"] == 0.5
    assert found["risk_mean"] == pytest.approx(5 / 11, rel=1e-15)
    # Two classes hold one problem each: k-anonymous, and yet told.
    assert found["l_diversity"] == 1
    assert found["share_disclosed"] == pytest.approx(4 / 11, rel=1e-15)
    assert found["l_entropy"] == pytest.approx(1, rel=1e-12)


def test_entropy_of_a_class_by_hand():
    frame = pd.DataFrame({"q": [1, 1, 1, 1], "s": ["a", "a", "b", "c"]})
    found = assess_anonymity(frame, ["q"], "s")
    assert found["l_diversity"] == 3
    # Entropy 1/2 ln 2 + 2 * 1/4 ln 4 = 1.5 ln 2.
    assert found["l_entropy"] == pytest.approx(2**1.5, rel=1e-12)


def test_missing_value_is_a_value_of_its_own():
    frame = pd.DataFrame({"q": ["a", "a", None, None], "s": [1, 1, 1, None]})
    found = assess_anonymity(frame, ["q"], "s")
    assert found["k_anonymity"] == 2
    assert found["share_disclosed"] == 0.5


def test_journalist_of_the_whole_population_is_the_prosecutor():
    found = reidentification_risk(SWEENEY, SWEENEY, QUASI)
    columns = ["risk_highest", "risk_mean", "share_unique"]
    assert found[columns].nunique().tolist() == [1, 1, 1]
    assert found["risk_mean"][0] == pytest.approx(5 / 11)


def test_tables_that_cannot_be_assessed_are_refused():
    with pytest.raises(ValueError, match="no column 'age'"):
        assess_anonymity(SWEENEY, ["age"])
    with pytest.raises(ValueError, match="no sensitive column 'debt'"):
        assess_anonymity(SWEENEY, QUASI, "debt")
    with pytest.raises(ValueError, match="has no rows"):
        assess_anonymity(SWEENEY.head(0), QUASI)
    with pytest.raises(ValueError, match="no quasi-identifier"):
        assess_anonymity(SWEENEY, [])
    with pytest.raises(ValueError, match=r"released, row 1: .* is nobody of the population"):
        reidentification_risk(SWEENEY.head(1), SWEENEY.tail(2), QUASI)


# --- generalisation


def people(n=300):
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "year": pd.array(rng.integers(1940, 2005, n), dtype="Int64"),
            "zip": pd.array([f"{z:05d}" for z in rng.integers(2100, 2160, n)], dtype="str"),
            "sex": rng.choice(["f", "m"], n),
            "spent": rng.gamma(2, 50, n),
        }
    )


def ladders(frame):
    return {
        "year": spans(frame["year"], [5, 10, 20]),
        "zip": prefixes(frame["zip"], [4, 3]),
        "sex": whole_or_nothing(frame["sex"]),
    }


@pytest.mark.parametrize("k", [2, 5, 20])
def test_generalised_table_is_k_anonymous_and_loses_no_more_than_needed(k):
    frame = people()
    before = frame.copy()
    done = generalise(frame, ladders(frame), k, most_suppressed=0.02)
    assert assess_anonymity(done.table, ["year", "zip", "sex"])["k_anonymity"] >= k
    assert len(done.table) == round(len(frame) * (1 - done.share_suppressed))
    assert done.share_suppressed <= 0.02
    assert not (
        done.tried["is_enough"] & (done.tried["information_loss"] < done.information_loss)
    ).any()
    pd.testing.assert_frame_equal(frame, before)


def test_every_combination_agrees_with_grouping_by_pandas():
    frame = people(80)
    rungs = ladders(frame)
    done = generalise(frame, rungs, 3, most_suppressed=1)
    for row in done.tried.to_dict("records"):
        said = pd.DataFrame({name: rungs[name][row[name]] for name in rungs})
        size = said.groupby(list(rungs))["year"].transform("size")
        assert row["share_suppressed"] == pytest.approx((size < 3).mean())
    assert len(done.tried) == 5 * 4 * 2


def test_class_of_exactly_k_stays():
    frame = pd.DataFrame({"year": [1980, 1980, 1980, 1991, 1991, 1991]})
    done = generalise(frame, {"year": spans(frame["year"], [10])}, 3)
    assert done.information_loss == 0
    assert len(done.table) == 6


def test_loss_is_one_minus_sweeneys_precision():
    frame = people(60)
    done = generalise(frame, ladders(frame), 2, most_suppressed=0)
    by_hand = np.mean([done.rungs["year"] / 4, done.rungs["zip"] / 3, done.rungs["sex"] / 1])
    assert done.information_loss == pytest.approx(by_hand)
    assert done.share_suppressed == 0


def test_more_anonymity_costs_no_less():
    frame = people()
    loss = [generalise(frame, ladders(frame), k).information_loss for k in (2, 3, 5, 10, 50)]
    assert loss == sorted(loss)


def test_missing_values_have_a_word_of_their_own_on_every_rung():
    assert [rung[1] for rung in spans(pd.Series([1980, None]), [10])] == ["?", "?", "*"]
    assert [rung[1] for rung in prefixes(pd.Series(["02", None]), [1])] == ["?", "?", "*"]


@pytest.mark.parametrize(
    ("k", "most", "message"),
    [
        (1, 0.01, "k is 1; expected a whole number, 2 or more"),
        (2.5, 0.01, "k is 2.5"),
        (2, 1.5, "most_suppressed is 1.5"),
        (301, 0.01, "cannot be made 301-anonymous"),
    ],
)
def test_what_cannot_be_generalised_is_refused(k, most, message):
    frame = people()
    with pytest.raises(ValueError, match=message):
        generalise(frame, ladders(frame), k, most_suppressed=most)


def test_ladder_of_another_length_is_refused():
    frame = people()
    with pytest.raises(ValueError, match="the ladder of 'sex' has 1 rungs"):
        generalise(frame, {"sex": [frame["sex"]]}, 2)


# --- private counts


@pytest.mark.parametrize("mechanism", ["geometric", "laplace"])
@pytest.mark.parametrize("epsilon", [0.1, 0.5, 2.0])
def test_error_of_private_counts_is_that_of_theory(mechanism, epsilon):
    n = 40_000
    rng = np.random.default_rng(5)
    counts = pd.Series(np.full(n, 1000))
    error = count_privately(counts, epsilon, rng, mechanism=mechanism) - counts
    expected = expected_error(epsilon, mechanism=mechanism).iloc[0]
    deviation = expected["error_standard_deviation"]
    assert error.mean() == pytest.approx(0, abs=4 * deviation / np.sqrt(n))
    assert error.abs().mean() == pytest.approx(
        expected["mean_absolute_error"], abs=4 * deviation / np.sqrt(n)
    )
    # The fourth moment of the Laplace distribution is 6 times the squared variance.
    assert error.var() == pytest.approx(
        deviation**2, rel=4 * np.sqrt(5 / n) + 1e-9 + 0.01 * epsilon
    )
    within = (error.abs() <= expected["error_95"]).mean()
    assert within >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / n)


def test_error_formulas_agree_with_the_distributions_of_scipy():
    for epsilon in (0.2, 1.0):
        x = np.arange(-4000, 4001)
        alpha = np.exp(-epsilon)
        chance = (1 - alpha) / (1 + alpha) * alpha ** np.abs(x)
        found = expected_error(epsilon).iloc[0]
        assert chance.sum() == pytest.approx(1, rel=1e-12)
        assert found["mean_absolute_error"] == pytest.approx(chance @ np.abs(x), rel=1e-10)
        assert found["error_standard_deviation"] == pytest.approx(np.sqrt(chance @ x**2), rel=1e-10)
        most = found["error_95"]
        assert chance[np.abs(x) <= most].sum() >= 0.95 > chance[np.abs(x) < most].sum()
        laplace = stats.laplace(scale=1 / epsilon)
        found = expected_error(epsilon, mechanism="laplace").iloc[0]
        assert found["error_standard_deviation"] == pytest.approx(laplace.std(), rel=1e-12)
        assert found["error_95"] == pytest.approx(laplace.ppf(0.975), rel=1e-12)


def test_one_customer_more_changes_no_probability_by_more_than_epsilon_allows():
    epsilon = 0.7
    alpha = np.exp(-epsilon)
    answers = np.arange(-30, 60)
    chances = [(1 - alpha) / (1 + alpha) * alpha ** np.abs(answers - n) for n in (10, 11)]
    ratio = np.abs(np.log(chances[0] / chances[1]))
    assert ratio.max() == pytest.approx(epsilon, rel=1e-12)


def test_geometric_noise_has_its_distribution():
    n, epsilon = 50_000, 1.0
    error = count_privately(pd.Series(np.zeros(n)), epsilon, np.random.default_rng(2))
    alpha = np.exp(-epsilon)
    x = np.arange(-6, 7)
    expected = (1 - alpha) / (1 + alpha) * alpha ** np.abs(x)
    found = np.array([(error == value).mean() for value in x])
    np.testing.assert_allclose(found, expected, atol=4 * 0.5 / np.sqrt(n))


def test_budget_adds_up_and_runs_out():
    budget = PrivacyBudget(1.0)
    counts, rng = pd.Series([5, 6]), np.random.default_rng(1)
    for _ in range(10):
        count_privately(counts, 0.1, rng, budget=budget, question="again")
    assert budget.spent == pytest.approx(1.0)
    assert [question for question, _ in budget.ledger] == ["again"] * 10
    with pytest.raises(ValueError, match=r"costs epsilon 0\.1, and .* of 1 is left"):
        count_privately(counts, 0.1, rng, budget=budget)
    assert len(budget.ledger) == 10


@pytest.mark.parametrize(
    ("counts", "epsilon", "mechanism", "message"),
    [
        ([1], 0, "geometric", "epsilon is 0"),
        ([1], float("nan"), "geometric", "epsilon is nan"),
        ([1.5], 1, "geometric", "whole numbers, 0 or more"),
        ([-1], 1, "laplace", "whole numbers, 0 or more"),
        ([1], 1, "gaussian", "expected one of geometric, laplace"),
    ],
)
def test_counts_that_cannot_be_made_private_are_refused(counts, epsilon, mechanism, message):
    with pytest.raises(ValueError, match=message):
        count_privately(pd.Series(counts), epsilon, np.random.default_rng(1), mechanism=mechanism)


# --- unicity


def orders_of(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_on", "amount"])
    return frame.assign(ordered_on=pd.to_datetime(frame["ordered_on"]))


SHOP = orders_of(
    [
        ("a", "2024-01-01", 5.0),
        ("a", "2024-01-02", 7.0),
        ("b", "2024-01-01", 5.0),
        ("b", "2024-01-03", 9.0),
        ("c", "2024-01-01", 5.0),
        ("c", "2024-01-02", 8.0),
        ("c", "2024-01-02", -8.0),
        (None, "2024-01-02", 7.0),
    ]
)


def test_unicity_of_three_customers_by_hand():
    rng = np.random.default_rng(1)
    found = measure_unicity(SHOP, rng, n_known=(2, 3), grains=("day", "day_and_amount"))
    by = found.set_index(["grain", "n_known"])
    # Known by day, a and c look alike and b does not.
    assert by.loc[("day", 2), "unicity"] == pytest.approx(1 / 3)
    assert by.loc[("day", 2), "n_candidates"] == 2
    assert by.loc[("day_and_amount", 2), "unicity"] == 1
    assert by.loc[("day", 3), "n_tried"] == 0
    assert np.isnan(by.loc[("day", 3), "unicity"])


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 3)), min_size=1, max_size=25
    )
)
def test_unicity_agrees_with_searching_history_by_history(rows):
    orders = orders_of([(f"c{c}", f"2024-01-{1 + d:02d}", float(a)) for c, d, a in rows])
    histories = {}
    for c, d, a in rows:
        histories.setdefault(c, set()).add((d, a))
    # With as many purchases known as the customer has, nothing is left to chance.
    largest = max(len(history) for history in histories.values())
    able = [history for history in histories.values() if len(history) == largest]
    alike = [sum(history <= other for other in histories.values()) for history in able]
    found = measure_unicity(
        orders, np.random.default_rng(1), n_known=(largest,), grains=("day_and_amount",)
    ).iloc[0]
    assert found["unicity"] == pytest.approx(np.mean([n == 1 for n in alike]))
    assert found["n_tried"] == len(able)


def test_knowing_more_never_makes_a_customer_less_unique():
    rng = np.random.default_rng(4)
    rows = [
        (f"c{c}", f"2024-{1 + d // 28:02d}-{1 + d % 28:02d}", 10.0 * a)
        for c, d, a in zip(
            rng.integers(0, 200, 3000),
            rng.integers(0, 300, 3000),
            rng.integers(1, 9, 3000),
            strict=True,
        )
    ]
    found = measure_unicity(orders_of(rows), rng)
    wide = found.set_index(["grain", "n_known"])["unicity"].unstack()  # noqa: PD010
    error = 4 * found["standard_error"].max()
    assert (wide.diff(axis=1).iloc[:, 1:] > -error).all(axis=None)
    for coarse, fine in itertools.pairwise(
        ["month", "week", "day", "day_and_rough_amount", "day_and_amount"]
    ):
        assert (wide.loc[fine] >= wide.loc[coarse] - error).all()


def test_orders_that_tell_nothing_are_refused():
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="no purchase of a known customer"):
        measure_unicity(SHOP.tail(2), rng)
    with pytest.raises(ValueError, match="expected grains among"):
        measure_unicity(SHOP, rng, grains=("hour",))
    with pytest.raises(ValueError, match="numbers of 1 or more"):
        measure_unicity(SHOP, rng, n_known=(0,))


def test_cdnow_customers_are_known_by_three_days_of_purchase(mirror):  # noqa: ARG001
    from crmlab.data import load_dataset

    orders = load_dataset("cdnow").tables["orders"]
    found = measure_unicity(orders, np.random.default_rng(1), n_known=(3,), grains=("day",)).iloc[0]
    # Recounted with sets for the same data: nearly all who bought on three days or more.
    assert found["unicity"] > 0.97
    assert found["n_tried"] > 700
