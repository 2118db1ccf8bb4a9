"""`make bench`: every measurement, one JSON line per figure; the first line names the machine."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

BENCHES = (
    "bench_parser",
    "bench_metering",
    "bench_screening",
    "bench_dsp",
    "bench_media",
    "bench_srtp",
    "bench_recording",
)


def machine() -> dict[str, object]:
    """Name this machine, so that figures of two are never compared."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "bench": "machine",
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def main() -> int:
    """Run all of them, one after the other; return how many failed."""
    sys.stdout.write(json.dumps(machine()) + "\n")
    sys.stdout.flush()
    ends = [subprocess.run([sys.executable, "-m", f"tests.bench.{b}"]).returncode for b in BENCHES]  # noqa: PLW1510 - counted
    return sum(code != 0 for code in ends)


if __name__ == "__main__":
    sys.exit(main())
