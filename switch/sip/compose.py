"""Writes the responses and requests that follow from another message.

Source: RFC 3261 sections 8.2.6 (responses), 9.1 (CANCEL), 17.1.1.3 (ACK of a refusal), 12.1.1.
"""

from collections.abc import Sequence
from typing import Final

from switch.sip.headers import tag_of
from switch.sip.message import Headers, Request, Response

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, UPDATE"
"""The methods that we serve. REFER is not among them (`signalling.md` section 5)."""

REASONS: Final = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued",
    183: "Session Progress", 200: "OK", 202: "Accepted", 300: "Multiple Choices",
    301: "Moved Permanently", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone",
    413: "Request Entity Too Large", 414: "Request-URI Too Long", 415: "Unsupported Media Type",
    416: "Unsupported URI Scheme", 420: "Bad Extension", 421: "Extension Required",
    422: "Session Interval Too Small", 423: "Interval Too Brief", 469: "Bad Info Package",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
    482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous",
    486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event",
    491: "Request Pending", 493: "Undecipherable", 500: "Server Internal Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}  # fmt: skip
"""Reason phrases. RFC 3261 section 21; 469 RFC 6086; 422 RFC 4028; 489 RFC 6665."""

_COPIED: Final = ("from", "to", "call-id", "cseq")


def reason_of(status: int) -> str:
    """Return the usual reason phrase."""
    return REASONS.get(status, "Unknown")


def response_to(
    request: Request,
    status: int,
    *,
    reason: str = "",
    to_tag: str | None = None,
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """Write a response: Via, From, To, Call-ID and CSeq are those of the request.

    Args:
        request: with `received` already in its top Via.
        status: 100 to 699.
        reason: the phrase, if not the usual one.
        to_tag: put at the end of To, unless it has a tag.
        headers: what else it says.
        body: its body.
    """
    fields = [("Via", via) for via in request.headers.every("via")]
    for name in _COPIED:
        value = request.headers.get(name)
        if value is None:
            continue
        if name == "to" and to_tag is not None and not _has_tag(value):
            value = f"{value};tag={to_tag}"
        fields.append((_NAMES[name], value))
    if status == 100 and (stamp := request.headers.get("timestamp")) is not None:
        fields.append(("Timestamp", stamp))
    fields.extend(headers)
    return Response(status, reason or reason_of(status), Headers(tuple(fields)), body)


def ack_of_refusal(invite: Request, response: Response) -> Request:
    """Write the ACK of a final answer from 300 on: the INVITE's own branch, the answer's To."""
    return _same_transaction(invite, "ACK", to=response.headers.get("to"))


def cancel_of(invite: Request, reason: str = "") -> Request:
    """Write the CANCEL of an INVITE of ours."""
    request = _same_transaction(invite, "CANCEL", to=None)
    if not reason:
        return request
    return Request("CANCEL", request.uri, request.headers.plus([("Reason", reason)]))


_NAMES: Final = {"from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}


def _same_transaction(invite: Request, method: str, *, to: str | None) -> Request:
    headers = invite.headers
    number = (headers.get("cseq") or "1").split()[0]
    fields = [
        ("Via", headers.get("via") or ""),
        *[("Route", route) for route in headers.every("route")],
        ("Max-Forwards", "70"),
        ("From", headers.get("from") or ""),
        ("To", to or headers.get("to") or ""),
        ("Call-ID", headers.get("call-id") or ""),
        ("CSeq", f"{number} {method}"),
    ]
    return Request(method, invite.uri, Headers(tuple(fields)))


def _has_tag(value: str) -> bool:
    return "tag" in value and tag_of(value) is not None
