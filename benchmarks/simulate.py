"""How fast a population is simulated, against writing its tables with Polars.

One million customers with twenty million orders, all tables drawn and written in pieces, may take
at most ten times as long as Polars takes to write the same tables to Parquet, in under 6 GB.
Fewer customers, to see the order of magnitude: `python -m benchmarks.simulate 100000`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

CUSTOMERS = 1_000_000
MOST_GIGABYTES = 6.0
TARGET = 10.0

SIMULATE = """
import json, resource, sys, time
from dataclasses import replace
from crmlab.data.simulate import preset, write_sample
# Orders more often and drop-out less often than in the sample: about twenty orders a customer.
parameters = replace(preset("retail"), rate_scale=1.38, dropout_b=20.0)
began = time.perf_counter()
write_sample(sys.argv[1], int(sys.argv[2]), seed=1, parameters=parameters)
seconds = time.perf_counter() - began
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20]))
"""

WRITE = """
import json, pathlib, sys, time
import polars
seconds, rows = 0.0, {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.parquet")):
    table = polars.read_parquet(path)
    rows[path.stem] = table.height
    began = time.perf_counter()
    table.write_parquet(path.with_suffix(".again"))
    seconds += time.perf_counter() - began
    path.with_suffix(".again").unlink()
print(json.dumps([seconds, rows]))
"""


def measure(n_customers=CUSTOMERS):
    """Return the ratio of simulating to writing, infinite above the memory allowed; the target."""
    with tempfile.TemporaryDirectory() as folder:
        simulated, gigabytes = _run(SIMULATE, folder, str(n_customers))
        written, rows = _run(WRITE, folder)
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
    for name, n_rows in rows.items():
        print(f"{name:<10} {n_rows:>12,} rows")
    print(f"simulated and written in {simulated:.1f} s, peak {gigabytes:.2f} GB, {size:,.0f} MB")
    print(f"written by Polars in {written:.1f} s")
    is_within = gigabytes < MOST_GIGABYTES
    return simulated / written if is_within else float("inf"), TARGET


def _run(code, *arguments):
    command = [sys.executable, "-c", code, *arguments]
    outcome = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(outcome.stdout)


if __name__ == "__main__":
    ratio, target = measure(*map(int, sys.argv[1:2]))
    print(f"simulate ratio={ratio:.2f} target={target:.2f}")
