import numpy as np
import pandas as pd
import pytest

from crmlab.value.matrix import VALUE_QUADRANTS, assign_value_quadrant, summarize_value_cube

IDS = list("abcdef")
CURRENT = pd.Series([10.0, 90.0, 20.0, 80.0, 0.0, 70.0], index=IDS)
POTENTIAL = pd.Series([5.0, 70.0, 60.0, 1.0, 2.0, 50.0], index=IDS)


def test_quadrants_by_hand():
    found = assign_value_quadrant(CURRENT, POTENTIAL).astype("str")
    keep, serve, grow, cheaply = VALUE_QUADRANTS.values()
    assert found.tolist() == [cheaply, keep, grow, serve, cheaply, keep]
    assert found.name == "value_quadrant"


def test_share_called_high_is_kept_and_ties_stay_low():
    rng = np.random.default_rng(1)
    one, other = pd.Series(rng.gamma(1, 9, 1000)), pd.Series(rng.gamma(1, 9, 1000))
    found = assign_value_quadrant(one, other, high_share=0.2).astype("str")
    assert found.str.startswith("high_current").mean() == pytest.approx(0.2, abs=0.002)
    tied = pd.Series([1.0] * 8 + [2.0, 3.0])
    high = assign_value_quadrant(tied, pd.Series(np.arange(10.0))).astype("str")
    assert high.str.startswith("high_current").sum() == 2


def test_cube_holds_everybody_once():
    loyalty = pd.Series([0.9, 0.9, 0.1, 0.5, 0.2, 0.3], index=IDS)
    cube = summarize_value_cube(CURRENT, POTENTIAL, loyalty)
    assert len(cube) == 8
    assert cube["n_customers"].sum() == 6
    assert cube["current_value"].sum() == CURRENT.sum()
    assert cube["potential_value_share"].sum() == pytest.approx(1)
    first = cube.iloc[0]
    assert (first["value_quadrant"], first["is_loyal"]) == ("high_current_high_potential", True)
    assert (first["n_customers"], first["potential_value"]) == (1, 70.0)


@pytest.mark.parametrize(
    ("current", "options", "complaint"),
    [
        (CURRENT.rename({"a": "z"}), {}, "different indices"),
        (CURRENT.where(CURRENT > 0), {}, "current has 1 gaps"),
        (CURRENT * 0, {}, "current is the same for all 6 customers"),
        (CURRENT, {"high_share": 50}, "high_share is 50"),
    ],
)
def test_what_cannot_be_divided_is_refused(current, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        assign_value_quadrant(current, POTENTIAL, **options)


def test_loyalty_must_be_a_probability():
    with pytest.raises(ValueError, match="loyalty: expected a probability"):
        summarize_value_cube(CURRENT, POTENTIAL, CURRENT)
