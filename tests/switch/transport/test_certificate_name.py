"""RFC 5922 section 7: which names of a certificate count."""

from typing import Any

import pytest

from switch.transport.certificate_name import names_of, speaks_for


def certificate(*names: tuple[str, str], common: str = "carrier.example") -> dict[str, Any]:
    return {"subject": ((("commonName", common),),), "subjectAltName": names}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((("DNS", "Carrier.Example"),), {"carrier.example"}),
        ((("URI", "sip:carrier.example"), ("DNS", "other.example")), {"carrier.example"}),
        ((("URI", "https://carrier.example"), ("DNS", "other.example")), {"other.example"}),
        ((("URI", "sip:me@carrier.example"),), set()),
        ((("IP Address", "192.0.2.7"),), {"192.0.2.7"}),
        ((("IP Address", "2001:DB8:0:0:0:0:0:7"),), {"2001:db8::7"}),
        ((), {"carrier.example"}),
        ((("email", "me@carrier.example"),), set()),
    ],
)
def test_the_names_that_count(names: tuple[tuple[str, str], ...], found: set[str]) -> None:
    assert names_of(certificate(*names)) == found


@pytest.mark.parametrize(
    ("have", "want", "good"),
    [
        ("carrier.example", "CARRIER.example.", True),
        ("carrier.example", "sip.carrier.example", False),
        ("*.carrier.example", "sip.carrier.example", False),
        ("*.carrier.example", "*.carrier.example", False),
        ("carrier.example.evil.example", "carrier.example", False),
    ],
)
def test_only_the_very_name_will_do(have: str, want: str, good: bool) -> None:
    assert speaks_for(certificate(("DNS", have)), frozenset({want})) is good


def test_no_certificate_speaks_for_nobody() -> None:
    assert not speaks_for({}, frozenset({"carrier.example"}))
    assert not speaks_for(certificate(("DNS", "carrier.example")), frozenset())
