"""The master key: made once, read by us alone, and it opens only its own."""

from pathlib import Path

import pytest

from switch.errors import SettingsError
from switch.recording.file_format import RecordingError
from switch.recording.keys import MasterKey, new_key


def test_a_key_is_made_once_and_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "recording.key"
    first = MasterKey.read(path, make=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert MasterKey.read(path, make=True).id == first.id


def test_a_missing_or_short_key_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        MasterKey.read(tmp_path / "none", make=False)
    (tmp_path / "short").write_bytes(b"123")
    with pytest.raises(SettingsError, match="is no key"):
        MasterKey.read(tmp_path / "short", make=False)


def test_a_wrapped_key_opens_for_its_own_recording_only() -> None:
    master, key = MasterKey(b"m" * 32), new_key()
    wrapped = master.wrap(key, "a")
    assert key not in wrapped
    assert master.unwrap(wrapped, "a", key_id=master.id) == key
    with pytest.raises(RecordingError):
        master.unwrap(wrapped, "b", key_id=master.id)
    with pytest.raises(RecordingError):
        master.unwrap(wrapped[:-1] + b"\0", "a", key_id=master.id)
