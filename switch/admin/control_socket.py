"""The door for administration while the switch runs: JSON lines on `DATA/control.sock`.

One line asks, one line answers:

    {"noun": "terminal", "verb": "disable", "given": {"terminal": "T1"}}
    {"ok": true, "result": {...}}      or      {"ok": false, "error": "There is no terminal T1."}

The socket belongs to the user that runs the switch (mode 0600): who can open it may do anything.
Who that is the kernel says, not the question; every change goes to the audit trail.
"""

import asyncio
import json
import logging
import os
import pwd
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

from switch.admin.audit_note import Looks, is_kept, is_view, news_of
from switch.admin.command import Desk
from switch.admin.control_client import ANSWER_S_MAX, LINE_BYTES_MAX, credentials
from switch.admin.registry import find
from switch.call.news import Publisher
from switch.errors import KinlineError

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
        self._looks = Looks()

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
        by = f"cli:{peer_name(writer.get_extra_info('socket'))}"
        try:
            while line := await reader.readline():
                answer = await self._answer(line, by)
                writer.write(json.dumps(answer, default=str).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError) as error:
            log.info("a control connection ended: %s", error)
        finally:
            writer.close()

    async def _answer(self, line: bytes, by: str) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            noun, verb, given = str(asked["noun"]), str(asked["verb"]), dict(asked["given"])
            by += f" ({str(asked['by'])[:40]})" if asked.get("by") else ""
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "error": "Not a question: noun, verb and given are needed."}
        command = find(noun, verb)
        if command is None:
            return {"ok": False, "error": f"There is no command `{noun} {verb}`."}
        outcome, result = "", None
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                given = command.complete(given)
                result = await command.run(replace(self._desk, by=by), given)
        except (KinlineError, OSError) as error:
            outcome = str(error)
        except TimeoutError:
            outcome = f"`{noun} {verb}` took longer than {ANSWER_S_MAX:g} s."
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            outcome = f"`{noun} {verb}` was not given what it needs: {error}"
        at_wall = self._desk.clock.wall()
        is_look = is_view(command) and self._looks.is_new(command, given, by=by, now=at_wall)
        if is_kept(command) or is_look:
            self._publisher.publish_nowait(
                news_of(
                    command,
                    given,
                    by=by,
                    address="control.sock",
                    outcome=outcome,
                    at_wall=at_wall,
                    result=result,
                )
            )
        return {"ok": False, "error": outcome} if outcome else {"ok": True, "result": result}


def peer_name(line: socket.socket) -> str:
    """Return the name of the user at the other end, as the kernel knows it."""
    return user_name(credentials(line)[1])


def user_name(user: int) -> str:
    """Return what the system calls a user; the bare number if it has no name for it."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
