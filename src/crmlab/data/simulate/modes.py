"""How the simulated customers answer the survey: on the web, the telephone or face to face.

Who asks: whoever studies mode effects. Age decides who answers how (the older, the less on the
web), and nothing else does; what an interviewer adds to the answers is a parameter of its own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.data.simulate.latents import quantise

__all__ = ["INTERVIEWER_MODES", "MODES", "simulate_modes"]

MODES = ("telephone", "web", "interview")
INTERVIEWER_MODES = ("telephone", "interview")

# Log odds against the telephone at 40 years of age, and how they change with ten years more.
_AT_40 = (0.0, 0.8, -0.9)
_PER_DECADE = (0.0, -0.6, 0.35)


def simulate_modes(age: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """Return the mode in which each customer would answer.

    Parameters
    ----------
    age : pandas.Series
        Years of age on record; who has none on record answers like somebody of 40.
    rng : numpy.random.Generator
        Drawn from, once per customer.

    Returns
    -------
    numpy.ndarray of str
        Values of `MODES`.

    Examples
    --------
    >>> modes = simulate_modes(pd.Series([25] * 500 + [70] * 500), np.random.default_rng(1))
    >>> is_web = modes == "web"
    >>> bool(is_web[:500].mean() > 2 * is_web[500:].mean())
    True
    """
    decades = (age.astype("Float64").fillna(40).to_numpy(dtype=float)[:, np.newaxis] - 40) / 10
    odds = np.exp(np.array(_AT_40) + np.array(_PER_DECADE) * decades)
    share_up_to = quantise(np.cumsum(odds, axis=1) / odds.sum(axis=1, keepdims=True))
    chosen = (rng.random((len(age), 1)) >= share_up_to[:, :-1]).sum(axis=1)
    return np.array(MODES)[chosen]
