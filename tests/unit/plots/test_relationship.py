"""Figures of relationships draw what they are given, in either language."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.plots import relationship as draw
from crmlab.plots import set_style

STAGES = ["exploration", "formation", "stability", "decline", "ended"]
TYPES = ["transactional", "preferred supplier", "partnership", "alliance"]


@pytest.fixture(autouse=True)
def _style():
    set_style("en", currency="EUR")
    yield
    set_style("en")
    plt.close("all")


def shares(n=5):
    return pd.DataFrame(np.full((n, 5), 0.2), columns=STAGES)


def every_plot():
    rates = pd.DataFrame({"n_orders": [1.0, 2, 4, 1, 0], "n_visits": 2.0}, index=STAGES)
    months = pd.date_range("2024-01-01", periods=4, freq="MS")
    paths = pd.DataFrame([[np.nan, 0, 1, 4.0], [0, 2, 3, 3.0]], index=["a", "b"], columns=months)
    square = pd.DataFrame(np.eye(5), index=STAGES, columns=STAGES)
    curve = pd.DataFrame(
        {
            "tenure_days": [0.0, 10, 20],
            "survival": [1, 0.6, 0],
            "lower": [np.nan, 0.4, np.nan],
            "upper": [np.nan, 0.8, np.nan],
        }
    )
    types = pd.DataFrame(np.full((3, 4), 0.25), columns=TYPES).assign(closeness=[1.5, 0.1, np.nan])
    accounts = pd.DataFrame({"joint_value": [10.0, 0, 900], "supplier_value_share": 0.4})
    kind = pd.Series(
        pd.Categorical(["alliance", "alliance", "cannot tell"], [*TYPES, "cannot tell"])
    )
    choice = pd.DataFrame([["partnership", "basic"]], index=["few"], columns=["high", "low"])
    groups = pd.DataFrame({"size": ["few"], "margin": ["low"]}, index=["trade"])
    rungs = pd.DataFrame(
        {
            "rung": ["new", "lapsed"],
            "predicted_value": [3.0, 1.0],
            "mean_value": [2.0, 1.0],
            "standard_error": [0.1, np.nan],
        }
    )
    names = {"xlabel": "assigned_stage", "ylabel": "true_stage"}
    return {
        "rates": lambda: draw.plot_stage_rates(rates),
        "course": lambda: draw.plot_course(shares()),
        "paths": lambda: draw.plot_paths(paths),
        "moves": lambda: draw.plot_moves(square, "relationship_stage", **names),
        "survival": lambda: draw.plot_survival(curve),
        "evidence": lambda: draw.plot_type_evidence(types),
        "split": lambda: draw.plot_value_split(accounts, kind),
        "choice": lambda: draw.plot_level_choice(choice, groups, "industry"),
        "rung_value": lambda: draw.plot_rung_value(rungs),
    }


@pytest.mark.parametrize("name", sorted(every_plot()))
def test_figure_names_its_axis_in_english_and_in_chinese(name):
    ax = every_plot()[name]()
    assert ax.get_xlabel()
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in ax.get_xlabel())
    set_style("zh", currency="EUR")
    chinese = every_plot()[name]()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese.get_xlabel())


def test_course_fills_the_whole_height_with_every_stage():
    ax = draw.plot_course(shares())
    assert len(ax.collections) == 5
    assert ax.get_legend().get_texts()[0].get_text() == "Ended"


def test_evidence_leaves_out_accounts_of_which_nothing_is_known_and_sorts_the_others():
    types = pd.DataFrame(np.eye(4)[:3], columns=TYPES).assign(closeness=[2.0, 0.0, np.nan])
    ax = draw.plot_type_evidence(types)
    first = [bars[0].get_height() for bars in ax.containers]
    assert first == [0.0, 1.0, 0.0, 0.0]
    assert len(ax.containers[0]) == 2


def test_a_name_without_a_term_stands_for_itself():
    groups = pd.DataFrame({"size": ["few"], "margin": ["low"]}, index=["shipbuilding"])
    choice = pd.DataFrame([["basic"]], index=["few"], columns=["low"])
    ax = draw.plot_level_choice(choice, groups, "industry")
    assert [text.get_text() for text in ax.texts] == ["Basic", "shipbuilding"]
