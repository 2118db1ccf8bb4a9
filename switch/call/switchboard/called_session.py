"""The outgoing leg's session: what was offered and answered, and what the trunk says of it later.

Re-INVITE and UPDATE are answered here (RFC 3264 section 8, RFC 3311), on-hold too: the far end may
hold, it is evidence and nothing more. On a privileged call nothing of it is read (P7).
"""

from switch.call import effects as fx
from switch.call.hookflash import KNOWN_TYPES, media_type
from switch.call.signals import Side
from switch.call.switchboard.record_keeper import RecordKeeper
from switch.errors import PeerError
from switch.sdp import parser as sdp_parser
from switch.sdp.exchange import Exchange
from switch.sdp.offer_answer import Hold, LocalMedia, RemoteAudio
from switch.sip.events import RequestReceived
from switch.sip.forwarding import LEADS_TO, ForwardingSeen, ForwardingWatch
from switch.sip.message import Response

SESSION_ID = 1
"""Of our `o=` line; each dialog has one session only."""

Answer = tuple[int, bytes]
"""Status and body."""


class CalledSession:
    """One dialog of the outgoing leg.

    Args:
        keeper: writes down what is evidence.
        dialled: the number that was called; None on a privileged call: nothing is watched.
    """

    def __init__(self, keeper: RecordKeeper, *, dialled: str | None) -> None:
        self._keeper = keeper
        self._dialled = dialled
        self._watch: ForwardingWatch | None = None
        self._exchange = Exchange(SESSION_ID)
        self._local: LocalMedia | None = None

    def offer(self, local: LocalMedia) -> bytes:
        """Offer our media to the next trunk; what the one before said is its own affair."""
        self._exchange, self._local = Exchange(SESSION_ID), local
        self._watch = ForwardingWatch(self._dialled) if self._dialled is not None else None
        return self._exchange.offer(local)

    def answered(self, body: bytes) -> RemoteAudio:
        """Take the answer in a 2xx.

        Raises:
            PeerError: it does not fit what was offered.
        """
        return self._exchange.receive_answer(sdp_parser.parse(body))

    # ---- evidence

    def stop_watching(self) -> None:
        """Nothing of this call may be read any more."""
        self._watch = self._dialled = None

    def heard(self, response: Response, now: float) -> list[fx.Effect]:
        """Take what an answer to our INVITE says of forwarding."""
        if self._watch is None:
            return []
        return self._forwarded(self._watch.response(response, media=_media_of(response)), now)

    def _forwarded(self, found: list[ForwardingSeen], now: float) -> list[fx.Effect]:
        for seen in found:
            self._keeper.forwarding(seen, now)
        effects: list[fx.Effect] = [
            fx.NoteDetector(Side.B, "forwarding", seen.form.value) for seen in found
        ]
        targets = [seen.target for seen in found if seen.form in LEADS_TO and seen.target]
        return effects + [fx.ScreenTarget(target) for target in targets]

    # ---- later

    def asked(
        self, event: RequestReceived, now: float
    ) -> tuple[Answer, RemoteAudio | None, list[fx.Effect]]:
        """Answer a request inside the dialog.

        Returns:
            The answer, the far end if it changed, and what it is evidence of.
        """
        request = event.request
        if request.method == "INFO":
            content_type = request.headers.get("content-type") or ""
            is_known = not content_type or media_type(content_type) in KNOWN_TYPES
            return (200 if is_known else 469, b""), None, []
        evidence = self._forwarded(self._watch.request(request), now) if self._watch else []
        if not request.body:
            body = self._exchange.current if request.method == "INVITE" else b""
            return (200, body), None, evidence
        before = self._hold()
        try:
            assert self._local is not None
            offer = sdp_parser.parse(request.body)
            negotiated = self._exchange.receive_offer(offer, self._local)
        except PeerError as error:
            return (error.status, b""), None, evidence
        evidence += self._held(before, now)
        return (200, negotiated.body), negotiated.remote, evidence

    def _hold(self) -> Hold:
        remote = self._exchange.remote
        return remote.hold if remote is not None else Hold.NONE

    def _held(self, before: Hold, now: float) -> list[fx.Effect]:
        after = self._hold()
        if self._watch is None or before is after:
            return []
        if after is Hold.NONE:
            self._keeper.far_end_hold("resume", before.value, now)
            return [fx.NoteDetector(Side.B, "resume", before.value)]
        self._keeper.far_end_hold("hold", after.value, now)
        return [fx.NoteDetector(Side.B, "hold", after.value)]


def _media_of(response: Response) -> str:
    """Say where the sound of an early answer comes from; '' if it does not say so."""
    if not response.body:
        return ""
    try:
        description = sdp_parser.parse(response.body)
    except PeerError:
        return ""
    for media in description.media:
        return f"{description.address_of(media)} {media.port}"
    return ""
