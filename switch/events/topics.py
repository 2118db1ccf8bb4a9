"""What a piece of news looks like on MQTT: its topic, whether the broker keeps it, its JSON.

Topics: `kinline/v1/{site}/…` as in the design page on monitoring. No number and no name is ever
part of a topic. Each body has `ts` (RFC 3339, UTC, microseconds), `seq` (per node, from 1; a gap
says that events were dropped) and `schema` (`kinline.<name>/1`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from switch.call.news import (
    AlarmNews,
    AuditHeadNews,
    AuditNews,
    BalanceNews,
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

ROOT: Final = "kinline/v1"
"""Version of the topics and bodies. A change that breaks a reader makes it v2."""

LEVEL_ALPHABET_NOT: Final = frozenset("/+#\0")
"""Signs that mean something inside a topic. MQTT 5.0 section 4.7."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One event on its way to the broker."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which node speaks, and the facility under which its own topics stand."""

    node: str
    site: str

    def node_topic(self, site: str, rest: str) -> str:
        """Name a topic of this node."""
        return f"{ROOT}/{level(site or self.site)}/{level(self.node)}/{rest}"


def level(name: str) -> str:
    """Make one level of a topic out of an id, whatever somebody put into it."""
    return "".join("_" if sign in LEVEL_ALPHABET_NOT else sign for sign in name) or "_"


def stamp(wall: float) -> str:
    """Write a moment as RFC 3339 in UTC with microseconds."""
    moment = datetime.fromtimestamp(wall, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def announce(news: News, place: Place, seq: int) -> Announcement | None:
    """Turn news into an announcement; None for what MQTT does not carry."""
    described = describe(news)
    if described is None:
        return None
    name, site, rest, body = described
    return Announcement(
        topic=place.node_topic(site, rest),
        payload=encode(name, body, seq=seq, wall=news.at_wall),
        retained=name in RETAINED,
    )


def encode(name: str, body: dict[str, Any], *, seq: int, wall: float) -> bytes:
    """Put the three fields that every body has around a body."""
    head = {"schema": f"kinline.{name}/1", "ts": stamp(wall), "seq": seq}
    return msgspec.json.encode(head | body)


RETAINED: Final = frozenset({"node", "registration", "trunk", "audit"})
"""Schemas of which a newcomer gets the last one at once."""


def describe(news: News) -> tuple[str, str, str, dict[str, Any]] | None:
    """Return schema name, site, rest of the topic and body of one piece of news."""
    match news:
        case CallStateNews() | PolicyNews() | CallEndedNews() | QualityNews() | BalanceNews():
            name, body = _of_call(news)
            body["call"] = news.call
            body["facility"] = news.facility
            return name, news.facility, f"call/{news.call}/{name}", body
        case RegistrationNews():
            binding = {"contact": news.contact, "expires_s": news.expires_s}
            terminal = {"terminal": news.terminal, "registered": news.expires_s > 0}
            rest = f"terminal/{level(news.terminal)}/registration"
            return "registration", news.facility, rest, terminal | binding
        case TrunkNews():
            trunk = {"trunk": news.trunk, "up": news.up, "channels": news.channels}
            return "trunk", "", f"trunk/{level(news.trunk)}/status", trunk
        case AlarmNews():
            return "alarm", news.facility, "alarm", {"code": news.code, "text": news.text}
        case StatusNews():
            return "node", "", "status", {"state": news.state, "version": news.version}
        case AuditHeadNews():
            return "audit", "", "audit/head", {"head": news.head}
        case WorkerNews() | AuditNews():
            return None


def _of_call(
    news: CallStateNews | PolicyNews | CallEndedNews | QualityNews | BalanceNews,
) -> tuple[str, dict[str, Any]]:
    match news:
        case CallStateNews():
            return "state", {"state": news.state, "privileged": news.privileged}
        case PolicyNews():
            kind = {"kind": news.kind, "code": news.code, "tier": news.tier}
            return "policy", kind | {"detail": news.detail}
        case CallEndedNews():
            return "policy", {
                "kind": "record",
                "code": news.reason,
                "tier": "",
                "detail": {
                    "talked_s": news.talked_s,
                    "charge_micros": news.charge_micros,
                    "setup_s": news.setup_s,
                    "trunk": news.trunk,
                },
            }
        case QualityNews():
            return "quality", {
                "side": news.side,
                "packets_received": news.packets_received,
                "packets_sent": news.packets_sent,
                "packets_lost": news.packets_lost,
                "packets_late": news.packets_late,
                "jitter_ms": news.jitter_ms,
                "mos": news.mos,
                "round_trip_ms": news.round_trip_ms,
                "far_lost": news.far_lost,
                "far_jitter_ms": news.far_jitter_ms,
            }
        case BalanceNews():
            left = {"seconds_left": news.seconds_left, "balance_micros": news.balance_micros}
            return "balance", left
