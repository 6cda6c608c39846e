"""Four stages and an end, as a hidden Markov model of what customers do month by month.

Who asks: whoever must say in which stage a relationship stands and how sure that is. The stage is
not seen; the counts of a month are, and depend on it (Netzer, Lattin & Srinivasan 2008). Given
the stage, counts are independent Poisson, with rates of the stage; the stage moves on once a
month by a transition matrix.

The stages are exploration, formation, stability and decline (Dwyer, Schurr & Oh 1987; Jap &
Ganesan 2000; 陈明亮 2002), and *ended*, the silence after. What tells them apart is the order of
time: from each stage only the later ones can be reached, so decline can follow any of them and
nobody comes back. Names therefore follow from the transitions and from nothing else: the first
state is called exploration whatever its rates. Whether the rates rise to stability and fall in
decline, as the theory says, is a finding (`StageModel.follows_the_course`), not an assumption.

Written here rather than taken from hmmlearn: histories of different lengths go through the
recursion together, a customer who was there before the panel begins starts with probabilities of
their own, and several thousand short histories take a hundredth of the time.

Sources: O. Netzer, J. M. Lattin & V. Srinivasan (2008), A hidden Markov model of customer
relationship dynamics, Marketing Science 27(2), 185-204, doi:10.1287/mksc.1070.0294; L. R. Rabiner
(1989), A tutorial on hidden Markov models and selected applications in speech recognition,
Proceedings of the IEEE 77(2), 257-286, doi:10.1109/5.18626; F. R. Dwyer, P. H. Schurr & S. Oh
(1987), Developing buyer-seller relationships, Journal of Marketing 51(2), 11-27,
doi:10.1177/002224298705100202; S. D. Jap & S. Ganesan (2000), Control mechanisms and the
relationship life cycle, Journal of Marketing Research 37(2), 227-245.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from crmlab.atlas import load_terms
from crmlab.atlas.sentences import say
from crmlab.relationship.panel import arrange_months
from crmlab.relationship.recursions import (
    find_best_path,
    log_probabilities,
    run_forward,
    smooth_states,
)

__all__ = ["STATES", "StageModel", "fit_stages"]

STATES = ("exploration", "formation", "stability", "decline", "ended")
"""The four stages in order of time, and the silence after them."""

_SHORTEST = 6  # months of the longest history
_FEWEST = 30  # customers with at least two months
_TOLERANCE = 1e-6  # log-likelihood per customer-month that a step must add
_TRIAL_STEPS = 15  # of each start, before the best one goes on
_LEAST_RATE = 1e-4
_PRIOR = 0.5  # customer-months added to each possible transition, so that none is ruled out


@dataclass(frozen=True)
class StageModel:
    """A fitted model of the stages.

    Attributes
    ----------
    counts : tuple of str
        Columns of the panel that the model reads.
    rates : pandas.DataFrame, shape (5, n_counts)
        Mean count of a month in each of `STATES`.
    transitions : pandas.DataFrame, shape (5, 5)
        Probability of the stage of the next month (columns) by the one of this month (rows).
    begin_new, begin_known : pandas.Series
        Probability of each stage in the first month: of customers who came after the panel
        began, and of those who were there when it began. NaN where there were none.
    log_likelihood : float
    n_months, n_customers, n_steps : int
        Customer-months and customers of the fit, and steps that it took.
    start_log_likelihoods : tuple of float
        What each start had reached when the best one was chosen.
    """

    counts: tuple[str, ...]
    rates: pd.DataFrame
    transitions: pd.DataFrame
    begin_new: pd.Series
    begin_known: pd.Series
    log_likelihood: float
    n_months: int
    n_customers: int
    n_steps: int
    start_log_likelihoods: tuple[float, ...]

    @property
    def follows_the_course(self):
        """Whether the first count rises to stability and falls in decline and after it."""
        rate = self.rates.iloc[:, 0].to_numpy()
        return bool(rate[0] < rate[1] < rate[2] > rate[3] > rate[4])

    @property
    def bic(self):
        """Schwarz's information criterion, by customer-months."""
        n = self.rates.size + len(STATES) * (len(STATES) - 1) // 2
        n += sum(len(STATES) - 1 for b in (self.begin_new, self.begin_known) if b.notna().all())
        return n * np.log(self.n_months) - 2 * self.log_likelihood

    def posterior(self, panel):
        """Return the probability of each stage in each customer-month, from the whole history.

        Parameters
        ----------
        panel : pandas.DataFrame
            As for `fit_stages`; it may be another one.

        Returns
        -------
        pandas.DataFrame, one row per row of `panel`, same index
            One column for each of `STATES`, rows summing to 1, and `stage`, the most likely one of
            the month by itself.
        """
        months, forward, _, likelihood = self._filter(panel)
        gamma, _ = smooth_states(months, forward, likelihood, self.transitions.to_numpy())
        return _name(months.put_back(gamma), panel.index)

    def path(self, panel):
        """Return the most likely course of each customer as a whole (Viterbi).

        The most likely stage of each month by itself may jump back, which no customer can; the
        most likely course never does.

        Parameters
        ----------
        panel : pandas.DataFrame
            As for `fit_stages`.

        Returns
        -------
        pandas.Series, one per row of `panel`, same index
            Ordered category of `STATES`.
        """
        months = arrange_months(panel, self.counts)
        logs = log_probabilities(months.counts, self.rates.to_numpy())
        begin = _beginnings(months, self.begin_new.to_numpy(), self.begin_known.to_numpy())
        with np.errstate(divide="ignore"):
            moves, start = np.log(self.transitions.to_numpy()), np.log(begin)
        return _as_stages(months.put_back(find_best_path(months, logs, start, moves)), panel.index)

    def predict(self, panel):
        """Return what each month was expected to hold when only the months before were known.

        Parameters
        ----------
        panel : pandas.DataFrame
            As for `fit_stages`.

        Returns
        -------
        pandas.DataFrame, one row per row of `panel`, same index
            `expected_<count>` for each count, the mean of the month given the months before it
            (NaN in a customer's first month), and `log_score`, the logarithm of the probability
            of what the month did hold.
        """
        months, forward, scale, _ = self._filter(panel)
        expected = np.full((len(months.rows), len(self.counts)), np.nan)
        ahead = self.transitions.to_numpy() @ self.rates.to_numpy()
        blocks = months.blocks()
        for before, now in pairwise(blocks):
            n = now.stop - now.start
            expected[now] = forward[before][:n] @ ahead
        expected, scale = months.put_back(expected), months.put_back(scale)
        columns = {f"expected_{name}": expected[:, i] for i, name in enumerate(self.counts)}
        return pd.DataFrame(columns | {"log_score": scale}, index=panel.index)

    def _filter(self, panel):
        months = arrange_months(panel, self.counts)
        logs = log_probabilities(months.counts, self.rates.to_numpy())
        begin = _beginnings(months, self.begin_new.to_numpy(), self.begin_known.to_numpy())
        forward, scale, likelihood = run_forward(months, logs, begin, self.transitions.to_numpy())
        return months, forward, scale, likelihood


def fit_stages(panel, counts, *, seed, n_starts=4, most_steps=500):
    """Return the stages as a hidden Markov model, by maximum likelihood (EM, several starts).

    Parameters
    ----------
    panel : pandas.DataFrame, one row per customer and month without gaps
        `customer_id`, `month_on` and the columns of `counts`; left unchanged.
    counts : sequence of str
        What is counted each month, the one that tells the volume of the relationship first.
    seed : int
        Seed of the starts after the first, which cuts the volume at its quantiles.
    n_starts : int
        Starts, 1 or more. Each takes 15 steps; the best one goes on to the end.
    most_steps : int
        Steps of EM after which to give up.

    Returns
    -------
    StageModel

    Raises
    ------
    ValueError
        If no history has 6 months, fewer than 30 customers have two months, a count never
        changes, hardly anybody did anything after the first month, or the steps did not settle;
        the message says what to do.

    Notes
    -----
    Half a customer-month is added to each transition that is possible, so that a step nobody took
    in these data keeps a small probability. Rates are kept above 0.0001 a month.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> path = np.repeat([0, 1, 2, 3, 4], [2, 3, 5, 2, 4])
    >>> panel = pd.DataFrame({
    ...     "customer_id": np.repeat(np.arange(60), len(path)),
    ...     "month_on": np.tile(pd.date_range("2023-01-01", periods=len(path), freq="MS"), 60),
    ...     "n_visits": rng.poisson(np.tile(np.array([2, 6, 15, 3, 0.1])[path], 60))})
    >>> model = fit_stages(panel, ["n_visits"], seed=1, n_starts=1)
    >>> model.rates["n_visits"].round(0).tolist(), model.follows_the_course
    ([2.0, 6.0, 15.0, 3.0, 0.0], True)
    """
    if n_starts < 1:
        raise ValueError(f"n_starts is {n_starts!r}; expected 1 or more")
    months = arrange_months(panel, counts)
    _refuse_hopeless(months, list(counts))
    rng = np.random.default_rng(seed)
    found = []
    for start in range(n_starts):
        point = _start(months, rng if start else None)
        found.append(_climb(months, point, _TRIAL_STEPS, is_trial=True))
    reached = [log_likelihood for _, log_likelihood, _ in found]
    point, log_likelihood, n_steps = _climb(
        months, found[int(np.argmax(reached))][0], most_steps, is_trial=False
    )
    rates, transitions, begin_new, begin_known = point
    names = list(STATES)
    is_new = months.is_new
    return StageModel(
        counts=tuple(counts),
        rates=pd.DataFrame(rates, index=names, columns=list(counts)),
        transitions=pd.DataFrame(transitions, index=names, columns=names),
        begin_new=pd.Series(begin_new if is_new.any() else np.nan, index=names),
        begin_known=pd.Series(begin_known if not is_new.all() else np.nan, index=names),
        log_likelihood=log_likelihood,
        n_months=len(months.rows),
        n_customers=len(is_new),
        n_steps=n_steps + _TRIAL_STEPS,
        start_log_likelihoods=tuple(reached),
    )


def _climb(months, point, most_steps, *, is_trial):
    """Return where EM arrives, the log-likelihood there, and its steps."""
    before = -np.inf
    for step in range(1, most_steps + 1):
        rates, transitions, begin_new, begin_known = point
        logs = log_probabilities(months.counts, rates)
        begin = _beginnings(months, begin_new, begin_known)
        forward, scale, likelihood = run_forward(months, logs, begin, transitions)
        log_likelihood = float(scale.sum())
        # What a step is sure to raise: the likelihood together with what was added to it.
        possible = (transitions[np.triu_indices(len(STATES))], begin_new, begin_known)
        goal = log_likelihood + _PRIOR * sum(np.log(p).sum() for p in possible)
        if goal - before < _TOLERANCE * len(months.rows) and not is_trial:
            return point, log_likelihood, step
        before = goal
        gamma, moves = smooth_states(months, forward, likelihood, transitions)
        point = _maximize(months, gamma, moves)
    if not is_trial:
        raise ValueError(say("relationship_stages_unsettled", steps=most_steps))
    return point, log_likelihood, most_steps


def _maximize(months, gamma, moves):
    """Return the parameters that the probabilities of the stages imply."""
    weight = gamma.sum(axis=0)[:, np.newaxis]
    rates = np.maximum(gamma.T @ months.counts / np.maximum(weight, 1e-300), _LEAST_RATE)
    moves = np.triu(moves + _PRIOR)
    transitions = moves / moves.sum(axis=1, keepdims=True)
    first = gamma[: months.sizes[0]]
    begins = []
    for chosen in (first[months.is_new], first[~months.is_new]):
        total = chosen.sum(axis=0) + _PRIOR
        begins.append(total / total.sum())
    return rates, transitions, *begins


def _start(months, rng):
    """Return where to begin: rates at quantiles of the volume, shaken if a generator is given."""
    seen = months.counts[months.counts[:, 0] > 0]
    seen = seen[np.argsort(seen[:, 0], kind="stable")]
    low, middle, high = (part.mean(axis=0) for part in np.array_split(seen, 3))
    silent = 0.05 * months.counts.mean(axis=0)
    rates = np.maximum([0.8 * low, middle, high, 0.7 * low, silent], _LEAST_RATE)
    stay = np.array([0.7, 0.7, 0.9, 0.7, 1.0])
    if rng is not None:
        rates = rates * np.exp(0.4 * rng.standard_normal((len(STATES), 1)))
        stay[:4] = rng.uniform(0.5, 0.95, 4)
    transitions = np.triu(np.ones((len(STATES), len(STATES))), 1)
    transitions[:4] *= ((1 - stay[:4]) / np.arange(4, 0, -1))[:, np.newaxis]
    transitions[np.diag_indices(len(STATES))] = stay
    new = np.array([0.9, 0.04, 0.02, 0.02, 0.02])
    return rates, transitions, new, np.full(len(STATES), 1 / len(STATES))


def _beginnings(months, new, known):
    """Return the probabilities of the first month's stage, one row per customer."""
    return np.where(months.is_new[:, np.newaxis], new, known)


def _name(gamma, index):
    frame = pd.DataFrame(gamma, index=index, columns=list(STATES))
    return frame.assign(stage=_as_stages(gamma.argmax(axis=1), index))


def _as_stages(codes, index):
    stage = pd.Categorical.from_codes(codes, categories=list(STATES), ordered=True)
    return pd.Series(stage, index=index)


def _refuse_hopeless(months, counts):
    """Refuse data in which no stages can be seen, and say what to do."""
    if len(months.sizes) < _SHORTEST:
        found = len(months.sizes)
        raise ValueError(say("relationship_stages_few_months", found=found, least=_SHORTEST))
    n_followed = int(months.sizes[1])
    if n_followed < _FEWEST:
        few = say("relationship_stages_few_customers", found=n_followed, least=_FEWEST)
        raise ValueError(few)
    for name, column in zip(counts, months.counts.T, strict=True):
        if not column.any():
            raise ValueError(say("relationship_stages_all_zero", count=_both(name)))
        if column.min() == column.max():
            said = say("relationship_stages_constant", count=_both(name), value=column[0])
            raise ValueError(said)
    share = (months.counts[:, 0] > 0).mean()
    if share < 0.01:
        raise ValueError(say("relationship_stages_rare", count=_both(counts[0]), share=share))


def _both(count):
    """Return a column of counts in each language: by its name, and by its term in Chinese."""
    known = load_terms()
    return {"en": count, "zh": known[count].zh if count in known else count}
