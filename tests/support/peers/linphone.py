"""linphonec as a terminal and as the outside, driven by lines on its standard input.

Over TLS it opens a new connection for its BYE, and `quit` gives that up: let it hang up first.

It needs `use_ipv6=0`, a `bind_address`, and a home of its own with `.local/share/linphone`; it
rewrites its rc.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.peers.program import needed, running, write_tone
from tests.support.peers.talk import PEER_HZ
from tests.support.switch_rig import free_port

RC = """[sip]
sip_port={port}
sip_tcp_port=0
sip_tls_port={tls}
bind_address=127.0.0.1
use_ipv6=0
guess_hostname=0
contact="{user}" <sip:{user}@127.0.0.1>
register_only_when_network_is_up=0
register_only_when_upnp_is_ok=0
{secret}
default_proxy={proxy}

[net]
firewall_policy=0
mtu=1300

[rtp]
audio_rtp_port={media}
audio_adaptive_jitt_comp_enabled=0

[sound]
echocancellation=0

[audio_codec_0]
mime=PCMU
rate=8000
channels=1
enabled=1
"""
REGISTRATION = """
[proxy_0]
reg_proxy=<sip:{host}{way}>
reg_identity=<sip:{user}@{host}>
reg_expires=300
reg_sendregister=1

[auth_info_0]
username={user}
userid={user}
passwd={password}
realm=kinline
domain={host}
"""
SECRET = """root_ca={authorities}
verify_server_certs=1
verify_server_cn=1
media_encryption=srtp
media_encryption_mandatory=1
"""
SAID_S_MAX = 30.0
MEDIA = "Media streams established"


class Linphone:
    """A running linphonec."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.heard = folder / "heard.wav"
        self._folder = folder
        self._process = process

    def order(self, line: str) -> None:
        """Type a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def use_files(self) -> None:
        """Say the tone, write down what is heard; before the call stands it hangs on this."""
        said = self._folder / "said.log"
        async with asyncio.timeout(SAID_S_MAX):
            while MEDIA not in said.read_text(errors="replace"):
                await asyncio.sleep(0.1)
        self.order(f"play {self._folder / 'tone.wav'}")
        self.order(f"record {self.heard}")

    async def quit(self) -> None:
        """End it, and with it its recording."""
        self.order("terminate")
        self.order("quit")
        async with asyncio.timeout(SAID_S_MAX):
            await self._process.wait()


@asynccontextmanager
async def linphone(
    folder: Path,
    *,
    user: str,
    host: str = "",
    password: str = "",
    port: int = 0,
    answers: bool = False,
    authority: Authority | None = None,
) -> AsyncIterator[Linphone]:
    """Run linphonec.

    Args:
        folder: of the test.
        user: who it is.
        host: where it registers; '' nowhere.
        password: with which.
        port: its SIP port; 0 takes a free one.
        answers: picks up by itself.
        authority: whom it believes: it signals over TLS and talks over SRTP, never otherwise.
    """
    program = needed("linphonec", "linphone-cli")
    folder = folder / "linphone"
    (folder / ".local" / "share" / "linphone").mkdir(parents=True)
    write_tone(folder / "tone.wav", PEER_HZ)
    secret, udp, tls = "", port or free_port(), 0
    if authority is not None:
        authority.write(folder / "authorities.pem")
        secret = SECRET.format(authorities=folder / "authorities.pem")
        udp, tls = 0, udp
    text = RC.format(
        port=udp, tls=tls, user=user, media=free_port(), proxy=0 if host else -1, secret=secret
    )
    if host:
        way = ";transport=tls" if authority is not None else ""
        text += REGISTRATION.format(host=host, user=user, password=password, way=way)
    (folder / "rc").write_text(text)
    words = [program, "-c", str(folder / "rc")]
    words += ["-a"] if answers else []
    env = {"HOME": str(folder), "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": ""}
    async with running(folder, *words, env=env) as process:
        phone = Linphone(folder, process)
        phone.order("soundcard use files")
        yield phone
