"""The detector card of this release, read once at the start: without one nothing is ever cut.

Source: `dsp/card.json`, written by `make detection`; it comes with the package.
"""

import logging
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import msgspec

from switch.call.ladder import ErrorCard, read_card

CARD_BYTES_MAX: Final = 1 << 20
"""The card has some twenty kilobytes; a file of more than this is none. Chosen."""

log = logging.getLogger("switch.card")


def release_card() -> Traversable:
    """Where the card of this release is."""
    return files("dsp") / "card.json"


def load_card(file: Path | Traversable) -> ErrorCard | None:
    """Read a card; None if there is none, or none that can be read, which is said in the log."""
    try:
        text = file.read_bytes()
    except OSError:
        log.warning("no detector card: calls are flagged and warned, none is ever cut")
        return None
    if len(text) > CARD_BYTES_MAX:
        log.warning("the detector card is too large: none is used, and no call is ever cut")
        return None
    try:
        return read_card(text)
    except msgspec.DecodeError as error:
        log.warning("the detector card cannot be read, no call is ever cut: %s", error)
        return None
