"""How fast ten million orders become one row per customer, against plain Polars.

The peer is the query one would write by hand for the same table, lazy and streaming. Then the
same customers have ten times the orders: time may grow ten times, memory may not grow. Each
reading is a process of its own, so that its memory can be told; the answers must agree.

The ratio is of elapsed seconds, the fastest of a few runs. Growth is judged by processor seconds:
a reading of minutes is not repeated, and other work on the machine would lengthen it.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 3
TARGET = 1.2
N_ORDERS = 10_000_000
TIMES = 10  # as many orders in the second book
N_CUSTOMERS = 500_000
N_DAYS = 730
# More processor time per order, or more memory, than this counts as growth.
MOST_TIME, MOST_MEMORY = 1.25, 1.25

OURS = """
import pandas as pd, polars as pl
from crmlab.value.aggregate import aggregate_orders
work = lambda path: aggregate_orders(pl.scan_parquet(path), observed_to=pd.Timestamp("2023-12-31"))
totals = lambda t: [len(t), t["n_orders"].sum(), t["n_purchase_days"].sum(),
                    t["total_value"].sum(), t["first_day_value"].sum(), t["total_margin"].sum()]
"""
PLAIN = """
import polars as pl
amount, day = pl.col("amount"), pl.col("ordered_on")
bought = amount > 0
def work(path):
    return pl.scan_parquet(path).group_by("customer_id").agg(
        n_orders=bought.sum(),
        n_returns=(amount < 0).sum(),
        total_value=amount.sum(),
        purchase_value=amount.filter(bought).sum(),
        first_day_value=amount.filter(bought & (day == day.filter(bought).min())).sum(),
        first_ordered_on=day.filter(bought).min(),
        last_ordered_on=day.filter(bought).max(),
        n_purchase_days=day.filter(bought).n_unique(),
        total_margin=pl.col("margin").sum(),
    ).sort("customer_id").collect(engine="streaming")
totals = lambda t: [len(t), t["n_orders"].sum(), t["n_purchase_days"].sum(),
                    t["total_value"].sum(), t["first_day_value"].sum(), t["total_margin"].sum()]
"""
MEASURE = """
import json, resource, sys, time
began = time.perf_counter()
table = work(sys.argv[1])
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([seconds, time.process_time(), peak, [float(x) for x in totals(table)]]))
"""


def write_orders(path, n_orders):
    """Write an order book in order of time, a million rows after another."""
    import numpy as np
    import polars as pl
    import pyarrow.parquet

    rng = np.random.default_rng(1)
    names = pl.Series([f"C{i:07d}" for i in range(N_CUSTOMERS)])
    # Some customers order far more often than others.
    shares = np.cumsum(rng.gamma(1.0, 1.0, N_CUSTOMERS))
    writer = None
    for first in range(0, n_orders, 1_000_000):
        n = min(1_000_000, n_orders - first)
        days = np.sort(rng.uniform(first, first + n, n) * N_DAYS / n_orders).astype("int32")
        amount = np.round(rng.gamma(2, 20, n) + 0.01, 2) * np.where(rng.random(n) < 0.05, -1, 1)
        customer = np.searchsorted(shares, rng.random(n) * shares[-1])
        table = pl.DataFrame(
            {
                "customer_id": names.gather(customer),
                "ordered_on": np.datetime64("2022-01-01", "us") + days.astype("timedelta64[D]"),
                "amount": amount,
                "margin": np.round(amount * 0.3, 2),
            }
        ).to_arrow()
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    writer.close()


def read(code, path):
    """Return elapsed and processor seconds, peak bytes of memory, and totals of one reading."""
    command = [sys.executable, "-c", code + MEASURE, str(path)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def compare(ours, plain):
    """Refuse answers that differ by more than the float sums of plain Polars are off."""
    for first, second in zip(ours, plain, strict=True):
        if abs(first - second) > 1e-9 * abs(second):
            raise AssertionError(f"the two do not agree: {ours} and {plain}")


def measure():
    """Return the ratio of `aggregate_orders` to plain Polars, and its target.

    When time grows faster than the orders, or memory grows, the ratio is infinite.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "orders.parquet")
        write_orders(path, N_ORDERS)
        runs = {"crmlab": [], "plain Polars": []}
        for _ in range(RUNS):
            runs["crmlab"].append(read(OURS, path))
            runs["plain Polars"].append(read(PLAIN, path))
        compare(runs["crmlab"][0][-1], runs["plain Polars"][0][-1])
        # Fastest, least and highest, each over the runs.
        best = {
            name: [pick(run[i] for run in found) for i, pick in enumerate((min, min, max))]
            for name, found in runs.items()
        }
        for name, found in best.items():
            report(name, N_ORDERS, *found)
        path.unlink()
        began = time.perf_counter()
        write_orders(path, TIMES * N_ORDERS)
        print(f"(wrote {path.stat().st_size / 1e6:,.0f} MB in {time.perf_counter() - began:.0f} s)")
        *found, _ = read(OURS, path)
        report("crmlab", TIMES * N_ORDERS, *found)
    time_growth, memory_growth = found[1] / best["crmlab"][1] / TIMES, found[2] / best["crmlab"][2]
    print(f"time per order x {time_growth:.2f}, memory x {memory_growth:.2f}")
    if time_growth > MOST_TIME or memory_growth > MOST_MEMORY:
        return float("inf"), TARGET
    return best["crmlab"][0] / best["plain Polars"][0], TARGET


def report(name, n_orders, seconds, work, peak):
    """Print one reading."""
    print(
        f"{name:<13} {n_orders // 1_000_000:>4} million orders  {seconds:6.1f} s "
        f"({work:.1f} s of processors)  {peak / 1e9:.2f} GB"
    )
