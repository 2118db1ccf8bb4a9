"""Settings of the pages."""

from ipaddress import ip_address
from typing import Annotated

import msgspec


class WebSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table `[web]`."""

    on: bool = True
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    """0: any free port."""
    certificate_file: str = ""
    """PEM, with its chain. '' speaks in the clear, so only on loopback."""
    key_file: str = ""
    public_origin: str = ""
    """What browsers see in front of a proxy, like `https://switch.example`."""
    host_names: list[str] = []
    """Further names under which browsers may reach us, beside loopback and `public_origin`."""
    proxies: Annotated[list[str], msgspec.Meta(max_length=20)] = []
    """Addresses of our own proxies: what they say in `X-Forwarded-For` about who asks is believed.
    Without them everybody behind a proxy counts as one for the limits of sign-ins."""
    metrics_token_file: str = ""
    """Who brings this token reads /metrics from anywhere; without it, loopback only."""
    sign_in_h_max: Annotated[int, msgspec.Meta(ge=1, le=24)] = 12
    """A sign-in ends after this. Chosen: a shift."""
    idle_min_max: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 60
    """A sign-in that is not used ends after this. The live page is use. Chosen."""
    viewers_max: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 500
    """Live pages open at once. Measured in the design: 500 cost 3 % of a core."""

    def __post_init__(self) -> None:
        """Refuse what would fail later."""
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file and key_file belong together")
        if not self.certificate_file and not is_loopback(self.host):
            raise ValueError("certificate_file is needed unless host is a loopback address")
        for proxy in self.proxies:
            ip_address(proxy)
        origin = self.public_origin
        if origin and (not origin.startswith(("https://", "http://")) or origin.count("/") != 2):
            raise ValueError("public_origin is scheme and host, like https://switch.example")

    @property
    def origin(self) -> str:
        """Where browsers find us, as far as the configuration says."""
        return self.public_origin or f"http://{self.host}:{self.port}"

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach us by https."""
        return bool(self.certificate_file) or self.public_origin.startswith("https://")


def is_loopback(host: str) -> bool:
    """Say whether an address never leaves this machine."""
    return host in {"localhost", "::1"} or host.startswith("127.")
