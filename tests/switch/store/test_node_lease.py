"""Several nodes on one PostgreSQL: leases, a node that is gone, one that was only cut off."""

import asyncio
from random import Random

import pytest

from switch.billing.beat import BeatOutcome
from switch.billing.credit import Credit
from switch.billing.ledger import ReserveResult
from switch.billing.rating import charge
from switch.call.switchboard.leases import Leases
from switch.ids import CallId, CallIds
from switch.store import node_lease
from switch.store.meter_statements import LEASE_S
from switch.store.node_lease import Lease, NodeEpoch
from tests.support.money_rig import ELEVEN_CENTS
from tests.support.money_scene import PostgresScene, postgres_scene
from tests.support.peers.postgres import PostgresServer

pytestmark = pytest.mark.live
CALL = CallId(7)


class Watch:
    """A clock that is only a number."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 0.0


async def survivor_of(scene: PostgresScene) -> tuple[PostgresScene, Leases, Watch]:
    """A second node on the same ledger."""
    other, watch = PostgresScene(scene.store), Watch()
    await other.meters.begin_epoch("n2", "other-boot")
    return other, Leases(other.vault, other.meters, other.book, clock=watch), watch


async def run_out(scene: PostgresScene, node: str) -> None:
    """Let a lease run out, as if its node had said nothing for long."""
    await scene.change(f"UPDATE node SET lease_until = 1 WHERE id = '{node}'")


async def test_a_survivor_settles_what_a_dead_node_wrote_and_fences_it(
    postgres: PostgresServer,
) -> None:
    async with postgres_scene(await postgres.ledger()) as money:
        account = await money.purse(1_000_000)
        await money.start(CALL, account)
        for second in range(1, 71):
            await money.beat(now=second + 0.25)
        _, leases, watch = await survivor_of(money)
        await run_out(money, "n1")
        await leases.turn()
        assert leases.reaped == 0, "nobody reaps before a lease of its own is over"
        watch.now = LEASE_S
        await leases.turn()
        assert leases.reaped == 1
        # Late writes of the dead node fail, and its late word about the end changes nothing.
        late = await money.meters.beat(money.book.beat(now=71.25))
        assert late.outcome is BeatOutcome.FENCED
        settled = await money.end(CALL, ended_at=90.0)
        assert settled.charged == charge(ELEVEN_CENTS.rate, 70)
        # The failure was ours: the last minute comes back.
        back = settled.charged - charge(ELEVEN_CENTS.rate, 10)
        assert settled.credited == back
        assert (await money.standing(account)).posted == 1_000_000 - settled.charged + back
        assert (await money.meters.told(CALL)) == settled


async def test_a_node_that_was_only_cut_off_begins_again_when_its_calls_are_over(
    postgres: PostgresServer,
) -> None:
    async with postgres_scene(await postgres.ledger()) as money:
        account = await money.purse(1_000_000)
        await money.start(CALL, account)
        own = Leases(money.vault, money.meters, money.book, clock=Watch())
        _, leases, watch = await survivor_of(money)
        await leases.turn()
        await run_out(money, "n1")
        watch.now = LEASE_S
        await leases.turn()
        await own.turn()
        assert own.lease.value == "reaped"
        assert await money.reserve(8, account) is ReserveResult.NODE_FENCED
        await money.end(CALL, ended_at=3.0)
        await own.turn()
        assert own.lease.value == "held"
        await money.start(9, account)
        await money.beat(now=1.25)
        await money.end(9, ended_at=1.5)


async def test_a_second_process_of_one_name_keeps_the_first_out_for_good(
    postgres: PostgresServer,
) -> None:
    async with postgres_scene(await postgres.ledger()) as money:
        own = Leases(money.vault, money.meters, money.book, clock=Watch())
        await (await money.another_control()).begin_epoch("n1", "boot")
        await own.turn()
        await own.turn()
        assert own.lease is Lease.TAKEN
        # The scene's own book goes on in its old epoch, and may not.
        assert await money.reserve(8, await money.purse(1)) is ReserveResult.NODE_FENCED


async def test_of_two_survivors_one_takes_a_node(postgres: PostgresServer) -> None:
    async with postgres_scene(await postgres.ledger()) as money:
        account = await money.purse(1_000_000)
        await money.start(CALL, account)
        await run_out(money, "n1")

        async def take(name: str) -> list[str]:
            own = NodeEpoch(name, 1)
            return await money.vault.write(lambda raw: node_lease.take_over(raw, own))

        taken = await asyncio.gather(take("n2"), take("n3"))
        assert sorted(map(len, taken)) in ([0, 1], [1, 1])
        for row in await money.meters.unsettled("n1"):
            await money.meters.settle(row.call, seconds=0, credit=Credit.FREE)


async def test_nodes_of_one_ledger_have_numbers_and_never_the_same_call_id(
    postgres: PostgresServer,
) -> None:
    async with postgres_scene(await postgres.ledger()) as money:
        other, _, _ = await survivor_of(money)
        numbers = [await money.meters.number(), await other.meters.number()]
        assert numbers == [1, 2]
        makers = [CallIds(Random(5), node=number) for number in numbers]
        made = [maker.take(wall=1.7e9) for maker in makers for _ in range(2_000)]
        assert len(set(made)) == len(made)
        assert max(made) < 2**53
