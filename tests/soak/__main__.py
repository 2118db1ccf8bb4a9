"""The long runs: `make soak`, or python -m tests.soak [KIND ...] [HOW_MANY] [SEED].

`money`: random histories of the money house (10,000). `prices`: random calls at random prices
(1,000,000). `kills`: kill -9 at random, on SQLite and PostgreSQL (200 each). `nodes`: two nodes on
one PostgreSQL (1,000 beats). Without a kind, all of these, which are about money.

`memory`, `survival` and `hour` are about calls: a whole switch under load, on the ports of
`config/bench.toml`. Each takes options of its own: `python -m tests.soak hour --help`.

The first two use every processor. Progress goes to standard error, one JSON line for each kind to
standard output. What breaks a rule is printed and ends it with a failure; a part's seed repeats it:
`python -m tests.soak money 250 SEED`.
"""

import json
import os
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from random import Random
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.soak import hour, kills, memory, survival, two_nodes
from tests.support.money_machine import MoneyMachine
from tests.support.price_draws import play

STEPS: Final = 50
HOW_MANY: Final = {"money": 10_000, "prices": 1_000_000, "kills": 200, "nodes": 1_000}
PART: Final = {"money": 100, "prices": 10_000}
"""What one process does before it tells how far it is. Chosen: seconds."""


def money(histories: int, number: int) -> dict[str, int]:
    """Play random histories over the ledger and the meter."""
    counts = {"histories": 0}

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


IN_PARTS: Final[dict[str, Callable[[int, int], dict[str, int]]]] = {
    "money": money,
    "prices": prices,
}


def side_by_side(kind: str, how_many: int, number: int) -> dict[str, int]:
    """Do so many in parts, on every processor; each part has a seed of its own."""
    counts: Counter[str] = Counter()
    work, size = IN_PARTS[kind], PART[kind]
    parts = [min(size, how_many - begin) for begin in range(0, how_many, size)]
    begun, done = time.perf_counter(), 0
    processors = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(max_workers=processors) as pool:
        seeds = range(number, number + len(parts))
        asked = {pool.submit(work, n, s): (n, s) for n, s in zip(parts, seeds, strict=True)}
        for part in as_completed(asked):
            size, part_seed = asked[part]
            try:
                counts.update(part.result())
            except Exception:
                pool.shutdown(wait=False, cancel_futures=True)
                sys.stderr.write(f"broken: python -m tests.soak {kind} {size} {part_seed}\n")
                raise
            done += size
            a_second = done / (time.perf_counter() - begun)
            left_s = (how_many - done) / a_second
            sys.stderr.write(f"{kind}: {done}/{how_many}, {a_second:.0f}/s, {left_s:.0f} s left\n")
    return dict(counts)


def one(kind: str, how_many: int, number: int) -> int:
    """Do one kind and print what came of it; return how many faults."""
    sys.stderr.write(f"{kind}, {how_many}, seed {number}\n")
    begun = time.perf_counter()
    if kind == "nodes":
        return two_nodes.main(["5000", "6000", str(how_many)])
    if kind == "kills":
        return kills.main([str(how_many), str(number)])
    counts = side_by_side(kind, how_many, number)
    took_s = round(time.perf_counter() - begun, 1)
    figures = {"soak": kind, **counts, "seed": number, "faults": 0, "took_s": took_s}
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
    return 0


OF_CALLS: Final[dict[str, Callable[[list[str]], int]]] = {
    "memory": memory.main,
    "survival": survival.main,
    "hour": hour.main,
}


def main(words: list[str]) -> int:
    """Run what was asked for."""
    if words and words[0] not in {*OF_CALLS, *HOW_MANY} and not words[0].isdecimal():
        sys.stdout.write(f"{__doc__}\n")
        return 0 if words[0] in {"-h", "--help"} else 2
    if words and words[0] in OF_CALLS:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the switch is ended with us
        return OF_CALLS[words[0]](words[1:])
    given = [int(word) for word in words if word.isdecimal()]
    kinds = [word for word in words if word in HOW_MANY] or list(HOW_MANY)
    number = given[1] if len(given) > 1 else secrets.randbelow(2**31)
    return max(one(kind, given[0] if given else HOW_MANY[kind], number) for kind in kinds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
