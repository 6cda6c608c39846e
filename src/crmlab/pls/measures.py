"""Measures of reliability and validity as functions of stacked arrays.

Who asks: the assessment of one estimate and the bootstrap of thousands, which must not compute the
same measure in two ways. Every function takes arrays with one row per sample and returns one.
"""

from __future__ import annotations

import numpy as np

__all__ = ["alpha_of", "ave_of", "block_sums", "htmt2_of", "htmt_of", "rho_c_of"]


def block_sums(correlations, stage):
    """Return sums of correlations between every two blocks, without the diagonal."""
    off = correlations * (1 - np.eye(correlations.shape[1]))
    rows = np.add.reduceat(off, stage.starts, axis=1)
    return np.add.reduceat(rows, stage.starts, axis=2)


def alpha_of(correlations, stage):
    """Standardised Cronbach's alpha by block: k²·mean correlation / sum of all; 1 for one item."""
    sums = np.einsum("bii->bi", block_sums(correlations, stage))
    k = stage.sizes
    with np.errstate(invalid="ignore", divide="ignore"):
        alpha = k / (k - 1) * sums / (k + sums)
    return np.where(k == 1, 1.0, alpha)


def rho_c_of(loadings, stage):
    """Composite reliability by block: (Σλ)² / ((Σλ)² + Σ(1 - λ²))."""
    total = np.add.reduceat(loadings, stage.starts, axis=1) ** 2
    error = np.add.reduceat(1 - loadings**2, stage.starts, axis=1)
    return total / (total + error)


def ave_of(loadings, stage):
    """Average variance extracted by block: the mean squared loading."""
    return np.add.reduceat(loadings**2, stage.starts, axis=1) / stage.sizes


def htmt_of(correlations, stage):
    """Heterotrait-monotrait ratio of every two blocks; a single item counts as reliability 1.

    Mean absolute correlation between the blocks over the geometric mean of the same within: an
    item worded the other way must not hide behind its sign.
    """
    sums = block_sums(np.abs(correlations), stage)
    k = stage.sizes
    within = np.where(k == 1, 1.0, np.einsum("bii->bi", sums) / np.maximum(k * (k - 1), 1))
    return _over_geometric_mean(sums / (k[:, None] * k[None, :]), within)


def htmt2_of(correlations, stage):
    """HTMT2: the same ratio of geometric means; NaN where both means are 0."""
    off = ~np.eye(correlations.shape[1], dtype=bool)
    with np.errstate(divide="ignore"):
        logs = np.where(off, np.log(np.abs(correlations)), 0.0)
    rows = np.add.reduceat(logs, stage.starts, axis=1)
    sums = np.add.reduceat(rows, stage.starts, axis=2)
    k = stage.sizes
    within = np.where(k == 1, 1.0, np.exp(np.einsum("bii->bi", sums) / np.maximum(k * (k - 1), 1)))
    return _over_geometric_mean(np.exp(sums / (k[:, None] * k[None, :])), within)


def _over_geometric_mean(between, within):
    with np.errstate(invalid="ignore"):
        root = np.sqrt(np.where(within > 0, within, np.nan))
        ratio = between / (root[:, :, None] * root[:, None, :])
    np.einsum("bii->bi", ratio)[...] = 1.0
    return ratio
