"""Identifiers of simulated rows: a letter and a number, all of one length.

Who asks: every table as it is stored. Millions of them are written four digits at a time from a
table of the ten thousand endings, which is much faster than writing each number by itself.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["Identifiers", "count_digits", "number_rows", "write_identifiers"]

Identifiers = pd.api.extensions.ExtensionArray

_ENDINGS = np.frombuffer(b"".join(b"%04d" % n for n in range(10_000)), dtype=np.uint8).reshape(
    10_000, 4
)


def count_digits(n_rows: int, at_least: int) -> int:
    """Return the digits that the identifiers of so many rows have, `at_least` or more."""
    return max(at_least, len(str(n_rows)))


def write_identifiers(prefix: str, numbers: np.ndarray, n_digits: int) -> Identifiers:
    """Return an identifier for each number.

    Parameters
    ----------
    prefix : str
        ASCII.
    numbers : numpy.ndarray of int
        0 or more, with at most `n_digits` digits.
    n_digits : int
        Digits of every identifier; zeros are put before shorter numbers.

    Returns
    -------
    pandas array of dtype ``str``

    Examples
    --------
    >>> write_identifiers("c", np.array([7, 120045]), 6).tolist()
    ['c000007', 'c120045']
    """
    width = len(prefix) + n_digits
    n_groups = -(-n_digits // 4)
    letters = np.empty((len(numbers), len(prefix) + 4 * n_groups), dtype=np.uint8)
    rest = np.asarray(numbers, dtype=np.int64)
    for group in range(n_groups, 0, -1):
        rest, ending = np.divmod(rest, 10_000)
        end = len(prefix) + 4 * group
        letters[:, end - 4 : end] = _ENDINGS[ending]
    # The first group may hold more digits than asked for; what is cut away are zeros.
    letters = letters[:, 4 * n_groups - n_digits :]
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode("ascii"), dtype=np.uint8)
    offsets = np.arange(len(numbers) + 1, dtype=np.int64) * width
    text = pa.LargeStringArray.from_buffers(
        len(numbers), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters))
    )
    return pd.array(text, dtype="str")


def number_rows(prefix: str, n_rows: int, n_digits: int, *, first: int = 1) -> Identifiers:
    """Return the identifiers of consecutive rows, with `n_digits` digits or as many as it takes.

    Examples
    --------
    >>> number_rows("c", 2, 6).tolist()
    ['c000001', 'c000002']
    """
    last = first + n_rows - 1
    return write_identifiers(prefix, np.arange(first, last + 1), count_digits(last, n_digits))
