"""Who calls us from outside, as far as a trunk vouches for it. Pure.

Anybody can write any number into From, so a number counts only from a trunk inside our trust
domain (RFC 3325 section 3), and not if the carrier itself found its signature wrong
(`verstat`, ATIS-1000074 section 5.3.1; 3GPP TS 24.229 section 7.2A.20).
"""

from typing import Final

from switch.errors import PeerError
from switch.sip.headers import name_addrs, parse_name_addr
from switch.sip.message import Request
from switch.sip.uri import SipUri, parse_uri

FAILED: Final = "verstat=tn-validation-failed"


def asserted_number(request: Request) -> str:
    """Return the number that a trusted trunk names, as it wrote it; '' if it names none.

    P-Asserted-Identity counts before From.
    """
    try:
        named = name_addrs(request, "p-asserted-identity")
        sender = request.headers.get("from")
        named += [parse_name_addr(sender)] if sender is not None else []
    except PeerError:
        return ""
    if any(FAILED in one.uri.lower() for one in named):
        return ""
    for one in named:
        number = _number(one.uri)
        if number:
            return number
    return ""


def _number(text: str) -> str:
    try:
        uri = parse_uri(text)
    except PeerError:
        return ""
    found = (uri.user or "").partition(";")[0] if isinstance(uri, SipUri) else uri.number
    bare = "".join(sign for sign in found if sign not in "-.() ")
    return bare if bare.removeprefix("+").isdigit() else ""
