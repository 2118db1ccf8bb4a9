"""What a trunk says of a call that is passed on: one `ForwardingSeen` per thing that it said. Pure.

    form              where it stands
    181               a provisional answer with that status
    3xx               a final answer; Contact
    history_info      18x, 2xx, 3xx: more than one index, and the last one leads elsewhere
    diversion         18x, 2xx, 3xx, and requests inside the call
    connected         P-Asserted-Identity or Remote-Party-ID of 18x and 2xx, From of a request
                      inside the call: another number than was called
    second_ringing    an 18x from another place (To tag, media address) than the first one

Carriers strip all of these: that none is there proves nothing. What cannot be read is no evidence
and no fault. Source: `signalling.md` section 6; RFC 7044 sections 5 and 9, RFC 5806 section 4,
RFC 4458, RFC 4916, RFC 3325.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Final

from switch.errors import PeerError
from switch.sip.headers import NameAddr, contacts, every_value, parse_name_addr, tag_of
from switch.sip.message import Message, Request, Response
from switch.sip.uri import parse_uri

ENTRIES_MAX: Final = 16
"""Entries of one header that are looked at. Chosen: longer chains of real forwarding are loops."""

SEEN_MAX: Final = 32
"""Different things that one call can say of its forwarding. Chosen: the rest says nothing new."""

NUMBER_DIGITS: Final = 10
"""Two numbers are the same if so many of their last digits are: +1, 1 and national forms of the
North American plan differ only before them."""

DIGITS_MIN: Final = 7
"""Shorter user parts are extensions or names, not numbers that could be compared. Chosen."""

_CAUSE: Final = re.compile(r"cause(?:=|%3[Dd])([0-9]{3})")
"""As a parameter of the URI (RFC 4458) or in an escaped Reason header (RFC 7044 section 10.2)."""


class Form(StrEnum):
    """How it was said. Never a number."""

    PROVISIONAL_181 = "181"
    REDIRECT = "3xx"
    HISTORY_INFO = "history_info"
    DIVERSION = "diversion"
    CONNECTED = "connected"
    SECOND_RINGING = "second_ringing"


LEADS_TO: Final = frozenset({Form.REDIRECT, Form.HISTORY_INFO, Form.CONNECTED})
"""Forms whose target is where the call goes; Diversion names who passed it on."""


@dataclass(frozen=True, slots=True)
class ForwardingSeen:
    """One thing that was said."""

    form: Form
    target: str = ""
    """User part or number that was named: where to, with Diversion who passed it on."""
    reason: str = ""


@dataclass(slots=True)
class ForwardingWatch:
    """What one outgoing call has said so far; the same target and reason twice is one event.

    Args:
        dialled: the number that was called, E.164.
    """

    dialled: str
    _told: set[tuple[str, str, str]] = field(default_factory=set)
    _rang_at: str | None = None
    _rang_media: str | None = None

    def response(self, response: Response, *, media: str = "") -> list[ForwardingSeen]:
        """Read an answer to our INVITE above 100.

        Args:
            response: as it came.
            media: address and port of its SDP; '' if it has none.
        """
        found = [*_status(response), *_history(response, self.dialled), *_diversion(response)]
        found += self._connected(response, ("p-asserted-identity", "remote-party-id"))
        if response.is_provisional:
            found += self._ringing(response, media)
        return self._fresh(found)

    def request(self, request: Request) -> list[ForwardingSeen]:
        """Read a re-INVITE or UPDATE of the called side."""
        names = ("from", "p-asserted-identity", "remote-party-id")
        return self._fresh([*_diversion(request), *self._connected(request, names)])

    def _connected(self, message: Message, names: Iterable[str]) -> list[ForwardingSeen]:
        if isinstance(message, Response) and message.status >= 300:
            return []
        people = [_user(a) for name in names for a in _addresses(message, name)]
        others = [who for who in people if _differs(who, self.dialled)]
        return [ForwardingSeen(Form.CONNECTED, who) for who in others[:1]]

    def _ringing(self, response: Response, media: str) -> list[ForwardingSeen]:
        if response.status not in {180, 183}:
            return []
        try:
            tag = tag_of(response.headers.get("to") or "") or ""
        except PeerError:
            tag = ""
        moved = (self._rang_at not in {None, tag}) or (
            bool(media) and self._rang_media not in {None, media}
        )
        self._rang_at = tag if self._rang_at is None else self._rang_at
        self._rang_media = (media or None) if self._rang_media is None else self._rang_media
        return [ForwardingSeen(Form.SECOND_RINGING)] if moved else []

    def _fresh(self, found: Iterable[ForwardingSeen]) -> list[ForwardingSeen]:
        fresh = []
        for seen in found:
            key = (seen.form if not seen.target else "", seen.target, seen.reason)
            if key not in self._told and len(self._told) < SEEN_MAX:
                self._told.add(key)
                fresh.append(seen)
        return fresh


def _status(response: Response) -> list[ForwardingSeen]:
    if response.status == 181:
        return [ForwardingSeen(Form.PROVISIONAL_181)]
    if 300 <= response.status < 400:
        try:
            named = [_user(address) for address in contacts(response)]
        except PeerError:
            named = []
        return [ForwardingSeen(Form.REDIRECT, next(iter(named), ""), str(response.status))]
    return []


def _history(response: Response, dialled: str) -> list[ForwardingSeen]:
    """Read History-Info: retargeting that changes nothing (`np`, `rc`, same number) is routing."""
    entries = _addresses(response, "history-info")
    indexes = {entry.params.get("index") or "" for entry in entries} - {""}
    if response.status < 180 or len(indexes) < 2:
        return []
    last = entries[-1]
    cause = next(iter(_CAUSE.findall(last.uri)), "")
    target = _user(last)
    if not cause and "mp" not in last.params and not _differs(target, dialled):
        return []
    return [ForwardingSeen(Form.HISTORY_INFO, target, cause)]


def _diversion(message: Message) -> list[ForwardingSeen]:
    return [
        ForwardingSeen(Form.DIVERSION, _user(entry), (entry.params.get("reason") or "").lower())
        for entry in _addresses(message, "diversion")[:1]
    ]


def _addresses(message: Message, name: str) -> list[NameAddr]:
    """Return the addresses of a header that can be read, the first ones only."""
    found = []
    try:
        values = every_value(message, name)
    except PeerError:
        return []
    for value in islice(values, ENTRIES_MAX):
        try:
            found.append(parse_name_addr(value))
        except PeerError:
            continue
    return found


def _user(address: NameAddr) -> str:
    try:
        uri = parse_uri(address.uri)
    except PeerError:
        return ""
    return str(getattr(uri, "user", None) or getattr(uri, "number", None) or "")


def _differs(user: str, dialled: str) -> bool:
    """Say whether a user part is a number, and another one than was called."""
    theirs = "".join(sign for sign in user.partition(";")[0] if sign.isdigit())
    ours = "".join(sign for sign in dialled if sign.isdigit())
    if len(theirs) < DIGITS_MIN:
        return False
    length = min(NUMBER_DIGITS, len(theirs), len(ours))
    return theirs[-length:] != ours[-length:]
