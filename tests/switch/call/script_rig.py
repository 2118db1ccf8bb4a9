"""A script with somebody to talk to: answers by itself what the switchboard would answer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeVar

from switch.billing.payer import Payer
from switch.billing.quote import QuoteLine, make_quote
from switch.call.effects import CallState, Dial, Effect, Finish, Play, ReserveMoney, Screen
from switch.call.ladder import ErrorCard
from switch.call.line import Line
from switch.call.script import Script
from switch.call.settings import ScriptSettings
from switch.call.signals import Answer, Ring, Side
from switch.ids import AccountId, CallId, PersonId, TerminalId
from switch.media.phrase import Named
from switch.money import Micros
from switch.routing.call_class import CallClass, Inspectable, Privileged
from switch.routing.number import E164
from switch.screening.permit import DetectionAction, LimitCause, Permit

E = TypeVar("E")

QUOTE = make_quote(
    payer=Payer.CALLED_PREPAID,
    call_class="intrastate",
    tariff="test",
    lines=(
        QuoteLine(book="revenue", label="call", micros_per_minute=90_000),
        QuoteLine(book="tax:1", label="tax", micros_per_minute=20_000),
    ),
)

PERMIT = Permit(
    audibility=Inspectable(CallId(1)),
    call_class=CallClass.ORDINARY,
    number=E164("+15550100001"),
    person=PersonId("P1"),
    payer=Payer.CALLED_PREPAID,
    account=AccountId(7),
    quote=QUOTE,
    passive=False,
    greeting=True,
    recorded=True,
    not_recorded_because="",
    inspected=True,
    detection_action=DetectionAction.FLAG,
    hotline=False,
    monitored_notice=False,
    tty=False,
    accept_in_band=True,
    limit_s=900,
    limit_cause=LimitCause.TIME,
    called_language="",
    speed_dial="",
    line_type="landline",
    carrier="",
    ported=None,
    line_source="",
    rules_version="test",
)

PRIVILEGED = replace(
    PERMIT,
    audibility=Privileged(CallId(1)),
    call_class=CallClass.PRIVILEGED,
    recorded=False,
    inspected=False,
    accept_in_band=False,
)

LINE = Line(
    terminal=TerminalId("T1"),
    facility_name=Named("facility/F1"),
    provider_name=Named("provider/P1"),
    languages=("en", "es"),
    pin_required=True,
    dialled=None,
    pin_digits=None,
    hotline_codes=frozenset({"*77", "9123"}),
    tty=False,
    person_known=None,
)


PERSON = PersonId("P1")


@dataclass(frozen=True)
class Person:
    person: PersonId = PERSON
    name_path: str = "person/P1"
    needs_name: bool = False
    language: str = ""
    tty: bool = False


class Rig:
    """Plays the switchboard; keeps every effect with its time."""

    def __init__(
        self,
        line: Line = LINE,
        *,
        card: ErrorCard | None = None,
        settings: ScriptSettings | None = None,
        **choices: Any,
    ) -> None:
        chosen = settings or ScriptSettings(**choices)
        self.script = Script(settings=chosen, line=line, random=Random(1), card=card)
        self.now = 100.0
        self.all: list[Effect] = []
        self.last: list[Effect] = []

    def do(self, effects: Iterable[Effect]) -> list[Effect]:
        self.last = list(effects)
        self.all += self.last
        return self.last

    def begin(self) -> list[Effect]:
        return self.do(self.script.begin(now=self.now))

    def keys(self, keys: str, side: Side = Side.A) -> list[Effect]:
        done: list[Effect] = []
        for key in keys:
            done += self.do(self.script.digit(side, key, now=self.now))
        self.last = done
        return done

    def heard(self, side: Side, *, completed: bool = True) -> list[Effect]:
        """Let the latest prompt of a side come to its end."""
        play = [
            effect.play for effect in self.all if isinstance(effect, Play) and effect.side is side
        ]
        ended = self.script.prompt_ended(play[-1], completed=completed, now=self.now)
        return self.do(ended)

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass, waking the script as often as it asks."""
        until, done = self.now + seconds, list[Effect]()
        while (at := self.script.next_deadline()) is not None and at <= until:
            self.now = max(self.now, at)
            done += self.do(self.script.handle_timers(now=self.now))
        self.now = until
        self.last = done
        return done

    def placed(self, permit: Permit = PERMIT, *, money_s: int = 3600) -> list[Effect]:
        """From Screen to Dial."""
        assert any(isinstance(effect, Screen) for effect in self.all), "nothing was dialled"
        done = list(self.do(self.script.screened(permit, now=self.now)))
        if any(isinstance(effect, ReserveMoney) for effect in self.last):
            balance = Micros(5_000_000)
            done += self.do(
                self.script.reserved(ok=True, seconds=money_s, balance=balance, now=self.now)
            )
        self.last = done
        return done

    def answered(self) -> list[Effect]:
        assert any(isinstance(effect, Dial) for effect in self.all), "nothing was sent"
        self.do(self.script.signal(Side.B, Ring(), now=self.now))
        return self.do(self.script.signal(Side.B, Answer(), now=self.now))

    def talking(self, permit: Permit = PERMIT, *, money_s: int = 3600) -> list[Effect]:
        """From off-hook to the talk, the number dialled with the call."""
        self.begin()
        self.placed(permit, money_s=money_s)
        self.answered()
        if permit.greeting and not permit.passive:
            self.keys("1", Side.B)
            self.heard(Side.A)
            self.heard(Side.B)
        return self.do(self.script.bridged(now=self.now))

    def only(self, kind: type[E]) -> list[E]:
        return [effect for effect in self.all if isinstance(effect, kind)]

    def said(self, side: Side | None = None) -> list[str]:
        """The keys of what was said last, to one side or both."""
        return [
            phrase.key
            for effect in self.last
            if isinstance(effect, Play) and side in {None, effect.side}
            for phrase in effect.phrases
        ]

    def at(self, state: CallState) -> bool:
        return self.script.state is state

    @property
    def finish(self) -> Finish:
        (finish,) = self.only(Finish)
        assert self.all[-1] is finish
        return finish


DIRECT = replace(LINE, pin_required=False, dialled="5550100001")
"""A line that sends the number and needs no PIN."""
