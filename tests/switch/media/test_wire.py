import os
import socket
from pathlib import Path

import pytest

from switch.ids import CallId, LegId
from switch.media import wire
from switch.media.control_line import ControlLine
from switch.media.link import SOCKET_NAME_BYTES_MAX, connect_by_name
from switch.media.messages import CallEnded, LegReport

ENDED = CallEnded(CallId(1 << 52), 7.0, True, 6.9)
REPORT = LegReport(LegId(3), 1.0, 2, 3, 0, 0, {"not_joined": 4}, 0.9, 0.5, 0, False)


def test_reports_are_read_as_they_were_said() -> None:
    said: list[wire.Report] = [ENDED, REPORT, wire.Rooms(legs=1, rings=2, rows=3)]
    assert wire.parse_reports(wire.build(said)) == said


def test_orders_are_read_as_they_were_given() -> None:
    given: list[wire.Order] = [wire.Hello(1, 60.0), wire.Part(CallId(1 << 52), 7.5), wire.Leave()]
    assert wire.parse_orders(wire.build(given)) == given


@pytest.mark.live
def test_descriptors_travel_beside_a_packet() -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    read_end, write_end = os.pipe()
    wire.send(one, b"x", [read_end, write_end])
    data, rights = wire.receive(other, bytearray(100))
    assert bytes(data) == b"x"
    os.write(rights[1], b"through")
    assert os.read(read_end, 10) == b"through"
    for fd in (read_end, write_end, *rights):
        os.close(fd)
    one.close()
    other.close()


def call(path: Path) -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connect_by_name(line, path)
    line.setblocking(False)
    return line


@pytest.mark.live
def test_a_socket_may_have_a_long_name(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * SOCKET_NAME_BYTES_MAX)
    folder.mkdir()
    line = ControlLine(folder / "worker-0.sock", lambda _: None)
    control = call(folder / "worker-0.sock")
    line.answer()
    assert line.is_up
    control.close()
    line.close()


@pytest.mark.live
def test_the_newest_control_counts(tmp_path: Path) -> None:
    line = ControlLine(tmp_path / "s", lambda _: None)
    first = call(tmp_path / "s")
    line.answer()
    second = call(tmp_path / "s")
    line.answer()
    line.say([ENDED])
    assert first.recv(10) == b""
    assert wire.parse_reports(second.recv(1000)) == [ENDED]
    for one in (first, second):
        one.close()
    line.close()


@pytest.mark.live
def test_what_ended_is_kept_for_a_control_that_does_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switch.media.control_line.WAITING_MAX", 50)
    line = ControlLine(tmp_path / "s", lambda _: None)
    control = call(tmp_path / "s")
    line.answer()
    for n in range(5000):
        line.say([REPORT])
        if n == 4000:
            line.say([ENDED])
    assert len(line._waiting) <= 50
    heard: list[wire.Report] = []
    while ENDED not in heard:
        heard += wire.parse_reports(control.recv(1000))
        line.flush()
    control.close()
    line.close()


@pytest.mark.live
def test_a_control_that_hangs_up_is_noticed(tmp_path: Path) -> None:
    line = ControlLine(tmp_path / "s", lambda _: None)
    control = call(tmp_path / "s")
    line.answer()
    wire.send(control, wire.build([wire.Leave()]))
    control.close()
    assert line.poll() == [([wire.Leave()], [])]
    assert not line.is_up
    line.close()


@pytest.mark.live
def test_the_last_word_of_a_control_that_did_not_listen_is_heard(tmp_path: Path) -> None:
    line = ControlLine(tmp_path / "s", lambda _: None)
    control = call(tmp_path / "s")
    line.answer()
    line.say([REPORT])
    wire.send(control, wire.build([wire.Leave()]))
    control.close()
    assert line.poll() == [([wire.Leave()], [])]
    assert not line.is_up
    line.close()
