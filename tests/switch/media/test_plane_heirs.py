"""A worker is killed, as by kill -9, and its calls talk on: real workers, real sockets."""

import asyncio
import os
import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from switch.media import plane_heirs
from switch.media.messages import (
    CallEnded,
    CallsLost,
    DigitHeard,
    LegReport,
    LegResumed,
    PlayEnded,
    WorkerDied,
)
from switch.media.plane_counts import PlaneCounts
from switch.media.worker import TICK_S
from switch.routing.call_class import Inspectable
from switch.rtp.telephone_event import build_press
from tests.switch.media.test_plane import CALL, CLOCK, A, B, Rig, rig_of

pytestmark = pytest.mark.live


def kill(rig: Rig) -> None:
    for pid in rig.plane.worker_pids().values():
        os.kill(pid, signal.SIGKILL)


def run(tmp_path: Path, scene: Callable[[Rig], object]) -> None:
    async def main() -> None:
        async with rig_of(tmp_path, spares=1) as rig:
            await rig.spare_is_ready()
            await scene(rig)  # type: ignore[misc]

    asyncio.run(main())


async def joined(rig: Rig, *, paid_s: float = 60.0) -> float:
    rig.open()
    await asyncio.sleep(0.05)
    begin = rig.join(paid_s=paid_s)
    await rig.talk(0.3)
    return begin


def test_the_talk_goes_on_where_it_stood(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        await joined(rig)
        kill(rig)
        await rig.talk(1.5)
        assert rig.found(WorkerDied) == [WorkerDied(0, [CALL])]
        assert rig.found(CallsLost) == rig.found(CallEnded) == []
        resumed = [one for one in rig.events if isinstance(one, LegResumed)]
        assert [one.leg for one in resumed] == [A, B]
        assert all(0 < one.at - one.lost_at < 5 for one in resumed)
        for phone in (rig.a, rig.b):
            first = phone.received[0]
            assert {one.ssrc for one in phone.received} == {first.ssrc}
            numbers = [(one.sequence - first.sequence) & 0xFFFF for one in phone.received]
            assert numbers == list(range(len(numbers)))
            times = [(one.timestamp - first.timestamp) & 0xFFFF_FFFF for one in phone.received]
            steps = [late - early for early, late in pairwise(times)]
            assert all(step % 160 == 0 and step >= 160 for step in steps)
            assert sum(step > 160 for step in steps) == 1
            assert len(numbers) >= 40

    run(tmp_path, scene)


def test_what_was_counted_is_counted_on(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        await joined(rig)
        kill(rig)
        await rig.talk(0.7)
        await rig.until(lambda: rig.found(LegResumed))
        await rig.talk(0.3)
        rig.close()
        await rig.until(lambda: rig.plane.counts() == PlaneCounts(0, 0, 0, 0, 1))
        closed = [one for one in rig.events if isinstance(one, LegReport) and one.closed]
        for one, phone in zip(closed, (rig.a, rig.b), strict=True):
            phone.listen()
            assert one.packets_sent == len(phone.received)
            stale = one.dropped.pop("stale", 0)
            assert one.packets_received + stale == 65
            assert one.packets_lost == stale
            assert set(one.dropped) <= {"not_joined"}

    run(tmp_path, scene)


def test_time_that_ran_out_meanwhile_has_ended_the_call_when_it_did(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        rig.open()
        await asyncio.sleep(0.05)
        begin = rig.join(paid_s=0.4)
        await rig.talk(0.38)
        kill(rig)
        await rig.talk(1.0)
        (ended,) = (one for one in rig.events if isinstance(one, CallEnded))
        assert (ended.ended_at, ended.by_paid_until) == (begin + 0.4, True)
        assert begin + 0.3 < ended.last_both_heard_at <= begin + 0.4
        assert len(rig.a.received) <= 21

    run(tmp_path, scene)


def test_a_call_that_was_parted_while_no_worker_was_there_ends_at_that_moment(
    tmp_path: Path,
) -> None:
    async def scene(rig: Rig) -> None:
        await joined(rig)
        kill(rig)
        await rig.until(lambda: rig.found(WorkerDied))
        before = CLOCK.monotonic()
        rig.plane.part(CALL)
        after = CLOCK.monotonic()
        await rig.until(lambda: rig.found(CallEnded))
        (ended,) = (one for one in rig.events if isinstance(one, CallEnded))
        assert before - TICK_S <= ended.ended_at <= after, "an order is dated by its tick"
        assert not ended.by_paid_until

    run(tmp_path, scene)


def test_a_prompt_goes_on_and_its_end_is_told_once(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        frames = [bytes([1 + n]) * 160 for n in range(60)]
        (tmp_path / "long.ulaw").write_bytes(b"".join(frames))
        rig.open()
        rig.plane.play_files(A, [tmp_path / "long.ulaw"], play=4)
        await asyncio.sleep(0.4)
        kill(rig)
        await rig.until(lambda: rig.found(PlayEnded), within_s=5.0)
        await asyncio.sleep(0.1)
        (ended,) = (one for one in rig.events if isinstance(one, PlayEnded))
        assert (ended.play, ended.completed) == (4, True)
        heard = [one.payload for one in rig.a.listen()]
        assert sorted(set(heard)) == frames
        assert len(heard) <= len(frames) + 1

    run(tmp_path, scene)


def test_a_key_that_was_pressed_meanwhile_is_heard(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        rig.open()
        await rig.talk(0.1)
        kill(rig)
        await rig.until(lambda: rig.found(WorkerDied))
        for one in build_press("8", duration_ms=60):
            rig.a.press(one.payload, rig.a_port)
        await rig.until(lambda: rig.found(DigitHeard))
        await asyncio.sleep(0.1)
        keys = [one for one in rig.events if isinstance(one, DigitHeard)]
        assert [(one.leg, one.key, one.in_band) for one in keys] == [(A, "8", False)]

    run(tmp_path, scene)


def test_what_was_inspected_is_inspected_again(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        rig.open()
        rig.plane.inspect(Inspectable(CALL), (A, B), frozenset({"dtmf"}))
        rig.join()
        await rig.until(lambda: rig.plane.counts().rows == 2)
        kill(rig)
        await rig.until(lambda: len(rig.found(LegResumed)) == 2)
        await rig.until(lambda: rig.plane.counts().rows == 2)
        assert rig.plane.counts().rings == 2

    run(tmp_path, scene)


def test_calls_that_kill_every_worker_are_given_up_and_no_port_is_leaked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plane_heirs, "BACK_OFF_S", (0.0, 0.05, 0.05, 0.05))
    monkeypatch.setattr(plane_heirs, "STABLE_S", 60.0)

    async def scene(rig: Rig) -> None:
        await joined(rig)
        for _ in range(plane_heirs.DEATHS_MAX + 1):
            deaths = len(rig.found(WorkerDied))
            await rig.until(
                lambda: rig.plane.worker_pids() and rig.plane.counts().legs == 2, within_s=10.0
            )
            kill(rig)
            await rig.until(lambda d=deaths: len(rig.found(WorkerDied)) > d)  # type: ignore[misc]
        await rig.until(lambda: rig.found(CallsLost))
        assert rig.found(CallsLost) == [CallsLost([CALL])]
        assert rig.plane.counts().ports == 0
        await rig.until(rig.plane.worker_pids, within_s=10.0)
        rig.open()
        rig.join()
        await asyncio.sleep(0.05)
        heard = len(rig.b.received)
        await rig.talk(0.2)
        assert len(rig.b.received) >= heard + 8

    run(tmp_path, scene)
