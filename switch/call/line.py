"""What is known about a call when its terminal goes off hook, and later about its person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from switch.ids import PersonId, TerminalId
from switch.media.phrase import Named


class KnownPerson(Protocol):
    """A person whose PIN was right. The directory has the value; the script reads only this."""

    @property
    def person(self) -> PersonId:
        """Who it is."""
        ...

    @property
    def name_path(self) -> str:
        """The path of the approved recorded name, as in `Named`; '' if there is none."""
        ...

    @property
    def needs_name(self) -> bool:
        """The name was never taken: ask for it, once."""
        ...

    @property
    def language(self) -> str:
        """The language the person hears when none is chosen; '' if not set."""
        ...

    @property
    def tty(self) -> bool:
        """The person uses a text telephone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The terminal's line, as the script needs it."""

    terminal: TerminalId
    facility_name: Named
    provider_name: Named
    languages: Sequence[str]
    """The languages that this site offers, the first by default; () = those of the settings."""
    pin_required: bool
    dialled: str | None
    """The number that came with the call, without the PIN in it; None: to be keyed."""
    pin_digits: str | None
    """The PIN that came within the dialled number."""
    hotline_codes: frozenset[str] = frozenset()
    """Codes that work without a PIN."""
    tty: bool = False
    service: bool = False
    """Somebody outside called the site's service number: there is a menu and nothing else."""
    in_band: bool = True
    """Keys of this line may be heard in its sound."""
    person_known: KnownPerson | None = None
    """Who it is, where the line itself says so."""
