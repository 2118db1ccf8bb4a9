"""News of an invented call, for tests."""

from switch.call.news import (
    AuditNews,
    BalanceNews,
    CallEndedNews,
    CallStateNews,
    PolicyNews,
    QualityNews,
    RegistrationNews,
    TrunkNews,
    WorkerNews,
)
from switch.ids import CallId, FacilityId, TerminalId, TrunkId

CALL = CallId(7001)
NORTH = FacilityId("north")
AT_WALL = 1_900_000_000.25


def state(call: CallId = CALL, name: str = "talking", *, privileged: bool = False) -> CallStateNews:
    return CallStateNews(
        call=call, facility=NORTH, state=name, at_wall=AT_WALL, privileged=privileged
    )


def detection(kind: str = "three_way", tier: str = "warn") -> PolicyNews:
    return PolicyNews(
        call=CALL,
        facility=NORTH,
        kind="detection",
        code=kind,
        tier=tier,
        at_wall=AT_WALL,
        detail={"score_nats": 9.7},
    )


def balance(seconds_left: int = 60) -> BalanceNews:
    return BalanceNews(
        call=CALL,
        facility=NORTH,
        seconds_left=seconds_left,
        balance_micros=10_000 * seconds_left,
        at_wall=AT_WALL,
    )


def quality(
    received: int = 50, lost: int = 0, at_wall: float = AT_WALL, **dropped: int
) -> QualityNews:
    return QualityNews(
        call=CALL,
        facility=NORTH,
        side="b",
        packets_received=received,
        packets_sent=received,
        packets_lost=lost,
        packets_dropped=dropped,
        jitter_ms=1.5,
        mos=4.2,
        at_wall=at_wall,
    )


def ended(reason: str = "funds") -> CallEndedNews:
    return CallEndedNews(
        call=CALL,
        facility=NORTH,
        reason=reason,
        talked_s=7,
        charge_micros=7_000,
        setup_s=1.25,
        trunk="east",
        at_wall=AT_WALL,
    )


def registration(expires_s: int = 300) -> RegistrationNews:
    return RegistrationNews(
        facility=NORTH,
        terminal=TerminalId("B2-4"),
        contact="sip:b2-4@192.0.2.9:5062",
        expires_s=expires_s,
        at_wall=AT_WALL,
    )


def trunk(*, up: bool = True) -> TrunkNews:
    return TrunkNews(trunk=TrunkId("east"), up=up, channels=2, at_wall=AT_WALL)


def worker(late_ticks: int = 0, shed_ticks: int = 0) -> WorkerNews:
    return WorkerNews(
        worker=0,
        legs=4,
        calls=2,
        inspected_legs=2,
        late_ticks=late_ticks,
        shed_ticks=shed_ticks,
        tick_ms_p99=1.5,
        alive=True,
        at_wall=AT_WALL,
    )


def audit(what: str = "cut") -> AuditNews:
    return AuditNews(
        who="web:officer.lee",
        role="officer",
        address="127.0.0.1",
        what=what,
        target="call 7001",
        why="a threat was heard",
        at_wall=AT_WALL,
    )
