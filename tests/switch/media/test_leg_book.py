from collections import Counter
from random import Random
from typing import TYPE_CHECKING, cast

import pytest

from switch.ids import LegId
from switch.media.leg_book import NOWHERE, LegBook, OpenLeg

if TYPE_CHECKING:
    import socket

SEEDS = range(20)
STEPS = 400
WORKERS = (NOWHERE, 0, 1, 2)
NO_SOCKETS = cast("tuple[socket.socket, socket.socket]", ())


def leg_at(worker: int) -> OpenLeg:
    return OpenLeg(worker=worker, port=20_000, sockets=NO_SOCKETS)


def step(book: LegBook, random: Random) -> None:
    """Open, move or close a leg, as calls and the deaths of workers do."""
    leg = LegId(random.randrange(40))
    worker = random.choice(WORKERS)
    if leg not in book or random.random() < 0.1:
        book.put(leg, leg_at(worker))
    elif random.random() < 0.5:
        book.move(leg, worker)
    else:
        book.take(leg)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_kept_is_what_a_count_from_scratch_finds(seed: int) -> None:
    book, random = LegBook(), Random(seed)
    for _ in range(STEPS):
        step(book, random)
        counted = Counter(known.worker for _, known in book.items())
        assert {worker: book.held(worker) for worker in WORKERS} == {
            worker: counted[worker] for worker in WORKERS
        }
        assert len(book) == counted.total() == len(list(book))


def test_an_empty_book_counts_nothing_and_keeps_no_worker() -> None:
    book = LegBook()
    book.put(LegId(1), leg_at(7))
    assert (book.held(7), book.held(8)) == (1, 0)
    assert book.take(LegId(1)).worker == 7
    assert book.held(7) == 0
    assert book._held == {}
    with pytest.raises(KeyError):
        book.move(LegId(1), 0)
    assert book.get(LegId(1)) is None
