"""Codes that were sent, and tried. Inside a deed. See `billing.code_policy`."""

from typing import Final

from switch.billing.code_policy import (
    DAY_S,
    LIFE_S,
    CodeRefusal,
    CodeVerdict,
    SentCode,
    SentToday,
    judge_code,
    judge_sending,
    prefix_of,
)
from switch.store.vault import Raw, lock_name

_LAST: Final = """
SELECT mac, sends, tries, at FROM code WHERE purpose = ? AND way = ? AND address = ?
"""
_TODAY: Final = """
SELECT coalesce(sum(CASE WHEN address = :address THEN 1 ELSE 0 END), 0),
       coalesce(sum(CASE WHEN client = :client THEN 1 ELSE 0 END), 0),
       coalesce(sum(CASE WHEN prefix = :prefix THEN 1 ELSE 0 END), 0)
  FROM code_sent WHERE at > :since
"""
_PUT: Final = """
INSERT INTO code (purpose, way, address, mac, sends, tries, at) VALUES (?, ?, ?, ?, ?, 0, ?)
ON CONFLICT (purpose, way, address) DO UPDATE SET
  mac = excluded.mac, sends = excluded.sends, tries = 0, at = excluded.at
"""
_SENT: Final = "INSERT INTO code_sent (address, client, prefix, at) VALUES (?, ?, ?, ?)"
_TRIED: Final = """
UPDATE code SET tries = tries + 1 WHERE purpose = ? AND way = ? AND address = ?
"""
_USED: Final = "DELETE FROM code WHERE purpose = ? AND way = ? AND address = ?"


def begin(
    raw: Raw, purpose: str, way: str, address: str, *, mac: str, client: str, at: float
) -> CodeRefusal | None:
    """Write down that a code is sent; or say why it is not.

    Args:
        raw: a deed.
        purpose: what it is good for.
        way: `mail`, `sms` or `voice`.
        address: where it goes.
        mac: what is kept of it.
        client: who asks; '' is staff.
        at: wall seconds.
    """
    lock_name(raw, "codes")
    raw.execute("DELETE FROM code_sent WHERE at <= ?", (at - DAY_S,))
    raw.execute("DELETE FROM code WHERE at <= ?", (at - DAY_S,))
    last = _last(raw, purpose, way, address)
    prefix = prefix_of(way, address)
    key = {"address": address, "client": client, "prefix": prefix, "since": at - DAY_S}
    to_address, for_client, to_prefix = raw.execute(_TODAY, key).fetchone()
    today = SentToday(
        to_address=to_address, for_client=for_client if client else 0, to_prefix=to_prefix
    )
    refusal = judge_sending(last, today, at=at)
    if refusal is None:
        is_anew = last is None or at >= last.at + LIFE_S
        sends = 1 if is_anew or last is None else last.sends + 1
        raw.execute(_PUT, (purpose, way, address, mac, sends, at))
        raw.execute(_SENT, (address, client, prefix, at))
    return refusal


def try_code(raw: Raw, purpose: str, way: str, address: str, *, mac: str, at: float) -> CodeVerdict:
    """Hold a code against the one that was sent; the right one is used up, a wrong one counts."""
    lock_name(raw, "codes")
    verdict = judge_code(_last(raw, purpose, way, address), mac, at=at)
    if verdict is CodeVerdict.RIGHT:
        raw.execute(_USED, (purpose, way, address))
    elif verdict is CodeVerdict.WRONG:
        raw.execute(_TRIED, (purpose, way, address))
    return verdict


def _last(raw: Raw, purpose: str, way: str, address: str) -> SentCode | None:
    row = raw.execute(_LAST, (purpose, way, address)).fetchone()
    if row is None:
        return None
    mac, sends, tries, at = row
    return SentCode(mac=mac, sends=sends, tries=tries, at=at)
