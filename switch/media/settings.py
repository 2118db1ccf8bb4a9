"""What an operator may set about sound: addresses, ports, how many legs and workers."""

from typing import Annotated

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1024, le=65535)]


class MediaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Table `[media]` of the configuration."""

    address: str
    """The IPv4 address that RTP is received on and that our SDP names."""
    address_ip6: str = ""
    """The same for IPv6; empty: no leg can be opened there."""
    port_min: Port
    port_max: Port
    """RTP takes the even ports of this range, RTCP the next odd one. A port in use is skipped."""
    workers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """Worker processes; 0: one for each processor that we may run on."""
    workers_spare: Annotated[int, msgspec.Meta(ge=0, le=4)] = 1
    """Workers that are started ahead and wait: one of them goes on at once for one that dies."""
    spare_after_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 5.0
    """They are started so long after the others are ready: the start has the processors first."""
    legs_max: Annotated[int, msgspec.Meta(ge=2, le=4096)] = 4096
    """Legs of one worker."""
    legs_packed: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 512
    """A worker is filled up to here before the next one gets calls; then the fewest legs win."""
    port_rest_s: Annotated[float, msgspec.Meta(ge=0, le=300)] = 30.0
    """A port is not used again for so long, because late packets may still come to it."""
    orphan_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 60.0
    """A worker without calls and without control ends after this time."""

    def __post_init__(self) -> None:
        """Check what one field cannot say alone."""
        if self.port_min + 1 >= self.port_max:
            raise ValueError("port_min must be below port_max by two or more")
