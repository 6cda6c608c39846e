import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.satisfaction import compare_segments, count_classes, count_classes_by_segment
from crmlab.satisfaction.kano import KANO_CLASSES


def classes_of(**letters):
    return pd.DataFrame(
        {
            name: pd.Categorical(list(text), categories=list(KANO_CLASSES))
            for name, text in letters.items()
        }
    )


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(11)
    segment = pd.Series(np.where(rng.random(240) < 0.4, "a", "b"))
    apart = np.where(segment == "a", rng.choice(list("AI"), 240, p=(0.7, 0.3)), "I")
    alike = rng.choice(list("MOAI"), 240)
    return classes_of(apart="".join(apart), alike="".join(alike)), segment


def test_counts_by_segment_add_up_to_those_of_all(answers):
    classes, segment = answers
    parts = count_classes_by_segment(classes, segment)
    pd.testing.assert_frame_equal(
        parts.groupby(level="feature", sort=False).sum(), count_classes(classes)
    )


def test_chi_square_and_v_are_scipys(answers):
    classes, segment = answers
    found = compare_segments(classes, segment, n_permutations=99, rng=np.random.default_rng(1))
    table = pd.crosstab(classes["alike"].astype(str), segment)
    expected = stats.chi2_contingency(table, correction=False)
    assert found.loc["alike", "chi_square"] == pytest.approx(expected.statistic)
    assert found.loc["alike", "cramers_v"] == pytest.approx(
        stats.contingency.association(table, method="cramer")
    )


def test_shuffled_p_value_is_near_that_of_the_chi_square_and_finds_what_is_apart(answers):
    classes, segment = answers
    found = compare_segments(classes, segment, n_permutations=999, rng=np.random.default_rng(2))
    expected = stats.chi2.sf(found.loc["alike", "chi_square"], 3)
    error = np.sqrt(expected * (1 - expected) / 999)
    assert found.loc["alike", "p_value"] == pytest.approx(expected, abs=4 * error + 0.01)
    assert found.loc["apart", "p_value"] == 1 / 1000
    assert found.loc["apart", "p_value_holm"] == 2 / 1000


def test_p_values_are_even_where_the_segments_do_not_matter():
    rng = np.random.default_rng(3)
    letters = {f"f{k}": "".join(rng.choice(list("MOAI"), 40)) for k in range(60)}
    segment = pd.Series(rng.permutation(["a"] * 20 + ["b"] * 20))
    found = compare_segments(classes_of(**letters), segment, n_permutations=199, rng=rng)
    assert stats.kstest(found["p_value"], "uniform").pvalue > 1e-3


def test_one_class_or_one_answering_segment_leaves_nothing_to_compare():
    classes = classes_of(same="MMMM", silent="MO" + "MO")
    classes.loc[2:, "silent"] = np.nan
    segment = pd.Series(["a", "a", "b", "b"])
    found = compare_segments(classes, segment, n_permutations=99, rng=np.random.default_rng(0))
    assert found["p_value"].isna().all()
    assert found["p_value_holm"].isna().all()


def test_respondents_without_a_segment_are_left_out(answers):
    classes, segment = answers
    found = compare_segments(
        classes, segment.mask(segment.index < 40), n_permutations=99, rng=np.random.default_rng(0)
    )
    assert found["n_pairs"].tolist() == [200, 200]


def test_segments_that_are_none_are_refused(answers):
    classes, segment = answers
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="all respondents are in the segment 'a'"):
        compare_segments(classes, segment.where(segment == "a"), rng=rng)
    with pytest.raises(ValueError, match="no respondent has a segment"):
        compare_segments(classes, segment.mask(segment.notna()), rng=rng)
    with pytest.raises(ValueError, match="different indexes"):
        count_classes_by_segment(classes, segment.iloc[1:])
    with pytest.raises(ValueError, match="at least 99"):
        compare_segments(classes, segment, n_permutations=9, rng=rng)
