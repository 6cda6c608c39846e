"""Figures: `plot_*(result, ax=None) -> Axes`, drawn from results and computing nothing."""

from crmlab.plots.style import PALETTE, label, set_style

__all__ = ["PALETTE", "label", "set_style"]
