import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from crmlab.satisfaction import criterion_correlations


@pytest.fixture
def measured():
    rng = np.random.default_rng(2)
    y = rng.normal(size=400)
    measures = pd.DataFrame(
        {"close": y + 0.5 * rng.normal(size=400), "far": y + 3 * rng.normal(size=400)}
    )
    return measures, y


def test_criterion_correlation_of_a_measure_with_itself_is_one():
    y = np.arange(20.0)
    table = criterion_correlations(
        pd.DataFrame({"same": y, "turned": -y}), y, rng=np.random.default_rng(0)
    )
    np.testing.assert_allclose(table["correlation"], [1, -1])
    np.testing.assert_allclose(table["lower"], [1, -1])


def test_criterion_correlation_equals_scipys_spearman_with_ties():
    rng = np.random.default_rng(4)
    x, y = rng.integers(0, 5, 100).astype(float), rng.integers(0, 5, 100).astype(float)
    table = criterion_correlations(pd.DataFrame({"x": x}), y, rng=rng)
    assert table["correlation"].iloc[0] == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)


def test_criterion_interval_covers_and_the_better_measure_has_a_clear_advantage(measured):
    measures, y = measured
    table = criterion_correlations(
        measures, y, baseline="far", rng=np.random.default_rng(1)
    ).set_index("measure")
    assert (table["lower"] < table["correlation"]).all()
    assert (table["correlation"] < table["upper"]).all()
    assert table.loc["close", "advantage_lower"] > 0
    assert table.loc["far", ["advantage", "advantage_lower", "advantage_upper"]].tolist() == [0] * 3


def test_criterion_chance_bound_is_near_its_large_sample_value(measured):
    # A shuffled criterion: |r| exceeds 1.96 / √(n − 1) in one case of twenty.
    measures, y = measured
    table = criterion_correlations(measures, y, n_resamples=2000, rng=np.random.default_rng(3))
    np.testing.assert_allclose(table["chance_bound"], 1.96 / np.sqrt(399), rtol=0.1)


def test_criterion_leaves_out_customers_with_a_gap_from_every_comparison(measured):
    measures, y = measured
    measures = measures.copy()
    measures.loc[:9, "far"] = np.nan
    table = criterion_correlations(measures, y, rng=np.random.default_rng(0))
    assert table["n_customers"].tolist() == [390, 390]


def test_criterion_of_a_constant_measure_is_undefined(measured):
    measures, y = measured
    table = criterion_correlations(measures.assign(flat=1.0), y, rng=np.random.default_rng(0))
    assert table.set_index("measure").loc["flat", ["correlation", "lower"]].isna().all()


def test_criterion_repeats_with_the_same_seed(measured):
    measures, y = measured
    one, two = (criterion_correlations(measures, y, rng=np.random.default_rng(9)) for _ in "ab")
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_resamples": 5}, "n_resamples is 5"),
        ({"confidence": 0}, "confidence is 0"),
        ({"baseline": "none"}, "baseline 'none' is not one of the measures"),
        ({"criterion": np.ones(3)}, "criterion has shape"),
        ({"measures": np.ones((400, 2))}, "must be a pandas.DataFrame"),
        ({"criterion": np.full(400, np.nan)}, "0 customers have all"),
    ],
)
def test_criterion_refuses_what_it_cannot_compare(measured, change, message):
    arguments = {"measures": measured[0], "criterion": measured[1], **change}
    with pytest.raises(ValueError, match=message):
        criterion_correlations(
            arguments.pop("measures"),
            arguments.pop("criterion"),
            rng=np.random.default_rng(0),
            **arguments,
        )
