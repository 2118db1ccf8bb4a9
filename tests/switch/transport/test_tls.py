"""SIP over TLS on real loopback sockets: names, limits, one connection for both ways, new files."""

import asyncio
import logging
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from switch.errors import SettingsError
from switch.sip.events import (
    AckReceived,
    Answered,
    ByeReceived,
    InviteReceived,
    InviteTimedOut,
    Source,
    SourceKind,
)
from switch.sip.sources import KnownSource, SourceBook
from switch.transport.settings import TlsSettings, TransportSettings
from switch.transport.tls import Certificates
from tests.support.certificates import Authority
from tests.support.sip_side import Side, opened, until
from tests.vectors import messages

pytestmark = pytest.mark.live

CARRIER = "carrier.example"
OPTIONS = messages.request(line="OPTIONS sip:x@y SIP/2.0", cseq="1 OPTIONS", body=b"")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority()
    made.write(tmp_path / "authorities.pem")
    return made


def side(folder: Path, seed: int, *, listen: str = "tls:127.0.0.1:0", **more: object) -> Side:
    tls = TlsSettings(certificate="tls.crt", key="tls.key", authorities="authorities.pem")
    return Side(listen, seed, folder=folder, tls=tls, **more)  # type: ignore[arg-type]


def trusts(one: Side, other: Side, name: str = CARRIER) -> None:
    """Let `one` know the other as a trunk with this name in its certificate."""
    host, port = other.address
    source = Source(SourceKind.TRUNK, "t")
    row = KnownSource(source=source, network=host, port=port, certificate_name=name)
    one.stack.sources = SourceBook([row])


def call_to(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "authorities.pem")
    context.check_hostname = False
    return context


def subject_names(writer: asyncio.StreamWriter) -> object:
    return writer.get_extra_info("ssl_object").getpeercert()["subjectAltName"]


@pytest.mark.parametrize("listen", ["tls:127.0.0.1:0", "tls:[::1]:0"])
async def test_a_call_over_tls(tmp_path: Path, authority: Authority, listen: str) -> None:
    authority.issue(tmp_path, f"dns:{CARRIER}")
    a, b = side(tmp_path, 1, listen=listen), side(tmp_path, 2, listen=listen)
    a.on_event, b.on_event = a.hang_up, b.answer
    async with opened(a, b):
        trusts(a, b)
        a.call("tls", b.address)
        await until(lambda: b.count(ByeReceived) == 1)
        await until(lambda: not a.stack.counts().dialogs)
        assert len(a.pump._connections) == len(b.pump._connections) == 1
    assert (a.count(Answered), b.count(AckReceived)) == (1, 1)
    invite = next(e for e in b.events if isinstance(e, InviteReceived))
    assert invite.flow.transport == "tls"
    assert (invite.request.headers.get("via") or "").startswith("SIP/2.0/TLS ")
    assert "transport=tls" in (invite.request.headers.get("contact") or "")


async def test_ten_calls_share_one_connection(tmp_path: Path, authority: Authority) -> None:
    authority.issue(tmp_path, f"sip:{CARRIER}")
    a, b = side(tmp_path, 1), side(tmp_path, 2)
    a.on_event, b.on_event = a.hang_up, b.answer
    async with opened(a, b):
        trusts(a, b)
        for _ in range(10):
            a.call("tls", b.address)
        await until(lambda: b.count(ByeReceived) == 10)
        assert len(b.pump._connections) == 1


@pytest.mark.parametrize("name", ["dns:other.example", "dns:*.example", "sip:me@carrier.example"])
async def test_a_certificate_with_another_name_gets_no_call(
    tmp_path: Path, authority: Authority, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    authority.issue(tmp_path, name)
    a, b = side(tmp_path, 1), side(tmp_path, 2)
    async with opened(a, b):
        trusts(a, b)
        a.call("tls", b.address)
        await until(lambda: a.count(InviteTimedOut) == 1)
    assert b.count(InviteReceived) == 0
    assert f"not that of {CARRIER}" in caplog.text


async def test_a_certificate_of_another_authority_gets_no_call(
    tmp_path: Path, authority: Authority
) -> None:
    authority.issue(tmp_path, f"dns:{CARRIER}")
    other = tmp_path / "other"
    other.mkdir()
    stranger = Authority("Another Authority")
    stranger.write(other / "authorities.pem")
    stranger.issue(other, f"dns:{CARRIER}")
    a, b = side(tmp_path, 1), side(other, 2)
    async with opened(a, b):
        trusts(a, b)
        a.call("tls", b.address)
        await until(lambda: a.count(InviteTimedOut) == 1)
    assert b.count(InviteReceived) == 0


async def test_nobody_is_called_over_tls_without_a_name(
    tmp_path: Path, authority: Authority
) -> None:
    authority.issue(tmp_path, f"dns:{CARRIER}")
    a, b = side(tmp_path, 1), side(tmp_path, 2)
    async with opened(a, b):
        a.call("tls", b.address)
        await until(lambda: a.count(InviteTimedOut) == 1)
        assert len(b.pump._connections) == 0


async def test_a_changed_certificate_is_used_without_a_restart(
    tmp_path: Path, authority: Authority
) -> None:
    authority.issue(tmp_path, "dns:old.example")
    server = side(tmp_path, 1)
    async with opened(server):
        for name in ("old.example", "new.example"):
            authority.issue(tmp_path, f"dns:{name}")
            _, writer = await asyncio.open_connection(*server.address, ssl=call_to(tmp_path))
            assert subject_names(writer) == (("DNS", name),)
            writer.close()
        (tmp_path / "tls.crt").write_text("no certificate at all")
        _, writer = await asyncio.open_connection(*server.address, ssl=call_to(tmp_path))
        assert subject_names(writer) == (("DNS", "new.example"),)
        writer.close()


async def test_old_versions_are_refused(tmp_path: Path, authority: Authority) -> None:
    authority.issue(tmp_path, f"dns:{CARRIER}")
    server = side(tmp_path, 1)
    context = call_to(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with opened(server):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(*server.address, ssl=context)


async def test_tls_has_the_limits_of_tcp(tmp_path: Path, authority: Authority) -> None:
    authority.issue(tmp_path, f"dns:{CARRIER}")
    server = side(tmp_path, 1, connections_max=2, first_request_s_max=0.3)
    async with opened(server):
        silent = [await asyncio.open_connection(*server.address) for _ in range(3)]
        async with asyncio.timeout(0.25):
            assert await silent[2][0].read() == b""
        async with asyncio.timeout(2.0):
            assert await silent[0][0].read() == b""
        shaken, writer = await asyncio.open_connection(*server.address, ssl=call_to(tmp_path))
        async with asyncio.timeout(2.0):
            assert await shaken.read() == b""
        for one in (*(w for _, w in silent), writer):
            one.close()
        await until(lambda: len(server.pump._connections) == 0)


async def test_a_large_message_in_many_records_and_two_in_one(
    tmp_path: Path, authority: Authority
) -> None:
    authority.issue(tmp_path, f"dns:{CARRIER}")
    server = side(tmp_path, 1)
    async with opened(server):
        reader, writer = await asyncio.open_connection(*server.address, ssl=call_to(tmp_path))
        writer.write(OPTIONS + OPTIONS)
        await writer.drain()
        for at in range(0, len(OPTIONS), 7):
            writer.write(OPTIONS[at : at + 7])
            await writer.drain()
        seen = b""
        async with asyncio.timeout(3.0):
            while seen.count(b"SIP/2.0 200 OK") < 3:
                seen += await reader.read(65_536)
        writer.close()


@pytest.mark.parametrize("noise", [OPTIONS, b"\x16\x03\x01\xff\xff" + bytes(70), b"\x00" * 9000])
async def test_noise_ends_its_own_connection_only(
    tmp_path: Path, authority: Authority, noise: bytes
) -> None:
    authority.issue(tmp_path, f"dns:{CARRIER}")
    server = side(tmp_path, 1)
    async with opened(server):
        good, writer = await asyncio.open_connection(*server.address, ssl=call_to(tmp_path))
        bad, bad_writer = await asyncio.open_connection(*server.address)
        bad_writer.write(noise)
        with suppress(ConnectionError):
            async with asyncio.timeout(2.0):
                await bad.read()
        bad_writer.close()
        writer.write(OPTIONS)
        async with asyncio.timeout(2.0):
            assert (await good.read(4096)).startswith(b"SIP/2.0 200")
        writer.close()


def test_bad_files_are_told_at_the_start(tmp_path: Path, authority: Authority) -> None:
    settings = TlsSettings(certificate="tls.crt", key="tls.key", authorities="authorities.pem")
    with pytest.raises(SettingsError, match=r"tls\.crt.*No such file"):
        Certificates(settings, tmp_path)
    certificate, _ = authority.issue(tmp_path, f"dns:{CARRIER}")
    authority.issue(tmp_path, f"dns:{CARRIER}", stem="other")
    (tmp_path / "other.key").replace(tmp_path / "tls.key")
    with pytest.raises(SettingsError, match="key values mismatch"):
        Certificates(settings, tmp_path)
    certificate.write_text("nothing")
    with pytest.raises(SettingsError):
        Certificates(settings, tmp_path)


def test_a_tls_socket_needs_its_table() -> None:
    with pytest.raises(ValueError, match=r"needs \[transport\.tls\]"):
        TransportSettings(listen=("tls:127.0.0.1:5061",))


def test_reading_again_says_so_once(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    authority.issue(tmp_path, f"dns:{CARRIER}")
    settings = TlsSettings(certificate="tls.crt", key="tls.key", authorities="authorities.pem")
    made = Certificates(settings, tmp_path)
    before = made.contexts()
    (tmp_path / "tls.key").write_text("nothing")
    with caplog.at_level(logging.INFO):
        assert made.contexts() is before
        assert made.contexts() is before
    assert caplog.text.count("the old one stays in use") == 1
    authority.issue(tmp_path, f"dns:{CARRIER}")
    assert made.contexts() is not before
