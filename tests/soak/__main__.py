"""Random histories of the money house, or random calls at random prices, as many as asked for.

python -m tests.soak [money|prices] [HOW_MANY] [SEED]

Prints one JSON line each. What breaks a rule is printed and ends it with a failure.
"""

import json
import secrets
import sys
import time
from random import Random

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.money_machine import MoneyMachine
from tests.support.price_draws import play

STEPS = 50
HISTORIES, PRICES = 10_000, 1_000_000


def money(histories: int, number: int) -> dict[str, int]:
    """Play random histories over the ledger and the meter."""
    counts = {"histories": 0, "steps_max": STEPS}

    class Counted(MoneyMachine):
        def teardown(self) -> None:
            counts["histories"] += 1
            super().teardown()

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
    return counts


def prices(calls: int, number: int) -> dict[str, int]:
    """Quote and charge random calls."""
    return {"calls": calls, "capped": play(Random(number), calls)}


def main(kinds: list[str], how_many: int | None, number: int) -> None:
    """Run what was asked for."""
    for kind in kinds:
        sys.stderr.write(f"{kind}, seed {number}\n")
        begun = time.perf_counter()
        if kind == "money":
            counts = money(how_many or HISTORIES, number)
        else:
            counts = prices(how_many or PRICES, number)
        figures = {"soak": kind, **counts, "seed": number, "faults": 0}
        took_s = round(time.perf_counter() - begun, 1)
        sys.stdout.write(json.dumps(figures | {"took_s": took_s}) + "\n")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:] if text.isdecimal()]
    wanted = [text for text in sys.argv[1:] if text in {"money", "prices"}] or ["money", "prices"]
    many, chosen = (*given, None, None)[:2]
    main(wanted, many, secrets.randbelow(2**32) if chosen is None else chosen)
