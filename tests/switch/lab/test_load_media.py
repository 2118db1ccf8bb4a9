"""The sound of a load: what came is told from what did not, over real sockets of this machine."""

import threading
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from switch.clock import SystemClock
from switch.lab.load_media import RECEIVED, SENT, WRONG, LoadMedia, speech
from switch.rtp.srtp_suite import MasterKey, Suite, secret_bytes
from switch.sdp.crypto import LegKeys


@pytest.fixture
def media() -> Iterator[LoadMedia]:
    with LoadMedia(6, Random(3)) as made:
        yield made


def pair(media: LoadMedia) -> tuple[int, int]:
    """Two legs, each pointed at the other: a switch that does nothing."""
    (a, a_port), (b, b_port) = media.open("127.0.0.1"), media.open("127.0.0.1")
    media.point(a, "127.0.0.1", b_port)
    media.point(b, "127.0.0.1", a_port)
    return a, b


def until_sent(media: LoadMedia, leg: int, frames: int) -> None:
    for _ in range(1000):
        if media.legs.said[leg] >= frames:
            return
        threading.Event().wait(0.01)
    raise AssertionError("nothing was said")


@pytest.mark.live
def test_all_that_was_said_is_heard_and_known(media: LoadMedia) -> None:
    a, b = pair(media)
    media.begin(a, b)
    until_sent(media, a, 25)
    media.quiet(a, b)
    threading.Event().wait(0.1)
    sent, received, wrong = media.counted(a, b)
    assert (sent >= 50, received, wrong) == (True, sent, 0)
    assert media.delay_ms(0.5) < 640
    media.close(a)
    media.close(b)
    assert media.gone.tolist() == [sent, received, 0]


@pytest.mark.live
def test_the_sound_of_another_call_is_wrong(media: LoadMedia) -> None:
    (a, b), (c, d) = pair(media), pair(media)
    media.legs.target[[b, d]] = media.legs.target[[d, b]]
    media.begin(a, b)
    media.begin(c, d)
    until_sent(media, d, 20)
    media.quiet(a, b, c, d)
    threading.Event().wait(0.1)
    assert media.counted(a, c)[RECEIVED] == 0
    assert media.counted(a, c)[WRONG] == media.counted(b, d)[SENT]
    assert media.counted(b, d)[WRONG] == 0


def keys(sends: int, hears: int) -> LegKeys:
    suite = Suite.AES_CM_128_HMAC_SHA1_80
    ours, theirs = (MasterKey(suite, bytes([one]) * secret_bytes(suite)) for one in (sends, hears))
    return LegKeys(ours=ours, theirs=theirs)


@pytest.mark.live
def test_under_keys_every_frame_is_found_after_it_was_opened(media: LoadMedia) -> None:
    a, b = pair(media)
    media.lock(a, keys(1, 2))
    media.lock(b, keys(2, 1))
    media.begin(a, b)
    until_sent(media, a, 25)
    media.quiet(a, b)
    threading.Event().wait(0.1)
    sent, received, wrong = media.counted(a, b)
    assert (sent >= 50, received, wrong) == (True, sent, 0)
    for leg in (a, b):
        media.close(leg)
    assert media.legs.srtp_in.tolist() == media.legs.srtp_out.tolist() == [0] * 6


@pytest.mark.live
def test_under_another_key_and_in_the_clear_all_of_it_is_wrong(media: LoadMedia) -> None:
    (a, b), (c, d) = pair(media), pair(media)
    media.lock(a, keys(1, 2))
    media.lock(b, keys(2, 3))
    media.lock(d, keys(2, 1))
    media.begin(a, b)
    media.begin(c, d)
    until_sent(media, d, 20)
    media.quiet(a, b, c, d)
    threading.Event().wait(0.1)
    assert media.counted(b)[[RECEIVED, WRONG]].tolist() == [0, media.counted(a)[SENT]]
    assert media.counted(d)[[RECEIVED, WRONG]].tolist() == [0, media.counted(c)[SENT]]
    assert media.counted(c)[RECEIVED] == 0


def test_each_frame_of_the_talk_is_told_from_the_others() -> None:
    sound = speech(20.0, seed=1)
    assert sound.shape == (1000, 160)
    assert len({frame[:16].tobytes() for frame in sound}) == len(sound)


@pytest.mark.live
def test_the_longest_pause_is_told_once_and_one_that_lasts_each_time(media: LoadMedia) -> None:
    a, b = pair(media)
    clock = SystemClock()
    media.begin(a, b)
    until_sent(media, a, 10)
    media.pauses_s(now=clock.monotonic())
    target = media.legs.target[a].copy()
    media.point(a, "127.0.0.1", 9)
    threading.Event().wait(0.3)
    media.legs.target[a] = target
    until_sent(media, a, int(media.legs.said[a]) + 5)
    after = max(media.pauses_s(now=clock.monotonic()))
    assert after >= 0.3
    assert max(media.pauses_s(now=clock.monotonic())) < 0.3
    media.point(a, "127.0.0.1", 9)
    threading.Event().wait(0.3)
    assert max(media.pauses_s(now=clock.monotonic())) >= 0.25
    assert max(media.pauses_s(now=clock.monotonic())) >= 0.25


def test_delays_are_read_by_their_share() -> None:
    media = LoadMedia(2, Random(1))
    media.legs.delays[[10, 40]] = (98, 2)
    assert (media.delay_ms(0.5), media.delay_ms(0.99), media.delay_ms(1.0)) == (1.1, 4.1, 4.1)
    before = media.legs.delays.copy()
    assert media.delay_ms(0.5, before) == 0.0
    media.legs.delays[20] += 1
    assert media.delay_ms(0.5, before) == np.float64(2.1)
