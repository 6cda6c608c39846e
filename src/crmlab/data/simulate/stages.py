"""The stages of each simulated relationship, and what customers do month by month in each.

Who asks: whoever tells the stages of a relationship from behaviour. The four stages are
exploration, formation, stability and decline (Dwyer, Schurr and Oh 1987, Developing Buyer-Seller
Relationships, Journal of Marketing 51(2), 11-27, doi:10.1177/002224298705100202; Jap and Ganesan
2000, Journal of Marketing Research 37(2), 227-245). Orders are BG/NBD and know no stage but the
end, so the path is laid over them: exploration and formation last as long as the customer's
orientation lets them, and decline takes the last part of the time of those who leave. What does
change from stage to stage is how often customers look in, at how many categories, and how much
they ask: the table `activity`. Given the stage, the counts of a month are independent, as a hidden
Markov model assumes (Netzer, Lattin and Srinivasan 2008, doi:10.1287/mksc.1070.0294).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from crmlab.data.simulate.latents import quantise
from crmlab.data.simulate.parameters import SimulationParameters

__all__ = ["MONTHLY_MEANS", "STAGES", "simulate_activity", "simulate_stages", "trace_stages"]

STAGES = ("exploration", "formation", "stability", "decline")
"""The stages in order; decline may follow any of the others."""

MONTHLY_MEANS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "n_visits": (2.0, 5.0, 8.0, 2.5, 0.3),
        "n_categories": (0.6, 1.8, 3.5, 1.2, 0.1),
        "n_messages": (0.8, 1.2, 0.5, 0.3, 0.05),
    }
)
"""Means of the Poisson counts of a month: in each stage, and after the customer has left."""

_WEEK = 7.0
_ORIENTATION_EFFECT = 0.25  # of a standard deviation, on the logarithm of the mean duration
_SHAPE = 2.0  # of the Gamma of durations


def simulate_stages(
    joined_at: np.ndarray,
    left_at: np.ndarray,
    latents: pd.DataFrame,
    rng: np.random.Generator,
    parameters: SimulationParameters,
) -> pd.DataFrame:
    """Return when each customer enters formation, stability and decline.

    Exploration starts with the first order and lasts a Gamma time of shape 2, shorter for
    relational customers: its mean is `exploration_weeks` times exp(-0.25 orientation); so does
    formation. A customer who leaves spends the last part of the time in decline, a share that is
    Beta(2, 2/`decline_share` - 2); a stage that would start later than that is not entered.

    Parameters
    ----------
    joined_at, left_at : numpy.ndarray of float, shape (n_customers,)
        Days of the first order and of leaving; infinity where the customer stays.
    latents : pandas.DataFrame
        From `simulate_latents`.
    rng : numpy.random.Generator
        Drawn from.
    parameters : SimulationParameters
        What to draw.

    Returns
    -------
    pandas.DataFrame, one row per customer
        `formation`, `stability`, `decline`: days, infinity for a stage that is not entered.

    Examples
    --------
    >>> stages = simulate_stages(
    ...     np.zeros(2), np.array([np.inf, 7.0]), pd.DataFrame({"orientation": [0.0, 0.0]}),
    ...     np.random.default_rng(1), SimulationParameters())
    >>> bool(stages["decline"][0] == np.inf), bool(0 < stages["decline"][1] < 7)
    (True, True)
    """
    n_customers = len(joined_at)
    pace = quantise(np.exp(-_ORIENTATION_EFFECT * latents["orientation"].to_numpy()))
    entered = joined_at
    columns = {}
    for stage, weeks in (
        ("formation", parameters.exploration_weeks),
        ("stability", parameters.formation_weeks),
    ):
        duration = rng.standard_gamma(_SHAPE, n_customers) / _SHAPE * weeks * _WEEK * pace
        entered = entered + quantise(duration, 3)
        columns[stage] = entered
    share = quantise(rng.beta(2.0, 2.0 / parameters.decline_share - 2.0, n_customers))
    has_left = np.isfinite(left_at)
    until = np.where(has_left, left_at, joined_at)
    decline = np.where(has_left, until - share * (until - joined_at), math.inf)
    for stage in ("formation", "stability"):
        columns[stage] = np.where(columns[stage] < decline, columns[stage], math.inf)
    return pd.DataFrame(columns | {"decline": decline})


def trace_stages(
    truth: pd.DataFrame,
    customers: pd.DataFrame,
    observed_from: str | pd.Timestamp,
    observed_to: str | pd.Timestamp,
) -> pd.DataFrame:
    """Return the stage of each customer in each month, the rows that `activity` has.

    Parameters
    ----------
    truth : pandas.DataFrame
        `customer_id`, `formation_on`, `stability_on`, `decline_on`, `dropped_out_on`.
    customers : pandas.DataFrame
        `customer_id` and `joined_on`, in the order of `truth`.
    observed_from, observed_to : str or pandas.Timestamp
        The months of these days and those between.

    Returns
    -------
    pandas.DataFrame, one row per customer and month from joining on
        `customer_id`, `month_on` (its first day), `stage` (on the month's last day, or on the
        last day observed) and `has_left` (before the end of that day).

    Examples
    --------
    >>> day = pd.to_datetime
    >>> truth = pd.DataFrame({"customer_id": ["a"], "formation_on": day(["2024-02-10"]),
    ...     "stability_on": day([None]), "decline_on": day(["2024-03-05"]),
    ...     "dropped_out_on": day(["2024-03-31"])})
    >>> customers = pd.DataFrame({"customer_id": ["a"], "joined_on": day(["2024-01-20"])})
    >>> path = trace_stages(truth, customers, "2024-01-01", "2024-04-30")
    >>> path["stage"].tolist(), path["has_left"].tolist()
    (['exploration', 'formation', 'decline', 'decline'], [False, False, True, True])
    """
    first = pd.Timestamp(observed_from)

    def days(column: pd.Series) -> np.ndarray:
        numbers = (column.reset_index(drop=True) - first).dt.days
        return numbers.to_numpy(dtype=float, na_value=math.inf)

    entered = [days(truth[f"{stage}_on"]) for stage in STAGES[1:]]
    months, ends = _list_months(first, pd.Timestamp(observed_to))
    customer, month, stage = _list_states(
        days(customers["joined_on"]), days(truth["dropped_out_on"]), entered, ends
    )
    left = len(STAGES)
    return pd.DataFrame(
        {
            "customer_id": truth["customer_id"].to_numpy()[customer],
            "month_on": months[month],
            "stage": np.array([*STAGES, STAGES[-1]], dtype=object)[stage],
            "has_left": stage == left,
        }
    ).astype({"customer_id": "str", "stage": "str"})


def simulate_activity(
    joined_at: np.ndarray,
    left_at: np.ndarray,
    stages: pd.DataFrame,
    first: pd.Timestamp,
    last_day: int,
    rng: np.random.Generator,
    n_customers_a_piece: int,
) -> Iterator[pd.DataFrame]:
    """Yield what customers do in each month from joining on, some customers at a time.

    Each count has a stream of its own, so that the size of the pieces changes no number. A month
    counts as a whole one, also that in which the customer joins.

    Parameters
    ----------
    joined_at, left_at : numpy.ndarray of float, shape (n_customers,)
        Days of the first order and of leaving.
    stages : pandas.DataFrame
        From `simulate_stages`.
    first : pandas.Timestamp
        First day observed.
    last_day : int
        Last day observed.
    rng : numpy.random.Generator
        Parent of the streams.
    n_customers_a_piece : int
        Customers of each frame.

    Yields
    ------
    pandas.DataFrame
        `customer` (position), `month_on` and the counts of `MONTHLY_MEANS`.
    """
    streams = dict(zip(MONTHLY_MEANS, rng.spawn(len(MONTHLY_MEANS)), strict=True))
    months, ends = _list_months(first, first + pd.Timedelta(days=last_day))
    entered = stages[list(STAGES[1:])].to_numpy().T
    for start in range(0, len(joined_at), n_customers_a_piece):
        piece = slice(start, start + n_customers_a_piece)
        customer, month, state = _list_states(
            np.floor(joined_at[piece]), left_at[piece], [days[piece] for days in entered], ends
        )
        counts = {
            name: _draw_counts(MONTHLY_MEANS[name], state, stream)
            for name, stream in streams.items()
        }
        columns = {"customer": customer + start, "month_on": months[month]} | counts
        yield pd.DataFrame(columns, copy=False)


def _list_months(first: pd.Timestamp, last: pd.Timestamp) -> tuple[np.ndarray, np.ndarray]:
    """Return the first day of each month, and its last one as a number of days from `first`."""
    months = np.arange(
        np.datetime64(first, "M"), np.datetime64(last, "M") + 1, dtype="datetime64[M]"
    )
    last_days = np.minimum((months + 1).astype("datetime64[D]") - 1, np.datetime64(last, "D"))
    ends = (last_days - np.datetime64(first, "D")).astype(np.int64)
    return months.astype("datetime64[us]"), ends


def _list_states(
    joined: np.ndarray, left: np.ndarray, entered: list[np.ndarray], ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return customer, month and state (a position in `STAGES`, one more after leaving)."""
    customer, month = np.nonzero(joined[:, np.newaxis] <= ends)
    end = ends[month] + 1.0  # the day is over
    state = np.zeros(len(customer), dtype=np.int8)
    for position, days in enumerate((*entered, left), start=1):
        # An infinite day is never over. Stages come in order, so the last one entered holds.
        np.putmask(state, days[customer] < end, position)
    return customer.astype(np.int32), month.astype(np.int16), state


def _draw_counts(
    means: tuple[float, ...], state: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return a Poisson count for each state, by the inverse of its distribution function."""
    tables = []
    for position, mean in enumerate(means):
        n_values = int(mean + 12 * math.sqrt(mean) + 12)
        values = np.arange(n_values)
        logs = values * math.log(mean) - mean - np.array([math.lgamma(v + 1) for v in values])
        # On a grid, so that every processor draws the same counts.
        share_up_to = np.minimum(quantise(np.cumsum(np.exp(logs)), 9), 1.0)
        share_up_to[-1] = 1.0
        tables.append(position + share_up_to)
    starts = np.concatenate([[0], np.cumsum([len(table) for table in tables])])[:-1]
    place = np.searchsorted(np.concatenate(tables), state + rng.random(len(state)), side="right")
    return (place - starts[state]).astype(np.int64)
