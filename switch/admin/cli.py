"""`kinline`: reads the command line, finds who carries it out, prints what came of it.

Commands on the house, the money and the calls go to the running switch through its control
socket; if none runs, they open the store under its exclusive lock. `run`, `check`, `inspect` and
`lab` are programs of their own.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from switch.admin.audit_note import is_kept, is_view, news_of
from switch.admin.command import Argument, Command, Desk
from switch.admin.control_client import ControlClient
from switch.admin.control_socket import user_name
from switch.admin.registry import commands
from switch.admin.render import render
from switch.clock import SystemClock
from switch.errors import KinlineError, UserError
from switch.events.audit import AuditTrail
from switch.store.engine import Store
from switch.store.vault_opening import open_kept_ledger

FOLLOW_S: Final = 1.0
"""How often `calls --follow` asks. Chosen: a person reads along."""

EXAMPLES: Final = """examples:
  kinline run --config config/lab.toml --data data
  kinline check config/lab.toml
  kinline calls --follow
  kinline why T1 123456 +15552345678
  kinline account fund 3 20.00 --why "cash at the window"
  kinline lockdown set facility F1 --way announce --why "count"
  kinline cut 912345678901234 --why "staff order"
"""


def main(argv: Sequence[str], programs: Mapping[str, str]) -> int:
    """Carry out one command on the house, the money or the calls; return the exit code.

    Args:
        argv: the command line.
        programs: those of their own, name to help: they are listed, not carried out.
    """
    parser = _parser(programs)
    if not argv:
        parser.print_help()
        return 2
    known, unknown = parser.parse_known_args(_expanded(argv))
    given = vars(known)
    asked: argparse.ArgumentParser = given.pop("parser")
    if unknown:
        asked.error(f"does not know {' '.join(unknown)}; --help names what it knows")
    return _carry_out(given)


def _expanded(argv: Sequence[str]) -> list[str]:
    """`kinline calls …` without a verb lists; so does `staff`."""
    verbs = {c.verb for c in commands() if c.noun == argv[0]}
    has_verb = len(argv) > 1 and argv[1] in verbs
    if "list" in verbs and not has_verb and argv[1:2] not in (["-h"], ["--help"]):
        return [argv[0], "list", *argv[1:]]
    return list(argv)


def _parser(programs: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kinline",
        description="An open telephone switch for correctional facilities.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    nouns = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, help_text in programs.items():
        nouns.add_parser(name, help=help_text, add_help=False)
    verbs: dict[str, Any] = {}
    for command in commands():
        if not command.verb:
            one = nouns.add_parser(
                command.noun,
                help=command.help,
                description=command.help,
                epilog=_examples(command),
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        else:
            if command.noun not in verbs:
                noun = nouns.add_parser(command.noun, help=_verbs_of(command.noun))
                verbs[command.noun] = noun.add_subparsers(metavar="VERB", required=True)
            one = verbs[command.noun].add_parser(
                command.verb,
                help=command.help,
                description=command.help,
                epilog=_examples(command),
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        _add_arguments(one, command)
    return parser


def _examples(command: Command) -> str:
    """Return what `--help` shows last: the examples, or the shape of a call without any."""
    words = command.examples or (_shape(command),)
    return "examples:\n" + "".join(f"  kinline {line}\n" for line in words)


def _shape(command: Command) -> str:
    """Write the required arguments as they would be typed."""
    parts = [command.noun, command.verb]
    for argument in command.arguments:
        if not argument.required:
            continue
        value = argument.choices[0] if argument.choices else argument.name.strip("-").upper()
        parts.append(f"{argument.name} {value}" if argument.name.startswith("--") else value)
    return " ".join(part for part in parts if part)


def _verbs_of(noun: str) -> str:
    return " | ".join(c.verb for c in commands() if c.noun == noun)


def _add_arguments(parser: argparse.ArgumentParser, command: Command) -> None:
    parser.set_defaults(command=command, parser=parser)
    parser.add_argument("--data", type=Path, default=Path("data"), help="the data directory")
    parser.add_argument("--json", action="store_true", help="print JSON")
    if (command.noun, command.verb) == ("calls", "list"):
        parser.add_argument("--follow", action="store_true", help="print records as they come")
    for argument in command.arguments:
        _add_argument(parser, argument)


def _add_argument(parser: argparse.ArgumentParser, argument: Argument) -> None:
    text = argument.help.replace("%", "%%")
    if argument.kind is bool:
        parser.add_argument(argument.name, action="store_true", help=text)
        return
    more: dict[str, Any] = {"type": argument.kind, "help": text}
    if argument.choices:
        more["choices"] = argument.choices
    if argument.many:
        more["nargs"] = "*" if not argument.required else "+"
    if argument.name.startswith("--"):
        parser.add_argument(
            argument.name, required=argument.required, default=argument.default, **more
        )
        return
    if not argument.required and not argument.many:
        more |= {"nargs": "?", "default": argument.default}
    parser.add_argument(argument.name, **more)


def _carry_out(given: dict[str, Any]) -> int:
    command: Command = given.pop("command")
    data: Path = given.pop("data")
    as_json: bool = given.pop("json")
    follow = given.pop("follow", False)
    for name in [n for n in given if n.endswith("_file") and given[n]]:
        given[name] = str(Path(given[name]).absolute())
    client = ControlClient(data / "control.sock")
    if follow:
        return _follow(client, data, as_json=as_json)
    prepared = command.prepare(given) if command.prepare else given
    result = _ask(client, command, prepared, data)
    if command.finish is not None:
        result = command.finish(prepared, result)
    sys.stdout.write(render(result, as_json=as_json))
    is_unsound = isinstance(result, Mapping) and result.get("sound") is False
    return 1 if is_unsound else 0


def _ask(client: ControlClient, command: Command, given: Mapping[str, Any], data: Path) -> Any:  # noqa: ANN401 - JSON
    if client.is_served():
        return client.ask(command.noun, command.verb, given)
    if command.needs_switch:
        raise UserError(f"No switch runs on {data}. Start it with `kinline run`.")
    if not data.is_dir():
        raise UserError(f"There is no data directory {data}. Name it with --data.")
    return asyncio.run(_alone(command, given, data))


async def _alone(command: Command, given: Mapping[str, Any], data: Path) -> Any:  # noqa: ANN401 - JSON
    """Carry a command out on the store; its lock keeps a switch from starting meanwhile."""
    clock = SystemClock()
    by = f"cli:{user_name(os.getuid())}"
    async with AsyncExitStack() as life:
        store = await Store.open(data / "kinline.sqlite3", clock=clock, create=False)
        life.push_async_callback(store.close)
        ledger = await open_kept_ledger(store, data=data, clock=clock)
        life.push_async_callback(ledger.close)
        vault = ledger.vault if ledger.postgres is not None else None
        desk = Desk(store=store, clock=clock, board=None, by=by, ledger=vault)
        return await _audited(command, given, desk)


async def _audited(command: Command, given: Mapping[str, Any], desk: Desk) -> Any:  # noqa: ANN401 - JSON
    """Carry a command out and keep it in the trail, whatever comes of it."""
    trail = AuditTrail(store=desk.store, clock=desk.clock, audit_max=1)
    outcome, result = "", None
    try:
        result = await command.run(desk, given)
        return result  # noqa: TRY300 - the trail below takes it, too
    except KinlineError as error:
        outcome = str(error)
        raise
    finally:
        if is_kept(command) or is_view(command):
            trail.publish_nowait(
                news_of(
                    command,
                    given,
                    by=desk.by,
                    address="store",
                    outcome=outcome,
                    at_wall=desk.clock.wall(),
                    result=result,
                )
            )
            await trail.flush()


def _follow(client: ControlClient, data: Path, *, as_json: bool) -> int:
    """Print each record as it is written, until interrupted."""
    command = next(c for c in commands() if (c.noun, c.verb) == ("calls", "after"))
    position = None
    while True:
        answer = _ask(client, command, {"position": position}, data)
        position = answer["position"]
        for record in answer["records"]:
            sys.stdout.write(render(record, as_json=as_json))
            sys.stdout.flush()
        time.sleep(FOLLOW_S)  # noqa: TID251 - a program of its own, no loop to block
