"""Table `[selftest]`."""

from typing import Annotated

import msgspec
from msgspec import Meta


class SelfTestSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Table `[selftest]`: the nightly call to a test attorney."""

    number: Annotated[str, Meta(pattern=r"^(\+[1-9][0-9]{6,14})?$")] = ""
    """A number of the privileged register that answers by itself and needs no key; empty: off."""
    user: str = ""
    """Digest user of the terminal that calls; 127.0.0.0/8 must be among `terminal_networks`."""
    password_file: str = ""
    """Its password; empty: `DATA/keys/terminal-<terminal>.password` of `terminal`."""
    terminal: str = ""
    """Its id."""
    pin_file: str = ""
    """PIN of the test person, where the facility asks for one."""
    hour: Annotated[int, Meta(ge=0, le=23)] = 2
    """At this hour (UTC)."""
    talk_s: Annotated[float, Meta(ge=1, le=120)] = 5.0
    """How long it talks."""
