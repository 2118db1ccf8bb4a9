"""The trunks as the switchboard sees them: which are up, how full, in which order to try them."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from switch.call.news import TrunkNews
from switch.call.switchboard.dialogs import DialogBook
from switch.call.switchboard.rooms import Rooms
from switch.ids import TrunkId
from switch.routing.number import E164
from switch.routing.plan import Route, route
from switch.routing.trunk import Trunk, TrunkHealth
from switch.sdp.crypto import Srtp
from switch.sip.events import Flow, OutOfDialogAnswered, TransactionId
from switch.sip.headers import retry_after
from switch.sip.message import Response
from switch.sip.plans import ClientCredential, RequestPlan
from switch.sip.registration import (
    Effect,
    Registration,
    RegistrationPlan,
    SendRegister,
    State,
    TrunkRegistered,
    TrunkUnregistered,
)

CHECK_S: Final = 0.5
"""How often the desk looks whether a keepalive or a registration is due. Chosen."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class TrunkState:
    """One trunk and how it is."""

    trunk: Trunk
    health: TrunkHealth
    flow: Flow
    registration: Registration | None
    channels: int = 0


class TrunkDesk:
    """Keeps every trunk's health, registration and channels."""

    def __init__(self, rooms: Rooms, dialogs: DialogBook) -> None:
        self.dialogs = dialogs
        self.states: dict[TrunkId, TrunkState] = {}
        self.failovers = 0
        """Calls that went on to a further trunk, each step counted."""
        self._rooms = rooms
        self._asked: dict[TransactionId, tuple[TrunkId, str]] = {}

    def load(self, trunks: Iterable[tuple[Trunk, Flow]]) -> None:
        """Take up the configured trunks; those that stay keep their health and channels."""
        fresh: dict[TrunkId, TrunkState] = {}
        for trunk, flow in trunks:
            old = self.states.get(trunk.id)
            if old is not None and old.trunk == trunk and old.flow == flow:
                fresh[trunk.id] = old
                continue
            channels = old.channels if old else 0
            fresh[trunk.id] = TrunkState(
                trunk, TrunkHealth(), flow, self._registration(trunk, flow), channels
            )
        self.states = fresh

    def _registration(self, trunk: Trunk, flow: Flow) -> Registration | None:
        wanted = trunk.registration
        if wanted is None:
            return None
        plan = RegistrationPlan(
            registrar=wanted.registrar,
            address_of_record=wanted.address_of_record,
            contact=self._rooms.stack.addresses.contact(flow, trunk.user or "kinline"),
            flow=flow,
            credential=_credential(trunk),
            expires_s=wanted.expires_s,
        )
        return Registration(plan, self._rooms.random)

    # ---- what a call asks

    def routes(self, number: E164, *, now: float) -> list[Route]:
        """Return the routes to try, in order."""
        up = [s.trunk for s in self.states.values() if s.health.is_up(now=now)]
        return route(number, up)

    def channels(self, number: E164, *, now: float) -> tuple[int, int] | None:
        """Return the free channels and all of them, of the trunks that carry this number now.

        None: no trunk does, or the trunks are down.
        """
        trunks = {r.trunk for r in self.routes(number, now=now)}
        found = [self.states[trunk] for trunk in trunks]
        if not found:
            return None
        total = sum(s.trunk.channels_max for s in found)
        return max(0, total - sum(s.channels for s in found)), total

    def has_room(self, number: E164, *, is_spared: bool, now: float) -> bool:
        """Say whether a call may take a channel now: the last ones are kept for H and P.

        Many ordinary calls may pass row 13 before the first of them takes its channel, so it is
        asked once more.
        """
        found = self.channels(number, now=now)
        if found is None or is_spared:
            return True
        free, total = found
        return free > kept_free(total, self._rooms.reserved_calls)

    def take(self, trunk: TrunkId) -> bool:
        """Take a channel before the INVITE; False if the trunk is full or gone."""
        state = self.states.get(trunk)
        if state is None or state.channels >= state.trunk.channels_max:
            return False
        state.channels += 1
        self._tell(state)
        return True

    def give_back(self, trunk: TrunkId, *, response: Response | None, now: float) -> None:
        """Give a channel back; a 503 keeps new calls away for as long as it asks."""
        state = self.states.get(trunk)
        if state is None:
            return
        state.channels = max(0, state.channels - 1)
        if response is not None and response.status == 503:
            state.health.answered(503, retry_after_s=retry_after(response) or 0, now=now)
        self._tell(state)

    def flow(self, trunk: TrunkId) -> Flow:
        """Where this trunk is reached."""
        return self.states[trunk].flow

    def credential(self, trunk: TrunkId) -> ClientCredential | None:
        """What answers a challenge of this trunk."""
        return _credential(self.states[trunk].trunk)

    def srtp(self, trunk: TrunkId) -> Srtp:
        """Say what is set about its SRTP."""
        return self.states[trunk].trunk.settings.srtp

    def media_networks(self, trunk: TrunkId) -> Sequence[str]:
        """From where this trunk's sound may come, beside the address that it names."""
        return self.states[trunk].trunk.settings.media_networks

    def family(self, trunk: TrunkId) -> Literal["ip4", "ip6"]:
        """Which addresses this trunk speaks."""
        return "ip6" if ":" in self.states[trunk].flow.peer[0] else "ip4"

    def rows(self, *, now: float) -> list[dict[str, Any]]:
        """One row per trunk for the dashboard."""
        return [
            {
                "trunk": s.trunk.id,
                "up": s.health.is_up(now=now),
                "registered": s.registration.state is State.REGISTERED if s.registration else None,
                "channels": s.channels,
                "channels_max": s.trunk.channels_max,
            }
            for s in self.states.values()
        ]

    # ---- health and registration

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            self.check(now=self._rooms.clock.monotonic())
            await asyncio.sleep(CHECK_S)

    def check(self, *, now: float) -> None:
        """Send the OPTIONS and REGISTERs that are due."""
        for state in self.states.values():
            if state.trunk.settings.options and state.health.is_due(now=now):
                state.health.asked(now=now)
                uri = state.trunk.uri
                plan = RequestPlan(
                    uri=uri, from_uri=self._own_uri(state), to_uri=uri, flow=state.flow
                )
                self._ask(state, "OPTIONS", plan, now)
            if state.registration is not None:
                self._register(state, state.registration, now)

    def _register(self, state: TrunkState, registration: Registration, now: float) -> None:
        if registration.state is State.IDLE:
            self._perform(state, registration.start(now=now), now)
        else:
            self._perform(state, registration.handle_timers(now=now), now)

    def _perform(self, state: TrunkState, effects: Sequence[Effect], now: float) -> None:
        for effect in effects:
            match effect:
                case SendRegister(plan=plan):
                    self._ask(state, "REGISTER", plan, now)
                case TrunkRegistered():
                    self._tell(state)
                case TrunkUnregistered(status=status, forbidden=forbidden):
                    what = "refuses our registration for good: check its password file"
                    log.error(
                        "trunk %s %s (%d)",
                        state.trunk.id,
                        what if forbidden else "does not take our registration; we try again",
                        status,
                    )
                    self._tell(state)

    def _own_uri(self, state: TrunkState) -> str:
        return f"sip:kinline@{self._rooms.stack.addresses.sent_by(state.flow)}"

    def _ask(self, state: TrunkState, method: str, plan: RequestPlan, now: float) -> None:
        transaction, effects = self._rooms.stack.out_of_dialog(method, plan, now=now)
        self._asked[transaction] = (state.trunk.id, method)
        self._rooms.pump.apply(effects)

    def on_answer(self, event: OutOfDialogAnswered, *, now: float) -> None:
        """Take the answer to an OPTIONS or REGISTER of ours."""
        trunk, method = self._asked.pop(event.transaction, (None, ""))
        state = self.states.get(trunk) if trunk is not None else None
        if state is None:
            return
        was_up = state.health.is_up(now=now)
        if method == "OPTIONS":
            state.health.answered_options(event.response, now=now)
        elif state.registration is not None:
            self._perform(state, state.registration.answered(event.response, now=now), now)
        if state.health.is_up(now=now) != was_up:
            log.warning("trunk %s is %s", state.trunk.id, "down" if was_up else "up")
            self._tell(state)

    def _tell(self, state: TrunkState) -> None:
        clock = self._rooms.clock
        self._rooms.publisher.publish_nowait(
            TrunkNews(
                trunk=state.trunk.id,
                up=state.health.is_up(now=clock.monotonic()),
                channels=state.channels,
                at_wall=clock.wall(),
            )
        )


def kept_free(total: int, reserved: int) -> int:
    """How many of `total` are kept for hotlines and privileged calls.

    Never more than half: a trunk of one channel carries ordinary calls.
    """
    return min(reserved, total // 2)


def _credential(trunk: Trunk) -> ClientCredential | None:
    return ClientCredential(trunk.user, trunk.password) if trunk.user else None
