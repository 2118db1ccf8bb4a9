"""One beat a second for all live pages: what changed is drawn once for all who see the same.

A page waits for the next `Beat`; a slow one has a queue of two, in which the newest wins. The
pages of people with the same rights and language share one drawing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from switch.clock import Clock

BEAT_S: Final = 1.0
"""Once a second, as balances change. Design page on the web, row `live`."""

BEATS_MAX: Final = 2
"""Beats that a slow page may be behind."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody sees: people with equal scopes share a drawing."""

    see: frozenset[str]
    cut: frozenset[str]
    node: bool
    language: str
    hotlines: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Beat:
    """What changed since the last beat: the name of a section and its HTML."""

    number: int
    sections: Mapping[str, str]


Draw = Callable[[Scope], Mapping[str, str]]
"""Draws all sections for a scope, as they are now."""


@dataclass(eq=False, slots=True)
class _Viewer:
    scope: Scope
    beats: deque[Beat] = field(default_factory=lambda: deque(maxlen=BEATS_MAX))
    came: asyncio.Event = field(default_factory=asyncio.Event)


class LiveFeed:
    """Beats for every open page.

    Args:
        draw: makes the HTML.
        clock: keeps the beat from drifting.
        viewers_max: pages open at once.
    """

    def __init__(self, draw: Draw, *, clock: Clock, viewers_max: int) -> None:
        self._draw = draw
        self._clock = clock
        self._viewers_max = viewers_max
        self._viewers: set[_Viewer] = set()
        self._last: dict[Scope, Mapping[str, str]] = {}
        self._closed = False
        self.number = int(clock.wall())
        """Of the newest beat. Begins at the wall clock, so that no number comes twice after a
        restart and a page that reconnects is not taken for up to date."""

    @property
    def is_full(self) -> bool:
        """Whether another page would be too many."""
        return len(self._viewers) >= self._viewers_max

    @property
    def viewers(self) -> int:
        """Pages open now."""
        return len(self._viewers)

    async def run(self) -> None:
        """Beat until cancelled."""
        start, beats = self._clock.monotonic(), 0
        while True:
            beats += 1
            late_s = self._clock.monotonic() - start - beats * BEAT_S
            if late_s > BEAT_S:  # after a stop of the machine: go on from here
                start, beats, late_s = self._clock.monotonic(), 0, 0.0
            await asyncio.sleep(max(0.0, -late_s))
            self.beat()

    def beat(self) -> None:
        """Draw what changed, once for each scope that somebody sees."""
        self.number += 1
        scopes = {viewer.scope for viewer in self._viewers}
        self._last = {scope: last for scope, last in self._last.items() if scope in scopes}
        for scope in scopes:
            drawn = self._draw(scope)
            before = self._last.get(scope, {})
            changed = {name: html for name, html in drawn.items() if before.get(name) != html}
            self._last[scope] = drawn
            for viewer in self._viewers:
                if viewer.scope == scope:
                    self._give(viewer, Beat(self.number, changed))

    def _give(self, viewer: _Viewer, beat: Beat) -> None:
        """Queue a beat. What a dropped one had changed goes into the next, or it would be lost."""
        if len(viewer.beats) == BEATS_MAX:
            dropped = viewer.beats.popleft()
            oldest = viewer.beats.popleft()
            merged = {**dropped.sections, **oldest.sections}
            viewer.beats.append(Beat(oldest.number, merged))
        viewer.beats.append(beat)
        viewer.came.set()

    async def follow(self, scope: Scope, *, last_seen: int | None) -> AsyncIterator[Beat]:
        """Yield beats until the feed closes.

        Args:
            scope: what this page may see.
            last_seen: number of the last beat the page got before it lost the line; unless it is
                the newest one, everything comes at once.
        """
        viewer = _Viewer(scope)
        self._viewers.add(viewer)
        try:
            if last_seen != self.number:
                yield Beat(self.number, self._draw(scope))
            while not self._closed:
                await viewer.came.wait()
                viewer.came.clear()
                while viewer.beats:
                    yield viewer.beats.popleft()
        finally:
            self._viewers.discard(viewer)

    def close(self) -> None:
        """Let every page go."""
        self._closed = True
        for viewer in self._viewers:
            viewer.came.set()
