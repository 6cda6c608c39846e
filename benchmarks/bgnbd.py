"""BG/NBD fits against the Python package lifetimes: 450,000 customers, and CDNOW's 2,357.

To hold: ten times as fast on the many, at a likelihood no worse, and no slower on CDNOW. The peer
runs in an environment of its own, with the last libraries it works with, and is never imported
here. `CRMLAB_MIRROR` names the folder with `cdnow/CDNOW_sample.txt`.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.value.lifetime import BgNbd, fit_repeat_model, simulate_bg_nbd
from crmlab.value.rfm import summarize_orders

PEER = ["lifetimes==0.11.3", "pandas<2", "numpy<1.25", "scipy<1.12", "autograd<1.7"]
N_CUSTOMERS = 450_000
RUNS = 5
TARGET = 1.0  # of the worse of both: a tenth of the peer's time on the many, all of it on CDNOW
PEER_PROGRAM = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import pandas as pd
from lifetimes import BetaGeoFitter
answers = []
for path, runs in zip(sys.argv[1::2], map(int, sys.argv[2::2])):
    t = pd.read_csv(path)
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        model = BetaGeoFitter(penalizer_coef=0.0)
        model.fit(t["n_repeat_orders"], t["last_order_age_weeks"], t["age_weeks"])
        seconds.append(time.perf_counter() - began)
    answers.append({"seconds": seconds, "params": dict(model.params_)})
print(json.dumps(answers))
"""


def read_cdnow(folder):
    """Return the customers of CDNOW after 39 weeks, free orders counted."""
    names = ["master_id", "customer_id", "day", "n_cds", "amount"]
    path = Path(folder, "cdnow", "CDNOW_sample.txt")
    book = pd.read_csv(path, sep=r"\s+", names=names, dtype={"day": "str"})
    book["ordered_on"] = pd.to_datetime(book["day"])
    book["amount"] = book["amount"].clip(lower=0.01)
    early = book.loc[book["ordered_on"] <= "1997-09-30", ["customer_id", "ordered_on", "amount"]]
    return summarize_orders(early, observed_to="1997-09-30")


def simulate_many():
    """Return many customers who came over a year and were observed for two, in whole days."""
    age = np.random.default_rng(1).integers(365, 731, N_CUSTOMERS) / 7
    drawn = simulate_bg_nbd(BgNbd(0.7, 6.0, 0.8, 4.0), age, seed=2)
    last = np.ceil(drawn["last_order_age_weeks"] * 7) / 7
    return drawn.assign(last_order_age_weeks=np.minimum(last, age))


def measure():
    """Return the worse of both ratios, each over what it must be, and 1; infinite when unequal."""
    mirror = os.environ.get("CRMLAB_MIRROR")
    if not mirror:
        sys.exit("CRMLAB_MIRROR names no folder of real data: cdnow/CDNOW_sample.txt is needed")
    data = {"450,000 customers": simulate_many(), "CDNOW": read_cdnow(mirror)}
    runs = [1, RUNS]
    peer = _run_peer(list(data.values()), runs)
    worst = 0.0
    for (name, table), allowed, theirs in zip(data.items(), [0.1, 1.0], peer, strict=True):
        seconds = []
        for _ in range(RUNS):
            began = time.perf_counter()
            model = fit_repeat_model(BgNbd, table)
            seconds.append(time.perf_counter() - began)
        ours, other = statistics.median(seconds), statistics.median(theirs["seconds"])
        peers = BgNbd(**theirs["params"]).log_likelihood(table).sum()
        better = model.estimates.log_likelihood - peers
        print(
            f"{name}: crmlab {ours:.3f} s, lifetimes {other:.3f} s, {other / ours:.1f} times as "
            f"long; log-likelihood {model.estimates.log_likelihood:.2f}, {better:+.4f} on theirs"
        )
        worst = max(worst, ours / other / allowed if better > -1e-3 else math.inf)
    return worst, TARGET


def _run_peer(tables, runs):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = folder / "venv" / "bin" / "python"
        subprocess.run(["uv", "venv", "--quiet", folder / "venv"], check=True)
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, *PEER], check=True)
        arguments = []
        for i, (table, n) in enumerate(zip(tables, runs, strict=True)):
            table.to_csv(folder / f"{i}.csv", index=False)
            arguments += [folder / f"{i}.csv", str(n)]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        found = subprocess.run(
            [python, "-c", PEER_PROGRAM, *arguments],
            check=True,
            env=environment,
            capture_output=True,
            text=True,
        )
        return json.loads(found.stdout.splitlines()[-1])
