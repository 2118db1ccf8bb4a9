"""Keeps the Prometheus series up to date, from the news and from samples of the other rooms.

News fills what happens; `sample_*` takes running totals that another room counts for itself (the
SIP stack, the sockets) and adds what they grew by, so that a counter here never falls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from switch.call.news import (
    AlarmNews,
    CallEndedNews,
    CallStateNews,
    News,
    PolicyNews,
    QualityNews,
    RegistrationNews,
    StatusNews,
    TrunkNews,
    WorkerNews,
)
from switch.events.series import METHODS, Names, Series

if TYPE_CHECKING:
    from switch.ids import CallId

LEGS_REMEMBERED_MAX: Final = 50_000
"""Legs whose counts are remembered. Chosen: more than one node carries."""

OVER_REMEMBERED_MAX: Final = 1_000
"""Ended calls whose legs may still have a last word. Chosen: more than end within a second."""

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
"""Of what `text` returns."""

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _LegCounts:
    received: int = 0
    sent: int = 0
    lost: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


class Metrics:
    """A Publisher that counts.

    Args:
        names: trunks and reasons that the configuration knows; they exist at 0 from now on.
        version: of the switch.
    """

    def __init__(self, names: Names, *, version: str) -> None:
        self.series = Series(names)
        self._live: set[CallId] = set()
        self._legs: dict[tuple[CallId, str], _LegCounts] = {}
        self._over: dict[CallId, None] = {}
        """Calls that have ended of late, the oldest first."""
        self._bindings: set[str] = set()
        self._ticks: dict[int, tuple[int, int]] = {}
        """Late and shed ticks that each worker last told."""
        self._alive: dict[int, bool] = {}
        self._totals: dict[tuple[str, Labels], float] = {}
        self._transactions: set[tuple[str, str]] = set()
        self.series.gauges["build_info"].labels(version).set(1)

    def text(self) -> bytes:
        """Write all series in the text format of Prometheus."""
        return generate_latest(self.series.registry)

    def publish_nowait(self, news: News) -> None:
        """See Publisher."""
        match news:
            case CallStateNews():
                self._call_state(news)
            case PolicyNews():
                kind = news.code if news.kind == "detection" else news.kind
                self._count("policy_events_total", kind)
            case CallEndedNews():
                self._call_ended(news)
            case QualityNews():
                self._quality(news)
            case RegistrationNews():
                self._registration(news)
            case TrunkNews():
                self.series.gauges["trunk_up"].labels(news.trunk).set(news.up)
                self.series.gauges["trunk_channels"].labels(news.trunk).set(news.channels)
            case WorkerNews():
                self._worker(news)
            case AlarmNews():
                self._count("alarms_total", news.code)
            case StatusNews():
                self.series.gauges["draining"].set(news.state == "draining")
            case _:
                pass

    # ---- samples: what other rooms count themselves

    def sample_total(self, name: str, total: float, *labels: str) -> None:
        """Bring a counter up to a running total that another room keeps.

        A total that falls (the room started anew) is taken as counted from nothing.
        """
        key = (name, labels)
        last = self._totals.get(key, 0.0)
        grown = total - last if total >= last else total
        self._totals[key] = total
        if grown > 0:
            self._count(name, *labels, by=grown)

    def sample_gauge(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge."""
        gauge = self.series.gauges[name]
        (gauge.labels(*labels) if labels else gauge).set(value)

    def sample_sip(
        self,
        *,
        requests: Mapping[tuple[str, str], int],
        responses: Mapping[tuple[str, str], int],
        dropped: Mapping[str, int],
        retransmissions: int,
        transactions: Mapping[tuple[str, str], int],
        shed: Mapping[str, int],
        digest_failures: int,
    ) -> None:
        """Take the running totals of the SIP stack.

        Args:
            requests: by (direction, method).
            responses: by (direction, status).
            dropped: by reason.
            retransmissions: in all.
            transactions: how many there are now, by (kind, state).
            shed: by method.
            digest_failures: in all.
        """
        for (direction, method), total in _by_label(requests).items():
            self.sample_total("sip_requests_total", total, method, direction)
        for (direction, code), total in responses.items():
            self.sample_total("sip_responses_total", total, direction, code)
        for reason, total in dropped.items():
            self.sample_total("sip_dropped_total", total, reason)
        self.sample_total("sip_retransmissions_total", retransmissions)
        for method, total in shed.items():
            self.sample_total("sip_shed_total", total, known_method(method))
        self.sample_total("digest_failures_total", digest_failures)
        gauge = self.series.gauges["transactions"]
        for labels in self._transactions - transactions.keys():
            gauge.labels(*labels).set(0)
        self._transactions |= transactions.keys()
        for labels, held in transactions.items():
            gauge.labels(*labels).set(held)

    # ---- news

    def _count(self, name: str, *labels: str, by: float = 1) -> None:
        counter = self.series.counters[name]
        (counter.labels(*labels) if labels else counter).inc(by)

    def _call_state(self, news: CallStateNews) -> None:
        if news.state == "done":
            self._live.discard(news.call)
        else:
            self._live.add(news.call)
        self.series.gauges["calls_active"].set(len(self._live))

    def _call_ended(self, news: CallEndedNews) -> None:
        self._live.discard(news.call)
        self.series.gauges["calls_active"].set(len(self._live))
        direction = "in" if news.reason == "inbound_refused" else "out"
        self._count("calls_total", direction, news.reason)
        if news.setup_s is not None:
            self.series.histograms["call_setup_seconds"].observe(news.setup_s)
        for side in ("a", "b"):
            self._legs.pop((news.call, side), None)
        self._over[news.call] = None
        if len(self._over) > OVER_REMEMBERED_MAX:
            del self._over[next(iter(self._over))]

    def _quality(self, news: QualityNews) -> None:
        """Counts of a leg rise while it lives; what they grew by is counted.

        The last word of a leg may come after its call has ended: what it grew by is not known any
        more, and a leg that is remembered then would never be forgotten.
        """
        if news.call in self._over:
            return
        key = (news.call, news.side)
        last = self._legs.get(key, _LegCounts())
        if len(self._legs) >= LEGS_REMEMBERED_MAX:
            self._legs.clear()
        self._legs[key] = _LegCounts(
            received=news.packets_received,
            sent=news.packets_sent,
            lost=news.packets_lost,
            dropped=news.packets_dropped,
        )
        for reason, total in news.packets_dropped.items():
            grown = total - last.dropped.get(reason, 0)
            self._count("rtp_dropped_total", reason, by=max(0, grown))
        self._count("rtp_packets_total", "in", by=max(0, news.packets_received - last.received))
        self._count("rtp_packets_total", "out", by=max(0, news.packets_sent - last.sent))
        self._count("rtp_lost_total", by=max(0, news.packets_lost - last.lost))
        if news.mos is not None:
            self.series.histograms["rtp_mos"].observe(news.mos)
            self.series.histograms["rtp_jitter_seconds"].observe(news.jitter_ms / 1000)

    def _registration(self, news: RegistrationNews) -> None:
        terminal = f"{news.facility}/{news.terminal}"
        if news.expires_s > 0:
            self._bindings.add(terminal)
        else:
            self._bindings.discard(terminal)
        self.series.gauges["registrations_active"].set(len(self._bindings))

    def _worker(self, news: WorkerNews) -> None:
        worker = str(news.worker)
        self._alive[news.worker] = news.alive
        late, shed = self._ticks.get(news.worker, (0, 0))
        self._ticks[news.worker] = (news.late_ticks, news.shed_ticks)
        self._count("frame_deadline_misses_total", by=_grown(late, news.late_ticks))
        self._count("frames_shed_total", by=_grown(shed, news.shed_ticks))
        gauges = self.series.gauges
        gauges["media_legs"].labels(worker).set(news.legs if news.alive else 0)
        gauges["media_workers_alive"].set(sum(self._alive.values()))
        self.series.histograms["frame_batch_seconds"].observe(news.tick_ms_p99 / 1000)


def _grown(last: int, told: int) -> int:
    """Return how far a count has risen; a worker that was started anew counts from zero."""
    return told - last if told >= last else told


def known_method(method: str) -> str:
    """Return the label of a method; whatever a peer invents is `other`."""
    return method if method in METHODS else "other"


def _by_label(requests: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Add up the methods that share the label `other`."""
    out: dict[tuple[str, str], int] = {}
    for (direction, method), total in requests.items():
        key = (direction, known_method(method))
        out[key] = out.get(key, 0) + total
    return out
