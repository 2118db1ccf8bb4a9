"""Who can open a recording: a key for each file, wrapped by the master key of the node.

The master key is a file that only the switch can read; it is never in the database, and a worker
never sees it. Without it no recording can be opened: keep a copy elsewhere.
Wrapping is AES-256-GCM with the recording's name bound to it, so a key cannot be carried over.
"""

import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from switch.errors import SettingsError
from switch.recording.file_format import NONCE_BYTES, RecordingError

KEY_BYTES: Final = 32
"""AES-256."""

ID_CHARS: Final = 16
"""Of the name of a master key. Chosen: says which one it is, and nothing about it."""


class MasterKey:
    """The master key of a node.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self.id = hashlib.sha256(b"kinline recording key" + key).hexdigest()[:ID_CHARS]

    @classmethod
    def read(cls, path: Path, *, make: bool) -> "MasterKey":
        """Read the key in a file.

        Args:
            path: the file: 32 bytes.
            make: write a new one if there is none.

        Raises:
            SettingsError: there is none, or it is no key.
        """
        if make and not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
        try:
            key = path.read_bytes()
        except OSError as error:
            raise SettingsError(
                f"The key of the recordings {path} cannot be read: {error.strerror}."
            ) from error
        if len(key) != KEY_BYTES:
            raise SettingsError(f"{path} is no key: {len(key)} bytes, {KEY_BYTES} are needed.")
        return cls(key)

    def wrap(self, key: bytes, recording: str) -> bytes:
        """Return a file's key as it stands in its header."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, recording.encode())

    def unwrap(self, wrapped: bytes, recording: str, *, key_id: str) -> bytes:
        """Return a file's key.

        Raises:
            RecordingError: another master key wrapped it, or it was changed.
        """
        if key_id != self.id:
            raise RecordingError(
                f"The recording was sealed with the master key {key_id}; this node has {self.id}."
                " Put that key back."
            )
        try:
            return self._cipher.decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], recording.encode()
            )
        except (InvalidTag, ValueError) as error:
            raise RecordingError("The key of the recording is not what was written.") from error


def new_key() -> bytes:
    """Return a key for one file."""
    return secrets.token_bytes(KEY_BYTES)


def seal_beside(key: bytes, recording: str, purpose: str, plain: bytes) -> bytes:
    """Seal what stands beside a recording (peaks, events) under the same key."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, f"{recording}/{purpose}".encode())


def open_beside(key: bytes, recording: str, purpose: str, sealed: bytes) -> bytes:
    """Open what `seal_beside` sealed.

    Raises:
        RecordingError: it was changed, or belongs to another recording.
    """
    bound = f"{recording}/{purpose}".encode()
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise RecordingError(f"The {purpose} beside the recording were changed.") from error
