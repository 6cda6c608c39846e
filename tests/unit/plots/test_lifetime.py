"""Figures of lifetime value draw what they are given, in either language."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.plots import lifetime as draw
from crmlab.plots import set_style
from crmlab.value import lifetime, matrix

MODEL = lifetime.BgNbd(0.8, 6.0, 1.2, 6.0)


@pytest.fixture(autouse=True)
def _style():
    set_style("en", currency="EUR")
    yield
    set_style("en")
    plt.close("all")


def tracked():
    days = pd.date_range("2024-01-01", periods=140, freq="D")
    book = pd.DataFrame({"customer_id": ["a", "b"] * 70, "ordered_on": days, "amount": 5.0})
    return lifetime.track_orders(MODEL, book, calibrated_to="2024-03-01", observed_to="2024-05-19")


def grouped():
    drawn = lifetime.simulate_bg_nbd(MODEL, np.full(200, 40.0), seed=1)
    return lifetime.expectations_by_frequency(MODEL, drawn, np.arange(200) % 4, weeks=20)


def valued():
    value = np.linspace(1, 500, 60)
    table = pd.DataFrame({"current_value": value[::-1], "potential_value": value**1.5})
    table["value_quadrant"] = matrix.assign_value_quadrant(
        table["current_value"], table["potential_value"]
    )
    return table


def profiled():
    return pd.DataFrame(
        {
            "profile": ["region", "planet"],
            "profile_value": ["north", "mars"],
            "rate_ratio": [1.1, 0.8],
            "lower": [0.9, 0.6],
            "upper": [1.4, 1.0],
        }
    )


def every_plot():
    value = np.arange(40.0)
    tenths = lifetime.value_by_tenth(value, pd.DataFrame([value, value[::-1]]))
    grid = lifetime.probability_alive_grid(MODEL, age_weeks=40)
    return {
        "weeks": lambda: draw.plot_tracking(tracked()),
        "totals": lambda: draw.plot_tracking(tracked(), is_total=True),
        "frequency": lambda: draw.plot_expectations(grouped()),
        "alive": lambda: draw.plot_alive_grid(grid),
        "tenths": lambda: draw.plot_lifetime_value(tenths),
        "matrix": lambda: draw.plot_value_matrix(valued()),
        "profiles": lambda: draw.plot_profile_effects(profiled()),
        "engagement": lambda: draw.plot_engagement(
            pd.DataFrame({"tenth": [1, 2], "lifetime_value": [9.0, 3], "referral_value": [1.0, 2]})
        ),
    }


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", every_plot())
def test_every_figure_has_axes_and_can_be_drawn(name, language):
    set_style(language, currency="EUR")
    ax = every_plot()[name]()
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    ax.figure.canvas.draw()  # a missing glyph would be a warning, and warnings are errors here


def test_lines_are_the_columns_of_the_table():
    table = tracked()
    seen, expected, rate = draw.plot_tracking(table).get_lines()[:3]
    assert seen.get_ydata().tolist() == table["n_repeat_orders"].tolist()
    np.testing.assert_array_equal(expected.get_ydata(), table["expected_orders"])
    np.testing.assert_array_equal(rate.get_ydata(), table["run_rate_orders"])


def test_last_group_is_marked_as_and_more():
    ax = draw.plot_expectations(grouped())
    assert ax.get_xticklabels()[-1].get_text() == "7+"


def test_every_quadrant_has_its_colour_and_all_customers_are_drawn():
    ax = draw.plot_value_matrix(valued())
    assert sum(len(part.get_offsets()) for part in ax.collections) == 60
    assert (
        len({tuple(part.get_facecolor()[0]) for part in ax.collections if len(part.get_offsets())})
        > 1
    )


def test_profiles_are_named_by_their_terms_or_as_they_are_written():
    names = [text.get_text() for text in draw.plot_profile_effects(profiled()).get_yticklabels()]
    assert names == ["Region · north", "planet · mars"]
