"""crmlab: a Jupyter laboratory for studying customer relationship management."""

__version__ = "0.1.0"
