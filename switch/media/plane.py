"""Control's handle on the media workers: every order is a plain call, every report a callback.

Nothing here waits but `start` and `close`. An order is a packet on the worker's socket; what a
worker says comes through `on_event`. `counts` is what the workers themselves last said.
"""

import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final, Protocol

from switch.clock import Clock
from switch.errors import LocalError
from switch.ids import CallId, LegId, call_of, leg_id
from switch.media import wire
from switch.media.ahead import WorkersAhead
from switch.media.leg_book import NOWHERE, LegBook, OpenLeg
from switch.media.messages import CallEnded, LegResumed, MediaEvent, WorkerReport
from switch.media.order_book import OrderBook
from switch.media.phrase import Phrase, Tone
from switch.media.plane_counts import PlaneCounts, PlaneRoom, Surviving
from switch.media.plane_heirs import Heirs
from switch.media.plane_lines import PlaneLines, adopt
from switch.media.plane_share import WorkerLoad, choose, places
from switch.media.ports import Family, PortBook, PortsExhausted, RtpPort, open_pair
from switch.media.settings import MediaSettings
from switch.media.wire import Law
from switch.recording.plan import RecordingPlan
from switch.routing.call_class import Inspectable
from switch.sdp.offer_answer import RemoteAudio
from switch.sdp.session import Direction

BIND_TRIES_MAX: Final = 64
"""Ports in use by others that are skipped for one leg. Chosen."""


class Speaks(Protocol):
    """Turns phrases into sound files (`switch.media.prompt_book.PhraseBook`)."""

    def render(self, phrases: Sequence[Phrase], language: str) -> list[Path]:
        """Return the files to play, in order."""
        ...

    def version(self, phrase: Phrase, language: str) -> str:
        """Return the hash of what a phrase sounds like now."""
        ...


class MediaPlane:
    """All media workers.

    Args:
        settings: table `[media]`.
        clock: for the rest of ports.
        data: the data folder; sockets and logs of the workers are there.
        on_event: called with each report, in the event loop.
        random: ports, SSRCs, first sequence numbers and timestamps (RFC 3550 §5.1).
        phrase_book: turns phrases into files; needed by `play` only.
        ahead: worker processes begun before.
    """

    def __init__(
        self,
        *,
        settings: MediaSettings,
        clock: Clock,
        data: Path,
        on_event: Callable[[MediaEvent], None],
        random: Random,
        phrase_book: Speaks | None = None,
        ahead: WorkersAhead | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._data = data
        self._on_event = on_event
        self._random = random
        self._speaks = phrase_book
        self._ports = PortBook(
            port_min=settings.port_min,
            port_max=settings.port_max,
            rest_s=settings.port_rest_s,
            random=random,
        )
        self._lines = PlaneLines(
            settings=settings,
            data=data,
            on_report=self._take,
            on_lost=self._lost,
            on_ready=self._started,
            ahead=ahead or WorkersAhead(),
        )
        self._book = OrderBook()
        self._legs = LegBook()
        self._heirs = Heirs(
            lines=self._lines,
            book=self._book,
            clock=clock,
            legs=self._legs,
            legs_max=settings.legs_max,
            forget=self._forget,
            on_event=on_event,
        )
        self._rooms: dict[int, wire.Rooms] = {}
        self._said: dict[int, WorkerReport] = {}

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> list[Surviving]:
        """Reach the workers that outlived a former control, start the others.

        Returns:
            The calls that live, or have ended untold, in the workers.

        Raises:
            LocalError: a worker does not answer.
        """
        await self._lines.start()
        return [
            Surviving(
                call=item.call,
                legs=tuple(sorted(leg for leg in self._legs if call_of(leg) == item.call)),
                bridged_at=item.bridged_at,
                paid_until=item.paid_until,
                ended_at=item.ended_at,
                by_paid_until=item.by_paid_until,
                last_both_heard_at=item.last_both_heard_at,
            )
            for item in self._lines.calls()
        ]

    async def close(self) -> None:
        """Let the workers go: each ends as soon as no call lives there."""
        await self._lines.close()
        for leg in list(self._legs):
            self._forget(leg)

    # -- legs ---------------------------------------------------------------------------------

    def open_leg(self, leg: LegId, *, family: Family, law: Law) -> RtpPort:
        """Open a leg: both of a call at the same worker.

        Args:
            leg: its name.
            family: of the address that our SDP names.
            law: what we send and receive, until `set_remote` says otherwise.

        Returns:
            Where it receives RTP.

        Raises:
            PortsExhausted: no port, no place, or no address of that family.
        """
        if leg in self._legs:
            raise LocalError(f"leg {leg} is open already")
        ip = self._settings.address if family == "ip4" else self._settings.address_ip6
        if not ip:
            raise PortsExhausted(f"no address for {family} is configured")
        worker = self._worker_for(leg)
        port, sockets = self._bind(family, ip)
        self._legs.put(leg, OpenLeg(worker=worker, port=port, sockets=sockets))
        order = wire.OpenLeg(
            leg=leg,
            law=law,
            ip=ip,
            port=port,
            ssrc=self._random.getrandbits(32),
            sequence=self._random.getrandbits(15),
            timestamp=self._random.getrandbits(32),
        )
        self._tell(leg, order, rights=[one.fileno() for one in sockets])
        return RtpPort(ip=ip, port=port)

    def set_remote(
        self, leg: LegId, remote: RemoteAudio, *, nat_ip: str = "", networks: Sequence[str] = ()
    ) -> None:
        """Say where the far end is. Before this nothing is sent to it and nothing accepted.

        Args:
            leg: which leg.
            remote: from its SDP.
            nat_ip: the address of the leg's SIP, for a terminal behind a NAT: latch onto it.
            networks: a trunk's `media_networks`: from there any port is accepted.
        """
        event_send, event_receive = remote.event_type_send, remote.event_type_receive
        own = (number for number, law in remote.laws_receive if law == remote.law)
        other = (number for number, law in remote.laws_receive if law != remote.law)
        order = wire.SetRemote(
            leg=leg,
            ip=remote.ip,
            port=remote.port,
            law=remote.law,
            payload_type_send=remote.payload_type_send,
            payload_type_receive=next(own, remote.payload_type_receive),
            other_type_receive=next(other, -1),
            event_type_send=-1 if event_send is None else event_send,
            event_type_receive=-1 if event_receive is None else event_receive,
            sends_allowed=remote.direction in {Direction.SENDRECV, Direction.RECVONLY},
            sends=remote.direction is Direction.SENDRECV,
            nat_ip=nat_ip,
            networks=list(networks),
            srtp=self._srtp(remote),
        )
        self._tell(leg, order)

    def _srtp(self, remote: RemoteAudio) -> wire.Srtp | None:
        if remote.keys is None:
            return None
        return wire.Srtp(
            suite=remote.keys.ours.suite.value,
            ours=remote.keys.ours.secret,
            theirs=remote.keys.theirs.secret,
        )

    def close_leg(self, leg: LegId) -> None:
        """End a leg; a `LegReport(closed=True)` follows, and its port rests."""
        if leg in self._legs:
            self._tell(leg, wire.CloseLeg(leg=leg))
            self._forget(leg)

    # -- what a leg hears ----------------------------------------------------------------------

    def play(self, leg: LegId, phrases: Sequence[Phrase], *, language: str, play: int) -> list[str]:
        """Say phrases to a leg; replaces what plays, ducks the talk, ends with `PlayEnded(play)`.

        Returns:
            The names of files that are missing; they are left out.
        """
        if self._speaks is None:
            raise LocalError("this media plane has no phrase book")
        paths = self._speaks.render(phrases, language)
        missing = [path for path in paths if not path.is_file()]
        there = [str(path.absolute()) for path in paths if path not in missing]
        self._tell(leg, wire.Play(leg=leg, paths=there, play=play))
        return [path.stem for path in missing]

    def versions(self, phrases: Sequence[Phrase], language: str) -> list[str]:
        """Return the version of each phrase as `play` would say it now, for the record."""
        if self._speaks is None:
            raise LocalError("this media plane has no phrase book")
        return [self._speaks.version(phrase, language) for phrase in phrases]

    def play_files(self, leg: LegId, paths: Sequence[Path], *, play: int) -> None:
        """The same for files of 8 kHz u-law without a header."""
        self._tell(leg, wire.Play(leg=leg, paths=[str(p.absolute()) for p in paths], play=play))

    def tone(self, leg: LegId, tone: Tone) -> None:
        """Play a generated sound until `stop` or `play`."""
        self._tell(leg, wire.PlayTone(leg=leg, tone=tone.value))

    def stop(self, leg: LegId) -> None:
        """Stop what plays to a leg."""
        self._tell(leg, wire.Stop(leg=leg))

    # -- what is heard from a leg --------------------------------------------------------------

    def hear_digits(self, leg: LegId, permit: Inspectable | None = None) -> None:
        """Listen for keys in the sound of one leg; nothing else is looked for.

        Args:
            leg: the a-leg before its call is classified, or any leg with a permit.
            permit: None only for an a-leg whose call has no class yet.

        Raises:
            TypeError: the call is not inspectable.
        """
        if permit is not None or leg % 2:
            _check(permit, leg)
        self._tell(leg, wire.Hear(leg=leg))

    def deafen(self, leg: LegId) -> None:
        """Close the ring and the row of a leg."""
        self._tell(leg, wire.Deafen(leg=leg))

    def inspect(
        self, permit: Inspectable, legs: tuple[LegId, LegId], kinds: frozenset[str]
    ) -> None:
        """Look at every frame of both legs for `kinds` (detectors' events) from now on.

        Raises:
            TypeError: the call is not inspectable.
        """
        for leg in legs:
            _check(permit, leg)
        order = wire.Inspect(a_leg=legs[0], b_leg=legs[1], kinds=sorted(kinds))
        self._tell(legs[0], order)

    def note(self, leg: LegId, note: str, **fields: str | int) -> None:
        """Tell the detectors something: answered, talking, hold, resume, flash, warned."""
        self._tell(leg, wire.Note(leg=leg, note=note, fields=dict(fields)))

    def record_name(
        self, leg: LegId, *, path: Path, max_s: float, permit: Inspectable | None = None
    ) -> None:
        """Take a spoken name; `Recorded` says how it went.

        Raises:
            TypeError: the call is not inspectable.
        """
        if permit is not None or leg % 2:
            _check(permit, leg)
        self._tell(leg, wire.RecordName(leg=leg, path=str(path.absolute()), max_s=max_s))

    def record(self, permit: Inspectable, plan: RecordingPlan, *, began: float) -> None:
        """Record both legs from the bridge to its end; `RecordingEnded` says how it went.

        Args:
            permit: of this call.
            plan: the file and its key.
            began: the moment of the bridge, as `join` is told.

        Raises:
            TypeError: the call is not inspectable.
        """
        _check(permit, leg := leg_id(permit.call, is_b=False))
        self._tell(leg, wire.record_order(permit, plan, began=began))

    def look_at(self, call: CallId) -> None:
        """Ask what exists that could hear a call; `Hearing` answers."""
        self._tell(LegId(2 * call), wire.LookAt(call=call))

    def stop_recording(self, call: CallId, *, because: str) -> None:
        """Record no more of a call, from the next tick on; the call goes on."""
        self._tell(LegId(2 * call), wire.StopRecording(call=call, because=because))

    # -- the bridge ----------------------------------------------------------------------------

    def join(self, call: CallId, *, paid_until: float, mute_digits: bool, now: float) -> None:
        """Bridge the two legs until `paid_until`, which the worker keeps by itself.

        Args:
            call: both its legs are open.
            paid_until: monotonic seconds; the sound ends there unless it is moved.
            mute_digits: the caller's keys are not passed to the trunk.
            now: the moment of the bridge.
        """
        order = wire.Join(call=call, paid_until=paid_until, mute_digits=mute_digits, now=now)
        self._tell(LegId(2 * call), order)

    def paid_until(self, call: CallId, at: float) -> None:
        """Move the end of the paid time."""
        self._tell(LegId(2 * call), wire.PaidUntil(call=call, at=at))

    def hold_back(self, leg: LegId, on: bool) -> None:
        """Keep this leg's sound and keys from the other side."""
        self._tell(leg, wire.HoldBack(leg=leg, on=on))

    def part(self, call: CallId) -> None:
        """End the bridge now; `CallEnded` follows."""
        self._tell(LegId(2 * call), wire.Part(call=call, at=self._clock.monotonic()))

    def room(self) -> PlaneRoom:
        """Return how many legs could be opened now, by what is handed out here."""
        loads, legs_max = self._loads(), self._settings.legs_max
        left, limit = places(loads, legs_max=legs_max)
        ports = self._ports.free_count(now=self._clock.monotonic())
        return PlaneRoom(
            ports_left=ports,
            ports=ports + self._ports.used_count,
            places_left=left,
            places=legs_max * len(loads),
            places_limit=limit,
        )

    def counts(self) -> PlaneCounts:
        """Return what the workers hold, by their own last word."""
        rooms = self._rooms.values()
        return PlaneCounts(
            legs=sum(room.legs for room in rooms),
            ports=self._ports.used_count,
            rings=sum(room.rings for room in rooms),
            rows=sum(room.rows for room in rooms),
            recorders=sum(room.recorders for room in rooms),
            tapes=sum(room.tapes for room in rooms),
            files=sum(room.files for room in rooms),
            workers=len(self._lines.pids()),
        )

    def spare_count(self) -> int:
        """Return how many workers wait to go on for one that dies."""
        return self._lines.spare_count()

    def worker_pids(self) -> Mapping[int, int]:
        """Return the process of each worker that is there."""
        return self._lines.pids()

    # -- what the workers say ------------------------------------------------------------------

    def _take(self, worker: int, report: wire.Report, rights: list[int]) -> None:
        self._book.hear(report)
        match report:
            case wire.LegBack():
                self._legs.put(report.leg, OpenLeg(worker, report.port, adopt(rights)))
                self._ports.claim(report.port)
            case wire.Rooms():
                self._rooms[worker] = report
            case CallEnded():
                self._on_event(report)
                self._lines.send(worker, wire.Taken(call=report.call))
            case wire.Welcome():
                pass
            case WorkerReport():
                self._said[worker] = report
                self._on_event(report)
            case LegResumed():
                self._heirs.resumed(report)
                self._on_event(report)
            case _:
                self._on_event(report)

    def _lost(self, worker: int, memory: int) -> None:
        """A worker died, leaving `memory`: its calls go on at another one."""
        self._rooms.pop(worker, None)
        self._said.pop(worker, None)
        self._heirs.died(worker, memory)

    def _started(self, worker: int) -> None:
        self._heirs.ready(worker)

    # -- within --------------------------------------------------------------------------------

    def _worker_for(self, leg: LegId) -> int:
        other = self._legs.get(LegId(leg ^ 1))
        if other is not None:
            return other.worker
        settings = self._settings
        best = choose(self._loads(), legs_packed=settings.legs_packed, legs_max=settings.legs_max)
        if best is None:
            raise PortsExhausted("no media worker has room for another call")
        return best

    def _loads(self) -> dict[int, WorkerLoad]:
        return {number: self._load(number) for number in self._lines.pids()}

    def _load(self, worker: int) -> WorkerLoad:
        legs, said = self._legs.held(worker), self._said.get(worker)
        if said is None:
            return WorkerLoad(legs)
        return WorkerLoad(legs, legs_reported=said.legs, busy=said.busy)

    def _bind(self, family: Family, ip: str) -> tuple[int, tuple[socket.socket, socket.socket]]:
        now = self._clock.monotonic()
        for _ in range(BIND_TRIES_MAX):
            port = self._ports.take(now=now)
            try:
                return port, open_pair(family, ip, port)
            except OSError:
                self._ports.put(port, now=now)
        raise PortsExhausted(f"{BIND_TRIES_MAX} ports in a row could not be bound at {ip}")

    def _tell(self, leg: LegId, order: wire.Order, rights: Sequence[int] = ()) -> None:
        self._book.note(order)
        known = self._legs.get(leg)
        if known is not None and known.worker != NOWHERE:
            self._lines.send(known.worker, order, rights=rights)

    def _forget(self, leg: LegId) -> None:
        known = self._legs.take(leg)
        for one in known.sockets:
            one.close()
        self._ports.put(known.port, now=self._clock.monotonic())
        self._book.note(wire.CloseLeg(leg=leg))
        self._heirs.over(leg)


def _check(permit: object, leg: LegId) -> None:
    if not isinstance(permit, Inspectable):
        raise TypeError(f"only an inspectable call can be heard, not {type(permit).__name__}")
    if permit.call != call_of(leg):
        raise TypeError("the permit belongs to another call")
