"""What is known of an outside line: may it be billed, what kind is it. money.md section 7."""

from enum import StrEnum
from typing import Literal

import msgspec


class LineVerdict(StrEnum):
    """Whether the line may be billed. UNKNOWN is not a no."""

    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"


LineType = Literal["", "landline", "mobile", "voip", "payphone", "unknown"]


class LineInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One answer of one source."""

    verdict: LineVerdict = LineVerdict.UNKNOWN
    reason: str = ""
    line_type: LineType = ""
    carrier: str = ""
    ocn: str = ""
    lrn: str = ""
    ported: bool | None = None
    state: str = ""
    lata: str = ""
    rate_center: str = ""
    collect_block: bool = False
    third_party_block: bool = False
    payphone: bool = False
    prepaid_wireless: bool = False
    call_forwarding: bool = False
    caller_name: str = ""
    source: str = ""
    fetched_at: float = 0.0
    """Wall seconds."""
    ttl_s: int = 0
    raw: str = ""


NOTHING_KNOWN = LineInfo(reason="no source answered")
"""No source, no answer, or not in time."""
