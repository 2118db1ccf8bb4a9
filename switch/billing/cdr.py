"""What is written down: one call record per call, one CDR per leg. They quote the meter.

Nothing here or in the record store leads to a transfer: a record never charges. Times are wall
seconds (UTC), durations come from the monotonic clock.
"""

from typing import Any

import msgspec

from switch.ids import AccountId, CallId, LegId


class CallRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One call, from off-hook to done."""

    call_id: CallId
    facility: str = ""
    unit: str = ""
    terminal: str = ""
    person: str = ""
    pin_mode: str = ""
    call_class: str = msgspec.field(name="class", default="")
    digits: str = ""
    """As dialled. Never a PIN."""
    number: str = ""
    speed_dial: str = ""
    line_type: str = ""
    carrier: str = ""
    ported: bool | None = None
    line_source: str = ""
    payer: str = ""
    account: AccountId | None = None
    languages: dict[str, str] = {}
    """Of each leg."""
    prompts: list[dict[str, Any]] = []
    """Evidence of what was said: prompt, version, language, start, end, leg."""
    acceptance: dict[str, Any] | None = None
    """`how` and `at`."""
    off_hook_at: float | None = None
    screened_at: float | None = None
    sent_at: float | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    accepted_at: float | None = None
    bridged_at: float | None = None
    ended_at: float | None = None
    closing_done_at: float | None = None
    talked_s: float = 0.0
    limit_s: int | None = None
    warnings: list[Any] = []
    overlays: int = 0
    reason: str
    refusal_detail: str = ""
    """What staff see beside a refusal: which order, block, counter or limit. calls.md section 3."""
    phase: str
    released_by: str
    evidence: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    digits_after_accept: list[dict[str, Any]] = []
    recorded: bool = False
    not_recorded_because: str = ""
    recording_id: str = ""
    hash: str = ""
    listened_by: list[str] = []
    barged_by: list[str] = []
    rate_row: str = ""
    quote: str = ""
    charge: int = 0
    """Micros, as the ledger settled them."""
    taxes: int = 0
    """Part of `charge`."""
    credits: tuple[tuple[str, int], ...] = ()
    """The transfers that gave something back by themselves, and how much."""
    postings: tuple[str, ...] = ()
    """All transfers of this call."""
    rules_version: str = ""
    switch_version: str = ""
    node: str = ""


class Cdr(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One leg."""

    leg_id: LegId
    call_id: CallId
    side: str
    """`a` came in, `b` went out."""
    trunk_or_terminal: str = ""
    from_uri: str = msgspec.field(name="from", default="")
    to_uri: str = msgspec.field(name="to", default="")
    sip_call_id: str = ""
    status: int | None = None
    """The last SIP status; None if none was seen."""
    cause: int = 16
    """ITU-T Q.850."""
    forwarding: tuple[str, ...] = ()
    """How the far side said that the call is passed on: `181`, `history_info`, …"""
    codec: str = ""
    started_at: float | None = None
    answered_at: float | None = None
    released_at: float | None = None
    packets: int = 0
    lost: int = 0
    late: int = 0
    jitter_ms: float = 0.0
    mos: float | None = None
    """By the E-model, of all that came; None: nothing did."""
    loss_runs: int = 0
    """How often packets were missing, however many at a time."""
    round_trip_ms: float | None = None
    packets_sent: int = 0
    far_lost: int = 0
    far_jitter_ms: float = 0.0
    far_mos: float | None = None
    """The other direction, as the far end reported it by RTCP; None: it never did."""
    source_changes: int = 0
