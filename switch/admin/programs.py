"""The parts of `kinline` that are programs of their own: run and check."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from switch.admin.exit_code import first_fault
from switch.admin.resources import shortages, this_machine
from switch.errors import KinlineError
from switch.media.prompt_synthesis import missing
from switch.store.house_seed import unsaid


class Loads(Protocol):
    """Reads a configuration (`switch.settings.load`)."""

    def __call__(self, path: Path) -> Any:  # noqa: ANN401 - the settings live above this room
        """Return the settings, or raise SettingsError."""
        ...


Serves = Callable[..., Coroutine[Any, Any, None]]


def run_program(argv: Sequence[str], *, load: Loads, serve: Serves) -> int:
    """`kinline run --config F [--data DIR]`: the switch."""
    parser = argparse.ArgumentParser(
        prog="kinline run",
        description="Runs the switch. Prints one JSON line when it serves; SIGTERM drains it, "
        "a second SIGTERM ends the calls that are left.",
    )
    parser.add_argument("--config", type=Path, required=True, help="the configuration, TOML")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the data directory")
    given = parser.parse_args(argv)
    settings = load(given.config)
    failed: list[BaseException] = []
    try:
        asyncio.run(serve(settings, config=given.config, data=given.data))
    except* (KinlineError, OSError) as group:
        failed.append(first_fault(group))
    for error in failed:
        sys.stderr.write(f"kinline: {error}\n")
    return 1 if failed else 0


def check_program(argv: Sequence[str], *, load: Loads) -> int:
    """`kinline check F`: says what is wrong in a configuration."""
    parser = argparse.ArgumentParser(
        prog="kinline check",
        description="Says what is wrong in a configuration, by path and line, and notes what this "
        "machine is short of. Exit code 0: fine.",
    )
    parser.add_argument("file", type=Path, help="the configuration")
    parser.add_argument("--data", type=Path, help="also look whether its prompts are there")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(argv)
    faults: list[str] = []
    notes: list[str] = []
    try:
        settings = load(given.file)
        notes = shortages(settings.media, this_machine())
        faults += [f"{given.file}: {said}" for said in unsaid(settings.house)]
    except KinlineError as error:
        faults.append(str(error))
    if given.data is not None and not faults:
        folder = given.file.parent / "prompts"
        faults += [f"no prompt {name}" for name in missing(given.data, folder, {})]
    if given.json:
        sys.stdout.write(json.dumps({"ok": not faults, "faults": faults, "notes": notes}) + "\n")
    else:
        sys.stdout.write("".join(f"{fault}\n" for fault in faults) or f"{given.file}: fine\n")
        sys.stdout.write("".join(f"note: {note}\n" for note in notes))
    return 2 if faults else 0
