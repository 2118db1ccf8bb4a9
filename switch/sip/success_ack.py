"""Our ACK of each 2xx to an INVITE of ours, sent again for each repeat of that 2xx.

One INVITE may be answered by more than one device (a fork). The first 2xx makes the dialog; every
other To tag gets its ACK and then a BYE.

    2xx, tag       first ever      seen before     another tag
    effect         Adopt           SendAck         Release (ACK, then BYE)

Source: RFC 3261 section 13.2.2.4; RFC 6026 section 7.2 (for 64*T1 after the first 2xx).
"""

from dataclasses import dataclass

from switch.sip.message import Response


@dataclass(frozen=True, slots=True)
class Adopt:
    """This 2xx makes the dialog: acknowledge it and report the answer."""

    response: Response


@dataclass(frozen=True, slots=True)
class SendAck:
    """Put this ACK on the wire again."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Release:
    """Nobody wants this answer: acknowledge it and hang up."""

    response: Response


Effect = Adopt | SendAck | Release


class SuccessAck:
    """The acknowledgements of one INVITE. Forgotten by its owner with Timer M."""

    __slots__ = ("_acks",)

    def __init__(self) -> None:
        self._acks: dict[str, bytes] = {}

    def receive(self, response: Response, tag: str) -> Effect:
        """Take a 2xx with this To tag."""
        if tag in self._acks:
            return SendAck(self._acks[tag])
        if self._acks:
            return Release(response)
        return Adopt(response)

    def acknowledged(self, tag: str, data: bytes) -> None:
        """Note the ACK that was sent for this To tag."""
        self._acks[tag] = data
