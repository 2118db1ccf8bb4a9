import pytest

from switch.store.staff_store import Grant, Role
from switch.web.rights import PERMISSIONS, Permission, rights_of


def test_nothing_is_allowed_without_a_grant() -> None:
    rights = rights_of([])
    assert not any(rights.may(permission, "north") for permission in Permission)


def test_a_right_holds_at_its_facility_only() -> None:
    rights = rights_of([Grant(Role.OFFICER, "north")])
    assert rights.may(Permission.CUT, "north")
    assert not rights.may(Permission.CUT, "south")


def test_a_star_holds_everywhere() -> None:
    rights = rights_of([Grant(Role.OPS, "*")])
    assert rights.may(Permission.SEE_LIVE, "south")
    assert not rights.may(Permission.CUT, "south")


def test_every_role_has_its_line_and_none_has_all() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert all(held != frozenset(Permission) for held in PERMISSIONS.values())


@pytest.mark.parametrize("role", [Role.OPS, Role.AUDITOR, Role.BILLING, Role.LEGAL, Role.MONITOR])
def test_only_those_who_answer_for_it_cut_calls(role: Role) -> None:
    assert Permission.CUT not in PERMISSIONS[role]
