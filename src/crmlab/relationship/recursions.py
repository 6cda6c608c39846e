"""Recursions of a hidden Markov model over many short histories at once.

Who asks: `crmlab.relationship.markov_stages`. All customers take a step through time together, so
that a month costs one product of matrices and not one for each customer (Rabiner 1989,
doi:10.1109/5.18626). Rows are in the order of `crmlab.relationship.panel.Months`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

__all__ = ["find_best_path", "log_probabilities", "run_forward", "smooth_states"]


def log_probabilities(counts, rates):
    """Return the logarithm of the probability of each month's counts in each state."""
    constant = gammaln(counts + 1).sum(axis=1)
    return counts @ np.log(rates).T - rates.sum(axis=1) - constant[:, np.newaxis]


def run_forward(months, logs, begin, transitions):
    """Return the state given past and present, and each month's probabilities.

    The logarithm of the probability given the past; and of the counts in each state, over the
    largest of them.
    """
    largest = logs.max(axis=1)
    likelihood = np.exp(logs - largest[:, np.newaxis])
    forward = np.empty_like(likelihood)
    total = np.empty(len(logs))
    previous = None
    for block in months.blocks():
        n = block.stop - block.start
        prior = begin[:n] if previous is None else previous[:n] @ transitions
        joint = prior * likelihood[block]
        total[block] = joint.sum(axis=1)
        previous = forward[block] = joint / total[block, np.newaxis]
    return forward, np.log(total) + largest, likelihood


def smooth_states(months, forward, likelihood, transitions):
    """Return the state given all months, and the expected number of each transition."""
    gamma = np.empty_like(forward)
    moves = np.zeros_like(transitions)
    ahead = None
    for block in months.blocks()[::-1]:
        n = block.stop - block.start
        backward = np.ones((n, transitions.shape[0]))
        if ahead is not None:
            weighted, n_ahead = ahead
            backward[:n_ahead] = weighted @ transitions.T
            total = (forward[block][:n_ahead] * backward[:n_ahead]).sum(axis=1, keepdims=True)
            moves += forward[block][:n_ahead].T @ (weighted / total)
            backward[:n_ahead] /= total
        gamma[block] = forward[block] * backward
        ahead = likelihood[block] * backward, n
    return gamma, moves * transitions


def find_best_path(months, logs, start, moves):
    """Return the state of each row on the most likely path of its customer."""
    blocks = months.blocks()
    tails, came_from = [start + logs[blocks[0]]], []
    for block in blocks[1:]:
        n = block.stop - block.start
        steps = tails[-1][:n, :, np.newaxis] + moves
        came_from.append(steps.argmax(axis=1))
        tails.append(steps.max(axis=1) + logs[block])
    state = np.empty(len(logs), dtype=np.int64)
    state[blocks[-1]] = tails[-1].argmax(axis=1)
    for number in range(len(blocks) - 2, -1, -1):
        now, ahead = blocks[number], blocks[number + 1]
        n_ahead = ahead.stop - ahead.start
        chosen = tails[number].argmax(axis=1)  # where the history ends here
        chosen[:n_ahead] = came_from[number][np.arange(n_ahead), state[ahead]]
        state[now] = chosen
    return state
