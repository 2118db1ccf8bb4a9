"""The order book: what still holds is ordered again, and nothing else."""

from typing import Any

from switch.ids import CallId, LegId
from switch.media import wire
from switch.media.messages import CallEnded, PlayEnded, Recorded
from switch.media.order_book import NOTES_MAX, OrderBook

CALL = CallId(3)
A, B = LegId(6), LegId(7)


def opened(leg: LegId) -> wire.OpenLeg:
    return wire.OpenLeg(leg, "PCMU", "127.0.0.1", 20_000 + 2 * leg, 1, 2, 3)


def remote(leg: LegId, port: int) -> wire.SetRemote:
    return wire.SetRemote(leg, "127.0.0.1", port, "PCMU", 0, 0, -1, -1, -1, True, "", [])


def book_of(*orders: wire.Order) -> OrderBook:
    book = OrderBook()
    for order in (opened(A), opened(B), *orders):
        book.note(order)
    return book


def rest(*orders: wire.Order) -> list[Any]:
    return book_of(*orders).rest([A, B])


def test_a_leg_is_opened_as_one_that_was_open_and_pointed_at_its_last_far_end() -> None:
    held = wire.HoldBack(A, True)
    book = book_of(remote(A, 4000), remote(A, 4002), held)
    first, *others = book.opening(A)
    assert first == wire.OpenLeg(A, "PCMU", "127.0.0.1", 20_012, 1, 2, 3, resumed=True)
    assert others == [remote(A, 4002), held]


def test_a_bridge_is_joined_again_with_what_is_paid_by_now() -> None:
    join = wire.Join(CALL, paid_until=10.0, mute_digits=True, now=5.0)
    again = wire.Join(CALL, paid_until=12.5, mute_digits=True, now=5.0)
    assert rest(join, wire.PaidUntil(CALL, 12.5)) == [again]


def test_the_look_comes_before_the_bridge_and_the_notes_after() -> None:
    inspect = wire.Inspect(A, B, ["dtmf"])
    join = wire.Join(CALL, paid_until=10.0, mute_digits=True, now=5.0)
    note = wire.Note(A, "talking", {})
    assert rest(note, join, inspect) == [inspect, join, note]


def test_a_parting_that_was_not_answered_is_ordered_again_at_its_first_moment() -> None:
    join = wire.Join(CALL, paid_until=10.0, mute_digits=True, now=5.0)
    parts = wire.Part(CALL, at=7.0), wire.Part(CALL, at=8.0)
    assert rest(join, *parts) == [join, parts[0]]


def test_what_has_ended_is_not_ordered_again() -> None:
    book = book_of(
        wire.Join(CALL, paid_until=10.0, mute_digits=True, now=5.0),
        wire.Part(CALL, at=7.0),
        wire.Play(A, ["x"], 1),
        wire.Play(B, ["x"], 2),
        wire.RecordName(A, "x", 3.0),
    )
    book.hear(CallEnded(CALL, 7.0, False, 7.0))
    book.hear(PlayEnded(A, 1, True, 7.0, 1.0))
    book.hear(PlayEnded(B, 1, False, 7.0, 1.0))
    book.hear(Recorded(A, "x", 1.0))
    assert book.rest([A, B]) == [wire.Play(B, ["x"], 2, resumed=True)]


def test_a_tone_plays_on_until_it_is_stopped() -> None:
    tone = wire.PlayTone(A, "ringback")
    assert rest(tone) == [tone]
    assert rest(tone, wire.Stop(A)) == []


def test_a_deaf_leg_stays_deaf() -> None:
    assert rest(wire.Hear(A), wire.Note(A, "talking", {}), wire.Deafen(A)) == []
    assert rest(wire.Inspect(A, B, []), wire.Deafen(A)) == [wire.Hear(B)]


def test_notes_are_kept_up_to_a_limit() -> None:
    notes = [wire.Note(A, "hold", {"form": str(n)}) for n in range(NOTES_MAX + 5)]
    assert rest(*notes) == notes[5:]


def test_nothing_is_kept_of_a_closed_call() -> None:
    book = book_of(wire.Join(CALL, paid_until=10.0, mute_digits=True, now=5.0))
    book.note(wire.CloseLeg(A))
    book.note(wire.CloseLeg(B))
    book.note(wire.Stop(A))
    book.note(wire.PaidUntil(CALL, 4.0))
    assert not book.knows(A)
    assert not vars(book)["_calls"]
