import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.sip.identity import asserted_number
from switch.sip.message import Headers, Request

FROM = ("From", '"A" <sip:+15550100001@carrier.example>;tag=1')


def named(*headers: tuple[str, str]) -> str:
    return asserted_number(Request("INVITE", "sip:s@h", Headers(headers), b""))


@pytest.mark.parametrize(
    ("header", "number"),
    [
        (("P-Asserted-Identity", "<sip:+15550100002@carrier.example>"), "+15550100002"),
        (("P-Asserted-Identity", "<tel:+1-555-010-0002>"), "+15550100002"),
        (("P-Asserted-Identity", "<sip:desk@h>, <tel:15550100002>"), "15550100002"),
        (
            (
                "P-Asserted-Identity",
                "<sip:+15550100002;verstat=TN-Validation-Passed@h;user=phone>",
            ),
            "+15550100002",
        ),
        (("X", "1"), "+15550100001"),
        (("P-Asserted-Identity", "<sip:+15550100002;verstat=TN-Validation-Failed@h>"), ""),
        (("P-Asserted-Identity", "<<"), ""),
    ],
)
def test_the_asserted_number_counts_before_from(header: tuple[str, str], number: str) -> None:
    assert named(FROM, header) == number


@pytest.mark.parametrize("sender", ["<sip:anonymous@anonymous.invalid>;tag=1", "nonsense", ""])
def test_nobody_is_nobody(sender: str) -> None:
    assert named(("From", sender)) == ""


@given(st.text(max_size=100))
def test_whatever_stands_there_is_no_fault(value: str) -> None:
    named(("From", value), ("P-Asserted-Identity", value))
