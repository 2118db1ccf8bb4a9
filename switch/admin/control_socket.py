"""The door for administration while the switch runs: JSON lines on `DATA/control.sock`.

One line asks, one line answers:

    {"noun": "terminal", "verb": "disable", "given": {"terminal": "T1"}, "by": "root"}
    {"ok": true, "result": {...}}      or      {"ok": false, "error": "There is no terminal T1."}

The socket belongs to the user that runs the switch (mode 0600): who can open it may do anything.
"""

import asyncio
import json
import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from switch.admin.command import Desk
from switch.admin.registry import find
from switch.call.news import AuditNews, Publisher
from switch.errors import KinlineError, StoreError, UserError

LINE_BYTES_MAX: Final = 1_048_576
"""Longest question or answer. Chosen: a list of ten thousand rows."""

ANSWER_S_MAX: Final = 60.0
"""How long a command may take. Chosen: far above any, so that nobody waits for ever."""

READS: Final = frozenset({"list", "show", "verify", "quote", ""})
"""Verbs that change nothing; all others go to the audit trail."""

log = logging.getLogger(__name__)


class ControlServer:
    """Answers commands inside the switch.

    Args:
        desk: where commands are carried out.
        publisher: takes the audit entries.
    """

    def __init__(self, path: Path, *, desk: Desk, publisher: Publisher) -> None:
        self._path = path
        self._desk = desk
        self._publisher = publisher
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a socket that a dead process left is taken over."""
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(
                self._serve, self._path, limit=LINE_BYTES_MAX
            )
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError) as error:
            log.info("a control connection ended: %s", error)
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            noun, verb = str(asked["noun"]), str(asked["verb"])
            given, by = dict(asked["given"]), str(asked["by"])
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "error": "Not a question: noun, verb, given and by are needed."}
        command = find(noun, verb)
        if command is None:
            return {"ok": False, "error": f"There is no command `{noun} {verb}`."}
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                result = await command.run(replace(self._desk, by=by), command.complete(given))
        except (KinlineError, OSError) as error:
            return {"ok": False, "error": str(error)}
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            log.warning("`%s %s` could not be carried out: %r", noun, verb, error)
            return {"ok": False, "error": f"`{noun} {verb}`: not these arguments ({error})."}
        except TimeoutError:
            return {"ok": False, "error": f"`{noun} {verb}` took longer than {ANSWER_S_MAX:g} s."}
        if verb not in READS:
            self._publish(noun, verb, given, by)
        return {"ok": True, "result": result}

    def _publish(self, noun: str, verb: str, given: Mapping[str, Any], by: str) -> None:
        said = {
            k: v for k, v in given.items() if "passcode" not in k and v not in ("", None, False)
        }
        self._publisher.publish_nowait(
            AuditNews(
                who=by,
                role="site_admin",
                address="control.sock",
                what=f"{noun} {verb}",
                target=str(next(iter(said.values()), "")),
                after=json.dumps(said, default=str, sort_keys=True),
                why=str(given.get("why") or given.get("note") or ""),
                at_wall=self._desk.clock.wall(),
            )
        )


class ControlClient:
    """Asks a running switch.

    Args:
        path: `DATA/control.sock`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def is_served(self) -> bool:
        """Whether a switch listens there."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._path))
            except OSError:
                return False
            return True

    def ask(self, noun: str, verb: str, given: Mapping[str, Any], *, by: str) -> Any:  # noqa: ANN401 - JSON
        """Carry out one command there.

        Raises:
            UserError: the switch says no; says why.
            StoreError: it does not answer.
        """
        question = {"noun": noun, "verb": verb, "given": dict(given), "by": by}
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(ANSWER_S_MAX)
                line.connect(str(self._path))
                line.sendall(json.dumps(question).encode() + b"\n")
                with line.makefile("rb") as answers:
                    answer = json.loads(answers.readline() or b"{}")
        except (OSError, ValueError) as error:
            raise StoreError(f"The switch does not answer at {self._path}: {error}") from error
        if not answer.get("ok"):
            raise UserError(answer.get("error", "The switch ended the connection."))
        return answer["result"]
