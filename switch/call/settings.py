"""What a site may choose about the life of a call, with the defaults of calls.md section 2.3.

The configuration gives the defaults of the node; a facility's own choices are laid over them by
`merged`, which checks ranges again.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from switch.errors import SettingsError

Key = Annotated[str, Meta(pattern="^[0-9*#]$")]
Seconds = Annotated[int, Meta(ge=1, le=120)]


class ScriptSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every choice about who hears what, and when. Origin: calls.md section 2.3 unless said."""

    languages: Annotated[tuple[str, ...], Meta(min_length=1, max_length=9)] = ("en", "es")
    language_wait_s: Seconds = 5
    pin_mode: Literal["none", "id", "passcode", "id_passcode"] = "id_passcode"
    id_digits: Annotated[int, Meta(ge=3, le=12)] = 6
    """Chosen; as the sites number their people."""
    passcode_digits: Annotated[int, Meta(ge=4, le=8)] = 4
    pin_attempts_max: Annotated[int, Meta(ge=1, le=9)] = 3
    pin_lock_s: Annotated[int, Meta(ge=0, le=86_400)] = 900
    first_digit_s: Seconds = 10
    next_digit_s: Seconds = 5
    entry_s_max: Annotated[int, Meta(ge=30, le=900)] = 240
    """From off-hook to a number, menus included; then `no_input`. Chosen: nobody keeps a phone
    from the next in line by pressing keys."""
    voice_check: Literal["off", "after_number"] = "off"
    name_s_max: Annotated[int, Meta(ge=1, le=5)] = 3
    """Length of a recorded name. Chosen: a name, not a message."""
    pan_numbers_max: Annotated[int, Meta(ge=1, le=100)] = 20
    ring_s_max: Annotated[int, Meta(ge=5, le=180)] = 40
    greeting_rounds_max: Annotated[int, Meta(ge=1, le=5)] = 2
    answer_wait_s: Seconds = 10
    accept_key: Key = "1"
    refuse_key: Key = "2"
    quote_key: Key = "3"
    block_key: Key = "5"
    language_key: Key = "8"
    accept_by_voice: Literal[False] = False
    """No recogniser with a published error rate exists here yet. calls.md section 2.2."""
    call_minutes_max: Annotated[int, Meta(ge=1, le=99)] = 15
    tty_time_factor: Annotated[int, Meta(ge=1, le=4)] = 3
    warnings_s: tuple[Annotated[int, Meta(ge=10, le=600)], ...] = (60, 30)
    money_warnings_to: Literal["both", "payer"] = "both"
    overlay_gap_s_min: Annotated[int, Meta(ge=60)] = 120
    overlay_gap_s_max: Annotated[int, Meta(ge=60)] = 300
    overlay_s_max: Annotated[int, Meta(ge=1, le=10)] = 4
    overlays_max: Annotated[int, Meta(ge=0, le=10)] = 3
    attempts_per_number_max: Annotated[int, Meta(ge=1, le=100)] = 6
    numbers_per_day_max: Annotated[int, Meta(ge=1, le=200)] = 20
    cool_down_s: Annotated[int, Meta(ge=0, le=86_400)] = 900
    inactivity_s_max: Annotated[int, Meta(ge=0, le=3_600)] = 0
    """0 is off; else at least 120."""
    media_lost_s: Annotated[int, Meta(ge=5, le=120)] = 10
    """No packets from one side for so long, though it should send: the call ends. calls.md 4.1."""
    closing_s_max: Annotated[int, Meta(ge=1, le=30)] = 8
    detection_action: Literal["off", "flag", "prompt_once", "prompt_random", "cut"] = "flag"
    extra_digits: Literal["pass", "log", "mute", "warn"] = "mute"
    """`mute` and `warn` also log; `log` passes them on. calls.md section 4.1."""
    cut_opted_in_by: str = ""
    """Who opted in to cutting, in writing, and when; '' is nobody. calls.md section 4.2, 1."""
    cut_opted_in_for: tuple[Literal["three_way", "forwarded", "extra_digits"], ...] = ()
    announcements: Literal["all", "none"] = "all"
    """`none` speaks nothing at all: for load tests only."""

    def __post_init__(self) -> None:
        keys = (self.accept_key, self.refuse_key, self.quote_key, self.block_key, self.language_key)
        if len(set(keys)) != len(keys):
            raise ValueError("accept, refuse, quote, block and language keys must differ")
        if 0 < self.inactivity_s_max < 120:
            raise ValueError("inactivity_s_max must be 0 or at least 120")
        if self.overlay_gap_s_min > self.overlay_gap_s_max:
            raise ValueError("overlay_gap_s_min must not exceed overlay_gap_s_max")
        if self.detection_action == "cut" and not self.cut_opted_in_by:
            raise ValueError("detection_action cut needs cut_opted_in_by: who, and when")

    @property
    def pin_digits(self) -> int:
        """How many digits a PIN has; 0 where none is asked."""
        match self.pin_mode:
            case "none":
                return 0
            case "id":
                return self.id_digits
            case "passcode":
                return self.passcode_digits
            case "id_passcode":
                return self.id_digits + self.passcode_digits

    @property
    def mutes_caller_digits(self) -> bool:
        """Whether the caller's keys are kept from the trunk while talking."""
        return self.extra_digits in {"mute", "warn"}


def merged(settings: ScriptSettings, overrides: Mapping[str, Any]) -> ScriptSettings:
    """Lay a facility's own choices over the node's.

    Raises:
        SettingsError: a name is not known or a value is out of its range; says which.
    """
    if not overrides:
        return settings
    try:
        return msgspec.convert({**msgspec.to_builtins(settings), **overrides}, ScriptSettings)
    except (msgspec.ValidationError, TypeError) as error:
        raise SettingsError(f"facility settings: {error}") from error
