"""TLS for SIP: a TCP connection whose bytes pass through a cipher, and the certificates for it.

Source: RFC 3261 section 26.3.1, RFC 5922 (names), RFC 5923 (a connection is used again in both
directions), RFC 9325 (versions and suites). Framing, limits and order are those of `tcp`.
"""

import contextlib
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from switch.errors import SettingsError
from switch.transport.certificate_name import speaks_for
from switch.transport.settings import TlsSettings
from switch.transport.tcp import READ_BYTES, UNSENT_BYTES_MAX, TcpConnection

SUITES: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL"
"""For TLS 1.2, forward secret and authenticated. RFC 9325 section 4.2."""

Stamp = tuple[tuple[int, int, int], ...]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contexts:
    """What connections are made with."""

    server: ssl.SSLContext
    client: ssl.SSLContext


class Certificates:
    """The certificate files, read again when they change: the next connection has the new ones.

    Args:
        settings: where they are.
        folder: what relative paths start from.

    Raises:
        SettingsError: a file is missing, or is not what it should be.
    """

    def __init__(self, settings: TlsSettings, folder: Path) -> None:
        self._certificate = folder / settings.certificate
        self._key = folder / settings.key
        self._authorities = folder / settings.authorities if settings.authorities else None
        self._stamp = self._look()
        self._contexts = self._load()

    def contexts(self) -> Contexts:
        """Return what holds now; files that are bad leave the old ones in force."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._contexts = self._load()
            except SettingsError as error:
                log.error("%s; the old one stays in use", error)  # noqa: TRY400 - one sentence
            else:
                log.info("the TLS certificate was read again")
        return self._contexts

    def _look(self) -> Stamp:
        """Return what tells whether a file has changed; zeros for one that is not there."""
        found: list[tuple[int, int, int]] = []
        for path in (self._certificate, self._key, self._authorities):
            if path is not None:
                try:
                    stat = path.stat()
                    found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
                except OSError:
                    found.append((0, 0, 0))
        return tuple(found)

    def _load(self) -> Contexts:
        server = _context(ssl.PROTOCOL_TLS_SERVER)
        client = _context(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False  # RFC 5922's rules are not the web's: `speaks_for`
        client.verify_mode = ssl.CERT_REQUIRED
        try:
            for context in (server, client):
                context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            what = f"certificate {self._certificate} with key {self._key}"
            raise SettingsError(f"transport.tls: {what}: {_why(error)}") from error
        try:
            if self._authorities is None:
                client.load_default_certs()
            else:
                client.load_verify_locations(self._authorities)
        except (OSError, ssl.SSLError) as error:
            what = f"authorities {self._authorities}"
            raise SettingsError(f"transport.tls: {what}: {_why(error)}") from error
        return Contexts(server, client)


class TlsConnection(TcpConnection):
    """One connection, either way. Nothing of SIP leaves or enters before the handshake is done.

    `begin` must be called before `open`.
    """

    _names: frozenset[str]
    _object: ssl.SSLObject
    _incoming: ssl.MemoryBIO
    _outgoing: ssl.MemoryBIO
    _waiting: bytearray
    _is_secret: bool

    def begin(self, contexts: Contexts, names: frozenset[str] | None) -> None:
        """Choose the side.

        Args:
            contexts: see there.
            names: of which the far end's certificate must hold one; None: it called us.
        """
        self._names = names or frozenset()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._waiting = bytearray()
        self._is_secret = False
        context = contexts.server if names is None else contexts.client
        name = next(iter(sorted(self._names)), None)
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=names is None, server_hostname=name
        )

    def send(self, data: bytes) -> None:
        """Send, behind what already waits; before the handshake is done it waits here."""
        if not self.is_alive:
            return
        self.has_spoken = True
        if self._is_secret:
            self._object.write(data)
            self._pass_on()
        elif len(self._waiting) + len(data) > UNSENT_BYTES_MAX:
            self._fail()
        else:
            self._waiting += data

    def close(self) -> None:
        """Close now; the far end is told if it can be told at once."""
        if self.is_alive and self._is_secret:
            with contextlib.suppress(ssl.SSLError, OSError):
                self._object.unwrap()
            with contextlib.suppress(OSError):
                self._socket.send(self._outgoing.read())
        super().close()

    def _opened(self) -> None:
        self._shake()

    def _came(self, data: bytes) -> None:
        self._incoming.write(data)
        if not self._is_secret and not self._shake():
            return
        while self.is_alive:
            try:
                clear = self._object.read(READ_BYTES)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError:
                clear = b""
            if not clear:
                self._fail()
                return
            self._parse(clear)
        self._pass_on()

    def _shake(self) -> bool:
        """Go on with the handshake; True when it is done and the far end is who it should be."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            self._pass_on()
            return False
        except ssl.SSLError as error:
            self._give_up(_why(error))
            return False
        if self._names and not speaks_for(self._object.getpeercert() or {}, self._names):
            self._give_up(f"its certificate is not that of {' or '.join(sorted(self._names))}")
            return False
        self._is_secret = True
        if self._waiting:
            self._object.write(self._waiting)
            self._waiting.clear()
        self._pass_on()
        return True

    def _give_up(self, why: str) -> None:
        log.warning("no TLS with %s: %s", self.flow.peer[0], why)
        self._pass_on()  # the alert
        if self.is_alive:
            self._fail()

    def _pass_on(self) -> None:
        """Send what the cipher made."""
        data = self._outgoing.read()
        if data and self.is_alive:
            self._put(data)


Names = Callable[[tuple[str, int]], frozenset[str]]
"""By address: the names that a certificate there must hold; none: we do not call there."""


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def _why(error: OSError) -> str:
    """Say what is wrong in words."""
    if isinstance(error, ssl.SSLError):
        detail = getattr(error, "verify_message", "") or error.reason or "not understood"
        return str(detail).replace("_", " ").lower()
    return error.strerror or str(error)
