r"""What a customer is worth from now on: expected orders, what they bring, discounted to today.

Who asks: whoever decides what a customer may cost to win, keep or win back. A purchase model says
how often each customer will buy, the Gamma-Gamma model for how much; a margin turns turnover into
contribution, a discount rate later money into money of today. The horizon and the rate are stated,
for they decide the sum as much as the customer does.

Beside every forecast stands the *run rate*: each customer goes on as he did on average since his
first purchase. It needs no model, and a model that does not beat it is not worth its trouble.

Sources: P. S. Fader, B. G. S. Hardie & K. L. Lee (2005), RFM and CLV: using iso-value curves for
customer base analysis, Journal of Marketing Research 42(4), 415-430,
doi:10.1509/jmkr.2005.42.4.415; M. Wübben & F. von Wangenheim (2008), Instant customer base
analysis: managerial heuristics often "get it right", Journal of Marketing 72(3), 82-93,
doi:10.1509/jmkg.72.3.082.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import reason, say
from crmlab.value.lifetime.gamma_gamma import fit_gamma_gamma
from crmlab.value.lifetime.likelihood import FitError
from crmlab.value.lifetime.repeat_model import fit_repeat_model
from crmlab.value.lifetime.repeat_orders import read_repeat_orders

__all__ = [
    "WEEKS_A_YEAR",
    "bootstrap_lifetime_value",
    "discounted_future_orders",
    "lifetime_value",
    "probability_alive_grid",
    "run_rate_orders",
    "value_by_tenth",
]

WEEKS_A_YEAR = 365.25 / 7
# The expected orders bend gently with time: a dozen moments give the discounted sum to 1e-9.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2  # from -1..1 to 0..1


def run_rate_orders(summary, *, weeks):
    """Return the orders of each customer if he went on as he did since his first purchase.

    Parameters
    ----------
    summary : pandas.DataFrame
        `n_repeat_orders`, `last_order_age_weeks` and `age_weeks`; see
        `crmlab.value.lifetime.repeat_orders`.
    weeks : float
        Length of the time ahead.

    Returns
    -------
    numpy.ndarray of float, shape (n_customers,)
        x / T times `weeks`; 0 for a customer whose first purchase is on the last day observed.

    Examples
    --------
    >>> import pandas as pd
    >>> summary = pd.DataFrame(
    ...     {"n_repeat_orders": [2], "last_order_age_weeks": [30.0], "age_weeks": [40.0]}
    ... )
    >>> run_rate_orders(summary, weeks=20).tolist()
    [1.0]
    """
    x, _, age = read_repeat_orders(summary)
    return weeks * np.divide(x, age, out=np.zeros_like(x), where=age > 0)


def discounted_future_orders(model, summary, *, weeks, annual_discount_rate):
    r"""Return the orders expected of each customer, later ones counted for less.

    .. math:: \int_0^W (1+d)^{-t/52.18}\, dE[Y(t)]

    Parameters
    ----------
    model : BgNbd, MbgNbd or ParetoNbd
    summary : pandas.DataFrame
        See `crmlab.value.lifetime.repeat_orders`.
    weeks : float
        Horizon W, above 0. An endless one is not offered: the models say ever less about times
        much longer than those observed.
    annual_discount_rate : float
        d, 0 or more; 0.1 takes a tenth off for a year.

    Returns
    -------
    numpy.ndarray of float, shape (n_customers,)

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.value.lifetime import BgNbd
    >>> model = BgNbd(0.243, 4.414, 0.793, 2.426)
    >>> summary = pd.DataFrame(
    ...     {"n_repeat_orders": [2], "last_order_age_weeks": [30.43], "age_weeks": [38.86]}
    ... )
    >>> discounted_future_orders(model, summary, weeks=39, annual_discount_rate=0.1).round(3)
    array([1.186])
    """
    if not (np.isscalar(weeks) and 0 < weeks < np.inf):
        raise ValueError(f"weeks is {weeks!r}; expected a length of time above 0")
    if not 0 <= annual_discount_rate < np.inf:
        raise ValueError(f"annual_discount_rate is {annual_discount_rate!r}; expected 0 or more")
    weekly = np.log1p(annual_discount_rate) / WEEKS_A_YEAR
    # By parts: the orders themselves are easier had than their rate.
    total = np.exp(-weekly * weeks) * model.expected_future_orders(summary, weeks=weeks)
    if weekly == 0:
        return total
    for node, weight in zip(_NODES * weeks, _WEIGHTS * weeks, strict=True):
        early = model.expected_future_orders(summary, weeks=node)
        total += weekly * weight * np.exp(-weekly * node) * early
    return total


def lifetime_value(model, spend, summary, *, weeks, annual_discount_rate, margin_rate=1.0):
    """Return the value of each customer from now on, and what it is made of.

    Parameters
    ----------
    model : BgNbd, MbgNbd or ParetoNbd
    spend : GammaGamma
    summary : pandas.DataFrame
        `customer_id`, `n_repeat_orders`, `last_order_age_weeks`, `age_weeks` and
        `mean_repeat_value`, as `crmlab.value.rfm.summarize_orders` returns them.
    weeks : float
        Horizon, above 0.
    annual_discount_rate : float
        0 or more.
    margin_rate : float
        Share of turnover that is contribution, above 0 and at most 1.

    Returns
    -------
    pandas.DataFrame
        In the order of `summary`: `customer_id`, `probability_alive`, `expected_orders` (within
        the horizon), `expected_order_value` (money), `discounted_orders` and `lifetime_value`
        (money of today: discounted orders times order value times margin).

    Raises
    ------
    ValueError
        If a column is missing or a setting is out of range.

    References
    ----------
    Fader, Hardie & Lee (2005), doi:10.1509/jmkr.2005.42.4.415

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.value.lifetime import BgNbd, GammaGamma
    >>> summary = pd.DataFrame({
    ...     "customer_id": ["a"], "n_repeat_orders": [2], "last_order_age_weeks": [30.43],
    ...     "age_weeks": [38.86], "mean_repeat_value": [22.35],
    ... })
    >>> table = lifetime_value(
    ...     BgNbd(0.243, 4.414, 0.793, 2.426), GammaGamma(6.25, 3.74, 15.44), summary,
    ...     weeks=52, annual_discount_rate=0.1, margin_rate=0.3,
    ... )
    >>> table.drop(columns="customer_id").round(2).values.tolist()
    [[0.73, 1.56, 24.66, 1.49, 11.04]]
    """
    if not 0 < margin_rate <= 1:
        raise ValueError(f"margin_rate is {margin_rate!r}; expected a share above 0, at most 1")
    if "customer_id" not in summary.columns:
        raise ValueError("summary: column 'customer_id' is missing; expected one row per customer")
    discounted = discounted_future_orders(
        model, summary, weeks=weeks, annual_discount_rate=annual_discount_rate
    )
    order_value = spend.expected_order_value(summary)
    return pd.DataFrame(
        {
            "customer_id": summary["customer_id"].to_numpy(),
            "probability_alive": model.probability_alive(summary),
            "expected_orders": model.expected_future_orders(summary, weeks=weeks),
            "expected_order_value": order_value,
            "discounted_orders": discounted,
            "lifetime_value": discounted * order_value * margin_rate,
        }
    )


def bootstrap_lifetime_value(
    model, summary, *, weeks, annual_discount_rate, seed, margin_rate=1.0, n_resamples=100
):
    """Return how far the estimates leave the value of the customers open.

    Customers are drawn anew with replacement, both models are fitted to them, and the value of
    the original customers is computed by each pair of fits.

    Parameters
    ----------
    model, summary, weeks, annual_discount_rate, margin_rate
        As for `lifetime_value`; the model as fitted to `summary`.
    seed : int
    n_resamples : int
        At least 20.

    Returns
    -------
    pandas.DataFrame
        Index `resample`; one column per customer in the order of `summary`: lifetime value in
        each resample that could be fitted. Those that could not are missing from the index, and
        their number is `n_resamples` less its length.

    Notes
    -----
    The spread is that of the estimates. What a single customer will really bring varies far
    more, since he buys by chance, and no sample size takes that away.

    Raises
    ------
    ValueError
        If there are too few resamples, or (as `FitError`) more than half of them cannot be fitted.
    """
    if n_resamples < 20:
        raise ValueError(f"n_resamples is {n_resamples!r}; expected at least 20")
    rng = np.random.default_rng(seed)
    n = len(summary)
    values, failure = {}, None
    for resample in range(n_resamples):
        weights = np.bincount(rng.integers(0, n, n), minlength=n)
        try:
            models = (
                fit_repeat_model(type(model), summary, weights=weights, start=model),
                fit_gamma_gamma(summary, weights=weights),
            )
        except FitError as error:
            failure = error
            continue
        values[resample] = lifetime_value(
            *models,
            summary,
            weeks=weeks,
            annual_discount_rate=annual_discount_rate,
            margin_rate=margin_rate,
        )["lifetime_value"].to_numpy()
    if len(values) <= n_resamples / 2:
        n = n_resamples - len(values)
        why = reason(failure)
        raise FitError(say("value_few_resamples", n=n, n_all=n_resamples, why=why))
    return pd.DataFrame.from_dict(values, orient="index").rename_axis("resample")


def value_by_tenth(value, resamples, *, level=0.95):
    """Return how much of the value each tenth of the customers holds, the best first.

    Parameters
    ----------
    value : array_like of float, shape (n_customers,)
        Lifetime value of each customer; it ranks them.
    resamples : pandas.DataFrame, shape (n_resamples, n_customers)
        Result of `bootstrap_lifetime_value`.
    level : float
        Of the interval, from the quantiles of the resamples.

    Returns
    -------
    pandas.DataFrame
        `tenth` (1 to 10), `n_customers`, `mean_value`, `value_share`, `lower`, `upper`.

    Raises
    ------
    ValueError
        If there are fewer than ten customers, or their value comes to nothing.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> value = np.arange(20.0)
    >>> table = value_by_tenth(value, pd.DataFrame([value, value * 2]))
    >>> table["value_share"].round(2).tolist()[:3]
    [0.19, 0.17, 0.15]
    """
    value = np.asarray(value, dtype="float64")
    if len(value) < 10 or not value.sum() > 0:
        raise ValueError(
            f"{len(value)} customers worth {value.sum():g} in all; expected at least ten, and a "
            "total above 0"
        )
    tenth = np.empty(len(value), dtype="int64")
    tenth[np.argsort(-value, kind="stable")] = np.arange(len(value)) * 10 // len(value) + 1
    table = pd.DataFrame({"tenth": tenth, "value": value}).groupby("tenth")["value"]
    drawn = resamples.T.groupby(tenth).sum() / resamples.sum(axis=1).to_numpy()
    return pd.DataFrame(
        {
            "tenth": np.arange(1, 11),
            "n_customers": table.size().to_numpy(),
            "mean_value": table.mean().to_numpy(),
            "value_share": (table.sum() / value.sum()).to_numpy(),
            "lower": drawn.quantile(0.5 - level / 2, axis=1).to_numpy(),
            "upper": drawn.quantile(0.5 + level / 2, axis=1).to_numpy(),
        }
    )


def probability_alive_grid(model, *, age_weeks, most_orders=12, n_steps=40):
    """Return the probability of being alive by repeat orders and weeks since the last one.

    Parameters
    ----------
    model : BgNbd, MbgNbd or ParetoNbd
    age_weeks : float
        Time since the first purchase, above 0.
    most_orders, n_steps : int
        Rows and columns of the grid.

    Returns
    -------
    pandas.DataFrame
        Index 1 to `most_orders` repeat orders, columns weeks since the last purchase.

    Examples
    --------
    >>> from crmlab.value.lifetime import BgNbd
    >>> grid = probability_alive_grid(BgNbd(0.243, 4.414, 0.793, 2.426), age_weeks=39)
    >>> bool(grid.iloc[11, -1] < grid.iloc[0, -1] < grid.iloc[0, 0])
    True
    """
    silence = np.linspace(0, age_weeks, n_steps, endpoint=False)
    orders = np.arange(1, most_orders + 1)
    x, gap = (part.ravel() for part in np.meshgrid(orders, silence, indexing="ij"))
    cases = pd.DataFrame(
        {"n_repeat_orders": x, "last_order_age_weeks": age_weeks - gap, "age_weeks": age_weeks}
    )
    alive = model.probability_alive(cases).reshape(most_orders, n_steps)
    return pd.DataFrame(alive, index=orders, columns=silence)
