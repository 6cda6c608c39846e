"""Drawing: a finished figure as files, laid out and drawn once.

Who asks: a notebook that shows a figure (`crmlab.plots`) and then publishes it (`crmlab.study`).
Left to itself matplotlib lays a figure out twice for every file, which takes as long as drawing
it, and draws what was shown all over again when it is published.
"""

from contextlib import contextmanager
from io import BytesIO
from weakref import WeakKeyDictionary

__all__ = ["draw_figure", "laid_out"]

# No dates and no program versions: the same figure is the same bytes.
SETTINGS = {
    "svg": {"metadata": {"Date": None}},
    # Packed a little less tightly, in two thirds of the time.
    "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 3}},
}
DPI = 200  # of the PNG, and of clouds of points within the SVG

_drawn = WeakKeyDictionary()


def draw_figure(figure, formats):
    """Return a figure drawn in each of several formats.

    A figure that has not changed since it was last drawn here is not drawn again.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Left as it is, with its layout engine.
    formats : iterable of {"svg", "png"}

    Returns
    -------
    dict of str to bytes

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> drawn = draw_figure(Figure(), ["svg", "png"])
    >>> b"<svg" in drawn["svg"], drawn["png"][1:4]
    (True, b'PNG')
    """
    drawn = {} if figure.stale else _drawn.get(figure, {})
    missing = [kind for kind in formats if kind not in drawn]
    if missing:
        with laid_out(figure):
            for kind in missing:
                file = BytesIO()
                figure.savefig(file, format=kind, dpi=DPI, **SETTINGS[kind])
                drawn[kind] = file.getvalue()
        figure.stale = False
        figure.canvas.mpl_connect("draw_event", _forget)
        _drawn[figure] = drawn
    return {kind: drawn[kind] for kind in formats}


@contextmanager
def laid_out(figure):
    """Lay a figure out, and keep its parts in their places inside the block."""
    from matplotlib import rc_context

    engine = figure.get_layout_engine()
    if engine is None or not figure.axes:
        yield
        return
    if figure.stale or figure not in _drawn:  # else drawn elsewhere, at another resolution
        dpi = figure.get_dpi()
        figure.set_dpi(DPI)  # widths of text are rounded to whole points on a coarser screen
        engine.execute(figure)
        figure.set_dpi(dpi)
    # Without these settings, saving would give the figure a layout engine again.
    with rc_context({"figure.constrained_layout.use": False, "figure.autolayout": False}):
        figure.set_layout_engine(None)
        try:
            yield
        finally:
            figure.set_layout_engine(engine)


def _forget(event):
    """Forget what was drawn of a figure that is drawn elsewhere: it may have changed before."""
    _drawn.pop(event.canvas.figure, None)
