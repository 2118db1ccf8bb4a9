"""`/hooks/stripe`: what the card processor tells. No sign-in: each telling is proved by itself."""

import logging
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from switch.errors import PeerError, StoreError

log = logging.getLogger(__name__)


class Webhooks(Protocol):
    """Takes what a processor tells."""

    async def webhook(self, body: bytes, signature: str) -> str:
        """Return what became of it.

        Raises:
            PeerError: 400, it is not signed, or cannot be read.
            StoreError: it could not be written; it must be told again.
        """
        ...


@dataclass(frozen=True, slots=True)
class HookPages:
    """The handler of webhooks.

    Args:
        stripe: takes them; None: no cards are taken.
    """

    stripe: Webhooks | None

    def routes(self) -> list[Route]:
        """Return the address, if cards are taken."""
        if self.stripe is None:
            return []
        return [Route("/hooks/stripe", self.tell, methods=["POST"])]

    async def tell(self, request: Request) -> Response:
        """Answer 200 only when it is written down; Stripe tells everything else again."""
        assert self.stripe is not None
        signature = request.headers.get("stripe-signature", "")
        try:
            outcome = await self.stripe.webhook(await request.body(), signature)
        except PeerError as error:
            log.warning("a webhook was refused: %s", error.reason)
            return PlainTextResponse(f"{error.reason}\n", error.status)
        except StoreError as error:
            log.error("a webhook could not be written: %s", error)  # noqa: TRY400 - the sentence says it all
            return PlainTextResponse("try again\n", 503)
        return PlainTextResponse(f"{outcome}\n")
