"""Certificates for trials: whether a telephone would believe the switch that has them."""

import ssl
from pathlib import Path

from switch.clock import SystemClock
from switch.lab.certificates import AUTHORITIES, DAYS, LAB, SWITCH, make
from switch.transport.certificate_name import speaks_for

WALL = 1_795_000_000.0


def handshake(folder: Path, *, server: str, client: str) -> ssl.SSLObject:
    """Shake hands in memory; return the client's side."""
    contexts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    contexts[1].check_hostname = False
    for context, stem in zip(contexts, (server, client), strict=True):
        context.load_cert_chain(folder / f"{stem}.crt", folder / f"{stem}.key")
        context.load_verify_locations(folder / AUTHORITIES)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        contexts[0].wrap_bio(to_server, to_client, server_side=True),
        contexts[1].wrap_bio(to_client, to_server),
    )
    for _ in range(4):
        for end in reversed(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[1]


def test_the_switch_and_the_lab_believe_each_other(tmp_path: Path) -> None:
    make(tmp_path, "127.0.0.1", wall=SystemClock().wall())
    for server, client in ((SWITCH, LAB), (LAB, SWITCH)):
        certificate = handshake(tmp_path, server=server, client=client).getpeercert()
        assert certificate
        assert speaks_for(certificate, frozenset({"127.0.0.1"}))
        assert not speaks_for(certificate, frozenset({"127.0.0.2"}))


def test_they_are_for_our_own_eyes_and_made_anew_each_time(tmp_path: Path) -> None:
    make(tmp_path, "::1", wall=WALL)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == {
        AUTHORITIES,
        *(f"{s}.{e}" for s in (SWITCH, LAB) for e in ("crt", "key")),
    }
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    make(tmp_path, "::1", wall=WALL)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert all(before[name] != after[name] for name in before)
    assert DAYS < 60
