"""SIPp as a terminal and as the outside: scenarios of ours, sound streamed or echoed."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal

from switch.lab import sounds
from tests.support.peers.program import needed, running
from tests.support.peers.talk import PEER_HZ
from tests.support.switch_rig import free_port

SCENARIOS = Path(__file__).parent / "sipp"
Sound = Literal["streams", "echoes"]
STREAM = '<nop><action><exec rtp_stream="tone.ulaw,-1,0,PCMU/8000"/></action></nop>'
"""What it sends comes from its stream's own port, so that is the one to offer."""


def sipp(
    folder: Path,
    scenario: Literal["register", "terminal", "outside"],
    *words: str,
    sound: Sound,
    port: int = 0,
    calls: int = 1,
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """Run SIPp until it has had its calls.

    Args:
        folder: of the test.
        scenario: which end it plays.
        words: more arguments: the switch's address, the number, user and password.
        sound: whether it streams a tone or echoes what it hears.
        port: its SIP port; 0 takes a free one.
        calls: how many.
    """
    program = needed("sipp", "sip-tester")
    folder = folder / f"sipp-{scenario}"
    folder.mkdir(parents=True, exist_ok=True)
    text = (SCENARIOS / f"{scenario}.xml").read_text()
    offered = "[rtpstream_audio_port]" if sound == "streams" else "[media_port]"
    text = text.replace("m=audio AUDIO_PORT", f"m=audio {offered}")
    text = text.replace("<!-- AUDIO -->", STREAM if sound == "streams" else "")
    (folder / "scenario.xml").write_text(text)
    (folder / "tone.ulaw").write_bytes(sounds.encode(sounds.tone([PEER_HZ], 60.0, 0.3)))
    media = free_port()
    return running(
        folder, program, "-sf", "scenario.xml", *words,
        "-i", "127.0.0.1", "-p", str(port or free_port()), "-m", str(calls), "-l", str(calls),
        "-mi", "127.0.0.1", "-mp", str(media),
        *(["-rtp_echo"] if sound == "echoes" else []),
        "-nostdin", "-trace_err", "-timeout", "90", "-default_behaviors", "all,-abortunexp",
    )  # fmt: skip
