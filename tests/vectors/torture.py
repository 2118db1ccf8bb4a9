"""What we expect of each torture message, by the section of RFC 4475 that describes it.

`parser` is the verdict of `switch.sip.parser.parse` alone, `stack` what leaves the switch in the
end, when the message comes from a configured source that needs no digest.
"""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = (Path(__file__).parent / "rfc4475", ROOT.parent / "shared" / "data" / "rfc4475")

OK = 0
"""`parser`: the message is returned."""
DROP = -1
"""`parser`: `ParseDrop`. `stack`: nothing is sent."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One message."""

    section: str
    kind: str
    """V valid, R refused, L invalid and by our choice refused, D discarded, A the stack decides."""
    parser: int
    """`OK`, `DROP`, or the status of the `PeerError`."""
    stack: tuple[int, ...]
    """Final statuses that are right, the best first; `(DROP,)`: silence; empty: up to the call."""


EXPECTED = {
    "wsinv": Expected("3.1.1.1", "V", OK, (481,)),
    "intmeth": Expected("3.1.1.2", "V", OK, (501, 405)),
    "esc01": Expected("3.1.1.3", "V", OK, ()),
    "escnull": Expected("3.1.1.4", "V", OK, ()),
    "esc02": Expected("3.1.1.5", "V", OK, (501,)),
    "lwsdisp": Expected("3.1.1.6", "V", OK, (200,)),
    "longreq": Expected("3.1.1.7", "V", OK, ()),
    "dblreq": Expected("3.1.1.8", "V", OK, (200,)),
    "semiuri": Expected("3.1.1.9", "V", OK, (200,)),
    "transports": Expected("3.1.1.10", "V", OK, (200,)),
    "mpart01": Expected("3.1.1.11", "V", OK, (405,)),
    "unreason": Expected("3.1.1.12", "V", OK, (DROP,)),
    "noreason": Expected("3.1.1.13", "V", OK, (DROP,)),
    "badinv01": Expected("3.1.2.1", "R", 400, (400,)),
    "clerr": Expected("3.1.2.2", "R", 400, (400,)),
    "ncl": Expected("3.1.2.3", "R", 400, (400,)),
    "scalar02": Expected("3.1.2.4", "R", 400, (400,)),
    "scalarlg": Expected("3.1.2.5", "D", DROP, (DROP,)),
    "quotbal": Expected("3.1.2.6", "R", 400, (400,)),
    "ltgtruri": Expected("3.1.2.7", "L", 400, (400,)),
    "lwsruri": Expected("3.1.2.8", "R", 400, (400,)),
    "lwsstart": Expected("3.1.2.9", "L", 400, (400,)),
    "trws": Expected("3.1.2.10", "L", 400, (400,)),
    "escruri": Expected("3.1.2.11", "L", 400, (400,)),
    "baddate": Expected("3.1.2.12", "L", OK, ()),
    "regbadct": Expected("3.1.2.13", "L", OK, (400,)),
    "badaspec": Expected("3.1.2.14", "L", 400, (400,)),
    "baddn": Expected("3.1.2.15", "L", 400, (400,)),
    "badvers": Expected("3.1.2.16", "R", 505, (505,)),
    "mismatch01": Expected("3.1.2.17", "R", 400, (400,)),
    "mismatch02": Expected("3.1.2.18", "R", 501, (501, 400)),
    "bigcode": Expected("3.1.2.19", "D", DROP, (DROP,)),
    "badbranch": Expected("3.2.1", "A", 400, (400,)),
    "insuf": Expected("3.3.1", "A", 400, (400,)),
    "unkscm": Expected("3.3.2", "A", OK, (416,)),
    "novelsc": Expected("3.3.3", "A", OK, (416, 404)),
    "unksm2": Expected("3.3.4", "A", OK, (400,)),
    "bext01": Expected("3.3.5", "A", OK, (420,)),
    "invut": Expected("3.3.6", "A", OK, (415,)),
    "regaut01": Expected("3.3.7", "A", OK, (401, 200)),
    "multi01": Expected("3.3.8", "A", 400, (400,)),
    "mcl01": Expected("3.3.9", "A", 400, (400,)),
    "bcast": Expected("3.3.10", "D", OK, (DROP,)),
    "zeromf": Expected("3.3.11", "A", OK, (200,)),
    "cparam01": Expected("3.3.12", "A", OK, (200,)),
    "cparam02": Expected("3.3.13", "A", OK, (200,)),
    "regescrt": Expected("3.3.14", "A", OK, (200,)),
    "sdp01": Expected("3.3.15", "A", OK, (406, 400)),
    "inv2543": Expected("3.4.1", "A", OK, (400,)),
    "test": Expected("none", "D", DROP, (DROP,)),
}


def folder() -> Path | None:
    """Return where the messages are, or None."""
    return next((path for path in FOLDERS if (path / "wsinv.dat").is_file()), None)


def message(name: str) -> bytes | None:
    """Return one message, or None if the messages are not here."""
    found = folder()
    return None if found is None else (found / f"{name}.dat").read_bytes()


def messages() -> dict[str, bytes]:
    """Return every message by name; empty if the messages are not here."""
    found = folder()
    if found is None:
        return {}
    return {name: (found / f"{name}.dat").read_bytes() for name in EXPECTED}
