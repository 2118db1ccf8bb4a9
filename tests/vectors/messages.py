"""SIP messages of our own: one plain INVITE, and ways to change it."""

SDP = (
    b"v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
)

FIELDS = {
    "Via": "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKPj6a8a7a",
    "Max-Forwards": "70",
    "From": '"Line 1" <sip:line1@192.0.2.9>;tag=a73kszlfl',
    "To": "<sip:15550100@192.0.2.9>",
    "Contact": "<sip:line1@192.0.2.1:5060;ob>",
    "Call-ID": "f81d4fae7dec11d0a76500a0c91e6bf6",
    "CSeq": "19771 INVITE",
    "Content-Type": "application/sdp",
}


def request(
    *extra: str, line: str = "INVITE sip:15550100@192.0.2.9 SIP/2.0", body: bytes = SDP,
    length: str | None = None, **changed: str | None
) -> bytes:  # fmt: skip
    """Return the INVITE with header lines added, changed (`call_id=…`) or left out (None)."""
    fields = dict(FIELDS)
    for key, value in changed.items():
        name = {"cseq": "CSeq", "call_id": "Call-ID"}.get(key, key.replace("_", "-").title())
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    lines = [line, *(f"{name}: {value}" for name, value in fields.items()), *extra]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def response(
    *extra: str, line: str = "SIP/2.0 200 OK", body: bytes = SDP, **changed: str | None
) -> bytes:
    """Return a 200 to the INVITE, changed in the same way."""
    changed.setdefault("to", "<sip:15550100@192.0.2.9>;tag=x1")
    return request(*extra, line=line, body=body, length=None, **changed)
