"""A load of RTP: every telephone sends 50 packets a second, spread over the tick.

The first PROBES legs carry the time of sending and are read all the time: what comes out of their
other side says how long the switch kept it.
"""

import json
import socket
import sys

import numpy as np
from numba import njit

from switch.media.legs import Bytes, Int32, Int64
from switch.media.libc import (
    CLOCK_MONOTONIC,
    MSG_DONTWAIT,
    clock_gettime,
    recvfrom,
    sendto,
)

SLOTS = 20
SLOT_NS = 1_000_000
TICK_NS = 20_000_000
PROBES = 8
PACKET_BYTES = 172
LATE_NS = 5_000_000
SENT, RECEIVED, LATE, TIMED = range(4)
"""Places in `counts`."""


@njit(cache=True, nogil=True)
def now_ns(time: Int64) -> int:
    clock_gettime(CLOCK_MONOTONIC, time.ctypes.data)
    return int(time[0] * 1_000_000_000 + time[1])


@njit(cache=True, nogil=True)
def hear(fd: int, buffer: Bytes, counts: Int64, kept_ns: Int64, time: Int64) -> bool:
    """Read one packet of a probe; note how old it is."""
    if recvfrom(fd, buffer.ctypes.data, 2048, MSG_DONTWAIT, 0, 0) != PACKET_BYTES:
        return False
    counts[RECEIVED] += 1
    stamp = np.int64(0)
    for k in range(8):
        stamp |= np.int64(buffer[12 + k]) << (8 * k)
    if stamp > 0 and counts[TIMED] < kept_ns.size:
        kept_ns[counts[TIMED]] = now_ns(time) - stamp
        counts[TIMED] += 1
    return True


@njit(cache=True, nogil=True)
def write_header(packet: Bytes, tick: int, ssrc: int) -> None:
    packet[0] = 0x80
    packet[2] = (tick >> 8) & 255
    packet[3] = tick & 255
    for k in range(4):
        packet[4 + k] = (tick * 160 >> (24 - 8 * k)) & 255
        packet[8 + k] = (ssrc >> (24 - 8 * k)) & 255


@njit(cache=True, nogil=True)
def talk(  # noqa: PLR0917 - compiled: no keyword-only arguments there
    fds: Int32, targets: Bytes, ticks: int, counts: Int64, kept_ns: Int64, time: Int64
) -> None:
    """Send `ticks` packets from every leg, read what arrives."""
    n = fds.size
    probes = min(PROBES, n)
    packet = np.full(PACKET_BYTES, 0xFF, np.uint8)
    buffer = np.zeros(2048, np.uint8)
    packet[1] = 0
    begin = now_ns(time)
    for tick in range(ticks):
        for slot in range(SLOTS):
            due = begin + tick * TICK_NS + slot * SLOT_NS
            now = now_ns(time)
            counts[LATE] += now > due + LATE_NS
            while now < due:
                for p in range(probes):
                    hear(fds[p], buffer, counts, kept_ns, time)
                now = now_ns(time)
            for i in range(slot * n // SLOTS, (slot + 1) * n // SLOTS):
                write_header(packet, tick, i + 1)
                packet[12:20] = 0xFF
                if (i ^ 1) < probes:
                    stamp = now_ns(time)
                    for k in range(8):
                        packet[12 + k] = (stamp >> (8 * k)) & 255
                sendto(
                    fds[i],
                    packet.ctypes.data,
                    PACKET_BYTES,
                    MSG_DONTWAIT,
                    targets[i].ctypes.data,
                    16,
                )
                counts[SENT] += 1
                while i >= probes:
                    size = recvfrom(fds[i], buffer.ctypes.data, 2048, MSG_DONTWAIT, 0, 0)
                    if size < 0:
                        break
                    counts[RECEIVED] += size == PACKET_BYTES


@njit(cache=True, nogil=True)
def bare(fds: Int32, target: Bytes, rounds: int, time: Int64) -> int:
    """One sendto and one recv on one hot pair, ns: what no relay can go below."""
    buffer = np.zeros(PACKET_BYTES, np.uint8)
    begin = now_ns(time)
    for _ in range(rounds):
        for _ in range(100):
            sendto(fds[0], buffer.ctypes.data, PACKET_BYTES, MSG_DONTWAIT, target.ctypes.data, 16)
        for _ in range(100):
            recvfrom(fds[1], buffer.ctypes.data, PACKET_BYTES, MSG_DONTWAIT, 0, 0)
    return (now_ns(time) - begin) // (rounds * 100)


def sockaddr(port: int) -> Bytes:
    found = np.zeros(16, np.uint8)
    found[:8] = (2, 0, port >> 8, port & 255, 127, 0, 0, 1)
    return found


def sockets(count: int) -> list[socket.socket]:
    found = []
    for _ in range(count):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
        found.append(one)
    return found


def floor_us() -> float:
    pair, time = sockets(2), np.zeros(2, np.int64)
    fds = np.array([one.fileno() for one in pair], np.int32)
    target = sockaddr(pair[1].getsockname()[1])
    bare(fds, target, 1, time)
    best = min(int(bare(fds, target, 200, time)) for _ in range(5))
    for one in pair:
        one.close()
    return best / 1000


def say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Say our ports; read the switch's; talk; say what came of it. JSON lines, both ways."""
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    telephones = sockets(count)
    fds = np.array([one.fileno() for one in telephones], np.int32)
    time, counts = np.zeros(2, np.int64), np.zeros(4, np.int64)
    kept_ns = np.zeros(200_000, np.int64)
    talk(fds[:0], np.zeros((0, 16), np.uint8), 1, counts, kept_ns, time)
    say([one.getsockname()[1] for one in telephones])
    targets = np.stack([sockaddr(port) for port in json.loads(sys.stdin.readline())])
    talk(fds, targets, 50, counts, kept_ns, time)
    counts[:] = 0
    floor = floor_us()
    say("begin")
    talk(fds, targets, round(seconds * 50), counts, kept_ns, time)
    say("end")
    kept_ms = np.sort(kept_ns[: counts[TIMED]]) / 1e6
    result = {
        "sent": int(counts[SENT]),
        "delivered": round(int(counts[RECEIVED]) / int(counts[SENT]), 4),
        "late_slots": int(counts[LATE]),
        "floor_us": round((floor + floor_us()) / 2, 2),
        "added_latency_ms": {
            "p50": round(float(kept_ms[len(kept_ms) // 2]), 2),
            "p99": round(float(kept_ms[int(len(kept_ms) * 0.99)]), 2),
            "max": round(float(kept_ms[-1]), 2),
        },
    }
    say(result)


if __name__ == "__main__":
    main()
