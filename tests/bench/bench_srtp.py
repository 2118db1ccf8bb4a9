"""What SRTP on both legs adds to a packet: the compiled path over real sockets, side by side.

    python -m tests.bench.bench_srtp [--calls 50] [--rounds 100]

Each round, every telephone sends a packet and the path serves them all, first in the clear, then
under each suite; counted is the processor time of this thread inside the path only. Opening and
closing are both in it. The median of the rounds counts.
"""

import argparse
import json
import select
import socket
import statistics
import sys
import time
from random import Random

from switch.ids import LegId
from switch.media import legs as legs_module
from switch.media import wire
from switch.media.beat import PACKETS_BURST
from switch.media.pump import pump
from switch.media.seats import Seats
from switch.rtp import packet
from switch.rtp.packet import RtpPacket
from switch.rtp.srtp_suite import MasterKey, Suite, secret_bytes
from tests.support.srtp_far_end import SrtpFarEnd

PAYLOAD = bytes(range(160))

BLOCK_ROUNDS, WARM_ROUNDS = 20, 4
"""Rounds in a row under one suite, and those of them that only warm its sessions: a switch uses one
suite, so that those of others do not push it out of the caches."""


class Path:
    """N joined calls and their telephones.

    Args:
        calls: how many.
        suite: of both legs of each; None: in the clear.
    """

    def __init__(self, calls: int, suite: Suite | None) -> None:
        self.calls = calls
        self.legs = legs_module.build(legs_max=2 * calls, rows_max=1)
        self.epoll = select.epoll()
        self.seats = Seats(self.legs, self.epoll)
        self.phones = [_socket() for _ in range(2 * calls)]
        self.ours: list[int] = []
        self.ciphers: list[SrtpFarEnd | None] = []
        self.sequence = 0
        random = Random(1)
        for number, phone in enumerate(self.phones):
            self._open(number, phone, suite, random)
        for number in range(2 * calls):
            self.legs.peer[number] = number ^ 1
        self.legs.until_ns[:] = 1 << 62

    def _open(self, number: int, phone: socket.socket, suite: Suite | None, random: Random) -> None:
        rtp, rtcp = _socket(), _socket()
        self.ours.append(rtp.getsockname()[1])
        leg = LegId(number)
        order = wire.OpenLeg(leg, "PCMU", "127.0.0.1", self.ours[-1], number + 1, 1, 1)
        seat = self.seats.open(order, [rtp.detach(), rtcp.detach()])
        srtp, cipher = None, None
        if suite is not None:
            ours, theirs = (random.randbytes(secret_bytes(suite)) for _ in range(2))
            srtp = wire.Srtp(suite.value, ours, theirs)
            cipher = SrtpFarEnd(sends=MasterKey(suite, theirs), hears=MasterKey(suite, ours))
        self.ciphers.append(cipher)
        self.seats.set_remote(
            seat,
            wire.SetRemote(
                leg, "127.0.0.1", phone.getsockname()[1], "PCMU", 0, 0, -1, -1, -1, True, "", [],
                srtp=srtp,
            ),
            now=0.0,
        )  # fmt: skip

    def round(self) -> float:
        """Let every telephone say one packet; return what each cost the path, in us."""
        self.sequence += 1
        for number, phone in enumerate(self.phones):
            head = RtpPacket(0, self.sequence, 160 * self.sequence, 1000 + number, PAYLOAD)
            data, cipher = packet.build(head), self.ciphers[number]
            protected = cipher.protect(data) if cipher is not None else data
            phone.sendto(protected, ("127.0.0.1", self.ours[number]))
        self.legs.tokens[:] = PACKETS_BURST
        began = time.thread_time_ns()
        pump(self.legs, self.epoll.fileno(), 0)
        spent_us = (time.thread_time_ns() - began) / 1e3
        heard = sum(len(phone.recv(2048)) > 0 for phone in self.phones)
        return spent_us / heard

    def close(self) -> None:
        """Close every socket."""
        for seat in list(self.seats.by_leg.values()):
            self.seats.close(seat)
        for phone in self.phones:
            phone.close()
        self.epoll.close()


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


def main() -> None:
    """Measure every suite beside the clear."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    paths = {suite: Path(options.calls, suite) for suite in (None, *Suite)}
    spent: dict[Suite | None, list[float]] = {suite: [] for suite in paths}
    for _ in range(options.rounds // BLOCK_ROUNDS):
        for suite, path in paths.items():
            spent[suite] += [path.round() for _ in range(BLOCK_ROUNDS)][WARM_ROUNDS:]
    for path in paths.values():
        path.close()
    plain = statistics.median(spent[None])
    for suite in Suite:
        under = statistics.median(spent[suite])
        line = {
            "bench": "srtp",
            "suite": suite.value,
            "calls": options.calls,
            "legs_under_a_key": 2,
            "us_per_packet": round(under, 2),
            "plain_us_per_packet": round(plain, 2),
            "added_us_per_packet": round(under - plain, 2),
            "times_plain": round(under / plain, 2),
        }
        sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
