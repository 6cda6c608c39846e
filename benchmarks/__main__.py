"""Run one benchmark by name: `uv run python -m benchmarks start`.

Each ends with one line, `NAME ratio=… target=… holds=yes|no`, and exit code 0 when it holds.
"""

import importlib
import sys
from pathlib import Path


def main():
    """Run the benchmark named on the command line."""
    names = sorted(p.stem for p in Path(__file__).parent.glob("[a-z]*.py"))
    if len(sys.argv) != 2 or sys.argv[1] not in names:
        sys.exit(f"usage: python -m benchmarks NAME, where NAME is one of: {', '.join(names)}")
    ratio, target = importlib.import_module(f"benchmarks.{sys.argv[1]}").measure()
    holds = ratio <= target
    print(f"{sys.argv[1]} ratio={ratio:.3g} target={target:.3g} holds={'yes' if holds else 'no'}")
    sys.exit(0 if holds else 1)


main()
