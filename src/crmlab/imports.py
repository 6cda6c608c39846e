"""Imports: a library without the other libraries that it would load for nothing.

Who asks: whoever imports one that looks for optional companions and takes a second over those it
finds (papermill's check of notebooks, pandera's of tables).
"""

import sys
from contextlib import contextmanager

__all__ = ["hidden"]


@contextmanager
def hidden(name):
    """Make a module that is not loaded yet impossible to import, inside the block.

    Parameters
    ----------
    name : str
        Such as "pyspark.pandas". A module that is loaded already stays as it is.

    Examples
    --------
    >>> with hidden("this"):
    ...     import this
    Traceback (most recent call last):
        ...
    ModuleNotFoundError: import of this halted; None in sys.modules
    """
    is_loaded = name in sys.modules
    sys.modules.setdefault(name, None)
    try:
        yield
    finally:
        if not is_loaded:
            del sys.modules[name]
