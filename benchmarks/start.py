"""How fast crmlab starts, against `import numpy`.

`import crmlab` may take no longer, `crmlab --help` at most twice as long.
"""

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 15


def measure():
    """Return the ratio of `crmlab --help` to `import numpy`, and its target.

    When `import crmlab` breaks its own target the ratio is infinite.
    """
    commands = {
        "import numpy": [sys.executable, "-c", "import numpy"],
        "import crmlab": [sys.executable, "-c", "import crmlab"],
        "crmlab --help": [shutil.which("crmlab", path=Path(sys.executable).parent), "--help"],
    }
    seconds = {name: [] for name in commands}
    for _ in range(RUNS + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - began)
    median = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    for name, value in median.items():
        print(f"{name:<14} {value:.3f} s, median of {RUNS}")
    if median["import crmlab"] > median["import numpy"]:
        return float("inf"), 2.0
    return median["crmlab --help"] / median["import numpy"], 2.0
