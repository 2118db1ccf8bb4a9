from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.errors import LocalError, PeerError
from switch.sdp.exchange import Exchange, State
from switch.sdp.offer_answer import LocalMedia
from switch.sdp.parser import parse
from switch.sdp.session import Direction
from tests.vectors.messages import SDP

HERE = LocalMedia("198.51.100.9", 20_000)
HELD = replace(HERE, direction=Direction.INACTIVE)


def version(body: bytes) -> int:
    return parse(body).origin.version


def test_the_version_rises_by_one_with_a_change_and_only_then() -> None:
    exchange = Exchange(5)
    versions = []
    for local in (HERE, HERE, HELD, HELD, HERE):
        versions.append(version(exchange.offer(local)))
        exchange.receive_answer(parse(SDP))
    assert versions == [1, 1, 2, 2, 3]


def test_answers_and_offers_count_together() -> None:
    exchange = Exchange(5)
    first = exchange.receive_offer(parse(SDP), HERE)
    again = exchange.receive_offer(parse(SDP), HERE)
    assert (version(first.body), version(again.body)) == (1, 1)
    assert version(exchange.offer(HERE)) == 2
    assert parse(exchange.current).origin.session_id == 5
    assert version(exchange.current) == 2


def test_only_one_offer_is_open() -> None:
    exchange = Exchange(5)
    exchange.offer(HERE)
    assert exchange.state is State.OPEN
    with pytest.raises(PeerError) as caught:
        exchange.receive_offer(parse(SDP), HERE)
    assert caught.value.status == 491
    with pytest.raises(LocalError):
        exchange.offer(HERE)
    exchange.withdraw()
    assert exchange.receive_offer(parse(SDP), HERE).remote == exchange.remote


def test_an_answer_needs_an_offer() -> None:
    with pytest.raises(LocalError):
        Exchange(5).receive_answer(parse(SDP))
    with pytest.raises(LocalError):
        _ = Exchange(5).current


def test_a_refused_offer_changes_nothing() -> None:
    exchange = Exchange(5)
    exchange.receive_offer(parse(SDP), HERE)
    before, body = exchange.remote, exchange.current
    with pytest.raises(PeerError, match="488"):
        exchange.receive_offer(parse(SDP.replace(b"RTP/AVP", b"RTP/SAVP")), HERE)
    assert (exchange.remote, exchange.current) == (before, body)


def test_an_answer_that_does_not_fit_closes_the_offer() -> None:
    exchange = Exchange(5)
    exchange.offer(HERE)
    with pytest.raises(PeerError, match="488"):
        exchange.receive_answer(parse(SDP.replace(b"4000", b"0")))
    assert exchange.state is State.STABLE


@given(st.lists(st.sampled_from(["offer", "answer", "theirs", "withdraw"]), max_size=20))
def test_whatever_the_order_at_most_one_offer_is_open(steps: list[str]) -> None:
    exchange = Exchange(5)
    is_open = False
    for step in steps:
        if step == "theirs":
            if is_open:
                with pytest.raises(PeerError, match="491"):
                    exchange.receive_offer(parse(SDP), HERE)
            else:
                exchange.receive_offer(parse(SDP), HERE)
        elif step == "offer" and not is_open:
            exchange.offer(HERE)
            is_open = True
        elif step == "answer" and is_open:
            exchange.receive_answer(parse(SDP))
            is_open = False
        elif step == "withdraw":
            exchange.withdraw()
            is_open = False
        assert (exchange.state is State.OPEN) is is_open
