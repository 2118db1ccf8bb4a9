"""A UDP relay between a peer and the switch that loses, repeats, delays and reorders, by seed.

    peer <--> front, which it takes for the switch; back, taken for the peer <--> switch

One relay serves one peer address, so that the switch sees each peer at a port of its own. In Via
and Contact the addresses are exchanged, or requests inside a dialog would go round the relay. A
message is never lost more than three times in a row: SIP's timers are made for that much.
"""

import asyncio
import re
import socket
import threading
from collections import Counter
from random import Random

LOST_IN_A_ROW_MAX = 3
ADDRESSED = re.compile(rb"^(via|v|contact|m)[ \t]*:[^\r]*", re.IGNORECASE | re.MULTILINE)


class LossyRelay:
    """Runs on a thread of its own until closed.

    Args:
        switch: where the switch listens.
        peer: where the peer listens: what the switch sends goes there.
        seed: of all luck; each direction has its own.
        loss: probability that a datagram is lost.
        duplicates: probability that it arrives twice.
        delay_s: most that it is held back, evenly spread; hence reordering.
        front_port: where the peer sends to; 0 takes a free one.
        back_port: where the switch sees the peer; 0 takes a free one.
    """

    def __init__(
        self,
        switch: tuple[str, int],
        peer: tuple[str, int],
        *,
        seed: int,
        loss: float = 0.2,
        duplicates: float = 0.05,
        delay_s: float = 0.05,
        front_port: int = 0,
        back_port: int = 0,
    ) -> None:
        self._loss, self._duplicates, self._delay_s = loss, duplicates, delay_s
        self._sockets = [_bound(peer[0], front_port), _bound(switch[0], back_port)]
        self.front, self.back = (found.getsockname()[:2] for found in self._sockets)
        self._targets = [switch, peer]
        names = [_name(at) for at in (peer, self.front, switch, self.back)]
        self._renamed = [
            {names[0]: names[3], names[1]: names[2]},
            {names[3]: names[0], names[2]: names[1]},
        ]
        self._luck = [Random(f"{seed} to the switch"), Random(f"{seed} to the peer")]
        self._lost_in_a_row: Counter[tuple[int, bytes]] = Counter()
        self.carried = self.lost = self.doubled = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "LossyRelay":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for found in self._sockets:
            found.close()

    def _run(self) -> None:
        for side, found in enumerate(self._sockets):
            self._loop.add_reader(found.fileno(), self._readable, side)
        self._loop.run_forever()
        for found in self._sockets:
            self._loop.remove_reader(found.fileno())

    def _readable(self, side: int) -> None:
        for _ in range(64):
            try:
                data, _ = self._sockets[side].recvfrom(65_535)
            except OSError:
                return
            self._carry(side, data)

    def _carry(self, side: int, data: bytes) -> None:
        luck, key = self._luck[side], (side, _identity(data))
        if luck.random() < self._loss and self._lost_in_a_row[key] < LOST_IN_A_ROW_MAX:
            self._lost_in_a_row[key] += 1
            self.lost += 1
            return
        self._lost_in_a_row.pop(key, None)
        copies = 2 if luck.random() < self._duplicates else 1
        self.doubled += copies - 1
        for _ in range(copies):
            self.carried += 1
            self._loop.call_later(luck.random() * self._delay_s, self._send, side, data)

    def _send(self, side: int, data: bytes) -> None:
        try:
            self._sockets[1 - side].sendto(self._rename(side, data), self._targets[side])
        except OSError:
            self.lost += 1

    def _rename(self, side: int, data: bytes) -> bytes:
        names = self._renamed[side]
        either = re.compile(b"|".join(re.escape(name) + rb"(?!\d)" for name in names))
        head, blank, body = data.partition(b"\r\n\r\n")
        head = ADDRESSED.sub(lambda line: either.sub(lambda at: names[at[0]], line[0]), head)
        return head + blank + body


def _name(address: tuple[str, int]) -> bytes:
    host, port = address
    return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").encode()


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((host, port))
    made.setblocking(False)
    return made


def _identity(data: bytes) -> bytes:
    """What the sendings of one message share: start line, branch, CSeq."""
    lines = data.split(b"\r\n\r\n")[0].split(b"\r\n")
    return b"|".join([lines[0], *(one for one in lines if one[:4].lower() in {b"via:", b"cseq"})])
