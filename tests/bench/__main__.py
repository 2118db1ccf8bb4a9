"""`make bench`: every measurement, one JSON line per figure; the first line names the machine."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.bench import cost_plot

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


def run(name: str, lines: list[str]) -> int:
    """Run one of them, pass on and keep what it prints; return its exit code."""
    words = [sys.executable, "-m", f"tests.bench.{name}"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as bench:
        for line in bench.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line)
    return bench.returncode


def main() -> int:
    """Run all of them, one after the other; draw the cost of a packet; return how many failed."""
    lines = [json.dumps(machine()) + "\n"]
    sys.stdout.write(lines[0])
    sys.stdout.flush()
    failed = sum(run(name, lines) != 0 for name in BENCHES)
    drawn = cost_plot.write(lines)
    if drawn is not None:
        sys.stderr.write(f"drawn: {drawn}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
