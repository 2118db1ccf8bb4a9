"""A trunk, and how well it is. Source: RFC 3261 section 11 (OPTIONS); signalling.md section 5.

    up --2 misses--> down --1 answer--> up
    any --503 with Retry-After--> resting until then

Any answer but 408 and 503 proves life.
"""

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from switch.ids import TrunkId
from switch.sdp.crypto import Srtp
from switch.sip.headers import retry_after
from switch.sip.message import Response

OPTIONS_S: Final = 30.0
"""From one OPTIONS to the next. signalling.md section 5."""

MISSES_MAX: Final = 2
"""Unanswered OPTIONS until a trunk is down. signalling.md section 5."""

REST_S: Final = 5.0
"""How long a 503 without Retry-After keeps new calls away. Chosen: one breath, not an outage."""


NumberFormat = Literal["plus", "plain", "national"]
"""How numbers are written out: +1555…, 1555…, 555…."""


class TrunkRegistration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How we register at a carrier."""

    registrar: str
    """The registrar's URI: `sip:carrier.example`."""
    address_of_record: str
    expires_s: Annotated[int, Meta(ge=60, le=86_400)] = 300


class TrunkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A trunk as it is configured and stored; its password stands in a file."""

    id: TrunkId
    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)] = 5060
    transport: Literal["udp", "tcp", "tls"] = "udp"
    domain: str = ""
    """Host part of the URIs that it wants to see, and over TLS the name in its certificate;
    '' is `host`."""
    order: int = 0
    """Lower is tried first."""
    enabled: bool = True
    channels_max: Annotated[int, Meta(ge=1, le=100_000)] = 30
    calls_per_second_max: Annotated[int, Meta(ge=1, le=10_000)] = 20
    user: str = ""
    password_file: str = ""
    """Relative to the data directory."""
    registration: TrunkRegistration | None = None
    trusted: bool = False
    """Asserted identity may be told to it (RFC 3325 section 8)."""
    caller_number: str = ""
    """What calls come from; '' is anonymous."""
    number_format: NumberFormat = "plus"
    prefix: str = ""
    media_networks: tuple[str, ...] = ()
    options: bool = True
    """Ask it by OPTIONS how it is."""
    nat: bool = False
    srtp: Srtp = Srtp.ALLOWED
    """Over TLS: `required` offers SRTP only; `allowed` asks again in the clear after a refusal."""

    def __post_init__(self) -> None:
        """Refuse what could never work."""
        if self.srtp is Srtp.REQUIRED and self.transport != "tls":
            raise ValueError('srtp = "required" needs transport = "tls": keys travel in the SDP')


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A carrier's line to the outside, ready for use."""

    id: TrunkId
    settings: TrunkSettings
    password: str = field(default="", repr=False)

    @property
    def uri(self) -> str:
        """The trunk itself, for OPTIONS."""
        tail = "" if self.settings.transport == "udp" else f";transport={self.settings.transport}"
        return f"sip:{self.domain}{tail}"

    @property
    def domain(self) -> str:
        """Host and port as URIs name it."""
        if self.settings.domain:
            return self.settings.domain
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"{host}:{self.settings.port}"

    @property
    def certificate_name(self) -> str:
        """The name that its certificate must hold, over TLS. RFC 5922 section 4."""
        name, _, port = self.domain.rpartition(":")
        return (name if port.isdigit() else self.domain).strip("[]")

    @property
    def user(self) -> str:
        """Who we are when it asks; '' if it trusts our address."""
        return self.settings.user

    @property
    def channels_max(self) -> int:
        """How many calls it carries at once."""
        return self.settings.channels_max

    @property
    def registration(self) -> TrunkRegistration | None:
        """How we register there; None if we do not."""
        return self.settings.registration


class TrunkHealth:
    """How one trunk is. Pure: `now` is monotonic seconds."""

    def __init__(self) -> None:
        self.misses = 0
        self._next_ask: float | None = None
        self._rests_until = 0.0

    def is_up(self, *, now: float) -> bool:
        """Say whether new calls may go there."""
        return self.misses < MISSES_MAX and now >= self._rests_until

    def is_due(self, *, now: float) -> bool:
        """Say whether an OPTIONS is to be sent."""
        return self._next_ask is None or now >= self._next_ask

    def asked(self, *, now: float) -> None:
        """An OPTIONS went out."""
        self._next_ask = now + OPTIONS_S

    def answered_options(self, response: Response | None, *, now: float) -> None:
        """An OPTIONS was answered, or not at all."""
        if response is None:
            self.answered(0, now=now)
        else:
            self.answered(response.status, retry_after_s=retry_after(response) or 0, now=now)

    def answered(self, status: int, *, retry_after_s: int = 0, now: float) -> None:
        """An answer came, to an OPTIONS or to a call. Status 0: nothing came in time."""
        if status in {0, 408}:
            self.misses += 1
        elif status == 503:
            self._rests_until = now + (retry_after_s or REST_S)
        else:
            self.misses = 0
            self._rests_until = 0.0
