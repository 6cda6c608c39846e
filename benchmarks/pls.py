"""5,000 bootstraps of the ECSI model on 250 respondents, against the Python package seminr.

To hold: at least 50 times as fast, the same estimate, and standard errors that differ by no more
than chance allows. The peer runs in an environment of its own and is never imported here. It draws
fewer resamples and its time is scaled to 5,000, because it needs a minute for them. `CRMLAB_MIRROR`
names the folder with `ecsi_mobi/mobi.csv`.
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
from threadpoolctl import threadpool_limits

from crmlab.pls import PathModel, bootstrap_model, composite, estimate_model
from crmlab.pls.bootstrap import solve_counts

PEER = "seminr==0.2.1"
RESAMPLES = 5000
PEER_RESAMPLES = 500
RUNS = 5
TARGET = 1 / 50
SAME = 1e-6  # both stop iterating at 1e-7
CHANCE = 4.0  # standard errors; the largest of twelve passes it once in 1,300 times
ITEMS = {
    "Image": [f"IMAG{k}" for k in range(1, 6)],
    "Expectation": [f"CUEX{k}" for k in range(1, 4)],
    "Quality": [f"PERQ{k}" for k in range(1, 8)],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": [f"CUSA{k}" for k in range(1, 4)],
    "Complaints": ["CUSCO"],
    "Loyalty": [f"CUSL{k}" for k in range(1, 4)],
}
PATHS = {
    "Image": ["Expectation", "Satisfaction", "Loyalty"],
    "Expectation": ["Quality", "Value", "Satisfaction"],
    "Quality": ["Value", "Satisfaction"],
    "Value": ["Satisfaction"],
    "Satisfaction": ["Complaints", "Loyalty"],
    "Complaints": ["Loyalty"],
}
# What the peer runs: the same model in its own words, on the resamples it is given.
PEER_PROGRAM = """
import csv, json, sys, time
import numpy as np
import seminr
data, items, paths, indices, answer = sys.argv[1:]
with open(data, encoding="utf-8", newline="") as lines:
    rows = list(csv.DictReader(lines))
columns = {name: [float(row[name]) for row in rows] for name in rows[0]}
constructs = [seminr.composite(name, its) for name, its in json.loads(items).items()]
groups = [seminr.paths(source, targets) for source, targets in json.loads(paths).items()]
model = seminr.estimate_pls(
    columns, seminr.constructs(*constructs), seminr.relationships(*groups)
)
drawn = np.load(indices)
began = time.perf_counter()
boot = seminr.bootstrap_model(model, nboot=len(drawn), indices=drawn)
seconds = time.perf_counter() - began
np.savez(
    answer,
    seconds=seconds,
    names=np.array(boot.boot_paths[0].rows),
    draws=np.stack([one.values for one in boot.boot_paths]),
)
"""


def measure():
    """Return our time over the peer's, and its target; infinite where the answers differ."""
    mirror = os.environ.get("CRMLAB_MIRROR")
    if not mirror:
        sys.exit("CRMLAB_MIRROR names no folder of real data sets: ecsi_mobi/mobi.csv is needed")
    file = Path(mirror) / "ecsi_mobi" / "mobi.csv"
    model = PathModel(
        [composite(name, items) for name, items in ITEMS.items()],
        [f"{source} -> {', '.join(targets)}" for source, targets in PATHS.items()],
    )
    estimate = estimate_model(model, pd.read_csv(file))
    seconds = []
    with threadpool_limits(1):  # one core against one core: the peer's loops use no more
        for _ in range(RUNS):
            began = time.perf_counter()
            bootstrap = bootstrap_model(estimate, n_resamples=RESAMPLES, seed=1)
            seconds.append(time.perf_counter() - began)
    ours = statistics.median(seconds)
    n = estimate.n_respondents
    drawn = np.random.default_rng(2).integers(n, size=(PEER_RESAMPLES, n))
    peer = _run_peer(file, drawn)
    theirs = float(peer["seconds"]) * RESAMPLES / PEER_RESAMPLES
    print(f"crmlab  {RESAMPLES} resamples in {ours:.2f} s, median of {RUNS}")
    print(
        f"seminr  {PEER_RESAMPLES} resamples in {peer['seconds']:.1f} s, scaled to {RESAMPLES}: "
        f"{theirs:.0f} s, {theirs / ours:.0f} times as long"
    )
    return (ours / theirs if _agree(estimate, bootstrap, drawn, peer) else math.inf), TARGET


def _run_peer(file, drawn):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = folder / "venv" / "bin" / "python"
        subprocess.run(["uv", "venv", "--quiet", folder / "venv"], check=True)
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, PEER], check=True)
        np.save(folder / "drawn.npy", drawn)
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        subprocess.run(
            [
                *(python, "-c", PEER_PROGRAM, file, json.dumps(ITEMS), json.dumps(PATHS)),
                *(folder / "drawn.npy", folder / "answer.npz"),
            ],
            check=True,
            env=environment,
        )
        with np.load(folder / "answer.npz") as answer:
            return dict(answer)


def _agree(estimate, bootstrap, drawn, peer):
    """Say whether every draw is the peer's, and standard errors differ by chance alone."""
    names = list(peer["names"])
    places = [(names.index(s), names.index(t)) for s, t in estimate.model.pairs]
    theirs = np.array([[draw[place] for place in places] for draw in peer["draws"]])
    n = estimate.n_respondents
    counts = np.stack([np.bincount(row, minlength=n) for row in drawn])
    solution = solve_counts(estimate, counts)
    ours = np.array([solution.paths[:, s, t] for s, t in estimate.layout.pairs]).T
    furthest = np.abs(ours - theirs).max()
    print(f"the same {len(drawn)} resamples: paths differ by {furthest:.1e} at most")
    z = _standard_error_z(bootstrap.draws["paths"], theirs)
    print(
        f"other resamples: standard errors differ by {z:.1f} of their own standard errors at most"
    )
    return furthest < SAME and z < CHANCE


def _standard_error_z(ours, theirs):
    """Largest difference of log standard deviations, in units of its Monte Carlo error."""

    def variance(draws):
        away = draws - draws.mean(axis=0)
        kurtosis = (away**4).mean(axis=0) / (away**2).mean(axis=0) ** 2
        return (kurtosis - 1) / (4 * len(draws))

    ratio = np.log(ours.std(axis=0, ddof=1) / theirs.std(axis=0, ddof=1))
    return np.abs(ratio / np.sqrt(variance(ours) + variance(theirs))).max()
