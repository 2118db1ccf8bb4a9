"""The keys of the house: files beside the database, never in it.

`register.ed25519` signs the privileged register; `register.head` says how long it was when it last
grew; `pin.key` is mixed into every passcode before it is hashed, so that a copy of the database
alone cannot be searched for passcodes of four digits; `staff.key` seals the second factors.
"""

import os
import secrets
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from switch.errors import StoreError
from switch.screening.register import RegisterHead

KEY_BYTES: Final = 32
"""RFC 8032 section 5.1.5: an Ed25519 private key; also chosen for the PIN key."""


class HouseKeys:
    """The folder `DATA/keys`.

    Args:
        data: the data directory.
    """

    def __init__(self, data: Path) -> None:
        self.folder = data / "keys"
        self._register = self.folder / "register.ed25519"
        self._head = self.folder / "register.head"

    def make(self, *, register_is_empty: bool) -> None:
        """Make what is missing. A register that was once signed never gets another key."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_once(self.folder / "pin.key")
        if register_is_empty and not self._head.exists():
            _make_once(self._register)

    def pin_key(self) -> bytes:
        """Return what is mixed into passcodes."""
        return _read(self.folder / "pin.key")

    def staff_key(self) -> bytes:
        """Return what seals the second factors of staff; made when it is first asked for."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_once(self.folder / "staff.key")
        return _read(self.folder / "staff.key")

    def contact_key(self) -> bytes:
        """Return what is mixed into codes that prove addresses; made when first asked for."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_once(self.folder / "contact.key")
        return _read(self.folder / "contact.key")

    def can_sign(self) -> bool:
        """Say whether the register's key is there."""
        return self._register.exists()

    def sign(self, body: bytes) -> bytes:
        """Sign one entry of the register. RFC 8032."""
        return self._private().sign(body)

    def is_signed(self, body: bytes, signature: bytes) -> bool:
        """Say whether a signature is ours."""
        try:
            self._private().public_key().verify(signature, body)
        except InvalidSignature:
            return False
        return True

    def head(self) -> RegisterHead | None:
        """Return how long the register was when it last grew; None if nothing was written."""
        try:
            return msgspec.json.decode(self._head.read_bytes(), type=RegisterHead)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError(f"{self._head} cannot be read: {error}") from error

    def set_head(self, head: RegisterHead) -> None:
        """Write how long the register is now; the old file stays until the new one is whole."""
        fresh = self._head.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(head))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._head)

    def secret(self, name: str) -> str:
        """Return the secret in a file of this folder, made at random if there is none."""
        path = self.folder / name
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_once(path, secrets.token_urlsafe(18).encode())
        return _read(path).decode().strip()

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(_read(self._register))


def _make_once(path: Path, content: bytes = b"") -> None:
    """Write a secret that only we can read; never over one that is there."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(content or secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
