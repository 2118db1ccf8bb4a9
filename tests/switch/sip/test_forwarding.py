import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.sip.forwarding import SEEN_MAX, Form, ForwardingSeen, ForwardingWatch
from switch.sip.message import Headers, Request, Response

CALLED = "+15552345678"
SAME = "<sip:5552345678@carrier.example>"
OTHER = "<sip:+15552340099@carrier.example>"


def response(status: int, *headers: tuple[str, str]) -> Response:
    return Response(status, "", Headers(headers), b"")


def seen(*responses: Response) -> list[ForwardingSeen]:
    watch = ForwardingWatch(CALLED)
    return [one for r in responses for one in watch.response(r)]


def history(*entries: str) -> tuple[str, str]:
    return "History-Info", ", ".join(entries)


CAUSE = "<sip:+15552340099@carrier.example;cause=486>;index=1.1"
ESCAPED = "<sip:+15552340099@carrier.example?Reason=SIP%3Bcause%3D302>;index=1.1"


@pytest.mark.parametrize(
    ("status", "header", "found"),
    [
        (181, ("X", "1"), ForwardingSeen(Form.PROVISIONAL_181)),
        (302, ("Contact", OTHER), ForwardingSeen(Form.REDIRECT, "+15552340099", "302")),
        (
            180,
            history(f"{SAME};index=1", CAUSE),
            ForwardingSeen(Form.HISTORY_INFO, "+15552340099", "486"),
        ),
        (
            200,
            history(f"{SAME};index=1", ESCAPED),
            ForwardingSeen(Form.HISTORY_INFO, "+15552340099", "302"),
        ),
        (
            183,
            ("Diversion", f"{SAME};reason=Unconditional;counter=1"),
            ForwardingSeen(Form.DIVERSION, "5552345678", "unconditional"),
        ),
        (
            200,
            ("P-Asserted-Identity", f"{OTHER}, <tel:+15552340099>"),
            ForwardingSeen(Form.CONNECTED, "+15552340099"),
        ),
        (
            200,
            ("Remote-Party-ID", f"{OTHER};party=called"),
            ForwardingSeen(Form.CONNECTED, "+15552340099"),
        ),
    ],
)
def test_each_way_to_say_it(status: int, header: tuple[str, str], found: ForwardingSeen) -> None:
    assert seen(response(status, header)) == [found]


@pytest.mark.parametrize(
    ("status", "header"),
    [
        (180, history(f"{SAME};index=1")),
        (180, history(f"{SAME};index=1", "<sip:5552345678@inner.example>;index=1.1;np=1")),
        (200, ("P-Asserted-Identity", SAME)),
        (200, ("P-Asserted-Identity", "<sip:anonymous@anonymous.invalid>")),
        (486, ("P-Asserted-Identity", OTHER)),
        (180, ("Diversion", "<<<")),
        (180, history("nonsense;index=1", '"open', "<sip:a@b>;index=")),
        (302, ("Contact", "*;q")),
    ],
)
def test_routing_the_same_number_and_nonsense_are_no_forwarding(
    status: int, header: tuple[str, str]
) -> None:
    assert [one for one in seen(response(status, header)) if one.form is not Form.REDIRECT] == []


def test_the_same_target_and_reason_twice_is_one_event() -> None:
    both = response(180, history(f"{SAME};index=1", CAUSE), ("Diversion", f"{OTHER};reason=486"))
    assert len(seen(both, both, response(181), response(181))) == 2


def test_a_second_place_that_rings_is_a_cue() -> None:
    first, second = (response(180, ("To", f"{SAME};tag={tag}")) for tag in "ab")
    assert seen(first, first) == []
    assert seen(first, second, second) == [ForwardingSeen(Form.SECOND_RINGING)]
    watch = ForwardingWatch(CALLED)
    places = ("", "192.0.2.9 4000", "192.0.2.9 4000", "192.0.2.77 4000")
    found = [watch.response(response(183), media=place) for place in places]
    assert [len(one) for one in found] == [0, 0, 0, 1]


def test_a_request_inside_the_call_names_another_identity() -> None:
    watch = ForwardingWatch(CALLED)
    for sender, found in ((SAME, 0), (OTHER, 1), (OTHER, 0)):
        request = Request("UPDATE", "sip:k@h", Headers((("From", f"{sender};tag=1"),)), b"")
        assert len(watch.request(request)) == found


def test_one_call_says_only_so_much() -> None:
    names = (response(302, ("Contact", f"<sip:{n}@h>")) for n in range(2 * SEEN_MAX))
    assert len(seen(*names)) == SEEN_MAX


@given(
    st.sampled_from(("history-info", "diversion", "p-asserted-identity", "contact", "to")),
    st.text(max_size=200),
)
def test_whatever_stands_there_is_no_fault(name: str, value: str) -> None:
    for status in (180, 183, 200, 302):
        seen(response(status, (name, value)))
