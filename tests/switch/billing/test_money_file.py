"""A file of payments: read line by line, added up exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.billing.money_file import LINES_MAX, add_up, read_lines
from switch.errors import UserError

HEAD = "line,payee,amount\n"


def faults(body: str) -> list[str]:
    return [line.fault for line in read_lines(HEAD + body)]


def test_a_line_is_a_name_a_payee_and_an_amount() -> None:
    (line,) = read_lines(HEAD + "R-1, 100042 ,20.05\r\n\n")
    assert (line.ref, line.payee, line.amount, line.fault) == ("R-1", "100042", 20_050_000, "")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("R-1,100042", "2 fields"),
        ("R-1,100042,20.00,x", "4 fields"),
        (",100042,20.00", "no name"),
        ("R-1,,20.00", "no payee"),
        ("R-1,100042,20", "no amount"),
        ("R-1,100042,-20.00", "no amount"),
        ("R-1,100042,1e3", "no amount"),
        ("R-1,100042,20.005", "no amount"),
        ("R-1,100042,0.00", "nothing"),
    ],
)
def test_a_bad_line_is_rejected_and_no_other(row: str, fault: str) -> None:
    found = faults(f"{row}\nR-2,100042,1.00\n")
    assert fault in found[0]
    assert found[1] == ""


def test_the_same_name_twice_counts_once() -> None:
    assert faults("R-1,a,1.00\nR-1,a,1.00\n") == ["", "the same name twice in this file"]


@pytest.mark.parametrize("text", ["", "a,b\n", '"', HEAD + "R,p,1.00\n" * (LINES_MAX + 1)])
def test_what_is_no_such_file_is_refused_whole(text: str) -> None:
    with pytest.raises(UserError):
        read_lines(text)


@given(text=st.text(max_size=200))
def test_no_text_is_an_accident(text: str) -> None:
    try:
        lines = read_lines(HEAD + text)
    except UserError:
        return
    sums = add_up(lines)
    assert sums.accepted + sums.rejected == len(lines)
    assert sums.accepted_micros + sums.rejected_micros == sum(line.amount for line in lines)
