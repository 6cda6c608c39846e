r"""Who takes up something new first, who follows, and how strong imitation is.

Who asks: whoever launches something and wonders whom to show it first. Rogers calls the first
2.5 % of a population innovators and the next 13.5 % early adopters (Rogers, E. M. 2003, Diffusion
of Innovations, 5th edition, Free Press); together they are the sixteenth part of a hundred from
which lighthouse customers come. The links between customers say who is looked at (opinion
leadership by number of links) and how many of a customer's contacts had it before. For the whole
population, Bass's model splits adoption into innovation p and imitation q,

.. math:: N(t) = m\, \frac{1 - e^{-(p+q)t}}{1 + \frac{q}{p}\, e^{-(p+q)t}}

(Bass, F. M. 1969, A new product growth for model consumer durables, Management Science 15(5),
215-227, doi:10.1287/mnsc.15.5.215), fitted by nonlinear least squares to the adopters of each
period (Srinivasan, V. & Mason, C. H. 1986, Nonlinear least squares estimation of new product
diffusion models, Marketing Science 5(2), 169-178, doi:10.1287/mksc.5.2.169).
"""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.engines import collect, put_beside, read_frame

__all__ = ["BassModel", "adopters_by_period", "count_links", "describe_adoption", "fit_bass"]

_MOST_ROUNDS = 200


@dataclass(frozen=True)
class BassModel:
    """A fitted Bass model.

    Attributes
    ----------
    innovation, imitation : float
        p and q of a period.
    potential : float
        m, adopters in the end.
    errors : tuple of float
        Standard errors of the three; NaN where they cannot be had.
    r_squared : float
        Share of the variance of adopters between periods that the model accounts for.
    """

    innovation: float
    imitation: float
    potential: float
    errors: tuple[float, float, float]
    r_squared: float

    def adopters(self, n_periods):
        """Return the adopters that the model expects in each of the first periods."""
        return _adopters((self.innovation, self.imitation, self.potential), n_periods)

    def innovation_share(self, n_periods):
        """Return the share of the adopters up to a period who took it up on their own impulse.

        Of those who have not yet, the part p does in each moment, so that the share is
        ``p * integral of (m - N) / N(t)``.
        """
        p, q, m = self.innovation, self.imitation, self.potential
        adopted = self.adopters(n_periods).sum()
        if q <= 0:
            return 1.0
        # The integral of m - N from 0 to t, in closed form.
        left = m / q * (np.log1p(q / p) - np.log1p(q / p * np.exp(-(p + q) * n_periods)))
        return float(p * left / adopted)


def describe_adoption(adopted_on, joined_on, links=None, *, observed_to):
    """Return each customer's place in the order of adoption, and the contacts who were first.

    Parameters
    ----------
    adopted_on, joined_on : pandas.Series
        Days by customer (unique index); NaT where not (yet), or where not known.
    links : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table, optional
        As for `count_links`.
    observed_to : pandas.Timestamp
        Last day observed: who joined later is left out of the population.

    Returns
    -------
    pandas.DataFrame, index of `adopted_on`
        `adoption_place`: customers who had adopted by that day, as a share of all customers
        (infinity for who has not adopted); `share_before`: share of the contacts who had adopted
        earlier (of who has not adopted himself: by the last day), NaN without contacts.

    Raises
    ------
    ValueError
        If nobody has adopted.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.Series(pd.to_datetime(["2024-01-05", None, "2024-02-01"]), index=list("abc"))
    >>> found = describe_adoption(days, days, observed_to=pd.Timestamp("2024-12-31"))
    >>> found["adoption_place"].round(2).tolist()
    [0.33, inf, 0.67]
    """
    if not adopted_on.notna().any():
        raise ValueError(say("segments_nobody_adopted"))
    population = int((joined_on.isna() | (joined_on <= observed_to)).sum())
    place = adopted_on.rank(method="max") / population
    table = pd.DataFrame({"adoption_place": place.fillna(np.inf), "share_before": np.nan})
    if links is None:
        return table
    # As numbers: engines differ in what a missing day is, and whether it comes before another.
    day = adopted_on.dt.as_unit("us").astype("int64")
    next_day = (observed_to + pd.Timedelta(days=1)).as_unit("us").value
    ever = {"adopted": day.where(adopted_on.notna(), np.iinfo("int64").max)}
    people = pd.DataFrame(ever | {"until": day.where(adopted_on.notna(), next_day)})
    is_before = nw.when(nw.col("adopted_other") < nw.col("until")).then(1).otherwise(0)
    found = _add_up_pairs(links, people, n_before=is_before)
    table["share_before"] = found["n_before"] / found["n_linked"]
    return table


def count_links(links, customers):
    """Return how many others each customer is linked to, and how many he has referred.

    Parameters
    ----------
    links : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        The table `links`: `customer_id` (who called first, or referred), `other_id`, `kind`. A
        pair counts once. Pairs are made and counted where the links lie: only one row per
        customer comes into memory.
    customers : pandas.Index
        Whose links are wanted; links to others are passed over.

    Returns
    -------
    pandas.DataFrame, index `customers`
        `n_linked` and `n_referrals`, 0 where there are none.

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> links = pd.DataFrame({"customer_id": ["a", "a"], "other_id": ["b", "b"],
    ...                       "kind": ["call", "referral"]})
    >>> count_links(links, pd.Index(["a", "b"])).to_numpy().tolist()
    [[1.0, 1.0], [1.0, 0.0]]
    """
    people = pd.DataFrame(index=customers)
    return _add_up_pairs(links, people, n_referrals=nw.col("n_referrals")).fillna(0.0)


def _add_up_pairs(links, people, **sums):
    """Return the number of each customer's pairs with known customers, and sums over them.

    A sum may use `n_referrals` of the pair, what is known of the customer, and, with `_other`
    behind its name, what is known of the other.
    """
    frame = read_frame("links", links, ["customer_id", "other_id", "kind"])
    one, other = (nw.col(name).cast(nw.String) for name in ("customer_id", "other_id"))
    is_referral = nw.when(nw.col("kind") == "referral").then(1).otherwise(0).cast(nw.Int64)
    onward = frame.select(customer_id=one, other_id=other, n_referrals=is_referral)
    back = frame.select(customer_id=other, other_id=one, n_referrals=is_referral * 0)
    pairs = nw.concat([onward, back]).group_by("customer_id", "other_id")
    pairs = pairs.agg(nw.col("n_referrals").sum())
    known = put_beside(frame, people.rename_axis("customer_id").reset_index())
    known = known.with_columns(nw.col("customer_id").cast(nw.String))  # Arrow has two kinds of text
    others = known.rename({name: f"{name}_other" for name in people} | {"customer_id": "other_id"})
    pairs = pairs.join(known, on="customer_id").join(others, on="other_id").with_columns(**sums)
    counted = pairs.group_by("customer_id").agg(
        nw.len().alias("n_linked"), *(nw.col(name).sum() for name in sums)
    )
    table = collect(counted).set_index("customer_id").astype("float64")
    return table.reindex(people.index.astype("str")).set_axis(people.index)


def adopters_by_period(adopted_on, *, observed_to, period_days=30):
    """Return how many adopted in each whole period since the first adoption.

    Parameters
    ----------
    adopted_on : pandas.Series
        Days; NaT where not.
    observed_to : pandas.Timestamp
        Last day observed; a period that it cuts is left out.
    period_days : int
        1 or more.

    Returns
    -------
    pandas.Series of int, indexed by `period` from 1 on

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-20", "2024-02-10"]))
    >>> adopters_by_period(days, observed_to=pd.Timestamp("2024-03-05")).tolist()
    [2, 1]
    """
    known = adopted_on.dropna()
    if not len(known):
        raise ValueError(say("segments_nobody_adopted"))
    n_periods = ((observed_to - known.min()).days + 1) // period_days
    period = (known - known.min()).dt.days // period_days
    counts = np.bincount(period[period < n_periods], minlength=n_periods)
    return pd.Series(
        counts, index=pd.RangeIndex(1, n_periods + 1, name="period"), name="n_adopters"
    )


def fit_bass(adopters):
    """Fit Bass's model to the adopters of each period.

    Parameters
    ----------
    adopters : array_like of float, shape (n_periods,)
        Adopters in each period from the launch on, 0 or more; at least five periods.

    Returns
    -------
    BassModel

    Raises
    ------
    ValueError
        If there are fewer than five periods or fewer than ten adopters, or the curve has no best
        fit (adoption only rises so far, so that the end cannot be told, or does not follow the
        model).

    Examples
    --------
    >>> model = fit_bass(BassModel(0.03, 0.4, 1000.0, (0, 0, 0), 1.0).adopters(15))
    >>> round(model.innovation, 4), round(model.imitation, 4), round(model.potential)
    (0.03, 0.4, 1000)
    """
    from scipy import optimize

    seen = np.asarray(adopters, dtype="float64")
    if len(seen) < 5 or seen.sum() < 10 or not np.isfinite(seen).all() or (seen < 0).any():
        raise ValueError(say("segments_few_adopters", n_periods=len(seen), n_adopters=seen.sum()))
    best = None
    for p, q, reach in ((0.03, 0.4, 1.2), (0.01, 0.1, 2.0), (0.05, 0.05, 1.5)):
        found = optimize.least_squares(
            lambda x: _adopters(np.exp(x), len(seen)) - seen,
            np.log([p, q, reach * seen.sum()]),
            max_nfev=_MOST_ROUNDS,
        )
        best = found if best is None or found.cost < best.cost else best
    p, q, m = np.exp(best.x)
    if not best.success or m > 50 * seen.sum() or p > 1 or q > 20:
        raise ValueError(say("segments_no_best_fit", p=p, q=q, m=m, n_adopters=seen.sum()))
    around = ((seen - seen.mean()) ** 2).sum()
    return BassModel(
        float(p),
        float(q),
        float(m),
        _errors(best, len(seen)),
        float(1 - 2 * best.cost / around) if around > 0 else float("nan"),
    )


def _adopters(point, n_periods):
    p, q, m = point
    decay = np.exp(-(p + q) * np.arange(n_periods + 1))
    return np.diff(m * (1 - decay) / (1 + q / p * decay))


def _errors(best, n_periods):
    """Return the standard errors on the natural scale, from the slopes at the best fit."""
    information = best.jac.T @ best.jac
    if n_periods <= 3 or np.linalg.cond(information) > 1e12:
        return (np.nan, np.nan, np.nan)
    spread = 2 * best.cost / (n_periods - 3)
    errors = np.sqrt(np.diag(np.linalg.inv(information)) * spread) * np.exp(best.x)
    return tuple(float(error) for error in errors)
