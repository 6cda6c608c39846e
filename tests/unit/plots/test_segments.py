"""Figures of segments draw what they are given, in either language."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.plots import segments as draw
from crmlab.plots import set_style
from crmlab.segments import bases, profile

AGREEMENTS = {
    "other_half": {"adjusted_rand": 0.8, "chance_bound": 0.02},
    "is_relational": {"adjusted_rand": 0.01, "chance_bound": 0.02},
}


def customers(n=60):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "recency_days": rng.integers(0, 300, n),
            "total_value": rng.normal(100, 60, n),
            "region": rng.choice(["north", "south"], n),
        }
    )
    return frame, pd.Series(rng.choice([1, 2, 3], n))


def indices():
    return pd.DataFrame(
        {
            "n_segments": [2, 3, 4],
            "silhouette": [0.45, 0.42, 0.40],
            "stability": [0.95, 0.9, 0.5],
            "reference_silhouette": [0.40, 0.35, 0.33],
            "reference_silhouette_error": [0.01, 0.01, 0.01],
            "reference_stability": [0.9, 0.8, 0.7],
            "davies_bouldin": [0.7, 0.8, 0.9],
        }
    )


@pytest.fixture(autouse=True)
def _style():
    set_style("en", currency="EUR")
    yield
    set_style("en")
    plt.close("all")


def every_plot():
    frame, segment = customers()
    measures = frame[["recency_days", "total_value"]]
    return {
        "index": lambda: draw.plot_segment_index(indices(), "silhouette", 3),
        "stability": lambda: draw.plot_segment_index(indices(), "stability"),
        "profile": lambda: draw.plot_segment_profile(profile.profile_segments(measures, segment)),
        "sizes": lambda: draw.plot_segment_sizes(
            profile.summarize_segments(segment, frame["total_value"])
        ),
        "scatter": lambda: draw.plot_segment_scatter(frame, segment, "recency_days", "total_value"),
        "bases": lambda: draw.plot_bases(bases.compare_bases(frame, ["region"], list(measures))),
        "agreement": lambda: draw.plot_partition_agreement(AGREEMENTS),
    }


PLOTS = sorted(every_plot())


@pytest.mark.parametrize("name", PLOTS)
def test_figure_names_its_axis_in_english_and_in_chinese(name):
    ax = every_plot()[name]()
    ax.figure.canvas.draw()
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in ax.get_xlabel())
    assert ax.get_xlabel()
    set_style("zh", currency="EUR")
    chinese = every_plot()[name]()
    chinese.figure.canvas.draw()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese.get_xlabel())


@pytest.mark.parametrize("name", PLOTS)
def test_figure_is_drawn_on_new_axes(name):
    assert every_plot()[name]().figure is not every_plot()[name]().figure


def test_figure_is_drawn_on_the_axes_given():
    _, ax = plt.subplots()
    assert draw.plot_partition_agreement(AGREEMENTS, ax=ax) is ax


def test_index_draws_the_data_the_reference_and_the_number_chosen():
    ax = draw.plot_segment_index(indices(), "silhouette", 3)
    reference, own, chosen = ax.lines
    assert reference.get_ydata().tolist() == [0.40, 0.35, 0.33]
    assert own.get_ydata().tolist() == [0.45, 0.42, 0.40]
    assert set(chosen.get_xdata()) == {3}


def test_index_without_a_reference_draws_the_data_alone():
    # Its name is no term of the atlas, which the axis needs.
    with pytest.raises(KeyError, match="unnamed_index"):
        draw.plot_segment_index(indices().assign(unnamed_index=0.5), "unnamed_index")
    table = indices().drop(columns=["reference_stability"])
    assert len(draw.plot_segment_index(table, "stability").lines) == 1


def test_profile_writes_each_difference_and_the_share_of_each_segment():
    frame, segment = customers()
    profiles = profile.profile_segments(frame[["recency_days", "total_value"]], segment)
    ax = draw.plot_segment_profile(profiles)
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert len(written) == 6
    first = profiles.iloc[0]
    shown = float(written[(0, 0)].replace("−", "-"))
    assert shown == pytest.approx(first["standardized_difference"], abs=0.051)
    assert ax.get_xticklabels()[0].get_text() == f"1\n{first['share']:.0%}"


def test_profile_is_drawn_with_the_names_given_in_lines_that_fit():
    frame, segment = customers()
    profiles = profile.profile_segments(frame[["total_value"]], segment)
    asked = "How much does a low price matter to you when you choose a shop?"
    ax = draw.plot_segment_profile(profiles, names={"total_value": asked})
    written = ax.get_yticklabels()[0].get_text()
    assert written.replace("\n", " ") == asked
    assert max(map(len, written.split("\n"))) <= 36
    ax = draw.plot_segment_profile(
        profiles, names={"total_value": "选择商家时，价格低对您有多重要？" * 2}
    )
    assert max(map(len, ax.get_yticklabels()[0].get_text().split("\n"))) <= 18


def test_profile_of_a_constant_leaves_its_cells_empty():
    frame, segment = customers()
    profiles = profile.profile_segments(frame[["total_value"]] * 0, segment)
    assert not draw.plot_segment_profile(profiles).texts


def test_sizes_draw_both_shares_and_name_segments_by_their_term():
    segment, value = pd.Series(["champions", "lost", "lost"]), pd.Series([8.0, 1.0, 1.0])
    ax = draw.plot_segment_sizes(profile.summarize_segments(segment, value))
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([1 / 3, 2 / 3, 0.8, 0.2])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Champions", "Lost"]


def test_scatter_has_a_place_for_customers_at_zero_and_below():
    frame = pd.DataFrame({"recency_days": [0, 5], "total_value": [-20.0, 90.0]})
    ax = draw.plot_segment_scatter(frame, pd.Series([1, 1]), "recency_days", "total_value")
    ax.figure.canvas.draw()
    drawn = ax.collections[0].get_offsets()
    assert np.isfinite(ax.transData.transform(drawn)).all()
    assert ax.get_ylim()[0] < -20


def test_bases_draw_eta_squared_and_chance():
    frame, _ = customers()
    table = bases.compare_bases(frame, ["region"], ["recency_days", "total_value"])
    ax = draw.plot_bases(table)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(table["eta_squared"].tolist())
    assert ax.lines[0].get_xdata()[0] == table["chance_eta_squared"][0]


def test_agreement_draws_the_index_and_the_chance_bound():
    ax = draw.plot_partition_agreement(AGREEMENTS)
    assert [bar.get_width() for bar in ax.patches] == [0.8, 0.01]
    assert list(ax.lines[0].get_xdata()) == [0.02, 0.02]


@pytest.mark.parametrize("index", ["silhouette", "stability"])
def test_index_leaves_room_above_its_highest_mark(index):
    ax = draw.plot_segment_index(indices(), index)
    highest = max(line.get_ydata().max() for line in ax.lines)
    assert ax.get_ylim()[1] > 1.05 * highest


def test_agreement_is_as_high_as_its_bars_need():
    one = draw.plot_partition_agreement(dict(list(AGREEMENTS.items())[:1]))
    two = draw.plot_partition_agreement(AGREEMENTS)
    assert one.figure.get_figheight() < two.figure.get_figheight()


def test_results_are_left_unchanged():
    table = indices()
    before = table.copy(deep=True)
    draw.plot_segment_index(table)
    pd.testing.assert_frame_equal(table, before)
