"""A figure is laid out and drawn once, and comes out as matplotlib alone would draw it."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from crmlab import drawing
from crmlab.drawing import draw_figure
from crmlab.plots import set_style


@pytest.fixture
def figure():
    set_style("en")
    figure, ax = plt.subplots()
    ax.barh(["a long name of a bar", "b"], [1, 2])
    yield figure
    plt.close("all")


@pytest.fixture
def saved(figure, monkeypatch):
    """The formats in which the figure was saved, one after another."""
    formats, save = [], figure.savefig

    def note(file, **options):
        formats.append(options["format"])
        save(file, **options)

    monkeypatch.setattr(figure, "savefig", note)
    return formats


def test_figure_is_drawn_as_matplotlib_alone_draws_it(figure):
    alone = io.BytesIO()
    figure.savefig(alone, format="png", dpi=drawing.DPI)
    drawn = Image.open(io.BytesIO(draw_figure(figure, ["png"])["png"]))
    difference = np.subtract(drawn, Image.open(alone), dtype=float)
    assert np.abs(difference).max() == 0


def test_same_figure_is_the_same_bytes(figure):
    first = draw_figure(figure, ["svg", "png"])
    figure.stale = True
    assert draw_figure(figure, ["svg", "png"]) == first
    assert b"Date" not in first["svg"]


def test_figure_shown_and_then_published_is_drawn_once_in_each_format(figure, saved):
    shown = draw_figure(figure, ["svg"])
    published = draw_figure(figure, ["svg", "png"])
    assert saved == ["svg", "png"]
    assert published["svg"] == shown["svg"]


def test_figure_changed_since_it_was_shown_is_drawn_again(figure):
    shown = draw_figure(figure, ["svg"])["svg"]
    figure.axes[0].set_xlabel("a label of its own")
    changed = draw_figure(figure, ["svg"])["svg"]
    assert changed != shown
    assert len(changed) > len(shown)


def test_figure_changed_and_drawn_elsewhere_is_drawn_again(figure):
    shown = draw_figure(figure, ["svg"])["svg"]
    figure.axes[0].set_xlabel("a label of its own")
    figure.canvas.draw()
    assert draw_figure(figure, ["svg"])["svg"] != shown


def test_figure_drawn_elsewhere_before_has_the_layout_of_one_that_was_not(figure):
    drawn = draw_figure(figure, ["png"])["png"]
    set_style("en")
    other, ax = plt.subplots()
    ax.barh(["a long name of a bar", "b"], [1, 2])
    other.canvas.draw()
    assert draw_figure(other, ["png"])["png"] == drawn


def test_figure_keeps_its_layout_engine_and_its_size(figure):
    before = figure.get_layout_engine(), figure.get_dpi(), tuple(figure.get_size_inches())
    draw_figure(figure, ["svg", "png"])
    assert (figure.get_layout_engine(), figure.get_dpi(), tuple(figure.get_size_inches())) == before
