"""All commands of `kinline` that work on the house, the money and the calls, by noun and verb."""

from functools import cache

from switch.admin.call_commands import CALL_COMMANDS
from switch.admin.claim_commands import CLAIM_COMMANDS
from switch.admin.collect_commands import COLLECT_COMMANDS
from switch.admin.command import Command
from switch.admin.contact_commands import CONTACT_COMMANDS
from switch.admin.funding_commands import FUNDING_COMMANDS
from switch.admin.house_commands import COMMANDS as HOUSE_COMMANDS
from switch.admin.invoice_commands import COMMANDS as INVOICE_COMMANDS
from switch.admin.limit_commands import LIMIT_COMMANDS
from switch.admin.money_commands import COMMANDS as MONEY_COMMANDS
from switch.admin.money_file_commands import MONEY_FILE_COMMANDS
from switch.admin.outbox_commands import OUTBOX_COMMANDS
from switch.admin.rate_commands import COMMANDS as RATE_COMMANDS
from switch.admin.recording_commands import RECORDING_COMMANDS
from switch.admin.staff_commands import STAFF_COMMANDS


@cache
def commands() -> tuple[Command, ...]:
    """Return every command, by noun."""
    every = [
        *CALL_COMMANDS,
        *CLAIM_COMMANDS,
        *COLLECT_COMMANDS,
        *CONTACT_COMMANDS,
        *FUNDING_COMMANDS,
        *HOUSE_COMMANDS,
        *INVOICE_COMMANDS,
        *LIMIT_COMMANDS,
        *MONEY_COMMANDS,
        *MONEY_FILE_COMMANDS,
        *OUTBOX_COMMANDS,
        *RATE_COMMANDS,
        *RECORDING_COMMANDS,
        *STAFF_COMMANDS,
    ]
    return tuple(sorted(every, key=lambda command: (command.noun, command.verb)))


def find(noun: str, verb: str) -> Command | None:
    """Return one command, or None."""
    return next((c for c in commands() if c.noun == noun and c.verb == verb), None)
