"""A Stripe of our own: stateful, and as strict as the real one where money is at stake.

Keys of idempotency are honoured (the same key with other words is refused), a refund never exceeds
its payment, cards say no by the names of the real test cards, and every change makes a signed
event, which a test delivers when and as often as it likes. Pure: `answer` takes a request.
Source: docs.stripe.com/api (objects, errors, idempotent requests), docs.stripe.com/testing.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from switch.outside.stripe_event import sign

SECRET_KEY = "sk_test_local"
WEBHOOK_SECRET = "whsec_local"

DECLINES = {
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", ""),
    "pm_card_authenticationRequired": ("authentication_required", "authentication_required"),
}
"""Cards that say no. docs.stripe.com/testing, under their names as payment methods."""


class Refusal(Exception):  # noqa: N818 - what Stripe says
    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message} | more}


@dataclass
class LocalStripe:
    now: int = 1_790_000_000
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and key of every request that came."""
    lose_answers: int = 0
    """So many answers are lost after the order was carried out."""
    is_down: bool = False
    checkout_base: str = "https://checkout.stripe.invalid"
    on_paid: Callable[[], None] = lambda: None
    """Done before a browser that paid is sent back."""
    _keys: dict[str, tuple[str, int, dict[str, Any]]] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """As a transport of the adapter."""
        if self.is_down:
            raise ConnectionRefusedError
        status, answer = self.answer(method, path, headers, body)
        if self.lose_answers:
            self.lose_answers -= 1
            raise TimeoutError
        return status, json.dumps(answer).encode()

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]]:
        key = headers.get("idempotency-key", "")
        self.requests.append((method, path, key))
        words = f"{method} {path} {body!r}"
        if key in self._keys:
            before, status, said = self._keys[key]
            if before != words:
                return 400, {"error": {"type": "idempotency_error", "message": "other words"}}
            return status, said
        try:
            status, said = 200, self._do(method, path, dict(parse_qsl(body.decode())))
        except Refusal as refusal:
            status, said = refusal.status, refusal.body
        said = json.loads(json.dumps(said))  # what was answered does not change later
        if key:
            self._keys[key] = (words, status, said)
        return status, said

    def delivery(self, event: dict[str, Any]) -> tuple[bytes, str]:
        """Body and signature of one delivery; each is signed anew."""
        body = json.dumps(event).encode()
        return body, sign(body, WEBHOOK_SECRET, at=self.now)

    def event(self, kind: str) -> dict[str, Any]:
        """The latest event of a kind."""
        return next(e for e in reversed(self.events) if e["type"] == kind)

    # What people do on the hosted page and at their banks.

    def pay(self, session: str, card: str = "pm_card_visa") -> bool:
        """Type in a card; False if it says no."""
        page = self.objects[session]
        assert page["status"] == "open", "a page is used once"
        customer = page["customer"] or (self._new("cus") if page["customer_creation"] else None)
        page["customer"] = customer
        if page["mode"] == "setup":
            setup = self._new("seti", customer=customer, payment_method=card, status="succeeded")
            self.objects[setup]["metadata"] = page["_metadata"]
            page |= {"status": "complete", "setup_intent": setup}
            self._tell("setup_intent.succeeded", setup)
            self._tell("checkout.session.completed", session)
            return True
        intent = page["payment_intent"] or self._new(
            "pi", amount=page["amount_total"], currency="usd", metadata=page["_metadata"],
            amount_received=0, status="requires_payment_method",
        )  # fmt: skip
        page["payment_intent"] = intent
        self.objects[intent]["customer"] = customer
        if not self._charge(intent, card):
            return False
        page |= {"status": "complete", "payment_status": "paid"}
        self._tell("checkout.session.completed", session)
        return True

    def expire(self, session: str) -> None:
        self.objects[session]["status"] = "expired"
        self._tell("checkout.session.expired", session)

    def dispute(self, intent: str, cents: int) -> str:
        dispute = self._new(
            "dp", payment_intent=intent, amount=cents, currency="usd", status="needs_response"
        )
        self._tell("charge.dispute.created", dispute)
        self._tell("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def is_disputed(self, intent: str) -> bool:
        """Whether a dispute takes, or took, the payment back."""
        return any(
            thing["payment_intent"] == intent and thing["status"] != "won"
            for name, thing in self.objects.items()
            if name.startswith("dp_")
        )

    def decide(self, dispute: str, *, won: bool) -> None:
        self.objects[dispute]["status"] = "won" if won else "lost"
        self._tell("charge.dispute.closed", dispute)

    def fail_refund(self, refund: str) -> None:
        self.objects[refund] |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
        intent = self.objects[self.objects[refund]["payment_intent"]]
        intent["_refunded"] -= self.objects[refund]["amount"]
        self._tell("refund.failed", refund)

    # The interface.

    def _do(self, method: str, path: str, form: dict[str, str]) -> dict[str, Any]:
        match (method, path.removeprefix("/v1/").split("/")):
            case ("POST", ["checkout", "sessions"]):
                return self._open_page(form)
            case ("POST", ["payment_intents"]):
                return self._charge_saved(form)
            case ("GET", ["payment_intents", intent]) if intent in self.objects:
                return self.objects[intent]
            case ("GET", ["checkout", "sessions", page]) if page.split("?")[0] in self.objects:
                return self._whole_page(page.split("?")[0])
            case ("POST", ["refunds"]):
                return self._refund(form)
            case _:
                raise Refusal(404, "resource_missing", f"no {path}")

    def _open_page(self, form: dict[str, str]) -> dict[str, Any]:
        mode = form["mode"]
        cents = int(form.get("line_items[0][price_data][unit_amount]", "0"))
        if mode == "payment" and cents < 50:
            raise Refusal(400, "amount_too_small", "at least 50 cents")
        funding = form.get(
            "payment_intent_data[metadata][funding]"
            if mode == "payment"
            else "setup_intent_data[metadata][funding]",
            "",
        )
        page = self._new(
            "cs", mode=mode, status="open", payment_status="unpaid", payment_intent=None,
            amount_total=cents or None, currency="usd", customer=form.get("customer"),
            customer_creation=form.get("customer_creation") == "always",
            success_url=form.get("success_url"),
            client_reference_id=form["client_reference_id"], _metadata={"funding": funding},
        )  # fmt: skip
        self.objects[page]["url"] = f"{self.checkout_base}/pay/{page}"
        return self.objects[page]

    def _whole_page(self, page: str) -> dict[str, Any]:
        """A page with what is behind it, as with both asked to be expanded."""
        thing = self.objects[page]
        behind = {name: thing.get(name) for name in ("payment_intent", "setup_intent")}
        return thing | {name: one and self.objects[one] for name, one in behind.items()}

    def _charge_saved(self, form: dict[str, str]) -> dict[str, Any]:
        intent = self._new(
            "pi", amount=int(form["amount"]), currency=form["currency"], amount_received=0,
            metadata={"funding": form["metadata[funding]"]}, customer=form.get("customer"),
            status="requires_payment_method",
        )  # fmt: skip
        if not self._charge(intent, form["payment_method"]):
            error = self.objects[intent]["last_payment_error"]
            raise Refusal(402, error["code"], "no", decline_code=error["decline_code"])
        return self.objects[intent]

    def _refund(self, form: dict[str, str]) -> dict[str, Any]:
        intent = self.objects.get(form["payment_intent"])
        if intent is None or intent["status"] != "succeeded":
            raise Refusal(400, "resource_missing", "no such payment")
        cents = int(form["amount"])
        if self.is_disputed(intent["id"]):
            raise Refusal(400, "charge_disputed", "the payment is disputed")
        if intent["_refunded"] + cents > intent["amount_received"]:
            raise Refusal(400, "charge_already_refunded", "more than is left of the payment")
        intent["_refunded"] += cents
        refund = self._new(
            "re", payment_intent=intent["id"], amount=cents, currency="usd", status="succeeded",
            metadata={"payout": form.get("metadata[payout]", "")},
        )  # fmt: skip
        self._tell("refund.created", refund)
        return self.objects[refund]

    def _charge(self, intent: str, card: str) -> bool:
        thing = self.objects[intent]
        if card in DECLINES:
            code, decline = DECLINES[card]
            thing["last_payment_error"] = {"code": code, "decline_code": decline or None}
            self._tell("payment_intent.payment_failed", intent)
            return False
        thing |= {"status": "succeeded", "amount_received": thing["amount"], "_refunded": 0}
        thing |= {"payment_method": card, "last_payment_error": None}
        self._tell("payment_intent.succeeded", intent)
        return True

    def _new(self, kind: str, **values: Any) -> str:
        id_ = f"{kind}_local{next(self._ids):06d}"
        self.objects[id_] = {"id": id_} | values
        return id_

    def _tell(self, kind: str, about: str) -> None:
        thing = json.loads(json.dumps(self.objects[about]))
        event = {"id": f"evt_local{next(self._ids):06d}", "type": kind, "data": {"object": thing}}
        self.events.append(event)
