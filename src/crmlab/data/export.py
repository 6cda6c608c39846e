"""Tables that leave the project as CSV: safe to open in a spreadsheet program.

Who asks: whoever writes a CSV file that a person will open. A spreadsheet program takes a cell
that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and a formula can run a program: a
customer who calls himself ``=cmd|'/C calc'!A0`` must stay a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["guard_cells"]

_STARTS = r"^\s*[=+\-@].|^[\t\r]."
_NUMBER = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?%?\s*"


def guard_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before every text that a spreadsheet would compute.

    Parameters
    ----------
    frame : pandas.DataFrame
        Left unchanged.

    Returns
    -------
    pandas.DataFrame
        Numbers, and texts that are plain numbers such as ``-3.5``, as they were.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"name": ["Ann", "=1+1", "@SUM(A1)", "-3.5"], "n": [-1, 2, 3, 4]})
    >>> guard_cells(frame)["name"].tolist()
    ['Ann', "'=1+1", "'@SUM(A1)", '-3.5']
    """
    import pandas as pd

    def guard(value: object) -> object:
        return f"'{value}"

    result = frame.copy()
    for position, kind in enumerate(frame.dtypes):
        if not (pd.api.types.is_string_dtype(kind) or pd.api.types.is_object_dtype(kind)):
            continue
        values = frame.iloc[:, position]
        is_text = values.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
        text = values.where(is_text).astype("str")
        risky = text.str.match(_STARTS, na=False) & ~text.str.fullmatch(_NUMBER, na=False)
        if risky.any():
            result.isetitem(position, values.astype(object).where(~risky, values.map(guard)))
    return result
