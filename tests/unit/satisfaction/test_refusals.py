"""A refusal that reaches a reader of a Chinese page is Chinese, with the same item and number."""

import numpy as np
import pandas as pd
import pytest

from crmlab import pls
from crmlab import satisfaction as sat
from crmlab.atlas import text_in


def test_constant_item_is_refused_in_both_languages():
    answers = pd.DataFrame({"x": np.arange(20.0), "y": 3.0})
    model = pls.PathModel([pls.single_item("X", "x"), pls.single_item("Y", "y")], ["X -> Y"])
    with pytest.raises(ValueError, match="item 'y' has the same answer") as refusal:
        pls.estimate_model(model, answers)
    assert text_in(refusal.value, "zh").startswith("所有人对题项 'y' 的回答都是 3")


def test_half_a_kano_pair_is_refused_in_both_languages():
    items = pd.DataFrame({"item": ["q"], "construct": ["kano_functional"], "feature": ["speed"]})
    with pytest.raises(ValueError, match="has 1 functional and 0 dysfunctional") as refusal:
        sat.pair_answers(pd.DataFrame({"q": [1]}), items)
    assert "特性 'speed' 有 1 道正向问题、0 道反向问题" in text_in(refusal.value, "zh")
