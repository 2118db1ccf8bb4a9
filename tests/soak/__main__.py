"""Random histories of the money house, as many as asked for.

python -m tests.soak [HISTORIES] [SEED]

Prints one JSON line. A history that breaks a rule is shrunk, printed, and ends it with a failure.
"""

import json
import secrets
import sys
import time

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.money_machine import MoneyMachine

STEPS = 50


def main(histories: int, number: int) -> None:
    """Play them."""
    counts = {"histories": 0}

    class Counted(MoneyMachine):
        def teardown(self) -> None:
            counts["histories"] += 1
            super().teardown()

    sys.stderr.write(f"seed {number}\n")
    begun = time.perf_counter()
    run_state_machine_as_test(
        seed(number)(Counted),
        settings=settings(
            max_examples=histories,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    took_s = round(time.perf_counter() - begun, 1)
    figures = {"soak": "money_histories", **counts, "steps_max": STEPS, "seed": number}
    sys.stdout.write(json.dumps(figures | {"took_s": took_s, "faults": 0}) + "\n")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*(given + [10_000, secrets.randbelow(2**32)][len(given) :]))
