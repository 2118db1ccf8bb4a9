import pytest

from switch.sip.binding import BindingBook
from switch.sip.events import Flow
from switch.sip.message import Headers, Request

FLOW = Flow("udp", ("192.0.2.9", 5060), ("192.0.2.1", 5060))
HERE = "<sip:t1@192.0.2.1:5060>"


def register(
    *contacts: str, cseq: int = 1, call_id: str = "c", expires: str | None = None
) -> Request:
    fields = [("Call-ID", call_id), ("CSeq", f"{cseq} REGISTER")]
    fields += [("Contact", contact) for contact in contacts]
    fields += [("Expires", expires)] if expires is not None else []
    return Request("REGISTER", "sip:kinline", Headers(tuple(fields)))


def test_a_binding_lasts_its_time_and_no_longer() -> None:
    book = BindingBook()
    status, headers = book.register(register(HERE, expires="120"), FLOW, "t1", now=0.0)
    assert (status, headers) == (200, [("Contact", f"{HERE};expires=120")])
    assert book.next_deadline() == 120.0
    assert book.lookup("t1", now=119.9) is not None
    assert book.lookup("t1", now=120.0) is None
    assert [bound.terminal for bound in book.expire(now=120.0)] == ["t1"]
    assert len(book) == 0


@pytest.mark.parametrize(
    ("asked", "status", "granted"),
    [
        (None, 200, 300),
        ("60", 200, 60),
        ("59", 423, None),
        ("3600", 200, 3600),
        ("9999", 200, 3600),
    ],
)
def test_expiry_is_held_between_60_and_3600_s(
    asked: str | None, status: int, granted: int | None
) -> None:
    book = BindingBook(expires_s_default=300)
    got, headers = book.register(register(HERE, expires=asked), FLOW, "t1", now=0.0)
    assert got == status
    if granted is None:
        assert headers == [("Min-Expires", "60")]
    else:
        assert headers == [("Contact", f"{HERE};expires={granted}")]


def test_expiry_in_the_contact_beats_the_header() -> None:
    book = BindingBook()
    book.register(register(f"{HERE};expires=90", expires="600"), FLOW, "t1", now=0.0)
    bound = book.lookup("t1", now=0.0)
    assert bound is not None
    assert bound.expires_at == 90.0


def test_an_older_cseq_of_the_same_call_id_changes_nothing() -> None:
    book = BindingBook()
    book.register(register(HERE, cseq=5), FLOW, "t1", now=0.0)
    status, _ = book.register(register("<sip:evil@192.0.2.66>", cseq=5), FLOW, "t1", now=1.0)
    bound = book.lookup("t1", now=1.0)
    assert status == 200
    assert bound is not None
    assert bound.contact == "sip:t1@192.0.2.1:5060"


def test_a_restarted_terminal_with_another_call_id_replaces_its_binding() -> None:
    book = BindingBook()
    book.register(register(HERE, cseq=5), FLOW, "t1", now=0.0)
    book.register(register("<sip:t1@192.0.2.2>", cseq=1, call_id="d"), FLOW, "t1", now=1.0)
    bound = book.lookup("t1", now=1.0)
    assert bound is not None
    assert bound.contact == "sip:t1@192.0.2.2"
    assert len(book) == 1


@pytest.mark.parametrize("contact", ["*", f"{HERE};expires=0", HERE])
def test_a_terminal_can_leave(contact: str) -> None:
    book = BindingBook()
    book.register(register(HERE), FLOW, "t1", now=0.0)
    status, headers = book.register(register(contact, cseq=2, expires="0"), FLOW, "t1", now=1.0)
    assert (status, headers) == (200, [])
    assert book.lookup("t1", now=1.0) is None


@pytest.mark.parametrize("contacts", [("*",), ("*", HERE), ("<http://x>",), ('"broken <sip:x>',)])
def test_nonsense_is_refused_and_changes_nothing(contacts: tuple[str, ...]) -> None:
    book = BindingBook()
    book.register(register(HERE), FLOW, "t1", now=0.0)
    status, _ = book.register(register(*contacts, cseq=2, expires="90"), FLOW, "t1", now=1.0)
    assert status in {400, 416}
    assert book.lookup("t1", now=1.0) is not None


def test_a_register_without_contact_asks_and_changes_nothing() -> None:
    book = BindingBook()
    assert book.register(register(), FLOW, "t1", now=0.0) == (200, [])
    book.register(register(HERE, expires="100"), FLOW, "t1", now=0.0)
    _, headers = book.register(register(cseq=9), FLOW, "t1", now=40.0)
    assert headers == [("Contact", f"{HERE};expires=60")]
