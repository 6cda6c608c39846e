import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.satisfaction import assign_classes, class_confidence, fong_test, uniform_test
from crmlab.satisfaction.kano import KANO_CLASSES


def table_of(*rows):
    return pd.DataFrame(list(rows), columns=list(KANO_CLASSES))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((5, 5, 5, 5, 0, 0), "M"),
        ((0, 5, 5, 5, 0, 0), "O"),
        ((0, 0, 5, 5, 5, 5), "A"),
        ((0, 0, 0, 0, 5, 5), "R"),
        ((4, 5, 0, 0, 0, 0), "O"),
    ],
)
def test_ties_go_to_the_class_whose_neglect_costs_more(counts, expected):
    found = assign_classes(table_of(counts)).loc[0]
    assert found["kano_class"] == expected
    assert found["is_tie"] == (sorted(counts)[-1] == sorted(counts)[-2])


def test_margin_makes_near_counts_a_tie_and_reaches_its_end():
    counts = table_of((45, 0, 0, 55, 0, 0))
    assert assign_classes(counts)["kano_class"].item() == "I"
    assert assign_classes(counts, tie_margin=0.10)["kano_class"].item() == "M"
    assert assign_classes(counts, tie_margin=0.09)["kano_class"].item() == "I"


def test_second_class_is_the_largest_of_the_others():
    found = assign_classes(table_of((45, 0, 1, 55, 0, 0), (7, 0, 0, 0, 0, 0)), tie_margin=0.1)
    assert found["second_class"].tolist()[0] == "I"
    assert found["second_class"].isna().tolist() == [False, True]


def test_feature_without_any_pair_has_no_class_and_no_test():
    nobody = table_of((0, 0, 0, 0, 0, 0))
    assert assign_classes(nobody)["kano_class"].isna().all()
    assert not fong_test(nobody)["is_significant"].any()
    assert np.isnan(fong_test(nobody)["critical_difference"]).all()
    assert np.isnan(class_confidence(nobody, rng=np.random.default_rng(0))).all()
    assert np.isnan(uniform_test(nobody)["chi_square"]).all()


def test_fongs_critical_difference_is_that_of_two_pooled_shares():
    # z √(p q (1/n + 1/n)) · n with p = (m1 + m2) / 2n: another way of writing it.
    counts = table_of((60, 40, 20, 10, 0, 0))
    n, p = 130, 100 / 260
    expected = 1.65 * n * np.sqrt(p * (1 - p) * 2 / n)
    assert fong_test(counts)["critical_difference"].item() == pytest.approx(expected)


def test_binomial_p_value_is_scipys():
    counts = table_of((60, 40, 20, 10, 0, 0), (5, 5, 0, 0, 0, 0), (7, 0, 0, 0, 0, 0))
    expected = [stats.binomtest(a, b).pvalue for a, b in ((60, 100), (5, 10), (7, 7))]
    np.testing.assert_allclose(fong_test(counts)["binomial_p_value"], expected, rtol=1e-12)


def test_fongs_test_is_lenient_as_its_notes_say():
    """Two classes alike: an error rate above the 10% that its z claims."""
    rng = np.random.default_rng(4)
    drawn = rng.multinomial(200, [0.45, 0.45, 0.05, 0.05, 0, 0], size=4000)
    share = fong_test(pd.DataFrame(drawn, columns=list(KANO_CLASSES)))["is_significant"].mean()
    assert share > 0.10 + 4 * np.sqrt(0.10 * 0.90 / 4000)


def test_chi_square_is_scipys():
    counts = table_of((60, 40, 20, 10, 9, 9))
    expected = stats.chisquare([60, 40, 20, 10])
    found = uniform_test(counts)
    assert found["chi_square"].item() == pytest.approx(expected.statistic)
    assert found["p_value"].item() == pytest.approx(expected.pvalue)


def test_class_confidence_is_the_probability_of_the_normal_approximation():
    # Two classes share the answers: P(m1 > m2) or a tie, which goes to M.
    counts = table_of((55, 45, 0, 0, 0, 0))
    expected = stats.binom(100, 0.55).sf(49)
    found = class_confidence(counts, n_resamples=4000, rng=np.random.default_rng(1)).item()
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 4000))


def test_class_confidence_goes_to_one_with_more_respondents():
    rows = [(6 * k, 4 * k, 0, 0, 0, 0) for k in (1, 10, 100)]
    found = class_confidence(table_of(*rows), rng=np.random.default_rng(2))
    assert found.is_monotonic_increasing
    assert found.iloc[-1] == 1


def test_arguments_out_of_range_are_refused():
    counts = table_of((6, 4, 0, 0, 0, 0))
    with pytest.raises(ValueError, match="tie_margin is 1"):
        assign_classes(counts, tie_margin=1)
    with pytest.raises(ValueError, match="z is 0"):
        fong_test(counts, z=0)
    with pytest.raises(ValueError, match="at least 100"):
        class_confidence(counts, n_resamples=10, rng=np.random.default_rng(0))
