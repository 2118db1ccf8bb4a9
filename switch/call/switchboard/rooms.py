"""Everything that a call may ask of the other rooms, handed down once by the composition root."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from switch.billing.meter import MeterBook
from switch.call.ladder import ErrorCard
from switch.call.news import Publisher
from switch.call.settings import ScriptSettings
from switch.call.switchboard.recordings import RecordingDesk
from switch.clock import Clock
from switch.ids import CallIds
from switch.media.plane import MediaPlane
from switch.sip.digest import Credential
from switch.sip.stack import SipStack
from switch.store.engine import Store
from switch.store.house_store import HouseStore, LineInformation
from switch.store.meter_store import MeterStore
from switch.transport.resolver import Resolver
from switch.transport.sip_pump import SipPump


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The neighbours of the switchboard."""

    clock: Clock
    stack: SipStack
    pump: SipPump
    plane: MediaPlane
    store: Store
    meters: MeterStore
    book: MeterBook
    publisher: Publisher
    lines: LineInformation
    random: Random
    ids: CallIds
    houses: HouseStore
    recordings: RecordingDesk
    resolver: Resolver
    terminal_networks: tuple[str, ...]
    """From where terminals may register."""
    reserved_calls: int
    """Calls for which room is kept: hotlines and privileged ones."""
    script: ScriptSettings
    """The defaults of this node; a facility lays its own over them."""
    data: Path
    node: str
    version: str
    credentials: dict[str, Credential]
    """The terminals' digests, as the stack looks them up; refilled when the house changes."""
    card: ErrorCard | None = None
    """The detectors' published error rates; without them nothing is ever cut."""
