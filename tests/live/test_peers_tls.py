"""Calls over TLS with SRTP on either leg, by the telephones of others; judged by their tones."""

import asyncio
import base64
import re
from pathlib import Path

import pytest

from tests.support.peers.linphone import linphone
from tests.support.peers.pjsua2_child import pjsua2_phone
from tests.support.peers.program import best_share, read_wave
from tests.support.peers.talk import (
    NUMBER,
    PEER_HZ,
    SHARE_MIN,
    answered_call,
    heard_in,
    hum,
    registered,
    talk,
)
from tests.support.switch_rig import within
from tests.support.tls_rig import CARRIER, TlsRig

pytestmark = [pytest.mark.live, pytest.mark.slow]

INLINE = re.compile(rb"inline:([A-Za-z0-9+/=]+)")


def keys_in(log: Path) -> set[bytes]:
    """Return every SRTP key that a peer wrote down."""
    return set(INLINE.findall(log.read_bytes()))


def assert_nowhere(keys: set[bytes], rig: TlsRig) -> None:
    """Look for keys, as text and as bytes, in everything that the switch wrote."""
    files = [Path(rig.log.name), *(p for p in rig.data.rglob("*") if p.is_file())]
    for file in files:
        data = file.read_bytes()
        for key in keys:
            assert key not in data, file
            assert base64.b64decode(key) not in data, file
            assert base64.b64decode(key).hex().encode() not in data.lower(), file


async def test_pjsua2_registers_over_tls_and_talks_under_a_key(tmp_path: Path) -> None:
    rig = TlsRig(tmp_path, terminal_srtp="required")
    async with rig, pjsua2_phone(tmp_path, authority=rig.authority) as peer:
        outside = await rig.outside()
        uri = f"sip:{rig.host};transport=tls"
        peer.order("register", f"sip:t1@{rig.host}", uri, "t1", rig.password("T1"))
        assert await peer.report("registered") == "registered 200"
        peer.order("call", f"sip:{NUMBER}@{rig.host};transport=tls")
        there = await answered_call(outside)
        await talk(rig, there)
        peer.order("hang_up")
        await within(20, there.ended)
        await peer.report("ended")
        await peer.go()
        assert heard_in(peer.heard) > SHARE_MIN
        assert (await rig.last_record())["reason"] == "caller_hangup"
        keys = keys_in(peer.heard.parent / "pjsua2.log")
        assert len(keys) >= 2
        assert_nowhere(keys, rig)


async def test_pjsua2_is_called_over_tls_and_talks_under_a_key(tmp_path: Path) -> None:
    rig = TlsRig(tmp_path, trunk_srtp="required")
    async with (
        rig,
        pjsua2_phone(
            tmp_path, port=rig.trunk_port, authority=rig.authority, domain=CARRIER
        ) as peer,
    ):
        terminal = await rig.terminal("T2")
        peer.order("wait", f"sip:+{NUMBER}@127.0.0.1:{rig.trunk_port};transport=tls")
        await peer.report("waiting")
        call = await terminal.call(NUMBER)
        await within(10, call.answered)
        hum(call)
        await peer.report("talking")
        await talk(rig, call)
        call.hang_up()
        assert await peer.report("ended") == "ended 200"
        await peer.go()
        assert heard_in(peer.heard) > SHARE_MIN
        assert (await rig.last_record())["reason"] == "caller_hangup"


async def test_linphone_and_pjsua2_talk_through_us_each_under_its_own_keys(tmp_path: Path) -> None:
    rig = TlsRig(tmp_path, trunk_srtp="required", terminal_srtp="required")
    async with (
        rig,
        pjsua2_phone(
            tmp_path, port=rig.trunk_port, authority=rig.authority, domain=CARRIER
        ) as outside,
        linphone(
            tmp_path,
            user="t1",
            host=rig.host,
            password=rig.password("T1"),
            authority=rig.authority,
        ) as peer,
    ):
        outside.order("wait", f"sip:+{NUMBER}@127.0.0.1:{rig.trunk_port};transport=tls")
        await outside.report("waiting")
        await registered(rig)
        peer.order(f"call sip:{NUMBER}@{rig.host};transport=tls")
        await outside.report("talking")
        await peer.use_files()
        await rig.until("talking", seconds=30.0)
        await asyncio.sleep(6.0)
        peer.order("terminate")
        await outside.report("ended")
        await peer.quit()
        await outside.go()
        assert best_share(read_wave(outside.heard), PEER_HZ) > SHARE_MIN
        assert best_share(read_wave(peer.heard), PEER_HZ) > SHARE_MIN
        assert (await rig.last_record())["reason"] == "caller_hangup"
        keys = keys_in(outside.heard.parent / "pjsua2.log")
        assert_nowhere(keys, rig)
