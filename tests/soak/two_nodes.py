"""Two nodes meter on one PostgreSQL, each in a process of its own, on accounts that they share.

python -m tests.soak.two_nodes [CALLS] [ACCOUNTS] [TICKS] [SECONDS]

CALLS live calls at each node (5,000), on ACCOUNTS shared accounts (6,000), for TICKS beats
(1,000) or SECONDS of wall time, whichever is over first. A call that money ends is settled, and
another begins on an account picked at random; both nodes also move money between accounts and pay
in, so that the same rows are wanted in every order. Prints one JSON line. Fails on a deadlock, an
account below its floor, or a ledger that cannot prove itself.
"""

import asyncio
import json
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Final

from switch.billing.beat import BeatOutcome
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, Transfer
from switch.billing.meter import MeterBook
from switch.clock import SystemClock
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import ledger_verify
from switch.store.account_statements import NewAccount, fund, open_purse
from switch.store.account_store import AccountStore
from switch.store.postgres_link import Postgres
from switch.store.postgres_meters import postgres_meters
from switch.store.postgres_vault import PostgresVault
from switch.store.vault import Raw
from tests.support.money_rig import ELEVEN_CENTS
from tests.support.peers.postgres import postgres_server

CONNECTIONS: Final = 6
MOVES_A_TICK: Final = 4
"""Transfers and payments of each node between two beats."""

AMOUNTS: Final = (100_000, 1_000_000, 5_000_000)
"""A minute of one call, a few of several, and ample."""

_LOWEST: Final = "SELECT coalesce(min(posted - held - floor), 0) FROM account"
_DEADLOCKS: Final = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@dataclass(slots=True)
class Course:
    """What one node did."""

    node: str
    ticks: int = 0
    ended: int = 0
    refused: int = 0
    median_ms: float = 0.0
    p99_ms: float = 0.0


class Node:
    """One node: its book, its calls, its part of the accounts' troubles."""

    def __init__(self, postgres: Postgres, node: str, accounts: list[AccountId], seed: int) -> None:
        self.course = Course(node)
        self._meters = postgres_meters(postgres)
        self._purses = AccountStore(PostgresVault(postgres))
        self._book = MeterBook(node=node, epoch=0)
        self._accounts = accounts
        self._random = Random(seed)
        self._next = int(node.removeprefix("n")) * 10**9
        self._bridged: dict[CallId, float] = {}

    async def run(self, calls: int, ticks: int, until: float) -> Course:
        """Meter until the ticks or the time are over, then settle everything."""
        epoch = await self._meters.begin_epoch(self.course.node, "boot")
        self._book = MeterBook(node=self.course.node, epoch=epoch)
        took = []
        for tick in range(ticks):
            if time.perf_counter() > until:
                break
            await self._fill(calls, float(tick))
            begun = time.perf_counter()
            beat = self._book.beat(now=tick + 1.3)
            result = await self._meters.beat(beat)
            assert result.outcome is BeatOutcome.DONE, result.outcome
            self._book.applied(beat, result, now=tick + 1.3)
            took.append((time.perf_counter() - begun) * 1000)
            await self._end_what_is_over(tick + 1.3)
            await asyncio.gather(*(self._move() for _ in range(MOVES_A_TICK)))
        self.course.ticks = len(took)
        took.sort()
        self.course.median_ms = round(statistics.median(took), 1)
        self.course.p99_ms = round(took[int(len(took) * 0.99)], 1)
        await self._end(list(self._bridged), float(len(took)) + 0.5)
        return self.course

    async def _fill(self, calls: int, now: float) -> None:
        """Begin calls until there are enough; many are refused by empty accounts."""
        missing = calls - len(self._bridged)
        for begin in range(0, missing, 200):
            await asyncio.gather(*(self._begin(now) for _ in range(min(200, missing - begin))))

    async def _begin(self, now: float) -> None:
        self._next += 1
        call, account = CallId(self._next), self._random.choice(self._accounts)
        got = await self._meters.reserve(call, account, ELEVEN_CENTS)
        if not isinstance(got, Reserved):
            self.course.refused += 1
            return
        self._book.opened(
            call, account, ELEVEN_CENTS, got.paid_s, now=now, purse=got.purse, refused=got.refused
        )
        self._bridged[call] = self._book.bridged(call, at=now)

    async def _end_what_is_over(self, now: float) -> None:
        over = [c for c in self._bridged if self._book.seconds_left(c) == 0]
        over += self._random.sample(list(self._bridged), k=min(3, len(self._bridged)))
        await self._end(list(dict.fromkeys(over)), now)

    async def _end(self, calls: list[CallId], now: float) -> None:
        async def settle(call: CallId) -> None:
            seconds = self._book.ended(call, ended_at=now)
            del self._bridged[call]
            await self._meters.settle(call, seconds=seconds, credit=Credit.NONE)
            self.course.ended += 1

        for begin in range(0, len(calls), 200):
            await asyncio.gather(*(settle(call) for call in calls[begin : begin + 200]))

    async def _move(self) -> None:
        """Pay in, or move money between two accounts, in whatever order they come."""
        self._next += 1
        one, two = self._random.sample(self._accounts, k=2)
        name = f"{self.course.node}-{self._next}"
        if self._random.random() < 0.5:
            await self._purses.fund(one, Micros(self._random.choice(AMOUNTS)), ref=name)
            return
        amount = Micros(self._random.randrange(1, 50_000))
        row = Transfer(id=name, debit=one, credit=two, amount=amount, code="gift", ref="")
        await self._meters.transfer(row)


async def node(dsn: str, name: str, calls: int, ticks: int, seconds: float) -> None:
    """One node, in a process of its own."""
    postgres = await Postgres.open(dsn, clock=SystemClock(), connections_max=CONNECTIONS)
    purses = await AccountStore(PostgresVault(postgres)).find_all(
        kind="called_prepaid", rows_max=10**6
    )
    accounts = [view.account.id for view in purses]
    one = Node(postgres, name, accounts, int(name.removeprefix("n")))
    course = await one.run(calls, ticks, time.perf_counter() + seconds)
    sys.stdout.write(json.dumps(asdict(course)) + "\n")
    await postgres.close()


async def open_accounts(postgres: Postgres, count: int) -> None:
    """Open so many accounts, the poor and the ample in turn."""

    def deed(raw: Raw) -> None:
        for n in range(count):
            account = open_purse(raw, NewAccount(kind="called_prepaid", owner=f"A{n}"), at=1.0)
            fund(raw, account, Micros(AMOUNTS[n % len(AMOUNTS)]), ref=f"first-{n}", at=1.0)

    await PostgresVault(postgres).write(deed)


async def contest(calls: int, accounts: int, ticks: int, seconds: int) -> dict[str, Any]:
    """Run both nodes; return what came of it."""
    with postgres_server(is_durable=True) as server:
        dsn = await server.ledger()
        postgres = await Postgres.open(dsn, clock=SystemClock())
        await open_accounts(postgres, accounts)
        words = [sys.executable, "-m", "tests.soak.two_nodes", "node", dsn]
        more = [str(calls), str(ticks), str(seconds)]
        processes = [
            await asyncio.create_subprocess_exec(*words, name, *more, stdout=PIPE)
            for name in ("n1", "n2")
        ]
        said = [(await process.communicate())[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0]
        nodes = [json.loads(text) for text in said]
        await asyncio.sleep(1.5)  # the server's own count of deadlocks comes late
        lowest = await postgres.read(lambda link: link.fetchval(_LOWEST))
        deadlocks = await postgres.read(lambda link: link.fetchval(_DEADLOCKS))
        faults = await PostgresVault(postgres).read(ledger_verify.verify)
        await postgres.close()
    return {
        "soak": "two_nodes",
        "calls": [calls, calls],
        "accounts": accounts,
        "nodes": nodes,
        "deadlocks": deadlocks,
        "lowest_above_floor": int(lowest),
        "faults": [fault.says for fault in faults],
    }


def is_sound(found: dict[str, Any]) -> bool:
    """Say whether nothing was broken."""
    return not (found["deadlocks"] or found["lowest_above_floor"] < 0 or found["faults"])


def main(words: list[str]) -> int:
    """Run a node, or both."""
    if words[:1] == ["node"]:
        dsn, name, calls, ticks, seconds = words[1:]
        asyncio.run(node(dsn, name, int(calls), int(ticks), float(seconds)))
        return 0
    given = [int(word) for word in words]
    asked = (given + [5_000, 6_000, 1_000, 10**6][len(given) :])[:4]
    found = asyncio.run(contest(*asked))
    sys.stdout.write(json.dumps(found) + "\n")
    return 0 if is_sound(found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
