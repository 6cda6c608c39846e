"""Write a simulated population: ``python -m crmlab.data.simulate FOLDER``."""

from __future__ import annotations

import argparse
import sys

from crmlab.data.simulate.population import SAMPLE_CUSTOMERS, SAMPLE_SEED, write_sample


def main(arguments: list[str] | None = None) -> int:
    """Write the population that the arguments ask for; return 0, or 1 where it cannot be made."""
    parser = argparse.ArgumentParser(
        prog="python -m crmlab.data.simulate",
        description="Write a simulated population; by default that of the bundled sample.",
    )
    parser.add_argument("folder", help="where the Parquet files go, such as data/sample")
    parser.add_argument("--customers", type=int, default=SAMPLE_CUSTOMERS, metavar="N")
    parser.add_argument("--seed", type=int, default=SAMPLE_SEED)
    options = parser.parse_args(arguments)
    try:
        paths = write_sample(options.folder, options.customers, seed=options.seed)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for path in paths.values():
        sys.stdout.write(f"{path}  {path.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
