"""`kinline lab scene`: starts the switch first of all, then loads what plays the call.

The switch takes longer to load than the telephones do; so it begins before they are imported.
"""

import argparse
import asyncio
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from switch.admin.exit_code import first_fault
from switch.errors import KinlineError, SettingsError

END_S_MAX: Final = 20.0
"""How long the switch may take to end its calls. Chosen: it says their reason, 15 s at most."""


def main(argv: Sequence[str]) -> int:
    """Carry it out; return the exit code."""
    given = _parser().parse_args(argv)
    faults: list[BaseException] = []
    try:
        _play(given)
    except* (KinlineError, TimeoutError, OSError) as group:
        faults.append(first_fault(group))
    for fault in faults:
        said = str(fault) or "no answer in time"
        sys.stderr.write(f"kinline: the scene failed: {said}\n")
    return 1 if faults else 0


def _play(given: argparse.Namespace) -> None:
    trunk_port = _trunk_port(given.config)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # until the loop of the scene takes them
    switch = _started(given.config, given.data)
    try:
        scene = import_module("switch.lab.scene")
        terminal = import_module("switch.lab.scene_terminal")
        narrator = import_module("switch.lab.narrator")
        one = scene.Scene(
            switch,
            trunk_port=trunk_port,
            data=given.data,
            narrator=narrator.Narrator(sys.stdout, as_json=given.json),
            kind=terminal.chosen_kind(given.terminal),
        )
        asyncio.run(scene.play(one, once=given.once))
    finally:
        _end(switch)


def _trunk_port(config: Path) -> int:
    """Return where the first trunk leads."""
    try:
        port: int = tomllib.loads(config.read_text(encoding="utf-8"))["house"]["trunk"][0]["port"]
    except (KeyError, IndexError, ValueError) as error:
        raise SettingsError(f"{config}: names no [[house.trunk]] with a port") from error
    return port


def _started(config: Path, data: Path) -> subprocess.Popen[bytes]:
    words = ["-m", "switch", "run", "--config", str(config), "--data", str(data)]
    return subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, *words], stdout=subprocess.PIPE, start_new_session=True
    )


def _end(switch: subprocess.Popen[bytes]) -> None:
    if switch.poll() is not None:
        return
    switch.send_signal(signal.SIGTERM)
    switch.send_signal(signal.SIGTERM)
    try:
        switch.wait(timeout=END_S_MAX)
    except subprocess.TimeoutExpired:
        switch.kill()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kinline lab scene",
        description="Starts the switch, places one narrated call between two lab telephones, "
        "then serves on until Ctrl-C.",
    )
    parser.add_argument("--config", type=Path, default=Path("config/lab.toml"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--once", action="store_true", help="end after the call")
    parser.add_argument("--json", action="store_true", help="one JSON line per event")
    parser.add_argument(
        "--terminal",
        choices=("pyvoip", "lab"),
        default="",
        help="what calls: a pyVoIP softphone (where it is installed, the default), "
        "or the lab telephone on our own stack",
    )
    return parser
