"""The figure that a test of this folder drew last is looked over, in the language it was drawn in.

No glyph may be missing and no part may stand outside the figure's edges.
"""

import warnings

import matplotlib.pyplot as plt
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from crmlab import drawing
from crmlab.plots import set_style


@pytest.fixture(autouse=True)
def house_style():
    """Each test begins in the house style, in English, whichever went before."""
    set_style("en")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):  # noqa: ARG001
    result = yield
    if plt.get_fignums() and plt.gcf().axes:
        look_over(plt.gcf())
    return result


def look_over(figure):
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings(record=True) as complaints, drawing.laid_out(figure):
        warnings.simplefilter("always")
        canvas.draw()
        box = figure.get_tightbbox(canvas.get_renderer())
    assert [str(complaint.message) for complaint in complaints] == []
    width, height = figure.get_size_inches()
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) > -0.01
