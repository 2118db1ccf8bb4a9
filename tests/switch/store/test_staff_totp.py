import base64

import pytest

from switch.store import staff_totp

SECRET = b"12345678901234567890"
"""RFC 6238 appendix B."""


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
        (2000000000, "279037"), (20000000000, "353130"),
    ],
)  # fmt: skip
def test_the_codes_of_the_standard(at: int, code: str) -> None:
    assert staff_totp.code_at(SECRET, at // 30) == code
    assert staff_totp.step_of(SECRET, code, at_wall=at) == at // 30


def test_a_code_is_good_one_step_to_either_side_and_no_further() -> None:
    code = staff_totp.code_at(SECRET, 100)
    good = [step for step in range(97, 104) if staff_totp.step_of(SECRET, code, at_wall=step * 30)]
    assert good == [99, 100, 101]


@pytest.mark.parametrize(
    "code", ["", "28708", "2870821", "abcdef", "\uff12\uff18\uff17\uff10\uff18\uff12", "\0" * 6]
)
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert staff_totp.step_of(SECRET, code, at_wall=59) is None


def test_a_secret_opens_with_its_key_and_for_its_name_only() -> None:
    key, other = b"k" * 32, b"o" * 32
    sealed = staff_totp.seal(SECRET, key=key, name="lee")
    assert SECRET not in sealed
    assert staff_totp.unseal(sealed, key=key, name="lee") == SECRET
    assert staff_totp.unseal(sealed, key=other, name="lee") is None
    assert staff_totp.unseal(sealed, key=key, name="watch") is None
    assert staff_totp.unseal(b"short", key=key, name="lee") is None


def test_an_app_reads_the_same_secret_from_the_address() -> None:
    secret = staff_totp.new_secret()
    assert len(secret) == 20
    address = staff_totp.uri(secret, name="lee@north")
    assert address.startswith("otpauth://totp/Kinline:lee%40north?secret=")
    typed = address.split("secret=")[1].split("&")[0]
    assert base64.b32decode(typed) == secret
