import msgspec
import pytest

from switch.web.settings import WebSettings


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('host = "0.0.0.0"', "certificate_file is needed"),
        ('certificate_file = "a.pem"', "belong together"),
        ('public_origin = "switch.example"', "scheme and host"),
        ('public_origin = "https://switch.example/ops"', "scheme and host"),
        ("port = 70000", "`int` <= 65535"),
        ("prot = 1", "unknown field `prot`"),
    ],
)
def test_what_would_fail_later_is_refused_now(text: str, fault: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=fault):
        msgspec.toml.decode(text, type=WebSettings)


def test_https_anywhere_in_front_of_us_counts_as_secure() -> None:
    assert not WebSettings().is_secure
    assert WebSettings(public_origin="https://switch.example").is_secure
    assert WebSettings(certificate_file="a.pem", key_file="k.pem").is_secure
