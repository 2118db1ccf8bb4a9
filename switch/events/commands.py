"""Commands that come by MQTT: hang up a call, lock a terminal. Refused in one sentence, audited.

`kinline/v1/{site}/cmd/call/{call_id}/hangup` and `kinline/v1/{site}/cmd/terminal/{id}/lock`, body
`{"by": "…", "why": "…"}`, for a lock also `"locked": false` to unlock. The broker's access list
says who may publish there, so a site's people reach only the calls of their own site: the site of
the topic is handed on and must be that of the call.

MQTT 5 carries the response topic and correlation data as properties; with 3.1.1 they stand in the
body as `response_topic` and `correlation`.
"""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

import msgspec

from switch.call.news import AuditNews, Publisher
from switch.clock import Clock
from switch.errors import KinlineError
from switch.events.topics import ROOT
from switch.ids import CallId, FacilityId, TerminalId

COMMAND_S_MAX: Final = 5.0
"""A command that takes longer is answered as failed. Chosen: a person waits for it."""

BODY_BYTES_MAX: Final = 4096
"""Chosen: a reason of 500 signs and two short names fit many times."""


class Orders(Protocol):
    """What a command may do to the switch. Both raise UserError with a sentence."""

    async def hang_up(self, call: CallId, *, site: FacilityId, by: str, why: str) -> None:
        """End a call of that facility at once."""
        ...

    async def lock(
        self, terminal: TerminalId, *, site: FacilityId, locked: bool, by: str, why: str
    ) -> None:
        """Turn a terminal of that facility off or on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReceived:
    """A message under `cmd/`, as the broker handed it over."""

    topic: str
    payload: bytes
    retained: bool
    response_topic: str = ""
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a command."""

    ok: bool
    error: str
    response_topic: str
    correlation: bytes | None


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The JSON of a command."""

    why: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    by: Annotated[str, msgspec.Meta(max_length=100)] = ""
    locked: bool = True
    response_topic: Annotated[str, msgspec.Meta(max_length=500)] = ""
    correlation: Annotated[str, msgspec.Meta(max_length=500)] = ""


class CommandDesk:
    """Carries commands out, one at a time.

    Args:
        orders: the switchboard's door.
        audit: where each command is written down.
        clock: stamps the audit entries.
        address: the broker, for the audit trail.
    """

    def __init__(self, *, orders: Orders, audit: Publisher, clock: Clock, address: str) -> None:
        self._orders = orders
        self._audit = audit
        self._clock = clock
        self._address = address

    async def carry_out(self, command: CommandReceived) -> Answer | None:
        """Do what a message says; None if nobody is to be answered.

        A retained command is one that somebody left behind for later: never obeyed.
        """
        if command.retained:
            self._note(command.topic, Body(why="-"), "refused: a retained command is not obeyed")
            return None
        try:
            body = _body(command.payload)
        except msgspec.DecodeError as error:
            body = Body(why="-")
            outcome = f"The body is not a command: {error}"
        else:
            outcome = await self._obey(command.topic, body)
        self._note(command.topic, body, outcome)
        response_topic = command.response_topic or body.response_topic
        if not may_answer_to(response_topic):
            return None
        return Answer(
            ok=not outcome,
            error=outcome,
            response_topic=response_topic,
            correlation=command.correlation or body.correlation.encode() or None,
        )

    async def _obey(self, topic: str, body: Body) -> str:
        """Return '' or the sentence that says why not."""
        by = f"mqtt:{body.by}"
        try:
            async with asyncio.timeout(COMMAND_S_MAX):
                match topic.removeprefix(f"{ROOT}/").split("/"):
                    case [site, "cmd", "call", call, "hangup"] if _is_call_id(call):
                        await self._orders.hang_up(
                            CallId(int(call)), site=FacilityId(site), by=by, why=body.why
                        )
                    case [site, "cmd", "terminal", terminal, "lock"]:
                        await self._orders.lock(
                            TerminalId(terminal),
                            site=FacilityId(site),
                            locked=body.locked,
                            by=by,
                            why=body.why,
                        )
                    case _:
                        return "There is no such command."
        except KinlineError as error:
            return str(error)
        except TimeoutError:
            return f"The command was not done within {COMMAND_S_MAX:g} s."
        return ""

    def _note(self, topic: str, body: Body, outcome: str) -> None:
        self._audit.publish_nowait(
            AuditNews(
                who=f"mqtt:{body.by}",
                role="command",
                address=self._address,
                what="command",
                target=topic[:200],
                after=outcome or "done",
                why=body.why,
                at_wall=self._clock.wall(),
            )
        )


def may_answer_to(topic: str) -> bool:
    """Say whether an answer may be published there: never to where it would be taken for ours."""
    if not topic or any(sign in topic for sign in "+#\0"):
        return False
    under_root = topic.startswith(f"{ROOT}/") or topic == ROOT
    return not under_root or topic.split("/")[3:4] == ["answer"]


def _body(payload: bytes) -> Body:
    if len(payload) > BODY_BYTES_MAX:
        raise msgspec.DecodeError(f"longer than {BODY_BYTES_MAX} bytes")
    return msgspec.json.decode(payload, type=Body)


def _is_call_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 16
