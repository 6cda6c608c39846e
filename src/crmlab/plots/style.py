"""House style of the figures: one theme, two languages, a unit on every axis.

A notebook calls `set_style` once; every `plot_*` then takes its words from `label`, so the same
call draws an English or a Chinese figure. Chinese glyphs come from the Noto Sans SC of a font
package, never from the system.
"""

import sys
from functools import cache
from importlib.resources import files

import matplotlib as mpl
import seaborn as sns
from matplotlib import font_manager
from matplotlib_inline.backend_inline import set_matplotlib_formats

from crmlab.atlas import LANGUAGES, term

__all__ = ["PALETTE", "label", "money_unit", "set_style"]

# Okabe & Ito's eight colours, told apart with every common colour-vision deficiency
# (Okabe & Ito 2008, Color Universal Design), blue first, without the pale yellow.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#555555")

_state = {"language": "en", "currency": None}


def set_style(language="en", *, currency=None):
    """Set theme, palette, fonts and the language of every later figure.

    Parameters
    ----------
    language : {"en", "zh"}
        Language of titles, axes and legends.
    currency : str or None
        ISO 4217 code written on money axes; None writes the word for money.

    Raises
    ------
    ValueError
        If the language is neither "en" nor "zh".

    Examples
    --------
    >>> set_style("zh", currency="CNY")
    >>> label("total_value", unit=True)
    '累计购买金额（CNY）'
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
            "axes.spines.top": False,
            "axes.spines.right": False,
            "grid.linewidth": 0.6,
            "figure.figsize": (7.0, 4.2),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            # The same figure is the same bytes: no random ids.
            "svg.hashsalt": "crmlab",
        }
    )
    if "ipykernel" in sys.modules:
        # Notebooks show the sharp drawing that the report shows, undated for equal bytes.
        set_matplotlib_formats("svg", metadata={"Date": None})


def label(key, *, unit=False):
    """Return the term's text in the current language, with its unit in brackets if asked.

    Parameters
    ----------
    key : str
        A key of the terms table.
    unit : bool
        Whether to add the unit, as an axis needs it. Dimensionless terms get no brackets.

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
    language = _state["language"]
    entry = term(key)
    text = entry.text(language)
    if not (unit and entry.unit) or entry.unit == "1":
        return text
    shown = money_unit(entry.unit)
    if text.casefold().startswith(shown.casefold()):
        return text  # "Orders (orders)" says nothing twice
    return f"{text}（{shown}）" if language == "zh" else f"{text} ({shown})"


def money_unit(key):
    """Return the unit's text in the current language, with the currency's code for money.

    Examples
    --------
    >>> money_unit("weeks")
    'weeks'
    """
    language, currency = _state["language"], _state["currency"]
    text = term(key).text(language)
    if currency and key.startswith("currency"):
        return text.replace(term("currency").text(language), currency)
    return text


@cache
def _chinese_font():
    """Register the bundled Noto Sans SC with matplotlib and return its family name."""
    path = files("pylopdf_fonts_zh_cn").joinpath("NotoSansSC-Regular.otf")
    font_manager.fontManager.addfont(str(path))
    return font_manager.FontProperties(fname=str(path)).get_name()
