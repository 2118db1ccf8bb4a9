"""The stamp of a kernel's callees is part of the cache's key: it must not change by itself."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_stamp_is_the_same_in_every_process() -> None:
    stamps = {
        subprocess.run(
            [sys.executable, "-c", "from dsp.listen import STAMP; print(STAMP)"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(stamps) == 1
