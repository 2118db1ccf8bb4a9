import re

import pytest

from switch.errors import PeerError
from switch.sip.digest import (
    NONCE_LIFE_S,
    Algorithm,
    Credential,
    NonceBook,
    Verdict,
    answer_challenge,
    for_realm,
    ha1,
    is_stale,
    parse_authorization,
    user_of,
)

REALM, USER, PASSWORD, URI, SOURCE = "kinline", "line1", "s3cret", "sip:192.0.2.9", "192.0.2.1"


def stored(algorithm: Algorithm = Algorithm.MD5) -> Credential:
    return Credential(USER, REALM, algorithm, ha1(USER, REALM, PASSWORD, algorithm))


class Peers:
    """A switch and a telephone."""

    def __init__(self, algorithm: Algorithm = Algorithm.MD5) -> None:
        self.book = NonceBook(b"k" * 32)
        self.credential: Credential | None = stored(algorithm)
        self.challenge = self.book.challenge(algorithm, REALM, source_ip=SOURCE, now=100.0)

    def answer(self, password: str = PASSWORD, nc: int = 1, uri: str = URI) -> str:
        return answer_challenge(
            self.challenge,
            method="REGISTER",
            uri=uri,
            user=USER,
            password=password,
            cnonce="0a4f113b",
            nc=nc,
        )

    def check(
        self,
        header: str | None,
        *,
        now: float = 100.1,
        source: str = SOURCE,
        method: str = "REGISTER",
        uri: str = URI,
    ) -> Verdict:
        return self.book.check(header, method, uri, self.credential, source_ip=source, now=now)


def without_qop(header: str, credential: Credential) -> str:
    """Return the answer of an RFC 2069 client to the same challenge."""
    import hashlib  # noqa: PLC0415 - only here

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    claim = parse_authorization(header)
    assert claim is not None
    response = md5(f"{credential.ha1}:{claim.nonce}:{md5(f'REGISTER:{URI}')}")
    return (
        f'Digest username="{USER}",realm="{REALM}",nonce="{claim.nonce}",uri="{URI}",'
        f'response="{response}"'
    )


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_the_right_password_is_ok(algorithm: Algorithm) -> None:
    peers = Peers(algorithm)
    assert peers.check(peers.answer()) is Verdict.OK


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        (Algorithm.SHA_256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (Algorithm.MD5, "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_the_example_of_rfc_7616_section_3_9_1(algorithm: Algorithm, response: str) -> None:
    header = answer_challenge(
        'Digest realm="http-auth@example.org", qop="auth, auth-int", '
        f'algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
        method="GET",
        uri="/dir/index.html",
        user="Mufasa",
        password="Circle of Life",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert f'response="{response}"' in header
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in header
    assert "nc=00000001" in header


def test_nothing_and_another_scheme_are_missing() -> None:
    peers = Peers()
    assert peers.check(None) is Verdict.MISSING
    assert peers.check("NoOneKnowsThisScheme opaque-data=here") is Verdict.MISSING


def test_a_wrong_password_and_a_wrong_user_are_the_same() -> None:
    peers = Peers()
    assert peers.check(peers.answer("guess")) is Verdict.WRONG
    right = peers.answer()
    peers.credential = None
    assert peers.check(right) is Verdict.WRONG


@pytest.mark.parametrize("header", ["Digest x", "Digest a=1, a=2", "Digest ,", 'Digest a="'])
def test_a_malformed_header_is_wrong(header: str) -> None:
    assert Peers().check(header) is Verdict.WRONG


@pytest.mark.parametrize(
    ("field", "forged"),
    [
        ("username", 'username="line2"'),
        ("realm", 'realm="elsewhere"'),
        ("algorithm", "algorithm=SHA-256"),
        ("algorithm", "algorithm=MD5-sess"),
        ("qop", "qop=auth-int"),
        ("nc", "nc=1"),
        ("nc", "nc=\u0660000000\u0661"),
        ("cnonce", 'cnonce=""'),
        ("uri", 'uri="sip:192.0.2.10"'),
        ("response", 'response=""'),
        ("response", 'response="é"'),
    ],
)
def test_a_changed_field_is_wrong(field: str, forged: str) -> None:
    peers = Peers()
    header = re.sub(rf'\b{field}=("[^"]*"|[^,]*)', forged, peers.answer(), count=1)
    assert peers.check(header) is Verdict.WRONG


def test_the_method_and_the_target_are_proved() -> None:
    peers = Peers()
    assert peers.check(peers.answer(), method="INVITE") is Verdict.WRONG
    assert peers.check(peers.answer(), uri="sip:192.0.2.10") is Verdict.WRONG


def test_parameters_of_the_uri_may_differ() -> None:
    peers = Peers()
    assert peers.check(peers.answer(uri="sip:192.0.2.9;transport=udp")) is Verdict.OK


def test_a_nonce_is_stale_after_its_life() -> None:
    peers = Peers()
    assert peers.check(peers.answer(), now=100.0 + NONCE_LIFE_S) is Verdict.OK
    assert peers.check(peers.answer(nc=2), now=100.1 + NONCE_LIFE_S) is Verdict.STALE


def test_a_nonce_is_good_for_its_source_only() -> None:
    peers = Peers()
    assert peers.check(peers.answer(), source="192.0.2.2") is Verdict.STALE


def test_a_nonce_of_a_former_process_is_stale_for_who_knows_the_password() -> None:
    peers = Peers()
    peers.book = NonceBook(b"x" * 32)
    assert peers.check(peers.answer()) is Verdict.STALE
    assert peers.check(peers.answer("guess")) is Verdict.WRONG


@pytest.mark.parametrize("nonce", ["", "x", "é", "A" * 38, "====", "-" * 5000])
def test_a_strange_nonce_is_stale_for_who_knows_the_password(nonce: str) -> None:
    peers = Peers()
    peers.challenge = f'Digest realm="{REALM}", nonce="{nonce or " "}", qop="auth"'
    assert peers.check(peers.answer()) is Verdict.STALE


def test_a_count_is_accepted_once_and_in_any_near_order() -> None:
    peers = Peers()
    verdicts = [peers.check(peers.answer(nc=nc)) for nc in (1, 3, 2, 2, 3, 1, 4, 200, 137, 136, 4)]
    ok, stale = Verdict.OK, Verdict.STALE
    assert verdicts == [ok, ok, ok, stale, stale, stale, ok, ok, ok, stale, stale]


def test_a_count_of_zero_is_no_count() -> None:
    peers = Peers()
    assert peers.check(peers.answer(nc=0)) is Verdict.STALE


def test_challenges_of_one_moment_differ() -> None:
    book = NonceBook(b"k" * 32)
    one, other = (book.challenge(Algorithm.MD5, REALM, source_ip=SOURCE, now=1.0) for _ in range(2))
    assert one != other


def test_a_stranger_leaves_nothing_behind() -> None:
    peers = Peers()
    for _ in range(50):
        peers.book.challenge(Algorithm.MD5, REALM, source_ip=SOURCE, now=100.0)
        peers.check(peers.answer("guess"))
    assert peers.book.remembered == 0


def test_old_counts_are_forgotten() -> None:
    peers = Peers()
    peers.check(peers.answer())
    peers.book.forget_old(now=100.0 + NONCE_LIFE_S)
    assert peers.book.remembered == 1
    peers.book.forget_old(now=101.0 + NONCE_LIFE_S)
    assert peers.book.remembered == 0


def test_a_client_of_rfc_2069_uses_each_nonce_once() -> None:
    peers = Peers()
    header = without_qop(peers.answer(), stored())
    assert peers.check(header) is Verdict.OK
    assert peers.check(header) is Verdict.STALE


def test_a_stale_challenge_says_so() -> None:
    book = NonceBook(b"k" * 32)
    value = book.challenge(Algorithm.SHA_256, REALM, source_ip=SOURCE, now=1.0, stale=True)
    assert value.endswith(', algorithm=SHA-256, qop="auth", stale=true')
    assert is_stale(value)
    assert not is_stale(Peers().challenge)


def test_the_strongest_challenge_is_answered() -> None:
    weak = 'Digest realm="a", nonce="1", algorithm=MD5, qop="auth"'
    strong = 'Digest realm="b", nonce="2", algorithm=SHA-256, qop="auth,auth-int"'
    unknown = 'Digest realm="c", nonce="3", algorithm=SHA-512-256, qop="auth"'
    header = answer_challenge(
        [weak, unknown, strong], method="INVITE", uri=URI, user=USER, password="x", cnonce="c"
    )
    assert 'realm="b"' in header
    assert "algorithm=SHA-256" in header


def test_a_challenge_without_qop_gets_an_answer_without() -> None:
    header = answer_challenge(
        'Digest realm="a", nonce="1"', method="INVITE", uri=URI, user=USER, password="x", cnonce="c"
    )
    assert "qop" not in header
    assert "cnonce" not in header


@pytest.mark.parametrize(
    "value",
    ["Basic realm=x", "Digest", 'Digest realm="a", nonce="1", algorithm=X', 'Digest realm="a"',
     'Digest realm="a", nonce="1", qop="auth-int"'],
)  # fmt: skip
def test_a_challenge_that_we_do_not_know_is_401(value: str) -> None:
    with pytest.raises(PeerError, match="401"):
        answer_challenge(value, method="INVITE", uri=URI, user="u", password="x", cnonce="c")


def test_names_with_quotes_survive() -> None:
    header = answer_challenge(
        'Digest realm="a \\"b\\"", nonce="1", qop="auth"',
        method="INVITE", uri=URI, user='c"d\\', password="x", cnonce="c",
    )  # fmt: skip
    claim = parse_authorization(header)
    assert claim is not None
    assert (claim.realm, claim.user) == ('a "b"', 'c"d\\')
    assert user_of(header) == 'c"d\\'
    assert user_of(None) == ""


def test_the_header_for_our_realm_is_found() -> None:
    headers = ["Basic x", 'Digest realm="a", username="1"', 'Digest realm="b", username="2"']
    assert for_realm(headers, "b") == headers[2]
    assert for_realm(headers, "c") is None
