"""baresip as a terminal and as the outside. It knows MD5 only, and no session timer or PRACK.

`net_interface lo` fails where 127.0.0.1 works. The module sndfile writes what was decoded, as it
comes, to a file whose name ends in `-dec.wav`.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from tests.support.peers.program import needed, running, write_tone
from tests.support.peers.talk import PEER_HZ

CONFIG = """
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
rtp_ports {media}-{media_last}
audio_source aufile,{folder}/tone.wav
audio_player aubridge,nul
audio_alert aubridge,nul
snd_path {folder}
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
"""
MODULES = ("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules")


def baresip(
    folder: Path, account: str, *, port: int, media: int, dial: str = ""
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """Run baresip.

    Args:
        folder: of the test.
        account: its line of the file `accounts`.
        port: its SIP port; it takes the next one too, for TLS.
        media: its first RTP port.
        dial: the URI to call; '' waits and answers.
    """
    program = needed("baresip", "baresip-core")
    folder = folder / "baresip"
    folder.mkdir(parents=True)
    write_tone(folder / "tone.wav", PEER_HZ)
    modules = next((path for path in MODULES if Path(path).is_dir()), MODULES[0])
    (folder / "config").write_text(
        CONFIG.format(port=port, media=media, media_last=media + 20, folder=folder, modules=modules)
    )
    (folder / "accounts").write_text(account + "\n")
    words = ["-e", f"d {dial}"] if dial else []
    return running(folder, program, "-4", "-f", str(folder), "-t", "90", *words)


def heard(folder: Path) -> Path | None:
    """Return the recording, once there is one."""
    return next(iter(sorted((folder / "baresip").glob("*-dec.wav"))), None)
