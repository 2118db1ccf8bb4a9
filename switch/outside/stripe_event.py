"""What Stripe tells us, read and proved. Pure.

A webhook is `Stripe-Signature: t=UNIX,v1=HEX[,v1=HEX]` over `t.body`, HMAC-SHA256 under the secret
of the endpoint. Source: docs.stripe.com/webhooks (signatures), docs.stripe.com/api/events.
"""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import msgspec

from switch.billing.funding import NewsKind, PaymentNews
from switch.errors import PeerError
from switch.money import MICROS_PER_CENT, Micros

TOLERANCE_S: Final = 300.0
"""How old a signature may be. Stripe's own libraries use five minutes; each delivery is signed
anew, so what comes late for other reasons is young."""

SIGNATURES_MAX: Final = 10
"""Of one header. Chosen: two while a secret is rolled."""

ID_CHARS_MAX: Final = 255
"""Of any name of Stripe's. docs.stripe.com/upgrades: at most 255."""

Object = Mapping[str, Any]


def sign(body: bytes, secret: str, *, at: int) -> str:
    """Make the header of a body."""
    return f"t={at},v1={_mac(body, secret, str(at))}"


def prove(body: bytes, header: str, secret: str, *, now: float) -> None:
    """Accept a body that Stripe has signed not long ago.

    Raises:
        PeerError: 400, it is not signed, wrongly signed or too old.
    """
    parts = [part.partition("=") for part in header.split(",")[: SIGNATURES_MAX + 1]]
    stamp = next((value for name, _, value in parts if name.strip() == "t"), "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise PeerError(400, "the signature has no time")
    mac = _mac(body, secret, stamp)
    given = [value for name, _, value in parts if name.strip() == "v1"]
    if not any(hmac.compare_digest(mac.encode(), value.encode()) for value in given):
        raise PeerError(400, "the signature is not Stripe's")
    if abs(now - int(stamp)) > TOLERANCE_S:
        raise PeerError(400, "the signature is too old")


def news_of_event(body: bytes) -> PaymentNews:
    """Read a webhook.

    Raises:
        PeerError: 400, it is not what Stripe sends.
    """
    try:
        event = msgspec.json.decode(body)
        name, said, thing = event["id"], event["type"], event["data"]["object"]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise PeerError(400, "the event cannot be read") from error
    if not (_is_name(name) and _is_name(said) and isinstance(thing, dict)):
        raise PeerError(400, "the event cannot be read")
    read = READERS.get(said)
    news = PaymentNews(event=name, kind=NewsKind.OTHER)
    if read is not None:
        try:
            news = read(said, thing)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PeerError(400, f"the {said} cannot be read") from error
    return replace(news, event=name, said=said)


def intent_news(_said: str, thing: Object) -> PaymentNews:
    """Read a PaymentIntent: paid, declined, or nothing yet."""
    status = thing["status"]
    error = thing.get("last_payment_error") or {}
    kind = NewsKind.OTHER
    if status == "succeeded":
        kind = NewsKind.PAID
    elif status == "canceled":
        kind = NewsKind.EXPIRED
    elif status in {"requires_payment_method", "requires_action"} and error:
        kind = NewsKind.DECLINED
    return PaymentNews(
        event="",
        kind=kind,
        said=f"payment_intent.{status}",
        funding=_metadata(thing, "funding"),
        intent=_name(thing["id"]),
        amount=_micros(thing.get("amount_received") or 0),
        currency=_currency(thing),
        customer=_name(thing.get("customer")),
        method=_name(thing.get("payment_method")),
        fault=str(error.get("decline_code") or error.get("code") or "")[:100],
    )


def _session_news(said: str, thing: Object) -> PaymentNews:
    kind = NewsKind.OTHER
    if said == "checkout.session.expired":
        kind = NewsKind.EXPIRED
    elif thing["mode"] == "payment" and thing.get("payment_status") == "paid":
        kind = NewsKind.PAID
    return PaymentNews(
        event="",
        kind=kind,
        funding=_name(thing.get("client_reference_id")),
        intent=_name(thing.get("payment_intent")),
        amount=_micros(thing.get("amount_total") or 0),
        currency=_currency(thing) if kind is NewsKind.PAID else "USD",
        fault="the page was not used in time" if kind is NewsKind.EXPIRED else "",
    )


def checkout_news(_said: str, thing: Object) -> PaymentNews:
    """Read a hosted page that was asked for with what is behind it."""
    intent, setup = thing.get("payment_intent"), thing.get("setup_intent")
    if isinstance(intent, dict):
        news = intent_news("", intent)
        # A card that says no ends nothing: the page is open, and another one may be tried.
        if news.kind is not NewsKind.DECLINED:
            return news
    if isinstance(setup, dict) and setup["status"] == "succeeded":
        return _setup_news("", setup)
    said = "checkout.session.expired" if thing["status"] == "expired" else ""
    return _session_news(said, {"mode": "", **thing, "payment_status": ""})


def _setup_news(_said: str, thing: Object) -> PaymentNews:
    return PaymentNews(
        event="",
        kind=NewsKind.CARD_SAVED,
        funding=_metadata(thing, "funding"),
        customer=_name(thing["customer"]),
        method=_name(thing["payment_method"]),
    )


def _dispute_news(_said: str, thing: Object) -> PaymentNews:
    kind = {
        "won": NewsKind.DISPUTE_WON,
        "lost": NewsKind.DISPUTE_LOST,
        "needs_response": NewsKind.DISPUTE_OPENED,
        "under_review": NewsKind.DISPUTE_OPENED,
    }.get(thing["status"], NewsKind.OTHER)  # an inquiry (`warning_…`) takes no money yet
    return PaymentNews(
        event="",
        kind=kind,
        dispute=_name(thing["id"]),
        intent=_name(thing["payment_intent"]),
        amount=_micros(thing["amount"]),
        currency=_currency(thing),
    )


def refund_news(_said: str, thing: Object) -> PaymentNews:
    """Read a Refund: paid, failed, or nothing yet."""
    kind = {
        "succeeded": NewsKind.REFUND_DONE,
        "failed": NewsKind.REFUND_FAILED,
        "canceled": NewsKind.REFUND_FAILED,
    }.get(thing["status"], NewsKind.OTHER)
    return PaymentNews(
        event="",
        kind=kind,
        payout=_metadata(thing, "payout"),
        refund=_name(thing["id"]),
        intent=_name(thing.get("payment_intent")),
        amount=_micros(thing["amount"]),
        currency=_currency(thing),
        fault=str(thing.get("failure_reason") or "")[:100],
    )


READERS: Final = {
    "payment_intent.succeeded": intent_news,
    "payment_intent.payment_failed": intent_news,
    "payment_intent.canceled": intent_news,
    "checkout.session.completed": _session_news,
    "checkout.session.async_payment_succeeded": _session_news,
    "checkout.session.expired": _session_news,
    "setup_intent.succeeded": _setup_news,
    "charge.dispute.created": _dispute_news,
    "charge.dispute.updated": _dispute_news,
    "charge.dispute.funds_withdrawn": _dispute_news,
    "charge.dispute.closed": _dispute_news,
    "refund.created": refund_news,
    "refund.updated": refund_news,
    "refund.failed": refund_news,
    "charge.refund.updated": refund_news,
}
"""What we listen to. Everything else is kept by its name and moves nothing."""


def _mac(body: bytes, secret: str, stamp: str) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= ID_CHARS_MAX


def _name(value: object) -> str:
    """Read a name; a thing that was given whole has one inside."""
    if isinstance(value, dict):
        value = value.get("id")
    if value is None:
        return ""
    if not _is_name(value):
        raise ValueError("no name")
    assert isinstance(value, str)
    return value


def _metadata(thing: Object, key: str) -> str:
    return _name((thing.get("metadata") or {}).get(key) or None)


def _micros(cents: object) -> Micros:
    if not isinstance(cents, int) or not 0 <= cents < 10**9:
        raise ValueError("no amount")
    return Micros(cents * MICROS_PER_CENT)


def _currency(thing: Object) -> str:
    return str(thing["currency"]).upper()[:3]
