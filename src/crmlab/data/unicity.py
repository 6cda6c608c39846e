"""How few purchases give a customer away, with every name and number removed.

Who asks: whoever thinks of sharing "anonymous" purchase histories. An attacker who saw a customer
buy a few times (a receipt, a photograph, a neighbour) looks for the one history that holds these
purchases. *Unicity* is the share of customers for whom exactly one does.

Source: de Montjoye, Y.-A., Radaelli, L., Singh, V. K. & Pentland, A. (2015). Unique in the shopping
mall: on the reidentifiability of credit card metadata. Science 347(6221), 536-539.
doi:10.1126/science.1256297: four purchases, known by day and shop, single out 90 % of 1.1 million
card holders.
"""

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.data.engines import collect, read_frame

__all__ = ["GRAINS", "measure_unicity"]

GRAINS = {
    "day_and_amount": ("D", 1.0),
    "day_and_rough_amount": ("D", 0.1),
    "day": ("D", None),
    "week": ("W", None),
    "month": ("M", None),
}
"""What the attacker knows of a purchase: time, and amount exactly, roughly or not at all."""


def measure_unicity(orders, rng, *, n_known=(1, 2, 3, 4), grains=tuple(GRAINS), n_tried=1000):
    """Return the share of customers singled out by a few of their purchases.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        `customer_id`, `ordered_on`, `amount`; returns and orders of nobody are left out. Left
        unchanged. What differs between histories is brought into memory: customer, day and
        amount, each combination once.
    rng : numpy.random.Generator
        Draws the customers and the purchases of each that the attacker saw.
    n_known : sequence of int
        Purchases known, each 1 or more.
    grains : sequence of str
        Keys of `GRAINS`; roughly means to one digit: 12 and 14 are both 10.
    n_tried : int
        Customers tried for each number, at most all who have so many different purchases.

    Returns
    -------
    pandas.DataFrame, one row per grain and number
        `grain`, `n_known`, `n_tried` (customers), `unicity` (NaN where nobody has so many),
        `standard_error`, and `n_candidates`, the median number of histories that hold what the
        attacker saw, the customer's own among them. One customer who buys every week is a
        candidate for everybody known by the week: unicity is then 0 and the candidates few.

    Raises
    ------
    ValueError
        If a column is missing, there is no purchase, or an argument cannot be used.

    Notes
    -----
    The histories searched are all those of `orders`: in a larger population fewer are unique, and
    where the data cover only some of a firm's customers, unicity is an upper bound.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b", "b"], "amount": [5.0, 7.0, 5.0, 9.0],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-09", "2024-01-01", "2024-02-01"])})
    >>> found = measure_unicity(orders, np.random.default_rng(1), n_known=(2,), grains=("day",))
    >>> found["unicity"].tolist()
    [1.0]
    """
    unknown = [grain for grain in grains if grain not in GRAINS]
    if unknown or min(n_known, default=0) < 1 or n_tried < 1:
        raise ValueError(
            f"grains {list(grains)}, n_known {list(n_known)}, n_tried {n_tried}; expected grains "
            f"among {', '.join(GRAINS)}, and numbers of 1 or more"
        )
    bought = _list_purchases(orders)
    if not len(bought):
        raise ValueError("orders holds no purchase of a known customer; nobody can be singled out")
    # In the order of their identifiers, so that engine and order of rows show in no draw.
    customer = pd.factorize(bought["customer_id"], sort=True)[0]
    rows = []
    for grain in grains:
        point = _points(bought, *GRAINS[grain])
        histories = _incidence(customer, point)
        for known in n_known:
            rows.append((grain, known, *_try(histories, known, n_tried, rng)))
    columns = ["grain", "n_known", "n_tried", "unicity", "standard_error", "n_candidates"]
    return pd.DataFrame(rows, columns=columns)


def _list_purchases(orders):
    """Return customer, day and amount of the purchases, each combination once."""
    frame = read_frame("orders", orders, ["customer_id", "ordered_on", "amount"])
    day = nw.col("ordered_on")
    if frame.collect_schema()["ordered_on"] != nw.Date:
        day = day.dt.truncate("1d")
    bought = frame.select(
        nw.col("customer_id").cast(nw.String), ordered_on=day, amount=nw.col("amount")
    ).filter((nw.col("amount") > 0) & ~nw.col("customer_id").is_null())
    return collect(bought.unique())


def _points(orders, time, amount):
    """Return a number for each purchase, the same for those the attacker cannot tell apart."""
    when = orders["ordered_on"].dt.to_period(time).astype("int64").to_numpy()
    if amount is None:
        return pd.factorize(when, sort=True)[0]
    value = orders["amount"].to_numpy()
    if amount < 1:
        size = 10.0 ** np.floor(np.log10(value))
        value = np.round(value / size) * size
    return pd.DataFrame({"when": when, "value": value}).groupby(["when", "value"]).ngroup().array


def _incidence(customer, point):
    """Return which customer made which purchase, as a sparse matrix of ones."""
    from scipy.sparse import csr_array

    pairs = np.unique(np.column_stack([customer, np.asarray(point)]), axis=0)
    ones = np.ones(len(pairs), dtype=np.int32)
    shape = (customer.max() + 1, pairs[:, 1].max() + 1)
    return csr_array((ones, (pairs[:, 0], pairs[:, 1])), shape=shape)


def _try(histories, n_known, n_tried, rng):
    """Return how many customers were tried, and the share with nobody else like them."""
    from scipy.sparse import csr_array

    n_points = np.diff(histories.indptr)
    able = np.flatnonzero(n_points >= n_known)
    if not len(able):
        return 0, np.nan, np.nan, np.nan
    tried = able if len(able) <= n_tried else rng.choice(able, n_tried, replace=False)
    seen = np.concatenate(
        [
            rng.choice(
                histories.indices[histories.indptr[c] : histories.indptr[c + 1]],
                n_known,
                replace=False,
            )
            for c in tried
        ]
    )
    row = np.repeat(np.arange(len(tried)), n_known)
    ones = np.ones(len(seen), dtype=np.int32)
    asked = csr_array((ones, (row, seen)), shape=(len(tried), histories.shape[1]))
    found = (asked @ histories.T).tocsr()
    n_alike = np.add.reduceat(found.data == n_known, found.indptr[:-1])
    share = float((n_alike == 1).mean())
    error = float(np.sqrt(share * (1 - share) / len(tried)))
    return len(tried), share, error, float(np.median(n_alike))
