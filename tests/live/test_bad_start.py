"""Bad input: a configuration, datagrams, a database. Each is told clearly, and costs nothing."""

import asyncio
import os
import random
import resource
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.switch_rig import ROOT, SwitchRig, next_call, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

LISTEN = '[transport]\nlisten = ["udp:127.0.0.1:{sip}"]\n'
FILE_BYTES_MAX = 2_048
"""Less than the database needs, more than a lock needs."""


def kinline(
    *words: str, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "switch", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=before,
    )


MEDIA = '[media]\naddress = "127.0.0.1"\nport_min = 30000\nport_max = 30100\n'

FAULTS = [
    ("port_min = 30000", "port_min = 80", 9, "media.port_min", "1024"),
    ("port_max = 30100", "port_max = 70000", 10, "media.port_max", "65535"),
    ('id = "a"', 'id = "A node"', 2, "node.id", "^[a-z0-9-]{1,32}$"),
    ("pin_attempts_max = 3", "pin_attempts_max = 10", 12, "script.pin_attempts_max", "9"),
    ('log = "info"', 'log = "loud"', 3, "node.log", "loud"),
    ('address = "127.0.0.1"', "adress = 1", 8, "media", "adress"),
]


def configuration(sip_port: int) -> str:
    node = '[node]\nid = "a"\nlog = "info"\n\n'
    listen = LISTEN.format(sip=sip_port)
    return node + listen + MEDIA + "[script]\npin_attempts_max = 3\n"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_configuration_names_line_path_and_what_is_allowed(
    tmp_path: Path, fault: tuple[str, str, int, str, str]
) -> None:
    right, wrong, line, path, allowed = fault
    file, data = tmp_path / "switch.toml", tmp_path / "data"
    file.write_text(configuration(31_999).replace(right, wrong))
    checked = kinline("check", str(file))
    assert checked.returncode == 2
    assert checked.stdout.startswith(f"{file}:{line}: {path}: ")
    assert allowed in checked.stdout
    assert len(checked.stdout.splitlines()) == 1
    ran = kinline("run", "--config", str(file), "--data", str(data))
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr == f"kinline: {checked.stdout}"
    assert not data.exists()


def test_a_right_configuration_is_fine(tmp_path: Path) -> None:
    file = tmp_path / "switch.toml"
    file.write_text(configuration(31_999))
    checked = kinline("check", str(file))
    fine, *notes = checked.stdout.splitlines()
    assert (checked.returncode, fine) == (0, f"{file}: fine")
    assert all(note.startswith("note: ") for note in notes)
    assert any("media.port_min to port_max: 50 even ports are 25 calls" in note for note in notes)


INVITE = (
    b"INVITE sip:15551000001@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK%d;rport\r\n"
    b"From: <sip:gateway@127.0.0.1>;tag=1\r\nTo: <sip:15551000001@127.0.0.1>\r\n"
    b"Call-ID: %d@bad\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def garbage(luck: random.Random) -> list[bytes]:
    """What nobody could answer: no SIP, or SIP that is cut off or broken where it counts."""
    noise = [luck.randbytes(luck.randrange(5, 1_400)) for _ in range(100)]
    cut = [(INVITE % (n, n))[: luck.randrange(5, 150)] for n in range(100)]
    flipped = []
    for n in range(100):
        data = bytearray(INVITE % (1_000 + n, n))
        data[luck.randrange(0, 6)] = luck.randrange(0, 10)
        flipped.append(bytes(data))
    broken = [
        (INVITE % (2_000, 1)).replace(b"Via:", b"Vie:"),
        (INVITE % (2_001, 1)).replace(b"SIP/2.0\r\nVia", b"SIP/9.9\r\nVia"),
        b"SIP/2.0 999999 What\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"\x80\x00" + bytes(170),
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"A" * 60_000,
        b"\r\n" * 3 + b"\x00\x01\x02",
    ]
    return noise + cut + flipped + broken


async def test_garbage_is_counted_and_dropped_and_calls_go_on(tmp_path: Path) -> None:
    async with SwitchRig(tmp_path) as rig:
        outside, gateway = await rig.outside(), await rig.gateway()
        call = await gateway.call("15551000001")
        await within(10, call.answered)
        there = await next_call(outside)
        there.answer()
        await rig.until("talking")
        sent = garbage(random.Random(9))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thrower:
            for data in sent:
                thrower.sendto(data, rig.address)
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.5)
        held = await rig.asked("health")
        counted = sum(held["dropped"].values()) + sum(held["refused"].values())
        assert counted == len(sent)
        assert held["calls"] == 1
        second = await gateway.call("15551000002")
        await within(10, second.answered)
        (await next_call(outside)).answer()
        assert not call.ended.is_set()
        for each in (call, second):
            each.hang_up()
        await rig.last_record(2)
        await rig.quiet()


def read_only(path: Path) -> None:
    path.chmod(0o444)


def newer(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()


def no_database(path: Path) -> None:
    path.write_bytes(b"Not what you think.\n" * 500)


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for start in range(4_096, len(data), 4_096):
        data[start : start + 64] = b"\xff" * 64
    path.write_bytes(data)


def nothing(_path: Path) -> None:
    return None


def full() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))


STARTS = [
    (read_only, None, "is read-only. Make it writable."),
    (newer, None, "was written by a newer version of Kinline (schema 9999"),
    (no_database, None, "is not a database. Put back the last backup."),
    (damaged, None, "is damaged. Put back the last backup."),
    (nothing, full, "Free some space"),
]


async def test_a_bad_database_stops_the_start_and_stays_as_it_is(tmp_path: Path) -> None:
    rig = SwitchRig(tmp_path)
    async with rig:
        pass
    path = rig.data / "kinline.sqlite3"
    good = path.read_bytes()
    for spoil, limit, sentence in STARTS:
        spoil(path)
        spoilt, files = path.read_bytes(), set(os.listdir(rig.data))
        ran = await asyncio.to_thread(
            kinline, "run", "--config", str(rig.config), "--data", str(rig.data), before=limit
        )
        assert ran.returncode == 1
        assert ran.stdout == ""
        assert ran.stderr.startswith("kinline: ")
        assert sentence in ran.stderr
        assert len(ran.stderr.splitlines()) == 1
        assert path.read_bytes() == spoilt
        new = set(os.listdir(rig.data)) - files
        assert new <= {"kinline.sqlite3-shm", "kinline.sqlite3-wal"}
        assert not any((rig.data / name).stat().st_size for name in new if name.endswith("wal"))
        path.chmod(0o600)
        path.write_bytes(good)
        for name in new:
            (rig.data / name).unlink()
    # With the backup put back it serves again.
    async with SwitchRig(tmp_path) as again:
        assert (await again.quiet())["workers"] == 1
