"""House style of the figures: one theme, two languages, a unit on every axis.

A notebook calls `set_style` once; every `plot_*` then takes its words from `label`, so the same
call draws an English or a Chinese figure. Chinese glyphs come from the Noto Sans SC of a font
package, never from the system. What the figures share is here too: new axes, axes of shares and
of numbers, bars that read from the top, and the two places where a legend may stand.
"""

import sys
from functools import cache
from importlib.resources import files
from math import isclose

import matplotlib as mpl
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter
from matplotlib_inline.backend_inline import set_matplotlib_formats

from crmlab.atlas import LANGUAGES, term
from crmlab.atlas.heads import head
from crmlab.drawing import draw_figure

__all__ = [
    "GREY",
    "MANY_POINTS",
    "PALE",
    "PALETTE",
    "label",
    "legend_above",
    "legend_beside",
    "new_axes",
    "number_axis",
    "rows_from_top",
    "set_style",
    "share_axis",
]

# Okabe & Ito's eight colours, told apart with every common colour-vision deficiency
# (Okabe & Ito 2008, Color Universal Design), blue first, without the pale yellow.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#555555")
GREY = "#777777"  # reference lines
PALE = "#D4D4D4"  # bars and bands of what is only compared with
MANY_POINTS = 1500  # from here on a cloud of points is a picture within the drawing

_state = {"language": "en", "currency": None}


def set_style(language="en", *, currency=None):
    """Set theme, palette, fonts and the language of every later figure.

    Parameters
    ----------
    language : {"en", "zh"}
        Language of titles, axes and legends.
    currency : str or None
        ISO 4217 code of the money on axes; None writes the word for money.

    Raises
    ------
    ValueError
        If the language is neither "en" nor "zh".

    Examples
    --------
    >>> set_style("zh", currency="CNY")
    >>> label("total_value", unit=True)
    '累计购买金额（元）'
    >>> set_style("en")
    """
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}; expected one of {', '.join(LANGUAGES)}")
    _state.update(language=language, currency=currency)
    sns.set_theme(context="notebook", style="whitegrid", palette=list(PALETTE))
    mpl.rcParams.update(
        {
            # One face for both scripts; DejaVu supplies the signs that Noto Sans SC lacks.
            "font.family": [_chinese_font(), "DejaVu Sans"],
            "axes.titlesize": "large",
            "axes.titlelocation": "left",
            "axes.labelpad": 6,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "figure.figsize": (7.0, 4.2),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.w_pad": 0.08,
            "figure.constrained_layout.h_pad": 0.06,
            # The same figure is the same bytes: no random ids.
            "svg.hashsalt": "crmlab",
        }
    )
    if "ipykernel" in sys.modules:
        _show_drawings()


def label(key, *, unit=False):
    """Return the term's text in the current language, with its unit in brackets if asked.

    Parameters
    ----------
    key : str
        A key of the terms table.
    unit : bool
        Whether to add the unit, as an axis needs it. Shares bear theirs beside each number.

    Returns
    -------
    str

    Examples
    --------
    >>> label("last_order_age_weeks", unit=True)
    'First to last order (weeks)'
    >>> label("recency_days", unit=True)
    'Days since last order'
    """
    entry = term(key)
    if unit:
        return head(entry, _state["language"], _state["currency"])
    return entry.text(_state["language"])


def new_axes(ax, *, n_bars=None):
    """Return the axes given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    n_bars : int or None
        Makes a new figure as high as so many lying bars of one thickness need.
    """
    if ax is not None:
        return ax
    size = None if n_bars is None else (7.0, 1.4 + 0.42 * n_bars)
    return plt.subplots(figsize=size)[1]


def share_axis(*axes):
    """Write the numbers of an axis, such as `ax.xaxis`, as per cent."""
    for axis in axes:
        axis.set_major_formatter(_Ticks(scale=100, mark="%"))


def number_axis(*axes):
    """Write the numbers of an axis with their thousands apart."""
    for axis in axes:
        axis.set_major_formatter(_Ticks())


def rows_from_top(ax, names):
    """Name the rows of a figure of lying bars, the first on top, and leave out their grid."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")


def legend_above(ax, *, ncols=3, **options):
    """Set the legend above the axes, in rows of `ncols`."""
    ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=ncols, **options)


def legend_beside(ax, **options):
    """Set the legend to the right of the axes."""
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), **options)


class _Ticks(Formatter):
    """Numbers in as many decimals as tell them all apart, and no more."""

    def __init__(self, scale=1, mark=""):
        self.scale, self.mark = scale, mark
        self.decimals = 0

    def __call__(self, value, pos=None):  # noqa: ARG002
        text = f"{value * self.scale:z,.{self.decimals}f}{self.mark}"
        return text.replace("-", "\N{MINUS SIGN}")

    def format_ticks(self, values):
        scaled = [float(value) * self.scale for value in values]
        self.decimals = next(
            (d for d in range(6) if all(isclose(x, round(x, d), abs_tol=1e-9) for x in scaled)), 6
        )
        return [self(value) for value in values]


def _show_drawings():
    """Have a notebook show the sharp drawing that the report shows."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return
    set_matplotlib_formats("svg")
    # Else pyplot draws every figure after each cell once more, for a screen that nobody sees.
    plt.switch_backend(mpl.get_backend())
    plt.uninstall_repl_displayhook()
    drawings = shell.display_formatter.formatters["image/svg+xml"]
    drawings.for_type(Figure, lambda figure: draw_figure(figure, ["svg"])["svg"].decode())


@cache
def _chinese_font():
    """Register the bundled Noto Sans SC with matplotlib and return its family name."""
    path = files("pylopdf_fonts_zh_cn").joinpath("NotoSansSC-Regular.otf")
    font_manager.fontManager.addfont(str(path))
    return font_manager.FontProperties(fname=str(path)).get_name()
