"""Published worked examples of evaluation by many criteria."""

import json

import numpy as np
import pytest

from crmlab.performance import ahp_weights, entropy_weights, topsis

# Saaty, T. L. (2008), Decision making with the analytic hierarchy process, International Journal
# of Services Sciences 1(1), 83–98, doi:10.1504/IJSSCI.2008.017590: which drink is consumed more.
DRINKS = ["coffee", "wine", "tea", "beer", "soda", "milk", "water"]
SAATY = {
    ("coffee", "wine"): 9, ("coffee", "tea"): 5, ("coffee", "beer"): 2, ("coffee", "soda"): 1,
    ("coffee", "milk"): 1, ("coffee", "water"): 1 / 2, ("wine", "tea"): 1 / 3,
    ("wine", "beer"): 1 / 9, ("wine", "soda"): 1 / 9, ("wine", "milk"): 1 / 9,
    ("wine", "water"): 1 / 9, ("tea", "beer"): 1 / 3, ("tea", "soda"): 1 / 4,
    ("tea", "milk"): 1 / 3, ("tea", "water"): 1 / 9, ("beer", "soda"): 1 / 2,
    ("beer", "milk"): 1, ("beer", "water"): 1 / 3, ("soda", "milk"): 2, ("soda", "water"): 1 / 2,
    ("milk", "water"): 1 / 3,
}  # fmt: skip
SAATY_WEIGHTS = {
    "coffee": 0.177, "wine": 0.019, "tea": 0.042, "beer": 0.116, "soda": 0.190, "milk": 0.129,
    "water": 0.327,
}  # fmt: skip


def test_ahp_agrees_with_saatys_drinks():
    matrix = np.ones((7, 7))
    for (one, other), judgement in SAATY.items():
        i, j = DRINKS.index(one), DRINKS.index(other)
        matrix[i, j], matrix[j, i] = judgement, 1 / judgement
    result = ahp_weights(matrix, names=DRINKS)
    # Three printed digits: half a unit of the last one.
    for drink, weight in SAATY_WEIGHTS.items():
        assert result.weights[drink] == pytest.approx(weight, abs=0.0005), drink
    assert result.consistency_ratio == pytest.approx(0.022, abs=0.0005)
    assert result.is_consistent


def test_ahp_agrees_with_the_mirrored_reference(mirror):
    path = mirror.parent / "reference" / "ahp.json"
    if not path.exists():
        pytest.skip("no folder of reference results beside the mirror")
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
        result = ahp_weights(case["matrix"], names=case.get("items"))
        expected = case["weights"]
        if isinstance(expected, dict):
            expected = [expected[name] for name in case["items"]]
        np.testing.assert_allclose(result.weights, expected, atol=case["tol"])


def test_topsis_agrees_with_tzeng_and_huang():
    # Tzeng, G.-H. & Huang, J.-J. (2011), Multiple Attribute Decision Making: Methods and
    # Applications, CRC Press. Four printed digits: half a unit of the last one.
    table = topsis([[5, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]], [0.3, 0.4, 0.3])
    np.testing.assert_allclose(table["closeness"], [0.5037, 0.6581, 0.7482, 0.3340], atol=0.00005)
    assert table["rank"].tolist() == [3, 2, 1, 4]


def test_entropy_weights_agree_with_elsayed_dawood_and_karthikeyan():
    # Elsayed, E. A., Dawood, A. K. S. & Karthikeyan, R. (2017), Evaluating alternatives through
    # the application of TOPSIS method with entropy weight, International Journal of Engineering
    # Trends and Technology 46(2), 60–66. Six printed digits: half a unit of the last one.
    matrix = [
        [7, 312, 1891, 6613, 163],
        [72, 88, 728, 941804, 1078],
        [10, 252, 2594, 3466, 117471],
        [10, 145, 980, 2371, 86329],
        [65, 54, 350, 501, 29897],
        [29, 48, 380, 912, 34051],
        [7, 476, 3300, 78470, 2212],
        [70, 87, 650, 733, 819000],
        [4, 86, 591, 3015, 103],
        [12, 79, 579, 3240, 96098],
        [21, 45, 261, 1253, 453],
        [1, 72, 530, 4333, 0.1048],
    ]
    printed = [0.104991, 0.069124, 0.071373, 0.449937, 0.304575]
    np.testing.assert_allclose(entropy_weights(matrix)["weight"], printed, atol=0.0000005)
