"""Webhooks read: whatever comes is news or a refusal, never an accident."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.billing.funding import NewsKind
from switch.errors import PeerError
from switch.outside.stripe_event import READERS, news_of_event, prove, sign

SECRET = "whsec_x"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = (
    "id", "status", "amount", "currency", "mode", "metadata", "payment_intent", "payment_method",
    "customer", "client_reference_id", "payment_status", "amount_total", "amount_received",
)  # fmt: skip


def test_a_body_proves_itself_by_any_of_its_signatures() -> None:
    header = sign(b"{}", SECRET, at=1000)
    prove(b"{}", header, SECRET, now=1100.0)
    prove(b"{}", header.replace("v1=", "v1=00,v1="), SECRET, now=1100.0)  # a secret is rolled
    for now in (699.0, 1301.0):
        with pytest.raises(PeerError):
            prove(b"{}", header, SECRET, now=now)


@given(header=st.text(max_size=80), body=st.binary(max_size=40))
def test_no_header_is_an_accident(header: str, body: bytes) -> None:
    with pytest.raises(PeerError):
        prove(body, header, SECRET, now=1000.0)


@given(
    said=st.sampled_from(sorted(READERS)),
    thing=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), JSON),
)
def test_no_object_is_an_accident(said: str, thing: dict[str, object]) -> None:
    body = json.dumps({"id": "evt_1", "type": said, "data": {"object": thing}}).encode()
    try:
        news = news_of_event(body)
    except PeerError:
        return
    assert (news.event, news.said) == ("evt_1", said)
    assert 0 <= news.amount < 10**13


@given(body=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_body_is_an_accident(body: bytes) -> None:
    try:
        news = news_of_event(body)
    except PeerError:
        return
    assert news.kind is NewsKind.OTHER


def test_an_inquiry_takes_no_money_and_a_dispute_does() -> None:
    def news(status: str) -> NewsKind:
        thing = {"id": "dp_1", "payment_intent": "pi_1", "amount": 100, "currency": "usd"}
        event = {"id": "evt_1", "type": "charge.dispute.updated"}
        return news_of_event(
            json.dumps(event | {"data": {"object": thing | {"status": status}}}).encode()
        ).kind

    assert news("warning_needs_response") is NewsKind.OTHER
    assert news("needs_response") is NewsKind.DISPUTE_OPENED
    assert news("won") is NewsKind.DISPUTE_WON
    assert news("lost") is NewsKind.DISPUTE_LOST
