"""What a worker knew, kept where its death does not reach: shared memory that control holds too.

The arrays of the legs lie in a memfd. Control keeps its descriptor and never maps it. When a worker
was killed, its successor reads there how far each leg had come: the numbers of what it sent, what
it had heard, where a prompt stood, the keys that nobody had been told of.

Whatever the dead one was writing when it died is one number of one leg: the successor takes only
numbers, and no pointer, index or descriptor.
"""

import mmap
import os
import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from switch.ids import LegId
from switch.media import legs as legs_module
from switch.media.legs import Legs, Mail

ALIGN_BYTES: Final = 64
"""Each array begins at a cache line, as numpy's own do. Chosen."""

SHARED: Final = (
    "alive_ns", "top", "mail", "mail_count", *legs_module.NONE_PER_LEG, *legs_module.PER_LEG,
)  # fmt: skip

INHERITED: Final = (
    "target", "target_bytes", "from_ip", "from_port", "networks", "network_count", "latch",
    "pointed", "event_in", "ssrc", "sequence", "timestamp", "sent_ns", "sent", "sent_octets",
    "srtp_ssrc", "source", "press", "received_ns", "source_changes", "comfort", "drops",
    "both_heard_ns",
    "keys_told",
)  # fmt: skip
"""What goes on where it stood. Everything else is ordered anew by control."""

_TOLD_BY_HEIR: Final = (Mail.KEY, Mail.FLASH)
"""Letters that are read after a death: the others follow from what is inherited."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Something that the dead worker had heard and perhaps not told."""

    kind: Mail
    leg: LegId
    value: int
    at_ns: int


def share(legs: Legs) -> tuple[Legs, int]:
    """Move the arrays of all legs into shared memory.

    Returns:
        The same arrays, and the descriptor of their memory.
    """
    size = _layout(legs)[1]
    fd = os.memfd_create("kinline-legs")
    os.ftruncate(fd, size)
    views = _views(mmap.mmap(fd, size), legs)
    _seal(views["seal"], legs)
    for name in SHARED:
        if getattr(legs, name).any():
            views[name][...] = getattr(legs, name)
    return legs._replace(**{name: views[name] for name in SHARED}), fd


class Estate:
    """What a dead worker left.

    Args:
        fd: of its shared memory; closed here.
        legs: arrays of the same shape, for the layout.
    """

    def __init__(self, fd: int, legs: Legs) -> None:
        self.alive_at_ns = 0
        self.letters: list[Letter] = []
        self._left: dict[str, Any] = {}
        self._index: dict[LegId, int] = {}
        size = _layout(legs)[1]
        try:
            if os.fstat(fd).st_size == size:
                self._read(mmap.mmap(fd, size, access=mmap.ACCESS_READ), legs)
        finally:
            os.close(fd)

    def _read(self, memory: mmap.mmap, legs: Legs) -> None:
        views = _views(memory, legs)
        if views["seal"].tobytes() != _seal_of(legs):
            return
        top = int(np.clip(views["top"][0], 0, len(legs.fd)))
        self._left = {name: views[name][:top].copy() for name in (*INHERITED, *_OF_SOUND, "leg_id")}
        self._index = {
            LegId(leg): index for index, leg in enumerate(self._left["leg_id"].tolist()) if leg >= 0
        }
        self.alive_at_ns = int(views["alive_ns"][0])
        count = int(np.clip(views["mail_count"][0], 0, legs_module.MAIL_MAX))
        self.letters = self._letters(views["mail"][:count].tolist())

    def _letters(self, mail: list[list[int]]) -> list[Letter]:
        leg_of = {index: leg for leg, index in self._index.items()}
        return [
            Letter(Mail(kind), leg_of[index], value, at_ns)
            for kind, index, value, at_ns in mail
            if kind in _TOLD_BY_HEIR and index in leg_of
        ]

    def pass_on(self, leg: LegId, legs: Legs, index: int) -> bool:
        """Let a leg that now sits at `index` go on where it stood; False: it was not known."""
        was = self._index.get(leg)
        if was is None:
            return False
        for name in INHERITED:
            getattr(legs, name)[index] = self._left[name][was]
        return True

    def played(self, leg: LegId, play: int, size: int) -> int:
        """Return how many bytes of a play the leg has heard; `size` if it had come to its end."""
        was = self._index.get(leg)
        if was is None or self._left["sound_play"][was] != play:
            return 0
        if self._left["sound_bytes"][was] != size:
            return 0
        if self._left["sound"][was] == 0:
            return size
        return int(np.clip(self._left["sound_at"][was], 0, size))


_OF_SOUND: Final = ("sound", "sound_bytes", "sound_at", "sound_play")


def _layout(legs: Legs) -> tuple[dict[str, int], int]:
    """Return where each array begins, and the size of it all."""
    places: dict[str, int] = {}
    at = ALIGN_BYTES
    for name in SHARED:
        places[name] = at
        at += -(-getattr(legs, name).nbytes // ALIGN_BYTES) * ALIGN_BYTES
    return places, at


def _views(memory: mmap.mmap, legs: Legs) -> dict[str, Any]:
    places, _ = _layout(legs)
    views = {"seal": np.ndarray((8,), np.uint8, memory, 0)}
    for name, at in places.items():
        like = getattr(legs, name)
        views[name] = np.ndarray(like.shape, like.dtype, memory, at)
    return views


def _seal_of(legs: Legs) -> bytes:
    """A checksum of the layout: memory of another version is not read."""
    shapes = [(n, getattr(legs, n).shape, getattr(legs, n).dtype.str) for n in SHARED]
    return zlib.crc32(repr(shapes).encode()).to_bytes(8, "little")


def _seal(view: Any, legs: Legs) -> None:  # noqa: ANN401 - a numpy view
    view[:] = np.frombuffer(_seal_of(legs), np.uint8)
