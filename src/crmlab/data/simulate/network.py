"""Who calls and who refers whom: communities, homophily and the contagion of leaving.

Who asks: whoever looks for communities in a graph of customers, or for churn that spreads. The
graph is a stochastic block model corrected for degree (Karrer and Newman 2011,
doi:10.1103/PhysRevE.83.016107): customers have an activity, a link is laid between two with
probability proportional to both activities, and all but a known share of links stays inside the
community. Orders and leaving are drawn before the graph, so contagion is put in the graph: given
when customers leave, a link between two who leave within `contagion_days` of each other is
`contagion_odds` times as likely as it would be otherwise. An odds ratio reads both ways (Bayes):
to leave now is as many times as likely, in odds, with a neighbour who left just before.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["form_communities", "simulate_links", "simulate_referrals"]

_STOP = 0.25  # activity is geometric: 1, 2, 3 ... with mean 4
_TRIES = 6
_MOST_DRAWN = 20  # pairs for each link, where hardly any two have met


def form_communities(
    orientation: np.ndarray, rng: np.random.Generator, parameters: SimulationParameters
) -> np.ndarray:
    """Return the community of each customer, from 0 on.

    Customers are ranged by a score that shares a part of its variance, `homophily`, with their
    orientation, and the range is cut into communities, each between half and one and a half times
    `community_size`.

    Parameters
    ----------
    orientation : numpy.ndarray of float, shape (n_customers,)
        Normal score of being relational.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        Holds `homophily` and `community_size`.

    Returns
    -------
    numpy.ndarray of int, shape (n_customers,)
    """
    n_customers = len(orientation)
    share = parameters.homophily
    score = np.sqrt(share) * orientation
    score += np.sqrt(1 - share) * rng.standard_normal(n_customers)
    n_communities = max(1, round(n_customers / parameters.community_size))
    weights = quantise(0.5 + rng.random(n_communities))
    ends = np.floor(np.cumsum(weights) / weights.sum() * n_customers).astype(np.int64)
    ends[-1] = n_customers
    community = np.empty(n_customers, dtype=np.int32)
    sequence = np.argsort(quantise(score), kind="stable")
    community[sequence] = np.searchsorted(ends, np.arange(n_customers), side="right")
    return community


class _Ends:
    """Draws the ends of links: customers in proportion to their activity."""

    def __init__(self, community: np.ndarray, rng: np.random.Generator):
        self.activity = rng.geometric(_STOP, len(community)).astype(np.int32)
        by_community = np.argsort(community, kind="stable").astype(np.int32)
        self._stubs = np.repeat(by_community, self.activity[by_community])
        n_stubs = np.bincount(community, weights=self.activity).astype(np.int64)
        self._start = np.concatenate([[0], np.cumsum(n_stubs)[:-1]])
        self._n_stubs = n_stubs
        self._community = community
        self._rng = rng

    def draw(self, n_links: int) -> np.ndarray:
        """Return so many customers, in proportion to activity."""
        return self._stubs[self._rng.integers(len(self._stubs), size=n_links)]

    def draw_partner(self, customer: np.ndarray, mixing: float) -> np.ndarray:
        """Return a partner for each customer: of the community, but for the share `mixing`."""
        place = self._rng.random(len(customer))
        community = self._community[customer]
        is_mixed = self._rng.random(len(customer)) < mixing
        start = np.where(is_mixed, 0, self._start[community])
        n_stubs = np.where(is_mixed, len(self._stubs), self._n_stubs[community])
        return self._stubs[start + np.floor(place * n_stubs).astype(np.int64)]


def simulate_links(
    joined_at: np.ndarray,
    left_at: np.ndarray,
    community: np.ndarray,
    last_day: int,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return the pairs of customers who call each other.

    Two who were never customers at the same time, within the window, have no link; so many pairs
    are drawn that a customer has `links_per_customer` on the average. Then further ones are drawn
    between two who leave close in time, `contagion_odds` - 1 for each of the first. A pair that is
    drawn twice is linked once.

    Parameters
    ----------
    joined_at, left_at : numpy.ndarray of float, shape (n_customers,)
        Days of the first order and of leaving; infinity where the customer stays.
    community : numpy.ndarray of int
        From `form_communities`.
    last_day : int
        Last day observed: who leaves later has not left.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.

    Returns
    -------
    pandas.DataFrame, one row per pair, sorted
        `customer` and `other` (positions; `customer` called first), `n_calls` (1 or more),
        `first` and `last` (days of the first and the last call, within the window).
    """
    ends = _Ends(community, rng)
    mixing = parameters.community_mixing
    stay = (joined_at, np.minimum(left_at, last_day + 1.0))
    n_present = int((left_at > 0).sum())
    n_links = round(n_present * parameters.links_per_customer / 2)
    one = ends.draw(n_links)
    other = ends.draw_partner(one, mixing)
    # As many further pairs as it takes to have `n_links` that met.
    n_drawn = round(n_links * n_links / max(int(_have_met(one, other, *stay).sum()), 1))
    n_drawn = min(n_drawn, _MOST_DRAWN * n_links)
    further = ends.draw(n_drawn - n_links)
    one, other = (
        np.concatenate(parts)
        for parts in ((one, further), (other, ends.draw_partner(further, mixing)))
    )
    close, close_other = _draw_close_pairs(ends, n_drawn, left_at, last_day, rng, parameters)
    one, other = np.concatenate([one, close]), np.concatenate([other, close_other])
    is_link = _have_met(one, other, *stay) & (one != other)
    one, other = one[is_link], other[is_link]
    key = np.minimum(one, other).astype(np.int64) * len(community) + np.maximum(one, other)
    key.sort()
    key = key[np.diff(key, prepend=-1) > 0]
    low, high = key // len(community), key % len(community)
    begin = np.maximum(np.maximum(joined_at[low], joined_at[high]), 0.0)
    end = np.minimum(stay[1][low], stay[1][high])
    n_calls = rng.geometric(1 / (1 + parameters.calls_per_link), len(low))
    # First and last of so many calls that are even over the common time.
    first = 1 - quantise(rng.random(len(low)) ** (1 / n_calls), 9)
    last = quantise(rng.random(len(low)) ** (1 / np.maximum(n_calls - 1, 1)), 9)
    last = np.where(n_calls > 1, first + (1 - first) * last, first)
    is_low_first = rng.random(len(low)) < 0.5
    links = pd.DataFrame(
        {
            "customer": np.where(is_low_first, low, high).astype(np.int32),
            "other": np.where(is_low_first, high, low).astype(np.int32),
            "n_calls": n_calls,
            "first": np.minimum(np.floor(begin + first * (end - begin)), last_day).astype(np.int32),
            "last": np.minimum(np.floor(begin + last * (end - begin)), last_day).astype(np.int32),
        }
    )
    return links


def _have_met(
    one: np.ndarray, other: np.ndarray, joined_at: np.ndarray, left_at: np.ndarray
) -> np.ndarray:
    """Return whether two were customers at the same time, after the window's start."""
    end = np.minimum(left_at[one], left_at[other])
    return np.maximum(np.maximum(joined_at[one], joined_at[other]), 0.0) < end


def _draw_close_pairs(
    ends: _Ends,
    n_drawn: int,
    left_at: np.ndarray,
    last_day: int,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs that contagion adds to so many drawn ones: both leave, close in time.

    Only pairs whose first end leaves are drawn at all; the others would be thrown away.
    """
    leaves = left_at < last_day + 1
    share_leaving = ends.activity[leaves].sum() / ends.activity.sum()
    n_pairs = rng.binomial(round(n_drawn * (parameters.contagion_odds - 1)), share_leaving)
    stubs = np.repeat(np.flatnonzero(leaves), ends.activity[leaves]).astype(np.int32)
    one = stubs[rng.integers(max(len(stubs), 1), size=n_pairs)]
    other = ends.draw_partner(one, parameters.community_mixing)
    both_leave = leaves[other]
    one, other = one[both_leave], other[both_leave]
    is_close = np.abs(left_at[one] - left_at[other]) <= parameters.contagion_days
    return one[is_close], other[is_close]


def simulate_referrals(
    is_referred: np.ndarray,
    joined_at: np.ndarray,
    left_at: np.ndarray,
    community: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return who referred the customers that came by referral within the window.

    Of six customers of the community, drawn in proportion to activity, the first who was a
    customer on that day; where none was, the firm does not know who it was.

    Parameters
    ----------
    is_referred : numpy.ndarray of bool, shape (n_customers,)
        Came by referral.
    joined_at, left_at, community : numpy.ndarray
        As for `simulate_links`.
    rng : numpy.random.Generator
        Drawn from.

    Returns
    -------
    pandas.DataFrame
        `customer` (who referred), `other` (who came), `first` (day of joining).
    """
    ends = _Ends(community, rng)
    new = np.flatnonzero(is_referred & (joined_at >= 0))
    referrer = np.full(len(new), -1, dtype=np.int64)
    for _ in range(_TRIES):
        tried = ends.draw_partner(new, 0.0)
        can_refer = (joined_at[tried] < joined_at[new]) & (left_at[tried] > joined_at[new])
        referrer = np.where((referrer < 0) & can_refer, tried, referrer)
    is_known = referrer >= 0
    return pd.DataFrame(
        {
            "customer": referrer[is_known].astype(np.int32),
            "other": new[is_known].astype(np.int32),
            "first": np.floor(joined_at[new[is_known]]).astype(np.int32),
        }
    )
