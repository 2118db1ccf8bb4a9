"""The offers and answers of one dialog: one open offer, a version that rises only with a change.

    STABLE --we offer--> OPEN --answer, or our offer was refused--> STABLE
    STABLE --they offer: answered at once--> STABLE
    OPEN   --they offer: 491--> OPEN

Source: RFC 3264 sections 4 and 8, RFC 3261 section 14.2, RFC 6337 section 3.
"""

from dataclasses import replace
from enum import Enum, auto

from switch.errors import LocalError, PeerError
from switch.sdp.offer_answer import (
    LocalMedia,
    Negotiated,
    RemoteAudio,
    accept_answer,
    answer,
    offer_description,
)
from switch.sdp.parser import build
from switch.sdp.session import SessionDescription


class State(Enum):
    """Whether an offer of ours waits for its answer."""

    STABLE = auto()
    OPEN = auto()


class Exchange:
    """All offers and answers of one dialog.

    Args:
        session_id: of our `o=` line; never changes. RFC 8866 section 5.2.
    """

    def __init__(self, session_id: int) -> None:
        self.state = State.STABLE
        self.remote: RemoteAudio | None = None
        """What holds now; None before the first answer."""
        self._session_id = session_id
        self._version = 0
        self._sent: SessionDescription | None = None
        self._offered: LocalMedia | None = None

    def offer(self, local: LocalMedia) -> bytes:
        """Open an offer; the same media as before keep their version.

        Raises:
            LocalError: an offer of ours is open already.
        """
        if self.state is State.OPEN:
            raise LocalError("an offer is open already")
        self.state = State.OPEN
        self._offered = local
        return build(self._stamp(offer_description(local, session_id=self._session_id)))

    def receive_answer(self, description: SessionDescription) -> RemoteAudio:
        """Close our offer with its answer.

        Raises:
            PeerError: 488 if the answer does not fit; the offer is closed all the same.
            LocalError: no offer is open.
        """
        if self.state is not State.OPEN or self._offered is None:
            raise LocalError("no offer is open")
        self.state = State.STABLE
        self.remote = accept_answer(self._offered, description)
        return self.remote

    def withdraw(self) -> None:
        """Our offer was refused, or its transaction ended without an answer: nothing changes."""
        self.state = State.STABLE

    def receive_offer(self, description: SessionDescription, local: LocalMedia) -> Negotiated:
        """Answer an offer; a refused one changes nothing.

        Raises:
            PeerError: 491 if an offer of ours is open; 488 if nothing in it is acceptable.
        """
        if self.state is State.OPEN:
            raise PeerError(491, "Request Pending")
        found = answer(description, local, session_id=self._session_id)
        self.remote = found.remote
        return replace(found, description=self._stamp(found.description))

    @property
    def current(self) -> bytes:
        """What we sent last, with its version: the body of a session refresh.

        Raises:
            LocalError: nothing was sent yet.
        """
        if self._sent is None:
            raise LocalError("nothing was offered or answered yet")
        return build(self._sent)

    def _stamp(self, description: SessionDescription) -> SessionDescription:
        """Write the version into the `o=` line: the last one, or one more after a change."""
        if self._sent is not None:
            same = _with_version(description, self._version)
            if same == self._sent:
                return same
        self._version += 1
        self._sent = _with_version(description, self._version)
        return self._sent


def _with_version(description: SessionDescription, version: int) -> SessionDescription:
    lines = []
    for letter, value in description.lines:
        if letter == "o":
            user, session_id, _, where = value.split(" ", 3)
            lines.append(("o", f"{user} {session_id} {version} {where}"))
        else:
            lines.append((letter, value))
    return replace(description, lines=tuple(lines))
