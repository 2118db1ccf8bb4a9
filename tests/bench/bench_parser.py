"""How long one INVITE with SDP takes to read and to write.

python -m tests.bench.bench_parser
"""

import json
import sys
import timeit

from switch.sdp import parser as sdp_parser
from switch.sip.parser import build, parse
from tests.vectors.messages import request

ROUNDS = 5000
EXTRA = (
    "Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, OPTIONS",
    "Supported: replaces, 100rel, timer, norefersub",
    "Session-Expires: 1800",
    "Min-SE: 90",
    "User-Agent: bench",
)


def main() -> None:
    """Print microseconds, the best of five."""
    data = request(*EXTRA)
    message = parse(data)
    jobs = {
        "parse": lambda: parse(data),
        "build": lambda: build(message),
        "sdp_parse": lambda: sdp_parser.parse(message.body),
    }
    for name, job in jobs.items():
        best = min(timeit.repeat(job, number=ROUNDS, repeat=5))
        figure = {"bench": f"sip_{name}", "us": round(best / ROUNDS * 1e6, 1), "bytes": len(data)}
        sys.stdout.write(json.dumps(figure) + "\n")


if __name__ == "__main__":
    main()
