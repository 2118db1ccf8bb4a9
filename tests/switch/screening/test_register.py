import dataclasses
import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.chain import FIRST_LINK, link
from switch.routing.number import E164
from switch.screening.register import (
    RegisterEntry,
    RegisterHead,
    SealedEntry,
    body_of,
    entry_of,
    fault_of,
    standing,
)

NUMBER = E164("+15552340001")


def an_entry(seq: int, action: str = "add", **changes: object) -> RegisterEntry:
    fields = {"seq": seq, "action": action, "number": NUMBER, "by": ("legal",), "at": 1.0}
    return msgspec.convert(fields | changes, RegisterEntry)


def sign(body: bytes) -> bytes:
    return hashlib.sha256(b"key" + body).digest()


def is_signed(body: bytes, signature: bytes) -> bool:
    return sign(body) == signature


def sealed(entries: list[RegisterEntry]) -> list[SealedEntry]:
    rows, previous = [], FIRST_LINK
    for entry in entries:
        body = body_of(entry)
        previous = link(previous, body + sign(body))
        rows.append(SealedEntry(entry.seq, body, sign(body), previous))
    return rows


ROWS = sealed([an_entry(seq) for seq in range(1, 6)])
HEAD = RegisterHead(count=5, link=ROWS[-1].link)


def test_a_register_that_nobody_touched_is_whole() -> None:
    assert fault_of(ROWS, HEAD, is_signed) == ""
    assert fault_of([], None, is_signed) == ""


def test_an_entry_reads_as_it_was_written() -> None:
    entry = an_entry(1, name="Casey Counsel", passive=True)
    assert entry_of(body_of(entry)) == entry


@pytest.mark.parametrize("gone", range(5))
def test_a_row_that_was_removed_is_missed(gone: int) -> None:
    assert fault_of([*ROWS[:gone], *ROWS[gone + 1 :]], HEAD, is_signed) != ""


@given(st.integers(0, 4), st.data())
def test_a_body_that_was_changed_is_found(place: int, data: st.DataObject) -> None:
    body = bytearray(ROWS[place].body)
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    changed = dataclasses.replace(ROWS[place], body=bytes(body))
    assert fault_of([*ROWS[:place], changed, *ROWS[place + 1 :]], HEAD, is_signed) != ""


def test_a_row_that_was_added_without_our_key_is_found() -> None:
    body = body_of(an_entry(6))
    forged = hashlib.sha256(b"another key" + body).digest()
    added = SealedEntry(6, body, forged, link(ROWS[-1].link, body + forged))
    assert fault_of([*ROWS, added], HEAD, is_signed) == "entry 6 is not signed by us"


def test_two_rows_that_changed_places_are_found() -> None:
    assert fault_of([ROWS[1], ROWS[0], *ROWS[2:]], HEAD, is_signed) == "entry 1 is missing"


def test_a_chain_that_was_written_anew_with_one_row_less_is_found_by_its_head() -> None:
    shorter = sealed([an_entry(seq) for seq in range(1, 5)])
    assert fault_of(shorter, HEAD, is_signed) == "5 entries were written, 4 are there"


def test_a_chain_that_was_written_anew_at_full_length_is_found_by_its_head() -> None:
    other = sealed([an_entry(seq, note="forged") for seq in range(1, 6)])
    assert fault_of(other, HEAD, is_signed) == "entry 5 is not the one that was written"


def test_a_head_that_vanished_is_a_fault_once_there_are_rows() -> None:
    assert fault_of(ROWS, None, is_signed) == "the head beside the key is missing"


def test_a_death_between_the_row_and_the_head_is_no_fault() -> None:
    head = RegisterHead(count=4, link=ROWS[3].link)
    assert fault_of(ROWS, head, is_signed) == ""


def test_a_withdrawn_number_stands_no_more_and_may_be_added_again() -> None:
    add, remove = an_entry(1), an_entry(2, "remove", by=("a", "b"))
    assert standing([add], facility="F1", person="1") == add
    assert standing([add, remove], facility="F1", person="1") is None
    again = an_entry(3)
    assert standing([add, remove, again], facility="F1", person="1") == again


def test_an_entry_may_be_for_one_facility_or_one_person_only() -> None:
    here = an_entry(1, facility="F1")
    hers = an_entry(2, person="123456")
    assert standing([here], facility="F2", person=None) is None
    assert standing([here], facility="F1", person=None) == here
    assert standing([hers], facility="F1", person="654321") is None
    assert standing([hers], facility="F1", person="123456") == hers
    assert standing([hers], facility="F1", person=None) is None
