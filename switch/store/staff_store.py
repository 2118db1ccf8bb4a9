"""Staff, their grants and their sign-ins. Each function works on the caller's connection.

A grant is a role at a facility (`*`: everywhere). Of a session id only its hash is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, text

EVERYWHERE: Final = "*"
"""The facility of a grant that holds at all of them."""


class Role(StrEnum):
    """Named sets of permissions. calls.md section 9; no role includes all."""

    SITE_ADMIN = "site_admin"
    BOOKING = "booking"
    OFFICER = "officer"
    MONITOR = "monitor"
    INVESTIGATOR = "investigator"
    INTERNAL_AFFAIRS = "internal_affairs"
    RECORDS = "records"
    PAN_CLERK = "pan_clerk"
    BILLING = "billing"
    LEGAL = "legal"
    AUDITOR = "auditor"
    OPS = "ops"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role at a facility."""

    role: Role
    facility: str

    def __str__(self) -> str:
        """As staff write it: `officer@north`."""
        return f"{self.role}@{self.facility}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """Somebody who may sign in."""

    name: str
    password_hash: str
    language: str
    disabled: bool
    totp_sealed: bytes | None
    """Their second factor; None: they have none yet, and cannot sign in."""
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRow:
    """One sign-in."""

    staff: str
    address: str
    began_at_micros: int
    seen_at_micros: int
    ends_at_micros: int


_PUT: Final = text(
    "INSERT INTO staff (name, password_hash, language, added_at_micros, disabled_at_micros)"
    " VALUES (:name, :password_hash, :language, :at, NULL)"
    " ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash,"
    " language = excluded.language, disabled_at_micros = NULL"
)
_GET: Final = text(
    "SELECT name, password_hash, language, disabled_at_micros, totp_sealed"
    " FROM staff WHERE name = :name"
)
_EVERY: Final = text(
    "SELECT name, password_hash, language, disabled_at_micros, totp_sealed FROM staff ORDER BY name"
)
_GRANTS: Final = text("SELECT role, facility FROM staff_grant WHERE staff = :name ORDER BY 1, 2")
_UNGRANT: Final = text("DELETE FROM staff_grant WHERE staff = :name")
_GRANT: Final = text("INSERT INTO staff_grant VALUES (:name, :role, :facility)")
_DISABLE: Final = text("UPDATE staff SET disabled_at_micros = :at WHERE name = :name")
_SET_TOTP: Final = text("UPDATE staff SET totp_sealed = :sealed, totp_step = 0 WHERE name = :name")
_USE_STEP: Final = text(
    "UPDATE staff SET totp_step = :step WHERE name = :name AND totp_step < :step"
)
_BEGIN: Final = text(
    "INSERT INTO staff_session VALUES (:id_hash, :staff, :address, :at, :at, :ends_at)"
)
_SESSION: Final = text(
    "SELECT staff, address, began_at_micros, seen_at_micros, ends_at_micros"
    " FROM staff_session WHERE id_hash = :id_hash"
)
_SEEN: Final = text("UPDATE staff_session SET seen_at_micros = :at WHERE id_hash = :id_hash")
_END: Final = text("DELETE FROM staff_session WHERE id_hash = :id_hash")
_END_ALL: Final = text("DELETE FROM staff_session WHERE staff = :name")
_END_OLD: Final = text("DELETE FROM staff_session WHERE ends_at_micros <= :at")


def put(
    connection: Connection,
    *,
    name: str,
    password_hash: str,
    language: str,
    grants: Sequence[Grant],
    at_micros: int,
) -> None:
    """Add somebody, or give them a new password and these grants; old sign-ins end."""
    row = {"name": name, "password_hash": password_hash, "language": language, "at": at_micros}
    connection.execute(_PUT, row)
    connection.execute(_UNGRANT, {"name": name})
    for grant in sorted(set(grants)):
        row = {"name": name, "role": grant.role.value, "facility": grant.facility}
        connection.execute(_GRANT, row)
    connection.execute(_END_ALL, {"name": name})


def find(connection: Connection, name: str) -> StaffMember | None:
    """Return one member of staff."""
    found = connection.execute(_GET, {"name": name}).first()
    return None if found is None else _member(connection, found)


def every(connection: Connection) -> list[StaffMember]:
    """Return all of them, by name."""
    return [_member(connection, found) for found in connection.execute(_EVERY).all()]


def disable(connection: Connection, name: str, *, at_micros: int) -> bool:
    """Let somebody sign in no more, and end their sign-ins; False if there is nobody."""
    done = connection.execute(_DISABLE, {"name": name, "at": at_micros}).rowcount == 1
    connection.execute(_END_ALL, {"name": name})
    return done


def set_totp(connection: Connection, name: str, *, sealed: bytes) -> bool:
    """Give somebody a new second factor and end their sign-ins; False if there is nobody."""
    done = connection.execute(_SET_TOTP, {"name": name, "sealed": sealed}).rowcount == 1
    connection.execute(_END_ALL, {"name": name})
    return done


def use_step(connection: Connection, name: str, *, step: int) -> bool:
    """Use up a code; False if it, or a later one, was used before. RFC 6238 section 5.2."""
    return connection.execute(_USE_STEP, {"name": name, "step": step}).rowcount == 1


def begin_session(
    connection: Connection,
    *,
    id_hash: str,
    staff: str,
    address: str,
    at_micros: int,
    ends_at_micros: int,
) -> None:
    """Write a sign-in down; those that are over go."""
    connection.execute(_END_OLD, {"at": at_micros})
    row: dict[str, Any] = {"id_hash": id_hash, "staff": staff, "address": address}
    connection.execute(_BEGIN, row | {"at": at_micros, "ends_at": ends_at_micros})


def find_session(connection: Connection, id_hash: str) -> tuple[SignInRow, StaffMember] | None:
    """Return a sign-in and whose it is."""
    found = connection.execute(_SESSION, {"id_hash": id_hash}).first()
    if found is None:
        return None
    row = SignInRow(
        staff=found.staff,
        address=found.address,
        began_at_micros=found.began_at_micros,
        seen_at_micros=found.seen_at_micros,
        ends_at_micros=found.ends_at_micros,
    )
    member = find(connection, row.staff)
    return None if member is None else (row, member)


def session_seen(connection: Connection, id_hash: str, *, at_micros: int) -> None:
    """Note that a sign-in is in use."""
    connection.execute(_SEEN, {"id_hash": id_hash, "at": at_micros})


def end_session(connection: Connection, id_hash: str) -> None:
    """End one sign-in."""
    connection.execute(_END, {"id_hash": id_hash})


def _member(connection: Connection, found: Any) -> StaffMember:  # noqa: ANN401 - a row of SQLAlchemy
    grants = connection.execute(_GRANTS, {"name": found.name}).all()
    return StaffMember(
        name=found.name,
        password_hash=found.password_hash,
        language=found.language,
        disabled=found.disabled_at_micros is not None,
        totp_sealed=found.totp_sealed,
        grants=tuple(Grant(Role(row.role), row.facility) for row in grants),
    )
