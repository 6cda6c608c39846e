r"""What bought data about customers is worth, against its price.

Who asks: whoever is offered data ("income and age of your customers, so much a record"). Data is
worth what decisions made with it bring more than decisions made without it. The decision here:
only a share of the customers can be looked after, and the firm picks those it expects to bring
most. Each customer is ranked by a prediction made without that customer's own outcome
(cross-fitting), once from what the firm knows itself and once with the bought fields beside it;
the *gain* is what the second pick brings more than the first. Divided by the records that were
matched it is the *break-even price*: above it the purchase loses money. The most any field could
bring is the gain of *perfect information*: picking those who will in fact bring most.

Sources: Raiffa, H. and Schlaifer, R. (1961). Applied Statistical Decision Theory. Boston: Harvard
Business School (value of information); Rossi, P. E., McCulloch, R. E. and Allenby, G. M. (1996).
The value of purchase history data in target marketing. Marketing Science 15(4), 321-340 (what
bought demographics and own purchase records are each worth).
"""

from dataclasses import dataclass

import numpy as np

from crmlab.data.covariates import design_matrix

__all__ = ["EnrichmentValue", "value_enrichment"]

_N_DRAWS = 500
_PENALTY = 1.0


@dataclass(frozen=True)
class EnrichmentValue:
    """What `value_enrichment` found; money per customer unless said otherwise.

    Attributes
    ----------
    n_customers, n_matched : int
        Customers in all, and those for whom at least one bought field holds a value.
    match_rate : float
        `n_matched` / `n_customers`, 0..1.
    value_by_chance, value_own, value_enriched, value_perfect : float
        What the customers picked bring, divided by all customers: picked at random, with the
        firm's own data, with the bought fields beside it, with perfect foresight.
    gain : float
        `value_enriched` less `value_own`.
    gain_lower, gain_upper : float
        Interval of the gain (bootstrap over customers, predictions held).
    break_even_price, break_even_lower, break_even_upper : float
        Money per matched record at which the purchase pays nothing; NaN where none matched.
    ceiling_price : float
        Break-even price of perfect information about every customer.
    net_value : float
        Money in all: gain of all customers less the price of all matched records.
    r_squared_own, r_squared_enriched : float
        Share of the outcome's variance predicted on hold-outs; below 0 where worse than the mean.
    """

    n_customers: int
    n_matched: int
    match_rate: float
    value_by_chance: float
    value_own: float
    value_enriched: float
    value_perfect: float
    gain: float
    gain_lower: float
    gain_upper: float
    break_even_price: float
    break_even_lower: float
    break_even_upper: float
    ceiling_price: float
    net_value: float
    r_squared_own: float
    r_squared_enriched: float


def value_enrichment(outcome, own, bought, *, share, price, rng, confidence=0.95, n_folds=5):
    """Return what bought fields add when a share of the customers is picked for their outcome.

    Parameters
    ----------
    outcome : array_like of float, shape (n_customers,)
        What each brings after the data was at hand (margin or sales of a later period), money.
    own : pandas.DataFrame, one row per customer
        What the firm knows itself before that period.
    bought : pandas.DataFrame, one row per customer
        The fields on offer; missing where the vendor found no match. May have no column: then
        only the value of perfect information is of interest.
    share : float
        Share of the customers that can be picked, above 0 and below 1.
    price : float
        Money per matched record, 0 or more.
    rng : numpy.random.Generator
        Folds and bootstrap.
    confidence : float
        Of the intervals.
    n_folds : int
        Parts into which the customers are cut; each is predicted from the others.

    Returns
    -------
    EnrichmentValue

    Raises
    ------
    ValueError
        If the tables do not have a row per outcome, an outcome is missing, a number is out of
        its range, or there are fewer than 10 customers per fold.

    Notes
    -----
    Predictions are ridge regressions on `crmlab.data.covariates.design_matrix`. The interval
    speaks of the customers at hand; it leaves out that other folds would give other predictions.
    What the outcome would have been under another treatment is no part of it: it values a
    forecast, not the effect of a campaign.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> known, secret = rng.normal(size=(2, 4000))
    >>> found = value_enrichment(known + secret, pd.DataFrame({"known": known}),
    ...     pd.DataFrame({"secret": secret}), share=0.5, price=0.1, rng=rng)
    >>> 0.12 < found.gain < 0.21, found.gain_lower > 0.1, found.match_rate
    (True, True, 1.0)
    """
    outcome = np.asarray(outcome, dtype=float)
    n = len(outcome)
    _refuse_unusable(outcome, own, bought, share, price, n_folds)
    folds = rng.permutation(np.arange(n) % n_folds)
    known, offered = design_matrix(own), design_matrix(bought)
    guesses = {
        "own": _predict(known, outcome, folds),
        "enriched": _predict(np.hstack([known, offered]), outcome, folds),
        "perfect": outcome,
    }
    if not offered.shape[1]:
        guesses["enriched"] = guesses["own"]
    # Ties of a prediction are broken at random, alike for every ranking.
    tie = rng.random(n)
    order = {name: np.lexsort((tie, -guess)) for name, guess in guesses.items()}
    once = np.ones(n)
    value = {name: _picked(outcome, rows, once, share) for name, rows in order.items()}
    gains = np.empty(_N_DRAWS)
    for draw in range(_N_DRAWS):
        drawn = np.bincount(rng.integers(n, size=n), minlength=n)
        gains[draw] = _picked(outcome, order["enriched"], drawn, share)
        gains[draw] -= _picked(outcome, order["own"], drawn, share)
    lower, upper = np.quantile(gains, [(1 - confidence) / 2, (1 + confidence) / 2])
    gain = value["enriched"] - value["own"]
    n_matched = int(bought.notna().any(axis="columns").sum())
    per_record = n / n_matched if n_matched else np.nan
    spread = ((outcome - outcome.mean()) ** 2).sum()
    fit = {
        name: 1 - ((outcome - guesses[name]) ** 2).sum() / spread if spread > 0 else np.nan
        for name in ("own", "enriched")
    }
    return EnrichmentValue(
        n_customers=n,
        n_matched=n_matched,
        match_rate=n_matched / n,
        value_by_chance=float(share * outcome.mean()),
        value_own=float(value["own"]),
        value_enriched=float(value["enriched"]),
        value_perfect=float(value["perfect"]),
        gain=float(gain),
        gain_lower=float(lower),
        gain_upper=float(upper),
        break_even_price=float(gain * per_record),
        break_even_lower=float(lower * per_record),
        break_even_upper=float(upper * per_record),
        ceiling_price=float(value["perfect"] - value["own"]),
        net_value=float(gain * n - price * n_matched),
        r_squared_own=float(fit["own"]),
        r_squared_enriched=float(fit["enriched"]),
    )


def _predict(design, outcome, folds):
    """Return each customer's prediction by a ridge regression that did not see the customer."""
    guess = np.empty(len(outcome))
    for fold in np.unique(folds):
        is_out = folds == fold
        x, y = design[~is_out], outcome[~is_out]
        centre = x.mean(axis=0)
        x = x - centre
        slope = np.linalg.solve(x.T @ x + _PENALTY * np.eye(x.shape[1]), x.T @ (y - y.mean()))
        guess[is_out] = y.mean() + (design[is_out] - centre) @ slope
    return guess


def _picked(outcome, order, counts, share):
    """Return what the first share of the customers brings, per customer; each counts so often.

    A customer on the edge is picked in part, so that exactly the share is picked.
    """
    counts = counts[order]
    before = np.cumsum(counts) - counts
    picked = np.clip(share * counts.sum() - before, 0, counts)
    return picked @ outcome[order] / counts.sum()


def _refuse_unusable(outcome, own, bought, share, price, n_folds):
    for name, frame in (("own", own), ("bought", bought)):
        if len(frame) != len(outcome):
            raise ValueError(
                f"{name} has {len(frame)} rows and there are {len(outcome)} outcomes; expected one "
                "row per customer in the same order"
            )
    bad = np.flatnonzero(~np.isfinite(outcome))
    if len(bad):
        raise ValueError(
            f"outcome, row {bad[0] + 1}: {outcome[bad[0]]}; expected money. A customer who bought "
            "nothing brought 0; leave out those who were not followed."
        )
    if not 0 < share < 1:
        raise ValueError(f"share is {share}; expected a share above 0 and below 1")
    if not price >= 0:
        raise ValueError(f"price is {price}; expected money per record, 0 or more")
    if n_folds < 2 or len(outcome) < 10 * n_folds:
        raise ValueError(
            f"{len(outcome)} customers in {n_folds} folds; expected 2 folds or more and at least "
            f"10 customers in each"
        )
