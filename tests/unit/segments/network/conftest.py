"""Graphs for the tests: a famous one, random ones, and one of a simulated population."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from crmlab.segments.network.graph import build_graph
from crmlab.segments.network.links import open_links


@pytest.fixture(scope="session")
def karate():
    """The friendships of a karate club of 34 (Zachary 1977), each counted alike."""
    ends = np.array(nx.karate_club_graph().edges())
    names = np.char.zfill(ends.astype(str), 2)
    return build_graph(
        pd.DataFrame(
            {"customer_id": names[:, 0], "other_id": names[:, 1], "n_calls": 1, "n_referrals": 0}
        )
    )


def make_pairs(n_customers=60, n_pairs=150, seed=1):
    """Pairs at random, with calls."""
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.integers(0, n_customers, (n_pairs, 2)), axis=1)
    ends = np.unique(ends[ends[:, 0] < ends[:, 1]], axis=0)
    names = np.char.zfill(ends.astype(str), 3)
    return pd.DataFrame(
        {
            "customer_id": names[:, 0],
            "other_id": names[:, 1],
            "n_calls": rng.geometric(0.1, len(ends)),
            "n_referrals": 0,
        }
    )


@pytest.fixture(scope="session")
def random_pairs():
    return make_pairs


@pytest.fixture(scope="session")
def sample(root):
    """The pairs and the truth of the bundled sample."""
    links = pd.read_parquet(root / "data" / "sample" / "links.parquet")
    truth = pd.read_parquet(root / "data" / "sample" / "truth.parquet")
    return open_links(links).pairs, truth.set_index("customer_id")
