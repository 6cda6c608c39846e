"""What respondents bought after they answered, in as many days for each of them.

Who asks: whoever wants to know whether satisfaction foretells repurchase, and has the order book
beside the survey. The orders may be of any engine: they are joined and counted where they lie.
"""

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.data.engines import collect, put_beside, read_frame

__all__ = ["count_later_purchases"]


def count_later_purchases(orders, survey, *, days):
    """Return the purchases of each respondent in the days after the answer.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        `customer_id`, `ordered_on` (a date) and `amount`; purchases are above 0.
    survey : pandas.DataFrame
        One row per answer: `customer_id` and `answered_on`. Left unchanged.
    days : int
        Length of the window, 1 or more: from the day after the answer on, the last day included.
        Orders should be known that far beyond the last answer.

    Returns
    -------
    pandas.Series of float
        In the order and with the index of `survey`: 0 where nothing was bought, NaN where
        customer or day of the answer are not known. Who answered twice has two windows.

    Raises
    ------
    ValueError
        If a column is missing or `days` is below 1.

    Examples
    --------
    >>> survey = pd.DataFrame({"customer_id": ["a", "b", None],
    ...                        "answered_on": pd.Timestamp("2025-06-01")})
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "a", "b"], "amount": [9.0, 5.0, 5.0, -5.0],
    ...     "ordered_on": pd.to_datetime(["2025-06-01", "2025-06-02", "2025-06-09", "2025-06-03"])})
    >>> count_later_purchases(orders, survey, days=7).tolist()  # the day itself is not later
    [1.0, 0.0, nan]
    """
    absent = [name for name in ("customer_id", "answered_on") if name not in survey]
    if absent:
        raise ValueError(
            f"survey: column {absent[0]!r} is missing; expected who answered, and when"
        )
    if not days >= 1:
        raise ValueError(f"days is {days!r}; expected at least 1 day after the last answer")
    frame = read_frame("orders", orders, ["customer_id", "ordered_on", "amount"])
    answers = pd.DataFrame(
        {
            # Whole numbers beside a gap are floats, which no whole number equals as text.
            "customer_id": survey["customer_id"].convert_dtypes().array,
            "answered_on": survey["answered_on"].to_numpy().astype("datetime64[us]"),
            "answer": np.arange(len(survey)),
        }
    ).dropna()
    answers["last_day"] = answers["answered_on"] + pd.Timedelta(days=days)
    customer, day = nw.col("customer_id").cast(nw.String), nw.col("ordered_on")
    bought = frame.filter((nw.col("amount") > 0) & ~nw.col("customer_id").is_null())
    bought = bought.select(customer, day.cast(nw.Datetime("us")))
    asked = put_beside(bought, answers).with_columns(customer)  # Arrow has two kinds of text
    later = bought.join(asked, on="customer_id").filter(
        (day > nw.col("answered_on")) & (day <= nw.col("last_day"))
    )
    counted = collect(later.group_by("answer").agg(nw.len().alias("n_later")))
    found = counted.set_index("answer")["n_later"].reindex(answers["answer"], fill_value=0)
    return pd.Series(
        found.reindex(np.arange(len(survey))).to_numpy(dtype=float), index=survey.index
    )
