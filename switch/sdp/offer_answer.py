"""Offers and answers for one stream of G.711. Source: RFC 3264, RFC 3551, RFC 4733 section 2.4.

An answer has the offer's `m=` lines in order: the first acceptable audio is taken, all others get
port 0. Each side receives with the payload numbers that it listed itself, so we send with the far
side's and receive with ours. T.38 and video are refused; an offer of nothing else is 488. An
audio with SRTP that we can do goes before one without (`crypto`).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from switch.errors import PeerError
from switch.rtp.srtp_suite import MasterKey
from switch.sdp import crypto
from switch.sdp.crypto import LegKeys, Srtp
from switch.sdp.parser import build
from switch.sdp.session import (
    Direction,
    Line,
    Media,
    SessionDescription,
    direction,
    ip_family,
)

Law = Literal["PCMU", "PCMA"]

STATIC_TYPES: Final[dict[Law, int]] = {"PCMU": 0, "PCMA": 8}
"""RFC 3551 section 6, table 4."""

PTIME_MS: Final = 20
"""What we send and ask for. RFC 3551 section 4.2, table 1."""

PTIME_MS_MIN: Final = 10
PTIME_MS_MAX: Final = 60
"""Packet times that we accept from a far side. Chosen: what telephones are set to."""

PORT_MIN: Final = 1024
"""We never send to a port below it. Chosen: no RTP lives there, but many servers do."""

_TIMING: Final = re.compile(r"[0-9]{1,20} [0-9]{1,20}")
"""An answer repeats the offer's `t=` line. RFC 3264 section 6."""

_SAMPLE_RATE: Final = "8000"
_UNSPECIFIED: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - a hold, not a bind


class Hold(StrEnum):
    """How a far side said that it does not want to hear us. RFC 3264 sections 5.1, 8.4."""

    NONE = ""
    SENDONLY = "sendonly"
    INACTIVE = "inactive"
    ZERO_ADDRESS = "0.0.0.0"  # noqa: S104 - a hold, not a bind


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """What we put into an offer or an answer."""

    ip: str
    port: int
    laws: tuple[Law, ...] = ("PCMU", "PCMA")
    """Acceptable laws; in an offer, the preferred one first."""
    event_type: int | None = 101
    """Our payload number for telephone events in an offer; None: offer and accept none."""
    event_max: int = 15
    """The highest event that we say we take: 16 (flash) towards terminals, 15 towards trunks."""
    direction: Direction = Direction.SENDRECV
    srtp: Srtp = Srtp.OFF
    """Of an offer of ours: anything but OFF offers SRTP and nothing else."""
    keys: tuple[MasterKey, ...] = ()
    """Ours to send with, one for each suite, the preferred first. Without them no SRTP is
    possible: they are only made where the signalling is encrypted (RFC 4568 section 8.3)."""

    @property
    def is_secret(self) -> bool:
        """Whether an offer of this is for SRTP."""
        return self.srtp is not Srtp.OFF and bool(self.keys)


@dataclass(frozen=True, slots=True)
class RemoteAudio:
    """Where the far side's audio is, and how it is packed."""

    ip: str
    port: int
    law: Law
    """What we send; the first common one."""
    payload_type_send: int
    payload_type_receive: int
    event_type_send: int | None
    event_type_receive: int | None
    ptime_ms: int = PTIME_MS
    """What the far side would like to receive."""
    direction: Direction = Direction.SENDRECV
    """As the far side does: `sendonly` means that it does not listen to us."""
    hold: Hold = Hold.NONE
    laws_receive: tuple[tuple[int, Law], ...] = ()
    """Every payload number that we listed, with its law: the far side may use any of them."""
    keys: LegKeys | None = None
    """Of SRTP; None: in the clear."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """Our answer and what came of it."""

    description: SessionDescription
    remote: RemoteAudio

    @property
    def body(self) -> bytes:
        """The answer as bytes."""
        return build(self.description)


@dataclass(frozen=True, slots=True)
class _Codecs:
    """What a medium lists that we know."""

    laws: tuple[tuple[int, Law], ...]
    event_type: int | None


def answer(
    offer: SessionDescription, local: LocalMedia, *, session_id: int, version: int = 1
) -> Negotiated:
    """Answer an offer.

    The answer lists one law: the first of the offer's that `local` has. It repeats the offer's
    payload numbers, as RFC 3264 section 6.1 recommends.

    Raises:
        PeerError: 488 if no medium of the offer is acceptable.
    """
    at, codecs = _first_acceptable(offer, local)
    theirs = offer.media[at]
    chosen = crypto.choose(theirs, local.keys) if theirs.protocol == crypto.PROTOCOL else None
    lines = (crypto.build_line(chosen[0]),) if chosen else ()
    number, law = codecs.laws[0]
    event_type = codecs.event_type if local.event_type is not None else None
    wanted = _far_direction(offer, theirs).reversed
    ours = direction(
        sends=wanted.sends and local.direction.sends,
        receives=wanted.receives and local.direction.receives,
    )
    media = tuple(
        _own_media(local, ((number, law),), event_type, ours, lines) if n == at else _refuse(m)
        for n, m in enumerate(offer.media)
    )
    remote = RemoteAudio(
        ip=offer.address_of(theirs) or "",
        port=theirs.port,
        law=law,
        payload_type_send=number,
        payload_type_receive=number,
        event_type_send=event_type,
        event_type_receive=event_type,
        ptime_ms=_ptime_ms(offer, theirs),
        direction=ours.reversed,
        hold=hold_of(offer, theirs),
        laws_receive=((number, law),),
        keys=chosen[1] if chosen else None,
    )
    timing = (offer.every("t") or [""])[0]
    head = _own_head(local.ip, session_id, version, timing if _TIMING.fullmatch(timing) else "0 0")
    return Negotiated(SessionDescription(head, media), remote)


def offer_description(
    local: LocalMedia, *, session_id: int = 1, version: int = 1
) -> SessionDescription:
    """Return our offer as a value."""
    laws = tuple((STATIC_TYPES[law], law) for law in local.laws)
    lines = crypto.offered_lines(local.keys) if local.is_secret else ()
    media = _own_media(local, laws, local.event_type, local.direction, lines)
    return SessionDescription(_own_head(local.ip, session_id, version, "0 0"), (media,))


def make_offer(local: LocalMedia, *, session_id: int = 1, version: int = 1) -> bytes:
    """Return our offer as bytes: one audio stream."""
    return build(offer_description(local, session_id=session_id, version=version))


def accept_answer(local: LocalMedia, answered: SessionDescription) -> RemoteAudio:
    """Read the answer to an offer that was made of `local`.

    Raises:
        PeerError: 488 if the answer refuses our audio, or does not fit the offer.
    """
    if len(answered.media) != 1:
        raise PeerError(488, "The answer has other m= lines than the offer")
    theirs = answered.media[0]
    codecs = _codecs_of(theirs, local)
    ip = _sendable_address(answered, theirs, local)
    keys = crypto.matched(theirs, local.keys) if local.is_secret else None
    fits = theirs.protocol == (crypto.PROTOCOL if keys else "RTP/AVP")
    if codecs is None or ip is None or not fits or local.is_secret != (keys is not None):
        raise PeerError(488, "The answer accepts nothing of our offer")
    number, law = codecs.laws[0]
    has_events = local.event_type is not None and codecs.event_type is not None
    far = _far_direction(answered, theirs)
    return RemoteAudio(
        ip=ip,
        port=theirs.port,
        law=law,
        payload_type_send=number,
        payload_type_receive=STATIC_TYPES[law],
        event_type_send=codecs.event_type if has_events else None,
        event_type_receive=local.event_type if has_events else None,
        ptime_ms=_ptime_ms(answered, theirs),
        direction=direction(
            sends=far.sends and local.direction.receives,
            receives=far.receives and local.direction.sends,
        ),
        hold=hold_of(answered, theirs),
        laws_receive=tuple((STATIC_TYPES[law], law) for law in local.laws),
        keys=keys,
    )


def audio_family(offer: SessionDescription) -> Literal["ip4", "ip6"] | None:
    """Return the address family of the first audio with an address: which socket we need."""
    for media in offer.media:
        if media.kind == "audio" and media.port:
            ip = offer.address_of(media)
            if ip is not None:
                return "ip6" if ":" in ip else "ip4"
    return None


def hold_of(description: SessionDescription, media: Media | None = None) -> Hold:
    """Return how a description holds us; of its first open audio, if no medium is named."""
    if media is None:
        media = next((m for m in description.media if m.kind == "audio" and m.port), None)
        if media is None:
            return Hold.NONE
    if description.address_of(media) in _UNSPECIFIED:
        return Hold.ZERO_ADDRESS
    match description.direction_of(media):
        case Direction.SENDONLY:
            return Hold.SENDONLY
        case Direction.INACTIVE:
            return Hold.INACTIVE
        case Direction.SENDRECV | Direction.RECVONLY:
            return Hold.NONE


def _first_acceptable(offer: SessionDescription, local: LocalMedia) -> tuple[int, _Codecs]:
    secret = [n for n, m in enumerate(offer.media) if m.protocol == crypto.PROTOCOL]
    plain = [n for n in range(len(offer.media)) if n not in secret]
    for at in [*secret, *plain]:
        media = offer.media[at]
        codecs = _codecs_of(media, local) if _is_allowed(media, local) else None
        if codecs is not None and _sendable_address(offer, media, local) is not None:
            return at, codecs
    raise PeerError(488, "Not Acceptable Here")


def _is_allowed(media: Media, local: LocalMedia) -> bool:
    """Tell whether the SRTP of a medium, or that it has none, is what we may take."""
    if media.protocol == crypto.PROTOCOL:
        return local.srtp is not Srtp.OFF and crypto.choose(media, local.keys) is not None
    return local.srtp is not Srtp.REQUIRED


def _codecs_of(media: Media, local: LocalMedia) -> _Codecs | None:
    if media.kind != "audio" or media.protocol not in {"RTP/AVP", crypto.PROTOCOL}:
        return None
    names = _encodings(media)
    laws: list[tuple[int, Law]] = []
    event_type = None
    for text in media.formats:
        number = _payload_type(text)
        encoding = names.get(number) if number is not None else None
        if number is None or encoding is None:
            continue
        laws += [(number, law) for law in local.laws if encoding == f"{law}/{_SAMPLE_RATE}"]
        if encoding == f"TELEPHONE-EVENT/{_SAMPLE_RATE}" and event_type is None:
            event_type = number
    return _Codecs(tuple(laws), event_type) if laws else None


def _encodings(media: Media) -> dict[int, str]:
    """Return payload number to `ENCODING/rate`, with the static types where nothing is said."""
    names = {number: f"{law}/{_SAMPLE_RATE}" for law, number in STATIC_TYPES.items()}
    for value in media.every("a"):
        if not value.startswith("rtpmap:"):
            continue
        text, _, encoding = value[len("rtpmap:") :].partition(" ")
        number = _payload_type(text)
        if number is not None:
            names[number] = encoding.strip().upper().removesuffix("/1")
    return names


def _payload_type(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 127:
        return int(text)
    return None


def _sendable_address(
    description: SessionDescription, media: Media, local: LocalMedia
) -> str | None:
    ip = description.address_of(media)
    if ip is None or media.port < PORT_MIN or ip == "255.255.255.255":
        return None
    return ip if ip_family(ip) == ip_family(local.ip) else None


def _far_direction(description: SessionDescription, media: Media) -> Direction:
    """What the far side does; `c=0.0.0.0` means that it does not receive."""
    written = description.direction_of(media)
    if description.address_of(media) in _UNSPECIFIED:
        return direction(sends=written.sends, receives=False)
    return written


def _ptime_ms(description: SessionDescription, media: Media) -> int:
    text = media.attribute("ptime") or description.attribute("ptime") or ""
    if text.isascii() and text.isdigit() and len(text) <= 3:
        ptime_ms = int(text)
        if PTIME_MS_MIN <= ptime_ms <= PTIME_MS_MAX and ptime_ms % 10 == 0:
            return ptime_ms
    return PTIME_MS


def _own_head(ip: str, session_id: int, version: int, timing: str) -> tuple[Line, ...]:
    where = f"IN {ip_family(ip)} {ip}"
    return (
        ("v", "0"),
        ("o", f"- {session_id} {version} {where}"),
        ("s", "-"),
        ("c", where),
        ("t", timing),
    )


def _own_media(
    local: LocalMedia,
    laws: tuple[tuple[int, Law], ...],
    event_type: int | None,
    ours: Direction,
    crypto_lines: tuple[Line, ...],
) -> Media:
    lines = [("a", f"rtpmap:{number} {law}/{_SAMPLE_RATE}") for number, law in laws]
    formats = [str(number) for number, _ in laws]
    if event_type is not None:
        formats.append(str(event_type))
        lines.append(("a", f"rtpmap:{event_type} telephone-event/{_SAMPLE_RATE}"))
        lines.append(("a", f"fmtp:{event_type} 0-{local.event_max}"))
    lines += [("a", f"ptime:{PTIME_MS}"), ("a", ours.value)]
    protocol = crypto.PROTOCOL if crypto_lines else "RTP/AVP"
    return Media("audio", local.port, protocol, tuple(formats), (*lines, *crypto_lines))


def _refuse(media: Media) -> Media:
    """RFC 3264 section 6: the same line with port 0."""
    return Media(media.kind, 0, media.protocol, media.formats)
