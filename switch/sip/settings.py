"""Settings of the SIP stack. Source: `signalling.md`; numbers with clauses name them."""

from typing import Annotated

import msgspec


class SipSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an operator may say about signalling itself."""

    realm: str = "kinline"
    """The protection space of digest. RFC 7616 section 3.3."""

    product: str = "Kinline"
    """Server and User-Agent header. No version: it would only help an attacker."""

    contact_user: str = "kinline"
    """User part of our Contact."""

    transactions_max: Annotated[int, msgspec.Meta(ge=10, le=1_000_000)] = 50_000
    """Above it new requests get 503. Chosen: 1,000 calls/s of lingering transactions."""

    dialogs_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 12_000
    """Above it new INVITEs get 503, whoever calls. Chosen: more than the 5,500 calls that the
    switchboard takes with its reserve, so that it is the switchboard that says who is spared."""

    requests_per_second_max: Annotated[float, msgspec.Meta(gt=0, le=10_000)] = 5.0
    """Steady requests of one line. `signalling.md` section 8."""

    requests_burst_max: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20
    """Requests of one line at once. `signalling.md` section 8."""

    registers_per_second_max: Annotated[float, msgspec.Meta(gt=0, le=10_000)] = 1.0
    """Steady REGISTERs of one line. `signalling.md` section 8."""

    registers_burst_max: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 5
    """REGISTERs of one line at once. `signalling.md` section 8."""

    rate_exempt_networks: tuple[str, ...] = ()
    """Networks without rate limits, such as `127.0.0.0/8` for load tests."""

    digest_failures_max: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 5
    """Failed digests of one user and source in a minute before silence."""

    binding_s_default: Annotated[int, msgspec.Meta(ge=60, le=3600)] = 300
    """Expiry of a terminal's binding if it names none. `signalling.md` section 4."""
