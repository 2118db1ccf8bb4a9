"""Stripe's side of money by card: hosted pages, saved cards, refunds. Never a card number.

Every order carries our own name of it as its idempotency key, so an order whose answer was lost is
sent again without doing it twice. What is not certain is a value, `PaymentFault`, never a guess.
Source: docs.stripe.com/api (idempotent requests, errors, checkout sessions, payment intents).
"""

import asyncio
import base64
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from switch.billing.funding import (
    CheckoutPage,
    NoPayment,
    PaymentFault,
    PaymentNews,
)
from switch.errors import SettingsError
from switch.money import MICROS_PER_CENT, Micros
from switch.outside.settings import StripeSettings
from switch.outside.stripe_event import checkout_news, intent_news, refund_news

API_VERSION: Final = "2024-06-20"
"""The shapes that we read. Chosen: pinned, so that a change of the account's default is none."""

ANSWER_BYTES_MAX: Final = 1_000_000
"""Chosen: far above any object that we ask for."""

SAYS_CHARS_MAX: Final = 200
"""What Stripe says of an error is cut here. Chosen: a sentence."""

DECLINED_STATUS: Final = 402
"""docs.stripe.com/api/errors: parameters were valid and the request failed."""

UNSURE_STATUSES: Final = frozenset({401, 403, 408, 409, 429})
"""Nothing about this order: the key, or the moment. With every 5xx: ask again."""


class Transport(Protocol):
    """Carries one request; blocks."""

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Return status and body. Raises OSError or http.client.HTTPException if none came."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Where the hosted page sends people back to."""

    done: str
    cancelled: str


class Stripe:
    """Asks Stripe.

    Args:
        settings: table `[outside.stripe]`.
        transport: how; a connection to `api_base` if none is given.

    Raises:
        SettingsError: the key cannot be read.
    """

    def __init__(self, settings: StripeSettings, transport: Transport | None = None) -> None:
        self._settings = settings
        secret = read_secret(settings.secret_key_file, "secret_key_file")
        self._authorization = "Basic " + base64.b64encode(f"{secret}:".encode()).decode()
        self._send = transport or HttpTransport(settings)

    async def open_checkout(
        self,
        funding: str,
        amount: Micros,
        *,
        customer: str,
        save_card: bool,
        back: Return,
    ) -> CheckoutPage | PaymentFault:
        """Make the page on which somebody pays; with an amount of 0, it only saves a card."""
        form = {
            "client_reference_id": funding,
            "success_url": back.done,
            "cancel_url": back.cancelled,
            "payment_method_types[0]": "card",
        }
        form |= {"customer": customer} if customer else {}
        if amount == 0:
            form |= {"mode": "setup", "setup_intent_data[metadata][funding]": funding}
            form |= {} if customer else {"customer_creation": "always"}
            form |= {"currency": "usd"}
        else:
            line = "line_items[0]"
            form |= {
                "mode": "payment",
                f"{line}[quantity]": "1",
                f"{line}[price_data][currency]": "usd",
                f"{line}[price_data][unit_amount]": str(amount // MICROS_PER_CENT),
                f"{line}[price_data][product_data][name]": "Telephone account deposit",
                "payment_intent_data[metadata][funding]": funding,
            }
            if save_card:
                form["payment_intent_data[setup_future_usage]"] = "off_session"
                form |= {} if customer else {"customer_creation": "always"}
        answer = await self._ask("POST", "/v1/checkout/sessions", form, key=funding)
        if isinstance(answer, PaymentFault):
            return answer
        try:
            return CheckoutPage(
                session=str(answer["id"]),
                url=str(answer["url"]),
                intent=str(answer.get("payment_intent") or ""),
            )
        except KeyError as error:
            return _unread(error)

    async def charge_saved(
        self, funding: str, amount: Micros, *, customer: str, method: str
    ) -> PaymentNews | PaymentFault:
        """Charge a saved card while its holder is away."""
        form = {
            "amount": str(amount // MICROS_PER_CENT),
            "currency": "usd",
            "payment_method": method,
            "off_session": "true",
            "confirm": "true",
            "metadata[funding]": funding,
        }
        form |= {"customer": customer} if customer else {}
        return await self._news("POST", "/v1/payment_intents", form, key=funding)

    async def read_intent(self, intent: str) -> PaymentNews | PaymentFault:
        """Ask what became of a payment."""
        return await self._news("GET", f"/v1/payment_intents/{quote(intent, safe='')}", {}, key="")

    async def read_checkout(self, session: str) -> PaymentNews | PaymentFault:
        """Ask what became of a hosted page, and of the payment or the saved card behind it."""
        path = f"/v1/checkout/sessions/{quote(session, safe='')}"
        asked = "?expand[]=payment_intent&expand[]=setup_intent"
        answer = await self._ask("GET", path + asked, {}, key="")
        return answer if isinstance(answer, PaymentFault) else _read(checkout_news, answer)

    async def refund(self, payout: str, intent: str, amount: Micros) -> PaymentNews | PaymentFault:
        """Send money back to the card that it came from."""
        form = {
            "payment_intent": intent,
            "amount": str(amount // MICROS_PER_CENT),
            "metadata[payout]": payout,
        }
        answer = await self._ask("POST", "/v1/refunds", form, key=payout)
        return answer if isinstance(answer, PaymentFault) else _read(refund_news, answer)

    async def _news(
        self, method: str, path: str, form: Mapping[str, str], *, key: str
    ) -> PaymentNews | PaymentFault:
        answer = await self._ask(method, path, form, key=key)
        return answer if isinstance(answer, PaymentFault) else _read(intent_news, answer)

    async def _ask(
        self, method: str, path: str, form: Mapping[str, str], *, key: str
    ) -> dict[str, Any] | PaymentFault:
        headers = {
            "authorization": self._authorization,
            "content-type": "application/x-www-form-urlencoded",
            "stripe-version": API_VERSION,
        }
        headers |= {"idempotency-key": key} if key else {}
        try:
            status, body = await asyncio.to_thread(
                self._send, method, path, headers, urlencode(form).encode()
            )
        except (OSError, http.client.HTTPException) as error:
            return PaymentFault(why=NoPayment.UNSURE, says=f"no answer: {type(error).__name__}")
        try:
            answer = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            answer = None
        if not isinstance(answer, dict):
            return PaymentFault(why=NoPayment.UNSURE, says=f"status {status}, and no JSON")
        return answer if status == 200 else _fault(status, answer)


class HttpTransport:
    """One connection for each request. Blocks; run it in a thread."""

    def __init__(self, settings: StripeSettings) -> None:
        self._at = urlsplit(settings.api_base)
        self._timeout_s = settings.timeout_s
        self._tls = ssl.create_default_context() if self._at.scheme == "https" else None

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """See Transport."""
        host, port = self._at.hostname or "", self._at.port
        connection = (
            http.client.HTTPConnection(host, port, timeout=self._timeout_s)
            if self._tls is None
            else http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=self._tls)
        )
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read(ANSWER_BYTES_MAX)
        finally:
            connection.close()


def read_secret(path: str, name: str) -> str:
    """Read a secret from its file.

    Raises:
        SettingsError: it cannot be read, or is empty.
    """
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"outside.stripe.{name}: {path} cannot be read: {error}") from error
    if not secret:
        raise SettingsError(f"outside.stripe.{name}: {path} is empty")
    return secret


def _read(reader: Any, answer: dict[str, Any]) -> PaymentNews | PaymentFault:  # noqa: ANN401 - a function of stripe_event
    try:
        news = reader("", answer)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return _unread(error)
    assert isinstance(news, PaymentNews)
    return news


def _unread(error: Exception) -> PaymentFault:
    return PaymentFault(why=NoPayment.UNSURE, says=f"the answer cannot be read: {error!r}")


def _fault(status: int, answer: dict[str, Any]) -> PaymentFault:
    error = answer.get("error")
    error = error if isinstance(error, dict) else {}
    code = error.get("decline_code") or error.get("code") or ""
    says = f"{code or status}: {error.get('message', '')}"[:SAYS_CHARS_MAX]
    if status == DECLINED_STATUS:
        return PaymentFault(why=NoPayment.DECLINED, says=str(code or says)[:SAYS_CHARS_MAX])
    if status in UNSURE_STATUSES or status >= 500:
        return PaymentFault(why=NoPayment.UNSURE, says=says)
    return PaymentFault(why=NoPayment.REFUSED, says=says)
