"""Whom to ask in each stratum, and the weights of those who answered."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import ttest_ind

from crmlab.data.strata import allocate_sample, compare_allocations, stratified_mean
from crmlab.data.weighting import (
    check_nonresponse,
    design_effect,
    effective_sample_size,
    rake_weights,
)

# Cochran (1977), Sampling Techniques, section 5.6: 64 cities in two strata, a sample of 24. He
# prints the variances of the estimated total: 1,882,293 with proportional allocation and
# 1,090,827 with twelve cities from each stratum. The page itself was not at hand; both figures are
# what his formula gives by hand: 40/24 (16 * 53,843 + 48 * 5,581) and 16 * 4/12 * 53,843 +
# 48 * 36/12 * 5,581.
CITIES = pd.DataFrame({"n_customers": [16, 48], "standard_deviation": np.sqrt([53843.0, 5581.0])})
PRINTED = {"proportional": (1_882_293, [6, 18]), "equal": (1_090_827, [12, 12])}


@pytest.mark.parametrize("method", PRINTED)
def test_variance_of_cochrans_cities_is_the_printed_one(method):
    plan = allocate_sample(CITIES, 24, method=method)
    variance, n = PRINTED[method]
    assert plan["n_respondents"].tolist() == n
    assert 64**2 * plan["variance_share"].sum() == pytest.approx(variance, abs=0.5)


def test_both_allocations_stand_side_by_side_with_cochrans_standard_error():
    plans, errors = compare_allocations(CITIES, 24)
    variance, n = PRINTED["proportional"]
    assert plans["n_proportional"].tolist() == n
    assert plans["n_neyman"].tolist() == [12, 12]
    # The totals' variances are printed as whole numbers, in millions.
    assert (64 * errors["proportional"]) ** 2 == pytest.approx(variance, abs=0.5)
    assert (64 * errors["neyman"]) ** 2 == pytest.approx(PRINTED["equal"][0], abs=0.5)
    assert list(CITIES) == ["n_customers", "standard_deviation"]


def test_neyman_allocation_on_paper():
    # N S: 800 * 1 and 200 * 4 are equal, so are the samples.
    strata = pd.DataFrame({"n_customers": [800, 200], "standard_deviation": [1.0, 4.0]})
    plan = allocate_sample(strata, 100, method="neyman")
    assert plan["n_respondents"].tolist() == [50, 50]
    assert plan["design_weight"].tolist() == [16, 4]
    # (0.8)^2 (1 - 50/800) 1 / 50 and (0.2)^2 (1 - 50/200) 16 / 50.
    np.testing.assert_allclose(plan["variance_share"], [0.012, 0.0096], rtol=1e-12)


def test_a_stratum_asked_in_full_passes_its_rest_on():
    # Neyman would ask 80 of the first 10 customers: all 10, and the 90 others by N S: 2 to 1.
    strata = pd.DataFrame({"n_customers": [10, 200, 100], "standard_deviation": [120.0, 1.0, 1.0]})
    plan = allocate_sample(strata, 100, method="neyman")
    assert plan["n_respondents"].tolist() == [10, 60, 30]
    assert plan["variance_share"].iloc[0] == 0


def test_neyman_has_the_least_variance_of_all_allocations():
    strata = pd.DataFrame(
        {"n_customers": [60, 90, 50], "standard_deviation": [2.0, 0.7, 5.0]}, dtype=float
    )
    best = allocate_sample(strata, 12, method="neyman")["variance_share"].sum()
    share = strata["n_customers"] / 200
    for first in range(1, 11):
        for second in range(1, 12 - first):
            n = np.array([first, second, 12 - first - second])
            errors = share**2 * (1 - n / strata["n_customers"])
            other = (errors * strata["standard_deviation"] ** 2 / n).sum()
            assert best <= other * (1 + 1e-12)


@settings(max_examples=40)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=8), st.data())
def test_allocation_adds_up_and_asks_nobody_twice(sizes, data):
    strata = pd.DataFrame({"n_customers": sizes, "standard_deviation": np.arange(len(sizes)) + 0.5})
    n = data.draw(st.integers(len(sizes), sum(sizes)))
    for method in ("proportional", "neyman", "equal"):
        plan = allocate_sample(strata, n, method=method)
        assert plan["n_respondents"].sum() == n
        assert plan["n_exact"].sum() == pytest.approx(n)
        assert plan["n_respondents"].between(1, sizes).all()
        assert (plan["n_respondents"] * plan["design_weight"]).to_numpy() == pytest.approx(sizes)


def test_stratified_mean_has_the_error_that_many_samples_show():
    # 300 stratified samples from a population of known scores, seed 2.
    rng = np.random.default_rng(2)
    population = {"a": rng.normal(5, 1, 300), "b": rng.normal(9, 3, 100)}
    sizes = {"a": 300, "b": 100}
    found = []
    for _ in range(300):
        drawn = {name: rng.choice(scores, 20, replace=False) for name, scores in population.items()}
        scores = np.concatenate(list(drawn.values()))
        found.append(stratified_mean(scores, ["a"] * 20 + ["b"] * 20, sizes))
    found = pd.DataFrame(found)
    truth = np.concatenate(list(population.values())).mean()
    spread = found["mean"].std()
    assert found["mean"].mean() == pytest.approx(truth, abs=4 * spread / np.sqrt(300))
    # The spread of 300 draws is known to 1 / sqrt(2 * 300) = 4.1 per cent.
    assert np.sqrt((found["standard_error"] ** 2).mean()) == pytest.approx(spread, rel=0.13)
    assert abs(found["unweighted_mean"].mean() - truth) > 10 * spread / np.sqrt(300)


def test_everyone_asked_leaves_no_error_and_one_answer_leaves_it_unknown():
    full = stratified_mean([1, 3, 5], ["a", "a", "b"], {"a": 2, "b": 1})
    assert (full["mean"], full["standard_error"]) == (3, 0)
    one = stratified_mean([1, 3, 5, np.nan], ["a", "a", "b", "b"], {"a": 20, "b": 10})
    assert np.isnan(one["standard_error"])
    assert one["n_left_out"] == 1


def test_raking_with_one_variable_is_post_stratification():
    people = pd.DataFrame({"region": ["n"] * 30 + ["s"] * 70})
    weights = rake_weights(people, {"region": {"n": 600, "s": 400}})
    np.testing.assert_allclose(weights, [2.0] * 30 + [0.4 / 0.7] * 70, rtol=1e-9)


def test_raking_is_the_nearest_weighting_that_meets_the_margins():
    # Same answer by another route: minimise the divergence from the base weights under the
    # margins, through its dual (a smooth convex function of the multipliers).
    rng = np.random.default_rng(4)
    people = pd.DataFrame(
        {"sex": rng.choice(["f", "m"], 200, p=[0.7, 0.3]), "age": rng.choice(list("abc"), 200)}
    )
    base = rng.uniform(0.5, 2, 200)
    margins = {"sex": {"f": 0.5, "m": 0.5}, "age": {"a": 0.2, "b": 0.3, "c": 0.5}}
    design = pd.get_dummies(people).to_numpy(dtype=float)
    shares = np.array([0.5, 0.5, 0.2, 0.3, 0.5]) * 200
    start = base / base.mean()
    dual = minimize(
        lambda m: (start * np.exp(design @ m)).sum() - shares @ m,
        np.zeros(5),
        jac=lambda m: design.T @ (start * np.exp(design @ m)) - shares,
        tol=1e-12,
    )
    expected = start * np.exp(design @ dual.x)
    np.testing.assert_allclose(rake_weights(people, margins, base=base), expected, rtol=1e-4)


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_raked_weights_meet_every_margin(seed):
    rng = np.random.default_rng(seed)
    people = pd.DataFrame(
        {"sex": ["f", "m"] * 40, "age": rng.permutation(list("aabc") * 20)}, dtype="str"
    )
    margins = {"sex": {"f": 0.6, "m": 0.4}, "age": {"a": 0.3, "b": 0.3, "c": 0.4}}
    weights = rake_weights(people, margins)
    assert weights.mean() == pytest.approx(1)
    for variable, margin in margins.items():
        held = pd.Series(weights).groupby(people[variable]).sum() / weights.sum()
        assert held.to_dict() == pytest.approx(margin, abs=1e-8)


def test_who_did_not_say_keeps_the_weight():
    people = pd.DataFrame({"sex": ["f", "f", "f", "m", None]})
    weights = rake_weights(people, {"sex": {"f": 0.5, "m": 0.5}})
    assert weights[4] == pytest.approx(1)
    assert weights[:3].sum() == pytest.approx(weights[3])


def test_weighting_undoes_a_known_non_response():
    # Scores hang on age; the old answer half as often. Seed 8; 20,000 customers.
    rng = np.random.default_rng(8)
    is_old = rng.random(20_000) < 0.5
    score = 6 + 2 * is_old + rng.normal(size=20_000)
    answers = rng.random(20_000) < np.where(is_old, 0.2, 0.4)
    people = pd.DataFrame({"age": np.where(is_old, "old", "young")})[answers]
    weights = rake_weights(people, {"age": {"old": is_old.mean(), "young": 1 - is_old.mean()}})
    error = 1 / np.sqrt(effective_sample_size(weights))
    truth = score.mean()
    assert np.average(score[answers], weights=weights) == pytest.approx(truth, abs=4 * error)
    assert abs(score[answers].mean() - truth) > 8 * error


def test_kish_design_effect_on_paper():
    # Half the sample at weight 1, half at weight 3: 4 (1 + 1 + 9 + 9) / 8^2 = 1.25.
    assert design_effect([1, 1, 3, 3]) == pytest.approx(1.25, rel=1e-15)
    assert design_effect(np.full(7, 0.3)) == pytest.approx(1)
    # 1 + squared coefficient of variation: Kish's other form.
    weights = np.random.default_rng(1).gamma(2, size=500)
    other = 1 + weights.var() / weights.mean() ** 2
    assert design_effect(weights) == pytest.approx(other, rel=1e-12)
    assert effective_sample_size(weights) == pytest.approx(500 / other, rel=1e-12)


def test_non_response_is_seen_on_what_is_known_of_both():
    rng = np.random.default_rng(3)
    age = rng.normal(40, 10, 4000)
    region = rng.choice(["n", "s"], 4000)
    answered = rng.random(4000) < 1 / (1 + np.exp(-(age - 40) / 10))
    frame = pd.DataFrame({"age": age, "region": region})
    frame.loc[:9, "age"] = np.nan
    checked = check_nonresponse(frame, answered, ["age", "region"]).set_index("variable")
    expected = ttest_ind(age[10:][answered[10:]], age[10:][~answered[10:]], equal_var=False)
    assert checked.loc["age", "p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert checked.loc["age", "standardized_difference"] > 0.5
    assert checked.loc["region", "category"].tolist() == ["n", "s"]
    assert (checked.loc["region", "p_value"] > 0.01).all()
    assert checked.loc["region", "answered"].sum() == pytest.approx(1)


STRATA = pd.DataFrame({"n_customers": [10, 20]})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: allocate_sample(STRATA, 1), r"n_respondents is 1; expected .* from 2 .* to 30"),
        (lambda: allocate_sample(STRATA, 31), "n_respondents is 31"),
        (lambda: allocate_sample(STRATA, 9, method="best"), "method is 'best'; expected"),
        (
            lambda: allocate_sample(STRATA, 9, method="neyman"),
            "needs the column standard_deviation",
        ),
        (lambda: allocate_sample(STRATA * 0, 9), "n_customers, row 1: 0 customers; expected 1"),
        (lambda: stratified_mean([1], ["a"], {"a": 2, "b": 3}), "stratum 'b' has 3 customers and"),
        (lambda: stratified_mean([1], ["z"], {"a": 2}), "'z' of a respondent is no category"),
        (
            lambda: rake_weights(pd.DataFrame({"x": ["a"]}), {"x": {"a": 1, "b": 1}}),
            "x: nobody of the category 'b' answered",
        ),
        (
            lambda: rake_weights(pd.DataFrame({"x": ["a", "c"]}), {"x": {"a": 1}}),
            "x: 'c' of a respondent is no category of the population",
        ),
        (lambda: rake_weights(STRATA, {"sex": {"f": 1}}), "'sex' is not a column"),
        (
            lambda: rake_weights(
                pd.DataFrame({"x": ["a", "b"], "y": ["a", "b"]}),
                {"x": {"a": 0.5, "b": 0.5}, "y": {"a": 0.2, "b": 0.8}},
            ),
            "margins of x, y are not met .* Merge categories",
        ),
        (lambda: design_effect([1, 0]), "weights, respondent 2: 0; expected a number above 0"),
        (lambda: design_effect([]), "one per respondent"),
        (lambda: check_nonresponse(STRATA, [True, True], []), "2 of 2 answered"),
        (lambda: check_nonresponse(STRATA, [True, False], ["age"]), "'age' is not a column"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_given_tables_are_left_unchanged():
    strata, people = CITIES.copy(), pd.DataFrame({"x": ["a", "b", "b"]})
    allocate_sample(strata, 24, method="neyman")
    rake_weights(people, {"x": {"a": 1, "b": 1}}, base=(base := np.ones(3)))
    check_nonresponse(people, [True, False, True], ["x"])
    pd.testing.assert_frame_equal(strata, CITIES)
    assert people["x"].tolist() == ["a", "b", "b"]
    assert base.tolist() == [1, 1, 1]
