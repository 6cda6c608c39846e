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

from crmlab.data.counting import list_customers
from crmlab.data.engines import collect, put_beside, read_frame

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
        unchanged. Three numbers of each purchase are brought into memory: customer, day, amount.
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
    rows = []
    for grain in grains:
        point = _points(bought, *GRAINS[grain])
        histories = _Histories(bought["customer"].to_numpy(), np.asarray(point, dtype="int64"))
        for known in n_known:
            rows.append((grain, known, *_try(histories, known, n_tried, rng)))
    columns = ["grain", "n_known", "n_tried", "unicity", "standard_error", "n_candidates"]
    return pd.DataFrame(rows, columns=columns)


def _list_purchases(orders):
    """Return customer (a number), day and amount of the purchases."""
    frame = read_frame("orders", orders, ["customer_id", "ordered_on", "amount"])
    day = nw.col("ordered_on")
    if frame.collect_schema()["ordered_on"] != nw.Date:
        day = day.dt.truncate("1d")
    bought = frame.select(
        nw.col("customer_id").cast(nw.String), ordered_on=day, amount=nw.col("amount")
    ).filter((nw.col("amount") > 0) & ~nw.col("customer_id").is_null())
    # In the order of their identifiers, so that engine and order of rows show in no draw.
    names = list_customers(orders)
    numbers = put_beside(bought, pd.DataFrame({"customer_id": names, "customer": names.index}))
    numbers = numbers.with_columns(nw.col("customer_id").cast(nw.String))
    numbered = bought.join(numbers, on="customer_id")
    return collect(numbered.select("customer", "ordered_on", "amount"))


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


class _Histories:
    """What each customer bought, and who bought each: two lists of the same pairs."""

    def __init__(self, customer, point):
        n_points = int(point.max()) + 1
        pairs = np.sort(customer * n_points + point)
        # By hand: numpy's unique finds them by hashing, which takes many times as long.
        pairs = pairs[np.concatenate([[True], pairs[1:] != pairs[:-1]])]
        customer, self._points = np.divmod(pairs, n_points)
        self._n_customers = int(customer[-1]) + 1
        self._of_customer = np.searchsorted(customer, np.arange(self._n_customers + 1))
        order = np.argsort(self._points, kind="stable")
        self._customers = customer[order].astype("int32")
        self._of_point = np.searchsorted(self._points[order], np.arange(n_points + 1))
        self._bits = {}
        self.n_points = np.diff(self._of_customer)

    def points(self, customer):
        """Return what a customer bought."""
        return self._points[self._of_customer[customer] : self._of_customer[customer + 1]]

    def count_alike(self, points):
        """Return how many customers bought all of these."""
        found, *rest = sorted(map(self._list, points), key=len)
        if len(found) > self._n_customers / 32:
            # So many that one bit for every customer there is takes less room than a list.
            in_all = np.bitwise_and.reduce([self._flags(point) for point in points])
            return int(np.bitwise_count(in_all).sum())
        for others in rest:
            at = np.searchsorted(others, found)
            found = found[others[np.minimum(at, len(others) - 1)] == found]
        return len(found)

    def _list(self, point):
        return self._customers[self._of_point[point] : self._of_point[point + 1]]

    def _flags(self, point):
        if point not in self._bits:
            is_buyer = np.zeros(self._n_customers, dtype=bool)
            is_buyer[self._list(point)] = True
            self._bits[point] = np.packbits(is_buyer)
        return self._bits[point]


def _try(histories, n_known, n_tried, rng):
    """Return how many customers were tried, and the share with nobody else like them."""
    able = np.flatnonzero(histories.n_points >= n_known)
    if not len(able):
        return 0, np.nan, np.nan, np.nan
    tried = able if len(able) <= n_tried else rng.choice(able, n_tried, replace=False)
    seen = [rng.choice(histories.points(c), n_known, replace=False) for c in tried]
    n_alike = np.array([histories.count_alike(points) for points in seen])
    share = float((n_alike == 1).mean())
    error = float(np.sqrt(share * (1 - share) / len(tried)))
    return len(tried), share, error, float(np.median(n_alike))
