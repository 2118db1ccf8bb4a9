"""kill -9 at random points of metering, settling, refunding, webhooks; then everything adds up.

python -m tests.soak.kills [sqlite|postgres] [KILLS] [SEED]

A node lives in a process of its own and does what a busy one does, on accounts that are nearly
empty. Before each deed it notes in a journal what it is about to do, and afterwards that it was
answered. It is killed at a random moment; the next life settles the meters of the former one, does
again what was never answered, with the same ids, and lives on. Prints one JSON line. Fails unless
the ledger proves itself at every start, no call is charged beyond the seconds that it talked, none
loses more than one second, and nothing was applied twice.
"""

import asyncio
import itertools
import json
import os
import secrets
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from switch.billing.beat import BeatOutcome
from switch.billing.credit import Credit
from switch.billing.ledger import Reserved, TransferResult
from switch.billing.meter import MeterBook
from switch.billing.rating import charge
from switch.clock import SystemClock
from switch.errors import UserError
from switch.ids import AccountId, CallId
from switch.money import MICROS_PER_CENT, Micros
from switch.outside.cashier import Cashier
from switch.outside.settings import StripeSettings
from switch.outside.stripe import Stripe
from switch.outside.stripe_event import sign
from switch.store import funding_statements, ledger_verify
from switch.store.account_statements import NewAccount
from switch.store.account_store import AccountStore
from switch.store.engine import Store
from switch.store.funding_statements import Funding
from switch.store.meter_file import file_meters
from switch.store.meter_store import MeterStore
from switch.store.postgres_link import Postgres
from switch.store.postgres_meters import postgres_meters
from switch.store.postgres_vault import PostgresVault
from switch.store.vault import FileVault, Raw, Vault
from tests.support.money_rig import ELEVEN_CENTS
from tests.support.peers.local_stripe import SECRET_KEY, WEBHOOK_SECRET, LocalStripe
from tests.support.peers.postgres import postgres_server

NODE: Final = "n1"
ACCOUNTS, CALLS = 12, 30
LIVES_S: Final = (0.01, 0.4)
"""How long after its start a node is killed. Chosen: within a few deeds, or a few hundred."""
START_S_MAX: Final = 60.0
TAIL_BYTES: Final = 65_536
"""Chosen: far more than a node notes between two looks."""
BROKEN: Final = 3
"""The exit code of a node that found the ledger broken."""

Note = dict[str, Any]
_METERS: Final = "SELECT call_id, seq, paid_s, charged, state FROM meter"
_MOVED: Final = "SELECT id, amount FROM transfer WHERE code IN ('fund', 'refund', 'payout')"


class Journal:
    """What a node was about to do, and what was answered. Each line is whole or not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, **said: Any) -> None:
        """Add one line."""
        os.write(self._fd, json.dumps(said).encode() + b"\n")

    def cashier(self, vault: Vault) -> Cashier:
        """What takes webhooks; it asks nobody anything."""
        key = self._path.with_name("stripe.key")
        key.write_text(SECRET_KEY)
        settings = StripeSettings(secret_key_file=str(key), webhook_secret_file=str(key))
        return Cashier(
            Stripe(settings, LocalStripe()),
            webhook_secret=WEBHOOK_SECRET,
            vault=vault,
            clock=vault.clock,
            origin="https://switch.example",
        )

    def notes(self) -> list[Note]:
        """Read everything that was noted."""
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def says(self, note: Note) -> bool:
        """Say whether something was noted of late."""
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - TAIL_BYTES))
            return json.dumps(note).encode() + b"\n" in file.read()

    def unanswered(self) -> list[Note]:
        """Return the deeds with a name that were begun and never answered, in their order."""
        notes = self.notes()
        done = {note["did"] for note in notes if "did" in note}
        return [note for note in notes if "name" in note and note["name"] not in done]


@dataclass(slots=True)
class Ledger:
    """An open ledger."""

    vault: Vault
    meters: MeterStore
    close: Callable[[], Awaitable[None]]


async def opened(where: str) -> Ledger:
    """Open the ledger at a file, or at an address of PostgreSQL."""
    if where.startswith("postgresql:"):
        postgres = await Postgres.open(where, clock=SystemClock())
        return Ledger(PostgresVault(postgres), postgres_meters(postgres), postgres.close)
    store = await Store.open(Path(where), clock=SystemClock())
    return Ledger(FileVault(store), file_meters(store), store.close)


class Life:
    """One life of the node, until it is killed."""

    def __init__(self, ledger: Ledger, journal: Journal, seed: int) -> None:
        self._meters, self._vault = ledger.meters, ledger.vault
        self._cashier = journal.cashier(ledger.vault)
        self._purses = AccountStore(ledger.vault)
        self._journal = journal
        self._random = Random(seed)
        self._seed = seed
        self._names = itertools.count(1)
        self._book = MeterBook(node=NODE, epoch=0)
        self._tick = 0
        self._accounts: list[AccountId] = []
        self._live: dict[CallId, int] = {}

    async def live(self) -> None:
        """Recover, then do anything, for ever."""
        if faults := await self._vault.read(ledger_verify.verify):
            self._journal.note(broken=[fault.says for fault in faults])
            os._exit(BROKEN)
        epoch = await self._meters.begin_epoch(NODE, "boot")
        self._book = MeterBook(node=NODE, epoch=epoch)
        for intent in self._journal.unanswered():
            await self._carry_out(intent)
        for row in await self._meters.unsettled(NODE):
            await self._meters.settle(row.call, seconds=row.seq, credit=Credit.NONE)
        await self._find_accounts()
        self._journal.note(ready=self._seed)
        deeds = [self._beat] * 5 + [self._begin] * 3 + [self._end, self._end, self._pay_in]
        deeds += [self._refund, self._card]
        while True:
            await self._random.choice(deeds)()

    async def _find_accounts(self) -> None:
        views = await self._purses.find_all(kind="called_prepaid")
        self._accounts = [view.account.id for view in views]
        while len(self._accounts) < ACCOUNTS:
            self._accounts.append(await self._purses.open(NewAccount(kind="called_prepaid")))

    async def _beat(self) -> None:
        self._tick += 1
        self._journal.note(**{"try": "beat"}, life=self._seed, tick=self._tick)
        beat = self._book.beat(now=self._tick + 0.25)
        result = await self._meters.beat(beat)
        assert result.outcome is BeatOutcome.DONE, result.outcome
        self._book.applied(beat, result, now=self._tick + 0.25)
        self._journal.note(did="beat", life=self._seed, tick=self._tick)

    async def _begin(self) -> None:
        if len(self._live) >= CALLS:
            return
        call = CallId(self._seed * 10**6 + next(self._names))
        account = self._random.choice(self._accounts)
        got = await self._meters.reserve(call, account, ELEVEN_CENTS)
        if isinstance(got, Reserved):
            quote, now = ELEVEN_CENTS, float(self._tick)
            self._book.opened(call, account, quote, got.paid_s, now=now, purse=got.purse)
            self._book.bridged(call, at=now)
            self._live[call] = self._tick
            self._journal.note(call=call, life=self._seed, tick=self._tick)

    async def _end(self) -> None:
        if not self._live:
            return
        call = self._random.choice(list(self._live))
        began = self._live.pop(call)
        seconds = self._book.ended(call, ended_at=self._tick + 0.25)
        credit = self._random.choice(list(Credit)).value
        talked = self._tick - began
        await self._deed("settle", call=call, seconds=seconds, talked=talked, credit=credit)

    async def _pay_in(self) -> None:
        amount = self._random.choice((1_834, 9_000, 40_000))
        await self._deed("fund", account=self._random.choice(self._accounts), amount=amount)

    async def _card(self) -> None:
        """Money by card: what Stripe tells of it comes twice and in any order."""
        order = self._random.choice(([0, 1], [1, 0], [0, 0, 1], [1, 0, 1]))
        amount = self._random.choice((10_000, 40_000))
        account = self._random.choice(self._accounts)
        await self._deed("webhook", account=account, amount=amount, order=order)

    async def _refund(self) -> None:
        amount = self._random.choice((1, 500, 3_000))
        await self._deed("refund", account=self._random.choice(self._accounts), amount=amount)

    async def _deed(self, kind: str, **given: Any) -> None:
        name = f"{kind}-{self._seed}-{next(self._names)}"
        intent = {"try": kind, "name": name, **given}
        self._journal.note(**intent)
        await self._carry_out(intent)

    async def _carry_out(self, intent: Note) -> None:
        """Do a deed once, however often it is asked; note its answer."""
        name, amount = intent["name"], Micros(intent.get("amount", 0))
        match intent["try"]:
            case "settle":
                credit = Credit(intent["credit"])
                call = CallId(intent["call"])
                settled = await self._meters.settle(call, seconds=intent["seconds"], credit=credit)
                again = await self._meters.settle(call, seconds=intent["seconds"], credit=credit)
                assert settled == again
            case "fund":
                result = await self._purses.fund(intent["account"], amount, ref=name)
                assert result in {TransferResult.OK, TransferResult.EXISTS}, result
            case "webhook":
                wanted = partial(_wanted, account=intent["account"], name=name, amount=amount)
                await self._vault.write(wanted)
                for event in intent["order"]:
                    body = json.dumps(_told(name, amount, event)).encode()
                    signed = sign(body, WEBHOOK_SECRET, at=int(SystemClock().wall()))
                    await self._cashier.webhook(body, signed)
            case _:
                with suppress(UserError):  # not so much on the account, or paid back before
                    await self._purses.refund(intent["account"], amount, ref=name)
        self._journal.note(did=name)


def _wanted(raw: Raw, *, account: AccountId, name: str, amount: Micros) -> None:
    """Write a deposit down, as the cashier does before it opens the card page."""
    if funding_statements.find(raw, name) is not None:
        return
    new = Funding(
        id=name, account=account, method="checkout", amount=amount, state="waiting", intent="",
        consent_version="", consent_text="", at=0.0, tries=0, fault="", session=f"cs_{name}",
    )  # fmt: skip
    funding_statements.begin(raw, new, next_at=0.0)


def _told(name: str, amount: Micros, event: int) -> Note:
    """One of the two things that Stripe tells of a payment."""
    money = {"currency": "usd", "payment_intent": name, "client_reference_id": name}
    cents = amount // MICROS_PER_CENT
    kind = ("payment_intent.succeeded", "checkout.session.completed")[event]
    thing: Note = {"id": name, "status": "succeeded", "amount_received": cents}
    thing |= {"metadata": {"funding": name}, "currency": "usd"}
    if event:
        thing = {"mode": "payment", "payment_status": "paid", "amount_total": cents, **money}
    return {"id": f"evt_{name}_{event}", "type": kind, "data": {"object": thing}}


async def _one_life(where: str, journal: Path, seed: int) -> None:
    ledger = await opened(where)
    await Life(ledger, Journal(journal), seed).live()


def _born(where: str, journal: Path, seed: int) -> int:
    """Fork a node: everything is imported already, so a life starts in milliseconds."""
    pid = os.fork()
    if pid:
        return pid
    try:
        asyncio.run(_one_life(where, journal, seed))
    finally:
        traceback.print_exc()
        os._exit(1)


def kill_often(where: str, journal: Path, kills: int, seed: int) -> Counter[str]:
    """Let a node live and die; return what it was at when it died, how often."""
    random, during = Random(seed), Counter[str]()
    reader = Journal(journal)
    for life in range(1, kills + 1):
        pid = _born(where, journal, life)
        _wait_ready(reader, pid, life)
        time.sleep(random.uniform(*LIVES_S))  # noqa: TID251 - no loop to block
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        last = reader.notes()[-1]
        during[str(last.get("try", "nothing"))] += 1
    return during


def _wait_ready(reader: Journal, pid: int, life: int) -> None:
    until = time.perf_counter() + START_S_MAX
    while not reader.says({"ready": life}):
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone or time.perf_counter() > until:
            raise AssertionError(f"life {life} ended with {status}: {reader.notes()[-1]}")
        time.sleep(0.005)  # noqa: TID251 - no loop to block


async def reckon(where: str, journal: Journal) -> Note:
    """Settle the last life, and hold the ledger against the journal."""
    ledger = await opened(where)
    life = Life(ledger, journal, 0)
    for intent in journal.unanswered():
        await life._carry_out(intent)
    await ledger.meters.begin_epoch(NODE, "boot")
    for row in await ledger.meters.unsettled(NODE):
        await ledger.meters.settle(row.call, seconds=row.seq, credit=Credit.NONE)

    def rows(raw: Raw) -> tuple[list[Any], list[Any], list[ledger_verify.Fault]]:
        meters, moved = raw.execute(_METERS).fetchall(), raw.execute(_MOVED).fetchall()
        return meters, moved, ledger_verify.verify(raw)

    meters, moved, broken = await ledger.vault.read(rows)
    await ledger.close()
    notes = journal.notes()
    lost, faults = _judge_calls(notes, meters)
    faults += [fault.says for fault in broken] + _judge_moves(notes, moved)
    return {"calls": len(meters), "worst_lost_s": lost, "moves": len(moved), "faults": faults}


def _judge_calls(notes: list[Note], meters: list[Any]) -> tuple[int, list[str]]:
    """Hold every meter against what was talked; return the worst loss, and what is wrong."""
    last_try: dict[int, int] = {}
    for note in notes:
        if note.get("try") == "beat":
            last_try[note["life"]] = note["tick"]
    began = {n["call"]: (n["life"], n["tick"]) for n in notes if "tick" in n and "call" in n}
    ended = {note["call"]: note for note in notes if note.get("try") == "settle"}
    worst, faults = 0, []
    for call, seq, paid_s, charged, state in meters:
        if call not in began:  # killed between the reserve and its note: never bridged
            talked = 0
        elif call in ended:
            talked = ended[call]["talked"]
        else:
            life, tick = began[call]
            talked = max(0, last_try.get(life, tick) - tick)
        if state not in {"SETTLED", "VOID"}:
            faults.append(f"call {call} is {state}")
        if seq > talked or charged != charge(ELEVEN_CENTS.rate, seq):
            faults.append(f"call {call} talked {talked} s and is charged {charged} for {seq} s")
        free = call in ended and ended[call]["credit"] == Credit.FREE.value
        if not free:
            worst = max(worst, min(talked, paid_s) - seq)
    if worst > 1:
        faults.append(f"a call lost {worst} s")
    return worst, faults


def _judge_moves(notes: list[Note], moved: list[Any]) -> list[str]:
    """Every payment stands once, with its amount; a refund once, or not at all."""
    stands: Counter[str] = Counter()
    for id_, amount in moved:
        kind, name = id_.split(":")[:2]
        stands[name] += amount if kind in {"offline", "refund", "stripe"} else 0
    faults = []
    for note in notes:
        if note.get("try") not in {"fund", "refund", "webhook"}:
            continue
        found, wanted = stands[note["name"]], note["amount"]
        if found != wanted and (found or note["try"] != "refund"):
            faults.append(f"{note['name']} moved {found} instead of {wanted}")
    return faults


def run(store: str, kills: int, seed: int) -> Note:
    """Kill so often; return what came of it."""
    begun = time.perf_counter()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if store == "postgres":
            server = stack.enter_context(postgres_server(is_durable=True))
            where = asyncio.run(server.ledger())
        else:
            where = str(folder / "kinline.sqlite3")
        during = kill_often(where, folder / "journal", kills, seed)
        found = asyncio.run(reckon(where, Journal(folder / "journal")))
    took_s = round(time.perf_counter() - begun, 1)
    how = {"kills": kills, "killed_in": dict(during), "seed": seed}
    return {"soak": "kills", "store": store, **how, **found, "took_s": took_s}


def main(words: list[str]) -> int:
    """Run what was asked for."""
    given = [int(word) for word in words if word.isdecimal()]
    kills, seed = (given + [200, secrets.randbelow(2**32)][len(given) :])[:2]
    stores = [word for word in words if word in {"sqlite", "postgres"}] or ["sqlite", "postgres"]
    broken = 0
    for store in stores:
        found = run(store, kills, seed)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        broken += len(found["faults"])
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
