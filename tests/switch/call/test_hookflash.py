import pytest

from switch.call.hookflash import flash_form, key_of


@pytest.mark.parametrize(
    ("content_type", "body", "form"),
    [
        ("application/hook-flash", b"signal=hf", 2),
        ("application/hook-flash", b"", 2),
        ("application/dtmf-relay", b"Signal=16\r\nDuration=160\r\n", 3),
        ("application/dtmf-relay", b"Signal= !\r\n", 3),
        ("application/broadsoft; version=1.0", b"event flashhook", 4),
        ("application/sscc", b"event=flashhook", 5),
    ],
)
def test_each_form_of_a_flash_is_recognised(content_type: str, body: bytes, form: int) -> None:
    assert flash_form(content_type, body) == form


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n"),
        ("application/broadsoft", b"play tone CallWaitingTone1"),
        ("text/plain", b"event=flashhook"),
        ("", b""),
    ],
)
def test_what_is_no_flash_is_none(content_type: str, body: bytes) -> None:
    assert flash_form(content_type, body) is None


@pytest.mark.parametrize(
    ("content_type", "body", "key"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", b"Signal=*\r\n", "*"),
        ("application/dtmf-relay", b"Signal=11\r\n", "#"),
        ("application/dtmf", b"7", "7"),
        ("application/dtmf-relay", b"Signal=16\r\n", None),
        ("application/sdp", b"Signal=5", None),
    ],
)
def test_a_key_in_an_info(content_type: str, body: bytes, key: str | None) -> None:
    assert key_of(content_type, body) == key
