"""Which trunks to try for a number, in which order, and how each wants the number written.

Source: RFC 3261 section 8.1.1 (Request-URI, From); RFC 3325 section 9.1 (asserted identity).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from switch.ids import TrunkId
from switch.routing.number import E164
from switch.routing.trunk import NumberFormat, Trunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One try: which trunk, and what the INVITE says."""

    trunk: TrunkId
    uri: str
    from_uri: str
    headers: tuple[tuple[str, str], ...] = ()


def route(number: E164, trunks: Iterable[Trunk], *, caller_number: str = "") -> list[Route]:
    """Return the routes to a number, best first.

    Args:
        number: whom to call.
        trunks: those that are up.
        caller_number: the facility's own number; '' is the trunk's.
    """
    usable = [trunk for trunk in trunks if trunk.settings.enabled]
    usable.sort(key=lambda trunk: (trunk.settings.order, trunk.id))
    return [_route(number, trunk, caller_number) for trunk in usable]


def number_out(number: E164, trunk: Trunk) -> str:
    """Write a number as the trunk wants it."""
    return trunk.settings.prefix + _written(number, trunk.settings.number_format)


def _written(number: E164, form: NumberFormat) -> str:
    match form:
        case "plus":
            return str(number)
        case "plain":
            return number[1:]
        case "national":
            return number[2:] if number.startswith("+1") else "011" + number[1:]


def _route(number: E164, trunk: Trunk, caller_number: str) -> Route:
    tail = "" if trunk.settings.transport == "udp" else f";transport={trunk.settings.transport}"
    caller = caller_number or trunk.settings.caller_number
    headers: tuple[tuple[str, str], ...] = ()
    if caller and trunk.settings.trusted:
        headers = (("P-Asserted-Identity", f"<sip:{caller}@{trunk.domain}>"),)
    return Route(
        trunk=trunk.id,
        uri=f"sip:{number_out(number, trunk)}@{trunk.domain}{tail}",
        from_uri=f"sip:{caller or 'anonymous'}@{trunk.domain}",
        headers=headers,
    )
