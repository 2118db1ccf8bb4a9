"""Settings of what the switch tells the outside."""

from typing import Annotated, Literal

import msgspec


class MqttSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where call events are announced."""

    broker: Literal["none", "embedded", "external"] = "none"
    """`embedded`: a broker of our own on loopback, for the lab. `external`: one that runs."""
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 1883
    """0: any free port (embedded only)."""
    protocol: Literal["5", "3.1.1"] = "5"
    """The embedded broker speaks 3.1.1 whatever stands here."""
    user: str = ""
    password_file: str = ""
    ca_file: str = ""
    """Certificate authority of the broker; '' speaks in the clear, so only on loopback."""
    site: str = ""
    """Facility under which the node and its trunks stand; '' = the node's own name."""
    commands: bool = False
    """Take `cmd/…`. The broker's access list says who may send them."""
    command_users: dict[str, str] = {}
    """Embedded broker only: who may send commands, with the file of their password."""
    events_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000
    """Events that wait for a slow broker; then the oldest goes. Chosen: 10 s of 300 calls."""
    quality_every_s: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 10
    """The media plane reports each leg every second; the broker gets every so many seconds."""

    def __post_init__(self) -> None:
        """Refuse what would fail later."""
        if self.broker == "external" and self.port == 0:
            raise ValueError("port must be 1 to 65535 for an external broker")
        if self.broker == "external" and not self.ca_file and not _is_loopback(self.host):
            raise ValueError("ca_file is needed for a broker that is not on loopback")


class EventsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table `[events]`."""

    mqtt: MqttSettings = MqttSettings()
    news_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 50_000
    """News between the switchboard and what listens to it. Chosen: a second of 10,000 calls."""
    audit_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000
    """Audit entries that wait for the store. What does not fit is itself written down."""


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")
