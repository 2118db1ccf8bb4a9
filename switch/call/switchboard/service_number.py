"""A call from outside to a site's service number: who is it, and what its call begins with. Pure.

It rings no terminal (row A1). Whoever calls is known by the number that a trusted trunk vouches
for; without one the call is refused like any other from outside.
"""

from dataclasses import dataclass

from switch.call.line import Line
from switch.ids import TerminalId
from switch.media.phrase import Named
from switch.routing.number import E164, normalise
from switch.routing.terminal import Terminal
from switch.screening.settings import Facility
from switch.sip.events import InviteReceived, SourceKind
from switch.sip.identity import asserted_number
from switch.sip.uri import parse_uri
from switch.store.house_snapshot import House


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """Somebody outside who called a service number."""

    number: E164
    """Theirs."""
    facility: Facility
    terminal: Terminal
    """Stands for the line: it is never busy, and nobody's."""

    def line(self, languages: tuple[str, ...], *, in_band: bool) -> Line:
        """Return what the script needs.

        Args:
            languages: that the site offers.
            in_band: keys may be heard in the sound: never of a number that is, or may be,
                privileged.
        """
        return Line(
            terminal=self.terminal.id,
            facility_name=Named(f"facility/{self.facility.id}"),
            provider_name=Named(f"provider/{self.facility.provider_id}"),
            languages=languages,
            pin_required=False,
            dialled=None,
            pin_digits=None,
            service=True,
            in_band=in_band,
        )


def service_call(event: InviteReceived, house: House) -> ServiceCall | None:
    """Say whether an INVITE is for a service number, from somebody known; None: it is not."""
    if event.source.kind is not SourceKind.TRUNK:
        return None
    trunk = next((t for t in house.trunks if t.id == event.source.name), None)
    dialled = normalise(_user(event)).e164
    if trunk is None or not trunk.settings.trusted or dialled is None:
        return None
    offering = (f for f in house.facilities.values() if f.service_number)
    found = next((f for f in offering if normalise(f.service_number).e164 == dialled), None)
    caller = normalise(asserted_number(event.request)).e164
    if found is None or caller is None:
        return None
    line = Terminal(
        id=TerminalId(f"service:{found.id}"),
        facility=found.id,
        nat=trunk.settings.nat,
        srtp=trunk.settings.srtp,
        shared=True,
    )
    return ServiceCall(caller, found, line)


def _user(event: InviteReceived) -> str:
    uri = parse_uri(event.request.uri)
    return getattr(uri, "user", None) or getattr(uri, "number", None) or ""
