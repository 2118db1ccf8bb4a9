"""Whose certificate is it? Source: RFC 5922 section 7.

A certificate speaks for a SIP domain if one of its alternative names is `sip:domain`, or, where it
has no such name, `DNS:domain`; the common name counts only where there is no alternative name at
all. No wildcard: `*.example` speaks for nobody (section 7.2).
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

Certificate = Mapping[str, Any]
"""As `ssl.SSLObject.getpeercert` gives it; empty: none was proved."""


def names_of(certificate: Certificate) -> frozenset[str]:
    """Return the SIP domains and addresses that a certificate speaks for, in lower case."""
    rows = [(str(kind), str(value)) for kind, value in certificate.get("subjectAltName", ())]
    if not rows:
        common = [v for row in certificate.get("subject", ()) for k, v in row if k == "commonName"]
        return frozenset(_domain(value) for value in common[:1])
    uris = [value[4:] for kind, value in rows if kind == "URI" and value.lower().startswith("sip:")]
    if uris:
        return frozenset(_domain(uri) for uri in uris if "@" not in uri)
    return frozenset(_domain(value) for kind, value in rows if kind in {"DNS", "IP Address"})


def speaks_for(certificate: Certificate, names: frozenset[str]) -> bool:
    """Tell whether a certificate holds one of these names exactly."""
    wanted = {_domain(name) for name in names if "*" not in name}
    return bool(names_of(certificate) & wanted)


def _domain(text: str) -> str:
    """Write a name so that the same name looks the same."""
    text = text.strip().strip("[]").rstrip(".").lower()
    try:
        return str(ip_address(text))
    except ValueError:
        return text
