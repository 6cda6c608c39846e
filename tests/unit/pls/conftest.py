"""What the tests of PLS share: a population with known paths, and the textbook's algorithm on data.

The textbook's algorithm is the unlike second route: it works on the respondents' scores, with
ordinary least squares by the library, one sample at a time, and shares no line with the engine.
"""

import numpy as np
import pandas as pd
import pytest

from crmlab.pls import PathModel, reflective

BLOCKS = {"A": ["a1", "a2", "a3"], "B": ["b1", "b2", "b3"], "C": ["c1", "c2", "c3"]}
PATHS = ["A -> B", "A, B -> C"]
TRUE = {("A", "B"): 0.5, ("A", "C"): 0.3, ("B", "C"): 0.4}
LOADINGS = np.array([0.9, 0.8, 0.7])


@pytest.fixture(scope="session")
def three():
    """A reflective model of three constructs and three paths."""
    return PathModel([reflective(name, items) for name, items in BLOCKS.items()], PATHS)


@pytest.fixture(scope="session")
def draw():
    """A function that draws respondents of the population whose paths are `TRUE`."""

    def draw_respondents(n, seed):
        rng = np.random.default_rng(seed)
        ab, ac, bc = TRUE.values()
        a = rng.normal(size=n)
        b = ab * a + np.sqrt(1 - ab**2) * rng.normal(size=n)
        explained = ac**2 + bc**2 + 2 * ac * bc * ab
        c = ac * a + bc * b + np.sqrt(1 - explained) * rng.normal(size=n)
        columns = {}
        for construct, items in zip((a, b, c), BLOCKS.values(), strict=True):
            noise = rng.normal(size=(n, 3)) * np.sqrt(1 - LOADINGS**2)
            columns |= dict(zip(items, (construct[:, None] * LOADINGS + noise).T, strict=True))
        return pd.DataFrame(columns)

    return draw_respondents


@pytest.fixture(scope="session")
def answers(draw):
    return draw(200, seed=7)


@pytest.fixture(scope="session")
def textbook():
    """A function that runs the textbook's algorithm on data; see this module."""

    def iterate(data, blocks, pairs, *, scheme="path", modes=None):
        modes = modes or dict.fromkeys(blocks, "A")
        x = {n: ((data[i] - data[i].mean()) / data[i].std()).to_numpy() for n, i in blocks.items()}
        unit = {name: lambda score: (score - score.mean()) / score.std(ddof=1) for name in blocks}
        scores = {name: unit[name](values.sum(axis=1)) for name, values in x.items()}
        for _ in range(2000):
            proxies = {}
            for name in blocks:
                proxy = np.zeros(len(data))
                before = [s for s, t in pairs if t == name]
                after = [t for s, t in pairs if s == name]
                for other in before + after:
                    r = np.corrcoef(scores[name], scores[other])[0, 1]
                    if scheme == "centroid":
                        proxy += np.sign(r) * scores[other]
                    elif scheme == "factorial" or other in after:
                        proxy += r * scores[other]
                if scheme == "path" and before:
                    design = np.column_stack([scores[s] for s in before])
                    proxy += design @ np.linalg.lstsq(design, scores[name])[0]
                proxies[name] = proxy
            new = {}
            for name, values in x.items():
                if modes[name] == "A":
                    weights = values.T @ proxies[name]
                else:
                    weights = np.linalg.lstsq(values, proxies[name])[0]
                new[name] = unit[name](values @ weights)
            change = max(np.abs(new[name] - scores[name]).max() for name in blocks)
            scores = new
            if change < 1e-12:
                break
        for name, values in x.items():
            if np.sum([np.corrcoef(v, scores[name])[0, 1] for v in values.T]) < 0:
                scores[name] = -scores[name]
        weights = {n: np.linalg.lstsq(values, scores[n])[0] for n, values in x.items()}
        paths = {}
        for target in blocks:
            before = [s for s, t in pairs if t == target]
            if before:
                design = np.column_stack([scores[s] for s in before])
                found = np.linalg.lstsq(design, scores[target])[0]
                paths |= {(s, target): b for s, b in zip(before, found, strict=True)}
        return scores, weights, paths

    return iterate
