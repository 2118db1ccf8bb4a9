"""What a command of `kinline` is: a noun, a verb, its arguments, and the function that does it.

The same command runs in two places: in the process of the switch, when it serves (through
`DATA/control.sock`), or alone on the store.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from switch.billing.code_policy import CodeRefusal, CodeVerdict
from switch.billing.funding import CheckoutPage
from switch.clock import Clock
from switch.ids import AccountId
from switch.money import Micros
from switch.routing.number import E164
from switch.screening.facts import RoomFacts
from switch.store.engine import Store
from switch.store.vault import FileVault, Vault


class Board(Protocol):
    """What a command may ask of the running switch."""

    def live_calls(self) -> list[dict[str, Any]]:
        """One row per live call: id, state, terminal, balance left, detections."""
        ...

    def health(self) -> dict[str, Any]:
        """What the switch holds right now, for operators and for tests that count leaks."""
        ...

    async def cut(
        self,
        call: int,
        *,
        by: str,
        why: str,
        disable_terminal_s: int,
        block: bool,
        joined: bool = False,
        alarm: str = "",
    ) -> None:
        """End a call at once, as a staff cut or as `joined_calls`.

        Raises:
            UserError: there is no such call, or it cannot end so.
        """
        ...

    async def selftest(self, *, by: str) -> dict[str, Any]:
        """Place the test call to an attorney. Raises UserError if it does not come about."""
        ...

    async def house_changed(self) -> None:
        """Rules, terminals or trunks changed in the store: take them up, act on lockdowns."""
        ...

    def room_for(self, number: E164 | None) -> RoomFacts:
        """Whether there is room for one more call, to this number."""
        ...


class Cards(Protocol):
    """Makes pages on which somebody pays by card."""

    async def deposit(
        self, account: AccountId, amount: Micros, *, save_card: bool
    ) -> tuple[str, CheckoutPage]:
        """Return our name of the deposit, and the page. Raises UserError if it cannot be."""
        ...


class Codes(Protocol):
    """Proves that an address belongs to somebody."""

    async def ask(
        self, purpose: str, way: str, address: str, *, client: str, is_known: bool = True
    ) -> CodeRefusal | None:
        """Send a code; None if it is on its way."""
        ...

    async def prove_contact(
        self, account: AccountId, way: str, address: str, code: str
    ) -> CodeVerdict:
        """Take a code back, and keep the address as one of the account's."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a command is carried out."""

    store: Store
    clock: Clock
    board: Board | None
    """None: the switch does not run."""
    by: str
    """Who asks, for the audit trail."""
    cards: Cards | None = None
    """None: the switch does not run, or takes no cards."""
    codes: Codes | None = None
    """None: the switch does not run."""
    ledger: Vault | None = None
    """Where the money is, if not in the store."""

    @property
    def vault(self) -> Vault:
        """Where the money is."""
        return self.ledger or FileVault(self.store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument. A name without dashes is positional, `--name` is an option."""

    name: str
    help: str
    kind: type = str
    required: bool = True
    default: Any = None
    choices: tuple[str, ...] = ()
    many: bool = False

    @property
    def key(self) -> str:
        """Its name among what is given: `--terminal-off-s` is `terminal_off_s`."""
        return self.name.lstrip("-").replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`kinline NOUN VERB …`; `run` returns JSON: a dict, or a list of dicts for a table."""

    noun: str
    verb: str
    help: str
    arguments: tuple[Argument, ...] = ()
    run: Callable[[Desk, Mapping[str, Any]], Awaitable[Any]]
    needs_switch: bool = False
    prepare: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Done where the person sits, before the command goes to the switch: reads files, asks for
    secrets. What it returns is what `run` is given."""
    finish: Callable[[Mapping[str, Any], Any], Any] | None = None
    """Done where the person sits, with the answer; what it returns is printed."""
    examples: tuple[str, ...] = ()
    """Shown under `--help`, without the word `kinline`."""

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Lay what was given over the defaults of what may be left out."""
        optional = (a for a in self.arguments if not a.required)
        return {a.key: False if a.kind is bool else a.default for a in optional} | dict(given)
