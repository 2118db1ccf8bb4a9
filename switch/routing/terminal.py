"""A terminal, and a gateway: a box with many terminals behind one trusted address."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from switch.ids import FacilityId, TerminalId, UnitId
from switch.routing.limits import Limits
from switch.routing.schedule import Schedule
from switch.sdp.crypto import Srtp

DigestAlgorithm = Literal["MD5", "SHA-256"]

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:+-]{1,64}$")]
"""An id: letters, digits, and a few signs that are safe in a topic, a path and a URI."""


class Terminal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A monitored telephone."""

    id: TerminalId
    facility: FacilityId
    unit: UnitId = UnitId("")
    gateway: str = ""
    """The gateway that it hangs on; '': it registers itself."""
    digest_user: str = ""
    digest_realm: str = "kinline"
    digest_ha1: dict[DigestAlgorithm, str] = {}
    """H(user:realm:password) per algorithm; the first is the one that is offered."""
    enabled: bool = True
    use: str = ""
    """What it is for, as its sentence names it: `library`. '' is everybody's."""
    only: tuple[Literal["ordinary", "free", "hotline", "privileged"], ...] = ()
    """The classes of call that it may place; none said: all."""
    schedule: Schedule = Schedule()
    limits: Limits = Limits()
    recorded: bool = True
    tty: bool = False
    accept_in_band: bool = True
    """Keys may be heard in the sound of this line, beside telephone events."""
    nat: bool = False
    srtp: Srtp = Srtp.ALLOWED
    """Sound under a key: possible where it signals over TLS, and there preferred."""
    shared: bool = False
    """Stands for many lines at once (`anonymous_lines`), so it is never busy."""
    disabled_until: float = 0.0
    """Wall seconds; off until then, after a cut by staff."""


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A box with terminals, trusted by its address."""

    id: Name
    facility: FacilityId
    unit: UnitId = UnitId("")
    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    channels_max: Annotated[int, Meta(ge=1, le=100_000)] = 64
    calls_per_second_max: Annotated[int, Meta(ge=1, le=10_000)] = 50
    anonymous_lines: bool = False
    """Each call is a line of its own; for load."""
    nat: bool = False
    srtp: Srtp = Srtp.ALLOWED
    """Of its anonymous lines; see `Terminal`."""


def anonymous_line(gateway: Gateway, from_user: str) -> Terminal:
    """Return the line that an unknown From user of an `anonymous_lines` gateway stands for."""
    line = "".join(sign for sign in from_user if sign.isalnum())[:32]
    return Terminal(
        id=TerminalId(f"{gateway.id}:{line}"),
        facility=gateway.facility,
        unit=gateway.unit,
        gateway=gateway.id,
        nat=gateway.nat,
        srtp=gateway.srtp,
        shared=True,
    )
