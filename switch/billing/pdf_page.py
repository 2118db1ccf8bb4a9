"""Lines of text as a PDF: one built-in font, nothing else. Pure.

Source: ISO 32000-1:2008 (PDF 1.7), sections 7.5 (file structure), 7.7.3 (pages), 9.6.2.2 (the
fonts that every reader has). Courier, because columns of amounts then stand under each other.
"""

from collections.abc import Sequence
from typing import Final

WIDTH_PT, HEIGHT_PT = 612, 792
"""US Letter, in points of 1/72 inch."""

MARGIN_PT: Final = 36
"""Half an inch. Chosen: every printer can do that."""

FONT_PT: Final = 9
"""Chosen: 100 characters of Courier (0.6 of its size each) fit between the margins."""

LEADING_PT: Final = 12
"""From line to line. Chosen."""

LINES_MAX: Final = (HEIGHT_PT - 2 * MARGIN_PT) // LEADING_PT
"""On one page."""

COLUMNS_MAX: Final = int((WIDTH_PT - 2 * MARGIN_PT) / (0.6 * FONT_PT))


def pdf_of(lines: Sequence[str], *, title: str) -> bytes:
    """Lay text on as many pages as it needs, each with its number at the foot.

    Args:
        lines: what does not fit into `COLUMNS_MAX` characters is cut; what Latin-1 cannot say
            becomes a question mark.
        title: of the document.
    """
    room = LINES_MAX - 2
    pages = [lines[n : n + room] for n in range(0, len(lines), room)] or [[]]
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        _page_tree(len(pages)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
        b"<< /Title " + _string(title) + b" /Producer (Kinline) >>",
    ]
    for n, page in enumerate(pages):
        foot = f"page {n + 1} of {len(pages)}"
        objects += _page([*page, *[""] * (room - len(page)), "", foot], 5 + 2 * n + 1)
    return _file(objects)


def _page_tree(count: int) -> bytes:
    kids = " ".join(f"{5 + 2 * n} 0 R" for n in range(count))
    return f"<< /Type /Pages /Count {count} /Kids [{kids}] >>".encode()


def _page(lines: Sequence[str], content: int) -> list[bytes]:
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH_PT} {HEIGHT_PT}]"
        f" /Resources << /Font << /F1 3 0 R >> >> /Contents {content} 0 R >>"
    )
    start = f"BT /F1 {FONT_PT} Tf {LEADING_PT} TL {MARGIN_PT} {HEIGHT_PT - MARGIN_PT} Td\n"
    shown = b"".join(_string(line[:COLUMNS_MAX]) + b" Tj T*\n" for line in lines)
    stream = start.encode() + shown + b"ET"
    body = f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream"
    return [page.encode(), body]


def _string(text: str) -> bytes:
    said = text.encode("cp1252", errors="replace")
    for sign in (b"\\", b"(", b")"):
        said = said.replace(sign, b"\\" + sign)
    return b"(" + said + b")"


def _file(objects: Sequence[bytes]) -> bytes:
    """Number the objects, and say at the end where each begins."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R >>\n".encode()
    return bytes(out + f"startxref\n{table}\n%%EOF\n".encode())
