"""Figures of customer types draw what they are given, in either language."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.plots import set_style
from crmlab.plots import types as draw

SHARES = pd.DataFrame(
    {
        "typology": ["orientation"] * 3 + ["size"] * 4,
        "type": [
            *("type_relational", "type_transactional", "cannot_tell"),
            *("type_large", "type_medium", "type_small", "cannot_tell"),
        ],
        "customer_share": [0.5, 0.3, 0.2, 0.02, 0.05, 0.13, 0.8],
    }
)
KINDS = ["type_relational", "type_transactional"]
EVIDENCE = pd.DataFrame({"trust": [0.3, -0.2], "deal_share": [0.9, np.nan]}, index=KINDS)
COUNTS = pd.DataFrame(
    [[8, 2, 10], [0, 0, 0]], index=KINDS, columns=[*KINDS, "cannot_tell"], dtype="int64"
)
SCORES = pd.DataFrame(
    {
        "balanced_accuracy": [0.7, 0.6],
        "chance_balanced_accuracy": [0.5, 0.25],
        "chance_error": [0.01, 0.02],
    },
    index=["typology_orientation", "typology_consumption"],
)
CLAIMS = pd.DataFrame(
    {"difference": [10.0, -2.0], "lower": [5.0, -4.0], "upper": [15.0, 0.5]},
    index=["claim_by_label", "claim_later"],
)
ADOPTERS = pd.Series([3, 8, 5], index=pd.RangeIndex(1, 4, name="period"))
KEY = pd.DataFrame(
    {"key_score": [0.9, 0.8], "key_share": [1.0, 0.4], "is_key": [True, False]}, index=["a", "b"]
)
PLOTS = {
    "shares": lambda: draw.plot_type_shares(SHARES),
    "evidence": lambda: draw.plot_evidence(EVIDENCE),
    "confusion": lambda: draw.plot_confusion(COUNTS),
    "scores": lambda: draw.plot_scores(SCORES),
    "claim": lambda: draw.plot_profit_claim(CLAIMS),
    "diffusion": lambda: draw.plot_diffusion(ADOPTERS, [4.0, 7.0, 6.0]),
    "key": lambda: draw.plot_key_accounts(KEY),
}


@pytest.fixture(autouse=True)
def _style():
    set_style("en", currency="EUR")
    yield
    set_style("en")
    plt.close("all")


@pytest.mark.parametrize("name", PLOTS)
def test_figure_names_its_axis_in_english_and_in_chinese(name):
    english = PLOTS[name]().get_xlabel()
    set_style("zh", currency="EUR")
    chinese = PLOTS[name]().get_xlabel()
    assert english
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in english)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)


def test_shares_fill_the_bar_and_name_what_has_room():
    ax = draw.plot_type_shares(SHARES)
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == pytest.approx(SHARES["customer_share"].tolist())
    starts = [bar.get_x() for bar in ax.patches]
    assert starts == pytest.approx([0, 0.5, 0.8, 0, 0.02, 0.07, 0.2])
    written = [text.get_text() for text in ax.texts]
    assert written[0] == "Relational\n50%"
    assert len(written) == 6  # 2 % has no room even for its number
    assert written[3] == "5%"


def test_cannot_tell_is_grey_wherever_it_stands():
    ax = draw.plot_type_shares(SHARES)
    greys = {ax.patches[2].get_facecolor(), ax.patches[6].get_facecolor()}
    assert len(greys) == 1
    assert ax.patches[0].get_facecolor() not in greys


def test_confusion_writes_counts_and_shares_of_the_true_type():
    written = [text.get_text() for text in draw.plot_confusion(COUNTS).texts]
    assert written == ["8\n40%", "2\n10%", "10\n50%", "0", "0", "0"]


def test_evidence_draws_nothing_where_nothing_is_known():
    ax = draw.plot_evidence(EVIDENCE)
    assert [bar.get_width() for bar in ax.patches] == [0.3, 0.9, -0.2, 0]


def test_scores_draw_two_standard_deviations_of_chance():
    ax = draw.plot_scores(SCORES)
    assert [bar.get_width() for bar in ax.patches] == [0.7, 0.6]
    (lines,) = ax.containers[1].lines[2]
    ends = [segment[:, 0].tolist() for segment in lines.get_segments()]
    assert ends == [pytest.approx([0.48, 0.52]), pytest.approx([0.21, 0.29])]


def test_claim_draws_its_interval_and_the_line_of_no_difference():
    ax = draw.plot_profit_claim(CLAIMS)
    (lines,) = ax.containers[0].lines[2]
    ends = [segment[:, 0].tolist() for segment in lines.get_segments()]
    assert ends == [pytest.approx([5, 15]), pytest.approx([-4, 0.5])]
    assert 0 in [line.get_xdata()[0] for line in ax.lines]


def test_diffusion_is_drawn_with_and_without_a_model():
    assert len(draw.plot_diffusion(ADOPTERS).lines) == 0
    ax = draw.plot_diffusion(ADOPTERS, [4.0, 7.0, 6.0])
    assert ax.lines[0].get_ydata().tolist() == [4, 7, 6]
    assert [bar.get_height() for bar in ax.patches] == [3, 8, 5]


def test_key_accounts_are_told_from_those_next_in_line():
    ax = draw.plot_key_accounts(KEY)
    assert ax.patches[0].get_facecolor() != ax.patches[1].get_facecolor()
    assert ax.lines[0].get_xdata().tolist() == [1.0, 0.4]


def test_figures_are_drawn_on_the_axes_given_and_leave_results_alone():
    _, ax = plt.subplots()
    before = CLAIMS.copy(deep=True)
    assert draw.plot_profit_claim(CLAIMS, ax=ax) is ax
    pd.testing.assert_frame_equal(CLAIMS, before)
