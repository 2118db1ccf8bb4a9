import re

import pytest

from switch.billing.pdf_page import COLUMNS_MAX, LINES_MAX, pdf_of


def offsets_of(pdf: bytes) -> list[int]:
    """Where the file says that its objects begin."""
    start = int(pdf.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert pdf[start : start + 5] == b"xref\n"
    return [int(n) for n in re.findall(rb"(\d{10}) 00000 n \n", pdf[start:])]


def shown(pdf: bytes) -> list[str]:
    """Every line of text, in order."""
    found = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", pdf)
    return [re.sub(rb"\\(.)", rb"\1", text).decode("cp1252") for text in found]


@pytest.mark.parametrize("count", [0, 1, LINES_MAX - 2, LINES_MAX - 1, 500])
def test_every_object_stands_where_the_table_says(count: int) -> None:
    lines = [f"line {n} (of {count}) \\" for n in range(count)]
    pdf = pdf_of(lines, title="T (1)")
    for number, offset in enumerate(offsets_of(pdf), 1):
        assert pdf[offset:].startswith(f"{number} 0 obj\n".encode())
    pages = max(1, -(-count // (LINES_MAX - 2)))
    assert f"/Count {pages} ".encode() in pdf
    assert [line for line in shown(pdf) if line.startswith("line")] == lines
    assert shown(pdf)[-1] == f"page {pages} of {pages}"


def test_each_stream_is_as_long_as_it_says() -> None:
    pdf = pdf_of(["a", "b"], title="")
    for length, body in re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", pdf, re.DOTALL):
        assert len(body) == int(length)


def test_what_the_font_cannot_say_is_a_question_mark_and_what_is_too_long_is_cut() -> None:
    assert shown(pdf_of(["Ünited € 漢", "x" * 200], title=""))[:2] == [
        "Ünited € ?",
        "x" * COLUMNS_MAX,
    ]
