"""Who may do what where: permission by facility, denied unless granted. calls.md section 9."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from switch.store.staff_store import EVERYWHERE, Grant, Role


class Permission(Enum):
    """What a page or a button needs."""

    SEE_LIVE = "see_live"
    """Rows of live calls: no name, no number, no sound."""
    SEE_HOTLINES = "see_hotlines"
    """Rows of hotline calls too: who seeks help, and from which telephone, is few people's
    business. calls.md A16."""
    CUT = "cut"
    """End a call that is not privileged."""
    SEE_NODE = "see_node"
    """Trunks and media workers: one for all facilities of a node."""


_P = Permission

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.SITE_ADMIN: frozenset({_P.SEE_LIVE, _P.SEE_NODE}),
    Role.BOOKING: frozenset(),
    Role.OFFICER: frozenset({_P.SEE_LIVE, _P.CUT}),
    Role.MONITOR: frozenset({_P.SEE_LIVE}),
    Role.INVESTIGATOR: frozenset({_P.SEE_LIVE, _P.CUT}),
    Role.INTERNAL_AFFAIRS: frozenset({_P.SEE_LIVE, _P.SEE_HOTLINES, _P.CUT}),
    Role.RECORDS: frozenset(),
    Role.PAN_CLERK: frozenset(),
    Role.BILLING: frozenset(),
    Role.LEGAL: frozenset(),
    Role.AUDITOR: frozenset(),
    Role.OPS: frozenset({_P.SEE_LIVE, _P.SEE_NODE}),
}
"""Cutting belongs to the officer and to the investigator's console; `ops` only looks."""


@dataclass(frozen=True, slots=True)
class Rights:
    """The grants of one person, asked one question at a time."""

    grants: frozenset[Grant]

    def may(self, permission: Permission, facility: str) -> bool:
        """Say whether something may be done at a facility."""
        places = self.places(permission)
        return facility in places or EVERYWHERE in places

    def may_anywhere(self, permission: Permission) -> bool:
        """Say whether something may be done at some facility at least."""
        return bool(self.places(permission))

    def places(self, permission: Permission) -> frozenset[str]:
        """Return the facilities where something may be done; `*` is all of them."""
        return frozenset(
            grant.facility for grant in self.grants if permission in PERMISSIONS[grant.role]
        )

    def roles(self) -> str:
        """Return the roles for the audit trail."""
        return " ".join(sorted(str(grant) for grant in self.grants))


def rights_of(grants: Iterable[Grant]) -> Rights:
    """Put grants together."""
    return Rights(frozenset(grants))
