"""`kinline lab certificates`: an authority of our own, and certificates for a switch and a lab.

For trials on one machine only: the authority's key is thrown away as soon as it has signed, so
nobody can sign more with it, and all of it is made anew rather than renewed. Source: RFC 5280,
RFC 5922 section 7.1 (which names a certificate of SIP holds).
"""

import argparse
import datetime
import os
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from switch.clock import SystemClock

DAYS: Final = 30
"""How long they are good. Chosen: longer than any trial."""

AUTHORITIES: Final = "authorities.pem"
SWITCH: Final = "tls"
LAB: Final = "lab"
"""Names of the files, as `config/bench-srtp.toml` has them: `tls.crt`, `tls.key`, `lab.crt`, …"""


def main(argv: Sequence[str]) -> int:
    """Carry out `kinline lab certificates`; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="kinline lab certificates",
        description="Makes an authority, a certificate for a switch on ADDRESS and one for the "
        "telephones of the lab, in DATA. For trials: config/bench-srtp.toml uses them.",
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="data directory")
    parser.add_argument("--address", default="127.0.0.1", help="of both (default 127.0.0.1)")
    given = parser.parse_args(argv)
    make(given.data, given.address, wall=SystemClock().wall())
    sys.stdout.write(f"made: {given.data / AUTHORITIES}, certificates for {given.address}\n")
    return 0


def make(folder: Path, address: str, *, wall: float) -> None:
    """Write the authority's certificate, and certificate and key of the switch and of the lab."""
    folder.mkdir(parents=True, exist_ok=True)
    begins = datetime.datetime.fromtimestamp(wall, datetime.UTC) - datetime.timedelta(hours=1)
    own = ec.generate_private_key(ec.SECP256R1())
    name = _named("Kinline lab")
    authority = _begun(name, name, own.public_key(), begins).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    _write(folder / AUTHORITIES, _pem(authority.sign(own, hashes.SHA256())))
    for stem in (SWITCH, LAB):
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        made = _begun(_named(stem), name, key.public_key(), begins)
        signed = made.add_extension(names, critical=False).sign(own, hashes.SHA256())
        _write(folder / f"{stem}.crt", _pem(signed))
        _write(
            folder / f"{stem}.key",
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    begins: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=DAYS))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, data: bytes) -> None:
    """Write a file for our own eyes."""
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
