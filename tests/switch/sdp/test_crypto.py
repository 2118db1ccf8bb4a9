"""RFC 4568: lines that we take and leave, and which keys come of an offer and its answer."""

import base64
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.errors import PeerError
from switch.rtp.srtp_suite import OFFERED, MasterKey, Suite, secret_bytes
from switch.sdp.crypto import CryptoLine, Srtp, build_line, fresh_keys, parse_line
from switch.sdp.offer_answer import LocalMedia, accept_answer, answer, make_offer
from switch.sdp.parser import build, parse
from switch.sdp.session import SessionDescription

SECRET = bytes(range(30))
KEY = base64.b64encode(SECRET).decode()
CM_80 = Suite.AES_CM_128_HMAC_SHA1_80
GOOD = f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"
HERE = LocalMedia("198.51.100.9", 20_000)
OURS = replace(HERE, srtp=Srtp.ALLOWED, keys=fresh_keys(Random(1)))
THEIRS = replace(LocalMedia("192.0.2.1", 4000), srtp=Srtp.ALLOWED, keys=fresh_keys(Random(2)))


def offered(*media: str) -> SessionDescription:
    lines = ["v=0", "o=- 7 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"]
    return parse("\r\n".join([*lines, *media]).encode())


@pytest.mark.parametrize("tail", ["", "|2^31", "|1048576", "|2^20 WSH=128"])
def test_a_line_is_read(tail: str) -> None:
    assert parse_line(GOOD + tail) == CryptoLine(1, MasterKey(CM_80, SECRET))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        f"x AES_CM_128_HMAC_SHA1_80 inline:{KEY}",
        f"1 F8_128_HMAC_SHA1_80 inline:{KEY}",
        f"1 aes_cm_128_hmac_sha1_80 inline:{KEY}",
        "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        "1 AES_CM_128_HMAC_SHA1_80 inline:====",
        f"1 AES_CM_128_HMAC_SHA1_80 uri:{KEY}",
        GOOD + "|2^31|1:4",
        GOOD + "|1:4",
        GOOD + "|2^10",
        GOOD + f"|2^31;inline:{KEY}|2^31",
        GOOD + " UNENCRYPTED_SRTP",
        GOOD + " UNAUTHENTICATED_SRTP",
        GOOD + " KDR=1",
        GOOD.replace("_80", "_32") + " FEC_ORDER=FEC_SRTP",
        f"1 AEAD_AES_256_GCM inline:{KEY}",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY[:-1]}é",
    ],
)
def test_a_line_with_anything_that_we_do_not_do_is_no_line(value: str) -> None:
    assert parse_line(value) is None


@given(st.text(max_size=200))
def test_no_line_raises(value: str) -> None:
    parse_line(value)
    parse_line(f"1 AES_CM_128_HMAC_SHA1_80 inline:{value}")


@pytest.mark.parametrize("suite", list(Suite))
def test_what_is_written_is_read(suite: Suite) -> None:
    line = CryptoLine(3, MasterKey(suite, bytes(range(secret_bytes(suite)))))
    letter, value = build_line(line)
    assert letter == "a"
    assert parse_line(value.removeprefix("crypto:")) == line


def test_both_sides_agree_and_each_direction_has_its_own_key() -> None:
    negotiated = answer(parse(make_offer(THEIRS)), OURS, session_id=5)
    far = accept_answer(THEIRS, parse(negotiated.body))
    near = negotiated.remote
    assert near.keys is not None
    assert far.keys is not None
    assert (near.keys.ours, near.keys.theirs) == (far.keys.theirs, far.keys.ours)
    assert near.keys.ours != near.keys.theirs
    assert near.keys.ours.suite is OFFERED[0]
    assert b"m=audio 20000 RTP/SAVP 0 101" in negotiated.body


def test_the_answer_takes_the_first_of_their_lines_and_its_tag() -> None:
    far = replace(THEIRS, keys=THEIRS.keys[::-1])
    negotiated = answer(parse(make_offer(far)), OURS, session_id=5)
    assert negotiated.remote.keys is not None
    assert negotiated.remote.keys.ours.suite is OFFERED[-1]
    lines = [v for v in negotiated.description.media[0].every("a") if v.startswith("crypto:")]
    assert len(lines) == 1
    assert lines[0].startswith(f"crypto:1 {OFFERED[-1]} ")


def test_srtp_goes_before_the_clear_wherever_it_stands() -> None:
    offer = offered("m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/SAVP 0", f"a=crypto:{GOOD}")
    negotiated = answer(offer, OURS, session_id=5)
    assert [m.port for m in negotiated.description.media] == [0, 20_000]
    assert negotiated.remote.port == 4002


def test_without_a_suite_in_common_the_clear_is_taken_if_it_may_be() -> None:
    other = f"a=crypto:1 F8_128_HMAC_SHA1_80 inline:{KEY}"
    offer = offered("m=audio 4002 RTP/SAVP 0", other, "m=audio 4000 RTP/AVP 0")
    assert answer(offer, OURS, session_id=5).remote.port == 4000
    with pytest.raises(PeerError) as refused:
        answer(offer, replace(OURS, srtp=Srtp.REQUIRED), session_id=5)
    assert refused.value.status == 488


@pytest.mark.parametrize(
    ("local", "media"),
    [
        (HERE, ("m=audio 4000 RTP/SAVP 0", f"a=crypto:{GOOD}")),
        (replace(HERE, srtp=Srtp.ALLOWED), ("m=audio 4000 RTP/SAVP 0", f"a=crypto:{GOOD}")),
        (replace(OURS, srtp=Srtp.OFF), ("m=audio 4000 RTP/SAVP 0", f"a=crypto:{GOOD}")),
        (OURS, ("m=audio 4000 RTP/SAVP 0",)),
        (replace(OURS, srtp=Srtp.REQUIRED), ("m=audio 4000 RTP/AVP 0",)),
        (replace(OURS, srtp=Srtp.REQUIRED), ("m=audio 4000 RTP/AVP 0", f"a=crypto:{GOOD}")),
        (replace(HERE, srtp=Srtp.REQUIRED), ("m=audio 4000 RTP/AVP 0",)),
    ],
    ids=[
        "off",
        "not over tls",
        "forbidden",
        "no key",
        "required",
        "best effort",
        "required, no tls",
    ],
)
def test_what_may_not_be_is_488(local: LocalMedia, media: tuple[str, ...]) -> None:
    with pytest.raises(PeerError) as refused:
        answer(offered(*media), local, session_id=5)
    assert refused.value.status == 488


def test_our_own_key_sent_back_to_us_is_no_key() -> None:
    mine = build_line(CryptoLine(1, OURS.keys[0]))[1]
    with pytest.raises(PeerError):
        answer(offered("m=audio 4000 RTP/SAVP 0", f"a={mine}"), OURS, session_id=5)


@pytest.mark.parametrize(
    "change",
    [
        (b"RTP/SAVP", b"RTP/AVP"),
        (b"a=crypto:1 ", b"a=crypto:9 "),
        (b"a=crypto:1 AES_CM_128_HMAC_SHA1_80", b"a=crypto:1 AES_CM_128_HMAC_SHA1_32"),
        (b"a=crypto:", b"a=krypto:"),
    ],
    ids=["in the clear", "tag", "suite", "none"],
)
def test_an_answer_that_does_not_fit_our_offer_is_no_answer(change: tuple[bytes, bytes]) -> None:
    body = answer(parse(make_offer(OURS)), THEIRS, session_id=5).body
    with pytest.raises(PeerError) as refused:
        accept_answer(OURS, parse(body.replace(*change)))
    assert refused.value.status == 488


def test_srtp_in_an_answer_to_an_offer_in_the_clear_is_no_answer() -> None:
    body = make_offer(THEIRS)
    with pytest.raises(PeerError):
        accept_answer(HERE, parse(body))


def test_each_offer_has_new_keys() -> None:
    random = Random(3)
    first, second = fresh_keys(random), fresh_keys(random)
    assert not {key.secret for key in first} & {key.secret for key in second}


def test_no_key_shows_itself() -> None:
    negotiated = answer(parse(make_offer(THEIRS)), OURS, session_id=5)
    said = f"{negotiated.remote!r} {OURS!r} {parse_line(GOOD)!r}"
    for key in (*OURS.keys, *THEIRS.keys, MasterKey(CM_80, SECRET)):
        assert base64.b64encode(key.secret).decode() not in said
        assert repr(key.secret) not in said


def test_the_description_goes_through_the_parser() -> None:
    body = make_offer(OURS)
    assert build(parse(body)) == body
