"""What a request of ours shall say. Source: RFC 3261 sections 8.1.1 and 13.2.1."""

from dataclasses import dataclass

from switch.sip.events import Flow


@dataclass(frozen=True, slots=True)
class ClientCredential:
    """How we prove ourselves to a trunk."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Show the user only: this may reach a log."""
        return f"ClientCredential({self.user!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitePlan:
    """An INVITE that we want to send."""

    uri: str
    """The Request-URI."""
    from_uri: str
    to_uri: str
    flow: Flow
    """Where to; `LocalAddresses.flow_to` makes one."""
    from_display: str = ""
    body: bytes = b""
    """The offer; `application/sdp` unless `headers` say otherwise."""
    headers: tuple[tuple[str, str], ...] = ()
    credential: ClientCredential | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPlan:
    """An OPTIONS or REGISTER that we want to send."""

    uri: str
    from_uri: str
    to_uri: str
    flow: Flow
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    credential: ClientCredential | None = None
    call_id: str = ""
    """Empty: a new one. A REGISTER that refreshes keeps its own. RFC 3261 section 10.2."""
    from_tag: str = ""
    cseq: int = 1
